// DyingFiles: what stands between a Wal and a simulated disk in tests: the process can die in the
// middle of an operation, and a sync can be a lie.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "os/files.h"

namespace flyball::guard {

class DyingFiles : public os::Files {
 public:
  DyingFiles(os::Files& files, uint64_t seed) : files_(files), random_(seed) {}

  // The process dies in the operation after `operations` more; that one may be done, partly done or
  // not done, by chance. All later ones fail, until Revive.
  void DieAfter(uint64_t operations) { DieAfter(operations, kByChance); }
  // The same, with so many bytes of an append written; any other operation is done if it is not 0.
  void DieAfter(uint64_t operations, uint64_t bytes) {
    left_ = operations;
    last_bytes_ = bytes;
  }
  static constexpr uint64_t kByChance = std::numeric_limits<uint64_t>::max();
  // Of the append in which it died; 0 when that was another operation.
  uint64_t last_append_size() const { return last_append_size_; }
  bool dead() const { return dead_; }
  // The process dies now, between two operations.
  void Die() { dead_ = true; }
  void Revive() {
    dead_ = false;
    left_ = kNever;
  }
  // Syncs of paths that contain this text only say that they were done.
  void LieAbout(std::string text) { lie_ = std::move(text); }
  uint64_t operations() const { return operations_; }

  Result<std::string> ReadAll(const std::string& path) override {
    return Run<Result<std::string>>([&] { return files_.ReadAll(path); });
  }
  Result<std::string> ReadPart(const std::string& path, uint64_t offset, size_t bytes) override {
    return Run<Result<std::string>>([&] { return files_.ReadPart(path, offset, bytes); });
  }
  Result<std::unique_ptr<os::WritableFile>> OpenAppend(const std::string& path) override {
    return Run<Result<std::unique_ptr<os::WritableFile>>>(
        [&]() -> Result<std::unique_ptr<os::WritableFile>> {
          std::unique_ptr<os::WritableFile> file = FB_TRY(files_.OpenAppend(path));
          return std::make_unique<File>(this, std::move(file), Lies(path));
        });
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return Run<Status>([&] { return files_.Rename(from, to); });
  }
  Status Remove(const std::string& path) override {
    return Run<Status>([&] { return files_.Remove(path); });
  }
  Status RemoveTree(const std::string& path) override {
    return Run<Status>([&] { return files_.RemoveTree(path); });
  }
  Status MakeDirs(const std::string& path) override {
    return Run<Status>([&] { return files_.MakeDirs(path); });
  }
  Result<std::vector<std::string>> List(const std::string& dir) override {
    return Run<Result<std::vector<std::string>>>([&] { return files_.List(dir); });
  }
  bool Exists(const std::string& path) override { return !dead_ && files_.Exists(path); }
  Result<uint64_t> Size(const std::string& path) override {
    return Run<Result<uint64_t>>([&] { return files_.Size(path); });
  }
  Status SyncFile(const std::string& path) override {
    return Run<Status>([&] { return Lies(path) ? Status() : files_.SyncFile(path); });
  }
  Status SyncDir(const std::string& path) override {
    return Run<Status>([&] { return files_.SyncDir(path); });
  }

 private:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  class File : public os::WritableFile {
   public:
    File(DyingFiles* files, std::unique_ptr<os::WritableFile> file, bool lies)
        : files_(files), file_(std::move(file)), lies_(lies) {}
    Status Append(std::string_view bytes) override {
      bool was_dead = files_->dead_;
      if (files_->Lives()) return file_->Append(bytes);
      if (!was_dead && !bytes.empty()) {
        files_->last_append_size_ = bytes.size();
        uint64_t part = files_->last_bytes_ == kByChance
                            ? files_->random_.Below(bytes.size() + 1)
                            : std::min<uint64_t>(files_->last_bytes_, bytes.size());
        (void)file_->Append(bytes.substr(0, static_cast<size_t>(part)));
      }
      return FailDead();
    }
    Status Truncate(uint64_t size) override {
      return files_->Run<Status>([&] { return file_->Truncate(size); });
    }
    Status Sync() override {
      return files_->Run<Status>([&] { return lies_ ? Status() : file_->Sync(); });
    }
    uint64_t size() const override { return file_->size(); }

   private:
    DyingFiles* files_;
    std::unique_ptr<os::WritableFile> file_;
    bool lies_;
  };

  static std::unexpected<Error> FailDead() {
    return Fail(Code::kUnavailable, "the process is dead");
  }
  bool Lies(const std::string& path) const {
    return !lie_.empty() && path.find(lie_) != std::string::npos;
  }
  bool Lives() {
    if (dead_) return false;
    ++operations_;
    if (left_ == kNever || left_-- > 0) return true;
    dead_ = true;
    return false;
  }
  template <typename T, typename Operation>
  T Run(Operation operation) {
    bool was_dead = dead_;
    if (Lives()) return operation();
    bool done = last_bytes_ == kByChance ? random_.Chance(1, 2) : last_bytes_ > 0;
    if (!was_dead && done) (void)operation();
    return FailDead();
  }

  os::Files& files_;
  Random random_;
  uint64_t left_ = kNever;
  uint64_t last_bytes_ = kByChance;
  uint64_t last_append_size_ = 0;
  uint64_t operations_ = 0;
  bool dead_ = false;
  std::string lie_;
};

}  // namespace flyball::guard
