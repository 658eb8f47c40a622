#include "net/connection.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/text.h"
#include "net/url.h"

namespace flyball::net {
namespace {

// Bodies up to this size leave in one piece with their head.
constexpr size_t kJoinedBodyMaxBytes = 16u << 10;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

bool IsKnownMethod(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kMethods = {"GET",   "HEAD",   "POST",   "PUT",
                                                               "PATCH", "DELETE", "OPTIONS"};
  return std::ranges::find(kMethods, method) != kMethods.end();
}

bool ChangesNothing(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

Error MakeError(Code code, std::string message, std::string hint = {}) {
  return Error{code, std::move(message), std::move(hint), {}};
}

// A line break in a header's value would let its writer add headers of their own.
void AppendHeader(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ");
  for (char c : value) {
    *out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  out->append("\r\n");
}

}  // namespace

Connection::Connection(const ServerOptions& options, Clock& clock, ConnectionOwner& owner,
                       std::string peer, std::string local)
    : options_(options),
      clock_(clock),
      owner_(owner),
      peer_(std::move(peer)),
      local_(std::move(local)) {
  StartIdle();
  // A client that connects and says nothing gets no more time than one that is slow with its head.
  SetDeadline(std::min(options_.head_timeout_ms, options_.idle_timeout_ms));
}

void Connection::SetDeadline(int64_t after_ms) {
  deadline_us_ = clock_.MonotonicUs() + after_ms * 1000;
}

void Connection::StartIdle() {
  state_ = State::kIdle;
  parser_.reset();
  request_ = {};
  body_.clear();
  body_bytes_ = 0;
  spools_ = false;
  is_head_request_ = false;
  if (Unread().empty()) {
    // A thousand idle connections must not keep the room of what they once sent.
    in_.clear();
    in_.shrink_to_fit();
    in_used_ = 0;
  }
  idle_since_us_ = clock_.MonotonicUs();
  SetDeadline(options_.idle_timeout_ms);
}

void Connection::StartWindow() {
  window_bytes_ = 0;
  SetDeadline(options_.body_window_ms);
}

bool Connection::WantsBytes() const {
  switch (state_) {
    case State::kIdle:
    case State::kHead:
    case State::kBody:
    case State::kEvents:
    case State::kLinger:
      return true;
    case State::kSpooling:
    case State::kHandling:
    case State::kWriting:
    case State::kClosed:
      return false;
  }
  return false;
}

void Connection::Receive(std::string_view bytes) {
  if (state_ == State::kEvents || state_ == State::kClosed) {
    return;  // an event stream listens to nothing
  }
  if (state_ == State::kLinger) {
    linger_bytes_ += bytes.size();
    if (linger_bytes_ > kLingerMaxBytes) {
      state_ = State::kClosed;
    }
    return;
  }
  in_.append(bytes);
  Process();
}

void Connection::ReceiveEnd() {
  // Whoever waits for an answer may have closed its sending side only; everybody else is gone.
  if (state_ == State::kHandling || state_ == State::kWriting || state_ == State::kSpooling) {
    close_after_ = true;
    return;
  }
  state_ = State::kClosed;
}

void Connection::Consume(size_t bytes) {
  in_used_ += bytes;
  if (in_used_ == in_.size()) {
    in_.clear();
    in_used_ = 0;
  } else if (in_used_ > in_.size() / 2) {
    in_.erase(0, in_used_);
    in_used_ = 0;
  }
}

void Connection::Process() {
  bool goes_on = true;
  while (goes_on && !Unread().empty()) {
    switch (state_) {
      case State::kIdle:
        // RFC 9112, 2.2: empty lines before a request are ignored.
        if (Unread().front() == '\r' || Unread().front() == '\n') {
          Consume(1);
          break;
        }
        parser_.emplace(MessageParser::Kind::kRequest,
                        static_cast<size_t>(options_.header_max_bytes));
        state_ = State::kHead;
        SetDeadline(options_.head_timeout_ms);
        break;
      case State::kHead:
        goes_on = ParseHead();
        break;
      case State::kBody:
        goes_on = ParseBody();
        break;
      default:
        return;
    }
  }
}

bool Connection::ParseHead() {
  auto used = parser_->Put(Unread(), &body_);
  if (!used) {
    Refuse(used.error().status, MakeError(Code::kInvalidArgument, used.error().message), true);
    return false;
  }
  Consume(*used);
  if (parser_->head_done()) {
    HeadDone();
    return true;
  }
  return *used > 0;
}

// What is wrong with a head that could be read, before anybody looks at what it asks for.
std::optional<Error> Connection::JudgeHead(int* status) {
  MessageHead& head = parser_->head();
  auto target = ParseTarget(head.target);
  if (!target) {
    *status = 400;
    return target.error();
  }
  request_.method = head.method;
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  request_.headers = std::move(head.headers);
  request_.peer = peer_;
  request_.local = local_;
  if (!IsKnownMethod(request_.method)) {
    *status = 501;
    return MakeError(Code::kUnimplemented, "the method is not known here");
  }
  if (options_.loopback_hosts_only && !IsLoopback(HostOf(request_.Header("host")))) {
    *status = 421;
    return MakeError(Code::kPermissionDenied,
                     "this server answers to localhost, 127.0.0.1 and [::1] only",
                     "open it under one of these names, or bind it to another address");
  }
  if (!ChangesNothing(request_.method) && !IsSameOrigin(request_.headers)) {
    *status = 403;
    return MakeError(Code::kPermissionDenied, "a page of another origin may not send this");
  }
  const std::string_view expect = request_.Header("expect");
  if (!expect.empty() && !EqualsIgnoreCase(expect, "100-continue")) {
    *status = 417;
    return MakeError(Code::kInvalidArgument, "the expectation is not known here");
  }
  return std::nullopt;
}

void Connection::HeadDone() {
  const MessageHead& head = parser_->head();
  close_after_ = close_after_ || !head.keep_alive || head.version < 11;
  int status = 400;
  if (auto error = JudgeHead(&status)) {
    Refuse(status, *std::move(error), head.has_body);
    return;
  }
  is_head_request_ = request_.method == "HEAD";
  auto admitted = owner_.Admit(request_);
  if (!admitted) {
    const int refused = HttpStatus(admitted.error().code);
    Refuse(refused, std::move(admitted).error(), head.has_body);
    return;
  }
  if (!head.has_body) {
    BodyDone();
    return;
  }
  spools_ = admitted->to_file;
  body_max_bytes_ = spools_                        ? options_.upload_max_bytes
                    : admitted->body_max_bytes > 0 ? admitted->body_max_bytes
                                                   : options_.body_max_bytes;
  if (head.content_length.value_or(0) > body_max_bytes_) {
    Refuse(413,
           MakeError(Code::kOutOfRange, "the body is larger than " + FormatBytes(body_max_bytes_)),
           true);
    return;
  }
  if (!request_.Header("expect").empty() && Unread().empty()) {
    out_.push_back({"HTTP/1.1 100 Continue\r\n\r\n", nullptr, {}});
  }
  state_ = State::kBody;
  StartWindow();
}

bool Connection::ParseBody() {
  const size_t before = body_.size();
  auto used = parser_->Put(Unread(), &body_);
  if (!used) {
    Refuse(used.error().status, MakeError(Code::kInvalidArgument, used.error().message), true);
    return false;
  }
  Consume(*used);
  body_bytes_ += body_.size() - before;
  window_bytes_ += *used;
  if (body_bytes_ > body_max_bytes_) {
    Refuse(413,
           MakeError(Code::kOutOfRange, "the body is larger than " + FormatBytes(body_max_bytes_)),
           true);
    return false;
  }
  if (spools_ && (parser_->done() || body_.size() >= kSpoolPieceBytes)) {
    state_ = State::kSpooling;
    deadline_us_ = kNever;
    owner_.Spool(std::exchange(body_, {}));
    return true;
  }
  if (parser_->done()) {
    BodyDone();
    return true;
  }
  return *used > 0;
}

void Connection::Spooled(Status status) {
  FB_ASSERT(state_ == State::kSpooling || state_ == State::kClosed);
  if (state_ == State::kClosed) {
    return;
  }
  if (!status) {
    Refuse(507, std::move(status).error(), true);
    return;
  }
  if (parser_->done()) {
    BodyDone();
    return;
  }
  state_ = State::kBody;
  StartWindow();
  Process();
}

void Connection::BodyDone() {
  state_ = State::kHandling;
  deadline_us_ = kNever;
  request_.body = std::exchange(body_, {});
  owner_.Handle(std::exchange(request_, {}));
}

void Connection::Refuse(int status, Error error, bool close) {
  close_after_ = close_after_ || close;
  // Also a HEAD request that was refused early is one.
  is_head_request_ = parser_.has_value() && parser_->head().method == "HEAD";
  state_ = State::kHandling;
  Respond(owner_.Refuse(status, error));
}

std::string Connection::SerializeHead(const Response& response, size_t body_size, bool keep_alive) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, ReasonPhrase(response.status));
  AppendHeader("Date", HttpDate(clock_.Now()), &head);
  for (const auto& [name, value] : response.headers) {
    AppendHeader(name, value, &head);
  }
  if (response.status != 204 && response.status != 304) {
    AppendHeader("Content-Length", std::to_string(body_size), &head);
  }
  if (!keep_alive) {
    AppendHeader("Connection", "close", &head);
  }
  return head += "\r\n";
}

void Connection::Respond(Response response) {
  if (state_ == State::kClosed) {
    return;
  }
  FB_ASSERT(state_ == State::kHandling);
  close_after_ = close_after_ || draining_;
  Segment body{std::move(response.body), std::move(response.shared_body), response.static_body};
  const size_t size = body.bytes().size();
  Segment head{SerializeHead(response, size, !close_after_), nullptr, {}};
  const bool has_body =
      size > 0 && !is_head_request_ && response.status != 204 && response.status != 304;
  if (has_body && size <= kJoinedBodyMaxBytes) {
    head.owned.append(body.bytes());
  }
  out_.push_back(std::move(head));
  if (has_body && size > kJoinedBodyMaxBytes) {
    out_.push_back(std::move(body));
  }
  state_ = State::kWriting;
  SetDeadline(options_.write_timeout_ms);
}

void Connection::OpenEvents() {
  if (state_ == State::kClosed) {
    return;
  }
  FB_ASSERT(state_ == State::kHandling);
  close_after_ = true;
  std::string head = "HTTP/1.1 200 OK\r\n";
  AppendHeader("Date", HttpDate(clock_.Now()), &head);
  head +=
      "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
  out_.push_back({std::move(head), nullptr, {}});
  state_ = State::kEvents;
  last_write_us_ = clock_.MonotonicUs();
  SetDeadline(options_.heartbeat_ms);
  if (draining_) {
    state_ = State::kClosed;
  }
}

void Connection::PushEvent(std::string frame) {
  if (state_ != State::kEvents || frame.empty()) {
    return;
  }
  if (out_.empty()) {
    last_write_us_ = clock_.MonotonicUs();
  }
  out_.push_back({std::move(frame), nullptr, {}});
}

std::string_view Connection::Output() const {
  return out_.empty() ? std::string_view() : out_.front().bytes().substr(out_sent_);
}

void Connection::Written(size_t bytes) {
  FB_ASSERT(bytes <= Output().size());
  if (bytes == 0) {
    return;
  }
  last_write_us_ = clock_.MonotonicUs();
  out_sent_ += bytes;
  if (out_sent_ == out_.front().bytes().size()) {
    out_.pop_front();
    out_sent_ = 0;
  }
  if (state_ != State::kWriting) {
    return;
  }
  if (!out_.empty()) {
    SetDeadline(options_.write_timeout_ms);
    return;
  }
  if (close_after_) {
    // Bytes that nobody read would make the operating system reset the connection, answer and all.
    const bool unread = !parser_.has_value() || !parser_->done();
    state_ = unread ? State::kLinger : State::kClosed;
    SetDeadline(kLingerMs);
    return;
  }
  StartIdle();
  Process();
}

void Connection::Drain() {
  draining_ = true;
  if (state_ == State::kIdle || state_ == State::kEvents) {
    state_ = State::kClosed;
  }
}

void Connection::Tick() {
  const int64_t now_us = clock_.MonotonicUs();
  if (now_us < deadline_us_) {
    return;
  }
  switch (state_) {
    case State::kHead:
      Refuse(408, MakeError(Code::kDeadlineExceeded, "the request came too slowly"), true);
      return;
    case State::kBody:
      if (window_bytes_ >= static_cast<uint64_t>(options_.body_window_min_bytes)) {
        StartWindow();
      } else {
        Refuse(408, MakeError(Code::kDeadlineExceeded, "the body came too slowly"), true);
      }
      return;
    case State::kEvents:
      if (!out_.empty()) {
        if (now_us - last_write_us_ >= options_.write_timeout_ms * int64_t{1000}) {
          state_ = State::kClosed;
        }
      } else if (now_us - last_write_us_ >= options_.heartbeat_ms * int64_t{1000}) {
        PushEvent(":\n\n");
      }
      SetDeadline(options_.heartbeat_ms);
      return;
    case State::kSpooling:
    case State::kHandling:
      deadline_us_ = kNever;
      return;
    case State::kIdle:
    case State::kWriting:
    case State::kLinger:
    case State::kClosed:
      state_ = State::kClosed;
      return;
  }
}

std::string HttpDate(Instant instant) {
  static constexpr std::array<std::string_view, 7> kDays = {"Thu", "Fri", "Sat", "Sun",
                                                            "Mon", "Tue", "Wed"};
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilDate date = ToCivilDate(instant);
  const Instant midnight = FloorDay(instant);
  const int64_t days = midnight.us / kMicrosPerDay;  // 1970-01-01 was a Thursday
  const int64_t seconds = (instant.us - midnight.us) / kMicrosPerSecond;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<size_t>((days % 7 + 7) % 7)], date.day,
                     kMonths[static_cast<size_t>(date.month - 1)], date.year, seconds / 3600,
                     seconds / 60 % 60, seconds % 60);
}

std::string_view ReasonPhrase(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 30> kPhrases = {{
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {507, "Insufficient Storage"},
  }};
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) {
      return phrase;
    }
  }
  return status == 505 ? "HTTP Version Not Supported" : "Unknown";
}

std::string EventFrame(std::string_view event, std::string_view data) {
  std::string frame;
  frame.append("event: ").append(event).append("\n");
  for (std::string_view line : SplitText(data, '\n')) {
    frame.append("data: ").append(line).append("\n");
  }
  return frame += "\n";
}

}  // namespace flyball::net
