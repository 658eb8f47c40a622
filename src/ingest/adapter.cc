#include "ingest/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "base/text.h"
#include "ingest/import.h"
#include "ingest/native/service.h"
#include "ingest/product.h"
#include "ingest/raw_scan.h"
#include "model/charge.h"

namespace flyball::ingest {
namespace {

using charge::At;
using focus::Lineage;

constexpr size_t kShownTextBytes = 80;
constexpr size_t kSubcategoriesKept = 4'096;  // services; beyond it all are looked up anew

constexpr int kListUnitPrice = At("ListUnitPrice");
constexpr int kContractedUnitPrice = At("ContractedUnitPrice");
constexpr int kPricingQuantity = At("PricingQuantity");
constexpr int kChargeCategory = At("ChargeCategory");
constexpr int kCommitmentDiscountId = At("CommitmentDiscountId");
constexpr int kServiceProviderName = At("ServiceProviderName");
constexpr int kHostProviderName = At("HostProviderName");
constexpr int kInvoiceIssuerName = At("InvoiceIssuerName");
constexpr int kServiceCategory = At("ServiceCategory");
constexpr int kServiceName = At("ServiceName");
constexpr int kServiceSubcategory = At("ServiceSubcategory");

constexpr std::array<int, kFilledCount> kFilledIndexes = {
    At("BillingAccountId"),  At("BillingCurrency"),
    At("BillingPeriodEnd"),  At("BillingPeriodStart"),
    At("ChargeCategory"),    At("ChargePeriodEnd"),
    At("ContractedCost"),    At("EffectiveCost"),
    At("HostProviderName"),  At("InvoiceIssuerName"),
    At("ListCost"),          At("ServiceCategory"),
    At("ServiceName"),       At("ServiceProviderName"),
    At("ServiceSubcategory")};

std::string Shown(std::string_view text) {
  std::string shown = RepairUtf8(text.substr(0, kShownTextBytes));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return "'" + shown + (text.size() > kShownTextBytes ? "...'" : "'");
}

bool AddChecked(int128 value, int128* sum) { return !__builtin_add_overflow(*sum, value, sum); }

// The decimal that the field's text stands for, for sums over raw text; "" when none.
std::string PlainCost(const Field& field) {
  if (field.null || field.text.empty() || field.text.size() > kNumberMaxBytes) return {};
  ParsedDecimal parsed;
  if (ParseDecimalFast(field.text, Money::scale(), &parsed) != DecimalFault::kNotANumber) {
    return std::string(field.text);
  }
  std::string buffer(field.text.size() + 1, '\0');
  RowDefects ignored;
  return std::string(PlainNumber(field.text, buffer.data(), &ignored));
}

bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

void Tally::Merge(const Tally& other) {
  rows_kept += other.rows_kept;
  rows_quarantined += other.rows_quarantined;
  rows_unsummed += other.rows_unsummed;
  defects.Merge(other.defects);
  for (size_t i = 0; i < kFilledCount; ++i) {
    for (size_t j = 0; j < 4; ++j) filled[i][j] += other.filled[i][j];
  }
  for (const auto& [key, sum] : other.kept) {
    SliceSum& mine = kept[key];
    mine.rows += sum.rows;
    overflow |= !AddChecked(sum.billed, &mine.billed);
  }
  for (const auto& [currency, check] : other.checks) {
    Check& mine = checks[currency];
    mine.quarantined.Merge(check.quarantined);
    mine.residue.Merge(check.residue);
  }
  overflow |= other.overflow;
}

RowAdapter::RowAdapter(const Schema& schema, const FilePlan& plan, std::vector<int> live,
                       const std::string& source_file)
    : schema_(schema),
      header_(plan.header),
      live_(std::move(live)),
      field_of_(plan.FieldOf(schema)),
      assumed_currency_(plan.currency),
      provider_field_(plan.provider_field),
      line_field_(plan.line_field),
      source_file_(source_file),
      units_(schema.size(), 0),
      nulls_(schema.size(), 1),
      texts_(schema.size()),
      signature_values_(signature::ChargeIndexes().size()) {
  for (size_t i = 0; i < kFilledCount; ++i) {
    const Lineage lineage = plan.LineageOf(kFilledColumns[i]);
    base_lineage_[i] = static_cast<uint8_t>(lineage);
  }
  MakeFields(plan);
}

void RowAdapter::MakeFields(const FilePlan& plan) {
  for (size_t i = 0; i < schema_.size(); ++i) {
    const int column = static_cast<int>(i);
    const int field = field_of_[i];
    if (field < 0 || column == charge::kBillingCurrency || field == line_field_) continue;
    switch (schema_.columns()[i].type) {
      case ColumnType::kMoney:
        number_fields_.push_back({column, field, Money::scale(), Repair::kCostRounded});
        break;
      case ColumnType::kQuantity:
        number_fields_.push_back({column, field, Quantity::scale(), Repair::kQuantityRounded});
        break;
      case ColumnType::kInstant:
        date_fields_.push_back({column, field, {}});
        break;
      case ColumnType::kText:
      case ColumnType::kJson: {
        TextField text{TextField::Kind::kPlain, column, field, {}, {}, {}, {}};
        const focus::Column* known = focus::FindColumn(focus::DataSet::kCostAndUsage,
                                                       plan.header[static_cast<size_t>(field)]);
        if (column >= charge::kColumnCount && known == nullptr) {
          text.kind = TextField::Kind::kExtra;
        } else if (column == charge::kTags) {
          text.kind = TextField::Kind::kTags;
        } else if (known != nullptr && !known->allowed.empty()) {
          text.kind = TextField::Kind::kAllowed;
          text.allowed = known->allowed;
        }
        text_fields_.push_back(std::move(text));
        break;
      }
      case ColumnType::kInt64:
      case ColumnType::kUint64:
        FB_ASSERT(false);  // only columns that the ledger fills itself
    }
  }
}

Fault RowAdapter::Refuse(Fault fault, int field, const Record& record) {
  fault_ = fault;
  fault_column_.clear();
  fault_text_.clear();
  if (field >= 0) {
    fault_column_ = header_[static_cast<size_t>(field)];
    if (static_cast<size_t>(field) < record.fields.size()) {
      fault_text_ = Shown(record.fields[static_cast<size_t>(field)].text);
    }
  } else if (fault == Fault::kRaggedRow) {
    fault_text_ = std::to_string(record.field_count);
  } else if (fault == Fault::kNoBilledCost && line_field_ >= 0) {
    // What could not be rated says why in its description.
    const int description = FieldOf(charge::At("ChargeDescription"));
    if (description >= 0) {
      fault_text_ = Shown(record.fields[static_cast<size_t>(description)].text);
    }
  }
  return fault;
}

std::string RowAdapter::Reason() const {
  switch (fault_) {
    case Fault::kRaggedRow:
      if (line_field_ >= 0) {
        return "the record cannot be read, or has not as many fields as the header";
      }
      return "the row has " + fault_text_ + " fields and the header has " +
             std::to_string(header_.size());
    case Fault::kNoBilledCost:
      return "the row has no BilledCost" + (fault_text_.empty() ? "" : ": " + fault_text_);
    case Fault::kNoCurrency:
      return "the row has no BillingCurrency";
    case Fault::kBadCurrency:
      return "BillingCurrency " + fault_text_ + " is no code of three letters";
    case Fault::kNoChargePeriod:
      return "the row has no ChargePeriodStart";
    case Fault::kBadNumber:
      return fault_column_ + " " + fault_text_ + " is no number";
    case Fault::kOutOfRange:
      return fault_column_ + " " + fault_text_ + " is larger than 38 digits hold";
    case Fault::kTooFine:
      return fmt::format("{} {} has digits beyond the {}th behind the point", fault_column_,
                         fault_text_, kRawSumMaxPower);
    case Fault::kBadDate:
      return fault_column_ + " " + fault_text_ + " is no date";
    case Fault::kUnclosedQuote:
      return "a quote that opens in the row is never closed";
    case Fault::kNotJson:
      return "the line is no JSON object";
    case Fault::kNone:
    case Fault::kCount:
      break;
  }
  return {};
}

Fault RowAdapter::CheckShape(const Record& record, RowDefects* defects) {
  if (record.fault != nullptr) {
    return Refuse(record.fault[0] == 't' ? Fault::kNotJson : Fault::kUnclosedQuote, -1, record);
  }
  if (record.field_count == header_.size()) return Fault::kNone;
  bool only_empty_more =
      record.field_count > header_.size() && record.field_count == record.fields.size() &&
      std::all_of(record.fields.begin() + static_cast<std::ptrdiff_t>(header_.size()),
                  record.fields.end(), [](const Field& field) { return field.text.empty(); });
  if (!only_empty_more) return Refuse(Fault::kRaggedRow, -1, record);
  defects->Add(Repair::kTrailingDelimiter);
  return Fault::kNone;
}

Fault RowAdapter::ReadTyped(const Record& record, RowDefects* defects) {
  inexact_cost_.clear();
  for (const NumberField& spec : number_fields_) {
    NumberCell cell;
    Fault fault = ReadNumber(record.fields[static_cast<size_t>(spec.field)], spec.scale,
                             spec.rounded, defects, &cell);
    if (fault != Fault::kNone) return Refuse(fault, spec.field, record);
    units_[static_cast<size_t>(spec.column)] = cell.units;
    nulls_[static_cast<size_t>(spec.column)] = cell.null ? 1 : 0;
    if (spec.column == charge::kBilledCost && !cell.exact) {
      inexact_cost_ = PlainCost(record.fields[static_cast<size_t>(spec.field)]);
      if (!RawDecimalSum::Takes(inexact_cost_)) return Refuse(Fault::kTooFine, spec.field, record);
    }
  }
  for (DateField& spec : date_fields_) {
    Instant instant;
    bool null = false;
    Fault fault =
        spec.reader.Read(record.fields[static_cast<size_t>(spec.field)], defects, &instant, &null);
    if (fault != Fault::kNone) return Refuse(fault, spec.field, record);
    units_[static_cast<size_t>(spec.column)] = instant.us;
    nulls_[static_cast<size_t>(spec.column)] = null ? 1 : 0;
  }
  if (IsNull(charge::kBilledCost)) return Refuse(Fault::kNoBilledCost, -1, record);
  if (IsNull(charge::kChargePeriodStart)) return Refuse(Fault::kNoChargePeriod, -1, record);
  return Fault::kNone;
}

Fault RowAdapter::AssumeCurrency(const Record& record) {
  if (assumed_currency_.empty()) return Refuse(Fault::kNoCurrency, -1, record);
  FB_ASSERT(assumed_currency_.size() == sizeof(currency_));
  std::ranges::copy(assumed_currency_, currency_);
  Text(charge::kBillingCurrency) = {currency_, sizeof(currency_)};
  Mark(charge::kBillingCurrency, Lineage::kAssumed);
  return Fault::kNone;
}

Fault RowAdapter::ReadCurrency(const Record& record, RowDefects* defects) {
  int index = FieldOf(charge::kBillingCurrency);
  if (index < 0) return AssumeCurrency(record);
  const Field& field = record.fields[static_cast<size_t>(index)];
  if (IsNullCell(field, defects)) return AssumeCurrency(record);
  std::string_view text = TrimCell(field.text, defects);
  if (text.empty()) return AssumeCurrency(record);
  if (text.size() != 3 || !std::ranges::all_of(text, IsLetter)) {
    return Refuse(Fault::kBadCurrency, index, record);
  }
  for (size_t i = 0; i < 3; ++i) {
    currency_[i] = static_cast<char>(text[i] & ~0x20);
    if (currency_[i] != text[i]) defects->Add(Repair::kCurrencyCase);
  }
  Text(charge::kBillingCurrency) = {currency_, 3};
  return Fault::kNone;
}

std::string_view RowAdapter::PlainText(const Field& field, RowDefects* defects) {
  if (IsNullCell(field, defects)) return {};
  if (IsAscii(field.text) || ValidUtf8Prefix(field.text) == field.text.size()) return field.text;
  defects->Add(Repair::kInvalidUtf8);
  return repaired_texts_.emplace_back(RepairUtf8(field.text));
}

std::string_view RowAdapter::AllowedText(const Field& field, TextField* spec, RowDefects* defects) {
  std::string_view text = PlainText(field, defects);
  if (text.data() == nullptr) return text;
  if (text != spec->last_text) {
    spec->last_text.assign(text);
    spec->last_value = {};
    spec->last_defects = {};
    std::string_view trimmed = TrimCell(text, &spec->last_defects);
    for (std::string_view allowed : spec->allowed) {
      if (trimmed == allowed) {
        spec->last_value = allowed;
        break;
      }
      if (EqualsIgnoreCase(trimmed, allowed)) {
        spec->last_value = allowed;
        spec->last_defects.Add(Repair::kAllowedValueCase);
        break;
      }
    }
    if (spec->last_value.empty()) {
      spec->last_defects = {};
      spec->last_defects.Add(Finding::kUnknownAllowedValue);
    }
  }
  defects->repairs |= spec->last_defects.repairs;
  defects->findings |= spec->last_defects.findings;
  return spec->last_value.empty() ? text : spec->last_value;
}

void RowAdapter::ReadTexts(const Record& record, RowDefects* defects) {
  repaired_texts_.clear();
  for (TextField& spec : text_fields_) {
    const Field& field = record.fields[static_cast<size_t>(spec.field)];
    std::string_view text;
    switch (spec.kind) {
      case TextField::Kind::kPlain:
        text = PlainText(field, defects);
        break;
      case TextField::Kind::kAllowed:
        text = AllowedText(field, &spec, defects);
        break;
      case TextField::Kind::kTags:
        text = PlainText(field, defects);
        if (text.data() != nullptr) text = tags_.Read(text, defects);
        break;
      case TextField::Kind::kExtra:
        // Kept as it is: only what the format itself calls nothing is null.
        if (!field.null && (field.quoted || !field.text.empty())) {
          text = field.text.empty() ? std::string_view("") : PlainText({field.text, true}, defects);
          if (text.data() == nullptr) text = field.text;
        }
        break;
    }
    Text(spec.column) = text;
  }
}

void RowAdapter::FindContradictions(RowDefects* defects) const {
  const bool list = !IsNull(charge::kListCost);
  const bool contracted = !IsNull(charge::kContractedCost);
  if (!IsNull(kPricingQuantity)) {
    if (list && !IsNull(kListUnitPrice) &&
        ProductDiffers(Units(kListUnitPrice), Units(kPricingQuantity), Units(charge::kListCost))) {
      defects->Add(Finding::kListCostProductMismatch);
    }
    if (contracted && !IsNull(kContractedUnitPrice) &&
        ProductDiffers(Units(kContractedUnitPrice), Units(kPricingQuantity),
                       Units(charge::kContractedCost))) {
      defects->Add(Finding::kContractedCostProductMismatch);
    }
  }
  if (!list) return;
  if (!IsNull(charge::kEffectiveCost) && Units(charge::kEffectiveCost) > Units(charge::kListCost)) {
    defects->Add(Finding::kEffectiveCostAboveListCost);
  }
  if (contracted && Units(charge::kListCost) > 0 && Units(charge::kContractedCost) == 0) {
    defects->Add(Finding::kContractedCostZeroWithListCost);
  }
}

void RowAdapter::Mark(int column, Lineage lineage) {
  for (size_t i = 0; i < kFilledCount; ++i) {
    if (kFilledIndexes[i] == column) lineage_[i] = static_cast<uint8_t>(lineage);
  }
}

void RowAdapter::FillPeriods(RowDefects* defects) {
  if (IsNull(charge::kBillingPeriodStart)) {
    Instant charged{static_cast<int64_t>(Units(charge::kChargePeriodStart))};
    SetUnits(charge::kBillingPeriodStart, FloorMonth(charged).us);
    Mark(charge::kBillingPeriodStart, Lineage::kDerived);
    defects->Add(Repair::kMissingBillingPeriodStart);
  }
  Instant month = FloorMonth({static_cast<int64_t>(Units(charge::kBillingPeriodStart))});
  month_us_ = month.us;
  if (IsNull(charge::kBillingPeriodEnd)) {
    SetUnits(charge::kBillingPeriodEnd, AddMonths(month, 1).us);
    Mark(charge::kBillingPeriodEnd, Lineage::kAssumed);
    defects->Add(Repair::kMissingBillingPeriodEnd);
  }
  if (IsNull(charge::kChargePeriodEnd)) Mark(charge::kChargePeriodEnd, Lineage::kMissing);
}

void RowAdapter::FillCosts(RowDefects* defects) {
  const bool had_contracted = !IsNull(charge::kContractedCost);
  auto fill_from_product = [&](int cost, int price) {
    int128 product = 0;
    if (IsNull(price) || IsNull(kPricingQuantity)) return false;
    if (!ProductOf(Units(price), Units(kPricingQuantity), &product)) return false;
    SetUnits(cost, product);
    Mark(cost, Lineage::kDerived);
    return true;
  };
  auto assume = [&](int cost, int128 units) {
    SetUnits(cost, units);
    Mark(cost, Lineage::kAssumed);
  };
  if (IsNull(charge::kListCost)) {
    defects->Add(Repair::kMissingListCost);
    if (!fill_from_product(charge::kListCost, kListUnitPrice)) {
      assume(charge::kListCost,
             had_contracted ? Units(charge::kContractedCost) : Units(charge::kBilledCost));
    }
  }
  if (!had_contracted) {
    defects->Add(Repair::kMissingContractedCost);
    if (!fill_from_product(charge::kContractedCost, kContractedUnitPrice)) {
      assume(charge::kContractedCost, Units(charge::kListCost));
    }
  }
  if (IsNull(charge::kEffectiveCost)) {
    defects->Add(Repair::kMissingEffectiveCost);
    bool commitment =
        Text(kChargeCategory) == "Purchase" && Text(kCommitmentDiscountId).data() != nullptr;
    assume(charge::kEffectiveCost, commitment ? 0 : Units(charge::kBilledCost));
  }
}

void RowAdapter::FillNames(const Record& record, RowDefects* defects) {
  std::string_view& provider = Text(kServiceProviderName);
  if (FieldOf(kServiceProviderName) < 0) provider = {};
  if (provider.data() == nullptr && provider_field_ >= 0) {
    provider = PlainText(record.fields[static_cast<size_t>(provider_field_)], defects);
    if (provider.data() != nullptr) Mark(kServiceProviderName, Lineage::kDerived);
  }
  for (int column : {kHostProviderName, kInvoiceIssuerName}) {
    if (FieldOf(column) < 0) Text(column) = {};
    if (Text(column).data() == nullptr && provider.data() != nullptr) {
      Text(column) = provider;
      Mark(column, Lineage::kAssumed);
    }
  }
  FillSubcategory();
  for (size_t i = 0; i < kFilledCount; ++i) {
    int column = kFilledIndexes[i];
    bool text = schema_.columns()[static_cast<size_t>(column)].type == ColumnType::kText;
    if (text && Text(column).data() == nullptr)
      lineage_[i] = static_cast<uint8_t>(Lineage::kMissing);
  }
}

// A subcategory has one category, so that a name which tells another category tells nothing here.
RowAdapter::Subcategory RowAdapter::SubcategoryOf(std::string_view category,
                                                  std::string_view service) {
  const native::ServiceKind kind = native::KindOfService(service);
  if (kind.category == category && !kind.subcategory.empty()) {
    return {kind.subcategory, Lineage::kDerived};
  }
  for (const focus::ServiceSubcategory& listed : focus::ServiceSubcategories()) {
    if (listed.category != category || !listed.name.starts_with("Other (")) continue;
    return {listed.name, Lineage::kAssumed};
  }
  return {};  // a category that FOCUS does not know
}

void RowAdapter::FillSubcategory() {
  std::string_view& subcategory = Text(kServiceSubcategory);
  if (FieldOf(kServiceSubcategory) < 0) subcategory = {};
  const std::string_view category = FieldOf(kServiceCategory) < 0 ? "" : Text(kServiceCategory);
  if (subcategory.data() != nullptr || category.empty()) return;
  const std::string_view service = FieldOf(kServiceName) < 0 ? "" : Text(kServiceName);
  const std::pair<std::string, std::string> key(category, service);
  auto found = subcategories_.find(key);
  if (found == subcategories_.end()) {
    if (subcategories_.size() == kSubcategoriesKept) subcategories_.clear();
    found = subcategories_.emplace(key, SubcategoryOf(category, service)).first;
  }
  subcategory = found->second.text;
  if (subcategory.data() != nullptr) Mark(kServiceSubcategory, found->second.lineage);
}

void RowAdapter::SetLineage(Tally* tally) {
  auto [found, fresh] = lineage_texts_.try_emplace(lineage_);
  if (fresh) {
    for (size_t i = 0; i < kFilledCount; ++i) {
      if (lineage_[i] == static_cast<uint8_t>(Lineage::kObserved)) continue;
      if (!found->second.empty()) found->second.push_back(';');
      found->second.append(kFilledColumns[i]).append("=");
      found->second.append(focus::LineageName(static_cast<Lineage>(lineage_[i])));
    }
  }
  lineage_text_ = found->second;
  for (size_t i = 0; i < kFilledCount; ++i) ++tally->filled[i][lineage_[i]];
}

void RowAdapter::CountKept(const RowDefects& defects, Tally* tally) {
  ++tally->rows_kept;
  tally->defects.Count(defects);
  std::string_view currency(currency_, 3);
  if (last_tally_ != tally || last_slice_.first != month_us_ || last_slice_.second != currency) {
    last_slice_ = {month_us_, std::string(currency)};
    last_sum_ = &tally->kept[last_slice_];
    last_tally_ = tally;
  }
  ++last_sum_->rows;
  if (!AddChecked(Units(charge::kBilledCost), &last_sum_->billed)) tally->overflow = true;
  if (!inexact_cost_.empty()) {
    RawDecimalSum& residue = tally->checks[std::string(currency)].residue;
    bool exact = residue.Add(inexact_cost_) &&
                 residue.Subtract(FormatDecimal(Units(charge::kBilledCost), Money::scale()));
    if (!exact) tally->overflow = true;
  }
}

void RowAdapter::CountQuarantined(const Record& record, Tally* tally) const {
  ++tally->rows_quarantined;
  if (fault_ == Fault::kNotJson) {
    RawFacts facts = ScanRawJsonLine(record.raw);
    tally->rows_unsummed += facts.rows_unsummed;
    for (const auto& [name, sum] : facts.billed_by_currency) {
      tally->checks[name].quarantined.Merge(sum);
    }
    return;
  }
  auto field = [&](int column) -> const Field* {
    int index = FieldOf(column);
    bool there = index >= 0 && static_cast<size_t>(index) < record.fields.size();
    return there ? &record.fields[static_cast<size_t>(index)] : nullptr;
  };
  std::string currency(kUnnamedCurrency);
  if (const Field* text = field(charge::kBillingCurrency)) {
    RowDefects ignored;
    std::string_view code = TrimCell(text->text, &ignored);
    if (code.size() == 3 && std::ranges::all_of(code, IsLetter)) {
      currency.assign(code);
      for (char& c : currency) c = static_cast<char>(c & ~0x20);
    }
  }
  RawDecimalSum& sum = tally->checks[currency].quarantined;
  const Field* cost = field(charge::kBilledCost);
  if (cost == nullptr || !sum.Add(PlainCost(*cost))) ++tally->rows_unsummed;
}

int64_t RowAdapter::LineOf(const Record& record) const {
  if (line_field_ < 0) return record.line;
  int64_t line = 0;
  const auto field = static_cast<size_t>(line_field_);
  const std::string_view text = field < record.fields.size() ? record.fields[field].text : "";
  std::from_chars(text.data(), text.data() + text.size(), line);
  return line;
}

Fault RowAdapter::Read(const Record& record, Tally* tally) {
  RowDefects defects;
  fault_ = Fault::kNone;
  lineage_ = base_lineage_;
  line_ = LineOf(record);
  for (int column : {charge::kListCost, charge::kContractedCost, charge::kEffectiveCost,
                     charge::kBillingPeriodStart, charge::kBillingPeriodEnd}) {
    nulls_[static_cast<size_t>(column)] = 1;
  }
  Fault fault = CheckShape(record, &defects);
  if (fault == Fault::kNone) fault = ReadTyped(record, &defects);
  if (fault == Fault::kNone) fault = ReadCurrency(record, &defects);
  if (fault != Fault::kNone) {
    CountQuarantined(record, tally);
    return fault;
  }
  ReadTexts(record, &defects);
  FindContradictions(&defects);
  FillPeriods(&defects);
  FillCosts(&defects);
  FillNames(record, &defects);
  SetLineage(tally);
  auto indexes = signature::ChargeIndexes();
  for (size_t i = 0; i < indexes.size(); ++i) {
    std::string_view text = texts_[static_cast<size_t>(indexes[i])];
    if (text.data() == nullptr) {
      signature_values_[i].reset();
    } else {
      signature_values_[i] = text;
    }
  }
  signature_ = signature::IdOf(signature_values_);
  CountKept(defects, tally);
  return Fault::kNone;
}

void RowAdapter::Write(engine::ChunkWriter& out, int row) const {
  const std::vector<ColumnSpec>& columns = schema_.columns();
  for (int i = 0; i < static_cast<int>(live_.size()); ++i) {
    const auto column = static_cast<size_t>(live_[static_cast<size_t>(i)]);
    switch (columns[column].type) {
      case ColumnType::kMoney:
      case ColumnType::kQuantity:
        if (nulls_[column] != 0) {
          out.SetNull(i, row);
        } else {
          out.SetUnits(i, row, units_[column]);
        }
        break;
      case ColumnType::kInstant:
        if (nulls_[column] != 0) {
          out.SetNull(i, row);
        } else {
          out.SetInstant(i, row, Instant{static_cast<int64_t>(units_[column])});
        }
        break;
      case ColumnType::kText:
      case ColumnType::kJson:
        if (column == charge::kLineage) {
          out.SetText(i, row, lineage_text_);
        } else if (column == charge::kSourceFile) {
          out.SetText(i, row, source_file_);
        } else if (texts_[column].data() == nullptr) {
          out.SetNull(i, row);
        } else {
          out.SetText(i, row, texts_[column]);
        }
        break;
      case ColumnType::kInt64:
        out.SetInt64(i, row, line_);
        break;
      case ColumnType::kUint64:
        out.SetUint64(i, row, signature_);
        break;
    }
  }
}

}  // namespace flyball::ingest
