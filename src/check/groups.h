// Groups: what is asked of rows that belong together, wherever in the files they stand. Each thread
// gathers its own; they are merged at the end, and the answer does not hang on who read what.
//
// Keys are 64-bit hashes: of a million groups, two fall together with a chance of 3e-8.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/money.h"

namespace flyball::check {

inline constexpr size_t kGroupsMax = 500'000;       // of one rule: distinct keys with their values
inline constexpr size_t kCommitmentsMax = 100'000;  // of all rules on commitments
inline constexpr size_t kInvoicesMax = 100'000;
inline constexpr size_t kPeriodsMax = 100'000;

struct Place {
  int file = 0;
  int64_t line = 0;
  auto operator<=>(const Place&) const = default;
};

// A sum and the sum of magnitudes, in the smallest units of the column. What leaves 38 digits is
// `beyond`: then there is no sum to tell.
struct ExactSum {
  int128 sum = 0;
  int128 magnitude = 0;
  int64_t rounded = 0;  // values of more digits than are kept, each off by up to half a unit
  bool beyond = false;
  void Add(int128 units, bool was_rounded) {
    Add(ExactSum{units, units < 0 ? -units : units, was_rounded ? 1 : 0, false});
  }
  void Add(const ExactSum& other) {
    beyond = beyond || other.beyond || other.magnitude > kDecimalMaxUnits - magnitude;
    if (beyond) return;
    sum += other.sum;
    magnitude += other.magnitude;
    rounded += other.rounded;
  }
};
// How much more `a` is than `b`, but for what rounding may make of it; 0 where that is all.
inline int128 Excess(const ExactSum& a, const ExactSum& b) {
  const int128 more = a.sum - b.sum;
  const int128 magnitude = more < 0 ? -more : more;
  return 2 * magnitude > a.rounded + b.rounded ? more : 0;
}

// Rows of one key, value, provider and currency.
struct GroupEntry {
  uint64_t key = 0;
  uint64_t value = 0;
  int provider = 0;
  int currency = 0;
  int64_t rows = 0;
  Place first, second;  // second.line is 0 where there is one row
  ExactSum cost;
};

// Rows by key and value: of kOneValue and kUnique.
class ValueGroups {
 public:
  void Add(uint64_t key, uint64_t value, int provider, int currency, Place place,
           const ExactSum& cost);
  // `providers`, `currencies`: what the other's numbers are here.
  void Merge(const ValueGroups& other, const std::vector<int>& providers,
             const std::vector<int>& currencies);
  bool overflowed() const { return overflowed_; }
  std::vector<GroupEntry> Sorted() const;  // by key, then by first place

 private:
  GroupEntry* Slot(uint64_t key, uint64_t value, int provider, int currency);
  void Grow();

  std::vector<GroupEntry> entries_;
  std::vector<uint32_t> slots_;  // 0: free; else the number of the entry, from 1
  GroupEntry* last_ = nullptr;
  bool overflowed_ = false;
};

// One commitment in one currency.
struct Commitment {
  int provider = 0;
  int currency = 0;
  int64_t purchases = 0, uses = 0, unused = 0;  // rows
  ExactSum purchased;                           // BilledCost of Purchase
  ExactSum used, left, other;  // EffectiveCost of Usage: Used, Unused, neither of them
  ExactSum quantity_purchased, quantity_used;
  bool quantity_known = true;                                    // every row had one
  int64_t purchase_start = INT64_MAX, purchase_end = INT64_MIN;  // microseconds
  int64_t use_start = INT64_MAX, use_end = INT64_MIN;
  ExactSum billed;  // of all its rows
  int64_t rows = 0;
  Place first;
  bool beyond() const {
    return purchased.beyond || used.beyond || left.beyond || other.beyond || billed.beyond ||
           quantity_purchased.beyond || quantity_used.beyond;
  }
  // The rows of its use lie within the time that was bought.
  bool within_term() const {
    return purchases > 0 && uses > 0 && purchase_start <= use_start && use_end <= purchase_end;
  }
  // They reach over the whole of it.
  bool whole_term() const {
    return within_term() && purchase_start == use_start && purchase_end == use_end;
  }
};

struct InvoiceSum {
  ExactSum charges, invoiced;
  int64_t charge_rows = 0, invoice_rows = 0;
  int provider = 0;
  int currency = 0;
  Place first;
};

using GroupKey = std::pair<uint64_t, int>;  // hash and currency

struct SharedGroups {
  std::map<GroupKey, Commitment> commitments;
  std::map<GroupKey, InvoiceSum> invoices;
  // By account: the billing periods (start and end), and where each was first seen.
  struct Seen {
    Place place;
    int provider = 0;
  };
  std::map<uint64_t, std::map<std::pair<int64_t, int64_t>, Seen>> periods;
  size_t period_count = 0;
  bool commitments_overflowed = false;
  bool invoices_overflowed = false;
  bool periods_overflowed = false;
  void Merge(const SharedGroups& other, const std::vector<int>& providers,
             const std::vector<int>& currencies);
};

}  // namespace flyball::check
