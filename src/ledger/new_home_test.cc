#include "ledger/new_home.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/clock.h"
#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

namespace fs = std::filesystem;

class NewHomeTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ =
        fs::path(testing::TempDir()) /
        (std::string("new_home_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  std::string Home() const { return (root_ / "a" / "home").string(); }

  fs::path root_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
};

TEST_F(NewHomeTest, LeavesNothingUnlessOpened) {
  {
    NewHome home = NewHome::Hold(*files_, Home()).value();
    EXPECT_TRUE(fs::is_directory(Home() + "/tmp"));
    NewHome moved = std::move(home);
  }
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(NewHomeTest, KeepsWhatOthersHavePutThere) {
  fs::create_directories(Home());
  {
    NewHome home = NewHome::Hold(*files_, Home()).value();
    ASSERT_TRUE(os::AtomicWrite(*files_, Home() + "/estate.yaml", "name: Mine\n"));
  }
  EXPECT_TRUE(fs::exists(Home() + "/estate.yaml"));
  EXPECT_FALSE(fs::exists(Home() + "/LOCK"));
  EXPECT_FALSE(fs::exists(Home() + "/tmp"));
}

TEST_F(NewHomeTest, HoldsTheFolderFromTheStartToTheLedgersEnd) {
  std::unique_ptr<Clock> clock = MakeSystemClock();
  LedgerOptions options;
  options.home = Home();
  NewHome home = NewHome::Hold(*files_, Home()).value();
  EXPECT_EQ(NewHome::Hold(*files_, Home()).error().code, Code::kAlreadyExists);
  EXPECT_EQ(Ledger::Open(options, *files_, *clock).error().code, Code::kAlreadyExists);
  auto ledger = std::move(home).Open(options, *clock).value();
  EXPECT_EQ(Ledger::Open(options, *files_, *clock).error().code, Code::kAlreadyExists);
  ledger.reset();
  EXPECT_EQ(NewHome::Hold(*files_, Home()).error().message,
            "another process has just begun a ledger at '" + Home() + "'");
  EXPECT_TRUE(Ledger::Open(options, *files_, *clock));
}

// What a killed first import has left is gone with the next one, whatever comes of that.
TEST_F(NewHomeTest, SweepsTheStagingOfTheDead) {
  fs::create_directories(Home() + "/tmp/import-999999999-0/months");
  {
    NewHome home = NewHome::Hold(*files_, Home()).value();
  }
  EXPECT_TRUE(fs::is_empty(Home()));
}

TEST_F(NewHomeTest, SaysAtOnceThatTheEstateIsBroken) {
  fs::create_directories(Home());
  ASSERT_TRUE(os::AtomicWrite(*files_, Home() + "/estate.yaml", "teams: 7\n"));
  Result<NewHome> home = NewHome::Hold(*files_, Home());
  ASSERT_FALSE(home);
  EXPECT_EQ(home.error().code, Code::kInvalidArgument);
  EXPECT_FALSE(fs::exists(Home() + "/LOCK"));
}

}  // namespace
}  // namespace flyball::ledger
