// Books: what is counted against each budget, window by window.
//
// An *account* is a budget that is kept count of; a *cell* is one window of an account (one bucket
// of a rolling window). Every amount is added to a cell; the account keeps the sums over the cells
// that count now, so that an admission looks at one place. Cells are made when something is first
// counted in them and are never set to zero: at a new window another cell counts.
//
// Not thread-safe; no I/O.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/zone.h"
#include "model/budget.h"

namespace flyball::guard {

using budget::Amount;

inline constexpr uint32_t kNoIndex = std::numeric_limits<uint32_t>::max();
inline constexpr uint32_t kAccountsMax = 200'000;
// Accounts of single values that one "*" budget gets: values come from callers' headers, and are as
// many as somebody cares to invent.
inline constexpr uint32_t kValuesMax = 50'000;
// Cells that count no more are kept for a clock that goes back and for a longer window that the
// budget may be edited to.
inline constexpr size_t kClosedCellsMax = 40;

// The generation of cells of past windows that were another account's: none counts them until an
// edit of the window reaches back to them.
inline constexpr uint32_t kForeignGeneration = kNoIndex - 1;

struct Totals {
  Amount held = 0;      // of open calls
  Amount gap = 0;       // what open calls can cost beyond their holds; 0 in strict mode
  Amount settled = 0;   // exact costs
  Amount unknown = 0;   // calls without exact usage, at their bound, until evidence comes
  Amount lost = 0;      // leases that a power cut left unaccounted
  Amount excess = 0;    // costs above what a call was bound to: faults of a vendor
  Amount external = 0;  // charges of the ledger that did not pass the gateway

  Amount own() const { return held + settled + unknown + lost; }  // what leases cover, with gap
  Amount used() const { return own() + excess + external; }
  Amount worst() const { return used() + gap; }
  Amount spent() const { return used() - held; }
  bool operator==(const Totals&) const = default;
};

struct Cell {
  uint32_t account = kNoIndex;  // kNoIndex: free
  uint32_t generation = 0;      // of the account's window when it was made
  Period period;
  Instant counted_until;
  Totals totals;
  Amount lease = 0;     // what own + gap may reach: synced
  uint32_t pins = 0;    // legs of calls and leases under way that point here
  bool counts = false;  // in the account's sums
};

struct Account {
  budget::Budget spec;
  const Zone* zone = nullptr;
  uint32_t generation = 0;          // counts the edits of the window
  uint32_t template_of = kNoIndex;  // of an account of one value: the "*" that it comes from
  bool removed = false;
  bool in_use = false;
  Totals now;                        // sums over the cells that count
  Instant floor;                     // what was discarded ended before: never counted in again
  Period current;                    // the window or bucket in which `now` was asked
  uint32_t current_cell = kNoIndex;  // kNoIndex: nothing is counted in it yet
  std::vector<uint32_t> cells;
  Amount unguarded_peak = 0;  // most external spend in one window, as far as it still holds
  uint64_t faults = 0;
  uint64_t refused = 0;  // calls, since the guard was opened
  size_t warned = 0;     // levels told in this window
  uint32_t values = 0;   // of a "*" budget: accounts that come from it
  uint64_t ticket = 0;   // of the control records that made it

  // What quantile mode may overspend beyond the limit; 0 in strict mode.
  Amount overrun() const;
  // How many of the warn levels are reached by what is spent; holds may yet be given back.
  size_t LevelsReached() const;
};

// A window that was merged into another one when the budget's window was edited.
struct Alias {
  uint32_t account = kNoIndex;
  uint32_t generation = 0;
  Instant start;
  Instant merged_into;  // start of the cell of the generation after
  uint32_t merged_generation = 0;
};

class Books {
 public:
  // The account with this id, made when absent (at replay ids are given).
  Account& Make(uint32_t id);
  uint32_t NextId() const;
  Account& at(uint32_t id) { return accounts_[id]; }
  const Account& at(uint32_t id) const { return accounts_[id]; }
  bool Has(uint32_t id) const { return id < accounts_.size() && accounts_[id].in_use; }
  uint32_t size() const { return static_cast<uint32_t>(accounts_.size()); }
  Cell& cell(uint32_t id) { return cells_[id]; }
  const Cell& cell(uint32_t id) const { return cells_[id]; }

  // Makes the account count in the window of `t`. Cheap while `t` stays in it.
  void RollTo(uint32_t id, Instant t) {
    Account& account = accounts_[id];
    if (account.current.Contains(t)) [[likely]]
      return;
    Roll(id, t);
  }
  // The cell of the window that the account counts in, made when absent.
  uint32_t CurrentCell(uint32_t id) {
    Account& account = accounts_[id];
    return account.current_cell != kNoIndex ? account.current_cell : MakeCurrentCell(id);
  }
  // The cell of a window by its start, kNoIndex when nothing was counted in it. Aliases are
  // followed.
  uint32_t FindCell(uint32_t id, uint32_t generation, Instant start) const;
  uint32_t MakeCell(uint32_t id, uint32_t generation, const Period& period);

  void Add(uint32_t cell, Amount Totals::* field, Amount delta);
  void Pin(uint32_t cell) { ++cells_[cell].pins; }
  void Unpin(uint32_t cell) { --cells_[cell].pins; }

  // After an edit of the window: begins another generation at `t`. Answers the cells that the new
  // window reaches back to; they are to be merged into its current cell, so that nothing that was
  // spent is forgotten.
  std::vector<uint32_t> ChangeWindow(uint32_t id, const budget::Window& window, const Zone* zone,
                                     Instant t);
  // Adds totals and pins of one cell of the account to another, leaves an alias, and frees it. Legs
  // that point to it are the caller's to move. Leases are not added up: the caller sets that of
  // `to`.
  void MergeCell(uint32_t from, uint32_t to);
  // Adds totals and pins of a cell to the cell of the same window of another account, whose window
  // is the same, and frees it. Answers that cell; legs are the caller's to move, leases to set and
  // `into` to recount.
  uint32_t MoveCell(uint32_t from, uint32_t into);
  void ForgetAliases() { aliases_.clear(); }
  // Recounts which cells of the account count, at the time that it stands at.
  void Recount(uint32_t id);
  // Gives up an account of one value in which nothing counts any more.
  void Forget(uint32_t id);
  // What is wrong in the sums, or "".
  std::string Audit() const;

 private:
  void Roll(uint32_t id, Instant t);
  void FreeCell(uint32_t cell);
  uint32_t MakeCurrentCell(uint32_t id);
  bool Counts(const Account& account, const Cell& cell) const;
  void Discard(Account* account);

  std::vector<Account> accounts_;
  std::vector<uint32_t> free_accounts_;
  std::vector<Cell> cells_;
  std::vector<uint32_t> free_cells_;
  std::vector<Alias> aliases_;
};

// a + b; an overflow of 128 bits is a broken invariant.
Amount AddChecked(Amount a, Amount b);

}  // namespace flyball::guard
