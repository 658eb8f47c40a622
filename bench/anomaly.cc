// bench_anomaly: the detector on the shared half of NAB, beside two plain baselines on the same
// files, and its speed and size. bench/anomaly runs it.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <deque>

#include "watch/test_nab.h"

namespace flyball::bench {
namespace {

using watch::Detector;
using watch::Event;
using watch::SeriesState;
using watch::nab::File;
using watch::nab::Report;

using Scorer = std::vector<double> (*)(const std::vector<Event>&);

std::vector<double> Flyball(const std::vector<Event>& rows) {
  static const Detector detector;
  return watch::nab::Scores(detector, rows);
}

// How far into the tail of a normal distribution with the mean and deviation of the last 6,400
// values the next one lies: the benchmark's own plain baseline, written anew.
std::vector<double> WindowedGaussian(const std::vector<Event>& rows) {
  constexpr size_t kWindow = 6400;
  std::deque<double> window;
  double sum = 0, squares = 0;
  std::vector<double> scores;
  for (const Event& row : rows) {
    double score = 0;
    if (window.size() > 1) {
      const auto count = static_cast<double>(window.size());
      const double mean = sum / count;
      const double deviation = std::sqrt(std::max(squares / count - mean * mean, 1e-12));
      const double tail = std::erfc(std::fabs(row.value - mean) / deviation / std::sqrt(2.0));
      const double decades = -std::log10(std::max(tail, 1e-300));
      score = decades / (decades + 4);  // the same order, spread over the thresholds
    }
    scores.push_back(score);
    window.push_back(row.value);
    sum += row.value;
    squares += row.value * row.value;
    if (window.size() <= kWindow) continue;
    sum -= window.front();
    squares -= window.front() * window.front();
    window.pop_front();
  }
  return scores;
}

// Peaks over a threshold on the distance from a moving mean, and nothing else (DSPOT, KDD 2017).
std::vector<double> SingleTail(const std::vector<Event>& rows) {
  static const watch::TailRates rates(watch::StandardSettings().tail);
  watch::Tail tail;
  double mean = rows.empty() ? 0 : rows.front().value;
  std::vector<double> scores;
  for (const Event& row : rows) {
    const double decades = tail.Step(rates, std::fabs(row.value - mean), 1e-12);
    scores.push_back(decades / (decades + 4));
    mean += 0.1 * (row.value - mean);
  }
  return scores;
}

struct Lane {
  const char* name;
  Scorer scorer;
};
constexpr Lane kLanes[] = {{"flyball", Flyball},
                           {"windowed Gaussian, re-run", WindowedGaussian},
                           {"DSPOT on one residual, re-run", SingleTail}};

void RunNab(const std::vector<File>& files) {
  size_t rows = 0, windows = 0;
  for (const File& file : files) {
    rows += file.rows.size();
    windows += file.windows.size();
  }
  fmt::print("NAB, shared half: {} files, {} rows, {} windows; one setting for all\n", files.size(),
             rows, windows);
  fmt::print("{:<20} {:<30} {:>7} {:>9} {:>7} {:>9}  {}\n", "profile", "detector", "best",
             "threshold", "at 0.5", "held out", "ours / peer, held out");
  for (const watch::nab::Profile& profile : watch::nab::kProfiles) {
    double ours = 0;
    for (const Lane& lane : kLanes) {
      std::vector<std::vector<double>> scores;
      for (const File& file : files) scores.push_back(lane.scorer(file.rows));
      const Report report = watch::nab::ScoreCorpus(files, scores, profile);
      const bool is_ours = lane.scorer == Flyball;
      if (is_ours) ours = report.held_out;
      fmt::print("{:<20} {:<30} {:>7.2f} {:>9.3f} {:>7} {:>9.2f}  {}\n", profile.name, lane.name,
                 report.best, report.threshold,
                 is_ours ? fmt::format("{:.2f}", report.at_half) : "-", report.held_out,
                 is_ours ? ""
                         : fmt::format("{:.2f}{}", ours / report.held_out,
                                       ours < report.held_out ? "  LOST" : ""));
    }
  }
}

// Many series in turn, so that their states do not all fit in the caches.
void RunSpeed(size_t series, size_t updates) {
  const Detector detector;
  std::vector<SeriesState> states(series);
  uint64_t random = 88172645463325252ull;
  double sum = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; i < updates; ++i) {
    for (size_t s = 0; s < series; ++s) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      const double value = 100 + static_cast<double>(random >> 40) * 0x1p-20;
      const Instant at{static_cast<int64_t>(i) * 60 * kMicrosPerSecond};
      sum += detector.Step(&states[s], {at, value}).score;
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print(
      "{:>9} series: {:.2f} million updates a second on one core, {} bytes a series "
      "(mean score {:.4f})\n",
      series, static_cast<double>(series * updates) / seconds * 1e-6, watch::kSeriesBytes,
      sum / static_cast<double>(series * updates));
}

int Main() {
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  const std::vector<File> files =
      shared == nullptr ? std::vector<File>{}
                        : watch::nab::Load(std::filesystem::path(shared) / "anomaly/nab");
  if (files.empty()) {
    fmt::print(stderr, "skipped: NAB is not at hand (FLYBALL_SHARED_DATA)\n");
  } else {
    RunNab(files);
  }
  fmt::print("\nspeed and size\n");
  RunSpeed(1, 2'000'000);
  RunSpeed(10'000, 200);
  RunSpeed(1'000'000, 4);
  return 0;
}

}  // namespace
}  // namespace flyball::bench

int main() { return flyball::bench::Main(); }
