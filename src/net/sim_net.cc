#include "net/sim_net.h"

#include <algorithm>

namespace flyball::net {
namespace {
constexpr int64_t kStepMinUs = 1000;
constexpr int64_t kStepMaxUs = kMicrosPerSecond;
}  // namespace

SimClient::SimClient(const ServerOptions& options, SimClock& clock, Random& random,
                     Server::Handler handler, Server::Admission admission)
    : clock_(clock),
      random_(random),
      handler_(std::move(handler)),
      admission_(std::move(admission)),
      options_(options),
      connection_(options_, clock_, *this, "sim", "sim-server") {}

Result<BodyPlan> SimClient::Admit(const Request& head) {
  return admission_ ? admission_(head) : BodyPlan();
}
void SimClient::Spool(std::string piece) {
  spool_ += piece;
  spool_waits_ = true;
}
void SimClient::Handle(Request request) { waiting_ = std::move(request); }
Response SimClient::Refuse(int status, const Error& error) {
  Response response;
  response.status = status;
  response.body = error.message;
  return response;
}

// Lets the server's threads (spool writer, handlers) and the client's reading catch up.
void SimClient::Settle(const SimPlan& plan, std::string* out) {
  for (;;) {
    if (spool_waits_) {
      spool_waits_ = false;
      connection_.Spooled({});
    } else if (waiting_) {
      Request request = *std::exchange(waiting_, std::nullopt);
      request.body += std::exchange(spool_, {});
      Response response = handler_(request);
      handled_.push_back(std::move(request));
      connection_.Respond(std::move(response));
    } else if (std::string_view bytes = connection_.Output(); !bytes.empty()) {
      const uint64_t most = std::min(bytes.size(), plan.write_max_bytes);
      const size_t n = 1 + random_.Below(most);
      out->append(bytes.substr(0, n));
      connection_.Written(n);
    } else {
      return;
    }
  }
}

std::string SimClient::Send(std::string_view bytes, const SimPlan& plan) {
  std::string out;
  while (!bytes.empty() && !connection_.IsClosed()) {
    if (plan.delay_max_us > 0) {
      out += Wait(random_.Between(0, plan.delay_max_us), plan);
    }
    size_t n = 1 + random_.Below(std::min(bytes.size(), plan.chunk_max_bytes));
    if (plan.lost_after && sent_bytes_ + n >= *plan.lost_after) {
      n = *plan.lost_after - std::min(*plan.lost_after, sent_bytes_);
      connection_.Receive(bytes.substr(0, n));
      connection_.ReceiveEnd();
      return out;
    }
    // After a Settle the connection takes bytes again, or it is closed.
    connection_.Receive(bytes.substr(0, n));
    sent_bytes_ += n;
    bytes.remove_prefix(n);
    Settle(plan, &out);
  }
  return out;
}

std::string SimClient::Wait(int64_t us, const SimPlan& plan) {
  std::string out;
  while (us > 0 && !connection_.IsClosed()) {
    // Straight to the next deadline, so that long waits are cheap.
    const int64_t until = connection_.deadline_us() - clock_.MonotonicUs();
    const int64_t step = std::min(us, std::clamp(until, kStepMinUs, kStepMaxUs));
    clock_.Advance(step);
    us -= step;
    connection_.Tick();
    Settle(plan, &out);
  }
  clock_.Advance(us);
  return out;
}

}  // namespace flyball::net
