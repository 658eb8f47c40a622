// The measured defects of FOCUS's official 1.0 sample, each found with its exact count.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "check/check.h"

namespace flyball::check {
namespace {

class Sample : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("FLYBALL_SHARED_DATA");
    path_ = std::string(root == nullptr ? "" : root) + "/focus/focus_sample_1.0_1000.csv";
    if (!std::filesystem::exists(path_)) {
      GTEST_SKIP() << "set FLYBALL_SHARED_DATA to the folder that has "
                      "focus/focus_sample_1.0_1000.csv";
    }
    for (int threads : {1, 3}) {
      CheckOptions options;
      options.files = {path_};
      options.threads = threads;
      Result<Report> report = RunCheck(options);
      ASSERT_TRUE(report.has_value()) << report.error().ToString();
      json_ = nlohmann::json::parse(ReportJson(*report));
      // The answer does not hang on how many read.
      if (threads == 1) one_thread_ = json_;
    }
    EXPECT_EQ(one_thread_, json_);
  }
  nlohmann::json Of(const std::string& id) const {
    for (const nlohmann::json& result : json_["results"]) {
      if (result["id"] == id) return result;
    }
    return {};
  }

  std::string path_;
  nlohmann::json json_, one_thread_;
};

TEST_F(Sample, MeasuredDefects) {
  EXPECT_EQ(json_["focus"], "1.0");
  EXPECT_EQ(json_["rows"], 1000);
  EXPECT_EQ(json_["cost"]["USD"], "20.52022672899");
  const std::map<std::string, int> rows = {
      {"DateTimeFormat.iso", 1000},   {"NullHandling.text", 1000},
      {"NullHandling.empty", 7},      {"ChargeFrequency.values", 7},
      {"ContractedCost.null", 7},     {"ListCost.product", 25},
      {"ContractedCost.product", 17}, {"Sense.effective-above-list", 7},
      {"Sense.contracted-zero", 608}, {"BillingPeriodStart.format", 1000},
  };
  for (const auto& [id, count] : rows) {
    EXPECT_EQ(Of(id)["verdict"], "failed") << id;
    EXPECT_EQ(Of(id)["rows"], count) << id;
    EXPECT_FALSE(Of(id)["remedy"].empty()) << id;
    EXPECT_FALSE(Of(id)["first"].empty()) << id;
  }
  EXPECT_EQ(Of("ColumnHandling.custom-prefix")["columns"], nlohmann::json::array({"Id"}));
  EXPECT_EQ(Of("Tags.type")["verdict"], "passed");
  EXPECT_EQ(Of("Records.shape")["verdict"], "passed");
}

TEST_F(Sample, CostAndScore) {
  const nlohmann::json cost = Of("ChargeFrequency.values")["cost"][0];
  EXPECT_EQ(cost["currency"], "USD");
  EXPECT_EQ(cost["affected"], "0.53707392473");
  EXPECT_EQ(cost["whole"], "20.52022672899");
  EXPECT_EQ(Of("ChargeFrequency.values")["first"][0]["line"], 927);
  ASSERT_EQ(json_["providers"].size(), 3u);
  EXPECT_EQ(json_["providers"][0]["provider"], "AWS");
  EXPECT_EQ(json_["providers"][0]["rows"], 942);
  EXPECT_EQ(json_["providers"][2]["provider"], "Oracle");
}

}  // namespace
}  // namespace flyball::check
