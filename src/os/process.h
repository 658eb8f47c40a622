// Process: what this process knows of itself and its machine, children, and the wish to stop.
//
// Children are started without a shell: an argument is an argument, whatever characters it has.
// Import runs in one, so that a fault in reading a bill never takes the server down.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace flyball::os {

struct MemoryUsage {
  uint64_t resident_bytes = 0;       // VmRSS: now
  uint64_t resident_peak_bytes = 0;  // VmHWM: the most so far
};
Result<MemoryUsage> ReadMemoryUsage();

// Cores that this process may use: its affinity, and no more than the quota of its control group
// (version 2). At least 1.
int CoreCount();
// What an unprivileged user can still write on the disk of an existing path.
Result<uint64_t> FreeDiskBytes(const std::string& path);
// As much of `bytes` as a pipe or a file takes without waiting. UNAVAILABLE: nobody reads
// it.
Result<size_t> WriteWhatFits(int fd, std::string_view bytes);
// The running program's own file, to start it again as a child.
Result<std::string> SelfPath();

inline constexpr size_t kChildOutputMaxBytes =
    64u << 20;  // standard output; beyond it the child is killed
inline constexpr size_t kChildErrorTailMaxBytes = 64u
                                                  << 10;  // what is kept of standard error: its end
inline constexpr size_t kChildLineMaxBytes =
    64u << 10;  // a longer line of standard error comes in pieces

struct ChildOptions {
  std::vector<std::string> argv;  // argv[0] is a path, or a name to be looked up in PATH
  std::vector<std::pair<std::string, std::string>>
      environment;  // added to this process's, or replacing it
  // Called by Wait with every line of standard error as it comes, without its line end.
  std::function<void(std::string_view line)> on_error_line;
};

struct ChildExit {
  int exit_code = -1;      // -1 when a signal ended it
  int signal_number = 0;   // 0 when it ended by itself
  std::string output;      // all of standard output
  std::string error_tail;  // the end of standard error
};

// A running child. Its standard input is empty. One thread waits; any thread may kill. A child that
// is dropped without having been waited for is killed.
class Child {
 public:
  // NOT_FOUND when there is no such program.
  static Result<Child> Spawn(const ChildOptions& options);
  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;
  ~Child();

  pid_t pid() const;
  // Reads both pipes to their end, then reaps. Once only.
  Result<ChildExit> Wait();
  // Nothing happens when the child has ended already; never hits a process that took over its
  // number.
  void Kill(int signal_number);

 private:
  struct Impl;
  explicit Child(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// From now on SIGTERM and SIGINT ask to stop and SIGPIPE is ignored. Returns a descriptor that
// becomes readable when stopping is asked for; it stays open and is never read empty, so any number
// of loops may poll it. The second signal ends the process at once, as it would have without this.
Result<int> InstallStopSignals();
bool StopRequested();
// Waits, on the descriptor of InstallStopSignals, until the process is told to stop.
void WaitForStop(int descriptor);
// The same as a signal, from within.
void RequestStop();

}  // namespace flyball::os
