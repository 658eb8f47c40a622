// flyball forecast of a ledger, as a person runs it: from bills to months, budgets and accuracy, by
// the command alone and through the server.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "support/home_test.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::json;

constexpr char kHeader[] =
    "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,"
    "BillingPeriodStart,ChargeCategory,ChargeClass,ChargeDescription,ChargePeriodEnd,"
    "ChargePeriodStart,ContractedCost,EffectiveCost,InvoiceIssuerName,ListCost,PricingQuantity,"
    "PricingUnit,ProviderName,PublisherName,ServiceCategory,ServiceName,SubAccountId\n";

std::string Charge(const std::string& account, double cost, int month, int day) {
  char row[512];
  std::snprintf(row, sizeof(row),
                "%.4f,1,Main,USD,2026-%02d-01T00:00:00Z,2026-%02d-01T00:00:00Z,Usage,,text,"
                "2026-%02d-%02dT12:00:00Z,2026-%02d-%02dT11:00:00Z,%.4f,%.4f,Vendor,%.4f,1,Hours,"
                "Vendor,Vendor,Compute,Service,%s\n",
                cost, month + 1, month, month, day, month, day, cost, cost, cost, account.c_str());
  return row;
}

// Days of 2026 with a week in them, two accounts, from `first` to `last` of the year.
std::string Bill(int first, int last) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30};
  std::string text = kHeader;
  int month = 1, day = 1;
  for (int i = 1; i < last; ++i) {
    const double week = i % 7 >= 5 ? 0.6 : 1.16;
    const double noise = 1 + 0.02 * ((i * 7919) % 11 - 5);
    if (i >= first) {
      text += Charge("research", 100 * week * noise, month, day);
      text += Charge("product", 40 * week / noise, month, day);
    }
    if (++day > kDays[month - 1]) {
      day = 1;
      ++month;
    }
  }
  return text;
}

class ForecastLedger : public HomeTest {
 protected:
  Json RunJson(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Ended ended = Run(words);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  void Import(int first, int last) {
    const Ended ended = Run({"import", Put("bill.csv", Bill(first, last)), "--source", "vendor"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
};

TEST_F(ForecastLedger, FromBillsToMonthsAndWhatCame) {
  Import(1, 200);  // to 18 July
  const Json made = RunJson({"forecast", "--by", "account", "--horizon", "1mo", "--levels", "80"});
  EXPECT_EQ(made["estimate"], true);
  EXPECT_EQ(made["known_to"], "2026-07-19T00:00:00Z");
  const Json& answer = made["answers"][0];
  EXPECT_EQ(answer["currency"], "USD");
  EXPECT_EQ(answer["months"], Json::array({"2026-07"}));
  ASSERT_EQ(answer["series"].size(), 3u);
  const double whole = answer["series"][0]["months"]["mean"][0];
  EXPECT_NEAR(whole, 31 * 140, 0.03 * 31 * 140);
  EXPECT_NEAR(answer["series"][1]["months"]["mean"][0].get<double>() +
                  answer["series"][2]["months"]["mean"][0].get<double>(),
              whole, 1e-6 * whole);

  const Ended table = Run({"forecast", "--by", "account", "--horizon", "1mo"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_NE(table.out.find("(all)"), std::string::npos) << table.out;
  EXPECT_NE(table.err.find("estimates"), std::string::npos) << table.err;
  const Ended csv = Run({"forecast", "--horizon", "7d", "--levels", "95", "--format", "csv"});
  EXPECT_EQ(csv.out.substr(0, csv.out.find('\n')), "currency,period,mean,lower_95,upper_95");

  Import(152, 245);  // June to August, whole
  const Json accuracy = RunJson({"forecast", "accuracy", "--by", "account"});
  ASSERT_GE(accuracy["vintages"].size(), 1u);
  EXPECT_LT(accuracy["vintages"][0]["whole"]["wmape"].get<double>(), 0.1);
  EXPECT_LT(std::abs(accuracy["vintages"][0]["months"][0]["error"].get<double>()), 0.03);

  const Json backtest = RunJson({"forecast", "backtest", "--horizon", "14d", "--origins", "3"});
  EXPECT_LT(backtest["classes"][0]["wmape"].get<double>(), 0.1);
}

TEST_F(ForecastLedger, TheServerSaysTheSame) {
  Import(1, 200);
  const std::vector<std::string> words{
      "forecast", "--by", "account", "--where", "service_category=Compute", "--horizon", "28d"};
  const Json alone = RunJson(words);
  Running server({"serve", "--home", home(), "--listen", "127.0.0.1:0"});
  ASSERT_NE(server.Port(), 0);
  EXPECT_EQ(RunJson(words), alone);
  EXPECT_EQ(RunJson({"forecast", "accuracy"})["vintages"].size(), 1u);
  // A comma, and an equals sign that is escaped once.
  EXPECT_EQ(RunJson({"forecast", "backtest", "--by", "account,service", "--where",
                     "service_category=Compute", "--horizon", "7d"})["classes"][0]["class"],
            "all");
  EXPECT_EQ(RunJson({"forecast", "outlook"})["budgets"], Json::array());
  EXPECT_EQ(server.Stop(), 0);
}

TEST_F(ForecastLedger, ABudgetIsFollowedAndKnownEventsCount) {
  Import(1, 200);
  const Ended set =
      Run({"budgets", "set", "--scope", "organisation", "--amount", "1000000", "--window", "year"});
  ASSERT_EQ(set.exit_code, 0) << set.err;
  const Json outlook = RunJson({"forecast", "outlook"});
  ASSERT_EQ(outlook["budgets"].size(), 1u);
  EXPECT_EQ(outlook["budgets"][0]["scope"], "organisation");
  EXPECT_EQ(outlook["budgets"][0]["overrun_probability"], 0.0);

  WriteFile(folder.path() / "home" / "estate.yaml",
            "forecast:\n  events:\n"
            "    - { at: 2026-07-20, kind: end, where: { account: product } }\n");
  const Json made = RunJson({"forecast", "--by", "account", "--horizon", "14d"});
  for (const Json& series : made["answers"][0]["series"]) {
    if (series["dimensions"].value("account", "") == "product") {
      EXPECT_GT(series["mean"][0].get<double>(), 1);
      EXPECT_EQ(series["mean"][1].get<double>(), 0);
    }
  }
}

TEST_F(ForecastLedger, WhatIsWrongIsRefused) {
  Import(1, 60);
  for (const auto& [words, says] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"forecast", "--horizon", "soon"}, "horizon"},
           {{"forecast", "--by", "teem"}, "team"},
           {{"forecast", "--levels", "120"}, "levels"},
           {{"forecast", "--where", "team"}, "team"},
           {{"forecast", "--grain", "week"}, "grain"},
           {{"forecast", "--as-of", "nothing"}, "nothing"},
           {{"forecast", "backtest", "--origins", "0"}, "origins"}}) {
    const Ended ended = Run(words);
    EXPECT_EQ(ended.exit_code, 2) << ended.err << ended.out;
    EXPECT_NE(ended.err.find(says), std::string::npos) << ended.err;
  }
  const Ended nothing = Run({"forecast", "--where", "account=none"});
  EXPECT_NE(nothing.exit_code, 0);
  EXPECT_NE(nothing.err.find("nothing was charged"), std::string::npos) << nothing.err;
}

}  // namespace
}  // namespace flyball::tests
