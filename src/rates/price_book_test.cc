#include "rates/price_book.h"

#include <gtest/gtest.h>

#include "rates/rate.h"
#include "rates/test_prices.h"

namespace flyball::rates {
namespace {

using enum Bucket;

std::string InputPrice(const PriceBook& book, const PriceQuery& query) {
  const Result<PriceHit> hit = book.Find(query);
  if (!hit) return std::string(CodeName(hit.error().code));
  return FindUnitPrice(*hit, ServiceTier::kStandard, 1, kInput)->price.ToString();
}

std::string Of(const std::string& provider, const std::string& model, const std::string& price,
               const std::string& more = "") {
  return R"({"provider":")" + provider + R"(","model":")" + model + R"(","source":"test",)" + more +
         R"("prices":[{"per_unit":{"input":")" + price + R"("}}]})";
}

TEST(PriceBook, PricesHoldFromTheirDateUntilTheNext) {
  const PriceBook book = BookOf(ModelOf("m", R"({"from":"2025-04-16","per_unit":{"input":"10"}},
                      {"from":"2025-06-10","to":"2026-01-01","per_unit":{"input":"2"}})"));
  EXPECT_EQ(InputPrice(book, {"", "m", On("2025-04-15"), ""}), "NOT_FOUND");
  EXPECT_EQ(InputPrice(book, {"", "m", On("2025-04-16"), ""}), "10");
  EXPECT_EQ(InputPrice(book, {"", "m", Instant{On("2025-06-10").us - 1}, ""}), "10");
  EXPECT_EQ(InputPrice(book, {"", "m", On("2025-06-10"), ""}), "2");
  EXPECT_EQ(InputPrice(book, {"", "m", On("2026-01-01"), ""}), "NOT_FOUND");
  const Result<PriceHit> early = book.Find({"", "m", On("2020-01-01"), ""});
  EXPECT_NE(early.error().hint.find("2025-04-16"), std::string::npos) << early.error().ToString();
}

TEST(PriceBook, NamesAreFoundInAnyCaseAndByTheirAliases) {
  const PriceBook book = BookOf(Of("Acme", "Model-X", "1", R"("aliases":["x-latest"],)"));
  EXPECT_EQ(InputPrice(book, {"", "model-x", On("2026-01-01"), ""}), "1");
  EXPECT_EQ(InputPrice(book, {"acme", "X-LATEST", On("2026-01-01"), ""}), "1");
  EXPECT_EQ(InputPrice(book, {"other", "model-x", On("2026-01-01"), ""}), "NOT_FOUND");
  EXPECT_EQ(book.Nearest("modle-x"), "Model-X");
  EXPECT_EQ(book.Nearest("something else"), "");
}

TEST(PriceBook, ProvidersAreKnownByTheirOtherNames) {
  const PriceBook book =
      BookOf(Of("vertex_ai-language-models", "gemini-9", "1") + "," + Of("openai", "gpt-9", "2"));
  for (const char* name : {"google", "gemini", "vertex_ai", "gcp.vertex_ai"}) {
    EXPECT_EQ(InputPrice(book, {name, "gemini-9", On("2026-01-01"), ""}), "1") << name;
  }
  EXPECT_EQ(InputPrice(book, {"openai", "gemini-9", On("2026-01-01"), ""}), "NOT_FOUND");
  EXPECT_EQ(CanonicalProvider("Bedrock"), "aws");
}

TEST(PriceBook, ASnapshotIsItsModelButForItsDate) {
  EXPECT_EQ(CanonicalModel("GPT-4o"), "gpt-4o");
  for (const auto& [name, undated] : std::vector<std::pair<std::string, std::string>>{
           {"gpt-4o-2024-08-06", "gpt-4o"},
           {"gpt-4-0613", "gpt-4"},
           {"m@20241022", "m"},
           {"m@2024-10-22", "m"},
           {"m-latest", "m"},
           {"claude-sonnet-4-5-20250929", "claude-sonnet-4-5"},
           {"claude-sonnet-4-5", "claude-sonnet-4-5"},
           {"gpt-4", "gpt-4"},
           {"llama-3-405b", "llama-3-405b"},
           {"o3", "o3"},
           {"-latest", "-latest"},
           {"-0613", "-0613"},
           {"", ""}}) {
    EXPECT_EQ(UndatedModel(name), undated) << name;
  }
}

TEST(PriceBook, SeveralProvidersThatDifferAreAskedFor) {
  const PriceBook book = BookOf(Of("one", "m", "1") + "," + Of("two", "m", "2") + "," +
                                Of("one", "same", "3") + "," + Of("two", "same", "3"));
  const Result<PriceHit> hit = book.Find({"", "m", On("2026-01-01"), ""});
  ASSERT_FALSE(hit.has_value());
  EXPECT_EQ(hit.error().code, Code::kFailedPrecondition);
  EXPECT_NE(hit.error().hint.find("one, two"), std::string::npos);
  EXPECT_EQ(InputPrice(book, {"two", "m", On("2026-01-01"), ""}), "2");
  EXPECT_EQ(InputPrice(book, {"", "same", On("2026-01-01"), ""}), "3");
}

TEST(PriceBook, RegionsHaveTheirOwnPricesOrTheCommonOne) {
  const PriceBook book = BookOf(Of("p", "m", "1", R"("region_factors":{"eu":"1.1"},)"));
  EXPECT_EQ(InputPrice(book, {"", "m", On("2026-01-01"), ""}), "1");
  EXPECT_EQ(InputPrice(book, {"", "m", On("2026-01-01"), "EU"}), "1.1");
  EXPECT_EQ(InputPrice(book, {"", "m", On("2026-01-01"), "asia"}), "1");
}

TEST(PriceBook, TheFirstLayerThatKnowsTheModelThenAnswers) {
  std::vector<Layer> layers;
  layers.push_back(LayerOf(ModelOf("m", R"({"from":"2026-01-01","per_unit":{"input":"2"}})")));
  layers.push_back(LayerOf(ModelOf("m", R"({"per_unit":{"input":"1"}})") + "," +
                           ModelOf("old", R"({"per_unit":{"input":"9"}})")));
  const PriceBook book = BookOf(std::move(layers));
  EXPECT_EQ(InputPrice(book, {"", "m", On("2026-02-01"), ""}), "2");
  EXPECT_EQ(InputPrice(book, {"", "m", On("2025-02-01"), ""}), "1");
  EXPECT_EQ(InputPrice(book, {"", "old", On("2026-02-01"), ""}), "9");
}

TEST(PriceBook, ACeilingIsTheDearestOfTheBook) {
  const PriceBook book = BookOf(Of("one", "m", "1") + "," + Of("two", "n", "7"));
  ASSERT_NE(book.Ceiling(kInput), nullptr);
  EXPECT_EQ(book.Ceiling(kInput)->ToString(), "7");
  EXPECT_EQ(book.Ceiling(kOutput), nullptr);
}

TEST(PriceBook, OverlappingDatesAreRefused) {
  Layer layer = LayerOf(ModelOf("m", R"({"from":"2026-01-01","per_unit":{"input":"2"}})"));
  std::vector<PricePeriod>& periods = layer.models[0].regions[0].periods;
  periods.push_back(periods[0]);
  EXPECT_EQ(PriceBook::Build({layer}).error().code, Code::kInvalidArgument);
}

TEST(DayWindow, MayReachOverMidnight) {
  const DayWindow day{1800, 59400};
  EXPECT_FALSE(day.Contains(On("2026-01-01")));
  EXPECT_TRUE(day.Contains(Instant{On("2026-01-01").us + 1800 * kMicrosPerSecond}));
  EXPECT_FALSE(day.Contains(Instant{On("2026-01-01").us + 59400 * kMicrosPerSecond}));
  const DayWindow night{59400, 1800};
  EXPECT_TRUE(night.Contains(On("2026-01-01")));
  EXPECT_FALSE(night.Contains(Instant{On("2026-01-01").us + 1800 * kMicrosPerSecond}));
  EXPECT_TRUE(night.Contains(Instant{On("2026-01-01").us + 59400 * kMicrosPerSecond}));
}

TEST(FlyballFormat, RefusesWhatItDoesNotUnderstandWithItsPlace) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"per_unit":{"input":"1"},"teir":"batch"})", "teir"},
      {R"({"per_unit":{"inptu":"1"}})", "inptu"},
      {R"({"per_unit":{"input":"-1"}})", "negative"},
      {R"({"per_unit":{"input":"one"}})", "no number"},
      {R"({"per_unit":{"input":"1000001"}})", "absurdly"},
      {R"({"per_million":{"input":"0.0000001"}})", "twelve"},
      {R"({"per_unit":{"input":"1"},"per_million":{"input":"1"}})", "two prices"},
      {R"({"per_unit":{"input":"1"}},{"per_unit":{"input":"1"}})", "two prices"},
      {R"({"tier":"gold","per_unit":{"input":"1"}})", "gold"},
      {R"({"from":"soon","per_unit":{"input":"1"}})", "soon"},
      {R"({"above":-1,"per_unit":{"input":"1"}})", "above"},
      {R"({"per_unit":{}})", "no price"}};
  for (const auto& [row, part] : wrong) {
    const std::string text =
        R"({"flyball_prices":1,"sources":[{"name":"test","checked":"2026-07-24"}],"models":[)" +
        ModelOf("m", row) + "]}";
    const Result<PriceFile> file = ReadPriceFile(text, {});
    ASSERT_FALSE(file.has_value()) << row;
    EXPECT_NE(file.error().message.find(part), std::string::npos) << file.error().ToString();
  }
}

TEST(Builtin, EveryPriceHasASourceAndADay) {
  const PriceFile& prices = BuiltinPrices();
  EXPECT_GE(prices.report.models_priced, 40);
  for (const ModelPrices& model : prices.layer.models) {
    for (const RegionPrices& region : model.regions) {
      for (const PricePeriod& period : region.periods) {
        const PriceSource& source = prices.layer.sources[period.source];
        EXPECT_NE(source.checked, kAlways) << model.model;
        EXPECT_TRUE(source.name == "example" || source.url.starts_with("https://")) << model.model;
      }
    }
  }
}

}  // namespace
}  // namespace flyball::rates
