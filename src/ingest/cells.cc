#include "ingest/cells.h"

#include <array>
#include <cstring>

#include "base/text.h"

namespace flyball::ingest {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsNullText(std::string_view text) {
  switch (text.size()) {
    case 2:
      return text == "\\N";
    case 3:
      return text == "N/A" || text == "n/a";
    case 4:
      return text == "NULL" || text == "null" || text == "Null" || text == "None" || text == "none";
    default:
      return false;
  }
}

// Symbols that stand before or after an amount. Longer ones first.
constexpr std::array<std::string_view, 5> kSymbols = {"\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5",
                                                      "\xE2\x82\xB9", "$"};

bool TakeSymbol(std::string_view* text) {
  for (std::string_view symbol : kSymbols) {
    if (text->starts_with(symbol)) {
      text->remove_prefix(symbol.size());
      return true;
    }
    if (text->ends_with(symbol)) {
      text->remove_suffix(symbol.size());
      return true;
    }
  }
  return false;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// Copies "1,234,567.8" without its commas; 0 when they do not stand between groups of three.
size_t CopyWithoutCommas(std::string_view text, char* out) {
  size_t point = std::min(text.find_first_of(".eE"), text.size());
  std::string_view whole = text.substr(0, point);
  size_t first = whole.find(',');
  if (first == 0 || first > 3 || (whole.size() - first) % 4 != 0) return 0;
  char* end = out;
  for (size_t i = 0; i < whole.size(); ++i) {
    bool comma_place = i >= first && (i - first) % 4 == 0;
    if (comma_place != (whole[i] == ',')) return 0;
    if (!comma_place) *end++ = whole[i];
  }
  std::memcpy(end, text.data() + point, text.size() - point);
  return static_cast<size_t>(end - out) + text.size() - point;
}

}  // namespace

bool IsAscii(std::string_view text) {
  uint64_t seen = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    seen |= word;
  }
  for (; at < text.size(); ++at) seen |= static_cast<unsigned char>(text[at]);
  return (seen & 0x8080808080808080u) == 0;
}

std::string RepairUtf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size() + 8);
  while (!text.empty()) {
    size_t good = ValidUtf8Prefix(text);
    repaired.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    repaired.append("\xEF\xBF\xBD");
    text.remove_prefix(1);
  }
  return repaired;
}

bool IsNullCell(const Field& field, RowDefects* defects) {
  if (field.null) return true;
  if (field.text.empty()) {
    if (field.quoted) defects->Add(Repair::kEmptyStringNull);
    return true;
  }
  if (field.text.size() <= 4 && IsNullText(field.text)) {
    defects->Add(Repair::kNullText);
    return true;
  }
  return false;
}

std::string_view TrimCell(std::string_view text, RowDefects* defects) {
  std::string_view trimmed = TrimBlanks(text);
  if (trimmed.size() != text.size()) defects->Add(Repair::kBlankSpace);
  return trimmed;
}

std::string_view PlainNumber(std::string_view text, char* out, RowDefects* defects) {
  text = TrimCell(text, defects);
  bool negative = false;
  if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
    negative = true;
    text = TrimBlanks(text.substr(1, text.size() - 2));
    defects->Add(Repair::kAccountingNegative);
  }
  // A sign may stand on either side of the symbol: -$5, $-5.
  bool symbol = TakeSymbol(&text);
  text = TrimBlanks(text);
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    if (negative) return {};
    if (text.front() == '+') defects->Add(Repair::kPlusSign);
    negative = text.front() == '-';
    text = TrimBlanks(text.substr(1));
  }
  if (!symbol) symbol = TakeSymbol(&text);
  if (symbol) defects->Add(Repair::kCurrencySymbol);
  text = TrimBlanks(text);
  if (text.empty() || (!IsDigit(text.front()) && text.front() != '.')) return {};
  char* digits = out + 1;
  size_t size = text.size();
  if (text.find(',') != std::string_view::npos) {
    size = CopyWithoutCommas(text, digits);
    if (size == 0) return {};
    defects->Add(Repair::kThousandsSeparator);
  } else {
    std::memcpy(digits, text.data(), size);
  }
  if (!negative) return {digits, size};
  *out = '-';
  return {out, size + 1};
}

Fault ReadNumber(const Field& field, int scale, Repair rounded, RowDefects* defects,
                 NumberCell* out) {
  ParsedDecimal parsed;
  *out = NumberCell{};
  if (field.null || field.text.empty()) {
    out->null = IsNullCell(field, defects);
    return Fault::kNone;
  }
  DecimalFault fault = field.text.size() > kNumberMaxBytes
                           ? DecimalFault::kNotANumber
                           : ParseDecimalFast(field.text, scale, &parsed);
  if (fault == DecimalFault::kNotANumber) {
    if (IsNullCell(field, defects)) {
      out->null = true;
      return Fault::kNone;
    }
    if (field.text.size() > kNumberMaxBytes) return Fault::kBadNumber;
    if (TrimBlanks(field.text).empty()) {
      defects->Add(Repair::kBlankSpace);
      out->null = true;
      return Fault::kNone;
    }
    char buffer[kNumberMaxBytes + 1];
    RowDefects repairs;
    std::string_view plain = PlainNumber(field.text, buffer, &repairs);
    if (plain.empty()) return Fault::kBadNumber;
    fault = ParseDecimalFast(plain, scale, &parsed);
    defects->repairs |= repairs.repairs;
  }
  if (fault == DecimalFault::kNotANumber) return Fault::kBadNumber;
  if (fault == DecimalFault::kOutOfRange) return Fault::kOutOfRange;
  if (!parsed.exact) defects->Add(rounded);
  out->units = parsed.units;
  out->exact = parsed.exact;
  return Fault::kNone;
}

Fault DateReader::Read(const Field& field, RowDefects* defects, Instant* out, bool* null) {
  *null = false;
  if (!field.text.empty() && field.text == last_text_) {
    *out = last_;
    defects->repairs |= last_repairs_;
    return Fault::kNone;
  }
  if (IsNullCell(field, defects)) {
    *null = true;
    return Fault::kNone;
  }
  RowDefects repairs;
  std::string_view text = TrimCell(field.text, &repairs);
  if (text.empty()) {
    defects->Add(Repair::kBlankSpace);
    *null = true;
    return Fault::kNone;
  }
  ParsedInstant parsed;
  if (!ParseInstant(text, &parsed)) return Fault::kBadDate;
  if (parsed.form == TimeForm::kUsDate) {
    repairs.Add(Repair::kUsDate);
  } else if (parsed.form != TimeForm::kIso8601Utc) {
    repairs.Add(Repair::kDateFormat);
  }
  defects->repairs |= repairs.repairs;
  last_text_.assign(field.text);
  last_ = *out = parsed.instant;
  last_repairs_ = repairs.repairs;
  return Fault::kNone;
}

}  // namespace flyball::ingest
