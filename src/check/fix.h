// Fix: a bill with the form of its cells repaired, as a new CSV file, and a log of what was
// changed.
//
// Only the form changes: names of columns, how nulls, instants, numbers, listed values and
// currencies are written, blanks around texts, bytes that are no UTF-8. No value, no row and no
// column is added or taken away, and every digit stays. A record that cannot be taken apart cannot
// be written again either: it is left out, and the log says which.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "check/check.h"
#include "ingest/record.h"
#include "model/focus.h"
#include "os/files.h"

namespace flyball::check {

// One kind of change of one column.
struct FixChange {
  std::string column;  // as in the input; empty: of records
  std::string change;  // "null-text", "date", "number", "allowed-value", "name", ...
  int64_t cells = 0;
  std::vector<int64_t> lines;  // of the first kFirstRows
  std::string before, after;   // the first
};

struct FixReport {
  int64_t rows = 0;
  int64_t rows_left_out = 0;
  std::vector<FixChange> changes;  // by column, in the order of the input
  int64_t cells() const;
};

inline constexpr std::string_view kFixLogEnd = ".changes.jsonl";  // behind the name of OUT

// Reads one file and writes `out`, and beside it the log, one JSON object a line. ALREADY_EXISTS
// when `out` or its log is there; INVALID_ARGUMENT as RunCheck. After an error neither is there.
Result<FixReport> FixFile(const CheckOptions& options, const std::string& out, os::Files& files);

// What one cell of a column becomes, and why; the same text and no change where nothing is wrong.
struct FixedCell {
  std::string text;
  bool null = false;
  const char* change = nullptr;
};
FixedCell FixCell(const focus::Column* column, const ingest::Field& field);

}  // namespace flyball::check
