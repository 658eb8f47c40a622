// Source: the rows of all inputs as DuckDB's threads pull them. Blocks of whole records are cut off
// one thread at a time and taken apart in parallel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ingest/adapter.h"
#include "ingest/feed.h"
#include "ingest/inputs.h"
#include "ingest/quarantine.h"

namespace flyball::ingest {

// The rows of one billing month, or of none when every row is refused.
class ImportSource : public engine::RowSource {
 public:
  // The inputs, the schema and the quarantine must outlive the source. `live`: the columns of the
  // schema that are given out, in order.
  ImportSource(const std::vector<Input>& inputs, const Schema& schema, std::vector<int> live,
               int threads, std::unique_ptr<BlockFeed> feed, Quarantine* quarantine);
  ~ImportSource() override;
  Result<int> Fill(int slot, engine::ChunkWriter& out) override;
  // What all threads counted; once, when the statement has ended.
  Tally TakeTally();

 private:
  struct Slot;
  Result<bool> NextBlock(Slot* slot);

  const std::vector<Input>& inputs_;
  const Schema& schema_;
  std::vector<int> live_;
  std::unique_ptr<BlockFeed> feed_;
  Quarantine* quarantine_;
  std::vector<std::unique_ptr<Slot>> slots_;  // by thread
};

}  // namespace flyball::ingest
