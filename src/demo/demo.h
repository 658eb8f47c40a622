// Demo: an invented enterprise, "Aurelia Group", written as FOCUS bills from a seed.
//
// In: a seed and a number of rows. Out: a folder with one FOCUS CSV a source and month (three
// public clouds, an own GPU cluster, a Kubernetes cluster on own GPUs, two LLM API vendors, a
// mainframe), `estate.yaml`, and `events.json` with the labels of what was planted (a runaway
// agent, an idle GPU pool, a price change, a failed training run, commitments that are not fully
// used, restated months). Thirteen whole months end on 31 October 2026, so that every comparison
// has its data. The spend does not depend on the number of rows: more rows are more resources and
// finer periods of the same estate. The same seed and rows give the same bytes on every machine.
// Also the source of the benchmarks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/files.h"

namespace flyball::demo {

struct Options {
  std::string dir;  // created when absent
  uint64_t seed = 1788;
  int64_t rows = 250'000;  // of all files together, met within a tenth from 60,000 up
  bool one_file = false;   // everything in one FOCUS 1.4 file, by month (the benchmarks read it)
  std::function<bool(int64_t rows_done, int64_t rows_total)> progress;  // false cancels
};

// One file to import, in the order in which the invented enterprise received them (a restatement
// comes after what it restates).
struct Bill {
  std::string path;
  std::string source;
  int64_t rows = 0;
};

struct Made {
  std::vector<Bill> bills;
  std::string estate_path;
  std::string events_path;
};

inline constexpr int64_t kRowsMin = 1'000;
inline constexpr int64_t kRowsMax = 1'000'000'000;

// Errors: INVALID_ARGUMENT for rows out of range, what Files says for the disk, CANCELLED.
Result<Made> Make(const Options& options, os::Files& files);

}  // namespace flyball::demo
