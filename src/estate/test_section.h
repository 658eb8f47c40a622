// The estate of a text, for tests of its sections.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "estate/estate.h"
#include "os/files.h"

namespace flyball::estate {

inline Result<Estate> LoadText(const std::string& yaml) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  const std::string path =
      testing::TempDir() + "section_" + test.test_suite_name() + "_" + test.name() + ".yaml";
  auto files = os::MakeRealFiles();
  FB_CHECK(os::AtomicWrite(*files, path, yaml));
  Result<std::string> snapshot = LoadEstate(*files, path);
  FB_CHECK(files->Remove(path));
  if (!snapshot) return Fail(snapshot.error());
  return FB_TRY(RuleSet::Compile(*snapshot))->estate();
}

}  // namespace flyball::estate
