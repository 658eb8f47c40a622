// Reconcile: forecasts of a hierarchy made one that adds up.
//
// Each node is forecast by itself; the sums of the leaves' forecasts are not the sums' forecasts.
// Reconciled is by generalised least squares (Wickramasuriya, Athanasopoulos and Hyndman, JASA
// 114, 2019): the coherent values nearest to the base ones, measured by the errors W that are
// expected of them. W is the diagonal of their variances (WLS), or, where nodes are few, these with
// the correlations of their trial errors shrunk towards 0 (MinT; Schafer and Strimmer, 2005). The
// same projection is applied to every sample path.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "forecast/hierarchy.h"

namespace flyball::forecast {

struct NodeErrors {
  double scale = 0;             // the error that is expected of the node; 0: it is certain
  std::vector<double> columns;  // errors of trials, for all nodes at the same instants; or empty
  bool non_negative = true;     // of a leaf
};

// Up to so many nodes, correlations are worth estimating.
inline constexpr size_t kMinTNodesMax = 200;
// Up to so many sums, the equations are solved once and for all; beyond, by conjugate gradients.
inline constexpr size_t kDenseSumsMax = 300;

class Reconciler {
 public:
  // `errors`: one a node. `hierarchy` must outlive this.
  Reconciler(const Hierarchy& hierarchy, const std::vector<NodeErrors>& errors);

  // Base values in, coherent values out: `width` columns, as Hierarchy::SumUp takes them. Sums are
  // those of the leaves, to the last bit of the addition. Leaves that cannot be negative are not:
  // they are set to 0 and the others scaled, so that their sum stays.
  void Reconcile(std::span<double> values, size_t width) const;
  // "mint-shrink" or "wls-variance"; "none" where there is nothing to reconcile.
  std::string_view method() const { return method_; }
  double shrinkage() const { return shrinkage_; }  // of MinT, 0 to 1

 private:
  void PrepareMinT(const std::vector<NodeErrors>& errors);
  void PrepareDense();
  void SolveDense(std::span<double> residuals, size_t width) const;
  void SolveSparse(std::span<double> residuals, size_t width) const;
  void Apply(std::span<const double> solved, std::span<double> values, size_t width) const;
  void KeepNonNegative(std::span<double> values, size_t width) const;
  void Normal(std::span<const double> in, std::span<double> out, size_t width) const;

  const Hierarchy& hierarchy_;
  std::string_view method_ = "none";
  double shrinkage_ = 1;
  std::vector<double> variances_;   // a node
  std::vector<bool> non_negative_;  // a leaf
  std::vector<double> gain_;        // MinT: leaves x sums; else empty
  std::vector<double> inverse_;     // of the equations, sums x sums; empty: by gradients
};

}  // namespace flyball::forecast
