// Book: the anomalies and incidents that were found, and what people said of them.
//
// Anomalies with the same suspect and currency that overlap in time, or follow each other within
// kIncidentApartUs, are one incident. An incident whose anomalies have all ended resolves by itself
// after kCalmUs. What changes is told as effects: the JSON that the API shows, for events,
// notifications and the journal, from which Restore builds the book again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "watch/anomaly.h"

namespace flyball::watch {

// Named limits: the oldest that are over go first.
inline constexpr size_t kAnomaliesKept = 2000;
inline constexpr size_t kIncidentsKept = 500;
inline constexpr size_t kPatternsMax = 1000;
inline constexpr size_t kIncidentAnomaliesMax = 100;
inline constexpr size_t kTimelineMax = 200;  // the first and the newest stay
inline constexpr size_t kNoteMaxBytes = 4096;

// What still lasts so long after its incident was resolved opens it again.
inline constexpr int64_t kReopenUs = 5 * 60 * kMicrosPerSecond;
inline constexpr int64_t kCalmUs = 30 * 60 * kMicrosPerSecond;
// Longer than a series is quiet after an anomaly: what comes again and again is one incident.
inline constexpr int64_t kIncidentApartUs = kCalmUs;
inline constexpr int64_t kCalmOfBillsUs = 7 * kMicrosPerDay;

// Something to tell: "anomaly" with "opened", "updated", "ended" or "feedback"; "incident" with
// "opened", "joined", "updated" or its new state; "pattern" with "expected" or "not_expected".
struct Effect {
  std::string event, change, id, json;
  bool keep = true;  // in the journal; false: only the amount has moved on
};

class Book {
 public:
  // A record of the journal: {"anomaly": ...}, {"incident": ...}, {"pattern": ..., "removed":
  // true}. Others are left to whoever wrote them.
  Status Restore(std::string_view record);
  // What the journal needs to say all this again.
  std::vector<std::string> Records() const;
  static std::string RecordOf(const Effect& effect);

  bool IsExpected(const Pattern& pattern) const;
  // Gives it an id and an incident.
  const Anomaly& Open(Anomaly anomaly, Instant now);
  Anomaly* Find(std::string_view id);
  // Of a day of bills: opened, or brought to what bills say now; nothing when it is expected.
  void TellDay(Anomaly anomaly, Instant now);
  // What the caller has changed of an anomaly; `change` as in Effect.
  void Changed(const Anomaly& anomaly, std::string_view change, bool keep, Instant now);
  // Of an anomaly that lasts: whoever resolved its incident was mistaken.
  void ReopenIfResolved(const Anomaly& anomaly, Instant now);
  // Incidents that are over by themselves. Once in a while.
  void Tidy(Instant now);

  // What people say. NOT_FOUND, INVALID_ARGUMENT.
  struct Word {
    std::string state, owner, note;  // "" : says nothing of it
    bool sets_owner = false;
  };
  Result<std::string> SayOfIncident(std::string_view id, const Word& word, std::string_view author,
                                    Instant now);
  Result<std::string> SayOfAnomaly(std::string_view id, Feedback feedback, std::string_view author,
                                   Instant now);

  const std::map<uint64_t, Anomaly>& anomalies() const { return anomalies_; }
  const std::map<uint64_t, Incident>& incidents() const { return incidents_; }
  const std::vector<Pattern>& patterns() const { return patterns_; }
  const Incident* FindIncident(std::string_view id) const;
  std::vector<Effect> TakeEffects();

 private:
  Incident* IncidentOf(const Anomaly& anomaly);
  Incident& IncidentFor(const Anomaly& anomaly, Instant now, std::string* change);
  void Sum(Incident* incident) const;
  void Tell(const Incident& incident, std::string_view change, bool keep = true);
  void Note(Incident* incident, Entry entry) const;
  void SetPattern(const Pattern& pattern, bool expected);
  void MakeRoom(std::optional<Instant> now);  // none: nothing is told of it

  // By the number in the id.
  std::map<uint64_t, Anomaly> anomalies_;
  std::map<uint64_t, Incident> incidents_;
  std::vector<Pattern> patterns_;
  uint64_t last_anomaly_ = 0, last_incident_ = 0;
  std::vector<Effect> effects_;
};

}  // namespace flyball::watch
