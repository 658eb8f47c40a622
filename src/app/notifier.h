// Notifier: keeps what people have to be told of until the receivers have taken it.
//
//   Tell(notice) ─► home/notify/outbox.journal ─► outbox ─► one delivery a receiver at a time ─►
//   Deliver
//
// What Tell has taken survives the process and a power cut. The estate's `notify` is read again
// when it changes; one that can't be read, or is away, leaves the last that could be in force.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/command.h"
#include "app/estate_now.h"
#include "base/log.h"
#include "model/notice.h"
#include "notify/outbox.h"
#include "os/journal.h"

namespace flyball::app {

std::string OutboxPath(const std::string& home);

class Notifier {
 public:
  // A journal that is damaged is moved aside and told of; a new one is begun.
  static Result<std::unique_ptr<Notifier>> Start(const Environment& environment, EstateNow& estate);
  // Waits for what is on its way, at most as long as a receiver may be quiet.
  ~Notifier();

  // Durable on return. Thread-safe.
  Status Tell(const notice::Notice& notice);
  // Deliveries, newest first, and the names of the receivers: a JSON object, as the API answers it.
  std::string ListJson();

 private:
  Notifier(const Environment& environment, EstateNow& estate)
      : environment_(environment), estate_(estate) {}
  Status Open();
  Status Rewrite();
  Status Keep(std::string_view record);  // with mutex_ held
  void ReadRules();
  void Run(const std::stop_token& stop);
  void Send(const std::stop_token& stop);
  bool TakeOne(std::unique_lock<std::mutex>* lock, const std::stop_token& stop);

  const Environment& environment_;
  EstateNow& estate_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<os::Journal> journal_;  // none while it can't be written
  uint64_t rewrite_at_ = 0;             // bytes
  notify::Outbox outbox_;
  std::set<std::string> busy_;      // receivers to which something is on its way
  std::deque<std::string> untold_;  // outcomes that could not be written
  std::shared_ptr<const estate::RuleSet> rules_before_;
  log::LastingFault rules_fault_, journal_fault_;
  std::vector<std::jthread> threads_;  // the last member: ended first
};

}  // namespace flyball::app
