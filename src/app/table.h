// Table: plain text tables for terminals, and CSV.
#pragma once

#include <string>
#include <vector>

namespace flyball::app {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
// Columns are aligned by bytes; control characters are shown as '?', so that a bill can't drive the
// terminal.
std::string TableText(const Table& table);
std::string CsvText(const Table& table);  // RFC 4180, lines end in LF
Table DropEmptyColumns(const Table& table);

}  // namespace flyball::app
