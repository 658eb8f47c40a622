// One call: its attempts, the answer on its way to the client, its one End.
#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "gateway/proxy_core.h"

namespace flyball::gateway {
namespace {

// The last chunk of an answer that was ended here: the head is out, so a trailer says so.
constexpr std::string_view kCutChunk = "0\r\nx-flyball-ended-by: budget\r\n\r\n";

}  // namespace

Exchange::Exchange(Core& core, Client& client, std::unique_ptr<Request> request)
    : core_(core),
      client_(&client),
      request_(std::move(request)),
      call_(core.governor.Begin(request_->view)),
      timer_(core.timers, [this] { OnTime(); }) {}

void Exchange::Start() { Try(Outcome::kNone); }

void Exchange::Try(Outcome before) {
  DropLink();
  auto next = call_->Next(before);
  if (Reply* reply = std::get_if<Reply>(&next)) {
    SendReply(*reply);
    return;
  }
  attempt_ = std::get<Attempt>(std::move(next));
  FB_ASSERT(attempt_.upstream < core_.upstreams.size());
  dispatched_ = false;
  retried_stale_ = false;
  Connect(false);
}

void Exchange::Connect(bool fresh) {
  any_byte_ = false;
  write_failed_ = false;
  if (!fresh) {
    link_ = core_.TakeLink(attempt_.upstream);
    if (link_) {
      link_->exchange = this;
      Dispatch();
      return;
    }
  }
  ++core_.stats.dialed;
  dial_ = core_.dialer.Dial(
      core_.upstreams[attempt_.upstream].endpoint, core_.options.connect_timeout_us,
      [this](Result<std::unique_ptr<net::Stream>> dialed) { OnDialed(std::move(dialed)); });
}

void Exchange::OnDialed(Result<std::unique_ptr<net::Stream>> dialed) {
  Core::Entry entry(core_);
  dial_.reset();
  if (!dialed) {
    if (client_ == nullptr) {
      Finish(End::kClientGone, false);
    } else {
      // A second connection for what the first one did not take: it is known as dispatched.
      Try(dispatched_ ? Outcome::kBroken : Outcome::kNotConnected);
    }
    return;
  }
  link_ = std::make_unique<Link>(core_, attempt_.upstream, *std::move(dialed));
  link_->exchange = this;
  Dispatch();
}

void Exchange::Dispatch() {
  if (dispatched_) {
    SendRequest();  // the same attempt over another connection
    return;
  }
  if (!call_->Dispatched()) {
    Leave(false);
    return;
  }
  leaving_ = true;
  core_.AddLeaving(*this);
}

void Exchange::Leave(bool recorded) {
  leaving_ = false;
  if (recorded) {
    dispatched_ = true;
    SendRequest();
  } else {
    core_.Keep(std::move(link_));  // as good as it was
    Try(Outcome::kNotRecorded);
  }
}

void Exchange::SendRequest() {
  head_rest_.clear();
  AppendUpstreamHead(request_->view, request_->head.names_hop_headers, attempt_,
                     core_.upstreams[attempt_.upstream].host, &head_rest_);
  body_sent_ = 0;
  partial_.clear();
  link_->stream->Mark();
  SetTimer();
  if (!WriteRequest()) {
    Lost(false);
  } else {
    OnUpstream();  // costs nothing where nothing has come
  }
}

// False: the connection is broken.
bool Exchange::WriteRequest() {
  while (!head_rest_.empty() || body_sent_ < attempt_.body.size()) {
    const std::string_view body = attempt_.body.substr(body_sent_);
    const std::array<iovec, 2> both{iovec{head_rest_.data(), head_rest_.size()},
                                    iovec{const_cast<char*>(body.data()), body.size()}};
    const size_t first = head_rest_.empty() ? 1 : 0;
    const size_t count = (first == 0 ? 1u : 0u) + (body.empty() ? 0u : 1u);
    const net::Moved moved = link_->stream->Write({both.data() + first, count});
    if (moved.state == net::Io::kBroken) {
      return false;
    }
    if (moved.bytes == 0) {
      return true;
    }
    const size_t of_head = std::min(moved.bytes, head_rest_.size());
    head_rest_.erase(0, of_head);
    body_sent_ += moved.bytes - of_head;
    SetTimer();
  }
  return true;
}

void Exchange::OnUpstream() {
  if (ended_ || leaving_ || !link_) {
    return;  // Leave looks again
  }
  if (!write_failed_ && !WriteRequest()) {
    // An answer may stand before the end: a refusal of a body that is too large.
    write_failed_ = true;
    if (!link_->stream->HasNews()) {
      Lost(false);
      return;
    }
  }
  ReadAnswer();
}

void Exchange::Resume() {
  paused_ = false;
  SetTimer();
  ReadAnswer();
}

void Exchange::ReadAnswer() {
  if (reading_) {
    return;
  }
  reading_ = true;
  while (!ended_ && link_ && !paused_) {
    const net::Moved moved = link_->stream->Read(core_.scratch.data(), core_.scratch.size());
    if (moved.state == net::Io::kBlocked) {
      break;
    }
    if (moved.state == net::Io::kEnd) {
      UpstreamEnded();
      break;
    }
    if (moved.state == net::Io::kBroken) {
      Lost(false);
      break;
    }
    any_byte_ = true;
    SetTimer();
    if (!Feed({core_.scratch.data(), moved.bytes})) {
      break;
    }
    if (client_ != nullptr && client_->unsent_bytes() > core_.options.unsent_high_bytes) {
      paused_ = true;
      timer_.Stop();
    }
  }
  reading_ = false;
}

// False: stop reading, this answer or this attempt is over.
bool Exchange::Feed(std::string_view bytes) {
  core_.out.Clear();
  core_.body.Clear();
  if (draining_) {
    drained_bytes_ += bytes.size();
    if (drained_bytes_ > core_.options.drain_max_bytes) {
      Finish(End::kClientGone, false);
      return false;
    }
  }
  if (!passed_ && !FeedHead(&bytes)) {
    return false;
  }
  return !passed_ || FeedBody(bytes);
}

// Takes heads off: those of the interim, and the one that counts. False: stop reading.
bool Exchange::FeedHead(std::string_view* bytes) {
  const net::HeadLimits limits{core_.options.head_max_bytes, core_.options.headers_max};
  while (!passed_) {
    const bool whole = partial_.empty();
    if (!whole) {
      partial_.append(*bytes);
    }
    const std::string_view all = whole ? *bytes : std::string_view(partial_);
    size_t looked = 0;
    const size_t end = net::FindHeadEnd(all, &looked);
    if (end == 0) {
      if (all.size() > limits.bytes_max) {
        Lost(false);
        return false;
      }
      if (whole) partial_ = all;
      return true;
    }
    if (!net::ParseResponseHead(all.substr(0, end), limits, request_->view.method == "HEAD",
                                &head_) ||
        head_.status == 101) {
      Lost(false);
      return false;
    }
    const size_t of_head = end - (all.size() - bytes->size());
    bytes->remove_prefix(of_head);
    if (head_.status < 200) {
      partial_.clear();
      if (bytes->empty()) return true;
      continue;
    }
    if (!JudgeHead()) {
      return false;
    }
  }
  return true;
}

bool Exchange::JudgeHead() {
  body_ = net::BodyReader(head_.framing, head_.length);
  if (call_->Head(head_.status, head_.headers) == HeadVerdict::kRetry) {
    if (client_ == nullptr) {
      Finish(End::kClientGone, false);
      return false;
    }
    // The connection is good for more when there is no body to be read first.
    if (body_.done() && head_.keep_alive && RequestIsOut()) {
      core_.Keep(std::move(link_));
    }
    Try(Outcome::kRetryableHead);
    return false;
  }
  passed_ = true;
  if (client_ != nullptr) {
    SendHead();
  }
  partial_ = std::string();
  return true;
}

// Puts the head into the write to come.
void Exchange::SendHead() {
  const std::vector<OwnHeader> extra = call_->ExtraHeaders();
  const bool bodiless =
      request_->view.method == "HEAD" || head_.status == 204 || head_.status == 304;
  form_.minor = request_->head.minor;
  if (bodiless) {
    form_.body = BodyForm::kNone;
  } else if (head_.length >= 0 && call_->KeepsLength()) {
    form_.body = BodyForm::kLength;
  } else {
    form_.body = form_.minor == 0 ? BodyForm::kUntilClose : BodyForm::kChunked;
  }
  if (form_.body == BodyForm::kUntilClose) {
    client_->CloseAfterAnswer();
  }
  form_.keep_alive = client_->keeps_alive() && !core_.stopping;
  AppendAnswerHead(head_, extra, form_, &core_.out.text());
  core_.out.Grown();
}

bool Exchange::FeedBody(std::string_view bytes) {
  while (!body_.done() && !bytes.empty()) {
    const auto step = body_.Next(bytes);
    if (!step) {
      Lost(false);
      return false;
    }
    bytes.remove_prefix(step->used);
    if (step->data.empty()) {
      continue;
    }
    core_.replaced.clear();
    const BodyVerdict verdict = call_->Body(step->data, &core_.replaced);
    if (verdict == BodyVerdict::kPass) {
      core_.body.Borrow(step->data);
    } else {
      core_.body.Text(core_.replaced);
    }
    if (verdict == BodyVerdict::kCut) {
      Cut();
      return false;
    }
  }
  if (!body_.done()) {
    return SendBody(false);
  }
  if (!bytes.empty()) {
    head_.keep_alive = false;  // it says more than it was asked for
  }
  AnswerDone();
  return false;
}

// One write for the head, when it is due, and for the pieces. False: it is over.
bool Exchange::SendBody(bool last) {
  if (client_ == nullptr) {
    return true;
  }
  const bool chunked = form_.body == BodyForm::kChunked;
  if (form_.body != BodyForm::kNone && core_.body.bytes() > 0) {
    if (chunked) {
      net::AppendChunkHead(core_.body.bytes(), &core_.out.text());
      core_.out.Grown();
    }
    core_.out.Append(core_.body);
    if (chunked) core_.out.Text("\r\n");
  }
  if (chunked && last) {
    core_.out.Text(cut_ ? kCutChunk : net::kLastChunk);
  }
  if (core_.out.bytes() > 0 && !client_->Send(core_.out)) {
    client_->Close();  // calls ClientGone
  }
  return !ended_;
}

void Exchange::AnswerDone() {
  core_.body.Text(call_->Tail());
  // From here on nothing of the upstream is needed: a client that is gone now had a whole answer.
  if (head_.keep_alive && RequestIsOut()) {
    core_.Keep(std::move(link_));
  } else {
    DropLink();
  }
  ended_ = true;
  SendBody(true);
  Finish(draining_ ? End::kDrained : End::kComplete, true);
}

void Exchange::Cut() {
  DropLink();
  ended_ = true;
  // A length that was promised can't be kept.
  const bool well = form_.body != BodyForm::kLength;
  cut_ = true;
  SendBody(true);
  Finish(End::kCut, well);
}

void Exchange::UpstreamEnded() {
  if (passed_ && body_.End()) {
    core_.out.Clear();
    core_.body.Clear();
    head_.keep_alive = false;
    AnswerDone();
    return;
  }
  Lost(false);
}

// The connection is of no more use, and the answer is not whole.
void Exchange::Lost(bool late) {
  if (passed_ || client_ == nullptr) {
    Finish(client_ == nullptr ? End::kClientGone : End::kBroken, false);
    return;
  }
  if (!late && link_->reused && !any_byte_ && !retried_stale_ &&
      link_->stream->TookNothingSinceMark()) {
    // It was closed while it was kept, and the request was never read: the same attempt, anew.
    ++core_.stats.stale;
    retried_stale_ = true;
    DropLink();
    Connect(true);
    return;
  }
  Try(late ? Outcome::kTimedOut : Outcome::kBroken);
}

void Exchange::DropLink() {
  if (link_) {
    link_->exchange = nullptr;
    link_->stream->SetOwner(nullptr);
    core_.Bury(std::move(link_));
  }
}

void Exchange::SetTimer() {
  const int64_t patience_us =
      attempt_.timeout_us > 0 ? attempt_.timeout_us : core_.options.answer_timeout_us;
  const int64_t at_us = core_.timers.now_us() + patience_us;
  timer_.SetAt(draining_ ? std::min(at_us, drain_until_us_) : at_us);
}

void Exchange::OnTime() {
  Core::Entry entry(core_);
  if (link_ && !leaving_) {
    Lost(true);
  }
}

void Exchange::ClientGone() {
  client_ = nullptr;
  if (ended_) {
    return;  // the rest of Finish follows
  }
  const bool may_drain =
      dispatched_ && link_ && !core_.ending() && core_.stats.draining < core_.options.drains_max;
  if (!may_drain) {
    Finish(dispatched_ ? End::kClientGone : End::kNeverSent, false);
    return;
  }
  draining_ = true;
  ++core_.stats.draining;
  drain_until_us_ = core_.timers.now_us() + core_.options.drain_max_us;
  paused_ = false;
  SetTimer();
  ReadAnswer();
}

void Exchange::Abandon() { Finish(dispatched_ ? End::kClientGone : End::kNeverSent, false); }

void Exchange::SendReply(const Reply& reply) {
  core_.out.Clear();
  form_.minor = request_->head.minor;
  form_.keep_alive = client_->keeps_alive() && !core_.stopping;
  AppendReply(reply, request_->view.method == "HEAD", form_, &core_.out.text());
  core_.out.Grown();
  ended_ = true;
  if (!client_->Send(core_.out)) {
    client_->Close();
  }
  Finish(End::kRefused, true);
}

// The one End. `well`: what the client has is whole.
void Exchange::Finish(End how, bool well) {
  FB_ASSERT(call_ != nullptr);
  ended_ = true;
  if (std::exchange(leaving_, false)) core_.DropLeaving(*this);
  timer_.Stop();
  dial_.reset();
  DropLink();
  if (draining_) {
    --core_.stats.draining;
    core_.stats.drained += how == End::kDrained ? 1 : 0;
  }
  call_->Ended(how);
  call_.reset();
  core_.CommitAtTurnEnd();
  if (client_ != nullptr) {
    std::exchange(client_, nullptr)->AnswerEnded(std::move(request_), well);
  } else {
    core_.GiveBack(std::move(request_));
    core_.Bury(*this);
  }
}

}  // namespace flyball::gateway
