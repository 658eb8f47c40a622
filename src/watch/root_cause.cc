#include "watch/root_cause.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/median.h"
#include "watch/cuboid.h"
#include "watch/deviation.h"

namespace flyball::watch {
namespace {

// The proportions that are tried for every combination: deviations of 10 % to 100 %.
constexpr size_t kProportions = 16;
constexpr double kProportionFirst = 0.10;
constexpr double kProportionStep = 0.06;
constexpr double kSpread = 0.06;  // of the leaves around them
// The best candidates of a round are looked at again with a proportion and a spread of their own.
constexpr size_t kCandidates = 48;
constexpr double kSpreadMin = 0.02;
constexpr double kSpreadMax = 0.15;
constexpr double kMedianNear = 0.12;  // as far may the median lie from the proportion that was best
// The evidence, in nats, of a combination most of whose leaves are not for it: no better than a
// guess.
constexpr double kNoMajority = -20;
constexpr double kNearMiss = 10;       // nats below zero that a second look may make up for,
constexpr double kFirstNearMiss = 40;  // and in the first round, that must find something

double LogNormal(double offset, double variance) {
  return -0.5 * (offset * offset / variance + std::log(2 * std::numbers::pi * variance));
}

using Gains = std::array<float, kProportions>;

struct Candidate {
  double evidence;
  CuboidMask mask;
  uint32_t leaf;  // one of its leaves, a position in Search::leaves_
  size_t proportion;
};

double Proportion(size_t index) {
  return kProportionFirst + kProportionStep * static_cast<double>(index);
}

class Search {
 public:
  Search(const LeafTable& table, const RootCauseSettings& settings)
      : table_(table),
        settings_(settings),
        deviations_(MeasureDeviations(table)),
        noise_(EstimateNoise(deviations_)) {
    for (uint32_t leaf = 0; leaf < table.leaves(); ++leaf) {
      if (deviations_.magnitude[leaf] > 0) leaves_.push_back(leaf);
    }
    MeasureGains();
  }

  // What to take next, best first: combinations that share no leaf with a better one. They are
  // taken out of the search. Empty: there is nothing more.
  std::vector<Candidate> Round(bool first);

 private:
  double LogNoise(uint32_t leaf) const {
    const double offset = deviations_.relative[leaf];
    const double normal = std::exp(LogNormal(offset, noise_.Variance(deviations_.magnitude[leaf])));
    return std::log((1 - noise_.strays) * normal + noise_.strays);
  }
  // log P(leaf | cause) - log P(leaf | noise)
  double Gain(uint32_t leaf, double log_noise, double proportion, double spread) const {
    const double variance = spread * spread + noise_.counting / deviations_.magnitude[leaf];
    const double ratio = LogNormal(deviations_.relative[leaf] - proportion, variance) - log_noise;
    return std::log((1 - settings_.strays) * std::exp(ratio) + settings_.strays);
  }
  double Penalty(CuboidMask mask, size_t elements) const {
    const double cuboids = std::exp2(static_cast<double>(table_.dimensions().size()));
    return settings_.base_penalty + settings_.depth_penalty * std::popcount(mask) +
           std::log(cuboids) + std::log(static_cast<double>(elements));
  }
  void MeasureGains();
  void Survey(CuboidMask mask, double near_miss, std::vector<Candidate>* candidates);
  // Positions of the candidate's leaves.
  std::vector<uint32_t> LeavesOf(const Candidate& candidate) const;
  void LookAgain(Candidate* candidate, const std::vector<uint32_t>& positions) const;
  void Remove(const std::vector<bool>& taken);

  const LeafTable& table_;
  RootCauseSettings settings_;
  Deviations deviations_;
  Noise noise_;
  std::vector<uint32_t> leaves_;  // that are not explained yet
  std::vector<Gains> gains_;      // of each of them
  std::vector<double> log_noise_;
};

void Search::MeasureGains() {
  gains_.resize(leaves_.size());
  log_noise_.resize(leaves_.size());
  for (size_t i = 0; i < leaves_.size(); ++i) {
    log_noise_[i] = LogNoise(leaves_[i]);
    for (size_t k = 0; k < kProportions; ++k) {
      gains_[i][k] = static_cast<float>(Gain(leaves_[i], log_noise_[i], Proportion(k), kSpread));
    }
  }
}

void Search::Survey(CuboidMask mask, double near_miss, std::vector<Candidate>* candidates) {
  const CuboidElements elements = ElementsOf(table_, mask, leaves_);
  std::vector<Gains> sums(elements.slots, Gains{});
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  std::vector<uint32_t> some_leaf(elements.slots, kNone);
  size_t filled = 0;
  for (size_t i = 0; i < leaves_.size(); ++i) {
    const uint32_t slot = elements.of_leaf[i];
    if (some_leaf[slot] == kNone) {
      some_leaf[slot] = static_cast<uint32_t>(i);
      ++filled;
    }
    Gains& sum = sums[slot];
    for (size_t k = 0; k < kProportions; ++k) sum[k] += gains_[i][k];
  }
  const double penalty = Penalty(mask, filled);
  for (size_t slot = 0; slot < sums.size(); ++slot) {
    if (some_leaf[slot] == kNone) continue;
    const auto best = std::max_element(sums[slot].begin(), sums[slot].end());
    const double evidence = static_cast<double>(*best) - penalty;
    if (evidence <= -near_miss) continue;
    candidates->push_back(
        {evidence, mask, some_leaf[slot], static_cast<size_t>(best - sums[slot].begin())});
  }
}

std::vector<uint32_t> Search::LeavesOf(const Candidate& candidate) const {
  const uint32_t example = leaves_[candidate.leaf];
  std::vector<uint32_t> positions(leaves_.size());
  std::iota(positions.begin(), positions.end(), 0u);
  for (size_t d = 0; d < table_.dimensions().size(); ++d) {
    if ((candidate.mask >> d & 1u) == 0) continue;
    const std::vector<uint32_t>& codes = table_.codes(d);
    std::erase_if(positions, [&](uint32_t i) { return codes[leaves_[i]] != codes[example]; });
  }
  return positions;
}

void Search::LookAgain(Candidate* candidate, const std::vector<uint32_t>& positions) const {
  std::vector<double> relative;
  for (const uint32_t i : positions) relative.push_back(deviations_.relative[leaves_[i]]);
  double proportion = Median(relative);
  const double tried = Proportion(candidate->proportion);
  if (std::fabs(proportion - tried) > kMedianNear) proportion = tried;
  for (double& value : relative) value = std::fabs(value - proportion);
  const double spread = std::clamp(1.4826 * Median(relative), kSpreadMin, kSpreadMax);
  double evidence = 0, before = 0, balance = 0;
  const double say_most = -std::log(settings_.strays);
  for (const uint32_t i : positions) {
    const double gain = Gain(leaves_[i], log_noise_[i], proportion, spread);
    evidence += gain;
    balance += std::min(gain, say_most);
    before += static_cast<double>(gains_[i][candidate->proportion]);
  }
  candidate->evidence += std::max(0.0, evidence - before);
  // Some strong leaves must not speak for many others that are as they were expected: the cause is
  // then a combination below this one.
  if (balance <= 0) candidate->evidence = std::min(candidate->evidence, kNoMajority);
}

void Search::Remove(const std::vector<bool>& taken) {
  size_t kept = 0;
  for (size_t i = 0; i < leaves_.size(); ++i) {
    if (taken[i]) continue;
    leaves_[kept] = leaves_[i];
    gains_[kept] = gains_[i];
    log_noise_[kept] = log_noise_[i];
    ++kept;
  }
  leaves_.resize(kept);
  gains_.resize(kept);
  log_noise_.resize(kept);
}

std::vector<Candidate> Search::Round(bool first) {
  std::vector<Candidate> candidates;
  const CuboidMask all = (1u << table_.dimensions().size()) - 1;
  for (CuboidMask mask = 1; mask <= all; ++mask) {
    Survey(mask, first ? kFirstNearMiss : kNearMiss, &candidates);
  }
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.evidence != b.evidence) return a.evidence > b.evidence;
    return std::pair(a.mask, a.leaf) < std::pair(b.mask, b.leaf);
  };
  const size_t count = std::min(kCandidates, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
                    candidates.end(), better);
  candidates.resize(count);
  for (Candidate& candidate : candidates) LookAgain(&candidate, LeavesOf(candidate));
  std::sort(candidates.begin(), candidates.end(), better);

  std::vector<Candidate> accepted;
  std::vector<bool> seen(leaves_.size(), false), taken(leaves_.size(), false);
  for (Candidate candidate : candidates) {
    const bool guess = first && accepted.empty();
    if (candidate.evidence <= 0 && !guess) break;
    const std::vector<uint32_t> positions = LeavesOf(candidate);
    const bool apart =
        std::none_of(positions.begin(), positions.end(), [&](uint32_t i) { return seen[i]; });
    for (const uint32_t i : positions) seen[i] = true;
    if (!apart) continue;
    for (const uint32_t i : positions) taken[i] = true;
    candidate.leaf = leaves_[candidate.leaf];  // of the table, as positions are about to change
    accepted.push_back(candidate);
  }
  Remove(taken);
  return accepted;
}

Result<RootCause> Describe(const LeafTable& table, const Candidate& candidate, Quantity total) {
  RootCause cause;
  cause.score = candidate.evidence / std::numbers::ln10;
  for (size_t d = 0; d < table.dimensions().size(); ++d) {
    if ((candidate.mask >> d & 1u) == 0) continue;
    cause.elements.emplace_back(table.dimensions()[d],
                                table.values(d)[table.codes(d)[candidate.leaf]]);
  }
  for (uint32_t leaf = 0; leaf < table.leaves(); ++leaf) {
    if (!SameElement(table, candidate.mask, leaf, candidate.leaf)) continue;
    cause.actual = FB_TRY(cause.actual.Plus(table.actual()[leaf]));
    cause.predicted = FB_TRY(cause.predicted.Plus(table.predicted()[leaf]));
  }
  const Quantity difference = FB_TRY(cause.actual.Minus(cause.predicted));
  if (!total.is_zero()) {
    cause.share = static_cast<double>(difference.units()) / static_cast<double>(total.units());
  }
  return cause;
}

}  // namespace

Result<std::vector<RootCause>> FindRootCauses(const LeafTable& table,
                                              const RootCauseSettings& settings) {
  std::vector<RootCause> causes;
  if (table.actual() == table.predicted()) return causes;
  Quantity total;
  for (size_t i = 0; i < table.leaves(); ++i) {
    total = FB_TRY(total.Plus(table.actual()[i]));
    total = FB_TRY(total.Minus(table.predicted()[i]));
  }
  Search search(table, settings);
  bool first = true;
  while (causes.size() < kCausesMax) {
    const std::vector<Candidate> accepted = search.Round(first);
    if (accepted.empty()) break;
    for (const Candidate& candidate : accepted) {
      RootCause cause = FB_TRY(Describe(table, candidate, total));
      if (!causes.empty() && cause.share < settings.least_share) continue;
      if (causes.size() < kCausesMax) causes.push_back(std::move(cause));
    }
    first = false;
  }
  std::sort(causes.begin(), causes.end(), [](const RootCause& a, const RootCause& b) {
    return a.score != b.score ? a.score > b.score : a.elements < b.elements;
  });
  return causes;
}

}  // namespace flyball::watch
