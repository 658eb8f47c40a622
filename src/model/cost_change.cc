#include "model/cost_change.h"

#include <map>

#include "base/ratio.h"

namespace flyball::cost_change {
namespace {

// Of one unit, over the leaves that are there in both periods.
struct Whole {
  Quantity before, after;
};

enum class Kind : uint8_t { kBoth, kFresh, kEnded, kUnsplit };

Kind KindOf(const Leaf& leaf) {
  const bool before = !leaf.cost_before.is_zero() || !leaf.quantity_before.is_zero();
  const bool after = !leaf.cost_after.is_zero() || !leaf.quantity_after.is_zero();
  if (!before) return Kind::kFresh;
  if (!after) return Kind::kEnded;
  const bool counted = leaf.quantity_before.units() > 0 && leaf.quantity_after.units() > 0;
  return counted ? Kind::kBoth : Kind::kUnsplit;
}

// cost x after / before
Result<Money> Grown(Money cost, Quantity after, Quantity before) {
  return TimesRatio(cost, after.units(), before.units());
}

Result<Parts> SplitOne(const Leaf& leaf, const Whole& whole) {
  Parts parts;
  const Money alike = FB_TRY(Grown(leaf.cost_before, whole.after, whole.before));
  const Money at_old_price =
      FB_TRY(Grown(leaf.cost_before, leaf.quantity_after, leaf.quantity_before));
  parts.quantity = FB_TRY(alike.Minus(leaf.cost_before));
  parts.mix = FB_TRY(at_old_price.Minus(alike));
  parts.price = FB_TRY(leaf.cost_after.Minus(at_old_price));
  return parts;
}

}  // namespace

Result<std::vector<Parts>> Split(std::span<const Leaf> leaves) {
  std::map<std::string_view, Whole> wholes;
  for (const Leaf& leaf : leaves) {
    if (leaf.quantity_before.units() < 0 || leaf.quantity_after.units() < 0) {
      return Fail(Code::kInvalidArgument, "a quantity is negative");
    }
    if (KindOf(leaf) != Kind::kBoth) continue;
    Whole& whole = wholes[leaf.unit];
    whole.before = FB_TRY(whole.before.Plus(leaf.quantity_before));
    whole.after = FB_TRY(whole.after.Plus(leaf.quantity_after));
  }
  std::vector<Parts> all;
  for (const Leaf& leaf : leaves) {
    Parts& parts = all.emplace_back();
    switch (KindOf(leaf)) {
      case Kind::kBoth:
        parts = FB_TRY(SplitOne(leaf, wholes[leaf.unit]));
        break;
      case Kind::kFresh:
        parts.fresh = leaf.cost_after;
        break;
      case Kind::kEnded:
        parts.ended = leaf.cost_before.Negated();
        break;
      case Kind::kUnsplit:
        parts.unsplit = FB_TRY(leaf.cost_after.Minus(leaf.cost_before));
        break;
    }
  }
  return all;
}

Result<Parts> Total(std::span<const Parts> parts) {
  Parts total;
  for (const Parts& one : parts) {
    total.price = FB_TRY(total.price.Plus(one.price));
    total.quantity = FB_TRY(total.quantity.Plus(one.quantity));
    total.mix = FB_TRY(total.mix.Plus(one.mix));
    total.fresh = FB_TRY(total.fresh.Plus(one.fresh));
    total.ended = FB_TRY(total.ended.Plus(one.ended));
    total.unsplit = FB_TRY(total.unsplit.Plus(one.unsplit));
  }
  return total;
}

Result<Money> Difference(const Parts& parts) {
  const Money all[] = {parts.price, parts.quantity, parts.mix,
                       parts.fresh, parts.ended,    parts.unsplit};
  return Sum(all);
}

}  // namespace flyball::cost_change
