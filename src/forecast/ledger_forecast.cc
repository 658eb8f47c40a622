#include "forecast/ledger_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "forecast/events.h"
#include "forecast/hierarchy.h"
#include "forecast/paths.h"
#include "forecast/reconcile.h"
#include "forecast/shifts.h"

namespace flyball::forecast {
namespace {

constexpr size_t kPathsMost = 1000;
constexpr size_t kPathsLeast = 200;
// Values of all paths, nodes and steps: what one answer may take of time.
constexpr size_t kPathValuesMax = 20'000'000;
// What has cost nothing for so many days is over.
constexpr int64_t kQuietDays = 35;
constexpr size_t kTrials = 8, kTrialsOfMany = 5;
constexpr size_t kFewNodes = 200;
constexpr size_t kTrialsWanted = 4;

std::vector<size_t> PeriodsOf(const Question& question) {
  return question.step() == ledger::Grain::kHour ? std::vector<size_t>{24, 168}
                                                 : std::vector<size_t>{7};
}

std::vector<double> ProbabilitiesOf(const std::vector<double>& levels) {
  std::vector<double> probabilities;
  for (const double level : levels) probabilities.push_back((1 - level / 100) / 2);
  for (const double level : levels) probabilities.push_back((1 + level / 100) / 2);
  return probabilities;
}

// Sums of leaves, with what is estimated of missing steps.
std::vector<std::vector<double>> SumLeaves(const Hierarchy& hierarchy, const History& history) {
  std::vector<std::vector<double>> sums;
  for (const Node& node : hierarchy.nodes()) {
    std::vector<double>& sum = sums.emplace_back(history.values[0].size(), 0.0);
    for (const uint32_t leaf : node.leaves) {
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += history.values[leaf][i];
    }
  }
  return sums;
}

// Steps that are not told whole of any of the leaves.
std::vector<bool> MissingOf(const Node& node, const History& history) {
  std::vector<bool> missing(history.values[0].size(), false);
  for (const uint32_t leaf : node.leaves) {
    for (size_t i = 0; i < missing.size(); ++i) {
      if (history.Missing(leaf, i)) missing[i] = true;
    }
  }
  return missing;
}

// Errors of the trials of a node, a season's mean each, so that they have little to do with one
// another. Empty unless they are of the same instants as those of `model`.
std::vector<double> ErrorColumns(const Work& work, const Work& model, size_t season) {
  std::vector<double> columns;
  const auto& trials = work.combination.trials;
  const auto& wanted = model.combination.trials;
  if (work.empty() || trials.size() != wanted.size()) return columns;
  for (size_t t = 0; t < trials.size(); ++t) {
    if (work.prepared.values.size() - trials[t].origin !=
            model.prepared.values.size() - wanted[t].origin ||
        trials[t].actual.size() != wanted[t].actual.size()) {
      return {};
    }
    for (size_t begin = 0; begin < trials[t].actual.size(); begin += season) {
      const size_t end = std::min(begin + season, trials[t].actual.size());
      double sum = 0;
      for (size_t i = begin; i < end; ++i) sum += trials[t].actual[i] - trials[t].combined[i];
      columns.push_back(std::ldexp(sum / static_cast<double>(end - begin), work.prepared.exponent));
    }
  }
  return columns;
}

std::vector<NodeErrors> ErrorsOf(const Fits& fits, size_t season, size_t horizon) {
  std::vector<NodeErrors> errors;
  for (const Work& work : fits.works) {
    NodeErrors& one = errors.emplace_back();
    if (work.empty()) continue;
    one.scale =
        std::ldexp(fits.groups[work.group].Width(work.place, horizon / 2), work.prepared.exponent);
    one.non_negative = work.prepared.non_negative;
    one.columns = ErrorColumns(work, fits.works[0], season);
  }
  return errors;
}

// Makes the forecast of one history, step by step, so that the paths of one step are in memory.
class Maker {
 public:
  Maker(const Question& question, const LedgerContext& context, Instant to, Instant end)
      : question_(question),
        context_(context),
        to_(to),
        horizon_(static_cast<size_t>((end.us - to.us) / question.step_us())),
        probabilities_(ProbabilitiesOf(question.levels)),
        months_(MonthsOf(to, end)) {}

  Result<LedgerForecast> Run(History history,
                             const std::vector<const estate::ForecastEvent*>& known) {
    LedgerForecast forecast;
    forecast.currency = history.currency;
    forecast.unit = history.unit;
    forecast.from = history.from;
    const size_t told = history.leaves.size();
    History raw = history;
    const Events events(known, question_, to_, &history);
    for (size_t leaf = told; leaf < history.leaves.size(); ++leaf) {
      raw.leaves.push_back(history.leaves[leaf]);
      raw.values.push_back(std::vector<double>(raw.values[0].size(), 0.0));
    }
    forecast.notes = events.notes();
    const Hierarchy hierarchy =
        FB_TRY(Hierarchy::Make(history.leaves, history.dimensions.size(), question_.by.size()));
    FB_CHECK(CheckSize(hierarchy.nodes().size()));
    MakeNodes(hierarchy, raw, &forecast);
    FB_CHECK(Fit(hierarchy, history, &forecast));
    const Reconciler reconciler(hierarchy, ErrorsOf(fits_, PeriodsOf(question_)[0], horizon_));
    forecast.method = reconciler.method();
    FB_CHECK(MakeSteps(hierarchy, reconciler, events, &forecast));
    if (history.dimensions.size() > question_.by.size() || question_.by.empty()) {
      forecast.nodes.resize(hierarchy.sums());
    }
    return forecast;
  }

 private:
  Status CheckSize(size_t nodes) const {
    const size_t values = nodes * horizon_ * (1 + 2 * question_.levels.size());
    if (values <= kForecastValuesMax) return {};
    return Fail(Code::kResourceExhausted,
                fmt::format("{} series of {} steps with {} levels are {} values, more than the {} "
                            "of one forecast",
                            nodes, horizon_, question_.levels.size(), values, kForecastValuesMax),
                "name fewer dimensions or levels, a nearer horizon, or filter with --where");
  }

  Status CheckStopped() const {
    if (!context_.stopped || !context_.stopped()) return {};
    return Fail(Code::kCancelled, "the forecast was stopped");
  }

  void MakeNodes(const Hierarchy& hierarchy, const History& raw, LedgerForecast* forecast) {
    std::vector<std::vector<double>> sums = SumLeaves(hierarchy, raw);
    for (size_t n = 0; n < hierarchy.nodes().size(); ++n) {
      NodeForecast& node = forecast->nodes.emplace_back();
      node.values = hierarchy.nodes()[n].values;
      node.dimensions = hierarchy.nodes()[n].dimensions;
      node.values.resize(question_.by.size());
      node.history = std::move(sums[n]);
      node.mean.resize(horizon_);
      node.ranges.resize(question_.levels.size());
      node.months.resize(months_.size());
      const std::vector<bool> missing = MissingOf(hierarchy.nodes()[n], raw);
      size_t estimated = 0;
      for (size_t i = 0; i < node.history.size(); ++i) {
        const Instant at{raw.from.us + static_cast<int64_t>(i) * question_.step_us()};
        if (at >= months_[0]) {
          node.months[0].actual += node.history[i];
          estimated += missing[i] ? 1 : 0;
        }
        if (missing[i]) node.history[i] = std::numeric_limits<double>::quiet_NaN();
      }
      if (estimated == 0) continue;
      node.notes.push_back(fmt::format("{} {} of the month that runs {} not told: estimated",
                                       estimated, estimated == 1 ? "step" : "steps",
                                       estimated == 1 ? "is" : "are"));
    }
  }

  Status Fit(const Hierarchy& hierarchy, const History& history, LedgerForecast* forecast) {
    std::vector<std::vector<double>> sums = SumLeaves(hierarchy, history);
    const size_t length = sums[0].size();
    for (size_t n = 0; n < sums.size(); ++n) {
      series_.push_back(SeriesOf(std::to_string(n), std::move(sums[n]), question_, horizon_,
                                 &forecast->nodes[n].notes));
    }
    const Options options = FitOptions(question_, context_, series_.size(), length, horizon_);
    forecast->fast = options.fast;
    if (options.fast && !question_.fast) {
      forecast->notes.push_back(
          fmt::format("more than {} series: without the members whose parameters are searched",
                      kSlowSeriesMax));
    }
    if (length < horizon_) {
      forecast->notes.push_back("the horizon is longer than the past: ranges are a guess");
    }
    fits_ = FB_TRY(FitAll(series_, options));
    const std::vector<Forecast> points = ForecastsOf(series_, fits_, {});
    for (size_t n = 0; n < points.size(); ++n) {
      NodeForecast& node = forecast->nodes[n];
      node.regime = points[n].regime;
      node.members = points[n].members;
      if (!points[n].note.empty()) node.notes.push_back(points[n].note);
      node.mean = points[n].mean;
      node.mean.resize(horizon_);  // of what is refused: 0
    }
    return {};
  }

  Status MakeSteps(const Hierarchy& hierarchy, const Reconciler& reconciler, const Events& events,
                   LedgerForecast* forecast) {
    const size_t nodes = hierarchy.nodes().size();
    const size_t paths = std::clamp(kPathValuesMax / (nodes * horizon_), kPathsLeast, kPathsMost);
    forecast->paths = paths;
    const Paths maker(series_, fits_, {paths, kForecastSeed});
    std::vector<double> values(nodes * paths), points(nodes), months(nodes * paths, 0.0);
    for (size_t step = 0; step < horizon_; ++step) {
      FB_CHECK(CheckStopped());
      const Instant at{to_.us + static_cast<int64_t>(step) * question_.step_us()};
      for (size_t n = 0; n < nodes; ++n) {
        maker.Fill(n, step, std::span(values).subspan(n * paths, paths));
        points[n] = forecast->nodes[n].mean[step];
      }
      reconciler.Reconcile(values, paths);
      reconciler.Reconcile(points, 1);
      for (size_t leaf = 0; leaf < hierarchy.leaves(); ++leaf) {
        const size_t n = hierarchy.sums() + leaf;
        events.Apply(leaf, at, std::span(values).subspan(n * paths, paths));
        events.Apply(leaf, at, std::span(points).subspan(n, 1));
      }
      hierarchy.SumUp(values, paths);
      hierarchy.SumUp(points, 1);
      const size_t month = MonthOf(at);
      for (size_t i = 0; i < values.size(); ++i) months[i] += values[i];
      for (size_t n = 0; n < nodes; ++n) {
        NodeForecast& node = forecast->nodes[n];
        node.mean[step] = points[n];
        node.months[month].mean += points[n];
        TakeRanges(std::span(values).subspan(n * paths, paths), points[n], 0, &node.ranges);
      }
      const bool month_ends =
          step + 1 == horizon_ || MonthOf(Instant{at.us + question_.step_us()}) != month;
      if (month_ends) EndMonth(month, paths, &months, forecast);
    }
    return {};
  }

  size_t MonthOf(Instant at) const {
    const auto after = std::ranges::upper_bound(months_, at);
    return static_cast<size_t>(after - months_.begin()) - 1;
  }

  // `added`: to all of them.
  void TakeRanges(std::span<const double> samples, double mean, double added,
                  std::vector<Range>* ranges) const {
    const std::vector<double> bounds =
        QuantilesOf(std::vector<double>(samples.begin(), samples.end()), probabilities_);
    const size_t levels = question_.levels.size();
    for (size_t l = 0; l < levels; ++l) {
      (*ranges)[l].lower.push_back(std::min(bounds[l] + added, mean));
      (*ranges)[l].upper.push_back(std::max(bounds[levels + l] + added, mean));
    }
  }

  void EndMonth(size_t month, size_t paths, std::vector<double>* sums, LedgerForecast* forecast) {
    for (size_t n = 0; n < forecast->nodes.size(); ++n) {
      MonthTotal& total = forecast->nodes[n].months[month];
      total.mean += total.actual;
      std::vector<Range> ranges(question_.levels.size());
      TakeRanges(std::span(*sums).subspan(n * paths, paths), total.mean, total.actual, &ranges);
      for (const Range& range : ranges) {
        total.lower.push_back(range.lower[0]);
        total.upper.push_back(range.upper[0]);
      }
    }
    std::ranges::fill(*sums, 0);
  }

  const Question& question_;
  const LedgerContext& context_;
  Instant to_;
  size_t horizon_;
  std::vector<double> probabilities_;
  std::vector<Instant> months_;
  std::vector<Series> series_;
  Fits fits_;
};

}  // namespace

std::vector<Instant> MonthsOf(Instant from, Instant to) {
  std::vector<Instant> months;
  for (Instant month = FloorMonth(from); month < to; month = AddMonths(month, 1)) {
    months.push_back(month);
  }
  return months;
}

Options FitOptions(const Question& question, const LedgerContext& context, size_t series,
                   size_t length, size_t horizon) {
  Options options;
  options.threads = context.threads;
  options.recentre = true;
  options.fast = question.fast || series > kSlowSeriesMax;
  options.trials = options.fast || series <= kFewNodes ? kTrials : kTrialsOfMany;
  options.trial_horizon = TrialHorizon(length, horizon, PeriodsOf(question).back());
  if (context.stopped) {
    options.progress = [stopped = context.stopped](size_t, size_t) { return !stopped(); };
  }
  return options;
}

size_t TrialHorizon(size_t length, size_t horizon, size_t season) {
  const size_t least = 2 * season + 1;
  if (length <= least) return horizon;
  const size_t room = (length - least) / kTrialsWanted;
  if (room >= horizon) return horizon;
  return std::clamp(room / season * season, std::min(season, horizon), horizon);
}

Series SeriesOf(std::string id, std::vector<double> values, const Question& question,
                size_t horizon, std::vector<std::string>* notes) {
  const std::vector<size_t> periods = PeriodsOf(question);
  Series series{std::move(id), {}, periods, horizon};
  const auto counts = [](double value) { return !std::isnan(value) && value != 0; };
  const auto first = std::ranges::find_if(values, counts);
  if (first == values.end()) {
    series.values.assign(std::min<size_t>(values.size(), 1), 0.0);
    return series;
  }
  const auto quiet = static_cast<size_t>(kQuietDays * kMicrosPerDay / question.step_us());
  const auto last = std::find_if(values.rbegin(), values.rend(), counts);
  if (static_cast<size_t>(last - values.rbegin()) >= quiet) {
    notes->push_back(fmt::format("nothing for {} days: taken for ended", kQuietDays));
    series.values = {0.0};
    return series;
  }
  series.values.assign(first, values.end());
  const std::vector<Shift> shifts = FindShifts(series.values, periods[0]);
  for (const Shift& shift : shifts) {
    const size_t ago = series.values.size() - shift.at;
    notes->push_back(
        shift.multiplicative
            ? fmt::format("level shift {} steps before the end: the past is taken x{:.3g}", ago,
                          shift.change)
            : fmt::format("level shift {} steps before the end: {:+.4g} to the past", ago,
                          shift.change));
  }
  if (!shifts.empty()) series.values = LevelOut(series.values, shifts);
  return series;
}

Series RawSeriesOf(std::vector<double> values, const Question& question, size_t horizon) {
  const auto first =
      std::ranges::find_if(values, [](double value) { return !std::isnan(value) && value != 0; });
  return {"", std::vector<double>(first, values.end()), PeriodsOf(question), horizon};
}

Result<LedgerAnswer> ForecastLedger(const Question& question, const LedgerContext& context) {
  std::vector<const estate::ForecastEvent*> known;
  std::vector<std::string> notes;
  const std::vector<std::string> dimensions =
      DimensionsFor(context.events, question, &known, &notes);
  Past past = FB_TRY(ReadPast(context.ask, question, dimensions, context.now));
  LedgerAnswer answer;
  answer.question = question;
  answer.to = past.to;
  answer.end = EndOf(question.horizon, past.to);
  answer.commit = past.commit;
  answer.query_hash = past.query_hash;
  answer.left_off = past.left_off;
  for (History& history : past.histories) {
    Maker maker(question, context, answer.to, answer.end);
    answer.forecasts.push_back(FB_TRY(maker.Run(std::move(history), known)));
    std::vector<std::string>& said = answer.forecasts.back().notes;
    said.insert(said.begin(), notes.begin(), notes.end());
  }
  return answer;
}

}  // namespace flyball::forecast
