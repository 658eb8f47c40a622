#include "gateway/keys.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/desk.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::ordered_json;

std::string KeysPath(const std::string& home) {
  return os::JoinPath(GatewayFolder(home), "keys.json");
}
std::string LockPath(const std::string& home) {
  return os::JoinPath(GatewayFolder(home), "keys.lock");
}

std::string TextOf(const Json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json ToJson(const VirtualKey& key) {
  Json json{{"id", key.id}, {"name", key.name}};
  if (!key.team.empty()) json["team"] = key.team;
  if (!key.project.empty()) json["project"] = key.project;
  if (!key.use_case.empty()) json["use_case"] = key.use_case;
  if (!key.models.empty()) json["models"] = key.models;
  json["created"] = FormatInstant(key.created);
  if (key.expires) json["expires"] = FormatInstant(*key.expires);
  json["revoked"] = key.revoked;
  return json;
}

std::optional<VirtualKey> FromJson(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  VirtualKey key;
  key.id = TextOf(entry, "id");
  key.name = TextOf(entry, "name");
  key.team = TextOf(entry, "team");
  key.project = TextOf(entry, "project");
  key.use_case = TextOf(entry, "use_case");
  key.sha256 = TextOf(entry, "sha256");
  if (entry.contains("models") && entry["models"].is_array()) {
    for (const Json& model : entry["models"]) {
      if (model.is_string()) key.models.push_back(model.get<std::string>());
    }
    if (key.models.empty()) return std::nullopt;  // damaged: not "all models"
  }
  const Result<Instant> created = ParseUserInstant(TextOf(entry, "created"));
  if (created) key.created = *created;
  if (entry.contains("expires")) {
    const Result<Instant> expires = ParseUserInstant(TextOf(entry, "expires"));
    if (!expires) return std::nullopt;
    key.expires = *expires;
  }
  key.revoked = !entry.contains("revoked") || entry["revoked"] != false;
  if (key.id.empty() || key.sha256.size() != 64) return std::nullopt;
  return key;
}

// An absent file is an empty list; a broken one is an error, or whoever breaks it could start
// afresh.
Result<std::vector<VirtualKey>> ReadKeys(os::Files& files, const std::string& home) {
  const std::string path = KeysPath(home);
  if (!files.Exists(path)) return std::vector<VirtualKey>();
  const Json document = Json::parse(FB_TRY(files.ReadAll(path)), nullptr, false);
  const auto broken = [&] {
    return Fail(Code::kDataLoss, "'" + path + "' can't be read",
                "restore it, or remove it and make new keys");
  };
  if (!document.is_object() || !document.contains("keys") || !document["keys"].is_array()) {
    return broken();
  }
  std::vector<VirtualKey> keys;
  for (const Json& entry : document["keys"]) {
    std::optional<VirtualKey> key = FromJson(entry);
    if (!key) return broken();
    keys.push_back(*std::move(key));
  }
  return keys;
}

Status WriteKeys(const std::string& home, const std::vector<VirtualKey>& keys) {
  Json document{{"version", 1}, {"keys", Json::array()}};
  for (const VirtualKey& key : keys) {
    Json entry = ToJson(key);
    entry["sha256"] = key.sha256;
    document["keys"].push_back(std::move(entry));
  }
  return os::WriteSecret(KeysPath(home), document.dump(2) + "\n");
}

Status CheckText(std::string_view what, const std::string& text) {
  bool plain = text.size() <= kKeyTextMaxBytes && ValidUtf8Prefix(text) == text.size();
  for (char c : text) plain = plain && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  if (plain) return {};
  return Fail(Code::kInvalidArgument, fmt::format("the {} of a key is no plain text", what),
              fmt::format("at most {} bytes of UTF-8 in one line", kKeyTextMaxBytes));
}

Status Check(const VirtualKey& key) {
  FB_CHECK(CheckText("name", key.name));
  FB_CHECK(CheckText("team", key.team));
  FB_CHECK(CheckText("project", key.project));
  FB_CHECK(CheckText("use case", key.use_case));
  if (key.models.size() > kKeyModelsMax) {
    return Fail(Code::kInvalidArgument, "a key may name at most 100 models");
  }
  for (const std::string& model : key.models) {
    FB_CHECK(CheckText("models", model));
    if (model.empty()) return Fail(Code::kInvalidArgument, "a model of the key has no name");
  }
  return {};
}

std::string RandomHex(size_t bytes) {
  std::array<uint8_t, 32> random{};
  SecureRandomBytes(random.data(), bytes);
  return Hex(std::span(random).first(bytes));
}

}  // namespace

bool VirtualKey::MayUse(std::string_view model) const {
  if (models.empty()) return true;
  for (const std::string& glob : models) {
    if (GlobMatch(glob, model)) return true;
  }
  return false;
}

std::string KeyJson(const VirtualKey& key) { return ToJson(key).dump(); }

Result<CreatedKey> CreateKey(os::Files& files, const std::string& home, VirtualKey wanted,
                             Clock& clock) {
  if (!files.Exists(home)) {
    return Fail(Code::kNotFound, "there is no folder '" + home + "'",
                "name the home of a ledger; `flyball import FILE` begins one");
  }
  FB_CHECK(files.MakeDirs(GatewayFolder(home)));
  const os::SecretLock lock = FB_TRY(os::SecretLock::Take(LockPath(home)));
  std::vector<VirtualKey> keys = FB_TRY(ReadKeys(files, home));
  if (keys.size() >= kKeysMax) {
    return Fail(Code::kResourceExhausted, "there are too many keys already");
  }
  CreatedKey created;
  created.secret = "fbk_" + RandomHex(32);
  wanted.id = "key-" + RandomHex(6);
  if (wanted.name.empty()) wanted.name = wanted.id;
  wanted.created = clock.Now();
  wanted.sha256 = Sha256Hex(created.secret);
  FB_CHECK(Check(wanted));
  for (const VirtualKey& key : keys) {
    if (key.name != wanted.name && key.id != wanted.name) continue;
    return Fail(Code::kAlreadyExists, "there is a key named '" + wanted.name + "'",
                "choose another name");
  }
  keys.push_back(wanted);
  FB_CHECK(WriteKeys(home, keys));
  created.key = std::move(wanted);
  return created;
}

std::string CreatedKeyJson(const CreatedKey& made) {
  Json json{{"key", made.secret}};
  const Json facts = Json::parse(KeyJson(made.key), nullptr, false);
  for (const auto& [name, value] : facts.items()) json[name] = value;
  return json.dump();
}

Result<VirtualKey> RevokeKey(os::Files& files, const std::string& home, std::string_view which) {
  if (!files.Exists(KeysPath(home))) return Fail(Code::kNotFound, "there are no keys yet");
  const os::SecretLock lock = FB_TRY(os::SecretLock::Take(LockPath(home)));
  std::vector<VirtualKey> keys = FB_TRY(ReadKeys(files, home));
  for (VirtualKey& key : keys) {
    if (key.id != which && key.name != which) continue;
    key.revoked = true;
    VirtualKey revoked = key;
    FB_CHECK(WriteKeys(home, keys));
    return revoked;
  }
  return Fail(Code::kNotFound, "there is no key '" + std::string(which) + "'",
              "`flyball keys list` shows them");
}

Result<std::vector<VirtualKey>> ListKeys(os::Files& files, const std::string& home) {
  return ReadKeys(files, home);
}

KeyStore::KeyStore(os::Files& files, const std::string& home) : files_(files), home_(home) {
  Refresh();
}

void KeyStore::Refresh() {
  const os::FileStamp stamp = os::StampOf(KeysPath(home_));
  if (stamp == stamp_) return;
  stamp_ = stamp;
  by_hash_.clear();
  Result<std::vector<VirtualKey>> keys = ReadKeys(files_, home_);
  if (!keys) {
    log::Error("the keys cannot be read: nobody is let in", {{"why", keys.error().ToString()}});
    return;
  }
  for (VirtualKey& key : *keys) {
    const std::string hash = key.sha256;
    by_hash_.emplace(hash, std::make_shared<const VirtualKey>(std::move(key)));
  }
}

std::shared_ptr<const VirtualKey> KeyStore::Find(std::string_view secret) const {
  if (secret.empty() || secret.size() > kKeyTextMaxBytes) return nullptr;
  const auto found = by_hash_.find(Sha256Hex(secret));
  return found == by_hash_.end() ? nullptr : found->second;
}

}  // namespace flyball::gateway
