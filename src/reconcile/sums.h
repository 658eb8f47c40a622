// Sums: one day and model of a bill that tells no calls apart, beside our calls of it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "reconcile/match.h"

namespace flyball::reconcile {

// Sizes of all amounts of a comparison together stay within 38 digits (Match sees to it), so that
// their sums and differences need no check.
inline Money Added(Money a, Money b) { return Money::FromUnits(a.units() + b.units()); }
inline Money Difference(Money a, Money b) { return Money::FromUnits(a.units() - b.units()); }
inline int128 SizeOf(Money amount) { return amount.units() < 0 ? -amount.units() : amount.units(); }

// Half a digit of what the bill of a vendor states at its finest in a currency, cents at least: how
// far a figure of one line may be from the exact one.
class Roundings {
 public:
  explicit Roundings(const Bill& bill);
  Money Of(const std::string& vendor, const std::string& currency) const;

 private:
  std::map<std::pair<std::string, std::string>, int> decimals_;
};
bool Within(Money difference, Money tolerance, int64_t lines);

// What the bill has beyond our exact calls, in parts.
struct SumParts {
  Money price, rounding, missing, unseen;
  Money of_bound;  // for the calls at their bound; not negative
};

struct SumsOf {
  // `calls` have ended, and no line names an answer.
  static Result<SumsOf> Make(std::span<const CallFact* const> calls,
                             std::span<const BillLine* const> lines);
  Result<SumParts> Compare(Money tolerance) const;

  Money exact, bound, theirs;
  std::vector<const CallFact*> bound_calls;

 private:
  struct Side {
    int128 quantity = 0;
    Money cost;
    int64_t lines = 0;
  };
  struct Meter {
    Side ours, theirs;
  };
  Status CompareMeter(const Meter& meter, Money tolerance, SumParts* parts) const;
  void CompareCosts(Money tolerance, SumParts* parts) const;

  std::map<std::string, Meter> meters_;
  Meter tokens_;         // of all meters
  bool metered_ = true;  // every line of the bill says its meter and quantity
  bool counted_ = true;  // every line says its quantity
};

}  // namespace flyball::reconcile
