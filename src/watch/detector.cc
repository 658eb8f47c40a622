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
  const auto at_phase = static_cast<size_t>(phase);
  const bool phase_known = s.phase_seen[at_phase] >= kPhaseSeenMin;
  const double residual = x - s.expected;
  const double off_phase = phase_known ? x - s.profile[at_phase] * s.unit : 0;
  verdict.expected = s.expected;

  const double fast = s.fast + settings_.fast * (x - s.fast);
  const double variance =
      s.variance_fast + settings_.variance_fast * (residual * residual - s.variance_fast);
  const double drift = s.drift + settings_.drift * (off_phase - s.drift);
  const double floor =
      kFloorOfScale * std::max({std::fabs(s.least), std::fabs(s.greatest), kScaleMin});
  const bool spread = s.variance_slow > 0 && variance > 0;
  const double quiet =
      spread ? std::max(0.0, std::log(s.variance_slow / std::max(variance, floor * floor))) : 0;

  std::array<double, kFeatures> decades{};
  const auto tail = [&](Feature feature, double value, double least) {
    decades[At(feature)] =
        settings_.weights[At(feature)] * s.tails[At(feature)].Step(rates_, value, least);
  };
  tail(Feature::kResidual, std::fabs(residual), floor);
  tail(Feature::kDifference, std::fabs(x - s.last), floor);
  tail(Feature::kLevel, std::fabs(fast - s.slow), floor);
  tail(Feature::kQuiet, quiet, kFloorOfScale);
  if (phase_known) {
    tail(Feature::kSeasonal, std::fabs(off_phase), floor);
    tail(Feature::kDrift, std::fabs(drift), floor);
  }
  // Of n values the next is the greatest with a chance of 1/n, whatever their distribution; farther
  // out it is less likely still.
  const double range = s.greatest - s.least;
  const double outside = std::max({x - s.greatest, s.least - x, 0.0});
  if (outside > 0) {
    const double distance = range > 0 ? std::min(outside / range, kDistanceMax) : 1;
    decades[At(Feature::kRange)] = settings_.weights[At(Feature::kRange)] *
                                       std::log10(1 + kRangePrecision * s.seen * distance) +
                                   settings_.range_weight * std::log10(s.seen + 1.0);
  }
  for (size_t i = 0; i < kFeatures; ++i) {
    verdict.surprise += decades[i];
    if (decades[i] > decades[At(verdict.strongest)]) verdict.strongest = static_cast<Feature>(i);
  }

  s.fast = fast;
  s.variance_fast = variance;
  s.drift = drift;
  s.variance_slow = Blend(s.variance_slow, residual * residual, s.seen, settings_.variance_slow);
  Learn(state, x, phase);

  const bool open = s.seen <= settings_.warm_up || s.quiet_left > 0;
  verdict.score = verdict.surprise / (verdict.surprise + settings_.alarm);
  if (open) verdict.score *= kScoreBelow;
  verdict.opens = !open && verdict.surprise >= settings_.alarm;
  if (s.quiet_left > 0) --s.quiet_left;
  if (verdict.opens) {
    s.quiet_left =
        static_cast<uint32_t>(settings_.refractory + settings_.refractory_growth * s.seen);
  }
  return verdict;
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
