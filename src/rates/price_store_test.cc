#include "rates/price_store.h"

#include <gtest/gtest.h>

#include "os/sim_files.h"
#include "rates/rate.h"
#include "rates/test_prices.h"

namespace flyball::rates {
namespace {

std::string Map(const std::string& price, const std::string& day, const std::string& more = "") {
  return R"({"last_updated":"2026-)" + day +
         R"(T10:00:00+00:00","m":{"litellm_provider":"p",)"
         R"("input_cost_per_token":)" +
         price + "}" + more + "}";
}

std::string Contract(const std::string& name, const std::string& price) {
  return R"({"flyball_prices":1,"contract":")" + name +
         R"(","sources":[{"name":"c","checked":"2026-01-01"}],"models":[{"provider":"p","model":"m",
         "source":"c","prices":[{"per_million":{"input":")" +
         price + R"("}}]}]})";
}

class PriceStoreTest : public ::testing::Test {
 protected:
  PriceStore::Added Add(const std::string& text) {
    now.us += 3 * kMicrosPerSecond;
    Result<PriceStore::Added> added = store.Add(text, now);
    EXPECT_TRUE(added.has_value()) << (added ? "" : added.error().ToString());
    return added ? *std::move(added) : PriceStore::Added{};
  }
  std::string Price(std::string_view at, std::string_view model = "m") {
    Result<std::vector<Layer>> layers = store.Layers();
    EXPECT_TRUE(layers.has_value()) << (layers ? "" : layers.error().ToString());
    const PriceBook book = BookOf(*std::move(layers));
    const Result<PriceHit> hit = book.Find({"", model, On(at), ""});
    if (!hit) return std::string(CodeName(hit.error().code));
    return FindUnitPrice(*hit, ServiceTier::kStandard, 1, Bucket::kInput)->price.ToString();
  }

  os::SimFiles files{os::SimFilesOptions{}};
  PriceStore store{files, "/home"};
  Instant now = On("2026-11-25");
};

TEST_F(PriceStoreTest, NothingImportedLeavesTheBuiltInList) {
  EXPECT_TRUE(store.List()->empty());
  EXPECT_EQ(Price("2026-11-25", "claude-3-7-sonnet"), "0.000003");
  EXPECT_FALSE(files.Exists("/home"));
}

TEST_F(PriceStoreTest, TheSameFileAgainChangesNothing) {
  const PriceStore::Added first = Add(Map("1e-6", "03-01"));
  EXPECT_FALSE(first.unchanged);
  const PriceStore::Added again = Add(Map("1e-6", "03-01"));
  EXPECT_TRUE(again.unchanged);
  EXPECT_EQ(again.prices.name, first.prices.name);
  EXPECT_EQ(store.List()->size(), 1U);
  // After another one it is a change again.
  Add(Map("2e-6", "04-01"));
  EXPECT_FALSE(Add(Map("1e-6", "03-01")).unchanged);
  EXPECT_EQ(store.List()->size(), 3U);
}

TEST_F(PriceStoreTest, EachMapHoldsFromItsCheckAndTheOldestBefore) {
  Add(Map("1e-6", "03-01", R"(,"old":{"litellm_provider":"p","input_cost_per_token":7e-6})"));
  Add(Map("2e-6", "04-01"));
  EXPECT_EQ(Price("2026-04-01"), "0.000002");
  EXPECT_EQ(Price("2026-03-31"), "0.000001");
  EXPECT_EQ(Price("2020-01-01"), "0.000001");
  EXPECT_EQ(Price("2026-11-01", "old"), "0.000007");
}

TEST_F(PriceStoreTest, TheListThatWasCheckedLastComesFirstAndContractsBeforeAll) {
  Add(Map("2e-6", "04-01"));
  Add(Map("1e-6", "03-01"));  // imported later, but checked in March
  EXPECT_EQ(Price("2026-11-25"), "0.000002");
  Add(Contract("ACME", "4"));
  EXPECT_EQ(Price("2026-11-25"), "0.000004");
  Add(Contract("ACME", "3"));  // a newer file of the same contract
  EXPECT_EQ(Price("2026-11-25"), "0.000003");
}

// A document that states no day may be old, however lately it was imported.
TEST_F(PriceStoreTest, AListOfNoDayComesBehindThoseOfOne) {
  const auto document = [](int price) {
    return fmt::format(
        R"([{{"id":"p","models":[{{"id":"m","match":{{"equals":"m"}},"prices":{{"input_mtok":{}}}}}]}}])",
        price);
  };
  Add(document(4));
  Add(document(5));
  EXPECT_EQ(Price("2026-11-25"), "0.000005") << "of two the one that was imported last";
  Add(Map("1e-6", "03-01"));
  Add(document(6));
  EXPECT_EQ(Price("2026-11-25"), "0.000001");
  EXPECT_EQ(Price("2026-02-01"), "0.000006") << "before the map's day the document is asked";
}

TEST_F(PriceStoreTest, AnImportedPriceThatNamesNoPageIsReadInItsFile) {
  const PriceStore::Added added = Add(Map("1e-6", "03-01"));
  const PriceFile loaded = store.Load(added.prices).value();
  EXPECT_EQ(loaded.layer.sources[0].url, "prices/" + added.prices.name);
}

TEST_F(PriceStoreTest, ABadFileLeavesNothing) {
  EXPECT_EQ(store.Add("{}", now).error().code, Code::kInvalidArgument);
  EXPECT_FALSE(files.Exists("/home/prices"));
}

TEST_F(PriceStoreTest, AFileThatWasChangedIsNotBelieved) {
  const PriceStore::Added added = Add(Map("1e-6", "03-01"));
  ASSERT_TRUE(os::AtomicWrite(files, "/home/prices/" + added.prices.name, Map("9e-6", "03-01")));
  EXPECT_EQ(store.Layers().error().code, Code::kDataLoss);
}

TEST_F(PriceStoreTest, ImportsAreFoundByTheBeginningOfTheirHash) {
  const PriceStore::Added added = Add(Map("1e-6", "03-01"));
  EXPECT_EQ(store.Find(added.prices.id)->name, added.prices.name);
  EXPECT_EQ(store.Find(added.prices.name)->sha256, added.prices.sha256);
  EXPECT_EQ(store.Find("zz").error().code, Code::kNotFound);
  EXPECT_EQ(store.Find("").error().code, Code::kNotFound);
  // What else lies in the folder is passed over.
  ASSERT_TRUE(os::AtomicWrite(files, "/home/prices/notes.txt", "mine"));
  ASSERT_TRUE(os::AtomicWrite(files, "/home/prices/20261125T000000Z-litellm-abc.json", "{}"));
  EXPECT_EQ(store.List()->size(), 1U);
}

TEST_F(PriceStoreTest, APowerCutLeavesAnImportWholeOrNone) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    for (uint64_t operations = 0; operations < 12; ++operations) {
      os::SimFilesOptions options;
      options.seed = seed;
      os::SimFiles disk(options);
      PriceStore on_disk(disk, "/home");
      ASSERT_TRUE(on_disk.Add(Map("1e-6", "03-01"), now).has_value());
      disk.CutPowerAfter(operations);
      const bool done = on_disk.Add(Map("2e-6", "04-01"), now).has_value();
      disk.PowerCut();
      const std::vector<StoredPrices> after = on_disk.List().value();
      ASSERT_GE(after.size(), done ? 2U : 1U);
      for (const StoredPrices& prices : after) {
        ASSERT_TRUE(on_disk.Load(prices).has_value()) << seed << " " << operations;
      }
    }
  }
}

TEST_F(PriceStoreTest, ThereIsALimitOfImports) {
  for (size_t i = 0; i < kPriceImportsMax; ++i) Add(Map(std::to_string(i + 1) + "e-6", "03-01"));
  now.us += kMicrosPerSecond;
  EXPECT_EQ(store.Add(Map("1e-3", "03-01"), now).error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace flyball::rates
