// A ledger for tests of its forecast: charges in memory, asked by the naive interpreter of cost
// queries, in the JSON of any answer.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "forecast/question.h"
#include "forecast/test_series.h"
#include "ledger/naive.h"

namespace flyball::forecast {

inline Instant Day(const char* text) { return ParseUserInstant(text).value(); }

class TestLedger {
 public:
  // A charge a day from `from` to before `to`: `level` times the day of the week, with noise, times
  // the growth of each day.
  void Daily(const std::string& team, const std::string& model, double level, Instant from,
             Instant to, double noise = 0.05, const std::string& source = "test",
             const std::string& currency = "USD") {
    Noise random(std::hash<std::string>{}(team + model) % 1000 + 1);
    for (Instant day = from; day < to; day.us += kMicrosPerDay) {
      const int64_t weekday = (day.us / kMicrosPerDay + 3) % 7;
      const double cost =
          level * (weekday >= 5 ? 0.6 : 1.16) * std::max(0.0, 1 + noise * random.Normal());
      Add(team, model, cost, day, source, currency);
    }
  }

  void Add(const std::string& team, const std::string& model, double cost, Instant day,
           const std::string& source = "test", const std::string& currency = "USD") {
    ledger::NaiveCharge charge;
    charge.columns["BillingCurrency"] = currency;
    charge.assigned[dimension::kTeam] = team;
    charge.assigned[dimension::kModel] = model;
    charge.measures["effective_cost"] = charge.measures["billed_cost"] =
        static_cast<int128>(std::llround(cost * 1e6)) * 1'000'000;
    charge.start = day;
    charge.source = source;
    charges.push_back(std::move(charge));
  }

  Ask asked() {
    return [this](const ledger::CostQuery& query) -> Result<std::string> {
      ledger::QueryAnswer answer = FB_TRY(ledger::AnswerNaively(query, charges));
      answer.commit = "c0ffee";
      answer.query_hash = ledger::QueryHash(query);
      return ledger::AnswerJson(answer);
    };
  }

  std::vector<ledger::NaiveCharge> charges;
};

}  // namespace flyball::forecast
