// A home, and what commands are run in, for one test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "app/command.h"

namespace flyball::app {

class HomeTest : public testing::Test {
 protected:
  HomeTest() {
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
  }
  ~HomeTest() override { std::filesystem::remove_all(home_); }
  void Write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(os::AtomicWrite(*files_, os::JoinPath(home_, name), content));
  }

  const std::string home_ =
      testing::TempDir() + "app_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{Instant{1'795'608'000'000'000}};  // 2026-11-25T12:00:00Z
  Environment environment_{home_, "json", "flyball", *files_, clock_};
};

}  // namespace flyball::app
