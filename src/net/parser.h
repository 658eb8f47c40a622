// MessageParser: HTTP/1.1 messages from bytes, without sockets. It wraps Beast's parser and adds
// what that leaves open: a limit on the whole head (also when it trickles in), on lines inside a
// chunked body, and refusal of ambiguous framing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flyball::net {

struct MessageHead {
  std::string method;                          // of a request
  std::string target;                          // of a request, as it was sent
  int status = 0;                              // of a response
  int version = 11;                            // 10 or 11
  std::map<std::string, std::string> headers;  // names in lower case; repeated ones joined by ", "
  bool keep_alive = false;
  bool has_body = false;
  std::optional<uint64_t>
      content_length;  // nullopt: none stated (chunked, or until the end of the connection)
};

// Why a message can't be read, with the status that says so to a client.
struct ParseFault {
  int status = 400;
  std::string message;
};

// One message per parser. Not thread-safe.
class MessageParser {
 public:
  enum class Kind : uint8_t { kRequest, kResponse };
  // `no_body`: a response to HEAD.
  MessageParser(Kind kind, size_t head_max_bytes, bool no_body = false);
  MessageParser(MessageParser&&) noexcept;
  MessageParser& operator=(MessageParser&&) noexcept;
  ~MessageParser();

  // Takes bytes and says how many: what is left must be given again, with more behind it. Stops
  // after the head, so that the caller can look at it, and after the message. Bytes of the body are
  // appended to `body`.
  std::expected<size_t, ParseFault> Put(std::string_view bytes, std::string* body);
  // The other side has closed; a fault when the message is not whole.
  std::expected<void, ParseFault> PutEnd();
  bool head_done() const;
  bool done() const;
  MessageHead& head();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flyball::net
