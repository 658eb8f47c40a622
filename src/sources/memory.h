// Memory: what was imported of a source, in a small JSON file that is written whole after each
// import. It may be deleted: the next sync finds by their content what is in the ledger already.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"

namespace flyball::sources {

struct Remembered {
  std::string fingerprint;
  std::string commit;
  Instant time;
  uint32_t days = 0;  // of a month of an API, that the import was of: bit 0 is the first
};
// By the id of a set.
using Memory = std::map<std::string, Remembered>;

// Empty when there is no file. DATA_LOSS when it can't be read, with the remedy.
Result<Memory> ReadMemory(os::Files& files, const std::string& path);
Status WriteMemory(os::Files& files, const std::string& path, const Memory& memory);

}  // namespace flyball::sources
