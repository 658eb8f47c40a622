#include "serve/tokens.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "os/files.h"
#include "os/secret.h"
#include "serve/service.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::ordered_json;

std::string TokensPath(const std::string& home) { return os::JoinPath(home, "tokens.json"); }
std::string AdminPath(const std::string& home) { return os::JoinPath(home, "token"); }

std::string ReadSmall(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string content(kTokenFileMaxBytes, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<size_t>(in.gcount()));
  return content;
}

// "" when the entry has no such text; the file may have been edited by hand.
std::string TextOf(const Json& entry, const char* name) {
  if (!entry.is_object() || !entry.contains(name) || !entry[name].is_string()) {
    return {};
  }
  return entry[name].get<std::string>();
}

// An absent file is an empty list; a broken one is an error, or whoever breaks it could start
// afresh.
Result<Json> ReadTokens(const std::string& home) {
  const std::string path = TokensPath(home);
  if (access(path.c_str(), F_OK) != 0) {
    return Json{{"version", 1}, {"tokens", Json::array()}};
  }
  Json document = Json::parse(ReadSmall(path), nullptr, false);
  if (!document.is_object() || !document.contains("tokens") || !document["tokens"].is_array()) {
    return Fail(Code::kDataLoss, "'" + path + "' can't be read",
                "restore it, or remove it and make new tokens");
  }
  return document;
}

// One change of the list at a time, also between processes.
Result<os::SecretLock> LockTokens(const std::string& home) {
  if (access(home.c_str(), F_OK) != 0) {
    return Fail(Code::kNotFound, "there is no folder '" + home + "'",
                "name the home of a ledger; `flyball import FILE` begins one");
  }
  return os::SecretLock::Take(os::JoinPath(home, "tokens.lock"));
}

std::string NewToken() {
  std::array<uint8_t, 32> random{};
  SecureRandomBytes(random.data(), random.size());
  return "fb_" + Hex(random);
}

Status AddToken(const std::string& home, std::string_view name, std::string_view token,
                Clock& clock) {
  Json document = FB_TRY(ReadTokens(home));
  Json& tokens = document["tokens"];
  if (tokens.size() >= kTokensMax) {
    return Fail(Code::kResourceExhausted, "there are too many tokens already");
  }
  for (const Json& entry : tokens) {
    if (TextOf(entry, "name") == name) {
      return Fail(Code::kAlreadyExists, "there is a token named '" + std::string(name) + "'",
                  "choose another name");
    }
  }
  tokens.push_back(
      {{"name", name}, {"sha256", Sha256Hex(token)}, {"created", FormatInstant(clock.Now())}});
  return os::WriteSecret(TokensPath(home), document.dump(2) + "\n");
}

}  // namespace

TokenStore::TokenStore(const std::string& home) : path_(TokensPath(home)) {}

void TokenStore::Reload() {
  entries_.clear();
  const Json document = Json::parse(ReadSmall(path_), nullptr, false);
  if (!document.is_object() || !document.contains("tokens") || !document["tokens"].is_array()) {
    return;  // nobody gets in with a broken list
  }
  for (const Json& entry : document["tokens"]) {
    if (entry.is_object() && entries_.size() < kTokensMax) {
      entries_.push_back({TextOf(entry, "name"), TextOf(entry, "sha256")});
    }
  }
}

std::optional<std::string> TokenStore::NameOf(std::string_view token) {
  if (token.empty()) {
    return std::nullopt;
  }
  const std::string hash = Sha256Hex(token);
  std::lock_guard lock(mutex_);
  const os::FileStamp stamp = os::StampOf(path_);
  if (stamp != stamp_) {
    stamp_ = stamp;
    Reload();
  }
  std::optional<std::string> name;
  for (const Entry& entry : entries_) {
    if (ConstantTimeEquals(entry.sha256, hash)) {
      name = entry.name;
    }
  }
  return name;
}

std::string TokenOf(std::string_view authorization) {
  const size_t blank = authorization.find(' ');
  if (blank == std::string_view::npos) {
    return {};
  }
  const std::string_view scheme = authorization.substr(0, blank);
  const std::string_view value = Trim(authorization.substr(blank + 1));
  if (EqualsIgnoreCase(scheme, "Bearer")) {
    return std::string(value);
  }
  if (EqualsIgnoreCase(scheme, "Basic")) {
    const std::string decoded = FromBase64(value);
    const size_t colon = decoded.find(':');
    return colon == std::string::npos ? std::string() : decoded.substr(colon + 1);
  }
  return {};
}

Status EnsureAdminToken(const std::string& home, Clock& clock) {
  const os::SecretLock lock = FB_TRY(LockTokens(home));
  const Json document = FB_TRY(ReadTokens(home));
  for (const Json& entry : document["tokens"]) {
    if (TextOf(entry, "name") == kLocalToken) {
      return {};
    }
  }
  const std::string token = NewToken();
  FB_CHECK(os::WriteSecret(AdminPath(home), token + "\n"));
  return AddToken(home, kLocalToken, token, clock);
}

Result<std::string> CreateToken(const std::string& home, const std::string& name, Clock& clock) {
  constexpr size_t kNameMaxBytes = 100;
  if (!os::IsPlainName(name) || name.size() > kNameMaxBytes) {
    return Fail(Code::kInvalidArgument, "'" + name + "' is no name for a token",
                "use up to 100 letters, digits and dashes");
  }
  if (name == kLocalToken) {
    return Fail(Code::kInvalidArgument,
                "'" + name + "' is the token that the server writes into the home folder",
                "choose another name");
  }
  const os::SecretLock lock = FB_TRY(LockTokens(home));
  std::string token = NewToken();
  FB_CHECK(AddToken(home, name, token, clock));
  return token;
}

}  // namespace flyball::serve
