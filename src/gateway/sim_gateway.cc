#include "gateway/sim_gateway.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace flyball::gateway {
namespace {

class SimCall final : public Call {
 public:
  SimCall(SimGateway& world, const RequestView& request) : world_(world), request_(request) {}
  std::variant<Attempt, Reply> Next(Outcome before) override {
    if (before != Outcome::kNone) {
      static constexpr std::array kNames = {"none",      "not_connected", "broken",
                                            "timed_out", "retryable",     "not_recorded"};
      Log(kNames.at(static_cast<size_t>(before)));
    }
    if (world_.script.next) {
      return world_.script.next(request_, before);
    }
    if (before != Outcome::kNone) {
      return Reply{502, {}, "no more"};
    }
    return Attempt{0, std::string(request_.target), {}, request_.body, 0};
  }
  bool Dispatched() override {
    Log("dispatched");
    if (world_.script.dispatched) world_.script.dispatched();
    return true;
  }
  HeadVerdict Head(int status, std::span<const HeaderView> /*headers*/) override {
    Log("head" + std::to_string(status));
    return world_.script.head ? world_.script.head(status) : HeadVerdict::kPass;
  }
  std::vector<std::pair<std::string, std::string>> ExtraHeaders() override {
    return world_.script.extra;
  }
  bool KeepsLength() override { return world_.script.keeps_length; }
  BodyVerdict Body(std::string_view piece, std::string* out) override {
    body_bytes_ += piece.size();
    return world_.script.body ? world_.script.body(piece, out) : BodyVerdict::kPass;
  }
  std::string Tail() override { return world_.script.tail; }
  void Ended(End how) override {
    FB_ASSERT(!ended_);
    ended_ = true;
    ++world_.ended;
    static constexpr std::array kNames = {"complete", "cut",     "broken",    "client_gone",
                                          "drained",  "refused", "never_sent"};
    if (body_bytes_ > 0) Log("body:" + std::to_string(body_bytes_));
    Log(kNames.at(static_cast<size_t>(how)));
  }
  ~SimCall() override { FB_ASSERT(ended_); }

 private:
  void Log(const std::string& what) { world_.log += (world_.log.empty() ? "" : " ") + what; }
  SimGateway& world_;
  RequestView request_;
  size_t body_bytes_ = 0;
  bool ended_ = false;
};

}  // namespace

void SimEnd::Flush() {
  if (!unsent_.empty() && stream_) {
    const iovec piece{unsent_.data(), unsent_.size()};
    unsent_.erase(0, stream_->Write({&piece, 1}).bytes);
  }
  if (unsent_.empty() && ends_ && stream_) {
    stream_->EndWriting();
  }
}

void SimEnd::OnStream() {
  std::array<char, 4096> buffer{};
  while (stream_ && heard.size() < hears_at_most) {
    const size_t room = std::min(buffer.size(), hears_at_most - heard.size());
    const net::Moved moved = stream_->Read(buffer.data(), room);
    if (moved.state == net::Io::kBlocked) break;
    if (moved.state != net::Io::kMoved) {
      heard_end = true;
      break;
    }
    heard.append(buffer.data(), moved.bytes);
    if (on_bytes) on_bytes();
  }
  Flush();
}

SimVendor::SimVendor(std::unique_ptr<net::Stream> stream,
                     std::function<Answer(const SimRequest&)> handler)
    : end(std::move(stream)), handler_(std::move(handler)) {
  end.on_bytes = [this] { OnBytes(); };
}

void SimVendor::OnBytes() {
  while (end.is_here() && !closes_) {
    SimRequest request;
    size_t looked = 0;
    const size_t head_bytes = net::FindHeadEnd(end.heard, &looked);
    if (head_bytes == 0) return;
    request.text = end.heard.substr(0, head_bytes);
    FB_ASSERT(net::ParseRequestHead(request.text, {}, &request.head).has_value());
    const auto length = static_cast<size_t>(std::max<int64_t>(request.head.length, 0));
    if (end.heard.size() < head_bytes + length) return;
    request.body = end.heard.substr(head_bytes, length);
    end.heard.erase(0, head_bytes + length);
    const Answer answer = handler_(request);
    end.Say(answer.bytes);
    if (answer.closes) {
      end.EndWriting();
      closes_ = true;
    }
  }
}

SimGateway::SimGateway(uint64_t seed, const net::SimNetPlan& plan, ProxyOptions options,
                       size_t upstreams)
    : random(seed), net(clock, timers, random, plan) {
  std::vector<Upstream> list;
  for (size_t i = 0; i < upstreams; ++i) {
    list.push_back({{"vendor" + std::to_string(i), 443, true}, "vendor" + std::to_string(i)});
  }
  proxy = std::make_unique<Proxy>(options, std::move(list), *this, timers, *this);
}

SimGateway::~SimGateway() {
  proxy.reset();
  FB_ASSERT(begun == ended);
}

SimEnd& SimGateway::NewClient() {
  net::SimNet::Ends ends = net.Pair();
  proxy->Accept(std::move(ends.first), "10.0.0.1");
  return clients.emplace_back(std::move(ends.second));
}

std::unique_ptr<Call> SimGateway::Begin(const RequestView& request) {
  ++begun;
  return std::make_unique<SimCall>(*this, request);
}

Reply SimGateway::Refuse(std::string_view path, int status, std::string_view why) {
  return {status, {{"X-Path", std::string(path)}}, std::string(why)};
}

std::unique_ptr<net::Dialer::Attempt> SimGateway::Dial(const net::Endpoint& to,
                                                       int64_t /*timeout_us*/, Done done) {
  auto finish = [this, host = to.host, done = std::move(done)] {
    if (refuses_connections) {
      done(Fail(Code::kUnavailable, "refused"));
      return;
    }
    net::SimNet::Ends ends = net.Pair();
    vendors.push_back(std::make_unique<SimVendor>(
        std::move(ends.second), [this, host](const SimRequest& request) {
          asked.push_back(host + " " + std::string(request.head.method) + " " +
                          std::string(request.head.target) + " " + request.body);
          return vendor ? vendor(request)
                        : SimVendor::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
        }));
    const Done call = done;
    call(std::move(ends.first));
  };
  return std::make_unique<SimDial>(timers, 1000, std::move(finish));
}

}  // namespace flyball::gateway
