// Journal: an append-only file of records that survives a crash at any byte.
//
// Format (little endian): 8 bytes magic "FLYJRNL1", then records of
//   u32 length of payload | u32 CRC-32C of (length bytes + payload) | payload
// A record is durable when Append(sync=true) has returned, and so are all before it. At open, the
// tail after the last whole record is cut (a torn write); a broken record that is followed by a
// whole one is DATA_LOSS, never skipped silently. A file is read a block at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/files.h"

namespace flyball::os {

inline constexpr uint32_t kJournalRecordMaxBytes = 64u << 20;
inline constexpr uint64_t kJournalHeadBytes = 8;  // of a record, before its payload

struct JournalReading {
  // Where a record ends, as Read has told of this file before: what stands before it is not looked
  // at. A file that is shorter is read from its beginning.
  uint64_t from = 0;
  // Told the bytes of damage that is followed by a whole record; what follows is read. Without it
  // that is DATA_LOSS.
  std::function<Status(uint64_t from, uint64_t to)> on_damage;
};

class Journal {
 public:
  using Visitor = std::function<Status(uint64_t offset, std::string_view payload)>;
  // Reads every whole record in order through `visit`, cuts a torn tail, and is then ready to
  // append.
  static Result<Journal> Open(Files& files, const std::string& path, const Visitor& visit,
                              const JournalReading& how = {});
  // Reads without changing the file (for readers beside the owner); a torn tail is ignored. Where
  // the last whole record ends.
  static Result<uint64_t> Read(Files& files, const std::string& path, const Visitor& visit,
                               const JournalReading& how = {});

  // Replaces the file by one of these records, whole or not at all, and durably: so that a journal
  // of changes stays as small as what they came to.
  static Result<Journal> WriteAnew(Files& files, const std::string& path,
                                   std::span<const std::string> records);

  // On an error nothing of the record counts: the file is cut back to where it was. Once a sync or
  // the cutting has failed, every further Append is FAILED_PRECONDITION.
  Status Append(std::string_view payload, bool sync) { return Append({&payload, 1}, sync); }
  // A record of each, by one write: after a crash some of them may be there, the first ones.
  Status Append(std::span<const std::string_view> payloads, bool sync);
  uint64_t size() const { return size_; }
  uint64_t torn_bytes_cut() const { return torn_bytes_cut_; }

 private:
  std::unique_ptr<WritableFile> file_;
  uint64_t size_ = 0;
  uint64_t synced_size_ = 0;  // of it, what a sync has confirmed
  uint64_t torn_bytes_cut_ = 0;
  bool broken_ = false;
};

}  // namespace flyball::os
