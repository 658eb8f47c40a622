// A bill that comes again under another source's name: it is asked whether both are to count.
#include <nlohmann/json.hpp>

#include "app/importer.h"
#include "app/open_ledger.h"
#include "app/test_home.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

struct Bill {
  std::string month = "2026-09";
  std::string account = "acc-1";
  std::string invoice = "INV-1";
  std::string service = "EC2";
  std::string tags = "";
  std::string subcategory = "";  // "": the import tells it, where it can
  int first_day = 1, last_day = 20;
  int cents = 1000;  // of each day
};

class Overlaps : public HomeTest {
 protected:
  static std::string Rows(const Bill& bill) {
    std::string csv;
    for (int day = bill.first_day; day <= bill.last_day; ++day) {
      csv += fmt::format("{}.{:02},USD,{}-01,{}-{:02}T00:00:00Z,{},AWS,{},{},Usage,{},{}\n",
                         bill.cents / 100, bill.cents % 100, bill.month, bill.month, day,
                         bill.service, bill.account, bill.invoice, bill.tags, bill.subcategory);
    }
    return csv;
  }
  Result<Json> Import(const std::string& source, const Bill& bill, bool beside = false,
                      bool dry_run = false) {
    return ImportAll(source, {bill}, beside, dry_run);
  }
  // Several bills as one file.
  Result<Json> ImportAll(const std::string& source, const std::vector<Bill>& bills,
                         bool beside = false, bool dry_run = false) {
    std::string rows;
    for (const Bill& bill : bills) rows += Rows(bill);
    const std::string name = source + ".csv";
    Write(name,
          "BilledCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ServiceName,"
          "InvoiceIssuerName,BillingAccountId,InvoiceId,ChargeCategory,Tags,"
          "ServiceSubcategory\n" +
              rows);
    Result<Importer> importer = Importer::Open(environment_);
    ImportArgs args;
    args.files = {os::JoinPath(home_, name)};
    args.source = source;
    args.beside = beside;
    args.dry_run = dry_run;
    args.memory = memory_;
    return Json::parse(FB_TRY(importer->Import(args)));
  }
  void Close(const std::string& period) {
    auto ledger = OpenLedger(environment_);
    ASSERT_TRUE((*ledger)->SetClosed(period, true, "ann", "").has_value());
  }
  // How a bill comes in beside that of `first`: "fine", "warned" or "refused".
  std::string Second(const Bill& first, const Bill& second) {
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    EXPECT_TRUE(Import("first", first).has_value());
    const Result<Json> report = Import("second", second);
    if (!report) {
      EXPECT_EQ(report.error().code, Code::kFailedPrecondition) << report.error().ToString();
      EXPECT_TRUE(files_->List(os::JoinPath(home_, "tmp"))->empty());
      return "refused";
    }
    return report->contains("overlaps") ? "warned" : "fine";
  }

  std::string memory_ = ImportArgs().memory;
};

TEST_F(Overlaps, TheSameInvoiceUnderAnotherNameIsRefusedWithItsRemedy) {
  ASSERT_TRUE(Import("aws", {}).has_value());
  const Bill restated = {.last_day = 21, .cents = 1100};
  const Result<Json> report = Import("aws-restated", restated);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Code::kFailedPrecondition);
  for (const char* part : {"'aws'", "aws-restated", "2026-09", "acc-1", "INV-1", "200", "231"}) {
    EXPECT_NE(report.error().message.find(part), std::string::npos) << report.error().message;
  }
  EXPECT_NE(report.error().hint.find("--source aws"), std::string::npos) << report.error().hint;
  // As what it is, it restates; and it is not asked about again.
  EXPECT_FALSE(Import("aws", restated)->contains("overlaps"));
}

TEST_F(Overlaps, WhatIsToStandBesideIsToldAndCounts) {
  ASSERT_TRUE(Import("aws", {}).has_value());
  const Json trial = Import("other", {.cents = 1100}, false, true).value();
  EXPECT_EQ(trial["overlaps"][0]["same_bill"], true) << trial.dump(1);
  EXPECT_EQ(trial["overlaps"][0]["refused"], true);
  const Json report = Import("other", {.cents = 1100}, true).value();
  ASSERT_EQ(report["overlaps"].size(), 1u) << report.dump(1);
  const Json& overlap = report["overlaps"][0];
  EXPECT_EQ(overlap["source"], "aws");
  EXPECT_EQ(overlap["billing_account"], "acc-1");
  EXPECT_EQ(overlap["invoice"], "INV-1");
  EXPECT_EQ(overlap["billed_cost"], "220");
  EXPECT_EQ(overlap["billed_cost_standing"], "200");
  EXPECT_EQ(overlap["charges_shared"], 20);
  // Having been taken, it may be restated.
  const Result<Json> again = Import("other", {.cents = 1200});
  ASSERT_TRUE(again.has_value()) << again.error().ToString();
  EXPECT_EQ((*again)["overlaps"].size(), 1u);
  EXPECT_EQ((*again)["overlaps"][0]["refused"], false);
}

TEST_F(Overlaps, PartsOfOneBillAreFine) {
  EXPECT_EQ(Second({}, {.service = "S3"}), "fine");
  EXPECT_EQ(Second({.last_day = 10}, {.first_day = 11}), "fine");
  EXPECT_EQ(Second({}, {.account = "acc-2"}), "fine");
  EXPECT_EQ(Second({}, {.month = "2026-10"}), "fine");
  // A few charges on both sides, of many.
  EXPECT_EQ(Second({}, {.first_day = 15, .last_day = 28}), "fine");
}

TEST_F(Overlaps, WhatIsNotCertainIsWarnedOf) {
  EXPECT_EQ(Second({}, {}), "refused");
  EXPECT_EQ(Second({}, {.invoice = "INV-2"}), "warned");
  EXPECT_EQ(Second({.invoice = ""}, {.invoice = ""}), "warned");
  EXPECT_EQ(Second({.account = ""}, {.account = ""}), "warned");
  // A bill with other tags, or a part of the same invoice by tag: nobody can tell.
  EXPECT_EQ(Second({}, {.tags = R"("{""team"":""ads""}")"}), "warned");
}

TEST_F(Overlaps, ASubcategoryThatOneOfThemHasNotIsNoDifference) {
  EXPECT_EQ(Second({}, {.subcategory = "Virtual Machines"}), "refused");
}

TEST_F(Overlaps, AreSeenInAPackToo) {
  ASSERT_TRUE(Import("aws", {}).has_value());
  ASSERT_TRUE(Import("aws", {.month = "2026-10"}).has_value());
  {
    auto ledger = OpenLedger(environment_);
    ASSERT_TRUE((*ledger)->Compact("ann", 1u << 30).value().has_value());
  }
  EXPECT_FALSE(Import("late", {.cents = 900}).has_value());
  EXPECT_TRUE(Import("late", {.month = "2026-11"}).has_value());
}

// What is held of one month does not add up over the months.
TEST_F(Overlaps, OfManyMonthsAreFoundInLittleMemory) {
  std::vector<Bill> bills;
  for (int month = 0; month < 24; ++month) {
    bills.push_back({.month = fmt::format("{}-{:02}", 2020 + month / 12, month % 12 + 1)});
  }
  ASSERT_TRUE(ImportAll("aws", bills).has_value());
  memory_ = "192MiB";
  const Result<Json> report = ImportAll("other", bills, true);
  ASSERT_TRUE(report.has_value()) << report.error().ToString();
  EXPECT_EQ((*report)["overlaps"].size(), 24u);
}

// It would be booked whole in the month after.
TEST_F(Overlaps, OfClosedPeriodsAreRefusedToo) {
  ASSERT_TRUE(Import("aws", {}).has_value());
  Close("2026-09");
  EXPECT_FALSE(Import("late", {.cents = 900}).has_value());
  EXPECT_TRUE(Import("late", {.cents = 900}, true).has_value());
  EXPECT_TRUE(Import("late", {.cents = 800}).has_value());
}

// It came after its month was closed, so that it stands as corrections alone, in another month.
TEST_F(Overlaps, ABillThatStandsAsCorrectionsIsSeen) {
  ASSERT_TRUE(Import("other", {.account = "acc-9"}).has_value());
  Close("2026-09");
  ASSERT_TRUE(Import("aws", {}).has_value());
  const Result<Json> report = Import("aws-2", {.cents = 1100});
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Code::kFailedPrecondition);
  for (const char* part : {"'aws'", "2026-09", "INV-1", "200"}) {
    EXPECT_NE(report.error().message.find(part), std::string::npos) << report.error().message;
  }
  EXPECT_NE(report.error().hint.find("--source aws;"), std::string::npos) << report.error().hint;
  EXPECT_TRUE(Import("aws", {.cents = 1100}).has_value());
}

// A restatement of a closed month: what stands is the month and its corrections together.
TEST_F(Overlaps, WhatCorrectionsTookBackStandsNoMore) {
  ASSERT_TRUE(Import("aws", {}).has_value());
  Close("2026-09");
  ASSERT_TRUE(Import("aws", {.last_day = 5, .cents = 1100}).has_value());
  EXPECT_TRUE(Import("late", {.first_day = 11}).has_value());
  const Result<Json> report = Import("later", {.last_day = 5});
  ASSERT_FALSE(report.has_value());
  EXPECT_NE(report.error().message.find("55 USD there"), std::string::npos)
      << report.error().message;
}

TEST_F(Overlaps, WhatASourceHasSaidIsItsAccounts) {
  ASSERT_TRUE(Import("a", {}).has_value());
  ASSERT_TRUE(Import("b", {.account = "acc-2", .invoice = "INV-2"}).has_value());
  const std::vector<Bill> both = {{}, {.account = "acc-2", .invoice = "INV-2"}};
  EXPECT_FALSE(ImportAll("b", both).has_value());
  ASSERT_TRUE(ImportAll("b", both, true).has_value());
  EXPECT_TRUE(ImportAll("b", {{.cents = 1100}, both[1]}).has_value());
}

// Under the other's name the part would take the place of the whole.
TEST_F(Overlaps, APartIsNotAdvisedToTakeThePlaceOfTheWhole) {
  const Bill second = {.account = "acc-2", .invoice = "INV-2"};
  ASSERT_TRUE(ImportAll("aws", {{}, second}).has_value());
  Result<Json> report = Import("aws-part", {});
  ASSERT_FALSE(report.has_value());
  for (const char* part : {"20 charges", "acc-2", "all files"}) {
    EXPECT_NE(report.error().hint.find(part), std::string::npos) << report.error().hint;
  }
  report = Import("aws-days", {.last_day = 9});
  ASSERT_FALSE(report.has_value());
  EXPECT_NE(report.error().hint.find("all files"), std::string::npos) << report.error().hint;
  // Nor where it would take away another month that only the other has whole.
  ASSERT_TRUE(Import("azure", {.account = "acc-3"}).has_value());
  ASSERT_TRUE(Import("azure", {.month = "2026-10", .account = "acc-3"}).has_value());
  const Bill small = {.month = "2026-10", .account = "acc-3", .service = "S3"};
  report = ImportAll("azure-2", {{.account = "acc-3"}, small});
  ASSERT_FALSE(report.has_value());
  EXPECT_NE(report.error().hint.find("20 charges"), std::string::npos) << report.error().hint;
  // With all of it the advice is good.
  EXPECT_NE(ImportAll("aws-whole", {{}, second}).error().hint.find("to restate it: --source aws;"),
            std::string::npos);
}

// Bills of several accounts, each with its own invoice.
TEST_F(Overlaps, EachAccountIsToldWithItsOwnInvoice) {
  const std::vector<Bill> all = {{}, {.account = "acc-2", .invoice = "INV-2"}};
  ASSERT_TRUE(ImportAll("aws", all).has_value());
  const Json told =
      ImportAll("again", {{}, {.account = "acc-2", .invoice = "INV-3"}}, true).value();
  ASSERT_EQ(told["overlaps"].size(), 2u) << told.dump(1);
  EXPECT_EQ(told["overlaps"][0]["invoice"], "INV-1");
  EXPECT_EQ(told["overlaps"][1]["invoice"], "");
  EXPECT_EQ(told["overlaps"][1]["same_bill"], false);
}

}  // namespace
}  // namespace flyball::app
