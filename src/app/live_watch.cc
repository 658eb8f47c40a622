#include "app/live_watch.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/gateway_desk.h"
#include "base/estimate.h"
#include "gateway/desk.h"
#include "model/budget.h"
#include "watch/desk.h"

namespace flyball::app {
namespace {

using Json = nlohmann::json;

constexpr int kEstateEveryMs = 2000;
constexpr int64_t kBudgetsEveryUs = 60 * kMicrosPerSecond;

// Shorter windows than an hour are kept by the guard alone: nobody has the time to act.
std::optional<double> SecondsOf(const budget::Window& window) {
  constexpr double kDay = 86400;
  const double count = window.rolling ? window.count : 1;
  switch (window.unit) {
    case budget::Unit::kMinute:
      return count >= 60 ? std::optional(60 * count) : std::nullopt;
    case budget::Unit::kHour:
      return 3600 * count;
    case budget::Unit::kDay:
      return kDay * count;
    case budget::Unit::kWeek:
      return 7 * kDay * count;
    case budget::Unit::kMonth:
      return 30 * kDay * count;
    case budget::Unit::kQuarter:
      return 91 * kDay * count;
    case budget::Unit::kYear:
      return 365 * kDay * count;
  }
  return std::nullopt;
}

std::optional<watch::Level> LevelOf(budget::ScopeKind kind) {
  switch (kind) {
    case budget::ScopeKind::kOrganisation:
      return watch::Level::kTotal;
    case budget::ScopeKind::kTeam:
      return watch::Level::kTeam;
    case budget::ScopeKind::kKey:
      return watch::Level::kKey;
    case budget::ScopeKind::kModel:
      return watch::Level::kModel;
    default:
      return std::nullopt;
  }
}

Result<watch::EvenPace> EvenPaceOf(const Json& row) {
  const budget::Scope scope = FB_TRY(budget::ParseScope(row.value("scope", "")));
  const budget::Window window = FB_TRY(budget::ParseWindow(row.value("window", "")));
  const Money limit = FB_TRY(Money::Parse(row.value("limit", "")));
  const auto level = LevelOf(scope.kind);
  const auto seconds = SecondsOf(window);
  const bool of_money = row.value("measure", "money") == "money";
  if (!level || !seconds || !of_money || scope.is_each() || limit.units() <= 0) {
    return Fail(Code::kFailedPrecondition, "this budget has no even pace to watch");
  }
  return watch::EvenPace{{*level, scope.value, row.value("currency", "")},
                         EstimateOf(limit) / *seconds,
                         row.value("name", "")};
}

}  // namespace

watch::WatchSettings WatchSettingsOf(const estate::Watch& watch) {
  watch::WatchSettings settings;
  settings.enabled = watch.enabled;
  if (watch.min_amount) settings.min_amount = *watch.min_amount;
  for (const std::string& name : watch.off) {
    watch::Kind kind = watch::Kind::kBurn;
    if (watch::ParseKind(name, &kind)) settings.off[static_cast<size_t>(kind)] = true;
  }
  if (!watch.burn.empty()) settings.burn.clear();
  for (const estate::WatchedBurn& burn : watch.burn) {
    settings.burn.push_back({burn.short_s, burn.long_s, EstimateOf(burn.factor)});
  }
  for (const estate::ExpectedDays& days : watch.expected) {
    settings.expected.push_back({days.period, days.note, EstimateOf(days.raise)});
  }
  return settings;
}

std::vector<watch::EvenPace> EvenPacesOf(const std::string& desk_json) {
  std::vector<watch::EvenPace> paces;
  const Json rows = Json::parse(desk_json, nullptr, false);
  if (!rows.is_array()) return paces;
  for (const Json& row : rows) {
    if (!row.is_object() || paces.size() == watch::kEvenPacesMax) continue;
    if (auto pace = EvenPaceOf(row)) paces.push_back(*std::move(pace));
  }
  return paces;
}

LiveWatch::LiveWatch(const Environment& environment, EstateNow& estate, Sink sink)
    : environment_(environment),
      estate_(estate),
      sink_(std::move(sink)),
      tail_(environment.files, os::JoinPath(gateway::GatewayFolder(environment.home), "calls")) {}

Result<std::unique_ptr<LiveWatch>> LiveWatch::Open(const Environment& environment,
                                                   EstateNow& estate, Sink sink) {
  std::unique_ptr<LiveWatch> live(new LiveWatch(environment, estate, std::move(sink)));
  live->journal_ = FB_TRY(WatchJournal::Open(environment.files, environment.home, &live->watcher_));
  return live;
}

LiveWatch::~LiveWatch() { Stop(); }

void LiveWatch::Stop() {
  for (std::jthread* thread : {&watching_, &configuring_}) thread->request_stop();
  wake_.notify_all();
  for (std::jthread* thread : {&watching_, &configuring_}) {
    if (thread->joinable()) thread->join();
  }
}

void LiveWatch::Start() {
  // The start tells of what ran away meanwhile: by the estate, as far as it can be read.
  if (const auto rules = estate_.Get()) {
    const std::lock_guard lock(mutex_);
    watcher_.Configure(WatchSettingsOf((*rules)->estate().watch));
  }
  configuring_ = std::jthread([this](const std::stop_token& stop) { Configure(stop); });
  watching_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

bool LiveWatch::Pause(const std::stop_token& stop, int ms) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
  return !stop.stop_requested();
}

void LiveWatch::Deliver() {
  const std::vector<watch::Effect> effects = watcher_.TakeEffects();
  if (effects.empty()) return;
  const Status kept = journal_->Keep(effects, watcher_.book());
  if (write_fault_.IsNews(kept)) {
    log::Error("the watch can't write its journal; it goes on without",
               {{"why", write_fault_.why()}});
  }
  for (const watch::Effect& effect : effects) sink_(effect);
}

// What was usual before the start, so that the first minutes are no blind ones; and what ran away
// since somebody watched last.
Status LiveWatch::Learn(const std::stop_token& stop) {
  const Instant now = environment_.clock.Now();
  const Instant from{now.us - kWarmUs};
  Instant watched_to = now;  // a first start learns all that it finds
  {
    std::lock_guard lock(mutex_);
    tail_.set_ends(journal_->WarmFrom(now));
    if (const auto mark = journal_->WatchedTo()) watched_to = std::max(*mark, watcher_.WatchedTo());
  }
  return tail_.ReadOn(now, [&](const metered::Record& record) -> Status {
    if (stop.stop_requested()) return Fail(Code::kCancelled, "the server is stopping");
    const Instant at = record.is_end ? record.end.at : record.dispatch.at;
    if (at < from) return {};
    std::lock_guard lock(mutex_);
    if (at <= watched_to || at >= now) {
      watcher_.Learn(record, std::min(at, now));
    } else {
      watcher_.Replay(record, at);
      Deliver();
    }
    return {};
  });
}

Status LiveWatch::Look() {
  const Instant now = environment_.clock.Now();
  const Status read = tail_.ReadOn(now, [&](const metered::Record& record) -> Status {
    std::lock_guard lock(mutex_);
    watcher_.Take(record, now);
    return {};
  });
  std::lock_guard lock(mutex_);
  watcher_.Tick(now);  // also of what can't be read: it has fallen silent
  Deliver();
  if (const uint64_t times = watcher_.counts().clock_set_back; times > clock_set_back_) {
    clock_set_back_ = times;
    log::Warn("the clock was set back; the watch begins the last minutes anew", {});
  }
  FB_CHECK(read);
  return journal_->Mark(tail_.ends(), now, watcher_.book());
}

void LiveWatch::Run(const std::stop_token& stop) {
  Status done = Learn(stop);
  do {
    if (done) done = Look();
    if (read_fault_.IsNews(done)) {
      log::Warn("the calls of the gateway are not watched", {{"why", read_fault_.why()}});
    }
    done = {};
  } while (Pause(stop, kWatchEveryMs));
}

void LiveWatch::Configure(const std::stop_token& stop) {
  std::shared_ptr<const estate::RuleSet> before;
  watch::WatchSettings settings;
  int64_t asked_us = -kBudgetsEveryUs;
  log::LastingFault fault, estate_fault;
  do {
    bool news = false;
    const auto rules = estate_.Get();
    if (estate_fault.IsNews(rules)) {
      log::Warn("the watch goes on by the estate before", {{"why", estate_fault.why()}});
    }
    if (rules && *rules != before) {
      before = *rules;
      std::vector<watch::EvenPace> budgets = std::move(settings.budgets);
      settings = WatchSettingsOf(before->estate().watch);
      settings.budgets = std::move(budgets);
      news = true;
    }
    const int64_t now_us = environment_.clock.MonotonicUs();
    const auto gateway = os::HomeLock::ReadHolder(gateway::GatewayLock(environment_.home));
    if (gateway && !gateway->note.empty() && now_us - asked_us >= kBudgetsEveryUs) {
      asked_us = now_us;
      const auto told = AskDesk(environment_, "GET", std::string(gateway::kDeskPath), "");
      if (told) {
        settings.budgets = EvenPacesOf(*told);
        news = true;
      } else if (fault.IsNews(told)) {
        log::Warn("the watch does not know the budgets", {{"why", fault.why()}});
      }
    }
    if (news) {
      std::lock_guard lock(mutex_);
      watcher_.Configure(settings);
    }
  } while (Pause(stop, kEstateEveryMs));
}

void LiveWatch::TellDays(std::vector<watch::Anomaly> days) {
  std::lock_guard lock(mutex_);
  for (watch::Anomaly& day : days) {
    watcher_.book().TellDay(std::move(day), environment_.clock.Now());
  }
  Deliver();
}

watch::WatchSettings LiveWatch::settings() {
  std::lock_guard lock(mutex_);
  return watcher_.settings();
}

Result<std::string> LiveWatch::Ask(const serve::WatchQuestion& question) {
  std::lock_guard lock(mutex_);
  Result<std::string> told = watch::Administer(
      &watcher_, {question.method, question.path, question.query, question.body, question.author},
      environment_.clock.Now());
  if (question.method != "GET") Deliver();
  return told;
}

}  // namespace flyball::app
