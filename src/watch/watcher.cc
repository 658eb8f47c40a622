#include "watch/watcher.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace flyball::watch {
namespace {

// What can't be a call's cost is taken as this, so that sums stay within 128 bits.
constexpr int128 kCostMaxUnits = int128{1'000'000'000'000'000} * 1'000'000'000'000;
// Seconds that are gone through one by one; a longer time without a tick is stepped over.
constexpr int64_t kSecondsLearnedMax = 120;
constexpr int64_t kLastsLeastUs = 20 * kMicrosPerSecond;
constexpr double kPartMemory = 50, kPartLeast = 3;  // calls
constexpr int64_t kOpenMostUs = kMicrosPerDay;
constexpr char kBetween = '\x1f';

int128 Clamped(Money money) {
  return std::clamp<int128>(money.units(), -kCostMaxUnits, kCostMaxUnits);
}

std::string NameOf(const SeriesName& name) {
  std::string text(LevelName(name.level));
  return text + kBetween + name.value + kBetween + name.currency;
}

std::array<std::string, kCallDimensions.size()> ValuesOf(const metered::Dispatch& who) {
  return {who.key, who.project, who.team, who.model, who.provider};
}

// Of those with the same calls the first says most.
int NarrownessOf(Level level) {
  return level == Level::kKey ? 0 : level == Level::kTeam ? 1 : level == Level::kModel ? 2 : 3;
}

// The tenth that was used longest ago makes room.
template <typename Map, typename UsedAt>
uint64_t DropOldest(Map* map, const UsedAt& used_at) {
  std::vector<Instant> used;
  used.reserve(map->size());
  for (const auto& [name, each] : *map) used.push_back(used_at(*each));
  const auto tenth = used.begin() + static_cast<ptrdiff_t>(used.size() / 10);
  std::ranges::nth_element(used, tenth);
  const Instant oldest = *tenth;
  if (oldest.us == INT64_MAX) return 0;
  return std::erase_if(*map, [&](const auto& each) { return used_at(*each.second) <= oldest; });
}

}  // namespace

struct Watcher::Active {
  std::string id;
  Kind kind = Kind::kBurn;
  int128 observed = 0;
  Instant began;
  Instant
      counted_to;  // spend up to then is in `observed` already: of an anomaly of before the start
  Instant told, kept;
  std::array<double, kBurnRulesMax> peaks{};  // greatest sums while it lasted
};

struct Watcher::Slot {
  Series series;
  std::vector<Active> active;  // one of money, one of each other kind
  std::array<Instant, kKinds> quiet_until{};
  double ended_peak = 0;  // of the last anomaly of money, in the first rule's long window
  bool touched = true;    // since it was looked at
};

struct Watcher::OpenCall {
  metered::Dispatch dispatch;
  int128 estimate = 0;
};

Watcher::Watcher(WatchSettings settings) : settings_(std::move(settings)) {}
Watcher::~Watcher() = default;
Watcher::Watcher(Watcher&&) noexcept = default;
Watcher& Watcher::operator=(Watcher&&) noexcept = default;

void Watcher::Configure(WatchSettings settings) {
  if (settings.burn.size() > kBurnRulesMax) settings.burn.resize(kBurnRulesMax);
  std::ranges::sort(settings.budgets, {},
                    [](const EvenPace& even) { return std::tie(even.series, even.budget); });
  const bool same =
      std::ranges::equal(settings.burn, settings_.burn, {}, &BurnRule::long_s, &BurnRule::long_s);
  settings_ = std::move(settings);
  if (same) return;
  // The greatest sums were of other windows.
  for (auto& [name, slot] : slots_) {
    slot->series.peaks = {};
    slot->ended_peak = 0;
    for (Active& active : slot->active) active.peaks = {};
  }
}

Status Watcher::Restore(std::string_view record) { return book_.Restore(record); }

Watcher::Slot& Watcher::SlotOf(const SeriesName& name) {
  const std::string text = NameOf(name);
  if (const auto found = slots_.find(text); found != slots_.end()) return *found->second;
  if (slots_.size() >= kSeriesMax) DropSeries();
  auto slot = std::make_unique<Slot>();
  slot->series.name = name;
  for (const auto& [number, anomaly] : book_.anomalies()) {
    if (anomaly.series != name) continue;
    const bool odd = anomaly.kind == Kind::kBurn || anomaly.kind == Kind::kSpike;
    const bool is_new_level = anomaly.ended && anomaly.ended->us - anomaly.opened.us > kNewLevelUs;
    if (odd && !is_new_level && anomaly.feedback != Feedback::kExpected && !anomaly.of_bills) {
      slot->series.SetOdd(MinuteOf(anomaly.began),
                          anomaly.ended ? MinuteOf(*anomaly.ended) : INT64_MAX);
    }
    if (anomaly.ended) continue;
    slot->active.push_back({anomaly.id,
                            anomaly.kind,
                            anomaly.observed.units(),
                            anomaly.began,
                            anomaly.updated,
                            anomaly.updated,
                            anomaly.updated,
                            {}});
  }
  return *slots_.insert_or_assign(text, std::move(slot)).first->second;
}

void Watcher::Resume() {
  if (std::exchange(resumed_, true)) return;
  for (const auto& [number, anomaly] : book_.anomalies()) {
    if (!anomaly.ended) (void)SlotOf(anomaly.series);
  }
}

void Watcher::DropSeries() {
  counts_.series_dropped += DropOldest(&slots_, [](const Slot& slot) {
    const bool stays = !slot.active.empty() || slot.series.name.level == Level::kTotal;
    return stays ? Instant{INT64_MAX} : slot.series.last;
  });
}

void Watcher::DropLeaves() {
  counts_.leaves_dropped += DropOldest(&leaves_, [](const Leaf& leaf) { return leaf.spend.last; });
}

Leaf& Watcher::LeafOf(const metered::Dispatch& who) {
  auto values = ValuesOf(who);
  std::string name = who.currency;
  for (const std::string& value : values) name += kBetween + value;
  if (const auto found = leaves_.find(name); found != leaves_.end()) return *found->second;
  if (leaves_.size() >= kLiveLeavesMax) DropLeaves();
  auto leaf = std::make_unique<Leaf>();
  leaf->values = std::move(values);
  leaf->spend.name.currency = who.currency;
  return *leaves_.insert_or_assign(std::move(name), std::move(leaf)).first->second;
}

void Watcher::Add(const metered::Dispatch& who, Instant at, int128 units, uint32_t calls) {
  const auto add = [&](Level level, const std::string& value) {
    if (level != Level::kTotal && value.empty()) return;
    Slot& slot = SlotOf({level, value, who.currency});
    AddSpend(&slot.series, at, units, calls);
    slot.touched = true;
    for (Active& active : slot.active) {
      if (at >= active.began && at > active.counted_to) active.observed += units;
    }
  };
  add(Level::kTotal, "");
  add(Level::kTeam, who.team);
  add(Level::kKey, who.key);
  add(Level::kModel, who.model);
  AddSpend(&LeafOf(who).spend, at, units, calls);
}

int128 Watcher::EstimateOf(const metered::Dispatch& dispatch) const {
  const auto part = parts_.find(dispatch.model);
  if (part == parts_.end() || part->second.count < kPartLeast) return 0;
  const auto permille = static_cast<int64_t>(std::clamp(part->second.mean, 0.0, 1.0) * 1000);
  return Clamped(dispatch.bound) / 1000 * permille;
}

void Watcher::LearnPart(const OpenCall& call, const metered::End& end) {
  const double bound = ToUnits(call.dispatch.bound.units());
  if (bound <= 0 || !metered::IsSettled(end.basis)) return;
  if (parts_.size() >= kModelsMax && !parts_.contains(call.dispatch.model)) return;
  parts_[call.dispatch.model].Learn(ToUnits(end.cost.units()) / bound, kPartMemory);
}

void Watcher::Take(const metered::Record& record, Instant now) {
  Resume();
  if (record.is_end) return TakeEnd(record.end, now);
  const metered::Dispatch& dispatch = record.dispatch;
  const Instant at = std::min(dispatch.at, now);
  if (since_.us == 0) since_ = at;
  OpenCall call{dispatch, EstimateOf(dispatch)};
  Add(dispatch, at, call.estimate, 1);
  if (open_.size() >= kOpenCallsMax) {
    std::erase_if(
        open_, [&](const auto& each) { return now.us - each.second.dispatch.at.us > kOpenMostUs; });
  }
  if (open_.size() >= kOpenCallsMax) return;
  call.dispatch.tags.clear();
  open_.insert_or_assign(dispatch.id, std::move(call));
}

void Watcher::TakeEnd(const metered::End& end, Instant now) {
  const auto found = open_.find(end.id);
  if (found == open_.end()) {
    ++counts_.calls_unplaced;
    return;
  }
  const OpenCall call = std::move(found->second);
  open_.erase(found);
  LearnPart(call, end);
  Add(call.dispatch, std::min(end.at, now), Clamped(end.cost) - call.estimate, 0);
  const bool learns = learning_ || settings_.off[static_cast<size_t>(Kind::kPrice)];
  const auto rise = prices_.Take(call.dispatch, end, learns);
  if (rise && settings_.enabled) OpenPriceRise(*rise, now);
}

void Watcher::LearnTo(Instant now) {
  const int64_t second = SecondOf(now);
  const int64_t last = learned_to_.us == 0 ? second - 1 : SecondOf(learned_to_);
  if (second <= last) return;
  const bool new_minute = learned_to_.us == 0 || MinuteOf(now) > MinuteOf(learned_to_);
  Attention attention;
  attention.learning = learning_;
  if (!learning_ && now.us - learned_to_.us > kAwayUs) {
    away_from_ = MinuteOf(learned_to_);
    away_to_ = MinuteOf(now);
  }
  attention.away_from = away_from_;
  attention.away_to = away_to_;
  for (int64_t at = std::max(last + 1, second - kSecondsLearnedMax); at <= second; ++at) {
    const Instant then{at * kMicrosPerSecond};
    for (auto& [name, slot] : slots_) {
      const bool idle = then.us - slot->series.last.us > 2 * kBurnWindowMaxS * kMicrosPerSecond;
      if (slot->series.first.us != 0 && !idle) LearnSecond(&slot->series, settings_, then);
    }
  }
  if (new_minute) {
    for (auto& [name, slot] : slots_) {
      if (slot->series.first.us == 0) continue;
      attention.total = TotalOf(slot->series.name);
      LearnMinutes(&slot->series, detector_, attention, now);
    }
    for (auto& [name, leaf] : leaves_) {
      if (leaf->spend.first.us != 0) LearnMinutes(&leaf->spend, detector_, attention, now);
    }
    book_.Tidy(now);
  }
  learned_to_ = now;
}

void Watcher::Replay(const metered::Record& record, Instant at) {
  // What began ends, or goes on, in the seconds between two calls as it would have.
  const int64_t last_us = learned_to_.us;
  for (int64_t i = 1; last_us != 0 && i <= kSecondsLearnedMax; ++i) {
    const Instant then{last_us + i * kMicrosPerSecond};
    if (then >= at) break;
    Tick(then);
  }
  Take(record, at);
  if (at > learned_to_) Tick(at);
}

Instant Watcher::WatchedTo() const {
  Instant last;
  for (const auto& [number, anomaly] : book_.anomalies()) {
    if (!anomaly.of_bills) last = std::max(last, anomaly.updated);
  }
  return last;
}

void Watcher::Learn(const metered::Record& record, Instant now) {
  learning_ = true;
  if (now > learned_to_) LearnTo(now);
  Take(record, now);
  learning_ = false;
}

void Watcher::Tick(Instant now) {
  Resume();
  if (now < learned_to_) {
    if (learned_to_.us - now.us <= kClockBackUs) return;
    BeginAnew(now);
  }
  const bool new_second = SecondOf(now) > SecondOf(learned_to_);
  LearnTo(now);
  if (!settings_.enabled) {  // what lasts is not watched any more
    for (auto& [name, slot] : slots_) Follow(slot.get(), now);
    return;
  }
  for (auto& [name, slot] : slots_) {
    if (!new_second && !slot->touched) continue;
    slot->touched = false;
    Follow(slot.get(), now);
    Look(slot.get(), now);
    slot->series.verdict = {};  // is told once
  }
  if (new_second) LookForSilence(now);
}

// The clock was ahead and is right now: what was kept under times that are yet to come is let go,
// what is usual stays.
void Watcher::BeginAnew(Instant now) {
  ++counts_.clock_set_back;
  const auto begin = [&](Series* series) {
    if (series->first.us == 0) return;
    series->first = std::min(series->first, now);
    series->last = std::min(series->last, now);
    series->seconds = series->minutes = {};
    series->closed_minute = MinuteOf(now) - 1;
    series->silent = series->quiet = 0;
  };
  for (auto& [name, slot] : slots_) {
    begin(&slot->series);
    for (Instant& until : slot->quiet_until) until = std::min(until, now);
    for (Active& active : slot->active) {
      for (Instant* at : {&active.began, &active.counted_to, &active.told, &active.kept}) {
        *at = std::min(*at, now);
      }
      Anomaly* anomaly = book_.Find(active.id);
      if (anomaly == nullptr) continue;
      for (Instant* at : {&anomaly->began, &anomaly->opened, &anomaly->updated}) {
        *at = std::min(*at, now);
      }
    }
  }
  for (auto& [name, leaf] : leaves_) begin(&leaf->spend);
  since_ = std::min(since_, now);
  learned_to_ = Instant{now.us - kMicrosPerSecond};
}

const Series* Watcher::TotalOf(const SeriesName& name) const {
  if (name.level == Level::kTotal) return nullptr;
  const auto total = slots_.find(NameOf({Level::kTotal, "", name.currency}));
  return total == slots_.end() ? nullptr : &total->second->series;
}

bool Watcher::IsLouder(const Slot& slot, Instant now) const {
  if (slot.ended_peak <= 0 || settings_.burn.empty()) return false;
  return SpentIn(slot.series, now, settings_.burn.front().long_s) > kLouder * slot.ended_peak;
}

bool Watcher::IsFree(const Slot& slot, Kind kind, Instant now) const {
  if (settings_.off[static_cast<size_t>(kind)]) return false;
  const bool quiet = now < slot.quiet_until[static_cast<size_t>(kind)];
  if (quiet && !(IsOfMoney(kind) && IsLouder(slot, now))) return false;
  return std::ranges::none_of(slot.active, [&](const Active& active) {
    return active.kind == kind || (IsOfMoney(kind) && IsOfMoney(active.kind));
  });
}

// Who falls silent together is one event, told of the widest: the one with the most calls.
void Watcher::LookForSilence(Instant now) {
  std::vector<Slot*> silent;
  std::vector<std::pair<std::string, Instant>> told;  // currency, and when it began
  for (auto& [name, slot] : slots_) {
    for (const Active& active : slot->active) {
      if (active.kind == Kind::kMissing)
        told.emplace_back(slot->series.name.currency, active.began);
    }
    if (IsFree(*slot, Kind::kMissing, now) && FindMissing(slot->series, settings_, now)) {
      silent.push_back(slot.get());
    }
  }
  std::ranges::sort(silent, [](const Slot* one, const Slot* other) {
    const double calls = one->series.calls.mean, others = other->series.calls.mean;
    const int level = NarrownessOf(one->series.name.level);
    const int other_level = NarrownessOf(other->series.name.level);
    if (calls != others) return calls > others;
    return level != other_level ? level < other_level : one->series.name < other->series.name;
  });
  for (Slot* slot : silent) {
    const SeriesName& name = slot->series.name;
    const Instant last = slot->series.last;
    const bool is_told = std::ranges::any_of(told, [&](const auto& each) {
      return each.first == name.currency && std::abs(each.second.us - last.us) <= kTogetherUs;
    });
    if (is_told) continue;
    told.emplace_back(name.currency, last);
    OpenOne(slot, *FindMissing(slot->series, settings_, now), now);
  }
}

void Watcher::Look(Slot* slot, Instant now) {
  const Series& series = slot->series;
  if (series.first.us == 0) return;
  const ExpectedTime* expected = ExpectedAt(settings_, now);
  const double raise = expected != nullptr ? expected->raise : 1;
  const auto is_free = [&](Kind kind) { return IsFree(*slot, kind, now); };
  const bool runs = now.us - series.last.us < 65 * kMicrosPerSecond;
  if (runs && (is_free(Kind::kBurn) || is_free(Kind::kRamp))) {
    Surroundings around{TotalOf(series.name), since_, {}};
    if (IsNew(series)) {
      const auto its =
          std::ranges::equal_range(settings_.budgets, series.name, {}, &EvenPace::series);
      around.budgets = {its.begin(), its.end()};
    }
    if (auto found = FindBurn(series, around, settings_, raise, now);
        found && is_free(found->kind)) {
      OpenOne(slot, *std::move(found), now);
    }
  }
  if (is_free(Kind::kSpike)) {
    if (auto found = FindSpike(series, settings_, raise, now))
      OpenOne(slot, *std::move(found), now);
  }
  if (is_free(Kind::kStuck)) {
    if (auto found = FindStuck(series, settings_, now)) OpenOne(slot, *std::move(found), now);
  }
}

Status Watcher::FindCausesOf(Instant now, Anomaly* anomaly) const {
  std::vector<const Leaf*> leaves;
  leaves.reserve(leaves_.size());
  for (const auto& [name, leaf] : leaves_) leaves.push_back(leaf.get());
  std::ranges::sort(leaves, {}, [](const Leaf* leaf) { return leaf->values; });
  return FindCauses(leaves, now, anomaly);
}

// The dimensions of which all calls of the series have one value.
void Watcher::FillPath(Anomaly* anomaly) const {
  std::array<std::optional<std::string_view>, kCallDimensions.size()> values;
  std::array<bool, kCallDimensions.size()> several{};
  for (const auto& [name, leaf] : leaves_) {
    const SeriesName& series = anomaly->series;
    if (leaf->spend.name.currency != series.currency) continue;
    if (series.level != Level::kTotal && leaf->value_of(series.level) != series.value) continue;
    for (size_t i = 0; i < values.size(); ++i) {
      several[i] |= values[i] && *values[i] != leaf->values[i];
      values[i] = leaf->values[i];
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (several[i] || !values[i] || values[i]->empty()) continue;
    anomaly->path.push_back({std::string(kCallDimensions[i]), std::string(*values[i])});
  }
}

void Watcher::OpenOne(Slot* slot, Finding finding, Instant now) {
  Anomaly anomaly;
  anomaly.kind = finding.kind;
  anomaly.series = slot->series.name;
  anomaly.began = finding.began;
  anomaly.opened = anomaly.updated = now;
  anomaly.rule = std::move(finding.rule);
  anomaly.against =
      finding.against.empty() ? std::string(BasisWord(finding.expected.basis)) : finding.against;
  anomaly.expected_per_s = finding.expected.per_s;
  anomaly.ratio = finding.ratio;
  anomaly.confidence = finding.confidence;
  anomaly.suspect = ElementOf(anomaly.series);
  if (const ExpectedTime* expected = ExpectedAt(settings_, now)) anomaly.note = expected->note;
  Active active{{}, anomaly.kind, 0, anomaly.began, {}, now, now, {}};
  if (IsOfMoney(anomaly.kind)) {
    const int64_t seconds = SecondOf(now) - SecondOf(anomaly.began) + 1;
    active.observed = seconds <= SpendRing::kSlots
                          ? slot->series.seconds.Spent(SecondOf(now), seconds)
                          : slot->series.minutes.Spent(MinuteOf(now),
                                                       MinuteOf(now) - MinuteOf(anomaly.began) + 1);
    // Without causes the anomaly stands all the same, with its series as the suspect.
    if (!FindCausesOf(now, &anomaly)) anomaly.causes.clear();
  } else {
    FillPath(&anomaly);
  }
  const auto quiet = Instant{now.us + kAgainUs};
  if (book_.IsExpected({anomaly.kind, anomaly.suspect, anomaly.series.currency})) {
    ++counts_.silenced;
    slot->quiet_until[static_cast<size_t>(anomaly.kind)] = quiet;
    return;
  }
  slot->active.push_back(active);
  Measure(*slot, now, &anomaly);
  slot->active.back().id = book_.Open(std::move(anomaly), now).id;
}

void Watcher::OpenPriceRise(const PriceRise& rise, Instant now) {
  Anomaly anomaly;
  anomaly.kind = Kind::kPrice;
  anomaly.series = {Level::kModel, rise.model, rise.currency};
  anomaly.began = rise.began;
  anomaly.opened = anomaly.updated = now;
  anomaly.ended = now;  // from here on it is the price
  anomaly.rule = rise.meter + " from " + rise.before.ToString() + " to " + rise.now.ToString();
  anomaly.against = "the highest unit price before";
  anomaly.ratio = ToUnits(rise.now.units()) / std::max(ToUnits(rise.before.units()), 1e-12);
  anomaly.confidence = 0.99;
  anomaly.observed = anomaly.amount = rise.beyond;
  const double elapsed_s =
      std::max(static_cast<double>(now.us - rise.began.us) / kMicrosPerSecond, 1.0);
  anomaly.loss_per_hour = ToUnits(rise.beyond.units()) / elapsed_s * 3600;
  anomaly.suspect = {"model", rise.model};
  FillPath(&anomaly);
  if (book_.IsExpected({anomaly.kind, anomaly.suspect, rise.currency})) {
    ++counts_.silenced;
    return;
  }
  book_.Open(std::move(anomaly), now);
}

void Watcher::Measure(const Slot& slot, Instant now, Anomaly* anomaly) const {
  anomaly->updated = now;
  if (!IsOfMoney(anomaly->kind)) {
    // Nothing is known to be lost: what may be unseen is the pace that was expected.
    const double elapsed_s = static_cast<double>(now.us - anomaly->began.us) / kMicrosPerSecond;
    anomaly->expected = MoneyOf(anomaly->expected_per_s * elapsed_s);
    return;
  }
  for (const Active& active : slot.active) {
    if (IsOfMoney(active.kind)) anomaly->observed = Money::FromUnits(active.observed);
  }
  const auto elapsed_us = static_cast<double>(now.us - anomaly->began.us);
  anomaly->expected = MoneyOf(anomaly->expected_per_s * elapsed_us / kMicrosPerSecond);
  const Money beyond = anomaly->observed.Minus(anomaly->expected).value_or(Money());
  anomaly->amount = std::max(beyond, Money());
  const int64_t window_s = std::clamp<int64_t>(SecondOf(now) - SecondOf(anomaly->began) + 1, 1, 60);
  const double pace =
      ToUnits(slot.series.seconds.Spent(SecondOf(now), window_s)) / static_cast<double>(window_s);
  anomaly->loss_per_hour = std::max(pace - anomaly->expected_per_s, 0.0) * 3600;
}

bool Watcher::IsOver(const Slot& slot, const Anomaly& anomaly, Instant now) const {
  // A key that was revoked never calls again: people say so, or a day does.
  const Incident* incident = book_.FindIncident(anomaly.incident);
  const bool done =
      (incident != nullptr && incident->is_over()) || now.us - anomaly.opened.us > kNewLevelUs;
  switch (anomaly.kind) {
    case Kind::kMissing:
      return done || slot.series.last > anomaly.opened;
    case Kind::kStuck:
      return done || slot.series.equal == 0;
    case Kind::kPrice:
      return true;
    default:
      break;
  }
  if (now.us - anomaly.opened.us < kLastsLeastUs) return false;
  if (now.us - anomaly.opened.us > kNewLevelUs) return true;
  const int64_t window_s = anomaly.kind == Kind::kRamp ? 300 : 60;
  return IsCalm(slot.series, {anomaly.expected_per_s, Basis::kUsual}, settings_, window_s, now);
}

// It ended without a call: it is not told again, nor are those that fell silent with it, before
// they are regular again.
void Watcher::ForgetSilence(const Series& ended) {
  for (auto& [name, slot] : slots_) {
    Series& series = slot->series;
    const bool together = std::abs(series.last.us - ended.last.us) <= kTogetherUs;
    if (together && series.name.currency == ended.name.currency) series.regular = 0;
  }
}

// What has ended: after how long it may be told again, and what is learned of it.
void Watcher::End(Slot* slot, const Active& active, Anomaly* anomaly, Instant now) {
  Series& series = slot->series;
  anomaly->ended = now;
  anomaly->loss_per_hour = 0;
  if (IsOfMoney(active.kind)) slot->ended_peak = active.peaks.front();
  const int64_t again_us = anomaly->kind == Kind::kRamp ? kRampAgainUs : kAgainUs;
  slot->quiet_until[static_cast<size_t>(active.kind)] = Instant{now.us + again_us};
  if (active.kind == Kind::kMissing && series.last <= anomaly->opened) ForgetSilence(series);
  if (active.kind == Kind::kStuck) series.changes = 0;
  if (now.us - anomaly->opened.us > kNewLevelUs) {
    series.recent = series.slow = {};
    std::erase_if(series.odd,
                  [&](const Series::Odd& each) { return each.from == MinuteOf(active.began); });
  }
  // A burst that cost little is not told again, unless somebody wants to know.
  const bool little = anomaly->amount.units() < kLittle * settings_.min_amount.units();
  if (!little || anomaly->feedback == Feedback::kNotExpected) return;
  for (size_t i = 0; i < series.peaks.size(); ++i) {
    series.peaks[i] = std::max(series.peaks[i], active.peaks[i]);
  }
}

void Watcher::Follow(Slot* slot, Instant now) {
  for (Active& active : slot->active) {
    Anomaly* anomaly = book_.Find(active.id);
    if (anomaly == nullptr) {
      active.id.clear();
      continue;
    }
    const bool is_off = !settings_.enabled || settings_.off[static_cast<size_t>(active.kind)];
    const bool over = is_off || IsOver(*slot, *anomaly, now);
    for (size_t i = 0; i < settings_.burn.size(); ++i) {
      const double spent = SpentIn(slot->series, now, settings_.burn[i].long_s);
      active.peaks[i] = std::max(active.peaks[i], spent);
    }
    // What creeps up is learned while it is told: it may be the morning.
    const bool odd = active.kind == Kind::kBurn || active.kind == Kind::kSpike;
    if (odd && anomaly->feedback != Feedback::kExpected) {
      slot->series.SetOdd(MinuteOf(active.began), MinuteOf(now));
    }
    const bool costs = IsOfMoney(active.kind);
    if (!over && now.us - active.told.us < (costs ? kToldEveryUs : kStillToldEveryUs)) continue;
    Measure(*slot, now, anomaly);
    active.told = now;
    const bool keep = over || now.us - active.kept.us >= (costs ? kKeptEveryUs : kStillKeptEveryUs);
    if (keep) active.kept = now;
    if (costs && keep && !over) {
      // Whom it is told by stays what it was at the opening: channels know it by these names.
      const Element suspect = anomaly->suspect;
      const std::vector<Element> path = anomaly->path;
      (void)FindCausesOf(now, anomaly);
      anomaly->suspect = suspect;
      anomaly->path = path;
    }
    if (costs && !over && anomaly->loss_per_hour > 0) book_.ReopenIfResolved(*anomaly, now);
    if (over) {
      End(slot, active, anomaly, now);
      active.id.clear();
    }
    book_.Changed(*anomaly, over ? "ended" : "updated", keep, now);
  }
  std::erase_if(slot->active, [](const Active& active) { return active.id.empty(); });
}

Result<std::string> Watcher::SayOfAnomaly(std::string_view id, Feedback feedback,
                                          std::string_view author, Instant now) {
  std::string told = FB_TRY(book_.SayOfAnomaly(id, feedback, author, now));
  if (feedback != Feedback::kNotExpected) return told;
  const Element suspect = book_.Find(id)->suspect;
  for (const auto& [number, anomaly] : book_.anomalies()) {
    const auto slot = slots_.find(NameOf(anomaly.series));
    if (!(anomaly.suspect == suspect) || slot == slots_.end()) continue;
    slot->second->series.peaks = {};
    slot->second->series.minute_peak = 0;
  }
  return told;
}

WatchCounts Watcher::counts() const {
  WatchCounts counts = counts_;
  counts.series = slots_.size();
  counts.leaves = leaves_.size();
  counts.open_calls = open_.size();
  return counts;
}

}  // namespace flyball::watch
