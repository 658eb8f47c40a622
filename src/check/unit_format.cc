// UnitFormat: "<plural units>", "<singular unit>-<plural time units>", "<plural units>/<time
// unit>", each with an optional whole number before a part ("1000 Requests", "GB-Hours",
// "Requests/3 Months"). Source: FOCUS_Spec, specification/attributes/unit_format.
#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "check/facts.h"

namespace flyball::check {
namespace {

using namespace fact;

constexpr std::string_view kData[] = {"b",   "B",   "Kb",  "KB",  "Mb",  "MB",  "Gb",  "GB",  "Tb",
                                      "TB",  "Pb",  "PB",  "Eb",  "EB",  "Kib", "KiB", "Mib", "MiB",
                                      "Gib", "GiB", "Tib", "TiB", "Pib", "PiB", "Eib", "EiB"};
// Singular and plural.
struct Word {
  std::string_view one, many;
};
constexpr Word kTimes[] = {{"Second", "Seconds"}, {"Minute", "Minutes"}, {"Hour", "Hours"},
                           {"Day", "Days"},       {"Month", "Months"},   {"Year", "Years"}};
constexpr Word kCounts[] = {{"Count", "Count"},    {"Unit", "Units"},    {"Request", "Requests"},
                            {"Token", "Tokens"},   {"Core", "Cores"},    {"Domain", "Domains"},
                            {"Record", "Records"}, {"Server", "Servers"}};

enum class Number : uint8_t { kOne, kMany, kEither };

// What a name is of the listed units: itself, the same in other letters, or none of them.
struct Listed {
  bool exact = false;
  bool near = false;
  Number number = Number::kEither;
};
Listed Look(std::string_view name) {
  Listed found;
  const auto see = [&](std::string_view listed, Number number) {
    if (listed == name) {
      found = {true, true, number};
    } else if (!found.exact && EqualsIgnoreCase(listed, name)) {
      found = {false, true, number};
    }
  };
  for (std::string_view unit : kData) see(unit, Number::kEither);
  for (const auto& words : {std::span<const Word>(kTimes), std::span<const Word>(kCounts)}) {
    for (const Word& word : words) {
      see(word.one, word.one == word.many ? Number::kEither : Number::kOne);
      see(word.many, word.one == word.many ? Number::kEither : Number::kMany);
    }
  }
  return found;
}

bool IsTime(std::string_view name) {
  return std::ranges::any_of(kTimes, [&](const Word& word) {
    return EqualsIgnoreCase(word.one, name) || EqualsIgnoreCase(word.many, name);
  });
}

// Takes a number and a blank off the front: "1000 Tokens". True when there was one.
bool TakeQuantity(std::string_view* part, Facts* facts) {
  size_t digits = 0;
  bool whole = true;
  while (digits < part->size() &&
         std::string_view("0123456789.,").find((*part)[digits]) != std::string_view::npos) {
    if ((*part)[digits] == '.' || (*part)[digits] == ',') whole = false;
    ++digits;
  }
  if (digits == 0 || digits >= part->size() || (*part)[digits] != ' ') return false;
  if (!whole) *facts |= kUnitNumber | kUnitForm;
  part->remove_prefix(digits + 1);
  return true;
}

// One unit of a measure. `plural`: it must not stand in its singular.
Facts ReadPart(std::string_view part, bool time, std::optional<Number> wanted) {
  Facts facts = 0;
  const bool counted = TakeQuantity(&part, &facts);
  if (part.empty() || part != Trim(part)) return facts | kUnitForm;
  const Listed listed = Look(part);
  if (time && !IsTime(part)) facts |= kUnitForm;
  if (listed.near && !listed.exact) facts |= kUnitCase;
  if (!listed.near) {
    // A count of something of the provider's own is allowed, and is written with a capital; so is
    // a dimension that is not listed, by the symbol of its unit (kWh, mAh).
    const bool symbol = std::ranges::any_of(part, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (part.front() >= 'a' && part.front() <= 'z' && !symbol) facts |= kUnitUnknown;
    return facts;
  }
  if (listed.number == Number::kEither || !wanted) return facts;
  if (listed.number != *wanted && !counted) facts |= kUnitForm;
  return facts;
}

}  // namespace

Facts ReadUnit(std::string_view text) {
  if (size_t slash = text.find('/'); slash != std::string_view::npos) {
    return ReadPart(text.substr(0, slash), false, Number::kMany) |
           ReadPart(text.substr(slash + 1), true, std::nullopt);
  }
  // The hyphen before a unit of time; a name may have hyphens of its own.
  const size_t hyphen = text.rfind('-');
  if (hyphen != std::string_view::npos && IsTime(text.substr(hyphen + 1))) {
    return ReadPart(text.substr(0, hyphen), false, Number::kOne) |
           ReadPart(text.substr(hyphen + 1), true, Number::kMany);
  }
  return ReadPart(text, false, Number::kMany);
}

}  // namespace flyball::check
