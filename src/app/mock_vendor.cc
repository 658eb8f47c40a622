// `flyball mock-vendor`: the vendors' APIs as a server that costs nothing, for tests, benchmarks
// and trying things out.
#include "gateway/mock_vendor.h"

#include <fmt/format.h>

#include "app/command.h"
#include "app/remote.h"
#include "net/loop.h"
#include "net/tcp.h"
#include "os/process.h"

namespace flyball::app {
namespace {

class StopWatch final : private net::Watcher {
 public:
  StopWatch(net::Loop& loop, int fd) : loop_(loop), fd_(fd), token_(loop.Add(fd, this, true)) {}
  ~StopWatch() override { loop_.Remove(token_, fd_); }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  void OnReady(uint32_t /*what*/) override { loop_.Stop(); }
  net::Loop& loop_;
  int fd_;
  uint64_t token_;
};

Status Serve(const Environment& environment, const MockVendorArgs& args) {
  const HostPort listen = FB_TRY(ParseHostPort(args.listen));
  gateway::MockScript script;
  if (!args.script.empty()) {
    script = FB_TRY(gateway::MockScript::Parse(FB_TRY(environment.files.ReadAll(args.script))));
  }
  const int stop = FB_TRY(os::InstallStopSignals());
  net::Loop loop(environment.clock);
  gateway::MockVendor vendor(std::move(script), loop.timers(), environment.clock);
  net::Acceptor acceptor(loop, FB_TRY(net::ListenOn(listen.host, listen.port)),
                         [&](net::Fd fd, const std::string& /*peer*/) {
                           vendor.Accept(net::MakeTcpStream(loop, std::move(fd)));
                         });
  const StopWatch watch(loop, stop);
  Print(fmt::format("The mock vendor serves http://{}:{}", listen.host, acceptor.port()));
  loop.Run();
  return {};
}

}  // namespace

int RunMockVendor(const Environment& environment, const MockVendorArgs& args) {
  const Status served = Serve(environment, args);
  return served ? kExitDone : Report(environment, served.error());
}

}  // namespace flyball::app
