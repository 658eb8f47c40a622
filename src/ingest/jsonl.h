// JSON lines: one object a line becomes one record, whose fields follow the given keys. Numbers are
// kept as they are written and never pass through floating point; nested objects and lists are kept
// as JSON text. Of a key that stands twice in a line the first counts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/record.h"

namespace flyball::ingest {

// `keys`: of all lines, as written (escapes included). `numbered`: each line begins with the number
// that it had in the input (see Portion). One per thread.
std::unique_ptr<RecordReader> MakeJsonRecords(std::vector<std::string> keys, bool numbered);

}  // namespace flyball::ingest
