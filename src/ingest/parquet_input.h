// Parquet input: written out as CSV in staging, with every value as text, so that one reader and
// one set of checks serves all formats. Floating point prints in its shortest form that reads back
// the same; timestamps as FOCUS writes them; maps, lists and structs as JSON. Rows keep their order
// and are named by their number.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "ingest/inputs.h"

namespace flyball::ingest {

// Sets input->content and input->header. `dir` is a staging folder that the engine may read and
// write.
Status OpenParquetAsCsv(engine::Connection& connection, const std::string& dir, int number,
                        Input* input);

}  // namespace flyball::ingest
