// SseSplitter: whole server-sent events out of a stream that comes in pieces of any size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flyball::gateway {

// One event as it came: `raw` with its closing blank line, and its data without "data:" (lines of
// several joined by a line break).
struct SseEvent {
  std::string_view raw;
  std::string_view data;
};

// Line breaks may be \n or \r\n. Views are valid until the next call.
class SseSplitter {
 public:
  // What comes next; Next gives the whole events in it.
  void Put(std::string_view piece);
  // False: no whole event is left.
  bool Next(SseEvent* event);
  // What is left after the last event: not a whole one.
  std::string_view rest() const { return std::string_view(buffer_).substr(used_); }
  // An event longer than the limit is none: the stream can't be metered any more.
  bool overflowed() const { return overflowed_; }

  static constexpr size_t kEventMaxBytes = 8u << 20;

 private:
  std::string buffer_;
  size_t used_ = 0;
  size_t searched_ = 0;  // no end of an event before here
  std::string joined_;
  bool overflowed_ = false;
};

}  // namespace flyball::gateway
