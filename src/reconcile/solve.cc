#include "reconcile/solve.h"

#include <algorithm>

#include "base/assert.h"

namespace flyball::reconcile {
namespace {

using Matrix = std::vector<std::vector<Whole>>;

Whole CostAt(const CostRow& row, std::span<const Money> prices) {
  Whole cost;
  for (size_t k = 0; k < prices.size(); ++k) {
    cost = cost + Whole(row.counts[k]) * prices[k].units();
  }
  return cost;
}

bool Explain(std::span<const CostRow> rows, std::span<const Money> prices) {
  return std::ranges::all_of(rows,
                             [prices](const CostRow& row) { return Reproduces(row, prices); });
}

Matrix Without(const Matrix& matrix, size_t row, size_t column) {
  Matrix rest;
  for (size_t i = 0; i < matrix.size(); ++i) {
    if (i == row) continue;
    rest.emplace_back();
    for (size_t j = 0; j < matrix.size(); ++j) {
      if (j != column) rest.back().push_back(matrix[i][j]);
    }
  }
  return rest;
}

Whole Determinant(const Matrix& matrix) {
  if (matrix.empty()) return 1;
  Whole sum;
  for (size_t j = 0; j < matrix.size(); ++j) {
    const Whole part = matrix[0][j] * Determinant(Without(matrix, 0, j));
    sum = j % 2 == 0 ? sum + part : sum - part;
  }
  return sum;
}

// By least squares over all days, so that their roundings even out: how much of each day's cost is
// in each price, all over `below`.
struct Weights {
  Whole below;
  std::vector<std::vector<Whole>> of;  // by price, by day
};
std::optional<Weights> WeightsOf(std::span<const CostRow> rows, size_t n) {
  Matrix normal(n, std::vector<Whole>(n));
  for (const CostRow& row : rows) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        normal[i][j] = normal[i][j] + Whole(row.counts[i]) * row.counts[j];
      }
    }
  }
  Weights weights{Determinant(normal), {}};
  if (weights.below == Whole(0)) return std::nullopt;
  for (size_t k = 0; k < n; ++k) {
    std::vector<Whole> cofactors;
    for (size_t i = 0; i < n; ++i) {
      const Whole minor = Determinant(Without(normal, i, k));
      cofactors.push_back((i + k) % 2 == 0 ? minor : -minor);
    }
    std::vector<Whole>& of = weights.of.emplace_back();
    for (const CostRow& row : rows) {
      Whole& weight = of.emplace_back();
      for (size_t i = 0; i < n; ++i) weight = weight + cofactors[i] * row.counts[i];
    }
  }
  return weights;
}

// The prices in the middle, and what each may be while every cost is as far off as its rounding
// lets it.
struct Fit {
  std::vector<Ratio> middle;
  std::vector<RatioSpan> spans;
};
std::optional<Fit> FitOf(std::span<const CostRow> rows, size_t n) {
  const std::optional<Weights> weights = WeightsOf(rows, n);
  if (!weights) return std::nullopt;
  Fit fit;
  for (const std::vector<Whole>& of : weights->of) {
    Whole price, off;
    for (size_t i = 0; i < rows.size(); ++i) {
      price = price + of[i] * rows[i].cost;
      off = off + SizeOf(of[i]) * rows[i].rounding;
    }
    fit.middle.push_back({price, weights->below});
    fit.spans.push_back({{price - off, weights->below}, {price + off, weights->below}});
  }
  return fit;
}

// Whether what the prices in the middle leave of each day's cost may come of the rounding of all
// days. Where some prices explain the days it does.
bool LeavesRounding(std::span<const CostRow> rows, size_t n) {
  const std::optional<Weights> weights = WeightsOf(rows, n);
  if (!weights) return false;
  for (size_t day = 0; day < rows.size(); ++day) {
    Whole left = weights->below * rows[day].cost, may;
    for (size_t other = 0; other < rows.size(); ++other) {
      Whole share;  // of the other day's cost in this one's
      for (size_t k = 0; k < n; ++k) {
        share = share + Whole(rows[day].counts[k]) * weights->of[k][other];
      }
      left = left - share * rows[other].cost;
      if (other == day) share = share - weights->below;
      may = may + SizeOf(share) * rows[other].rounding;
    }
    if (SizeOf(left) > may) return false;
  }
  return true;
}

// The span of one price is known better: each day has its own.
RatioSpan SpanOfOne(std::span<const CostRow> rows, RatioSpan span) {
  for (const CostRow& row : rows) {
    if (row.counts[0] <= 0) continue;
    const RatioSpan day{{row.cost - row.rounding, row.counts[0]},
                        {row.cost + row.rounding, row.counts[0]}};
    span = span.And(day);
  }
  return span;
}

std::vector<Money> PricesIn(std::span<const CostRow> rows, const Fit& fit) {
  for (int digits = 0; digits <= Money::scale(); ++digits) {
    std::vector<Money> prices;
    for (size_t k = 0; k < fit.spans.size(); ++k) {
      const std::optional<Money> price = SimplestIn(fit.spans[k], fit.middle[k], digits);
      if (!price) return {};
      prices.push_back(*price);
    }
    if (Explain(rows, prices)) return prices;
  }
  return {};
}

// What is left to explain when all but the `wrong` prices are the book's.
std::vector<CostRow> RowsOf(std::span<const CostRow> rows, std::span<const Money> book,
                            const std::vector<size_t>& wrong) {
  std::vector<CostRow> rest;
  for (const CostRow& row : rows) {
    CostRow& left = rest.emplace_back(CostRow{{}, row.cost, row.rounding});
    for (size_t k = 0; k < book.size(); ++k) {
      if (std::ranges::find(wrong, k) != wrong.end()) {
        left.counts.push_back(row.counts[k]);
      } else {
        left.cost = left.cost - Whole(row.counts[k]) * book[k].units();
      }
    }
  }
  return rest;
}

}  // namespace

bool Reproduces(const CostRow& row, std::span<const Money> prices) {
  return SizeOf(CostAt(row, prices) - row.cost) <= row.rounding;
}

std::optional<RatioSpan> FactorOf(const CostRow& row, std::span<const Money> prices) {
  const Whole cost = CostAt(row, prices);
  if (cost <= Whole(0)) return std::nullopt;
  // In units of 1e-12, as Money has them.
  const Whole one = Money::Parse("1")->units();
  return RatioSpan{{(row.cost - row.rounding) * one, cost},
                   {(row.cost + row.rounding) * one, cost}};
}

Solution Solve(std::span<const CostRow> rows, std::span<const Money> book) {
  FB_ASSERT(!book.empty() && book.size() <= kPricesMax);
  Solution solution;
  std::optional<Fit> fit = FitOf(rows, book.size());
  if (!fit) return solution;
  if (book.size() == 1) {
    fit->spans[0] = SpanOfOne(rows, fit->spans[0]);
    solution.determined = true;
    if (!fit->spans[0].empty()) solution.prices = PricesIn(rows, *fit);
    return solution;
  }
  std::vector<size_t> wrong;
  for (size_t k = 0; k < book.size(); ++k) {
    if (!fit->spans[k].Contains({book[k].units()})) wrong.push_back(k);
  }
  if (wrong.empty()) return solution;  // the rounding hides which of them it is
  solution.determined = true;
  if (wrong.size() < book.size()) {
    std::vector<Money> fewer;
    for (const size_t k : wrong) fewer.push_back(book[k]);
    const Solution rest = Solve(RowsOf(rows, book, wrong), fewer);
    if (rest.determined && !rest.prices.empty()) {
      solution.prices.assign(book.begin(), book.end());
      for (size_t i = 0; i < wrong.size(); ++i) solution.prices[wrong[i]] = rest.prices[i];
      return solution;
    }
  }
  if (rows.size() == book.size()) return {};
  solution.prices = PricesIn(rows, *fit);
  return solution;
}

bool MayExplain(std::span<const CostRow> rows) {
  if (rows.empty()) return false;
  std::vector<CostRow> parts;  // of the columns that do not follow from those before them
  for (const CostRow& row : rows) parts.push_back({{}, row.cost, row.rounding});
  size_t n = 0;
  for (size_t k = 0; k < rows.front().counts.size(); ++k) {
    for (size_t i = 0; i < rows.size(); ++i) parts[i].counts.push_back(rows[i].counts[k]);
    if (FitOf(parts, n + 1)) {
      if (++n > kPricesMax) return false;
      continue;
    }
    for (CostRow& part : parts) part.counts.pop_back();
  }
  return n > 0 && rows.size() > n && LeavesRounding(parts, n);
}

}  // namespace flyball::reconcile
