// measure: runs a program and says what it took.
//
//   bench_measure PROGRAM ARGUMENT...
//
// The program's standard output goes to standard error; on standard output stands one line,
// "<wall seconds> <CPU seconds> <peak resident MiB> <exit code>". The peak is what the kernel
// counted (wait4), so nothing is missed between samples. Ends with the program's exit code.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_measure PROGRAM ARGUMENT...\n", stderr);
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) return 3;
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) return 3;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  fmt::print("{:.3f} {:.3f} {:.1f} {}\n", wall.count(),
             Seconds(usage.ru_utime) + Seconds(usage.ru_stime),
             static_cast<double>(usage.ru_maxrss) / 1024.0, code);
  return code;
}
