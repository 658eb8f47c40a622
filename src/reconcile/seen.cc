#include "reconcile/seen.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "reconcile/sums.h"

namespace flyball::reconcile {
namespace {

ModelKey ModelOf(const Key& key) { return {key.vendor, key.model, key.currency}; }

// What the bill has of one meter, or of all of a model where it does not tell them apart.
struct Side {
  Money cost;
  int64_t lines = 0;
  int128 count = 0;
  bool counted = true;  // every line states its quantity, of tokens where it is about all
};
struct Day {
  std::map<BookPrice, int128> ours;
  int64_t calls = 0;  // that ours are of
  bool whole = true;  // ours are all that the bill can have counted
  std::map<std::string, Side> theirs;
  bool metered = true;  // every line says its meter
};
using Days = std::map<Instant, Day>;

// A count that can be held beside ours.
std::optional<int128> CountOf(const BillLine& line) {
  int128 one = 1;
  for (int i = 0; i < Quantity::scale(); ++i) one *= 10;
  if (!line.quantity || line.quantity->units() < 0 || line.quantity->units() % one != 0) {
    return std::nullopt;
  }
  const int128 count = line.quantity->units() / one;
  return count <= kUsageCountMax ? std::optional(count) : std::nullopt;
}

class Reader {
 public:
  Reader(std::span<const CallFact> calls, const Bill& bill, std::span<const Group> groups)
      : calls_(calls), bill_(bill) {
    for (const Group& group : groups) {
      if (group.covered && group.over && group.calls > 0 && group.charges > 0) {
        days_[ModelOf(group.key)][group.key.day];
        group_calls_[group.key] = group.calls;
      }
    }
  }

  BothSides Run() {
    ReadLines();
    ReadCalls();
    for (const auto& [key, days] : days_) sides_.meters[key] = ByMeter(days);
    return std::move(sides_);
  }

 private:
  Day* DayOf(const Key& key) {
    const auto model = days_.find(ModelOf(key));
    if (model == days_.end()) return nullptr;
    const auto day = model->second.find(key.day);
    return day == model->second.end() ? nullptr : &day->second;
  }

  void ReadLines() {
    std::unordered_map<std::string, const CallFact*> known;
    for (const CallFact& call : calls_) {
      if (call.end.basis != metered::Basis::kExact || call.end.answer_id.empty()) continue;
      known.try_emplace(AnswerKeyOf(KeyOf(call.dispatch, call.end.model), call.end.answer_id),
                        &call);
    }
    std::map<Key, std::vector<const BillLine*>> by_day;
    for (const BillLine& line : bill_.lines) by_day[KeyOf(line)].push_back(&line);
    for (const auto& [key, lines] : by_day) {
      Day* day = DayOf(key);
      if (day == nullptr) continue;
      const bool named =
          std::ranges::none_of(lines, [](const BillLine* each) { return each->answer_id.empty(); });
      for (const BillLine* line : lines) {
        if (named) {
          // Not where the vendor counts the answer in another day, or under another model.
          const auto call = known.find(AnswerKeyOf(key, line->answer_id));
          if (call == known.end() ||
              KeyOf(call->second->dispatch, call->second->end.model) != key) {
            continue;
          }
          answers_[key].insert(call->second);
        }
        AddLine(*line, day);
      }
      if (named) answers_.try_emplace(key);
    }
  }
  static void AddLine(const BillLine& line, Day* day) {
    if (!line.lines.empty()) {
      for (const metered::Line& part : line.lines) {
        Side& side = day->theirs[std::string(Info(part.meter).name)];
        side.cost = Added(side.cost, part.cost);
        side.count += part.quantity;
        ++side.lines;
      }
      return;
    }
    Side& side = day->theirs[line.meter];
    side.cost = Added(side.cost, line.cost);
    ++side.lines;
    const std::optional<int128> count = CountOf(line);
    side.counted = side.counted && count;
    side.count += count.value_or(0);
    day->metered = day->metered && !line.meter.empty();
  }

  void ReadCalls() {
    for (const CallFact& call : calls_) {
      const Key key = KeyOf(call.dispatch, call.end.model);
      Day* day = DayOf(key);
      if (day == nullptr) continue;
      // Where the bill names answers, those of both sides are compared, and nothing else.
      const auto named = answers_.find(key);
      if (named != answers_.end() && !named->second.contains(&call)) continue;
      if (!call.ended || call.end.basis == metered::Basis::kBound) continue;
      ++day->calls;
      for (const metered::Line& line : call.end.lines) {
        if (line.meter == Bucket::kRequests && line.unit_price.is_zero()) continue;
        const BookPrice price{line.meter, line.unit_price};
        day->ours[price] += line.quantity;
        sides_.last[{ModelOf(key), price}] = &call;
      }
    }
    for (const auto& [key, count] : group_calls_) {
      Day* day = DayOf(key);
      day->whole = answers_.contains(key) || day->calls == count;
    }
  }

  // The bill's meter that counts ours: its own, or that of its side, of which it is a part.
  static std::string MeterOf(const Day& day, Bucket meter) {
    const BucketInfo& info = Info(meter);
    if (day.theirs.contains(std::string(info.name)) || !info.token) return std::string(info.name);
    return std::string(
        Info(info.side == UsageSide::kInput ? Bucket::kInput : Bucket::kOutput).name);
  }

  static std::map<std::string, std::vector<Seen>> ByMeter(const Days& days) {
    std::map<std::string, std::vector<Seen>> by_meter;
    for (const auto& [at, day] : days) {
      std::map<std::string, Seen> seen;
      for (const auto& [price, count] : day.ours) {
        const std::string meter = day.metered ? MeterOf(day, price.meter) : "";
        Seen& side = seen[meter];
        // Parts of a meter that have one price are one.
        BookPrice whole = price;
        const std::optional<Bucket> bucket = BucketByName(meter);
        if (bucket && day.ours.contains({*bucket, price.price})) whole.meter = *bucket;
        side.counts[whole] += count;
        if (day.metered || Info(price.meter).token) side.our_count += count;
      }
      for (auto& [meter, side] : seen) {
        Side theirs;
        for (const auto& [name, each] : day.theirs) {
          if (day.metered && name != meter) continue;
          theirs.cost = Added(theirs.cost, each.cost);
          theirs.lines += each.lines;
          theirs.count += each.count;
          theirs.counted = theirs.counted && each.counted;
        }
        if (theirs.lines == 0) continue;
        side.day = at;
        side.cost = theirs.cost;
        side.lines = theirs.lines;
        side.whole = day.whole;
        if (theirs.counted && theirs.count <= kUsageCountMax) side.their_count = theirs.count;
        by_meter[meter].push_back(std::move(side));
      }
    }
    return by_meter;
  }

  std::span<const CallFact> calls_;
  const Bill& bill_;
  std::map<ModelKey, Days> days_;
  std::map<Key, int64_t> group_calls_;
  // Of days whose lines all name one: our calls that they are of.
  std::map<Key, std::set<const CallFact*>> answers_;
  BothSides sides_;
};

}  // namespace

BothSides SeeBothSides(std::span<const CallFact> calls, const Bill& bill,
                       std::span<const Group> groups) {
  return Reader(calls, bill, groups).Run();
}

}  // namespace flyball::reconcile
