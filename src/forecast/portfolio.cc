#include "forecast/portfolio.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "forecast/ces.h"
#include "forecast/ets.h"
#include "forecast/fold.h"
#include "forecast/intermittent.h"
#include "forecast/mstl.h"
#include "forecast/naive.h"
#include "forecast/theta.h"

namespace flyball::forecast {
namespace {

constexpr size_t kShortLength = 5;
// Intermittent is what has a demand every 1.32 steps or less often (Syntetos, Boylan and Croston,
// 2005), and zeros for a third at least.
constexpr double kIntervalMin = 1.32;
constexpr double kZeroShareMin = 1.0 / 3;
// Fits are kept from the first trial on where it saw this share of a past of this length.
constexpr double kKeepFitShare = 0.66;
constexpr size_t kKeepFitLength = 250;
// A member whose last trial was this much worse than seasonal naive is out.
constexpr double kGate = 3;

constexpr std::array<std::string_view, static_cast<size_t>(Member::kMembers)> kNames{
    "naive", "snaive", "long-naive", "drift", "ets", "theta", "dynamic-theta",
    "ces",   "mstl",   "fold",       "sba",   "tsb", "imapa"};

// Up to this period a season has few enough states for ETS to be worth its time.
constexpr size_t kFewStates = 12;

std::vector<Member> MembersOf(Regime regime, size_t shortest_period) {
  switch (regime) {
    case Regime::kConstant:
    case Regime::kShort:
      return {Member::kNaive};
    case Regime::kIntermittent:
      return {Member::kSba, Member::kTsb, Member::kImapa, Member::kSeasonalNaive};
    case Regime::kPlain:
      return {Member::kNaive, Member::kDrift,        Member::kEts,
              Member::kTheta, Member::kDynamicTheta, Member::kCes};
    case Regime::kSeasonal:
      return {Member::kSeasonalNaive, Member::kDrift, Member::kEts,  Member::kTheta,
              Member::kDynamicTheta,  Member::kCes,   Member::kMstl, Member::kFold};
    case Regime::kManySeasons: {
      std::vector<Member> members{Member::kSeasonalNaive, Member::kLongNaive, Member::kCes,
                                  Member::kMstl, Member::kFold};
      if (shortest_period <= kFewStates) {
        members.insert(members.end(), {Member::kEts, Member::kDynamicTheta});
      }
      return members;
    }
  }
  return {};
}

bool IsSlow(Member member) {
  return member == Member::kEts || member == Member::kCes || member == Member::kDynamicTheta;
}

double MeanAbsoluteError(const Path& path, const Path& actual) {
  double sum = 0;
  for (size_t i = 0; i < actual.size(); ++i) sum += std::abs(path[i] - actual[i]);
  return sum / static_cast<double>(actual.size());
}

// Oldest first. Each has the whole horizon where the past allows, the last may have less.
std::vector<size_t> Origins(size_t length, size_t longest_period, size_t horizon, size_t most) {
  const size_t least = std::max<size_t>(2 * longest_period + 1, kShortLength + 1);
  std::vector<size_t> origins;
  for (size_t i = most; i >= 1; --i) {
    if (i * horizon + least <= length) origins.push_back(length - i * horizon);
  }
  // Half a horizon says more than none.
  if (origins.empty() && length > least) {
    origins.push_back(std::max(least, length - std::max<size_t>(1, horizon / 2)));
  }
  return origins;
}

struct Candidate {
  Member member;
  Fit fit;
  std::vector<Path> trial_paths;
  std::vector<double> errors;
};

bool LeavesRange(Values past, const Path& path) {
  const auto [low, high] = std::ranges::minmax(past);
  const double range = high - low;
  return std::ranges::any_of(path, [&](double value) {
    return !std::isfinite(value) || value < low - range || value > high + range;
  });
}

// Weights by the errors of all trials but one (`without`; no trial: all count): the more trials,
// the steeper, from equal weights without any to nearly the inverse square.
std::vector<double> Weights(const std::vector<Candidate>& candidates, size_t without) {
  std::vector<double> weights(candidates.size(), 1.0);
  const size_t trials = candidates[0].errors.size();
  double count = 0;
  for (size_t t = 0; t < trials; ++t) count += t != without ? 1 : 0;
  if (count == 0) return weights;
  const double power = 2 * count / (count + 1);
  std::vector<double> means(candidates.size(), 0.0);
  for (size_t c = 0; c < candidates.size(); ++c) {
    for (size_t t = 0; t < trials; ++t) {
      if (t != without) means[c] += candidates[c].errors[t] / count;
    }
  }
  const double best = std::max(std::ranges::min(means), 1e-12);
  for (size_t c = 0; c < candidates.size(); ++c) {
    weights[c] = std::pow(best / std::max(means[c], best), power);
  }
  return weights;
}

// `path_of` gives the path of a candidate. Candidates with weight 0 are not asked.
template <typename PathOf>
Path MedianPath(const std::vector<double>& weights, size_t horizon, const PathOf& path_of) {
  Path median(horizon);
  std::vector<std::pair<double, double>> values;
  for (size_t step = 0; step < horizon; ++step) {
    values.clear();
    for (size_t c = 0; c < weights.size(); ++c) {
      if (weights[c] > 0) values.emplace_back(path_of(c)[step], weights[c]);
    }
    median[step] = WeightedMedian(values);
  }
  return median;
}

void TryCandidates(Values past, std::span<const size_t> periods, std::vector<Trial>& trials,
                   std::vector<Candidate>& candidates) {
  for (const Trial& trial : trials) {
    const Values known = past.first(trial.origin);
    const std::vector<size_t> usable = UsablePeriods(known.size(), periods);
    for (Candidate& candidate : candidates) {
      Path path = RunMember(candidate.member, known, usable, trial.actual.size(), candidate.fit);
      // What explodes here is told by its error; as a path it would only be infinite.
      if (!std::ranges::all_of(path, [](double v) { return std::isfinite(v); })) {
        path = SeasonalNaive(known, 1, trial.actual.size());
      }
      candidate.errors.push_back(MeanAbsoluteError(path, trial.actual));
      candidate.trial_paths.push_back(std::move(path));
    }
  }
  for (size_t t = 0; t < trials.size(); ++t) {
    trials[t].combined =
        MedianPath(Weights(candidates, t), trials[t].actual.size(),
                   [&](size_t c) -> const Path& { return candidates[c].trial_paths[t]; });
  }
}

// The members that go on after the last trial.
std::vector<bool> PassGate(Values past, std::span<const size_t> periods,
                           const std::vector<Candidate>& candidates,
                           const std::vector<Trial>& trials, const std::vector<Path>& paths) {
  std::vector<bool> passes(candidates.size(), true);
  double limit = std::numeric_limits<double>::infinity();
  if (!trials.empty()) {
    const Values known = past.first(trials.back().origin);
    const size_t period = periods.empty() ? 1 : periods.back();
    const Path naive = SeasonalNaive(known, period, trials.back().actual.size());
    limit = kGate * MeanAbsoluteError(naive, trials.back().actual);
  }
  for (size_t c = 0; c < candidates.size(); ++c) {
    const bool failed = !candidates[c].errors.empty() && candidates[c].errors.back() > limit;
    passes[c] = !failed && !LeavesRange(past, paths[c]);
  }
  return passes;
}

}  // namespace

std::string_view RegimeName(Regime regime) {
  switch (regime) {
    case Regime::kConstant:
      return "constant";
    case Regime::kShort:
      return "short";
    case Regime::kIntermittent:
      return "intermittent";
    case Regime::kPlain:
      return "plain";
    case Regime::kSeasonal:
      return "seasonal";
    case Regime::kManySeasons:
      return "many-seasons";
  }
  return "";
}

Regime RegimeOf(Values past, std::span<const size_t> periods) {
  if (past.empty()) return Regime::kShort;
  if (std::ranges::all_of(past, [&](double v) { return v == past[0]; })) return Regime::kConstant;
  if (past.size() < kShortLength) return Regime::kShort;
  const double zeros = static_cast<double>(std::ranges::count(past, 0.0));
  const double n = static_cast<double>(past.size());
  const bool negative = std::ranges::min(past) < 0;
  if (!negative && zeros >= kZeroShareMin * n && n / (n - zeros) > kIntervalMin) {
    return Regime::kIntermittent;
  }
  const std::vector<size_t> usable = UsablePeriods(past.size(), periods);
  if (usable.empty()) return Regime::kPlain;
  return usable.size() > 1 || usable[0] > kCesPeriodMax ? Regime::kManySeasons : Regime::kSeasonal;
}

std::vector<size_t> UsablePeriods(size_t length, std::span<const size_t> periods) {
  std::vector<size_t> usable;
  for (const size_t period : periods) {
    if (period >= 2 && 2 * period + 1 <= length) usable.push_back(period);
  }
  return usable;
}

std::string_view MemberName(Member member) { return kNames[static_cast<size_t>(member)]; }

bool ParseMember(std::string_view name, Member* member) {
  const auto* const at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return false;
  *member = static_cast<Member>(at - kNames.begin());
  return true;
}

std::string MemberNames() {
  std::string names;
  for (const std::string_view name : kNames) {
    names += names.empty() ? "" : ", ";
    names += name;
  }
  return names;
}

Path RunMember(Member member, Values past, std::span<const size_t> periods, size_t horizon,
               Fit& fit) {
  const size_t shortest = periods.empty() ? 1 : periods.front();
  const size_t longest = periods.empty() ? 1 : periods.back();
  switch (member) {
    case Member::kSeasonalNaive:
      return SeasonalNaive(past, shortest, horizon);
    case Member::kLongNaive:
      return SeasonalNaive(past, longest, horizon);
    case Member::kDrift:
      return Drift(past, horizon);
    case Member::kEts:
      return Ets(past, shortest, horizon, fit);
    case Member::kTheta:
      return Theta(past, shortest, horizon, fit);
    case Member::kDynamicTheta:
      return DynamicTheta(past, shortest, horizon, fit);
    case Member::kCes:
      return Ces(past, shortest, horizon, fit);
    case Member::kMstl:
      return Mstl(past, periods, horizon, fit);
    case Member::kFold:
      return Fold(past, periods, horizon);
    case Member::kSba:
      return Sba(past, horizon);
    case Member::kTsb:
      return Tsb(past, horizon);
    case Member::kImapa:
      return Imapa(past, horizon);
    default:
      return SeasonalNaive(past, 1, horizon);
  }
}

double WeightedMedian(std::vector<std::pair<double, double>> values_and_weights) {
  std::ranges::sort(values_and_weights);
  double whole = 0;
  for (const auto& [value, weight] : values_and_weights) whole += weight;
  double below = 0, last_value = 0, last_centre = 0;
  bool first = true;
  for (const auto& [value, weight] : values_and_weights) {
    if (weight > whole / 2) return value;
    const double centre = below + weight / 2;
    if (centre >= whole / 2) {
      if (first || centre <= last_centre) return value;
      return last_value + (value - last_value) * (whole / 2 - last_centre) / (centre - last_centre);
    }
    below += weight;
    last_value = value;
    last_centre = centre;
    first = false;
  }
  return last_value;
}

Combination Combine(Values past, std::span<const size_t> periods, size_t horizon,
                    const PortfolioOptions& options) {
  Combination combination;
  combination.regime = RegimeOf(past, periods);
  const std::vector<size_t> usable = UsablePeriods(past.size(), periods);
  const bool fixed =
      combination.regime == Regime::kConstant || combination.regime == Regime::kShort;
  const size_t longest = usable.empty() ? 1 : usable.back();
  std::vector<Member> members = options.members;
  if (members.empty() || fixed) {
    members = MembersOf(combination.regime, usable.empty() ? 1 : usable.front());
    if (options.fast) std::erase_if(members, IsSlow);
  }
  std::vector<Candidate> candidates;
  for (const Member member : members) candidates.push_back({member, {}, {}, {}});
  if (!fixed) {
    const size_t steps =
        options.trial_horizon > 0 ? std::min(options.trial_horizon, horizon) : horizon;
    for (const size_t origin : Origins(past.size(), longest, steps, options.trials_max)) {
      const Values actual = past.subspan(origin, std::min(steps, past.size() - origin));
      combination.trials.push_back({origin, {actual.begin(), actual.end()}, {}});
    }
  }
  TryCandidates(past, usable, combination.trials, candidates);
  const bool keep = !combination.trials.empty() && past.size() >= kKeepFitLength &&
                    static_cast<double>(combination.trials.front().origin) >=
                        kKeepFitShare * static_cast<double>(past.size());
  std::vector<Path> paths;
  for (Candidate& candidate : candidates) {
    if (!keep) candidate.fit = {};
    paths.push_back(RunMember(candidate.member, past, usable, horizon, candidate.fit));
  }
  std::vector<double> weights = Weights(candidates, combination.trials.size());
  const std::vector<bool> passes = PassGate(past, usable, candidates, combination.trials, paths);
  for (size_t c = 0; c < candidates.size(); ++c) {
    if (!passes[c]) weights[c] = 0;
    const std::vector<double>& errors = candidates[c].errors;
    const double error = errors.empty() ? 0
                                        : std::accumulate(errors.begin(), errors.end(), 0.0) /
                                              static_cast<double>(errors.size());
    combination.members.push_back({candidates[c].member, weights[c], error});
  }
  const bool none = std::ranges::none_of(weights, [](double weight) { return weight > 0; });
  combination.path =
      none ? SeasonalNaive(past, longest, horizon)
           : MedianPath(weights, horizon, [&](size_t c) -> const Path& { return paths[c]; });
  return combination;
}

}  // namespace flyball::forecast
