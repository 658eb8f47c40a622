#include "forecast/reconcile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.h"

namespace flyball::forecast {
namespace {

// What is added to the variances of sums, of the largest: equations stay solvable where all is
// certain.
constexpr double kVarianceFloor = 1e-9;
constexpr size_t kGradientStepsMax = 200;
constexpr double kGradientTolerance = 1e-9;

// The inverse of a symmetric positive definite matrix, by Cholesky; false: it is not definite.
bool Invert(std::vector<double>& matrix, size_t n) {
  std::vector<double> lower(n * n, 0.0);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = matrix[i * n + j];
      for (size_t k = 0; k < j; ++k) sum -= lower[i * n + k] * lower[j * n + k];
      if (i != j) {
        lower[i * n + j] = sum / lower[j * n + j];
      } else if (sum > 0) {
        lower[i * n + i] = std::sqrt(sum);
      } else {
        return false;
      }
    }
  }
  // The columns of the inverse of L, then their products.
  std::vector<double> inverse(n * n, 0.0);
  for (size_t c = 0; c < n; ++c) {
    for (size_t i = c; i < n; ++i) {
      double sum = i == c ? 1 : 0;
      for (size_t k = c; k < i; ++k) sum -= lower[i * n + k] * inverse[k * n + c];
      inverse[i * n + c] = sum / lower[i * n + i];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (size_t k = i; k < n; ++k) sum += inverse[k * n + i] * inverse[k * n + j];
      matrix[i * n + j] = matrix[j * n + i] = sum;
    }
  }
  return true;
}

// Errors with mean 0 and variance 1; empty where there are none.
std::vector<double> Standardised(const std::vector<double>& errors) {
  if (errors.size() < 3) return {};
  const auto n = static_cast<double>(errors.size());
  double mean = 0, squares = 0;
  for (const double error : errors) mean += error / n;
  for (const double error : errors) squares += (error - mean) * (error - mean) / (n - 1);
  if (!(squares > 0) || !std::isfinite(squares)) return {};
  std::vector<double> standard;
  for (const double error : errors) standard.push_back((error - mean) / std::sqrt(squares));
  return standard;
}

struct Correlations {
  std::vector<double> matrix;  // shrunk
  double shrinkage = 1;
};

// Schafer and Strimmer, A Shrinkage Approach to Large-Scale Covariance Matrix Estimation, 2005:
// lambda = sum of Var(r_ij) over sum of r_ij^2, i != j.
Correlations Shrink(const std::vector<NodeErrors>& errors) {
  const size_t nodes = errors.size();
  Correlations result{std::vector<double>(nodes * nodes, 0.0), 1};
  size_t count = 0;
  for (const NodeErrors& one : errors) count = std::max(count, one.columns.size());
  std::vector<std::vector<double>> standard(nodes);
  for (size_t i = 0; i < nodes; ++i) {
    result.matrix[i * nodes + i] = 1;
    if (errors[i].columns.size() == count) standard[i] = Standardised(errors[i].columns);
  }
  const auto n = static_cast<double>(count);
  double variances = 0, squares = 0;
  for (size_t i = 0; i < nodes; ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (standard[i].empty() || standard[j].empty()) continue;
      double mean = 0, spread = 0;
      for (size_t k = 0; k < count; ++k) mean += standard[i][k] * standard[j][k] / n;
      for (size_t k = 0; k < count; ++k) {
        const double off = standard[i][k] * standard[j][k] - mean;
        spread += off * off;
      }
      const double r = mean * n / (n - 1);
      variances += n / ((n - 1) * (n - 1) * (n - 1)) * spread;
      squares += r * r;
      result.matrix[i * nodes + j] = result.matrix[j * nodes + i] = r;
    }
  }
  if (squares > 0) result.shrinkage = std::clamp(variances / squares, 0.0, 1.0);
  for (size_t i = 0; i < nodes; ++i) {
    for (size_t j = 0; j < nodes; ++j) {
      if (i != j) result.matrix[i * nodes + j] *= 1 - result.shrinkage;
    }
  }
  return result;
}

}  // namespace

Reconciler::Reconciler(const Hierarchy& hierarchy, const std::vector<NodeErrors>& errors)
    : hierarchy_(hierarchy) {
  FB_ASSERT(errors.size() == hierarchy.nodes().size());
  double largest = 0;
  for (const NodeErrors& one : errors) {
    const double variance = one.scale * one.scale;
    variances_.push_back(std::isfinite(variance) ? variance : std::numeric_limits<double>::max());
    largest = std::max(largest, variances_.back());
  }
  // Variances count against one another only.
  for (size_t n = 0; n < variances_.size(); ++n) {
    variances_[n] = largest > 0 ? variances_[n] / largest : 1;
    if (n < hierarchy.sums()) variances_[n] = std::max(variances_[n], kVarianceFloor);
  }
  for (size_t n = hierarchy.sums(); n < errors.size(); ++n) {
    non_negative_.push_back(errors[n].non_negative);
  }
  if (hierarchy.leaves() <= 1) return;
  method_ = "wls-variance";
  if (errors.size() <= kMinTNodesMax) PrepareMinT(errors);
  if (gain_.empty() && hierarchy.sums() <= kDenseSumsMax) PrepareDense();
}

// With the constraints U' y = sums - C leaves = 0, the leaves lose (W U)_leaves (U' W U)^-1 U' y.
void Reconciler::PrepareMinT(const std::vector<NodeErrors>& errors) {
  Correlations correlations = Shrink(errors);
  if (correlations.shrinkage >= 1) return;
  const size_t nodes = errors.size(), sums = hierarchy_.sums();
  std::vector<double>& w = correlations.matrix;
  for (size_t i = 0; i < nodes; ++i) {
    for (size_t j = 0; j < nodes; ++j) w[i * nodes + j] *= std::sqrt(variances_[i] * variances_[j]);
  }
  // W U, a node and a sum each.
  std::vector<double> wu(nodes * sums);
  for (size_t i = 0; i < nodes; ++i) {
    for (size_t a = 0; a < sums; ++a) {
      double value = w[i * nodes + a];
      for (const uint32_t leaf : hierarchy_.nodes()[a].leaves) value -= w[i * nodes + sums + leaf];
      wu[i * sums + a] = value;
    }
  }
  std::vector<double> equations(sums * sums);
  for (size_t a = 0; a < sums; ++a) {
    for (size_t b = 0; b < sums; ++b) {
      double value = wu[a * sums + b];
      for (const uint32_t leaf : hierarchy_.nodes()[a].leaves)
        value -= wu[(sums + leaf) * sums + b];
      equations[a * sums + b] = value;
    }
    equations[a * sums + a] += kVarianceFloor;
  }
  if (!Invert(equations, sums)) return;
  gain_.assign(hierarchy_.leaves() * sums, 0.0);
  for (size_t leaf = 0; leaf < hierarchy_.leaves(); ++leaf) {
    for (size_t a = 0; a < sums; ++a) {
      for (size_t b = 0; b < sums; ++b) {
        gain_[leaf * sums + b] -= wu[(sums + leaf) * sums + a] * equations[a * sums + b];
      }
    }
  }
  method_ = "mint-shrink";
  shrinkage_ = correlations.shrinkage;
}

void Reconciler::PrepareDense() {
  const size_t sums = hierarchy_.sums();
  std::vector<double> equations(sums * sums, 0.0);
  for (size_t leaf = 0; leaf < hierarchy_.leaves(); ++leaf) {
    for (const uint32_t a : hierarchy_.SumsOf(leaf)) {
      for (const uint32_t b : hierarchy_.SumsOf(leaf)) {
        equations[a * sums + b] += variances_[sums + leaf];
      }
    }
  }
  for (size_t a = 0; a < sums; ++a) equations[a * sums + a] += variances_[a];
  if (Invert(equations, sums)) inverse_ = std::move(equations);
}

void Reconciler::SolveDense(std::span<double> residuals, size_t width) const {
  const size_t sums = hierarchy_.sums();
  std::vector<double> solved(sums * width, 0.0);
  for (size_t a = 0; a < sums; ++a) {
    for (size_t b = 0; b < sums; ++b) {
      const double factor = inverse_[a * sums + b];
      if (factor == 0) continue;
      for (size_t i = 0; i < width; ++i) {
        solved[a * width + i] += factor * residuals[b * width + i];
      }
    }
  }
  std::ranges::copy(solved, residuals.begin());
}

// out = (W_sums + C W_leaves C') in
void Reconciler::Normal(std::span<const double> in, std::span<double> out, size_t width) const {
  const size_t sums = hierarchy_.sums();
  for (size_t a = 0; a < sums; ++a) {
    for (size_t i = 0; i < width; ++i) out[a * width + i] = variances_[a] * in[a * width + i];
  }
  std::vector<double> of_leaf(width);
  for (size_t leaf = 0; leaf < hierarchy_.leaves(); ++leaf) {
    const double variance = variances_[sums + leaf];
    if (variance == 0) continue;
    std::ranges::fill(of_leaf, 0);
    for (const uint32_t a : hierarchy_.SumsOf(leaf)) {
      for (size_t i = 0; i < width; ++i) of_leaf[i] += variance * in[a * width + i];
    }
    for (const uint32_t a : hierarchy_.SumsOf(leaf)) {
      for (size_t i = 0; i < width; ++i) out[a * width + i] += of_leaf[i];
    }
  }
}

// Conjugate gradients, preconditioned by the diagonal (Hestenes and Stiefel, 1952), every column by
// itself but all at once.
void Reconciler::SolveSparse(std::span<double> residuals, size_t width) const {
  const size_t sums = hierarchy_.sums(), size = sums * width;
  std::vector<double> diagonal(variances_.begin(),
                               variances_.begin() + static_cast<std::ptrdiff_t>(sums));
  for (size_t leaf = 0; leaf < hierarchy_.leaves(); ++leaf) {
    for (const uint32_t a : hierarchy_.SumsOf(leaf)) diagonal[a] += variances_[sums + leaf];
  }
  std::vector<double> x(size, 0.0), p(size), q(size);
  std::vector<double> rho(width, 0.0), next(width), alpha(width);
  const auto fold = [&](std::span<const double> u, std::span<const double> v, bool scaled) {
    std::ranges::fill(next, 0);
    for (size_t a = 0; a < sums; ++a) {
      const double factor = scaled ? 1 / diagonal[a] : 1;
      for (size_t i = 0; i < width; ++i) next[i] += factor * u[a * width + i] * v[a * width + i];
    }
  };
  fold(residuals, residuals, true);
  rho = next;
  const std::vector<double> first = rho;
  for (size_t a = 0; a < sums; ++a) {
    for (size_t i = 0; i < width; ++i) p[a * width + i] = residuals[a * width + i] / diagonal[a];
  }
  for (size_t step = 0; step < kGradientStepsMax; ++step) {
    Normal(p, q, width);
    fold(p, q, false);
    for (size_t i = 0; i < width; ++i) alpha[i] = next[i] > 0 ? rho[i] / next[i] : 0;
    for (size_t a = 0; a < sums; ++a) {
      for (size_t i = 0; i < width; ++i) {
        x[a * width + i] += alpha[i] * p[a * width + i];
        residuals[a * width + i] -= alpha[i] * q[a * width + i];
      }
    }
    fold(residuals, residuals, true);
    bool done = true;
    for (size_t i = 0; i < width; ++i) {
      done = done && next[i] <= kGradientTolerance * kGradientTolerance * first[i];
      alpha[i] = rho[i] > 0 ? next[i] / rho[i] : 0;
    }
    if (done) break;
    rho = next;
    for (size_t a = 0; a < sums; ++a) {
      for (size_t i = 0; i < width; ++i) {
        p[a * width + i] = residuals[a * width + i] / diagonal[a] + alpha[i] * p[a * width + i];
      }
    }
  }
  std::ranges::copy(x, residuals.begin());
}

void Reconciler::Apply(std::span<const double> solved, std::span<double> values,
                       size_t width) const {
  const size_t sums = hierarchy_.sums();
  for (size_t leaf = 0; leaf < hierarchy_.leaves(); ++leaf) {
    const std::span<double> out = values.subspan((sums + leaf) * width, width);
    const auto add = [&](double factor, size_t a) {
      if (factor == 0) return;
      for (size_t i = 0; i < width; ++i) out[i] += factor * solved[a * width + i];
    };
    if (gain_.empty()) {
      for (const uint32_t a : hierarchy_.SumsOf(leaf)) add(variances_[sums + leaf], a);
    } else {
      for (size_t a = 0; a < sums; ++a) add(gain_[leaf * sums + a], a);
    }
  }
}

void Reconciler::KeepNonNegative(std::span<double> values, size_t width) const {
  const size_t sums = hierarchy_.sums();
  for (size_t i = 0; i < width; ++i) {
    double whole = 0, kept = 0;
    for (size_t leaf = 0; leaf < non_negative_.size(); ++leaf) {
      if (!non_negative_[leaf]) continue;
      const double value = values[(sums + leaf) * width + i];
      whole += value;
      kept += std::max(value, 0.0);
    }
    if (whole == kept) continue;
    const double factor = kept > 0 ? std::max(whole, 0.0) / kept : 0;
    for (size_t leaf = 0; leaf < non_negative_.size(); ++leaf) {
      if (!non_negative_[leaf]) continue;
      double& value = values[(sums + leaf) * width + i];
      value = value > 0 ? value * factor : 0;
    }
  }
}

void Reconciler::Reconcile(std::span<double> values, size_t width) const {
  const size_t sums = hierarchy_.sums();
  FB_ASSERT(values.size() == hierarchy_.nodes().size() * width);
  if (hierarchy_.leaves() > 1) {
    std::vector<double> residuals(values.begin(),
                                  values.begin() + static_cast<std::ptrdiff_t>(sums * width));
    for (size_t leaf = 0; leaf < hierarchy_.leaves(); ++leaf) {
      for (const uint32_t a : hierarchy_.SumsOf(leaf)) {
        for (size_t i = 0; i < width; ++i) {
          residuals[a * width + i] -= values[(sums + leaf) * width + i];
        }
      }
    }
    if (gain_.empty()) {
      inverse_.empty() ? SolveSparse(residuals, width) : SolveDense(residuals, width);
    }
    Apply(residuals, values, width);
  }
  KeepNonNegative(values, width);
  hierarchy_.SumUp(values, width);
}

}  // namespace flyball::forecast
