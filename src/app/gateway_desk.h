// The guard of the home, through the gateway that runs on it or opened in this process.
#pragma once

#include <string>
#include <string_view>

#include "app/command.h"
#include "base/result.h"

namespace flyball::app {

// A request of the desk (gateway/desk.h), answered by whoever has the guard.
Result<std::string> AskDesk(const Environment& environment, std::string_view method,
                            const std::string& path, const std::string& body);

}  // namespace flyball::app
