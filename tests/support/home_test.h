// A test of commands on one home, in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/program.h"

namespace flyball::tests {

class HomeTest : public ::testing::Test {
 protected:
  Ended Run(std::vector<std::string> words) {
    words.push_back("--home");
    words.push_back(home());
    return RunFlyball(words);
  }
  std::string home() const { return (folder.path() / "home").string(); }
  // A file beside the home; its path.
  std::string Put(const std::string& name, std::string_view content) {
    WriteFile(folder.path() / name, content);
    return (folder.path() / name).string();
  }

  TempFolder folder;
};

}  // namespace flyball::tests
