// Source: the rows of all inputs as DuckDB's threads pull them. Blocks of whole records are cut off
// one thread at a time and taken apart in parallel.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ingest/adapter.h"
#include "ingest/inputs.h"
#include "ingest/quarantine.h"

namespace flyball::ingest {

struct SourceOptions {
  int threads = 1;
  size_t block_bytes = 1u << 20;
  std::vector<int> live;      // columns of the schema that are given out, in order
  bool with_month = false;    // one column more, at the end: the month, as text "2024-09"
  uint64_t bytes_before = 0;  // for progress
};

class ImportSource : public engine::RowSource {
 public:
  // All must outlive the source.
  ImportSource(const std::vector<Input>& inputs, const Schema& schema, SourceOptions options,
               Quarantine* quarantine, Progress* progress);
  ~ImportSource() override;
  Result<int> Fill(int slot, engine::ChunkWriter& out) override;
  // What all threads counted; when the statement has ended.
  Tally TakeTally();

 private:
  struct Slot;
  // The next block of the inputs; false at the end of all.
  Result<bool> NextBlock(Slot* slot);
  Status OpenReader();
  Status Refuse(Slot* slot, const Record& record);

  const std::vector<Input>& inputs_;
  const Schema& schema_;
  SourceOptions options_;
  Quarantine* quarantine_;
  Progress* progress_;

  std::mutex mutex_;  // guards what follows
  size_t input_ = 0;
  std::unique_ptr<BlockReader> reader_;
  uint64_t bytes_before_;
  bool failed_ = false;

  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace flyball::ingest
