#include "support/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>

namespace flyball::tests {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr uint64_t kHashedMaxBytes = 64u << 20;

std::string ProgramPath() {
  const char* path = std::getenv("FLYBALL_PROGRAM");
  if (path == nullptr) throw std::runtime_error("FLYBALL_PROGRAM does not name the flyball binary");
  return path;
}

// A descriptor that closes itself.
struct Descriptor {
  int fd = -1;
  explicit Descriptor(int open_fd) : fd(open_fd) {
    if (fd < 0) throw std::runtime_error("no descriptor");
  }
  ~Descriptor() { close(fd); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

// Only what may stand between fork and exec.
[[noreturn]] void BecomeProgram(char* const* argv, const char* input, int out, int err) {
  const int in = open(input, O_RDONLY);
  if (in >= 0) dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execv(argv[0], argv);
  _exit(127);
}

// True when the descriptor became readable before the time was over (none: waits for ever). Of two
// descriptors, either.
bool WaitReadable(int fd, int other, std::optional<microseconds> time) {
  pollfd watched[2] = {{fd, POLLIN, 0}, {other, POLLIN, 0}};
  timespec limit{};
  if (time) limit = {time->count() / 1'000'000, (time->count() % 1'000'000) * 1000};
  return ppoll(watched, other < 0 ? 1 : 2, time ? &limit : nullptr, nullptr) > 0;
}

// Runs the child to its end or to the kill; returns when the watched folder first changed.
steady_clock::time_point Watch(pid_t child, const RunOptions& options, int change_fd) {
  const Descriptor ended(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  if (change_fd >= 0) WaitReadable(change_fd, ended.fd, std::nullopt);
  const auto changed = steady_clock::now();
  if (!WaitReadable(ended.fd, -1, options.kill_after)) kill(child, SIGKILL);
  return changed;
}

struct Output {
  std::FILE* file = std::tmpfile();
  Output() {
    if (file == nullptr) throw std::runtime_error("no temporary file");
    fcntl(fileno(file), F_SETFD, FD_CLOEXEC);
  }
  ~Output() { std::fclose(file); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  std::string Text() const {
    std::rewind(file);
    std::string text;
    char piece[1 << 16];
    while (const size_t n = std::fread(piece, 1, sizeof(piece), file)) text.append(piece, n);
    return text;
  }
};

}  // namespace

Ended RunFlyball(const std::vector<std::string>& arguments, const RunOptions& options) {
  const std::string program = ProgramPath();
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const Output out;
  const Output err;
  const Descriptor changes(inotify_init1(IN_CLOEXEC));
  const bool watches = !options.change_in.empty();
  if (watches && inotify_add_watch(changes.fd, options.change_in.c_str(),
                                   IN_CREATE | IN_MOVED_TO | IN_MODIFY) < 0) {
    throw std::runtime_error("cannot watch " + options.change_in.string());
  }
  const std::string input = options.input.empty() ? "/dev/null" : options.input.string();
  const auto start = steady_clock::now();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) BecomeProgram(argv.data(), input.c_str(), fileno(out.file), fileno(err.file));
  const auto changed = Watch(child, options, watches ? changes.fd : -1);
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) throw std::runtime_error("wait4 failed");
  Ended ended;
  const auto now = steady_clock::now();
  ended.took = std::chrono::duration_cast<microseconds>(now - start);
  ended.took_from_change = std::chrono::duration_cast<microseconds>(now - changed);
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ended.signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  ended.resident_peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  ended.out = out.Text();
  ended.err = err.Text();
  return ended;
}

Running::Running(const std::vector<std::string>& arguments) {
  const std::string program = ProgramPath();
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  out_ = pipe_ends[0];
  const Descriptor in(pipe_ends[1]);
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("fork failed");
  if (child_ == 0) BecomeProgram(argv.data(), "/dev/null", in.fd, STDERR_FILENO);
}

Running::~Running() {
  if (child_ > 0) {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  close(out_);
}

int Running::Port() {
  constexpr std::string_view kBefore = "http://127.0.0.1:";
  std::string line;
  char next = 0;
  while (read(out_, &next, 1) == 1 && next != '\n') line += next;
  const size_t at = line.find(kBefore);
  return at == std::string::npos ? 0 : std::atoi(line.c_str() + at + kBefore.size());
}

int Running::Stop() {
  kill(child_, SIGTERM);
  int status = 0;
  const bool ended = waitpid(child_, &status, 0) == child_ && WIFEXITED(status);
  child_ = -1;
  if (!ended) return -1;
  return WEXITSTATUS(status);
}

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "flyball-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void WriteFile(const std::filesystem::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::map<std::string, uint64_t> HashTree(const std::filesystem::path& root,
                                         bool (*wanted)(const std::string& relative)) {
  std::map<std::string, uint64_t> hashes;
  if (!std::filesystem::exists(root)) return hashes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string relative = std::filesystem::relative(entry.path(), root).string();
    if (!wanted(relative)) continue;
    const bool small = entry.is_regular_file() && entry.file_size() <= kHashedMaxBytes;
    hashes[relative] = small                     ? std::hash<std::string>{}(ReadFile(entry.path()))
                       : entry.is_regular_file() ? entry.file_size()
                                                 : 0;
  }
  return hashes;
}

}  // namespace flyball::tests
