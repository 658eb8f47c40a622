// Facts: what reading one cell shows, as a set of bits. Reading is done once a cell; every rule on
// the form of values is then a test of bits. Bits from kTypeBits on mean different things in
// columns of different types.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/column.h"
#include "base/money.h"
#include "base/time.h"
#include "ingest/record.h"

namespace flyball::check {

using Facts = uint32_t;

// How the cells of a column are read.
enum class CellType : uint8_t {
  kText,
  kCustom,  // of a column that FOCUS does not define
  kUnit,
  kCurrency,
  kMoney,
  kQuantity,
  kInstant,
  kJson,
  kSkuDetails
};

namespace fact {
inline constexpr Facts kNull = 1u << 0;       // there is no value, however that is written
inline constexpr Facts kNullText = 1u << 1;   // written as NULL, null, N/A, ...
inline constexpr Facts kEmptyText = 1u << 2;  // written as a text without characters
inline constexpr Facts kBlank = 1u << 3;      // nothing but blanks
inline constexpr Facts kPadded = 1u << 4;     // blanks around it
inline constexpr Facts kBadUtf8 = 1u << 5;
inline constexpr Facts kPlaceholder = 1u << 6;  // "Not Applicable" and the like
inline constexpr Facts kLineBreak = 1u << 7;    // or another control character

inline constexpr int kTypeBits = 8;
// Of numbers.
inline constexpr Facts kNotPlain = 1u << 8;       // not as FOCUS writes numbers
inline constexpr Facts kNoNumber = 1u << 9;       // no number however it is read
inline constexpr Facts kFraction = 1u << 10;      // 1/2
inline constexpr Facts kTimesTen = 1u << 11;      // 1x10^3
inline constexpr Facts kExponentPlus = 1u << 12;  // 1E+3
inline constexpr Facts kMathSymbol = 1u << 13;
inline constexpr Facts kExtra = 1u << 14;  // letters, currency symbols, blanks
inline constexpr Facts kComma = 1u << 15;
inline constexpr Facts kPlusSign = 1u << 16;
inline constexpr Facts kOddNegative = 1u << 17;  // (5), 5-
inline constexpr Facts kOutOfRange = 1u << 18;
inline constexpr Facts kRounded = 1u << 19;  // more digits than are kept
// Of dates.
inline constexpr Facts kNotIso = 1u << 8;  // not YYYY-MM-DDTHH:mm:ssZ
inline constexpr Facts kNoDate = 1u << 9;  // no date however it is read
inline constexpr Facts kOffset = 1u << 10;
inline constexpr Facts kNoT = 1u << 11;
inline constexpr Facts kNoTime = 1u << 12;
inline constexpr Facts kNoZ = 1u << 13;
inline constexpr Facts kLastSecond = 1u << 14;  // 23:59:59: an end that is counted in
// Of JSON.
inline constexpr Facts kNoObject = 1u << 8;
inline constexpr Facts kSameKey = 1u << 9;
inline constexpr Facts kNested = 1u << 10;
inline constexpr Facts kNullValue = 1u << 11;
inline constexpr Facts kEmptyValue = 1u << 12;
inline constexpr Facts kKeyCase = 1u << 13;       // of SkuPriceDetails: no PascalCase
inline constexpr Facts kKeyNoPrefix = 1u << 14;   // a key of the provider's own without x_
inline constexpr Facts kKeySpelling = 1u << 15;   // a FOCUS key but for upper and lower case
inline constexpr Facts kPropertyType = 1u << 16;  // a FOCUS key with a value of another type
inline constexpr Facts kShadowed = 1u << 17;      // x_ before a FOCUS key that is not there
// Of units.
inline constexpr Facts kUnitForm = 1u << 8;
inline constexpr Facts kUnitCase = 1u << 9;
inline constexpr Facts kUnitUnknown = 1u << 10;
inline constexpr Facts kUnitNumber = 1u << 11;  // its quantity is no whole number
// Of custom columns.
inline constexpr Facts kOddNumber = 1u << 8;  // a number, not written as FOCUS writes them
// Of currencies.
inline constexpr Facts kNoCode = 1u << 8;    // no code of ISO 4217
inline constexpr Facts kCodeCase = 1u << 9;  // one but for upper and lower case
}  // namespace fact

// The bits that a fact of our rule texts stands for in a column of that type ("plus-sign",
// "not-iso"); 0 when it has no meaning there.
Facts FactBits(CellType type, std::string_view name);

// What was read of one cell.
struct Cell {
  Facts facts = 0;
  int128 units = 0;  // of kMoney 1e-12, of kQuantity 1e-15, of kInstant microseconds
};
// `cells` has its memory of JSON texts that stand in many rows; one per thread and column.
class JsonCache {
 public:
  bool Find(uint64_t hash, Facts* facts) const;
  void Keep(uint64_t hash, Facts facts);

 private:
  struct Entry {
    uint64_t hash = 0;
    Facts facts = 0;
  };
  std::vector<Entry> entries_;
};
Cell ReadCell(CellType type, const ingest::Field& field, JsonCache* cache);

bool IsNationalCurrency(std::string_view code);                // of ISO 4217, upper case
Facts ReadUnit(std::string_view text);                         // unit_format.cc
Facts ReadKeyValues(std::string_view text, bool sku_details);  // key_values.cc

}  // namespace flyball::check
