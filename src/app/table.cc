#include "app/table.h"

#include <algorithm>

#include "base/text.h"

namespace flyball::app {
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string TableText(const Table& table) {
  std::vector<size_t> widths;
  for (const std::string& name : table.header) widths.push_back(name.size());
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto append = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string cell = Printable(row[i]);
      text.append(cell);
      if (i + 1 < row.size()) text.append(widths[i] - cell.size() + 2, ' ');
    }
    text.push_back('\n');
  };
  append(table.header);
  for (const auto& row : table.rows) append(row);
  return text;
}

std::string CsvText(const Table& table) {
  std::string text;
  const auto append = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text.push_back(',');
      AppendCsvCell(row[i], &text);
    }
    text.push_back('\n');
  };
  append(table.header);
  for (const auto& row : table.rows) append(row);
  return text;
}

Table DropEmptyColumns(const Table& table) {
  Table kept;
  std::vector<size_t> columns;
  for (size_t i = 0; i < table.header.size(); ++i) {
    const bool used = std::any_of(table.rows.begin(), table.rows.end(),
                                  [&](const auto& row) { return !row[i].empty(); });
    if (used) columns.push_back(i);
  }
  for (size_t i : columns) kept.header.push_back(table.header[i]);
  for (const auto& row : table.rows) {
    auto& cells = kept.rows.emplace_back();
    for (size_t i : columns) cells.push_back(row[i]);
  }
  return kept;
}

void Print(const Environment& environment, const Table& table) {
  Print(environment.format == "csv" ? CsvText(table) : TableText(table));
}

}  // namespace flyball::app
