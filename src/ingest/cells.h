// Cells: from the text of one field to a typed value, with what had to be repaired. No allocation:
// it runs for every field of every row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/time.h"
#include "ingest/defects.h"
#include "ingest/record.h"

namespace flyball::ingest {

inline constexpr size_t kNumberMaxBytes = 4096;  // a longer text is no number

// Whether the field says that there is no value; counts how it says so.
bool IsNullCell(const Field& field, RowDefects* defects);

struct NumberCell {
  int128 units = 0;
  bool null = false;
  bool exact = true;
};
// kBadNumber, kOutOfRange or kNone. A rounded value counts `rounded`.
Fault ReadNumber(const Field& field, int scale, Repair rounded, RowDefects* defects,
                 NumberCell* out);

// The plain decimal that a repairable number text stands for ("$1,200.50 " -> "1200.50"), or empty
// when it stands for none. `out` is where it is written when it differs; it must hold text.size() +
// 1 bytes.
std::string_view PlainNumber(std::string_view text, char* out, RowDefects* defects);

// Reads dates, remembering the last text of its column: neighbouring rows often share it.
class DateReader {
 public:
  // kBadDate or kNone; null when the field is null.
  Fault Read(const Field& field, RowDefects* defects, Instant* out, bool* null);

 private:
  std::string last_text_;
  Instant last_;
  uint64_t last_repairs_ = 0;
};

// The text without blanks (spaces, tabs) at its ends; counts when there were some.
std::string_view TrimCell(std::string_view text, RowDefects* defects);
bool IsAscii(std::string_view text);
// Well-formed UTF-8 with each wrong byte replaced by U+FFFD.
std::string RepairUtf8(std::string_view text);

}  // namespace flyball::ingest
