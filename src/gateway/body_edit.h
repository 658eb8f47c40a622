// Edits of a call's body that ReadCall has read: one member gets another value, all other bytes
// stay as they are.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::gateway {

// Instead of the null that stands there, or as a new first member: never as a second member of the
// same name, of which vendors would take the other one.
Result<std::string> WithMember(std::string_view body, std::string_view name,
                               std::string_view json_value);
// OpenAI chat: asks for the usage at the end of the stream.
Result<std::string> WithIncludeUsage(std::string_view body);

}  // namespace flyball::gateway
