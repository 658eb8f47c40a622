#include "os/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "os/files.h"

namespace flyball::os {
namespace {

TEST(Secret, OnlyThisUserReadsItAndChangesShow) {
  const std::string dir = testing::TempDir() + "secret_test";
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  const std::string path = dir + "/keys.json";
  EXPECT_EQ(StampOf(path), FileStamp{});
  ASSERT_TRUE(WriteSecret(path, "one"));
  struct stat facts{};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  const FileStamp before = StampOf(path);
  ASSERT_TRUE(WriteSecret(path, "two, longer"));
  EXPECT_NE(StampOf(path), before);
  EXPECT_EQ(MakeRealFiles()->ReadAll(path).value(), "two, longer");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir), {}), 1);
  EXPECT_EQ(WriteSecret(dir + "/absent/keys.json", "x").error().code, Code::kNotFound);
  std::filesystem::remove_all(dir);
}

TEST(Secret, OneHolderAtATime) {
  const std::string path = testing::TempDir() + "secret_lock_test";
  {
    const SecretLock lock = SecretLock::Take(path).value();
  }
  EXPECT_TRUE(SecretLock::Take(path));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace flyball::os
