// Anomaly and Incident: what the live watch tells people, and their one JSON form, which the API
// shows, events carry and the journal keeps.
//
// Money that was spent is exact. What was expected is an estimate, and so is all that is reckoned
// with it: `expected`, `amount`, `loss_per_hour`, `confidence`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "watch/series.h"
#include "watch/watch_settings.h"

namespace flyball::watch {

struct Element {
  std::string dimension, value;
  bool operator==(const Element&) const = default;
};

// A series as an element: what is suspected where nothing narrower is known.
inline Element ElementOf(const SeriesName& series) {
  return {std::string(LevelName(series.level)), series.value};
}

struct Cause {
  std::vector<Element> elements;
  double score = 0;  // evidence in decades (root_cause.h)
  double share = 0;  // of the whole difference
  Money actual, expected;
};

enum class Feedback : uint8_t { kNone, kExpected, kNotExpected };

struct Anomaly {
  std::string id;  // "anomaly-17"
  Kind kind = Kind::kBurn;
  bool of_bills = false;  // a day of the ledger's bills, rather than calls as they are made
  SeriesName series;
  Instant began, opened, updated;
  std::optional<Instant> ended;  // none: it lasts
  std::string rule;              // what was found, for people
  std::string against;           // what it was held against
  std::string note;              // of the calendar, when more was expected
  double expected_per_s = 0, ratio = 0, confidence = 0;
  Money observed;  // spent by the series since it began, calls on their way at an estimate
  Money expected;  // in that time
  Money amount;    // beyond it, 0 at least
  double loss_per_hour = 0;  // at the pace of the last minute
  Element suspect;  // what to look at first: the narrowest thing that holds nearly all of it
  std::vector<Element> path;  // all dimensions of which one value holds nearly all of it
  std::vector<Cause> causes;
  Feedback feedback = Feedback::kNone;
  std::string incident;
};
// Whether it is of money spent beyond what was expected.
bool IsOfMoney(Kind kind);

enum class State : uint8_t { kOpen, kAcknowledged, kResolved, kExpected };
std::string_view StateName(State state);  // "open", "acknowledged", "resolved", "expected"
bool ParseState(std::string_view name, State* state);

struct Entry {
  Instant at;
  std::string what;  // "opened", "acknowledged", "note", ...
  std::string by;    // the name of a token; "": the watch itself
  std::string text;
};

struct Incident {
  std::string id;  // "incident-3"
  State state = State::kOpen;
  std::string title, owner, currency;
  Element suspect;
  Instant began, opened;
  std::optional<Instant> acknowledged, resolved;
  bool active = true;  // some of its anomalies last
  // Of each series the sum, one after the other, and of these the greatest: a key's spend is its
  // team's and the total's too.
  Money amount;
  double loss_per_hour = 0;
  std::vector<std::string> anomalies;
  std::vector<Entry> timeline;
  bool is_over() const { return state == State::kResolved || state == State::kExpected; }
};

// A pattern that people said is expected: no anomaly of it is opened.
struct Pattern {
  Kind kind = Kind::kBurn;
  Element suspect;
  std::string currency;
  bool operator==(const Pattern&) const = default;
};

std::string ToJson(const Anomaly& anomaly);
std::string ToJson(const Incident& incident);
std::string ToJson(const Pattern& pattern);
// DATA_LOSS names what is missing.
Result<Anomaly> AnomalyFromJson(std::string_view json);
Result<Incident> IncidentFromJson(std::string_view json);
Result<Pattern> PatternFromJson(std::string_view json);

}  // namespace flyball::watch
