// Service-level root causes on the PetShop set, beside the baseline of its paper in the same run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "watch/test_petshop.h"

namespace flyball::watch::petshop {
namespace {

constexpr double kMadThreshold = 5;
constexpr size_t kRows = 5;  // as many as an issue has

Ranked Mad(const ServiceQuestion& question) { return MadTraversal(question, kMadThreshold); }

TEST(PetShop, RootsOfIssuesAndSilenceWithout) {
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  std::vector<Scenario> scenarios;
  if (shared != nullptr) {
    scenarios = ReadScenarios(std::filesystem::path(shared) / "petshop" / "dataset");
  }
  if (scenarios.empty()) GTEST_SKIP() << "FLYBALL_SHARED_DATA has no petshop/dataset";
  for (const bool tuned : {true, false}) {
    Tally ours, mad;
    for (const Scenario& scenario : scenarios) {
      for (const Issue& issue : scenario.issues) {
        if (issue.tuned != tuned) continue;
        const ServiceQuestion question{scenario.graph, scenario.normal, issue.window, issue.target,
                                       issue.metric};
        ours.Add(Ours(question), issue.root);
        mad.Add(Mad(question), issue.root);
      }
    }
    fmt::print("{}: {} issues, ours {} {}, MAD {} {}\n", tuned ? "train" : "test", ours.issues,
               ours.first, ours.three, mad.first, mad.three);
  }
  for (const ServiceMetric metric : {ServiceMetric::kLatency, ServiceMetric::kAvailability}) {
    for (const Scenario& scenario : scenarios) {
      const Quiet ours = Specificity(scenario, metric, kRows, Ours);
      const Quiet mad = Specificity(scenario, metric, kRows, Mad);
      fmt::print("{} windows, silent: ours {}, MAD {}\n", ours.windows, ours.silent, mad.silent);
    }
  }
}

}  // namespace
}  // namespace flyball::watch::petshop
