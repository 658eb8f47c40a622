#include "guard/books.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "guard/window.h"

namespace flyball::guard {
namespace {

constexpr std::array kFields = {&Totals::held, &Totals::gap,    &Totals::settled, &Totals::unknown,
                                &Totals::lost, &Totals::excess, &Totals::external};

void AddAll(const Totals& from, Totals* to) {
  for (auto field : kFields) to->*field = AddChecked(to->*field, from.*field);
}

}  // namespace

Amount AddChecked(Amount a, Amount b) {
  Amount sum = 0;
  FB_ASSERT(!__builtin_add_overflow(a, b, &sum));
  return sum;
}

Amount Account::overrun() const {
  if (spec.mode == budget::Mode::kStrict) return 0;
  return spec.limit / 100 * spec.quantile_overrun_percent;
}

size_t Account::LevelsReached() const {
  size_t reached = 0;
  const Amount spent = now.spent();
  while (reached < spec.warn_percent.size() && spent > 0 &&
         spent * 100 >= spec.limit * spec.warn_percent[reached]) {
    ++reached;
  }
  return reached;
}

Account& Books::Make(uint32_t id) {
  FB_ASSERT(id < kAccountsMax);
  while (accounts_.size() <= id) {
    free_accounts_.push_back(static_cast<uint32_t>(accounts_.size()));
    accounts_.emplace_back();
  }
  if (!accounts_[id].in_use) {
    accounts_[id] = Account{};
    accounts_[id].in_use = true;
    std::erase(free_accounts_, id);
  }
  return accounts_[id];
}

uint32_t Books::NextId() const {
  return free_accounts_.empty() ? static_cast<uint32_t>(accounts_.size()) : free_accounts_.back();
}

bool Books::Counts(const Account& account, const Cell& cell) const {
  if (cell.generation != account.generation) return false;
  if (!account.spec.window.rolling) return cell.period.start == account.current.start;
  // Also what lies ahead: a clock that went back does not undo what was spent.
  return cell.counted_until > account.current.start;
}

void Books::Recount(uint32_t id) {
  Account& account = accounts_[id];
  account.now = Totals{};
  account.current_cell = kNoIndex;
  for (uint32_t c : account.cells) {
    Cell& cell = cells_[c];
    cell.counts = Counts(account, cell);
    if (!cell.counts) continue;
    AddAll(cell.totals, &account.now);
    if (cell.period.start == account.current.start) account.current_cell = c;
  }
}

// Closed cells beyond those kept go, the oldest first; they are never counted in again.
void Books::Discard(Account* account) {
  auto closed = [this](uint32_t c) { return !cells_[c].counts && cells_[c].pins == 0; };
  auto count =
      static_cast<size_t>(std::count_if(account->cells.begin(), account->cells.end(), closed));
  while (count > kClosedCellsMax) {
    auto oldest = account->cells.end();
    for (auto at = account->cells.begin(); at != account->cells.end(); ++at) {
      if (!closed(*at)) continue;
      if (oldest == account->cells.end() ||
          cells_[*at].period.start < cells_[*oldest].period.start) {
        oldest = at;
      }
    }
    uint32_t c = *oldest;
    account->floor = std::max(account->floor, cells_[c].counted_until);
    account->cells.erase(oldest);
    FreeCell(c);
    --count;
  }
}

void Books::Roll(uint32_t id, Instant t) {
  Account& account = accounts_[id];
  t = std::max(ClampTime(t), account.floor);
  Period period = WindowAt(account.spec.window, *account.zone, t);
  if (period == account.current) return;
  account.current = period;
  Recount(id);
  // What was spent before and still counts was told before: in a rolling window, after a start.
  account.warned = account.LevelsReached();
  Discard(&account);
}

uint32_t Books::MakeCell(uint32_t id, uint32_t generation, const Period& period) {
  uint32_t c = 0;
  if (free_cells_.empty()) {
    c = static_cast<uint32_t>(cells_.size());
    cells_.emplace_back();
  } else {
    c = free_cells_.back();
    free_cells_.pop_back();
  }
  Account& account = accounts_[id];
  cells_[c] = Cell{};
  cells_[c].account = id;
  cells_[c].generation = generation;
  cells_[c].period = period;
  cells_[c].counted_until = CountedUntil(account.spec.window, period);
  cells_[c].counts = Counts(account, cells_[c]);
  account.cells.push_back(c);
  if (cells_[c].counts && period.start == account.current.start) account.current_cell = c;
  return c;
}

uint32_t Books::MakeCurrentCell(uint32_t id) {
  Account& account = accounts_[id];
  return MakeCell(id, account.generation, account.current);
}

uint32_t Books::FindCell(uint32_t id, uint32_t generation, Instant start) const {
  for (const Alias& alias : aliases_) {  // in the order in which windows were edited
    if (alias.account == id && alias.generation == generation && alias.start == start) {
      generation = alias.merged_generation;
      start = alias.merged_into;
    }
  }
  for (uint32_t c : accounts_[id].cells) {
    if (cells_[c].generation == generation && cells_[c].period.start == start) return c;
  }
  return kNoIndex;
}

void Books::Add(uint32_t c, Amount Totals::* field, Amount delta) {
  Cell& cell = cells_[c];
  cell.totals.*field = AddChecked(cell.totals.*field, delta);
  if (cell.counts) {
    Totals& now = accounts_[cell.account].now;
    now.*field = AddChecked(now.*field, delta);
  }
}

void Books::FreeCell(uint32_t c) {
  cells_[c] = Cell{};
  free_cells_.push_back(c);
}

std::vector<uint32_t> Books::ChangeWindow(uint32_t id, const budget::Window& window,
                                          const Zone* zone, Instant t) {
  Account& account = accounts_[id];
  account.spec.window = window;
  account.zone = zone;
  ++account.generation;
  account.warned = 0;
  account.current = WindowAt(window, *zone, std::max(ClampTime(t), account.floor));
  // A rolling window reaches back by its length, a calendar window to its start.
  Instant reach = account.current.start;
  if (window.rolling) {
    reach.us -= CountedUntil(window, account.current).us - account.current.end.us;
  }
  std::vector<uint32_t> reached;
  for (uint32_t c : account.cells) {
    if (cells_[c].period.end > reach) reached.push_back(c);
  }
  Recount(id);
  return reached;
}

void Books::MergeCell(uint32_t from, uint32_t to) {
  Cell& source = cells_[from];
  Cell& target = cells_[to];
  Account& account = accounts_[source.account];
  AddAll(source.totals, &target.totals);
  target.pins += source.pins;
  account.unguarded_peak = std::max(account.unguarded_peak, target.totals.external);
  aliases_.push_back({source.account, source.generation, source.period.start, target.period.start,
                      target.generation});
  std::erase(account.cells, from);
  uint32_t id = source.account;
  FreeCell(from);
  Recount(id);
}

uint32_t Books::MoveCell(uint32_t from, uint32_t into) {
  const Cell source = cells_[from];
  Account& account = accounts_[into];
  const bool of_now = source.generation == accounts_[source.account].generation;
  const uint32_t generation = of_now ? account.generation : kForeignGeneration;
  const auto same = std::ranges::find_if(account.cells, [&](uint32_t c) {
    return cells_[c].generation == generation && cells_[c].period.start == source.period.start;
  });
  const uint32_t to =
      same != account.cells.end() ? *same : MakeCell(into, generation, source.period);
  Cell& target = cells_[to];
  AddAll(source.totals, &target.totals);
  target.pins += source.pins;
  // Of past windows of several kinds, that begin at the same time, the longest.
  target.period.end = std::max(target.period.end, source.period.end);
  target.counted_until = std::max(target.counted_until, source.counted_until);
  account.unguarded_peak = std::max(account.unguarded_peak, target.totals.external);
  std::erase(accounts_[source.account].cells, from);
  FreeCell(from);
  return to;
}

void Books::Forget(uint32_t id) {
  Account& account = accounts_[id];
  for (uint32_t c : account.cells) {
    FB_ASSERT(cells_[c].pins == 0);
    FreeCell(c);
  }
  account = Account{};
  free_accounts_.push_back(id);
}

std::string Books::Audit() const {
  for (uint32_t id = 0; id < size(); ++id) {
    const Account& account = accounts_[id];
    if (!account.in_use) continue;
    Totals sums;
    for (uint32_t c : account.cells) {
      const Cell& cell = cells_[c];
      if (cell.account != id) return "a cell of '" + account.spec.name + "' belongs to another";
      for (auto field : kFields) {
        if (cell.totals.*field < 0) return "'" + account.spec.name + "' counts a negative amount";
      }
      if (cell.counts != Counts(account, cell)) {
        return "a cell of '" + account.spec.name + "' counts where it should not, or not";
      }
      if (cell.counts) AddAll(cell.totals, &sums);
    }
    if (!(sums == account.now)) return "the sums of '" + account.spec.name + "' are not its cells'";
  }
  return "";
}

}  // namespace flyball::guard
