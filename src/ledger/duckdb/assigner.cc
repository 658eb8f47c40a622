#include "ledger/duckdb/assigner.h"

#include <atomic>

#include "ledger/duckdb/schema.h"
#include "model/dimension.h"
#include "model/signature.h"

namespace flyball::ledger {
namespace {

constexpr char kSourceName[] = "assigned_page";
// Signatures in memory at a time: about 60 texts each.
constexpr int64_t kPageSignatures = 16'384;
// Of one Fill; small, so that all threads get work.
constexpr int64_t kBatch = 512;

std::vector<ColumnSpec> AssignedColumns() {
  std::vector<ColumnSpec> columns = {{"n", ColumnType::kInt64}, {"id", ColumnType::kUint64}};
  for (const auto& each : dimension::RuleDimensions()) {
    columns.push_back({std::string(each.name), ColumnType::kText});
  }
  return columns;
}

}  // namespace

class Assigner::Source : public engine::RowSource {
 public:
  // Set while no statement reads. Texts are looked up here once, because an Answer belongs to one
  // thread.
  void Load(const engine::Answer& page, const estate::RuleSet& rules) {
    rules_ = &rules;
    numbers_.clear();
    ids_.clear();
    values_.clear();
    const int columns = page.column_count() - 2;
    for (int64_t row = 0; row < page.row_count(); ++row) {
      numbers_.push_back(page.Int64(row, 0));
      ids_.push_back(page.Uint64(row, 1));
      signature::Values& values = values_.emplace_back(static_cast<size_t>(columns));
      for (int c = 0; c < columns; ++c) {
        if (!page.IsNull(row, c + 2)) values[static_cast<size_t>(c)] = page.Text(row, c + 2);
      }
    }
    next_.store(0);
  }

  Result<int> Fill(int, engine::ChunkWriter& out) override {
    const auto total = static_cast<int64_t>(ids_.size());
    const int64_t first = next_.fetch_add(kBatch);
    const int64_t end = std::min(first + kBatch, total);
    int row = 0;
    for (int64_t i = first; i < end; ++i, ++row) {
      dimension::Assigned assigned = rules_->Assign(values_[static_cast<size_t>(i)]);
      out.SetInt64(0, row, numbers_[static_cast<size_t>(i)]);
      out.SetUint64(1, row, ids_[static_cast<size_t>(i)]);
      for (int d = 0; d < dimension::kRuleDimensionCount; ++d) {
        const std::optional<std::string>& value = assigned[static_cast<size_t>(d)];
        if (value) {
          out.SetText(d + 2, row, *value);
        } else {
          out.SetNull(d + 2, row);
        }
      }
    }
    return row;
  }

 private:
  const estate::RuleSet* rules_ = nullptr;
  std::vector<int64_t> numbers_;
  std::vector<uint64_t> ids_;
  std::vector<signature::Values> values_;
  std::atomic<int64_t> next_{0};
};

Assigner::Assigner(std::shared_ptr<Source> source) : source_(std::move(source)) {}
Assigner::~Assigner() = default;

Result<std::unique_ptr<Assigner>> Assigner::Make(engine::Connection& connection, int threads) {
  auto source = std::make_shared<Source>();
  FB_CHECK(connection.RegisterSource(kSourceName, AssignedColumns(), source, threads));
  return std::unique_ptr<Assigner>(new Assigner(std::move(source)));
}

Status Assigner::Fill(engine::Connection& connection, const std::string& table, int64_t after_n,
                      const estate::RuleSet& rules) {
  std::lock_guard lock(mutex_);
  engine::Answer last = FB_TRY(connection.Query("SELECT coalesce(max(n), 0) FROM signature"));
  for (int64_t n = after_n; n < last.Int64(0, 0); n += kPageSignatures) {
    engine::Answer page = FB_TRY(connection.Query(
        "SELECT n, id, " + SignatureColumnList() + " FROM signature WHERE n > $1 AND n <= $2",
        {n, n + kPageSignatures}));
    source_->Load(page, rules);
    FB_CHECK(connection.Execute("INSERT INTO " + table + " SELECT * FROM " + kSourceName + "()"));
  }
  return {};
}

}  // namespace flyball::ledger
