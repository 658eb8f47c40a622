#include "os/process.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "os/files.h"
#include "os/posix_error.h"

namespace flyball::os {
namespace {

std::atomic<int> g_stop_fd{-1};
std::atomic<bool> g_stop_requested{false};

void OnStopSignal(int) {
  // Only what is safe in a signal handler: an atomic store and a write.
  int saved_errno = errno;
  RequestStop();
  errno = saved_errno;
}

// "VmRSS:     1234 kB" of /proc/self/status, in bytes.
uint64_t StatusBytes(std::string_view status, std::string_view key) {
  size_t at = status.find(key);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = Trim(status.substr(at + key.size(), 32));
  uint64_t kib = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), kib);
  return kib * 1024;
}

// Cores that the control group allows, rounded up; 0 where nothing limits them.
int CgroupCores() {
  std::unique_ptr<Files> files = MakeRealFiles();
  Result<std::string> membership = files->ReadAll("/proc/self/cgroup");
  if (!membership) return 0;
  for (std::string_view line : SplitText(*membership, '\n')) {
    if (!line.starts_with("0::")) continue;
    // Inside a container the group's own path is often hidden, and its limit stands at the root.
    for (const std::string& group : {std::string(line.substr(3)), std::string()}) {
      Result<std::string> limit = files->ReadAll("/sys/fs/cgroup" + group + "/cpu.max");
      if (!limit) continue;
      int64_t quota = 0;
      int64_t period = 0;
      std::vector<std::string_view> words = SplitText(Trim(*limit), ' ');
      if (words.size() != 2 || words[0] == "max") return 0;
      std::from_chars(words[0].data(), words[0].data() + words[0].size(), quota);
      std::from_chars(words[1].data(), words[1].data() + words[1].size(), period);
      if (quota <= 0 || period <= 0) return 0;
      return static_cast<int>(std::min<int64_t>((quota + period - 1) / period, 4096));
    }
  }
  return 0;
}

}  // namespace

Result<MemoryUsage> ReadMemoryUsage() {
  std::string status = FB_TRY(MakeRealFiles()->ReadAll("/proc/self/status"));
  return MemoryUsage{StatusBytes(status, "VmRSS:"), StatusBytes(status, "VmHWM:")};
}

int CoreCount() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = 1;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    cores = CPU_COUNT(&set);
  } else if (long online = sysconf(_SC_NPROCESSORS_ONLN); online > 0) {
    cores = static_cast<int>(online);
  }
  if (int limit = CgroupCores(); limit > 0) cores = std::min(cores, limit);
  return std::max(cores, 1);
}

Result<uint64_t> FreeDiskBytes(const std::string& path) {
  struct statvfs info{};
  if (statvfs(path.c_str(), &info) != 0) return FailErrno(errno, "read the free space of", path);
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<size_t> WriteWhatFits(int fd, std::string_view bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    pollfd ready{fd, POLLOUT, 0};
    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) break;
    // A pipe that is ready takes as many as PIPE_BUF at once, and may make one wait with more.
    const size_t piece = std::min<size_t>(bytes.size() - written, PIPE_BUF);
    const ssize_t n = write(fd, bytes.data() + written, piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return FailErrno(errno, "write to", "descriptor " + std::to_string(fd));
    written += static_cast<size_t>(n);
  }
  return written;
}

Result<std::string> SelfPath() {
  std::string path(4096, '\0');
  ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return FailErrno(errno, "read", "/proc/self/exe");
  path.resize(static_cast<size_t>(size));
  return path;
}

Result<int> InstallStopSignals() {
  if (g_stop_fd.load() < 0) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return FailErrno(errno, "make", "an eventfd");
    g_stop_fd.store(fd);
  }
  struct sigaction action{};
  action.sa_handler = OnStopSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags =
      static_cast<int>(SA_RESTART | SA_RESETHAND);  // the second signal finds the default
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  if (sigaction(SIGTERM, &action, nullptr) != 0 || sigaction(SIGINT, &action, nullptr) != 0 ||
      sigaction(SIGPIPE, &ignore, nullptr) != 0) {
    return FailErrno(errno, "install", "signal handlers");
  }
  return g_stop_fd.load();
}

bool StopRequested() { return g_stop_requested.load(); }

void WaitForStop(int descriptor) {
  pollfd waited{descriptor, POLLIN, 0};
  while (!StopRequested()) (void)poll(&waited, 1, -1);
}

void RequestStop() {
  g_stop_requested.store(true);
  int fd = g_stop_fd.load();
  if (fd < 0) return;
  uint64_t one = 1;
  (void)!write(fd, &one, sizeof(one));
}

}  // namespace flyball::os
