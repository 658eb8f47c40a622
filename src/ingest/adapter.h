// Adapter: from one record to one charge in the shape of FOCUS 1.4, with every repair, finding and
// filled column counted.
//
// A row is read whole before anything of it is written, so that a fault in its last field leaves
// nothing behind. What fills a missing value, in this order (the first that has one):
//   BillingCurrency      assumed: what was told beside the bill
//   BillingPeriodStart   derived: the month of ChargePeriodStart
//   BillingPeriodEnd     assumed: one month after BillingPeriodStart
//   ListCost             derived: ListUnitPrice x PricingQuantity
//                        assumed: ContractedCost, BilledCost
//   ContractedCost       derived: ContractedUnitPrice x PricingQuantity
//                        assumed: ListCost (no negotiated discount is known), BilledCost
//   EffectiveCost        assumed: 0 for the purchase of a commitment (its use carries the cost),
//                        else BilledCost
//   ServiceProviderName  derived: ProviderName (until 1.3)
//   HostProviderName     assumed: ServiceProviderName
//   InvoiceIssuerName    assumed: ServiceProviderName
//   ServiceSubcategory   derived: from ServiceName, where that tells the row's ServiceCategory too
//   (since 1.1)          assumed: "Other (<ServiceCategory>)"
#pragma once

#include <array>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/raw_sum.h"
#include "engine/engine.h"
#include "ingest/cells.h"
#include "ingest/plan.h"
#include "ingest/record.h"
#include "ingest/tags_cell.h"
#include "model/signature.h"

namespace flyball::ingest {

// Columns that are not null in FOCUS and that the adapter may have to fill, whose lineage is kept
// per row.
inline constexpr std::array<std::string_view, 15> kFilledColumns = {
    "BillingAccountId", "BillingCurrency",     "BillingPeriodEnd",  "BillingPeriodStart",
    "ChargeCategory",   "ChargePeriodEnd",     "ContractedCost",    "EffectiveCost",
    "HostProviderName", "InvoiceIssuerName",   "ListCost",          "ServiceCategory",
    "ServiceName",      "ServiceProviderName", "ServiceSubcategory"};
inline constexpr size_t kFilledCount = kFilledColumns.size();

// What one thread has counted; merged at the end.
struct Tally {
  struct SliceSum {
    int64_t rows = 0;
    int128 billed = 0;
  };
  struct Check {
    RawDecimalSum quarantined, residue;
  };
  int64_t rows_kept = 0, rows_quarantined = 0;
  int64_t rows_unsummed = 0;  // of those in quarantine: RawFacts says what that means
  DefectCounts defects;
  std::array<std::array<int64_t, 4>, kFilledCount>
      filled{};  // by focus::Lineage; observed is not counted
  std::map<std::pair<int64_t, std::string>, SliceSum> kept;  // by month (microseconds) and currency
  std::map<std::string, Check, std::less<>> checks;          // by currency
  bool overflow = false;                                     // a sum left 128 bits
  void Merge(const Tally& other);
};

class RowAdapter {
 public:
  // Both must outlive the adapter. `live`: the schema's columns that are written, in order.
  RowAdapter(const Schema& schema, const FilePlan& plan, std::vector<int> live,
             const std::string& source_file);

  // kNone: the row is counted as kept, and Write gives it out. Else it is counted as quarantined,
  // and Reason says why.
  Fault Read(const Record& record, Tally* tally);
  void Write(engine::ChunkWriter& out, int row) const;
  std::string Reason() const;
  int64_t month_us() const { return month_us_; }
  int64_t line() const { return line_; }  // of the file as its vendor wrote it
  Fault fault() const { return fault_; }

 private:
  struct NumberField {
    int column, field, scale;
    Repair rounded;
  };
  struct DateField {
    int column, field;
    DateReader reader;
  };
  struct TextField {
    enum class Kind : uint8_t { kPlain, kAllowed, kTags, kExtra } kind;
    int column, field;
    std::span<const std::string_view> allowed;
    std::string last_text;        // kAllowed: what was seen last,
    std::string_view last_value;  // what it stands for (empty: itself),
    RowDefects last_defects;      // and what was wrong with it
  };

  void MakeFields(const FilePlan& plan);
  int64_t LineOf(const Record& record) const;
  Fault CheckShape(const Record& record, RowDefects* defects);
  Fault ReadTyped(const Record& record, RowDefects* defects);
  Fault AssumeCurrency(const Record& record);
  Fault ReadCurrency(const Record& record, RowDefects* defects);
  void ReadTexts(const Record& record, RowDefects* defects);
  std::string_view PlainText(const Field& field, RowDefects* defects);
  std::string_view AllowedText(const Field& field, TextField* spec, RowDefects* defects);
  void FindContradictions(RowDefects* defects) const;
  void FillPeriods(RowDefects* defects);
  void FillCosts(RowDefects* defects);
  void FillNames(const Record& record, RowDefects* defects);
  void FillSubcategory();
  void SetLineage(Tally* tally);
  void CountKept(const RowDefects& defects, Tally* tally);
  void CountQuarantined(const Record& record, Tally* tally) const;
  Fault Refuse(Fault fault, int field, const Record& record);

  bool IsNull(int column) const { return nulls_[static_cast<size_t>(column)] != 0; }
  int128& Units(int column) { return units_[static_cast<size_t>(column)]; }
  int128 Units(int column) const { return units_[static_cast<size_t>(column)]; }
  void SetUnits(int column, int128 units) {
    units_[static_cast<size_t>(column)] = units;
    nulls_[static_cast<size_t>(column)] = 0;
  }
  std::string_view& Text(int column) { return texts_[static_cast<size_t>(column)]; }
  int FieldOf(int column) const { return field_of_[static_cast<size_t>(column)]; }
  void Mark(int column, focus::Lineage lineage);

  const Schema& schema_;
  std::vector<std::string> header_;
  std::vector<int> live_;
  std::vector<int> field_of_;
  std::string assumed_currency_;
  int provider_field_;
  int line_field_;
  std::array<uint8_t, kFilledCount> base_lineage_{};  // of the columns that have a text
  std::string source_file_;
  std::vector<NumberField> number_fields_;
  std::vector<DateField> date_fields_;
  std::vector<TextField> text_fields_;
  TagsReader tags_;

  // The row at hand, by column of the schema.
  std::vector<int128> units_;            // numbers in their units, instants in microseconds
  std::vector<uint8_t> nulls_;           // of numbers and instants
  std::vector<std::string_view> texts_;  // data() == nullptr: null
  std::string inexact_cost_;             // BilledCost as a plain decimal, when it has to be rounded
  int64_t month_us_ = 0;
  int64_t line_ = 0;
  uint64_t signature_ = 0;
  char currency_[3] = {0, 0, 0};
  std::array<uint8_t, kFilledCount> lineage_{};
  std::string_view lineage_text_;
  std::map<std::array<uint8_t, kFilledCount>, std::string> lineage_texts_;
  std::deque<std::string> repaired_texts_;
  signature::Values signature_values_;

  // What the rows of a service get, by its category and name.
  struct Subcategory {
    std::string_view text;  // of the tables, or null
    focus::Lineage lineage = focus::Lineage::kMissing;
  };
  static Subcategory SubcategoryOf(std::string_view category, std::string_view service);
  std::map<std::pair<std::string, std::string>, Subcategory, std::less<>> subcategories_;

  // The slice that rows go to, mostly the one of the row before.
  std::pair<int64_t, std::string> last_slice_;
  Tally::SliceSum* last_sum_ = nullptr;
  const Tally* last_tally_ = nullptr;

  Fault fault_ = Fault::kNone;
  std::string fault_column_;
  std::string fault_text_;
};

}  // namespace flyball::ingest
