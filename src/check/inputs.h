// The files of a check, each opened and recognised.
#pragma once

#include <string>

#include "base/result.h"
#include "check/check.h"
#include "ingest/inputs.h"
#include "model/focus.h"

namespace flyball::check {

struct OpenedFile {
  ingest::Input input;
  focus::Detection detection{};
};
// `number` tells the files of one check apart in options.temp_dir. INVALID_ARGUMENT for what is no
// FOCUS data.
Result<OpenedFile> OpenFile(const CheckOptions& options, const std::string& path, int number,
                            ingest::Progress* progress);

}  // namespace flyball::check
