#include "notify/outbox.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "notify/message.h"

namespace flyball::notify {
namespace {

using Json = nlohmann::json;
using notice::Notice;
using notice::State;

constexpr std::string_view kDeliveryStates[] = {"waiting", "sent", "given up"};

Json NoticeToJson(const Notice& notice) { return Json::parse(NoticeJson(notice)); }

Json DeliveryJson(uint64_t id, const std::string& receiver, Instant since, Instant due,
                  bool escalated, int64_t digest_us) {
  return {{"id", id},      {"receiver", receiver},   {"since", since.us},
          {"due", due.us}, {"escalated", escalated}, {"digest_us", digest_us}};
}

Delivery ReadDelivery(const Json& json) {
  Delivery delivery;
  delivery.id = json.at("id").get<uint64_t>();
  delivery.receiver = json.at("receiver").get<std::string>();
  delivery.since.us = json.at("since").get<int64_t>();
  delivery.due.us = json.at("due").get<int64_t>();
  delivery.escalated = json.value("escalated", false);
  delivery.digest_us = json.value("digest_us", int64_t{0});
  delivery.attempts = json.value("attempts", 0);
  delivery.fault = json.value("fault", "");
  delivery.state = static_cast<DeliveryState>(std::clamp(json.value("state", 0), 0, 2));
  return delivery;
}

bool Tells(const Delivery& delivery, std::string_view id) {
  return std::ranges::any_of(delivery.notices,
                             [&](const Notice& notice) { return notice.id == id; });
}

bool IsWaiting(const Delivery& delivery) { return delivery.state == DeliveryState::kWaiting; }

}  // namespace

std::string_view DeliveryStateName(DeliveryState state) {
  return kDeliveryStates[static_cast<size_t>(state)];
}

void Outbox::SetRules(notice::Rules rules) { rules_ = std::move(rules); }

bool Outbox::HasReceiver(std::string_view name) const {
  return std::ranges::any_of(rules_.receivers,
                             [&](const notice::Receiver& r) { return r.name == name; });
}

bool Outbox::IsSilenced(const Notice& notice, Instant now) const {
  return std::ranges::any_of(rules_.silences, [&](const notice::Silence& silence) {
    return silence.from <= now && now < silence.until && notice::Matches(silence.match, notice);
  });
}

Outbox::Target Outbox::TargetOf(const Notice& notice) const {
  Target target;
  for (const notice::Route& route : rules_.routes) {
    if (!notice::Matches(route.match, notice)) continue;
    target.receivers.insert(route.to.begin(), route.to.end());
    target.digest_us = route.digest_us;
    target.escalate = route.escalate;
    return target;
  }
  if (!rules_.routes.empty()) return target;
  for (const notice::Receiver& receiver : rules_.receivers) target.receivers.insert(receiver.name);
  return target;
}

// Who has to be told of a notice, by what its subject was before.
Outbox::Target Outbox::NewsFor(const Notice& notice, bool silenced) const {
  const auto found = subjects_.find(notice.id);
  Target target = TargetOf(notice);
  if (notice.state != State::kOpen) {
    target.receivers.clear();
    if (found == subjects_.end() || found->second.last.state == notice.state) return target;
    target.receivers = found->second.told;
    return target;
  }
  const bool again = found != subjects_.end() && found->second.last.state == State::kOpen;
  const bool graver = again && notice.severity > found->second.last.severity;
  if (silenced || (again && !graver)) target.receivers.clear();
  return target;
}

// The digest that a notice can still be added to; 0: none.
uint64_t Outbox::OpenDigest(const std::string& receiver, const std::string& subject,
                            const Target& target, Instant now) const {
  if (target.digest_us == 0) return 0;
  for (const auto& [id, delivery] : deliveries_) {
    if (!IsWaiting(delivery) || delivery.receiver != receiver || delivery.digest_us == 0) continue;
    if (delivery.attempts > 0 || delivery.due <= now) continue;
    if (delivery.notices.size() < kDigestNoticesMax || Tells(delivery, subject)) return id;
  }
  return 0;
}

Result<std::string> Outbox::Take(const Notice& notice, Instant now) const {
  FB_CHECK(notice::Validate(notice));
  if (rules_.receivers.empty()) return std::string();
  const auto known = subjects_.find(notice.id);
  const bool nothing_new =
      known == subjects_.end() ? notice.state == State::kResolved : known->second.last == notice;
  if (nothing_new) return std::string();
  const bool silenced = IsSilenced(notice, now);
  const Target target = NewsFor(notice, silenced);
  Json record{{"take", NoticeToJson(notice)}, {"at", now.us}, {"silenced", silenced}};
  uint64_t id = next_id_;
  for (const std::string& receiver : target.receivers) {
    if (!HasReceiver(receiver)) continue;
    if (const uint64_t digest = OpenDigest(receiver, notice.id, target, now); digest != 0) {
      record["into"].push_back(digest);
      continue;
    }
    const Instant due{now.us + target.digest_us};
    record["deliveries"].push_back(DeliveryJson(id++, receiver, due, due, false, target.digest_us));
  }
  if (id != next_id_ && waiting() + (id - next_id_) > kWaitingMax) {
    return Fail(Code::kResourceExhausted, "10,000 messages wait for their receivers",
                "see `flyball notify list` for what is wrong with them");
  }
  return record.dump();
}

std::vector<std::string> Outbox::Tick(Instant now) const {
  std::vector<std::string> records;
  uint64_t id = next_id_;
  size_t room = kWaitingMax - std::min(kWaitingMax, waiting());
  for (const auto& [name, subject] : subjects_) {
    if (subject.last.state != State::kOpen) continue;
    if (IsSilenced(subject.last, now)) continue;
    const Target target = TargetOf(subject.last);
    Json record{{"step", name}, {"at", now.us}};
    size_t done = subject.steps_done;
    const auto tell = [&](const auto& receivers, bool escalated) {
      for (const std::string& receiver : receivers) {
        if (!HasReceiver(receiver) || room == 0) continue;
        --room;
        record["deliveries"].push_back(DeliveryJson(id++, receiver, now, now, escalated, 0));
      }
    };
    if (subject.silenced) tell(target.receivers, false);  // it lasts longer than its silence
    for (; done < target.escalate.size(); ++done) {
      if (now.us - subject.opened.us < target.escalate[done].after_us) break;
      tell(target.escalate[done].to, true);
    }
    record["done"] = done;
    if (done != subject.steps_done || subject.silenced) records.push_back(record.dump());
  }
  for (const auto& [number, delivery] : deliveries_) {
    if (!IsWaiting(delivery) || HasReceiver(delivery.receiver)) continue;
    records.push_back(Failed(number, now, {"the estate has no such receiver any more", true, 0}));
  }
  return records;
}

std::string Outbox::Sent(uint64_t id, Instant now) {
  return Json{{"sent", id}, {"at", now.us}}.dump();
}

std::string Outbox::Failed(uint64_t id, Instant now, const Failure& failure) const {
  const auto found = deliveries_.find(id);
  const int attempts = found == deliveries_.end() ? 0 : found->second.attempts;
  const Instant since = found == deliveries_.end() ? now : found->second.since;
  constexpr int kDoublings = 10;
  int64_t wait = std::min(kFirstRetryUs << std::min(attempts, kDoublings), kRetryMostUs);
  if (failure.again_us > 0) wait = std::clamp(failure.again_us, wait, kRetryMostUs * 4);
  const bool over = failure.final || now.us + wait - since.us > kGiveUpUs;
  constexpr size_t kFaultMaxBytes = 1000;
  std::string fault = failure.fault.substr(0, kFaultMaxBytes);
  fault.resize(ValidUtf8Prefix(fault));
  return Json{{"failed", id},
              {"at", now.us},
              {"due", now.us + wait},
              {"final", over},
              {"fault", std::move(fault)}}
      .dump();
}

std::vector<Delivery> Outbox::Due(Instant now) const {
  std::vector<Delivery> due;
  std::set<std::string> busy;                                  // receivers
  std::set<std::pair<std::string, std::string>> before_these;  // receiver, subject
  for (const auto& [id, delivery] : deliveries_) {
    if (!IsWaiting(delivery)) continue;
    const bool in_turn = std::ranges::none_of(delivery.notices, [&](const Notice& notice) {
      return before_these.contains({delivery.receiver, notice.id});
    });
    for (const Notice& notice : delivery.notices) {
      before_these.insert({delivery.receiver, notice.id});
    }
    if (!in_turn || delivery.due > now || !busy.insert(delivery.receiver).second) continue;
    due.push_back(delivery);
  }
  return due;
}

std::vector<Delivery> Outbox::Deliveries(size_t most) const {
  std::vector<Delivery> newest;
  for (auto at = deliveries_.rbegin(); at != deliveries_.rend() && newest.size() < most; ++at) {
    newest.push_back(at->second);
  }
  return newest;
}

void Outbox::Forget() {
  size_t ended = deliveries_.size() - waiting();
  for (auto at = deliveries_.begin(); at != deliveries_.end() && ended > kEndedMax;) {
    if (IsWaiting(at->second)) {
      ++at;
      continue;
    }
    at = deliveries_.erase(at);
    --ended;
  }
  while (subjects_.size() > kSubjectsMax) {
    // Those that are over go first, then the oldest.
    const auto oldest = std::ranges::min_element(subjects_, {}, [](const auto& entry) {
      return std::pair(entry.second.last.state != State::kResolved, entry.second.opened);
    });
    subjects_.erase(oldest);
  }
}

// Applies the kinds of records. What a record names and is not there throws, as broken JSON does.
struct Outbox::Player {
  Outbox& box;

  void Add(Subject* subject, Delivery delivery) {
    subject->told.insert(delivery.receiver);
    delivery.notices = {subject->last};
    Keep(std::move(delivery));
  }

  void Keep(Delivery delivery) {
    box.next_id_ = std::max(box.next_id_, delivery.id + 1);
    if (IsWaiting(delivery)) ++box.waiting_;
    box.deliveries_[delivery.id] = std::move(delivery);
  }

  void End(Delivery* delivery, DeliveryState state) {
    if (IsWaiting(*delivery)) --box.waiting_;
    delivery->state = state;
  }

  Status Take(const Json& record) {
    const Notice notice = FB_TRY(ParseNotice(record["take"].dump()));
    const auto [found, fresh] = box.subjects_.try_emplace(notice.id);
    Subject& subject = found->second;
    if (fresh || (subject.last.state != State::kOpen && notice.state == State::kOpen)) {
      subject = Subject{};
      subject.opened.us = record.at("at").get<int64_t>();
      subject.silenced = record.at("silenced").get<bool>();
    }
    subject.last = notice;
    for (const Json& json : record.value("deliveries", Json::array())) {
      Add(&subject, ReadDelivery(json));
    }
    for (const Json& id : record.value("into", Json::array())) {
      Delivery& digest = box.deliveries_.at(id.get<uint64_t>());
      subject.told.insert(digest.receiver);
      std::erase_if(digest.notices, [&](const Notice& told) { return told.id == notice.id; });
      digest.notices.push_back(notice);
    }
    return {};
  }

  Status Step(const Json& record) {
    Subject& subject = box.subjects_.at(record["step"].get<std::string>());
    subject.silenced = false;
    subject.steps_done = record.at("done").get<size_t>();
    for (const Json& json : record.value("deliveries", Json::array())) {
      Add(&subject, ReadDelivery(json));
    }
    return {};
  }

  Status Sent(const Json& record) {
    Delivery& delivery = box.deliveries_.at(record["sent"].get<uint64_t>());
    End(&delivery, DeliveryState::kSent);
    ++delivery.attempts;
    delivery.fault.clear();
    return {};
  }

  Status Failed(const Json& record) {
    Delivery& delivery = box.deliveries_.at(record["failed"].get<uint64_t>());
    ++delivery.attempts;
    delivery.due.us = record.at("due").get<int64_t>();
    delivery.fault = record.at("fault").get<std::string>();
    if (record.at("final").get<bool>()) End(&delivery, DeliveryState::kGivenUp);
    return {};
  }

  Status KeptDelivery(const Json& record) {
    const Json& json = record["delivery"];
    Delivery delivery = ReadDelivery(json);
    for (const Json& notice : json.at("notices")) {
      delivery.notices.push_back(FB_TRY(ParseNotice(notice.dump())));
    }
    Keep(std::move(delivery));
    return {};
  }

  Status KeptSubject(const Json& record) {
    const Json& json = record["subject"];
    Subject subject;
    subject.last = FB_TRY(ParseNotice(json.at("last").dump()));
    subject.told = json.at("told").get<std::set<std::string>>();
    subject.opened.us = json.at("opened").get<int64_t>();
    subject.steps_done = json.at("done").get<size_t>();
    subject.silenced = json.at("silenced").get<bool>();
    box.subjects_[subject.last.id] = std::move(subject);
    return {};
  }
};

Status Outbox::Replay(std::string_view text) {
  using Play = Status (Player::*)(const Json&);
  static constexpr std::pair<const char*, Play> kKinds[] = {{"take", &Player::Take},
                                                            {"step", &Player::Step},
                                                            {"sent", &Player::Sent},
                                                            {"failed", &Player::Failed},
                                                            {"delivery", &Player::KeptDelivery},
                                                            {"subject", &Player::KeptSubject}};
  const Json record = Json::parse(text, nullptr, false);
  try {
    for (const auto& [kind, play] : kKinds) {
      if (!record.is_object() || !record.contains(kind)) continue;
      FB_CHECK((Player{*this}.*play)(record));
      Forget();
      return {};
    }
  } catch (const std::exception&) {  // of nlohmann, and of what is not there
  }
  return Fail(Code::kDataLoss, "a record of notifications can't be read");
}

std::vector<std::string> Outbox::Snapshot() const {
  std::vector<std::string> records;
  for (const auto& [id, subject] : subjects_) {
    records.push_back(Json{{"subject",
                            {{"last", NoticeToJson(subject.last)},
                             {"told", subject.told},
                             {"opened", subject.opened.us},
                             {"done", subject.steps_done},
                             {"silenced", subject.silenced}}}}
                          .dump());
  }
  for (const auto& [id, delivery] : deliveries_) {
    Json json = DeliveryJson(id, delivery.receiver, delivery.since, delivery.due,
                             delivery.escalated, delivery.digest_us);
    json["attempts"] = delivery.attempts;
    json["fault"] = delivery.fault;
    json["state"] = static_cast<int>(delivery.state);
    json["notices"] = Json::array();
    for (const Notice& notice : delivery.notices) json["notices"].push_back(NoticeToJson(notice));
    records.push_back(Json{{"delivery", std::move(json)}}.dump());
  }
  return records;
}

}  // namespace flyball::notify
