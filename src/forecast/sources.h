// Sources: how far each source of the ledger has told, and which days are missing of it.
//
// A day is missing where the source usually charges on that day of the week and told nothing. Of a
// source that charges on weekdays alone a weekend without charges is no gap. Bills lag: a source
// that told nothing for some days is waited for, one that lags by weeks is not; its days are then
// missing, not 0, until it has been silent for so long that it is over.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ledger/days.h"

namespace flyball::forecast {

// Sources that lag by no more are waited for.
inline constexpr int kLagDaysMax = 10;
// A source that told nothing for more days than this has ended. Bills of a month that come in the
// middle of the next one are silent for up to so long.
inline constexpr int kLateDaysMax = 45;
// More days in a row that have far fewer charges than usual are no late bill, but what it is now.
inline constexpr int kThinDaysMax = 3;

struct Source {
  Instant first, last;        // days with charges
  std::set<Instant> missing;  // days before the end of the past
  bool late = false;          // it is not waited for: all days after its last are missing
};

struct Reach {
  Instant to;  // the end of the last day that all sources that are waited for have told whole
  std::map<std::string, Source> sources;
  std::vector<std::string> notes;  // what is left off, not waited for, or missing

  bool any_missing() const;
};

// What each source charged on each day; a source has a day at least.
using SourceDays = std::map<std::string, std::map<Instant, ledger::DayFacts>>;
Reach JudgeSources(const SourceDays& sources, Instant now);

}  // namespace flyball::forecast
