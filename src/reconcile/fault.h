// Fault: what is wrong on many days in the same way. A difference of one day has a reason
// (match.h); one that comes again every day has a cause, and a remedy:
//
//   price      the book has another price than the vendor bills: the one that would explain the
//   bill quantity   prices agree, and a meter counts a constant part of what the vendor counts
//   discount   one factor on all prices of a vendor would explain it
//   undetermined   other prices explain it, and the bill can't tell which: it has one sum a day for
//              several meters, and the days have too few different mixes
//
// Days are those that the bill covers, and that are over. The days of a fault follow each other: of
// a price that changes on a day in the midst, the days before it are told from those after it.
// Nothing is guessed from one day, and nothing is rounded: a price is an exact decimal with the
// fewest digits that makes each day's cost within the rounding of the bill.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reconcile/seen.h"

namespace flyball::reconcile {

inline constexpr int64_t kFaultDaysMin = 2;

enum class FaultKind : uint8_t { kPrice, kQuantity, kDiscount, kUndetermined };
std::string_view FaultName(FaultKind kind);  // "price", "quantity", ...

struct Fault {
  FaultKind kind{};
  std::string vendor, model, currency;  // model: empty of a discount
  // Of a price or quantity; empty: the bill does not tell meters apart.
  std::string meter;
  Instant first, last;  // days
  int64_t days = 0;     // on which it shows
  // On days of this meter before and after these the book was right.
  bool begins = false, ends = false;
  Money ours, theirs;  // of the meter and days, at the book's prices and by the bill
  // The bill states the quantities. False: that they are ours is taken for granted.
  bool stated = false;
  BookPrice book;                         // of a price
  Money price;                            // that would explain the bill
  int128 our_count = 0, their_count = 0;  // of a quantity
  Money factor;                           // of a discount, and of kUndetermined where one fits
  const CallFact* call = nullptr;         // the last that was settled at the book's price
  struct Of {
    BookPrice price;
    std::string model;
    const CallFact* call = nullptr;
  };
  std::vector<Of> all;  // of a discount: what it is on
  Money difference() const { return Money::FromUnits(theirs.units() - ours.units()); }
};

// Dearest first. They point into `calls`. `groups`: what Match found out about the same.
std::vector<Fault> FindFaults(std::span<const CallFact> calls, const Bill& bill,
                              std::span<const Group> groups);

}  // namespace flyball::reconcile
