#include "gateway/desk.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

class DeskTest : public testing::Test {
 protected:
  void SetUp() override {
    home_ = testing::TempDir() + "desk_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    desk_.emplace(OpenDesk(*files_, home_).value());
  }
  void TearDown() override {
    desk_.reset();
    std::filesystem::remove_all(home_);
  }
  guard::Moment Now() { return {clock_.Now(), clock_.MonotonicUs()}; }
  Result<Json> Ask(std::string_view method, std::string_view path, const std::string& body = "") {
    const std::string whole = std::string(kDeskPath) + std::string(path);
    return Json::parse(FB_TRY(Administer(*desk_->wal, method, whole, body, Now())));
  }

  std::string home_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{Instant{1'795'608'000'000'000}};  // 2026-11-25T12:00:00Z
  std::optional<Desk> desk_;
};

TEST_F(DeskTest, ABudgetIsSetSeenFrozenAndRemoved) {
  const Json set = Ask("POST", "",
                       R"({"scope":"team=search","amount":"100","window":"month",)"
                       R"("zone":"Europe/Zurich"})")
                       .value();
  EXPECT_EQ(set["name"], "team=search per month");
  const Json all = Ask("GET", "").value();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["limit"], "100");
  EXPECT_EQ(all[0]["settled"], "0");
  EXPECT_EQ(all[0]["remaining"], "100");
  EXPECT_EQ(all[0]["resets_at"], "2026-11-30T23:00:00Z");
  EXPECT_EQ(all[0]["max_overspend"], "0");
  const Json frozen = Ask("POST", "/freeze", R"({"name":"team=search per month"})").value();
  EXPECT_EQ(frozen["frozen"], true);
  EXPECT_TRUE(Ask("POST", "/remove", R"({"name":"team=search per month"})"));
  EXPECT_EQ(Ask("POST", "/freeze", R"({"name":"nobody"})").error().code, Code::kNotFound);
}

TEST_F(DeskTest, BadRequestsChangeNothing) {
  for (const char* body :
       {"", "[]", R"({"scope":"team=a"})", R"({"scope":"team=a","amount":"-1"})",
        R"({"scope":"team=a","amount":"x"})", R"({"scope":"team=a","amount":"1","tokens":"1"})",
        R"({"scope":"nothing","amount":"1"})", R"({"scope":"team=a","amount":"1","zone":"Mars/X"})",
        R"({"scope":"team=a","amount":"1","window":"decade"})",
        R"({"scope":"team=a","amount":"1","hrad":true})",
        R"({"scope":"team=a","amount":"1","warn":[90,50]})",
        R"({"scope":"team=a","tokens":"1.5"})"}) {
    const auto answer = Ask("POST", "", body);
    ASSERT_FALSE(answer) << body;
    EXPECT_TRUE(answer.error().code == Code::kInvalidArgument) << answer.error().ToString();
  }
  EXPECT_TRUE(Ask("GET", "").value().empty());
}

TEST_F(DeskTest, SurvivesTheProcess) {
  ASSERT_TRUE(Ask("POST", "", R"({"scope":"organisation","tokens":"1000","window":"day"})"));
  desk_.reset();
  desk_.emplace(OpenDesk(*files_, home_).value());
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "1000");
  EXPECT_EQ(OpenDesk(*files_, home_).error().code, Code::kAlreadyExists);
}

TEST_F(DeskTest, TheEstatesWordCountsWhenItChanges) {
  budget::Budget budget;
  budget.scope = budget::ParseScope("team=search").value();
  budget.name = "b";
  budget.limit = Money::Parse("10")->units();
  ASSERT_TRUE(ApplyEstate(*files_, home_, {budget}, *desk_->wal, Now()));
  // Raised at run time: it stays raised as long as the estate says what it said.
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","scope":"team=search","amount":"50"})"));
  ASSERT_TRUE(ApplyEstate(*files_, home_, {budget}, *desk_->wal, Now()));
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "50");
  budget.limit = Money::Parse("20")->units();
  ASSERT_TRUE(ApplyEstate(*files_, home_, {budget}, *desk_->wal, Now()));
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "20");
  ASSERT_TRUE(ApplyEstate(*files_, home_, {}, *desk_->wal, Now()));
  EXPECT_TRUE(Ask("GET", "").value().empty());
}

}  // namespace
}  // namespace flyball::gateway
