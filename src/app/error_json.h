// An error as JSON, {"error":{"code","message","hint","place"}}, as the API and the commands write
// it, and back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::app {

std::string ErrorJson(const Error& error);
// UNKNOWN with the fallback as its message when the text is no such document.
Error ErrorFromJson(std::string_view text, std::string fallback);

}  // namespace flyball::app
