// Virtual keys: who calls, and what for. home/gateway/keys.json keeps the SHA-256 of each key with
// its attributes; the key itself is shown once, when it is made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"
#include "os/files.h"
#include "os/secret.h"

namespace flyball::gateway {

struct VirtualKey {
  std::string id;    // "key-" and 12 hex digits: names the key in budgets, logs and lists
  std::string name;  // for people; unique
  std::string team, project, use_case;  // empty: a header of the call may say
  std::vector<std::string> models;      // globs; empty: all
  std::optional<Instant> expires;
  Instant created;
  bool revoked = false;
  std::string sha256;

  bool MayUse(std::string_view model) const;
  bool IsGood(Instant now) const { return !revoked && (!expires || now < *expires); }
};

inline constexpr size_t kKeysMax = 100'000;
inline constexpr size_t kKeyTextMaxBytes = 200;  // of a name, a team, a model's glob
inline constexpr size_t kKeyModelsMax = 100;

struct CreatedKey {
  VirtualKey key;
  std::string secret;  // "fbk_" and 64 hex digits
};
// Writes it into the home, whose folder is made when there is none. ALREADY_EXISTS for a name that
// a key has.
Result<CreatedKey> CreateKey(os::Files& files, const std::string& home, VirtualKey wanted,
                             Clock& clock);
// By id or name. It stays in the list, so that what was spent with it keeps its name. NOT_FOUND.
Result<VirtualKey> RevokeKey(os::Files& files, const std::string& home, std::string_view which);
Result<std::vector<VirtualKey>> ListKeys(os::Files& files, const std::string& home);
// As the API and the CLI show it: all but the hash.
std::string KeyJson(const VirtualKey& key);

// What a key's maker is shown: the secret as "key", then what KeyJson says.
std::string CreatedKeyJson(const CreatedKey& made);

// What the gateway looks keys up in, and the administrator's token. One thread.
class KeyStore {
 public:
  KeyStore(os::Files& files, const std::string& home);
  // Reads again what has changed. A list that can't be read lets nobody in, one that is broken
  // neither, a key that is broken not itself; all is told in the log. What could not be read is
  // tried again by the next Refresh.
  void Refresh();
  // nullptr: no such key. By its hash: what a comparison tells by its time is of no use.
  std::shared_ptr<const VirtualKey> Find(std::string_view secret) const;
  // Whether it is the token in the file `token` of the home; without one nothing is.
  bool IsAdmin(std::string_view secret) const;
  size_t size() const { return by_hash_.size(); }

 private:
  void RefreshKeys();
  void RefreshToken();

  os::Files& files_;
  std::string home_;
  os::FileStamp stamp_;
  std::unordered_map<std::string, std::shared_ptr<const VirtualKey>> by_hash_;
  std::string unread_;  // why the list could not be read last, so that it is told once
  os::FileStamp token_stamp_;
  std::string token_sha256_;  // "": there is none
};

}  // namespace flyball::gateway
