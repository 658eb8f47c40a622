#include "app/variable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"

namespace flyball::app {

Result<std::string> ReadVariable(const std::string& name, std::string_view of, const Place& place) {
  const char* text = std::getenv(name.c_str());
  std::string value(text == nullptr ? std::string_view() : Trim(text));
  if (std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~'; })) return value;
  return Fail(
      Error{Code::kFailedPrecondition,
            fmt::format("the variable {} of {} has blanks or characters that no key has", name, of),
            "set it to the key alone", place});
}

Result<std::string> RequireVariable(const std::string& name, std::string_view of,
                                    const Place& place) {
  std::string value = FB_TRY(ReadVariable(name, of, place));
  if (!value.empty()) return value;
  return Fail(Error{Code::kFailedPrecondition,
                    fmt::format("the variable {} of {} is not set", name, of),
                    "set it in the environment of this command", place});
}

}  // namespace flyball::app
