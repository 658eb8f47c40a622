#include "ingest/budget.h"

#include <algorithm>
#include <thread>

namespace flyball::ingest {
namespace {

constexpr uint64_t kProgramBytes = 90ull << 20;  // the program, libduckdb and its fixed tables
constexpr int64_t kVector = 2048;
constexpr int64_t kRowGroupRows = 122'880;
constexpr uint64_t kRowMinBytes = 1024;
constexpr uint64_t kCellBytes = 16;  // of a vector, whatever is in it

// A row in the engine's vectors: the text of the record, and a fixed part for every column.
uint64_t RowBytes(const std::vector<Input>& inputs) {
  uint64_t row = kRowMinBytes;
  for (const Input& input : inputs) {
    if (input.facts.rows == 0) continue;
    uint64_t content = input.content->size();
    if (input.content->packing() != Packing::kNone) content *= 12;
    uint64_t cells = std::max<size_t>(input.field_names().size(), 40) + 20;
    row = std::max(row, content / static_cast<uint64_t>(input.facts.rows) + cells * kCellBytes);
  }
  return row;
}

}  // namespace

Budget MakeBudget(uint64_t memory_bytes, int threads, const std::vector<Input>& inputs) {
  Budget budget;
  memory_bytes = std::max(memory_bytes, kMemoryMinBytes);
  uint64_t usable = memory_bytes - std::min(kProgramBytes, memory_bytes / 2);
  budget.threads = threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency());
  // A thread needs some 40 MB to be worth it.
  budget.threads =
      std::clamp(budget.threads, 1, std::max(1, static_cast<int>(usable / (40u << 20))));
  const auto count = static_cast<uint64_t>(budget.threads);
  budget.block_bytes =
      static_cast<size_t>(std::clamp<uint64_t>(usable / (64 * count), 128u << 10, 1u << 20));
  budget.engine_bytes = usable * 6 / 10;
  const uint64_t row = RowBytes(inputs);
  auto rows = static_cast<int64_t>(budget.engine_bytes / 3 / count / row);
  budget.row_group_rows = std::clamp<int64_t>(rows / kVector * kVector, kVector, kRowGroupRows);
  budget.partition_rows = std::clamp<int64_t>(rows, 4 * kVector, 4 * kRowGroupRows);
  return budget;
}

}  // namespace flyball::ingest
