#include "ingest/budget.h"

#include <algorithm>
#include <thread>

namespace flyball::ingest {
namespace {

// Measured with libduckdb 1.5: what lies outside the engine's count (program, library, its fixed
// tables, allocator).
constexpr uint64_t kProgramBytes = 56ull << 20;
constexpr int64_t kVector = 2048;
constexpr int64_t kRowGroupRows = 122'880;
constexpr uint64_t kRowMinBytes = 1024;
constexpr uint64_t kCellBytes = 16;  // of a vector, whatever is in it
// The Parquet writer pins two of the engine's blocks for every column, per thread.
constexpr uint64_t kPinnedPerColumn = 2 * (256u << 10);
// Below this a second thread would take more than it gives when a slice is derived.
constexpr uint64_t kDeriveParallelBytes = 400ull << 20;
// From here on there is room to derive one month while the next is written.
constexpr uint64_t kDeriveBesideBytes = 900ull << 20;
constexpr uint64_t kColumnsMin = 90;  // of a slice

struct Shape {
  uint64_t columns = kColumnsMin;
  uint64_t row_bytes = kRowMinBytes;
};

// A row in the engine's vectors: the text of the record, and a fixed part for every column.
Shape ShapeOf(const std::vector<Input>& inputs) {
  constexpr uint64_t kUnpackedPerPacked = 12;
  Shape shape;
  for (const Input& input : inputs) {
    if (input.facts.rows == 0) continue;
    uint64_t content = input.content->size();
    if (input.content->packing() != Packing::kNone) content *= kUnpackedPerPacked;
    shape.columns = std::max<uint64_t>(shape.columns, input.field_names().size() + 30);
    shape.row_bytes = std::max(shape.row_bytes, content / static_cast<uint64_t>(input.facts.rows) +
                                                    shape.columns * kCellBytes);
  }
  return shape;
}

}  // namespace

Budget MakeBudget(uint64_t memory_bytes, int threads, const std::vector<Input>& inputs,
                  bool several_months) {
  const Shape shape = ShapeOf(inputs);
  const uint64_t pinned = shape.columns * kPinnedPerColumn;
  Budget budget;
  memory_bytes = std::max(memory_bytes, kMemoryMinBytes);
  uint64_t usable = memory_bytes - kProgramBytes;
  budget.derive_bytes = usable / 2;
  budget.derive_beside = several_months && usable >= kDeriveBesideBytes;
  if (budget.derive_beside) {
    budget.derive_bytes = usable / 4;
    usable -= 2 * budget.derive_bytes;  // it overshoots
  }
  budget.threads = threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency());
  // A thread that can't gather some rows beside what the writer pins is of no use.
  const auto most = static_cast<int>(usable / (pinned + (40u << 20)));
  budget.threads = std::clamp(budget.threads, 1, std::max(1, most));
  const auto count = static_cast<uint64_t>(budget.threads);
  budget.block_bytes =
      static_cast<size_t>(std::clamp<uint64_t>(usable / (64 * count), 128u << 10, 1u << 20));
  budget.engine_bytes = usable - 4 * count * budget.block_bytes - usable / 16;
  // Half of what is left: a row group stands twice in memory while it is packed.
  const uint64_t fixed = count * pinned;
  const uint64_t left = budget.engine_bytes > fixed ? (budget.engine_bytes - fixed) / 2 : 0;
  const auto rows = static_cast<int64_t>(left / count / shape.row_bytes);
  budget.row_group_rows = std::clamp<int64_t>(rows / kVector * kVector, kVector, kRowGroupRows);
  const bool parallel = !budget.derive_beside && usable >= kDeriveParallelBytes;
  budget.derive_threads = parallel ? budget.threads : std::max(1, budget.threads / 4);
  return budget;
}

}  // namespace flyball::ingest
