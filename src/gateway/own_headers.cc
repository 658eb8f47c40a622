#include "gateway/own_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace flyball::gateway {
namespace {

constexpr std::string_view kOwn = "x-flyball-";
constexpr std::string_view kTags = "x-flyball-tags";

bool IsOwn(std::string_view name) {
  return name.size() > kOwn.size() && EqualsIgnoreCase(name.substr(0, kOwn.size()), kOwn);
}

Status CheckTags(std::string_view tags) {
  std::vector<std::string_view> names;
  for (const std::string_view tag : SplitText(tags, ',')) {
    names.push_back(Trim(tag.substr(0, tag.find('='))));
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return {};
  return Fail(Code::kInvalidArgument,
              fmt::format("the header {} names the tag '{}' twice", kTags, twice->substr(0, 100)),
              "give each tag one value");
}

}  // namespace

Status CheckOwnHeaders(std::span<const HeaderView> headers) {
  for (size_t i = 0; i < headers.size(); ++i) {
    if (!IsOwn(headers[i].name)) continue;
    for (const HeaderView& other : headers.first(i)) {
      if (!EqualsIgnoreCase(other.name, headers[i].name)) continue;
      return Fail(
          Code::kInvalidArgument,
          fmt::format("the header {} is given twice", ToLower(headers[i].name.substr(0, 100))),
          "send it once; tags stand in one header, with commas between them");
    }
    if (EqualsIgnoreCase(headers[i].name, kTags)) FB_CHECK(CheckTags(headers[i].value));
  }
  return {};
}

}  // namespace flyball::gateway
