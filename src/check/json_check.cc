#include "check/json_check.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "base/money.h"
#include "base/text.h"
#include "check/facts.h"

namespace flyball::check {
namespace {

namespace dom = simdjson::dom;
using Columns = std::function<std::string_view(const std::string&)>;

constexpr size_t kPathPartsMax = 16;

// What stands at the path inside the element; `found` is false when a name on the way is absent.
struct Spot {
  dom::element value;
  bool found = true;
  bool null() const { return !found || value.is_null(); }
};

Spot Walk(dom::element from, const std::vector<std::string>& names) {
  Spot spot{from, true};
  for (const std::string& name : names) {
    dom::object object;
    if (spot.value.get_object().get(object) != simdjson::SUCCESS ||
        object[name].get(spot.value) != simdjson::SUCCESS) {
      spot.found = false;
      return spot;
    }
  }
  return spot;
}

bool IsNumber(const dom::element& value) {
  return value.is_int64() || value.is_uint64() || value.is_double();
}

// Numbers are equal as numbers: 0.50 and 0.5.
bool Equals(const dom::element& value, std::string_view wanted) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return text == wanted;
  if (IsNumber(value)) {
    double number = 0, asked = 0;
    const char* end = wanted.data() + wanted.size();
    const auto read = std::from_chars(wanted.data(), end, asked);
    return read.ec == std::errc() && read.ptr == end &&
           value.get_double().get(number) == simdjson::SUCCESS && number == asked;
  }
  bool truth = false;
  if (value.get_bool().get(truth) == simdjson::SUCCESS) {
    return wanted == (truth ? "true" : "false");
  }
  return false;
}

bool HasType(const Spot& spot, std::string_view type) {
  if (type == "Array") return spot.found && spot.value.is_array();
  if (type == "Object") return spot.found && spot.value.is_object();
  if (spot.null()) return true;
  if (type == "Decimal") return IsNumber(spot.value);
  return type != "String" || spot.value.is_string();
}

bool KeepsText(const JsonTest& test, const Spot& spot) {
  if (spot.null()) return true;
  std::string_view text;
  const bool is_text = spot.value.get_string().get(text) == simdjson::SUCCESS;
  if (test.kind == JsonTest::Kind::kNumeric) {
    ParsedDecimal parsed;
    return IsNumber(spot.value) ||
           (is_text && ParseDecimalFast(text, Quantity::scale(), &parsed) == DecimalFault::kNone);
  }
  if (!is_text || Trim(text).empty()) return false;
  if (test.kind == JsonTest::Kind::kString) return true;
  return (ReadUnit(text) & (fact::kUnitForm | fact::kUnitCase)) == 0;
}

bool KeepsKeys(const JsonTest& test, const Spot& spot) {
  dom::object object;
  if (spot.null()) return true;
  if (spot.value.get_object().get(object) != simdjson::SUCCESS) return false;
  for (const dom::key_value_pair& member : object) {
    if (test.kind == JsonTest::Kind::kKeyValue) {
      if (member.value.is_object() || member.value.is_array()) return false;
    } else if (!member.key.starts_with(test.value) &&
               std::ranges::find(test.ignore, member.key) == test.ignore.end()) {
      return false;
    }
  }
  return true;
}

bool Keeps(const JsonTest& test, dom::element element, const Columns& column) {
  const Spot spot = Walk(element, test.path.key);
  switch (test.kind) {
    case JsonTest::Kind::kValue:
    case JsonTest::Kind::kNotValue: {
      const bool equal = test.null ? spot.null() : !spot.null() && Equals(spot.value, test.value);
      return equal == (test.kind == JsonTest::Kind::kValue);
    }
    case JsonTest::Kind::kExists:
      return spot.found;
    case JsonTest::Kind::kType:
      return HasType(spot, test.value);
    case JsonTest::Kind::kNumeric:
    case JsonTest::Kind::kString:
    case JsonTest::Kind::kUnit:
      return KeepsText(test, spot);
    case JsonTest::Kind::kKeyValue:
    case JsonTest::Kind::kKeyPrefix:
      return KeepsKeys(test, spot);
    case JsonTest::Kind::kColumn:
      return !spot.null() && Equals(spot.value, column(test.value));
  }
  return false;
}

bool KeepsAll(const std::vector<JsonTest>& tests, dom::element element, const Columns& column) {
  return std::ranges::all_of(tests,
                             [&](const JsonTest& test) { return Keeps(test, element, column); });
}

}  // namespace

Result<JsonPath> ParseJsonPath(std::string_view text) {
  const auto wrong = [&] {
    return Fail(Code::kInvalidArgument, "'" + std::string(text) + "' is no path that is known",
                "write $.Name, $.List[*] or $.List[*].Name");
  };
  JsonPath path;
  if (!text.starts_with('$')) return wrong();
  std::string_view rest = text.substr(1);
  while (!rest.empty()) {
    if (rest.starts_with("[*]")) {
      if (path.each) return wrong();
      path.each = true;
      path.list.swap(path.key);
      rest.remove_prefix(3);
      continue;
    }
    if (!rest.starts_with('.')) return wrong();
    rest.remove_prefix(1);
    const std::string_view name = rest.substr(0, rest.find_first_of(".["));
    if (name.empty() || path.key.size() >= kPathPartsMax) return wrong();
    path.key.emplace_back(name);
    rest.remove_prefix(name.size());
  }
  return path;
}

bool KeepsJsonRule(const JsonRule& rule, std::string_view cell, const Columns& column) {
  thread_local dom::parser parser;
  dom::element document;
  if (parser.parse(cell.data(), cell.size()).get(document) != simdjson::SUCCESS) return true;
  const JsonPath& path = rule.must.front().path;
  const auto keeps = [&](dom::element element) {
    return !KeepsAll(rule.when, element, column) || KeepsAll(rule.must, element, column);
  };
  if (!path.each) return keeps(document);
  const Spot list = Walk(document, path.list);
  dom::array elements;
  if (list.null() || list.value.get_array().get(elements) != simdjson::SUCCESS) return true;
  for (dom::element element : elements) {
    if (!keeps(element)) return false;
  }
  return true;
}

}  // namespace flyball::check
