// Budget: how the memory that an import may have is shared out.
//
// What lies outside the engine's own limit: the program and libduckdb, a block of records per
// thread, and the row groups that the Parquet writer gathers, one per thread, before it writes
// them.
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/inputs.h"

namespace flyball::ingest {

struct Budget {
  int threads = 1;
  uint64_t engine_bytes = 0;  // DuckDB's memory limit
  // The same for deriving rollup and signatures from a written slice, which overshoots its limit by
  // more.
  int derive_threads = 1;
  uint64_t derive_bytes = 0;
  bool derive_beside = false;  // a month is derived while the next is being written
  size_t block_bytes = 0;      // one block of records
  int64_t row_group_rows = 0;  // per row group of the slices
};

inline constexpr uint64_t kMemoryMinBytes = 128ull << 20;

// `several_months`: there is more than one slice to write.
Budget MakeBudget(uint64_t memory_bytes, int threads, const std::vector<Input>& inputs,
                  bool several_months);

}  // namespace flyball::ingest
