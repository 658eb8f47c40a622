// Feed: the content of an import as blocks of whole records, handed to many threads one block at a
// time.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/csv.h"
#include "ingest/inputs.h"
#include "ingest/record.h"

namespace flyball::ingest {

// A run of records of one input.
struct Portion {
  size_t input = 0;  // which of the inputs it comes from
  std::shared_ptr<const InputFile> content;
  uint64_t skip_bytes = 0;  // header or byte order mark before the first record
  int64_t skip_lines = 0;   // lines (or records, of Parquet) before the first
  // Every record begins with the number of its line in the input (route.h).
  bool numbered = false;
  // A range of unpacked content, whole records only; all of it by default.
  uint64_t begin_offset = 0;
  uint64_t end_offset = UINT64_MAX;

  uint64_t size() const { return std::min(end_offset, content->size()) - begin_offset; }
};

// The records of all inputs, as they lie in their files.
Result<std::vector<Portion>> WholeInputs(const std::vector<Input>& inputs);

std::unique_ptr<RecordReader> MakeRecordReader(const Input& input, bool numbered);

// Thread-safe. Reports progress as it goes: `before` bytes were done, and its own count `weight`
// per cent.
class BlockFeed {
 public:
  // `inputs` and `progress` must outlive the feed.
  BlockFeed(const std::vector<Input>& inputs, std::vector<Portion> portions, size_t block_bytes,
            Progress* progress, uint64_t before, uint64_t weight_percent);
  // False at the end of all, and after an error that another thread was given. CANCELLED when the
  // caller said so.
  Result<bool> Next(Block* block, size_t* portion);
  const std::vector<Portion>& portions() const { return portions_; }

 private:
  Status Open();

  const std::vector<Input>& inputs_;
  const std::vector<Portion> portions_;
  const size_t block_bytes_;
  Progress* progress_;
  const uint64_t weight_percent_;

  std::mutex mutex_;  // guards what follows
  uint64_t before_;
  size_t at_ = 0;
  std::unique_ptr<BlockReader> reader_;
  bool failed_ = false;
};

}  // namespace flyball::ingest
