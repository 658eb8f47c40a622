#include "forecast/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "forecast/prepare.h"
#include "forecast/ranges.h"

namespace flyball::forecast {
namespace {

// Rolling origins a series: more where there are few series to learn the ranges from.
constexpr size_t kFewSeries = 30;
constexpr size_t kTrialsOfFew = 8;
constexpr size_t kTrialsOfMany = 4;

struct Work {
  Prepared prepared;
  Combination combination;
  double scale = 0;
};

void AddNote(std::string& note, std::string_view more) {
  note += fmt::format("{}{}", note.empty() ? "" : "; ", more);
}

std::string NoteOf(const Work& work) {
  std::string note;
  switch (work.combination.regime) {
    case Regime::kConstant:
      AddNote(note, "constant: its value is repeated");
      break;
    case Regime::kShort:
      AddNote(note, "too short to try methods: the last value is repeated");
      break;
    default:
      if (work.combination.trials.empty()) {
        AddNote(note, "too short for rolling origins: members have equal weights");
      }
  }
  if (work.prepared.filled > 0) {
    AddNote(note, fmt::format("{} missing values filled", work.prepared.filled));
  }
  if (work.prepared.trimmed_end > 0) {
    AddNote(note, fmt::format("the last {} values are missing and were forecast over",
                              work.prepared.trimmed_end));
  }
  return note;
}

Work WorkOn(const Series& series, const PortfolioOptions& options) {
  Work work;
  work.prepared = Prepare(series.values, series.periods);
  if (work.prepared.values.empty()) return work;
  const size_t horizon = series.horizon + work.prepared.trimmed_end;
  work.combination = Combine(work.prepared.values, series.periods, horizon, options);
  work.scale =
      StepScale(work.prepared.values, UsablePeriods(work.prepared.values.size(), series.periods));
  return work;
}

// Runs `work` for every index on so many threads; false when it was stopped.
bool ForEach(size_t count, const Options& options, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex progress_lock;
  size_t done = 0;
  const auto run = [&] {
    for (size_t i = next++; i < count && !stopped; i = next++) {
      work(i);
      const std::lock_guard held(progress_lock);
      ++done;
      if (options.progress && !options.progress(done, count)) stopped = true;
    }
  };
  const size_t threads = std::clamp<size_t>(options.threads, 1, std::max<size_t>(count, 1));
  {
    std::vector<std::jthread> others;
    for (size_t t = 1; t < threads; ++t) others.emplace_back(run);
    run();
  }
  return !stopped;
}

Forecast Assemble(const Series& series, const Work& work, const Ranges& ranges, size_t index,
                  const Options& options) {
  Forecast forecast;
  forecast.regime = work.combination.regime;
  forecast.members = work.combination.members;
  forecast.trials = work.combination.trials.size();
  forecast.note = NoteOf(work);
  const bool non_negative = work.prepared.non_negative;
  const auto final_value = [&](double value) {
    return Unscale(work.prepared, non_negative ? std::max(value, 0.0) : value);
  };
  forecast.ranges.resize(options.levels.size());
  for (size_t i = 0; i < series.horizon; ++i) {
    const size_t step = i + work.prepared.trimmed_end;
    const double mean = work.combination.path[step];
    forecast.mean.push_back(final_value(mean));
    for (size_t l = 0; l < options.levels.size(); ++l) {
      const Ranges::Offsets offsets = ranges.At(index, step, options.levels[l]);
      forecast.ranges[l].lower.push_back(final_value(mean + offsets.lower));
      forecast.ranges[l].upper.push_back(final_value(mean + offsets.upper));
    }
  }
  return forecast;
}

}  // namespace

Result<std::vector<Forecast>> ForecastAll(const std::vector<Series>& series,
                                          const Options& options) {
  PortfolioOptions portfolio{options.members, kTrialsOfMany, options.fast};
  if (series.size() < kFewSeries) portfolio.trials_max = kTrialsOfFew;
  std::vector<Work> works(series.size());
  if (!ForEach(series.size(), options,
               [&](size_t i) { works[i] = WorkOn(series[i], portfolio); })) {
    return Fail(Code::kCancelled, "the forecast was stopped");
  }
  // Series are alike when they have the same seasons and are forecast as far.
  using Group = std::tuple<std::vector<size_t>, size_t, Regime>;
  std::map<Group, std::vector<size_t>> groups;
  for (size_t i = 0; i < series.size(); ++i) {
    const Work& work = works[i];
    if (work.prepared.values.empty()) continue;
    const size_t length = work.prepared.values.size();
    groups[{UsablePeriods(length, series[i].periods), work.combination.path.size(),
            work.combination.regime}]
        .push_back(i);
  }
  std::vector<Forecast> forecasts(series.size());
  for (Forecast& forecast : forecasts) forecast.refusal = "no value is known";
  for (const auto& [group, members] : groups) {
    std::vector<Calibrated> calibrated;
    for (const size_t i : members) {
      calibrated.push_back({works[i].combination.trials, works[i].scale});
    }
    const Ranges ranges(calibrated, std::get<1>(group));
    for (size_t m = 0; m < members.size(); ++m) {
      const size_t i = members[m];
      forecasts[i] = Assemble(series[i], works[i], ranges, m, options);
    }
  }
  return forecasts;
}

}  // namespace flyball::forecast
