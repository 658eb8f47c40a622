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

std::string TokenPath(const std::string& home) { return os::JoinPath(home, "token"); }

std::unexpected<Error> BrokenKey(std::string_view what) {
  return Fail(Code::kDataLoss, std::string(what));
}

// Absent is empty. What is no text is damage, and not empty: an empty team lets callers say theirs.
Result<std::string> TextOf(const Json& entry, const char* name) {
  const auto found = entry.find(name);
  if (found == entry.end()) return std::string();
  if (!found->is_string()) return BrokenKey(fmt::format("'{}' is no text", name));
  return found->get<std::string>();
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

// Models that can't be read must not become "all models".
Result<std::vector<std::string>> ModelsOf(const Json& entry) {
  std::vector<std::string> models;
  const auto found = entry.find("models");
  if (found == entry.end()) return models;
  if (!found->is_array() || found->empty()) return BrokenKey("'models' is no list of models");
  for (const Json& model : *found) {
    if (!model.is_string()) return BrokenKey("'models' holds something that is no text");
    models.push_back(model.get<std::string>());
  }
  return models;
}

// DATA_LOSS says what is wrong with it.
Result<VirtualKey> FromJson(const Json& entry) {
  if (!entry.is_object()) return BrokenKey("it is no object");
  VirtualKey key;
  key.id = FB_TRY(TextOf(entry, "id"));
  key.name = FB_TRY(TextOf(entry, "name"));
  key.team = FB_TRY(TextOf(entry, "team"));
  key.project = FB_TRY(TextOf(entry, "project"));
  key.use_case = FB_TRY(TextOf(entry, "use_case"));
  key.sha256 = FB_TRY(TextOf(entry, "sha256"));
  key.models = FB_TRY(ModelsOf(entry));
  const Result<Instant> created = ParseUserInstant(FB_TRY(TextOf(entry, "created")));
  if (created) key.created = *created;
  if (entry.contains("expires")) {
    const Result<Instant> expires = ParseUserInstant(FB_TRY(TextOf(entry, "expires")));
    if (!expires) return BrokenKey("'expires' is no date");
    key.expires = *expires;
  }
  key.revoked = !entry.contains("revoked") || entry["revoked"] != false;
  if (key.id.empty()) return BrokenKey("it has no 'id'");
  if (key.sha256.size() != 64) return BrokenKey("'sha256' is no hash");
  return key;
}

// What stands in the file, key by key. An absent file is an empty list; a broken one is an error,
// or whoever breaks it could start afresh.
struct StoredKeys {
  std::vector<VirtualKey> keys;
  std::vector<Error> broken;  // each of a key that is none
};
Result<StoredKeys> ReadEntries(os::Files& files, const std::string& home) {
  const std::string path = KeysPath(home);
  StoredKeys stored;
  if (!files.Exists(path)) return stored;
  const Json document = Json::parse(FB_TRY(files.ReadAll(path)), nullptr, false);
  if (!document.is_object() || !document.contains("keys") || !document["keys"].is_array()) {
    return Fail(Code::kDataLoss, "'" + path + "' can't be read",
                "restore it, or remove it and make new keys");
  }
  size_t number = 0;
  for (const Json& entry : document["keys"]) {
    ++number;
    Result<VirtualKey> key = FromJson(entry);
    if (key) {
      stored.keys.push_back(*std::move(key));
      continue;
    }
    const std::string id =
        entry.is_object() && entry.contains("id") ? entry["id"].dump() : "without an id";
    stored.broken.push_back(Error{
        Code::kDataLoss,
        fmt::format("key {} of '{}' ({}) is broken: {}", number, path, id, key.error().message),
        "mend it there, or remove it and make a new one",
        {}});
  }
  return stored;
}

// For changes and lists: nothing is written back without what could not be read.
Result<std::vector<VirtualKey>> ReadKeys(os::Files& files, const std::string& home) {
  StoredKeys stored = FB_TRY(ReadEntries(files, home));
  if (!stored.broken.empty()) return Fail(stored.broken.front());
  return std::move(stored.keys);
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

Status Check(const VirtualKey& key, Instant now) {
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
  if (key.expires && *key.expires <= now) {
    return Fail(Code::kInvalidArgument,
                "the key would have expired on " + FormatInstant(*key.expires),
                "name a day to come, or none");
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
  FB_CHECK(Check(wanted, clock.Now()));
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
  RefreshKeys();
  RefreshToken();
}

void KeyStore::RefreshKeys() {
  const os::FileStamp stamp = os::StampOf(KeysPath(home_));
  if (stamp == stamp_) return;
  by_hash_.clear();
  Result<StoredKeys> stored = ReadEntries(files_, home_);
  // What is wrong with the content stays wrong until it changes; a disk may be better at once.
  if (stored || stored.error().code == Code::kDataLoss) stamp_ = stamp;
  if (!stored) {
    const std::string why = stored.error().ToString();
    if (why != unread_) {
      log::Error("the keys cannot be read: nobody is let in", {{"why", why}});
    }
    unread_ = why;
    return;
  }
  unread_.clear();
  for (const Error& broken : stored->broken) {
    log::Error("a key can't be read and is not let in", {{"why", broken.ToString()}});
  }
  for (VirtualKey& key : stored->keys) {
    const std::string hash = key.sha256;
    by_hash_.emplace(hash, std::make_shared<const VirtualKey>(std::move(key)));
  }
}

void KeyStore::RefreshToken() {
  const os::FileStamp stamp = os::StampOf(TokenPath(home_));
  if (stamp == token_stamp_) return;
  token_sha256_.clear();
  if (stamp == os::FileStamp{}) {
    token_stamp_ = stamp;
    return;
  }
  const Result<std::string> text = files_.ReadAll(TokenPath(home_));
  if (!text) return;  // tried again
  token_stamp_ = stamp;
  const std::string_view token = Trim(*text);
  if (!token.empty()) token_sha256_ = Sha256Hex(token);
}

bool KeyStore::IsAdmin(std::string_view secret) const {
  return !token_sha256_.empty() && ConstantTimeEquals(Sha256Hex(secret), token_sha256_);
}

std::shared_ptr<const VirtualKey> KeyStore::Find(std::string_view secret) const {
  if (secret.empty() || secret.size() > kKeyTextMaxBytes) return nullptr;
  const auto found = by_hash_.find(Sha256Hex(secret));
  return found == by_hash_.end() ? nullptr : found->second;
}

}  // namespace flyball::gateway
