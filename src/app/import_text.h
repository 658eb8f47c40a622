// The import report for people, made from its JSON contract, so that it reads the same from a
// server.
#pragma once

#include <string>
#include <string_view>

namespace flyball::app {

std::string ImportText(std::string_view report_json);

}  // namespace flyball::app
