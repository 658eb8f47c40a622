// What must hold of the journal and of atomic writes after any crash, over thousands of simulated
// lives of a disk.
//
// A check answers with what is wrong, or "" when all is well. `wrap` stands between the code under
// test and the disk: the true tests pass everything through; the canaries claim to have synced
// without doing it and must be caught, which shows that the checks can see.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "os/files.h"
#include "os/journal.h"
#include "os/sim_files.h"

namespace flyball::os {
namespace {

constexpr uint64_t kLives = 4000;

struct Lies {
  bool file_sync = false;
  bool dir_sync = false;
};

// What the wrapped files have seen: a failed truncation leaves bytes that only a power cut can
// judge.
struct Seen {
  bool truncate_failed = false;
};

class LyingFile : public WritableFile {
 public:
  LyingFile(std::unique_ptr<WritableFile> file, Lies lies, Seen* seen)
      : file_(std::move(file)), lies_(lies), seen_(seen) {}
  Status Append(std::string_view bytes) override { return file_->Append(bytes); }
  Status Truncate(uint64_t size) override {
    Status truncated = file_->Truncate(size);
    seen_->truncate_failed |= !truncated;
    return truncated;
  }
  Status Sync() override { return lies_.file_sync ? Status() : file_->Sync(); }
  uint64_t size() const override { return file_->size(); }

 private:
  std::unique_ptr<WritableFile> file_;
  Lies lies_;
  Seen* seen_;
};

class LyingFiles : public Files {
 public:
  LyingFiles(Files& files, Lies lies) : files_(files), lies_(lies) {}
  Result<std::string> ReadAll(const std::string& path) override { return files_.ReadAll(path); }
  Result<std::string> ReadPart(const std::string& path, uint64_t offset, size_t bytes) override {
    return files_.ReadPart(path, offset, bytes);
  }
  Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) override {
    std::unique_ptr<WritableFile> file = FB_TRY(files_.OpenAppend(path));
    return std::make_unique<LyingFile>(std::move(file), lies_, &seen_);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  Status Remove(const std::string& path) override { return files_.Remove(path); }
  Status RemoveTree(const std::string& path) override { return files_.RemoveTree(path); }
  Status MakeDirs(const std::string& path) override { return files_.MakeDirs(path); }
  Result<std::vector<std::string>> List(const std::string& dir) override {
    return files_.List(dir);
  }
  bool Exists(const std::string& path) override { return files_.Exists(path); }
  Result<uint64_t> Size(const std::string& path) override { return files_.Size(path); }
  Status SyncFile(const std::string& path) override {
    return lies_.file_sync ? Status() : files_.SyncFile(path);
  }
  Status SyncDir(const std::string& path) override {
    return lies_.dir_sync ? Status() : files_.SyncDir(path);
  }
  // Whether a truncation has failed since the last call.
  bool TakeTruncateFailed() { return std::exchange(seen_.truncate_failed, false); }

 private:
  Files& files_;
  Lies lies_;
  Seen seen_;
};

SimFilesOptions DiskOf(uint64_t seed, Random* random) {
  SimFilesOptions options;
  options.seed = seed;
  if (random->Chance(1, 3)) options.failures_per_million = random->Below(200'000);
  return options;
}

std::string AnyPayload(uint64_t number, Random* random) {
  std::string payload = "record " + std::to_string(number) + " ";
  uint64_t size = random->Chance(1, 8) ? random->Below(5000) : random->Below(40);
  for (uint64_t i = 0; i < size; ++i)
    payload += static_cast<char>(random->Chance(1, 3) ? 0 : random->Next());
  return payload;
}

struct JournalModel {
  std::vector<std::string> records;  // whose Append returned Ok, in order
  size_t safe = 0;                   // of them, those that a synced Append has confirmed
  bool has_doubtful = false;         // the last Append failed and may yet be found
  std::string doubtful;
};

std::string CompareAfterCrash(const std::vector<std::string>& found, const JournalModel& model) {
  if (found.size() < model.safe) {
    return "a confirmed record is lost: " + std::to_string(found.size()) + " of " +
           std::to_string(model.safe);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    bool known = i < model.records.size() ? found[i] == model.records[i]
                                          : i == model.records.size() && model.has_doubtful &&
                                                found[i] == model.doubtful;
    if (!known) return "record " + std::to_string(i) + " was never written like that";
  }
  return "";
}

Result<Journal> OpenInto(Files& files, std::vector<std::string>* found) {
  found->clear();
  return Journal::Open(files, "home/log/x.journal", [found](uint64_t, std::string_view payload) {
    found->emplace_back(payload);
    return Status();
  });
}

// Appends until enough is written or the journal has closed itself; after some errors it goes on,
// as an owner may.
void AppendSome(Journal* journal, Random* random, uint64_t* number, JournalModel* model) {
  auto count = random->Below(20);
  for (uint64_t i = 0; i < count; ++i) {
    std::string payload = AnyPayload((*number)++, random);
    bool sync = random->Chance(2, 3);
    Status appended = journal->Append(payload, sync);
    if (appended) {
      model->records.push_back(payload);
      if (sync) model->safe = model->records.size();
      model->has_doubtful = false;
    } else if (appended.error().code == Code::kFailedPrecondition) {
      return;  // closed before: this one was not even tried
    } else {
      model->has_doubtful = true;
      model->doubtful = payload;
      if (random->Chance(1, 2)) return;
    }
  }
}

std::string CheckJournalLife(uint64_t seed, Lies lies) {
  Random random(seed);
  SimFilesOptions options = DiskOf(seed, &random);
  SimFiles disk(options);
  LyingFiles files(disk, lies);
  disk.SetFailuresPerMillion(0);
  if (!files.MakeDirs("home/log")) return "the folder cannot be made";
  JournalModel model;
  uint64_t number = 0;
  std::vector<std::string> found;
  for (int crash = 0; crash < 4; ++crash) {
    disk.SetFailuresPerMillion(options.failures_per_million);
    disk.SetCapacityBytes(random.Chance(1, 4) ? random.Below(20'000) : UINT64_MAX);
    if (random.Chance(3, 4)) disk.CutPowerAfter(random.Below(40));
    bool power_cut = random.Chance(4, 5);
    {
      Result<Journal> journal = OpenInto(files, &found);
      // A sync that failed while opening leaves a page cache that cannot be believed.
      power_cut = power_cut || !journal;
      if (journal) {
        model.records = found;
        model.safe = found.size();
        model.has_doubtful = false;
        AppendSome(&*journal, &random, &number, &model);
      }
    }
    disk.SetFailuresPerMillion(0);
    disk.SetCapacityBytes(UINT64_MAX);
    disk.CutPowerAfter(UINT64_MAX / 2);
    if (files.TakeTruncateFailed() || power_cut || !disk.Size("home/log")) disk.PowerCut();
    Result<Journal> reopened = OpenInto(files, &found);
    if (!reopened) return "it cannot be opened after the crash: " + reopened.error().ToString();
    if (std::string wrong = CompareAfterCrash(found, model); !wrong.empty()) return wrong;
    model.records = found;
    model.safe = found.size();
    model.has_doubtful = false;
  }
  return "";
}

std::string CheckAtomicWriteLife(uint64_t seed, Lies lies) {
  Random random(seed);
  SimFilesOptions options = DiskOf(seed, &random);
  SimFiles disk(options);
  LyingFiles files(disk, lies);
  disk.SetFailuresPerMillion(0);
  if (!files.MakeDirs("home")) return "the folder cannot be made";
  std::vector<std::string> legal = {
      "(absent)"};  // the last confirmed content, then those that were tried after it
  uint64_t number = 0;
  for (int crash = 0; crash < 4; ++crash) {
    disk.SetFailuresPerMillion(options.failures_per_million);
    disk.SetCapacityBytes(random.Chance(1, 4) ? random.Below(8'000) : UINT64_MAX);
    if (random.Chance(3, 4)) disk.CutPowerAfter(random.Below(25));
    auto count = random.Below(6);
    for (uint64_t i = 0; i < count; ++i) {
      std::string content = AnyPayload(number++, &random);
      if (AtomicWrite(files, "home/state", content)) {
        legal = {content};
      } else {
        legal.push_back(content);
      }
    }
    disk.SetFailuresPerMillion(0);
    disk.SetCapacityBytes(UINT64_MAX);
    disk.CutPowerAfter(UINT64_MAX / 2);
    if (random.Chance(4, 5) || !disk.Size("home")) disk.PowerCut();
    Result<std::string> content = disk.ReadAll("home/state");
    std::string found = content ? *content : "(absent)";
    if (std::find(legal.begin(), legal.end(), found) == legal.end()) {
      return "the file holds what was never whole, or lost what was confirmed: " +
             found.substr(0, 40);
    }
    // What is seen now may still be undone by the next power cut, unless it was confirmed.
  }
  return "";
}

using Check = std::string (*)(uint64_t seed, Lies lies);

void ExpectAllLivesGood(Check check) {
  for (uint64_t seed = 1; seed <= kLives; ++seed) {
    std::string wrong = check(seed, Lies{});
    ASSERT_EQ(wrong, "") << "seed " << seed;
  }
}

uint64_t CountCaught(Check check, Lies lies) {
  uint64_t caught = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) caught += check(seed, lies).empty() ? 0 : 1;
  return caught;
}

TEST(CrashTest, JournalKeepsEveryConfirmedRecord) { ExpectAllLivesGood(CheckJournalLife); }
TEST(CrashTest, AtomicWriteIsWhole) { ExpectAllLivesGood(CheckAtomicWriteLife); }

TEST(CrashCanaryTest, AJournalThatDoesNotSyncIsCaught) {
  EXPECT_GT(CountCaught(CheckJournalLife, {.file_sync = true}), 50u);
}
TEST(CrashCanaryTest, AJournalWhoseFolderIsNotSyncedIsCaught) {
  EXPECT_GT(CountCaught(CheckJournalLife, {.dir_sync = true}), 20u);
}
TEST(CrashCanaryTest, AtomicWriteWithoutSyncIsCaught) {
  EXPECT_GT(CountCaught(CheckAtomicWriteLife, {.file_sync = true}), 20u);
}
TEST(CrashCanaryTest, AtomicWriteWithoutFolderSyncIsCaught) {
  EXPECT_GT(CountCaught(CheckAtomicWriteLife, {.dir_sync = true}), 20u);
}

TEST(CrashTest, TheSameSeedIsTheSameLife) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    EXPECT_EQ(CheckJournalLife(seed, {.file_sync = true}),
              CheckJournalLife(seed, {.file_sync = true}));
  }
}

}  // namespace
}  // namespace flyball::os
