// Records: what a file is made of, one after the other on one thread, and small files as tables.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/feed.h"
#include "ingest/inputs.h"

namespace flyball::ingest {

// The records of one input. The inputs and the progress must outlive it.
class Records {
 public:
  static Result<Records> Open(const std::vector<Input>& inputs, size_t index, size_t block_bytes,
                              Progress* progress);
  // Null at the end; valid until the next call.
  Result<const Record*> Next();

 private:
  std::unique_ptr<BlockFeed> feed_;
  std::unique_ptr<RecordReader> reader_;
  std::unique_ptr<Block> block_;
  Record record_;
  bool started_ = false;
};

// A CSV or JSON lines file whose header FOCUS knows, as texts. INVALID_ARGUMENT names the line that
// cannot be read, and refuses Parquet and more than kTableRowsMax rows.
inline constexpr size_t kTableRowsMax = 1'000'000;
struct TextTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};
Result<TextTable> ReadTable(const std::string& path);

}  // namespace flyball::ingest
