// flyball watch services: which node of a call graph is the root of what a target node suffers.
// Needs no home.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "app/command.h"
#include "app/csv_rows.h"
#include "app/table.h"
#include "base/text.h"
#include "watch/points.h"
#include "watch/service_rows.h"
#include "watch/services.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;
using watch::ServiceMetric;
using watch::ServiceRows;

template <typename Reader>
auto ReadWith(const std::string& path, Reader reader) -> decltype(reader.Finish()) {
  FB_CHECK(ReadCsvRows(path, [&](std::span<const std::string_view> fields) -> Status {
    return reader.Read(fields);
  }));
  auto read = reader.Finish();
  if (!read) return Fail(std::move(read.error()).At(Place{path, 0, 0, 0}));
  return read;
}

struct Input {
  watch::CallGraph graph;
  ServiceRows normal, window;
};

Status CheckStatistics(const Input& input) {
  for (size_t i = 0; i < input.normal.statistics.size(); ++i) {
    const std::string& a = input.normal.statistics[i];
    const std::string& b = input.window.statistics[i];
    if (a == b || a.empty() || b.empty()) continue;
    return Fail(Code::kInvalidArgument,
                fmt::format("the {} is the {} of the normal rows, and the {} of the window",
                            watch::kServiceMetricNames[i], a, b),
                "give both files the same statistics");
  }
  return {};
}

// The target's name as the graph has it, or a refusal that tells a near one.
Status CheckTarget(const watch::CallGraph& graph, const std::string& target) {
  if (graph.contains(target)) return {};
  std::vector<std::string_view> names;
  for (const auto& [node, callees] : graph) names.push_back(node);
  const std::string_view near = Nearest(target, names);
  return Fail(Code::kNotFound, fmt::format("the graph has no node '{}'", target),
              near.empty() ? "name the target as the graph and the metrics do"
                           : fmt::format("did you mean '{}'?", near));
}

Result<Input> ReadInput(const ServicesArgs& args) {
  if (args.normal.empty() && args.since.empty()) {
    return Fail(Code::kInvalidArgument, "nothing says what is normal",
                "name a file of normal rows with --normal, or with --since the time at which the "
                "window begins: the rows before it are normal");
  }
  Input input;
  input.graph = FB_TRY(ReadWith(args.graph, watch::CallGraphReader()));
  FB_CHECK(CheckTarget(input.graph, args.target));
  ServiceRows rows = FB_TRY(ReadWith(args.file, watch::ServiceMetricsReader()));
  if (args.since.empty()) {
    input.window = std::move(rows);
  } else {
    const std::optional<Instant> since = watch::ReadInstant(args.since);
    if (!since) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("--since {} is no date", watch::Shown(args.since)),
                  "write 2026-10-31T23:00:00Z or seconds since 1970");
    }
    input.window = SplitRows(&rows, *since);
    input.normal = std::move(rows);
  }
  if (!args.normal.empty()) {
    input.normal = FB_TRY(ReadWith(args.normal, watch::ServiceMetricsReader()));
  }
  FB_CHECK(CheckStatistics(input));
  return input;
}

double Round(double value) { return std::stod(fmt::format("{:.6g}", value)); }

Json CauseJson(const watch::ServiceCause& cause) {
  return Json{{"node", cause.node},          {"role", cause.root ? "root" : "carrier"},
              {"score", Round(cause.score)}, {"usual", Round(cause.usual)},
              {"now", Round(cause.now)},     {"excess", Round(cause.excess)},
              {"noise", Round(cause.noise)}, {"requests_assumed", cause.assumed},
              {"path", cause.path}};
}

Json AnswerJson(const ServicesArgs& args, const Input& input, const watch::ServiceAnswer& answer) {
  Json causes = Json::array();
  for (const watch::ServiceCause& cause : answer.causes) causes.push_back(CauseJson(cause));
  return Json{{"target", args.target},
              {"metric", args.metric},
              {"deviates", answer.strength > 1},
              {"strength", Round(answer.strength)},
              {"seen_as", answer.contrast ? "contrast" : "level"},
              {"normal_rows", input.normal.table.rows},
              {"window_rows", input.window.table.rows},
              {"causes", std::move(causes)},
              {"unmeasured", answer.unmeasured}};
}

Table CausesTable(const watch::ServiceAnswer& answer) {
  Table table{{"node", "role", "score", "usual", "now", "excess", "noise", "path"}, {}};
  for (const watch::ServiceCause& cause : answer.causes) {
    table.rows.push_back({cause.node, cause.root ? "root" : "carrier",
                          fmt::format("{:.2f}", cause.score), fmt::format("{:.5g}", cause.usual),
                          fmt::format("{:.5g}", cause.now), fmt::format("{:.4g}", cause.excess),
                          fmt::format("{:.4g}", cause.noise),
                          fmt::format("{}", fmt::join(cause.path, " > "))});
  }
  return table;
}

void SayNotes(const ServicesArgs& args, const Input& input, const watch::ServiceAnswer& answer) {
  std::set<std::string> ignored = input.window.ignored;
  ignored.insert(input.normal.ignored.begin(), input.normal.ignored.end());
  if (!ignored.empty()) {
    Say(fmt::format("flyball: not looked at: {}",
                    Printable(fmt::format("{}", fmt::join(ignored, ", ")))));
  }
  if (answer.strength <= 1) {
    Say(fmt::format("flyball: the {} of '{}' is within what is normal", args.metric,
                    Printable(args.target)));
  } else if (answer.causes.empty()) {
    Say(
        fmt::format("flyball: the {} of '{}' is a little unusual, and no node that it depends on "
                    "deviates",
                    args.metric, Printable(args.target)));
  }
}

}  // namespace

int RunWatchServices(const Environment& environment, const ServicesArgs& args) {
  const Result<Input> input = ReadInput(args);
  if (!input) return Report(environment, input.error());
  watch::ServiceQuestion question{input->graph, input->normal.table, input->window.table,
                                  args.target};
  const auto name = std::find(std::begin(watch::kServiceMetricNames),
                              std::end(watch::kServiceMetricNames), args.metric);
  question.metric = static_cast<ServiceMetric>(name - std::begin(watch::kServiceMetricNames));
  const Result<watch::ServiceAnswer> answer = watch::FindServiceCauses(question);
  if (!answer) return Report(environment, answer.error());
  SayNotes(args, *input, *answer);
  if (environment.json()) {
    Print(AnswerJson(args, *input, *answer).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    Print(environment, CausesTable(*answer));
  }
  return kExitDone;
}

}  // namespace flyball::app
