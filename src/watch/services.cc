#include "watch/services.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <tuple>

#include "base/median.h"
#include "watch/deviation.h"

namespace flyball::watch {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// The linear interpolation between order statistics that most programs use (type 7).
double QuantileOf(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

double SumOfKnown(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += std::isnan(value) ? 0 : value;
  return sum;
}

double Dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// What a node has in excess of its normal, per row.
struct Excess {
  std::vector<double> normal, window;
  std::vector<double> calls;  // of the window
  double median = 0;          // badness of one request, or requests
  double floor = 0;           // least noise of a row
  bool assumed = false;
};

// The weights of rows that tell a deviation from none; empty where there is none to be told.
struct Filter {
  std::vector<double> level, contrast;
};

Filter MakeFilter(std::span<const double> excess) {
  Filter filter;
  double sum = 0;
  for (const double value : excess) sum += std::max(value, 0.0);
  if (sum > 0) {
    for (const double value : excess) filter.level.push_back(std::max(value, 0.0) / sum);
  }
  const auto [low, high] = std::minmax_element(excess.begin(), excess.end());
  const double middle = (*low + *high) / 2;
  const auto bad =
      std::count_if(excess.begin(), excess.end(), [&](double v) { return v > middle; });
  const auto good = static_cast<std::ptrdiff_t>(excess.size()) - bad;
  if (bad == 0 || good == 0) return filter;
  for (const double value : excess) {
    filter.contrast.push_back(value > middle ? 1 / static_cast<double>(bad)
                                             : -1 / static_cast<double>(good));
  }
  return filter;
}

// Begins of the stretches of `length` among `rows`.
std::vector<size_t> Stretches(size_t rows, size_t length) {
  std::vector<size_t> begins;
  if (rows < length) return begins;
  const size_t count = rows - length + 1;
  const size_t taken = std::min(count, kStretchesMax);
  for (size_t i = 0; i < taken; ++i) begins.push_back(i * count / taken);
  return begins;
}

class Search {
 public:
  Search(const ServiceQuestion& question, const ServiceSettings& settings)
      : question_(question), settings_(settings) {
    const bool against = question.metric == ServiceMetric::kRequests;
    for (const auto& [caller, callees] : question.graph) {
      for (const std::string& callee : callees) {
        if (caller == callee) continue;
        callers_[callee].insert(caller);
        ways_[against ? callee : caller].insert(against ? caller : callee);
      }
    }
  }

  Result<ServiceAnswer> Run();

 private:
  // What is bad about a row: per request and the requests. For throughput, the requests over their
  // median, and 1.
  struct Burden {
    std::vector<double> bad, calls;
    bool assumed = false;
  };
  std::optional<Burden> BurdenOf(const ServiceTable& table, const std::string& node) const;
  const std::vector<double>* CallsOf(const ServiceTable& table, const std::string& node) const;
  std::optional<Excess> ExcessOf(const std::string& node) const;
  double Strength(const Excess& excess, bool contrast, std::vector<double>* weights) const;
  Result<bool> Gate(ServiceAnswer* answer);
  void Measure(ServiceAnswer* answer);
  void Widest();
  double OwnPart(const std::string& node) const;
  std::vector<ServiceCause> Rank() const;
  ServiceCause Describe(const std::string& node, double score, bool root) const;

  struct Measured {
    Excess excess;
    double raw = 0;    // weighted excess of the window
    double noise = 0;  // that it must exceed
    double over = 0;   // above its median over the stretches; 0 unless it deviates
    bool deviates = false;
  };

  const ServiceQuestion& question_;
  const ServiceSettings& settings_;
  std::map<std::string, std::set<std::string>> callers_, ways_;
  double sign_ = 1;              // throughput: 1 looks for more requests, -1 for fewer
  std::vector<double> weights_;  // of the window's rows
  std::map<std::string, Measured> measured_;
  std::map<std::string, double> reach_;  // the narrowest excess on the widest path from the target
  std::map<std::string, std::string> before_;  // on that path
};

const std::vector<double>* Search::CallsOf(const ServiceTable& table,
                                           const std::string& node) const {
  const auto found = table.nodes.find(node);
  return found == table.nodes.end() || found->second.requests.empty() ? nullptr
                                                                      : &found->second.requests;
}

std::optional<Search::Burden> Search::BurdenOf(const ServiceTable& table,
                                               const std::string& node) const {
  const auto found = table.nodes.find(node);
  if (found == table.nodes.end()) return std::nullopt;
  const std::vector<double>& values = found->second.Of(question_.metric);
  if (values.empty()) return std::nullopt;
  Burden burden{values, std::vector<double>(values.size(), 1.0), false};
  if (question_.metric == ServiceMetric::kRequests) return burden;
  const std::vector<double>* calls = CallsOf(table, node);
  burden.assumed = calls == nullptr;
  if (const auto callers = callers_.find(node); calls == nullptr && callers != callers_.end()) {
    for (const std::string& caller : callers->second) {
      const std::vector<double>* its = CallsOf(table, caller);
      if (its != nullptr && (calls == nullptr || SumOfKnown(*its) > SumOfKnown(*calls))) {
        calls = its;
      }
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (calls != nullptr) burden.calls[i] = std::isnan((*calls)[i]) ? 0 : (*calls)[i];
    if (question_.metric == ServiceMetric::kAvailability) {
      burden.bad[i] = (100 - burden.bad[i]) / 100;
    }
    if (burden.calls[i] <= 0) burden.bad[i] = kMissing;  // nothing was called: nothing is known
  }
  return burden;
}

std::optional<Excess> Search::ExcessOf(const std::string& node) const {
  std::optional<Burden> normal = BurdenOf(question_.normal, node);
  std::optional<Burden> window = BurdenOf(question_.window, node);
  if (!normal || !window) return std::nullopt;
  std::vector<double> known;
  for (const double value : normal->bad) {
    if (!std::isnan(value)) known.push_back(value);
  }
  if (known.size() < kNormalValuesMin) return std::nullopt;
  Excess excess;
  excess.median = Median(known);
  excess.assumed = normal->assumed || window->assumed;
  const bool throughput = question_.metric == ServiceMetric::kRequests;
  if (throughput && excess.median <= 0) return std::nullopt;
  const auto over = [&](const Burden& burden) {
    std::vector<double> out;
    for (size_t i = 0; i < burden.bad.size(); ++i) {
      double value = std::isnan(burden.bad[i]) ? 0 : burden.bad[i] - excess.median;
      if (throughput) value *= sign_ / excess.median;
      out.push_back(value * burden.calls[i]);
    }
    return out;
  };
  excess.normal = over(*normal);
  excess.window = over(*window);
  const double calls = SumOfKnown(window->calls) / static_cast<double>(window->calls.size());
  const double usual = throughput ? 1 : excess.median * calls;
  excess.floor = settings_.floor * usual;
  if (question_.metric == ServiceMetric::kAvailability) {
    excess.floor = std::max(excess.floor, settings_.least_failed);
  }
  excess.calls = std::move(window->calls);
  return excess;
}

// How far the target is from its median over the stretches, in units of their quantile's distance.
double Search::Strength(const Excess& excess, bool contrast, std::vector<double>* weights) const {
  const auto statistic = [&](std::span<const double> rows, std::vector<double>* kept) {
    Filter filter = MakeFilter(rows);
    std::vector<double>& chosen = contrast ? filter.contrast : filter.level;
    const double value = chosen.empty() ? 0 : Dot(chosen, rows);
    if (kept != nullptr) *kept = std::move(chosen);
    return value;
  };
  const double value = statistic(excess.window, weights);
  std::vector<double> usual;
  for (const size_t begin : Stretches(excess.normal.size(), excess.window.size())) {
    const std::span<const double> rows(excess.normal);
    usual.push_back(statistic(rows.subspan(begin, excess.window.size()), nullptr));
  }
  const double median = Median(usual);
  const double noise =
      std::max({QuantileOf(usual, settings_.target_quantile) - median, excess.floor, 1e-12});
  return weights->empty() ? 0 : (value - median) / noise;
}

// Whether the target deviates; chooses weights and, for throughput, the direction.
Result<bool> Search::Gate(ServiceAnswer* answer) {
  const bool both = question_.metric == ServiceMetric::kRequests;
  double best_sign = 1;
  for (const double sign : {1.0, -1.0}) {
    if (sign < 0 && !both) break;
    sign_ = sign;
    const std::optional<Excess> excess = ExcessOf(question_.target);
    if (!excess) {
      return Fail(
          Code::kInvalidArgument,
          fmt::format("fewer than {} normal rows have both a value of the target and requests",
                      kNormalValuesMin),
          "give more normal rows");
    }
    for (const bool contrast : {false, true}) {
      std::vector<double> weights;
      const double strength = Strength(*excess, contrast, &weights);
      if (strength <= answer->strength) continue;
      answer->strength = strength;
      answer->contrast = contrast;
      weights_ = std::move(weights);
      best_sign = sign;
    }
  }
  sign_ = best_sign;
  return answer->strength > 1;
}

// The weighted excess of every node that can be reached, and whether it is beyond noise.
void Search::Measure(ServiceAnswer* answer) {
  std::set<std::string> seen{question_.target};
  std::vector<std::string> open{question_.target};
  while (!open.empty()) {
    const std::string node = open.back();
    open.pop_back();
    if (const auto ways = ways_.find(node); ways != ways_.end()) {
      for (const std::string& next : ways->second) {
        if (seen.insert(next).second) open.push_back(next);
      }
    }
    std::optional<Excess> excess = ExcessOf(node);
    if (!excess) {
      answer->unmeasured.push_back(node);
      continue;
    }
    std::vector<double> usual;
    for (const size_t begin : Stretches(excess->normal.size(), weights_.size())) {
      usual.push_back(
          Dot(weights_, std::span<const double>(excess->normal).subspan(begin, weights_.size())));
    }
    Measured measured;
    const double median = Median(usual);
    const double spread =
        std::max(QuantileOf(usual, settings_.noise_quantile) - median, excess->floor);
    measured.raw = Dot(weights_, excess->window);
    measured.noise = median + settings_.noise_factor * spread;
    measured.deviates = measured.raw > measured.noise;
    if (measured.deviates) measured.over = measured.raw - median;
    // The target has passed its own, milder test.
    if (node == question_.target) measured.over = std::max(measured.raw, 0.0);
    measured.excess = std::move(*excess);
    measured_.emplace(node, std::move(measured));
  }
  std::sort(answer->unmeasured.begin(), answer->unmeasured.end());
}

// Dijkstra for the widest path: what is not measured lets everything pass.
void Search::Widest() {
  std::priority_queue<std::pair<double, std::string>> open;
  reach_[question_.target] = measured_.at(question_.target).over;
  open.emplace(reach_[question_.target], question_.target);
  while (!open.empty()) {
    const auto [width, node] = open.top();
    open.pop();
    const auto ways = ways_.find(node);
    if (width < reach_[node] || ways == ways_.end()) continue;
    for (const std::string& next : ways->second) {
      const auto found = measured_.find(next);
      const double through = found == measured_.end() ? width : std::min(width, found->second.over);
      if (through <= reach_[next]) continue;
      reach_[next] = through;
      before_[next] = node;
      open.emplace(through, next);
    }
  }
}

// A node's excess less that of the nodes it waits for, or, for throughput, of the caller that
// changed most. Behind a node that is not measured stand those that it waits for.
double Search::OwnPart(const std::string& node) const {
  double explained = 0;
  std::set<std::string> seen{node};
  std::vector<std::string> open{node};
  while (!open.empty()) {
    const auto ways = ways_.find(open.back());
    open.pop_back();
    if (ways == ways_.end()) continue;
    for (const std::string& next : ways->second) {
      if (!seen.insert(next).second) continue;
      const auto found = measured_.find(next);
      if (found == measured_.end()) {
        open.push_back(next);
      } else if (question_.metric == ServiceMetric::kRequests) {
        explained = std::max(explained, found->second.over);
      } else {
        explained += found->second.over;
      }
    }
  }
  return std::max(measured_.at(node).over - explained, 0.0);
}

ServiceCause Search::Describe(const std::string& node, double score, bool root) const {
  const Measured& measured = measured_.at(node);
  const Excess& excess = measured.excess;
  ServiceCause cause{.node = node, .root = root, .score = score};
  double sum = 0, calls = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (weights_[i] <= 0) continue;
    sum += weights_[i] * excess.window[i];
    calls += weights_[i] * excess.calls[i];
  }
  const double change = calls > 0 ? sum / calls : 0;
  cause.usual = excess.median;
  cause.now = excess.median + change;
  if (question_.metric == ServiceMetric::kAvailability) {
    cause.usual = 100 * (1 - cause.usual);
    cause.now = 100 * (1 - cause.now);
  } else if (question_.metric == ServiceMetric::kRequests) {
    cause.now = excess.median * (1 + sign_ * change);
  }
  const double direction = question_.metric == ServiceMetric::kRequests ? sign_ : 1;
  cause.excess = direction * measured.raw;
  cause.noise = direction * measured.noise;
  cause.assumed = excess.assumed;
  for (std::string at = node;; at = before_.at(at)) {
    cause.path.push_back(at);
    if (at == question_.target) break;
  }
  std::reverse(cause.path.begin(), cause.path.end());
  return cause;
}

std::vector<ServiceCause> Search::Rank() const {
  struct Candidate {
    double score, order;
    std::string node;
  };
  std::vector<Candidate> roots, carriers;
  const double whole = measured_.at(question_.target).over;
  for (const auto& [node, reach] : reach_) {
    const auto found = measured_.find(node);
    if (found == measured_.end() || !found->second.deviates) continue;
    const double own = OwnPart(node);
    const double score = std::min(own, reach) / whole;
    if (score > settings_.least_share) {
      roots.push_back({score, own, node});
    } else if (node != question_.target && reach > settings_.least_share * whole) {
      carriers.push_back({0, reach, node});
    }
  }
  std::vector<ServiceCause> causes;
  if (roots.empty()) return causes;
  for (std::vector<Candidate>* list : {&roots, &carriers}) {
    std::sort(list->begin(), list->end(), [](const Candidate& a, const Candidate& b) {
      return std::tie(b.score, b.order, a.node) < std::tie(a.score, a.order, b.node);
    });
    for (const Candidate& candidate : *list) {
      if (causes.size() == kServiceCausesMax) return causes;
      causes.push_back(Describe(candidate.node, candidate.score, list == &roots));
    }
  }
  return causes;
}

Result<ServiceAnswer> Search::Run() {
  ServiceAnswer answer;
  if (!FB_TRY(Gate(&answer))) return answer;
  Measure(&answer);
  Widest();
  answer.causes = Rank();
  return answer;
}

Status CheckTable(const ServiceTable& table, const char* name) {
  size_t values = 0;
  for (const auto& [node, metrics] : table.nodes) {
    for (const std::vector<double>* column :
         {&metrics.latency, &metrics.availability, &metrics.requests}) {
      values += column->size();
      if (!column->empty() && column->size() != table.rows) {
        return Fail(Code::kInvalidArgument, fmt::format("'{}' has {} values, and {} has {} rows",
                                                        node, column->size(), name, table.rows));
      }
    }
  }
  if (table.nodes.size() > kServiceNodesMax || values > kServiceValuesMax) {
    return Fail(Code::kOutOfRange,
                fmt::format("{} has {} nodes and {} values; at most {} and {} are looked at", name,
                            table.nodes.size(), values, kServiceNodesMax, kServiceValuesMax),
                "leave out nodes that the target does not call, or old rows");
  }
  return {};
}

bool InGraph(const CallGraph& graph, const std::string& node) {
  if (graph.contains(node)) return true;
  return std::any_of(graph.begin(), graph.end(), [&](const auto& entry) {
    return std::find(entry.second.begin(), entry.second.end(), node) != entry.second.end();
  });
}

Status CheckTarget(const ServiceQuestion& question) {
  const std::string_view metric = kServiceMetricNames[static_cast<size_t>(question.metric)];
  if (!InGraph(question.graph, question.target)) {
    return Fail(Code::kNotFound, fmt::format("the graph has no node '{}'", question.target),
                "name the target as the graph and the metrics do");
  }
  for (const ServiceTable* table : {&question.normal, &question.window}) {
    const char* name = table == &question.normal ? "normal rows" : "window";
    const auto node = table->nodes.find(question.target);
    if (node == table->nodes.end() || node->second.Of(question.metric).empty()) {
      return Fail(Code::kNotFound,
                  fmt::format("the {} has no {} of '{}'", name, metric, question.target),
                  "ask for a metric that the target has");
    }
  }
  const std::vector<double>& values = question.normal.nodes.at(question.target).Of(question.metric);
  const auto known = static_cast<size_t>(
      std::count_if(values.begin(), values.end(), [](double v) { return !std::isnan(v); }));
  const size_t least = std::max(kNormalValuesMin, 2 * question.window.rows);
  if (known < least) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the normal rows have {} values of the target's {}, and {} are needed",
                            known, metric, least),
                "give more normal rows, twice the window's at least, or a shorter window");
  }
  return {};
}

}  // namespace

const std::vector<double>& NodeMetrics::Of(ServiceMetric metric) const {
  switch (metric) {
    case ServiceMetric::kLatency:
      return latency;
    case ServiceMetric::kAvailability:
      return availability;
    case ServiceMetric::kRequests:
      return requests;
  }
  return latency;
}

Result<ServiceAnswer> FindServiceCauses(const ServiceQuestion& question,
                                        const ServiceSettings& settings) {
  size_t calls = 0;
  for (const auto& [caller, callees] : question.graph) calls += callees.size();
  if (calls > kServiceCallsMax) {
    return Fail(Code::kOutOfRange, fmt::format("the graph has {} calls; at most {} are looked at",
                                               calls, kServiceCallsMax));
  }
  if (question.window.rows == 0 || question.window.rows > kWindowRowsMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the window has {} rows; 1 to {} can be looked at",
                            question.window.rows, kWindowRowsMax),
                "choose the rows in which something is wrong, and a few before");
  }
  FB_CHECK(CheckTable(question.normal, "the normal rows"));
  FB_CHECK(CheckTable(question.window, "the window"));
  FB_CHECK(CheckTarget(question));
  return Search(question, settings).Run();
}

}  // namespace flyball::watch
