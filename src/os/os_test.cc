// The real file system, the home lock, children and what the process knows of itself.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "os/files.h"
#include "os/process.h"
#include "os/sim_files.h"

namespace flyball::os {
namespace {

class RealFilesTest : public testing::Test {
 protected:
  RealFilesTest() {
    const char* root = std::getenv("TMPDIR");
    std::string pattern = JoinPath(root != nullptr ? root : "/tmp", "flyball-os-XXXXXX");
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  ~RealFilesTest() override { std::filesystem::remove_all(dir_); }
  std::string Path(std::string_view name) const { return JoinPath(dir_, name); }

  std::string dir_;
  std::unique_ptr<Files> files_ = MakeRealFiles();
};

// The same steps on the real disk and on its twin give the same answers.
void WalkThroughFiles(Files& files, const std::string& dir) {
  std::string deep = JoinPath(dir, "a/b/c");
  ASSERT_TRUE(files.MakeDirs(deep));
  ASSERT_TRUE(files.MakeDirs(deep));
  std::string path = JoinPath(deep, "file");
  EXPECT_FALSE(files.Exists(path));
  EXPECT_EQ(files.ReadAll(path).error().code, Code::kNotFound);
  EXPECT_EQ(files.OpenAppend(JoinPath(dir, "none/file")).error().code, Code::kNotFound);
  {
    auto file = files.OpenAppend(path).value();
    EXPECT_TRUE(file->Append("hello "));
    EXPECT_TRUE(file->Append(std::string("w\0rld", 5)));
    EXPECT_EQ(file->size(), 11u);
    EXPECT_TRUE(file->Truncate(8));
    EXPECT_TRUE(file->Append("!"));
    EXPECT_TRUE(file->Sync());
  }
  EXPECT_EQ(files.OpenAppend(path).value()->size(), 9u);
  EXPECT_EQ(files.ReadAll(path).value(), std::string("hello w\0!", 9));
  EXPECT_EQ(files.Size(path).value(), 9u);
  EXPECT_TRUE(files.SyncFile(path));
  EXPECT_TRUE(files.SyncDir(deep));
  EXPECT_EQ(files.MakeDirs(JoinPath(path, "x")).error().code, Code::kUnavailable);

  std::string moved = JoinPath(dir, "a/moved");
  EXPECT_TRUE(files.Rename(path, moved));
  EXPECT_FALSE(files.Exists(path));
  EXPECT_EQ(files.Rename(path, moved).error().code, Code::kNotFound);
  EXPECT_TRUE(files.Rename(deep, JoinPath(dir, "a/d")));  // a folder moves with what is in it
  EXPECT_EQ(files.List(JoinPath(dir, "a")).value(), (std::vector<std::string>{"b", "d", "moved"}));
  EXPECT_EQ(files.List(JoinPath(dir, "none")).error().code, Code::kNotFound);
  EXPECT_TRUE(AtomicWrite(files, moved, "new"));
  EXPECT_EQ(files.ReadAll(moved).value(), "new");
  EXPECT_FALSE(files.Exists(moved + ".tmp"));
  EXPECT_TRUE(files.Remove(moved));
  EXPECT_TRUE(files.Remove(moved));
  EXPECT_TRUE(files.RemoveTree(JoinPath(dir, "a")));
  EXPECT_TRUE(files.RemoveTree(JoinPath(dir, "a")));
  EXPECT_FALSE(files.Exists(JoinPath(dir, "a")));
}

TEST_F(RealFilesTest, WalksThrough) { WalkThroughFiles(*files_, dir_); }
TEST(SimFilesTest, WalksThroughTheSame) {
  SimFiles files(SimFilesOptions{});
  WalkThroughFiles(files, "/home");
}

TEST_F(RealFilesTest, AtomicWriteReplacesWhatACrashLeft) {
  auto left = files_->OpenAppend(Path("state.tmp")).value();
  ASSERT_TRUE(left->Append("half of something older and longer"));
  ASSERT_TRUE(AtomicWrite(*files_, Path("state"), "whole"));
  EXPECT_EQ(files_->ReadAll(Path("state")).value(), "whole");
  EXPECT_EQ(AtomicWrite(*files_, Path("none/state"), "x").error().code, Code::kNotFound);
}

TEST_F(RealFilesTest, ErrorsNameThePathAndTheReason) {
  Error error = files_->ReadAll(Path("gone")).error();
  EXPECT_NE(error.message.find(Path("gone")), std::string::npos);
  EXPECT_NE(error.message.find("No such file or directory"), std::string::npos);
  EXPECT_EQ(files_->ReadAll(dir_).error().code, Code::kUnavailable);  // a folder
}

TEST_F(RealFilesTest, ReadsFilesThatTellNoSize) {
  EXPECT_NE(files_->ReadAll("/proc/self/status").value().find("VmRSS"), std::string::npos);
}

TEST_F(RealFilesTest, AFullDiskIsResourceExhausted) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "this machine has no /dev/full";
  auto file = files_->OpenAppend("/dev/full").value();
  Error error = file->Append("x").error();
  EXPECT_EQ(error.code, Code::kResourceExhausted);
  EXPECT_FALSE(error.hint.empty());
}

TEST(SimFilesTest, AFullDiskTakesWhatFits) {
  SimFiles files(SimFilesOptions{.capacity_bytes = 5});
  auto file = files.OpenAppend("f").value();
  EXPECT_EQ(file->Append("1234567").error().code, Code::kResourceExhausted);
  EXPECT_EQ(file->size(), 5u);
  ASSERT_TRUE(file->Truncate(2));
  EXPECT_TRUE(file->Append("abc"));
}

TEST(SimFilesTest, PowerCutsKeepWhatWasSynced) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimFiles files(SimFilesOptions{.seed = seed});
    ASSERT_TRUE(files.MakeDirs("d"));
    auto file = files.OpenAppend("d/f").value();
    ASSERT_TRUE(file->Append("safe"));
    ASSERT_TRUE(file->Sync());
    ASSERT_TRUE(files.SyncDir("d"));
    ASSERT_TRUE(file->Append("doubtful"));
    ASSERT_TRUE(files.Rename("d/f", "d/g"));
    files.PowerCut();
    EXPECT_EQ(file->Append("x").error().code, Code::kUnavailable);
    EXPECT_NE(files.Exists("d/f"), files.Exists("d/g"));
    std::string content = files.ReadAll(files.Exists("d/f") ? "d/f" : "d/g").value();
    EXPECT_TRUE(content.starts_with("safe"));
    EXPECT_LE(content.size(), 12u);
  }
}

TEST(SimFilesTest, ThePowerGoesWhenTold) {
  SimFiles files(SimFilesOptions{});
  auto file = files.OpenAppend("f").value();
  files.CutPowerAfter(1);
  EXPECT_TRUE(file->Append("a"));
  EXPECT_FALSE(file->Append("b"));
  EXPECT_FALSE(file->Sync());
  EXPECT_FALSE(files.ReadAll("f"));
  EXPECT_FALSE(files.Exists("f"));
  files.PowerCut();
  EXPECT_TRUE(files.MakeDirs("d"));
}

TEST(PathTest, JoinsAndParts) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(ParentPath("a/b"), "a");
  EXPECT_EQ(ParentPath("a/b/"), "a");
  EXPECT_EQ(ParentPath("a//b"), "a");
  EXPECT_EQ(ParentPath("b"), ".");
  EXPECT_EQ(ParentPath("/b"), "/");
  EXPECT_EQ(ParentPath("/"), "/");
  for (const char* good : {"a", "a b", "..a", "\xe4\xb8\x87"})
    EXPECT_TRUE(IsPlainName(good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "/", "a\nb", "\x7f", "a=b", "*", "\xff"})
    EXPECT_FALSE(IsPlainName(bad)) << bad;
  EXPECT_FALSE(IsPlainName(std::string_view("a\0b", 3)));
}

TEST_F(RealFilesTest, OneHolderAtATime) {
  std::string path = Path("LOCK");
  EXPECT_EQ(HomeLock::ReadHolder(path).error().code, Code::kNotFound);
  {
    HomeLock lock = HomeLock::Acquire(path).value();
    ASSERT_TRUE(lock.SetNote("serving on http://127.0.0.1:8080 for a while"));
    ASSERT_TRUE(lock.SetNote("serving on http://127.0.0.1:8080"));
    EXPECT_EQ(lock.SetNote("two\nlines").error().code, Code::kInvalidArgument);
    EXPECT_EQ(lock.SetNote(std::string(2000, 'x')).error().code, Code::kInvalidArgument);
    Result<HomeLock> second = HomeLock::Acquire(path);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Code::kAlreadyExists);
    EXPECT_NE(second.error().message.find("http://127.0.0.1:8080"), std::string::npos);
    EXPECT_NE(second.error().message.find(std::to_string(getpid())), std::string::npos);
    LockHolder holder = HomeLock::ReadHolder(path).value();
    EXPECT_EQ(holder.pid, getpid());
    EXPECT_EQ(HomeLock::ReadNote(path).value(), "serving on http://127.0.0.1:8080");
    HomeLock moved = std::move(lock);
    EXPECT_FALSE(HomeLock::Acquire(path));
  }
  EXPECT_EQ(HomeLock::ReadNote(path).error().code, Code::kNotFound);  // an old note does not count
  EXPECT_TRUE(HomeLock::Acquire(path));
}

TEST_F(RealFilesTest, ALockThatIsRemovedIsFreeAndAWaiterDoesNotHoldTheOldFile) {
  std::string path = Path("LOCK");
  HomeLock lock = HomeLock::Acquire(path).value();
  ASSERT_TRUE(std::move(lock).Remove());
  EXPECT_FALSE(std::filesystem::exists(path));
  HomeLock next = HomeLock::Acquire(path).value();
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(HomeLock::Acquire(path));
}

TEST_F(RealFilesTest, TheLockGoesWithItsProcess) {
  std::string path = Path("LOCK");
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    Result<HomeLock> lock = HomeLock::Acquire(path);
    char byte = lock ? 'y' : 'n';
    (void)!write(ready[1], &byte, 1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(HomeLock::ReadHolder(path).value().pid, child);
  EXPECT_EQ(HomeLock::Acquire(path).error().code, Code::kAlreadyExists);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(HomeLock::Acquire(path));
  close(ready[0]);
  close(ready[1]);
}

TEST(ProcessTest, KnowsItself) {
  MemoryUsage usage = ReadMemoryUsage().value();
  EXPECT_GT(usage.resident_bytes, 100'000u);
  EXPECT_GE(usage.resident_peak_bytes, usage.resident_bytes / 2);
  EXPECT_GE(CoreCount(), 1);
  EXPECT_GT(FreeDiskBytes("/").value(), 0u);
  EXPECT_EQ(FreeDiskBytes("/no/such/path").error().code, Code::kNotFound);
  EXPECT_NE(SelfPath().value().find("os_test"), std::string::npos);
}

TEST(ChildTest, OutputErrorsAndExitCodeComeBack) {
  std::vector<std::string> lines;
  ChildOptions options;
  options.argv = {"/bin/sh", "-c",
                  "echo out; echo one >&2; printf two >&2; printf \"$FLYBALL_X\"; exit 7"};
  options.environment = {{"FLYBALL_X", "a b\"c"}};
  options.on_error_line = [&lines](std::string_view line) { lines.emplace_back(line); };
  Child child = Child::Spawn(options).value();
  ChildExit exit = child.Wait().value();
  EXPECT_EQ(exit.exit_code, 7);
  EXPECT_EQ(exit.signal_number, 0);
  EXPECT_EQ(exit.output, "out\na b\"c");
  EXPECT_EQ(exit.error_tail, "one\ntwo");
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
  child.Kill(SIGKILL);  // ended already: nothing happens
}

TEST(ChildTest, ArgumentsAreNotReadByAShell) {
  Child child = Child::Spawn({{"echo", "$HOME;`ls` *"}, {}, {}}).value();
  EXPECT_EQ(child.Wait().value().output, "$HOME;`ls` *\n");
}

TEST(ChildTest, StandardInputIsEmpty) {
  Child child = Child::Spawn({{"cat"}, {}, {}}).value();
  EXPECT_EQ(child.Wait().value().exit_code, 0);
}

TEST(ChildTest, ManyLinesAndLongOnes) {
  size_t bytes = 0;
  size_t lines = 0;
  ChildOptions options;
  options.argv = {
      "/bin/sh", "-c",
      "head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2; seq 1 20000 >&2; seq 1 20000"};
  options.on_error_line = [&](std::string_view line) {
    bytes += line.size();
    ++lines;
    EXPECT_LE(line.size(), kChildLineMaxBytes);
  };
  ChildExit exit = Child::Spawn(options).value().Wait().value();
  EXPECT_EQ(exit.output.size(), 108894u);
  EXPECT_EQ(bytes, 300000u + 108894 - 20000);
  EXPECT_GE(lines, 20005u);
  EXPECT_EQ(exit.error_tail.size(), kChildErrorTailMaxBytes);
  EXPECT_TRUE(exit.error_tail.ends_with("19999\n20000\n"));
}

TEST(ChildTest, KillFromAnotherThreadEndsTheWait) {
  ChildOptions options;
  options.argv = {"/bin/sh", "-c", "echo ready >&2; exec cat /dev/zero > /dev/null"};
  Child* running = nullptr;
  options.on_error_line = [&running](std::string_view) {
    std::thread([&running] { running->Kill(SIGTERM); }).join();
  };
  Child child = Child::Spawn(options).value();
  running = &child;
  ChildExit exit = child.Wait().value();
  EXPECT_EQ(exit.signal_number, SIGTERM);
  EXPECT_EQ(exit.exit_code, -1);
}

TEST(ChildTest, ADroppedChildIsKilled) {
  pid_t pid = -1;
  {
    Child child =
        Child::Spawn({{"/bin/sh", "-c", "exec cat /dev/zero > /dev/null"}, {}, {}}).value();
    pid = child.pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(ChildTest, NoSuchProgram) {
  EXPECT_EQ(Child::Spawn({{"/no/such/program"}, {}, {}}).error().code, Code::kNotFound);
  EXPECT_EQ(Child::Spawn({{"no-such-program-of-flyball"}, {}, {}}).error().code, Code::kNotFound);
}

bool IsReadable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return poll(&waiting, 1, 0) == 1;
}

// In a child of its own: signal handlers belong to the whole process.
TEST(StopSignalTest, TheFirstAsksAndTheSecondEnds) {
  pid_t child = fork();
  if (child == 0) {
    Result<int> fd = InstallStopSignals();
    if (!fd || StopRequested() || IsReadable(*fd)) _exit(1);
    raise(SIGPIPE);
    raise(SIGTERM);
    if (!StopRequested() || !IsReadable(*fd) || !IsReadable(*fd)) _exit(2);
    raise(SIGTERM);
    _exit(3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

}  // namespace
}  // namespace flyball::os
