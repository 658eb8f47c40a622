#include "os/journal.h"

#include <cstring>

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

// The payload's size when a whole record stands at the start, -1 when none does. `cost` counts the
// bytes summed up.
int64_t WholeRecordAt(std::string_view bytes, uint64_t* cost) {
  if (bytes.size() < kHeaderBytes) return -1;
  uint32_t length = ReadU32(bytes);
  if (length > kJournalRecordMaxBytes || bytes.size() - kHeaderBytes < length) return -1;
  *cost += length + kHeaderBytes;
  if (RecordCrc(bytes.substr(0, 4), bytes.substr(kHeaderBytes, length)) !=
      ReadU32(bytes.substr(4))) {
    return -1;
  }
  return length;
}

// Whether what stands at `at` is damage within the file, not the torn end of it: a whole record
// follows somewhere.
bool WholeRecordFollows(std::string_view content, size_t at) {
  uint64_t cost = 0;
  for (++at; at + kHeaderBytes <= content.size(); ++at) {
    if (WholeRecordAt(content.substr(at), &cost) >= 0) return true;
    if (cost > kSearchBytesMax) return true;  // not shown to be a torn end: never skip silently
  }
  return false;
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

// Visits every whole record; returns the size of the sound part, 0 when not even the magic is
// there.
Result<uint64_t> Walk(const std::string& path, std::string_view content,
                      const Journal::Visitor& visit) {
  if (IsTornMagic(content)) return uint64_t{0};
  if (!content.starts_with(kMagic)) {
    return Fail(Error{Code::kDataLoss,
                      "'" + path + "' is no journal: it does not begin with " + std::string(kMagic),
                      "", Place{path, 0, 0, 1}});
  }
  size_t at = kMagic.size();
  while (at < content.size()) {
    uint64_t cost = 0;
    int64_t length = WholeRecordAt(content.substr(at), &cost);
    if (length < 0) {
      if (WholeRecordFollows(content, at)) return FailDamaged(path, at);
      break;
    }
    FB_CHECK(visit(at, content.substr(at + kHeaderBytes, static_cast<size_t>(length))));
    at += kHeaderBytes + static_cast<size_t>(length);
  }
  return at;
}

}  // namespace

Result<Journal> Journal::Open(Files& files, const std::string& path, const Visitor& visit) {
  Journal journal;
  journal.file_ = FB_TRY(files.OpenAppend(path));
  WritableFile& file = *journal.file_;
  uint64_t sound = 0;
  if (file.size() > 0) {
    std::string content = FB_TRY(files.ReadAll(path));
    sound = FB_TRY(Walk(path, content, visit));
    journal.torn_bytes_cut_ = content.size() - sound;
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

Status Journal::Read(Files& files, const std::string& path, const Visitor& visit) {
  for (int attempt = 1;; ++attempt) {
    std::string content = FB_TRY(files.ReadAll(path));
    // Looked through once before anything is handed out, so that a second attempt repeats no
    // record.
    Result<uint64_t> sound =
        Walk(path, content, [](uint64_t, std::string_view) { return Status(); });
    if (!sound && sound.error().code == Code::kDataLoss && attempt < kReadAttemptsMax) continue;
    FB_CHECK(sound);
    FB_CHECK(Walk(path, std::string_view(content).substr(0, static_cast<size_t>(*sound)), visit));
    return {};
  }
}

Status Journal::Append(std::string_view payload, bool sync) {
  FB_ASSERT(file_ != nullptr);
  if (payload.size() > kJournalRecordMaxBytes) {
    return Fail(Code::kInvalidArgument, "a journal record of " + std::to_string(payload.size()) +
                                            " bytes is larger than " +
                                            std::to_string(kJournalRecordMaxBytes));
  }
  if (broken_) {
    return Fail(Code::kFailedPrecondition, "the journal could not be written before and is closed",
                "look at the disk, then start again: what was confirmed is safe");
  }
  std::string record;
  record.reserve(kHeaderBytes + payload.size());
  AppendU32(static_cast<uint32_t>(payload.size()), &record);
  AppendU32(RecordCrc(record, payload), &record);
  record += payload;

  if (Status written = file_->Append(record); !written) {
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
  size_ += record.size();
  if (sync) synced_size_ = size_;
  return {};
}

}  // namespace flyball::os
