// The demonstration's months beside their invoices: what `flyball reconcile --period` names.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/program.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::ordered_json;

class Invoices : public ::testing::Test {
 protected:
  // One demonstration for all tests, each of which is about another month.
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    const Ended demo =
        RunFlyball({"demo", "--rows", "8000", "--out", Path("out"), "--home", Home()});
    ASSERT_EQ(demo.exit_code, 0) << demo.err;
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static std::string Path(const std::string& name) { return (folder_->path() / name).string(); }
  static std::string Home() { return Path("home"); }

  Json Ask(std::vector<std::string> words, int exit_code = 0) {
    words.insert(words.end(), {"--home", Home(), "--format", "json"});
    const Ended ended = RunFlyball(words);
    EXPECT_EQ(ended.exit_code, exit_code) << ended.out << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  // An InvoiceDetail file of AWS's charges of the month, but for those of one category.
  std::string DetailWithout(const std::string& month, const std::string& category) {
    const Json answer = Ask({"query", "--measures", "billed_cost", "--by",
                             "invoice_issuer,invoice,billing_account,charge_category", "--where",
                             "billing_period=" + month + ";provider=AWS"});
    std::string csv =
        "InvoiceIssuerName,InvoiceId,BillingAccountId,ChargeCategory,BilledCost,BillingCurrency,"
        "BillingPeriodStart,InvoiceDetailId\n";
    int number = 0;
    for (const Json& row : answer["rows"]) {
      if (row["charge_category"] == category) continue;
      csv += "\"" + row.value("invoice_issuer", "") + "\"," + row.value("invoice", "") + "," +
             row.value("billing_account", "") + "," + row.value("charge_category", "") + "," +
             row.value("billed_cost", "") + ",USD," + month + "-01T00:00:00Z,d" +
             std::to_string(++number) + "\n";
    }
    const std::string path = Path("detail-" + month + ".csv");
    WriteFile(path, csv);
    return path;
  }

  static inline std::unique_ptr<TempFolder> folder_;
};

TEST_F(Invoices, OneThatIsShortByOneTaxLineNamesThatLine) {
  const std::string detail = DetailWithout("2026-09", "Tax");
  const Json report = Ask({"reconcile", "--period", "2026-09", "--invoice", detail}, 1);
  ASSERT_EQ(report["invoices"].size(), 1u);
  const Json& aws = report["invoices"][0];
  ASSERT_EQ(aws["steps"].size(), 1u) << aws.dump(1);
  EXPECT_EQ(aws["steps"][0]["reason"], "tax");
  EXPECT_EQ(aws["steps"][0]["category"], "Tax");
  EXPECT_EQ(aws["steps"][0]["amount"], aws["difference"]);
  EXPECT_FALSE(report["without_invoice"].empty());
  // The charge itself can be looked at.
  const Json tax =
      Ask({"rows", "--where", "billing_period=2026-09;provider=AWS;charge_category=Tax"});
  EXPECT_EQ(tax["total"], 1);
  // What is known of the month is kept: the same question needs no file.
  EXPECT_EQ(Ask({"reconcile", "--period", "2026-09"}, 1)["invoices"], report["invoices"]);
}

TEST_F(Invoices, OneThatAgreesIsEqual) {
  const std::string detail = DetailWithout("2026-08", "nothing");
  const Json report = Ask({"reconcile", "--period", "2026-08", "--invoice", detail});
  EXPECT_EQ(report["equal"], true);
  EXPECT_EQ(report["invoices"][0]["difference"], "0");
}

TEST_F(Invoices, ATotalAsTypedAndTheVendorsWordOnThePeriod) {
  const std::string periods = Path("periods.csv");
  WriteFile(periods,
            "BillingPeriodStart,BillingPeriodEnd,BillingPeriodStatus,InvoiceIssuerName\n"
            "2026-07-01T00:00:00Z,2026-08-01T00:00:00Z,Closed,Microsoft\n");
  const Json report = Ask(
      {"reconcile", "--period", "2026-07", "--invoice", "microsoft=1 USD", "--invoice", periods},
      1);
  ASSERT_EQ(report["invoices"].size(), 1u);
  EXPECT_EQ(report["invoices"][0]["billing_period_status"], "Closed");
  EXPECT_EQ(report["invoices"][0]["invoiced"], "1");
}

TEST_F(Invoices, AClosedMonthIsNotRestated) {
  const std::string month = "2026-06";
  // A difference without a reason has to be accepted by name.
  const std::vector<std::string> close = {"reconcile", "--period",           month,
                                          "--invoice", "Google Cloud=1 USD", "--close"};
  std::vector<std::string> refused = close;
  refused.insert(refused.end(), {"--home", Home()});
  EXPECT_EQ(RunFlyball(refused).exit_code, 2);
  std::vector<std::string> accepted = close;
  accepted.push_back("--accept-differences");
  const Json report = Ask(accepted);
  const std::string commit = report.value("closed", "");
  ASSERT_EQ(commit.size(), 16u) << report.dump(1);
  EXPECT_TRUE(
      std::filesystem::exists(Home() + "/invoices/" + month + "-close-" + commit + ".json"));
  const std::string bill = Path("late.csv");
  WriteFile(bill,
            "BilledCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ServiceName\n"
            "1,USD," +
                month + "-01T00:00:00Z," + month + "-02T00:00:00Z,late\n");
  const Ended late = RunFlyball({"import", bill, "--home", Home()});
  EXPECT_EQ(late.exit_code, 2) << late.out << late.err;
  EXPECT_NE(late.err.find("is closed"), std::string::npos) << late.err;
  Ask({"reconcile", "--period", month, "--reopen"});
  EXPECT_EQ(RunFlyball({"import", bill, "--home", Home()}).exit_code, 0);
}

TEST_F(Invoices, WhatIsNoInvoiceIsRefused) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"reconcile", "--period", "2026-13"},
        {"reconcile", "--period", "2026-10", "--invoice", "nothing.csv"},
        {"reconcile", "--period", "2026-10", "--invoice", Path("out/events.json")}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--home", Home()});
    const Ended ended = RunFlyball(all);
    EXPECT_EQ(ended.exit_code, 2) << ended.out << ended.err;
  }
}

}  // namespace
}  // namespace flyball::tests
