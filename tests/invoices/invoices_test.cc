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

// A ledger of a few charges, for what the demonstration has not.
class SmallLedger : public ::testing::Test {
 protected:
  Ended Run(std::vector<std::string> words) {
    words.insert(words.end(), {"--home", (folder_.path() / "home").string()});
    return RunFlyball(words);
  }
  Json Ask(std::vector<std::string> words, int exit_code) {
    words.insert(words.end(), {"--format", "json"});
    const Ended ended = Run(words);
    EXPECT_EQ(ended.exit_code, exit_code) << ended.out << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  std::string Put(const std::string& name, const std::string& rows) {
    const std::string path = (folder_.path() / name).string();
    WriteFile(path, rows);
    return path;
  }
  void Import(const std::string& name, const std::string& rows) {
    const std::string path = Put(name,
                                 "ChargeCategory,BilledCost,BillingCurrency,BillingPeriodStart,"
                                 "ChargePeriodStart,ServiceName,"
                                 "InvoiceIssuerName,InvoiceId\n" +
                                     rows);
    const Ended ended = Run({"import", path});
    ASSERT_EQ(ended.exit_code, 0) << ended.out << ended.err;
  }
  TempFolder folder_;
};

constexpr char kDetailHeader[] =
    "InvoiceIssuerName,InvoiceId,ChargeCategory,BilledCost,BillingCurrency,BillingPeriodStart,"
    "InvoiceDetailId\n";

TEST_F(SmallLedger, EachCurrencyIsComparedForItself) {
  Import("a.csv",
         "Usage,10,USD,2026-10-01T00:00:00Z,2026-10-02T00:00:00Z,s,AWS,I1\n"
         "Usage,7,EUR,2026-10-01T00:00:00Z,2026-10-02T00:00:00Z,s,AWS,I2\n");
  const Json report = Ask(
      {"reconcile", "--period", "2026-10", "--invoice", "AWS=10 USD", "--invoice", "AWS=8 EUR"}, 1);
  ASSERT_EQ(report["invoices"].size(), 2u) << report.dump(1);
  EXPECT_EQ(report["invoices"][0]["difference"], "-1");
  EXPECT_EQ(report["invoices"][1]["difference"], "0");
}

TEST_F(SmallLedger, WhatLiesInQuarantineIsAReason) {
  Import("a.csv",
         "Usage,100,USD,2026-10-01T00:00:00Z,2026-10-02T00:00:00Z,s,AWS,I1\n"
         "Usage,30,USD,2026-10-01T00:00:00Z,some day,s,AWS,I1\n");
  const Json report = Ask({"reconcile", "--period", "2026-10", "--invoice", "AWS=130 USD"}, 1);
  EXPECT_EQ(report["invoices"][0]["steps"][0]["reason"], "quarantined") << report.dump(1);
  EXPECT_EQ(Run({"reconcile", "--period", "2026-10", "--close"}).exit_code, 2);
}

TEST_F(SmallLedger, TimingIsAChargeOfThisMonthBilledInAnother) {
  // Support is the same every month; storage of October came with November's bill.
  Import("a.csv",
         "Usage,100,USD,2026-10-01T00:00:00Z,2026-10-02T00:00:00Z,usage,AWS,I1\n"
         "Usage,50,USD,2026-09-01T00:00:00Z,2026-09-01T00:00:00Z,support,AWS,I0\n"
         "Usage,12,USD,2026-11-01T00:00:00Z,2026-10-30T00:00:00Z,storage,AWS,I2\n");
  const auto reason = [&](const std::string& amount) {
    const std::string detail =
        Put("d" + amount + ".csv", std::string(kDetailHeader) +
                                       "AWS,I1,Usage,100,USD,2026-10-01T00:00:00Z,1\n"
                                       "AWS,I1,Usage," +
                                       amount + ",USD,2026-10-01T00:00:00Z,2\n");
    const Json report = Ask({"reconcile", "--period", "2026-10", "--invoice", detail}, 1);
    return report["invoices"][0]["steps"][0].value("reason", "");
  };
  EXPECT_EQ(reason("12"), "timing");
  EXPECT_EQ(reason("50"), "missing");
}

TEST_F(SmallLedger, CorrectionsOfAClosedMonthAreAReasonInTheNext) {
  std::string february;
  for (int day = 10; day < 28; ++day) {
    february +=
        "Usage,1,USD,2026-02-01T00:00:00Z,2026-02-" + std::to_string(day) + "T00:00:00Z,s,AWS,I2\n";
  }
  const std::string january = "USD,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,s,AWS,I1\n";
  Import("a.csv", "Usage,100," + january + february);
  Ask({"reconcile", "--period", "2026-01", "--invoice", "AWS=100 USD", "--close"}, 0);
  // The last row of January's bill is about a day of February.
  Import("a.csv", "Usage,103," + january +
                      "Usage,4,USD,2026-01-01T00:00:00Z,2026-02-05T00:00:00Z,s,AWS,I1\n");
  const Json next = Ask({"reconcile", "--period", "2026-02", "--invoice", "AWS=18 USD"}, 1);
  ASSERT_EQ(next["invoices"][0]["steps"].size(), 1u) << next.dump(1);
  const Json& step = next["invoices"][0]["steps"][0];
  EXPECT_EQ(step["reason"], "correction");
  EXPECT_EQ(step["amount"], "7");
  EXPECT_EQ(step["other_period"], "2026-01");
  EXPECT_EQ(next["invoices"][0]["corrections"], "7");
  const Json& days = next["days_without_charges"]["AWS"];
  EXPECT_EQ(days.size(), 10u) << next.dump(1);
  EXPECT_NE(std::ranges::find(days, "2026-02-05"), days.end()) << next.dump(1);
  // The invoice of January was issued anew, and its month stays as it was closed.
  const Json closed = Ask({"reconcile", "--period", "2026-01", "--invoice", "AWS=103 USD"}, 1);
  EXPECT_EQ(closed["invoices"][0]["steps"][0]["reason"], "correction") << closed.dump(1);
  EXPECT_EQ(closed["invoices"][0]["steps"][0]["other_period"], "2026-02");
}

TEST_F(SmallLedger, InvoicesMayBeSpreadOverFilesAndForgotten) {
  Import("a.csv", "Usage,100,USD,2026-10-01T00:00:00Z,2026-10-02T00:00:00Z,s,AWS,I1\n");
  const Json nothing = Ask({"reconcile", "--period", "2026-10"}, 1);
  EXPECT_TRUE(nothing["equal"].is_null());
  const std::string header = kDetailHeader;
  const std::string one = Put("1.csv", header + "AWS,I1,Usage,60,USD,2026-10-01T00:00:00Z,1\n");
  const std::string two = Put("2.csv", header + "AWS,I1,Usage,40,USD,2026-10-01T00:00:00Z,2\n");
  EXPECT_EQ(
      Ask({"reconcile", "--period", "2026-10", "--invoice", one, "--invoice", two}, 0)["equal"],
      true);
  EXPECT_EQ(Ask({"reconcile", "--period", "2026-10"}, 0)["equal"], true);
  EXPECT_TRUE(
      Ask({"reconcile", "--period", "2026-10", "--invoice", "AWS=none"}, 1)["equal"].is_null());
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"reconcile", "--invoice", one},
        {"reconcile", "--period", "2026-10", "--apply"},
        {"reconcile", "--period", "2026-10", "--invoice", "AWS=1 USD", "--invoice", "aws=2 USD"},
        {"reconcile", "--period", "2026-10", "--invoice", (folder_.path() / "a.csv").string()}}) {
    EXPECT_EQ(Run(wrong).exit_code, 2) << wrong.back();
  }
  TempFolder other;
  const Ended nowhere =
      RunFlyball({"reconcile", "--period", "2026-10", "--home", (other.path() / "none").string()});
  EXPECT_NE(nowhere.exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(other.path() / "none"));
}

TEST_F(Invoices, WhatComesAfterTheCloseIsCorrectedInTheNextMonth) {
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
  const std::vector<std::string> by_period = {"query",
                                              "--measures",
                                              "billed_cost",
                                              "--by",
                                              "billing_period",
                                              "--where",
                                              "source=late.corrections-" + month};
  const std::string closed = Ask({"query", "--measures", "billed_cost", "--where",
                                  "billing_period=" + month})["totals"]["billed_cost"];
  const Ended late = RunFlyball({"import", bill, "--home", Home()});
  EXPECT_EQ(late.exit_code, 0) << late.out << late.err;
  EXPECT_NE(late.out.find(month + " is closed: 1 charges"), std::string::npos) << late.out;
  const Json corrections = Ask(by_period);
  ASSERT_EQ(corrections["rows"].size(), 1u) << corrections.dump(1);
  EXPECT_EQ(corrections["rows"][0]["billing_period"], "2026-07");
  EXPECT_EQ(corrections["rows"][0]["billed_cost"], "1");
  EXPECT_EQ(Ask({"query", "--measures", "billed_cost", "--where",
                 "billing_period=" + month})["totals"]["billed_cost"],
            closed);
  EXPECT_EQ(RunFlyball({"rebuild", "--home", Home()}).exit_code, 0);
  // Opened again, the month takes the bill, and what it was corrected by is taken back.
  Ask({"reconcile", "--period", month, "--reopen"});
  EXPECT_EQ(RunFlyball({"import", bill, "--home", Home()}).exit_code, 0);
  EXPECT_EQ(Ask(by_period)["totals"]["billed_cost"], "0");
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
