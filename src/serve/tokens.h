// Tokens: who may write. home/tokens.json keeps the SHA-256 of each token with its name, home/token
// the admin token itself for the command line of the same user; both are readable by this user
// only. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/secret.h"

namespace flyball::serve {

// The name of the token in home/token.
inline constexpr std::string_view kLocalToken = "admin";
inline constexpr size_t kTokensMax = 1000;
inline constexpr size_t kTokenFileMaxBytes = 1u << 20;

class TokenStore {
 public:
  explicit TokenStore(const std::string& home);
  // The name of the token's holder. Reads the file again when it has changed, so that `flyball
  // token` takes hold at once.
  std::optional<std::string> NameOf(std::string_view token);

 private:
  struct Entry {
    std::string name;
    std::string sha256;
  };
  void Reload();

  std::string path_;
  std::mutex mutex_;
  os::FileStamp stamp_;
  std::vector<Entry> entries_;
};

// The token of an Authorization header: "Bearer T", or "Basic" with T as the password; "" when
// there is none.
std::string TokenOf(std::string_view authorization);

}  // namespace flyball::serve
