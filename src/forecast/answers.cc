#include "forecast/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "forecast/accuracy.h"
#include "forecast/backtest.h"
#include "forecast/hierarchy.h"
#include "forecast/ledger_json.h"
#include "forecast/outlook.h"
#include "forecast/vintage.h"

namespace flyball::forecast {
namespace {

constexpr size_t kOriginsDefault = 4;

std::string FieldAt(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

Result<size_t> OriginsOf(const Fields& fields) {
  const std::string text = FieldAt(fields, "origins");
  if (text.empty()) return kOriginsDefault;
  size_t origins = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), origins);
  if (failed != std::errc() || end != text.data() + text.size() || origins < 1 ||
      origins > kOriginsMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("origins: a whole number from 1 to {} is expected", kOriginsMax));
  }
  return origins;
}

// Every node of a history, as the portfolio takes it.
Result<std::vector<Series>> NodesOf(const History& history, const Question& question,
                                    size_t horizon) {
  const Hierarchy hierarchy =
      FB_TRY(Hierarchy::Make(history.leaves, question.by.size(), question.by.size()));
  // Without a dimension the whole and the leaf are one.
  const size_t nodes = question.by.empty() ? 1 : hierarchy.nodes().size();
  std::vector<Series> all;
  for (size_t n = 0; n < nodes; ++n) {
    std::vector<double> sum(history.values[0].size(), 0.0);
    for (const uint32_t leaf : hierarchy.nodes()[n].leaves) {
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += history.values[leaf][i];
    }
    all.push_back(RawSeriesOf(std::move(sum), question, horizon));
  }
  return all;
}

}  // namespace

const std::vector<std::string>& AccuracyFields() {
  static const std::vector<std::string> fields{"by", "measure", "where"};
  return fields;
}
const std::vector<std::string>& OutlookFields() {
  static const std::vector<std::string> fields{"levels"};
  return fields;
}
const std::vector<std::string>& BacktestFields() {
  static const std::vector<std::string> fields = [] {
    std::vector<std::string> all = QuestionFields();
    all.emplace_back("origins");
    return all;
  }();
  return fields;
}

Result<std::string> AnswerForecast(const Fields& fields, const Desk& desk) {
  const Question question = FB_TRY(ParseQuestion(fields));
  LedgerAnswer answer = FB_TRY(ForecastLedger(question, desk.context));
  // What was known then, told with the events of today, is nothing that was said in advance.
  if (!question.as_of.empty()) return LedgerAnswerJson(answer);
  const Vintage vintage = VintageOf(answer, desk.context.now);
  // A forecast that cannot be kept is a forecast all the same.
  const Result<std::string> why_not = KeepVintage(desk.files, desk.home, vintage);
  if (!why_not || !why_not->empty()) {
    answer.left_off.push_back("this forecast is not kept to be compared: " +
                              (why_not ? *why_not : why_not.error().message));
  } else {
    answer.vintage = vintage.id;
  }
  return LedgerAnswerJson(answer);
}

Result<std::string> AnswerAccuracy(const Fields& fields, const Desk& desk) {
  std::vector<Vintage> vintages = FB_TRY(ReadVintages(desk.files, desk.home));
  const std::vector<std::string> by = WordsOf(FieldAt(fields, "by"));
  const std::string measure = FieldAt(fields, "measure");
  const std::string where =
      ledger::FormatWhere(FB_TRY(ledger::ParseWhere(FieldAt(fields, "where"))));
  std::erase_if(vintages, [&](const Vintage& vintage) {
    const Question& question = vintage.question;
    return (fields.contains("by") && question.by != by) ||
           (!measure.empty() && question.measure != measure) ||
           (fields.contains("where") && ledger::FormatWhere(question.where) != where);
  });
  return AccuracyJson(
      FB_TRY(CompareVintages(vintages, desk.context.ask, desk.context.now, desk.context.stopped)));
}

Result<std::string> AnswerOutlook(const Fields& fields, const Desk& desk) {
  const std::string levels = FieldAt(fields, "levels");
  const std::vector<double> parsed = FB_TRY(ParseLevels(levels.empty() ? "50,80,95" : levels));
  const std::vector<BudgetNow> budgets = FB_TRY(ReadBudgets(FB_TRY(desk.budgets())));
  return OutlookJson(FB_TRY(LookAhead(budgets, parsed, desk.context)));
}

Result<std::string> AnswerBacktest(const Fields& fields, const Desk& desk) {
  const Question question = FB_TRY(ParseQuestion(fields));
  const size_t origins = FB_TRY(OriginsOf(fields));
  const Past past = FB_TRY(ReadPast(desk.context.ask, question, question.by, desk.context.now));
  const Instant end = EndOf(question.horizon, past.to);
  const auto horizon = static_cast<size_t>((end.us - past.to.us) / question.step_us());
  std::vector<BacktestReport> reports;
  for (const History& history : past.histories) {
    const std::vector<Series> series = FB_TRY(NodesOf(history, question, horizon));
    // As it would have been forecast: with the options and the level of the origin.
    Options options =
        FitOptions(question, desk.context, series.size(), history.values[0].size(), horizon);
    options.levels = question.levels;
    const auto prepare = [&](Series* known) {
      std::vector<std::string> notes;
      *known = SeriesOf("", std::move(known->values), question, horizon, &notes);
    };
    BacktestReport& report =
        reports.emplace_back(FB_TRY(Backtest(series, options, origins, prepare)));
    report.currency = history.currency;
    report.unit = history.unit;
  }
  return BacktestJson(reports);
}

}  // namespace flyball::forecast
