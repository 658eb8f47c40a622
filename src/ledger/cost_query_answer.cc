// Answers as text: the JSON contract, a table for terminals, CSV.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "ledger/cost_query.h"

namespace flyball::ledger {
namespace {

constexpr std::string_view kUnit = "unit";
constexpr std::string_view kUsage = "usage";
constexpr std::string_view kCurrency = "currency";

int PositionOf(const std::vector<std::string>& names, std::string_view name) {
  auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

// The sum of usage for each unit; nullopt where it leaves 128 bits.
std::map<std::string, std::optional<int128>> UsageByUnit(const QueryAnswer& answer) {
  std::map<std::string, std::optional<int128>> sums;
  int unit = PositionOf(answer.columns, kUnit);
  int usage = PositionOf(answer.measures, kUsage);
  if (unit < 0 || usage < 0) return sums;
  for (const AnswerRow& row : answer.rows) {
    auto [entry, fresh] = sums.try_emplace(row.dimensions[static_cast<size_t>(unit)], int128{0});
    std::optional<int128>& sum = entry->second;
    if (sum && __builtin_add_overflow(*sum, row.measures[static_cast<size_t>(usage)], &*sum))
      sum.reset();
  }
  return sums;
}

// Currencies of the answer whose rows carry more than one unit: their total of usage means nothing.
std::set<std::string> MixedUnitCurrencies(const QueryAnswer& answer) {
  std::set<std::string> mixed;
  int unit = PositionOf(answer.columns, kUnit);
  if (unit < 0) return mixed;
  std::map<std::string, std::string> first;
  for (const AnswerRow& row : answer.rows) {
    const std::string& value = row.dimensions[static_cast<size_t>(unit)];
    auto [entry, fresh] = first.try_emplace(row.currency, value);
    if (entry->second != value) mixed.insert(row.currency);
  }
  return mixed;
}

void AppendKey(std::string_view key, bool first, std::string* out) {
  if (!first) *out += ',';
  AppendJsonString(key, out);
  *out += ':';
}

std::string Decimal(const QueryAnswer& answer, size_t measure, int128 units) {
  return FormatDecimal(units, MeasureScale(answer.measures[measure]));
}

// {"billed_cost":"1.5",...}; a total of usage over several units is null.
void AppendTotals(const QueryAnswer& answer, const std::vector<int128>& totals, bool mixed_units,
                  std::string* out) {
  *out += '{';
  for (size_t m = 0; m < answer.measures.size(); ++m) {
    AppendKey(answer.measures[m], m == 0, out);
    if (mixed_units && answer.measures[m] == kUsage) {
      *out += "null";
    } else {
      AppendJsonString(Decimal(answer, m, totals[m]), out);
    }
  }
  *out += '}';
}

void AppendJsonRows(const QueryAnswer& answer, bool with_currency, std::string* out) {
  // What stands before each value is the same in every row.
  std::vector<std::string> keys;
  auto add_key = [&keys](std::string_view name) {
    const bool first = keys.empty();
    AppendKey(name, first, &keys.emplace_back());
  };
  for (const std::string& column : answer.columns) add_key(column);
  if (with_currency) add_key(kCurrency);
  for (const std::string& measure : answer.measures) add_key(measure);
  std::vector<int> scales;
  for (const std::string& measure : answer.measures) scales.push_back(MeasureScale(measure));

  for (size_t r = 0; r < answer.rows.size(); ++r) {
    const AnswerRow& row = answer.rows[r];
    *out += r == 0 ? "\n{" : ",\n{";
    auto key = keys.begin();
    for (const std::string& value : row.dimensions) {
      *out += *key++;
      AppendJsonString(value, out);
    }
    if (with_currency) {
      *out += *key++;
      AppendJsonString(row.currency, out);
    }
    for (size_t m = 0; m < scales.size(); ++m) {
      *out += *key++;
      *out += '"';
      *out += FormatDecimal(row.measures[m], scales[m]);
      *out += '"';
    }
    *out += '}';
  }
}

void AppendUsageByUnit(const QueryAnswer& answer, std::string* out) {
  *out += R"(,"usage_by_unit":{)";
  bool first = true;
  for (const auto& [unit, sum] : UsageByUnit(answer)) {
    AppendKey(unit, first, out);
    first = false;
    if (sum) {
      AppendJsonString(FormatDecimal(*sum, MeasureScale(kUsage)), out);
    } else {
      *out += "null";
    }
  }
  *out += '}';
}

void AppendUsedRate(const UsedRate& rate, std::string* out) {
  *out += '{';
  bool first = true;
  for (const auto& [key, value] : {std::pair<std::string_view, std::string>("from", rate.billed),
                                   {"first_day", FormatDate(rate.first_day)},
                                   {"last_day", FormatDate(rate.last_day)},
                                   {"rates_from", FormatDate(rate.rates_from)},
                                   {"rates_to", FormatDate(rate.rates_to)},
                                   {"lowest", rate.lowest.ToString()},
                                   {"highest", rate.highest.ToString()}}) {
    AppendKey(key, first, out);
    first = false;
    AppendJsonString(value, out);
  }
  *out += ",\"days\":" + std::to_string(rate.days) +
          ",\"days_carried\":" + std::to_string(rate.days_carried) + R"(,"sources":[)";
  for (size_t i = 0; i < rate.sources.size(); ++i) {
    if (i > 0) *out += ',';
    AppendJsonString(rate.sources[i], out);
  }
  *out += "]}";
}

void AppendConversion(const Conversion& conversion, std::string* out) {
  *out += R"(,"conversion":{"currency":)";
  AppendJsonString(conversion.currency, out);
  *out += R"(,"billed":{)";
  bool first = true;
  for (const auto& [currency, sums] : conversion.billed) {
    AppendKey(currency, first, out);
    first = false;
    *out += '{';
    for (size_t m = 0; m < sums.size(); ++m) {
      AppendKey(conversion.measures[m], m == 0, out);
      AppendJsonString(FormatDecimal(sums[m], Money::scale()), out);
    }
    *out += '}';
  }
  *out += R"(},"rates":[)";
  for (size_t i = 0; i < conversion.rates.size(); ++i) {
    if (i > 0) *out += ',';
    AppendUsedRate(conversion.rates[i], out);
  }
  *out += "]}";
}

// A decoded character of UTF-8 text; a byte that is not part of one counts as U+FFFD.
struct Rune {
  char32_t code = 0xFFFD;
  size_t bytes = 1;
};
Rune ReadRune(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes > text.size() || ValidUtf8Prefix(text.substr(0, bytes)) != bytes) return {};
  if (bytes == 1) return {lead, 1};
  char32_t code = lead & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  return {code, bytes};
}

struct CodeRange {
  char32_t first, last;
};
bool InRanges(char32_t code, std::span<const CodeRange> ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](CodeRange range) { return range.first <= code && code <= range.last; });
}

// Cells of a terminal that a character takes: 2 for East Asian wide and full-width ones and emoji
// (Unicode TR 11), 0 for combining marks and joiners, else 1.
int CellsOf(char32_t code) {
  static constexpr std::array<CodeRange, 9> kZero = {{{0x0300, 0x036F},
                                                      {0x0483, 0x0489},
                                                      {0x0591, 0x05BD},
                                                      {0x064B, 0x065F},
                                                      {0x1AB0, 0x1AFF},
                                                      {0x1DC0, 0x1DFF},
                                                      {0x200B, 0x200D},
                                                      {0x20D0, 0x20FF},
                                                      {0xFE00, 0xFE0F}}};
  static constexpr std::array<CodeRange, 11> kWide = {{{0x1100, 0x115F},
                                                       {0x2E80, 0x303E},
                                                       {0x3041, 0x33FF},
                                                       {0x3400, 0x4DBF},
                                                       {0x4E00, 0xA4CF},
                                                       {0xA960, 0xA97F},
                                                       {0xAC00, 0xD7A3},
                                                       {0xF900, 0xFAFF},
                                                       {0xFE30, 0xFE6F},
                                                       {0xFF00, 0xFF60},
                                                       {0xFFE0, 0xFFE6}}};
  if (code < 0x300) return 1;
  if (InRanges(code, kZero)) return 0;
  bool wide = InRanges(code, kWide) || (code >= 0x1F300 && code <= 0x1FAFF) ||
              (code >= 0x20000 && code <= 0x3FFFD);
  return wide ? 2 : 1;
}

// Left-to-right and right-to-left overrides can make a terminal show a value as another one.
bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

struct Cell {
  std::string text;
  size_t width = 0;
};
Cell TextCell(std::string_view text) {
  Cell cell;
  for (size_t at = 0; at < text.size();) {
    Rune rune = ReadRune(text.substr(at));
    if (rune.code == 0xFFFD || IsControl(rune.code)) {
      cell.text += "\xEF\xBF\xBD";
      ++cell.width;
    } else {
      cell.text += text.substr(at, rune.bytes);
      cell.width += static_cast<size_t>(CellsOf(rune.code));
    }
    at += rune.bytes;
  }
  return cell;
}

struct Column {
  bool number = false;
  std::vector<Cell> cells;  // the first is the heading
};

// The same exact value with zeros behind it, so that the points of a column stand in line.
std::string WithFraction(std::string text, size_t digits) {
  size_t point = text.find('.');
  size_t have = point == std::string::npos ? 0 : text.size() - point - 1;
  if (have >= digits) return text;
  if (point == std::string::npos) text += '.';
  text.append(digits - have, '0');
  return text;
}

// The same for people, under a table.
std::string ConversionLines(const Conversion& conversion) {
  std::string out;
  for (const auto& [currency, sums] : conversion.billed) {
    out += "billed in " + TextCell(currency).text + ':';
    for (size_t m = 0; m < sums.size(); ++m) {
      out += (m > 0 ? ", " : " ") + conversion.measures[m] + ' ' +
             WithFraction(FormatDecimal(sums[m], Money::scale()), 2);
    }
    out += '\n';
  }
  for (const UsedRate& rate : conversion.rates) {
    out += "converted at 1 " + TextCell(rate.billed).text + " = " + rate.lowest.ToString();
    if (rate.highest != rate.lowest) out += " to " + rate.highest.ToString();
    out += ' ' + conversion.currency + ", charges of " + FormatDate(rate.first_day) + " to " +
           FormatDate(rate.last_day) + " at rates of " + FormatDate(rate.rates_from) + " to " +
           FormatDate(rate.rates_to);
    if (rate.days_carried > 0) {
      out += ", " + std::to_string(rate.days_carried) + " of " + std::to_string(rate.days) +
             " days at the last rate before";
    }
    out += '\n';
    for (const std::string& source : rate.sources) out += "  from " + source + '\n';
  }
  return out;
}

Column NumberColumn(const QueryAnswer& answer, size_t measure,
                    const std::set<std::string>& mixed_units) {
  std::vector<std::string> texts;
  for (const AnswerRow& row : answer.rows)
    texts.push_back(Decimal(answer, measure, row.measures[measure]));
  for (const auto& [currency, totals] : answer.totals) {
    bool meaningless = answer.measures[measure] == kUsage && mixed_units.contains(currency);
    texts.push_back(meaningless ? "" : Decimal(answer, measure, totals[measure]));
  }
  // Money has at least its cents.
  size_t digits = MeasureScale(answer.measures[measure]) == Money::scale() ? 2 : 0;
  for (const std::string& text : texts) {
    size_t point = text.find('.');
    if (point != std::string::npos) digits = std::max(digits, text.size() - point - 1);
  }
  Column column{true, {TextCell(answer.measures[measure])}};
  for (std::string& text : texts) {
    column.cells.push_back(TextCell(text.empty() ? text : WithFraction(std::move(text), digits)));
  }
  return column;
}

std::vector<Column> TableColumns(const QueryAnswer& answer) {
  std::vector<Column> columns;
  for (size_t c = 0; c < answer.columns.size(); ++c) {
    Column column{false, {TextCell(answer.columns[c])}};
    for (const AnswerRow& row : answer.rows) column.cells.push_back(TextCell(row.dimensions[c]));
    for (size_t t = 0; t < answer.totals.size(); ++t)
      column.cells.push_back(TextCell(c == 0 ? "total" : ""));
    columns.push_back(std::move(column));
  }
  if (PositionOf(answer.columns, kCurrency) < 0) {
    Column column{false, {TextCell(kCurrency)}};
    for (const AnswerRow& row : answer.rows) column.cells.push_back(TextCell(row.currency));
    for (const auto& [currency, totals] : answer.totals) column.cells.push_back(TextCell(currency));
    columns.push_back(std::move(column));
  }
  std::set<std::string> mixed_units = MixedUnitCurrencies(answer);
  for (size_t m = 0; m < answer.measures.size(); ++m)
    columns.push_back(NumberColumn(answer, m, mixed_units));
  return columns;
}

std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

}  // namespace

Result<AnswerFormat> ParseAnswerFormat(std::string_view name) {
  if (name == "table") return AnswerFormat::kTable;
  if (name == "json") return AnswerFormat::kJson;
  if (name == "csv") return AnswerFormat::kCsv;
  return Fail(Code::kInvalidArgument, "'" + std::string(name) + "' is no format of an answer",
              "table, json or csv");
}

std::string AnswerText(const QueryAnswer& answer, AnswerFormat format) {
  switch (format) {
    case AnswerFormat::kJson:
      return AnswerJson(answer);
    case AnswerFormat::kCsv:
      return AnswerCsv(answer);
    case AnswerFormat::kTable:
      break;
  }
  return AnswerTable(answer);
}

std::string AnswerJson(const QueryAnswer& answer) {
  bool several = answer.totals.size() > 1;
  bool by_currency = PositionOf(answer.columns, kCurrency) >= 0;
  std::set<std::string> mixed_units = MixedUnitCurrencies(answer);
  std::string out = "{\"rows\":[";
  AppendJsonRows(answer, several && !by_currency, &out);
  out += "],\n\"totals\":";
  if (several) {
    out += "null";
  } else if (answer.totals.empty()) {
    AppendTotals(answer, std::vector<int128>(answer.measures.size(), 0), false, &out);
  } else {
    AppendTotals(answer, answer.totals.begin()->second, !mixed_units.empty(), &out);
  }
  out += ",\"totals_by_currency\":{";
  bool first = true;
  for (const auto& [currency, totals] : answer.totals) {
    AppendKey(currency, first, &out);
    first = false;
    AppendTotals(answer, totals, mixed_units.contains(currency), &out);
  }
  out += '}';
  if (PositionOf(answer.measures, kUsage) >= 0) AppendUsageByUnit(answer, &out);
  for (const auto& [key, value] :
       {std::pair<std::string_view, const std::string&>("commit", answer.commit),
        {"query_hash", answer.query_hash},
        {"read_from", answer.read_from}}) {
    AppendKey(key, false, &out);
    AppendJsonString(value, &out);
  }
  if (answer.conversion) AppendConversion(*answer.conversion, &out);
  AppendKey(kCurrency, false, &out);
  if (answer.totals.size() == 1) {
    AppendJsonString(answer.totals.begin()->first, &out);
  } else {
    out += "null";
  }
  out += "}\n";
  return out;
}

std::string AnswerTable(const QueryAnswer& answer) {
  std::vector<Column> columns = TableColumns(answer);
  std::vector<size_t> widths;
  for (const Column& column : columns) {
    size_t width = 0;
    for (const Cell& cell : column.cells) width = std::max(width, cell.width);
    widths.push_back(width);
  }
  std::string out;
  auto append_line = [&](size_t line) {
    std::string text;
    for (size_t c = 0; c < columns.size(); ++c) {
      const Cell& cell = columns[c].cells[line];
      std::string blanks(widths[c] - cell.width, ' ');
      if (c > 0) text += "  ";
      text += columns[c].number ? blanks + cell.text : cell.text + blanks;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  auto append_rule = [&] {
    for (size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) out += "  ";
      out.append(widths[c], '-');
    }
    out += '\n';
  };
  append_line(0);
  append_rule();
  for (size_t r = 0; r < answer.rows.size(); ++r) append_line(r + 1);
  if (answer.rows.empty()) return out + "no charges\n";
  append_rule();
  for (size_t t = 0; t < answer.totals.size(); ++t) append_line(answer.rows.size() + 1 + t);
  if (answer.conversion) out += '\n' + ConversionLines(*answer.conversion);
  return out;
}

std::string AnswerCsv(const QueryAnswer& answer) {
  bool add_currency = PositionOf(answer.columns, kCurrency) < 0;
  std::string out;
  auto append = [&out](std::string_view field, bool first) {
    if (!first) out += ',';
    out += CsvField(field);
  };
  bool first = true;
  for (const std::string& column : answer.columns) append(column, std::exchange(first, false));
  if (add_currency) append(kCurrency, std::exchange(first, false));
  for (const std::string& measure : answer.measures) append(measure, std::exchange(first, false));
  out += '\n';
  for (const AnswerRow& row : answer.rows) {
    first = true;
    for (const std::string& value : row.dimensions) append(value, std::exchange(first, false));
    if (add_currency) append(row.currency, std::exchange(first, false));
    for (size_t m = 0; m < row.measures.size(); ++m) {
      append(Decimal(answer, m, row.measures[m]), std::exchange(first, false));
    }
    out += '\n';
  }
  return out;
}

}  // namespace flyball::ledger
