// How an errno becomes an Error; for the .cc files of this folder.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::os {

// "cannot write 'path': No space left on device", with the code that files.h promises.
std::unexpected<Error> FailErrno(int error, std::string_view cannot_what, std::string_view path);

}  // namespace flyball::os
