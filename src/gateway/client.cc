// One connection of a client.
#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/proxy_core.h"

namespace flyball::gateway {

void Request::Grow(size_t to) {
  auto larger = std::make_unique_for_overwrite<char[]>(to);
  if (filled > 0) std::memcpy(larger.get(), buffer.get(), filled);
  buffer = std::move(larger);
  capacity = to;
}

void Request::Count() {
  const size_t bytes = filled + chunks.capacity();
  const size_t now = bytes > kRequestBufferBytes ? bytes : 0;
  *counted_of_all += now - counted;
  if (counted_of_payer != nullptr) *counted_of_payer += now - counted;
  counted = now;
}

void Request::SetPayer(size_t* of_payer) {
  if (counted_of_payer != nullptr) *counted_of_payer -= counted;
  counted_of_payer = of_payer;
  if (of_payer != nullptr) *of_payer += counted;
}

Client::Client(Core& core, std::unique_ptr<net::Stream> stream, std::string peer)
    : core_(core),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      timer_(core.timers, [this] { OnTime(); }) {
  stream_->SetOwner(this);
  ++core_.stats.clients;
  SetIdle();
}

void Client::SetIdle() {
  state_ = State::kIdle;
  idle_since_us_ = core_.timers.now_us();
  timer_.SetAfter(core_.options.idle_timeout_us);
}

void Client::OnStream() {
  Core::Entry entry(core_);
  if (state_ == State::kClosed) {
    return;
  }
  if (!Flush()) {
    Gone();
    return;
  }
  switch (state_) {
    case State::kIdle:
    case State::kHead:
    case State::kBody:
    case State::kLinger:
      Pump();
      break;
    case State::kCall:
      if (stream_->HungUp()) {
        Gone();
      } else if (exchange_->paused() && unsent_bytes() <= core_.options.unsent_low_bytes) {
        exchange_->Resume();
      }
      break;
    case State::kFlush:
      if (unsent_bytes() == 0) {
        Answered();
        Pump();
      }
      break;
    case State::kClosed:
      break;
  }
}

// Reads and works until there is nothing to read, or an answer is waited for.
void Client::Pump() {
  if (pumping_) {
    return;
  }
  pumping_ = true;
  while (IsReading() || state_ == State::kLinger) {
    if (state_ == State::kLinger) {
      const net::Moved moved = stream_->Read(core_.scratch.data(), core_.scratch.size());
      if (moved.state == net::Io::kBlocked) break;
      linger_bytes_ += moved.bytes;
      if (moved.state != net::Io::kMoved || linger_bytes_ > kLingerMaxBytes) Close();
      continue;
    }
    if (std::exchange(unread_, false)) {
      Process();
      continue;
    }
    if (!stream_->HasNews()) {
      break;
    }
    if (!request_) {
      request_ = core_.TakeRequest();
    }
    if (request_->filled == request_->capacity) {
      request_->Grow(request_->capacity * 2);  // of a head; ProcessHead holds it to its limit
    }
    const net::Moved moved = stream_->Read(request_->buffer.get() + request_->filled,
                                           request_->capacity - request_->filled);
    if (moved.state == net::Io::kBlocked) {
      break;
    }
    if (moved.state != net::Io::kMoved) {
      Close();  // between requests, or in the middle of one that nobody waits for
      break;
    }
    request_->filled += moved.bytes;
    window_bytes_ += moved.bytes;
    unread_ = true;
  }
  if (state_ == State::kIdle && request_ && request_->filled == 0) {
    core_.GiveBack(std::move(request_));
  }
  pumping_ = false;
}

void Client::Process() {
  if (state_ == State::kIdle) {
    state_ = State::kHead;
    timer_.SetAfter(core_.options.head_timeout_us);
  }
  if (state_ == State::kHead) {
    ProcessHead();
  }
  if (state_ == State::kBody) {
    ProcessBody();
  }
}

void Client::ProcessHead() {
  Request& request = *request_;
  // Some clients send an empty line behind a body (RFC 9112, 2.2).
  if (request.start == 0 && request.bytes().starts_with("\r\n")) {
    request.start = 2;
  }
  const std::string_view bytes = request.bytes();
  if (request.start == 0 && bytes == "\r") {
    return;
  }
  request.head_bytes = net::FindHeadEnd(bytes, &request.looked);
  if (request.head_bytes == 0) {
    if (bytes.size() > core_.options.head_max_bytes) {
      Refuse(431, "the head of the request is too long");
    }
    return;
  }
  const net::HeadLimits limits{core_.options.head_max_bytes, core_.options.headers_max};
  if (auto parsed =
          net::ParseRequestHead(bytes.substr(0, request.head_bytes), limits, &request.head);
      !parsed) {
    Refuse(parsed.error().status, parsed.error().why);
    return;
  }
  HeadDone();
}

void Client::HeadDone() {
  Request& request = *request_;
  const net::Head& head = request.head;
  if (head.length > 0 && static_cast<uint64_t>(head.length) > core_.options.body_max_bytes) {
    Refuse(413, "the body of the request is too large");
    return;
  }
  request.body = net::BodyReader(head.framing, head.length);
  state_ = State::kBody;
  close_after_ = close_after_ || !head.keep_alive;
  const size_t body_start = request.start + request.head_bytes;
  if (head.framing == net::Framing::kLength) {
    request.end = body_start + static_cast<size_t>(head.length);
    if (request.end > request.capacity) {
      request.Grow(request.end);
      (void)net::ParseRequestHead(request.bytes().substr(0, request.head_bytes),
                                  {core_.options.head_max_bytes, core_.options.headers_max},
                                  &request.head);
    }
  }
  if (request.body.done() || (request.end > 0 && request.filled >= request.end)) {
    return;
  }
  request.view = RequestView{head.method, head.target, head.headers, {}, peer_};
  const Judgement judgement = core_.governor.Judge(request.view);
  if (judgement.refusal) {
    ++core_.stats.refused;
    RefuseWith(*judgement.refusal);
    return;
  }
  if (!judgement.payer.empty()) request.SetPayer(&core_.payer_bytes[judgement.payer]);
  window_bytes_ = 0;
  timer_.SetAfter(core_.options.body_window_us);
  if (head.expects_continue && head.minor == 1 && request.filled == body_start) {
    core_.out.Clear();
    core_.out.Text("HTTP/1.1 100 Continue\r\n\r\n");
    Send(core_.out);
  }
}

void Client::ProcessBody() {
  Request& request = *request_;
  request.Count();
  if (core_.body_bytes > core_.options.bodies_max_bytes && request.counted > 0) {
    Refuse(503, "the gateway holds as many bytes of requests as it may; try again later");
    return;
  }
  // One key may have the room that nobody needs.
  const bool scarce = core_.body_bytes > core_.options.bodies_max_bytes / 2;
  if (scarce && request.counted > 0 && request.counted_of_payer != nullptr &&
      *request.counted_of_payer > core_.options.payer_max_bytes) {
    Refuse(503,
           "the gateway holds as many bytes of this key's requests as it may; try again later");
    return;
  }
  const size_t body_start = request.start + request.head_bytes;
  if (request.head.framing == net::Framing::kNone) {
    RequestDone(body_start);
    return;
  }
  if (request.head.framing == net::Framing::kLength) {
    if (request.filled >= request.end) RequestDone(request.end);
    return;
  }
  size_t at = body_start;
  while (at < request.filled && !request.body.done()) {
    const auto step = request.body.Next({request.buffer.get() + at, request.filled - at});
    if (!step) {
      Refuse(step.error().status, step.error().why);
      return;
    }
    if (request.chunks.size() + step->data.size() > core_.options.body_max_bytes) {
      Refuse(413, "the body of the request is too large");
      return;
    }
    request.chunks.append(step->data);
    at += step->used;
  }
  if (request.body.done()) {
    RequestDone(at);
    return;
  }
  request.filled = body_start;
  if (request.filled == request.capacity) {
    request.Grow(request.capacity * 2);
    (void)net::ParseRequestHead(request.bytes().substr(0, request.head_bytes),
                                {core_.options.head_max_bytes, core_.options.headers_max},
                                &request.head);
  }
}

void Client::RequestDone(size_t end) {
  Request& request = *request_;
  request.end = end;
  request.peer = peer_;
  const size_t body_start = request.start + request.head_bytes;
  request.view =
      RequestView{request.head.method, request.head.target, request.head.headers,
                  request.head.framing == net::Framing::kChunked
                      ? std::string_view(request.chunks)
                      : std::string_view(request.buffer.get() + body_start, end - body_start),
                  request.peer};
  state_ = State::kCall;
  timer_.Stop();
  ++core_.stats.requests;
  exchange_ = std::make_unique<Exchange>(core_, *this, std::move(request_));
  exchange_->Start();
}

void Client::Refuse(int status, std::string_view why) {
  ++core_.stats.refused;
  const net::Head& head = request_->head;
  const std::string_view path =
      request_->head_bytes > 0 ? head.target.substr(0, head.target.find('?')) : std::string_view();
  RefuseWith(core_.governor.Refuse(path, status, why));
}

void Client::RefuseWith(const Reply& reply) {
  core_.out.Clear();
  AppendReply(reply, false, AnswerForm{BodyForm::kLength, 1, false}, &core_.out.text());
  core_.out.Grown();
  core_.GiveBack(std::move(request_));
  close_after_ = true;
  refused_ = true;
  state_ = State::kFlush;
  timer_.SetAfter(core_.options.write_timeout_us);
  if (!Send(core_.out)) {
    Close();
  } else if (unsent_bytes() == 0) {
    Answered();
  }
}

bool Client::Send(const Gather& out) {
  size_t sent = 0;
  if (out_.empty()) {
    out.Pieces(0, &core_.pieces);
    const net::Moved moved = stream_->Write(core_.pieces);
    if (moved.state == net::Io::kBroken) {
      return false;
    }
    sent = moved.bytes;
    if (sent == out.bytes()) {
      return true;
    }
    timer_.SetAfter(core_.options.write_timeout_us);
  }
  out.Pieces(sent, &core_.pieces);
  for (const iovec& piece : core_.pieces) {
    out_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return true;
}

bool Client::Flush() {
  if (out_.empty()) {
    return true;
  }
  const iovec piece{out_.data() + out_sent_, out_.size() - out_sent_};
  const net::Moved moved = stream_->Write({&piece, 1});
  if (moved.state == net::Io::kBroken) {
    return false;
  }
  if (moved.bytes == 0) {
    return true;
  }
  out_sent_ += moved.bytes;
  if (out_sent_ == out_.size()) {
    out_ = std::string();
    out_sent_ = 0;
    if (state_ == State::kCall) timer_.Stop();
    return true;
  }
  if (out_sent_ > core_.options.unsent_high_bytes) {
    out_.erase(0, out_sent_);
    out_sent_ = 0;
  }
  timer_.SetAfter(core_.options.write_timeout_us);
  return true;
}

void Client::AnswerEnded(std::unique_ptr<Request> request, bool well) {
  core_.Bury(std::move(exchange_));
  if (!well) {
    Close();
    return;
  }
  request_ = std::move(request);
  state_ = State::kFlush;
  if (unsent_bytes() == 0) {
    Answered();
    Pump();  // does nothing when it is what called us
  }
}

// The answer is out.
void Client::Answered() {
  if (refused_) {
    Linger();
  } else if (close_after_ || core_.stopping) {
    // A client that has pipelined more would find its answer lost in a reset.
    if (request_ && request_->filled > request_->end) {
      Linger();
    } else {
      Close();
    }
  } else {
    NextRequest();
  }
}

void Client::NextRequest() {
  Request& request = *request_;
  const size_t more = request.filled - request.end;
  SetIdle();
  if (more == 0) {
    core_.GiveBack(std::move(request_));
    return;
  }
  std::unique_ptr<Request> next = core_.TakeRequest();
  if (next->capacity < more) next->Grow(more);
  std::memcpy(next->buffer.get(), request.buffer.get() + request.end, more);
  next->filled = more;
  core_.GiveBack(std::move(request_));
  request_ = std::move(next);
  unread_ = true;
}

void Client::Linger() {
  stream_->EndWriting();
  state_ = State::kLinger;
  core_.GiveBack(std::move(request_));
  timer_.SetAfter(kLingerUs);
}

void Client::Drain() {
  close_after_ = true;
  if (state_ == State::kIdle) {
    Close();
  }
}

// The client has left: what it asked for goes on without it, within bounds.
void Client::Gone() { Close(); }

void Client::Close() {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  timer_.Stop();
  --core_.stats.clients;
  stream_->SetOwner(nullptr);
  if (exchange_) {
    Exchange& exchange = *exchange_;
    core_.Adopt(std::move(exchange_));
    exchange.ClientGone();
  }
  core_.Remove(*this);
}

void Client::OnTime() {
  Core::Entry entry(core_);
  switch (state_) {
    case State::kHead:
      Refuse(408, "the request came too slowly");
      Pump();
      break;
    case State::kBody:
      if (window_bytes_ < core_.options.body_window_min_bytes) {
        Refuse(408, "the request came too slowly");
        Pump();
      } else {
        window_bytes_ = 0;
        timer_.SetAfter(core_.options.body_window_us);
      }
      break;
    default:
      Close();  // idle for too long, or it takes nothing
  }
}

}  // namespace flyball::gateway
