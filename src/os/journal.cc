#include "os/journal.h"

#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "base/hash.h"

namespace flyball::os {
namespace {

constexpr std::string_view kMagic = "FLYJRNL1";
constexpr size_t kHeaderBytes = 8;
// How many bytes the search for a whole record behind a broken one may sum up. Text payloads never
// come near: their bytes read as lengths are beyond the largest record.
constexpr uint64_t kSearchBytesMax = uint64_t{4} << 30;
// A reader beside the owner may catch the owner between cutting a failed record and writing the
// next.
constexpr int kReadAttemptsMax = 3;

void AppendU32(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

uint32_t ReadU32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

// The checksum covers the length as well, so that a torn length is not believed.
uint32_t RecordCrc(std::string_view length_bytes, std::string_view payload) {
  return Crc32c(payload, Crc32c(length_bytes));
}

// The bytes of a journal, of which a block is held.
class Source {
 public:
  Source(Files& files, const std::string& path, uint64_t size)
      : files_(files), path_(path), size_(size) {}

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  // At least so many bytes from there on, fewer at the end of the file; until the next call.
  Result<std::string_view> At(uint64_t at, uint64_t bytes) {
    const uint64_t end = std::min(size_, at + bytes);
    if (at < start_ || at > start_ + held_.size()) {
      start_ = at;
      held_.clear();
    }
    if (end > start_ + held_.size()) {
      held_.erase(0, static_cast<size_t>(at - start_));
      start_ = at;
      const uint64_t from = start_ + held_.size();
      const uint64_t part = std::min(size_ - from, std::max(end - from, kBlockBytes));
      held_ += FB_TRY(files_.ReadPart(path_, from, static_cast<size_t>(part)));
      if (start_ + held_.size() < end) size_ = start_ + held_.size();  // the owner has cut it
    }
    return std::string_view(held_).substr(static_cast<size_t>(at - start_));
  }
  // Reads anew: the owner may have written.
  Status Again() {
    held_.clear();
    size_ = FB_TRY(files_.Size(path_));
    return {};
  }

 private:
  static constexpr uint64_t kBlockBytes = 1u << 20;
  Files& files_;
  const std::string& path_;
  uint64_t size_;
  uint64_t start_ = 0;
  std::string held_;
};

// The whole record that stands at `at`, head and payload. `cost` counts the bytes summed up.
Result<std::optional<std::string_view>> WholeRecordAt(Source& source, uint64_t at, uint64_t* cost) {
  std::string_view bytes = FB_TRY(source.At(at, kHeaderBytes));
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const uint32_t length = ReadU32(bytes);
  if (length > kJournalRecordMaxBytes || source.size() - at - kHeaderBytes < length) {
    return std::nullopt;
  }
  bytes = FB_TRY(source.At(at, kHeaderBytes + length));
  if (bytes.size() < kHeaderBytes + length) return std::nullopt;
  bytes = bytes.substr(0, kHeaderBytes + length);
  *cost += bytes.size();
  if (RecordCrc(bytes.substr(0, 4), bytes.substr(kHeaderBytes)) != ReadU32(bytes.substr(4))) {
    return std::nullopt;
  }
  return bytes;
}

// Whether what stands at `at` is damage within the file, not the torn end of it: where the next
// whole record begins. The end of the file when that can't be told.
Result<std::optional<uint64_t>> NextWholeRecord(Source& source, uint64_t at) {
  uint64_t cost = 0;
  for (++at; at + kHeaderBytes <= source.size(); ++at) {
    if (FB_TRY(WholeRecordAt(source, at, &cost))) return at;
    if (cost > kSearchBytesMax) return source.size();  // never skipped silently
  }
  return std::nullopt;
}

// A crash while the file was made: some of the magic, or its size without its data. Records come
// only after the magic is synced, so a longer file without it is damaged.
bool IsTornMagic(std::string_view content) {
  if (content.size() > kMagic.size() || content == kMagic) return false;
  for (size_t i = 0; i < content.size(); ++i) {
    if (content[i] != kMagic[i] && content[i] != '\0') return false;
  }
  return true;
}

std::unexpected<Error> FailDamaged(const std::string& path, uint64_t offset) {
  return Fail(Error{Code::kDataLoss,
                    "the journal '" + path + "' is damaged at byte " + std::to_string(offset) +
                        ": a whole record stands behind a broken one",
                    "do not write to it; restore it from a copy, or ask for help with this message",
                    Place{path, 0, 0, static_cast<int64_t>(offset) + 1}});
}

// Visits every whole record; returns the end of the sound part, 0 when not even the magic is
// there. `attempts` for readers beside the owner.
Result<uint64_t> Walk(Source& source, const Journal::Visitor& visit, const JournalReading& how,
                      int attempts) {
  const std::string_view head = FB_TRY(source.At(0, kMagic.size() + 1));
  if (IsTornMagic(head)) return uint64_t{0};
  uint64_t at = kMagic.size();
  if (!head.starts_with(kMagic)) {
    const std::optional<uint64_t> next = FB_TRY(NextWholeRecord(source, 0));
    if (!how.on_damage || !next) {
      return Fail(Error{
          Code::kDataLoss,
          "'" + source.path() + "' is no journal: it does not begin with " + std::string(kMagic),
          "", Place{source.path(), 0, 0, 1}});
    }
    FB_CHECK(how.on_damage(0, *next));
    at = *next;
  }
  if (how.from <= source.size()) at = std::max(at, how.from);
  for (int attempt = 1; at < source.size();) {
    uint64_t cost = 0;
    if (const auto record = FB_TRY(WholeRecordAt(source, at, &cost))) {
      FB_CHECK(visit(at, record->substr(kHeaderBytes)));
      at += record->size();
      attempt = 1;
      continue;
    }
    if (attempt++ < attempts) {
      FB_CHECK(source.Again());
      continue;
    }
    const std::optional<uint64_t> next = FB_TRY(NextWholeRecord(source, at));
    if (!next) break;
    if (!how.on_damage) return FailDamaged(source.path(), at);
    FB_CHECK(how.on_damage(at, *next));
    at = *next;
    attempt = 1;
  }
  return at;
}

}  // namespace

Result<Journal> Journal::Open(Files& files, const std::string& path, const Visitor& visit,
                              const JournalReading& how) {
  Journal journal;
  journal.file_ = FB_TRY(files.OpenAppend(path));
  WritableFile& file = *journal.file_;
  uint64_t sound = 0;
  if (file.size() > 0) {
    Source source(files, path, file.size());
    sound = FB_TRY(Walk(source, visit, how, 1));
    journal.torn_bytes_cut_ = file.size() - sound;
    if (journal.torn_bytes_cut_ > 0) FB_CHECK(file.Truncate(sound));
  }
  // A magic without a record may be of an open whose sync failed: the device may not have it, and
  // would not say so again.
  if (sound <= kMagic.size()) {
    FB_CHECK(file.Truncate(0));
    FB_CHECK(file.Append(kMagic));
  }
  // What was visited may so far live in the page cache of a process that was killed: from here on
  // it is acted upon, so it must not vanish. The folder too: the crash may have come before it was
  // synced.
  FB_CHECK(file.Sync());
  FB_CHECK(files.SyncDir(ParentPath(path)));
  journal.size_ = file.size();
  journal.synced_size_ = journal.size_;
  return journal;
}

Result<Journal> Journal::WriteAnew(Files& files, const std::string& path,
                                   std::span<const std::string> records) {
  const std::string fresh = path + ".next";
  FB_CHECK(files.MakeDirs(ParentPath(path)));
  FB_CHECK(files.Remove(fresh));
  Journal journal = FB_TRY(Open(files, fresh, [](uint64_t, std::string_view) { return Status(); }));
  const std::vector<std::string_view> views(records.begin(), records.end());
  if (!views.empty()) FB_CHECK(journal.Append(views, true));
  FB_CHECK(files.Rename(fresh, path));
  FB_CHECK(files.SyncDir(ParentPath(path)));
  return journal;
}

Result<uint64_t> Journal::Read(Files& files, const std::string& path, const Visitor& visit,
                               const JournalReading& how) {
  Source source(files, path, FB_TRY(files.Size(path)));
  return Walk(source, visit, how, kReadAttemptsMax);
}

Status Journal::Append(std::span<const std::string_view> payloads, bool sync) {
  FB_ASSERT(file_ != nullptr);
  size_t bytes = 0;
  for (const std::string_view payload : payloads) {
    if (payload.size() > kJournalRecordMaxBytes) {
      return Fail(Code::kInvalidArgument, "a journal record of " + std::to_string(payload.size()) +
                                              " bytes is larger than " +
                                              std::to_string(kJournalRecordMaxBytes));
    }
    bytes += kHeaderBytes + payload.size();
  }
  if (broken_) {
    return Fail(Code::kFailedPrecondition, "the journal could not be written before and is closed",
                "look at the disk, then start again: what was confirmed is safe");
  }
  std::string records;
  records.reserve(bytes);
  for (const std::string_view payload : payloads) {
    const size_t start = records.size();
    AppendU32(static_cast<uint32_t>(payload.size()), &records);
    AppendU32(RecordCrc(std::string_view(records).substr(start), payload), &records);
    records += payload;
  }

  if (Status written = file_->Append(records); !written) {
    if (!file_->Truncate(size_)) broken_ = true;
    return written;
  }
  if (sync) {
    if (Status synced = file_->Sync(); !synced) {
      // After a failed sync the system may have thrown pages away and report success the next time.
      // What was not confirmed yet goes too, so that no reader believes a page cache that the
      // device does not know.
      broken_ = true;
      if (file_->Truncate(synced_size_)) (void)file_->Sync();
      return synced;
    }
  }
  size_ += records.size();
  if (sync) synced_size_ = size_;
  return {};
}

}  // namespace flyball::os
