// Secrets in variables of the environment.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::app {

// What the variable holds; "" when it is not set. `of` is whose it is, such as "the source 'aws'".
// FAILED_PRECONDITION for blanks and what no key has: a secret may stand in a header, where a line
// break would begin another. Errors never say the value.
Result<std::string> ReadVariable(const std::string& name, std::string_view of,
                                 const Place& place = {});
// FAILED_PRECONDITION also when it is not set.
Result<std::string> RequireVariable(const std::string& name, std::string_view of,
                                    const Place& place = {});

}  // namespace flyball::app
