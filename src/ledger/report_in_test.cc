#include "ledger/report_in.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/ratio.h"
#include "ledger/naive.h"
#include "ledger/test_answer.h"

namespace flyball::ledger {
namespace {

// Fri 2, Mon 5, Tue 6 October 2026.
constexpr std::string_view kRates =
    "Date,USD,CNY,\n"
    "2026-10-06,1.1,8.8,\n"
    "2026-10-05,1.6,8,\n"
    "2026-10-02,1.25,7.5,\n";

rates::ExchangeTable Rates(std::string_view text = kRates) {
  rates::ExchangeTable table;
  table.Add("exchange/rates.csv", rates::ReadExchangeFile(text).value());
  return table;
}

Instant At(std::string_view text) { return ParseUserInstant(text).value(); }

NaiveCharge Charge(const char* provider, const char* currency, const char* cost,
                   std::string_view start) {
  NaiveCharge charge;
  charge.columns["ServiceProviderName"] = provider;
  charge.columns["BillingCurrency"] = currency;
  charge.columns["ConsumedUnit"] = "Tokens";
  charge.measures["billed_cost"] = charge.measures["effective_cost"] =
      Money::Parse(cost).value().units();
  charge.measures["usage"] = 1'000'000'000'000'000;
  charge.start = At(start);
  return charge;
}

std::vector<NaiveCharge> Bill() {
  return {Charge("A", "USD", "10", "2026-10-02T23:30:00Z"),  // 8 EUR
          Charge("A", "USD", "10", "2026-10-04"),            // a Sunday: 8 EUR
          Charge("A", "USD", "16", "2026-10-05"),            // 10 EUR
          Charge("B", "CNY", "88", "2026-10-06"),            // 10 EUR
          Charge("B", "EUR", "7", "2026-10-06"),
          Charge("C", "USD", "-1.1", "2026-10-06T12:00:00Z"),  // -1 EUR
          Charge("C", "XXX", "0", "2026-10-06")};              // ISO 4217's "no currency": a sum
                                                               // of zero needs no rate
}

Result<QueryAnswer> Answer(const std::string& json, const std::vector<NaiveCharge>& charges,
                           const rates::ExchangeTable& table) {
  const CostQuery query = FB_TRY(ParseQueryJson(json));
  return ReportIn(query, FB_TRY(AnswerNaively(ReportingQuery(query), charges)), table);
}

TEST(ReportIn, ConvertsEachDayAtItsRate) {
  const rates::ExchangeTable table = Rates();
  EXPECT_EQ(Text(Answer(R"({"measures":["billed_cost"],"currency":"EUR"})", Bill(), table)),
            "EUR 42");
  EXPECT_EQ(
      Text(Answer(R"({"measures":["billed_cost"],"grain":"day","currency":"EUR"})", Bill(), table)),
      "2026-10-02 EUR 8 | 2026-10-04 EUR 8 | 2026-10-05 EUR 10 | 2026-10-06 EUR 16");
  EXPECT_EQ(Text(Answer(R"({"measures":["billed_cost"],"grain":"week","currency":"EUR"})", Bill(),
                        table)),
            "2026-09-28 EUR 16 | 2026-10-05 EUR 26");
  EXPECT_EQ(Text(Answer(R"({"measures":["billed_cost"],"grain":"hour","currency":"EUR"})", Bill(),
                        table)),
            "2026-10-02T23:00:00Z EUR 8 | 2026-10-04T00:00:00Z EUR 8 | 2026-10-05T00:00:00Z EUR 10 "
            "| 2026-10-06T00:00:00Z EUR 17 | 2026-10-06T12:00:00Z EUR -1");
  // Through the euro: 7 EUR are 61.6 CNY, -1.1 USD are -8.8, 10 USD are 60, twice, 16 USD are 80.
  EXPECT_EQ(Text(Answer(R"({"measures":["billed_cost"],"currency":"CNY"})", Bill(), table)),
            "CNY 340.8");
}

TEST(ReportIn, RanksAndCutsWhatWasConverted) {
  const rates::ExchangeTable table = Rates();
  // As billed, B's 88 CNY would come before all else.
  EXPECT_EQ(Text(Answer(R"({"measures":["billed_cost"],"by":["provider"],"currency":"EUR"})",
                        Bill(), table)),
            "A EUR 26 | B EUR 17 | C EUR -1");
  EXPECT_EQ(Text(Answer(R"({"measures":["charges","usage"],"by":["provider"],"top":1,
                            "basis":"billed","currency":"EUR"})",
                        Bill(), table)),
            "A Tokens EUR 3 3 | (other) Tokens EUR 4 4");
}

TEST(ReportIn, ShowsRatesAndWhatWasBilled) {
  const auto answer =
      Answer(R"({"measures":["charges","billed_cost"],"currency":"EUR"})", Bill(), Rates());
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  ASSERT_TRUE(answer->conversion.has_value());
  const Conversion& conversion = *answer->conversion;
  EXPECT_EQ(conversion.currency, "EUR");
  EXPECT_EQ(conversion.measures, std::vector<std::string>{"billed_cost"});
  EXPECT_EQ(conversion.billed.at("USD").front(), Money::Parse("34.9").value().units());
  EXPECT_EQ(conversion.billed.at("EUR").front(), Money::Parse("7").value().units());
  ASSERT_EQ(conversion.rates.size(), 2U);
  const UsedRate& usd = conversion.rates[1];
  EXPECT_EQ(usd.billed, "USD");
  EXPECT_EQ(usd.lowest.ToString(), "0.625");
  EXPECT_EQ(usd.highest.ToString(), "0.909090909091");
  EXPECT_EQ(usd.first_day, At("2026-10-02"));
  EXPECT_EQ(usd.last_day, At("2026-10-06"));
  EXPECT_EQ(usd.rates_to, At("2026-10-06"));
  EXPECT_EQ(usd.days, 4);
  EXPECT_EQ(usd.days_carried, 1);
  EXPECT_EQ(usd.sources, std::vector<std::string>{"exchange/rates.csv"});
  EXPECT_NE(AnswerJson(*answer).find(
                R"("conversion":{"currency":"EUR","billed":{"CNY":{"billed_cost":"88"},)"),
            std::string::npos);
  const std::string table = AnswerTable(*answer);
  EXPECT_NE(table.find("billed in USD: billed_cost 34.90\n"), std::string::npos) << table;
  EXPECT_NE(table.find("converted at 1 USD = 0.625 to 0.909090909091 EUR, charges of 2026-10-02 to "
                       "2026-10-06 at rates of 2026-10-02 to 2026-10-06, 1 of 4 days at the last "
                       "rate before\n  from exchange/rates.csv\n"),
            std::string::npos)
      << table;
}

TEST(ReportIn, AMissingRateIsAnErrorAndNothingToConvertNeedsNone) {
  const char* in_eur = R"({"measures":["billed_cost"],"currency":"EUR"})";
  EXPECT_EQ(Text(Answer(in_eur, {Charge("A", "USD", "1", "2026-10-01")}, Rates())),
            "there is no exchange rate of USD for 2026-10-01: the first is of 2026-10-02");
  EXPECT_EQ(Text(Answer(in_eur, {Charge("A", "XXX", "1", "2026-10-06")}, Rates())),
            "there is no exchange rate of XXX for 2026-10-06: no imported file has this currency");
  EXPECT_EQ(Text(Answer(in_eur, {Charge("A", "EUR", "1.5", "1980-01-01")}, {})), "EUR 1.5");
  const auto empty = Answer(in_eur, {}, {});
  ASSERT_TRUE(empty.has_value()) << empty.error().ToString();
  EXPECT_TRUE(empty->rows.empty());
  EXPECT_TRUE(empty->conversion->rates.empty());
}

TEST(ReportIn, TheQuestionIsChecked) {
  const auto message = [](const char* json) {
    const auto query = ParseQueryJson(json);
    return query ? "" : query.error().message + " (" + query.error().hint + ")";
  };
  EXPECT_EQ(message(R"({"measures":["charges"],"currency":"eur"})"),
            "currency: 'eur' is no currency to report in (did you mean 'EUR'?)");
  EXPECT_EQ(message(R"({"measures":["charges"],"currency":"credits"})"),
            "currency: 'credits' is no currency to report in (the three letters of ISO 4217, such "
            "as EUR)");
  EXPECT_NE(message(R"({"measures":["charges"],"by":["currency"],"currency":"EUR"})"), "");
  const CostQuery query = ParseQueryJson(R"({"measures":["charges"],"currency":"EUR"})").value();
  EXPECT_EQ(CanonicalJson(query), R"({"measures":["charges"],"currency":"EUR"})");
  EXPECT_NE(QueryHash(query), QueryHash(ReportingQuery(query)));
}

// Days, weeks, months and the whole agree to the last digit; hours, and other groups, to half a
// unit of 1e-12 a converted sum.
TEST(ReportIn, GrainsAgree) {
  const rates::ExchangeTable table = Rates();
  Random random(11);
  for (int life = 0; life < 50; ++life) {
    std::vector<NaiveCharge> charges;
    for (uint64_t n = 1 + random.Below(60); n > 0; --n) {
      const char* currencies[] = {"USD", "CNY", "EUR"};
      const char* providers[] = {"A", "B"};
      NaiveCharge& charge = charges.emplace_back(
          Charge(providers[random.Below(2)], currencies[random.Below(3)], "0", "2026-10-02"));
      charge.start.us += random.Between(0, 200) * kMicrosPerHour;
      charge.measures["billed_cost"] = random.Between(-1'000'000, 1'000'000'000'000'000);
    }
    const auto total = [&](const std::string& more) {
      const auto answer =
          Answer(R"({"measures":["billed_cost"],"currency":"USD")" + more + "}", charges, table);
      EXPECT_TRUE(answer.has_value()) << (answer ? "" : answer.error().ToString());
      return answer ? answer->totals.at("USD").front() : 0;
    };
    const int128 whole = total("");
    for (const char* grain : {"day", "week", "month"}) {
      EXPECT_EQ(total(std::string(R"(,"grain":")") + grain + "\""), whole) << grain;
    }
    const auto bound = static_cast<int128>(charges.size());  // converted sums on both sides
    for (const char* more : {R"(,"grain":"hour")", R"(,"by":["provider"])"}) {
      const int128 off = total(more) - whole;
      EXPECT_LE(off, bound) << more;
      EXPECT_GE(off, -bound) << more;
    }
  }
}

}  // namespace
}  // namespace flyball::ledger
