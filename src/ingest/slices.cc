#include "ingest/slices.h"

#include <fmt/format.h>

#include <iterator>

#include "ingest/source.h"
#include "ledger/slice_writer.h"
#include "model/charge.h"

namespace flyball::ingest {
namespace {

using engine::QuoteIdentifier;
using engine::QuoteLiteral;

constexpr int kSliceIdTriesMax = 1'000'000;

std::string SqlType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
    case ColumnType::kJson:
      return "VARCHAR";
    case ColumnType::kMoney:
      return "DECIMAL(38,12)";
    case ColumnType::kQuantity:
      return "DECIMAL(38,15)";
    case ColumnType::kInstant:
      return "TIMESTAMP";
    case ColumnType::kInt64:
      return "BIGINT";
    case ColumnType::kUint64:
      return "UBIGINT";
  }
  return "VARCHAR";
}

std::string MonthName(int64_t month_us) {
  CivilDate date = ToCivilDate({month_us});
  return fmt::format("{:04}-{:02}", date.year, date.month);
}

}  // namespace

std::vector<int> LiveColumns(const Schema& schema, const std::vector<Input>& inputs) {
  std::vector<bool> live(schema.size(), false);
  for (std::string_view name :
       {"BilledCost", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ContractedCost",
        "EffectiveCost", "ListCost", "HostProviderName", "ServiceProviderName", "InvoiceIssuerName",
        "ServiceSubcategory", "x_Lineage", "x_SourceLine", "x_Signature"}) {
    live[static_cast<size_t>(charge::IndexOf(name))] = true;
  }
  // The name of a single file is a constant.
  live[charge::kSourceFile] = inputs.size() > 1;
  for (const Input& input : inputs) {
    std::vector<int> field_of = input.plan.FieldOf(schema);
    for (size_t i = 0; i < field_of.size(); ++i) live[i] = live[i] || field_of[i] >= 0;
  }
  std::vector<int> columns;
  for (size_t i = 0; i < live.size(); ++i) {
    if (live[i]) columns.push_back(static_cast<int>(i));
  }
  return columns;
}

SliceStage::SliceStage(Settings settings, const std::vector<Input>& inputs, const Schema& schema,
                       engine::Connection* connection, engine::Connection* deriver,
                       os::Files& files, Quarantine* quarantine)
    : settings_(std::move(settings)),
      inputs_(inputs),
      schema_(schema),
      live_(LiveColumns(schema, inputs)),
      connection_(connection),
      deriver_(deriver),
      files_(files),
      quarantine_(quarantine) {}

std::string SliceStage::Select(const std::string& source) const {
  std::string list;
  size_t next = 0;
  for (size_t i = 0; i < schema_.size(); ++i) {
    const ColumnSpec& column = schema_.columns()[i];
    if (!list.empty()) list += ", ";
    if (next < live_.size() && live_[next] == static_cast<int>(i)) {
      list += QuoteIdentifier(column.name);
      ++next;
      continue;
    }
    bool file_name = i == charge::kSourceFile;
    list += (file_name ? QuoteLiteral(SourceFileName(inputs_.front()))
                       : "NULL::" + SqlType(column.type)) +
            " AS " + QuoteIdentifier(column.name);
  }
  return "SELECT " + list + " FROM " + source + "()";
}

// An id that no slice of this home has: the same content may have been imported, replaced and come
// back.
Result<std::string> SliceStage::FreeSliceId(const std::string& period) {
  std::string slices =
      os::JoinPath(os::JoinPath(os::JoinPath(settings_.home, "slices"), settings_.source), period);
  std::string quarantine = os::JoinPath(settings_.home, "quarantine");
  for (int tries = 0; tries < kSliceIdTriesMax; ++tries) {
    std::string id = fmt::format("{}-{}", settings_.content_hash.substr(0, 16), ++last_number_);
    bool used = files_.Exists(os::JoinPath(slices, id)) ||
                files_.Exists(os::JoinPath(quarantine, id + ".jsonl"));
    if (!used) return id;
  }
  return Fail(Code::kResourceExhausted, "no free slice id was found");
}

Status SliceStage::Derive(ledger::Slice* slice, const std::string& dir) {
  ledger::SliceTotals totals = FB_TRY(ledger::WriteSliceDerived(*deriver_, dir));
  if (totals.rows != slice->rows || totals.billed_by_currency != slice->billed_by_currency) {
    return Fail(Code::kInternal,
                fmt::format("the rollup of {} has {} rows where {} were written, or other sums",
                            slice->period, totals.rows, slice->rows),
                "nothing was imported; report this with the file");
  }
  slice->files = FB_TRY(ledger::DescribeSliceFiles(*deriver_, files_, dir));
  return {};
}

Status SliceStage::WaitForDerived() { return deriving_.valid() ? deriving_.get() : Status{}; }

Result<std::vector<ledger::Slice>> SliceStage::TakeSlices() {
  FB_CHECK(WaitForDerived());
  return std::vector<ledger::Slice>(std::make_move_iterator(slices_.begin()),
                                    std::make_move_iterator(slices_.end()));
}

Result<Tally> SliceStage::WriteMonth(int64_t month_us, std::unique_ptr<BlockFeed> feed) {
  ledger::Slice slice;
  slice.period = MonthName(month_us);
  slice.id = FB_TRY(FreeSliceId(slice.period));
  slice.source = settings_.source;
  const std::string dir = os::JoinPath(settings_.dir, slice.id);
  FB_CHECK(files_.MakeDirs(dir));

  const Budget& budget = settings_.budget;
  const std::string name = fmt::format("flyball_import_{}", ++months_);
  std::vector<ColumnSpec> columns;
  for (int column : live_) columns.push_back(schema_.columns()[static_cast<size_t>(column)]);
  auto source = std::make_shared<ImportSource>(inputs_, schema_, live_, budget.threads,
                                               std::move(feed), quarantine_);
  FB_CHECK(connection_->RegisterSource(name, columns, source, budget.threads));
  FB_CHECK(connection_->Execute(fmt::format(
      "COPY ({}) TO {} (FORMAT PARQUET, PARQUET_VERSION V1, COMPRESSION SNAPPY, "
      "ROW_GROUP_SIZE {})",
      Select(name), QuoteLiteral(os::JoinPath(dir, "part-0.parquet")), budget.row_group_rows)));
  Tally tally = source->TakeTally();
  if (tally.rows_kept == 0) {
    FB_CHECK(files_.RemoveTree(dir));
    return tally;
  }
  for (const auto& [key, sum] : tally.kept) {
    if (key.first != month_us) {
      return Fail(Code::kInternal, "a row fell into another billing period than the first look saw",
                  "nothing was imported; report this with the file");
    }
    slice.rows += sum.rows;
    slice.billed_by_currency[key.second] = Money::FromUnits(sum.billed);
  }
  FB_CHECK(WaitForDerived());
  ledger::Slice* written = &slices_.emplace_back(std::move(slice));
  if (!budget.derive_beside) {
    FB_CHECK(Derive(written, dir));
    return tally;
  }
  deriving_ = std::async(std::launch::async, [this, written, dir] { return Derive(written, dir); });
  return tally;
}

}  // namespace flyball::ingest
