#include "app/error_json.h"

#include <nlohmann/json.hpp>

namespace flyball::app {

using Json = nlohmann::ordered_json;

std::string ErrorJson(const Error& error) {
  const Json place{{"file", error.place.file},
                   {"line", error.place.line},
                   {"column", error.place.column},
                   {"byte", error.place.byte}};
  const Json json{{"error",
                   {{"code", CodeName(error.code)},
                    {"message", error.message},
                    {"hint", error.hint},
                    {"place", place}}}};
  // Paths need not be UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error ErrorFromJson(std::string_view text, std::string fallback) {
  Error error;
  error.message = std::move(fallback);
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) return error;
  const Json& inner = json["error"];
  const std::string name = inner.value("code", "");
  for (int code = 1; code <= 16; ++code) {
    if (CodeName(static_cast<Code>(code)) == name) error.code = static_cast<Code>(code);
  }
  error.message = inner.value("message", error.message);
  error.hint = inner.value("hint", "");
  if (inner.contains("place") && inner["place"].is_object()) {
    const Json& place = inner["place"];
    error.place = Place{place.value("file", ""), place.value("line", int64_t{0}),
                        place.value("column", int64_t{0}), place.value("byte", int64_t{0})};
  }
  return error;
}

}  // namespace flyball::app
