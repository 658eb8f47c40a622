#include "gateway/strict_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/text.h"

namespace flyball::gateway::strict {

namespace {

// Stops at the first place that is no JSON, or at the first whole number that 64 bits can't hold.
class Finder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool key(std::string& name) override {
    name_ = name.substr(0, 100);
    return true;
  }
  bool number_float(double /*value*/, const std::string& text) override {
    if (text.find_first_of(".eE") != std::string::npos) return true;
    number_is_large_ = true;
    return false;
  }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    // 406: a number that even a double can't hold.
    number_is_large_ = error.id == 406;
    position_ = position;
    return false;
  }
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(int64_t /*value*/) override { return true; }
  bool number_unsigned(uint64_t /*value*/) override { return true; }
  bool string(std::string& /*value*/) override { return true; }
  bool binary(nlohmann::json::binary_t& /*value*/) override { return true; }
  bool start_object(size_t /*size*/) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t /*size*/) override { return true; }
  bool end_array() override { return true; }

  const std::string& name() const { return name_; }
  bool number_is_large() const { return number_is_large_; }
  size_t position() const { return position_; }

 private:
  std::string name_;  // of the member that is read, or was last
  bool number_is_large_ = false;
  size_t position_ = 0;  // counted from 1; 0: everything was read
};

}  // namespace

Error NoJson(std::string_view text, std::string_view reason) {
  Finder found;
  if (text.size() <= kExplainedBytesMax) nlohmann::json::sax_parse(text, &found);
  if (found.number_is_large() && !found.name().empty()) {
    return Wrong(found.name(), "is a number beyond 64 bits").error();
  }
  if (found.position() == 0 || text.empty()) {
    return {Code::kInvalidArgument, fmt::format("the body is no JSON: {}", reason), {}, {}};
  }
  return {Code::kInvalidArgument,
          fmt::format("the body is no JSON at its byte {} of {}: {}",
                      std::min(found.position(), text.size()), text.size(), reason),
          {},
          {}};
}

std::unexpected<Error> Wrong(std::string_view member, std::string_view expected) {
  return Fail(Code::kInvalidArgument, fmt::format("'{}' {}", member, expected));
}

bool IsTrue(const dom::element& value) {
  bool is = false;
  return value.get(is) == simdjson::SUCCESS && is;
}

std::string_view TextOf(const dom::element& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::string_view TextOf(const dom::object& members, std::string_view name) {
  dom::element value;
  return members[name].get(value) == simdjson::SUCCESS ? TextOf(value) : std::string_view();
}

bool Has(const dom::object& members, std::string_view name) {
  dom::element value;
  return members[name].get(value) == simdjson::SUCCESS && !value.is_null();
}

bool IsOneOf(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<int64_t> PositiveNumber(std::string_view member, const dom::element& value, int64_t most) {
  int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < 1 || number > most) {
    return Wrong(member, fmt::format("is a whole number from 1 to {}", most));
  }
  return number;
}

Status NoNameTwice(const dom::object& members) {
  std::array<std::string_view, 16> few;  // most objects have no more, and need no memory
  std::vector<std::string_view> many;
  const bool are_few = members.size() <= few.size();
  auto end = few.begin();
  for (const dom::key_value_pair& member : members) {
    if (!are_few) {
      many.push_back(member.key);
      continue;
    }
    if (std::find(few.begin(), end, member.key) != end) {
      return Wrong(member.key.substr(0, 100), "is given twice");
    }
    *end++ = member.key;
  }
  std::ranges::sort(many);
  const auto twice = std::ranges::adjacent_find(many);
  return twice == many.end() ? Status() : Status(Wrong(twice->substr(0, 100), "is given twice"));
}

std::string Folded(std::string_view name) {
  std::string folded = ToLower(name);
  for (const auto& [letter, as] : {std::pair("\xc5\xbf", 's'), std::pair("\xe2\x84\xaa", 'k')}) {
    for (size_t at = 0; (at = folded.find(letter, at)) != std::string::npos;) {
      folded.replace(at, std::string_view(letter).size(), 1, as);
    }
  }
  return folded;
}

bool HasOtherCase(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c & 0x80) != 0; });
}

Status NoneInAnotherCase(const dom::object& members, std::span<const std::string_view> names) {
  for (const auto& [name, value] : members) {
    if (!HasOtherCase(name)) continue;
    const std::string folded = Folded(name);
    if (!IsOneOf(folded, names)) continue;
    return Wrong(name, fmt::format("is read as '{}' by some vendors: write it so", folded));
  }
  return {};
}

}  // namespace flyball::gateway::strict
