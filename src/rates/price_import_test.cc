// What the readers of public price files make of single entries, and what they say of the rest.
#include <gtest/gtest.h>

#include <algorithm>

#include "rates/price_diff.h"
#include "rates/rate.h"
#include "rates/test_prices.h"

namespace flyball::rates {
namespace {

using enum Bucket;

PriceFile Read(std::string_view text) {
  Result<PriceFile> file = ReadPriceFile(text, {On("2026-11-25")});
  EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().ToString());
  return file ? *std::move(file) : PriceFile{};
}

std::string LiteLlm(const std::string& entry) {
  return R"({"sample_spec":{"input_cost_per_token":0.0,"litellm_provider":"one of"},)"
         R"("last_updated":"2026-07-24T18:23:43.215560+00:00",)" +
         entry + "}";
}

std::string Price(const PriceBook& book, std::string_view model, Bucket bucket,
                  ServiceTier tier = ServiceTier::kStandard, int64_t input = 1,
                  std::string_view at = "2026-11-25", std::string_view region = "",
                  std::string_view provider = "") {
  const Result<PriceHit> hit = book.Find({provider, model, On(at), region});
  if (!hit) return hit.error().ToString();
  const Result<UnitPrice> price = FindUnitPrice(*hit, tier, input, bucket);
  return price ? price->price.ToString() : std::string(CodeName(price.error().code));
}

int64_t Noted(const PriceFile& file, std::string_view reason) {
  for (const PriceNote& note : file.report.unused) {
    if (note.reason == reason) return note.count;
  }
  return 0;
}

TEST(LiteLlm, NamesOfFieldsCarrySizeTierAndTimeToLive) {
  const PriceFile file = Read(LiteLlm(R"("m":{"litellm_provider":"p",
      "input_cost_per_token":1e-6,"input_cost_per_token_above_200k_tokens":2e-6,
      "input_cost_per_token_priority":3e-6,"input_cost_per_token_above_200k_tokens_priority":4e-6,
      "input_cost_per_token_batches":5e-7,"input_cost_per_token_flex":6e-7,
      "cache_creation_input_token_cost":1.25e-6,"cache_creation_input_token_cost_above_1hr":2e-6,
      "cache_creation_input_token_cost_above_1hr_above_200k_tokens":1.2e-5,
      "output_cost_per_token":5e-6,"max_tokens":100,"supports_vision":true})"));
  EXPECT_TRUE(file.report.unused.empty());
  EXPECT_EQ(file.report.prices, 10);
  EXPECT_EQ(file.report.models_in, 1);
  const PriceBook book = BookOf({file.layer});
  EXPECT_EQ(Price(book, "m", kInput), "0.000001");
  EXPECT_EQ(Price(book, "m", kInput, ServiceTier::kStandard, 200'001), "0.000002");
  EXPECT_EQ(Price(book, "m", kInput, ServiceTier::kPriority), "0.000003");
  EXPECT_EQ(Price(book, "m", kInput, ServiceTier::kPriority, 200'001), "0.000004");
  EXPECT_EQ(Price(book, "m", kInput, ServiceTier::kBatch), "0.0000005");
  EXPECT_EQ(Price(book, "m", kInput, ServiceTier::kFlex), "0.0000006");
  EXPECT_EQ(Price(book, "m", kCacheWrite1h), "0.000002");
  EXPECT_EQ(Price(book, "m", kCacheWrite1h, ServiceTier::kStandard, 200'001), "0.000012");
  EXPECT_EQ(Price(book, "m", kCacheWrite5m, ServiceTier::kStandard, 200'001), "0.00000125");
}

// Peers booked $0 for months where a model had no price, or took "no price" for "free".
TEST(LiteLlm, NoPriceAndAPriceOfZeroAreTwoThings) {
  const PriceFile file = Read(LiteLlm(R"(
      "unpriced":{"litellm_provider":"p","max_tokens":1},
      "nulls":{"litellm_provider":"p","input_cost_per_token":null},
      "free":{"litellm_provider":"p","input_cost_per_token":0.0,"output_cost_per_token":0},
      "hosted_vllm/own":{"litellm_provider":"hosted_vllm","mode":"chat"})"));
  EXPECT_EQ(file.report.models_unpriced, 3);
  EXPECT_EQ(file.report.models_free, 1);
  EXPECT_EQ(Noted(file, "the price is null"), 1);
  EXPECT_EQ(Noted(file, "the entry states no price"), 3);
  const PriceBook book = BookOf({file.layer});
  for (const char* model : {"unpriced", "nulls", "hosted_vllm/own"}) {
    EXPECT_FALSE(book.Find({"", model, On("2026-11-25"), ""}).has_value()) << model;
  }
  EXPECT_EQ(Price(book, "free", kOutput), "0");
}

TEST(LiteLlm, FloatNoiseIsRoundedAndRealDigitsAreCountedApart) {
  const PriceFile file = Read(LiteLlm(R"("m":{"litellm_provider":"p",
      "input_cost_per_token":2.9999900000000002e-06,"output_cost_per_token":3.9998000000000007e-07,
      "input_cost_per_pixel":2.0751953125e-09,"input_cost_per_second":0.0002833333333333333,
      "output_cost_per_pixel":5e-13,"cache_read_input_token_cost":1.3e-10})"));
  EXPECT_EQ(file.report.noise_rounded, 2);
  EXPECT_EQ(file.report.digits_rounded, 3);
  const PriceBook book = BookOf({file.layer});
  EXPECT_EQ(Price(book, "m", kInput), "0.00000299999");
  EXPECT_EQ(Price(book, "m", kOutput), "0.00000039998");
  EXPECT_EQ(Price(book, "m", kInputPixels), "0.000000002075");
  EXPECT_EQ(Price(book, "m", kInputSeconds), "0.000283333333");
  EXPECT_EQ(Price(book, "m", kCacheRead), "0.00000000013");
}

TEST(LiteLlm, WhatCanNotBeUsedIsReportedWithItsPlace) {
  const PriceFile file = Read(LiteLlm(R"(
      "a":{"litellm_provider":"p","input_cost_per_token":-1,"output_cost_per_token":1e-6},
      "b":{"litellm_provider":"p","input_cost_per_token":1e300,"output_cost_per_token":"free"},
      "c":{"input_cost_per_token":1e-6},
      "d":5,
      "e":{"litellm_provider":"p","input_cost_per_token":1e-6,"input_cost_per_moon":1,
           "input_dbu_cost_per_token":1,"output_cost_per_token":true},
      "e":{"litellm_provider":"p","input_cost_per_token":2e-6,"output_cost_per_second_1080p":1,
           "input_cost_per_token_above_xk_tokens":1,"vector_store_cost_per_gb_per_day":1},
      "f":{"litellm_provider":"p","tiered_pricing":[{"max_results_range":[0,25],
           "input_cost_per_query":1}]})"));
  EXPECT_EQ(Noted(file, "the price is negative"), 1);
  EXPECT_EQ(Noted(file, "the price is absurdly high"), 1);
  EXPECT_EQ(Noted(file, "the price is no number"), 1);
  EXPECT_EQ(Noted(file, "the entry names no provider"), 1);
  EXPECT_EQ(Noted(file, "the entry is no object"), 1);
  EXPECT_EQ(Noted(file, "the model stands twice: the last counts"), 1);
  EXPECT_EQ(Noted(file, "priced by length or resolution"), 1);
  EXPECT_EQ(Noted(file, "priced by stored amount"), 1);
  EXPECT_EQ(Noted(file, "priced by the number of results"), 1);
  EXPECT_EQ(Noted(file, "a price field that is not known"), 1);
  EXPECT_EQ(Price(BookOf({file.layer}), "e", kInput), "0.000002");
  const auto note =
      std::find_if(file.report.unused.begin(), file.report.unused.end(),
                   [](const PriceNote& have) { return have.reason == "the price is negative"; });
  EXPECT_EQ(note->examples.at(0), "a: input_cost_per_token");
}

TEST(LiteLlm, TieredPricingRepricesAllTokensAboveItsLowerEnds) {
  const PriceBook book = BookOf({Read(LiteLlm(R"("d/m":{"litellm_provider":"d","tiered_pricing":[
      {"range":[0,32000],"input_cost_per_token":1e-6,"output_cost_per_reasoning_token":4e-6},
      {"range":[32000,256000.0],"input_cost_per_token":2e-6}]})"))
                                     .layer});
  EXPECT_EQ(Price(book, "d/m", kInput, ServiceTier::kStandard, 32'000), "0.000001");
  EXPECT_EQ(Price(book, "d/m", kInput, ServiceTier::kStandard, 32'001), "0.000002");
  EXPECT_EQ(Price(book, "d/m", kReasoning, ServiceTier::kStandard, 32'001), "0.000004");
}

TEST(LiteLlm, XaisThresholdsAreReachedAtTheirNumber) {
  const PriceBook book = BookOf({Read(LiteLlm(R"("xai/grok":{"litellm_provider":"xai",
      "input_cost_per_token":1e-6,"input_cost_per_token_above_128k_tokens":2e-6})"))
                                     .layer});
  EXPECT_EQ(Price(book, "grok", kInput, ServiceTier::kStandard, 127'999), "0.000001");
  EXPECT_EQ(Price(book, "grok", kInput, ServiceTier::kStandard, 128'000), "0.000002");
}

TEST(LiteLlm, RegionsComeFromKeysAndFromUplifts) {
  const PriceFile file = Read(LiteLlm(R"(
      "m":{"litellm_provider":"bedrock","input_cost_per_token":1e-6},
      "bedrock/eu-west-1/m":{"litellm_provider":"bedrock","input_cost_per_token":3e-6},
      "bedrock/eu-west-1/1-month-commitment/m":{"litellm_provider":"bedrock",
          "input_cost_per_second":0.01},
      "g":{"litellm_provider":"openai","input_cost_per_token":1e-6,
          "regional_processing_uplift_multiplier_eu":1.1},
      "c":{"litellm_provider":"anthropic","input_cost_per_token":5e-6,
          "provider_specific_entry":{"us":1.1,"fast":6.0,"schema":"x"},
          "search_context_cost_per_query":{"search_context_size_low":0.01,
          "search_context_size_medium":0.01,"search_context_size_high":0.02}})"));
  EXPECT_TRUE(file.report.unused.empty());
  const PriceBook book = BookOf({file.layer});
  const auto in = [&](std::string_view model, std::string_view region, ServiceTier tier) {
    return Price(book, model, kInput, tier, 1, "2026-11-25", region);
  };
  EXPECT_EQ(in("m", "", ServiceTier::kStandard), "0.000001");
  EXPECT_EQ(in("m", "eu-west-1", ServiceTier::kStandard), "0.000003");
  EXPECT_EQ(in("m", "us-east-1", ServiceTier::kStandard), "0.000001");
  EXPECT_EQ(in("g", "eu", ServiceTier::kStandard), "0.0000011");
  EXPECT_EQ(in("c", "us", ServiceTier::kStandard), "0.0000055");
  EXPECT_EQ(in("c", "", ServiceTier::kFast), "0.00003");
  EXPECT_EQ(in("c", "us", ServiceTier::kFast), "0.000033");
  EXPECT_EQ(Price(book, "c", kSearches, ServiceTier::kFast), "0.01");
  EXPECT_EQ(Price(book, "c", kSearchesHigh), "0.02");
  EXPECT_EQ(Price(book, "c", kSearchesLow), "0.01");
}

// Two fields say what the United States cost more: the first counts, and only another figure is
// told.
TEST(LiteLlm, APlaceThatTwoFieldsPriceHasOnePrice) {
  const auto both = [](std::string_view second) {
    return Read(fmt::format(
        R"({{"m":{{"litellm_provider":"openai","input_cost_per_token":1e-6,
            "regional_processing_uplift_multiplier_us":1.1,
            "provider_specific_entry":{{"us":{}}}}}}})",
        second));
  };
  const PriceFile same = both("1.10");
  EXPECT_TRUE(same.report.unused.empty());
  EXPECT_EQ(Price(BookOf({same.layer}), "m", kInput, ServiceTier::kStandard, 1, "2026-11-25", "us"),
            "0.0000011");
  const PriceFile other = both("1.2");
  ASSERT_EQ(other.report.unused.size(), 1);
  EXPECT_EQ(
      Price(BookOf({other.layer}), "m", kInput, ServiceTier::kStandard, 1, "2026-11-25", "us"),
      "0.0000011");
}

// A name without a provider means the maker's model, never that of whoever resells it.
TEST(LiteLlm, AResellersPriceIsNotTheMakers) {
  std::vector<Layer> layers;
  layers.push_back(Read(LiteLlm(R"("snowflake/claude-x":{"litellm_provider":"snowflake",
      "input_cost_per_token":9e-6})"))
                       .layer);
  layers.push_back(LayerOf(R"({"provider":"anthropic","model":"claude-x","source":"test",
      "prices":[{"from":"2026-01-01","per_million":{"input":"3"}}]})"));
  const PriceBook book = BookOf(std::move(layers));
  EXPECT_EQ(Price(book, "claude-x", kInput), "0.000003");
  EXPECT_EQ(
      Price(book, "claude-x", kInput, ServiceTier::kStandard, 1, "2026-11-25", "", "snowflake"),
      "0.000009");
  EXPECT_FALSE(book.Find({"", "claude-x", On("2025-01-01"), ""}).has_value());
}

std::string Genai(const std::string& models, const std::string& more = "") {
  return R"([{"id":"p","pricing_urls":["https://p.example/pricing"],)" + more + R"("models":[)" +
         models + "]}]";
}

TEST(GenaiPrices, ConditionsAreTriedFromTheLastToTheFirst) {
  const PriceBook book = BookOf({Read(Genai(R"(
      {"id":"a","match":{"equals":"a"},"prices":[{"prices":{"input_mtok":10}},
        {"constraint":{"start_date":"2025-06-10"},"prices":{"input_mtok":2}}]},
      {"id":"b","match":{"equals":"b"},"prices":[{"prices":{"input_mtok":1}},
        {"constraint":{"start_time":"00:30:00Z","end_time":"16:30:00Z"},
         "prices":{"input_mtok":3}}]},
      {"id":"c","match":{"equals":"c"},"prices":[{"prices":{"input_mtok":1}},
        {"constraint":{"start_time":"00:30:00Z","end_time":"16:30:00Z"},"prices":{"input_mtok":3}},
        {"constraint":{"start_date":"2026-06-10"},"prices":{"input_mtok":5}}]})"))
                                     .layer});
  const auto at = [&](std::string_view model, std::string_view time) {
    return Price(book, model, kInput, ServiceTier::kStandard, 1, time);
  };
  EXPECT_EQ(at("a", "2025-06-09"), "0.00001");
  EXPECT_EQ(at("a", "2025-06-10"), "0.000002");
  EXPECT_EQ(at("b", "2025-06-09"), "0.000001");
  EXPECT_EQ(at("b", "2025-06-09T00:30:00Z"), "0.000003");
  EXPECT_EQ(at("b", "2025-06-09T16:30:00Z"), "0.000001");
  EXPECT_EQ(at("c", "2026-06-09T12:00:00Z"), "0.000003");
  EXPECT_EQ(at("c", "2026-06-10T12:00:00Z"), "0.000005");
}

TEST(GenaiPrices, SizesUnitsAndTheirSource) {
  const PriceFile file = Read(Genai(R"({"id":"m","match":{"equals":"m"},"prices":{
      "input_mtok":{"base":1.25,"tiers":[{"start":200000,"price":2.5}]},
      "output_mtok":10,"cache_write_mtok":0.08333333333333334,"web_searches_kcount":35,
      "requests_kcount":5,"output_moon_mtok":1}})"));
  EXPECT_EQ(Noted(file, "a price field that is not known"), 1);
  EXPECT_EQ(file.report.digits_rounded, 1);
  const PriceBook book = BookOf({file.layer});
  EXPECT_EQ(Price(book, "m", kInput, ServiceTier::kStandard, 200'000), "0.00000125");
  EXPECT_EQ(Price(book, "m", kInput, ServiceTier::kStandard, 200'001), "0.0000025");
  EXPECT_EQ(Price(book, "m", kCacheWrite5m), "0.000000083333");
  EXPECT_EQ(Price(book, "m", kCacheWrite1h), "0.000000083333");
  EXPECT_EQ(Price(book, "m", kSearches), "0.035");
  EXPECT_EQ(Price(book, "m", kRequests), "0.005");
  EXPECT_EQ(book.Find({"", "m", On("2026-01-01"), ""})->source().url, "https://p.example/pricing");
}

TEST(GenaiPrices, NamesAreMatchedByTheirConditions) {
  const PriceFile file = Read(Genai(R"(
      {"id":"big","match":{"or":[{"starts_with":"Big-"},{"regex":"^huge-\\d{4}$"}]},
       "prices":{"input_mtok":1}},
      {"id":"small","match":{"and":[{"contains":"small"},{"ends_with":"-v2"}]},
       "prices":{"input_mtok":2}},
      {"id":"bad","match":{"regex":"("},"prices":{"input_mtok":3}},
      {"id":"odd","match":{"sounds_like":"odd"},"prices":{"input_mtok":4}})",
                                    R"("provider_match":{"contains":"pee"},)"));
  EXPECT_EQ(file.report.unused.size(), 2U);
  const PriceBook book = BookOf({file.layer});
  EXPECT_EQ(Price(book, "big-2026", kInput), "0.000001");
  EXPECT_EQ(Price(book, "HUGE-2026", kInput), "0.000001");
  EXPECT_EQ(Price(book, "very-small-v2", kInput), "0.000002");
  EXPECT_EQ(Price(book, "bad", kInput), "0.000003");
  EXPECT_FALSE(book.Find({"", "very-small-v3", On("2026-01-01"), ""}).has_value());
  EXPECT_TRUE(book.Find({"peepee", "big", On("2026-01-01"), ""}).has_value());
  EXPECT_FALSE(book.Find({"q", "big", On("2026-01-01"), ""}).has_value());
}

TEST(PriceFormats, AreToldApartAndOthersRefused) {
  for (const char* text :
       {"", "{", "[]", "{}", "1", "\"x\"", "null", R"({"a":{"b":1}})", R"([{"id":"p"}])",
        R"([1,2])", R"({"flyball_prices":2})", R"({"flyball_prices":1})", "\xff\xfe"}) {
    const Result<PriceFile> file = ReadPriceFile(text, {});
    ASSERT_FALSE(file.has_value()) << text;
    EXPECT_EQ(file.error().code, Code::kInvalidArgument) << text;
  }
  const std::string deep(100'000, '[');
  EXPECT_EQ(ReadPriceFile(deep, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(ReadPriceFile("{\n \"a\": nope}", {}).error().place.line, 2);
}

TEST(PriceDiff, SaysWhereTwoListsDisagree) {
  const Layer first = LayerOf(ModelOf("m", R"({"per_million":{"input":"1","output":"2"}},
                                              {"tier":"batch","per_million":{"input":"0.5"}})") +
                              "," + ModelOf("gone", R"({"per_million":{"input":"1"}})"));
  const Layer second = LayerOf(ModelOf("m", R"({"per_million":{"input":"1","output":"3"}})") + "," +
                               ModelOf("new", R"({"per_million":{"input":"1"}})"));
  const Result<PriceComparison> comparison = ComparePrices(first, second, On("2026-11-25"));
  ASSERT_TRUE(comparison.has_value());
  EXPECT_EQ(comparison->models_compared, 1);
  EXPECT_EQ(comparison->prices_compared, 2);
  EXPECT_EQ(comparison->prices_differing, 1);
  EXPECT_EQ(comparison->prices_only_one, 1);
  ASSERT_EQ(comparison->differences.size(), 2U);
  EXPECT_EQ(comparison->differences[0].bucket, kOutput);
  EXPECT_EQ(comparison->differences[0].first.ToString(), "0.000002");
  EXPECT_EQ(comparison->differences[0].second.ToString(), "0.000003");
  EXPECT_EQ(comparison->differences[1].kind, PriceDifference::Kind::kOnlyFirst);
  EXPECT_EQ(comparison->only_first, std::vector<std::string>{"test/gone"});
  EXPECT_EQ(comparison->only_second, std::vector<std::string>{"test/new"});
}

}  // namespace
}  // namespace flyball::rates
