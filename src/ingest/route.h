// Route: when the billing periods of an import are mixed, its records are first sorted into one
// temporary file per month (and thread), so that every slice is then written by one plain COPY.
// Measured against DuckDB's PARTITION_BY, which holds a chunk of every column for every month and
// thread: half the time, and memory that does not grow with the months.
//
// A temporary file holds records as they were in the input, each with the number of its line before
// it. Those of several inputs lie in it one run after the other, so that how many files are open
// and buffered depends on the months alone, however many inputs an import has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/feed.h"
#include "ingest/inputs.h"
#include "ingest/months.h"

namespace flyball::ingest {

inline constexpr size_t kMonthsMax = 1200;  // of one import; more is a mistake in the file
inline constexpr size_t kRouteBufferBytes = 64u << 10;

struct RouteOptions {
  std::string dir;  // where the temporary files go
  int threads = 1;
  size_t block_bytes = 1u << 20;
};

struct Routes {
  // By month (microseconds since the epoch). Rows whose month can't be told are in any of them:
  // they go to the quarantine.
  Months months;
  int64_t empty_lines = 0;
};
Result<Routes> RouteByMonth(const std::vector<Input>& inputs, const Schema& schema, BlockFeed* feed,
                            const RouteOptions& options);

}  // namespace flyball::ingest
