#include "net/sim_stream.h"

#include <algorithm>
#include <cstring>

namespace flyball::net {
namespace {

class SimStream final : public Stream {
 public:
  SimStream(std::shared_ptr<SimPair> pair, int side, size_t room)
      : pair_(std::move(pair)), side_(side), room_(room) {}
  ~SimStream() override {
    pair_->owner[side_] = nullptr;
    pair_->open[side_] = false;
    Out().end_written = true;
    if (!In().here.empty() || !In().flying.empty()) {
      pair_->broken = true;  // closed with bytes unread: the other side gets a reset
    }
  }
  void SetOwner(StreamOwner* owner) override { pair_->owner[side_] = owner; }
  Moved Read(char* into, size_t room) override {
    SimPipe& in = In();
    if (pair_->broken) return {Io::kBroken, 0};
    if (in.here.empty()) return {in.end_here ? Io::kEnd : Io::kBlocked, 0};
    const size_t n = std::min(room, in.here.size());
    std::memcpy(into, in.here.data(), n);
    in.here.erase(0, n);
    return {Io::kMoved, n};
  }
  Moved Write(std::span<const iovec> pieces) override {
    SimPipe& out = Out();
    if (pair_->broken || !pair_->open[1 - side_]) return {Io::kBroken, 0};
    size_t moved = 0;
    for (const iovec& piece : pieces) {
      const size_t held = out.flying.size() + out.here.size();
      const size_t n = std::min(piece.iov_len, room_ - std::min(room_, held));
      out.flying.append(static_cast<const char*>(piece.iov_base), n);
      moved += n;
      if (n < piece.iov_len) {
        out.writer_waits = true;
        break;
      }
    }
    out.written += moved;
    return {moved > 0 ? Io::kMoved : Io::kBlocked, moved};
  }
  void EndWriting() override { Out().end_written = true; }
  bool HasNews() const override {
    const SimPipe& in = pair_->to[side_];
    return pair_->broken || !in.here.empty() || in.end_here;
  }
  bool HungUp() const override { return pair_->broken || pair_->to[side_].end_here; }
  void Mark() override { mark_ = Out().written; }
  bool TookNothingSinceMark() const override { return pair_->to[1 - side_].arrived <= mark_; }

 private:
  SimPipe& In() { return pair_->to[side_]; }
  SimPipe& Out() { return pair_->to[1 - side_]; }

  std::shared_ptr<SimPair> pair_;
  int side_;
  size_t room_;
  uint64_t mark_ = 0;
};

void Call(StreamOwner* owner) {
  if (owner != nullptr) owner->OnStream();
}

}  // namespace

SimNet::Ends SimNet::Pair() {
  auto pair = std::make_shared<SimPair>();
  pairs_.push_back(pair);
  return {std::make_unique<SimStream>(pair, 0, plan_.pipe_max_bytes),
          std::make_unique<SimStream>(pair, 1, plan_.pipe_max_bytes)};
}

void SimNet::Break(size_t pair) {
  const std::shared_ptr<SimPair> broken = pairs_[pair];
  broken->broken = true;
  Call(broken->owner[0]);
  Call(broken->owner[1]);
}

void SimNet::Carry(const Move& move) {
  SimPair& pair = *move.pair;
  SimPipe& pipe = pair.to[move.side];
  if (!move.arrival) {
    pipe.writer_waits = false;
    Call(pair.owner[1 - move.side]);
    return;
  }
  if (plan_.delay_max_us > 0) {
    clock_.Advance(random_.Between(0, plan_.delay_max_us));
    timers_.Advance(clock_.MonotonicUs());
  }
  const size_t most = std::min(plan_.piece_max_bytes, pipe.flying.size());
  const size_t n = most > 0 ? 1 + random_.Below(most) : 0;
  if (pair.open[move.side]) {
    pipe.here.append(pipe.flying, 0, n);
  } else if (n > 0) {
    pair.broken = true;  // nobody is there: reset
    Call(pair.owner[1 - move.side]);
    return;
  }
  pipe.flying.erase(0, n);
  pipe.arrived += n;
  pipe.end_here = pipe.flying.empty() && pipe.end_written;
  Call(pair.owner[move.side]);
}

bool SimNet::Step() {
  std::vector<Move> moves;
  std::vector<std::shared_ptr<SimPair>> alive;  // what is called may make or drop pairs
  for (const std::shared_ptr<SimPair>& pair : pairs_) {
    if (pair->broken) continue;
    for (const int side : {0, 1}) {
      const SimPipe& pipe = pair->to[side];
      const bool end = pipe.end_written && !pipe.end_here && pair->open[side];
      if (!pipe.flying.empty() || end) moves.push_back({pair.get(), side, true});
      const size_t held = pipe.flying.size() + pipe.here.size();
      if (pipe.writer_waits && held < plan_.pipe_max_bytes) {
        moves.push_back({pair.get(), side, false});
      }
    }
    alive.push_back(pair);
  }
  if (moves.empty()) {
    return false;
  }
  Carry(moves[random_.Below(moves.size())]);
  return true;
}

void SimNet::RunUntil(int64_t until_us) {
  while (true) {
    while (Step()) {
    }
    const int64_t next_us = timers_.NextUs();
    if (next_us > until_us) {
      break;
    }
    clock_.Advance(std::max<int64_t>(next_us - clock_.MonotonicUs(), 0));
    timers_.Advance(clock_.MonotonicUs());
  }
  clock_.Advance(std::max<int64_t>(until_us - clock_.MonotonicUs(), 0));
  timers_.Advance(clock_.MonotonicUs());
}

}  // namespace flyball::net
