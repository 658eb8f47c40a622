// A record in a few words, and what a format makes of it, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "ingest/native/native.h"

namespace flyball::native {

using Cells = std::vector<std::pair<std::string, std::string>>;

inline std::vector<Draft> Made(std::string_view format_name, const Cells& cells,
                               const Context& context = {}) {
  const Format* format = FindFormat(format_name);
  if (format == nullptr) {
    ADD_FAILURE() << "no format " << format_name;
    return {};
  }
  std::vector<std::string> names;
  std::vector<std::string_view> texts;
  for (const auto& [name, text] : cells) {
    names.push_back(name);
    texts.push_back(text);
  }
  const Header header(names, format->spell);
  return Translate(*format, Row(header, texts), context);
}

inline std::string Cell(const Draft& draft, std::string_view column) {
  return draft[charge::IndexOf(column)];
}

}  // namespace flyball::native
