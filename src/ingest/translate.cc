#include "ingest/translate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/text.h"
#include "ingest/cells.h"
#include "ingest/native/json_text.h"
#include "ingest/records.h"
#include "os/files.h"

namespace flyball::ingest {
namespace {

using native::Draft;

std::unexpected<Error> At(const Input& input, std::string message, std::string hint) {
  return Fail(Error{
      Code::kInvalidArgument, std::move(message), std::move(hint), {input.file->path(), 1, 0, 0}});
}

// A file of staging, written piece by piece.
class TextFile {
 public:
  explicit TextFile(const std::string& path) : path_(path), out_(path, std::ios::binary) {}
  Status Write(std::string_view text) {
    out_.write(text.data(), static_cast<std::streamsize>(text.size()));
    return out_ ? Status() : Broken();
  }
  Status Close() {
    out_.close();
    return out_ ? Status() : Broken();
  }

 private:
  std::unexpected<Error> Broken() const {
    return Fail(Code::kUnavailable, "cannot write '" + path_ + "'", "is the disk full?");
  }
  std::string path_;
  std::ofstream out_;
};

// The cells of a record that can be read; false when it cannot.
bool CellsOf(const Record& record, size_t columns, std::vector<std::string_view>* cells) {
  if (record.fault != nullptr || record.fields.size() < columns) return false;
  for (size_t i = columns; i < record.fields.size(); ++i) {
    if (!record.fields[i].text.empty()) return false;
  }
  cells->clear();
  RowDefects ignored;
  for (size_t i = 0; i < columns; ++i) {
    const Field& field = record.fields[i];
    cells->push_back(IsNullCell(field, &ignored) ? std::string_view() : field.text);
  }
  return true;
}

// Which of the vendor's columns are kept as they are, and under which names.
struct Extra {
  size_t column;
  std::string name;
};
std::vector<Extra> ExtrasOf(const native::Format& format, const native::Header& header) {
  // What a FOCUS cell takes over first; its other sources are kept, as they may say something else.
  std::set<std::string, std::less<>> used(format.costs.begin(), format.costs.end());
  for (const native::Rule& rule : format.rules) {
    if (!rule.constant) used.emplace(rule.from[0]);
  }
  for (const auto& [key, from] : format.tags) used.emplace(from);
  std::set<std::string> names;
  for (std::string_view column : charge::kColumnNames) names.insert(ToLower(column));
  std::vector<Extra> extras;
  for (size_t i = 0; i < header.size(); ++i) {
    if (used.contains(header.spelt(i))) continue;
    std::string plain = header.spelt(i);
    for (char& c : plain) {
      const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!word && c != '_') c = '_';
    }
    std::string name = "x_" + plain;
    for (int n = 2; !names.insert(ToLower(name)).second; ++n) {
      name = fmt::format("x_source{}_{}", n == 2 ? "" : std::to_string(n), plain);
    }
    extras.push_back({i, std::move(name)});
  }
  return extras;
}

// Writes one input as FOCUS CSV.
class Translation {
 public:
  Translation(const native::Format& format, const native::Context& context, const Input& input)
      : format_(format),
        context_(context),
        header_(input.field_names(), format.spell),
        columns_(native::ColumnsOf(format)),
        extras_(ExtrasOf(format, header_)) {}

  std::string HeaderLine() const {
    std::string line(charge::kColumnNames[charge::kSourceLine]);
    for (int column : columns_)
      line.append(",").append(charge::kColumnNames[static_cast<size_t>(column)]);
    for (const Extra& extra : extras_) line += "," + extra.name;
    return line + "\n";
  }

  void Append(const Record& record, std::string* out) {
    if (!CellsOf(record, header_.size(), &cells_)) {
      // Too short a row on purpose: the adapter refuses it, and the quarantine keeps its text.
      *out += std::to_string(record.line) + ",";
      AppendQuoted(RepairUtf8(record.raw), out);
      *out += '\n';
      return;
    }
    const native::Row row(header_, cells_);
    for (const Draft& draft : native::Translate(format_, row, context_)) {
      *out += std::to_string(record.line);
      for (int column : columns_) AppendCell(draft[column], out);
      for (const Extra& extra : extras_) AppendCell(cells_[extra.column], out);
      *out += '\n';
    }
  }

 private:
  static void AppendQuoted(std::string_view text, std::string* out) {
    *out += '"';
    for (char c : text) {
      if (c == '"') *out += '"';
      *out += c;
    }
    *out += '"';
  }
  static void AppendCell(std::string_view text, std::string* out) {
    *out += ',';
    AppendCsvCell(text, out);
  }

  const native::Format& format_;
  native::Context context_;
  native::Header header_;
  std::vector<int> columns_;
  std::vector<Extra> extras_;
  std::vector<std::string_view> cells_;
};

// The format as its records tell it, where the header alone does not; null when none of them does.
Result<const native::Format*> Refined(const native::Format* format,
                                      const std::vector<Input>& inputs, size_t index,
                                      size_t block_bytes, Progress* progress) {
  if (format->refine == nullptr) return format;
  const native::Header header(inputs[index].field_names(), format->spell);
  Records records = FB_TRY(Records::Open(inputs, index, block_bytes, progress));
  std::vector<std::string_view> cells;
  for (;;) {
    const Record* record = FB_TRY(records.Next());
    if (record == nullptr) return nullptr;
    if (!CellsOf(*record, header.size(), &cells)) continue;
    if (const native::Format* told = format->refine(native::Row(header, cells))) return told;
  }
}

Status CheckColumns(const native::Format& format, const Input& input) {
  const native::Header header(input.field_names(), format.spell);
  const std::vector<std::string_view> missing = native::MissingColumns(format, header);
  if (missing.empty()) return {};
  return At(input,
            fmt::format("the file lacks columns of {} ({}): {}", format.name, format.title,
                        fmt::join(missing, ", ")),
            "leave --format out to have it detected, or export the bill with these columns: " +
                std::string(format.page));
}

// A column that counts may stand once only.
Status CheckTwice(const native::Format& format, const Input& input) {
  const native::Header header(input.field_names(), format.spell);
  std::set<std::string, std::less<>> counted(format.needs.begin(), format.needs.end());
  for (std::string_view costs : format.costs) {
    for (std::string_view name : SplitText(costs, '|')) {
      counted.emplace(name.substr(0, name.find('[')));
    }
  }
  for (const native::Rule& rule : format.rules) {
    if (!rule.constant) counted.insert(rule.from.begin(), rule.from.end());
  }
  for (const std::string& name : header.twice()) {
    if (!counted.contains(name)) continue;
    return At(input, fmt::format("the header has the column {} twice", name), "remove one of them");
  }
  return {};
}

// Azure's two kinds of files are alike where no charge of a commitment tells them apart; then a
// file's name may.
Result<const native::Format*> KindOfAzure(const native::Format* told, const Input& input) {
  if (told != nullptr) return told;
  const std::string path = ToLower(input.file->path());
  const bool amortised = path.find("amorti") != std::string::npos;
  if (amortised) return native::FindFormat("azure-amortised");
  return path.find("actual") != std::string::npos ? native::FindFormat("azure-cost") : nullptr;
}

// Both files of a month state what is no commitment's; one of them is taken, and must say the same.
Status CheckPair(const native::Context::Pair& pair, const std::vector<Input>& inputs) {
  const Input& input = inputs.front();
  std::set<std::pair<std::string, std::string>> keys;
  for (const auto& [key, sum] : pair.actual) keys.insert(key);
  for (const auto& [key, sum] : pair.amortised) keys.insert(key);
  for (const auto& key : keys) {
    const auto sum_of = [&](const auto& side) {
      const auto found = side.find(key);
      return found == side.end() ? RawDecimalSum() : found->second;
    };
    const RawDecimalSum actual = sum_of(pair.actual), amortised = sum_of(pair.amortised);
    if (actual == amortised) continue;
    return At(input,
              fmt::format("what is no commitment's costs {} {} in the actual file and {} in the "
                          "amortised one, in the billing period that begins {}",
                          actual.ToString(), key.second, amortised.ToString(), key.first),
              "import the actual and the amortised file of the same months, whole");
  }
  return {};
}

// Two files of Azure that nothing tells apart and that cost the same to the last digit are the
// actual and the amortised costs of a month without commitments.
Status CheckUndecided(const std::vector<Input*>& undecided) {
  for (size_t i = 0; i < undecided.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const RawFacts &one = undecided[j]->facts, &other = undecided[i]->facts;
      if (one.billed.IsZero() || !(one.billed == other.billed)) continue;
      return At(*undecided[i],
                fmt::format("the file costs the same as '{}': they look like the amortised and the "
                            "actual costs of one month",
                            undecided[j]->file->path()),
                "import one of them, or let 'actual' and 'amortised' be in their paths");
    }
  }
  return {};
}

Status TranslateInput(const TranslateOptions& options, const native::Context& context,
                      std::vector<Input>* inputs, size_t index, Progress* progress) {
  Input& input = (*inputs)[index];
  const std::string path = os::JoinPath(options.dir, fmt::format("native-{}.csv", index + 1));
  Translation translation(*input.native, context, input);
  Records records = FB_TRY(Records::Open(*inputs, index, options.block_bytes, progress));
  TextFile file(path);
  std::string text = translation.HeaderLine();
  for (;;) {
    const Record* record = FB_TRY(records.Next());
    if (record != nullptr) translation.Append(*record, &text);
    if (record == nullptr || text.size() >= options.block_bytes) {
      FB_CHECK(file.Write(text));
      text.clear();
    }
    if (record == nullptr) break;
  }
  FB_CHECK(file.Close());
  if (input.content != input.file) {
    std::error_code ignored;
    std::filesystem::remove(input.content->path(), ignored);
  }
  input.content = FB_TRY(InputFile::Open(path));
  input.form = InputForm::kCsv;
  input.facts = {};
  input.header = FB_TRY(ReadOwnHeader(*input.content));
  return ScanContent(&input, progress, 0);
}

}  // namespace

int CountNativeColumns(const std::vector<std::string>& names) {
  const native::Format* format = native::Detect(names);
  return format == nullptr ? 0 : static_cast<int>(format->needs.size());
}

Status OpenDocumentAsLines(const std::string& dir, int number, Input* input, Progress* progress) {
  std::unique_ptr<ByteSource> source = FB_TRY(OpenContent(input->file));
  std::string text;
  for (;;) {
    const size_t before = text.size();
    text.resize(before + kReadBytes);
    const size_t got = FB_TRY(source->Read(text.data() + before, kReadBytes));
    text.resize(before + got);
    if (got == 0) break;
    if (text.size() > kDocumentMaxBytes) {
      return At(*input, "the JSON document is larger than " + FormatBytes(kDocumentMaxBytes),
                "write one JSON object a line, or fetch fewer days at once");
    }
  }
  std::string lines;
  bool more = false;
  if (!native::JsonDocumentToLines(text, &lines, &more)) {
    return At(*input, "the JSON document is cut off, or has no list of records",
              "fetch it again, whole");
  }
  if (more) {
    return At(*input, "the last page says that there are more (has_more)",
              "fetch the next page too; pages may follow each other in one file");
  }
  if (lines.empty()) {
    return At(*input, "the JSON document has no records", "leave this file out");
  }
  const std::string path = os::JoinPath(dir, fmt::format("document-{}.jsonl", number));
  TextFile file(path);
  FB_CHECK(file.Write(lines));
  FB_CHECK(file.Close());
  input->content = FB_TRY(InputFile::Open(path));
  input->form = InputForm::kJsonLines;
  return ScanContent(input, progress, 0);
}

Status TranslateInputs(const TranslateOptions& options, std::vector<Input>* inputs,
                       Progress* progress) {
  bool actual = false, amortised = false;
  std::vector<Input*> undecided;
  for (size_t i = 0; i < inputs->size(); ++i) {
    Input& input = (*inputs)[i];
    input.native = options.format;
    if (options.format != nullptr) {
      FB_CHECK(CheckColumns(*options.format, input));
    } else if (const native::Format* found = native::Detect(input.field_names())) {
      input.native = found;
      if (found->refine != nullptr) {
        const native::Format* told =
            FB_TRY(Refined(found, *inputs, i, options.block_bytes, progress));
        input.native = FB_TRY(KindOfAzure(told, input));
        if (input.native == nullptr) undecided.push_back(&input);
      }
    }
    if (input.native == nullptr) continue;
    FB_CHECK(CheckTwice(*input.native, input));
    actual = actual || input.native->name == "azure-cost";
    amortised = amortised || input.native->name == "azure-amortised";
  }
  for (Input* input : undecided) {
    if (amortised) {
      return At(*input, "nothing in the file tells whether its costs are actual or amortised",
                "let 'actual' or 'amortised' be in its path, or import the files apart with "
                "--format azure-cost and azure-amortised");
    }
    input->native = native::FindFormat("azure-cost");
    FB_CHECK(CheckTwice(*input->native, *input));
  }
  native::Context context;
  std::optional<rates::PriceBook> prices;
  const bool rated = std::ranges::any_of(
      *inputs, [](const Input& input) { return input.native != nullptr && input.native->rated; });
  if (rated && options.prices) {
    prices = FB_TRY(options.prices());
    context.prices = &*prices;
  }
  native::Context::Pair pair;
  context.pair = actual && amortised ? &pair : nullptr;
  for (size_t i = 0; i < inputs->size(); ++i) {
    if ((*inputs)[i].native == nullptr) continue;
    FB_CHECK(TranslateInput(options, context, inputs, i, progress));
  }
  FB_CHECK(CheckUndecided(undecided));
  if (context.pair != nullptr) return CheckPair(pair, *inputs);
  return {};
}

}  // namespace flyball::ingest
