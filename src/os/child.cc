#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>

#include "base/assert.h"
#include "os/posix_error.h"
#include "os/process.h"

namespace flyball::os {
namespace {

constexpr size_t kPipeBlockBytes = 64u << 10;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    Close(&read_end);
    Close(&write_end);
  }
  static void Close(int* fd) {
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
  }
  Status Open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return FailErrno(errno, "make", "a pipe");
    read_end = ends[0];
    write_end = ends[1];
    return {};
  }
};

// What posix_spawn takes, freed at the end.
struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSettings() {
    FB_ASSERT(posix_spawn_file_actions_init(&actions) == 0);
    FB_ASSERT(posix_spawnattr_init(&attributes) == 0);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
  }
};

std::vector<std::string> EnvironmentWith(const ChildOptions& options) {
  std::vector<std::string> merged;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    std::string_view entry(*at);
    bool replaced = false;
    for (const auto& [name, value] : options.environment) {
      replaced |=
          entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
    }
    if (!replaced) merged.emplace_back(entry);
  }
  for (const auto& [name, value] : options.environment) {
    merged.push_back(name);
    merged.back().append("=").append(value);
  }
  return merged;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Cuts standard error into lines as it comes.
class LineCutter {
 public:
  explicit LineCutter(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}
  void Add(std::string_view bytes) {
    while (!bytes.empty()) {
      size_t end = bytes.find('\n');
      size_t room = kChildLineMaxBytes - line_.size();
      line_.append(bytes.substr(0, std::min(end, room)));
      if (end <= room) {
        Finish();
        bytes.remove_prefix(end + 1);
      } else {
        bytes.remove_prefix(std::min(bytes.size(), room));
        if (line_.size() == kChildLineMaxBytes) Finish();
      }
    }
  }
  void End() {
    if (!line_.empty()) Finish();
  }

 private:
  void Finish() {
    if (on_line_) on_line_(line_);
    line_.clear();
  }
  const std::function<void(std::string_view)>& on_line_;
  std::string line_;
};

}  // namespace

struct Child::Impl {
  pid_t pid = -1;
  Pipe output;
  Pipe error;
  std::function<void(std::string_view)> on_error_line;
  std::mutex mutex;
  bool reaped = false;

  // One read of a pipe that poll has called ready: false at its end.
  static bool ReadSome(int fd, std::string* block) {
    block->resize(kPipeBlockBytes);
    ssize_t got = 0;
    do {
      got = read(fd, block->data(), block->size());
    } while (got < 0 && errno == EINTR);
    block->resize(got > 0 ? static_cast<size_t>(got) : 0);
    return got > 0;
  }

  Status Drain(ChildExit* result) {
    LineCutter lines(on_error_line);
    std::string block;
    while (output.read_end >= 0 || error.read_end >= 0) {
      std::array<pollfd, 2> fds = {pollfd{output.read_end, POLLIN, 0},
                                   pollfd{error.read_end, POLLIN, 0}};
      if (poll(fds.data(), fds.size(), -1) < 0) {
        if (errno == EINTR) continue;
        return FailErrno(errno, "wait for", "a child process");
      }
      if (fds[0].revents != 0) {
        if (!ReadSome(output.read_end, &block)) Pipe::Close(&output.read_end);
        result->output += block;
        if (result->output.size() > kChildOutputMaxBytes) {
          return Fail(
              Code::kResourceExhausted,
              "a child process wrote more than " + std::to_string(kChildOutputMaxBytes) + " bytes");
        }
      }
      if (fds[1].revents != 0) {
        if (!ReadSome(error.read_end, &block)) Pipe::Close(&error.read_end);
        lines.Add(block);
        result->error_tail += block;
        if (result->error_tail.size() > 2 * kChildErrorTailMaxBytes) {
          result->error_tail.erase(0, result->error_tail.size() - kChildErrorTailMaxBytes);
        }
      }
    }
    lines.End();
    if (result->error_tail.size() > kChildErrorTailMaxBytes) {
      result->error_tail.erase(0, result->error_tail.size() - kChildErrorTailMaxBytes);
    }
    return {};
  }

  Status Reap(ChildExit* result) {
    // First wait without taking its number from the system, so that Kill on another thread cannot
    // hit a stranger.
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0) {
      if (errno != EINTR) return FailErrno(errno, "wait for", "a child process");
    }
    std::lock_guard lock(mutex);
    int status = 0;
    (void)waitpid(pid, &status, 0);
    reaped = true;
    if (WIFEXITED(status)) result->exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result->signal_number = WTERMSIG(status);
    return {};
  }

  void Kill(int signal_number) {
    std::lock_guard lock(mutex);
    if (!reaped && pid > 0) (void)kill(pid, signal_number);
  }

  ~Impl() {
    if (reaped || pid <= 0) return;
    Kill(SIGKILL);
    ChildExit ignored;
    (void)Reap(&ignored);
  }
};

Child::Child(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Child::Child(Child&&) noexcept = default;
Child& Child::operator=(Child&&) noexcept = default;
Child::~Child() = default;
pid_t Child::pid() const { return impl_->pid; }
void Child::Kill(int signal_number) { impl_->Kill(signal_number); }

Result<Child> Child::Spawn(const ChildOptions& options) {
  FB_ASSERT(!options.argv.empty());
  auto impl = std::make_unique<Impl>();
  impl->on_error_line = options.on_error_line;
  FB_CHECK(impl->output.Open());
  FB_CHECK(impl->error.Open());

  SpawnSettings settings;
  auto* actions = &settings.actions;
  int trouble = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (trouble == 0)
    trouble = posix_spawn_file_actions_adddup2(actions, impl->output.write_end, STDOUT_FILENO);
  if (trouble == 0)
    trouble = posix_spawn_file_actions_adddup2(actions, impl->error.write_end, STDERR_FILENO);
  // The child starts with the signals as a shell would hand them over, whatever this process
  // ignores or blocks.
  sigset_t none;
  sigset_t defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (int signal_number : {SIGINT, SIGTERM, SIGPIPE}) sigaddset(&defaults, signal_number);
  if (trouble == 0) trouble = posix_spawnattr_setsigmask(&settings.attributes, &none);
  if (trouble == 0) trouble = posix_spawnattr_setsigdefault(&settings.attributes, &defaults);
  if (trouble == 0) {
    trouble = posix_spawnattr_setflags(&settings.attributes,
                                       POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  std::vector<std::string> argv = options.argv;
  std::vector<std::string> environment = EnvironmentWith(options);
  pid_t pid = -1;
  if (trouble == 0) {
    trouble = posix_spawnp(&pid, argv[0].c_str(), actions, &settings.attributes,
                           Pointers(&argv).data(), Pointers(&environment).data());
  }
  if (trouble != 0) return FailErrno(trouble, "start", options.argv[0]);
  impl->pid = pid;
  Pipe::Close(&impl->output.write_end);
  Pipe::Close(&impl->error.write_end);
  return Child(std::move(impl));
}

Result<ChildExit> Child::Wait() {
  ChildExit result;
  Status drained = impl_->Drain(&result);
  if (!drained) impl_->Kill(SIGKILL);
  FB_CHECK(impl_->Reap(&result));
  FB_CHECK(drained);
  return result;
}

}  // namespace flyball::os
