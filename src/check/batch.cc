#include "check/batch.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace flyball::check {
namespace {

constexpr size_t kMemoMaxBytes = 512;  // of a text that is compared with the row before

bool EndsWith(std::string_view name, std::string_view end) { return name.ends_with(end); }

}  // namespace

CellType CellTypeOf(const focus::Column& column) {
  switch (column.type) {
    case ColumnType::kMoney:
      return CellType::kMoney;
    case ColumnType::kQuantity:
      return CellType::kQuantity;
    case ColumnType::kInstant:
      return CellType::kInstant;
    case ColumnType::kJson:
      return column.name == "SkuPriceDetails" ? CellType::kSkuDetails : CellType::kJson;
    case ColumnType::kText:
    case ColumnType::kInt64:
    case ColumnType::kUint64:
      break;
  }
  if (EndsWith(column.name, "Currency")) return CellType::kCurrency;
  return EndsWith(column.name, "Unit") ? CellType::kUnit : CellType::kText;
}

int Layout::Find(std::string_view name) const {
  auto found = std::ranges::find(columns_, name, &ColumnPlan::name);
  return found == columns_.end() ? -1 : static_cast<int>(found - columns_.begin());
}

int Layout::Take(std::string_view name) {
  const focus::Column* known = focus::FindColumn(data_set_, name);
  ColumnPlan plan;
  plan.name = known != nullptr ? known->name : name;
  plan.type = CellType::kCustom;
  if (int found = Find(plan.name); found >= 0) return found;
  if (known != nullptr) {
    plan.type = CellTypeOf(*known);
    plan.focus = true;
  }
  columns_.push_back(std::move(plan));
  return static_cast<int>(columns_.size()) - 1;
}

Result<uint16_t> Layout::Literal(int column, std::string_view text) {
  std::vector<std::string>& literals = columns_[static_cast<size_t>(column)].literals;
  auto found = std::ranges::find(literals, text);
  if (found != literals.end()) return static_cast<uint16_t>(found - literals.begin() + 1);
  if (literals.size() >= kLiteralsMax) {
    return Fail(Code::kInvalidArgument,
                "the rules name more than " + std::to_string(kLiteralsMax) + " values of '" +
                    columns_[static_cast<size_t>(column)].name + "'",
                "check with fewer rules");
  }
  literals.emplace_back(text);
  return static_cast<uint16_t>(literals.size());
}

BatchReader::BatchReader(const Layout& layout) : layout_(layout) {
  const size_t count = layout.columns().size();
  batch_.line.resize(kBatchRows);
  batch_.columns.resize(count);
  memos_.resize(count);
  json_.resize(count);
  codes_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const ColumnPlan& plan = layout.columns()[i];
    ColumnBatch& column = batch_.columns[i];
    column.facts.resize(kBatchRows);
    const bool typed = plan.is_number() || plan.type == CellType::kInstant;
    if (typed) column.units.resize(kBatchRows);
    if (!plan.literals.empty()) column.code.resize(kBatchRows);
    if (plan.keep_text) column.text.resize(kBatchRows);
    if (plan.keep_hash) column.hash.resize(kBatchRows);
    for (size_t k = 0; k < plan.literals.size(); ++k) {
      codes_[i].emplace(plan.literals[k], static_cast<uint16_t>(k + 1));
    }
  }
}

void BatchReader::StartFile(int file, std::vector<int> column_of) {
  batch_.file = file;
  column_of_ = std::move(column_of);
  present_.assign(layout_.columns().size(), false);
  for (int column : column_of_) {
    if (column >= 0) present_[static_cast<size_t>(column)] = true;
  }
  for (size_t i = 0; i < present_.size(); ++i) {
    if (present_[i]) continue;
    ColumnBatch& column = batch_.columns[i];
    std::ranges::fill(column.facts, fact::kNull);
    std::ranges::fill(column.code, uint16_t{0});
    std::ranges::fill(column.units, int128{0});
    std::ranges::fill(column.text, std::string_view());
    std::ranges::fill(column.hash, uint64_t{0});
  }
}

std::string_view BatchReader::Keep(std::string_view text, const ingest::Block& block) {
  const char* begin = block.bytes.data();
  if (text.empty() || (text.data() >= begin && text.data() < begin + block.size)) return text;
  return kept_.emplace_back(text);
}

void BatchReader::ReadField(int index, const ingest::Field& field, int row,
                            const ingest::Block& block) {
  const auto i = static_cast<size_t>(index);
  const auto at = static_cast<size_t>(row);
  const ColumnPlan& plan = layout_.columns()[i];
  ColumnBatch& column = batch_.columns[i];
  Memo& memo = memos_[i];
  const bool same =
      memo.any && memo.text == field.text && memo.quoted == (field.quoted && !field.null);
  if (!same) {
    memo.cell = ReadCell(plan.type, field, &json_[i]);
    memo.code = 0;
    const bool null = (memo.cell.facts & fact::kNull) != 0;
    if (!null && !codes_[i].empty()) {
      auto found = codes_[i].find(field.text);
      if (found != codes_[i].end()) memo.code = found->second;
    }
    if (plan.keep_hash) {
      // By what it means, however it is written.
      static_assert(fact::kNoNumber == fact::kNoDate);
      const bool typed = !column.units.empty() && (memo.cell.facts & fact::kNoNumber) == 0;
      memo.hash =
          null ? 0
          : typed
              ? Hash64({reinterpret_cast<const char*>(&memo.cell.units), sizeof(memo.cell.units)})
              : Hash64(field.text);
      if (!null && memo.hash == 0) memo.hash = 1;
    }
    memo.any = field.text.size() <= kMemoMaxBytes;
    if (memo.any) memo.text.assign(field.text);
    memo.quoted = field.quoted && !field.null;
  }
  column.facts[at] = memo.cell.facts;
  if (!column.units.empty()) column.units[at] = memo.cell.units;
  if (!column.code.empty()) column.code[at] = memo.code;
  if (!column.hash.empty()) column.hash[at] = memo.hash;
  if (!column.text.empty()) {
    column.text[at] =
        (memo.cell.facts & fact::kNull) != 0 ? std::string_view() : Keep(field.text, block);
  }
}

bool BatchReader::Fill(ingest::RecordReader& records, const ingest::Block& block) {
  kept_.clear();
  batch_.rows = 0;
  bool any = false;
  while (batch_.rows < kBatchRows && records.Next(&record_)) {
    any = true;
    const size_t wanted = column_of_.size();
    size_t count = record_.field_count;
    // A delimiter at the end of the line makes one empty field too many, which says nothing.
    if (count == wanted + 1 && record_.fields.back().text.empty()) --count;
    if (record_.fault != nullptr || count != wanted) {
      unreadable_.push_back(record_.line);
      continue;
    }
    const int row = batch_.rows++;
    batch_.line[static_cast<size_t>(row)] = record_.line;
    for (size_t i = 0; i < wanted; ++i) {
      if (column_of_[i] >= 0) ReadField(column_of_[i], record_.fields[i], row, block);
    }
  }
  return any;
}

std::vector<int64_t> BatchReader::TakeUnreadable() {
  std::vector<int64_t> taken;
  taken.swap(unreadable_);
  return taken;
}

}  // namespace flyball::check
