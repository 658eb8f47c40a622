// The load of bench/gateway: clients, each on a kept connection, over one epoll: in a closed loop,
// or asking at a steady rate. Every answer is looked at. What the measured process spent is read
// from /proc.
//
//   bench_gateway_load json PORT CLIENTS SECONDS PROMPT_BYTES PID
//       chat completions as JSON. Prints "requests_per_s p50_us p99_us cpu_us_per_request
//       failures".
//   bench_gateway_load refused PORT CLIENTS SECONDS PROMPT_BYTES PID
//       the same calls, each of which must be refused with 429.
//   bench_gateway_load stream PORT CLIENTS SECONDS FRAMES PID
//       streams, held open all the time. Prints "frames_per_s first_p50_us first_p99_us
//       cpu_us_per_frame failures resident_mib".
//
// PID 0 measures nothing. FLYBALL_BENCH_KEY is the key that the calls carry, FLYBALL_BENCH_RATE the
// calls a second of all clients together (none: as fast as answers come), FLYBALL_BENCH_HEADERS
// more headers, each with its line break. A tenth of the time, at the start, is not counted.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

[[noreturn]] void Die(const std::string& why) {
  std::fputs(("bench_gateway_load: " + why + "\n").c_str(), stderr);
  std::exit(3);
}

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Processor time of a process so far, from its scheduler's own counter (nanoseconds).
int64_t CpuUs(int pid) {
  if (pid == 0) return 0;
  int64_t ns = 0;
  std::ifstream(fmt::format("/proc/{}/schedstat", pid)) >> ns;
  return ns / 1000;
}

double ResidentMib(int pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

struct Histogram {
  std::vector<uint32_t> counts = std::vector<uint32_t>(10'000'000);  // a microsecond each
  uint64_t total = 0;
  void Add(int64_t us) {
    ++counts[static_cast<size_t>(std::clamp<int64_t>(us, 0, 9'999'999))];
    ++total;
  }
  size_t Quantile(double q) const {
    const auto rank = static_cast<uint64_t>(q * static_cast<double>(total));
    uint64_t seen = 0;
    for (size_t us = 0; us < counts.size(); ++us) {
      seen += counts[us];
      if (seen > rank) return us;
    }
    return 0;
  }
};

struct Client {
  int fd = -1;
  std::string in;
  size_t sent = 0;
  int64_t began_us = 0;
  bool first_frame = false;
  size_t frames_seen = 0;
  size_t searched = 0;
};

struct Load {
  bool streams = false;
  bool refused = false;  // what the answers must be
  int port = 0;
  std::string request;
  size_t frames = 0;
  int epoll = -1;
  std::vector<Client> clients;
  Histogram latency;
  uint64_t requests = 0, frames_total = 0, failures = 0;
  bool counting = false;
  int64_t every_us = 0;  // between two calls; 0: a closed loop
  int64_t due_us = 0;    // when the next one is
  std::vector<Client*> idle;
};

void Connect(Load& load, Client& client) {
  if (client.fd >= 0) close(client.fd);
  client = Client{};
  client.sent = load.request.size();  // nothing to send before Begin
  client.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(load.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(client.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Die(fmt::format("nobody listens on port {}", load.port));
  }
  const int yes = 1;
  setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  fcntl(client.fd, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.u32 = static_cast<uint32_t>(&client - load.clients.data());
  epoll_ctl(load.epoll, EPOLL_CTL_ADD, client.fd, &event);
}

void Send(Load& load, Client& client) {
  while (client.sent < load.request.size()) {
    const ssize_t n = send(client.fd, load.request.data() + client.sent,
                           load.request.size() - client.sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    client.sent += static_cast<size_t>(n);
  }
}

void Begin(Load& load, Client& client) {
  client.in.clear();
  client.sent = client.searched = client.frames_seen = 0;
  client.first_frame = false;
  client.began_us = NowUs();
  Send(load, client);
}

// 1: a whole good answer; 0: not yet; -1: a bad one.
int Judge(const Load& load, const Client& client) {
  const size_t end = client.in.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  if (!client.in.starts_with(load.refused ? "HTTP/1.1 429" : "HTTP/1.1 200")) return -1;
  const std::string_view head(client.in.data(), end);
  size_t length = head.find("Content-Length: ");
  if (length == std::string_view::npos) length = head.find("content-length: ");
  if (length == std::string_view::npos) {
    if (!client.in.ends_with("\r\n0\r\n\r\n")) return 0;
  } else {
    const size_t body = std::strtoull(head.data() + length + 16, nullptr, 10);
    if (client.in.size() < end + 4 + body) return 0;
    if (client.in.size() > end + 4 + body) return -1;
  }
  return client.in.find(load.refused ? "\"error\":{" : "\"usage\":{", end) != std::string::npos
             ? 1
             : -1;
}

void Finished(Load& load, Client& client, bool good) {
  if (load.counting) {
    if (good) {
      ++load.requests;
      if (!load.streams) load.latency.Add(NowUs() - client.began_us);
    } else {
      ++load.failures;
    }
  }
  if (!good) Connect(load, client);
  if (load.every_us > 0) {
    load.idle.push_back(&client);
  } else {
    Begin(load, client);
  }
}

// Begins what is due; nanoseconds until more is.
int64_t BeginDue(Load& load) {
  constexpr int64_t kLongNs = 100'000'000;
  if (load.every_us == 0) return kLongNs;
  const int64_t now_us = NowUs();
  for (; load.due_us <= now_us && !load.idle.empty(); load.due_us += load.every_us) {
    Client& client = *load.idle.back();
    load.idle.pop_back();
    Begin(load, client);
  }
  return load.idle.empty() ? kLongNs : std::max<int64_t>(load.due_us - now_us, 0) * 1000;
}

// Counts the frames that are new, and looks for the end.
void ReadStream(Load& load, Client& client) {
  size_t at = client.searched;
  while ((at = client.in.find("data: ", at)) != std::string::npos) {
    ++client.frames_seen;
    at += 6;
    client.searched = at;
    if (load.counting) ++load.frames_total;
    if (!std::exchange(client.first_frame, true) && load.counting) {
      load.latency.Add(NowUs() - client.began_us);
    }
  }
  if (!client.in.starts_with("HTTP/1.1 200")) {
    Finished(load, client, false);
  } else if (client.in.ends_with("\r\n0\r\n\r\n")) {
    // Role, frames, reason, usage, [DONE].
    Finished(load, client,
             client.frames_seen == load.frames + 4 &&
                 client.in.find("\"usage\":{") != std::string::npos);
  }
}

void OnReadable(Load& load, Client& client) {
  static std::vector<char> buffer(256u << 10);
  while (true) {
    const ssize_t n = recv(client.fd, buffer.data(), buffer.size(), 0);
    if (n < 0) return;
    if (n == 0) {
      Finished(load, client, false);
      return;
    }
    client.in.append(buffer.data(), static_cast<size_t>(n));
    if (load.streams) {
      ReadStream(load, client);
    } else if (const int verdict = Judge(load, client); verdict != 0) {
      Finished(load, client, verdict > 0);
    }
    if (static_cast<size_t>(n) < buffer.size()) return;
  }
}

std::string Request(bool streams, size_t prompt_bytes) {
  std::string body = R"({"model":"gpt-4o","messages":[{"role":"user","content":")";
  for (size_t i = 0; i < prompt_bytes; ++i) body += "governor "[i % 9];
  body += R"("}],"max_tokens":512)";
  if (streams) body += R"(,"stream":true,"stream_options":{"include_usage":true})";
  body += "}";
  const char* key = std::getenv("FLYBALL_BENCH_KEY");
  const char* headers = std::getenv("FLYBALL_BENCH_HEADERS");
  return fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {}\r\nAccept: "
      "application/json\r\nContent-Type: application/json\r\n"
      "User-Agent: bench\r\n{}Content-Length: {}\r\n\r\n{}",
      key != nullptr ? key : "none", headers != nullptr ? headers : "", body.size(), body);
}

void RunUntil(Load& load, int64_t until_us) {
  std::vector<epoll_event> events(1024);
  while (NowUs() < until_us) {
    const timespec patience{0, BeginDue(load)};
    const int n = epoll_pwait2(load.epoll, events.data(), static_cast<int>(events.size()),
                               &patience, nullptr);
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      Client& client = load.clients[event.data.u32];
      if (client.sent < load.request.size()) Send(load, client);
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) OnReadable(load, client);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) Die("usage: json|refused|stream PORT CLIENTS SECONDS PROMPT_BYTES|FRAMES PID");
  Load load;
  load.streams = std::string_view(argv[1]) == "stream";
  load.refused = std::string_view(argv[1]) == "refused";
  load.port = std::atoi(argv[2]);
  const double seconds = std::strtod(argv[4], nullptr);
  const size_t size = std::strtoull(argv[5], nullptr, 10);
  const int pid = std::atoi(argv[6]);
  load.frames = size;
  load.request = Request(load.streams, load.streams ? 200 : size);
  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  load.clients.resize(std::strtoull(argv[3], nullptr, 10));
  const char* rate = std::getenv("FLYBALL_BENCH_RATE");
  if (rate != nullptr) load.every_us = 1'000'000 / std::max(std::atol(rate), 1L);
  load.due_us = NowUs();
  for (Client& client : load.clients) {
    Connect(load, client);
    if (load.every_us > 0) {
      load.idle.push_back(&client);
    } else {
      Begin(load, client);
    }
  }
  const int64_t start_us = NowUs();
  const int64_t warm_us = start_us + static_cast<int64_t>(seconds * 1e5);
  RunUntil(load, warm_us);
  load.counting = true;
  const int64_t cpu_us = CpuUs(pid);
  const int64_t begin_us = NowUs();
  RunUntil(load, start_us + static_cast<int64_t>(seconds * 1e6));
  const double took_s = static_cast<double>(NowUs() - begin_us) / 1e6;
  const auto spent_us = static_cast<double>(CpuUs(pid) - cpu_us);
  const uint64_t units = load.streams ? load.frames_total : load.requests;
  fmt::print("{:.0f} {} {} {:.2f} {}", static_cast<double>(units) / took_s,
             load.latency.Quantile(0.5), load.latency.Quantile(0.99),
             spent_us / static_cast<double>(std::max<uint64_t>(units, 1)), load.failures);
  if (load.streams) fmt::print(" {:.1f}", ResidentMib(pid));
  fmt::print("\n");
  return load.failures == 0 ? 0 : 1;
}
