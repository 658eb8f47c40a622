// Keys asked for, made and revoked by JSON: what the server's routes say.
#include <array>
#include <nlohmann/json.hpp>

#include "gateway/keys.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kRequestMaxBytes = 64u << 10;

std::unexpected<Error> Wrong(std::string_view member, std::string_view expected) {
  return Fail(Code::kInvalidArgument, fmt::format("'{}' {}", member, expected));
}

Result<std::string> TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::string();
  if (!found->is_string()) return Wrong(name, "is a text");
  return found->get<std::string>();
}

// A misspelt word would make a key that may do more than was meant.
template <size_t kCount>
Status CheckMembers(const Json& json, const std::array<std::string_view, kCount>& known) {
  for (const auto& [name, value] : json.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Wrong(name, "is no part of the request");
    }
  }
  return {};
}

Result<VirtualKey> ReadKey(const Json& json) {
  static constexpr std::array<std::string_view, 6> kKnown = {"name",     "team",   "project",
                                                             "use_case", "models", "expires"};
  FB_CHECK(CheckMembers(json, kKnown));
  VirtualKey key;
  key.name = FB_TRY(TextOf(json, "name"));
  key.team = FB_TRY(TextOf(json, "team"));
  key.project = FB_TRY(TextOf(json, "project"));
  key.use_case = FB_TRY(TextOf(json, "use_case"));
  if (json.contains("models")) {
    const Json& models = json["models"];
    if (!models.is_array()) return Wrong("models", "is a list of texts");
    for (const Json& model : models) {
      if (!model.is_string()) return Wrong("models", "is a list of texts");
      key.models.push_back(model.get<std::string>());
    }
  }
  const std::string expires = FB_TRY(TextOf(json, "expires"));
  if (!expires.empty()) key.expires = FB_TRY(ParseUserInstant(expires));
  return key;
}

std::string ListJson(const std::vector<VirtualKey>& keys) {
  std::string out = R"({"keys":[)";
  for (const VirtualKey& key : keys) {
    if (&key != keys.data()) out += ",";
    out += KeyJson(key);
  }
  return out + "]}";
}

}  // namespace

std::string CreatedKeyJson(const CreatedKey& made) {
  Json json{{"key", made.secret}};
  const Json facts = Json::parse(KeyJson(made.key), nullptr, false);
  for (const auto& [name, value] : facts.items()) json[name] = value;
  return json.dump();
}

Result<std::string> AdministerKeys(os::Files& files, const std::string& home, Clock& clock,
                                   std::string_view method, std::string_view path,
                                   std::string_view body) {
  if (method == "GET" && path == "/keys") return ListJson(FB_TRY(ListKeys(files, home)));
  if (method != "POST") return Fail(Code::kUnimplemented, "the desk takes GET and POST");
  if (body.size() > kRequestMaxBytes) {
    return Fail(Code::kInvalidArgument, "the request is longer than 64 KiB");
  }
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return Fail(Code::kInvalidArgument, "the body is no JSON object");
  if (path == "/keys") {
    return CreatedKeyJson(FB_TRY(CreateKey(files, home, FB_TRY(ReadKey(json)), clock)));
  }
  if (path == "/keys/revoke") {
    FB_CHECK(CheckMembers(json, std::array<std::string_view, 1>{"key"}));
    return KeyJson(FB_TRY(RevokeKey(files, home, FB_TRY(TextOf(json, "key")))));
  }
  return Fail(Code::kNotFound, "the desk has no such page");
}

}  // namespace flyball::gateway
