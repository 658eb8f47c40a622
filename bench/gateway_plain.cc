// The plain lane of bench/gateway: the proxy with a Governor that only routes.
//
//   bench_gateway_plain LISTEN_PORT UPSTREAM_HOST UPSTREAM_PORT [tls CA_FILE]
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "gateway/proxy.h"
#include "net/loop.h"
#include "net/tcp.h"

using namespace flyball;

namespace {

class PlainCall final : public gateway::Call {
 public:
  explicit PlainCall(const gateway::RequestView& request) : request_(request) {}
  std::variant<gateway::Attempt, gateway::Reply> Next(gateway::Outcome before) override {
    if (before != gateway::Outcome::kNone) return gateway::Reply{502, {}, "no answer\n"};
    return gateway::Attempt{0, std::string(request_.target), {}, request_.body, 0};
  }
  bool Dispatched() override { return true; }
  gateway::HeadVerdict Head(int /*status*/,
                            std::span<const gateway::HeaderView> /*headers*/) override {
    return gateway::HeadVerdict::kPass;
  }
  gateway::BodyVerdict Body(std::string_view /*piece*/, std::string* /*out*/) override {
    return gateway::BodyVerdict::kPass;
  }
  void Ended(gateway::End /*how*/) override {}

 private:
  gateway::RequestView request_;
};

class PlainGovernor final : public gateway::Governor {
 public:
  std::unique_ptr<gateway::Call> Begin(const gateway::RequestView& request) override {
    return std::make_unique<PlainCall>(request);
  }
  gateway::Reply Refuse(std::string_view /*path*/, int status, std::string_view why) override {
    return {status, {}, std::string(why) + "\n"};
  }
};

net::Loop* running = nullptr;

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: bench_gateway_plain LISTEN_PORT UPSTREAM_HOST UPSTREAM_PORT [tls CA]\n",
               stderr);
    return 2;
  }
  const auto clock = MakeSystemClock();
  net::Loop loop(*clock);
  net::DialerOptions dialing;
  if (argc > 5) dialing.tls.ca_file = argv[5];
  auto dialer = net::MakeDialer(loop, dialing);
  auto listener = net::ListenOn("127.0.0.1", std::atoi(argv[1]));
  if (!dialer || !listener) {
    std::fputs(((!dialer ? dialer.error() : listener.error()).ToString() + "\n").c_str(), stderr);
    return 3;
  }
  PlainGovernor governor;
  gateway::Proxy proxy({}, {{{argv[2], std::atoi(argv[3]), argc > 4}, argv[2]}}, governor,
                       loop.timers(), **dialer);
  net::Acceptor acceptor(loop, *std::move(listener), [&](net::Fd fd, std::string peer) {
    proxy.Accept(net::MakeTcpStream(loop, std::move(fd)), std::move(peer));
  });
  running = &loop;
  std::signal(SIGTERM, [](int) { running->Stop(); });
  loop.Run();
  return 0;
}
