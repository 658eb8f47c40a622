#include "forecast/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/estimate.h"
#include "forecast/hierarchy.h"

namespace flyball::forecast {
namespace {

using estate::EventKind;
using estate::ForecastEvent;

// What the last days spent tells how an amount is shared.
constexpr size_t kShareDays = 28;
// A launch of which nothing was charged for so many days is not to be expected any more.
constexpr int64_t kLaunchWaitDays = 35;

std::string ScopeText(const ForecastEvent& event) {
  std::string text;
  for (const estate::EventScope& one : event.where) {
    text +=
        fmt::format("{}{}={}", text.empty() ? "" : ";", one.dimension, fmt::join(one.values, ","));
  }
  return text.empty() ? "all" : text;
}

std::string EventText(const ForecastEvent& event) {
  std::string text = FormatDate(event.at);
  switch (event.kind) {
    case EventKind::kPrice:
      text += fmt::format(" price x{}", event.factor.ToString());
      break;
    case EventKind::kEnd:
      text += " end";
      break;
    case EventKind::kLaunch:
      text += " launch";
      break;
  }
  if (event.amount)
    text += fmt::format(" of {} {} a day", event.amount->ToString(), event.currency);
  text += fmt::format(" ({})", ScopeText(event));
  return event.note.empty() ? text : text + ": " + event.note;
}

bool IsCost(const Question& question) {
  return ledger::MeasureScale(question.measure) == Money::scale();
}

// Whether what is launched is within the filters; what a launch does not name has no value.
bool Passes(const ForecastEvent& event, const std::vector<ledger::Filter>& filters) {
  return std::ranges::all_of(filters, [&](const ledger::Filter& filter) {
    const auto scope =
        std::ranges::find(event.where, filter.dimension, &estate::EventScope::dimension);
    if (scope == event.where.end()) return filter.negated;
    const bool named = std::ranges::find(filter.values, scope->values[0]) != filter.values.end();
    return named != filter.negated;
  });
}

// Why an event does not hold for the history; empty: it does.
std::string WhyNot(const ForecastEvent& event, const Question& question, const History& history) {
  if (!IsCost(question)) {
    if (event.kind == EventKind::kEnd && !event.amount) return "";
    return "it is about costs";
  }
  if (event.amount && event.currency != history.currency) {
    return fmt::format("its amount is in {} and this answer in {}", event.currency,
                       history.currency);
  }
  if (event.kind == EventKind::kLaunch && !Passes(event, question.where)) {
    return "it is not within what is asked for";
  }
  return "";
}

}  // namespace

bool InScope(const ForecastEvent& event, const std::vector<std::string>& dimensions,
             const std::vector<std::string>& leaf) {
  return std::ranges::all_of(event.where, [&](const estate::EventScope& scope) {
    const auto at = std::ranges::find(dimensions, scope.dimension);
    if (at == dimensions.end()) return false;
    const std::string& value = leaf[static_cast<size_t>(at - dimensions.begin())];
    return std::ranges::find(scope.values, value) != scope.values.end();
  });
}

std::vector<std::string> DimensionsFor(std::span<const ForecastEvent> events,
                                       const Question& question,
                                       std::vector<const ForecastEvent*>* applied,
                                       std::vector<std::string>* notes) {
  std::vector<std::string> dimensions = question.by;
  for (const ForecastEvent& event : events) {
    std::vector<std::string> with = dimensions;
    for (const estate::EventScope& scope : event.where) {
      if (std::ranges::find(with, scope.dimension) == with.end()) with.push_back(scope.dimension);
    }
    if (with.size() > kHierarchyDimensionsMax) {
      notes->push_back(fmt::format("left out, as it needs more than {} dimensions: {}",
                                   kHierarchyDimensionsMax, EventText(event)));
      continue;
    }
    dimensions = std::move(with);
    applied->push_back(&event);
  }
  return dimensions;
}

Events::Events(const std::vector<const ForecastEvent*>& events, const Question& question,
               Instant to, History* history)
    : steps_a_day_(static_cast<double>(kMicrosPerDay) / static_cast<double>(question.step_us())) {
  std::vector<const ForecastEvent*> ordered;  // by their days, else as they are listed
  for (const ForecastEvent* event : events) {
    ordered.insert(std::ranges::upper_bound(ordered, event->at, {}, &ForecastEvent::at), event);
  }
  for (const ForecastEvent* event : ordered) {
    if (const std::string why = WhyNot(*event, question, *history); !why.empty()) {
      notes_.push_back(fmt::format("left out, as {}: {}", why, EventText(*event)));
      continue;
    }
    Bound bound = Bind(*event, *history);
    const bool is_past = event->at < to;
    std::string note = fmt::format("{}: {} series", EventText(*event), bound.leaves.size());
    bool applies = !is_past || (event->kind == EventKind::kEnd && !event->amount);
    if (event->kind == EventKind::kLaunch && (!is_past || bound.leaves.empty())) {
      // Long after its day it is not to be expected any more.
      if (to.us - event->at.us > kLaunchWaitDays * kMicrosPerDay) {
        notes_.push_back(
            fmt::format("left out, as nothing was charged of it since: {}", EventText(*event)));
        continue;
      }
      bound = Plan(*event, history);
      applies = true;
      note = fmt::format("{}: {} series{}", EventText(*event), bound.leaves.size(),
                         is_past ? ", planned as nothing was charged of it yet" : "");
    } else if (is_past) {
      ChangePast(bound, question, to, history, &note);
    }
    notes_.push_back(std::move(note));
    if (applies) coming_.push_back(std::move(bound));
  }
}

// To the leaves in its scope, by what each spent in the last days.
Events::Bound Events::Bind(const ForecastEvent& event, const History& history) const {
  Bound bound{&event, {}, {}};
  double whole = 0;
  for (size_t leaf = 0; leaf < history.leaves.size(); ++leaf) {
    if (!InScope(event, history.dimensions, history.leaves[leaf])) continue;
    const std::vector<double>& values = history.values[leaf];
    const size_t count = std::min(values.size(), kShareDays * static_cast<size_t>(steps_a_day_));
    double spent = 0;
    for (size_t i = values.size() - count; i < values.size(); ++i)
      spent += std::max(values[i], 0.0);
    bound.leaves.push_back(leaf);
    bound.shares.push_back(spent);
    whole += spent;
  }
  for (double& share : bound.shares) {
    share = whole > 0 ? share / whole : 1 / static_cast<double>(bound.shares.size());
  }
  return bound;
}

// To the leaf that a launch names, which is added where there is none.
Events::Bound Events::Plan(const ForecastEvent& event, History* history) const {
  std::vector<std::string> leaf(history->dimensions.size(), std::string(kPlanned));
  for (const estate::EventScope& scope : event.where) {
    const auto at = std::ranges::find(history->dimensions, scope.dimension);
    leaf[static_cast<size_t>(at - history->dimensions.begin())] = scope.values[0];
  }
  const auto there = std::ranges::find(history->leaves, leaf);
  Bound bound{&event, {static_cast<size_t>(there - history->leaves.begin())}, {1}};
  if (there == history->leaves.end()) {
    history->values.emplace_back(history->values.empty() ? 0 : history->values[0].size(), 0.0);
    history->leaves.push_back(std::move(leaf));
  }
  return bound;
}

// What is before the event, as it would have been after it. What has ended has never been, and what
// was charged of it since is said.
void Events::ChangePast(const Bound& bound, const Question& question, Instant to, History* history,
                        std::string* note) const {
  const ForecastEvent& event = *bound.event;
  const bool whole_end = event.kind == EventKind::kEnd && !event.amount;
  const int64_t before =
      std::max<int64_t>(0, (std::min(event.at, to).us - history->from.us) / question.step_us());
  double since = 0;
  for (size_t i = 0; i < bound.leaves.size(); ++i) {
    std::vector<double>& values = history->values[bound.leaves[i]];
    const size_t count = std::min(values.size(), static_cast<size_t>(before));
    if (whole_end) {
      since =
          std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(count), values.end(), since);
      std::ranges::fill(values, 0.0);
      continue;
    }
    const double amount =
        event.amount ? bound.shares[i] * EstimateOf(*event.amount) / steps_a_day_ : 0;
    for (size_t step = 0; step < count; ++step) {
      if (event.kind == EventKind::kPrice) {
        values[step] *= EstimateOf(event.factor);
      } else if (event.kind == EventKind::kLaunch) {
        values[step] += amount;
      } else if (values[step] > 0) {
        values[step] = std::max(0.0, values[step] - amount);
      }
    }
  }
  if (since != 0) *note += fmt::format(", though {:.6g} came since", since);
}

void Events::Apply(size_t leaf, Instant at, std::span<double> values) const {
  for (const Bound& bound : coming_) {
    const ForecastEvent& event = *bound.event;
    if (at < event.at) break;  // they are in the order of their days
    const auto place = std::ranges::lower_bound(bound.leaves, leaf);
    if (place == bound.leaves.end() || *place != leaf) continue;
    const double amount = event.amount
                              ? EstimateOf(*event.amount) / steps_a_day_ *
                                    bound.shares[static_cast<size_t>(place - bound.leaves.begin())]
                              : 0;
    const double factor = event.kind == EventKind::kPrice ? EstimateOf(event.factor) : 1;
    for (double& value : values) {
      switch (event.kind) {
        case EventKind::kPrice:
          value *= factor;
          break;
        case EventKind::kEnd:
          value = event.amount ? std::max(0.0, value - amount) : 0;
          break;
        case EventKind::kLaunch:
          value += amount;
          break;
      }
    }
  }
}

}  // namespace flyball::forecast
