#include "ledger/report_in.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/ratio.h"
#include "ledger/merge.h"

namespace flyball::ledger {
namespace {

Instant PeriodOf(Grain grain, Instant at) {
  switch (grain) {
    case Grain::kHour:
      return FloorHour(at);
    case Grain::kWeek:
      return FloorWeek(at);
    case Grain::kMonth:
      return FloorMonth(at);
    case Grain::kNone:
    case Grain::kDay:
      break;
  }
  return FloorDay(at);
}

bool IsMoney(std::string_view measure) { return MeasureScale(measure) == Money::scale(); }

class Converter {
 public:
  Converter(const CostQuery& query, const QueryAnswer& billed, const rates::ExchangeTable& table)
      : query_(query), billed_(billed), table_(table) {
    for (const std::string& measure : billed.measures) is_money_.push_back(IsMoney(measure));
  }

  // The rows in the reporting currency, under the periods of the question; many of them stand for
  // the same group.
  Result<QueryAnswer> Convert() {
    QueryAnswer converted;
    converted.columns = billed_.columns;
    if (query_.grain == Grain::kNone) converted.columns.erase(converted.columns.begin());
    converted.measures = billed_.measures;
    converted.commit = billed_.commit;
    converted.read_from = billed_.read_from;
    converted.rows.reserve(billed_.rows.size());
    std::string label, period;
    Instant day;
    for (const AnswerRow& row : billed_.rows) {
      if (row.dimensions.front() != label) {  // rows come by period
        label = row.dimensions.front();
        const Instant start = FB_TRY(ParseUserInstant(label));
        day = FloorDay(start);
        period = PeriodLabel(query_.grain, PeriodOf(query_.grain, start));
      }
      AnswerRow& to = converted.rows.emplace_back();
      if (query_.grain != Grain::kNone) to.dimensions.push_back(period);
      to.dimensions.insert(to.dimensions.end(), row.dimensions.begin() + 1, row.dimensions.end());
      to.measures = FB_TRY(Measures(row, day));
      to.currency = query_.currency;
    }
    return converted;
  }

  // What the rates were, and what was billed.
  Result<Conversion> Facts() const {
    Conversion facts;
    facts.currency = query_.currency;
    facts.rates = FB_TRY(Rates());
    for (size_t m = 0; m < billed_.measures.size(); ++m) {
      // The measure that only ranks is no part of the answer.
      if (!is_money_[m] || m >= query_.measures.size()) continue;
      facts.measures.push_back(billed_.measures[m]);
      for (const auto& [currency, totals] : billed_.totals) {
        facts.billed[currency].push_back(totals[m]);
      }
    }
    return facts;
  }

 private:
  Result<std::vector<int128>> Measures(const AnswerRow& row, Instant day) {
    std::vector<int128> measures = row.measures;
    if (row.currency == query_.currency) return measures;
    for (size_t m = 0; m < measures.size(); ++m) {
      if (!is_money_[m] || measures[m] == 0) continue;
      const rates::PairRate* rate = FB_TRY(RateOf(row.currency, day));
      measures[m] =
          FB_TRY(TimesRatio(Money::FromUnits(measures[m]), rate->numerator, rate->denominator))
              .units();
    }
    return measures;
  }

  Result<const rates::PairRate*> RateOf(const std::string& currency, Instant day) {
    auto& days = used_[currency];
    auto found = days.find(day);
    if (found == days.end()) {
      found = days.emplace(day, FB_TRY(table_.Between(currency, query_.currency, day))).first;
    }
    return &found->second;
  }

  Result<std::vector<UsedRate>> Rates() const {
    std::vector<UsedRate> rates;
    for (const auto& [currency, days] : used_) {
      if (days.empty()) continue;
      UsedRate& used = rates.emplace_back();
      used.billed = currency;
      used.first_day = days.begin()->first;
      used.last_day = days.rbegin()->first;
      used.days = static_cast<int64_t>(days.size());
      std::set<uint32_t> sources;
      for (const auto& [day, rate] : days) {
        const bool is_first = day == used.first_day;
        const Money shown =
            FB_TRY(TimesRatio(FB_TRY(Money::Parse("1")), rate.numerator, rate.denominator));
        used.lowest = is_first ? shown : std::min(used.lowest, shown);
        used.highest = is_first ? shown : std::max(used.highest, shown);
        used.rates_from = is_first ? rate.day : std::min(used.rates_from, rate.day);
        used.rates_to = is_first ? rate.day : std::max(used.rates_to, rate.day);
        used.days_carried += rate.day < day ? 1 : 0;
        sources.insert(rate.sources.begin(), rate.sources.end());
      }
      for (const uint32_t source : sources) used.sources.push_back(table_.sources()[source]);
    }
    return rates;
  }

  const CostQuery& query_;
  const QueryAnswer& billed_;
  const rates::ExchangeTable& table_;
  std::vector<bool> is_money_;                                      // of each measure of the answer
  std::map<std::string, std::map<Instant, rates::PairRate>> used_;  // by currency and day
};

}  // namespace

CostQuery ReportingQuery(const CostQuery& query) {
  CostQuery days = MergeableQuery(query);
  days.grain = query.grain == Grain::kHour ? Grain::kHour : Grain::kDay;
  days.currency.clear();
  return days;
}

Result<QueryAnswer> ReportIn(const CostQuery& query, const QueryAnswer& billed,
                             const rates::ExchangeTable& table) {
  FB_ASSERT(!query.currency.empty() && billed.measures == MergeableQuery(query).measures);
  Converter converter(query, billed, table);
  const QueryAnswer converted = FB_TRY(converter.Convert());
  QueryAnswer answer = FB_TRY(MergeAnswers(query, converted, QueryAnswer()));
  answer.conversion = FB_TRY(converter.Facts());
  return answer;
}

}  // namespace flyball::ledger
