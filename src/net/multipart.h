// MultipartParser: multipart/form-data (RFC 7578) from bytes in pieces of any size, in bounded
// memory, without I/O.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::net {

inline constexpr size_t kPartHeadMaxBytes = 16u << 10;
inline constexpr int kPartsMax = 256;

// The boundary of a Content-Type "multipart/form-data; boundary=...", INVALID_ARGUMENT when there
// is none.
Result<std::string> MultipartBoundary(std::string_view content_type);

class MultipartParser {
 public:
  struct Part {
    std::string name;
    std::string filename;  // as the client wrote it: never to be used as a path
    std::string content_type;
    bool is_file = false;  // a filename was given
  };
  struct Sink {
    std::function<Status(const Part&)> begin;
    std::function<Status(std::string_view)> data;
    std::function<Status()> end;
  };
  MultipartParser(std::string_view boundary, Sink sink);
  // Errors of the sink pass through; INVALID_ARGUMENT for what is no multipart body.
  Status Put(std::string_view bytes);
  // The body has ended; INVALID_ARGUMENT when its last boundary is missing.
  Status Finish();

 private:
  enum class State : uint8_t { kPreamble, kAfterBoundary, kHead, kData, kEpilogue };
  Result<bool> Step();
  Result<bool> FindBoundary();
  Result<bool> AfterBoundary();
  Result<bool> Head();

  std::string delimiter_;  // "\r\n--" and the boundary
  Sink sink_;
  State state_ = State::kPreamble;
  std::string in_;
  int parts_ = 0;
};

}  // namespace flyball::net
