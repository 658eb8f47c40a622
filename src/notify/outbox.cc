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

const Outbox::Subject* Outbox::Lasting(const std::string& id) const {
  const auto found = subjects_.find(id);
  const bool lasts = found != subjects_.end() && found->second.last.state != State::kResolved;
  return lasts ? &found->second : nullptr;
}

std::set<std::string> Outbox::NewsFor(const Target& target, const Subject& subject,
                                      const Notice& notice) {
  if (notice.state == State::kResolved) return {};
  const bool graver = subject.told_at && notice.severity > subject.gravest;
  std::set<std::string> news;
  for (const std::string& receiver : target.receivers) {
    if (graver || !subject.told.contains(receiver)) news.insert(receiver);
  }
  return news;
}

// A digest of the receiver that is not on its way yet: that tells of the subject, or that has room.
// 0: none.
uint64_t Outbox::OpenDigest(const std::string& receiver, const std::string& subject,
                            bool with_subject, Instant now) const {
  for (const auto& [id, delivery] : deliveries_) {
    if (!IsWaiting(delivery) || delivery.receiver != receiver || delivery.digest_us == 0) continue;
    if (delivery.attempts > 0 || delivery.due <= now) continue;
    if (Tells(delivery, subject)) return id;
    if (!with_subject && delivery.notices.size() < kDigestNoticesMax) return id;
  }
  return 0;
}

// Plans deliveries into a record.
class Outbox::Writer {
 public:
  Writer(const Outbox& box, Instant now) : box_(box), now_(now), next_id_(box.next_id_) {}

  // False: the receiver is none of the estate's, or too much waits for it.
  bool Add(Json* record, const std::string& receiver, bool escalated, int64_t digest_us) {
    if (!box_.HasReceiver(receiver)) return false;
    const auto waiting = box_.waiting_.find(receiver);
    const size_t planned = planned_[receiver]++;
    if (planned + (waiting == box_.waiting_.end() ? 0 : waiting->second) >= kWaitingMax) {
      (*record)["dropped"] = record->value("dropped", 0) + 1;
      return false;
    }
    const Instant due{now_.us + digest_us};
    (*record)["deliveries"].push_back(
        DeliveryJson(next_id_++, receiver, due, due, escalated, digest_us));
    return true;
  }

 private:
  const Outbox& box_;
  Instant now_;
  uint64_t next_id_;
  std::map<std::string, size_t> planned_;
};

Result<std::string> Outbox::Take(const Notice& notice, Instant now) const {
  FB_CHECK(notice::Validate(notice));
  if (rules_.receivers.empty()) return std::string();
  const Subject* const known = Lasting(notice.id);
  if (known == nullptr && notice.state != State::kOpen) return std::string();
  const Subject fresh;
  const Subject& subject = known != nullptr ? *known : fresh;
  Notice routed = notice;
  if (known != nullptr) routed.labels = known->last.labels;
  const Target target = TargetOf(routed);
  const std::set<std::string> news = NewsFor(target, subject, routed);
  const bool silenced = !news.empty() && IsSilenced(routed, now);
  Json record{{"at", now.us},
              {"fresh", known == nullptr},
              {"held_back", silenced || (known != nullptr && known->held_back)}};
  Writer writer(*this, now);
  const auto tell = [&](const std::string& receiver, int64_t digest_us) {
    const bool anywhere = digest_us > 0;
    if (const uint64_t digest = OpenDigest(receiver, notice.id, !anywhere, now);
        digest != 0 && (anywhere || notice.state != State::kOpen)) {
      record["into"].push_back(digest);
    } else {
      writer.Add(&record, receiver, false, digest_us);
    }
  };
  const bool other_state = known != nullptr && known->last.state != notice.state;
  if (other_state) {
    for (const std::string& receiver : subject.told) {
      if (!news.contains(receiver)) tell(receiver, 0);
    }
  }
  if (!silenced) {
    for (const std::string& receiver : news) tell(receiver, target.digest_us);
  }
  const bool says = record.contains("deliveries") || record.contains("into") ||
                    record.contains("dropped") || other_state;
  if (!says && (!silenced || (known != nullptr && known->held_back))) return std::string();
  record["take"] = NoticeToJson(routed);
  return record.dump();
}

std::vector<std::string> Outbox::Tick(Instant now) const {
  std::vector<std::string> records;
  Writer writer(*this, now);
  for (const auto& [name, subject] : subjects_) {
    if (subject.last.state == State::kResolved || IsSilenced(subject.last, now)) continue;
    const Target target = TargetOf(subject.last);
    Json record{{"step", name}, {"at", now.us}};
    if (subject.held_back) {
      record["free"] = true;
      for (const std::string& receiver : NewsFor(target, subject, subject.last)) {
        writer.Add(&record, receiver, false, 0);
      }
    }
    for (const notice::Escalation& step : target.escalate) {
      const bool due = subject.last.state == State::kOpen && subject.told_at &&
                       now.us - subject.told_at->us >= step.after_us;
      for (const std::string& receiver : step.to) {
        if (!due || subject.steps.contains({step.after_us, receiver})) continue;
        if (!writer.Add(&record, receiver, true, 0)) continue;
        record["steps"].push_back({step.after_us, receiver});
      }
    }
    // What finds no room is looked for again, and is not written down each time.
    if (record.contains("deliveries") || record.contains("free")) records.push_back(record.dump());
  }
  for (const auto& [id, delivery] : deliveries_) {
    if (!IsWaiting(delivery) || HasReceiver(delivery.receiver)) continue;
    if (now.us - delivery.since.us < kGiveUpUs) continue;
    records.push_back(Failed(id, now, {"the estate has no such receiver any more", true, 0}));
  }
  return records;
}

void Outbox::Refresh(const Notice& notice) {
  const auto subject = subjects_.find(notice.id);
  if (subject == subjects_.end() || subject->second.last.state != notice.state) return;
  Notice newest = notice;
  newest.labels = subject->second.last.labels;
  for (auto& [id, delivery] : deliveries_) {
    if (!IsWaiting(delivery) || delivery.digest_us == 0 || delivery.attempts > 0) continue;
    for (Notice& told : delivery.notices) {
      if (told.id == notice.id) told = newest;
    }
  }
  newest.detail.clear();
  subject->second.last = std::move(newest);
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
    const bool collects = delivery.digest_us > 0 && delivery.attempts == 0 && delivery.due > now;
    if (collects || !HasReceiver(delivery.receiver)) continue;
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

size_t Outbox::waiting() const {
  size_t all = 0;
  for (const auto& [receiver, count] : waiting_) all += count;
  return all;
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
      return std::pair(entry.second.last.state != State::kResolved, entry.second.last.since);
    });
    subjects_.erase(oldest);
  }
}

// Applies the kinds of records. What a record names and is not there throws, as broken JSON does.
struct Outbox::Player {
  Outbox& box;

  void Keep(Delivery delivery) {
    if (IsWaiting(delivery)) ++box.waiting_[delivery.receiver];
    box.next_id_ = std::max(box.next_id_, delivery.id + 1);
    box.deliveries_[delivery.id] = std::move(delivery);
  }

  void End(Delivery* delivery, DeliveryState state) {
    if (IsWaiting(*delivery) && --box.waiting_[delivery->receiver] == 0) {
      box.waiting_.erase(delivery->receiver);
    }
    delivery->state = state;
  }

  static void Told(Subject* subject, const std::string& receiver, Instant at) {
    subject->told.insert(receiver);
    if (!subject->told_at) subject->told_at = at;
    subject->gravest = std::max(subject->gravest, subject->last.severity);
  }

  void AddAll(const Json& record, const Notice& notice, Subject* subject) {
    const Instant at{record.at("at").get<int64_t>()};
    for (const Json& json : record.value("deliveries", Json::array())) {
      Delivery delivery = ReadDelivery(json);
      delivery.notices = {notice};
      Told(subject, delivery.receiver, at);
      Keep(std::move(delivery));
    }
    for (const Json& id : record.value("into", Json::array())) {
      Delivery& digest = box.deliveries_.at(id.get<uint64_t>());
      Told(subject, digest.receiver, at);
      std::erase_if(digest.notices, [&](const Notice& told) { return told.id == notice.id; });
      digest.notices.push_back(notice);
    }
    box.dropped_ += record.value("dropped", uint64_t{0});
  }

  Status Take(const Json& record) {
    const Notice notice = FB_TRY(ParseNotice(record["take"].dump()));
    Subject& subject = box.subjects_[notice.id];
    if (record.at("fresh").get<bool>()) subject = Subject{};
    subject.held_back = record.at("held_back").get<bool>();
    subject.last = notice;
    subject.last.detail.clear();
    AddAll(record, notice, &subject);
    return {};
  }

  Status Step(const Json& record) {
    Subject& subject = box.subjects_.at(record["step"].get<std::string>());
    if (record.contains("free")) subject.held_back = false;
    for (const Json& step : record.value("steps", Json::array())) {
      subject.steps.emplace(step.at(0).get<int64_t>(), step.at(1).get<std::string>());
    }
    AddAll(record, subject.last, &subject);
    return {};
  }

  // What was forgotten meanwhile is no fault.
  Status Sent(const Json& record) {
    const auto found = box.deliveries_.find(record["sent"].get<uint64_t>());
    if (found == box.deliveries_.end()) return {};
    End(&found->second, DeliveryState::kSent);
    ++found->second.attempts;
    found->second.fault.clear();
    return {};
  }

  Status Failed(const Json& record) {
    const auto found = box.deliveries_.find(record["failed"].get<uint64_t>());
    if (found == box.deliveries_.end()) return {};
    Delivery& delivery = found->second;
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
    const auto gravest = notice::ParseSeverity(json.at("gravest").get<std::string>());
    if (gravest) subject.gravest = *gravest;
    if (json.contains("told_at")) subject.told_at = Instant{json["told_at"].get<int64_t>()};
    subject.steps = json.at("steps").get<std::set<std::pair<int64_t, std::string>>>();
    subject.held_back = json.at("held_back").get<bool>();
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
    Json json{{"last", NoticeToJson(subject.last)},
              {"told", subject.told},
              {"gravest", notice::SeverityName(subject.gravest)},
              {"steps", subject.steps},
              {"held_back", subject.held_back}};
    if (subject.told_at) json["told_at"] = subject.told_at->us;
    records.push_back(Json{{"subject", std::move(json)}}.dump());
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
