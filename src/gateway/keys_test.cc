#include "gateway/keys.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

// A disk whose reads fail while it is told so.
class FailingReads final : public os::Files {
 public:
  explicit FailingReads(os::Files& files) : files_(files) {}
  Result<std::string> ReadAll(const std::string& path) override {
    if (fails) return Fail(Code::kUnavailable, "'" + path + "': too many open files");
    return files_.ReadAll(path);
  }
  Result<std::string> ReadPart(const std::string& path, uint64_t offset, size_t bytes) override {
    return files_.ReadPart(path, offset, bytes);
  }
  Result<std::unique_ptr<os::WritableFile>> OpenAppend(const std::string& path) override {
    return files_.OpenAppend(path);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  Status Remove(const std::string& path) override { return files_.Remove(path); }
  Status RemoveTree(const std::string& path) override { return files_.RemoveTree(path); }
  Status MakeDirs(const std::string& path) override { return files_.MakeDirs(path); }
  Result<std::vector<std::string>> List(const std::string& dir) override {
    return files_.List(dir);
  }
  bool Exists(const std::string& path) override { return files_.Exists(path); }
  Result<uint64_t> Size(const std::string& path) override { return files_.Size(path); }
  Status SyncFile(const std::string& path) override { return files_.SyncFile(path); }
  Status SyncDir(const std::string& path) override { return files_.SyncDir(path); }

  bool fails = false;

 private:
  os::Files& files_;
};

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
  wanted = {};
  wanted.expires = clock_.Now();
  EXPECT_EQ(CreateKey(*files_, home_, wanted, clock_).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(CreateKey(*files_, home_ + "/new", {}, clock_)) << "it begins a home";
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

// A disk that fails for a moment locks nobody out for longer.
TEST_F(Keys, AListThatCouldNotBeReadIsReadAgain) {
  const CreatedKey made = Make({});
  FailingReads files(*files_);
  files.fails = true;
  KeyStore store(files, home_);
  EXPECT_EQ(store.Find(made.secret), nullptr);
  files.fails = false;
  store.Refresh();
  EXPECT_NE(store.Find(made.secret), nullptr);
}

TEST_F(Keys, AKeyThatIsBrokenIsNotLetInAndTheOthersAre) {
  VirtualKey wanted;
  wanted.models = {"gpt-*"};
  wanted.team = "search";
  const CreatedKey broken = Make(wanted);
  const CreatedKey good = Make({});
  const std::string path = home_ + "/gateway/keys.json";
  const std::string text = files_->ReadAll(path).value();
  const auto with = [&](std::string_view member, const Json& value) {
    Json document = Json::parse(text);
    document["keys"][0][member] = value;
    std::ofstream(path) << document.dump();
    KeyStore store(*files_, home_);
    EXPECT_NE(store.Find(good.secret), nullptr) << member << value;
    EXPECT_EQ(store.size(), 1u) << member << value;
    EXPECT_EQ(store.Find(broken.secret), nullptr) << member << value;
    // What can't be read is not thrown away by a change either.
    const auto listed = ListKeys(*files_, home_);
    ASSERT_FALSE(listed);
    EXPECT_NE(listed.error().message.find(broken.key.id), std::string::npos)
        << listed.error().ToString();
  };
  with("models", "x");
  with("models", Json::array());
  with("models", Json::array({"gpt-*", 7}));
  with("models", nullptr);
  with("team", 7);
  with("expires", "soon");
  with("sha256", "short");
}

TEST_F(Keys, TheAdministratorsTokenIsTheOneInTheFileNow) {
  KeyStore store(*files_, home_);
  EXPECT_FALSE(store.IsAdmin(""));
  std::ofstream(home_ + "/token") << "one\n";
  EXPECT_FALSE(store.IsAdmin("one"));
  store.Refresh();
  EXPECT_TRUE(store.IsAdmin("one"));
  EXPECT_FALSE(store.IsAdmin("two"));
  ASSERT_TRUE(os::WriteSecret(home_ + "/token", "two\n"));
  store.Refresh();
  EXPECT_TRUE(store.IsAdmin("two"));
  EXPECT_FALSE(store.IsAdmin("one"));
  ASSERT_TRUE(files_->Remove(home_ + "/token"));
  store.Refresh();
  EXPECT_FALSE(store.IsAdmin("two"));
  EXPECT_FALSE(store.IsAdmin(""));
}

}  // namespace
}  // namespace flyball::gateway
