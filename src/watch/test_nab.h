// The Numenta Anomaly Benchmark's scoring (Lavin and Ahmad 2015), written anew for tests and for
// bench/anomaly, and checked against cases worked out by hand in nab_test.cc.
//
// A detection inside a window earns up to 1, the more the earlier; only the best of a window
// counts, and a window without one costs `missed`. A detection outside costs up to `false_alarm`,
// less just behind a window. The first rows of a file are for the detector to learn from and count
// for nothing. 0 is what a detector gets that says nothing, 100 what one gets that is always right.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "watch/detector.h"

namespace flyball::watch::nab {

struct Profile {
  const char* name;
  double false_alarm, missed;
};
inline constexpr Profile kProfiles[] = {
    {"standard", 0.11, 1}, {"reward_low_FP_rate", 0.22, 1}, {"reward_low_FN_rate", 0.11, 2}};

using Window = std::pair<size_t, size_t>;  // its first and its last row
struct File {
  std::string name;
  std::vector<Event> rows;
  std::vector<Window> windows;
};

inline size_t Probation(size_t rows) {
  return std::min(static_cast<size_t>(0.15 * static_cast<double>(rows)), size_t{750});
}

// 1 far before, 0 at, -1 far behind the end of a window.
inline double ScaledSigmoid(double position) {
  return position > 3 ? -1 : 2 / (1 + std::exp(5 * position)) - 1;
}

// What a detection at each row earns, and in which window; kOutside and kProbation are none.
inline constexpr int kOutside = -1;
inline constexpr int kProbation = -2;
struct RowWorth {
  double worth = 0;
  int window = kOutside;
};
inline std::vector<RowWorth> Worths(size_t rows, const std::vector<Window>& windows,
                                    const Profile& profile) {
  std::vector<RowWorth> worths(rows);
  size_t next = 0;  // the first window that does not end before the row
  for (size_t i = 0; i < rows; ++i) {
    if (next < windows.size() && i > windows[next].second) ++next;
    const auto at = static_cast<double>(i);
    RowWorth& row = worths[i];
    if (next < windows.size() && i >= windows[next].first) {
      const auto width = static_cast<double>(windows[next].second - windows[next].first + 1);
      const auto end = static_cast<double>(windows[next].second);
      row = {ScaledSigmoid(-(end - at + 1) / width) / ScaledSigmoid(-1), static_cast<int>(next)};
    } else if (next == 0) {
      row.worth = -profile.false_alarm;
    } else {
      const auto width = static_cast<double>(windows[next - 1].second - windows[next - 1].first);
      const auto end = static_cast<double>(windows[next - 1].second);
      row.worth = profile.false_alarm * ScaledSigmoid((at - end) / width);
    }
    if (i < Probation(rows)) row.window = kProbation;
  }
  return worths;
}

// What scores earn at each of the thresholds, which fall: a row is a detection when its score is
// not below.
inline std::vector<double> Earned(const std::vector<double>& scores,
                                  const std::vector<RowWorth>& worths, size_t windows,
                                  const Profile& profile, const std::vector<double>& thresholds) {
  std::vector<double> outside(thresholds.size() + 1, 0);
  std::vector<std::vector<double>> best(
      windows, std::vector<double>(thresholds.size() + 1, -profile.missed));
  for (size_t i = 0; i < scores.size(); ++i) {
    if (worths[i].window == kProbation) continue;
    const auto reached = static_cast<size_t>(
        std::lower_bound(thresholds.begin(), thresholds.end(), scores[i], std::greater<>()) -
        thresholds.begin());
    if (worths[i].window == kOutside) {
      outside[reached] += worths[i].worth;
    } else {
      double& most = best[static_cast<size_t>(worths[i].window)][reached];
      most = std::max(most, worths[i].worth);
    }
  }
  std::vector<double> earned(thresholds.size(), 0);
  double sum = 0;
  std::vector<double> most(windows, -profile.missed);
  for (size_t t = 0; t < thresholds.size(); ++t) {
    sum += outside[t];
    earned[t] = sum;
    for (size_t w = 0; w < windows; ++w) {
      most[w] = std::max(most[w], best[w][t]);
      earned[t] += most[w];
    }
  }
  return earned;
}

inline double Normalised(double earned, size_t windows, const Profile& profile) {
  const double silent = -profile.missed * static_cast<double>(windows);
  return 100 * (earned - silent) / (static_cast<double>(windows) - silent);
}

inline std::vector<double> Thresholds() {
  std::vector<double> thresholds;
  for (int i = 1000; i > 0; --i) thresholds.push_back(i / 1000.0);
  return thresholds;
}

struct Report {
  double best = 0, threshold = 0;  // with the threshold that is best on these files
  double at_half = 0;              // with the detector's own, 0.5
  double held_out = 0;             // mean over shuffles: chosen on four fifths of the files
};
inline constexpr int kFolds = 5;
inline constexpr unsigned kShuffles = 20;

// `scores` of each file, in their order.
inline Report ScoreCorpus(const std::vector<File>& files,
                          const std::vector<std::vector<double>>& scores, const Profile& profile) {
  const std::vector<double> thresholds = Thresholds();
  std::vector<std::vector<double>> earned;
  size_t windows = 0;
  for (size_t f = 0; f < files.size(); ++f) {
    earned.push_back(Earned(scores[f], Worths(files[f].rows.size(), files[f].windows, profile),
                            files[f].windows.size(), profile, thresholds));
    windows += files[f].windows.size();
  }
  const auto sum_of = [&](const auto& chosen) {
    std::vector<double> sum(thresholds.size(), 0);
    for (size_t f = 0; f < files.size(); ++f) {
      for (size_t t = 0; chosen(f) && t < sum.size(); ++t) sum[t] += earned[f][t];
    }
    return sum;
  };
  const auto best_of = [](const std::vector<double>& sum) {
    return static_cast<size_t>(std::max_element(sum.begin(), sum.end()) - sum.begin());
  };
  Report report;
  const std::vector<double> all = sum_of([](size_t) { return true; });
  report.best = Normalised(all[best_of(all)], windows, profile);
  report.threshold = thresholds[best_of(all)];
  report.at_half = Normalised(all[500], windows, profile);
  std::vector<size_t> order(files.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (unsigned shuffle = 0; shuffle < kShuffles; ++shuffle) {
    std::mt19937 random(shuffle);
    for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random() % (i + 1)]);
    double total = 0;
    for (size_t fold = 0; fold < kFolds; ++fold) {
      std::vector<bool> held(files.size(), false);
      for (size_t i = fold; i < order.size(); i += kFolds) held[order[i]] = true;
      const size_t chosen = best_of(sum_of([&](size_t f) { return !held[f]; }));
      total += sum_of([&](size_t f) { return held[f]; })[chosen];
    }
    report.held_out += Normalised(total, windows, profile) / kShuffles;
  }
  return report;
}

inline Instant ReadInstant(const std::string& text) {
  ParsedInstant parsed;
  return ParseInstant(text, &parsed) ? parsed.instant : Instant{};
}

inline std::vector<Event> ReadRows(const std::filesystem::path& path) {
  std::vector<Event> rows;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const size_t comma = line.find(',');
    if (comma == std::string::npos) continue;
    rows.push_back({ReadInstant(line.substr(0, comma)), std::stod(line.substr(comma + 1))});
  }
  return rows;
}

// The files under `root` with their windows. Of the JSON of the labels only its strings are read: a
// name that ends in .csv, and the pairs of instants after it. Empty where there is nothing.
inline std::vector<File> Load(const std::filesystem::path& root) {
  std::ifstream in(root / "labels" / "combined_windows.json");
  const std::string json{std::istreambuf_iterator<char>(in), {}};
  std::vector<File> files;
  std::vector<size_t> ends;
  for (size_t at = json.find('"'); at != std::string::npos; at = json.find('"', at + 1)) {
    const size_t begin = at + 1;
    at = json.find('"', begin);
    const std::string text = json.substr(begin, at - begin);
    if (text.ends_with(".csv")) {
      files.push_back({text, ReadRows(root / "data" / text), {}});
      ends.clear();
      continue;
    }
    File& file = files.back();
    const Instant instant = ReadInstant(text);
    const auto row = std::find_if(file.rows.begin(), file.rows.end(),
                                  [&](const Event& event) { return event.at == instant; });
    ends.push_back(static_cast<size_t>(row - file.rows.begin()));
    if (ends.size() % 2 == 0) file.windows.emplace_back(ends[ends.size() - 2], ends.back());
  }
  return files;
}

inline std::vector<double> Scores(const Detector& detector, const std::vector<Event>& rows) {
  SeriesState state;
  std::vector<double> scores;
  for (const Event& row : rows) scores.push_back(detector.Step(&state, row).score);
  return scores;
}

}  // namespace flyball::watch::nab
