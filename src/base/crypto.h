// The few primitives that signing and verifying take, over OpenSSL: texts in, raw bytes out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball {

std::string HmacSha256(std::string_view key, std::string_view text);
// RSASSA-PKCS1-v1_5 with SHA-256 ("RS256"). INVALID_ARGUMENT when the PEM holds no private key of
// RSA.
Result<std::string> SignRs256(std::string_view pem, std::string_view text);
std::string HexOf(std::string_view bytes);

std::string Base64(std::string_view bytes);
// As in JSON web tokens: '-' and '_', no padding.
std::string Base64Url(std::string_view bytes);
// "" for what is no Base64.
std::string FromBase64(std::string_view text);
// "" for what is no hexadecimal text.
std::string FromHex(std::string_view text);

// Streaming MD5: stores tell it of what they hold. It finds accidents, not attackers.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;
  void Update(std::string_view bytes);
  std::string Finish();  // 16 bytes; no Update may follow

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace flyball
