// Parquet input: written out as CSV in staging, with every value as text, so that one reader and
// one set of checks serves all formats. Floating point prints in its shortest form that reads back
// the same; timestamps as FOCUS writes them; maps, lists and structs as JSON. Rows keep their order
// and are named by their number.
#pragma once

#include <string>

#include "base/result.h"
#include "ingest/budget.h"
#include "ingest/inputs.h"

namespace flyball::ingest {

// Sets input->content and input->header. `dir` is the staging folder. An engine of its own reads
// the file, allowed to see nothing but that folder and the file's.
Status OpenParquetAsCsv(const Budget& budget, const std::string& dir, int number, Input* input);

}  // namespace flyball::ingest
