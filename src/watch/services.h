// Services: which node of a call graph is the root of what a target node suffers, from the latency,
// the errors and the throughput of each node.
//
// What is bad at a node is counted in units that add up along calls: seconds of waiting (latency x
// requests) or failed requests, per row. A slow callee makes its caller wait as long, so what a
// node has in excess of its normal and of its callees' excess is its own. Requests come from
// callers instead: they are followed against the calls, and relative to their normal.
//
// 1. The target's excess over the window is held against the same number of all stretches of the
//    normal rows as long as the window, both as a level (against the normal median) and as a
//    contrast (its bad rows against its good ones: a drift since the normal rows does not matter).
//    Where neither is beyond `target_quantile` of the stretches, nothing is wrong: no cause.
// 2. The rows that are bad at the target are the weights with which every node is looked at (a
//    matched filter). A node deviates when its weighted excess is `noise_factor` times as far from
//    its median over the stretches as their `noise_quantile`, or as the floor.
// 3. A node's score is the least of its own part and of the excess of each node on the way from the
//    target (the widest path), over the target's excess.
//
// Pure: no I/O, no clock. Time: reachable nodes x normal rows x window rows, at most
// kStretchesMax x kWindowRowsMax a node. docs/WATCH.md has what was tuned on what.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flyball::watch {

enum class ServiceMetric { kLatency, kAvailability, kRequests };
inline constexpr std::string_view kServiceMetricNames[] = {"latency", "availability", "requests"};

// One value a row; NaN: missing. Empty: the node has no such metric.
struct NodeMetrics {
  std::vector<double> latency;       // per request, in any unit that is the same for all nodes
  std::vector<double> availability;  // per cent of the requests that did not fail
  std::vector<double> requests;      // in the interval of the row
  const std::vector<double>& Of(ServiceMetric metric) const;
};
struct ServiceTable {
  std::map<std::string, NodeMetrics> nodes;
  size_t rows = 0;
};
using CallGraph = std::map<std::string, std::vector<std::string>>;  // callees of each caller

inline constexpr size_t kServiceNodesMax = 10'000;
inline constexpr size_t kServiceCallsMax = 200'000;
inline constexpr size_t kServiceValuesMax = 20'000'000;  // of one table
inline constexpr size_t kWindowRowsMax = 2'000;
inline constexpr size_t kNormalValuesMin = 20;  // of a node, or it counts as not measured
inline constexpr size_t kStretchesMax = 2'000;  // spread evenly where there are more
inline constexpr size_t kServiceCausesMax = 20;

struct ServiceSettings {
  double target_quantile = 0.9;
  double noise_quantile = 0.95;
  double noise_factor = 3;
  double floor = 0.05;       // of the usual burden of a row, as the least noise,
  double least_failed = 1;   // and failed requests a row
  double least_share = 0.1;  // of the target's excess, that a cause accounts for
};

struct ServiceQuestion {
  const CallGraph& graph;
  const ServiceTable& normal;  // rows in the order of time
  const ServiceTable& window;
  std::string target;
  ServiceMetric metric = ServiceMetric::kLatency;
};

struct ServiceCause {
  std::string node;
  bool root = true;   // false: deviates, but its callees account for all of it
  double score = 0;   // share of the target's excess, at most 1; 0 unless a root
  double usual = 0;   // median of the normal rows, in the unit of the metric,
  double now = 0;     // and its mean in the window's bad rows
  double excess = 0;  // a row: seconds of waiting, failed requests, or requests relative to usual
  double noise = 0;   // what of it must be exceeded
  bool assumed = false;                // has no requests: as many as its callers have
  std::vector<std::string> path = {};  // from the target to the node, both included
};

struct ServiceAnswer {
  double strength = 0;                  // of the target's deviation; beyond 1 it deviates
  bool contrast = false;                // seen within the window, not against the normal level
  std::vector<ServiceCause> causes;     // best first, roots first; empty: nothing is wrong
  std::vector<std::string> unmeasured;  // reachable, and without enough values to judge
};

// NOT_FOUND when the target is not in the graph or has no such metric; INVALID_ARGUMENT when it has
// too few values, or the window's rows are none or too many; OUT_OF_RANGE beyond a limit above.
Result<ServiceAnswer> FindServiceCauses(const ServiceQuestion& question,
                                        const ServiceSettings& settings = {});

}  // namespace flyball::watch
