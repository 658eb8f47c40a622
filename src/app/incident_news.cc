#include "app/incident_news.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "serve/service.h"

namespace flyball::app {
namespace {

using Json = nlohmann::json;

// In the currency's unit.
constexpr Money kCriticalAmount = Money::FromUnits(int128{100} * 1'000'000'000'000);
constexpr double kCriticalLoss = 100;  // an hour
constexpr char kAllIncidents[] = "1000";
constexpr auto kAgainAfter = std::chrono::seconds(5);

Result<std::string> Ask(LiveWatch& watch, const std::string& path) {
  serve::WatchQuestion question;
  question.method = "GET";
  question.path = path;
  if (path == "/incidents") question.query["limit"] = kAllIncidents;
  return watch.Ask(question);
}

void AddLabel(const std::string& name, const Json& value, notice::Labels* labels) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return;
  const bool known =
      std::ranges::any_of(*labels, [&](const auto& had) { return had.first == name; });
  if (!known && labels->size() < notice::kLabelsMax) labels->emplace_back(name, value);
}

std::string TextOf(const Json& incident, const notice::Notice& notice) {
  const double loss = incident.value("loss_per_hour", 0.0);
  const std::string currency = notice.currency.empty() ? "" : " " + notice.currency;
  std::string text;
  if (notice.amount && notice.amount->units() > 0) {
    text = fmt::format("An estimated {}{} beyond what was expected", notice.amount->ToString(),
                       currency);
    if (loss > 0) text += fmt::format(", about {:.2f}{} an hour", loss, currency);
    text += ".";
  }
  const std::string owner = incident.value("owner", "");
  if (!owner.empty()) text += (text.empty() ? "" : " ") + ("Owner: " + owner + ".");
  return text;
}

}  // namespace

Result<notice::Notice> NoticeOf(std::string_view incident_json, std::string_view anomaly_json) {
  const Json incident = Json::parse(incident_json, nullptr, false);
  const Json anomaly = Json::parse(anomaly_json, nullptr, false);
  if (!incident.is_object()) return Fail(Code::kInternal, "this is no incident");
  try {
    notice::Notice notice;
    const std::string id = incident.at("id");
    const std::string opened = incident.at("opened");
    notice.id = id + "@" + opened;  // other homes have an incident-1, too
    notice.kind = "incident";
    const std::string state = incident.at("state");
    if (state == "acknowledged") notice.state = notice::State::kAcknowledged;
    if (state == "resolved" || state == "expected") notice.state = notice::State::kResolved;
    notice.title = incident.at("title");
    notice.amount = FB_TRY(Money::Parse(incident.at("amount").get<std::string>()));
    notice.currency = incident.at("currency");
    notice.since = FB_TRY(ParseUserInstant(incident.at("began").get<std::string>()));
    const bool dear = *notice.amount >= kCriticalAmount;
    if (dear || incident.at("loss_per_hour").get<double>() >= kCriticalLoss) {
      notice.severity = notice::Severity::kCritical;
    }
    const Json& suspect = incident.at("suspect");
    AddLabel(suspect.at("dimension"), suspect.at("value"), &notice.labels);
    Json detail{{"incident", incident}};
    if (anomaly.is_object()) {
      AddLabel("anomaly", anomaly.at("kind"), &notice.labels);
      for (const auto& [name, value] : anomaly.at("path").items()) {
        AddLabel(name, value, &notice.labels);
      }
      detail["anomaly"] = anomaly;
    }
    notice.text = TextOf(incident, notice);
    notice.page = "#/incidents/" + id;
    notice.detail = detail.dump();
    if (notice.detail.size() > notice::kDetailMaxBytes) notice.detail.clear();
    return notice;
  } catch (const Json::exception& error) {
    return Fail(Code::kInternal, std::string("an incident can't be told: ") + error.what());
  }
}

void IncidentNews::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void IncidentNews::Stop() { thread_ = {}; }

void IncidentNews::Changed(const watch::Effect& effect) {
  if (effect.event != "incident" || !effect.keep) return;
  {
    const std::lock_guard lock(mutex_);
    const auto waiting = std::ranges::find(changed_, effect.id, &Change::id);
    if (waiting != changed_.end()) {
      waiting->incident = effect.json;
      return;
    }
    changed_.push_back({effect.id, effect.json});
  }
  wake_.notify_all();
}

Status IncidentNews::Tell(const Change& change) {
  const Result<std::string> asked = Ask(watch_, "/incidents/" + change.id);
  const bool gone = !asked && asked.error().code == Code::kNotFound && !change.incident.empty();
  if (!asked && !gone) return Fail(asked.error());
  const std::string& incident = gone ? change.incident : *asked;
  const Json json = Json::parse(incident, nullptr, false);
  std::string anomaly;
  if (const Json ids = json.value("anomalies", Json::array()); !ids.empty()) {
    // Forgotten ones are told of without their path.
    anomaly = Ask(watch_, "/anomalies/" + ids.front().get<std::string>()).value_or("");
  }
  return notifier_.Tell(FB_TRY(NoticeOf(incident, anomaly)));
}

Result<std::vector<std::string>> IncidentNews::Remembered() {
  const Json answer = Json::parse(FB_TRY(Ask(watch_, "/incidents")), nullptr, false);
  if (!answer.is_object()) return Fail(Code::kInternal, "the watch lists no incidents");
  std::vector<std::string> ids;
  for (const Json& incident : answer.value("incidents", Json::array())) {
    ids.push_back(incident.value("id", ""));
  }
  return ids;
}

void IncidentNews::Run(const std::stop_token& stop) {
  const Result<std::vector<std::string>> remembered = Remembered();
  std::unique_lock lock(mutex_);
  if (remembered) {
    for (const std::string& id : *remembered) changed_.push_front({id, ""});  // the oldest first
  } else {
    log::Warn("incidents of before are not told", {{"why", remembered.error().ToString()}});
  }
  while (!stop.stop_requested() && wake_.wait(lock, stop, [this] { return !changed_.empty(); })) {
    const Change change = std::move(changed_.front());
    changed_.pop_front();
    lock.unlock();
    const Status told = Tell(change);
    lock.lock();
    // What the watch forgot before it was told of is told by nobody; all else is tried again.
    const bool gone = !told && told.error().code == Code::kNotFound;
    if (fault_.IsNews(told)) {
      log::Warn("an incident was not told",
                {{"incident", change.id}, {"why", told.error().ToString()}});
    }
    if (told || gone) continue;
    changed_.push_back(change);
    wake_.wait_for(lock, stop, kAgainAfter, [] { return false; });
  }
}

}  // namespace flyball::app
