#include <algorithm>
#include <nlohmann/json.hpp>

#include "watch/anomaly.h"

namespace flyball::watch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kStates[] = {"open", "acknowledged", "resolved", "expected"};
constexpr std::string_view kFeedbacks[] = {"", "expected", "not_expected"};

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ElementJson(const Element& element) {
  return {{"dimension", element.dimension}, {"value", element.value}};
}

Json ElementsJson(const std::vector<Element>& elements) {
  Json json = Json::object();
  for (const Element& element : elements) json[element.dimension] = element.value;
  return json;
}

// The cost query that shows it, hour by hour: what the ledger knows of the series and of the path
// to its suspect. It has no dimension for keys, so their team, project and model stand for them.
Json EvidenceOf(const Anomaly& anomaly) {
  std::vector<Element> known;
  if (!anomaly.of_bills) known.push_back({"source", "gateway"});
  if (!anomaly.series.currency.empty()) known.push_back({"currency", anomaly.series.currency});
  std::vector<Element> of = anomaly.path;
  of.insert(of.begin(), {std::string(LevelName(anomaly.series.level)), anomaly.series.value});
  for (Element& element : of) {
    const std::string& name = element.dimension;
    if (name == "total" || name == "key" || (name == "provider" && !anomaly.of_bills)) continue;
    const auto same = [&](const Element& other) { return other.dimension == name; };
    if (std::ranges::none_of(known, same)) known.push_back(std::move(element));
  }
  Json where = Json::array();
  for (const Element& element : known) {
    where.push_back({{"dimension", element.dimension}, {"values", {element.value}}});
  }
  Json query{{"measures", {"effective_cost"}},
             {"by", {"team", "project", "model"}},
             {"grain", "hour"},
             {"from", FormatInstant(FloorHour(anomaly.began))}};
  if (anomaly.of_bills) {  // the fortnight before beside it
    query["by"] = {"provider", "service", "account", "team", "model"};
    query["grain"] = "day";
    query["from"] = FormatInstant(Instant{anomaly.began.us - 14 * kMicrosPerDay});
    query["to"] = FormatInstant(Instant{anomaly.began.us + kMicrosPerDay});
  } else if (anomaly.ended) {
    query["to"] = FormatInstant(Instant{FloorHour(*anomaly.ended).us + kMicrosPerHour});
  }
  query["where"] = where;
  return query;
}

// Data for whoever acts; the watch never does.
Json ActionOf(const Anomaly& anomaly) {
  const Element& suspect = anomaly.suspect;
  if (anomaly.kind == Kind::kPrice) return {{"kind", "review_price"}, {"model", suspect.value}};
  if (anomaly.of_bills) return {{"kind", "review_spend"}, {"of", ElementJson(suspect)}};
  if (!IsOfMoney(anomaly.kind)) return {{"kind", "check_meter"}, {"of", ElementJson(suspect)}};
  if (suspect.dimension == "total") return {{"kind", "freeze_budget"}, {"scope", "organisation"}};
  return {{"kind", "freeze_budget"}, {"scope", suspect.dimension + "=" + suspect.value}};
}

Result<Json> Parse(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Fail(Code::kDataLoss, "a record of the watch is no object");
  return json;
}

std::string TextAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double NumberAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

Result<Instant> InstantAt(const Json& json, const char* name) {
  ParsedInstant parsed;
  if (!ParseInstant(TextAt(json, name), &parsed)) {
    return Fail(Code::kDataLoss, std::string("a record of the watch has no `") + name + "`");
  }
  return parsed.instant;
}

Result<std::optional<Instant>> MaybeInstantAt(const Json& json, const char* name) {
  if (TextAt(json, name).empty()) return std::nullopt;
  return FB_TRY(InstantAt(json, name));
}

Element ElementAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_object()) return {};
  return {TextAt(*found, "dimension"), TextAt(*found, "value")};
}

std::vector<Element> ElementsAt(const Json& json, const char* name) {
  std::vector<Element> elements;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_object()) return elements;
  for (const auto& [dimension, value] : found->items()) {
    if (value.is_string()) elements.push_back({dimension, value.get<std::string>()});
  }
  return elements;
}

Result<Kind> KindAt(const Json& json) {
  Kind kind = Kind::kBurn;
  if (!ParseKind(TextAt(json, "kind"), &kind)) {
    return Fail(Code::kDataLoss, "a record of the watch has no `kind`");
  }
  return kind;
}

template <size_t N>
size_t IndexOf(const std::string_view (&names)[N], std::string_view name) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == name) return i;
  }
  return 0;
}

Result<SeriesName> SeriesAt(const Json& json) {
  const Element element = ElementAt(json, "series");
  SeriesName name{Level::kTotal, element.value, TextAt(json, "currency")};
  for (size_t i = 0; i < kLevels; ++i) {
    name.level = static_cast<Level>(i);
    if (LevelName(name.level) == element.dimension) return name;
  }
  return Fail(Code::kDataLoss, "an anomaly has no `series`");
}

}  // namespace

bool IsOfMoney(Kind kind) {
  return kind == Kind::kBurn || kind == Kind::kSpike || kind == Kind::kRamp;
}

std::string_view StateName(State state) { return kStates[static_cast<size_t>(state)]; }

bool ParseState(std::string_view name, State* state) {
  const size_t at = IndexOf(kStates, name);
  *state = static_cast<State>(at);
  return kStates[at] == name;
}

std::string ToJson(const Anomaly& anomaly) {
  Json causes = Json::array();
  for (const Cause& cause : anomaly.causes) {
    causes.push_back({{"elements", ElementsJson(cause.elements)},
                      {"score", cause.score},
                      {"share", cause.share},
                      {"actual", cause.actual.ToString()},
                      {"expected", cause.expected.ToString()}});
  }
  Json json{
      {"id", anomaly.id},
      {"kind", KindName(anomaly.kind)},
      {"of", anomaly.of_bills ? "bills" : "calls"},
      {"state", anomaly.ended ? "ended" : "active"},
      {"series", ElementJson({std::string(LevelName(anomaly.series.level)), anomaly.series.value})},
      {"currency", anomaly.series.currency},
      {"began", FormatInstant(anomaly.began)},
      {"opened", FormatInstant(anomaly.opened)},
      {"updated", FormatInstant(anomaly.updated)},
      {"ended", anomaly.ended ? Json(FormatInstant(*anomaly.ended)) : Json()},
      {"rule", anomaly.rule},
      {"against", anomaly.against},
      {"ratio", anomaly.ratio},
      {"confidence", anomaly.confidence},
      {"observed", anomaly.observed.ToString()},
      {"expected", anomaly.expected.ToString()},
      {"expected_per_s", anomaly.expected_per_s},
      {"amount", anomaly.amount.ToString()},
      {"loss_per_hour", anomaly.loss_per_hour},
      {"suspect", ElementJson(anomaly.suspect)},
      {"path", ElementsJson(anomaly.path)},
      {"causes", causes},
      {"evidence", EvidenceOf(anomaly)},
      {"action", ActionOf(anomaly)},
      {"feedback", kFeedbacks[static_cast<size_t>(anomaly.feedback)]},
      {"incident", anomaly.incident}};
  if (!anomaly.note.empty()) json["note"] = anomaly.note;
  return Dump(json);
}

std::string ToJson(const Incident& incident) {
  Json timeline = Json::array();
  for (const Entry& entry : incident.timeline) {
    timeline.push_back({{"at", FormatInstant(entry.at)},
                        {"what", entry.what},
                        {"by", entry.by},
                        {"text", entry.text}});
  }
  const auto when = [](const std::optional<Instant>& at) {
    return at ? Json(FormatInstant(*at)) : Json();
  };
  const auto seconds = [](Instant from, const std::optional<Instant>& to) {
    return to ? Json(static_cast<double>(to->us - from.us) / kMicrosPerSecond) : Json();
  };
  return Dump({{"id", incident.id},
               {"state", StateName(incident.state)},
               {"active", incident.active},
               {"title", incident.title},
               {"owner", incident.owner},
               {"suspect", ElementJson(incident.suspect)},
               {"currency", incident.currency},
               {"amount", incident.amount.ToString()},
               {"loss_per_hour", incident.loss_per_hour},
               {"began", FormatInstant(incident.began)},
               {"opened", FormatInstant(incident.opened)},
               {"acknowledged", when(incident.acknowledged)},
               {"resolved", when(incident.resolved)},
               {"detect_s", seconds(incident.began, incident.opened)},
               {"resolve_s", seconds(incident.opened, incident.resolved)},
               {"anomalies", incident.anomalies},
               {"timeline", timeline}});
}

std::string ToJson(const Pattern& pattern) {
  return Dump({{"kind", KindName(pattern.kind)},
               {"suspect", ElementJson(pattern.suspect)},
               {"currency", pattern.currency}});
}

Result<Anomaly> AnomalyFromJson(std::string_view text) {
  const Json json = FB_TRY(Parse(text));
  Anomaly anomaly;
  anomaly.id = TextAt(json, "id");
  anomaly.kind = FB_TRY(KindAt(json));
  anomaly.of_bills = TextAt(json, "of") == "bills";
  anomaly.series = FB_TRY(SeriesAt(json));
  anomaly.began = FB_TRY(InstantAt(json, "began"));
  anomaly.opened = FB_TRY(InstantAt(json, "opened"));
  anomaly.updated = FB_TRY(InstantAt(json, "updated"));
  anomaly.ended = FB_TRY(MaybeInstantAt(json, "ended"));
  anomaly.rule = TextAt(json, "rule");
  anomaly.against = TextAt(json, "against");
  anomaly.note = TextAt(json, "note");
  anomaly.expected_per_s = NumberAt(json, "expected_per_s");
  anomaly.ratio = NumberAt(json, "ratio");
  anomaly.confidence = NumberAt(json, "confidence");
  anomaly.observed = FB_TRY(Money::Parse(TextAt(json, "observed")));
  anomaly.expected = FB_TRY(Money::Parse(TextAt(json, "expected")));
  anomaly.amount = FB_TRY(Money::Parse(TextAt(json, "amount")));
  anomaly.loss_per_hour = NumberAt(json, "loss_per_hour");
  anomaly.suspect = ElementAt(json, "suspect");
  anomaly.path = ElementsAt(json, "path");
  for (const Json& each : json.value("causes", Json::array())) {
    anomaly.causes.push_back({ElementsAt(each, "elements"), NumberAt(each, "score"),
                              NumberAt(each, "share"), FB_TRY(Money::Parse(TextAt(each, "actual"))),
                              FB_TRY(Money::Parse(TextAt(each, "expected")))});
  }
  anomaly.feedback = static_cast<Feedback>(IndexOf(kFeedbacks, TextAt(json, "feedback")));
  anomaly.incident = TextAt(json, "incident");
  return anomaly;
}

Result<Incident> IncidentFromJson(std::string_view text) {
  const Json json = FB_TRY(Parse(text));
  Incident incident;
  incident.id = TextAt(json, "id");
  if (!ParseState(TextAt(json, "state"), &incident.state)) {
    return Fail(Code::kDataLoss, "an incident has no `state`");
  }
  incident.title = TextAt(json, "title");
  incident.owner = TextAt(json, "owner");
  incident.currency = TextAt(json, "currency");
  incident.suspect = ElementAt(json, "suspect");
  incident.began = FB_TRY(InstantAt(json, "began"));
  incident.opened = FB_TRY(InstantAt(json, "opened"));
  incident.acknowledged = FB_TRY(MaybeInstantAt(json, "acknowledged"));
  incident.resolved = FB_TRY(MaybeInstantAt(json, "resolved"));
  incident.active = json.contains("active") && json["active"] == true;
  incident.amount = FB_TRY(Money::Parse(TextAt(json, "amount")));
  incident.loss_per_hour = NumberAt(json, "loss_per_hour");
  for (const Json& id : json.value("anomalies", Json::array())) {
    if (id.is_string()) incident.anomalies.push_back(id.get<std::string>());
  }
  for (const Json& each : json.value("timeline", Json::array())) {
    incident.timeline.push_back({FB_TRY(InstantAt(each, "at")), TextAt(each, "what"),
                                 TextAt(each, "by"), TextAt(each, "text")});
  }
  return incident;
}

Result<Pattern> PatternFromJson(std::string_view text) {
  const Json json = FB_TRY(Parse(text));
  return Pattern{FB_TRY(KindAt(json)), ElementAt(json, "suspect"), TextAt(json, "currency")};
}

}  // namespace flyball::watch
