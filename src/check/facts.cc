#include "check/facts.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hash.h"
#include "base/text.h"
#include "ingest/cells.h"

namespace flyball::check {
namespace {

using namespace fact;

struct Named {
  std::string_view name;
  Facts bits;
};
constexpr Named kCommon[] = {
    {"null-text", kNullText},
    {"empty-text", kEmptyText},
    {"blank", kBlank},
    {"padded", kPadded},
    {"bad-utf8", kBadUtf8},
    {"placeholder", kPlaceholder},
    {"control-character", kLineBreak},
    {"null-badly-written", kNullText | kEmptyText | kPlaceholder},
    {"bad-string", kBadUtf8 | kBlank},
};
constexpr Named kNumbers[] = {
    {"not-plain", kNotPlain},
    {"no-number", kNoNumber},
    {"fraction", kFraction},
    {"times-ten", kTimesTen},
    {"exponent-plus", kExponentPlus},
    {"math-symbol", kMathSymbol},
    {"extra", kExtra},
    {"comma", kComma},
    {"plus-sign", kPlusSign},
    {"odd-negative", kOddNegative},
    {"out-of-range", kOutOfRange},
};
constexpr Named kDates[] = {
    {"not-iso", kNotIso}, {"no-date", kNoDate}, {"offset", kOffset},          {"no-t", kNoT},
    {"no-time", kNoTime}, {"no-z", kNoZ},       {"last-second", kLastSecond},
};
constexpr Named kJsons[] = {
    {"no-object", kNoObject},
    {"same-key", kSameKey},
    {"nested", kNested},
    {"null-value", kNullValue},
    {"empty-value", kEmptyValue},
    {"key-case", kKeyCase},
    {"key-no-prefix", kKeyNoPrefix},
    {"key-spelling", kKeySpelling},
    {"property-type", kPropertyType},
    {"shadowed", kShadowed},
    {"no-key-value", kNoObject | kSameKey | kNested},
};
constexpr Named kUnits[] = {
    {"unit-form", kUnitForm},
    {"unit-case", kUnitCase},
    {"unit-unknown", kUnitUnknown},
    {"unit-number", kUnitNumber},
    {"bad-unit", kUnitForm | kUnitCase},
};
constexpr Named kCustoms[] = {{"odd-number", kOddNumber}};
constexpr Named kCurrencies[] = {{"no-code", kNoCode}, {"bad-currency", kCodeCase}};

std::span<const Named> NamesOf(CellType type) {
  switch (type) {
    case CellType::kMoney:
    case CellType::kQuantity:
      return kNumbers;
    case CellType::kInstant:
      return kDates;
    case CellType::kJson:
    case CellType::kSkuDetails:
      return kJsons;
    case CellType::kUnit:
      return kUnits;
    case CellType::kCurrency:
      return kCurrencies;
    case CellType::kCustom:
      return kCustoms;
    case CellType::kText:
      return {};
  }
  return {};
}

// ISO 4217, the codes of the list of national currencies, funds and metals.
constexpr std::string_view kIsoCodes =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN "
    "BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP "
    "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR "
    "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR "
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF "
    "XAG XAU XBA XBB XBC XBD XCD XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL ";

// One bit a code: 26^3 of them.
constexpr size_t kCodes = size_t{26} * 26 * 26;
constexpr size_t CodeIndex(std::string_view code) {
  return (static_cast<size_t>(code[0] - 'A') * 26 + static_cast<size_t>(code[1] - 'A')) * 26 +
         static_cast<size_t>(code[2] - 'A');
}
constexpr auto kIsIsoCode = [] {
  std::array<bool, kCodes> known{};
  for (size_t i = 0; i + 3 < kIsoCodes.size(); i += 4)
    known[CodeIndex(kIsoCodes.substr(i, 3))] = true;
  return known;
}();

constexpr std::string_view kPlaceholders[] = {
    "Not Applicable", "Not applicable", "not applicable", "-", "(not set)", "(none)", "undefined"};

// What stands in place of a value, and what is wrong with a text.
Facts ReadText(const ingest::Field& field) {
  const std::string_view text = field.text;
  if (text.empty()) return field.quoted && !field.null ? kNull | kEmptyText : kNull;
  ingest::RowDefects defects;
  if (ingest::IsNullCell(field, &defects)) return defects.repairs != 0 ? kNull | kNullText : kNull;
  Facts facts = 0;
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (blank(text.front()) || blank(text.back())) {
    facts |= kPadded;
    if (std::ranges::all_of(text, blank)) facts |= kBlank;
  }
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') facts |= kLineBreak;
  }
  if (!ingest::IsAscii(text) && ValidUtf8Prefix(text) != text.size()) facts |= kBadUtf8;
  if (text.size() <= 14 && std::ranges::find(kPlaceholders, text) != std::end(kPlaceholders)) {
    facts |= kPlaceholder;
  }
  return facts;
}

// Why a text is no number as FOCUS writes it.
Facts WhyNotPlain(std::string_view text) {
  Facts facts = kNotPlain;
  if (text.find('/') != std::string_view::npos) facts |= kFraction;
  if (text.find("10^") != std::string_view::npos || text.find("10**") != std::string_view::npos) {
    facts |= kTimesTen;
  }
  if (text.find_first_of("*^=%()<>~") != std::string_view::npos) facts |= kMathSymbol;
  if (text.find(',') != std::string_view::npos) facts |= kComma;
  if (text.front() == '+') facts |= kPlusSign;
  if (text.front() == '(' || text.back() == '-') facts |= kOddNegative;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    const bool exponent = (c == 'e' || c == 'E') && i > 0;
    if (!digit && !exponent && std::strchr("+-.,/*^=%()<>~", c) == nullptr) facts |= kExtra;
  }
  return facts;
}

Cell ReadNumberCell(const ingest::Field& field, int scale) {
  Cell cell;
  ParsedDecimal parsed;
  if (field.text.empty() || field.null) {
    cell.facts = ReadText(field);
    return cell;
  }
  if (field.text.size() <= ingest::kNumberMaxBytes) {
    const DecimalFault fault = ParseDecimalFast(field.text, scale, &parsed);
    if (fault == DecimalFault::kNone) {
      cell.units = parsed.units;
      if (!parsed.exact) cell.facts |= kRounded;
      if (std::memchr(field.text.data(), '+', field.text.size()) != nullptr) {
        cell.facts |= kNotPlain | kExponentPlus;
      }
      return cell;
    }
    if (fault == DecimalFault::kOutOfRange) {
      cell.facts = kOutOfRange | kNoNumber;
      return cell;
    }
  }
  cell.facts = ReadText(field);
  if ((cell.facts & kNull) != 0) return cell;
  if ((cell.facts & kBlank) != 0) {
    cell.facts |= kNull | kEmptyText;
    return cell;
  }
  cell.facts |= WhyNotPlain(field.text);
  ingest::RowDefects defects;
  ingest::NumberCell number;
  if (ingest::ReadNumber(field, scale, ingest::Repair::kCostRounded, &defects, &number) !=
      ingest::Fault::kNone) {
    cell.facts |= kNoNumber;
  } else {
    cell.units = number.units;
    if (!number.exact) cell.facts |= kRounded;
  }
  return cell;
}

Cell ReadDateCell(const ingest::Field& field) {
  Cell cell;
  cell.facts = ReadText(field);
  if ((cell.facts & kNull) != 0) return cell;
  if ((cell.facts & kBlank) != 0) {
    cell.facts |= kNull | kEmptyText;
    return cell;
  }
  ParsedInstant parsed;
  if (!ParseInstant(Trim(field.text), &parsed)) {
    cell.facts |= kNoDate | kNotIso;
    return cell;
  }
  cell.units = parsed.instant.us;
  switch (parsed.form) {
    case TimeForm::kIso8601Utc:
      if ((cell.facts & kPadded) != 0) cell.facts |= kNotIso;
      break;
    case TimeForm::kSpaceNoZone:
      cell.facts |= kNotIso | kNoT | kNoZ;
      break;
    case TimeForm::kIsoNoZone:
      cell.facts |= kNotIso | kNoZ;
      break;
    case TimeForm::kDateOnly:
    case TimeForm::kUsDate:
      cell.facts |= kNotIso | kNoT | kNoZ | kNoTime;
      break;
    case TimeForm::kOffset:
      cell.facts |= kNotIso | kOffset | kNoZ;
      break;
  }
  constexpr int64_t kLastSecondUs = kMicrosPerDay - kMicrosPerSecond;
  const auto in_day =
      static_cast<int64_t>(((cell.units % kMicrosPerDay) + kMicrosPerDay) % kMicrosPerDay);
  if (in_day >= kLastSecondUs) cell.facts |= kLastSecond;
  return cell;
}

Cell ReadJsonCell(const ingest::Field& field, bool sku_details, JsonCache* cache) {
  Cell cell;
  if (field.text.size() <= 4) {
    cell.facts = ReadText(field);
    if ((cell.facts & kNull) != 0) return cell;
  }
  const uint64_t hash = Hash64(field.text);
  if (cache->Find(hash, &cell.facts)) return cell;
  cell.facts = ReadText(field) & ~kLineBreak;  // JSON may be written on several lines
  if ((cell.facts & kNull) == 0) cell.facts |= ReadKeyValues(field.text, sku_details);
  cache->Keep(hash, cell.facts);
  return cell;
}

// "1,200.50" and "$5" are meant as numbers; "1200.5" is one, and "2025-01-01" is none.
bool IsOddNumber(std::string_view text) {
  constexpr size_t kOddNumberMaxBytes = 64;
  ParsedDecimal parsed;
  if (text.size() > kOddNumberMaxBytes) return false;
  if (std::strchr("0123456789+-.($", text.front()) == nullptr) return false;
  if (ParseDecimalFast(text, Quantity::scale(), &parsed) != DecimalFault::kNotANumber) return false;
  char buffer[kOddNumberMaxBytes + 1];
  ingest::RowDefects defects;
  const std::string_view plain = ingest::PlainNumber(text, buffer, &defects);
  return !plain.empty() &&
         ParseDecimalFast(plain, Quantity::scale(), &parsed) == DecimalFault::kNone;
}

constexpr size_t kJsonCacheEntries = 1u << 14;

}  // namespace

Facts FactBits(CellType type, std::string_view name) {
  for (std::span<const Named> names : {std::span<const Named>(kCommon), NamesOf(type)}) {
    for (const Named& named : names) {
      if (named.name == name) return named.bits;
    }
  }
  return 0;
}

bool JsonCache::Find(uint64_t hash, Facts* facts) const {
  if (entries_.empty()) return false;
  const Entry& entry = entries_[hash % kJsonCacheEntries];
  if (entry.hash != hash) return false;
  *facts = entry.facts;
  return true;
}

void JsonCache::Keep(uint64_t hash, Facts facts) {
  if (entries_.empty()) entries_.resize(kJsonCacheEntries);
  entries_[hash % kJsonCacheEntries] = {hash, facts};
}

Cell ReadCell(CellType type, const ingest::Field& field, JsonCache* cache) {
  switch (type) {
    case CellType::kMoney:
      return ReadNumberCell(field, Money::scale());
    case CellType::kQuantity:
      return ReadNumberCell(field, Quantity::scale());
    case CellType::kInstant:
      return ReadDateCell(field);
    case CellType::kJson:
    case CellType::kSkuDetails:
      return ReadJsonCell(field, type == CellType::kSkuDetails, cache);
    case CellType::kText:
    case CellType::kCustom:
    case CellType::kUnit:
    case CellType::kCurrency:
      break;
  }
  Cell cell;
  cell.facts = ReadText(field);
  if ((cell.facts & kNull) != 0) return cell;
  if (type == CellType::kCustom && IsOddNumber(field.text)) cell.facts |= kOddNumber;
  if (type == CellType::kUnit) cell.facts |= ReadUnit(field.text);
  if (type == CellType::kCurrency && !IsNationalCurrency(field.text)) {
    cell.facts |= kNoCode;
    if (IsNationalCurrency(ToUpper(field.text.substr(0, 4)))) cell.facts |= kCodeCase;
  }
  return cell;
}

bool IsNationalCurrency(std::string_view code) {
  if (code.size() != 3) return false;
  if (!std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; })) return false;
  return kIsIsoCode[CodeIndex(code)];
}

}  // namespace flyball::check
