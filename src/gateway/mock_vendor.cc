#include "gateway/mock_vendor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "net/connection.h"
#include "net/wire.h"

namespace flyball::gateway {
namespace {

std::string UsageJson(const MockUsage& u) {
  return fmt::format(
      R"({{"input":{},"cache_read":{},"cache_write_5m":{},"cache_write_1h":{},"output":{},"reasoning":{}}})",
      u.input, u.cache_read, u.cache_write_5m, u.cache_write_1h, u.output, u.reasoning);
}

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

}  // namespace

void MockInvoice::Add(MockBill bill) {
  ++requests_;
  Sum& sum = sums_[{bill.model, MockProvider(bill.dialect)}];
  ++sum.requests;
  sum.usage += bill.usage;
  if (bills_.size() < kMockBillsMax) {
    bills_.push_back(std::move(bill));
  }
}

std::string MockInvoice::ToJson(bool with_requests, std::string_view provider) const {
  uint64_t billed = 0;
  std::map<std::string_view, Sum> by_model;
  for (const auto& [of, sum] : sums_) {
    if (!provider.empty() && of.second != provider) continue;
    billed += sum.requests;
    by_model[of.first].requests += sum.requests;
    by_model[of.first].usage += sum.usage;
  }
  std::string out = fmt::format(R"({{"billed_requests":{},"models":{{)", billed);
  for (const auto& [model, sum] : by_model) {
    fmt::format_to(std::back_inserter(out), R"({}{}:{{"requests":{},"usage":{}}})",
                   out.back() == '{' ? "" : ",", Quoted(model), sum.requests, UsageJson(sum.usage));
  }
  out += "}";
  if (with_requests) {
    out += ",\"requests\":[";
    uint64_t listed = 0;
    for (const MockBill& bill : bills_) {
      if (!provider.empty() && MockProvider(bill.dialect) != provider) continue;
      ++listed;
      fmt::format_to(
          std::back_inserter(out),
          R"({}{{"id":"{}","at":"{}","model":{},"dialect":"{}",{}"stream":{},"complete":{},"usage":{}}})",
          out.back() == '[' ? "" : ",", bill.id, FormatInstant(bill.at), Quoted(bill.model),
          MockDialectName(bill.dialect), bill.tells_tier ? R"("tier":"standard",)" : "",
          bill.stream, bill.complete, UsageJson(bill.usage));
    }
    fmt::format_to(std::back_inserter(out), R"(],"requests_left_off":{})", billed - listed);
  }
  return out + "}";
}

namespace {

class Connection;

struct Shared {
  Shared(MockScript chosen, net::TimerWheel& wheel, Clock& wall)
      : script(std::move(chosen)), timers(wheel), clock(wall) {}
  MockScript script;
  net::TimerWheel& timers;
  Clock& clock;
  MockInvoice invoice;
  uint64_t next_number = 1;
  std::vector<char> scratch = std::vector<char>(256u << 10);
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections;
};

// One client of the vendor. What ends it drops it: nothing of it may be touched afterwards.
class Connection final : public net::StreamOwner {
 public:
  Connection(Shared& shared, std::unique_ptr<net::Stream> stream)
      : shared_(shared), stream_(std::move(stream)), timer_(shared.timers, [this] { OnTime(); }) {
    stream_->SetOwner(this);
  }
  void OnStream() override;

 private:
  enum class State : uint8_t { kReading, kThinking, kStreaming, kGone, kReset };
  bool Read();
  bool Work();
  void TakeRequest(size_t end, std::string_view body);
  void SayInvoice(std::string_view query);
  void Answer();
  void Say(int status, std::string_view type, std::string_view body, std::string_view more = "");
  void SayChunk(std::string_view data);
  void BeginStream();
  void Step();
  void EndAnswer(bool complete);
  void OnTime();
  void Reset();
  bool Flush();
  void Leave();

  Shared& shared_;
  std::unique_ptr<net::Stream> stream_;
  State state_ = State::kReading;
  std::string in_;
  std::string out_;
  net::Head head_;
  net::BodyReader body_reader_;
  size_t head_bytes_ = 0;  // 0: not whole yet
  size_t looked_ = 0;
  size_t body_at_ = 0;
  std::string body_;
  bool to_head_ = false;
  bool keep_alive_ = true;
  MockPlan plan_;
  Instant asked_at_;
  std::string client_id_;
  int64_t frame_ = 0;
  net::Timer timer_;
};

void Connection::OnStream() {
  if (state_ == State::kGone || state_ == State::kReset) {
    return;  // generates on for nobody
  }
  if (!Flush() || (state_ != State::kReading && stream_->HungUp())) {
    Leave();
    return;
  }
  if (state_ != State::kReading || (keep_alive_ && !Read()) || !Flush()) {
    return;
  }
  if (!keep_alive_ && state_ == State::kReading && out_.empty()) {
    Leave();
  }
}

// False: it is over.
bool Connection::Read() {
  while (state_ == State::kReading && keep_alive_) {
    const net::Moved moved = stream_->Read(shared_.scratch.data(), shared_.scratch.size());
    if (moved.state == net::Io::kBlocked) {
      return true;
    }
    if (moved.state != net::Io::kMoved || in_.size() > kMockRequestMaxBytes) {
      Leave();
      return false;
    }
    in_.append(shared_.scratch.data(), moved.bytes);
    if (!Work()) {
      return false;
    }
  }
  return true;
}

// All requests that are here, up to one whose answer takes time.
bool Connection::Work() {
  while (state_ == State::kReading && keep_alive_) {
    if (head_bytes_ == 0) {
      head_bytes_ = net::FindHeadEnd(in_, &looked_);
      if (head_bytes_ == 0) return true;
      if (!net::ParseRequestHead(std::string_view(in_).substr(0, head_bytes_), {}, &head_)) {
        Leave();
        return false;
      }
      body_reader_ = net::BodyReader(head_.framing, head_.length);
      body_at_ = head_bytes_;
      body_.clear();
      if (head_.expects_continue) {
        out_ += "HTTP/1.1 100 Continue\r\n\r\n";
        Flush();
      }
      if (head_.framing == net::Framing::kLength) {
        in_.reserve(head_bytes_ + static_cast<size_t>(head_.length));
      }
    }
    if (head_.framing == net::Framing::kLength) {
      const size_t end = head_bytes_ + static_cast<size_t>(head_.length);
      if (in_.size() < end) return true;
      TakeRequest(end, std::string_view(in_).substr(head_bytes_, end - head_bytes_));
      continue;
    }
    while (body_at_ < in_.size() && !body_reader_.done()) {
      const auto step = body_reader_.Next(std::string_view(in_).substr(body_at_));
      if (!step) {
        Leave();
        return false;
      }
      body_.append(step->data);
      body_at_ += step->used;
    }
    if (!body_reader_.done()) return true;
    TakeRequest(body_at_, body_);
  }
  return true;
}

void Connection::TakeRequest(size_t end, std::string_view body) {
  // The views of the head may be stale by now: the bytes may have moved.
  (void)net::ParseRequestHead(std::string_view(in_).substr(0, head_bytes_), {}, &head_);
  const MockDialect dialect = MockDialectOf(head_.target);
  keep_alive_ = head_.keep_alive;
  to_head_ = head_.method == "HEAD";
  const std::string query(
      head_.target.substr(std::min(head_.target.find('?'), head_.target.size())));
  const std::optional<MockRequest> request =
      head_.method == "POST" ? ReadMockRequest(body) : MockRequest{};
  const MockBehaviour behaviour =
      request ? shared_.script.Choose(dialect, *request) : MockBehaviour{};
  if (request) {
    plan_ = PlanAnswer(dialect, *request, behaviour, body.size(), shared_.next_number++);
    asked_at_ = shared_.clock.Now();
    client_id_ = net::FindHeader(head_.headers, "x-client-request-id");
  }
  in_.erase(0, end);
  head_bytes_ = looked_ = 0;
  if (dialect == MockDialect::kInvoice) {
    SayInvoice(query);
  } else if (dialect == MockDialect::kModels) {
    Say(200, "application/json", ModelList(shared_.script.models()));
  } else if (dialect == MockDialect::kUnknown) {
    Say(404, "application/json", ErrorBody(dialect, 404, "there is no such path"));
  } else if (!request) {
    Say(400, "application/json", ErrorBody(dialect, 400, "the body is no JSON object"));
  } else if (behaviour.first_byte_ms > 0) {
    state_ = State::kThinking;
    timer_.SetAfter(behaviour.first_byte_ms * 1000);
  } else {
    Answer();
  }
}

void Connection::SayInvoice(std::string_view query) {
  bool with_requests = true;
  std::string_view provider;
  if (!query.empty()) query.remove_prefix(1);
  for (std::string_view part : SplitText(query, '&')) {
    constexpr std::string_view kProvider = "provider=";
    if (part == "requests=0") with_requests = false;
    if (part.starts_with(kProvider)) provider = part.substr(kProvider.size());
  }
  if (!provider.empty() && provider != MockProvider(MockDialect::kChat) &&
      provider != MockProvider(MockDialect::kMessages)) {
    Say(400, "application/json",
        ErrorBody(MockDialect::kInvoice, 400, "provider is openai or anthropic"));
    return;
  }
  Say(200, "application/json", shared_.invoice.ToJson(with_requests, provider));
}

void Connection::Answer() {
  const MockBehaviour& behaviour = plan_.behaviour;
  if (behaviour.status != 200) {
    if (behaviour.bill_errors) {
      frame_ = plan_.frames;
      EndAnswer(false);
    }
    const std::string retry = behaviour.retry_after_s >= 0
                                  ? fmt::format("retry-after: {}\r\n", behaviour.retry_after_s)
                                  : "";
    Say(static_cast<int>(behaviour.status), "application/json",
        ErrorBody(plan_.dialect, static_cast<int>(behaviour.status), "so says the script"), retry);
    return;
  }
  const bool streams = plan_.dialect == MockDialect::kChat ||
                       plan_.dialect == MockDialect::kResponses ||
                       plan_.dialect == MockDialect::kMessages;
  if (streams && plan_.request.stream) {
    BeginStream();
    return;
  }
  if (behaviour.reset_after_frames >= 0) {
    frame_ = std::min(behaviour.reset_after_frames, plan_.frames);
    EndAnswer(false);
    Reset();
    return;
  }
  frame_ = plan_.frames;
  EndAnswer(true);
  Say(200, "application/json", AnswerBody(plan_));
}

void Connection::Say(int status, std::string_view type, std::string_view body,
                     std::string_view more) {
  fmt::format_to(std::back_inserter(out_),
                 "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nx-request-id: {}\r\n{}Content-Length: {}"
                 "\r\n\r\n",
                 status, net::ReasonPhrase(status), type, plan_.id, more, body.size());
  if (!to_head_) out_ += body;
}

void Connection::SayChunk(std::string_view data) {
  if (state_ == State::kGone || data.empty()) return;
  net::AppendChunkHead(data.size(), &out_);
  out_.append(data).append("\r\n");
}

void Connection::BeginStream() {
  state_ = State::kStreaming;
  frame_ = 0;
  fmt::format_to(
      std::back_inserter(out_),
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
      "Cache-Control: no-cache\r\nx-request-id: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
      plan_.id);
  SayChunk(StreamBegin(plan_));
  if (plan_.behaviour.frame_ms > 0) {
    timer_.SetAfter(plan_.behaviour.frame_ms * 1000);
    return;
  }
  while (state_ == State::kStreaming) Step();
}

// The next frame, or the end.
void Connection::Step() {
  if (frame_ == plan_.behaviour.reset_after_frames) {
    EndAnswer(false);
    Reset();
    return;
  }
  if (frame_ < plan_.frames) {
    std::string data;
    AppendFrame(plan_, frame_++, &data);
    SayChunk(data);
    return;
  }
  SayChunk(StreamEnd(plan_));
  if (state_ != State::kGone) out_ += net::kLastChunk;
  EndAnswer(true);
}

// The bill is for what was made.
void Connection::EndAnswer(bool complete) {
  if (plan_.dialect != MockDialect::kCountTokens) {
    shared_.invoice.Add({plan_.id, client_id_, plan_.request.model, plan_.dialect,
                         plan_.request.stream, complete && state_ != State::kGone, asked_at_,
                         UsageAfter(plan_, frame_), !plan_.behaviour.no_tier});
  }
  if (state_ != State::kGone) state_ = State::kReading;
}

void Connection::OnTime() {
  if (state_ == State::kGone) {
    // Nobody is there, and it is billed all the same.
    frame_ = plan_.frames;
    EndAnswer(false);
    shared_.connections.erase(this);
    return;
  }
  if (state_ == State::kThinking) {
    state_ = State::kReading;
    Answer();
  } else if (state_ == State::kStreaming) {
    Step();
    if (state_ == State::kStreaming) timer_.SetAfter(plan_.behaviour.frame_ms * 1000);
  }
  if (!stream_ || !Flush()) {
    Leave();
    return;
  }
  if (state_ != State::kReading || Work()) {
    OnStream();
  }
}

// Breaks the connection off under the client's hands.
void Connection::Reset() {
  Flush();
  stream_.reset();
  state_ = State::kReset;
  timer_.SetAfter(0);  // the rest follows from the loop
}

bool Connection::Flush() {
  if (out_.empty() || !stream_) {
    return stream_ != nullptr;
  }
  const iovec piece{out_.data(), out_.size()};
  const net::Moved moved = stream_->Write({&piece, 1});
  if (moved.state == net::Io::kBroken) {
    return false;
  }
  out_.erase(0, moved.bytes);
  return true;
}

void Connection::Leave() {
  const bool working = stream_ && (state_ == State::kThinking || state_ == State::kStreaming);
  if (working && plan_.behaviour.status == 200) {
    if (plan_.behaviour.bill_after_disconnect) {
      state_ = State::kGone;
      stream_.reset();
      const int64_t left = plan_.frames - frame_;
      timer_.SetAfter(std::max<int64_t>(left * plan_.behaviour.frame_ms, 1) * 1000);
      return;
    }
    // What was streamed was made; what was only thought of is not billed.
    if (state_ == State::kStreaming) EndAnswer(false);
  }
  shared_.connections.erase(this);
}

}  // namespace

struct MockVendor::Impl : Shared {
  using Shared::Shared;
};

MockVendor::MockVendor(MockScript script, net::TimerWheel& timers, Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(script), timers, clock)) {}
MockVendor::~MockVendor() = default;

void MockVendor::Accept(std::unique_ptr<net::Stream> stream) {
  auto connection = std::make_unique<Connection>(*impl_, std::move(stream));
  Connection* key = connection.get();
  impl_->connections.emplace(key, std::move(connection));
}

const MockInvoice& MockVendor::invoice() const { return impl_->invoice; }

}  // namespace flyball::gateway
