// Accuracy: stored forecasts beside what came.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "forecast/vintage.h"

namespace flyball::forecast {

// Of values that were forecast and came.
class Score {
 public:
  explicit Score(std::vector<double> levels)
      : levels_(std::move(levels)), inside_(levels_.size()) {}
  // `lower` and `upper` have a value a level.
  void Add(double actual, double mean, const std::vector<double>& lower,
           const std::vector<double>& upper);
  void Add(const Score& other);  // of the same levels

  size_t count() const { return count_; }
  // Sum of absolute errors over the sum of absolute actuals; NaN when nothing was spent.
  double wmape() const;
  double bias() const;  // sum of forecast - actual, over the same
  double mae() const { return count_ > 0 ? error_ / static_cast<double>(count_) : 0; }
  double coverage(size_t level) const;  // the share inside
  const std::vector<double>& levels() const { return levels_; }

 private:
  std::vector<double> levels_;
  std::vector<size_t> inside_;
  size_t count_ = 0;
  double error_ = 0, signed_error_ = 0, size_ = 0;
};

struct VintageMonth {
  Instant month;
  double actual = 0, mean = 0;
  size_t estimated = 0;      // steps of the actual that were not told
  std::vector<bool> inside;  // a level each
};
struct VintageScore {
  const Vintage* vintage = nullptr;
  std::string currency, unit;
  Score whole, series;               // of the whole; of the most detailed series
  std::vector<VintageMonth> months;  // of the whole, that are over
};
// Steps that lie so many days ahead, [from, to), of the forecasts that can be added up: of one
// measure, currency or unit, and grain.
struct AgeScore {
  std::string measure, currency, unit;
  ledger::Grain grain = ledger::Grain::kDay;
  int from_day = 0, to_day = 0;
  Score whole, series;
};
struct Accuracy {
  std::vector<VintageScore> vintages;  // as they are given
  std::vector<AgeScore> ages;          // of each measure, currency or unit, and grain in turn
  std::vector<std::string> notes;
};

// What came is asked once for all vintages of one question. Vintages of other levels than the last
// one's are left out of the ages. Steps that are not told, or before what is read of the past, are
// left out; months with such steps, too, unless they are estimated (history.h). `stopped`, where
// there is one, ends the work with CANCELLED.
Result<Accuracy> CompareVintages(const std::vector<Vintage>& vintages, const Ask& ask, Instant now,
                                 const std::function<bool()>& stopped = {});

std::string AccuracyJson(const Accuracy& accuracy);

}  // namespace flyball::forecast
