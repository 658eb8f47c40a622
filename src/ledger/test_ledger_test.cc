#include "ledger/test_ledger.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"
#include "engine/engine.h"
#include "ledger/slice_writer.h"
#include "model/charge.h"
#include "model/signature.h"

namespace flyball::ledger {
namespace {

std::string TagsJson(const std::map<std::string, std::string>& tags) {
  std::string json = "{";
  for (const auto& [key, value] : tags) {
    if (json.size() > 1) json += ",";
    AppendJsonString(key, &json);
    json += ":";
    AppendJsonString(value, &json);
  }
  return json + "}";
}

std::map<std::string, std::optional<std::string>> TextsOf(const NaiveCharge& charge) {
  std::map<std::string, std::optional<std::string>> texts = charge.columns;
  if (!charge.tags.empty()) texts["Tags"] = TagsJson(charge.tags);
  return texts;
}

signature::Values SignatureOf(const std::map<std::string, std::optional<std::string>>& texts) {
  signature::Values values;
  for (std::string_view column : signature::Columns()) {
    auto found = texts.find(std::string(column));
    if (found != texts.end() && found->second) {
      values.emplace_back(*found->second);
    } else {
      values.emplace_back(std::nullopt);
    }
  }
  return values;
}

class ChargeSource : public engine::RowSource {
 public:
  ChargeSource(std::vector<const NaiveCharge*> charges, std::vector<ColumnSpec> columns)
      : charges_(std::move(charges)), columns_(std::move(columns)) {}

  Result<int> Fill(int, engine::ChunkWriter& out) override {
    int row = 0;
    for (; row < engine::kChunkRows && next_ < charges_.size(); ++row, ++next_) {
      Write(*charges_[next_], row, out);
    }
    return row;
  }

 private:
  void Write(const NaiveCharge& charge, int row, engine::ChunkWriter& out) {
    auto texts = TextsOf(charge);
    for (int c = 0; c < static_cast<int>(columns_.size()); ++c) {
      const ColumnSpec& column = columns_[static_cast<size_t>(c)];
      switch (column.type) {
        case ColumnType::kText:
        case ColumnType::kJson: {
          auto found = texts.find(column.name);
          if (found != texts.end() && found->second) {
            out.SetText(c, row, *found->second);
          } else {
            out.SetNull(c, row);
          }
          break;
        }
        case ColumnType::kMoney:
        case ColumnType::kQuantity:
          WriteMeasure(charge, column.name, c, row, out);
          break;
        case ColumnType::kInstant:
          WriteTime(charge, column.name, c, row, out);
          break;
        case ColumnType::kInt64:
          out.SetInt64(c, row, static_cast<int64_t>(next_) + 2);
          break;
        case ColumnType::kUint64:
          out.SetUint64(c, row, signature::IdOf(SignatureOf(texts)));
          break;
      }
    }
  }
  static void WriteMeasure(const NaiveCharge& charge, const std::string& name, int c, int row,
                           engine::ChunkWriter& out) {
    for (const charge::MeasureColumn& measure : charge::Measures()) {
      auto found = charge.measures.find(std::string(measure.measure));
      if (measure.column != name || found == charge.measures.end()) continue;
      out.SetUnits(c, row, found->second);
      return;
    }
    out.SetNull(c, row);
  }
  static void WriteTime(const NaiveCharge& charge, const std::string& name, int c, int row,
                        engine::ChunkWriter& out) {
    Instant month = FloorMonth(charge.start);
    if (name == "ChargePeriodStart") {
      out.SetInstant(c, row, charge.start);
    } else if (name == "ChargePeriodEnd") {
      out.SetInstant(c, row, {charge.start.us + kMicrosPerHour});
    } else {
      out.SetInstant(c, row, name == "BillingPeriodStart" ? month : AddMonths(month, 1));
    }
  }

  const std::vector<const NaiveCharge*> charges_;
  const std::vector<ColumnSpec> columns_;
  size_t next_ = 0;
};

template <typename T>
T Must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().ToString();
    FB_ASSERT(result.has_value());
  }
  return std::move(result).value();
}
void Must(Status status) {
  if (!status) {
    ADD_FAILURE() << status.error().ToString();
    FB_ASSERT(status.has_value());
  }
}

// The charges of one slice in `parts` files, and what is derived from them.
Slice WriteSlice(engine::Connection& connection, os::Files& files, const std::string& dir,
                 const std::vector<const NaiveCharge*>& charges, int parts,
                 const std::vector<ColumnSpec>& columns) {
  static int next_source = 0;
  Must(files.MakeDirs(dir));
  for (int part = 0; part < parts; ++part) {
    std::vector<const NaiveCharge*> of_part;
    for (size_t i = static_cast<size_t>(part); i < charges.size();
         i += static_cast<size_t>(parts)) {
      of_part.push_back(charges[i]);
    }
    if (of_part.empty()) continue;
    std::string name = "charges_" + std::to_string(next_source++);
    Must(connection.RegisterSource(name, columns, std::make_shared<ChargeSource>(of_part, columns),
                                   1));
    Must(connection.Execute("COPY (SELECT * FROM " + name + "()) TO " +
                            engine::QuoteLiteral(fmt::format("{}/part-{:04}.parquet", dir, part)) +
                            " (" + kParquetOptions + ")"));
  }
  Slice slice;
  SliceTotals totals = Must(WriteSliceDerived(connection, dir));
  slice.rows = totals.rows;
  slice.billed_by_currency = totals.billed_by_currency;
  slice.files = Must(DescribeSliceFiles(connection, files, dir));
  return slice;
}

}  // namespace

TestHome::TestHome() : files_(os::MakeRealFiles()), clock_(ToInstant({2026, 11, 23})) {
  std::string pattern = (std::filesystem::temp_directory_path() / "ledger-XXXXXX").string();
  root_ = mkdtemp(pattern.data());
  home_ = root_ + "/home";
}

TestHome::~TestHome() { std::filesystem::remove_all(root_); }

std::unique_ptr<Ledger> TestHome::Open() {
  LedgerOptions options;
  options.home = home_;
  options.memory_bytes = 512u << 20;
  options.threads = 2;
  return Must(Ledger::Open(options, *files_, clock_));
}

StagedImport TestHome::Stage(const std::string& source, const std::vector<NaiveCharge>& charges,
                             int parts, const std::vector<std::string>& extra_columns) {
  StagedImport staged;
  staged.source = source;
  staged.author = "test";
  staged.staging_dir = Must(MakeStagingDir(*files_, home_));
  engine::DatabaseOptions options;
  options.allowed_dirs = {home_};
  options.temp_dir = home_ + "/tmp/spill";
  options.threads = 2;
  engine::Database database = Must(engine::Database::Open(options));
  engine::Connection connection = Must(database.Connect());
  std::vector<ColumnSpec> columns(charge::Columns().begin(), charge::Columns().end());
  for (const std::string& extra : extra_columns) columns.push_back({extra, ColumnType::kText});

  std::map<std::string, std::vector<const NaiveCharge*>> by_period;
  for (const NaiveCharge& charge : charges) {
    by_period[FormatDate(FloorMonth(charge.start)).substr(0, 7)].push_back(&charge);
  }
  std::string content = source + std::to_string(staged_++);
  staged.content_hash = Sha256Hex(content);
  for (const auto& [period, of_period] : by_period) {
    std::string id = fmt::format("{}-{}", staged.content_hash.substr(0, 16), staged.slices.size());
    Slice slice =
        WriteSlice(connection, *files_, staged.staging_dir + "/" + id, of_period, parts, columns);
    slice.id = id;
    slice.source = source;
    slice.period = period;
    staged.facts.rows_kept += slice.rows;
    staged.slices.push_back(std::move(slice));
  }
  staged.facts.focus_version = "1.4";
  staged.facts.rows_in = staged.facts.rows_kept;
  return staged;
}

void TestHome::Assign(const estate::RuleSet& rules, std::vector<NaiveCharge>* charges) {
  for (NaiveCharge& charge : *charges) {
    auto texts = TextsOf(charge);
    charge.assigned = rules.Assign(SignatureOf(texts));
  }
}

NaiveCharge MakeCharge(Instant start, const std::string& service, int128 billed_units,
                       const std::string& currency) {
  NaiveCharge charge;
  charge.start = start;
  charge.columns = {{"ServiceName", service},
                    {"ServiceProviderName", "AWS"},
                    {"BillingCurrency", currency},
                    {"BillingAccountId", "acct-1"},
                    {"ChargeCategory", "Usage"}};
  charge.measures = {{"billed_cost", billed_units}, {"effective_cost", billed_units}};
  return charge;
}

}  // namespace flyball::ledger
