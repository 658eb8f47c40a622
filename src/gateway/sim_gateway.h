// A gateway in a box, for tests: the proxy between clients and vendors that are played over the
// simulated network, and a Governor that does what the test says and writes down all that it is
// told. Test code only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "gateway/proxy.h"
#include "net/sim_stream.h"
#include "net/wire.h"

namespace flyball::gateway {

// One end of a pair that a test plays: sends what it is given, keeps what comes.
class SimEnd : public net::StreamOwner {
 public:
  explicit SimEnd(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {
    stream_->SetOwner(this);
  }
  void Say(std::string_view bytes) {
    unsent_.append(bytes);
    Flush();
  }
  void EndWriting() {
    ends_ = true;
    Flush();
  }
  void Leave() { stream_.reset(); }
  bool is_here() const { return stream_ != nullptr; }
  void OnStream() override;

  std::string heard;
  size_t hears_at_most = ~size_t{0};  // then it reads no more
  bool heard_end = false;             // the other side has closed, well or not
  std::function<void()> on_bytes;

 private:
  void Flush();
  std::unique_ptr<net::Stream> stream_;
  std::string unsent_;
  bool ends_ = false;
};

// A connection that is being made: done after a time, unless it is dropped before.
class SimDial final : public net::Dialer::Attempt {
 public:
  SimDial(net::TimerWheel& timers, int64_t after_us, std::function<void()> done)
      : timer_(timers, std::move(done)) {
    timer_.SetAfter(after_us);
  }

 private:
  net::Timer timer_;
};

struct SimRequest {
  net::Head head;  // its views point into `text`
  std::string text;
  std::string body;
};

// A vendor's server: one answer a request.
class SimVendor {
 public:
  struct Answer {
    std::string bytes;  // as they go over the wire; empty: never
    bool closes = false;
  };
  SimVendor(std::unique_ptr<net::Stream> stream, std::function<Answer(const SimRequest&)> handler);
  SimEnd end;

 private:
  void OnBytes();
  std::function<Answer(const SimRequest&)> handler_;
  bool closes_ = false;
};

struct SimCallScript {
  std::function<std::variant<Attempt, Reply>(const RequestView&, Outcome)> next;
  std::function<HeadVerdict(int status)> head;
  std::function<BodyVerdict(std::string_view piece, std::string* out)> body;
  std::vector<std::pair<std::string, std::string>> extra;
  std::string tail;
  bool keeps_length = true;
  bool records = true;  // what Commit says
  std::function<Judgement(const RequestView& head)> judge;
  std::function<void()> dispatched;
};

class SimGateway : public Governor, public net::Dialer {
 public:
  explicit SimGateway(uint64_t seed, const net::SimNetPlan& plan = {}, ProxyOptions options = {},
                      size_t upstreams = 2);
  ~SimGateway() override;

  SimEnd& NewClient();
  void RunFor(int64_t us) { net.RunUntil(clock.MonotonicUs() + us); }
  // All events of all calls so far, as "dispatched head200 body:5 complete".
  std::string log;
  int begun = 0;
  int commits = 0;
  int ended = 0;

  SimCallScript script;
  std::function<SimVendor::Answer(const SimRequest&)> vendor;
  std::vector<std::string> asked;  // what the vendors were asked: "upstream METHOD target body"
  bool refuses_connections = false;

  SimClock clock{Instant{0}};
  Random random;
  net::TimerWheel timers{0};
  net::SimNet net;
  std::deque<SimEnd> clients;
  std::deque<std::unique_ptr<SimVendor>> vendors;
  std::unique_ptr<Proxy> proxy;

  std::unique_ptr<Call> Begin(const RequestView& request) override;
  Judgement Judge(const RequestView& head) override {
    return script.judge ? script.judge(head) : Judgement();
  }
  Reply Refuse(std::string_view path, int status, std::string_view why) override;
  bool Commit() override {
    ++commits;
    return script.records;
  }

  std::unique_ptr<net::Dialer::Attempt> Dial(const net::Endpoint& to, int64_t timeout_us,
                                             Done done) override;
};

}  // namespace flyball::gateway
