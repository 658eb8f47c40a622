// What goes out in one write: small texts are copied together, large ones stay where they lie.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/wire.h"

namespace flyball::gateway {

class Gather {
 public:
  void Clear() {
    text_.clear();
    segments_.clear();
    bytes_ = 0;
    borrowed_ = 0;
  }
  size_t bytes() const { return bytes_; }

  // Call it after having appended to text().
  void Grown() {
    const size_t known = bytes_ - borrowed_;
    if (text_.size() == known) return;
    const size_t more = text_.size() - known;
    if (!segments_.empty() && segments_.back().borrowed == nullptr) {
      segments_.back().size += more;
    } else {
      segments_.push_back({nullptr, known, more});
    }
    bytes_ += more;
  }
  std::string& text() { return text_; }
  void Text(std::string_view text) {
    text_.append(text);
    Grown();
  }
  // The bytes must stay until it is written.
  void Borrow(std::string_view text) {
    if (text.size() < kBorrowMinBytes) {
      Text(text);
      return;
    }
    segments_.push_back({text.data(), 0, text.size()});
    borrowed_ += text.size();
    bytes_ += text.size();
  }
  // The other one must stay as it is until this is written.
  void Append(const Gather& other) {
    for (const Segment& segment : other.segments_) {
      Borrow({other.Start(segment), segment.size});
    }
  }
  // All that is left behind the first `skip` bytes, as pieces.
  void Pieces(size_t skip, std::vector<iovec>* out) const {
    out->clear();
    for (const Segment& segment : segments_) {
      if (skip >= segment.size) {
        skip -= segment.size;
        continue;
      }
      out->push_back({const_cast<char*>(Start(segment)) + skip, segment.size - skip});
      skip = 0;
    }
  }

 private:
  static constexpr size_t kBorrowMinBytes = 2048;
  struct Segment {
    const char* borrowed;  // nullptr: part of text_
    size_t offset;
    size_t size;
  };
  const char* Start(const Segment& segment) const {
    return segment.borrowed != nullptr ? segment.borrowed : text_.data() + segment.offset;
  }

  std::string text_;
  std::vector<Segment> segments_;
  size_t bytes_ = 0;
  size_t borrowed_ = 0;
};

}  // namespace flyball::gateway
