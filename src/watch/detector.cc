#include "watch/detector.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace flyball::watch {
namespace {

// A phase is compared with once it was seen so often.
constexpr uint8_t kPhaseSeenMin = 3;
constexpr double kScoreBelow = 0.5;  // anomalies are opened at it
constexpr double kUnitExponentMin = -300;
// Below it nothing is scaled, so that no square and no quotient leaves the numbers.
constexpr double kScaleMin = 1e-78;
constexpr double kFloorOfScale = 1e-12;  // the least threshold, of the greatest magnitude seen
constexpr double kDistanceMax = 1e30;    // in ranges
constexpr double kProfilePrecision = 0x1p-22;  // of the scale: the profile is kept in floats
constexpr double kRangePrecision = 0.5;  // how much of 1/seen of the range counts as far outside

constexpr size_t At(Feature feature) { return static_cast<size_t>(feature); }

// Days since 1970-01-01, a Thursday, rounded down; so too for years before.
int Phase(Instant at) {
  const int64_t hours = FloorHour(at).us / kMicrosPerHour;
  const int64_t days = FloorDay(at).us / kMicrosPerDay;
  const int hour = static_cast<int>(hours - days * 24);
  const int weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);  // 0: Sunday
  const int kind = weekday == 6 ? 1 : weekday == 0 ? 2 : 0;
  return kind * 24 + hour;
}

// What a running mean becomes with one more value: a plain mean first, then one that forgets.
double Blend(double mean, double value, uint32_t seen, double rate) {
  return mean + std::max(rate, 1.0 / (seen + 1.0)) * (value - mean);
}

float Stored(double value) {
  constexpr double kMost = 3e38;
  return static_cast<float>(std::clamp(value, -kMost, kMost));
}

}  // namespace

std::string_view FeatureName(Feature feature) {
  constexpr std::string_view kNames[kFeatures] = {"residual", "difference", "range", "level",
                                                  "quiet",    "seasonal",   "drift"};
  return kNames[At(feature)];
}

Detector::Detector(const DetectorSettings& settings) : settings_(settings), rates_(settings.tail) {
  FB_ASSERT(settings.alarm > 0 && settings.tail.share > 0 && settings.tail.share < 1);
}

Verdict Detector::Step(SeriesState* state, Event event) const {
  SeriesState& s = *state;
  const double x = event.value;
  Verdict verdict;
  if (!(std::fabs(x) <= kValueMax)) {  // NaN, too
    verdict.refused = true;
    return verdict;
  }
  if (s.seen == 0) s.last = s.expected = s.fast = s.slow = s.least = s.greatest = x;
  if (s.unit == 0 && x != 0) {
    s.unit = std::exp2(std::max(kUnitExponentMin, std::floor(std::log2(std::fabs(x)))));
  }
  const int phase = Phase(event.at);
  verdict.expected = s.expected;
  const std::array<double, kFeatures> decades = Measure(state, x, phase);
  for (size_t i = 0; i < kFeatures; ++i) {
    verdict.surprise += decades[i];
    if (decades[i] > decades[At(verdict.strongest)]) verdict.strongest = static_cast<Feature>(i);
  }
  Learn(state, x, phase);

  const bool waits = s.seen <= settings_.warm_up || s.quiet_left > 0;
  verdict.score = verdict.surprise / (verdict.surprise + settings_.alarm);
  if (waits) verdict.score *= kScoreBelow;
  verdict.opens = !waits && verdict.surprise >= settings_.alarm;
  if (s.quiet_left > 0) --s.quiet_left;
  if (verdict.opens) {
    s.quiet_left = static_cast<uint32_t>(std::min(
        settings_.refractory + settings_.refractory_growth * s.seen, settings_.refractory_most));
  }
  return verdict;
}

Detector::Decades Detector::Measure(SeriesState* state, double value, int phase) const {
  SeriesState& s = *state;
  const auto at_phase = static_cast<size_t>(phase);
  const bool phase_known = s.phase_seen[at_phase] >= kPhaseSeenMin;
  const double residual = value - s.expected;
  const double off_phase = phase_known ? value - s.profile[at_phase] * s.unit : 0;
  s.fast += settings_.fast * (value - s.fast);
  s.variance_fast += settings_.variance_fast * (residual * residual - s.variance_fast);
  s.drift += settings_.drift * (off_phase - s.drift);
  const double floor =
      kFloorOfScale * std::max({std::fabs(s.least), std::fabs(s.greatest), kScaleMin});
  const bool spread = s.variance_slow > 0 && s.variance_fast > 0;
  const double calm =
      spread ? std::log(s.variance_slow / std::max(s.variance_fast, floor * floor)) : 0;
  s.variance_slow = Blend(s.variance_slow, residual * residual, s.seen, settings_.variance_slow);

  Decades decades{};
  const auto tail = [&](Feature feature, double distance, double least) {
    decades[At(feature)] =
        settings_.weights[At(feature)] * s.tails[At(feature)].Step(rates_, distance, least);
  };
  tail(Feature::kResidual, std::fabs(residual), floor);
  tail(Feature::kDifference, std::fabs(value - s.last), floor);
  tail(Feature::kLevel, std::fabs(s.fast - s.slow), floor);
  tail(Feature::kQuiet, std::max(0.0, calm), kFloorOfScale);
  if (phase_known) {
    const double rounding = floor / kFloorOfScale * kProfilePrecision;
    tail(Feature::kSeasonal, std::fabs(off_phase), rounding);
    tail(Feature::kDrift, std::fabs(s.drift), rounding);
  }
  decades[At(Feature::kRange)] = RangeDecades(s, value);
  return decades;
}

// Of n values the next is the greatest with a chance of 1/n, whatever their distribution; farther
// out it is less likely still.
double Detector::RangeDecades(const SeriesState& s, double value) const {
  const double outside = std::max({value - s.greatest, s.least - value, 0.0});
  if (outside == 0) return 0;
  const double range = s.greatest - s.least;
  const double distance = range > 0 ? std::min(outside / range, kDistanceMax) : 1;
  return settings_.weights[At(Feature::kRange)] *
             std::log10(1 + kRangePrecision * s.seen * distance) +
         settings_.range_weight * std::log10(s.seen + 1.0);
}

void Detector::Learn(SeriesState* state, double value, int phase) const {
  SeriesState& s = *state;
  const auto at = static_cast<size_t>(phase);
  s.last = value;
  s.expected += settings_.expected * (value - s.expected);
  s.slow = Blend(s.slow, value, s.seen, settings_.slow);
  s.least = std::min(s.least, value);
  s.greatest = std::max(s.greatest, value);
  if (s.unit != 0) {
    s.profile[at] =
        Stored(Blend(s.profile[at], value / s.unit, s.phase_seen[at], settings_.profile));
  }
  if (s.phase_seen[at] < UINT8_MAX) ++s.phase_seen[at];
  if (s.seen < UINT32_MAX) ++s.seen;
}

}  // namespace flyball::watch
