// Guard: no call leaves without a hold on every budget that it falls under.
//
// A state machine without I/O: events in, answers and records out. It decides from memory, in about
// a microsecond. One thread owns it.
//
//   Admit ──► held ──Dispatched──► dispatched ──Settle──────────► charged exactly, forgotten
//     │        │                     │  ▲  │ SettleUnknown, deadline, crash
//     │        └─Release, deadline,  │  └Grow └──────► charged at its bound, flagged ──Settle──►
//     exactly │          crash: given back   └─Release: given back, when nothing ever left └─
//     refused, or has to wait for a lease to be synced
//
// What is promised, and tested (docs/GUARD.md):
// - A call is held in all of its budgets or in none. Over every cell (a window of a budget):
//   settled + unknown + held + lost <= lease <= limit, for hard strict budgets, whatever happens.
// - A hold is settled in the windows that it was taken in and at the rates of then.
// - What a vendor bills beyond the bound is charged, freezes the hard budgets that it broke, and is
//   counted.
// - Nothing is done twice: a second Settle of a call changes nothing.
// - When what must be written cannot be written, nothing more is admitted.
//
// Records go to two journals (guard/wal.h): *calls*, written before the call goes on and not
// synced; *control*, synced before it counts: budgets, leases, faults. A lease is a promise that
// the calls of a cell stay under it; after a power cut a cell counts as used up to its lease.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/zone.h"
#include "guard/books.h"
#include "guard/call_table.h"
#include "guard/records.h"
#include "guard/scope_index.h"
#include "guard/sketch.h"
#include "model/budget.h"
#include "model/hold.h"

namespace flyball::guard {

// When an event happens: windows go by the wall clock, deadlines by the one that never jumps.
struct Moment {
  Instant wall;
  int64_t mono_us = 0;
};

// Faults to put in on purpose: the tests must notice each.
enum class Mutation : uint8_t {
  kNone,
  kSkipHold,
  kDoubleSettle,
  kForgetDispatched,
  kIgnoreLostTail
};

struct Options {
  // nullptr for a zone that the system does not know. Zones must outlive the guard.
  std::function<const Zone*(std::string_view)> find_zone;
  // The one spelling of what is spelled in many ways; empty: everything stays as it is written.
  std::function<void(budget::Scope*)> spell;
  // False: nothing is recorded and no lease is needed; what is held dies with the process.
  bool durable = true;
  // A lease is raised by this part of the limit at a time: less is lost in a power cut, more syncs.
  int lease_parts = 64;
  // True: the caller syncs on another thread (Wal::StartSync), and leases are asked for before they
  // are needed, so that few calls wait for one.
  bool syncs_elsewhere = false;
  // Quantile mode holds the bound until so many answers of a kind are known.
  uint32_t quantile_samples_min = Sketch::kSamplesMin;
  Mutation mutation_for_tests = Mutation::kNone;
};

struct Call {
  hold::CallId id;
  std::span<const hold::Attribute> attributes;
  hold::Bound bound;
  std::string_view currency = "USD";  // of the bound and of the cost
  int64_t deadline_us = 0;            // monotonic; at most kHoldMaxUs ahead
};

enum class Reason : uint8_t {
  kNone,
  kOverLimit,
  kFrozen,
  kStopped,    // the journal cannot be written
  kInvalid,    // a negative or absurd amount, or an absurd deadline
  kDuplicate,  // a call of this id is known
  kTooMany,    // of open calls, accounts, or budgets of one call
  kNoRate,     // a budget is in a currency that the call's cannot be changed into
  kNotOpen,    // no such call is open
};
std::string_view ReasonName(Reason reason);

enum class Verdict : uint8_t {
  kAdmitted,
  kWait,  // for a lease: sync the control records, tell ControlSynced, ask again
  kRefused,
};
struct Admission {
  Verdict verdict = Verdict::kRefused;
  Reason reason = Reason::kNone;
  // Of the budget that refuses:
  uint32_t account = kNoIndex;
  Amount needed = 0;
  Amount left = 0;
  Instant resets_at;
  // Of an admitted call: tokens of its answer that its holds cover in every budget. Fewer than its
  // bound in quantile mode only.
  int64_t output_covered = 0;
};
enum class Growth : uint8_t {
  kBound,  // the call may cost more than its bound so far
  kHold,   // it stays under its bound, but costs more than quantile mode held for it
};
inline constexpr size_t kLegsMax = 64;
inline constexpr size_t kRatesMax = 1024;
inline constexpr size_t kNoticesMax = 10'000;  // until they are taken; more are dropped
// The account of one value is kept so long after its last window, in case that the window is
// edited.
inline constexpr int64_t kForgetAfterUs = 32 * kMicrosPerDay;
// While a "*" budget has kValuesMax accounts, those that can be are given up so often.
inline constexpr int64_t kForgetEveryUs = 60 * kMicrosPerSecond;

// What the ledger has beside the gateway's calls, in the window that holds `at`: 1e-12 of
// `currency`, or tokens. Less than nothing is a credit, which makes no room.
struct ExternalSum {
  Instant at;
  Amount amount = 0;
  std::string_view currency = "USD";  // of money
};
inline constexpr size_t kExternalSumsMax = 10'000;  // of one budget

// A warn level was reached, or a vendor broke a bound.
struct Notice {
  uint32_t account = kNoIndex;
  int percent = 0;  // 0: a fault
};

// What has to be written, in this order, before the caller goes on.
struct Outbox {
  std::string calls;              // to append to the journal of calls
  bool sync_calls_first = false;  // and to sync, before:
  std::string control;            // to append to the journal of control and to sync
  uint64_t ticket = 0;            // then: ControlSynced(ticket)
};

struct Overspend {
  Amount amount = 0;     // the most that can still be spent beyond the limit in this window
  bool bounded = true;   // false: `amount` is what is known; more may come
  Amount expected = 0;   // quantile mode: what is to be expected of it, from open calls
  std::string_view why;  // "", "soft", "quantile", "unguarded", "fault", "edited"
};

struct StatusRow {
  std::string name, scope, window, zone, currency;  // currency "" for tokens
  budget::Measure measure = budget::Measure::kMoney;
  Amount limit = 0;
  Amount settled = 0;  // all that is charged: exact, unknown, lost, excess, external
  Amount held = 0;
  Amount remaining = 0;             // 0 when overspent
  std::optional<Instant> began_at;  // of a calendar window
  Instant resets_at;
  Overspend max_overspend;
  Totals totals;
  bool hard = true;
  bool frozen = false;
  bool counts_ledger = true;
  budget::Mode mode = budget::Mode::kStrict;
  std::vector<int> warn_percent;
  int warned_percent = 0;  // the highest level that is reached; 0: none
  uint64_t faults = 0;
  uint64_t refused = 0;  // calls, since the guard was opened
  uint32_t values = 0;   // of a "*" budget: values that have an account of their own
};
// Of each "*" budget, so many values are shown: those with the most of the limit used.
inline constexpr size_t kValuesShownMax = 100;

class Guard {
 public:
  explicit Guard(Options options);
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // --- events of administration; the outbox is to be synced before they are confirmed
  // Makes a budget or edits the one of this name: what is counted in it stays. The next admission
  // sees it. INVALID_ARGUMENT, RESOURCE_EXHAUSTED.
  Status SetBudget(const budget::Budget& budget, Moment now);
  // What SetBudget would refuse it for, with nothing changed.
  Status CheckBudget(const budget::Budget& budget) const;
  // What is counted in it stays, under another name. NOT_FOUND; ALREADY_EXISTS: a budget has that
  // name, or had it before it was removed.
  Status RenameBudget(std::string_view name, const std::string& to, Moment now);
  // Calls fall under it no more; what is counted comes back if it is made again. NOT_FOUND.
  Status RemoveBudget(std::string_view name, Moment now);
  // The kill switch, and its opposite. NOT_FOUND.
  Status SetFrozen(std::string_view name, bool frozen, Moment now);
  // Units of `to` for one of `from`, at most 1e6. For holds taken from now on.
  Status SetRate(std::string_view from, std::string_view to, Money rate);
  void ClearRates() { rates_.clear(); }
  // What a lost lease really was, from the vendor's bill. NOT_FOUND, OUT_OF_RANGE when above it.
  Status ResolveLost(std::string_view name, Instant window_start, Amount exact, Moment now);

  // --- events of calls
  Admission Admit(const Call& call, Moment now);
  // Bytes are about to leave: they may once the outbox's calls are written.
  Status Dispatched(hold::CallId id, Moment now);
  // A top-up in mid-stream. Refused: nothing changes, and the stream is to be ended.
  Admission Grow(hold::CallId id, const hold::Bound& more, Growth growth, Moment now);
  // Whether a budget of this open call is frozen by now: what runs is to be stopped.
  Admission FrozenOf(hold::CallId id) const;
  // The exact cost; also as late evidence of a call that was charged at its bound. `tokens_output`
  // teaches the sketch, -1: unknown. True: the vendor billed beyond the bound.
  Result<bool> Settle(hold::CallId id, const hold::Cost& cost, int64_t tokens_output, Moment now);
  Status SettleUnknown(hold::CallId id, Moment now);
  Status Release(hold::CallId id, Moment now);
  // What the ledger says, as of its commit number `commit`, of the windows in which the budget
  // counts now: in place of what was said before, so that it may be said again, and restated.
  // A budget of the gateway's calls alone takes none, and has lost what it had. `value`: whose
  // account of a "*" budget. False: that one was made for it; sync the control records and say it
  // again. NOT_FOUND, OUT_OF_RANGE, FAILED_PRECONDITION without a rate.
  Result<bool> SetExternal(std::string_view name, std::string_view value,
                           std::span<const ExternalSum> sums, uint64_t commit, Moment now);
  // Ends what is past its deadline. To be called often; the time between calls is how late it is.
  void Tick(Moment now);

  // --- the caller's writing
  Outbox& outbox() { return outbox_; }
  void ControlSynced(uint64_t ticket);
  // Nothing is admitted until Resume.
  void Stop() { stopped_ = true; }
  void Resume() { stopped_ = false; }
  bool stopped() const { return stopped_; }
  std::vector<Notice> TakeNotices();

  // --- answers
  // Of all budgets, by name; of a "*" budget's values the kValuesShownMax that have used the most.
  std::vector<StatusRow> Statuses(Moment now);
  std::optional<StatusRow> StatusOf(std::string_view name, Moment now);
  // As it was set last, with what was edited and frozen since.
  std::optional<budget::Budget> BudgetOf(std::string_view name) const;
  // "team=search has 3.2 USD left of 100 in this month, and the call may need 5": for people.
  std::string Describe(const Admission& admission) const;
  uint64_t external_commit() const { return external_commit_; }
  size_t open_calls() const { return calls_.open_count(); }
  size_t unknown_calls() const { return calls_.unknown_count(); }
  uint64_t faults() const { return faults_; }
  uint64_t bugs() const { return bugs_; }  // events that a correct caller never sends
  const Books& books() const { return books_; }
  const CallTable& calls() const { return calls_; }
  // What is wrong inside, or "": sums, legs and leases against each other.
  std::string Audit() const;

  // --- recovery (guard/wal.h drives it): snapshot, then control, then calls, then Finish
  std::string Snapshot();
  Status Replay(std::string_view records);
  // Ends every call: what was dispatched is charged at its bound. `tail_lost`: records of calls may
  // be missing; every cell counts as used up to its lease.
  void FinishRecovery(bool tail_lost);
  // Takes every lease back to what is used of it, in memory. Only before a snapshot.
  void TrimLeases();
  // Lets go of the accounts of single values in which nothing counts any more. Only before a
  // snapshot: their ids are used again.
  void ForgetIdle(Moment now);
  // Whatever Options::spell changes in a scope is spelled so from now on, with its count: what was
  // written by an older program is met by calls again. Accounts of a "*" budget whose values become
  // one by it become one, with all that they count and all calls in them. Only before a snapshot.
  void RespellScopes();
  // Whether a "*" budget can make no account for another value.
  bool IsFull(uint32_t account) const;
  // A value was refused for want of an account, and ForgetIdle was not asked lately.
  bool wants_room() const { return wants_room_; }

 private:
  struct Need;
  struct PendingLease {
    uint64_t ticket = 0;
    uint32_t cell = kNoIndex;
    Amount lease = 0;
  };

  // budgets.cc
  Status Edit(uint32_t id, const budget::Budget& budget, Moment now);
  void ForgetExternal(uint32_t id);
  uint32_t ChangeWindow(uint32_t id, const budget::Window& window, Moment now,
                        BudgetRecord* record);
  void MoveLegs(uint32_t from, uint32_t into);
  void MergeAccount(uint32_t from, uint32_t into);
  bool DropPending(uint32_t cell);  // whether there was one
  void TrimLease(uint32_t cell, Amount lease);
  void WriteLease(uint32_t cell);
  BudgetRecord RecordOf(uint32_t id, BudgetRecord record) const;
  void WriteBudget(uint32_t id, BudgetRecord record);
  void WriteBudget(uint32_t id, BudgetRecord record, std::string* batch) const;
  uint32_t MakeAccount(const budget::Budget& budget, uint32_t template_of);
  void IndexAccount(uint32_t id);
  void Reindex();
  uint32_t FullTemplate(const ScopeIndex::Entry* entry, budget::ScopeKind kind) const;
  bool MakeInstances(ScopeIndex::Entry* entry, Moment now);
  uint64_t StartControl();

  // admit.cc
  Admission FindAccounts(std::span<const hold::Attribute> attributes, Moment now);
  Admission AddAttribute(const hold::Attribute& attribute, Moment now);
  Admission CountRefusal(Admission answer);
  Reason AddNeeds(const std::vector<uint32_t>& accounts);
  Admission Check(const hold::Bound& bound, uint64_t sketch_key, uint32_t currency);
  Admission CheckNeed(const Need& need) const;
  bool Leased(const Need& need) const;
  void AskForLeases();
  void AskForLease(const Need& need, bool ahead, LeaseRecord* record);
  void AskAhead();
  Amount TakeBackOthers(uint32_t cell, Amount cap, LeaseRecord* record);
  Amount LeaseCap(const Account& account) const;
  Instant ResetsAt(const Account& account) const;

  // settle.cc
  void SettleLegs(uint32_t slot, std::span<const Amount> costs);
  void LiftLeg(const HeldCall& call, const Leg& leg);
  void ReleaseCall(uint32_t slot);
  void MakeUnknown(uint32_t slot);
  void RemoveCall(uint32_t slot);
  void WriteDispatch(const HeldCall& call, std::string* batch);
  CellName NameOf(uint32_t cell) const;
  void SettleExcess(const HeldCall& call);
  Result<uint32_t> AccountOf(std::string_view name, std::string_view value, Moment now);
  Result<Amount> ExternalAmount(const Account& account, const ExternalSum& sum) const;
  void CountExternal(uint32_t cell, Amount amount);
  void CountExcess(uint32_t cell, Amount excess, bool freezes);
  void Warn(uint32_t account, bool tell);
  void Notify(Notice notice);

  struct Rate {
    uint32_t from = 0;
    uint32_t to = 0;
    int64_t rate = 0;
  };
  bool FindRate(uint32_t from, std::string_view to, int64_t* rate) const;

  // status.cc
  StatusRow RowOf(uint32_t id, Moment now);

  // replay.cc
  void Apply(const BudgetRecord& record);
  void Apply(const LeaseRecord& record);
  void Apply(const ExcessRecord& record);
  void Apply(const LostRecord& record);
  void Apply(const DispatchRecord& record);
  void Apply(const GrowRecord& record);
  void Apply(const SettleRecord& record);
  void Apply(const EndRecord& record);
  void Apply(const GatewayOnlyRecord& record);
  void Apply(const ExternalRecord& record);
  void Apply(const CellRecord& record);
  void Apply(const StateRecord& record);
  uint32_t CellOf(const CellName& name);
  void CountUntoldExcess(uint32_t slot, std::span<const Amount> costs);
  void SettleExceeded();

  Options options_;
  Books books_;
  CallTable calls_;
  ScopeIndex index_;
  Sketches sketches_;
  std::unordered_map<std::string, uint32_t> by_name_;
  // Of each kind, the accounts that make one for each value; and how often that list has changed.
  std::vector<uint32_t> templates_[budget::kScopeKindCount];
  uint64_t templates_version_ = 1;
  std::vector<Rate> rates_;
  Outbox outbox_;
  uint64_t tickets_ = 0;
  uint64_t synced_ticket_ = 0;
  std::vector<PendingLease> pending_;
  std::vector<Notice> notices_;
  uint64_t external_commit_ = 0;
  uint64_t faults_ = 0;
  uint64_t bugs_ = 0;
  bool stopped_ = false;
  bool wants_room_ = false;
  int64_t forgot_us_ = 0;
  std::optional<Error> replay_error_;
  std::set<uint64_t> excess_told_;  // calls of the ExcessRecords that are replayed

  // What one admission needs of one account; kept for its room.
  struct Need {
    uint32_t account = kNoIndex;
    uint32_t cell = kNoIndex;  // kNoIndex: the current one, not made yet
    Amount held = 0;
    Amount bound = 0;
    int64_t rate = 0;
  };
  std::vector<Need> needs_;
  std::vector<Amount> costs_;
  DispatchRecord dispatch_;
  SettleRecord settle_;
  std::vector<uint32_t> due_;
};

}  // namespace flyball::guard
