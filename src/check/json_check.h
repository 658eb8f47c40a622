// Checks inside a JSON cell, element by element: of the elements of a list that keep all of `when`,
// each must keep all of `must`. As the Requirements Models of 1.3 on ask for ContractApplied and
// AllocatedMethodDetails.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flyball::check {

// A path such as $.Elements[*].ContractId: the list, and what is looked at in each of its elements.
// Without [*] the whole document is the one element.
struct JsonPath {
  std::vector<std::string> list;
  std::vector<std::string> key;
  bool each = false;
  bool operator==(const JsonPath&) const = default;
};
// INVALID_ARGUMENT for what is no path of names and at most one [*].
Result<JsonPath> ParseJsonPath(std::string_view text);

struct JsonTest {
  enum class Kind : uint8_t {
    kValue,      // equal to `value`; `null`: is null or absent
    kNotValue,   // not so
    kExists,     // the key is there, null or not
    kType,       // `value` is Array, Object, Decimal or String; null passes the last two
    kNumeric,    // a number, or a text that is one
    kString,     // a text, not blank
    kUnit,       // a text in UnitFormat
    kKeyValue,   // an object of plain values
    kKeyPrefix,  // all keys but `ignore` begin with `value`
    kColumn,     // equal to the row's `value` (a column)
  };
  Kind kind = Kind::kValue;
  JsonPath path;
  std::string value;
  bool null = false;
  std::vector<std::string> ignore;
};

struct JsonRule {
  std::vector<JsonTest> when, must;  // all on the same list
};

// True when the cell keeps the rule. Text that is no JSON keeps it: another rule is for that.
// `column` gives the text of a column of the row, empty for null.
bool KeepsJsonRule(const JsonRule& rule, std::string_view cell,
                   const std::function<std::string_view(const std::string&)>& column);

}  // namespace flyball::check
