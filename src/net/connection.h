// Connection: what one HTTP/1.1 connection of the server does, without sockets.
//
// Bytes go in through Receive, come out through Output; time comes from the clock that it is given.
// Its owner (the epoll loop, or the simulated network of net/sim_net.h) moves the bytes, spools
// bodies and runs handlers. One request at a time: what a client pipelines waits, unread, until the
// answer before it has been written, so that memory is bounded by one head, one body and one
// answer. Not thread-safe: it belongs to its owner's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "net/http.h"
#include "net/parser.h"

namespace flyball::net {

// Called from inside a Connection's methods, on its owner's thread.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // See Server::Admission.
  virtual Result<BodyPlan> Admit(const Request& head) = 0;
  // A piece of a body that goes to a file; answered with Connection::Spooled.
  virtual void Spool(std::string piece) = 0;
  // A whole request; answered with Connection::Respond or OpenEvents, at once or later.
  virtual void Handle(Request request) = 0;
  virtual Response Refuse(int status, const Error& error) = 0;
};

class Connection {
 public:
  Connection(const ServerOptions& options, Clock& clock, ConnectionOwner& owner, std::string peer,
             std::string local);

  void Receive(std::string_view bytes);
  void ReceiveEnd();        // the client has closed its side
  bool WantsBytes() const;  // false: leave what the client sends in the socket
  // What is to be sent next, "" for nothing; Written says how much of it was.
  std::string_view Output() const;
  void Written(size_t bytes);
  // All is said: close the socket.
  bool IsClosed() const { return state_ == State::kClosed; }
  // Close the writing side, so that the client reads the refusal before it finds the connection
  // gone.
  bool IsLingering() const { return state_ == State::kLinger; }
  bool IsIdle() const { return state_ == State::kIdle; }
  int64_t idle_since_us() const { return idle_since_us_; }

  void Respond(Response response);
  void Spooled(Status status);
  void OpenEvents();
  void PushEvent(std::string frame);
  // Finish what runs, take nothing new.
  void Drain();

  // When Tick has something to do, on the monotonic clock.
  int64_t deadline_us() const { return deadline_us_; }
  void Tick();

 private:
  enum class State : uint8_t {
    kIdle,      // between requests
    kHead,      // part of a head is here
    kBody,      // part of a body is here
    kSpooling,  // the owner writes a piece of the body
    kHandling,  // the owner works on the answer
    kWriting,   // the answer is going out
    kEvents,    // a stream of events
    kLinger,    // refused; reading what the client still sends, to the bin
    kClosed,
  };
  struct Segment {
    std::string owned;
    std::shared_ptr<const std::string> shared;
    std::string_view view;
    std::string_view bytes() const { return !view.empty() ? view : shared ? *shared : owned; }
  };

  void Process();
  bool ParseHead();
  bool ParseBody();
  void HeadDone();
  std::optional<Error> JudgeHead(int* status);
  void BodyDone();
  void Refuse(int status, Error error, bool close);
  void StartIdle();
  void StartWindow();
  void SetDeadline(int64_t after_ms);
  void Consume(size_t bytes);
  std::string_view Unread() const { return std::string_view(in_).substr(in_used_); }
  std::string SerializeHead(const Response& response, size_t body_size, bool keep_alive);

  const ServerOptions& options_;
  Clock& clock_;
  ConnectionOwner& owner_;
  std::string peer_;
  std::string local_;
  State state_ = State::kIdle;
  std::string in_;
  size_t in_used_ = 0;
  std::optional<MessageParser> parser_;
  Request request_;
  std::string body_;
  uint64_t body_bytes_ = 0;
  uint64_t window_bytes_ = 0;
  uint64_t linger_bytes_ = 0;
  bool spools_ = false;
  uint64_t body_max_bytes_ = 0;
  bool is_head_request_ = false;
  bool close_after_ = false;
  bool draining_ = false;
  std::deque<Segment> out_;
  size_t out_sent_ = 0;  // of the first segment
  int64_t last_write_us_ = 0;
  int64_t idle_since_us_ = 0;
  int64_t deadline_us_ = std::numeric_limits<int64_t>::max();
};

// "Tue, 15 Nov 1994 08:12:31 GMT" (RFC 9110, 5.6.7).
std::string HttpDate(Instant instant);
std::string_view ReasonPhrase(int status);
// One server-sent event; line breaks inside the data become several data lines.
std::string EventFrame(std::string_view event, std::string_view data);

inline constexpr size_t kSpoolPieceBytes = 256u << 10;
inline constexpr uint64_t kLingerMaxBytes = 16u << 20;
inline constexpr int kLingerMs = 2000;

}  // namespace flyball::net
