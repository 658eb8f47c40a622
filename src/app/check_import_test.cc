// What an import and a sync leave behind for the page of data health.
#include <nlohmann/json.hpp>

#include "app/check_import.h"
#include "app/test_home.h"
#include "health/conformance.h"
#include "sources/last_sync.h"

namespace flyball::app {
namespace {

using Json = nlohmann::json;

constexpr const char* kBill =
    "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,"
    "ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ContractedCost,EffectiveCost,"
    "InvoiceIssuerName,ListCost,ProviderName,PublisherName,ServiceCategory,ServiceName\n"
    "1.5,1,USD,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,Usagge,2026-10-02T00:00:00Z,"
    "2026-10-01T00:00:00Z,1.5,1.5,AWS,1.5,AWS,AWS,Compute,EC2\n";

class CheckImportTest : public HomeTest {
 protected:
  std::string In(const std::string& name) const { return os::JoinPath(home_, name); }
  void Import(bool dry_run = false) {
    ImportArgs args;
    args.files = {In("bill.csv")};
    args.source = "aws";
    args.dry_run = dry_run;
    ASSERT_EQ(RunImport(environment_, args), kExitDone);
  }
  std::vector<std::string> Checks() {
    return files_->List(In("checks")).value_or(std::vector<std::string>());
  }
};

TEST_F(CheckImportTest, AnImportKeepsWhatTheCheckSaysOfTheBill) {
  Write("bill.csv", kBill);
  Import(true);
  EXPECT_TRUE(Checks().empty()) << "a dry run writes nothing";
  Import();
  const std::vector<std::string> checks = Checks();
  ASSERT_EQ(checks.size(), 1u);
  const std::string hash = checks[0].substr(0, checks[0].find('.'));
  const Json kept = Json::parse(health::ReadCheck(*files_, home_, hash).value(), nullptr, false);
  EXPECT_EQ(kept["rows"], 1);
  ASSERT_EQ(kept["providers"].size(), 1u) << kept.dump();
  EXPECT_EQ(kept["providers"][0]["provider"], "AWS");
  EXPECT_LT(std::stod(kept["providers"][0]["score_percent"].get<std::string>()), 100);
  EXPECT_TRUE(std::ranges::any_of(kept["broken"], [](const Json& rule) {
    return rule["id"] == "ChargeCategory.values" && rule["rows"] == 1 && !rule["remedy"].empty();
  })) << kept.dump();
}

TEST_F(CheckImportTest, ABillThatWasImportedBeforeIsCheckedWhenItComesAgain) {
  Write("bill.csv", kBill);
  Import();
  ASSERT_TRUE(files_->RemoveTree(In("checks")));
  Import();
  EXPECT_EQ(Checks().size(), 1u);
}

TEST_F(CheckImportTest, WhatIsNoFocusBillIsSaidToBeNone) {
  // A report of the import alone: its file holds nothing that the rules speak of.
  Write("usage.csv", "day,model,tokens\n2026-10-01,gpt,5\n");
  CheckImported(environment_, {In("usage.csv")}, R"({"commit":"c0ffee","content_hash":"abc123"})");
  const Json kept = Json::parse(health::ReadCheck(*files_, home_, "abc123").value_or("{}"));
  EXPECT_FALSE(kept.value("reason", "").empty()) << kept.dump();
}

TEST_F(CheckImportTest, AFileThatIsGoneIsNotCheckedAndNothingIsKept) {
  CheckImported(environment_, {In("gone.csv")}, R"({"commit":"c0ffee","content_hash":"abc123"})");
  EXPECT_FALSE(health::ReadCheck(*files_, home_, "abc123").has_value());
}

TEST_F(CheckImportTest, ASyncNotesItsFailureAndItsSuccess) {
  Write("estate.yaml", "sources:\n  - { name: aws, kind: folder, path: " + In("bills") + " }\n");
  EXPECT_NE(RunSync(environment_, {}), kExitDone);
  std::optional<sources::LastSync> last = sources::ReadLastSync(*files_, home_, "aws");
  ASSERT_TRUE(last.has_value());
  ASSERT_EQ(last->errors.size(), 1u);
  EXPECT_NE(last->errors[0].message.find("aws"), std::string::npos);
  EXPECT_FALSE(last->succeeded.has_value());

  ASSERT_TRUE(files_->MakeDirs(In("bills")));
  Write("bills/october.csv", kBill);
  EXPECT_EQ(RunSync(environment_, {}), kExitDone);
  last = sources::ReadLastSync(*files_, home_, "aws");
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->errors.empty());
  EXPECT_EQ(last->imported, 1);
  EXPECT_EQ(last->succeeded, clock_.Now());
}

}  // namespace
}  // namespace flyball::app
