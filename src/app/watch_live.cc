// flyball watch list, show, ack, resolve, feedback: the incidents and anomalies of the live watch,
// through the server that runs; without one what is written down is read.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/remote.h"
#include "app/table.h"
#include "app/watch_journal.h"
#include "watch/desk.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kListed = 100;

// Ids go into paths; what is no name is no id.
Result<std::string> PathOf(const std::string& id) {
  if (os::IsPlainName(id)) {
    if (id.starts_with("incident-")) return "/incidents/" + id;
    if (id.starts_with("anomaly-")) return "/anomalies/" + id;
  }
  return Fail(Code::kInvalidArgument, "'" + id + "' is no id of an incident or an anomaly",
              "`flyball watch list` shows them");
}

Result<watch::Request> ListRequest(const LiveWatchArgs& args) {
  watch::Request request;
  request.method = "GET";
  request.path = args.anomalies ? "/anomalies" : "/incidents";
  request.query["limit"] = std::to_string(kListed);
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) request.query[name] = value;
  };
  put("state", args.state);
  put("kind", args.kind);
  if (!args.kind.empty() && !args.anomalies) {
    return Fail(Code::kInvalidArgument, "--kind is of anomalies", "say --anomalies too");
  }
  return request;
}

Result<watch::Request> ToRequest(const LiveWatchArgs& args) {
  if (args.action == "list") return ListRequest(args);
  watch::Request request;
  request.path = FB_TRY(PathOf(args.id));
  request.method = args.action == "show" ? "GET" : "POST";
  Json body = Json::object();
  if (args.action == "feedback") {
    body["feedback"] = args.feedback;
  } else {
    body["state"] = args.action == "ack" ? "acknowledged" : "resolved";
    if (!args.owner.empty()) body["owner"] = args.owner;
    if (!args.note.empty()) body["note"] = args.note;
  }
  const bool of_anomaly = request.path.starts_with("/anomalies/");
  if (args.action != "show" && of_anomaly != (args.action == "feedback")) {
    return Fail(
        Code::kInvalidArgument,
        fmt::format("`watch {}` is of {}", args.action, of_anomaly ? "an incident" : "an anomaly"),
        of_anomaly ? "`flyball watch show ANOMALY` names its incident"
                   : "`flyball watch show INCIDENT` names its anomalies");
  }
  request.body = body.dump();
  return request;
}

// Words of filters hold letters, commas and underscores only: a path needs no escapes.
Result<std::string> AskServer(const Remote& server, const watch::Request& request) {
  std::string path = "/api/v1" + request.path;
  for (const auto& [name, value] : request.query) {
    const bool plain = std::ranges::all_of(value, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ',' || c == '_';
    });
    if (!plain) return Fail(Code::kInvalidArgument, "'" + value + "' is no " + name);
    path += (path.find('?') == std::string::npos ? "?" : "&") + name + "=" + value;
  }
  return request.method == "GET" ? server.Get(path) : server.Post(path, request.body);
}

Result<std::string> Act(const Environment& environment, const LiveWatchArgs& args) {
  const watch::Request request = FB_TRY(ToRequest(args));
  if (const std::optional<Remote> server = FB_TRY(Remote::Find(environment))) {
    return AskServer(*server, request);
  }
  if (request.method != "GET") {
    return Fail(Code::kFailedPrecondition, "no server runs on this home",
                "start it with `flyball up` or `flyball serve`");
  }
  watch::Watcher watcher;
  FB_CHECK(ReadWatchJournal(environment.files, environment.home, &watcher));
  return watch::Administer(&watcher, request, environment.clock.Now());
}

std::string NameOf(const Json& element) {
  const std::string dimension = element.value("dimension", "");
  return dimension == "total" ? "all calls" : dimension + "=" + element.value("value", "");
}

std::string LossOf(const Json& row) {
  return fmt::format("{:.2f}", row.value("loss_per_hour", 0.0));
}

Table IncidentsTable(const Json& rows) {
  Table table{{"incident", "state", "opened", "suspect", "amount", "an hour", "owner", ""}, {}};
  for (const Json& row : rows) {
    table.rows.push_back({row.value("id", ""), row.value("state", ""), row.value("opened", ""),
                          NameOf(row["suspect"]),
                          row.value("amount", "") + " " + row.value("currency", ""), LossOf(row),
                          row.value("owner", ""), row.value("active", false) ? "active" : ""});
  }
  return table;
}

Table AnomaliesTable(const Json& rows) {
  Table table{{"anomaly", "kind", "state", "began", "series", "suspect", "amount", "an hour",
               "rule", "feedback"},
              {}};
  for (const Json& row : rows) {
    table.rows.push_back({row.value("id", ""), row.value("kind", ""), row.value("state", ""),
                          row.value("began", ""), NameOf(row["series"]), NameOf(row["suspect"]),
                          row.value("amount", "") + " " + row.value("currency", ""), LossOf(row),
                          row.value("rule", ""), row.value("feedback", "")});
  }
  return table;
}

}  // namespace

int RunLiveWatch(const Environment& environment, const LiveWatchArgs& args) {
  const Result<std::string> answer = Act(environment, args);
  if (!answer) return Report(environment, answer.error());
  if (environment.json()) {
    Print(*answer);
    return kExitDone;
  }
  const Json json = Json::parse(*answer, nullptr, false);
  const bool listed = args.action == "list";
  const bool anomalies = listed ? args.anomalies : args.id.starts_with("anomaly-");
  const Json rows = listed ? json.value(anomalies ? "anomalies" : "incidents", Json::array())
                           : Json::array({json});
  if (rows.empty()) {
    Say(anomalies ? "flyball: there are no such anomalies"
                  : "flyball: there are no such incidents");
    return kExitDone;
  }
  Print(environment, anomalies ? AnomaliesTable(rows) : IncidentsTable(rows));
  if (args.action != "show") return kExitDone;
  if (anomalies) {
    Print(fmt::format("incident {}, against {}, suggested: {}", json.value("incident", ""),
                      json.value("against", ""), json["action"].dump()));
    Print("evidence: " + json["evidence"].dump());
    return kExitDone;
  }
  Table timeline{{"at", "what", "by", "text"}, {}};
  for (const Json& entry : json["timeline"]) {
    timeline.rows.push_back({entry.value("at", ""), entry.value("what", ""), entry.value("by", ""),
                             entry.value("text", "")});
  }
  Print(environment, timeline);
  return kExitDone;
}

}  // namespace flyball::app
