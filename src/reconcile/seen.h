// Seen: what both sides have of each model and meter, day by day: our calls at the prices of the
// book under which they were settled, and the bill.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reconcile/match.h"

namespace flyball::reconcile {

// A price of the book under which calls were settled.
struct BookPrice {
  Bucket meter{};
  Money price;  // for Info(meter).per
  auto operator<=>(const BookPrice&) const = default;
};

// A model of a vendor, in one currency.
struct ModelKey {
  std::string vendor, model, currency;
  auto operator<=>(const ModelKey&) const = default;
};

// One day of one meter.
struct Seen {
  Instant day;
  std::map<BookPrice, int128> counts;  // ours
  int128 our_count = 0;                // of them all; of tokens where the bill tells no meters
  std::optional<int128> their_count;   // nothing: not every line of the bill states its quantity
  Money cost;                          // the bill's
  int64_t lines = 0;                   // of the bill
  // Ours are all that the bill can have counted: no call is at its bound.
  bool whole = true;
};

struct BothSides {
  // By the bill's meter, "" where it does not tell all of them; in the order of days.
  std::map<ModelKey, std::map<std::string, std::vector<Seen>>> meters;
  // The last call of a price.
  std::map<std::pair<ModelKey, BookPrice>, const CallFact*> last;
};
// Of the days of `groups` that the bill covers, that are over, and that both sides have something
// of. Points into `calls`.
BothSides SeeBothSides(std::span<const CallFact> calls, const Bill& bill,
                       std::span<const Group> groups);

}  // namespace flyball::reconcile
