// The bytes of records: little numbers take few bytes. Writing appends to a string that keeps its
// room; reading never goes past the end and never trusts a length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/budget.h"

namespace flyball::guard {

// LEB128: seven bits a byte, the lowest first.
void PutNumber(uint64_t value, std::string* out);
// Zigzag, so that small negative numbers are short too.
void PutSigned(int64_t value, std::string* out);
void PutAmount(budget::Amount value, std::string* out);
void PutText(std::string_view text, std::string* out);

// Reads what the functions above wrote. After the first fault every read answers zero and ok() is
// false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  bool done() const { return bytes_.empty(); }
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  uint64_t Number();
  // Not larger than `max`, or a fault.
  uint64_t NumberUpTo(uint64_t max);
  int64_t Signed();
  budget::Amount Amount();
  std::string_view Text(size_t max_bytes);
  std::string_view rest() const { return bytes_; }

 private:
  uint128 Wide(int max_bits);

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace flyball::guard
