// For tests of pages in docs/ that are written from tables in the code, so that the two never
// differ.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace flyball {

// Holds docs/<name> to `page`; with FLYBALL_UPDATE_DOCS writes it first. `test` is the test to run
// for that. Skips where FLYBALL_SOURCE_DIR does not name the folder of the sources.
inline void ExpectPage(std::string_view name, const std::string& page, std::string_view test) {
  const char* root = std::getenv("FLYBALL_SOURCE_DIR");
  if (root == nullptr) GTEST_SKIP() << "set FLYBALL_SOURCE_DIR to the folder of the sources";
  const std::string path = std::string(root) + "/docs/" + std::string(name);
  if (std::getenv("FLYBALL_UPDATE_DOCS") != nullptr) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << page;
    ASSERT_TRUE(out.flush().good()) << "cannot write " << path;
  }
  std::ifstream in(path, std::ios::binary);
  const std::string written{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(written == page) << path << " differs from the tables. Remedy: FLYBALL_UPDATE_DOCS=1 "
                               << "ctest -R " << test << ", then commit the page.";
}

}  // namespace flyball
