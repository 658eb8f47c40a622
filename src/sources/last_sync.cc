#include "sources/last_sync.h"

#include <nlohmann/json.hpp>

namespace flyball::sources {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kVersion = 1;

std::string PathOf(const std::string& home, const std::string& source) {
  return os::JoinPath(os::JoinPath(os::JoinPath(home, "sync"), source), "last.json");
}

std::optional<Instant> TimeAt(const Json& json, const char* name) {
  ParsedInstant parsed;
  if (!ParseInstant(json.value(name, ""), &parsed)) return std::nullopt;
  return parsed.instant;
}

}  // namespace

std::optional<LastSync> ReadLastSync(os::Files& files, const std::string& home,
                                     const std::string& source) {
  const std::string path = PathOf(home, source);
  if (!files.Exists(path)) return std::nullopt;
  const Result<std::string> text = files.ReadAll(path);
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object()) return std::nullopt;
  try {
    if (json.value("version", 0) != kVersion) return std::nullopt;
    LastSync last;
    const std::optional<Instant> time = TimeAt(json, "time");
    if (!time) return std::nullopt;
    last.time = *time;
    if (json.contains("succeeded")) last.succeeded = TimeAt(json, "succeeded");
    last.sets = json.at("sets").get<int64_t>();
    last.imported = json.at("imported").get<int64_t>();
    last.errors_more = json.at("errors_more").get<int64_t>();
    for (const Json& error : json.at("errors")) {
      last.errors.push_back(Error{Code::kUnknown,
                                  error.at("message").get<std::string>(),
                                  error.at("hint").get<std::string>(),
                                  {}});
    }
    return last;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Status WriteLastSync(os::Files& files, const std::string& home, const std::string& source,
                     LastSync last) {
  if (last.errors.empty()) {
    last.succeeded = last.time;
  } else if (const std::optional<LastSync> before = ReadLastSync(files, home, source)) {
    last.succeeded = before->succeeded;
  }
  if (last.errors.size() > kSyncErrorsKept) {
    last.errors_more = static_cast<int64_t>(last.errors.size() - kSyncErrorsKept);
    last.errors.resize(kSyncErrorsKept);
  }
  Json json{{"version", kVersion},     {"time", FormatInstant(last.time)},
            {"sets", last.sets},       {"imported", last.imported},
            {"errors", Json::array()}, {"errors_more", last.errors_more}};
  if (last.succeeded) json["succeeded"] = FormatInstant(*last.succeeded);
  for (const Error& error : last.errors) {
    json["errors"].push_back({{"message", error.message}, {"hint", error.hint}});
  }
  const std::string path = PathOf(home, source);
  FB_CHECK(files.MakeDirs(os::ParentPath(path)));
  return os::AtomicWrite(files, path,
                         json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace flyball::sources
