#include "forecast/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text.h"
#include "forecast/sources.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::json;
constexpr double kUnread = std::numeric_limits<double>::quiet_NaN();
// Told steps of the same phase of the week, before and after, that an estimate is the mean of.
constexpr int kToldBeside = 4;
// A source that began so shortly before another ended took its place.
constexpr int64_t kReplacedDays = 7;
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
  return failed == std::errc() && end == text.data() + text.size() ? value : kUnread;
}

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

Result<Reach> ReachOf(const Ask& ask, const Question& question, Instant now) {
  const auto wanted = FB_TRY(SourcesOf(ask, question));
  ledger::CostQuery query;
  query.measures = {"charges"};
  query.by = {"source"};
  query.grain = ledger::Grain::kDay;
  query.to = FloorDay(now);
  query.as_of = question.as_of;
  const Json answer = FB_TRY(AskJson(ask, query));
  SourceDays sources;
  for (const Json& row : answer["rows"]) {
    const std::string name = TextAt(row, "source");
    if (wanted && !wanted->contains(name)) continue;
    const Instant day = FB_TRY(ParseUserInstant(TextAt(row, "period")));
    sources[name][day].charges += static_cast<int64_t>(NumberAt(row, "charges"));
  }
  if (sources.empty()) {
    return Fail(Code::kNotFound, "nothing was charged before today that could be forecast",
                "`flyball query --grain day` with the same filters shows what there is");
  }
  return JudgeSources(sources, now);
}

using Key = std::vector<std::string>;  // of the dimensions

// One currency's, or unit's, rows as they come.
struct Gathered {
  std::map<Key, size_t> places;
  std::vector<std::map<Instant, double>> values;  // a leaf
};

bool IsCost(const std::string& measure) { return ledger::MeasureScale(measure) == Money::scale(); }

// Of which currency, or unit, and leaf a row is.
struct Place {
  std::string group;
  Key key;
};
Place PlaceOf(const Json& answer, const Json& row, const Question& question,
              const std::vector<std::string>& dimensions) {
  Place place;
  if (IsCost(question.measure)) {
    place.group = TextAt(row.contains("currency") ? row : answer, "currency");
  } else if (question.measure == "usage") {
    place.group = TextAt(row, "unit");
  }
  for (const std::string& dimension : dimensions) place.key.push_back(TextAt(row, dimension));
  return place;
}

// Reads the values of all leaves; in parts of the time where one answer would be too large.
class Reader {
 public:
  Reader(const Ask& ask, const Question& question, const std::vector<std::string>& dimensions)
      : ask_(ask), question_(question), dimensions_(dimensions) {}

  Status Read(const ledger::CostQuery& query) {
    const Result<Json> answer = AskJson(ask_, query);
    if (answer) return Gather(*answer);
    const int64_t days = (query.to->us - query.from->us) / kMicrosPerDay;
    if (answer.error().code != Code::kOutOfRange || days < 2) return Fail(answer.error());
    ledger::CostQuery part = query;
    part.to = Instant{query.from->us + days / 2 * kMicrosPerDay};
    FB_CHECK(Read(part));
    part.from = part.to;
    part.to = query.to;
    return Read(part);
  }

  const std::string& commit() const { return commit_; }
  // Of a question that was answered in one; of parts that of the whole.
  std::string QueryHash(const ledger::CostQuery& whole) const {
    return parts_ == 1 ? query_hash_ : ledger::QueryHash(whole);
  }
  std::map<std::string, Gathered>& groups() { return groups_; }

 private:
  Status Gather(const Json& answer) {
    const std::string commit = TextAt(answer, "commit");
    if (!commit_.empty() && commit != commit_) {
      return Fail(Code::kUnavailable, "the ledger changed while its past was read", "ask again");
    }
    commit_ = commit;
    query_hash_ = TextAt(answer, "query_hash");
    ++parts_;
    for (const Json& row : answer["rows"]) {
      auto [group, key] = PlaceOf(answer, row, question_, dimensions_);
      Gathered& gathered = groups_[group];
      const auto [place, fresh] =
          gathered.places.try_emplace(std::move(key), gathered.values.size());
      if (fresh) {
        gathered.values.emplace_back();
        if (++leaves_ > kLeavesMax) {
          return Fail(Code::kResourceExhausted,
                      fmt::format("there are more than {} series to forecast", kLeavesMax),
                      "name fewer dimensions, or filter with --where");
        }
      }
      const Instant period = FB_TRY(ParseUserInstant(TextAt(row, "period")));
      gathered.values[place->second][period] += NumberAt(row, question_.measure);
    }
    return {};
  }

  const Ask& ask_;
  const Question& question_;
  const std::vector<std::string>& dimensions_;
  std::string commit_, query_hash_;
  size_t parts_ = 0;
  std::map<std::string, Gathered> groups_;
  size_t leaves_ = 0;
};

// The sources that charge to each leaf, by the currency or unit and the leaf; empty where all
// charge to all.
using Feeds = std::map<std::pair<std::string, Key>, std::vector<std::string>>;
Result<Feeds> FeedsOf(const Ask& ask, const Question& question,
                      const std::vector<std::string>& dimensions, ledger::CostQuery query) {
  query.grain = ledger::Grain::kNone;
  if (std::ranges::find(dimensions, "source") == dimensions.end()) query.by.emplace_back("source");
  const Json answer = FB_TRY(AskJson(ask, query));
  Feeds feeds;
  for (const Json& row : answer["rows"]) {
    auto [group, key] = PlaceOf(answer, row, question, dimensions);
    feeds[{std::move(group), std::move(key)}].push_back(TextAt(row, "source"));
  }
  return feeds;
}

// Whether a source that began when this one ended charges to the leaf in its stead.
bool IsReplaced(const Source& source, const Reach& reach, const std::vector<std::string>& feeds) {
  return std::ranges::any_of(feeds, [&](const std::string& name) {
    const auto other = reach.sources.find(name);
    return other != reach.sources.end() &&
           other->second.first.us > source.last.us - kReplacedDays * kMicrosPerDay;
  });
}

// Days on which what the leaf is told of is not whole.
std::set<Instant> MissingOf(const Reach& reach, const std::vector<std::string>& feeds) {
  std::set<Instant> missing;
  for (const std::string& name : feeds) {
    const auto found = reach.sources.find(name);
    if (found == reach.sources.end()) continue;
    const Source& source = found->second;
    const bool replaced = source.late && IsReplaced(source, reach, feeds);
    for (const Instant day : source.missing) {
      if (!replaced || day < source.last) missing.insert(day);
    }
  }
  return missing;
}

History ToHistory(const std::string& group, const Gathered& gathered, const Reach& reach,
                  const Feeds& feeds, int64_t step_us) {
  std::vector<std::string> all;
  for (const auto& [name, source] : reach.sources) all.push_back(name);
  History history;
  history.from = reach.to;
  for (const auto& values : gathered.values) {
    history.from = std::min(history.from, values.begin()->first);
  }
  const auto steps = static_cast<size_t>((reach.to.us - history.from.us) / step_us);
  const auto week = static_cast<size_t>(7 * kMicrosPerDay / step_us);
  for (const auto& [key, place] : gathered.places) {
    history.leaves.push_back(key);
    std::vector<double>& values = history.values.emplace_back(steps, 0.0);
    for (const auto& [at, value] : gathered.values[place]) {
      const auto i = static_cast<size_t>((at.us - history.from.us) / step_us);
      if (i < steps) values[i] = value;
    }
    const auto fed = feeds.find({group, key});
    std::vector<bool>& missing = history.missing.emplace_back(steps, false);
    for (const Instant day : MissingOf(reach, fed == feeds.end() ? all : fed->second)) {
      for (int64_t at = day.us; at < day.us + kMicrosPerDay; at += step_us) {
        if (at < history.from.us || at >= reach.to.us) continue;
        missing[static_cast<size_t>((at - history.from.us) / step_us)] = true;
      }
    }
    FillMissing(missing, week, &values);
  }
  return history;
}

}  // namespace

void FillMissing(const std::vector<bool>& missing, size_t week, std::vector<double>* values) {
  const std::vector<double> told = *values;
  for (size_t i = 0; i < told.size(); ++i) {
    if (!missing[i]) continue;
    double sum = 0;
    int sides = 0;
    const auto look = [&](int64_t step) {
      double side = 0;
      int count = 0;
      auto at = static_cast<int64_t>(i) + step;
      for (; at >= 0 && at < static_cast<int64_t>(told.size()) && count < kToldBeside; at += step) {
        if (missing[static_cast<size_t>(at)]) continue;
        side += told[static_cast<size_t>(at)];
        ++count;
      }
      if (count == 0) return;
      sum += side / count;
      ++sides;
    };
    look(-static_cast<int64_t>(week));
    look(static_cast<int64_t>(week));
    const double usual = sides > 0 ? sum / sides : 0;
    if (std::abs(usual) > std::abs(told[i])) (*values)[i] = usual;
  }
}

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
  Reader reader(ask, question, dimensions);
  FB_CHECK(reader.Read(query));
  Feeds feeds;
  if (reach.any_missing() && reach.sources.size() > 1) {
    feeds = FB_TRY(FeedsOf(ask, question, dimensions, query));
  }
  Past past;
  past.from = *query.from;
  past.to = reach.to;
  past.commit = reader.commit();
  past.query_hash = reader.QueryHash(query);
  past.left_off = reach.notes;
  for (const auto& [group, gathered] : reader.groups()) {
    History history = ToHistory(group, gathered, reach, feeds, question.step_us());
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
