// Events: what is known to come, applied exactly: a price by its factor from its day on, an end, a
// launch. The past is told as if the events before its end had always been: what has ended has
// never been, what was launched always has; the events after it change what is forecast. A launch
// before its end of which nothing was charged yet is still to come.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "estate/estate.h"
#include "forecast/history.h"

namespace flyball::forecast {

// In place of the dimensions that a launch does not name.
inline constexpr std::string_view kPlanned = "(planned)";

// Dimensions that events are about and the question does not name: they must tell leaves apart.
// Events that need more than kHierarchyDimensionsMax are left out, and `notes` says so.
std::vector<std::string> DimensionsFor(std::span<const estate::ForecastEvent> events,
                                       const Question& question,
                                       std::vector<const estate::ForecastEvent*>* applied,
                                       std::vector<std::string>* notes);

// The events that hold for one history, bound to its leaves. Launches add leaves.
class Events {
 public:
  // `events` must outlive this. `to`: the end of the past. Adds leaves to `history` and changes its
  // past.
  Events(const std::vector<const estate::ForecastEvent*>& events, const Question& question,
         Instant to, History* history);

  // The values of a leaf at a step of the forecast.
  void Apply(size_t leaf, Instant at, std::span<double> values) const;
  // "2026-12-01 price x0.8 (provider=OpenAI): 3 series"
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Bound {
    const estate::ForecastEvent* event = nullptr;
    std::vector<size_t> leaves;  // ascending
    std::vector<double> shares;  // of an amount, a leaf each
  };
  Bound Bind(const estate::ForecastEvent& event, const History& history) const;
  Bound Plan(const estate::ForecastEvent& event, History* history) const;
  void ChangePast(const Bound& bound, const Question& question, Instant to, History* history,
                  std::string* note) const;

  std::vector<Bound> coming_;  // and ends that hold on; by their days
  std::vector<std::string> notes_;
  double steps_a_day_ = 1;
};

// Whether a leaf is what an event is about.
bool InScope(const estate::ForecastEvent& event, const std::vector<std::string>& dimensions,
             const std::vector<std::string>& leaf);

}  // namespace flyball::forecast
