// flyball forecast: what the ledger will say, through the server when one runs.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/command.h"
#include "app/estate_now.h"
#include "app/gateway_desk.h"
#include "app/open_ledger.h"
#include "app/remote.h"
#include "app/table.h"
#include "forecast/answers.h"
#include "gateway/desk.h"
#include "ingest/reporting.h"
#include "os/process.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kServerMs = 900'000;  // a backtest of a large ledger takes minutes

forecast::Fields FieldsOf(const ForecastArgs& args) {
  forecast::Fields fields;
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) fields[name] = value;
  };
  put("by", args.by);
  put("measure", args.measure);
  put("where", args.where);
  put("horizon", args.horizon);
  put("levels", args.levels);
  put("grain", args.grain);
  put("as_of", args.as_of);
  put("currency", args.currency);
  if (args.fast) fields["fast"] = "true";
  if (args.what == "backtest") fields["origins"] = std::to_string(args.origins);
  return fields;
}

// The rules of the file as it stands; those in force while it is broken.
std::vector<estate::ForecastEvent> EventsNow(const Environment& environment,
                                             const ledger::Ledger& ledger) {
  const auto rules = EstateNow(environment).Get();
  return (rules ? *rules : ledger.Rules())->estate().forecast_events;
}

Result<std::string> AnswerHere(const Environment& environment, const std::string& what,
                               const forecast::Fields& fields) {
  const auto ledger = FB_TRY(OpenLedger(environment));
  ingest::LiveCharges live(environment.files, environment.home, environment.clock);
  rates::ExchangeStore exchange(environment.files, environment.home);
  forecast::LedgerContext context;
  context.ask = [&](const ledger::CostQuery& query) -> Result<std::string> {
    return ingest::LiveAnswerText(FB_TRY(ingest::AnswerInCurrency(live, *ledger, exchange, query)),
                                  ledger::AnswerFormat::kJson);
  };
  context.events = EventsNow(environment, *ledger);
  context.now = environment.clock.Now();
  context.threads = std::max(1u, std::thread::hardware_concurrency());
  context.stopped = [] { return os::StopRequested(); };
  const forecast::Desk desk{
      context, environment.files, environment.home,
      [&] { return AskDesk(environment, "GET", std::string(gateway::kDeskPath), ""); }};
  if (what == "accuracy") return forecast::AnswerAccuracy(fields, desk);
  if (what == "outlook") return forecast::AnswerOutlook(fields, desk);
  if (what == "backtest") return forecast::AnswerBacktest(fields, desk);
  return forecast::AnswerForecast(fields, desk);
}

// Of a file there is no calendar: a horizon is a number of steps.
Result<int> ParseSteps(std::string_view text) {
  int steps = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), steps);
  if (failed == std::errc() && end == text.data() + text.size() && steps >= 1 &&
      static_cast<size_t>(steps) <= forecast::kHorizonMax) {
    return steps;
  }
  return Fail(Code::kInvalidArgument, fmt::format("--horizon '{}' is no number of steps", text),
              fmt::format("of a file it is a number from 1 to {}", forecast::kHorizonMax));
}

Result<std::string> Answer(const Environment& environment, const ForecastArgs& args) {
  const forecast::Fields fields = FieldsOf(args);
  std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (!remote) return AnswerHere(environment, args.what, fields);
  if (args.what.empty()) return remote->Post("/api/v1/forecast", Json(fields).dump(), true);
  remote->set_timeout_ms(kServerMs);
  return remote->Get("/api/v1/forecast/" + args.what, fields);
}

std::string Number(const Json& value) {
  return value.is_number() ? fmt::format("{:.10g}", value.get<double>()) : "";
}
std::string Percent(const Json& value) {
  return value.is_number() ? fmt::format("{:.1f}%", 100 * value.get<double>()) : "";
}
// Two decimals for people.
std::string Rounded(const Json& value) {
  return value.is_number() ? fmt::format("{:.2f}", value.get<double>()) : "";
}

std::string LevelName(const char* bound, const Json& level) {
  return fmt::format("{}_{}", bound, level.get<double>());
}

// A row a series and period; of months what has passed, too.
class ForecastTable {
 public:
  ForecastTable(const Json& document, bool months, bool exact)
      : document_(document), months_(months), exact_(exact) {}

  Table Make() {
    for (const Json& name : document_["by"]) table_.header.push_back(name.get<std::string>());
    table_.header.push_back(document_["measure"] == "usage" ? "unit" : "currency");
    table_.header.emplace_back("period");
    if (months_) table_.header.emplace_back("actual");
    table_.header.emplace_back("mean");
    for (const Json& level : document_["levels"]) {
      table_.header.push_back(LevelName("lower", level));
      table_.header.push_back(LevelName("upper", level));
    }
    for (const Json& answer : document_["answers"]) {
      for (const Json& series : answer["series"]) AddSeries(answer, series);
    }
    return std::move(table_);
  }

 private:
  void AddSeries(const Json& answer, const Json& series) {
    const Json& values = months_ ? series["months"] : series;
    const Json& periods = answer[months_ ? "months" : "periods"];
    for (size_t i = 0; i < periods.size(); ++i) {
      std::vector<std::string>& row = table_.rows.emplace_back();
      for (const Json& name : document_["by"]) {
        row.push_back(series["dimensions"].value(name.get<std::string>(), "(all)"));
      }
      const Json& unit = answer.contains("unit") ? answer["unit"] : answer["currency"];
      row.push_back(unit.is_string() ? unit.get<std::string>() : "");
      row.push_back(periods[i].get<std::string>());
      const auto add = [&](const Json& value) {
        row.push_back(exact_ ? Number(value) : Rounded(value));
      };
      if (months_) add(values["actual"][i]);
      add(values["mean"][i]);
      for (const Json& range : values["ranges"]) {
        add(range["lower"][i]);
        add(range["upper"][i]);
      }
    }
  }

  const Json& document_;
  bool months_, exact_;
  Table table_;
};

std::string ListText(const Json& list) {
  std::string text;
  for (const Json& item : list) text += (text.empty() ? "" : ",") + item.get<std::string>();
  return text.empty() ? "-" : text;
}

Table AccuracyTable(const Json& document) {
  Table table{{"forecast of", "by", "where", "currency", "steps", "wmape", "bias", "coverage",
               "series' wmape", "months"},
              {}};
  for (const Json& one : document["vintages"]) {
    std::string coverage, months;
    for (const Json& level : one["whole"]["coverage"]) {
      coverage += fmt::format("{}{}: {}", coverage.empty() ? "" : ", ",
                              level["level"].get<double>(), Percent(level["share"]));
    }
    for (const Json& month : one["months"]) {
      months += fmt::format("{}{}: {}", months.empty() ? "" : ", ",
                            month["month"].get<std::string>(), Percent(month["error"]));
    }
    const Json& unit = one["currency"].is_string() ? one["currency"] : one["unit"];
    table.rows.push_back({one.value("known_to", "").substr(0, 10), ListText(one["by"]),
                          one.value("where", ""), unit.is_string() ? unit.get<std::string>() : "",
                          one["whole"]["steps"].dump(), Percent(one["whole"]["wmape"]),
                          Percent(one["whole"]["bias"]), coverage, Percent(one["series"]["wmape"]),
                          months});
  }
  return table;
}

Table OutlookTable(const Json& document) {
  Table table{{"budget", "scope", "window", "limit", "spent", "expected at the end"}, {}};
  for (const Json& level : document["levels"]) {
    table.header.push_back(LevelName("lower", level));
    table.header.push_back(LevelName("upper", level));
  }
  table.header.insert(table.header.end(), {"overrun", "on", "between", ""});
  for (const Json& one : document["budgets"]) {
    std::string scope = one.value("scope", "");
    if (one.contains("value")) scope += " " + one.value("value", "");
    std::vector<std::string> row{one.value("name", ""), scope, one.value("window", ""),
                                 Rounded(one["limit"]) + " " + one.value("currency", "")};
    if (one.contains("refusal")) {
      row.resize(table.header.size() - 1);
      row.push_back("not told: " + one.value("refusal", ""));
    } else {
      row.push_back(Rounded(one["spent"]));
      row.push_back(Rounded(one["mean"]));
      for (const Json& range : one["ranges"]) {
        row.push_back(Rounded(range["lower"]));
        row.push_back(Rounded(range["upper"]));
      }
      row.push_back(Percent(one["overrun_probability"]));
      const auto day = [&](const char* name) {
        return one[name].is_string() ? one[name].get<std::string>() : std::string();
      };
      row.push_back(day("overrun_at"));
      row.push_back(day("overrun_from").empty() ? ""
                                                : day("overrun_from") + " " + day("overrun_to"));
      row.emplace_back("");
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table BacktestTable(const Json& document) {
  Table table{
      {"class", "currency", "series", "values", "wmape", "bias", "mase", "pinball", "value added"},
      {}};
  for (const Json& level : document["levels"]) table.header.push_back(LevelName("in", level));
  for (const Json& one : document["classes"]) {
    std::vector<std::string> row{
        one.value("class", ""),     one.value("currency", one.value("unit", "")),
        one["series"].dump(),       one["values"].dump(),
        Percent(one["wmape"]),      Percent(one["bias"]),
        Rounded(one["mase"]),       Number(one["pinball"]),
        Percent(one["value_added"])};
    for (const Json& level : one["coverage"]) row.push_back(Percent(level["share"]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// What a reader of the numbers should know, on standard error.
void SayNotes(const Json& document) {
  const auto say = [](const Json& notes) {
    for (const Json& note : notes) Say(Printable("flyball: " + note.get<std::string>()));
  };
  if (document.contains("left_off")) say(document["left_off"]);
  if (document.contains("notes")) say(document["notes"]);
  if (document.contains("answers")) {
    for (const Json& answer : document["answers"]) say(answer["notes"]);
    Say(fmt::format("flyball: estimates; the past is known to {} (commit {})",
                    document.value("known_to", ""), document.value("commit", "").substr(0, 12)));
  }
}

Table TableOf(const Environment& environment, const ForecastArgs& args, const Json& document) {
  if (args.what == "accuracy") return AccuracyTable(document);
  if (args.what == "outlook") return OutlookTable(document);
  if (args.what == "backtest") return BacktestTable(document);
  const bool csv = environment.format == "csv";
  const bool in_months = args.horizon.empty() || args.horizon.ends_with("mo");
  const bool months = document["grain"] == "month" || (!csv && args.grain.empty() && in_months);
  return ForecastTable(document, months, csv).Make();
}

}  // namespace

int RunForecast(const Environment& environment, const ForecastArgs& args) {
  ForecastSeriesArgs of_file = args.series;
  of_file.levels = args.levels.empty() ? "50,80,95" : args.levels;
  of_file.fast = args.fast;
  if (!of_file.file.empty() && !args.horizon.empty()) {
    const Result<int> steps = ParseSteps(args.horizon);
    if (!steps) return Report(environment, steps.error());
    of_file.horizon = *steps;
  }
  const Result<std::string> answer =
      of_file.file.empty() ? Answer(environment, args)
                           : BacktestFile(environment, of_file, static_cast<size_t>(args.origins));
  if (!answer) return Report(environment, answer.error());
  if (environment.json()) {
    Print(*answer);
    return kExitDone;
  }
  const Json document = Json::parse(*answer, nullptr, false);
  SayNotes(document);
  Print(environment, TableOf(environment, args, document));
  return kExitDone;
}

}  // namespace flyball::app
