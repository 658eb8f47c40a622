// The parts of the proxy, for its own files. Who owns whom: the core owns clients, kept links, and
// exchanges whose client has left; a client owns its exchange; an exchange owns its request, its
// call and its link. What ends while a call into it may still be on the stack is buried: it is
// dropped when the outermost entry from the loop returns.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/call.h"
#include "gateway/gather.h"
#include "gateway/heads.h"
#include "gateway/proxy.h"
#include "net/stream.h"
#include "net/timers.h"
#include "net/wire.h"

namespace flyball::gateway {

class Core;
class Exchange;

inline constexpr size_t kRequestBufferBytes = 16u << 10;
inline constexpr size_t kRequestBuffersKept = 64;
inline constexpr size_t kReadBytes = 64u << 10;
// So many calls leave together at most: more would let the first wait for the last.
inline constexpr size_t kLeavingMax = 16;

// A request while it is read and while its call runs; its views point into it.
struct Request {
  std::unique_ptr<char[]> buffer;
  size_t capacity = 0;
  size_t filled = 0;
  size_t start = 0;       // of the head
  size_t head_bytes = 0;  // 0: not whole yet
  size_t end = 0;         // of the whole request; what is behind it is the next
  size_t looked = 0;
  net::Head head;
  net::BodyReader body;
  std::string chunks;  // a chunked body without its coding
  std::string peer;
  RequestView view;

  // Of the bytes that the core counts for all requests: small ones cost nothing to count.
  size_t counted = 0;
  size_t* counted_of_all = nullptr;
  size_t* counted_of_payer = nullptr;  // null: nobody's share

  explicit Request(size_t* of_all) : counted_of_all(of_all) {}
  ~Request() {
    *counted_of_all -= counted;
    if (counted_of_payer != nullptr) *counted_of_payer -= counted;
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  std::string_view bytes() const { return {buffer.get() + start, filled - start}; }
  void Grow(size_t to);
  // Counts what it holds now.
  void Count();
  // Whose share it counts in, too; null: nobody's.
  void SetPayer(size_t* of_payer);
};

// A connection to an upstream.
class Link final : public net::StreamOwner {
 public:
  Link(Core& core, size_t to, std::unique_ptr<net::Stream> over)
      : core_(core), upstream(to), stream(std::move(over)) {
    stream->SetOwner(this);
  }
  void OnStream() override;

 private:
  Core& core_;

 public:
  size_t upstream;
  std::unique_ptr<net::Stream> stream;
  Exchange* exchange = nullptr;  // null: kept
  bool reused = false;
  int64_t kept_since_us = 0;
};

// A connection of a client.
class Client final : public net::StreamOwner {
 public:
  Client(Core& core, std::unique_ptr<net::Stream> stream, std::string peer);
  void OnStream() override;

  // For its exchange. Send: false when the client is gone, which is then on its way.
  bool Send(const Gather& out);
  size_t unsent_bytes() const { return out_.size() - out_sent_; }
  // The answer is over: well, or broken off, so that the client must not take it for whole.
  void AnswerEnded(std::unique_ptr<Request> request, bool well);
  bool keeps_alive() const { return !close_after_; }
  void CloseAfterAnswer() { close_after_ = true; }

  bool is_idle() const { return state_ == State::kIdle; }
  int64_t idle_since_us() const { return idle_since_us_; }
  void Drain();
  void Close();
  size_t index = 0;  // in the core's list

 private:
  enum class State : uint8_t {
    kIdle,
    kHead,
    kBody,
    kCall,    // the exchange works
    kFlush,   // the rest of the answer goes out
    kLinger,  // refused; reading what still comes, to the bin
    kClosed,
  };
  bool IsReading() const {
    return state_ == State::kIdle || state_ == State::kHead || state_ == State::kBody;
  }
  void Pump();
  void Process();
  void ProcessHead();
  void ProcessBody();
  void HeadDone();
  void RequestDone(size_t end);
  void Refuse(int status, std::string_view why);
  void RefuseWith(const Reply& reply);
  bool Flush();
  void Answered();
  void NextRequest();
  void SetIdle();
  void Linger();
  void Gone();
  void OnTime();

  Core& core_;
  std::unique_ptr<net::Stream> stream_;
  std::string peer_;
  State state_ = State::kIdle;
  bool close_after_ = false;
  bool refused_ = false;
  bool unread_ = false;  // bytes in the buffer that were not looked at
  bool pumping_ = false;
  std::unique_ptr<Request> request_;
  std::unique_ptr<Exchange> exchange_;
  std::string out_;
  size_t out_sent_ = 0;
  uint64_t window_bytes_ = 0;
  uint64_t linger_bytes_ = 0;
  int64_t idle_since_us_ = 0;
  net::Timer timer_;
};

// One call, from Begin to its End.
class Exchange {
 public:
  Exchange(Core& core, Client& client, std::unique_ptr<Request> request);
  void Start();
  void OnUpstream();
  // The client has taken enough that the upstream may be read on.
  void Resume();
  bool paused() const { return paused_; }
  // The client has left; the core owns this from now on.
  void ClientGone();
  // Ends at once, whatever it does: the proxy ends.
  void Abandon();
  // For the core: what was dispatched is written down, so it leaves; or it is not, so it doesn't.
  void Leave(bool recorded);

 private:
  void Try(Outcome before);
  void Connect(bool fresh);
  void OnDialed(Result<std::unique_ptr<net::Stream>> dialed);
  void Dispatch();
  void SendRequest();
  bool WriteRequest();
  bool RequestIsOut() const {
    return !write_failed_ && head_rest_.empty() && body_sent_ == attempt_.body.size();
  }
  void ReadAnswer();
  bool Feed(std::string_view bytes);
  bool FeedHead(std::string_view* bytes);
  bool JudgeHead();
  void SendHead();
  bool FeedBody(std::string_view bytes);
  bool SendBody(bool last);
  void AnswerDone();
  void Cut();
  void UpstreamEnded();
  void Lost(bool late);
  void DropLink();
  void OnTime();
  void SetTimer();
  void SendReply(const Reply& reply);
  void Finish(End how, bool well);

  Core& core_;
  Client* client_;
  std::unique_ptr<Request> request_;
  std::unique_ptr<Call> call_;
  Attempt attempt_;
  std::unique_ptr<net::Dialer::Attempt> dial_;
  std::unique_ptr<Link> link_;
  std::string head_rest_;  // of the request: what the upstream has not taken yet
  size_t body_sent_ = 0;
  std::string partial_;  // of the answer's head
  net::Head head_;
  net::BodyReader body_;
  AnswerForm form_;
  bool dispatched_ = false;  // this attempt has left
  bool leaving_ = false;     // it does, when the core says so
  bool retried_stale_ = false;
  bool write_failed_ = false;
  bool any_byte_ = false;  // of this attempt's answer
  bool passed_ = false;    // the answer's head went to the client
  bool paused_ = false;
  bool reading_ = false;
  bool ended_ = false;
  bool draining_ = false;
  bool cut_ = false;
  uint64_t drained_bytes_ = 0;
  int64_t drain_until_us_ = 0;
  net::Timer timer_;
};

class Core {
 public:
  Core(const ProxyOptions& how, std::vector<Upstream> to, Governor& decides, net::TimerWheel& wheel,
       net::Dialer& dials);

  // Around everything that the loop calls.
  class Entry {
   public:
    explicit Entry(Core& core) : core_(core) { ++core_.depth_; }
    ~Entry() {
      if (--core_.depth_ == 0) core_.Sweep();
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    Core& core_;
  };

  void Accept(std::unique_ptr<net::Stream> stream, std::string peer);
  void Remove(Client& client);
  void Adopt(std::unique_ptr<Exchange> exchange);
  void Bury(Exchange& adopted);
  void Bury(std::unique_ptr<Exchange> exchange) { dead_exchanges_.push_back(std::move(exchange)); }
  void Bury(std::unique_ptr<Link> link) { dead_links_.push_back(std::move(link)); }

  std::unique_ptr<Request> TakeRequest();
  void GiveBack(std::unique_ptr<Request> request);
  // A kept connection that seems to be good, or nothing.
  std::unique_ptr<Link> TakeLink(size_t upstream);
  void Keep(std::unique_ptr<Link> link);
  void KeptLinkHasNews(Link& link);

  // Leave is called for it once the governor has committed.
  void AddLeaving(Exchange& exchange);
  void DropLeaving(Exchange& exchange);
  // The governor has something to write down.
  void CommitAtTurnEnd() { commit_.SetAtTurnEnd(); }

  void Tick();
  void Drain(int64_t within_us, std::function<void()> done);
  void EndAll();
  bool ending() const { return ending_; }

  const ProxyOptions options;             // NOLINT: what all parts share
  const std::vector<Upstream> upstreams;  // NOLINT
  Governor& governor;                     // NOLINT
  net::TimerWheel& timers;                // NOLINT
  net::Dialer& dialer;                    // NOLINT
  ProxyStats stats;                       // NOLINT
  bool stopping = false;                  // NOLINT: no new requests
  size_t body_bytes = 0;                  // NOLINT: of requests, as they count themselves
  // NOLINTNEXTLINE: the same by key; an entry for each key that has sent a body
  std::unordered_map<std::string, size_t> payer_bytes;
  // Used within one call from the loop only.
  std::vector<char> scratch = std::vector<char>(kReadBytes);  // NOLINT
  Gather out, body;                                           // NOLINT
  std::vector<iovec> pieces;                                  // NOLINT
  std::string replaced;                                       // NOLINT

 private:
  void Sweep();
  void Commit();
  void CheckDrained();
  bool MakeRoom();

  int depth_ = 0;
  bool ending_ = false;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unordered_map<Exchange*, std::unique_ptr<Exchange>> adopted_;
  std::vector<std::vector<std::unique_ptr<Link>>> kept_;  // by upstream; the newest last
  std::vector<Exchange*> leaving_;                        // at the next commit
  std::vector<Exchange*> going_;                          // after the one of now
  std::vector<std::unique_ptr<Request>> spare_;
  std::vector<std::unique_ptr<Client>> dead_clients_;
  std::vector<std::unique_ptr<Exchange>> dead_exchanges_;
  std::vector<std::unique_ptr<Link>> dead_links_;
  std::function<void()> drained_;
  net::Timer commit_;
  net::Timer tick_;
  net::Timer drain_timer_;
};

}  // namespace flyball::gateway
