#include "app/notifier.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/deliver.h"
#include "estate/estate.h"
#include "os/files.h"

namespace flyball::app {
namespace {

using notify::Delivery;
using Json = nlohmann::ordered_json;

constexpr int kSenders = 4;
constexpr auto kTickEvery = std::chrono::milliseconds(500);
constexpr int kRulesEveryTicks = 4;
constexpr size_t kListedMax = 200;
constexpr uint64_t kRewriteLeastBytes = 8u << 20;

Json ToJson(const Delivery& delivery) {
  Json json{{"id", delivery.id},
            {"receiver", delivery.receiver},
            {"state", notify::DeliveryStateName(delivery.state)},
            {"attempts", delivery.attempts},
            {"due", FormatInstant(delivery.due)},
            {"fault", delivery.fault},
            {"escalated", delivery.escalated},
            {"notices", Json::array()}};
  for (const notice::Notice& notice : delivery.notices) {
    json["notices"].push_back({{"id", notice.id},
                               {"kind", notice.kind},
                               {"state", notice::StateName(notice.state)},
                               {"severity", notice::SeverityName(notice.severity)},
                               {"title", notice.title}});
  }
  return json;
}

}  // namespace

std::string OutboxPath(const std::string& home) {
  return os::JoinPath(home, "notify/outbox.journal");
}

Result<std::unique_ptr<Notifier>> Notifier::Start(const Environment& environment,
                                                  EstateNow& estate) {
  std::unique_ptr<Notifier> notifier(new Notifier(environment, estate));
  notifier->ReadRules();
  FB_CHECK(notifier->Open());
  notifier->threads_.emplace_back([n = notifier.get()](const std::stop_token& s) { n->Run(s); });
  for (int i = 0; i < kSenders; ++i) {
    notifier->threads_.emplace_back([n = notifier.get()](const std::stop_token& s) { n->Send(s); });
  }
  return notifier;
}

Notifier::~Notifier() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

Status Notifier::Open() {
  os::Files& files = environment_.files;
  const std::string path = OutboxPath(environment_.home);
  if (!files.Exists(path)) return {};  // it is made for the first record
  const auto play = [this](uint64_t, std::string_view record) { return outbox_.Replay(record); };
  const Result<uint64_t> read = os::Journal::Read(files, path, play);
  if (!read && read.error().code != Code::kDataLoss) return Fail(read.error());
  if (!read) {
    const std::string aside = path + ".damaged";
    log::Error(
        "the journal of notifications is damaged; what it still held may be told again or not",
        {{"moved to", aside}, {"why", read.error().message}});
    FB_CHECK(files.Rename(path, aside));
  }
  return Rewrite();
}

// Begins a new journal that holds what the old one came to: so it stays small.
Status Notifier::Rewrite() {
  const std::vector<std::string> kept = outbox_.Snapshot();
  journal_ =
      FB_TRY(os::Journal::WriteAnew(environment_.files, OutboxPath(environment_.home), kept));
  rewrite_at_ = std::max(kRewriteLeastBytes, 2 * journal_->size());
  return {};
}

// The record is durable, then it counts. After a failure the journal is written anew with all that
// counted before, so that a disk that was full for a moment stops nothing for good.
Status Notifier::Keep(std::string_view record) {
  if (record.empty()) return {};
  Status kept = journal_ ? journal_->Append(record, true) : Fail(Code::kUnavailable, "no journal");
  if (!kept) {
    journal_.reset();
    kept = Rewrite();
    if (kept) kept = journal_->Append(record, true);
  }
  if (journal_fault_.IsNews(kept)) {
    log::Error("the journal of notifications can't be written: nobody is told of anything",
               {{"why", kept.error().ToString()}});
  }
  FB_CHECK(kept);
  const Status played = outbox_.Replay(record);
  if (!played) log::Bug("a record of notifications was not played", {{"record", record}});
  if (journal_->size() > rewrite_at_) FB_CHECK(Rewrite());
  return played;
}

void Notifier::ReadRules() {
  // A file that is away is being replaced.
  if (!environment_.files.Exists(EstatePath(environment_))) return;
  const auto rules = estate_.Get();
  if (rules_fault_.IsNews(rules)) {
    log::Warn("the estate can't be read; people are told as before",
              {{"why", rules.error().ToString()}});
  }
  if (!rules || *rules == rules_before_) return;
  rules_before_ = *rules;
  const std::lock_guard lock(mutex_);
  outbox_.SetRules((*rules)->estate().notices);
}

Status Notifier::Tell(const notice::Notice& notice) {
  {
    const std::lock_guard lock(mutex_);
    FB_CHECK(Keep(FB_TRY(outbox_.Take(notice, environment_.clock.Now()))));
    outbox_.Refresh(notice);
  }
  wake_.notify_all();
  return {};
}

void Notifier::Run(const std::stop_token& stop) {
  for (int tick = 1; !stop.stop_requested(); ++tick) {
    if (tick % kRulesEveryTicks == 0) ReadRules();
    std::unique_lock lock(mutex_);
    while (!untold_.empty() && Keep(untold_.front())) untold_.pop_front();
    for (const std::string& record : outbox_.Tick(environment_.clock.Now())) {
      if (!Keep(record)) break;
    }
    wake_.notify_all();
    wake_.wait_for(lock, stop, kTickEvery, [] { return false; });
  }
}

bool Notifier::TakeOne(std::unique_lock<std::mutex>* lock, const std::stop_token& stop) {
  if (journal_fault_.lasts()) return false;  // what was sent would be sent again and again
  const std::vector<Delivery> due = outbox_.Due(environment_.clock.Now());
  const auto next = std::ranges::find_if(
      due, [&](const Delivery& delivery) { return !busy_.contains(delivery.receiver); });
  if (next == due.end()) return false;
  const Delivery delivery = *next;
  const auto receiver =
      std::ranges::find(outbox_.rules().receivers, delivery.receiver, &notice::Receiver::name);
  if (receiver == outbox_.rules().receivers.end()) return false;  // Tick ends it
  const notice::Receiver to = *receiver;
  busy_.insert(to.name);
  notify::Outgoing outgoing;
  // Receivers know by it what they have had: it must not be another home's.
  outgoing.id = delivery.notices.front().id + "-" + std::to_string(delivery.id);
  outgoing.notices = delivery.notices;
  outgoing.at = environment_.clock.Now();
  outgoing.page_url = outbox_.rules().page_url;
  outgoing.escalated = delivery.escalated;
  lock->unlock();
  const std::optional<notify::Failure> failure =
      Deliver(to, outgoing, [&] { return stop.stop_requested(); });
  lock->lock();
  busy_.erase(to.name);
  if (failure && stop.stop_requested()) return false;  // it is tried again at the next start
  const Instant now = environment_.clock.Now();
  const std::string outcome =
      failure ? outbox_.Failed(delivery.id, now, *failure) : notify::Outbox::Sent(delivery.id, now);
  if (!Keep(outcome)) untold_.push_back(outcome);
  if (failure) {
    log::Warn("a receiver did not take a notification",
              {{"receiver", to.name}, {"why", failure->fault}});
  }
  return true;
}

void Notifier::Send(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (TakeOne(&lock, stop)) continue;
    wake_.wait_for(lock, stop, kTickEvery, [] { return false; });
  }
}

std::string Notifier::ListJson() {
  const std::lock_guard lock(mutex_);
  Json receivers = Json::array();
  for (const notice::Receiver& receiver : outbox_.rules().receivers) {
    receivers.push_back(
        {{"name", receiver.name}, {"kind", notice::ReceiverKindName(receiver.kind)}});
  }
  Json deliveries = Json::array();
  for (const Delivery& delivery : outbox_.Deliveries(kListedMax)) {
    deliveries.push_back(ToJson(delivery));
  }
  return Json{{"receivers", std::move(receivers)},
              {"waiting", outbox_.waiting()},
              {"dropped", outbox_.dropped()},
              {"fault", journal_fault_.why()},
              {"deliveries", std::move(deliveries)}}
      .dump();
}

}  // namespace flyball::app
