#include "root_cause_peers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "watch/cuboid.h"

namespace flyball::bench {
namespace {

using watch::CuboidElements;
using watch::CuboidMask;
using watch::LeafTable;
using watch::generate::Elements;

std::vector<double> Doubles(const std::vector<Quantity>& values) {
  std::vector<double> doubles;
  for (const Quantity value : values) doubles.push_back(static_cast<double>(value.units()) * 1e-15);
  return doubles;
}

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

Elements ElementsAt(const LeafTable& leaves, CuboidMask mask, uint32_t leaf) {
  Elements elements;
  for (size_t d = 0; d < leaves.dimensions().size(); ++d) {
    if ((mask >> d & 1u) == 0) continue;
    elements.emplace_back(leaves.dimensions()[d], leaves.values(d)[leaves.codes(d)[leaf]]);
  }
  std::sort(elements.begin(), elements.end());
  return elements;
}

// RiskLoc: a cutoff on the deviation score from its extremes, weights by the distance from it, and
// a search from the coarse layers down for the element of most explanatory power whose risk reaches
// the threshold.
constexpr double kRisk = 0.5;
constexpr double kPowerShare = 0.02;
constexpr size_t kExtremes = 5;  // values at each end that the cutoff passes over

class RiskLocSearch {
 public:
  explicit RiskLocSearch(const PeerTable& table) : table_(table), power_(table.power) {
    left_ = table.rows;
    Partition();
    const CuboidMask all = (1u << table.leaves->dimensions().size()) - 1;
    for (CuboidMask mask = 1; mask <= all; ++mask) cuboids_.push_back(mask);
    std::sort(cuboids_.begin(), cuboids_.end(), [](CuboidMask a, CuboidMask b) {
      return std::pair(std::popcount(a), a) < std::pair(std::popcount(b), b);
    });
  }

  std::set<Elements> Run() {
    std::set<Elements> found;
    const double least = AbnormalPower() * kPowerShare;
    while (AbnormalPower() >= least) {
      const std::optional<Pick> pick = Next(least);
      if (!pick) break;
      found.insert(ElementsAt(*table_.leaves, pick->mask, pick->leaf));
      std::erase_if(left_, [&](uint32_t leaf) {
        return watch::SameElement(*table_.leaves, pick->mask, leaf, pick->leaf);
      });
    }
    return found;
  }

 private:
  struct Pick {
    CuboidMask mask;
    uint32_t leaf;
    double power;
  };

  void Partition() {
    const size_t count = table_.actual.size();
    deviation_.resize(count);
    std::vector<double> distinct;
    for (const uint32_t i : left_) {
      const double sum = table_.predicted[i] + table_.actual[i];
      deviation_[i] = sum == 0 ? 0 : 2 * (table_.predicted[i] - table_.actual[i]) / sum;
      distinct.push_back(deviation_[i]);
    }
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    const size_t passed = std::min(kExtremes, distinct.size() - 1);
    const double low = distinct[passed], high = distinct[distinct.size() - 1 - passed];
    const double cutoff = -(std::fabs(low) <= std::fabs(high) ? low : high);
    abnormal_.resize(count);
    weight_.resize(count);
    double power = 0;
    for (const uint32_t i : left_) {
      abnormal_[i] = cutoff >= 0 ? deviation_[i] > cutoff : deviation_[i] < cutoff;
      const bool nothing = table_.actual[i] == 0 && table_.predicted[i] == 0;
      const double weight = abnormal_[i] ? std::fabs(deviation_[i])
                            : nothing    ? 0
                                         : std::fabs(cutoff - deviation_[i]);
      weight_[i] = std::min(weight, 1.0);
      if (abnormal_[i]) power += power_[i];
    }
    if (power < 0) {
      for (double& one : power_) one = -one;
    }
  }

  double AbnormalPower() const {
    double sum = 0;
    bool any = false;
    for (const uint32_t leaf : left_) {
      if (!abnormal_[leaf]) continue;
      any = true;
      sum += power_[leaf];
    }
    return any ? sum : -1;
  }

  double Risk(const std::vector<uint32_t>& leaves) const {
    double abnormal = 0, normal = 1, predicted = 0, actual = 0, moved = 0, deviated = 0;
    for (const uint32_t leaf : leaves) {
      (abnormal_[leaf] ? abnormal : normal) += weight_[leaf];
      if (table_.actual[leaf] == 0 || table_.predicted[leaf] == 0) continue;
      predicted += table_.predicted[leaf];
      actual += table_.actual[leaf];
    }
    // How far the leaves are from sharing the proportion of their sum.
    for (const uint32_t leaf : leaves) {
      if (table_.actual[leaf] == 0 || table_.predicted[leaf] == 0) continue;
      const double rippled = table_.predicted[leaf] * actual / predicted;
      const double sum = rippled + table_.actual[leaf];
      moved += sum == 0 ? 0 : std::fabs(2 * (rippled - table_.actual[leaf]) / sum);
      deviated += std::fabs(deviation_[leaf]);
    }
    return abnormal / (abnormal + normal) - (deviated > 0 ? moved / deviated : 0);
  }

  // The element of most power in the cuboid that has power above `least` and the risk.
  std::optional<Pick> Best(CuboidMask mask, double least) const {
    const CuboidElements elements = watch::ElementsOf(*table_.leaves, mask, left_);
    std::vector<double> power(elements.slots, 0);
    std::vector<bool> touched(elements.slots, false);
    for (size_t i = 0; i < left_.size(); ++i) {
      power[elements.of_leaf[i]] += power_[left_[i]];
      if (abnormal_[left_[i]]) touched[elements.of_leaf[i]] = true;
    }
    std::vector<uint32_t> order;
    for (uint32_t slot = 0; slot < elements.slots; ++slot) {
      if (touched[slot] && power[slot] > least) order.push_back(slot);
    }
    if (order.empty()) return std::nullopt;
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return power[a] > power[b]; });
    std::vector<std::vector<uint32_t>> leaves(elements.slots);
    for (size_t i = 0; i < left_.size(); ++i) leaves[elements.of_leaf[i]].push_back(left_[i]);
    for (const uint32_t slot : order) {
      if (Risk(leaves[slot]) >= kRisk) return Pick{mask, leaves[slot].front(), power[slot]};
    }
    return std::nullopt;
  }

  std::optional<Pick> Next(double least) const {
    std::optional<Pick> best;
    int layer = 0;
    for (const CuboidMask mask : cuboids_) {
      if (std::popcount(mask) != layer && best) break;
      layer = std::popcount(mask);
      const std::optional<Pick> pick = Best(mask, best ? best->power : least);
      if (pick) best = pick;
    }
    return best;
  }

  const PeerTable& table_;
  std::vector<double> power_, deviation_, weight_;
  std::vector<bool> abnormal_;
  std::vector<uint32_t> left_;
  std::vector<CuboidMask> cuboids_;
};

}  // namespace

PeerTable Additive(const LeafTable& leaves) {
  PeerTable table{&leaves, Doubles(leaves.actual()), Doubles(leaves.predicted()), {}, {}};
  const double difference = Sum(table.actual) - Sum(table.predicted);
  for (uint32_t i = 0; i < table.actual.size(); ++i) {
    table.rows.push_back(i);
    table.power.push_back(difference == 0 ? 0
                                          : (table.actual[i] - table.predicted[i]) / difference);
  }
  return table;
}

PeerTable Ratio(const LeafTable& leaves, const LeafTable& below, const LeafTable& minutes) {
  PeerTable table{&leaves, {}, {}, {}, {}};
  const std::vector<double> actual_above = Doubles(leaves.actual());
  std::vector<double> predicted_above = Doubles(leaves.predicted());
  const std::vector<double> actual_below = Doubles(below.actual());
  std::vector<double> predicted_below = Doubles(below.predicted());
  const std::vector<double> there = Doubles(minutes.predicted());
  const size_t count = actual_above.size();
  double all_above = 0, all_below = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (actual_below[i] == 0) continue;
    table.rows.push_back(i);
    if (there[i] > 0) {
      predicted_above[i] /= there[i];
      predicted_below[i] /= there[i];
    }
    all_above += predicted_above[i];
    all_below += predicted_below[i];
  }
  table.actual.resize(count);
  table.predicted.resize(count);
  table.power.resize(count);
  double total = 0;
  for (const uint32_t i : table.rows) {
    table.actual[i] = actual_above[i] / actual_below[i];
    table.predicted[i] = predicted_below[i] == 0 ? 0 : predicted_above[i] / predicted_below[i];
    const double above = actual_above[i] - predicted_above[i];
    const double under = actual_below[i] - predicted_below[i];
    const double divisor = all_below * (all_below + under);
    table.power[i] = divisor == 0 ? 0 : (above * all_below - under * all_above) / divisor;
    total += table.power[i];
  }
  for (double& power : table.power) power = total == 0 ? 0 : power / total;
  return table;
}

std::set<Elements> RiskLoc(const PeerTable& table) {
  if (table.rows.empty()) return {};
  return RiskLocSearch(table).Run();
}

std::set<Elements> Adtributor(const PeerTable& table) {
  constexpr double kElementPower = 0.1, kDimensionPower = 0.1;
  constexpr size_t kDimensions = 3;
  struct Candidate {
    double surprise = 0;
    std::vector<Elements> elements;
  };
  const LeafTable& leaves = *table.leaves;
  const double all_actual = Sum(table.actual), all_predicted = Sum(table.predicted);
  std::vector<Candidate> candidates;
  for (size_t d = 0; d < leaves.dimensions().size(); ++d) {
    const size_t count = leaves.values(d).size();
    std::vector<double> actual(count, 0), predicted(count, 0), power(count, 0);
    for (size_t i = 0; i < leaves.leaves(); ++i) {
      const uint32_t value = leaves.codes(d)[i];
      actual[value] += table.actual[i];
      predicted[value] += table.predicted[i];
      power[value] += table.power[i];
    }
    std::vector<std::pair<double, size_t>> order;  // by surprise, a Jensen-Shannon divergence
    for (size_t value = 0; value < count; ++value) {
      const double p = all_predicted == 0 ? 0 : predicted[value] / all_predicted;
      const double q = all_actual == 0 ? 0 : actual[value] / all_actual;
      const double of_p = p > 0 ? p * std::log(2 * p / (p + q)) : 0;
      const double of_q = q > 0 ? q * std::log(2 * q / (p + q)) : 0;
      order.emplace_back(0.5 * (of_p + of_q), value);
    }
    std::sort(order.rbegin(), order.rend());
    Candidate candidate;
    double explained = 0;
    for (const auto& [surprise, value] : order) {
      if (power[value] <= kElementPower) continue;
      explained += power[value];
      candidate.surprise += surprise;
      candidate.elements.push_back({{leaves.dimensions()[d], leaves.values(d)[value]}});
      if (explained > kDimensionPower) break;
    }
    if (explained > kDimensionPower) candidates.push_back(std::move(candidate));
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.surprise > b.surprise; });
  candidates.resize(std::min(candidates.size(), kDimensions));
  std::set<Elements> found;
  for (const Candidate& candidate : candidates) {
    found.insert(candidate.elements.begin(), candidate.elements.end());
  }
  return found;
}

}  // namespace flyball::bench
