#include "gateway/keys.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace flyball::gateway {
namespace {

class Keys : public testing::Test {
 protected:
  void SetUp() override {
    home_ = testing::TempDir() + "keys_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
  }
  void TearDown() override { std::filesystem::remove_all(home_); }
  CreatedKey Make(VirtualKey wanted) {
    return CreateKey(*files_, home_, std::move(wanted), clock_).value();
  }

  std::string home_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{Instant{1'800'000'000'000'000}};
};

TEST_F(Keys, AreFoundByTheirSecretOnlyWhichIsNotKept) {
  VirtualKey wanted;
  wanted.name = "search-prod";
  wanted.team = "search";
  wanted.models = {"gpt-*", "claude-sonnet-4-5"};
  const CreatedKey made = Make(wanted);
  EXPECT_TRUE(made.secret.starts_with("fbk_"));
  KeyStore store(*files_, home_);
  const auto found = store.Find(made.secret);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->id, made.key.id);
  EXPECT_EQ(found->team, "search");
  EXPECT_TRUE(found->MayUse("gpt-5"));
  EXPECT_FALSE(found->MayUse("o3"));
  EXPECT_EQ(store.Find(made.secret + "0"), nullptr);
  EXPECT_EQ(store.Find(""), nullptr);
  EXPECT_EQ(store.Find(found->sha256), nullptr);
  const std::string text = files_->ReadAll(home_ + "/gateway/keys.json").value();
  EXPECT_EQ(text.find(made.secret), std::string::npos);
  EXPECT_EQ(KeyJson(made.key).find(found->sha256), std::string::npos);
}

TEST_F(Keys, RevocationAndExpiryTakeHold) {
  VirtualKey wanted;
  wanted.name = "trial";
  wanted.expires = Instant{clock_.Now().us + 1000};
  const CreatedKey made = Make(wanted);
  KeyStore store(*files_, home_);
  EXPECT_TRUE(store.Find(made.secret)->IsGood(clock_.Now()));
  EXPECT_FALSE(store.Find(made.secret)->IsGood(Instant{clock_.Now().us + 1000}));
  ASSERT_TRUE(RevokeKey(*files_, home_, "trial"));
  store.Refresh();
  EXPECT_FALSE(store.Find(made.secret)->IsGood(clock_.Now()));
  EXPECT_EQ(RevokeKey(*files_, home_, "nobody").error().code, Code::kNotFound);
}

TEST_F(Keys, NamesAreUniqueAndPlain) {
  VirtualKey wanted;
  wanted.name = "one";
  Make(wanted);
  EXPECT_EQ(CreateKey(*files_, home_, wanted, clock_).error().code, Code::kAlreadyExists);
  wanted.name = "two\nlines";
  EXPECT_EQ(CreateKey(*files_, home_, wanted, clock_).error().code, Code::kInvalidArgument);
  EXPECT_EQ(CreateKey(*files_, home_ + "/absent", {}, clock_).error().code, Code::kNotFound);
  EXPECT_EQ(ListKeys(*files_, home_)->size(), 1u);
}

TEST_F(Keys, ABrokenListLetsNobodyInAndIsNotStartedAfresh) {
  const CreatedKey made = Make({});
  const std::string path = home_ + "/gateway/keys.json";
  for (const std::string& broken : {std::string("{"), std::string(R"({"keys":[{"id":"x"}]})"),
                                    std::string(R"({"keys":[7]})")}) {
    std::ofstream(path) << broken;
    KeyStore store(*files_, home_);
    EXPECT_EQ(store.Find(made.secret), nullptr);
    EXPECT_EQ(CreateKey(*files_, home_, {}, clock_).error().code, Code::kDataLoss);
  }
}

}  // namespace
}  // namespace flyball::gateway
