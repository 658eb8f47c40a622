#include "estate/decode_watch.h"

#include <fmt/format.h>

#include <array>

namespace flyball::estate {
namespace {

constexpr std::array<std::string_view, 6> kKinds = {"burn",    "spike", "ramp",
                                                    "missing", "stuck", "price"};
constexpr size_t kBurnMax = 6;
constexpr size_t kExpectedMax = 366;
constexpr int64_t kWindowMaxS = 3600;
constexpr Money kOne = Money::FromUnits(1'000'000'000'000);
constexpr Money kRaiseMax = Money::FromUnits(int128{1'000'000} * kOne.units());

Result<Money> ReadFactor(At map, std::string_view key, std::string_view what) {
  const std::optional<Money> factor = FB_TRY(ReadMoneyAt(map, key, what));
  if (factor && *factor >= kOne && *factor <= kRaiseMax) return *factor;
  const YamlNode* node = map.node.Find(key);
  return Unexpected(At{node != nullptr ? *node : map.node, map.file},
                    fmt::format("`{}`, {} from 1 to 1000000", key, what));
}

Result<int64_t> ReadWindow(At map, std::string_view key) {
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return Unexpected(map, "a rule with `short_s`, `long_s` and `factor`");
  const At at{*node, map.file};
  const int64_t seconds = FB_TRY(ReadNumber(at, "seconds", 1, kWindowMaxS));
  if (seconds > 60 && seconds % 60 != 0) {
    return Unexpected(at, "up to 60 seconds, or whole minutes in seconds, such as 300");
  }
  return seconds;
}

Result<WatchedBurn> DecodeBurn(At map) {
  FB_CHECK(CheckKeys(map, "a rule of burn rates", {"short_s", "long_s", "factor"}));
  WatchedBurn burn;
  burn.short_s = FB_TRY(ReadWindow(map, "short_s"));
  burn.long_s = FB_TRY(ReadWindow(map, "long_s"));
  burn.factor = FB_TRY(ReadFactor(map, "factor", "a factor"));
  if (burn.short_s >= burn.long_s) {
    return Unexpected(At{*map.node.Find("short_s"), map.file}, "a window shorter than `long_s`");
  }
  return burn;
}

Result<Instant> ReadDay(At map, std::string_view key) {
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return Unexpected(map, "expected days with `from`, `to` and `note`");
  const At at{*node, map.file};
  const std::string text = FB_TRY(ReadText(at, "a date"));
  const Result<Instant> day = ParseUserInstant(text);
  if (!day || FloorDay(*day) != *day) return Unexpected(at, "a date such as 2026-12-24");
  return *day;
}

Result<ExpectedDays> DecodeExpected(At map) {
  FB_CHECK(CheckKeys(map, "expected days", {"from", "to", "note", "raise"}));
  ExpectedDays days;
  days.period.start = FB_TRY(ReadDay(map, "from"));
  days.period.end = Instant{FB_TRY(ReadDay(map, "to")).us + kMicrosPerDay};
  if (days.period.end <= days.period.start) {
    return Unexpected(At{*map.node.Find("to"), map.file}, "a day that is not before `from`");
  }
  days.note = FB_TRY(ReadTextAt(map, "note", "what is expected"));
  if (days.note.empty()) return Unexpected(map, "expected days with a `note`");
  days.raise = kOne;
  if (map.node.Find("raise") != nullptr) days.raise = FB_TRY(ReadFactor(map, "raise", "a factor"));
  return days;
}

template <typename T>
Result<std::vector<T>> DecodeList(At map, std::string_view key, size_t most,
                                  Result<T> (*decode)(At)) {
  std::vector<T> items;
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return items;
  const At list{*node, map.file};
  FB_CHECK(ExpectList(list, fmt::format("a list for `{}`", key)));
  if (node->items.size() > most) {
    return Unexpected(list, fmt::format("a list of at most {}", most));
  }
  for (const YamlNode& item : node->items) items.push_back(FB_TRY(decode(At{item, map.file})));
  return items;
}

}  // namespace

Result<Watch> DecodeWatch(At map) {
  FB_CHECK(CheckKeys(map, "the watch", {"enabled", "min_amount", "off", "burn", "expected"}));
  Watch watch;
  if (const YamlNode* enabled = map.node.Find("enabled")) {
    watch.enabled = FB_TRY(ReadBool(At{*enabled, map.file}, "the watch"));
  }
  watch.min_amount = FB_TRY(ReadMoneyAt(map, "min_amount", "an amount"));
  if (watch.min_amount && watch.min_amount->is_zero()) {
    return Unexpected(At{*map.node.Find("min_amount"), map.file}, "an amount above 0");
  }
  if (const YamlNode* off = map.node.Find("off")) {
    const At list{*off, map.file};
    FB_CHECK(ExpectList(list, "a list of kinds of anomalies"));
    for (const YamlNode& kind : off->items) {
      watch.off.push_back(FB_TRY(ReadClosed(At{kind, map.file}, "kind of anomaly", kKinds)));
    }
  }
  watch.burn = FB_TRY(DecodeList(map, "burn", kBurnMax, DecodeBurn));
  watch.expected = FB_TRY(DecodeList(map, "expected", kExpectedMax, DecodeExpected));
  return watch;
}

}  // namespace flyball::estate
