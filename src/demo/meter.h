// Meter: what a stream used in a slot of time. Integers only, so that every machine makes the same
// bill.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/money.h"
#include "base/time.h"
#include "demo/catalog.h"

namespace flyball::demo {

inline constexpr int kDays = 396;  // 2025-10-01 to 2026-10-31, both included
inline constexpr int kMonths = 13;
Instant DayStart(int day);  // of day 0..396

// A piece of time that one charge covers: some days or one hour.
struct Slot {
  int day = 0;
  int hour = -1;  // -1: whole days
  Instant start;
  Instant end;
};
// The slots of month 0..12 for a step of `days_a_slot` days (1 to 15; never across a month), or of
// hours when 0.
std::vector<Slot> SlotsOfMonth(int month, int days_a_slot);

// Prices count 1e-8 of the currency, quantities 1e-4 of the pricing unit: their product is exact in
// Money.
int64_t PriceUnits(std::string_view text);

// One stream's use over all days, drawn once from its seed.
class Meter {
 public:
  Meter(const Stream& stream, uint64_t seed);
  // Quantity in 1e-4 pricing units.
  int64_t Quantity(const Slot& slot) const;
  bool PriceChanged(const Slot& slot) const;  // by the event of the stream
  int64_t ListPrice(const Slot& slot) const;  // 1e-8
  int64_t ContractedPrice(const Slot& slot) const;
  int64_t CommittedPrice() const;             // 60 % of list
  int64_t Committed(const Slot& slot) const;  // quantity that the commitment pays for, used or not
  bool InEvent(const Slot& slot) const;

 private:
  const Stream* stream_;
  const Event* event_ = nullptr;
  int64_t price_;
  std::vector<int64_t> day_quantity_;
};

}  // namespace flyball::demo
