#include "estate/decode_util.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace flyball::estate {
namespace {

struct DurationUnit {
  std::string_view name;
  int64_t us;
};
constexpr DurationUnit kDurationUnits[] = {{"s", kMicrosPerSecond},
                                           {"m", 60 * kMicrosPerSecond},
                                           {"h", kMicrosPerHour},
                                           {"d", kMicrosPerDay}};

bool IsVariable(std::string_view name) {
  return !name.empty() && (name[0] < '0' || name[0] > '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

// Whether the part of an address behind its scheme is this machine. Names that only begin so
// ("localhost.example") are others.
bool IsLoopbackAddress(std::string_view rest) {
  std::string_view host = rest.substr(0, rest.find('/'));
  if (const size_t colon = host.rfind(':'); colon != std::string_view::npos && colon > 0) {
    if (!host.ends_with(']')) host = host.substr(0, colon);
  }
  if (EqualsIgnoreCase(host, "localhost") || host == "[::1]") return true;
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::unexpected<Error> Unexpected(At at, std::string_view expected, std::string hint) {
  return Fail(Error{Code::kInvalidArgument,
                    fmt::format("found {} where {} is expected", Describe(at.node), expected),
                    std::move(hint), at.place()});
}

std::unexpected<Error> UnknownName(At at, std::string_view what, std::string_view name,
                                   const std::vector<std::string_view>& known) {
  std::string_view nearest = Nearest(name, known);
  std::string guess = nearest.empty() ? "" : fmt::format("did you mean '{}'? ", nearest);
  constexpr size_t kShown = 30;
  std::vector<std::string_view> shown(
      known.begin(), known.begin() + static_cast<ptrdiff_t>(std::min(known.size(), kShown)));
  return Fail(Error{Code::kInvalidArgument, fmt::format("'{}' is no {}", name, what),
                    fmt::format("{}known are: {}{}", guess, fmt::join(shown, ", "),
                                known.size() > kShown ? ", ..." : ""),
                    at.place()});
}

Status ExpectMap(At at, std::string_view what) {
  if (at.node.kind == YamlNode::Kind::kMap) return {};
  return Unexpected(at, what, "write `key: value` lines, indented");
}

Status ExpectList(At at, std::string_view what) {
  if (at.node.kind == YamlNode::Kind::kList) return {};
  return Unexpected(at, what, "start each item with `- `, or write [a, b]");
}

Status CheckKeys(At map, std::string_view what, const std::vector<std::string_view>& known) {
  FB_CHECK(ExpectMap(map, what));
  for (const YamlNode& key : map.node.keys) {
    if (std::find(known.begin(), known.end(), key.scalar) != known.end()) continue;
    return UnknownName(At{key, map.file}, fmt::format("key of {}", what), key.scalar, known);
  }
  return {};
}

Result<std::string> ReadText(At at, std::string_view what) {
  if (at.node.kind != YamlNode::Kind::kScalar || Trim(at.node.scalar).empty()) {
    return Unexpected(at, what);
  }
  return std::string(Trim(at.node.scalar));
}

Result<int64_t> ReadNumber(At at, std::string_view what, int64_t least, int64_t most) {
  const std::string text = FB_TRY(ReadText(at, what));
  int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < least ||
      number > most) {
    return Unexpected(at, fmt::format("{}, a whole number from {} to {}", what, least, most));
  }
  return number;
}

Result<std::string> ReadTextAt(At map, std::string_view key, std::string_view what) {
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return std::string();
  return ReadText(At{*node, map.file}, what);
}

Result<std::vector<std::string>> ReadTexts(At at, std::string_view what) {
  std::vector<std::string> texts;
  if (at.node.kind != YamlNode::Kind::kList) {
    texts.push_back(FB_TRY(ReadText(at, what)));
    return texts;
  }
  if (at.node.items.empty()) return Unexpected(at, what, "the list is empty");
  for (const YamlNode& item : at.node.items) {
    texts.push_back(FB_TRY(ReadText(At{item, at.file}, what)));
  }
  return texts;
}

Result<bool> ReadBool(At at, std::string_view what) {
  if (at.node.kind == YamlNode::Kind::kScalar) {
    if (EqualsIgnoreCase(at.node.scalar, "true")) return true;
    if (EqualsIgnoreCase(at.node.scalar, "false")) return false;
  }
  return Unexpected(at, fmt::format("true or false for {}", what));
}

Result<std::optional<Money>> ReadMoneyAt(At map, std::string_view key, std::string_view what) {
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return std::optional<Money>();
  At at{*node, map.file};
  std::string text = FB_TRY(ReadText(at, what));
  Result<Money> money = Money::Parse(text);
  if (!money || money->units() < 0) {
    return Unexpected(at, fmt::format("{}, a decimal that is not negative,", what),
                      "write 12500 or 0.035, without a currency sign or thousands separators");
  }
  return std::optional<Money>(*money);
}

std::optional<std::string_view> FindClosed(std::string_view text,
                                           std::span<const std::string_view> allowed) {
  auto plain = [](std::string_view t) {
    std::string out = ToLower(t);
    for (char& c : out) {
      if (c == '_' || c == '-') c = ' ';
    }
    return out;
  };
  std::string wanted = plain(Trim(text));
  for (std::string_view value : allowed) {
    if (plain(value) == wanted) return value;
  }
  return std::nullopt;
}

Result<std::string> ReadClosed(At at, std::string_view what,
                               std::span<const std::string_view> allowed) {
  std::string text = FB_TRY(ReadText(at, what));
  if (std::optional<std::string_view> found = FindClosed(text, allowed)) return std::string(*found);
  return UnknownName(at, what, text, {allowed.begin(), allowed.end()});
}

Status CheckAddress(At at, const std::string& url) {
  std::string_view rest = url;
  const bool http = rest.starts_with("http://");
  if (!http && !rest.starts_with("https://")) {
    return Unexpected(at, "an https:// address", "such as https://minio.acme.example:9000");
  }
  rest.remove_prefix(http ? 7 : 8);
  if (http && !IsLoopbackAddress(rest)) {
    return Unexpected(at, "an https:// address", "http:// is for this machine only");
  }
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty() || rest.find_first_of(" ?#\\%") != std::string_view::npos) {
    return Unexpected(at, "an address without a query");
  }
  if (host.find('@') != std::string_view::npos) {
    return Unexpected(at, "an address without a password",
                      "name the variables of the environment that hold the keys");
  }
  return {};
}

Status CheckVariable(At at, std::string_view key, std::string_view text) {
  if (IsVariable(text)) return {};
  return Fail(Error{
      Code::kInvalidArgument, fmt::format("`{}` is no name of a variable of the environment", key),
      "write the variable's name, such as AWS_SECRET_ACCESS_KEY; never the secret", at.place()});
}

Result<int64_t> ReadDurationAt(At map, std::string_view key, std::string_view what) {
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return 0;
  const At at{*node, map.file};
  const std::string text = FB_TRY(ReadText(at, what));
  int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(read.ptr, static_cast<size_t>(text.data() + text.size() - read.ptr));
  for (const DurationUnit& known : kDurationUnits) {
    if (read.ec != std::errc() || unit != known.name) continue;
    if (count > 0 && count <= kDurationMaxUs / known.us) return count * known.us;
  }
  return Unexpected(at, what, "write 30s, 15m, 2h or 7d, at most 400d");
}

}  // namespace flyball::estate
