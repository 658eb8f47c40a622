#include "estate/decode_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace flyball::estate {
namespace {

// In the order of EventKind.
constexpr std::array<std::string_view, 3> kKinds = {"price", "end", "launch"};
constexpr Money kFactorMax = Money::FromUnits(int128{1000} * 1'000'000'000'000);
constexpr size_t kScopeDimensionsMax = 4;

Result<std::vector<EventScope>> DecodeScope(At map) {
  std::vector<EventScope> scope;
  FB_CHECK(ExpectMap(map, "a map of dimensions and values, such as { team: search }"));
  for (size_t i = 0; i < map.node.keys.size(); ++i) {
    const At key{map.node.keys[i], map.file};
    EventScope& one = scope.emplace_back();
    one.dimension = key.node.scalar;
    const dimension::Info* info = dimension::Find(one.dimension);
    if (info == nullptr || info->kind == dimension::Kind::kPeriod) {
      std::vector<std::string_view> names;
      for (const dimension::Info& known : dimension::Dimensions()) names.push_back(known.name);
      return UnknownName(key, "dimension", one.dimension, names);
    }
    one.values = FB_TRY(ReadTexts(At{map.node.items[i], map.file}, "a value of the dimension"));
    if (one.values.empty()) return Unexpected(key, "a dimension with a value");
  }
  if (scope.size() > kScopeDimensionsMax) {
    return Unexpected(map, fmt::format("at most {} dimensions", kScopeDimensionsMax));
  }
  return scope;
}

Status CheckFields(At map, const ForecastEvent& event, bool has_factor) {
  switch (event.kind) {
    case EventKind::kPrice:
      if (!has_factor || event.amount) {
        return Unexpected(map, "a price with `factor` and without `amount`",
                          "0.8 where it costs a fifth less");
      }
      break;
    case EventKind::kEnd:
      if (has_factor) return Unexpected(map, "an end without `factor`");
      if (!event.amount && event.where.empty()) {
        return Unexpected(map, "an end with `where` or `amount`", "all would end otherwise");
      }
      break;
    case EventKind::kLaunch:
      if (has_factor || !event.amount) {
        return Unexpected(map, "a launch with `amount`, what it costs a day, and without `factor`");
      }
      for (const EventScope& one : event.where) {
        if (one.values.size() > 1) {
          return Unexpected(map, "a launch with one value for each dimension",
                            "write a launch for each");
        }
      }
      break;
  }
  return {};
}

Result<ForecastEvent> DecodeEvent(At map, const std::string& currency) {
  FB_CHECK(ExpectMap(map, "an event with `at` and `kind`"));
  FB_CHECK(CheckKeys(map, "an event of a forecast",
                     {"at", "kind", "where", "factor", "amount", "currency", "note"}));
  ForecastEvent event;
  event.place = map.place();
  const YamlNode* at = map.node.Find("at");
  const YamlNode* kind = map.node.Find("kind");
  if (at == nullptr || kind == nullptr) return Unexpected(map, "an event with `at` and `kind`");
  const Result<Instant> day = ParseUserInstant(FB_TRY(ReadText(At{*at, map.file}, "a day")));
  if (!day || *day != FloorDay(*day)) {
    return Unexpected(At{*at, map.file}, "a day", "such as 2026-12-01");
  }
  event.at = *day;
  const std::string name = FB_TRY(ReadClosed(At{*kind, map.file}, "kind of an event", kKinds));
  event.kind = static_cast<EventKind>(std::ranges::find(kKinds, name) - kKinds.begin());
  if (const YamlNode* where = map.node.Find("where")) {
    event.where = FB_TRY(DecodeScope(At{*where, map.file}));
  }
  const std::optional<Money> factor = FB_TRY(ReadMoneyAt(map, "factor", "a factor"));
  if (factor && (factor->is_zero() || *factor > kFactorMax)) {
    return Unexpected(At{*map.node.Find("factor"), map.file}, "a factor above 0, at most 1000",
                      "what costs nothing any more is an `end`");
  }
  if (factor) event.factor = *factor;
  event.amount = FB_TRY(ReadMoneyAt(map, "amount", "an amount a day"));
  event.currency = FB_TRY(ReadTextAt(map, "currency", "a currency"));
  if (event.currency.empty()) event.currency = currency;
  event.note = FB_TRY(ReadTextAt(map, "note", "a note"));
  FB_CHECK(CheckFields(map, event, factor.has_value()));
  return event;
}

}  // namespace

Result<std::vector<ForecastEvent>> DecodeForecast(At map, const std::string& currency) {
  std::vector<ForecastEvent> events;
  FB_CHECK(ExpectMap(map, "what is known to come, under `events`"));
  FB_CHECK(CheckKeys(map, "`forecast`", {"events"}));
  const YamlNode* list = map.node.Find("events");
  if (list == nullptr) return events;
  FB_CHECK(ExpectList(At{*list, map.file}, "a list of events"));
  if (list->items.size() > kForecastEventsMax) {
    return Unexpected(At{*list, map.file}, fmt::format("at most {} events", kForecastEventsMax));
  }
  for (const YamlNode& node : list->items) {
    events.push_back(FB_TRY(DecodeEvent(At{node, map.file}, currency)));
  }
  std::ranges::sort(events, {}, [](const ForecastEvent& event) {
    return std::tuple(event.at, event.place.line, event.place.column);
  });
  return events;
}

}  // namespace flyball::estate
