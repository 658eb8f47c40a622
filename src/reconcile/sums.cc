#include "reconcile/sums.h"

#include <algorithm>
#include <array>
#include <limits>

namespace flyball::reconcile {
namespace {

constexpr int kCents = 2;

int DecimalsOf(Money amount) {
  int128 units = amount.units();
  int decimals = Money::scale();
  while (decimals > 0 && units % 10 == 0) {
    units /= 10;
    --decimals;
  }
  return decimals;
}

// Whole counts only: the meters of language models have no parts.
bool ToCount(Quantity quantity, int128* count) {
  int128 one = 1;
  for (int i = 0; i < Quantity::scale(); ++i) one *= 10;
  *count = quantity.units() / one;
  return quantity.units() % one == 0 && *count >= 0 &&
         *count <= std::numeric_limits<int64_t>::max();
}

}  // namespace

Roundings::Roundings(const Bill& bill) {
  for (const BillLine& line : bill.lines) {
    int& decimals = decimals_[{line.vendor, line.currency}];
    decimals = std::max(decimals, DecimalsOf(line.cost));
  }
}

Money Roundings::Of(const std::string& vendor, const std::string& currency) const {
  const auto found = decimals_.find({vendor, currency});
  const int decimals = std::max(kCents, found == decimals_.end() ? 0 : found->second);
  int128 half = decimals == Money::scale() ? 0 : 5;
  for (int i = decimals + 1; i < Money::scale(); ++i) half *= 10;
  return Money::FromUnits(half);
}

bool Within(Money difference, Money tolerance, int64_t lines) {
  return SizeOf(difference) <= tolerance.units() * std::max<int64_t>(lines, 1);
}

Result<SumsOf> SumsOf::Make(std::span<const CallFact* const> calls,
                            std::span<const BillLine* const> lines) {
  SumsOf sums;
  for (const CallFact* call : calls) {
    if (call->end.basis == metered::Basis::kBound) {
      sums.bound = Added(sums.bound, call->end.cost);
      sums.bound_calls.push_back(call);
      continue;
    }
    sums.exact = Added(sums.exact, call->end.cost);
    for (const metered::Line& line : call->end.lines) {
      Side& ours = sums.meters_[std::string(Info(line.meter).name)].ours;
      ours.quantity += line.quantity;
      ours.cost = Added(ours.cost, line.cost);
      if (Info(line.meter).token) sums.tokens_.ours.quantity += line.quantity;
    }
  }
  for (const BillLine* line : lines) {
    sums.theirs = Added(sums.theirs, line->cost);
    int128 count = 0;
    const bool counted = line->quantity && ToCount(*line->quantity, &count);
    sums.counted_ = sums.counted_ && counted;
    sums.metered_ = sums.metered_ && counted && !line->meter.empty();
    sums.tokens_.theirs.quantity += count;
    ++sums.tokens_.theirs.lines;
    Side& theirs = sums.meters_[line->meter].theirs;
    theirs.quantity += count;
    theirs.cost = Added(theirs.cost, line->cost);
    ++theirs.lines;
  }
  return sums;
}

Result<SumParts> SumsOf::Compare(Money tolerance) const {
  SumParts parts;
  if (metered_) {
    for (const auto& [name, meter] : meters_) FB_CHECK(CompareMeter(meter, tolerance, &parts));
  } else {
    CompareCosts(tolerance, &parts);
  }
  if (parts.of_bound.units() < 0) {  // the bill has less than even the exact calls
    parts.missing = Added(parts.missing, parts.of_bound);
    parts.of_bound = {};
  }
  return parts;
}

Status SumsOf::CompareMeter(const Meter& meter, Money tolerance, SumParts* parts) const {
  // Of what both have, another cost is another price; the rest is quantity.
  const int128 common = std::min(meter.ours.quantity, meter.theirs.quantity);
  const auto share = [common](const Side& side) -> Result<Money> {
    if (side.quantity == common) return side.cost;
    const std::array<uint64_t, 2> weights = {static_cast<uint64_t>(common),
                                             static_cast<uint64_t>(side.quantity - common)};
    return FB_TRY(Split(side.cost, weights)).front();
  };
  const Money our_share = FB_TRY(share(meter.ours));
  const Money their_share = FB_TRY(share(meter.theirs));
  const Money price = Difference(their_share, our_share);
  Money& priced = Within(price, tolerance, meter.theirs.lines) ? parts->rounding : parts->price;
  priced = Added(priced, price);
  const Money surplus = Difference(meter.theirs.cost, their_share);
  Money& unseen = bound_calls.empty() ? parts->unseen : parts->of_bound;
  unseen = Added(unseen, surplus);
  parts->missing = Added(parts->missing, Difference(our_share, meter.ours.cost));
  return {};
}

void SumsOf::CompareCosts(Money tolerance, SumParts* parts) const {
  const Money difference = Difference(theirs, exact);
  if (!bound_calls.empty()) {
    parts->of_bound = difference;
  } else if (Within(difference, tolerance, tokens_.theirs.lines)) {
    parts->rounding = difference;
  } else if (counted_ && tokens_.theirs.quantity == tokens_.ours.quantity) {
    parts->price = difference;
  } else if (difference.units() > 0) {
    parts->unseen = difference;
  } else {
    parts->missing = difference;
  }
}

}  // namespace flyball::reconcile
