// A folder of this machine as a source: its files and those of the folders below it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sources/store.h"

namespace flyball::sources {

// Regular files, with their paths below the folder as keys, sorted. Links are not followed, so
// that nothing outside of the folder is read. NOT_FOUND when there is no such folder.
Result<std::vector<Object>> ListFolder(const std::string& path);

}  // namespace flyball::sources
