#include "health/conformance.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "health/health.h"

namespace flyball::health {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kVersion = 1;

std::string PathOf(const std::string& home, const std::string& content_hash) {
  return os::JoinPath(os::JoinPath(home, "checks"), content_hash + ".json");
}

Status Keep(os::Files& files, const std::string& home, const std::string& content_hash,
            const Json& kept) {
  if (!os::IsPlainName(content_hash)) {
    return Fail(Code::kInvalidArgument, "'" + content_hash + "' is no hash of a bill");
  }
  const std::string path = PathOf(home, content_hash);
  FB_CHECK(files.MakeDirs(os::ParentPath(path)));
  return os::AtomicWrite(files, path,
                         kept.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

bool IsDuty(const Json& rule) { return rule.value("keyword", "").starts_with("MUST"); }

Json BrokenRule(const Json& result) {
  Json rule{{"id", result.at("id")},
            {"keyword", result.at("keyword")},
            {"rows", result.value("rows", int64_t{0})},
            {"text", result.at("text")},
            {"remedy", result.value("remedy", "")}};
  // Of the currency that most of the rows' cost is in, as the check has it first.
  if (const Json cost = result.value("cost", Json::array()); !cost.empty()) {
    rule["share_percent"] = cost.front().at("share_percent");
  }
  return rule;
}

// Duties first, then those that most rows break.
Json BrokenRules(const Json& results) {
  std::vector<Json> broken;
  for (const Json& result : results) {
    // Of a composite its parts say what is wrong.
    if (result.at("verdict") != "failed" || result.at("function") == "Composite") continue;
    broken.push_back(BrokenRule(result));
  }
  std::ranges::sort(broken, [](const Json& a, const Json& b) {
    if (IsDuty(a) != IsDuty(b)) return IsDuty(a);
    if (a["rows"] != b["rows"]) return a["rows"] > b["rows"];
    return a["id"] < b["id"];
  });
  return broken;
}

}  // namespace

Status KeepCheck(os::Files& files, const std::string& home, const std::string& content_hash,
                 const std::string& report_json, Instant now) {
  const Json report = Json::parse(report_json, nullptr, false);
  Json kept;
  try {
    Json broken = BrokenRules(report.at("results"));
    const size_t all = broken.size();
    if (all > kFailedRulesMax) {
      broken.erase(broken.begin() + static_cast<std::ptrdiff_t>(kFailedRulesMax), broken.end());
    }
    kept = {{"version", kVersion},
            {"time", FormatInstant(now)},
            {"focus", report.at("focus")},
            {"rules_from", report.at("rules_from")},
            {"rows", report.at("rows")},
            {"rules", report.at("rules")},
            {"providers", report.at("providers")},
            {"broken", broken},
            {"broken_more", all - broken.size()}};
  } catch (const Json::exception& fault) {
    return Fail(Code::kInternal,
                std::string("the report of the check cannot be read: ") + fault.what());
  }
  return Keep(files, home, content_hash, kept);
}

Status KeepUnchecked(os::Files& files, const std::string& home, const std::string& content_hash,
                     const std::string& reason, Instant now) {
  return Keep(files, home, content_hash,
              {{"version", kVersion}, {"time", FormatInstant(now)}, {"reason", reason}});
}

std::optional<std::string> ReadCheck(os::Files& files, const std::string& home,
                                     const std::string& content_hash) {
  const std::string path = PathOf(home, content_hash);
  if (!os::IsPlainName(content_hash) || !files.Exists(path)) return std::nullopt;
  const Result<std::string> text = files.ReadAll(path);
  Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object() || !json.contains("version") || json["version"] != kVersion) {
    return std::nullopt;
  }
  json.erase("version");
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::health
