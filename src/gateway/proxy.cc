#include "gateway/proxy.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "gateway/proxy_core.h"

namespace flyball::gateway {

void Link::OnStream() {
  Core::Entry entry(core_);
  if (exchange != nullptr) {
    exchange->OnUpstream();
  } else {
    core_.KeptLinkHasNews(*this);
  }
}

Core::Core(const ProxyOptions& how, std::vector<Upstream> to, Governor& decides,
           net::TimerWheel& wheel, net::Dialer& dials)
    : options(how),
      upstreams(std::move(to)),
      governor(decides),
      timers(wheel),
      dialer(dials),
      kept_(upstreams.size()),
      commit_(wheel,
              [this] {
                Entry entry(*this);
                Commit();
              }),
      tick_(wheel, [this] { Tick(); }),
      drain_timer_(wheel, [this] {
        Entry entry(*this);
        EndAll();
      }) {
  tick_.SetAfter(kGovernorTickUs);
}

void Core::Accept(std::unique_ptr<net::Stream> stream, std::string peer) {
  Entry entry(*this);
  if (stopping || (clients_.size() >= options.connections_max && !MakeRoom())) {
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const iovec piece{const_cast<char*>(kFull.data()), kFull.size()};
    stream->Write({&piece, 1});
    ++stats.turned_away;
    return;
  }
  ++stats.accepted;
  auto client = std::make_unique<Client>(*this, std::move(stream), std::move(peer));
  client->index = clients_.size();
  clients_.push_back(std::move(client));
}

// At the limit the connection that has been idle longest goes; false when all are at work.
bool Core::MakeRoom() {
  Client* oldest = nullptr;
  for (const auto& client : clients_) {
    if (client->is_idle() &&
        (oldest == nullptr || client->idle_since_us() < oldest->idle_since_us())) {
      oldest = client.get();
    }
  }
  if (oldest == nullptr) {
    return false;
  }
  oldest->Close();
  return true;
}

void Core::Remove(Client& client) {
  const size_t index = client.index;
  FB_ASSERT(clients_[index].get() == &client);
  dead_clients_.push_back(std::move(clients_[index]));
  clients_[index] = std::move(clients_.back());
  clients_.pop_back();
  if (index < clients_.size()) {
    clients_[index]->index = index;
  }
}

void Core::Adopt(std::unique_ptr<Exchange> exchange) {
  Exchange* key = exchange.get();
  adopted_.emplace(key, std::move(exchange));
}

void Core::Bury(Exchange& adopted) {
  auto found = adopted_.find(&adopted);
  FB_ASSERT(found != adopted_.end());
  dead_exchanges_.push_back(std::move(found->second));
  adopted_.erase(found);
}

void Core::Sweep() {
  // What dies may bury more.
  while (!dead_clients_.empty() || !dead_exchanges_.empty() || !dead_links_.empty()) {
    auto clients = std::exchange(dead_clients_, {});
    auto exchanges = std::exchange(dead_exchanges_, {});
    auto links = std::exchange(dead_links_, {});
  }
  if (stopping) {
    CheckDrained();
  }
}

std::unique_ptr<Request> Core::TakeRequest() {
  if (!spare_.empty()) {
    std::unique_ptr<Request> request = std::move(spare_.back());
    spare_.pop_back();
    return request;
  }
  auto request = std::make_unique<Request>(&body_bytes);
  request->Grow(kRequestBufferBytes);
  return request;
}

void Core::GiveBack(std::unique_ptr<Request> request) {
  if (!request || spare_.size() >= kRequestBuffersKept || request->capacity > kRequestBufferBytes ||
      request->chunks.capacity() > kRequestBufferBytes) {
    return;
  }
  request->filled = request->start = request->head_bytes = request->end = request->looked = 0;
  request->chunks.clear();
  request->view = RequestView{};
  request->SetPayer(nullptr);
  request->Count();
  spare_.push_back(std::move(request));
}

std::unique_ptr<Link> Core::TakeLink(size_t upstream) {
  auto& kept = kept_[upstream];
  while (!kept.empty()) {
    std::unique_ptr<Link> link = std::move(kept.back());
    kept.pop_back();
    --stats.kept;
    if (!link->stream->HasNews()) {
      ++stats.reused;
      link->reused = true;
      return link;
    }
    Bury(std::move(link));
  }
  return nullptr;
}

void Core::Keep(std::unique_ptr<Link> link) {
  auto& kept = kept_[link->upstream];
  if (stopping || kept.size() >= options.upstream_idle_max || link->stream->HasNews()) {
    Bury(std::move(link));
    return;
  }
  link->exchange = nullptr;
  link->kept_since_us = timers.now_us();
  kept.push_back(std::move(link));
  ++stats.kept;
}

// It has closed, or says what nobody asked for.
void Core::KeptLinkHasNews(Link& link) {
  if (!link.stream->HasNews()) {
    return;
  }
  auto& kept = kept_[link.upstream];
  auto found = std::ranges::find(kept, &link, &std::unique_ptr<Link>::get);
  if (found != kept.end()) {
    Bury(std::move(*found));
    kept.erase(found);
    --stats.kept;
  }
}

void Core::AddLeaving(Exchange& exchange) {
  leaving_.push_back(&exchange);
  if (leaving_.size() >= kLeavingMax && going_.empty()) {
    Commit();
  } else {
    CommitAtTurnEnd();
  }
}

void Core::DropLeaving(Exchange& exchange) {
  std::erase(leaving_, &exchange);
  std::erase(going_, &exchange);
}

void Core::Commit() {
  const bool recorded = governor.Commit();
  // What goes may begin another attempt, which the next commit is for.
  going_.swap(leaving_);
  while (!going_.empty()) {
    Exchange& next = *going_.front();
    going_.erase(going_.begin());
    next.Leave(recorded);
  }
}

void Core::Tick() {
  Entry entry(*this);
  tick_.SetAfter(kGovernorTickUs);
  const int64_t until_us = timers.now_us() - options.upstream_idle_us;
  for (auto& kept : kept_) {
    auto young = std::ranges::find_if(
        kept, [&](const auto& link) { return link->kept_since_us > until_us; });
    stats.kept -= static_cast<size_t>(young - kept.begin());
    std::move(kept.begin(), young, std::back_inserter(dead_links_));
    kept.erase(kept.begin(), young);
  }
  governor.Tick();
}

void Core::Drain(int64_t within_us, std::function<void()> done) {
  Entry entry(*this);
  stopping = true;
  drained_ = std::move(done);
  for (auto& kept : kept_) {
    stats.kept -= kept.size();
    std::move(kept.begin(), kept.end(), std::back_inserter(dead_links_));
    kept.clear();
  }
  for (size_t i = clients_.size(); i > 0; --i) {
    if (i <= clients_.size()) clients_[i - 1]->Drain();
  }
  drain_timer_.SetAfter(within_us);
}

void Core::EndAll() {
  ending_ = true;
  while (!clients_.empty()) {
    clients_.back()->Close();
  }
  while (!adopted_.empty()) {
    adopted_.begin()->second->Abandon();
  }
  Commit();
}

void Core::CheckDrained() {
  if (drained_ && clients_.empty() && adopted_.empty()) {
    drain_timer_.Stop();
    const auto done = std::exchange(drained_, nullptr);
    done();
  }
}

struct Proxy::Impl {
  Core core;
};

Proxy::Proxy(const ProxyOptions& options, std::vector<Upstream> upstreams, Governor& governor,
             net::TimerWheel& timers, net::Dialer& dialer)
    : impl_(new Impl{Core(options, std::move(upstreams), governor, timers, dialer)}) {}

Proxy::~Proxy() {
  Core::Entry entry(impl_->core);
  impl_->core.EndAll();
}

void Proxy::Accept(std::unique_ptr<net::Stream> stream, std::string peer) {
  impl_->core.Accept(std::move(stream), std::move(peer));
}

void Proxy::Drain(int64_t within_us, std::function<void()> done) {
  impl_->core.Drain(within_us, std::move(done));
}

ProxyStats Proxy::stats() const { return impl_->core.stats; }

}  // namespace flyball::gateway
