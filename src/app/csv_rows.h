// CsvRows: a CSV file of any columns, or standard input, record by record.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::app {

// Calls `row` with the fields of each record, in order; they are valid for the call. `path` is a
// file (gzip and zstd are unpacked) or "-". Errors of `row` get the file and the line. CANCELLED
// when the user stops it.
using OnRow = std::function<Status(std::span<const std::string_view> fields)>;
Status ReadCsvRows(const std::string& path, const OnRow& row);

}  // namespace flyball::app
