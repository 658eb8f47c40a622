#include "forecast/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "forecast/fits.h"

namespace flyball::forecast {
namespace {

// Rolling origins a series: more where there are few series to learn the ranges from.
constexpr size_t kFewSeries = 30;
constexpr size_t kTrialsOfFew = 8;
constexpr size_t kTrialsOfMany = 4;

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

Forecast Assemble(const Series& series, const Work& work, const Fits& fits,
                  const std::vector<double>& levels) {
  const Ranges& ranges = fits.groups[work.group];
  Forecast forecast;
  forecast.regime = work.combination.regime;
  forecast.members = work.combination.members;
  forecast.trials = work.combination.trials.size();
  forecast.note = NoteOf(work);
  forecast.ranges.resize(levels.size());
  for (size_t i = 0; i < series.horizon; ++i) {
    const size_t step = i + work.prepared.trimmed_end;
    const double mean = work.combination.path[step];
    const double centre = fits.recentre ? ranges.Centre(work.place, step) : 0;
    forecast.mean.push_back(work.Final(mean + centre));
    for (size_t l = 0; l < levels.size(); ++l) {
      const Ranges::Offsets offsets = ranges.At(work.place, step, levels[l]);
      forecast.ranges[l].lower.push_back(work.Final(mean + std::min(offsets.lower, centre)));
      forecast.ranges[l].upper.push_back(work.Final(mean + std::max(offsets.upper, centre)));
    }
  }
  return forecast;
}

}  // namespace

Result<Fits> FitAll(const std::vector<Series>& series, const Options& options) {
  PortfolioOptions portfolio{options.members, kTrialsOfMany, options.fast, options.trial_horizon};
  if (series.size() < kFewSeries) portfolio.trials_max = kTrialsOfFew;
  if (options.trials > 0) portfolio.trials_max = options.trials;
  Fits fits;
  fits.recentre = options.recentre;
  fits.works.resize(series.size());
  if (!ForEach(series.size(), options,
               [&](size_t i) { fits.works[i] = WorkOn(series[i], portfolio); })) {
    return Fail(Code::kCancelled, "the forecast was stopped");
  }
  using Group = std::tuple<std::vector<size_t>, size_t, Regime>;
  std::map<Group, std::vector<size_t>> groups;
  for (size_t i = 0; i < series.size(); ++i) {
    const Work& work = fits.works[i];
    if (work.empty()) continue;
    groups[{UsablePeriods(work.prepared.values.size(), series[i].periods),
            work.combination.path.size(), work.combination.regime}]
        .push_back(i);
  }
  for (const auto& [group, members] : groups) {
    std::vector<Calibrated> calibrated;
    for (const size_t i : members) {
      fits.works[i].group = fits.groups.size();
      fits.works[i].place = calibrated.size();
      calibrated.push_back({fits.works[i].combination.trials, fits.works[i].scale});
    }
    fits.groups.emplace_back(calibrated, std::get<1>(group));
  }
  return fits;
}

std::vector<Forecast> ForecastsOf(const std::vector<Series>& series, const Fits& fits,
                                  const std::vector<double>& levels) {
  std::vector<Forecast> forecasts(series.size());
  for (size_t i = 0; i < series.size(); ++i) {
    if (fits.works[i].empty()) {
      forecasts[i].refusal = "no value is known";
    } else {
      forecasts[i] = Assemble(series[i], fits.works[i], fits, levels);
    }
  }
  return forecasts;
}

Result<std::vector<Forecast>> ForecastAll(const std::vector<Series>& series,
                                          const Options& options) {
  return ForecastsOf(series, FB_TRY(FitAll(series, options)), options.levels);
}

}  // namespace flyball::forecast
