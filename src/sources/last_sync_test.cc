#include "sources/last_sync.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace flyball::sources {
namespace {

struct LastSyncTest : testing::Test {
  void SetUp() override { std::filesystem::remove_all(home); }
  void TearDown() override { std::filesystem::remove_all(home); }
  std::string home = testing::TempDir() + "last_sync";
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
};

TEST_F(LastSyncTest, ASourceThatWasNeverSyncedHasNone) {
  EXPECT_FALSE(ReadLastSync(*files, home, "aws").has_value());
}

TEST_F(LastSyncTest, AFailureIsKeptWithTheLastSuccess) {
  const Instant monday{1'795'608'000'000'000}, tuesday{monday.us + kMicrosPerDay};
  ASSERT_TRUE(WriteLastSync(*files, home, "aws", {monday, {}, 3, 2, {}, 0}));
  const Error refused{Code::kPermissionDenied, "aws: the store refuses \xff", "check the key", {}};
  ASSERT_TRUE(WriteLastSync(*files, home, "aws", {tuesday, {}, 0, 0, {refused}, 0}));
  const std::optional<LastSync> last = ReadLastSync(*files, home, "aws");
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->time, tuesday);
  EXPECT_EQ(last->succeeded, monday);
  ASSERT_EQ(last->errors.size(), 1u);
  EXPECT_EQ(last->errors[0].message, "aws: the store refuses \uFFFD");
  EXPECT_EQ(last->errors[0].hint, "check the key");
}

TEST_F(LastSyncTest, OfManyErrorsTheFirstAreKeptAndTheRestIsCounted) {
  LastSync last{Instant{kMicrosPerDay}, {}, 0, 0, {}, 0};
  for (int i = 0; i < 25; ++i) {
    last.errors.push_back({Code::kDataLoss, "set " + std::to_string(i), "", {}});
  }
  ASSERT_TRUE(WriteLastSync(*files, home, "aws", last));
  const std::optional<LastSync> read = ReadLastSync(*files, home, "aws");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->errors.size(), kSyncErrorsKept);
  EXPECT_EQ(read->errors_more, 5);
  EXPECT_FALSE(read->succeeded.has_value());
}

TEST_F(LastSyncTest, ADamagedFileIsNone) {
  ASSERT_TRUE(files->MakeDirs(home + "/sync/aws"));
  for (const char* text : {"", "{", "[]", R"({"version":1,"time":"x"})", R"({"version":1})",
                           R"({"version":1,"time":"2026-11-25T12:00:00Z","sets":"many"})"}) {
    ASSERT_TRUE(os::AtomicWrite(*files, home + "/sync/aws/last.json", text));
    EXPECT_FALSE(ReadLastSync(*files, home, "aws").has_value()) << text;
  }
}

}  // namespace
}  // namespace flyball::sources
