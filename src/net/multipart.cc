#include "net/multipart.h"

#include "base/text.h"

namespace flyball::net {
namespace {

constexpr size_t kBoundaryMaxBytes = 70;  // RFC 2046, 5.1.1

std::unexpected<Error> Bad(std::string message) {
  return Fail(Code::kInvalidArgument, "the upload is no multipart/form-data: " + message);
}

// The value of `name` in "form-data; name=\"a\"; filename=\"b\"". Quoted values may hold escaped
// quotes.
bool Parameter(std::string_view header, std::string_view name, std::string* value) {
  size_t i = header.find(';');
  while (i < header.size()) {
    ++i;
    const size_t equals = header.find('=', i);
    if (equals == std::string_view::npos) {
      return false;
    }
    const std::string_view key = Trim(header.substr(i, equals - i));
    std::string text;
    i = equals + 1;
    if (i < header.size() && header[i] == '"') {
      for (++i; i < header.size() && header[i] != '"'; ++i) {
        // Browsers escape a quote as %22; a backslash escapes only quotes and itself (old clients
        // send C:\x).
        if (header[i] == '\\' && i + 1 < header.size() &&
            (header[i + 1] == '"' || header[i + 1] == '\\')) {
          ++i;
        }
        text += header[i];
      }
      i = header.find(';', i);
    } else {
      const size_t end = header.find(';', i);
      text = Trim(header.substr(i, end - i));
      i = end;
    }
    if (EqualsIgnoreCase(key, name)) {
      *value = std::move(text);
      return true;
    }
  }
  return false;
}

}  // namespace

Result<std::string> MultipartBoundary(std::string_view content_type) {
  const std::string_view type = Trim(content_type.substr(0, content_type.find(';')));
  std::string boundary;
  if (!EqualsIgnoreCase(type, "multipart/form-data") ||
      !Parameter(content_type, "boundary", &boundary) || boundary.empty() ||
      boundary.size() > kBoundaryMaxBytes) {
    return Bad("its Content-Type names no boundary");
  }
  return boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, Sink sink)
    : delimiter_("\r\n--" + std::string(boundary)),
      sink_(std::move(sink)),
      in_("\r\n") {}  // the first boundary may stand at the very beginning

Status MultipartParser::Put(std::string_view bytes) {
  // Large pieces are taken bit by bit, so that what is kept never grows with the caller's piece.
  constexpr size_t kBite = 256u << 10;
  while (!bytes.empty()) {
    if (state_ == State::kEpilogue) {
      return {};
    }
    in_.append(bytes.substr(0, kBite));
    bytes.remove_prefix(std::min(bytes.size(), kBite));
    while (FB_TRY(Step())) {
    }
  }
  return {};
}

Status MultipartParser::Finish() {
  if (state_ != State::kEpilogue) {
    return Bad("its last boundary is missing, the upload may have been cut off");
  }
  return {};
}

// False: more bytes are needed.
Result<bool> MultipartParser::Step() {
  switch (state_) {
    case State::kPreamble:
    case State::kData:
      return FindBoundary();
    case State::kAfterBoundary:
      return AfterBoundary();
    case State::kHead:
      return Head();
    case State::kEpilogue:
      in_.clear();
      return false;
  }
  return false;
}

Result<bool> MultipartParser::FindBoundary() {
  const size_t found = in_.find(delimiter_);
  // Without it, all but what may be its beginning is data.
  const size_t keep = std::min(in_.size(), delimiter_.size() - 1);
  const size_t data = found != std::string::npos ? found : in_.size() - keep;
  if (state_ == State::kData && data > 0) {
    FB_CHECK(sink_.data(std::string_view(in_).substr(0, data)));
  }
  if (found == std::string::npos) {
    in_.erase(0, data);
    return false;
  }
  in_.erase(0, found + delimiter_.size());
  if (state_ == State::kData) {
    FB_CHECK(sink_.end());
  }
  state_ = State::kAfterBoundary;
  return true;
}

Result<bool> MultipartParser::AfterBoundary() {
  if (in_.size() < 2) {
    return false;
  }
  if (in_.starts_with("--")) {
    state_ = State::kEpilogue;
    return true;
  }
  const size_t end = in_.find("\r\n");
  if (end == std::string::npos) {
    if (in_.size() > kPartHeadMaxBytes) {
      return Bad("a boundary line does not end");
    }
    return false;
  }
  if (!Trim(std::string_view(in_).substr(0, end)).empty()) {
    return Bad("something follows a boundary in its line");
  }
  if (++parts_ > kPartsMax) {
    return Bad("it has more than " + std::to_string(kPartsMax) + " parts");
  }
  in_.erase(0, end);  // the line break stays: a head without lines ends at once
  state_ = State::kHead;
  return true;
}

Result<bool> MultipartParser::Head() {
  const size_t end = in_.find("\r\n\r\n");
  if (end == std::string::npos || end > kPartHeadMaxBytes) {
    if (in_.size() > kPartHeadMaxBytes) {
      return Bad("the head of a part is too long");
    }
    return false;
  }
  Part part;
  bool named = false;
  for (std::string_view line : SplitText(std::string_view(in_).substr(0, end), '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      continue;
    }
    const std::string_view name = Trim(line.substr(0, colon));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (EqualsIgnoreCase(name, "Content-Disposition")) {
      named = Parameter(value, "name", &part.name);
      part.is_file = Parameter(value, "filename", &part.filename);
    } else if (EqualsIgnoreCase(name, "Content-Type")) {
      part.content_type = value;
    }
  }
  if (!named) {
    return Bad("a part has no name");
  }
  in_.erase(0, end + 4);
  FB_CHECK(sink_.begin(part));
  state_ = State::kData;
  return true;
}

}  // namespace flyball::net
