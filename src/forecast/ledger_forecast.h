// Ledger forecast: what the ledger will say, at every level of the dimensions that are asked for,
// adding up on every sample path.
//
//   cost query ─► history.h ─► events.h ─► each node forecast (forecast.h, shifts.h)
//     ─► joint sample paths (paths.h) ─► reconciled (reconcile.h) ─► events to come ─► quantiles
//
// All estimates. Values in, values out; the ledger is asked through a function.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "estate/estate.h"
#include "forecast/forecast.h"
#include "forecast/history.h"

namespace flyball::forecast {

struct MonthTotal {
  double actual = 0;                 // of the month's days that are past; estimates of missing ones
  double mean = 0;                   // of the whole month, with these
  std::vector<double> lower, upper;  // a level each
};

struct NodeForecast {
  std::vector<std::string> values;  // of the dimensions; empty where it is summed over
  uint32_t dimensions = 0;          // which it is of, a bit each
  std::vector<double> history;      // as the ledger tells it; NaN: the step is not told whole
  std::vector<double> mean;
  std::vector<Range> ranges;  // a level each
  std::vector<MonthTotal> months;
  Regime regime = Regime::kShort;
  std::vector<Weighted> members;
  std::vector<std::string> notes;
};

struct LedgerForecast {  // of one currency, or one unit
  std::string currency, unit;
  Instant from;                     // of the history
  std::vector<NodeForecast> nodes;  // the whole first
  std::vector<std::string> notes;   // events, and what was left out
  std::string method;               // of reconciliation
  size_t paths = 0;
  bool fast = false;
};

struct LedgerAnswer {
  Question question;
  Instant to;   // the past ends and the forecast begins
  Instant end;  // of the forecast
  std::string commit, query_hash;
  std::vector<std::string> left_off;
  std::string vintage;  // under which it is kept; empty: it is not
  std::vector<LedgerForecast> forecasts;
};

struct LedgerContext {
  Ask ask;
  std::vector<estate::ForecastEvent> events;
  Instant now;
  unsigned threads = 1;
  std::function<bool()> stopped;  // asked now and then; true ends the work with CANCELLED
};

// Beyond so many series the slow members are left out.
inline constexpr size_t kSlowSeriesMax = 600;
// Points and bounds of all series of one currency or unit, at every step: what one answer takes of
// memory, and so of time.
inline constexpr size_t kForecastValuesMax = 10'000'000;
inline constexpr uint64_t kForecastSeed = 1788;

// RESOURCE_EXHAUSTED beyond kForecastValuesMax, before anything is fitted; CANCELLED when stopped.
Result<LedgerAnswer> ForecastLedger(const Question& question, const LedgerContext& context);
// The months that [from, to) has days of, each by its first instant.
std::vector<Instant> MonthsOf(Instant from, Instant to);

// How so many series with a past of this length are fitted.
Options FitOptions(const Question& question, const LedgerContext& context, size_t series,
                   size_t length, size_t horizon);

// One series of the past as the portfolio takes it: without what was before its first charge, at
// the level of its end. `notes` says what was done.
Series SeriesOf(std::string id, std::vector<double> values, const Question& question,
                size_t horizon, std::vector<std::string>* notes);
// The same as it stands: without what was before its first charge, and no more.
Series RawSeriesOf(std::vector<double> values, const Question& question, size_t horizon);
// Steps of a trial where `horizon` are forecast from a past of this length: as many as leave room
// for some trials.
size_t TrialHorizon(size_t length, size_t horizon, size_t season);

}  // namespace flyball::forecast
