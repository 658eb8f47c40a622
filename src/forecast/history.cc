#include "forecast/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text.h"
#include "ledger/days.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::json;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
// A source's days are judged by this much of its past.
constexpr int kJudgedDays = 62;

Result<Json> AskJson(const Ask& ask, const ledger::CostQuery& query) {
  Json answer = Json::parse(FB_TRY(ask(query)), nullptr, false);
  if (!answer.is_object() || !answer.contains("rows") || !answer["rows"].is_array()) {
    return Fail(Code::kInternal, "the answer of the ledger cannot be read");
  }
  return answer;
}

std::string TextAt(const Json& row, const std::string& name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double NumberAt(const Json& row, const std::string& name) {
  const std::string text = TextAt(row, name);
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() ? value : kMissing;
}

struct Source {
  std::map<Instant, ledger::DayFacts> days;
};

struct Reach {
  Instant to;              // the end of the last whole day
  std::set<Instant> told;  // days that any source has charges of
  bool daily = false;      // some source charges daily
  std::vector<std::string> left_off;
};

// The sources that have a part in what is asked; without a filter all have.
Result<std::optional<std::set<std::string>>> SourcesOf(const Ask& ask, const Question& question) {
  if (question.where.empty()) return std::nullopt;
  ledger::CostQuery query;
  query.measures = {"charges"};
  query.by = {"source"};
  query.where = question.where;
  query.as_of = question.as_of;
  const Json answer = FB_TRY(AskJson(ask, query));
  std::set<std::string> names;
  for (const Json& row : answer["rows"]) names.insert(TextAt(row, "source"));
  return names;
}

// The end of the last day that the source has told whole; none: it does not charge daily.
std::optional<Instant> WholeTo(const Source& source, Instant now) {
  const Instant last = source.days.rbegin()->first;
  const Instant to{last.us + kMicrosPerDay};
  const Instant from{to.us - kJudgedDays * kMicrosPerDay};
  const bool began_before = source.days.begin()->first < from;
  std::optional<Instant> whole;
  for (const ledger::Day& day : ledger::JudgeDays(source.days, from, to, began_before, now)) {
    if (day.state == ledger::DayState::kFull) whole = Instant{day.day.us + kMicrosPerDay};
    if (day.state == ledger::DayState::kNone) return std::nullopt;
  }
  return whole;
}

Result<Reach> ReachOf(const Ask& ask, const Question& question, Instant now) {
  const auto wanted = FB_TRY(SourcesOf(ask, question));
  ledger::CostQuery query;
  query.measures = {"charges"};
  query.by = {"source"};
  query.grain = ledger::Grain::kDay;
  query.to = FloorDay(now);
  query.as_of = question.as_of;
  const Json answer = FB_TRY(AskJson(ask, query));
  std::map<std::string, Source> sources;
  Reach reach;
  for (const Json& row : answer["rows"]) {
    const std::string name = TextAt(row, "source");
    if (wanted && !wanted->contains(name)) continue;
    const Instant day = FB_TRY(ParseUserInstant(TextAt(row, "period")));
    reach.told.insert(day);
    sources[name].days[day].charges += static_cast<int64_t>(NumberAt(row, "charges"));
  }
  if (sources.empty()) {
    return Fail(Code::kNotFound, "nothing was charged before today that could be forecast",
                "`flyball query --grain day` with the same filters shows what there is");
  }
  std::map<std::string, Instant> whole;
  Instant newest;
  for (const auto& [name, source] : sources) {
    newest = std::max(newest, Instant{source.days.rbegin()->first.us + kMicrosPerDay});
    if (const std::optional<Instant> to = WholeTo(source, now)) whole[name] = *to;
  }
  reach.to = newest;
  reach.daily = !whole.empty();
  std::string slowest;
  for (const auto& [name, to] : whole) {
    if (to.us < newest.us - kLagDaysMax * kMicrosPerDay || to >= reach.to) continue;
    reach.to = to;
    slowest = name;
  }
  if (reach.to < newest) {
    reach.left_off.push_back(fmt::format("{} to {}: not whole yet, as {} reaches to {}",
                                         FormatDate(reach.to), FormatDate({newest.us - 1}), slowest,
                                         FormatDate({reach.to.us - 1})));
  }
  return reach;
}

// One currency's, or unit's, rows as they come.
struct Gathered {
  std::map<std::vector<std::string>, size_t> places;
  std::vector<std::map<Instant, double>> values;  // a leaf
};

bool IsCost(const std::string& measure) { return ledger::MeasureScale(measure) == Money::scale(); }

Result<std::map<std::string, Gathered>> Gather(const Json& answer, const Question& question,
                                               const std::vector<std::string>& dimensions) {
  std::map<std::string, Gathered> groups;
  const std::string one_currency = TextAt(answer, "currency");
  size_t leaves = 0;
  for (const Json& row : answer["rows"]) {
    std::string group;
    if (IsCost(question.measure)) {
      group = row.contains("currency") ? TextAt(row, "currency") : one_currency;
    } else if (question.measure == "usage") {
      group = TextAt(row, "unit");
    }
    std::vector<std::string> key;
    for (const std::string& dimension : dimensions) key.push_back(TextAt(row, dimension));
    Gathered& gathered = groups[group];
    const auto [place, fresh] = gathered.places.try_emplace(std::move(key), gathered.values.size());
    if (fresh) {
      gathered.values.emplace_back();
      if (++leaves > kLeavesMax) {
        return Fail(Code::kResourceExhausted,
                    fmt::format("there are more than {} series to forecast", kLeavesMax),
                    "name fewer dimensions, or filter with --where");
      }
    }
    const Instant period = FB_TRY(ParseUserInstant(TextAt(row, "period")));
    gathered.values[place->second][period] += NumberAt(row, question.measure);
  }
  return groups;
}

History ToHistory(const Gathered& gathered, const Reach& reach, int64_t step_us) {
  History history;
  history.from = reach.to;
  for (const auto& values : gathered.values) {
    history.from = std::min(history.from, values.begin()->first);
  }
  const auto steps = static_cast<size_t>((reach.to.us - history.from.us) / step_us);
  std::vector<bool> missing(steps, false);
  for (size_t i = 0; reach.daily && i < steps; ++i) {
    const Instant at{history.from.us + static_cast<int64_t>(i) * step_us};
    missing[i] = !reach.told.contains(FloorDay(at));
  }
  for (const auto& [key, place] : gathered.places) {
    history.leaves.push_back(key);
    std::vector<double>& values = history.values.emplace_back(steps, 0.0);
    for (size_t i = 0; i < steps; ++i) {
      if (missing[i]) values[i] = kMissing;
    }
    for (const auto& [at, value] : gathered.values[place]) {
      const auto i = static_cast<size_t>((at.us - history.from.us) / step_us);
      if (i < steps) values[i] = value;
    }
  }
  return history;
}

}  // namespace

Result<Past> ReadPast(const Ask& ask, const Question& question,
                      const std::vector<std::string>& dimensions, Instant now) {
  Reach reach = FB_TRY(ReachOf(ask, question, now));
  ledger::CostQuery query;
  query.measures = {question.measure};
  query.by = dimensions;
  query.grain = question.step();
  query.where = question.where;
  query.as_of = question.as_of;
  query.currency = question.currency;
  query.to = reach.to;
  const int days = question.step() == ledger::Grain::kHour ? kHourlyDaysMax : kDaysOfPastMax;
  query.from = Instant{reach.to.us - days * kMicrosPerDay};
  const Json answer = FB_TRY(AskJson(ask, query));
  Past past;
  past.to = reach.to;
  past.commit = TextAt(answer, "commit");
  past.query_hash = TextAt(answer, "query_hash");
  past.left_off = std::move(reach.left_off);
  for (auto& [group, gathered] : FB_TRY(Gather(answer, question, dimensions))) {
    History history = ToHistory(gathered, reach, question.step_us());
    history.dimensions = dimensions;
    (IsCost(question.measure) ? history.currency : history.unit) = group;
    past.histories.push_back(std::move(history));
  }
  if (past.histories.empty()) {
    return Fail(Code::kNotFound, "nothing was charged that could be forecast",
                "`flyball query --grain day` with the same filters shows what there is");
  }
  return past;
}

}  // namespace flyball::forecast
