// Remedy: a fault in words, where its price stands in the book, and the prices that mend it, as a
// file that `flyball prices import` takes.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "rates/price_book.h"
#include "reconcile/fault.h"

namespace flyball::reconcile {

// Where the book has a price. Of the day of the last call that was settled at it.
struct PricePlace {
  std::string list, source, url;    // empty of a price that the contract states
  Instant checked{rates::kAlways};  // kAlways: not stated
  std::string contract;             // that stands above the list for this model; empty: none
  std::string tier, region;
  bool by_hour = false;  // the list has other prices at some hours of the day
  Money now;             // what the book has there by now
};
// Nothing of what is no price, and of prices that the book has no more.
std::optional<PricePlace> PlaceOf(const Fault& fault, const rates::PriceBook& book);

struct FaultWords {
  std::string text, remedy;
};
FaultWords WordsOf(const Fault& fault, const rates::PriceBook& book);

// The prices that would explain the bill, above the lists (docs/PRICES.md, "Our own format");
// all that they say nothing of stays as it is: other meters, tiers and sizes, and the days on which
// the book has another price than the one at fault. Without those that the book has by now, those
// of contracts, which their own files say, and those that lists have by the hour of the day. Empty:
// no fault is about prices that are determined.
std::string PriceFileOf(std::span<const Fault> faults, const rates::PriceBook& book, Instant today);

}  // namespace flyball::reconcile
