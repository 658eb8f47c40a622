// Table: plain text tables for terminals, and CSV.
#pragma once

#include <string>
#include <vector>

#include "app/command.h"

namespace flyball::app {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
// With '?' for control characters, so that a bill can't drive the terminal.
std::string Printable(std::string text);
// Columns are aligned by bytes; the cells are made printable.
std::string TableText(const Table& table);
std::string CsvText(const Table& table);  // RFC 4180, lines end in LF
Table DropEmptyColumns(const Table& table);
// To standard output, as CSV where that is asked for.
void Print(const Environment& environment, const Table& table);

}  // namespace flyball::app
