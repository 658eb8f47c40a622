// What a person who uses Flyball waits for: HTTP on one kept connection, as a browser has it.
//
//   bench_http_latency ask PORT QUESTIONS REPEATS fresh|again
//       how long each question takes. QUESTIONS has one question a line, "name<TAB>JSON"; with
//       `fresh` every {nonce} in it is another number each time, so that no cache of answers
//       helps, with `again` always the same. Prints "name<TAB>p50 ms<TAB>p95 ms<TAB>bytes<TAB>
//       read from" a line.
//   bench_http_latency start JSON stop|kill PROGRAM ARGUMENT...
//       starts the server, asks once, rests, and ends it with SIGTERM or SIGKILL. Prints
//       "<ms to the first answer> <resident MiB at rest>".
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "quantile.h"

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr size_t kAnswerMaxBytes = 256u << 20;

[[noreturn]] void Die(const std::string& why) {
  std::fputs(("bench_http_latency: " + why + "\n").c_str(), stderr);
  std::exit(3);
}

class KeptConnection {
 public:
  explicit KeptConnection(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      Die(fmt::format("nobody listens on port {}", port));
    }
    const int yes = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  }
  ~KeptConnection() { close(fd_); }
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;

  // The body of the answer; anything but 200 ends the program.
  std::string Post(const std::string& path, const std::string& body) {
    const std::string request = fmt::format(
        "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n{}",
        path, body.size(), body);
    for (size_t sent = 0; sent < request.size();) {
      const ssize_t n = send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) Die("the server closed the connection");
      sent += static_cast<size_t>(n);
    }
    size_t head_end = std::string::npos;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) Receive();
    const std::string head = buffer_.substr(0, head_end);
    const size_t size = ContentLength(head);
    while (buffer_.size() < head_end + 4 + size) Receive();
    std::string answer = buffer_.substr(head_end + 4, size);
    buffer_.erase(0, head_end + 4 + size);
    if (head.find(" 200 ") == std::string::npos) {
      Die(head.substr(0, head.find('\r')) + " " + answer.substr(0, 400) + "\n  to: " + body);
    }
    return answer;
  }

 private:
  void Receive() {
    char piece[1 << 16];
    const ssize_t n = recv(fd_, piece, sizeof(piece), 0);
    if (n <= 0) Die("the server closed the connection");
    buffer_.append(piece, static_cast<size_t>(n));
  }

  static size_t ContentLength(std::string head) {
    for (char& c : head) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    const size_t at = head.find("\r\ncontent-length:");
    if (at == std::string::npos) Die("an answer without Content-Length");
    const size_t size = std::strtoull(head.c_str() + at + 17, nullptr, 10);
    if (size > kAnswerMaxBytes) Die("an answer of absurd size");
    return size;
  }

  int fd_;
  std::string buffer_;
};

std::string WithNonce(std::string text, uint64_t nonce) {
  for (size_t at; (at = text.find("{nonce}")) != std::string::npos;) {
    text.replace(at, 7, std::to_string(nonce));
  }
  return text;
}

std::string ReadFrom(const std::string& answer) {
  std::string levels;
  const std::string key = "\"read_from\":\"";
  for (size_t at = 0; (at = answer.find(key, at)) != std::string::npos; ++at) {
    const size_t start = at + key.size();
    const std::string level = answer.substr(start, answer.find('"', start) - start);
    if (levels.find(level) == std::string::npos) levels += (levels.empty() ? "" : "+") + level;
  }
  return levels.empty() ? "-" : levels;
}

int Ask(int port, const char* questions, int repeats, bool fresh) {
  KeptConnection connection(port);
  std::ifstream file(questions);
  // Two runs against one server must not meet the answers of each other.
  uint64_t nonce = static_cast<uint64_t>(Clock::now().time_since_epoch().count());
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const std::string body = line.substr(tab + 1);
    std::string answer = connection.Post("/api/v1/query", WithNonce(body, nonce));  // warm
    std::vector<double> took_ms;
    for (int i = 0; i < repeats; ++i) {
      const std::string question = WithNonce(body, fresh ? ++nonce : nonce);
      const auto start = Clock::now();
      answer = connection.Post("/api/v1/query", question);
      took_ms.push_back(Milliseconds(Clock::now() - start).count());
    }
    fmt::print("{}\t{:.2f}\t{:.2f}\t{}\t{}\n", line.substr(0, tab),
               flyball::bench::Quantile(took_ms, 50), flyball::bench::Quantile(took_ms, 95),
               answer.size(), ReadFrom(answer));
    std::fflush(stdout);
  }
  return 0;
}

double ResidentMib(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024.0;
  }
  return 0;
}

// The port in the line that `flyball serve` prints when it is ready: "... http://127.0.0.1:PORT".
std::optional<int> PortIn(const std::string& line) {
  const size_t at = line.rfind("127.0.0.1:");
  if (at == std::string::npos) return std::nullopt;
  return std::atoi(line.c_str() + at + 10);
}

int Start(const std::string& body, bool kill_it, char** argv) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return 3;
  const auto start = Clock::now();
  const pid_t child = fork();
  if (child < 0) return 3;
  if (child == 0) {
    dup2(out[1], STDOUT_FILENO);
    execvp(argv[0], argv);
    _exit(127);
  }
  close(out[1]);
  FILE* lines = fdopen(out[0], "r");
  char line[4096];
  std::optional<int> port;
  while (!port && std::fgets(line, sizeof(line), lines) != nullptr) port = PortIn(line);
  if (!port) Die("the server ended before it was ready");
  double took_ms = 0;
  {
    KeptConnection connection(*port);
    (void)connection.Post("/api/v1/query", WithNonce(body, 1));
    took_ms = Milliseconds(Clock::now() - start).count();
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  fmt::print("{:.1f} {:.1f}\n", took_ms, ResidentMib(child));
  kill(child, kill_it ? SIGKILL : SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  std::fclose(lines);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 5 && args[0] == "ask") {
    return Ask(std::atoi(args[1].c_str()), args[2].c_str(), std::atoi(args[3].c_str()),
               args[4] == "fresh");
  }
  if (args.size() >= 4 && args[0] == "start") return Start(args[1], args[2] == "kill", argv + 4);
  std::fputs("usage: bench_http_latency ask|start ... (bench/http_latency.cc says what)\n", stderr);
  return 2;
}
