#include "app/command.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "app/error_json.h"
#include "os/process.h"

namespace flyball::app {
int Report(const Environment& environment, const Error& error) {
  return Report(environment.format, error);
}

int Report(std::string_view format, const Error& error) {
  std::string line = "flyball: " + error.ToString();
  // What a bill or an argument carries must neither drive the terminal nor break the line.
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  Say(line);
  if (format == "json") Print(ErrorJson(error));
  return ExitCode(error.code);
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  Say("flyball: standard output could not be written");
  std::_Exit(ExitCode(Code::kUnavailable));
}

void Say(std::string_view text) {
  std::string line(text);
  line.push_back('\n');
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string Author() {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  const passwd* user = getpwuid(getuid());
  return fmt::format("{}@{}", user != nullptr ? user->pw_name : "unknown", host);
}

bool ShowProgress(const Environment& environment, std::string_view what, uint64_t done,
                  uint64_t total) {
  if (environment.terminal && total > 0) {
    std::fputs(fmt::format("\r\033[K{} {:.1f} %", what,
                           100.0 * static_cast<double>(done) / static_cast<double>(total))
                   .c_str(),
               stderr);
  }
  return !os::StopRequested();
}

void EndProgress(const Environment& environment) {
  if (environment.terminal) std::fputs("\r\033[K", stderr);
}

}  // namespace flyball::app
