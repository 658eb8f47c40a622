// The seam of the gateway between bytes and money.
//
// The proxy (proxy.h) moves bytes: it reads a client's request, dispatches it to an upstream,
// carries the answer back, and times everything. What it may send, where, and what it cost is
// decided on the other side of this seam, by a Governor: one Call per request, driven by the
// proxy's single thread. The plain lane of the benchmark is a Governor that only routes.
//
//   Begin ─► Next ─► Dispatched ─► (Commit) ─► Head ─► Body ... Body ─► End
//              ▲                       │         │ (429, 5xx, broken before any byte went to the
//              └────────────────── no ◄┴─ retry ◄┘  client)
//
// What calls have said is written down once for all that a turn of the loop brings: by Commit,
// before the first bytes of what was dispatched leave. No method blocks, and each Call sees exactly
// one End.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "net/wire.h"

namespace flyball::gateway {

using net::HeaderView;

// A whole request, its body read up to the proxy's limit. Views are valid until the Call has ended.
struct RequestView {
  std::string_view method;
  std::string_view target;  // path and query as sent; begins with '/'
  std::span<const HeaderView> headers;
  std::string_view body;
  std::string_view peer;  // the client's address
};

// An answer of our own.
struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // without Content-Length
  std::string body;
};

// Where a request goes. The index is that of the proxy's list of upstreams.
struct Attempt {
  size_t upstream = 0;
  std::string target;  // path and query at the upstream
  // Headers that the upstream gets beside Host, framing and what the proxy passes on: the client's
  // own without those of the hop and of authentication.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;   // the request's own, or memory of the Call
  int64_t timeout_us = 0;  // to the head of the answer, and between bytes of it
};

// How the attempt before ended, for Next.
enum class Outcome : uint8_t {
  kNone,           // there was none
  kNotConnected,   // no byte left
  kBroken,         // bytes left, no whole head came back
  kTimedOut,       // the same, by the clock
  kRetryableHead,  // Head said kRetry
  kNotRecorded,    // Dispatched or Commit said no: no byte left
};

enum class HeadVerdict : uint8_t { kPass, kRetry };

// What becomes of a piece of the answer's body.
enum class BodyVerdict : uint8_t {
  kPass,     // the client gets the piece as it came
  kReplace,  // the client gets what was put into `out` instead
  kCut,      // the client gets `out`, which ends the answer well; the upstream is left
};

enum class End : uint8_t {
  kComplete,    // the upstream's answer was whole
  kCut,         // Body said so
  kBroken,      // the upstream broke off or was too slow, after its head
  kClientGone,  // the client left, and the upstream could not be drained to its end in bounds
  kDrained,     // the client left, and the upstream's answer was read to its end
  kRefused,     // Next gave a Reply
  kNeverSent,   // the client left before a byte of this attempt did
};

class Call {
 public:
  virtual ~Call() = default;
  // The next attempt, or the answer that the client gets when there is none (any more).
  virtual std::variant<Attempt, Reply> Next(Outcome before) = 0;
  // The first byte of the attempt is about to leave, as soon as Commit says so: from then on it may
  // cost money. False, or Commit's: it may not, and Next is asked again, with kNotRecorded.
  [[nodiscard]] virtual bool Dispatched() = 0;
  virtual HeadVerdict Head(int status, std::span<const HeaderView> headers) = 0;
  // Headers that the client gets beside the upstream's own; asked once, after Head.
  virtual std::vector<std::pair<std::string, std::string>> ExtraHeaders() { return {}; }
  // False: the body may be changed, so that the client can't get the upstream's Content-Length.
  virtual bool KeepsLength() { return true; }
  // A piece of the answer's body without its transfer coding. The last piece comes before End.
  virtual BodyVerdict Body(std::string_view piece, std::string* out) = 0;
  // The answer is whole: what the client gets behind the last piece.
  virtual std::string Tail() { return {}; }
  virtual void Ended(End how) = 0;
};

struct Judgement {
  std::optional<Reply> refusal;
  std::string payer;  // in whose share of memory the body counts; "": nobody's
};

class Governor {
 public:
  virtual ~Governor() = default;
  virtual std::unique_ptr<Call> Begin(const RequestView& request) = 0;
  // Asked of a head whose body is not here yet, so that nobody's is waited for whose request has no
  // chance.
  virtual Judgement Judge(const RequestView& /*head*/) { return {}; }
  // The proxy refuses by itself what never becomes a request (400, 408, 413, 431): in the shape of
  // the dialect that the path speaks.
  virtual Reply Refuse(std::string_view path, int status, std::string_view why) = 0;
  // Writes down what calls have said since the last time. False: that can't be, so no attempt that
  // was dispatched since then may leave.
  [[nodiscard]] virtual bool Commit() { return true; }
  // Called several times a second, for deadlines.
  virtual void Tick() {}
};

}  // namespace flyball::gateway
