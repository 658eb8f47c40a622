#include "app/import_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kQuarantineShown = 10;

std::string SumLine(const std::string& label, const Json& sum) {
  return fmt::format("  {:<12}{} in = {} kept + {} quarantined + {} residue\n", label,
                     sum.value("in", "?"), sum.value("kept", "?"), sum.value("quarantined", "?"),
                     sum.value("residue", "?"));
}

std::string CountsLine(std::string_view label, const Json& counts) {
  std::string text;
  for (const auto& [kind, count] : counts.items()) {
    text += fmt::format("  {:<12}{} {}\n", label, kind, count.get<int64_t>());
    label = "";
  }
  return text;
}

}  // namespace

std::string ImportText(std::string_view report_json) {
  const Json report = Json::parse(report_json, nullptr, false);
  if (!report.is_object()) return std::string(report_json);
  const std::string format = report.value("focus_version", "?");
  const bool native = !format.empty() && format[0] >= 'a' && format[0] <= 'z';
  std::string text =
      fmt::format("{}  {}{}  ", report.value("source", ""), native ? "" : "FOCUS ", format);
  const std::string commit = report.contains("commit") && report["commit"].is_string()
                                 ? report["commit"].get<std::string>()
                                 : "";
  if (report.value("unchanged", false)) {
    text += fmt::format("unchanged since commit {}\n", commit);
  } else {
    text += commit.empty() ? "dry run, nothing changed\n" : fmt::format("commit {}\n", commit);
  }
  text += fmt::format("  {:<12}{} in = {} kept + {} quarantined\n", "rows",
                      report.value("rows_in", int64_t{0}), report.value("rows_kept", int64_t{0}),
                      report.value("rows_quarantined", int64_t{0}));
  const Json currencies = report.value("billed_cost_by_currency", Json::object());
  for (const auto& [currency, sum] : currencies.items()) text += SumLine(currency, sum);
  if (currencies.empty())
    text += SumLine("BilledCost", report.value("billed_cost", Json::object()));
  for (const Json& booked : report.value("corrections", Json::array())) {
    const int64_t changes = booked.value("changes", int64_t{0});
    text += fmt::format("  {:<12}{} is {}: ", "corrected", booked.value("period", ""),
                        booked.value("closed", true) ? "closed" : "open again");
    text += changes == 0
                ? std::string("nothing has changed\n")
                : fmt::format("{} charges reversed or restated in {}, source {}\n", changes,
                              booked.value("booked_in", ""), booked.value("source", ""));
  }
  for (const Json& overlap : report.value("overlaps", Json::array())) {
    const char* what = overlap.value("refused", false)     ? "refused"
                       : overlap.value("same_bill", false) ? "same bill"
                                                           : "overlaps";
    text += fmt::format("  {:<12}{}\n  {:<12}{}\n", what, overlap.value("text", ""), "",
                        overlap.value("remedy", ""));
  }
  text += CountsLine("repaired", report.value("repairs", Json::object()));
  text += CountsLine("found", report.value("findings", Json::object()));
  const Json quarantine = report.value("quarantine", Json::array());
  for (size_t i = 0; i < quarantine.size() && i < kQuarantineShown; ++i) {
    text += fmt::format("  {:<12}line {}: {}\n", i == 0 ? "quarantined" : "",
                        quarantine[i].value("line", int64_t{0}), quarantine[i].value("reason", ""));
  }
  if (quarantine.size() > kQuarantineShown) {
    text += fmt::format("  {:<12}and {} more\n", "", quarantine.size() - kQuarantineShown);
  }
  return text;
}

}  // namespace flyball::app
