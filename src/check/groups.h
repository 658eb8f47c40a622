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

// A sum and the sum of magnitudes, in units of 1e-12 of one currency.
struct CostSum {
  int128 sum = 0;
  int128 magnitude = 0;
  void Add(int128 units) {
    // Sums of at most 2^40 rows below 1e26 units of currency stay far inside 128 bits.
    sum += units;
    magnitude += units < 0 ? -units : units;
  }
  void Add(const CostSum& other) {
    sum += other.sum;
    magnitude += other.magnitude;
  }
};

// Rows of one key, value, provider and currency.
struct GroupEntry {
  uint64_t key = 0;
  uint64_t value = 0;
  int provider = 0;
  int currency = 0;
  int64_t rows = 0;
  Place first, second;  // second.line is 0 where there is one row
  CostSum cost;
};

// Rows by key and value: of kOneValue and kUnique.
class ValueGroups {
 public:
  void Add(uint64_t key, uint64_t value, int provider, int currency, Place place, int128 cost);
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
  CostSum purchased;                            // BilledCost of Purchase
  CostSum used, left, other;  // EffectiveCost of Usage: Used, Unused, neither of them
  int128 quantity_purchased = 0, quantity_used = 0;
  bool quantity_known = true;                                    // every row had one
  int64_t purchase_start = INT64_MAX, purchase_end = INT64_MIN;  // microseconds
  int64_t use_start = INT64_MAX, use_end = INT64_MIN;
  CostSum billed;  // of all its rows
  int64_t rows = 0;
  Place first;
  // The rows of its use reach over the whole time that was bought, and no further.
  bool whole_term() const {
    return purchases > 0 && uses > 0 && purchase_start == use_start && purchase_end == use_end;
  }
};

struct InvoiceSum {
  CostSum charges, invoiced;
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
  std::map<uint64_t, std::map<std::pair<int64_t, int64_t>, Place>> periods;
  size_t period_count = 0;
  bool commitments_overflowed = false;
  bool invoices_overflowed = false;
  bool periods_overflowed = false;
  void Merge(const SharedGroups& other, const std::vector<int>& providers,
             const std::vector<int>& currencies);
};

}  // namespace flyball::check
