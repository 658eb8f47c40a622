#include "net/wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace flyball::net {
namespace {

using Verdict = std::expected<void, WireFault>;

std::unexpected<WireFault> Bad(std::string_view why, int status = 400) {
  return std::unexpected(WireFault{status, why});
}

// RFC 9110, 5.6.2: what names are made of.
constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kToken = MakeTokenTable();

bool IsToken(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

// No control character but the tab.
bool IsText(std::string_view text) {
  bool good = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    good = good & ((byte >= 0x20 && byte != 0x7f) || byte == '\t');
  }
  return good;
}

bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Cuts the first line off, without its end. Only CR LF ends a line.
bool CutLine(std::string_view* text, std::string_view* line) {
  const size_t end = text->find('\n');
  if (end == std::string_view::npos || end == 0 || (*text)[end - 1] != '\r') {
    return false;
  }
  *line = text->substr(0, end - 1);
  text->remove_prefix(end + 1);
  return true;
}

struct Seen {
  bool length = false;
  bool coding = false;
  bool host = false;
  bool close = false;
  bool keep_alive = false;
};

Verdict ReadLength(std::string_view value, Head* out) {
  if (value.empty() || value.size() > kContentLengthDigitsMax ||
      value.find_first_not_of("0123456789") != std::string_view::npos) {
    return Bad("the Content-Length is no length");
  }
  std::from_chars(value.data(), value.data() + value.size(), out->length);
  return {};
}

void ReadConnection(std::string_view value, Seen* seen, Head* out) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view word = TrimBlanks(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (NameIs(word, "close")) {
      seen->close = true;
    } else if (NameIs(word, "keep-alive")) {
      seen->keep_alive = true;
    } else if (!word.empty()) {
      out->names_hop_headers = true;
    }
  }
}

// Headers that say how the message is framed. By length first: nearly all are none of them.
Verdict ReadSpecial(const HeaderView& header, Seen* seen, Head* out) {
  switch (header.name.size()) {
    case 4:
      if (NameIs(header.name, "host")) {
        if (std::exchange(seen->host, true)) return Bad("there is more than one Host");
        out->host = header.value;
      }
      return {};
    case 6:
      out->expects_continue = out->expects_continue || (NameIs(header.name, "expect") &&
                                                        NameIs(header.value, "100-continue"));
      return {};
    case 10:
      if (NameIs(header.name, "connection")) ReadConnection(header.value, seen, out);
      return {};
    case 14:
      if (NameIs(header.name, "content-length")) {
        if (std::exchange(seen->length, true)) return Bad("there is more than one Content-Length");
        return ReadLength(header.value, out);
      }
      return {};
    case 17:
      if (NameIs(header.name, "transfer-encoding")) {
        if (std::exchange(seen->coding, true)) {
          return Bad("there is more than one Transfer-Encoding");
        }
        if (!NameIs(header.value, "chunked")) {
          return Bad("the only transfer coding spoken here is chunked", 501);
        }
      }
      return {};
    default:
      return {};
  }
}

Verdict ReadHeaders(std::string_view rest, const HeadLimits& limits, Seen* seen, Head* out) {
  std::string_view line;
  while (true) {
    if (!CutLine(&rest, &line)) {
      return Bad("a line of the head does not end in CR LF");
    }
    if (line.empty()) {
      break;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return Bad("a line of the head is no header");
    }
    const HeaderView header{line.substr(0, colon), TrimBlanks(line.substr(colon + 1))};
    if (!IsText(header.value)) {
      return Bad("a header has a control character");
    }
    if (out->headers.size() == limits.headers_max) {
      return Bad("there are too many headers", 431);
    }
    out->headers.push_back(header);
    if (Verdict special = ReadSpecial(header, seen, out); !special) {
      return special;
    }
  }
  if (!rest.empty()) {
    return Bad("the head has an end before its end");
  }
  if (seen->coding && seen->length) {
    return Bad("there are both a Content-Length and a Transfer-Encoding");
  }
  if (seen->coding && out->minor == 0) {
    return Bad("HTTP/1.0 has no transfer coding");
  }
  out->keep_alive = !seen->close && (out->minor == 1 || seen->keep_alive);
  return {};
}

Verdict ReadVersion(std::string_view version, Head* out) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") {
    out->minor = version.back() - '0';
    return {};
  }
  const bool is_version = version.size() == 8 && version.starts_with("HTTP/") &&
                          version[5] >= '0' && version[5] <= '9' && version[6] == '.' &&
                          version[7] >= '0' && version[7] <= '9';
  return is_version ? Bad("only HTTP/1.0 and HTTP/1.1 are spoken here", 505)
                    : Bad("the first line has no version of HTTP");
}

// The origin of an absolute target says nothing that Host does not.
Verdict ReadTarget(std::string_view target, Head* out) {
  if (!IsVisible(target)) {
    return Bad("the target of the request has characters that must be escaped");
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() && NameIs(target.substr(0, scheme.size()), scheme)) {
      const size_t slash = target.find('/', scheme.size());
      if (slash == std::string_view::npos) {
        return Bad("the target of the request has no path");
      }
      target.remove_prefix(slash);
      break;
    }
  }
  if (target.empty() || target.front() != '/') {
    return Bad("the target of the request is no path");
  }
  out->target = target;
  return {};
}

void Clear(Head* out) {
  std::vector<HeaderView> headers = std::move(out->headers);
  headers.clear();
  *out = Head{};
  out->headers = std::move(headers);
}

bool TooLong(std::string_view head, const HeadLimits& limits) {
  return head.size() > limits.bytes_max;
}

}  // namespace

size_t FindHeadEnd(std::string_view bytes, size_t* looked) {
  // A bare LF ends nothing, but two of them end the search, so that such a head is refused at once
  // and not when it has become too long.
  size_t from = *looked;
  while (true) {
    const size_t feed = bytes.find('\n', from);
    if (feed == std::string_view::npos) {
      *looked = bytes.size();
      return 0;
    }
    if (feed + 1 < bytes.size() && bytes[feed + 1] == '\n') {
      return feed + 2;
    }
    if (feed + 2 < bytes.size() && bytes[feed + 1] == '\r' && bytes[feed + 2] == '\n') {
      return feed + 3;
    }
    if (feed + 2 >= bytes.size()) {
      *looked = feed;
      return 0;
    }
    from = feed + 1;
  }
}

Verdict ParseRequestHead(std::string_view head, const HeadLimits& limits, Head* out) {
  Clear(out);
  if (TooLong(head, limits)) {
    return Bad("the head of the request is too long", 431);
  }
  std::string_view line;
  if (!CutLine(&head, &line)) {
    return Bad("the first line does not end in CR LF");
  }
  const size_t first = line.find(' ');
  const size_t second = line.rfind(' ');
  if (first == std::string_view::npos || first == second) {
    return Bad("the first line is no request");
  }
  out->method = line.substr(0, first);
  if (!IsToken(out->method)) {
    return Bad("the method is no word");
  }
  if (Verdict version = ReadVersion(line.substr(second + 1), out); !version) {
    return version;
  }
  if (Verdict target = ReadTarget(line.substr(first + 1, second - first - 1), out); !target) {
    return target;
  }
  Seen seen;
  if (Verdict headers = ReadHeaders(head, limits, &seen, out); !headers) {
    return headers;
  }
  if (!seen.host && out->minor == 1) {
    return Bad("HTTP/1.1 requests need a Host");
  }
  out->framing = seen.coding       ? Framing::kChunked
                 : out->length > 0 ? Framing::kLength
                                   : Framing::kNone;
  return {};
}

Verdict ParseResponseHead(std::string_view head, const HeadLimits& limits, bool to_head,
                          Head* out) {
  Clear(out);
  if (TooLong(head, limits)) {
    return Bad("the head of the answer is too long");
  }
  std::string_view line;
  if (!CutLine(&head, &line) || line.size() < 12 || line[8] != ' ') {
    return Bad("the first line is no answer");
  }
  if (Verdict version = ReadVersion(line.substr(0, 8), out); !version) {
    return version;
  }
  const auto status = std::from_chars(line.data() + 9, line.data() + 12, out->status);
  if (status.ptr != line.data() + 12 || out->status < 100 || out->status > 599 ||
      (line.size() > 12 && line[12] != ' ')) {
    return Bad("the first line of the answer has no status");
  }
  out->reason = line.substr(std::min<size_t>(13, line.size()));
  if (!IsText(out->reason)) {
    return Bad("the first line of the answer has a control character");
  }
  Seen seen;
  if (Verdict headers = ReadHeaders(head, limits, &seen, out); !headers) {
    return headers;
  }
  const bool bodiless = to_head || out->status < 200 || out->status == 204 || out->status == 304;
  if (bodiless) {
    out->framing = Framing::kNone;
  } else if (seen.coding) {
    out->framing = Framing::kChunked;
  } else if (seen.length) {
    out->framing = out->length > 0 ? Framing::kLength : Framing::kNone;
  } else {
    out->framing = Framing::kUntilClose;
    out->keep_alive = false;
  }
  return {};
}

std::expected<BodyReader::Step, WireFault> BodyReader::Next(std::string_view bytes) {
  switch (framing_) {
    case Framing::kNone:
      return Step{};
    case Framing::kLength: {
      const size_t n = std::min<uint64_t>(left_, bytes.size());
      left_ -= n;
      done_ = left_ == 0;
      return Step{n, bytes.substr(0, n)};
    }
    case Framing::kUntilClose:
      return Step{bytes.size(), bytes};
    case Framing::kChunked:
      return NextChunked(bytes);
  }
  return Step{};
}

// Runs through lines byte by byte, up to the next piece of data.
std::expected<BodyReader::Step, WireFault> BodyReader::NextChunked(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !done_) {
    if (state_ == State::kData) {
      const size_t n = std::min<uint64_t>(left_, bytes.size() - used);
      left_ -= n;
      state_ = left_ == 0 ? State::kDataCr : State::kData;
      return Step{used + n, bytes.substr(used, n)};
    }
    if (Verdict line = Line(bytes[used]); !line) {
      return std::unexpected(line.error());
    }
    ++used;
  }
  return Step{used, {}};
}

Verdict BodyReader::Size(char byte) {
  int digit = -1;
  if (byte >= '0' && byte <= '9') digit = byte - '0';
  if (byte >= 'a' && byte <= 'f') digit = byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') digit = byte - 'A' + 10;
  if (digit >= 0) {
    if (++digits_ > kChunkSizeDigitsMax) return Bad("a chunk has an absurd size");
    left_ = left_ * 16 + static_cast<uint64_t>(digit);
    return {};
  }
  if (digits_ == 0 || (byte != ';' && byte != '\r')) {
    return Bad("a chunk has no size");
  }
  state_ = byte == ';' ? State::kExtension : State::kSizeEnd;
  line_bytes_ = 0;
  return {};
}

Verdict BodyReader::Line(char byte) {
  const bool control = (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == 0x7f;
  switch (state_) {
    case State::kSize:
      return Size(byte);
    case State::kExtension:
      if (byte == '\r') {
        state_ = State::kSizeEnd;
      } else if (control || ++line_bytes_ > kChunkExtensionMaxBytes) {
        return Bad("a chunk has a bad extension");
      }
      return {};
    case State::kSizeEnd:
      if (byte != '\n') return Bad("the size of a chunk does not end in CR LF");
      state_ = left_ > 0 ? State::kData : State::kTrailerStart;
      digits_ = 0;
      line_bytes_ = 0;
      return {};
    case State::kDataCr:
      if (byte != '\r') return Bad("a chunk is longer than it says");
      state_ = State::kDataLf;
      return {};
    case State::kDataLf:
      if (byte != '\n') return Bad("a chunk does not end in CR LF");
      state_ = State::kSize;
      return {};
    case State::kTrailerStart:
    case State::kTrailer:
      if (byte == '\r') {
        state_ = state_ == State::kTrailerStart ? State::kEnd : State::kTrailerEnd;
      } else if (control || ++line_bytes_ > kTrailersMaxBytes) {
        return Bad("the trailer of a chunked body is bad");
      } else {
        state_ = State::kTrailer;
      }
      return {};
    case State::kTrailerEnd:
      if (byte != '\n') return Bad("a trailer does not end in CR LF");
      state_ = State::kTrailerStart;
      return {};
    case State::kEnd:
      if (byte != '\n') return Bad("a chunked body does not end in CR LF");
      done_ = true;
      return {};
    case State::kData:
      break;
  }
  return {};
}

void AppendChunkHead(size_t size, std::string* out) {
  std::array<char, 18> text{};
  char* end = std::to_chars(text.data(), text.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out->append(text.data(), end);
}

bool NameIs(std::string_view name, std::string_view lower) {
  if (name.size() != lower.size()) {
    return false;
  }
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) {
      return false;
    }
  }
  return true;
}

std::string_view FindHeader(const std::vector<HeaderView>& headers, std::string_view lower) {
  for (const HeaderView& header : headers) {
    if (NameIs(header.name, lower)) return header.value;
  }
  return {};
}

bool IsHopHeader(std::string_view name) {
  switch (name.size()) {
    case 2:
      return NameIs(name, "te");
    case 7:
      return NameIs(name, "trailer") || NameIs(name, "upgrade");
    case 10:
      return NameIs(name, "connection") || NameIs(name, "keep-alive");
    case 16:
      return NameIs(name, "proxy-connection");
    case 17:
      return NameIs(name, "transfer-encoding");
    case 18:
      return NameIs(name, "proxy-authenticate");
    case 19:
      return NameIs(name, "proxy-authorization");
    default:
      return false;
  }
}

bool ListHas(std::string_view list, std::string_view lower) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (NameIs(TrimBlanks(list.substr(0, comma)), lower)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace flyball::net
