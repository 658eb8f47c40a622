// Bills of closed periods: what they change comes as corrections, to the last charge.
#include "app/publish_import.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "app/importer.h"
#include "app/open_ledger.h"
#include "app/test_home.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

struct Charge {
  std::string month = "2026-09";  // of billing
  int day = 1;
  std::string service = "EC2";
  int cents = 0;
  std::string tags = "";
};

class Corrections : public HomeTest {
 protected:
  Json Import(const std::vector<Charge>& bill, bool dry_run = false) {
    std::string csv =
        "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
        "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ServiceName,ServiceProviderName,"
        "ChargeCategory,ConsumedQuantity,ConsumedUnit,ListUnitPrice,Tags,x_CostCentre\n";
    for (const Charge& charge : bill) {
      const std::string cost = fmt::format("{}.{:02}", charge.cents / 100, charge.cents % 100);
      const std::string next = charge.month == "2026-09" ? "2026-10" : "2026-11";
      csv += fmt::format(
          "{0},{0},{0},{0},USD,{1}-01,{2}-01,{1}-{3:02}T00:00:00Z,{1}-{3:02}T01:00:00Z,{4},AWS,"
          "Usage,{5},Hours,0.01,{6},cc{5}\n",
          cost, charge.month, next, charge.day, charge.service, charge.cents % 7,
          charge.tags.empty() ? "" : "\"{\"\"team\"\":\"\"" + charge.tags + "\"\"}\"");
    }
    Write("bill.csv", csv);
    Result<Importer> importer = Importer::Open(environment_);
    EXPECT_TRUE(importer.has_value());
    ImportArgs args;
    args.files = {os::JoinPath(home_, "bill.csv")};
    args.source = "aws";
    args.dry_run = dry_run;
    const Result<std::string> report = importer->Import(args);
    EXPECT_TRUE(report.has_value()) << report.error().ToString();
    return report ? Json::parse(*report) : Json();
  }
  void SetClosed(const std::string& period, bool closed) {
    auto ledger = OpenLedger(environment_);
    ASSERT_TRUE(ledger.has_value());
    ASSERT_TRUE((*ledger)->SetClosed(period, closed, "ann", "").has_value());
  }
  Json LastFacts() {
    auto ledger = OpenLedger(environment_);
    return Json::parse(ledger::CommitJson((*ledger)->Commits().back()))["import"];
  }
  // Slices then lie in packs with others.
  void Compact() {
    auto ledger = OpenLedger(environment_);
    ASSERT_TRUE(ledger.has_value());
    ASSERT_TRUE((*ledger)->Compact("ann", 1u << 30).has_value());
  }
  Json Ask(const std::string& where, const std::string& as_of = "",
           const std::vector<std::string>& by = {"day", "service", "tag:team"}) {
    auto ledger = OpenLedger(environment_);
    EXPECT_TRUE(ledger.has_value());
    ledger::CostQuery query;
    query.measures = {"billed_cost", "effective_cost", "usage"};
    for (const std::string& name : by) {
      if (name == "day") {
        query.grain = ledger::Grain::kDay;
      } else {
        query.by.push_back(name);
      }
    }
    query.where = *ledger::ParseWhere(where);
    query.as_of = as_of;
    const Result<ledger::QueryAnswer> answer = (*ledger)->Query(query);
    EXPECT_TRUE(answer.has_value());
    return Json::parse(ledger::AnswerJson(*answer));
  }
  // What the ledger says of the charges of September, without what came to nothing.
  std::map<std::string, std::string> September() {
    std::map<std::string, std::string> said;
    const Json answer = Ask("");
    for (const Json& row : answer["rows"]) {
      if (!row.value("period", "").starts_with("2026-09")) continue;
      const std::string amounts = row.value("billed_cost", "") + " " +
                                  row.value("effective_cost", "") + " " + row.value("usage", "");
      if (amounts == "0 0 0") continue;
      said[row.value("period", "") + row.value("service", "") + row.value("tag:team", "")] =
          amounts;
    }
    return said;
  }
};

const std::vector<Charge> kSeptember = {{.day = 1, .service = "EC2", .cents = 1000},
                                        {.day = 1, .service = "EC2", .cents = 1000},
                                        {.day = 2, .service = "S3", .cents = 250, .tags = "ads"}};

TEST_F(Corrections, OfAClosedPeriodAreChargesOfTheNextOpenOne) {
  Import(kSeptember);
  SetClosed("2026-09", true);
  std::vector<Charge> restated = kSeptember;
  restated.erase(restated.begin());  // one of two equal charges
  restated[1].cents = 300;
  const Json report = Import(restated);
  ASSERT_EQ(report["corrections"].size(), 1u) << report.dump(1);
  EXPECT_EQ(report["corrections"][0]["booked_in"], "2026-10");
  EXPECT_EQ(report["corrections"][0]["source"], "aws.corrections-2026-09");
  EXPECT_EQ(report["corrections"][0]["changes"], 3);
  EXPECT_EQ(report["periods"].size(), 0u);
  EXPECT_EQ(report["unchanged"], false);

  EXPECT_EQ(Ask("billing_period=2026-09")["totals"]["billed_cost"], "22.5");
  const Json booked = Ask("billing_period=2026-10", "", {"service", "charge_class"});
  ASSERT_EQ(booked["rows"].size(), 2u) << booked.dump(1);
  EXPECT_EQ(booked["totals"]["billed_cost"], "-9.5");
  for (const Json& row : booked["rows"]) EXPECT_EQ(row["charge_class"], "Correction");
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "13");

  // The same bill again changes nothing, whatever else was imported in between.
  const std::string head = report["commit"];
  const Json again = Import(restated);
  EXPECT_EQ(again["unchanged"], true) << again.dump(1);
  EXPECT_EQ(again["commit"], head);
}

TEST_F(Corrections, LeaveTheOpenPeriodsOfABillToIt) {
  std::vector<Charge> both = kSeptember;
  both.push_back({.month = "2026-10", .service = "EC2", .cents = 100});
  Import(both);
  SetClosed("2026-09", true);
  both[0].cents = 1100;
  both[3].cents = 170;
  const Json report = Import(both);
  ASSERT_EQ(report["periods"].size(), 1u) << report.dump(1);
  EXPECT_EQ(report["periods"][0]["period"], "2026-10");
  // The commit tells what is in the ledger by it, and what of the bill is not.
  const Json facts = LastFacts();
  EXPECT_EQ(facts["rows_kept"], 4);
  EXPECT_EQ(facts["rows_in_slices"], 1);
  EXPECT_EQ(facts["rows_corrected"], 3);
  EXPECT_EQ(report["corrections"][0]["changes"], 2);
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "25.2");
  EXPECT_EQ(Ask("billing_period=2026-10")["totals"]["billed_cost"], "2.7");
  EXPECT_EQ(Import(both)["unchanged"], true);

  // A bill of September alone, then the former again: it is no longer what the ledger says.
  Import(kSeptember);
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "24.2");
  const Json former = Import(both);
  EXPECT_EQ(former["unchanged"], false) << former.dump(1);
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "25.2");
}

TEST_F(Corrections, OfAPeriodWhoseCorrectionsAreClosedTooGoOnInTheNext) {
  Import(kSeptember);
  SetClosed("2026-09", true);
  std::vector<Charge> restated = kSeptember;
  restated[0].cents = 1100;
  Import(restated);
  SetClosed("2026-10", true);
  restated[0].cents = 1300;
  const Json report = Import(restated);
  EXPECT_EQ(report["corrections"][0]["booked_in"], "2026-11") << report.dump(1);
  EXPECT_EQ(Ask("billing_period=2026-10")["totals"]["billed_cost"], "1");
  EXPECT_EQ(Ask("billing_period=2026-11")["totals"]["billed_cost"], "2");
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "25.5");
}

TEST_F(Corrections, ADryRunSaysHowManyAndBooksNone) {
  Import(kSeptember);
  SetClosed("2026-09", true);
  const Json before = Ask("");
  const Json report = Import({kSeptember[0]}, true);
  EXPECT_EQ(report["corrections"][0]["changes"], 2) << report.dump(1);
  EXPECT_TRUE(report["corrections"][0]["commit"].is_null());
  EXPECT_TRUE(report["commit"].is_null());
  EXPECT_EQ(Ask("")["commit"], before["commit"]);
  EXPECT_TRUE(files_->List(os::JoinPath(home_, "tmp"))->empty());
}

TEST_F(Corrections, ASourceThatComesLateIsBookedWhole) {
  Import({{.month = "2026-10", .service = "EC2", .cents = 100}});
  SetClosed("2026-09", true);
  const Json report = Import(kSeptember);
  EXPECT_EQ(report["corrections"][0]["changes"], 3) << report.dump(1);
  EXPECT_EQ(Ask("billing_period=2026-09")["rows"].size(), 0u);
  EXPECT_EQ(Ask("billing_period=2026-10")["totals"]["billed_cost"], "23.5");
}

TEST_F(Corrections, AreTakenBackWhenThePeriodIsOpenedAgainAndRestated) {
  Import(kSeptember);
  SetClosed("2026-09", true);
  Import({kSeptember[0]});
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "10");
  SetClosed("2026-09", false);
  const Json report = Import(kSeptember);
  ASSERT_EQ(report["corrections"].size(), 1u) << report.dump(1);
  EXPECT_EQ(report["corrections"][0]["closed"], false);
  EXPECT_EQ(report["corrections"][0]["changes"], 2);
  EXPECT_EQ(Ask("billing_period=2026-09")["totals"]["billed_cost"], "22.5");
  EXPECT_EQ(Ask("billing_period=2026-10")["totals"]["billed_cost"], "0");
  EXPECT_EQ(Import(kSeptember)["unchanged"], true);
  SetClosed("2026-09", true);
  Import({kSeptember[0]});
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "10");
}

// What a bill said of a period that was closed then is not in the ledger by that bill.
TEST_F(Corrections, OfABillThatIsImportedAgainOnceThePeriodIsOpenAreRestatedWhole) {
  std::vector<Charge> both = {{.service = "EC2", .cents = 10'000},
                              {.month = "2026-10", .service = "EC2", .cents = 1000}};
  Import(both);
  SetClosed("2026-09", true);
  both[0].cents = 12'000;
  both[1].cents = 1500;
  Import(both);
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "135");
  SetClosed("2026-09", false);
  EXPECT_EQ(Import(both)["unchanged"], false);
  EXPECT_EQ(Ask("billing_period=2026-09")["totals"]["billed_cost"], "120");
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "135");
  EXPECT_EQ(Import(both)["unchanged"], true);
}

TEST_F(Corrections, AreNotMadeOfABillWithRowsThatCannotBeRead) {
  Import(kSeptember);
  SetClosed("2026-09", true);
  Write("bad.csv",
        "BilledCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ServiceName\n"
        "1O,USD,2026-09-01,2026-09-01T00:00:00Z,EC2\n"
        "5,USD,2026-09-01,2026-09-02T00:00:00Z,S3\n");
  ImportArgs args;
  args.files = {os::JoinPath(home_, "bad.csv")};
  args.source = "aws";
  const Result<std::string> report = Importer::Open(environment_).value().Import(args);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Code::kFailedPrecondition);
  EXPECT_NE(report.error().message.find("1 rows"), std::string::npos) << report.error().message;
  EXPECT_EQ(Ask("")["totals"]["billed_cost"], "22.5");
  EXPECT_TRUE(files_->List(os::JoinPath(home_, "tmp"))->empty());
}

// Whatever bills follow each other, the closed slice and its corrections say what the last one
// says, at every day, service and tag.
TEST_F(Corrections, SayWithTheClosedPeriodWhatTheLastBillSays) {
  for (uint32_t seed = 1; seed <= 2; ++seed) {
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    std::mt19937 random(seed);
    const auto make = [&] {
      std::vector<Charge> bill(1 + random() % 30);
      for (Charge& charge : bill) {
        charge.day = 1 + static_cast<int>(random() % 3);
        charge.service = random() % 2 == 0 ? "EC2" : "S3";
        charge.cents = static_cast<int>(random() % 5);
        charge.tags = random() % 3 == 0 ? "ads" : "";
      }
      return bill;
    };
    Import(make());
    const std::string closed = Ask("")["commit"];
    SetClosed("2026-09", true);
    const Json at_close = Ask("billing_period=2026-09");
    for (int i = 0; i < 4; ++i) {
      const std::vector<Charge> bill = make();
      Import(bill);
      if (i == 1) SetClosed("2026-10", true);
      if (i == 2) Compact();
      const auto corrected = September();
      // The same bill in a home of its own.
      const std::string other = home_ + "_other";
      std::filesystem::rename(home_, home_ + "_kept");
      std::filesystem::create_directories(home_);
      Import(bill);
      const auto plain = September();
      std::filesystem::remove_all(home_);
      std::filesystem::rename(home_ + "_kept", home_);
      EXPECT_EQ(corrected, plain) << "seed " << seed << ", restatement " << i;
    }
    Json now = Ask("billing_period=2026-09");
    EXPECT_EQ(now["rows"], at_close["rows"]) << "the closed period has changed";
    EXPECT_EQ(Ask("billing_period=2026-09", closed)["rows"], at_close["rows"]);
  }
}

}  // namespace
}  // namespace flyball::app
