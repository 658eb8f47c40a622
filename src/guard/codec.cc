#include "guard/codec.h"

namespace flyball::guard {
namespace {

// 128 bits by sevens.
constexpr size_t kWideBytesMax = 19;

template <typename T>
void PutAny(T value, std::string* out) {
  char bytes[kWideBytesMax];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(static_cast<unsigned>(value & 0x7f) | 0x80u);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out->append(bytes, size);
}

}  // namespace

void PutNumber(uint64_t value, std::string* out) { PutAny(value, out); }

void PutSigned(int64_t value, std::string* out) {
  PutNumber((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63), out);
}

void PutAmount(budget::Amount value, std::string* out) {
  uint128 zigzag = (static_cast<uint128>(value) << 1) ^ static_cast<uint128>(value >> 127);
  // Nearly all fit into half of it, which is much quicker.
  auto low = static_cast<uint64_t>(zigzag);
  if (low == zigzag) {
    PutAny(low, out);
  } else {
    PutAny(zigzag, out);
  }
}

void PutText(std::string_view text, std::string* out) {
  PutNumber(text.size(), out);
  out->append(text);
}

uint128 Reader::Wide(int max_bits) {
  uint128 value = 0;
  for (int shift = 0; shift < max_bits; shift += 7) {
    if (bytes_.empty()) break;
    auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    uint128 bits = byte & 0x7fu;
    if (shift + 7 > max_bits && (bits >> (max_bits - shift)) != 0) break;
    value |= bits << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

uint64_t Reader::Number() { return static_cast<uint64_t>(Wide(64)); }

uint64_t Reader::NumberUpTo(uint64_t max) {
  uint64_t value = Number();
  if (value <= max) return value;
  Fail();
  return 0;
}

int64_t Reader::Signed() {
  uint64_t value = Number();
  return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
}

budget::Amount Reader::Amount() {
  uint128 value = Wide(128);
  return static_cast<budget::Amount>((value >> 1) ^ (0 - (value & 1)));
}

std::string_view Reader::Text(size_t max_bytes) {
  uint64_t size = Number();
  if (size > bytes_.size() || size > max_bytes) {
    Fail();
    return {};
  }
  std::string_view text = bytes_.substr(0, static_cast<size_t>(size));
  bytes_.remove_prefix(static_cast<size_t>(size));
  return text;
}

}  // namespace flyball::guard
