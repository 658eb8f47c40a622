// For tests and benchmarks: the PetShop set of faults in a microservice application (Hardt et al.,
// CLeaR 2024), read as it is published, and the baseline of its paper written anew.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "watch/service_rows.h"
#include "watch/services.h"

namespace flyball::watch::petshop {

struct Issue {
  std::string target, root;
  ServiceMetric metric = ServiceMetric::kLatency;
  bool tuned = false;  // of the part that constants were tried on
  ServiceTable window;
};
struct Scenario {
  CallGraph graph;
  ServiceTable normal;
  std::vector<Issue> issues;
};

// The files have no quotes.
template <typename Reader>
auto ReadFile(const std::filesystem::path& path, Reader reader) {
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    if (!reader.Read(SplitText(line, ',')).has_value()) break;
  }
  return reader.Finish();
}

// The string of `key` in the object `name`; the file has no escapes.
inline std::string StringIn(std::string_view json, std::string_view name, std::string_view key) {
  for (const std::string_view word : {name, key}) {
    const size_t at = json.find("\"" + std::string(word) + "\":");
    if (at == json.npos) return {};
    json.remove_prefix(at + word.size() + 3);
  }
  const size_t begin = json.find('"'), end = json.find('"', begin + 1);
  return end == json.npos ? std::string() : std::string(json.substr(begin + 1, end - begin - 1));
}

inline std::vector<std::filesystem::path> FoldersOf(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> folders;
  if (!std::filesystem::exists(path)) return folders;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Scenarios without normal rows can't be judged, and are not there.
inline std::vector<Scenario> ReadScenarios(const std::filesystem::path& dataset) {
  std::vector<Scenario> scenarios;
  for (const std::filesystem::path& folder : FoldersOf(dataset)) {
    const auto normal = ReadFile(folder / "noissue" / "metrics.csv", ServiceMetricsReader());
    const auto graph = ReadFile(folder / "graph.csv", CallGraphReader());
    if (!normal || !graph) continue;
    Scenario scenario{*graph, normal->table, {}};
    for (const std::string_view part : {"train", "test"}) {
      for (const std::filesystem::path& issue : FoldersOf(folder / part)) {
        const auto window = ReadFile(issue / "metrics.csv", ServiceMetricsReader());
        std::ifstream in(issue / "target.json");
        const std::string json{std::istreambuf_iterator<char>(in), {}};
        if (!window) continue;
        const bool slow = StringIn(json, "target", "metric") == kServiceMetricNames[0];
        scenario.issues.push_back({StringIn(json, "target", "node"),
                                   StringIn(json, "root_cause", "node"),
                                   slow ? ServiceMetric::kLatency : ServiceMetric::kAvailability,
                                   part == "train", window->table});
      }
    }
    scenarios.push_back(std::move(scenario));
  }
  return scenarios;
}

inline ServiceTable Cut(const ServiceTable& table, size_t begin, size_t end) {
  ServiceTable out;
  out.rows = end - begin;
  const auto cut = [&](const std::vector<double>& values) {
    if (values.empty()) return values;
    return std::vector<double>(values.begin() + static_cast<std::ptrdiff_t>(begin),
                               values.begin() + static_cast<std::ptrdiff_t>(end));
  };
  for (const auto& [name, node] : table.nodes) {
    out.nodes[name] = {cut(node.latency), cut(node.availability), cut(node.requests)};
  }
  return out;
}

using Ranked = std::vector<std::string>;
inline Ranked Ours(const ServiceQuestion& question) {
  Ranked ranked;
  const auto answer = FindServiceCauses(question);
  if (!answer) return ranked;
  for (const ServiceCause& cause : answer->causes) ranked.push_back(cause.node);
  return ranked;
}

// The greatest distance from the median in units of the median absolute deviation.
inline double MadScore(const ServiceQuestion& question, const std::string& node) {
  const auto values = [&](const ServiceTable& table) {
    std::vector<double> known;
    const auto found = table.nodes.find(node);
    if (found == table.nodes.end()) return known;
    for (const double value : found->second.Of(question.metric)) {
      if (!std::isnan(value)) known.push_back(value);
    }
    return known;
  };
  const auto middle = [](std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return (v[(v.size() - 1) / 2] + v[v.size() / 2]) / 2;
  };
  std::vector<double> normal = values(question.normal);
  if (normal.empty()) return 0;
  const double median = middle(normal);
  for (double& value : normal) value = std::fabs(value - median);
  const double mad = std::max(1.4826 * middle(normal), 1e-9);
  double most = 0;
  for (const double value : values(question.window)) {
    most = std::max(most, std::fabs(value - median) / mad);
  }
  return most;
}

// Anomaly traversal: from the target through nodes beyond `threshold`; those none of whose callees
// is beyond it, by their distance.
inline Ranked MadTraversal(const ServiceQuestion& question, double threshold) {
  std::vector<std::pair<double, std::string>> roots;
  std::set<std::string> seen{question.target};
  std::vector<std::string> open;
  if (MadScore(question, question.target) > threshold) open.push_back(question.target);
  while (!open.empty()) {
    const std::string node = open.back();
    open.pop_back();
    bool leaf = true;
    const auto callees = question.graph.find(node);
    if (callees != question.graph.end()) {
      for (const std::string& callee : callees->second) {
        if (callee == node || MadScore(question, callee) <= threshold) continue;
        leaf = false;
        if (seen.insert(callee).second) open.push_back(callee);
      }
    }
    if (leaf) roots.emplace_back(-MadScore(question, node), node);
  }
  std::sort(roots.begin(), roots.end());
  Ranked ranked;
  for (auto& [score, node] : roots) ranked.push_back(std::move(node));
  return ranked;
}

struct Tally {
  size_t issues = 0, first = 0, three = 0;
  void Add(const Ranked& ranked, const std::string& root) {
    ++issues;
    const auto at = std::find(ranked.begin(), ranked.end(), root) - ranked.begin();
    const bool found = at < static_cast<std::ptrdiff_t>(ranked.size());
    if (found && at == 0) ++first;
    if (found && at < 3) ++three;
  }
};

struct Quiet {
  size_t windows = 0, silent = 0;
};
// Stretches of `rows` of one half of the normal rows against the other half, and the reverse:
// nothing is wrong, so an answer should be empty.
template <typename Method>
Quiet Specificity(const Scenario& scenario, ServiceMetric metric, size_t rows, Method method) {
  Quiet quiet;
  if (scenario.issues.empty()) return quiet;
  const size_t whole = scenario.normal.rows;
  const size_t half = whole / 2;
  for (const bool later : {true, false}) {
    const ServiceTable normal =
        later ? Cut(scenario.normal, 0, half) : Cut(scenario.normal, half, whole);
    for (size_t begin = later ? half : 0; begin + rows <= (later ? whole : half); begin += rows) {
      const ServiceTable window = Cut(scenario.normal, begin, begin + rows);
      ++quiet.windows;
      const ServiceQuestion question{scenario.graph, normal, window, scenario.issues[0].target,
                                     metric};
      if (method(question).empty()) ++quiet.silent;
    }
  }
  return quiet;
}

}  // namespace flyball::watch::petshop
