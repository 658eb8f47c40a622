// flyball notify: try the receivers of the estate, and see what was sent.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/deliver.h"
#include "app/estate_now.h"
#include "app/remote.h"
#include "app/table.h"
#include "estate/estate.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

Result<notice::Rules> ReadRules(const Environment& environment) {
  return FB_TRY(EstateNow(environment).Get())->estate().notices;
}

// Those that are named, in that order; all where none is.
Result<std::vector<notice::Receiver>> Choose(const notice::Rules& rules,
                                             const std::vector<std::string>& names) {
  if (rules.receivers.empty()) {
    return Fail(Code::kFailedPrecondition, "the estate has no receivers",
                "name them in its `notify` section");
  }
  if (names.empty()) return rules.receivers;
  std::vector<notice::Receiver> chosen;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(rules.receivers, name, &notice::Receiver::name);
    if (found == rules.receivers.end()) {
      return Fail(Code::kNotFound, "the estate has no receiver '" + name + "'");
    }
    chosen.push_back(*found);
  }
  return chosen;
}

notice::Notice TestNotice(Instant now) {
  notice::Notice notice;
  notice.id = "test-" + std::to_string(now.us);
  notice.kind = "test";
  notice.severity = notice::Severity::kInfo;
  notice.title = "This is a test of Flyball";
  notice.text = "Who reads this will be told of incidents in the same way.";
  notice.labels = {{"author", Author()}};
  notice.since = now;
  return notice;
}

struct Outcome {
  std::string receiver, kind, fault;
};

Result<std::vector<Outcome>> Test(const Environment& environment, const NotifyArgs& args) {
  const notice::Rules rules = FB_TRY(ReadRules(environment));
  const std::vector<notice::Receiver> receivers = FB_TRY(Choose(rules, args.to));
  std::vector<Outcome> outcomes;
  notice::Notice notice = TestNotice(environment.clock.Now());
  for (const notice::Receiver& receiver : receivers) {
    Outcome outcome{receiver.name, std::string(notice::ReceiverKindName(receiver.kind)), ""};
    // Resolved at once, so that nobody is called out for a test.
    for (const notice::State state : {notice::State::kOpen, notice::State::kResolved}) {
      const bool chat = receiver.kind != notice::ReceiverKind::kPagerDuty &&
                        receiver.kind != notice::ReceiverKind::kAlertmanager;
      if (state == notice::State::kResolved && chat) break;
      notice.state = state;
      notify::Outgoing outgoing;
      outgoing.id = notice.id + "-" + receiver.name;
      outgoing.notices = {&notice, 1};
      outgoing.at = environment.clock.Now();
      outgoing.page_url = rules.page_url;
      if (const auto failure = Deliver(receiver, outgoing, {})) {
        outcome.fault = failure->fault;
        break;
      }
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

Table ToTable(const Json& list) {
  Table table{{"id", "receiver", "state", "attempts", "due", "notices", "fault"}, {}};
  for (const Json& row : list) {
    const Json notices = row.value("notices", Json::array());
    std::string what = notices.empty() ? "" : notices.front().value("title", "");
    if (notices.size() > 1) what += fmt::format(" (and {} more)", notices.size() - 1);
    table.rows.push_back({std::to_string(row.value("id", uint64_t{0})), row.value("receiver", ""),
                          row.value("state", ""), std::to_string(row.value("attempts", 0)),
                          row.value("due", ""), what, row.value("fault", "")});
  }
  return table;
}

Result<std::string> AskForList(const Environment& environment) {
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (!remote) {
    return Fail(Code::kFailedPrecondition, "no server runs in this home, so nothing is sent",
                "start it with `flyball up`");
  }
  return remote->Get("/api/v1/notifications");
}

}  // namespace

int RunNotifyTest(const Environment& environment, const NotifyArgs& args) {
  const Result<std::vector<Outcome>> outcomes = Test(environment, args);
  if (!outcomes) return Report(environment, outcomes.error());
  Table table{{"receiver", "kind", "outcome"}, {}};
  Json list = Json::array();
  bool all = true;
  for (const Outcome& outcome : *outcomes) {
    const bool sent = outcome.fault.empty();
    all = all && sent;
    table.rows.push_back(
        {outcome.receiver, outcome.kind, sent ? "sent" : "failed: " + outcome.fault});
    list.push_back({{"receiver", outcome.receiver},
                    {"kind", outcome.kind},
                    {"sent", sent},
                    {"fault", outcome.fault}});
  }
  if (environment.json()) {
    Print(list.dump());
  } else {
    Print(environment, table);
  }
  return all ? kExitDone : kExitFound;
}

int RunNotifyList(const Environment& environment) {
  const Result<std::string> answer = AskForList(environment);
  if (!answer) return Report(environment, answer.error());
  if (environment.json()) {
    Print(*answer);
    return kExitDone;
  }
  const Json json = Json::parse(*answer, nullptr, false);
  const Json list = json.is_object() ? json.value("deliveries", Json::array()) : Json::array();
  if (list.empty()) {
    Say("flyball: nothing has been sent");
    return kExitDone;
  }
  Print(environment, ToTable(list));
  return kExitDone;
}

}  // namespace flyball::app
