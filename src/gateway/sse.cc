#include "gateway/sse.h"

namespace flyball::gateway {
namespace {

// The value of a "data" line, or false for any other line.
bool DataOf(std::string_view line, std::string_view* data) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.starts_with("data:")) return false;
  line.remove_prefix(5);
  if (line.starts_with(' ')) line.remove_prefix(1);
  *data = line;
  return true;
}

}  // namespace

void SseSplitter::Put(std::string_view piece) {
  if (overflowed_) return;
  if (used_ > 0) {
    buffer_.erase(0, used_);
    searched_ -= used_;
    used_ = 0;
  }
  buffer_ += piece;
}

bool SseSplitter::Next(SseEvent* event) {
  // An event ends with a line break that follows a line break.
  size_t end = std::string::npos;
  for (size_t at = buffer_.find('\n', searched_); at != std::string::npos;
       at = buffer_.find('\n', at + 1)) {
    const size_t next = at + 1;
    if (next >= buffer_.size() || (buffer_[next] == '\r' && next + 1 >= buffer_.size())) {
      searched_ = at;  // whether a blank line follows is not known yet
      break;
    }
    if (buffer_[next] == '\n') end = next + 1;
    if (buffer_[next] == '\r' && buffer_[next + 1] == '\n') end = next + 2;
    if (end != std::string::npos) break;
    searched_ = next;
  }
  if (end == std::string::npos) {
    if (buffer_.size() - used_ > kEventMaxBytes) overflowed_ = true;
    return false;
  }
  event->raw = std::string_view(buffer_).substr(used_, end - used_);
  used_ = end;
  searched_ = end;
  event->data = {};
  int lines = 0;
  std::string_view left = event->raw;
  while (!left.empty()) {
    const size_t stop = left.find('\n');
    std::string_view data;
    if (DataOf(left.substr(0, stop), &data)) {
      if (++lines == 1) {
        event->data = data;
      } else {
        if (lines == 2) joined_ = event->data;
        joined_.append("\n").append(data);
        event->data = joined_;
      }
    }
    left = stop == std::string_view::npos ? std::string_view() : left.substr(stop + 1);
  }
  return true;
}

}  // namespace flyball::gateway
