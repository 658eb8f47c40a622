#include <algorithm>

#include "check/model.h"

namespace flyball::check {
namespace {
constexpr DynamicRule kRules[] = {
    {"DateTimeFormat-A-006-M", "@dates no-z"},
};
}  // namespace

const DynamicRule* FindDynamic(std::string_view id) {
  auto found = std::ranges::find(kRules, id, &DynamicRule::id);
  return found == std::end(kRules) ? nullptr : &*found;
}

std::string_view KnownMistake(std::string_view) { return {}; }

}  // namespace flyball::check
