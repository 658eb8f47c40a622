// Program: runs the real binary, as a person does, and says all that a test can ask: exit code,
// both outputs, the most memory that it held, and how long it took. It can be killed at a given
// moment.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flyball::tests {

struct Ended {
  int exit_code = -1;     // -1 when a signal ended it
  int signal_number = 0;  // 0 when it ended by itself
  std::string out;
  std::string err;
  uint64_t resident_peak_bytes = 0;
  std::chrono::microseconds took{0};
  std::chrono::microseconds took_from_change{0};  // from the first change in `change_in` on
};

struct RunOptions {
  // SIGKILL this long after the start, or after the first change in `change_in`.
  std::optional<std::chrono::microseconds> kill_after;
  // An existing folder: a file in it that is made, moved there or written is a change.
  std::filesystem::path change_in;
  // What standard input reads; nothing when empty.
  std::filesystem::path input = {};
};

// `arguments` without the program itself, which is FLYBALL_PROGRAM of the environment (ctest sets
// it). A failure to start is an exception: the test cannot go on.
Ended RunFlyball(const std::vector<std::string>& arguments, const RunOptions& options = {});

// A server: the program in the background, killed when the test lets go of it.
class Running {
 public:
  explicit Running(const std::vector<std::string>& arguments);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  // The port that the first line of its output names ("... http://127.0.0.1:43817 ..."); 0 when it
  // ends without one.
  int Port();
  // Asks it to end, and waits: its exit code.
  int Stop();

 private:
  pid_t child_ = -1;
  int out_ = -1;
};

// A fresh folder that is removed with all that is in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void WriteFile(const std::filesystem::path& path, std::string_view content);
std::string ReadFile(const std::filesystem::path& path);

// Every file and folder under `root` that `wanted` says (relative path), with a hash of what is in
// it (of files beyond 64 MiB only the size). Two equal maps: nothing changed.
std::map<std::string, uint64_t> HashTree(const std::filesystem::path& root,
                                         bool (*wanted)(const std::string& relative));

}  // namespace flyball::tests
