// `flyball exchange` and `flyball query --in` as a person or a program meets them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/home_test.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kRates[] =
    "Date,USD,JPY,\n"
    "2026-10-06,1.1,160,\n"
    "2026-10-05,1.6,150,\n"
    "2026-10-02,1.25,N/A,\n";

std::string Charge(const std::string& cost, const std::string& currency, const std::string& day) {
  return cost + ",1,Main," + currency + ",2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,Usage,,text," +
         day + "T23:00:00Z," + day + "T22:00:00Z," + cost + "," + cost + ",Vendor," + cost +
         ",1,Hours,Vendor,Vendor,Compute,Service,42\n";
}

class Exchange : public HomeTest {
 protected:
  Json RunJson(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Ended ended = Run(words);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  void ImportBill() {
    const std::string bill = Put(
        "bill.csv",
        "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,"
        "BillingPeriodStart,ChargeCategory,ChargeClass,ChargeDescription,ChargePeriodEnd,"
        "ChargePeriodStart,ContractedCost,EffectiveCost,InvoiceIssuerName,ListCost,PricingQuantity,"
        "PricingUnit,ProviderName,PublisherName,ServiceCategory,ServiceName,SubAccountId\n" +
            Charge("10", "USD", "2026-10-02") + Charge("10", "USD", "2026-10-04") +
            Charge("16", "USD", "2026-10-05") + Charge("7", "EUR", "2026-10-05"));
    const Ended ended = Run({"import", bill, "--source", "vendor"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
};

TEST_F(Exchange, ImportsAndShows) {
  const std::string file = Put("eurofxref-hist.csv", kRates);
  Json imported = RunJson({"exchange", "import", file})["imports"][0];
  EXPECT_EQ(imported["format"], "ecb");
  EXPECT_EQ(imported["currencies"], 2);
  EXPECT_EQ(imported["rates"], 5);
  EXPECT_EQ(imported["missing"], 1);
  EXPECT_EQ(imported["last_day"], "2026-10-06");
  EXPECT_FALSE(imported["unchanged"].get<bool>());
  EXPECT_TRUE(RunJson({"exchange", "import", file})["imports"][0]["unchanged"].get<bool>());

  const Json all = RunJson({"exchange", "show"});
  EXPECT_EQ(all["base"], "EUR");
  EXPECT_EQ(all["currencies"].size(), 2U);
  EXPECT_EQ(all["currencies"][1]["per_euro"], "1.1");
  const Json days = RunJson({"exchange", "show", "USD", "--limit", "2"});
  EXPECT_EQ(days["rates"].size(), 2U);
  EXPECT_EQ(days["rates"][0]["day"], "2026-10-06");
  const Json sunday = RunJson({"exchange", "show", "USD", "--at", "2026-10-04"});
  EXPECT_EQ(sunday["rates"][0]["day"], "2026-10-02");
  EXPECT_EQ(sunday["rates"][0]["per_euro"], "1.25");
  const Ended table = Run({"exchange", "show", "USD"});
  EXPECT_NE(table.out.find("2026-10-05"), std::string::npos) << table.out;
}

TEST_F(Exchange, ReportsInOneCurrency) {
  ImportBill();
  const Ended none = Run({"query", "--in", "EUR"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_NE(none.err.find("there is no exchange rate of USD for 2026-10-02"), std::string::npos)
      << none.err;
  EXPECT_NE(none.err.find("flyball exchange import"), std::string::npos) << none.err;

  RunJson({"exchange", "import", Put("rates.csv", kRates)});
  const Json answer = RunJson({"query", "--in", "EUR", "--grain", "month"});
  EXPECT_EQ(answer["currency"], "EUR");
  EXPECT_EQ(answer["totals"]["effective_cost"], "33");
  EXPECT_EQ(answer["conversion"]["billed"].dump(),
            R"({"EUR":{"effective_cost":"7"},"USD":{"effective_cost":"36"}})");
  EXPECT_EQ(answer["conversion"]["rates"][0]["lowest"], "0.625");
  EXPECT_EQ(answer["conversion"]["rates"][0]["days_carried"], 1);
  EXPECT_EQ(RunJson({"query", "--in", "EUR", "--grain", "day"})["totals"]["effective_cost"], "33");

  const Ended table = Run({"query", "--in", "EUR"});
  EXPECT_NE(table.out.find("billed in USD: effective_cost 36.00"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("converted at 1 USD = 0.625 to 0.8 EUR"), std::string::npos)
      << table.out;
  // As billed, as ever.
  EXPECT_EQ(RunJson({"query"})["totals_by_currency"]["USD"]["effective_cost"], "36");
}

TEST_F(Exchange, RefusesWithPlaceAndRemedy) {
  const Ended row = Run({"exchange", "import", Put("bad.csv", "Date,USD,\n2026-10-02,one,\n")});
  EXPECT_EQ(row.exit_code, 2);
  EXPECT_NE(row.err.find("bad.csv:2"), std::string::npos) << row.err;
  EXPECT_NE(row.err.find("'one' is no rate of USD"), std::string::npos) << row.err;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "home"));
  EXPECT_EQ(Run({"exchange", "show"}).exit_code, 2);
  EXPECT_EQ(Run({"exchange", "show", "usd"}).exit_code, 2);
  EXPECT_EQ(Run({"query", "--in", "euro"}).exit_code, 2);
  EXPECT_EQ(Run({"exchange", "import", folder.path().string()}).exit_code, 2);
}

}  // namespace
}  // namespace flyball::tests
