#include "reconcile/match.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "rates/price_book.h"
#include "reconcile/dearest.h"
#include "reconcile/sums.h"

namespace flyball::reconcile {
namespace {

// How far a vendor's clock may be from ours when calls are paired by time.
constexpr int64_t kClockSlackUs = 5 * kMicrosPerSecond;

constexpr std::array<std::string_view, 12> kReasons = {
    "equal", "bound",    "not billed", "unseen",      "refused but billed", "usage",
    "price", "rounding", "midnight",   "other model", "other currency",     "no bill"};

// What the bill says of one answer, in one line or in several.
struct Entry {
  const BillLine* first = nullptr;
  std::vector<const BillLine*> all;
  int64_t count = 0;
  Money cost;
  std::vector<metered::Line> lines;
};

bool IsSnapshotOf(std::string_view name, std::string_view alias) {
  constexpr std::string_view kLatest = "-latest";
  if (alias.ends_with(kLatest)) alias.remove_suffix(kLatest.size());
  return name != alias && !name.ends_with(kLatest) && rates::UndatedModel(name) == alias;
}

Money CostOf(const CallFact& call) { return call.ended ? call.end.cost : Money(); }

bool SameQuantities(const std::vector<metered::Line>& ours,
                    const std::vector<metered::Line>& theirs) {
  std::map<Bucket, int64_t> count;
  for (const metered::Line& line : ours) count[line.meter] += line.quantity;
  for (const metered::Line& line : theirs) count[line.meter] -= line.quantity;
  return std::ranges::all_of(count, [](const auto& each) { return each.second == 0; });
}

class Matcher {
 public:
  Matcher(std::span<const CallFact> calls, const Bill& bill, const EvidenceByKey& known,
          Instant now)
      : calls_(calls), bill_(bill), known_(known), now_(now), roundings_(bill) {}

  Result<std::vector<Group>> Run() {
    FB_CHECK(CheckRange());
    SortCalls();
    FB_CHECK(SortLines());
    for (const auto& [key, evidence] : known_) {  // what this bill says nothing of any more, too
      if (bill_.Covers(key.vendor, key.day)) WorkOf(key);
    }
    MatchById();
    GiveBoundCalls();
    for (auto& [key, work] : works_) {
      PairByTime(work);
      FB_CHECK(Conclude(work));
    }
    std::vector<Group> groups;
    for (auto& [key, work] : works_) groups.push_back(std::move(work.group));
    return groups;
  }

 private:
  struct Work {
    Group group;
    std::vector<const CallFact*> calls;  // that nothing is known of yet
    std::vector<Entry*> entries;         // the same, of answers of the bill
    std::vector<const BillLine*> sums;   // lines that name no answer
    std::map<Reason, Part> parts;
    std::vector<Correction> corrections;
  };

  Work& WorkOf(const Key& key) {
    Work& work = works_[key];
    work.group.key = key;
    return work;
  }
  // Keeps every sum and difference of what follows within 38 digits.
  Status CheckRange() {
    std::vector<Money> sizes;
    for (const CallFact& call : calls_) {
      sizes.push_back(CostOf(call));
      costs_.emplace(call.dispatch.id, CostOf(call));
    }
    for (const BillLine& line : bill_.lines) {
      const Money cost = line.dearer.empty() ? line.cost : line.dearer.back().cost;
      sizes.push_back(Money::FromUnits(SizeOf(cost)));
    }
    const Result<Money> sum = Sum(sizes);
    return sum ? Status() : Fail(sum.error());
  }
  // Where a call belongs whose model is not known before it ends.
  static Key DayOf(Key key) {
    key.model.clear();
    return key;
  }
  Money RoundingOf(const Key& key) const { return roundings_.Of(key.vendor, key.currency); }

  void SortCalls() {
    for (const CallFact& call : calls_) {
      Work& work = WorkOf(KeyOf(call.dispatch, call.end.model));
      Group& group = work.group;
      ++group.calls;
      if (!call.ended) {
        ++group.open;
        running_.insert(DayOf(group.key));
      }
      group.ours = Added(group.ours, CostOf(call));
      if (call.ended) work.calls.push_back(&call);
    }
  }

  Status SortLines() {
    for (const BillLine& line : bill_.lines) {
      Work& work = WorkOf(KeyOf(line));
      ++work.group.charges;
      work.group.theirs = Added(work.group.theirs, line.cost);
      if (line.answer_id.empty()) {
        work.sums.push_back(&line);
        continue;
      }
      Entry& entry = entries_[AnswerKeyOf(work.group.key, line.answer_id)];
      if (entry.first == nullptr) {
        entry.first = &line;
        work.entries.push_back(&entry);
      } else if (KeyOf(*entry.first) != KeyOf(line)) {
        return Fail(Code::kInvalidArgument,
                    "the bill has the answer '" + line.answer_id + "' in several days or models");
      }
      ++entry.count;
      entry.all.push_back(&line);
      entry.cost = Added(entry.cost, line.cost);
      entry.lines.insert(entry.lines.end(), line.lines.begin(), line.lines.end());
    }
    return {};
  }

  // ---- by the vendor's id

  void MatchById() {
    std::unordered_map<std::string, std::pair<Work*, const CallFact*>> by_id;
    for (auto& [key, work] : works_) {
      for (const CallFact* call : work.calls) {
        const std::string& id = call->end.answer_id;
        if (!id.empty()) by_id.try_emplace(AnswerKeyOf(key, id), &work, call);
      }
    }
    CallSet matched;
    for (auto& [key, work] : works_) {
      std::erase_if(work.entries, [&](Entry* entry) {
        const auto found = by_id.find(AnswerKeyOf(key, entry->first->answer_id));
        if (found == by_id.end()) return false;
        const auto [home, call] = found->second;
        RateAsBound(work, *call, entry);
        Settle(*home, *call, *entry);
        if (home != &work) Move(*home, work, *entry);
        matched.insert(call);
        by_id.erase(found);
        return true;
      });
    }
    for (auto& [key, work] : works_) TakeOut(matched, &work.calls);
  }

  using CallSet = std::unordered_set<const CallFact*>;
  static void TakeOut(const CallSet& matched, std::vector<const CallFact*>* calls) {
    std::erase_if(*calls, [&](const CallFact* call) { return matched.contains(call); });
  }

  // A call at its bound whose tier or place nobody told would else count as less than it may have
  // cost. `theirs` is where the entry belongs.
  static void RateAsBound(Work& theirs, const CallFact& call, Entry* entry) {
    if (call.end.basis != metered::Basis::kBound) return;
    std::optional<BillLine::Rating> dearest = DearestHeld(call, entry->all, entry->cost);
    if (!dearest) return;
    Money& sum = theirs.group.theirs;
    sum = Added(sum, Difference(dearest->cost, entry->cost));
    entry->cost = dearest->cost;
    entry->lines = std::move(dearest->lines);
  }

  // The call is ours in one group and theirs in another.
  void Move(Work& ours, Work& theirs, const Entry& entry) {
    const Reason reason =
        ours.group.key.day != theirs.group.key.day ? Reason::kMidnight : Reason::kOtherModel;
    Explain(ours, reason, entry.cost.Negated());
    Explain(theirs, reason, entry.cost);
    theirs.group.traces.push_back({std::nullopt, entry.first->place, {}, entry.cost, reason});
  }

  void Settle(Work& work, const CallFact& call, const Entry& entry) {
    const Money difference = Difference(entry.cost, CostOf(call));
    const Reason reason = ReasonOf(call, entry, difference);
    Explain(work, reason, difference);
    work.group.traces.push_back(
        {call.dispatch.id, entry.first->place, CostOf(call), entry.cost, reason});
    if (reason == Reason::kEqual) return;
    work.corrections.push_back({call.dispatch.id, call.dispatch.at, entry.cost, entry.lines});
  }

  Reason ReasonOf(const CallFact& call, const Entry& entry, Money difference) const {
    switch (call.end.basis) {
      case metered::Basis::kBound:
        return Reason::kBound;  // also when the bill says just that: now it is known
      case metered::Basis::kRefused:
      case metered::Basis::kNotSent:
        return entry.cost.is_zero() ? Reason::kEqual : Reason::kRefusedBilled;
      case metered::Basis::kExact:
      case metered::Basis::kDeclared:
      case metered::Basis::kReported:  // never the gateway's own
        break;
    }
    if (difference.is_zero()) return Reason::kEqual;
    if (Within(difference, RoundingOf(KeyOf(*entry.first)), entry.count)) return Reason::kRounding;
    if (entry.lines.empty()) return Reason::kPrice;
    return SameQuantities(call.end.lines, entry.lines) ? Reason::kPrice : Reason::kUsage;
  }

  // ---- by model

  // A call at its bound has the name that was asked for, and the bill the one that answered: where
  // it has nothing of that name and one dated snapshot of it, the call is of the snapshot.
  void GiveBoundCalls() {
    for (auto& [key, home] : works_) {
      Work* snapshot = home.group.charges == 0 ? SnapshotOf(key) : nullptr;
      if (snapshot == nullptr) continue;
      std::erase_if(home.calls, [&](const CallFact* call) {
        const metered::End& end = call->end;
        if (end.basis != metered::Basis::kBound || !end.model.empty() || !end.answer_id.empty()) {
          return false;
        }
        --home.group.calls;
        ++snapshot->group.calls;
        home.group.ours = Difference(home.group.ours, end.cost);
        snapshot->group.ours = Added(snapshot->group.ours, end.cost);
        snapshot->calls.push_back(call);
        return true;
      });
    }
  }
  // Null: none, or several.
  Work* SnapshotOf(const Key& key) {
    Work* found = nullptr;
    for (auto& [other, work] : works_) {
      if (DayOf(other) != DayOf(key) || work.group.charges == 0) continue;
      if (!IsSnapshotOf(other.model, key.model)) continue;
      if (found != nullptr) return nullptr;
      found = &work;
    }
    return found;
  }

  // ---- by time

  void PairByTime(Work& work) {
    if (work.entries.empty()) return;
    CallSet matched;
    for (const bool refused : {false, true}) {
      std::multimap<Instant, const CallFact*> waiting;
      for (const CallFact* call : work.calls) {
        // A call whose id is known and that the bill does not name is not billed.
        if (!call->end.answer_id.empty()) continue;
        const metered::Basis basis = call->end.basis;
        const bool is_refused =
            basis == metered::Basis::kRefused || basis == metered::Basis::kNotSent;
        if (is_refused == refused) waiting.emplace(call->dispatch.at, call);
      }
      std::ranges::sort(work.entries, {}, [](const Entry* entry) {
        return std::pair(entry->first->at, std::string_view(entry->first->answer_id));
      });
      std::erase_if(work.entries, [&](Entry* entry) {
        const auto found = Nearest(waiting, entry->first->at);
        if (found == waiting.end()) return false;
        const CallFact* call = found->second;
        RateAsBound(work, *call, entry);
        Settle(work, *call, *entry);
        matched.insert(call);
        waiting.erase(found);
        return true;
      });
    }
    TakeOut(matched, &work.calls);
  }

  using Waiting = std::multimap<Instant, const CallFact*>;
  static Waiting::iterator Nearest(Waiting& waiting, Instant at) {
    const auto fits = [at](Waiting::iterator each) {
      return each->first.us - kClockSlackUs <= at.us &&
             at.us <= each->second->end.at.us + kClockSlackUs;
    };
    const auto after = waiting.lower_bound(at);
    const auto before = after == waiting.begin() ? waiting.end() : std::prev(after);
    const bool before_fits = before != waiting.end() && fits(before);
    const bool after_fits = after != waiting.end() && fits(after);
    if (before_fits && after_fits) {
      return at.us - before->first.us <= after->first.us - at.us ? before : after;
    }
    return before_fits ? before : after_fits ? after : waiting.end();
  }

  // ---- what is left

  Status Conclude(Work& work) {
    Group& group = work.group;
    group.covered = bill_.Covers(group.key.vendor, group.key.day);
    group.over =
        !running_.contains(DayOf(group.key)) && group.key.day.us + kMicrosPerDay <= now_.us;
    Money spread;
    if (IsOtherCurrency(work)) {
      Leave(work, Reason::kOtherCurrency);
    } else if (!group.covered) {
      Leave(work, Reason::kNoBill);
    } else if (work.sums.empty()) {
      LeaveCalls(work);
    } else {
      spread = FB_TRY(MatchSums(work));
    }
    const bool same_currency = !work.parts.contains(Reason::kOtherCurrency);
    for (const auto& [reason, part] : work.parts) {
      if (!part.amount.is_zero()) group.parts.push_back(part);
    }
    const auto known = known_.find(group.key);
    if (known != known_.end()) group.applied = AppliedOf(known->second, group);
    if (group.covered && group.over && same_currency) {
      std::ranges::sort(work.corrections, {}, [](const Correction& each) {
        return std::tuple(each.call, each.at, each.cost);
      });
      Evidence evidence{group.key, bill_.name, bill_.sha256, group.theirs, bill_.in_ledger, {}, {}};
      if (!bill_.in_ledger) {
        evidence.corrections = std::move(work.corrections);
        evidence.spread = spread;
      }
      group.evidence = std::move(evidence);
    }
    return {};
  }

  // Ours alone, while theirs of the same day and model has another currency; or the other way.
  bool IsOtherCurrency(const Work& work) const {
    const Group& group = work.group;
    const auto one_sided = [](const Group& each) { return (each.calls > 0) != (each.charges > 0); };
    return one_sided(group) && std::ranges::any_of(works_, [&](const auto& other) {
             const Group& that = other.second.group;
             return one_sided(that) && that.key.vendor == group.key.vendor &&
                    that.key.day == group.key.day && that.key.model == group.key.model &&
                    that.key.currency != group.key.currency &&
                    (that.calls > 0) != (group.calls > 0);
           });
  }

  void Leave(Work& work, Reason reason) {
    for (const CallFact* call : work.calls) {
      Explain(work, reason, CostOf(*call).Negated());
      work.group.traces.push_back({call->dispatch.id, "", CostOf(*call), {}, reason});
    }
    for (const Entry* entry : work.entries) {
      Explain(work, reason, entry->cost);
      work.group.traces.push_back({std::nullopt, entry->first->place, {}, entry->cost, reason});
    }
    for (const BillLine* line : work.sums) {
      Explain(work, reason, line->cost);
      work.group.traces.push_back({std::nullopt, line->place, {}, line->cost, reason});
    }
  }

  // Answered behind the last day of this bill: the vendor may count it there.
  bool IsOfALaterBill(const Key& key, const CallFact& call) const {
    const Instant day = FloorDay(call.end.at);
    return !call.end.answer_id.empty() && day > key.day && !bill_.Covers(key.vendor, day);
  }

  void LeaveCalls(Work& work) {
    for (const CallFact* call : work.calls) {
      const Money cost = CostOf(*call);
      const bool free = cost.is_zero() && call->end.basis != metered::Basis::kBound;
      const bool later = IsOfALaterBill(work.group.key, *call);
      const Reason reason = free ? Reason::kEqual : later ? Reason::kMidnight : Reason::kNotBilled;
      Explain(work, reason, cost.Negated());
      work.group.traces.push_back({call->dispatch.id, "", cost, {}, reason});
      if (!free && !later)
        work.corrections.push_back({call->dispatch.id, call->dispatch.at, {}, {}});
    }
    for (const Entry* entry : work.entries) {
      Explain(work, Reason::kUnseen, entry->cost);
      work.group.traces.push_back(
          {std::nullopt, entry->first->place, {}, entry->cost, Reason::kUnseen});
      work.corrections.push_back({0, entry->first->at, entry->cost, entry->lines});
    }
  }

  // ---- a bill of sums

  // What is to be spread over the exact calls.
  Result<Money> MatchSums(Work& work) {
    for (const Entry* entry : work.entries) {  // a bill that names some answers and sums others
      Explain(work, Reason::kUnseen, entry->cost);
      work.corrections.push_back({0, entry->first->at, entry->cost, entry->lines});
    }
    SumsOf sums = FB_TRY(SumsOf::Make(work.calls, work.sums));
    for (const CallFact* call : work.calls) {
      const bool bound = call->end.basis == metered::Basis::kBound;
      work.group.traces.push_back(
          {call->dispatch.id, "", CostOf(*call), {}, bound ? Reason::kBound : Reason::kEqual});
    }
    for (const BillLine* line : work.sums) {
      work.group.traces.push_back({std::nullopt, line->place, {}, line->cost, Reason::kEqual});
    }
    const Money shifted = Straddling(work);
    if (!shifted.is_zero() && sums.bound_calls.empty() &&
        Difference(sums.theirs, sums.exact) == shifted) {
      Explain(work, Reason::kMidnight, shifted);
      return Money();
    }
    const SumParts found = FB_TRY(sums.Compare(RoundingOf(work.group.key)));
    Explain(work, Reason::kPrice, found.price);
    Explain(work, Reason::kRounding, found.rounding);
    Explain(work, Reason::kNotBilled, found.missing);
    Explain(work, Reason::kUnseen, found.unseen);
    if (!sums.bound_calls.empty()) {
      Explain(work, Reason::kBound, Difference(found.of_bound, sums.bound),
              static_cast<int64_t>(sums.bound_calls.size()));
      FB_CHECK(Share(work, sums.bound_calls, found.of_bound));
    }
    Money spread = Added(Added(found.price, found.rounding), found.missing);
    Money unseen = found.unseen;
    if (!spread.is_zero() && sums.exact.is_zero()) {  // there is nothing to spread it over
      unseen = Added(unseen, spread);
      spread = {};
    }
    if (!unseen.is_zero()) work.corrections.push_back({0, work.group.key.day, unseen, {}});
    return spread;
  }

  // What a vendor that counts calls by their end has in this day beyond ours.
  Money Straddling(const Work& work) const {
    Money in, out;
    for (const CallFact* call : work.calls) {
      if (FloorDay(call->end.at) > work.group.key.day) out = Added(out, CostOf(*call));
    }
    Key before = work.group.key;
    before.day = Instant{before.day.us - kMicrosPerDay};
    const auto found = works_.find(before);
    if (found != works_.end()) {
      for (const CallFact* call : found->second.calls) {
        if (FloorDay(call->end.at) > before.day) in = Added(in, CostOf(*call));
      }
    }
    return Difference(in, out);
  }

  // Calls at their bound share what the bill has for them, as their bounds are to each other.
  Status Share(Work& work, const std::vector<const CallFact*>& calls, Money total) {
    std::vector<uint64_t> weights;
    for (const CallFact* call : calls) {
      const int128 units = CostOf(*call).units();
      constexpr auto kMost = static_cast<int128>(std::numeric_limits<uint64_t>::max());
      weights.push_back(static_cast<uint64_t>(std::clamp<int128>(units, 1, kMost)));
    }
    const std::vector<Money> shares = FB_TRY(Split(total, weights));
    for (size_t i = 0; i < calls.size(); ++i) {
      work.corrections.push_back({calls[i]->dispatch.id, calls[i]->dispatch.at, shares[i], {}});
    }
    return {};
  }

  static void Explain(Work& work, Reason reason, Money amount, int64_t count = 1) {
    Part& part = work.parts[reason];
    part.reason = reason;
    part.amount = Added(part.amount, amount);
    part.count += amount.is_zero() && reason != Reason::kEqual ? 0 : count;
  }

  // What evidence that was applied before makes of our figure.
  Money AppliedOf(const Evidence& evidence, const Group& group) const {
    // The bill's charges stand in the ledger in the place of ours.
    if (evidence.superseded) return Difference(group.theirs, group.ours);
    Money applied = evidence.spread;
    for (const Correction& correction : evidence.corrections) {
      const auto call = costs_.find(correction.call);
      const Money before = call == costs_.end() ? Money() : call->second;
      applied = Added(applied, Difference(correction.cost, before));
    }
    return applied;
  }

  std::span<const CallFact> calls_;
  const Bill& bill_;
  const EvidenceByKey& known_;
  const Instant now_;
  const Roundings roundings_;
  std::unordered_map<uint64_t, Money> costs_;
  std::map<Key, Work> works_;
  std::set<Key> running_;  // days, without a model, in which a call has not ended
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace

std::string_view ReasonName(Reason reason) { return kReasons[static_cast<size_t>(reason)]; }

Result<std::vector<Group>> Match(std::span<const CallFact> calls, const Bill& bill,
                                 const EvidenceByKey& known, Instant now) {
  return Matcher(calls, bill, known, now).Run();
}

}  // namespace flyball::reconcile
