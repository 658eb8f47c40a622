// flyball publish, as a server and a person may run it at the same time.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "ingest/otlp/call.h"
#include "ingest/otlp/span_log.h"
#include "model/metered_call.h"
#include "os/files.h"
#include "os/journal.h"
#include "support/program.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::json;

class Publish : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_->MakeDirs(Gateway() + "/calls"));
    WriteMonth("2025-11");
  }
  void WriteMonth(const std::string& month) {
    os::Journal log = os::Journal::Open(*files_, Gateway() + "/calls/calls-" + month + ".journal",
                                        [](uint64_t, std::string_view) { return Status(); })
                          .value();
    for (uint64_t id = 1; id <= 100; ++id) {
      metered::Dispatch dispatch;
      dispatch.id = id;
      dispatch.at = ParseUserInstant(month + "-25T10:00:00Z").value();
      dispatch.upstream = dispatch.provider = "openai";
      dispatch.model = "gpt-5";
      dispatch.team = "team" + std::to_string(id);
      dispatch.currency = "USD";
      metered::End end;
      end.id = id;
      end.at = dispatch.at;
      end.basis = metered::Basis::kBound;
      end.cost = Money::Parse("0.5").value();
      ASSERT_TRUE(log.Append(metered::Encode(dispatch), false));
      ASSERT_TRUE(log.Append(metered::Encode(end), false));
    }
  }
  std::string Home() const { return (root_.path() / "home").string(); }
  std::string Gateway() const { return Home() + "/gateway"; }
  Ended Run() const { return RunFlyball({"publish", "--format", "json", "--home", Home()}); }

  TempFolder root_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
};

TEST_F(Publish, TwoAtOnceDoNotGarbleABill) {
  {
    const os::HomeLock lock = os::HomeLock::Acquire(Gateway() + "/publish.lock").value();
    const Ended refused = Run();
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.err.find("publish.lock"), std::string::npos) << refused.err;
    EXPECT_FALSE(files_->Exists(Gateway() + "/charges"));
  }
  std::vector<Ended> ended(3);
  {
    std::vector<std::jthread> threads;
    for (Ended& one : ended) threads.emplace_back([this, &one] { one = Run(); });
  }
  int done = 0;
  for (const Ended& one : ended) {
    EXPECT_TRUE(one.exit_code == 0 || one.exit_code == 2) << one.err;
    done += one.exit_code == 0 ? 1 : 0;
  }
  EXPECT_GE(done, 1);
  const Ended again = Run();
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const Json month = Json::parse(again.out).at("months").at(0);
  EXPECT_EQ(month.at("rows"), 100);
  EXPECT_EQ(month.at("unchanged"), true);
}

// The first month that failed kept back all later ones, and the spans.
TEST_F(Publish, AMonthThatFailsDoesNotKeepTheOthersBack) {
  WriteMonth("2025-10");
  WriteMonth("2025-12");
  for (const char* month : {"2025-10", "2025-12"}) {  // where their bills can't be put
    ASSERT_TRUE(files_->MakeDirs(Gateway() + "/charges/gateway-" + month + ".csv/x"));
  }
  const Ended ended = Run();
  EXPECT_EQ(ended.exit_code, 3);
  const Json told = Json::parse(ended.out);
  ASSERT_EQ(told.at("months").size(), 1u);
  EXPECT_EQ(told.at("months").at(0).at("month"), "2025-11");
  EXPECT_NE(told.at("months").at(0).at("commit"), "");
  ASSERT_EQ(told.at("failures").size(), 2u);
  for (const char* month : {"gateway of 2025-10", "gateway of 2025-12"}) {
    EXPECT_NE(ended.err.find(month), std::string::npos) << ended.err;
  }
}

// Prices are looked up when the bill is made, so an import of prices makes it anew.
TEST_F(Publish, TheBillOfSpansIsMadeAnewWithPricesThatAreImported) {
  otlp::SpanLog spans(*files_, Home() + "/otlp/spans");
  otlp::Call call;
  call.id = {{1, 2}, 3};
  call.end = ParseUserInstant("2025-11-25T10:00:00Z").value();
  call.provider = "acme";
  call.model = "acme-7";
  ASSERT_TRUE(call.usage.Add(Bucket::kInput, 1000));
  ASSERT_TRUE(spans.Take(std::vector<otlp::Call>{call}));
  const auto publish = [&] {
    const Ended ended = Run();
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const Json told = Json::parse(ended.out);
    for (const Json& month : told.at("months")) {
      if (month.at("source") == "otlp") return month;
    }
    return Json();
  };
  const auto import = [&](const std::string& prices) {
    const std::string path = (root_.path() / "prices.json").string();
    EXPECT_TRUE(os::AtomicWrite(*files_, path, prices));
    EXPECT_EQ(RunFlyball({"prices", "import", path, "--home", Home()}).exit_code, 0);
  };
  EXPECT_EQ(publish().at("unpriced"), 1);
  import(R"({"acme-7":{"litellm_provider":"acme","input_cost_per_token":0.001}})");
  EXPECT_EQ(publish().at("billed_cost"), "1");
  // Of the days before it was checked the one above says nothing, and this one does.
  import(R"({"flyball_prices":1,"sources":[{"name":"list","checked":"2025-12-01"}],"models":[
      {"provider":"acme","model":"acme-7","source":"list","prices":[
      {"per_unit":{"input":"0.002"}}]}]})");
  EXPECT_EQ(publish().at("billed_cost"), "2");
  EXPECT_EQ(publish().at("unchanged"), true);
}

}  // namespace
}  // namespace flyball::tests
