// flyball budgets: see, set, freeze and remove budgets. What is done counts at once, also for a
// gateway that runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/gateway_desk.h"
#include "app/table.h"
#include "base/text.h"
#include "gateway/desk.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

Result<std::string> SetBody(const BudgetsArgs& args) {
  if (args.scope.empty() && args.name.empty()) {
    return Fail(Code::kInvalidArgument, "which budget is meant is not said",
                "a new one needs --scope, one that is there --name");
  }
  Json body;
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  put("name", args.name);
  put("scope", args.scope);
  put("amount", args.amount);
  put("tokens", args.tokens);
  put("currency", args.currency);
  put("window", args.window);
  put("zone", args.zone);
  put("mode", args.mode);
  put("counts", args.counts);
  if (!args.hardness.empty()) body["hard"] = args.hardness == "hard";
  for (std::string_view level : SplitText(args.warn, ',')) {
    if (Trim(level).empty()) continue;
    const Result<ParsedDecimal> percent = ParseDecimal(Trim(level), 0);
    if (!percent || !percent->exact) {
      return Fail(Code::kInvalidArgument, "--warn '" + args.warn + "' is no list of percentages",
                  "such as 50,80,100");
    }
    body["warn"].push_back(static_cast<int64_t>(percent->units));
  }
  return body.dump();
}

Result<std::string> Act(const Environment& environment, const BudgetsArgs& args) {
  const std::string path(gateway::kDeskPath);
  if (args.action == "set") return AskDesk(environment, "POST", path, FB_TRY(SetBody(args)));
  if (args.action == "remove") {
    return AskDesk(environment, "POST", path + "/remove", Json{{"name", args.name}}.dump());
  }
  if (args.action == "freeze" || args.action == "unfreeze") {
    const Json body{{"name", args.name}, {"frozen", args.action == "freeze"}};
    return AskDesk(environment, "POST", path + "/freeze", body.dump());
  }
  return AskDesk(environment, "GET", path, "");
}

Table ToTable(const Json& rows) {
  Table table{{"budget", "scope", "window", "limit", "settled", "unseen", "held", "remaining",
               "resets at", "can overspend", "refused", ""},
              {}};
  for (const Json& row : rows) {
    const auto text = [&](const char* name) { return row.value(name, std::string()); };
    const bool bounded = row.value("max_overspend_bounded", true);
    std::string marks = row.value("frozen", false) ? "frozen" : "";
    if (const auto faults = row.value("faults", uint64_t{0}); faults > 0) {
      marks += fmt::format("{}{} above their bound", marks.empty() ? "" : ", ", faults);
    }
    if (!row.value("hard", true)) marks += marks.empty() ? "soft" : ", soft";
    if (const int warned = row.value("warned", 0); warned > 0) {
      marks += fmt::format("{}over {}%", marks.empty() ? "" : ", ", warned);
    }
    if (const auto values = row.value("values", uint64_t{0}); values > 0) {
      marks += fmt::format("{}{} values", marks.empty() ? "" : ", ", values);
    }
    const std::string unit = text("currency").empty() ? "tokens" : text("currency");
    table.rows.push_back({text("name"), text("scope"), text("window"), text("limit") + " " + unit,
                          text("settled"), text("unseen"), text("held"), text("remaining"),
                          text("resets_at"), bounded ? text("max_overspend") : "no bound",
                          std::to_string(row.value("refused", uint64_t{0})), marks});
  }
  return table;
}

}  // namespace

int RunBudgets(const Environment& environment, const BudgetsArgs& args) {
  const Result<std::string> answer = Act(environment, args);
  if (!answer) return Report(environment, answer.error());
  if (environment.json()) {
    Print(*answer);
    return kExitDone;
  }
  Json rows = Json::parse(*answer, nullptr, false);
  if (rows.is_object() && args.action == "remove") {
    Print("removed " + args.name);
    return kExitDone;
  }
  if (!rows.is_array()) rows = Json::array({rows});
  if (rows.empty()) {
    Say("flyball: there are no budgets (`flyball budgets set --scope team=NAME --amount 100`)");
    return kExitDone;
  }
  Print(environment, ToTable(rows));
  return kExitDone;
}

}  // namespace flyball::app
