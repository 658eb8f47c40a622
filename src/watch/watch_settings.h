// WatchSettings: what the live watch looks for, as the estate says it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/time.h"

namespace flyball::watch {

// What a series is of. Each currency has series of its own: amounts of two are never added up.
enum class Level : uint8_t { kTotal, kTeam, kKey, kModel, kService, kAccount };
inline constexpr size_t kLevels = 6;
std::string_view LevelName(Level level);  // "total", "team", "key", "model", "service", "account"

struct SeriesName {
  Level level = Level::kTotal;
  std::string value;  // "" of the total
  std::string currency;
  auto operator<=>(const SeriesName&) const = default;
};

enum class Kind : uint8_t {
  kBurn,     // the pace is a multiple of what was expected, over a short and a long window
  kSpike,    // a minute's value is unlike the series
  kRamp,     // the pace has crept up: it is a multiple over the last hour
  kMissing,  // a series that was regular is silent
  kStuck,    // the same value minute after minute, where values used to differ
  kPrice,    // the unit price of a model is higher than any that was seen
};
inline constexpr size_t kKinds = 6;
std::string_view KindName(Kind kind);
bool ParseKind(std::string_view name, Kind* kind);

// Burn rates over several windows, as alerts on service levels have them (Google, The Site
// Reliability Workbook, chapter 5): the short window says that it lasts, the long one that it
// matters. Windows up to a minute count in seconds, longer ones in minutes.
struct BurnRule {
  int64_t short_s = 5, long_s = 60;
  double factor = 4;  // of the expected pace
  bool operator==(const BurnRule&) const = default;
};
inline constexpr size_t kBurnRulesMax = 6;
inline constexpr int64_t kBurnWindowMaxS = 3600;

// A time in which more than usual is expected: a release, a holiday.
struct ExpectedTime {
  Period period;
  std::string note;
  double raise = 2;  // of the factors and the least amount, meanwhile
};
inline constexpr size_t kExpectedTimesMax = 366;

// What a budget would be spent at when spread evenly over its window.
struct EvenPace {
  SeriesName series;
  double per_s = 0;
  std::string budget;
};
inline constexpr size_t kEvenPacesMax = 4096;

struct WatchSettings {
  bool enabled = true;
  // An anomaly costs at least so much, or will within kWorthWithinS at its pace; in the currency of
  // its series.
  Money min_amount = Money::FromUnits(1'000'000'000'000);
  std::vector<BurnRule> burn = {{1, 5, 8}, {5, 60, 4}, {60, 300, 3}, {300, 3600, 2}};
  std::array<bool, kKinds> off{};
  std::vector<ExpectedTime> expected;
  std::vector<EvenPace> budgets;
};
inline constexpr int64_t kWorthWithinS = 600;

// The first of the expected times that an instant is in; nullptr: none.
inline const ExpectedTime* ExpectedAt(const WatchSettings& settings, Instant at) {
  for (const ExpectedTime& each : settings.expected) {
    if (each.period.Contains(at)) return &each;
  }
  return nullptr;
}

}  // namespace flyball::watch
