#include "forecast/prepare.h"

#include <algorithm>
#include <limits>

namespace flyball::forecast {
namespace {

void FillByPeriod(std::vector<double>& values, const std::vector<double>& known, size_t period) {
  for (size_t i = period; i + period < values.size(); ++i) {
    if (!IsMissing(values[i])) continue;
    const double before = known[i - period], after = known[i + period];
    if (!IsMissing(before) && !IsMissing(after)) values[i] = before / 2 + after / 2;
  }
}

void FillByLine(std::vector<double>& values) {
  size_t known = 0;  // the first value is
  for (size_t i = 1; i < values.size(); ++i) {
    if (IsMissing(values[i])) continue;
    const double share = static_cast<double>(i - known);
    for (size_t j = known + 1; j < i; ++j) {
      const double right = static_cast<double>(j - known) / share;
      values[j] = values[known] * (1 - right) + values[i] * right;
    }
    known = i;
  }
}

}  // namespace

Prepared Prepare(Values values, std::span<const size_t> periods) {
  Prepared prepared;
  const auto known = [](double value) { return !IsMissing(value); };
  const auto first = std::ranges::find_if(values, known);
  if (first == values.end()) return prepared;
  auto last = values.end();
  while (IsMissing(*(last - 1))) --last;
  prepared.trimmed_end = static_cast<size_t>(values.end() - last);
  prepared.values.assign(first, last);
  double largest = 0;
  for (const double value : prepared.values) {
    if (IsMissing(value)) {
      ++prepared.filled;
      continue;
    }
    largest = std::max(largest, std::abs(value));
    if (value < 0) prepared.non_negative = false;
  }
  if (largest > 0) prepared.exponent = std::ilogb(largest) + 1;
  for (double& value : prepared.values) value = std::ldexp(value, -prepared.exponent);
  if (prepared.filled > 0) {
    // The longest season knows most: the same hour of the same day of the week.
    const std::vector<double> raw = prepared.values;
    for (size_t p = periods.size(); p-- > 0;) FillByPeriod(prepared.values, raw, periods[p]);
    FillByLine(prepared.values);
  }
  return prepared;
}

double Unscale(const Prepared& prepared, double value) {
  constexpr double kMax = std::numeric_limits<double>::max();
  return std::clamp(std::ldexp(value, prepared.exponent), -kMax, kMax);
}

}  // namespace flyball::forecast
