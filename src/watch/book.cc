#include "watch/book.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace flyball::watch {
namespace {

constexpr std::string_view kAnomalyPrefix = "anomaly-", kIncidentPrefix = "incident-";

uint64_t NumberOf(std::string_view id, std::string_view prefix) {
  uint64_t number = 0;
  if (!id.starts_with(prefix)) return 0;
  id.remove_prefix(prefix.size());
  const auto read = std::from_chars(id.data(), id.data() + id.size(), number);
  return read.ec == std::errc() && read.ptr == id.data() + id.size() ? number : 0;
}

std::string NameOf(const Element& element) {
  if (element.dimension == "total") return "all calls";
  return element.dimension + " " + (element.value.empty() ? "(none)" : element.value);
}

std::string TitleOf(const Anomaly& anomaly) {
  const std::string name = NameOf(anomaly.suspect);
  switch (anomaly.kind) {
    case Kind::kMissing:
      return name + " is silent";
    case Kind::kStuck:
      return name + " is stuck at one value";
    case Kind::kPrice:
      return name + " has a higher unit price";
    default:
      return name + " spends more than expected";
  }
}

// The body of a record that begins with `head`, without the brace at its end.
bool TakeRecord(std::string_view record, std::string_view head, std::string_view* body) {
  if (!record.starts_with(head) || !record.ends_with('}')) return false;
  *body = record.substr(head.size(), record.size() - head.size() - 1);
  return true;
}

}  // namespace

Status Book::Restore(std::string_view record) {
  std::string_view body;
  if (TakeRecord(record, R"({"anomaly":)", &body)) {
    Anomaly anomaly = FB_TRY(AnomalyFromJson(body));
    const uint64_t number = NumberOf(anomaly.id, kAnomalyPrefix);
    if (number == 0) return Fail(Code::kDataLoss, "an anomaly of the journal has no id");
    last_anomaly_ = std::max(last_anomaly_, number);
    anomalies_[number] = std::move(anomaly);
  } else if (TakeRecord(record, R"({"incident":)", &body)) {
    Incident incident = FB_TRY(IncidentFromJson(body));
    const uint64_t number = NumberOf(incident.id, kIncidentPrefix);
    if (number == 0) return Fail(Code::kDataLoss, "an incident of the journal has no id");
    last_incident_ = std::max(last_incident_, number);
    incidents_[number] = std::move(incident);
  } else if (TakeRecord(record, R"({"expected":)", &body)) {
    SetPattern(FB_TRY(PatternFromJson(body)), true);
  } else if (TakeRecord(record, R"({"not_expected":)", &body)) {
    SetPattern(FB_TRY(PatternFromJson(body)), false);
  }
  MakeRoom(std::nullopt);
  return {};
}

std::string Book::RecordOf(const Effect& effect) {
  const std::string& name = effect.event == "pattern" ? effect.change : effect.event;
  return "{\"" + name + "\":" + effect.json + "}";
}

std::vector<std::string> Book::Records() const {
  std::vector<std::string> records;
  const auto add = [&](std::string_view name, std::string json) {
    records.push_back(fmt::format("{{\"{}\":{}}}", name, json));
  };
  for (const auto& [number, anomaly] : anomalies_) add("anomaly", ToJson(anomaly));
  for (const auto& [number, incident] : incidents_) add("incident", ToJson(incident));
  for (const Pattern& pattern : patterns_) add("expected", ToJson(pattern));
  return records;
}

bool Book::IsExpected(const Pattern& pattern) const {
  return std::ranges::find(patterns_, pattern) != patterns_.end();
}

void Book::SetPattern(const Pattern& pattern, bool expected) {
  std::erase(patterns_, pattern);
  if (!expected) return;
  if (patterns_.size() >= kPatternsMax) patterns_.erase(patterns_.begin());
  patterns_.push_back(pattern);
}

Incident& Book::IncidentFor(const Anomaly& anomaly, Instant now, std::string* change) {
  for (auto at = incidents_.rbegin(); at != incidents_.rend(); ++at) {
    Incident& incident = at->second;
    if (incident.is_over() || incident.currency != anomaly.series.currency ||
        !(incident.suspect == anomaly.suspect) || incident.anomalies.empty() ||
        incident.anomalies.size() >= kIncidentAnomaliesMax) {
      continue;
    }
    const bool near = std::ranges::any_of(incident.anomalies, [&](const std::string& id) {
      const Anomaly* each = Find(id);
      return each == nullptr || !each->ended ||
             anomaly.began.us - each->ended->us <= kIncidentApartUs;
    });
    if (!near) continue;
    *change = "joined";
    return incident;
  }
  Incident incident;
  incident.id = fmt::format("{}{}", kIncidentPrefix, ++last_incident_);
  incident.title = TitleOf(anomaly);
  incident.currency = anomaly.series.currency;
  incident.suspect = anomaly.suspect;
  incident.began = anomaly.began;
  incident.opened = now;
  *change = "opened";
  return incidents_[last_incident_] = std::move(incident);
}

const Anomaly& Book::Open(Anomaly anomaly, Instant now) {
  anomaly.id = fmt::format("{}{}", kAnomalyPrefix, ++last_anomaly_);
  std::string change;
  Incident& incident = IncidentFor(anomaly, now, &change);
  anomaly.incident = incident.id;
  incident.anomalies.push_back(anomaly.id);
  incident.began = std::min(incident.began, anomaly.began);
  Note(&incident,
       {now, change, "",
        fmt::format("{}: {} of {} over {}", anomaly.id, KindName(anomaly.kind),
                    NameOf({std::string(LevelName(anomaly.series.level)), anomaly.series.value}),
                    anomaly.rule)});
  const uint64_t number = last_anomaly_;
  const Anomaly& opened = anomalies_[number] = std::move(anomaly);
  effects_.push_back({"anomaly", "opened", opened.id, ToJson(opened), true});
  Sum(&incident);
  Tell(incident, change);
  MakeRoom(now);
  return anomalies_[number];
}

void Book::TellDay(Anomaly anomaly, Instant now) {
  for (auto& [number, known] : anomalies_) {
    if (!known.of_bills || known.series != anomaly.series || known.began != anomaly.began) continue;
    if (known.observed == anomaly.observed && known.expected == anomaly.expected) return;
    anomaly.id = known.id;
    anomaly.incident = known.incident;
    anomaly.opened = known.opened;
    anomaly.feedback = known.feedback;
    known = std::move(anomaly);
    return Changed(known, "updated", true, now);
  }
  if (IsExpected({anomaly.kind, anomaly.suspect, anomaly.series.currency})) return;
  Open(std::move(anomaly), now);
}

Anomaly* Book::Find(std::string_view id) {
  const auto found = anomalies_.find(NumberOf(id, kAnomalyPrefix));
  return found == anomalies_.end() ? nullptr : &found->second;
}

const Incident* Book::FindIncident(std::string_view id) const {
  const auto found = incidents_.find(NumberOf(id, kIncidentPrefix));
  return found == incidents_.end() ? nullptr : &found->second;
}

Incident* Book::IncidentOf(const Anomaly& anomaly) {
  const auto found = incidents_.find(NumberOf(anomaly.incident, kIncidentPrefix));
  return found == incidents_.end() ? nullptr : &found->second;
}

void Book::Sum(Incident* incident) const {
  incident->active = false;
  incident->amount = {};
  incident->loss_per_hour = 0;
  // A key's spend is its team's and the total's too; but what a series lost in one anomaly and in
  // the next adds up: of money it has one at a time.
  std::map<std::pair<SeriesName, bool>, Money> lost;
  for (const std::string& id : incident->anomalies) {
    const auto found = anomalies_.find(NumberOf(id, kAnomalyPrefix));
    if (found == anomalies_.end()) continue;
    const Anomaly& anomaly = found->second;
    Money amount = anomaly.amount;
    if (IsOfMoney(anomaly.kind)) {
      Money& sum = lost[{anomaly.series, anomaly.of_bills}];
      sum = sum.Plus(amount).value_or(sum);
      amount = sum;
    }
    incident->amount = std::max(incident->amount, amount);
    if (anomaly.ended) continue;
    incident->active = true;
    incident->loss_per_hour = std::max(incident->loss_per_hour, anomaly.loss_per_hour);
  }
}

void Book::Changed(const Anomaly& anomaly, std::string_view change, bool keep, Instant now) {
  effects_.push_back({"anomaly", std::string(change), anomaly.id, ToJson(anomaly), keep});
  Incident* incident = IncidentOf(anomaly);
  if (incident == nullptr) return;
  const bool was_active = incident->active;
  Sum(incident);
  const bool calmed = was_active && !incident->active;
  if (calmed) Note(incident, {now, "calm", "", "its anomalies have ended"});
  Tell(*incident, "updated", keep || calmed);
}

void Book::ReopenIfResolved(const Anomaly& anomaly, Instant now) {
  Incident* incident = IncidentOf(anomaly);
  if (incident == nullptr || incident->state != State::kResolved || !incident->resolved) return;
  if (now.us - incident->resolved->us < kReopenUs) return;
  if (anomaly.feedback == Feedback::kExpected) return;
  incident->state = State::kOpen;
  incident->resolved.reset();
  const std::string_view change = StateName(State::kOpen);
  Note(incident, {now, std::string(change), "", "by itself: " + anomaly.id + " still lasts"});
  Tell(*incident, change);
}

void Book::Tell(const Incident& incident, std::string_view change, bool keep) {
  effects_.push_back({"incident", std::string(change), incident.id, ToJson(incident), keep});
}

void Book::Note(Incident* incident, Entry entry) const {
  if (incident->timeline.size() >= kTimelineMax) {
    incident->timeline.erase(incident->timeline.begin() + 1);
  }
  incident->timeline.push_back(std::move(entry));
}

void Book::Tidy(Instant now) {
  for (auto& [number, incident] : incidents_) {
    if (incident.is_over() || incident.active) continue;
    Instant last = incident.opened;
    int64_t calm_us = kCalmUs;
    for (const std::string& id : incident.anomalies) {
      const Anomaly* anomaly = Find(id);
      if (anomaly != nullptr && anomaly->ended) last = std::max(last, *anomaly->ended);
      if (anomaly != nullptr && anomaly->of_bills) calm_us = kCalmOfBillsUs;
    }
    if (now.us - last.us < calm_us) continue;
    incident.state = State::kResolved;
    incident.resolved = now;
    Note(&incident, {now, "resolved", "",
                     calm_us == kCalmUs ? "by itself: calm for 30 minutes"
                                        : "by itself: nothing more for 7 days"});
    Tell(incident, "resolved");
  }
}

void Book::MakeRoom(std::optional<Instant> now) {
  while (anomalies_.size() > kAnomaliesKept) {
    auto oldest = std::ranges::find_if(
        anomalies_, [](const auto& each) { return each.second.ended.has_value(); });
    anomalies_.erase(oldest == anomalies_.end() ? anomalies_.begin() : oldest);
  }
  while (incidents_.size() > kIncidentsKept) {
    auto oldest =
        std::ranges::find_if(incidents_, [](const auto& each) { return each.second.is_over(); });
    if (oldest == incidents_.end()) {
      oldest =
          std::ranges::find_if(incidents_, [](const auto& each) { return !each.second.active; });
    }
    if (oldest == incidents_.end()) oldest = incidents_.begin();
    Incident& incident = oldest->second;
    if (now && !incident.is_over()) {  // whoever was told of it is told that it is gone
      incident.state = State::kResolved;
      incident.resolved = now;
      Note(&incident, {*now, "resolved", "", "by itself: too many newer incidents are open"});
      Tell(incident, "resolved");
    }
    incidents_.erase(oldest);
  }
}

Result<std::string> Book::SayOfIncident(std::string_view id, const Word& word,
                                        std::string_view author, Instant now) {
  const auto found = incidents_.find(NumberOf(id, kIncidentPrefix));
  if (found == incidents_.end()) {
    return Fail(Code::kNotFound, fmt::format("there is no incident '{}'", id),
                "see GET /api/v1/incidents");
  }
  Incident& incident = found->second;
  if (word.note.size() > kNoteMaxBytes || word.owner.size() > 256) {
    return Fail(Code::kInvalidArgument, "a note has 4096 bytes at most, an owner 256");
  }
  State state = incident.state;
  if (!word.state.empty() && !ParseState(word.state, &state)) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is no state of an incident", word.state),
                "open, acknowledged, resolved or expected");
  }
  const std::string by(author);
  std::string change = "updated";
  if (word.sets_owner && word.owner != incident.owner) {
    incident.owner = word.owner;
    Note(&incident, {now, "owner", by, word.owner});
  }
  if (state != incident.state) {
    incident.state = state;
    change = StateName(state);
    if (state == State::kAcknowledged && !incident.acknowledged) incident.acknowledged = now;
    incident.resolved = incident.is_over() ? std::optional(now) : std::nullopt;
    Note(&incident, {now, change, by, word.note});
  } else if (!word.note.empty()) {
    Note(&incident, {now, "note", by, word.note});
  }
  Tell(incident, change);
  return ToJson(incident);
}

Result<std::string> Book::SayOfAnomaly(std::string_view id, Feedback feedback,
                                       std::string_view author, Instant now) {
  Anomaly* anomaly = Find(id);
  if (anomaly == nullptr) {
    return Fail(Code::kNotFound, fmt::format("there is no anomaly '{}'", id),
                "see GET /api/v1/anomalies");
  }
  const bool expected = feedback == Feedback::kExpected;
  const Pattern pattern{anomaly->kind, anomaly->suspect, anomaly->series.currency};
  SetPattern(pattern, expected);
  const std::string_view word = expected ? "expected" : "not_expected";
  effects_.push_back({"pattern", std::string(word), anomaly->id, ToJson(pattern), true});
  Incident* incident = IncidentOf(*anomaly);
  // The same was seen in the key, its team and the total: one word is enough.
  std::vector<std::string> same = {anomaly->id};
  if (incident != nullptr) same = incident->anomalies;
  for (const std::string& other : same) {
    Anomaly* each = Find(other);
    if (each == nullptr || each->kind != pattern.kind || !(each->suspect == pattern.suspect)) {
      continue;
    }
    each->feedback = feedback;
    effects_.push_back({"anomaly", "feedback", each->id, ToJson(*each), true});
  }
  if (incident != nullptr) {
    Note(incident, {now, std::string(word), std::string(author), anomaly->id});
    const bool all = std::ranges::all_of(incident->anomalies, [&](const std::string& other) {
      const Anomaly* each = Find(other);
      return each == nullptr || each->feedback == Feedback::kExpected;
    });
    if (all && !incident->is_over()) {
      incident->state = State::kExpected;
      incident->resolved = now;
    } else if (!all && incident->state == State::kExpected) {
      incident->state = State::kOpen;
      incident->resolved.reset();
    }
    Tell(*incident, StateName(incident->state));
  }
  return ToJson(*anomaly);
}

std::vector<Effect> Book::TakeEffects() { return std::exchange(effects_, {}); }

}  // namespace flyball::watch
