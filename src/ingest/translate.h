// Translate: a bill in a vendor's own format (ingest/native) becomes FOCUS CSV in staging. From
// there it goes the way of every other bill: one reader, one set of checks, one quarantine.
//
// The CSV's first column, x_SourceLine, says in which line (or record) of the vendor's file a
// charge was stated. What of the vendor's columns became no FOCUS column is kept under x_<its
// name>.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/inputs.h"
#include "ingest/native/native.h"

namespace flyball::ingest {

inline constexpr uint64_t kDocumentMaxBytes = 256u << 20;  // of a JSON document, unpacked

struct TranslateOptions {
  std::string dir;                                   // where the CSV goes
  const native::Format* format = nullptr;            // as the user named it; null: detect
  std::function<Result<rates::PriceBook>()> prices;  // asked once, when a format needs it
  size_t block_bytes = 1u << 20;
};

// A vendor's JSON document becomes JSON lines in a file of `dir`, and is scanned.
Status OpenDocumentAsLines(const std::string& dir, int number, Input* input, Progress* progress);

// Replaces the content of each input that is no FOCUS bill and of a format that is known; the
// others stay as they are. INVALID_ARGUMENT when the named format's columns are not there.
Status TranslateInputs(const TranslateOptions& options, std::vector<Input>* inputs,
                       Progress* progress);

// How many of the names a vendor's format asks for are there, where one has all of them; else 0.
int CountNativeColumns(const std::vector<std::string>& names);

}  // namespace flyball::ingest
