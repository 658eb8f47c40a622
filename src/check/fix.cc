#include "check/fix.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "check/batch.h"
#include "check/inputs.h"
#include "ingest/cells.h"
#include "ingest/feed.h"

namespace flyball::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kWriteBytes = 1u << 20;
constexpr size_t kShownBytes = 200;  // of an example in the log

std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kShownBytes));
  return ingest::RepairUtf8(shown);
}

// "1E+3" without its plus, and what PlainNumber repairs; empty when it stands for no number.
std::string PlainDigits(std::string_view text) {
  ParsedDecimal parsed;
  std::string plain(text);
  if (ParseDecimalFast(text, Quantity::scale(), &parsed) == DecimalFault::kNotANumber) {
    if (text.size() > ingest::kNumberMaxBytes) return {};
    std::string buffer(text.size() + 1, '\0');
    ingest::RowDefects defects;
    plain = ingest::PlainNumber(text, buffer.data(), &defects);
    if (plain.empty() ||
        ParseDecimalFast(plain, Quantity::scale(), &parsed) == DecimalFault::kNotANumber) {
      return {};
    }
  }
  std::erase(plain, '+');
  return plain;
}

FixedCell FixNumber(std::string_view text) {
  const std::string plain = PlainDigits(text);
  if (plain.empty() || plain == text) return {std::string(text)};
  return {plain, false, "number"};
}

FixedCell FixDate(std::string_view text) {
  ParsedInstant parsed;
  if (!ParseInstant(Trim(text), &parsed)) return {std::string(text)};
  if (parsed.form == TimeForm::kIso8601Utc && Trim(text).size() == text.size()) {
    return {std::string(text)};
  }
  return {FormatInstant(parsed.instant), false, "date"};
}

FixedCell FixText(const focus::Column* column, std::string_view text) {
  FixedCell cell{std::string(text)};
  if (!ingest::IsAscii(text) && ValidUtf8Prefix(text) != text.size()) {
    cell = {ingest::RepairUtf8(text), false, "utf8"};
  }
  if (column == nullptr) return cell;
  const std::string_view trimmed = Trim(cell.text);
  if (trimmed.empty()) return {{}, true, "blanks"};
  if (trimmed.size() != cell.text.size()) cell = {std::string(trimmed), false, "blanks"};
  for (std::string_view value : column->allowed) {
    if (value != cell.text && EqualsIgnoreCase(value, cell.text)) {
      return {std::string(value), false, "allowed-value"};
    }
  }
  if (CellTypeOf(*column) != CellType::kCurrency || IsNationalCurrency(cell.text)) return cell;
  const std::string upper = ToUpper(cell.text);
  if (IsNationalCurrency(upper)) return {upper, false, "currency"};
  return cell;
}

// A name as FOCUS spells it, or with x_ before it, that no other column has.
std::string FixName(const std::string& name, focus::DataSet data_set,
                    std::set<std::string>* taken) {
  const focus::Column* known = focus::FindColumn(data_set, name);
  std::string fixed = known != nullptr         ? std::string(known->name)
                      : name.starts_with("x_") ? name
                                               : "x_" + name;
  for (int n = 2; !taken->insert(ToLower(fixed)).second; ++n) {
    fixed = "x_" + name + std::to_string(n);
  }
  return fixed;
}

// A text that is empty is no null: it stands in quotes.
void AppendValue(std::string_view text, std::string* out) {
  if (text.empty()) out->append("\"\"");
  AppendCsvCell(text, out);
}

class Fixer {
 public:
  Fixer(const ingest::Input& input, focus::DataSet data_set, os::WritableFile* out)
      : input_(input), data_set_(data_set), out_(out) {}

  Result<FixReport> Run(ingest::Progress* progress) {
    WriteHeader();
    std::vector<ingest::Input> inputs{input_};
    ingest::BlockFeed feed(inputs, FB_TRY(ingest::WholeInputs(inputs)), kWriteBytes, progress, 0,
                           100);
    std::unique_ptr<ingest::RecordReader> records = ingest::MakeRecordReader(input_, false);
    ingest::Block block;
    size_t portion = 0;
    while (FB_TRY(feed.Next(&block, &portion))) {
      records->Start(&block);
      ingest::Record record;
      while (records->Next(&record)) {
        WriteRecord(record);
        if (buffer_.size() >= kWriteBytes) FB_CHECK(Flush());
      }
    }
    FB_CHECK(Flush());
    return Report();
  }

 private:
  Status Flush() {
    FB_CHECK(out_->Append(buffer_));
    buffer_.clear();
    return {};
  }

  void WriteHeader() {
    std::set<std::string> taken;
    const std::vector<std::string>& names = input_.field_names();
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string fixed = FixName(names[i], data_set_, &taken);
      if (fixed != names[i]) Note(i, "name", 1, names[i], fixed);
      columns_.push_back(focus::FindColumn(data_set_, names[i]));
      if (i > 0) buffer_.push_back(',');
      AppendValue(fixed, &buffer_);
    }
    buffer_.push_back('\n');
  }

  void WriteRecord(const ingest::Record& record) {
    size_t count = record.field_count;
    if (count == columns_.size() + 1 && record.fields.back().text.empty()) --count;
    if (record.fault != nullptr || count != columns_.size()) {
      ++report_.rows_left_out;
      Note(columns_.size(), "left-out", record.line, record.raw, "");
      return;
    }
    ++report_.rows;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) buffer_.push_back(',');
      const FixedCell cell = FixCell(columns_[i], record.fields[i]);
      if (cell.change != nullptr) {
        Note(i, cell.change, record.line, record.fields[i].text, cell.null ? "" : cell.text);
      }
      if (!cell.null) AppendValue(cell.text, &buffer_);
    }
    buffer_.push_back('\n');
  }

  void Note(size_t column, const char* change, int64_t line, std::string_view before,
            std::string_view after) {
    FixChange& noted = changes_[{column, change}];
    if (noted.cells++ == 0) {
      const std::vector<std::string>& names = input_.field_names();
      noted.column = column < names.size() ? names[column] : "";
      noted.change = change;
      noted.before = Shown(before);
      noted.after = Shown(after);
    }
    if (noted.lines.size() < kFirstRows) noted.lines.push_back(line);
  }

  FixReport Report() {
    for (auto& [key, change] : changes_) report_.changes.push_back(std::move(change));
    return std::move(report_);
  }

  const ingest::Input& input_;
  focus::DataSet data_set_;
  os::WritableFile* out_;
  std::vector<const focus::Column*> columns_;
  std::string buffer_;
  std::map<std::pair<size_t, std::string>, FixChange> changes_;
  FixReport report_;
};

std::string LogText(const FixReport& report) {
  std::string text;
  for (const FixChange& change : report.changes) {
    const Json json{{"column", change.column}, {"change", change.change}, {"cells", change.cells},
                    {"lines", change.lines},   {"before", change.before}, {"after", change.after}};
    text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text;
}

Result<FixReport> Write(const CheckOptions& options, const std::string& out, os::Files& files) {
  ingest::Progress opening(options.progress, 0);
  const OpenedFile opened = FB_TRY(OpenFile(options, options.files.front(), 0, &opening));
  const std::unique_ptr<os::WritableFile> file = FB_TRY(files.OpenAppend(out));
  ingest::Progress progress(options.progress, opened.input.content->size());
  Fixer fixer(opened.input, options.data_set.value_or(opened.detection.data_set), file.get());
  FixReport report = FB_TRY(fixer.Run(&progress));
  FB_CHECK(file->Sync());
  FB_CHECK(os::AtomicWrite(files, out + std::string(kFixLogEnd), LogText(report)));
  return report;
}

}  // namespace

int64_t FixReport::cells() const {
  int64_t cells = 0;
  for (const FixChange& change : changes) cells += change.cells;
  return cells;
}

FixedCell FixCell(const focus::Column* column, const ingest::Field& field) {
  ingest::RowDefects defects;
  if (ingest::IsNullCell(field, &defects)) {
    FixedCell cell;
    cell.null = true;
    // Of a column that FOCUS does not define nobody but its owner knows what "None" means.
    const bool text = !field.text.empty();
    if (column == nullptr && text) return {std::string(field.text)};
    if (defects.repairs != 0) cell.change = text ? "null-text" : "empty-text";
    return cell;
  }
  if (column == nullptr) return FixText(nullptr, field.text);
  switch (CellTypeOf(*column)) {
    case CellType::kMoney:
    case CellType::kQuantity:
      return FixNumber(field.text);
    case CellType::kInstant:
      return FixDate(field.text);
    case CellType::kJson:
    case CellType::kSkuDetails:
      return FixText(nullptr, field.text);
    case CellType::kText:
    case CellType::kCustom:
    case CellType::kUnit:
    case CellType::kCurrency:
      break;
  }
  return FixText(column, field.text);
}

Result<FixReport> FixFile(const CheckOptions& options, const std::string& out, os::Files& files) {
  if (options.files.size() != 1) {
    return Fail(Code::kInvalidArgument, "--fix repairs one file", "name one file at a time");
  }
  const std::string log = out + std::string(kFixLogEnd);
  for (const std::string& path : {out, log}) {
    if (!files.Exists(path)) continue;
    return Fail(Code::kAlreadyExists, "'" + path + "' is there already", "name a new file");
  }
  Result<FixReport> report = Write(options, out, files);
  if (report) return report;
  (void)files.Remove(out);  // what failed first is what is told
  (void)files.Remove(log);
  return report;
}

}  // namespace flyball::check
