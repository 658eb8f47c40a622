#include "rates/exchange_store.h"

#include <gtest/gtest.h>

#include "os/sim_files.h"

namespace flyball::rates {
namespace {

class ExchangeStoreTest : public ::testing::Test {
 protected:
  ExchangeStore::Added Add(const std::string& text) {
    Result<ExchangeStore::Added> added = store.Add(text, now);
    EXPECT_TRUE(added.has_value()) << (added ? "" : added.error().ToString());
    return added ? *std::move(added) : ExchangeStore::Added{};
  }
  std::string Usd(std::string_view day) {
    const auto table = store.Table();
    if (!table) return table.error().message;
    const auto quote = (*table)->Find("USD", ParseUserInstant(day).value());
    if (!quote) return std::string(CodeName(quote.error().code));
    return quote->rate.per_euro.ToString() + " " + (*table)->sources()[quote->source].substr(0, 26);
  }

  os::SimFiles files{os::SimFilesOptions{}};
  ExchangeStore store{files, "/home"};
  Instant now = ParseUserInstant("2026-10-07T08:00:00Z").value();
};

TEST_F(ExchangeStoreTest, NothingImportedIsAnEmptyTable) {
  EXPECT_TRUE(store.Table().value()->empty());
  EXPECT_EQ(store.Version().value(), "");
  EXPECT_FALSE(files.Exists("/home"));
}

TEST_F(ExchangeStoreTest, KeepsFilesByteForByte) {
  const std::string text = "Date,USD,\r\n2026-10-06,1.1,\r\n";
  const ExchangeStore::Added added = Add(text);
  EXPECT_FALSE(added.unchanged);
  EXPECT_EQ(added.stored.name, "20261007T080000Z-ecb-" + added.stored.sha256 + ".csv");
  EXPECT_EQ(files.ReadAll("/home/exchange/" + added.stored.name).value(), text);
  EXPECT_EQ(Usd("2026-10-06"), "1.1 exchange/20261007T080000Z-");
  EXPECT_TRUE(Add(text).unchanged);
  EXPECT_EQ(store.List()->size(), 1U);
}

// Of one second, and with a clock that goes back: the later import counts.
TEST_F(ExchangeStoreTest, TheLaterImportCounts) {
  Add("Date,USD,\n2026-10-06,1.1,\n2026-10-05,1,\n");
  const std::string version = store.Version().value();
  EXPECT_EQ(Usd("2026-10-06"), "1.1 exchange/20261007T080000Z-");
  now.us -= kMicrosPerDay;
  EXPECT_EQ(Add("Date,USD,\n2026-10-06,1.3,\n").restated, 1);
  EXPECT_NE(store.Version().value(), version);
  EXPECT_EQ(Usd("2026-10-06"), "1.3 exchange/20261007T080001Z-");
  EXPECT_EQ(Usd("2026-10-05"), "1 exchange/20261007T080000Z-");
  // The first again is no longer what counts: it is imported once more.
  EXPECT_FALSE(Add("Date,USD,\n2026-10-06,1.1,\n2026-10-05,1,\n").unchanged);
  EXPECT_EQ(Usd("2026-10-06"), "1.1 exchange/20261007T080002Z-");
}

// A bank's daily file must not undo what the treasury has fixed.
TEST_F(ExchangeStoreTest, OwnRatesCountAboveTheBanks) {
  Add("Date,USD,\n2026-10-06,1.1,\n2026-10-05,1,\n");
  EXPECT_EQ(store.Add("Date,USD,\n2026-10-06,2,\n", now, true)->restated, 1);
  EXPECT_EQ(Add("Date,USD,\n2026-10-06,1.2,\n2026-10-05,1.3,\n").restated, 1);
  EXPECT_EQ(Usd("2026-10-06").substr(0, 2), "2 ");
  EXPECT_EQ(Usd("2026-10-05").substr(0, 4), "1.3 ");
  EXPECT_TRUE(store.Add("Date,USD,\n2026-10-06,2,\n", now, true)->unchanged);
}

// A daily import of the whole history would else be read a thousand times by each question.
TEST_F(ExchangeStoreTest, FilesWithoutARateThatCountsAreReadNoMore) {
  const std::string first = Add("Date,USD,\n2026-10-05,1,\n").stored.name;
  Add("Date,GBP,\n2026-10-05,0.8,\n");
  EXPECT_EQ(store.List()->size(), 2U);
  Add("Date,USD,\n2026-10-06,1.1,\n2026-10-05,1,\n");
  EXPECT_EQ(store.List()->size(), 2U);
  EXPECT_TRUE(files.Exists("/home/exchange/covered/" + first));
  EXPECT_EQ(Usd("2026-10-05").substr(0, 2), "1 ");
}

TEST_F(ExchangeStoreTest, WhatIsRefusedIsNotKept) {
  EXPECT_EQ(store.Add("Date,USD,\n2026-10-06,?,\n", now).error().place.line, 2);
  EXPECT_FALSE(files.Exists("/home"));
}

TEST_F(ExchangeStoreTest, ADamagedFileIsNotUsed) {
  const ExchangeStore::Added added = Add("Date,USD,\n2026-10-06,1.1,\n");
  const std::string path = "/home/exchange/" + added.stored.name;
  ASSERT_TRUE(os::AtomicWrite(files, path, "Date,USD,\n2026-10-06,1.2,\n").has_value());
  ExchangeStore again(files, "/home");
  EXPECT_EQ(again.Table().error().code, Code::kDataLoss);
}

}  // namespace
}  // namespace flyball::rates
