// Rule: what is asked of the data, and how it is decided. A plain value: whoever makes one (the
// column table, a Requirements Model) says in words what must hold, and as expressions, groups or
// checks of the header how that is seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "check/expr.h"

namespace flyball::check {

enum class Verdict : uint8_t { kPassed, kFailed, kNotApplicable, kNotDecidable };
std::string_view VerdictName(Verdict verdict);  // "passed", "failed", "not applicable", ...

enum class Keyword : uint8_t { kMust, kMustNot, kShould, kShouldNot, kRecommended, kMay };
std::string_view KeywordName(Keyword keyword);
Result<Keyword> ParseKeyword(std::string_view name);
inline bool IsDuty(Keyword keyword) {
  return keyword == Keyword::kMust || keyword == Keyword::kMustNot;
}

// What is asked of the names in the header.
enum class HeaderCheck : uint8_t {
  kPresent,     // the column of Rule::subject is there
  kExactNames,  // FOCUS columns are spelt as FOCUS spells them
  kPascalCase,  // and so on for columns of FOCUS
  kAlphanumeric,
  kNoAcronyms,
  kShortNames,
  kCustomPrefix,  // other columns begin with x_
  kCustomNames,   // and keep to the rules of names behind it
  kFocusFirst,
  kDuplicates,
};

// What is asked of rows that belong together.
enum class GroupCheck : uint8_t {
  kOneValue,         // all rows with one key have one value
  kUnique,           // no two rows have the same key
  kUsageIsPurchase,  // of a commitment: effective cost of its use = billed cost of its purchase
  kUsageIsUsedAndUnused,
  kUnusedIsShown,
  kQuantityIsPurchased,
  kInvoiceSum,     // of an invoice: the charges sum to what InvoiceDetail bills
  kPeriodsFollow,  // of an account: billing periods neither overlap nor leave a gap
};

struct Group {
  GroupCheck check = GroupCheck::kOneValue;
  std::vector<std::string> key;
  std::vector<std::string> value;
  bool within_provider = false;  // ids are each provider's own
};

struct Rule {
  enum class Means : uint8_t { kRows, kHeader, kGroup, kParts, kShape, kFixed };

  std::string id;
  std::string function;  // Presence, Type, Format, Nullability, Validation, Composite
  std::string subject;   // the column, attribute or data set that it is about
  Keyword keyword = Keyword::kMust;
  std::string text;    // what must hold, in words
  std::string remedy;  // what to do when it does not
  std::string note;    // a known mistake of the rule itself, in words
  bool dynamic = false;

  Means means = Means::kRows;
  Expr condition = Expr::True();  // the rows that it speaks of
  Expr requirement = Expr::True();
  std::string condition_text;  // for "no row where ..."
  HeaderCheck header = HeaderCheck::kPresent;
  Group group;
  bool any_part = false;                   // OR; else AND
  std::vector<std::string> parts;          // ids of rules
  std::vector<std::string> depends;        // ids of rules whose failure makes this verdict doubtful
  Verdict fixed = Verdict::kNotDecidable;  // of kFixed
  std::string reason;                      // of kFixed; of kPresent: why an absent column is right
  bool optional = false;                   // of kPresent: an absent column breaks nothing
};

}  // namespace flyball::check
