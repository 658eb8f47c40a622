// Hashes. Sha256 names content (files, commits, queries); Hash64 keys signatures (XXH3, seed 0,
// stable on disk).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace flyball {

using Digest = std::array<uint8_t, 32>;

// Streaming SHA-256 (OpenSSL). Not thread-safe; one writer.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void Update(std::string_view bytes);
  Digest Finish();  // ends the object's life: no Update or Finish may follow

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest Sha256Of(std::string_view bytes);
std::string Hex(std::span<const uint8_t> bytes);
inline std::string Sha256Hex(std::string_view bytes) {
  Digest digest = Sha256Of(bytes);
  return Hex(digest);
}
uint64_t Hash64(std::string_view bytes);
// CRC-32C (Castagnoli). `before` is the checksum of what comes before: Crc32c(b, Crc32c(a)) ==
// Crc32c(a + b).
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);
// Compares secrets in time that does not depend on where they differ.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

namespace internal {
// What Crc32c falls back to where the processor has no instruction for it; tests hold the two
// against each other.
uint32_t Crc32cByTable(std::string_view bytes, uint32_t before = 0);
}  // namespace internal

}  // namespace flyball
