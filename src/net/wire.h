// Wire: HTTP/1.1 heads and bodies read where they lie, for the gateway's path.
//
// A head is parsed once, when it is whole, into views of the bytes that it came in; nothing is
// copied or allocated but the list of views, which is used again. It is strict: whatever two
// readers could understand differently is refused, since the one behind us may be the other reader
// (request smuggling): both a length and a chunked body, either of them twice, lines that end in
// anything but CR LF, folded lines, blanks before a colon, bytes that are no header's.
// (net/parser.h, on Beast, serves the server of the control plane; the tests hold both together.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace flyball::net {

struct HeaderView {
  std::string_view name;  // as it was sent; compare without case
  std::string_view value;
};

// Why a message can't be read, with the status that says so to a client. The text is static.
struct WireFault {
  int status = 400;
  std::string_view why;
};

struct HeadLimits {
  size_t bytes_max = 64u << 10;
  size_t headers_max = 128;
};

enum class Framing : uint8_t {
  kNone,    // no body
  kLength,  // length > 0
  kChunked,
  kUntilClose,  // of a response
};

struct Head {
  std::string_view method;  // of a request
  std::string_view target;  // of a request: as sent, but for the origin of an absolute one
  std::string_view host;    // of a request
  int status = 0;           // of a response
  std::string_view reason;  // of a response
  int minor = 1;            // HTTP/1.minor: 0 or 1
  std::vector<HeaderView> headers;
  Framing framing = Framing::kNone;
  // As stated. -1: not stated. A response to HEAD, a 204 or a 304 states a length without having a
  // body.
  int64_t length = -1;
  bool keep_alive = false;
  bool expects_continue = false;   // of a request: 100-continue
  bool names_hop_headers = false;  // Connection names more than close and keep-alive
};

// Finds the blank line that ends a head. `looked` is how far earlier calls have looked; the caller
// keeps it. 0: it is not here yet; else the bytes of the head with it.
size_t FindHeadEnd(std::string_view bytes, size_t* looked);

// `head` is the whole head with its blank line. What was in `out` is gone; its views point into
// `head`.
std::expected<void, WireFault> ParseRequestHead(std::string_view head, const HeadLimits& limits,
                                                Head* out);
// `to_head`: the answer to a HEAD request.
std::expected<void, WireFault> ParseResponseHead(std::string_view head, const HeadLimits& limits,
                                                 bool to_head, Head* out);

// The body behind a head, without its transfer coding.
class BodyReader {
 public:
  BodyReader() = default;
  BodyReader(Framing framing, int64_t length)
      : framing_(framing), left_(framing == Framing::kLength ? static_cast<uint64_t>(length) : 0) {
    done_ = framing == Framing::kNone || (framing == Framing::kLength && left_ == 0);
  }
  struct Step {
    size_t used = 0;        // of the bytes given; all of them unless the body has ended
    std::string_view data;  // part of them; may be empty
  };
  // Ask again with what is left while `used` is more than 0 and not done.
  std::expected<Step, WireFault> Next(std::string_view bytes);
  // The other side has closed: true when the body is whole by that.
  bool End() {
    done_ = done_ || framing_ == Framing::kUntilClose;
    return done_;
  }
  bool done() const { return done_; }

 private:
  enum class State : uint8_t {
    kSize,
    kExtension,
    kSizeEnd,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerEnd,
    kEnd,
  };
  std::expected<Step, WireFault> NextChunked(std::string_view bytes);
  std::expected<void, WireFault> Line(char byte);
  std::expected<void, WireFault> Size(char byte);

  Framing framing_ = Framing::kNone;
  bool done_ = true;
  State state_ = State::kSize;
  uint8_t digits_ = 0;
  uint32_t line_bytes_ = 0;
  uint64_t left_ = 0;  // of the body by length, or of the chunk
};

// "1a\r\n": what stands before a chunk of this size.
void AppendChunkHead(size_t size, std::string* out);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

bool NameIs(std::string_view name, std::string_view lower);
// The value of the first header with this name (in lower case), or "".
std::string_view FindHeader(const std::vector<HeaderView>& headers, std::string_view lower);
// Headers of one hop, which no proxy passes on.
bool IsHopHeader(std::string_view name);
// Whether the comma-separated list has the word, without case.
bool ListHas(std::string_view list, std::string_view lower);

inline constexpr size_t kContentLengthDigitsMax = 18;
inline constexpr size_t kChunkSizeDigitsMax = 15;
inline constexpr size_t kChunkExtensionMaxBytes = 4096;
inline constexpr size_t kTrailersMaxBytes = 16u << 10;

}  // namespace flyball::net
