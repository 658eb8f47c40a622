#include "watch/desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace flyball::watch {
namespace {

using Json = nlohmann::ordered_json;

Result<size_t> Number(const Request& request, const char* name, size_t otherwise, size_t most) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return otherwise;
  const std::string& text = found->second;
  size_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number > most) {
    return Fail(Code::kInvalidArgument,
                fmt::format("{}: a whole number from 0 to {} is expected", name, most));
  }
  return number;
}

// The words of a filter, all of them known; none: everything passes.
Result<std::vector<std::string>> Words(const Request& request, const char* name,
                                       const std::vector<std::string_view>& known) {
  std::vector<std::string> words;
  const auto found = request.query.find(name);
  if (found == request.query.end()) return words;
  for (const std::string_view word : SplitText(found->second, ',')) {
    if (std::ranges::find(known, word) == known.end()) {
      return Fail(Code::kInvalidArgument, fmt::format("{}: '{}' is none", name, word),
                  fmt::format("known are {}", fmt::join(known, ", ")));
    }
    words.emplace_back(word);
  }
  return words;
}

bool Passes(const std::vector<std::string>& words, std::string_view word) {
  return words.empty() || std::ranges::find(words, word) != words.end();
}

// A page of what passes, newest first.
template <typename Items, typename Wanted>
Result<std::string> Page(const Request& request, std::string_view name, const Items& items,
                         const Wanted& wanted) {
  size_t offset = FB_TRY(Number(request, "offset", 0, 1'000'000));
  const size_t limit = FB_TRY(Number(request, "limit", kListDefault, kListMax));
  std::string rows;
  size_t total = 0;
  size_t shown = 0;
  for (auto at = items.rbegin(); at != items.rend(); ++at) {
    if (!wanted(at->second)) continue;
    if (total++ < offset || shown == limit) continue;
    rows += (shown++ > 0 ? "," : "") + ToJson(at->second);
  }
  return fmt::format(R"({{"{}":[{}],"total":{}}})", name, rows, total);
}

Result<std::string> ListAnomalies(const Book& book, const Request& request) {
  const auto states = FB_TRY(Words(request, "state", {"active", "ended"}));
  const auto kinds =
      FB_TRY(Words(request, "kind", {"burn", "spike", "ramp", "missing", "stuck", "price"}));
  const auto incident = request.query.find("incident");
  return Page(request, "anomalies", book.anomalies(), [&](const Anomaly& anomaly) {
    return Passes(states, anomaly.ended ? "ended" : "active") &&
           Passes(kinds, KindName(anomaly.kind)) &&
           (incident == request.query.end() || incident->second == anomaly.incident);
  });
}

Result<std::string> ListIncidents(const Book& book, const Request& request) {
  const auto states =
      FB_TRY(Words(request, "state", {"open", "acknowledged", "resolved", "expected"}));
  return Page(request, "incidents", book.incidents(),
              [&](const Incident& incident) { return Passes(states, StateName(incident.state)); });
}

Result<Json> BodyOf(const Request& request, const std::vector<std::string_view>& known) {
  Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return Fail(Code::kInvalidArgument, "a JSON object is expected in the body");
  }
  for (const auto& [name, value] : body.items()) {
    if (std::ranges::find(known, name) == known.end() || !value.is_string()) {
      return Fail(Code::kInvalidArgument, fmt::format("'{}' can't be said here", name),
                  fmt::format("texts for {}", fmt::join(known, ", ")));
    }
  }
  return body;
}

Result<std::string> SayOfAnomaly(Watcher* watcher, std::string_view id, const Request& request,
                                 Instant now) {
  const Json body = FB_TRY(BodyOf(request, {"feedback"}));
  const std::string word = body.value("feedback", "");
  if (word != "expected" && word != "not_expected") {
    return Fail(Code::kInvalidArgument, fmt::format("feedback: '{}' is none", word),
                "expected or not_expected");
  }
  const Feedback feedback = word == "expected" ? Feedback::kExpected : Feedback::kNotExpected;
  return watcher->SayOfAnomaly(id, feedback, request.author, now);
}

Result<std::string> SayOfIncident(Book* book, std::string_view id, const Request& request,
                                  Instant now) {
  const Json body = FB_TRY(BodyOf(request, {"state", "owner", "note"}));
  const Book::Word word{body.value("state", ""), body.value("owner", ""), body.value("note", ""),
                        body.contains("owner")};
  return book->SayOfIncident(id, word, request.author, now);
}

std::string StatusJson(const Watcher& watcher) {
  const WatchCounts counts = watcher.counts();
  const WatchSettings& settings = watcher.settings();
  Json off = Json::array();
  for (size_t i = 0; i < kKinds; ++i) {
    if (settings.off[i]) off.push_back(KindName(static_cast<Kind>(i)));
  }
  Json burn = Json::array();
  for (const BurnRule& rule : settings.burn) {
    burn.push_back({{"short_s", rule.short_s}, {"long_s", rule.long_s}, {"factor", rule.factor}});
  }
  Json patterns = Json::array();
  for (const Pattern& pattern : watcher.book().patterns()) {
    patterns.push_back(Json::parse(ToJson(pattern)));
  }
  return Json{{"enabled", settings.enabled},
              {"min_amount", settings.min_amount.ToString()},
              {"off", off},
              {"burn", burn},
              {"expected_patterns", patterns},
              {"series", counts.series},
              {"series_max", kSeriesMax},
              {"series_dropped", counts.series_dropped},
              {"combinations", counts.leaves},
              {"combinations_dropped", counts.leaves_dropped},
              {"open_calls", counts.open_calls},
              {"calls_unplaced", counts.calls_unplaced},
              {"silenced", counts.silenced}}
      .dump();
}

}  // namespace

Result<std::string> Administer(Watcher* watcher, const Request& request, Instant now) {
  Book& book = watcher->book();
  const auto parts = SplitText(request.path, '/');  // "", "anomalies", ID
  const std::string_view id = parts.size() == 3 ? parts[2] : std::string_view();
  const bool reads = request.method == "GET";
  if (request.path == "/watch" && reads) return StatusJson(*watcher);
  if (request.path == "/anomalies" && reads) return ListAnomalies(book, request);
  if (request.path == "/incidents" && reads) return ListIncidents(book, request);
  if (parts.size() == 3 && parts[1] == "anomalies") {
    if (!reads) return SayOfAnomaly(watcher, id, request, now);
    if (const Anomaly* anomaly = book.Find(id)) return ToJson(*anomaly);
  }
  if (parts.size() == 3 && parts[1] == "incidents") {
    if (!reads) return SayOfIncident(&book, id, request, now);
    if (const Incident* incident = book.FindIncident(id)) return ToJson(*incident);
  }
  return Fail(Code::kNotFound, fmt::format("the watch knows no '{}'", request.path),
              "GET /api/v1/incidents and /api/v1/anomalies list what there is");
}

}  // namespace flyball::watch
