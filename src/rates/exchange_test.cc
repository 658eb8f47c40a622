#include "rates/exchange.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/ratio.h"
#include "base/text.h"
#include "os/files.h"

namespace flyball::rates {
namespace {

constexpr std::string_view kHistory =
    "Date,USD,JPY,CNY,TRL,\n"
    "2026-10-06,1.1,160.5,7.9,N/A,\n"
    "2026-10-05,1.0950,160,7.85,N/A,\n"
    "2026-10-02,1.25,158.25,7.8,N/A,\n"
    "2004-12-31,1.3621,139.65,N/A,1836200,\n";

Instant Day(std::string_view text) { return ParseUserInstant(text).value(); }

ExchangeFile Read(std::string_view text) {
  Result<ExchangeFile> file = ReadExchangeFile(text);
  EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().ToString());
  return file ? *std::move(file) : ExchangeFile{};
}

ExchangeTable TableOf(std::string_view text = kHistory) {
  ExchangeTable table;
  table.Add("exchange/a.csv", Read(text));
  return table;
}

std::string PerEuro(const ExchangeTable& table, std::string_view currency, std::string_view day) {
  const auto quote = table.Find(currency, Day(day));
  return quote ? quote->rate.per_euro.ToString() + " of " + FormatDate(quote->rate.day)
               : quote.error().message;
}

std::string Convert(const ExchangeTable& table, std::string_view amount, std::string_view from,
                    std::string_view to, std::string_view day) {
  const auto rate = table.Between(from, to, Day(day));
  if (!rate) return rate.error().message;
  const auto money = TimesRatio(Money::Parse(amount).value(), rate->numerator, rate->denominator);
  return money ? money->ToString() : money.error().message;
}

TEST(ExchangeFileTest, ReadsTheHistory) {
  const ExchangeFile file = Read(kHistory);
  EXPECT_EQ(file.format, ExchangeFormat::kEcb);
  EXPECT_EQ(file.rates.size(), 4U);
  EXPECT_EQ(file.stated, 12);
  EXPECT_EQ(file.missing, 4);
  EXPECT_EQ(FormatDate(file.first_day), "2004-12-31");
  EXPECT_EQ(FormatDate(file.last_day), "2026-10-06");
  EXPECT_EQ(file.rates.at("USD").front().per_euro.ToString(), "1.3621");  // by day
  EXPECT_EQ(file.rates.at("TRL").size(), 1U);
}

TEST(ExchangeFileTest, ReadsTheFileOfOneDay) {
  const ExchangeFile file = Read("Date, USD, JPY, \r\n02 October 2026, 1.1745, 158.25, \r\n");
  EXPECT_EQ(FormatDate(file.first_day), "2026-10-02");
  EXPECT_EQ(file.first_day, file.last_day);
  EXPECT_EQ(file.rates.at("JPY").front().per_euro.ToString(), "158.25");
  EXPECT_EQ(Read("Date,USD\n29 February 2028,1.5\n").first_day, Day("2028-02-29"));
}

TEST(ExchangeFileTest, ReadsTheDataPortal) {
  const ExchangeFile file = Read(
      "\xEF\xBB\xBFKEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,"
      "TITLE\n"
      "EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2026-10-01,1.2,\"US dollar, \"\"noon\"\"\"\n"
      "EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2026-10-02,,US dollar\n"
      "EXR.D.CHF.EUR.SP00.A,D,CHF,EUR,SP00,A,2026-10-02,0.93,Swiss franc\n");
  EXPECT_EQ(file.format, ExchangeFormat::kEcbData);
  EXPECT_EQ(file.stated, 2);
  EXPECT_EQ(file.missing, 1);
  EXPECT_EQ(file.rates.at("CHF").front().per_euro.ToString(), "0.93");
}

struct BadFile {
  std::string_view text;
  int64_t line;
  std::string_view says;
};

class BadExchangeFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadExchangeFileTest, IsRefusedWithItsLineAndARemedy) {
  const Result<ExchangeFile> file = ReadExchangeFile(GetParam().text);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, Code::kInvalidArgument);
  EXPECT_EQ(file.error().place.line, GetParam().line) << file.error().ToString();
  EXPECT_NE(file.error().message.find(GetParam().says), std::string::npos)
      << file.error().ToString();
  EXPECT_FALSE(file.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, BadExchangeFileTest,
    ::testing::Values(
        BadFile{"", 0, "is empty"}, BadFile{"PK\x03\x04xyz", 1, "ZIP"},
        BadFile{"model,price\nx,1\n", 1, "no file of exchange rates"},
        BadFile{"Date,USD,USD,\n", 1, "two columns"}, BadFile{"Date,usd,\n", 1, "no currency"},
        BadFile{"Date,EUR,\n", 1, "no currency"}, BadFile{"Date,USD,\n", 0, "no exchange rate"},
        BadFile{"Date,USD,\n2026-10-02,N/A,\n", 0, "no exchange rate"},
        BadFile{"Date,USD,\n\n2026-10-02,1,2,\n", 3, "3 cells and the header 2"},
        BadFile{"Date,USD,JPY,\n2026-10-02,1\n", 2, "2 cells and the header 3"},
        BadFile{"Date,USD,\n2026-02-30,1,\n", 2, "no day"},
        BadFile{"Date,USD,\n02.10.2026,1,\n", 2, "no day"},
        BadFile{"Date,USD,\n2026-10-02,-1,\n", 2, "no rate of USD for 2026-10-02"},
        BadFile{"Date,USD,\n2026-10-02,0,\n", 2, "no rate"},
        BadFile{"Date,USD,\n2026-10-02,1.1.1,\n", 2, "no rate"},
        BadFile{"Date,USD,\n2026-10-02,1.0000000000001,\n", 2, "no rate"},
        BadFile{"Date,USD,\n2026-10-02,1e12,\n", 2, "no rate"},
        BadFile{"Date,USD,\n2026-10-02,1,\n2026-10-02,2,\n", 0, "USD for 2026-10-02 stands twice"},
        BadFile{"Date,USD,\n2026-10-02,\"1,\n", 2, "no end"},
        BadFile{"FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\nM,USD,2026-10,1.1\n", 2, "FREQ is 'M'"},
        BadFile{"FREQ,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\nD,USD,GBP,2026-10-02,1\n", 2,
                "CURRENCY_DENOM is 'GBP'"}));

TEST(ExchangeTableTest, ADayWithoutRatesTakesTheLastBefore) {
  const ExchangeTable table = TableOf();
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-05"), "1.095 of 2026-10-05");
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-04"), "1.25 of 2026-10-02");  // a Sunday
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-16"), "1.1 of 2026-10-06");   // ten days later
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-17"),
            "there is no exchange rate of USD for 2026-10-17: the last before it is of 2026-10-06, "
            "more than 10 days back");
  EXPECT_EQ(PerEuro(table, "USD", "2004-12-30"),
            "there is no exchange rate of USD for 2004-12-30: the first is of 2004-12-31");
  EXPECT_EQ(PerEuro(table, "GBP", "2026-10-05"),
            "there is no exchange rate of GBP for 2026-10-05: no imported file has this currency");
  EXPECT_EQ(PerEuro(ExchangeTable(), "USD", "2026-10-05"),
            "there is no exchange rate of USD for 2026-10-05: none were imported");
  EXPECT_FALSE(table.Find("USD", Day("2026-10-17")).error().hint.empty());
  EXPECT_EQ(table.Find("USD", Day("2026-10-17")).error().code, Code::kFailedPrecondition);
}

// By hand: 10 / 1.25 = 8; 10 x 1.25 = 12.5; 10 / 1.25 x 158.25 = 1266; 158.25 yen are 1.25 dollars;
// 1 / 1.095 = 0.91324200913242...; 1 / 7.8 = 0.128205128205128...
TEST(ExchangeTableTest, ConvertsThroughTheEuroAndRoundsOnce) {
  const ExchangeTable table = TableOf();
  EXPECT_EQ(Convert(table, "10", "USD", "EUR", "2026-10-02"), "8");
  EXPECT_EQ(Convert(table, "10", "EUR", "USD", "2026-10-02"), "12.5");
  EXPECT_EQ(Convert(table, "10", "USD", "JPY", "2026-10-02"), "1266");
  EXPECT_EQ(Convert(table, "-158.25", "JPY", "USD", "2026-10-02"), "-1.25");
  EXPECT_EQ(Convert(table, "1", "USD", "EUR", "2026-10-05"), "0.913242009132");
  EXPECT_EQ(Convert(table, "1", "CNY", "EUR", "2026-10-02"), "0.128205128205");
  EXPECT_EQ(Convert(table, "0.000000000001", "EUR", "USD", "2026-10-02"), "0.000000000001");
  EXPECT_EQ(Convert(table, "123.456", "USD", "USD", "1980-01-01"), "123.456");  // no rate needed
  EXPECT_EQ(Convert(table, "1836200", "TRL", "EUR", "2005-01-01"), "1");
  // Halves go to the even digit: 0.000000000002 x 1.25 = 2.5 and 6 x 1.25 = 7.5 units of 1e-12.
  EXPECT_EQ(Convert(table, "0.000000000002", "EUR", "USD", "2026-10-02"), "0.000000000002");
  EXPECT_EQ(Convert(table, "-0.000000000006", "EUR", "USD", "2026-10-02"), "-0.000000000008");
}

TEST(ExchangeTableTest, APairNamesItsDayAndItsFiles) {
  ExchangeTable table = TableOf("Date,USD,\n2026-10-05,1.1,\n");
  table.Add("exchange/b.csv", Read("Date,CNY,\n2026-10-06,7.9,\n"));
  const auto pair = table.Between("USD", "CNY", Day("2026-10-07"));
  ASSERT_TRUE(pair.has_value()) << pair.error().ToString();
  EXPECT_EQ(pair->day, Day("2026-10-05"));  // the older
  EXPECT_EQ(pair->sources, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(table.Currencies(), (std::vector<std::string>{"CNY", "EUR", "USD"}));
  EXPECT_TRUE(ExchangeTable().Currencies().empty());
}

TEST(ExchangeTableTest, WhatWasImportedLaterCounts) {
  const ExchangeTable first = TableOf();
  ExchangeTable table = first;
  table.Add("b", Read("Date,USD,\n2026-10-07,1.3,\n2026-10-05,1.2,\n2026-10-02,1.25,\n"));
  EXPECT_EQ(table.CountOtherThan(first), 1);
  EXPECT_TRUE(table.Uses(0));
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-05"), "1.2 of 2026-10-05");
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-06"), "1.1 of 2026-10-06");  // kept
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-07"), "1.3 of 2026-10-07");
  EXPECT_EQ(table.All("USD").size(), 5U);
  // What a later file has no rate for stays as it is.
  const ExchangeTable second = table;
  table.Add("c", Read("Date,USD,JPY,\n2026-10-05,N/A,1,\n"));
  EXPECT_EQ(table.CountOtherThan(second), 1);
  EXPECT_EQ(PerEuro(table, "USD", "2026-10-05"), "1.2 of 2026-10-05");
}

TEST(ExchangeTableTest, JsonHasTheNewestOrThoseOfADay) {
  const ExchangeTable table = TableOf();
  EXPECT_NE(ExchangeJson(table, std::nullopt)
                .find(R"({"currency":"USD","per_euro":"1.1","day":"2026-10-06",)"
                      R"("first_day":"2004-12-31","last_day":"2026-10-06",)"
                      R"("source":"exchange/a.csv"})"),
            std::string::npos);
  const std::string then = ExchangeJson(table, Day("2026-10-04"));
  EXPECT_NE(then.find(R"("per_euro":"1.25","day":"2026-10-02")"), std::string::npos) << then;
  EXPECT_EQ(then.find("TRL"), std::string::npos) << then;  // no more
  EXPECT_EQ(ExchangeJson(ExchangeTable(), std::nullopt),
            R"({"base":"EUR","currencies":[],"sources":[]})");
}

std::string SharedFile(const std::string& name) {
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  if (shared == nullptr) return "";
  const auto files = os::MakeRealFiles();
  return files->ReadAll(os::JoinPath(os::JoinPath(shared, "exchange"), name)).value_or("");
}

// The whole history as the bank published it, cell by cell, and the file of its last day.
TEST(ExchangeRealFileTest, EveryCellIsTheRateThatItSays) {
  const std::string text = SharedFile("eurofxref-hist.csv");
  if (text.empty()) GTEST_SKIP() << "exchange/eurofxref-hist.csv is not in FLYBALL_SHARED_DATA";
  const ExchangeTable table = TableOf(text);
  const std::vector<std::string_view> lines = SplitText(text, '\n');
  const std::vector<std::string_view> header = SplitText(lines[0], ',');
  Instant newer{};
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> cells = SplitText(lines[i], ',');
    if (cells.size() < 2) continue;
    const Instant day = Day(cells[0]);
    if (i > 1) {
      EXPECT_LE(newer.us - day.us, 5 * kMicrosPerDay) << cells[0];
    }
    newer = day;
    for (size_t c = 1; c < cells.size(); ++c) {
      if (cells[c].empty()) continue;
      const auto quote = table.Find(header[c], day);
      const bool has_own = quote && quote->rate.day == day;
      ASSERT_EQ(has_own, cells[c] != "N/A") << header[c] << ' ' << cells[0];
      if (has_own) {
        ASSERT_EQ(quote->rate.per_euro, Money::Parse(cells[c]).value());
      }
    }
  }
  const std::string last = SharedFile("eurofxref.csv");
  ASSERT_FALSE(last.empty());
  ExchangeTable both = table;
  both.Add("exchange/day.csv", Read(last));
  EXPECT_EQ(both.CountOtherThan(table), 0);  // says the same
}

// There and back again loses half a unit of the last place in each step, the first of them scaled
// by the way back.
TEST(ExchangeTableTest, RoundTripsStayWithinTheirBound) {
  const ExchangeTable table = TableOf();
  std::mt19937_64 random(20261002);
  const std::vector<std::string> currencies = {"EUR", "USD", "JPY", "CNY"};
  for (int i = 0; i < 2000; ++i) {
    const std::string& from = currencies[random() % 4];
    const std::string& to = currencies[random() % 4];
    const Money amount = Money::FromUnits(static_cast<int128>(random()) * (i % 2 == 0 ? 1 : -1000));
    const auto there = table.Between(from, to, Day("2026-10-02"));
    const auto back = table.Between(to, from, Day("2026-10-02"));
    ASSERT_TRUE(there && back);
    const Money changed = TimesRatio(amount, there->numerator, there->denominator).value();
    const Money again = TimesRatio(changed, back->numerator, back->denominator).value();
    int128 off = again.units() - amount.units();
    if (off < 0) off = -off;
    // off <= 1/2 x back + 1/2
    EXPECT_LE(2 * off * back->denominator, back->numerator + back->denominator)
        << amount.ToString() << ' ' << from << ' ' << to;
  }
}

}  // namespace
}  // namespace flyball::rates
