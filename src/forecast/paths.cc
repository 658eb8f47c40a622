#include "forecast/paths.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/assert.h"

namespace flyball::forecast {
namespace {

constexpr size_t kNormals = 1u << 16;
// Blocks of columns beyond these move with the last.
constexpr size_t kBlocksMax = 16;
// For how many columns the series' own part counts.
constexpr double kOwnColumns = 2;
// Scores are tabled at deviates from -kDeviateMax to kDeviateMax.
constexpr double kDeviateMax = 4.5;
constexpr double kDeviateStep = 1.0 / 16;

uint64_t Mix(uint64_t z) {  // splitmix64 (Steele, Lea and Flood, 2014)
  z += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// kNormals of them, and the first again, so that `more` follow every one.
std::vector<double> MakeNormals(uint64_t seed, size_t more) {  // Box and Muller, 1958
  std::vector<double> normals(kNormals);
  for (size_t i = 0; i < kNormals; i += 2) {
    const auto uniform = [&](size_t at) {
      return (static_cast<double>(Mix(seed ^ (at * 0xD1342543DE82EF95)) >> 11) + 0.5) /
             9007199254740992.0;
    };
    const double radius = std::sqrt(-2 * std::log(uniform(i)));
    const double angle = 2 * std::numbers::pi * uniform(i + 1);
    normals[i] = radius * std::cos(angle);
    normals[i + 1] = radius * std::sin(angle);
  }
  for (size_t i = 0; i < more; ++i) normals.push_back(normals[i]);
  return normals;
}

double NormalCdf(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

}  // namespace

Paths::Paths(const std::vector<Series>& series, const Fits& fits, const PathOptions& options)
    : series_(series),
      fits_(fits),
      options_(options),
      normals_(MakeNormals(Mix(options.seed), options.paths)) {
  FB_ASSERT(options.paths >= 1 && options.paths <= kPathsMax);
  ones_.resize(series.size());
  size_t blocks = 1;
  for (size_t s = 0; s < series.size(); ++s) {
    const Work& work = fits.works[s];
    if (work.empty()) continue;
    TakeColumns(s, work);
    if (ones_[s].length > 0) {
      blocks = std::max(blocks, BlockOf(ones_[s].length, work.combination.path.size()) + 1);
    }
  }
  FindLevelShare();
  weights_.resize(by_distance_.size());
  for (const auto& [distance, place] : by_distance_) {
    for (size_t block = 0; block < blocks; ++block) {
      AddChained(distance, block, 1, weights_[place].emplace_back(options.paths, 0.0));
    }
  }
  const auto cells = static_cast<size_t>(2 * kDeviateMax / kDeviateStep) + 1;
  tables_.resize(fits.groups.size());
  for (size_t s = 0; s < series.size(); ++s) {
    const Work& work = fits.works[s];
    if (work.empty() || !tables_[work.group].empty()) continue;
    for (size_t step = 0; step < work.combination.path.size(); ++step) {
      std::vector<double>& table = tables_[work.group].emplace_back(cells);
      for (size_t i = 0; i < cells; ++i) {
        table[i] = fits.groups[work.group].Score(
            step, NormalCdf(static_cast<double>(i) * kDeviateStep - kDeviateMax));
      }
    }
  }
}

// Columns of two series are of the same time when their origins are as far from the end.
void Paths::TakeColumns(size_t series, const Work& work) {
  One& one = ones_[series];
  if (!(work.scale > 0)) return;
  const Ranges& ranges = fits_.groups[work.group];
  for (const Trial& trial : work.combination.trials) {
    const size_t distance = work.prepared.values.size() - trial.origin + work.prepared.trimmed_end;
    Column& column = one.columns.emplace_back();
    column.weights = by_distance_.try_emplace(distance, by_distance_.size()).first->second;
    for (size_t i = 0; i < trial.actual.size(); ++i) {
      column.errors.push_back((trial.actual[i] - trial.combined[i]) / ranges.Width(work.place, i));
    }
    one.length =
        one.length == 0 ? column.errors.size() : std::min(one.length, column.errors.size());
  }
}

// Of errors e that are a level a and noise, mean(e)^2 is a^2 plus the noise's part 1 / n.
void Paths::FindLevelShare() {
  double levels = 0, whole = 0, noise = 0;
  for (const One& one : ones_) {
    for (const Column& column : one.columns) {
      const auto n = static_cast<double>(column.errors.size());
      if (n < 2) continue;
      double sum = 0, squares = 0;
      for (const double error : column.errors) {
        sum += error;
        squares += error * error;
      }
      levels += sum * sum / (n * n);
      whole += squares / n;
      noise += squares / n / n;
    }
  }
  if (whole > noise) level_share_ = std::clamp((levels - noise) / (whole - noise), 0.0, 1.0);
}

size_t Paths::BlockOf(size_t length, size_t step) const {
  return std::min(step / length, kBlocksMax - 1);
}

// Deviates of two keys are other ones on every path, as they begin at other places of the pool.
const double* Paths::Normals(uint64_t a, uint64_t b) const {
  return normals_.data() + Mix(options_.seed ^ Mix(a ^ Mix(b))) % kNormals;
}

// Deviates of a block: those of the block before, carried on as a random walk would, and news.
void Paths::AddChained(uint64_t key, size_t block, double factor, std::span<double> out) const {
  for (size_t k = block + 1; k-- > 0;) {
    const auto at = static_cast<double>(k);
    const double carried = k == 0 ? 0 : level_share_ * std::sqrt((at - 0.5) / (at + 0.5));
    const double news = factor * std::sqrt(1 - carried * carried);
    const double* const normals = Normals(key, k);
    for (size_t p = 0; p < out.size(); ++p) out[p] += news * normals[p];
    factor *= carried;
    if (factor == 0) return;
  }
}

void Paths::Fill(size_t series, size_t step, std::span<double> out) const {
  FB_ASSERT(out.size() == options_.paths && step < series_[series].horizon);
  const Work& work = fits_.works[series];
  if (work.empty()) {
    std::ranges::fill(out, 0);
    return;
  }
  const size_t at = step + work.prepared.trimmed_end;
  const double mean = work.combination.path[at];
  const double width = fits_.groups[work.group].Width(work.place, at);
  const One& one = ones_[series];
  const size_t length = one.length > 0 ? one.length : work.combination.path.size();
  const size_t block = BlockOf(length, at);
  double norm = 0;
  for (const Column& column : one.columns) {
    const double error = column.errors[at % length];
    norm += error * error;
  }
  const double own =
      norm > 0 ? kOwnColumns / (static_cast<double>(one.columns.size()) + kOwnColumns) : 1;
  const double shared_part = norm > 0 ? std::sqrt((1 - own) / norm) : 0;
  const double level_part = std::sqrt(own * level_share_);
  const double noise_part = std::sqrt(own * (1 - level_share_));
  const std::vector<double>& table = tables_[work.group][at];
  // Keys of the series' own deviates, apart from those of distances.
  const uint64_t level_key = (uint64_t{1} << 40) + series, noise_key = (uint64_t{2} << 40) + series;
  std::ranges::fill(out, 0);
  if (norm > 0) {
    for (const Column& column : one.columns) {
      const double part = shared_part * column.errors[at % length];
      const std::vector<double>& weights = weights_[column.weights][block];
      for (size_t p = 0; p < out.size(); ++p) out[p] += part * weights[p];
    }
  }
  AddChained(level_key, block, level_part, out);
  const double* const noise = Normals(noise_key, at);
  for (size_t p = 0; p < out.size(); ++p) {
    const double z = std::clamp(out[p] + noise_part * noise[p], -kDeviateMax, kDeviateMax);
    const double cell = (z + kDeviateMax) / kDeviateStep;
    const auto low = std::min(static_cast<size_t>(cell), table.size() - 2);
    const double part = cell - static_cast<double>(low);
    out[p] = work.Final(mean + width * (table[low] + part * (table[low + 1] - table[low])));
  }
}

std::vector<double> QuantilesOf(std::vector<double> values, std::span<const double> probabilities) {
  std::vector<double> quantiles;
  if (values.empty()) return quantiles;
  std::ranges::sort(values);
  for (const double p : probabilities) {
    const double place = std::clamp(p, 0.0, 1.0) * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, values.size() - 1);
    quantiles.push_back(values[low] +
                        (place - static_cast<double>(low)) * (values[high] - values[low]));
  }
  return quantiles;
}

}  // namespace flyball::forecast
