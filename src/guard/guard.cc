#include "guard/guard.h"

#include <utility>

#include "base/assert.h"
#include "guard/rates.h"

namespace flyball::guard {

Guard::Guard(Options options) : options_(std::move(options)) { FB_ASSERT(options_.find_zone); }

Status Guard::SetRate(std::string_view from, std::string_view to, Money rate) {
  uint32_t from_code = CurrencyCode(from);
  uint32_t to_code = CurrencyCode(to);
  if (from_code == 0 || to_code == 0 || from_code == to_code) {
    return Fail(Code::kInvalidArgument,
                "a rate is between two currencies of three capital letters");
  }
  // From 1e-12 to 1e-9, rounded up: holds are upper bounds.
  constexpr int128 kUnitsOfStep = 1000;
  int128 steps = (rate.units() + (kUnitsOfStep - 1)) / kUnitsOfStep;
  if (rate.units() <= 0 || steps > kRateMax) {
    return Fail(Code::kOutOfRange, "a rate is more than 0 and at most 1000000");
  }
  for (Rate& known : rates_) {
    if (known.from != from_code || known.to != to_code) continue;
    known.rate = static_cast<int64_t>(steps);
    return {};
  }
  if (rates_.size() >= kRatesMax) {
    return Fail(Code::kResourceExhausted, "there are as many rates as can be kept");
  }
  rates_.push_back({from_code, to_code, static_cast<int64_t>(steps)});
  return {};
}

std::string Guard::Audit() const {
  if (std::string wrong = books_.Audit(); !wrong.empty()) return wrong;
  struct Sums {
    Amount held = 0, gap = 0, unknown = 0;
    uint32_t pins = 0;
  };
  std::unordered_map<uint32_t, Sums> sums;
  for (uint32_t slot = 0; slot < calls_.slot_count(); ++slot) {
    const HeldCall& call = calls_.at(slot);
    if (call.state == CallState::kFree) continue;
    for (const Leg& leg : call.legs) {
      Sums& sum = sums[leg.cell];
      ++sum.pins;
      if (call.state == CallState::kUnknown) {
        sum.unknown += leg.bound;
      } else {
        sum.held += leg.held;
        sum.gap += leg.bound - leg.held;
      }
    }
  }
  for (const PendingLease& pending : pending_) ++sums[pending.cell].pins;
  for (uint32_t id = 0; id < books_.size(); ++id) {
    for (uint32_t c : books_.at(id).cells) {
      const Cell& cell = books_.cell(c);
      const Sums& sum = sums[c];
      const std::string& name = books_.at(id).spec.name;
      if (sum.held != cell.totals.held || sum.gap != cell.totals.gap ||
          sum.unknown != cell.totals.unknown) {
        return "'" + name + "' holds another sum than its calls";
      }
      if (sum.pins != cell.pins) return "'" + name + "' has a cell that is pinned wrongly";
      if (options_.durable && cell.totals.own() + cell.totals.gap > cell.lease) {
        return "'" + name + "' uses more than its lease";
      }
    }
  }
  return "";
}

}  // namespace flyball::guard
