// Answers: what the command line and the API say of the ledger's future, as JSON documents, by the
// same code. docs/FORECAST.md has their members.
#pragma once

#include <functional>
#include <string>

#include "forecast/ledger_forecast.h"
#include "os/files.h"

namespace flyball::forecast {

struct Desk {
  LedgerContext context;
  os::Files& files;
  std::string home;
  // The budgets as `flyball budgets --format json` lists them.
  std::function<Result<std::string>()> budgets;
};

// The forecast, which is kept as a vintage.
Result<std::string> AnswerForecast(const Fields& fields, const Desk& desk);
// Stored forecasts beside what came. Fields: measure, by, where filter them, all if absent.
Result<std::string> AnswerAccuracy(const Fields& fields, const Desk& desk);
// Every budget to the end of its window. Field: levels.
Result<std::string> AnswerOutlook(const Fields& fields, const Desk& desk);
// A backtest of the ledger's series at every level. Fields: those of a question, and origins.
Result<std::string> AnswerBacktest(const Fields& fields, const Desk& desk);

const std::vector<std::string>& AccuracyFields();
const std::vector<std::string>& OutlookFields();
const std::vector<std::string>& BacktestFields();

}  // namespace flyball::forecast
