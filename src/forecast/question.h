// Question: what is asked of the ledger's forecast, by the command line and the API in the same
// words.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ledger/cost_query.h"

namespace flyball::forecast {

// Answers a cost query with the JSON contract of ledger::AnswerJson.
using Ask = std::function<Result<std::string>(const ledger::CostQuery&)>;

struct Horizon {
  enum class Unit : uint8_t { kHour, kDay, kWeek, kMonth } unit = Unit::kMonth;
  int count = 3;
};
inline constexpr int kHorizonDaysMax = 740;
inline constexpr int kHorizonHoursMax = 744;

// "48h", "28d", "12w", "3mo". INVALID_ARGUMENT beyond two years, or a month of hours.
Result<Horizon> ParseHorizon(std::string_view text);
std::string HorizonText(const Horizon& horizon);
// Where a forecast ends that begins at `from`. Months are whole: the first is the one of `from`,
// to its end.
Instant EndOf(const Horizon& horizon, Instant from);

// "50,80,95": percentages between 0 and 100; ascending.
Result<std::vector<double>> ParseLevels(std::string_view text);
inline constexpr size_t kLevelsMax = 10;

struct Question {
  std::vector<std::string> by;  // dimensions; every level of them is forecast
  std::string measure = "effective_cost";
  std::vector<ledger::Filter> where;
  Horizon horizon;
  std::vector<double> levels = {50, 80, 95};
  ledger::Grain grain = ledger::Grain::kDay;  // hour, day or month (days, told by month)
  std::string as_of;
  std::string currency;  // the reporting currency; empty: one answer for each that is billed
  bool fast = false;

  // Of the history: hours or days.
  ledger::Grain step() const {
    return grain == ledger::Grain::kHour ? ledger::Grain::kHour : ledger::Grain::kDay;
  }
  int64_t step_us() const {
    return step() == ledger::Grain::kHour ? kMicrosPerHour : kMicrosPerDay;
  }
};

// By name: by, measure, where, horizon, levels, grain, as_of, currency, fast ("1" or "true"); what
// is not there keeps its default. INVALID_ARGUMENT names the field.
using Fields = std::map<std::string, std::string>;
Result<Question> ParseQuestion(const Fields& fields);
// {"by":["team"],"horizon":"3mo","levels":[80,95],"where":"team=search",...}: the same fields;
// lists may be lists or texts.
Result<Fields> FieldsOfJson(std::string_view json, const std::vector<std::string>& known);
const std::vector<std::string>& QuestionFields();
// "team,model" in its words, without blanks.
std::vector<std::string> WordsOf(std::string_view text);

}  // namespace flyball::forecast
