#include "forecast/minimise.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flyball::forecast {
namespace {

struct Corner {
  std::vector<double> at;
  double value = 0;
};

class Simplex {
 public:
  Simplex(const std::function<double(const std::vector<double>&)>& function, const Box& box)
      : function_(function), box_(box) {}

  Corner Evaluate(std::vector<double> at) {
    for (size_t i = 0; i < at.size(); ++i) at[i] = std::clamp(at[i], box_.lower[i], box_.upper[i]);
    const double value = function_(at);
    ++evaluations_;
    return {std::move(at), std::isfinite(value) ? value : std::numeric_limits<double>::max()};
  }

  void Start(const std::vector<double>& start) {
    corners_.push_back(Evaluate(start));
    for (size_t i = 0; i < start.size(); ++i) {
      std::vector<double> at = corners_.front().at;
      const double step = (box_.upper[i] - box_.lower[i]) / 10;
      at[i] += at[i] + step <= box_.upper[i] ? step : -step;
      corners_.push_back(Evaluate(std::move(at)));
    }
  }

  // Sorts the corners; true when they are as good as one.
  bool Converged(double tolerance) {
    std::ranges::sort(corners_, {}, &Corner::value);
    const double best = corners_.front().value;
    return corners_.back().value - best <= tolerance * (std::abs(best) + tolerance);
  }

  void Step() {
    const size_t size = corners_.size() - 1;
    std::vector<double> centre(size, 0.0);
    for (size_t c = 0; c < size; ++c) {
      for (size_t i = 0; i < size; ++i) centre[i] += corners_[c].at[i] / static_cast<double>(size);
    }
    Corner& worst = corners_.back();
    const Corner reflected = Evaluate(Between(centre, worst.at, -1));
    if (reflected.value < corners_.front().value) {
      const Corner expanded = Evaluate(Between(centre, worst.at, -2));
      worst = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < corners_[size - 1].value) {
      worst = reflected;
    } else {
      const bool outside = reflected.value < worst.value;
      const Corner contracted = Evaluate(Between(centre, worst.at, outside ? -0.5 : 0.5));
      if (contracted.value < std::min(reflected.value, worst.value)) {
        worst = contracted;
      } else {
        for (size_t c = 1; c <= size; ++c) {
          corners_[c] = Evaluate(Between(corners_.front().at, corners_[c].at, 0.5));
        }
      }
    }
  }

  int evaluations() const { return evaluations_; }
  const Corner& best() const { return corners_.front(); }

 private:
  static std::vector<double> Between(const std::vector<double>& from, const std::vector<double>& to,
                                     double share) {
    std::vector<double> at(from.size());
    for (size_t i = 0; i < at.size(); ++i) at[i] = from[i] + share * (to[i] - from[i]);
    return at;
  }

  const std::function<double(const std::vector<double>&)>& function_;
  const Box& box_;
  std::vector<Corner> corners_;
  int evaluations_ = 0;
};

}  // namespace

Minimum Minimise(const std::function<double(const std::vector<double>&)>& function,
                 std::vector<double> start, const Box& box, int evaluations_max, double tolerance) {
  Simplex simplex(function, box);
  simplex.Start(start);
  while (!simplex.Converged(tolerance) && simplex.evaluations() < evaluations_max) simplex.Step();
  return {simplex.best().at, simplex.best().value};
}

}  // namespace flyball::forecast
