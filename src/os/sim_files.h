// SimFiles: a disk in memory that fails, fills up and loses power, by seed: the twin of
// MakeRealFiles() for tests.
//
// It keeps apart what processes see (the live state) and what is on the device (the durable state).
//
// - Bytes: an append or a truncation is durable after Sync of its file. Before that, a power cut
//   keeps any first part of each file's unsynced changes, the last one torn at any byte, perhaps
//   with zeros where its data should be.
// - Names: a creation, a rename or a removal is durable after SyncDir of its folder. Before that, a
//   power cut keeps any of them that do not build on one that it lost. Syncing a file does not make
//   its name durable. MakeDirs is durable.
// - A sync that fails may have thrown the changes away: a later one reports success, and zeros are
//   on the device.
//
// The same seed and the same calls give the same disk. Any thread may call; open files must not
// outlive the SimFiles.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/files.h"

namespace flyball::os {

struct SimFilesOptions {
  uint64_t seed = 1;
  uint64_t failures_per_million =
      0;  // chance of each operation to fail (UNAVAILABLE, "Input/output error")
  uint64_t capacity_bytes =
      std::numeric_limits<uint64_t>::max();  // of all files; beyond: a short write, then disk full
};

class SimFiles : public Files {
 public:
  explicit SimFiles(const SimFilesOptions& options);
  ~SimFiles() override;

  // The power goes off in the middle of the operation after `operations` more: that one may be
  // done, partly done or not done, and it and all later ones fail with UNAVAILABLE until PowerCut.
  void CutPowerAfter(uint64_t operations);
  // Off (if it is not) and on again: the disk is what the durable state allows, open files are
  // dead.
  void PowerCut();
  void SetFailuresPerMillion(uint64_t failures);
  void SetCapacityBytes(uint64_t bytes);
  uint64_t operation_count() const;

  Result<std::string> ReadAll(const std::string& path) override;
  Result<std::string> ReadPart(const std::string& path, uint64_t offset, size_t bytes) override;
  Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveTree(const std::string& path) override;
  Status MakeDirs(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& dir) override;
  bool Exists(const std::string& path) override;
  Result<uint64_t> Size(const std::string& path) override;
  Status SyncFile(const std::string& path) override;
  Status SyncDir(const std::string& path) override;

 private:
  class OpenFile;
  struct Disk;
  std::shared_ptr<Disk> disk_;
};

}  // namespace flyball::os
