#include "demo/estate_text.h"

#include <fmt/format.h>

#include <set>

#include "demo/catalog.h"
#include "demo/meter.h"

namespace flyball::demo {
namespace {

std::string Section(std::string_view title) { return fmt::format("\n{}:\n", title); }

std::string UseCaseText(const UseCaseRow& row) {
  std::string owner;
  for (const Team& team : Teams()) {
    if (team.id == row.team) owner = team.owner;
  }
  std::string text = fmt::format(
      "  - id: {}\n    name: {}\n    team: {}\n    project: {}\n    owner: {}\n    objective: "
      "\"{}\"\n"
      "    stage: {}\n    status: {}\n",
      row.id, row.name, row.team, row.project, owner, row.objective, row.stage, row.status);
  if (!row.reason.empty()) text += fmt::format("    reason: \"{}\"\n", row.reason);
  text += fmt::format("    target_cost: \"{}\"\n    unit: {}\n    target_unit_cost: \"{}\"\n",
                      row.target_month_usd, row.unit, row.target_unit_cost);
  if (row.value_year_usd > 0) {
    text += fmt::format("    expected_value: \"{}\"\n", row.value_year_usd);
  }
  return text;
}

// Accounts, projects and namespaces say whose they are where no tag does.
std::string AccountRules() {
  std::string text;
  std::set<std::string> seen;
  for (const Stream& stream : Streams()) {
    const UseCaseRow* use_case = FindUseCase(stream.use_case);
    if (use_case == nullptr) continue;
    std::string prefix;
    if (stream.source == "openai" || stream.source == "anthropic") prefix = "proj-";
    if (stream.source == "kubernetes") prefix = "ns-";
    if (!prefix.empty() && seen.insert(prefix + std::string(use_case->id)).second) {
      text += fmt::format(
          "  - match: {{ SubAccountId: {}{} }}\n    set: {{ team: {}, project: {}, use_case: {}, "
          "stage: {}, environment: {} }}\n",
          prefix, use_case->id, use_case->team, use_case->project, use_case->id, use_case->stage,
          stream.environment);
    }
  }
  return text;
}

}  // namespace

std::string EstateText() {
  std::string text =
      "# The rulebook of the demonstration enterprise. Made by `flyball demo`; edit it and run "
      "`flyball classify`.\n"
      "name: Aurelia Group\ncurrency: USD\nfiscal_year_start: October\n"
      "\nenvironments: [prod, staging, dev]\n";
  text += Section("teams");
  for (const Team& team : Teams()) {
    text += fmt::format("  - {{ id: {}, name: {}, owner: {}, aliases: [{}] }}\n", team.id,
                        team.name, team.owner, team.alias);
  }
  text += Section("projects");
  std::set<std::string_view> projects;
  for (const UseCaseRow& row : UseCases()) {
    if (!projects.insert(row.project).second) continue;
    text +=
        fmt::format("  - {{ id: {}, name: {}, team: {} }}\n", row.project, row.project, row.team);
  }
  text += Section("use_cases");
  for (const UseCaseRow& row : UseCases()) text += UseCaseText(row);
  text += Section("sources");
  for (const SourceRow& row : Sources()) {
    text += fmt::format("  - {{ name: {}, title: {} }}\n", row.id, row.title);
  }
  text +=
      "\n# Which tags say what, in this order.\n"
      "tags:\n  team: [team]\n  project: [project]\n  use_case: [use_case]\n"
      "  environment: [environment]\n";
  text += Section("rules");
  text +=
      "  - name: the stage of a use case stands in its tag\n"
      "    match: { tag:stage: { present: true } }\n    set: { stage: { from: tag:stage } }\n"
      "  - name: what the platform pays for all\n"
      "    match: { ServiceName: [Amazon CloudWatch, Cloud Logging, AWS Key Management Service, "
      "Microsoft Defender for Cloud] }\n"
      "    set: { team: platform, stage: operate }\n";
  text += AccountRules();
  return text;
}

std::string EventsJson() {
  std::string text = "[\n";
  bool first = true;
  for (const Event& event : Events()) {
    std::string where;
    for (const Stream& stream : Streams()) {
      if (stream.event != event.id) continue;
      where += fmt::format("{}{{\"source\":\"{}\",\"use_case\":\"{}\",\"sku\":\"{}\"}}",
                           where.empty() ? "" : ",", stream.source, stream.use_case, stream.sku);
    }
    text += fmt::format(
        "{}  "
        "{{\"id\":\"{}\",\"kind\":\"{}\",\"description\":\"{}\",\"start\":\"{}\",\"end\":\"{}\","
        "\"where\":[{}]}}",
        first ? "" : ",\n", event.id, event.kind, event.description,
        FormatInstant(DayStart(event.first_day)), FormatInstant(DayStart(event.last_day + 1)),
        where);
    first = false;
  }
  return text + "\n]\n";
}

}  // namespace flyball::demo
