#include "reconcile/evidence.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "os/journal.h"
#include "rates/price_book.h"

namespace flyball::reconcile {
namespace {

using Json = nlohmann::ordered_json;

std::string MonthOf(Instant at) { return FormatDate(at).substr(0, 7); }

Json LinesJson(const std::vector<metered::Line>& lines) {
  Json json = Json::array();
  for (const metered::Line& line : lines) {
    json.push_back(Json::array(
        {Info(line.meter).name, line.quantity, line.unit_price.ToString(), line.cost.ToString()}));
  }
  return json;
}

Json ToJson(const Evidence& evidence) {
  Json json{{"vendor", evidence.key.vendor},
            {"day", FormatDate(evidence.key.day)},
            {"model", evidence.key.model},
            {"currency", evidence.key.currency},
            {"bill", evidence.bill},
            {"sha256", evidence.sha256},
            {"theirs", evidence.theirs.ToString()}};
  if (evidence.superseded) json["superseded"] = true;
  if (!evidence.spread.is_zero()) json["spread"] = evidence.spread.ToString();
  Json& calls = json["calls"] = Json::array();
  for (const Correction& correction : evidence.corrections) {
    Json& call = calls.emplace_back(Json{{"id", fmt::format("{:016x}", correction.call)},
                                         {"at", correction.at.us},
                                         {"cost", correction.cost.ToString()}});
    if (!correction.lines.empty()) call["lines"] = LinesJson(correction.lines);
  }
  return json;
}

// Throws what nlohmann throws; Decode below makes one error of it.
metered::Line LineOf(const Json& json) {
  const std::optional<Bucket> meter = BucketByName(json.at(0).get<std::string>());
  return {meter.value(), json.at(1).get<int64_t>(),
          Money::Parse(json.at(2).get<std::string>()).value(),
          Money::Parse(json.at(3).get<std::string>()).value()};
}

Evidence EvidenceOf(const Json& json) {
  const auto money = [&json](const char* name) {
    return Money::Parse(json.value(name, "0")).value();
  };
  Evidence evidence;
  evidence.key = {json.at("vendor"), ParseUserInstant(json.at("day").get<std::string>()).value(),
                  json.at("model"), json.at("currency")};
  evidence.bill = json.at("bill");
  evidence.sha256 = json.at("sha256");
  evidence.theirs = money("theirs");
  evidence.superseded = json.value("superseded", false);
  evidence.spread = money("spread");
  for (const Json& call : json.at("calls")) {
    Correction& correction = evidence.corrections.emplace_back();
    const std::string id = call.at("id");
    std::from_chars(id.data(), id.data() + id.size(), correction.call, 16);
    correction.at = Instant{call.at("at").get<int64_t>()};
    correction.cost = Money::Parse(call.at("cost").get<std::string>()).value();
    if (!call.contains("lines")) continue;
    for (const Json& line : call["lines"]) correction.lines.push_back(LineOf(line));
  }
  return evidence;
}

// Of each call the cost that was told first.
using FirstCosts = std::unordered_map<uint64_t, Money>;

Status Decode(std::string_view payload, const std::function<bool()>& stops, EvidenceByKey* all,
              FirstCosts* first) {
  try {
    const Json records = Json::parse(payload);
    for (const Json& json : records) {
      if (stops && stops()) return Fail(Code::kCancelled, "the reading of evidence was ended");
      Evidence evidence = EvidenceOf(json);
      for (Correction& correction : evidence.corrections) {
        if (correction.call == 0) continue;
        correction.first = first->emplace(correction.call, correction.cost).first->second;
      }
      Key key = evidence.key;
      all->insert_or_assign(std::move(key), std::move(evidence));
    }
  } catch (const std::exception& error) {
    return Fail(Code::kDataLoss,
                fmt::format("a record of vendors' evidence can't be read: {}", error.what()));
  }
  return {};
}

}  // namespace

std::string EvidencePath(const std::string& calls_folder, const std::string& month) {
  return os::JoinPath(calls_folder, "evidence-" + month + ".journal");
}

Key KeyOf(const std::string& provider, Instant at, const std::string& model,
          const std::string& currency) {
  return {rates::CanonicalProvider(provider), FloorDay(at), model, currency};
}

Key KeyOf(const metered::Dispatch& dispatch, const std::string& answered_model) {
  return KeyOf(dispatch.provider, dispatch.at,
               answered_model.empty() ? dispatch.model : answered_model, dispatch.currency);
}

std::string AnswerKeyOf(const Key& key, std::string_view answer_id) {
  std::string text = key.vendor;
  text.push_back('\0');
  text += key.currency;
  text.push_back('\0');
  return text += answer_id;
}

Result<EvidenceByKey> ReadEvidence(os::Files& files, const std::string& calls_folder,
                                   const std::string& month, const std::function<bool()>& stops) {
  EvidenceByKey all;
  const std::string path = EvidencePath(calls_folder, month);
  if (!files.Exists(path)) return all;
  FirstCosts first;
  FB_CHECK(os::Journal::Read(files, path, [&](uint64_t, std::string_view payload) {
    return Decode(payload, stops, &all, &first);
  }));
  return all;
}

Status WriteEvidence(os::Files& files, const std::string& calls_folder,
                     const std::vector<Evidence>& all) {
  std::map<std::string, Json> by_month;
  for (const Evidence& evidence : all)
    by_month[MonthOf(evidence.key.day)].push_back(ToJson(evidence));
  for (const auto& [month, json] : by_month) {
    os::Journal journal =
        FB_TRY(os::Journal::Open(files, EvidencePath(calls_folder, month),
                                 [](uint64_t, std::string_view) { return Status(); }));
    FB_CHECK(journal.Append(json.dump(), true));
  }
  return by_month.empty() ? Status() : files.SyncDir(calls_folder);
}

std::string EvidenceLock(const std::string& calls_folder) {
  return os::JoinPath(calls_folder, "EVIDENCE.LOCK");
}

}  // namespace flyball::reconcile
