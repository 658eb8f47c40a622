#include "rates/rate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "rates/test_prices.h"
#include "rates/usage_dialect.h"

namespace flyball::rates {
namespace {

using enum Bucket;

Result<Rated> RateUsage(const PriceBook& book, std::string_view model, const Usage& usage,
                        ServiceTier tier = ServiceTier::kStandard, std::string_view region = "",
                        Instant at = On("2026-11-25")) {
  return Rate(book, {"", model, at, region}, usage, {tier, MissingPrice::kDeny});
}

std::string TotalOf(const Result<Rated>& rated) {
  return rated ? rated->total.ToString() : rated.error().ToString();
}

Usage Vendor(Dialect dialect, std::string_view json) {
  Result<MeteredUsage> read = ReadUsage(dialect, json);
  EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().ToString());
  return read ? read->usage : Usage{};
}

PriceBook Builtin() { return BookOf({BuiltinPrices().layer}); }

// ---- what peers got wrong by real money; amounts recomputed by hand

TEST(GoldenVectors, AnthropicCacheWritesAreNotCountedTwice) {
  const PriceBook book = Builtin();
  EXPECT_EQ(TotalOf(RateUsage(book, "claude-3-7-sonnet",
                              Vendor(Dialect::kAnthropic,
                                     R"({"input_tokens":3,"cache_creation_input_tokens":12304,
                                         "cache_read_input_tokens":0,"output_tokens":550})"))),
            "0.054399");
  EXPECT_EQ(TotalOf(RateUsage(book, "claude-opus-4-7",
                              Vendor(Dialect::kAnthropic,
                                     R"({"input_tokens":6,"cache_creation_input_tokens":159217,
                                         "output_tokens":2745})"))),
            "1.06376125");
}

TEST(GoldenVectors, OpenAiCachedTokensAreCheap) {
  EXPECT_EQ(TotalOf(RateUsage(Builtin(), "gpt-5",
                              Vendor(Dialect::kOpenAiChat,
                                     R"({"prompt_tokens":1239328,"completion_tokens":12909,
                                         "prompt_tokens_details":{"cached_tokens":1188096}})"))),
            "0.341642");
}

TEST(GoldenVectors, GeminiAboveItsSizeTier) {
  const PriceBook book = BookOf(
      ModelOf("gemini", R"({"per_million":{"input":"1.25","cache_read":"0.31","output":"10"}},
                   {"above":200000,"per_million":{"input":"2.5","cache_read":"0.3125","output":"15"}})"));
  EXPECT_EQ(TotalOf(RateUsage(book, "gemini",
                              Vendor(Dialect::kGemini,
                                     R"({"promptTokenCount":262960,"candidatesTokenCount":1744,
                                         "cachedContentTokenCount":257955})"))),
            "0.1192834375");
}

TEST(GoldenVectors, OneHourWritesAboveTheSizeTier) {
  const Result<Rated> rated =
      RateUsage(Builtin(), "claude-sonnet-4-5", UsageOf({{kCacheWrite1h, 1'000'000}}));
  EXPECT_EQ(TotalOf(rated), "12");
  EXPECT_EQ(TotalOf(RateUsage(Builtin(), "claude-sonnet-4-5", UsageOf({{kCacheWrite1h, 200'000}}))),
            "1.2");
}

// A peer charged a fully cached call 10.9 times over, another charged the base input nothing.
TEST(DoubleCount, AFullyCachedCallCostsTheCachePriceAndTheRestItsOwn) {
  const PriceBook book = Builtin();
  EXPECT_EQ(TotalOf(RateUsage(book, "gpt-5",
                              Vendor(Dialect::kOpenAiChat,
                                     R"({"prompt_tokens":100000,"completion_tokens":0,
                                         "prompt_tokens_details":{"cached_tokens":100000}})"))),
            "0.0125");
  EXPECT_EQ(TotalOf(RateUsage(book, "claude-haiku-4-5",
                              Vendor(Dialect::kAnthropic,
                                     R"({"input_tokens":1000,"cache_read_input_tokens":1000,
                                         "output_tokens":0})"))),
            "0.0011");
}

// A peer charged reads of the cache at their own price and the input's once more, where the price
// of the cache was a customer's own.
TEST(DoubleCount, AContractsCachePriceReplacesTheLists) {
  std::vector<Layer> layers;
  layers.push_back(LayerOf(ModelOf("m", R"({"per_million":{"input":"3","cache_read":"0.3"}})")));
  layers.push_back(LayerOf(ModelOf("m", R"({"per_million":{"input":"2","cache_read":"0.2"}})"),
                           R"("contract":"ACME-7",)"));
  EXPECT_EQ(TotalOf(RateUsage(BookOf(std::move(layers)), "m",
                              Vendor(Dialect::kAnthropic,
                                     R"({"input_tokens":100,"cache_read_input_tokens":200,
                                         "output_tokens":0})"))),
            "0.00024");
}

// Peers priced batches as calls of now, or by a model that was not theirs. Two of one batch, and
// one that reads the cache: the factor of a tier holds for all tokens.
TEST(WrongPrice, ABatchCostsWhatItsTierSays) {
  const PriceBook book = Builtin();
  const auto cost = [&](std::string_view json) {
    const auto read = ReadUsage(Dialect::kAnthropic, json);
    EXPECT_TRUE(read.has_value() && read->tier == ServiceTier::kBatch) << json;
    return TotalOf(RateUsage(book, "claude-opus-4-6", read->usage, *read->tier));
  };
  EXPECT_EQ(cost(R"({"input_tokens":9,"output_tokens":25,"service_tier":"batch"})"), "0.000335");
  EXPECT_EQ(cost(R"({"input_tokens":9,"output_tokens":18,"service_tier":"batch"})"), "0.0002475");
  EXPECT_EQ(cost(R"({"input_tokens":0,"cache_read_input_tokens":1000,"output_tokens":0,
                     "cache_creation_input_tokens":1000,"service_tier":"batch"})"),
            "0.003375");
}

// A peer's cost was null once another provider had answered.
TEST(WrongPrice, AProviderWithoutItsOwnPriceHasThatOfTheOneItNames) {
  Layer layer = LayerOf(R"({"provider":"maker","model":"m","source":"test",
                            "prices":[{"per_million":{"input":"3"}}]})");
  layer.providers.push_back({"reseller", std::nullopt, std::nullopt, {"maker"}});
  const PriceBook book = BookOf({layer});
  const auto rated =
      Rate(book, {"reseller", "m", On("2026-01-01"), ""}, UsageOf({{kInput, 5}}), {});
  EXPECT_EQ(TotalOf(rated), "0.000015");
  EXPECT_EQ(rated->hit.model->provider, "maker");
}

// ---- lines

TEST(Rate, EveryLineIsExactAndTheTotalIsTheirSum) {
  const PriceBook book = Builtin();
  const Result<Rated> rated =
      RateUsage(book, "claude-3-7-sonnet",
                UsageOf({{kInput, 3}, {kCacheWrite5m, 12304}, {kOutput, 550}, {kSearches, 2}}));
  ASSERT_TRUE(rated.has_value()) << TotalOf(rated);
  ASSERT_EQ(rated->lines.size(), 4U);
  const char* costs[] = {"0.000009", "0.04614", "0.00825", "0.02"};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(rated->lines[i].cost.ToString(), costs[i]);
  EXPECT_EQ(rated->lines[1].meter, kCacheWrite5m);
  EXPECT_EQ(rated->lines[1].quantity, 12304);
  EXPECT_EQ(rated->lines[1].unit_price.price.ToString(), "0.00000375");
  EXPECT_EQ(rated->lines[1].unit_price.reason, PriceReason::kOwn);
  EXPECT_EQ(rated->total.ToString(), "0.074399");
  EXPECT_EQ(rated->currency, "USD");
  EXPECT_EQ(rated->hit.source().url, "https://www.anthropic.com/pricing#api");
}

TEST(Rate, ZeroUsageCostsZeroAndHasNoLines) {
  const Result<Rated> rated = RateUsage(Builtin(), "gpt-5", Usage{});
  ASSERT_TRUE(rated.has_value());
  EXPECT_TRUE(rated->total.is_zero());
  EXPECT_TRUE(rated->lines.empty());
}

TEST(Rate, PricesOfManyUnitsRoundOnceHalfToEven) {
  const PriceBook book = BookOf(ModelOf("gpu", R"({"per_unit":{"gpu_seconds":"3.99",
                                                    "watt_hours":"0.000000000003"}})"));
  EXPECT_EQ(TotalOf(RateUsage(book, "gpu", UsageOf({{kGpuSeconds, 3600}}))), "3.99");
  EXPECT_EQ(TotalOf(RateUsage(book, "gpu", UsageOf({{kGpuSeconds, 1}}))), "0.001108333333");
  EXPECT_EQ(TotalOf(RateUsage(book, "gpu", UsageOf({{kWattHours, 500}}))), "0.000000000002");
  EXPECT_EQ(TotalOf(RateUsage(book, "gpu", UsageOf({{kWattHours, 166}}))), "0");
  EXPECT_EQ(CostOf(Money::FromUnits(1), 500, 1000).units(), 0);
  EXPECT_EQ(CostOf(Money::FromUnits(1), 1500, 1000).units(), 2);
  EXPECT_EQ(CostOf(Money::FromUnits(1), 501, 1000).units(), 1);
}

TEST(Rate, TheDearestPossibleCallStaysInRange) {
  std::string prices;
  Usage usage;
  for (const BucketInfo& info : Buckets()) {
    prices += fmt::format("{}\"{}\":\"1000000\"", prices.empty() ? "" : ",", info.name);
    ASSERT_TRUE(usage.Add(info.bucket, kUsageCountMax));
  }
  const PriceBook book = BookOf(ModelOf("dear", R"({"per_unit":{)" + prices + "}}"));
  const Result<Rated> rated = RateUsage(book, "dear", usage);
  ASSERT_TRUE(rated.has_value()) << TotalOf(rated);
  EXPECT_LT(rated->total.units(), kDecimalMaxUnits);
}

// ---- sizes and tiers

constexpr char kTiered[] = R"(
  {"per_million":{"input":"1","cache_read":"0.1","output":"10"},"per_unit":{"searches":"0.01"}},
  {"above":1000,"per_million":{"input":"2","output":"15"}},
  {"tier":"batch","per_million":{"input":"0.5","output":"5"}},
  {"tier":"priority","per_million":{"input":"1.8","cache_read":"0.18","output":"18"}})";

TEST(SizeTiers, CrossingOneRepricesAllTokens) {
  const PriceBook book = BookOf(ModelOf("m", kTiered));
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 1000}, {kOutput, 10}}))), "0.0011");
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 1001}, {kOutput, 10}}))), "0.002152");
  // Cached tokens count for the size; what the band does not name keeps its price.
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 1}, {kCacheRead, 1000}}))), "0.000102");
}

TEST(SizeTiers, InclusiveOnesBeginAtTheirThreshold) {
  const PriceBook book = BookOf(ModelOf("m", R"({"per_million":{"input":"1"}},
                      {"above":1000,"inclusive":true,"per_million":{"input":"2"}})"));
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 999}}))), "0.000999");
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 1000}}))), "0.002");
}

// Peers priced batches and reservations at the base rate above the threshold.
TEST(SizeTiers, AnotherServiceTierIsNeverBelowTheSizeItReaches) {
  const PriceBook book = BookOf(ModelOf("m", kTiered));
  const Result<Rated> batch =
      RateUsage(book, "m", UsageOf({{kInput, 2000}, {kOutput, 100}}), ServiceTier::kBatch);
  EXPECT_EQ(TotalOf(batch), "0.0055");
  EXPECT_EQ(batch->lines[0].unit_price.reason, PriceReason::kStandardTier);
  // priority: 1.8 below the standard tier's 2, but 18 above its 15.
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 2000}, {kOutput, 100}}),
                              ServiceTier::kPriority)),
            "0.0058");
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 900}}), ServiceTier::kBatch)),
            "0.00045");
}

TEST(ServiceTiers, ACheapTierWithoutAPriceTakesTheStandardOne) {
  const PriceBook book = BookOf(ModelOf("m", kTiered));
  const Result<Rated> rated =
      RateUsage(book, "m", UsageOf({{kCacheRead, 100}, {kInput, 5}}), ServiceTier::kBatch);
  ASSERT_TRUE(rated.has_value());
  EXPECT_EQ(rated->lines[1].unit_price.price.ToString(), "0.0000001");
  EXPECT_EQ(rated->lines[1].unit_price.reason, PriceReason::kStandardTier);
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 5}}), ServiceTier::kFlex)), "0.000005");
}

TEST(ServiceTiers, ADearTierWithoutAPriceIsMissing) {
  const PriceBook book = BookOf(ModelOf("m", kTiered));
  const Result<Rated> rated = RateUsage(book, "m", UsageOf({{kInput, 5}}), ServiceTier::kFast);
  ASSERT_FALSE(rated.has_value());
  EXPECT_EQ(rated.error().code, Code::kNotFound);
  EXPECT_NE(rated.error().message.find("fast"), std::string::npos);
  // Within a tier that is priced, a kind of the input is never below what the standard tier says.
  const Result<Rated> audio =
      RateUsage(book, "m", UsageOf({{kInputAudio, 100}}), ServiceTier::kPriority);
  EXPECT_EQ(TotalOf(audio), "0.00018");
  EXPECT_EQ(audio->lines[0].unit_price.priced_as, kInput);
}

TEST(ServiceTiers, WhatIsNoTokenCostsTheSameInAll) {
  const PriceBook book = BookOf(ModelOf("m", kTiered));
  for (const ServiceTier tier :
       {ServiceTier::kStandard, ServiceTier::kBatch, ServiceTier::kPriority, ServiceTier::kFast}) {
    EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kSearches, 3}}), tier)), "0.03");
  }
}

// ---- missing prices

TEST(MissingPrices, AreAnErrorAndNeverAZero) {
  const PriceBook book = BookOf(ModelOf("m", R"({"per_million":{"input":"1"}})"));
  for (const Bucket bucket : {kOutput, kReasoning, kOutputImage, kSearches, kPages, kGpuSeconds}) {
    const Result<Rated> rated = RateUsage(book, "m", UsageOf({{bucket, 1}}));
    ASSERT_FALSE(rated.has_value()) << Info(bucket).name;
    EXPECT_EQ(rated.error().code, Code::kNotFound);
    EXPECT_NE(rated.error().message.find(Info(bucket).name), std::string::npos);
  }
  const Result<Rated> unknown = RateUsage(book, "other", UsageOf({{kInput, 1}}));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, Code::kNotFound);
}

TEST(MissingPrices, AStatedZeroIsAPrice) {
  const PriceBook book = BookOf(ModelOf("local", R"({"per_million":{"input":"0","output":0}})"));
  const Result<Rated> rated = RateUsage(book, "local", UsageOf({{kInput, 9}, {kReasoning, 9}}));
  ASSERT_TRUE(rated.has_value()) << TotalOf(rated);
  EXPECT_TRUE(rated->total.is_zero());
  EXPECT_EQ(rated->lines.size(), 2U);
}

TEST(MissingPrices, APolicyMayDeclareThem) {
  const PriceBook book = BookOf(ModelOf("m", R"({"per_million":{"input":"1"}})") + "," +
                                ModelOf("dear", R"({"per_million":{"input":"15","output":"75"}})"));
  const PriceQuery query{"", "m", On("2026-11-25"), ""};
  const Usage usage = UsageOf({{kInput, 10}, {kOutput, 10}});
  const auto free = Rate(book, query, usage, {ServiceTier::kStandard, MissingPrice::kFree});
  EXPECT_EQ(TotalOf(free), "0.00001");
  EXPECT_EQ(free->lines[1].unit_price.reason, PriceReason::kDeclaredFree);
  const auto ceiling = Rate(book, query, usage, {ServiceTier::kStandard, MissingPrice::kCeiling});
  EXPECT_EQ(TotalOf(ceiling), "0.00076");
  EXPECT_EQ(ceiling->lines[1].unit_price.reason, PriceReason::kCeiling);
  const auto unknown = Rate(book, {"", "unknown", On("2026-11-25"), ""}, usage,
                            {ServiceTier::kStandard, MissingPrice::kCeiling});
  EXPECT_EQ(TotalOf(unknown), "0.0009");
  EXPECT_EQ(unknown->hit.layer, nullptr);
  EXPECT_EQ(ParseMissingPrice("ceiling").value(), MissingPrice::kCeiling);
  EXPECT_FALSE(ParseMissingPrice("zero").has_value());
}

TEST(KindOf, ABucketWithoutAPriceTakesThatOfItsKindAndSaysSo) {
  const PriceBook book = BookOf(ModelOf(
      "m", R"({"per_million":{"input":"1","cache_read":"0.1","input_audio":"4","output":"5"}})"));
  const std::pair<Bucket, Bucket> kinds[] = {
      {kCacheWrite5m, kInput}, {kCacheWrite1h, kInput},
      {kReasoning, kOutput},   {kCacheReadAudio, kInputAudio},
      {kInputImage, kInput},   {kCacheReadImage, kCacheRead},
      {kCitation, kOutput}};
  for (const auto& [bucket, as] : kinds) {
    const Result<Rated> rated = RateUsage(book, "m", UsageOf({{bucket, 10}}));
    ASSERT_TRUE(rated.has_value()) << TotalOf(rated);
    EXPECT_EQ(rated->lines[0].unit_price.priced_as, as) << Info(bucket).name;
    EXPECT_EQ(rated->lines[0].unit_price.reason, PriceReason::kKindOf);
  }
}

TEST(KindOf, OneHourWritesTakeTheFiveMinutePriceBeforeTheInputs) {
  const PriceBook book =
      BookOf(ModelOf("m", R"({"per_million":{"input":"1","cache_write_5m":"1.25"}})"));
  const Result<Rated> rated = RateUsage(book, "m", UsageOf({{kCacheWrite1h, 1000}}));
  EXPECT_EQ(TotalOf(rated), "0.00125");
  EXPECT_EQ(rated->lines[0].unit_price.priced_as, kCacheWrite5m);
}

TEST(Requests, WithoutAFeeCostNothingAndSaySo) {
  const PriceBook book = BookOf(ModelOf("m", R"({"per_million":{"input":"1"}})") + "," +
                                ModelOf("fee", R"({"per_million":{"input":"1"},
                                                   "per_unit":{"requests":"0.005"}})"));
  const Result<Rated> none = RateUsage(book, "m", UsageOf({{kRequests, 1}, {kInput, 1}}));
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(none->lines[1].unit_price.reason, PriceReason::kNoFee);
  EXPECT_EQ(TotalOf(none), "0.000001");
  EXPECT_EQ(TotalOf(RateUsage(book, "fee", UsageOf({{kRequests, 1}, {kInput, 1}}))), "0.005001");
}

// ---- contracts

TEST(Contracts, ReplacePricesBucketByBucket) {
  std::vector<Layer> layers;
  layers.push_back(LayerOf(ModelOf("m", kTiered)));
  layers.push_back(LayerOf(ModelOf("m", R"({"from":"2026-01-01","per_million":{"output":"8"}})"),
                           R"("contract":"ACME-7",)"));
  const PriceBook book = BookOf(std::move(layers));
  const Result<Rated> rated = RateUsage(book, "m", UsageOf({{kInput, 10}, {kOutput, 10}}));
  EXPECT_EQ(TotalOf(rated), "0.00009");
  EXPECT_EQ(rated->lines[0].unit_price.reason, PriceReason::kOwn);
  EXPECT_EQ(rated->lines[1].unit_price.reason, PriceReason::kContract);
  EXPECT_EQ(rated->hit.contract->contract, "ACME-7");
  // A contract's price without a size holds at every size; before its dates the list holds.
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kInput, 2000}, {kOutput, 10}}))), "0.00408");
  EXPECT_EQ(TotalOf(RateUsage(book, "m", UsageOf({{kOutput, 10}}), ServiceTier::kStandard, "",
                              On("2025-12-31"))),
            "0.0001");
}

TEST(Contracts, OfAnotherCurrencyStandAlone) {
  std::vector<Layer> layers;
  layers.push_back(LayerOf(ModelOf("m", kTiered)));
  layers.push_back(LayerOf(ModelOf("m", R"({"per_million":{"output":"8"}})"),
                           R"("contract":"ACME-7","currency":"EUR",)"));
  const PriceBook book = BookOf(std::move(layers));
  const Result<Rated> rated = RateUsage(book, "m", UsageOf({{kOutput, 10}}));
  ASSERT_TRUE(rated.has_value());
  EXPECT_EQ(rated->currency, "EUR");
  EXPECT_FALSE(RateUsage(book, "m", UsageOf({{kInput, 10}})).has_value());
}

// ---- the bound before the call

TEST(WorstCost, KnowsSizeTierAndCache) {
  const PriceBook book = BookOf(ModelOf("m", kTiered));
  const PriceHit hit = book.Find({"", "m", On("2026-11-25"), ""}).value();
  UsageBound bound;
  bound.input_tokens = 1000;
  bound.output_tokens = 10;
  bound.input_kinds = kTextInput;
  bound.output_kinds = kTextOutput;
  EXPECT_EQ(WorstCost(hit, bound)->whole.ToString(), "0.0011");
  bound.input_tokens = 1001;
  EXPECT_EQ(WorstCost(hit, bound)->whole.ToString(), "0.002152");
  bound.tiers |= SetOf(ServiceTier::kPriority) | SetOf(ServiceTier::kFast);
  EXPECT_EQ(WorstCost(hit, bound)->whole.ToString(), "0.002182");
  bound.others = UsageOf({{kSearches, 2}});
  EXPECT_EQ(WorstCost(hit, bound)->whole.ToString(), "0.022182");
}

TEST(WorstCost, IsAnErrorWhereAPriceIsMissing) {
  const PriceBook book = BookOf(ModelOf("m", R"({"per_million":{"input":"1"}})"));
  const PriceHit hit = book.Find({"", "m", On("2026-11-25"), ""}).value();
  UsageBound bound;
  bound.input_tokens = 10;
  EXPECT_EQ(WorstCost(hit, bound).error().code, Code::kInvalidArgument);  // no kinds
  bound.input_kinds = kTextInput;
  EXPECT_EQ(WorstCost(hit, bound)->whole.ToString(), "0.00001");
  bound.output_tokens = 1;
  bound.output_kinds = kTextOutput;
  EXPECT_EQ(WorstCost(hit, bound).error().code, Code::kNotFound);
  bound.output_tokens = 0;
  bound.tiers = SetOf(ServiceTier::kFast);
  EXPECT_EQ(WorstCost(hit, bound).error().code, Code::kNotFound);  // not a bound of zero
  bound.input_tokens = kUsageCountMax + 1;
  EXPECT_EQ(WorstCost(hit, bound).error().code, Code::kOutOfRange);
}

// ---- properties, over random books and usage

struct RandomBook {
  explicit RandomBook(Random& random) {
    std::string rows;
    for (const char* tier : {"standard", "batch", "flex", "priority", "fast"}) {
      for (const int64_t above : {0, 500, 2000}) {
        if (random.Chance(1, 3) && !(above == 0 && tier[0] == 's')) continue;
        std::string prices;
        for (const BucketInfo& info : Buckets()) {
          const bool needed = above == 0 && tier[0] == 's';
          if (!needed && random.Chance(1, 2)) continue;
          prices += fmt::format("{}\"{}\":\"{}\"", prices.empty() ? "" : ",", info.name,
                                Money::FromUnits(random.Between(0, 90'000'000)).ToString());
        }
        if (prices.empty()) continue;
        rows += fmt::format(R"({}{{"tier":"{}","above":{},"per_unit":{{{}}}}})",
                            rows.empty() ? "" : ",", tier, above, prices);
      }
    }
    book = BookOf(ModelOf("m", rows));
    hit = book.Find({"", "m", On("2026-11-25"), ""}).value();
  }
  PriceBook book;
  PriceHit hit;
};

Usage RandomUsage(Random& random, int64_t most) {
  Usage usage;
  for (const BucketInfo& info : Buckets()) {
    if (!random.Chance(1, 3)) continue;
    EXPECT_TRUE(usage.Add(info.bucket, random.Between(0, most)));
  }
  return usage;
}

TEST(RateProperty, CostIsTheSumOverBucketsMonotoneAndNeverNegative) {
  Random random(42);
  for (int round = 0; round < 200; ++round) {
    const RandomBook prices(random);
    const ServiceTier tier = static_cast<ServiceTier>(random.Below(3));
    const Usage usage = RandomUsage(random, 300);
    const Result<Rated> rated = RateAt(prices.hit, usage, {tier, MissingPrice::kDeny});
    ASSERT_TRUE(rated.has_value()) << TotalOf(rated);
    Money sum;
    for (const RateLine& line : rated->lines) {
      EXPECT_GE(line.cost, Money{});
      sum = sum.Plus(line.cost).value();
      // Each bucket costs what it costs alone at the call's size.
      const UnitPrice alone =
          FindUnitPrice(prices.hit, tier, usage.InputTokens(), line.meter).value();
      EXPECT_EQ(line.cost, CostOf(alone.price, usage[line.meter], Info(line.meter).per));
    }
    EXPECT_EQ(sum, rated->total);
    // More of anything that does not move the size never costs less.
    Usage more = usage;
    ASSERT_TRUE(more.Add(kOutput, random.Between(0, 100)));
    ASSERT_TRUE(more.Add(kGpuSeconds, random.Between(0, 100)));
    EXPECT_GE(RateAt(prices.hit, more, {tier, MissingPrice::kDeny})->total, rated->total);
  }
}

TEST(WorstCostProperty, NoCallWithinTheBoundCostsMore) {
  Random random(7);
  int64_t compared = 0;
  for (int round = 0; round < 1000; ++round) {
    const RandomBook prices(random);
    const Usage usage = RandomUsage(random, 400);
    UsageBound bound;
    bound.input_tokens = usage.InputTokens() + random.Between(0, 50);
    bound.output_tokens = usage.OutputTokens() + random.Between(0, 50);
    bound.input_kinds = InputTokenBuckets();
    bound.output_kinds = OutputTokenBuckets();
    bound.others = usage;
    bound.tiers = static_cast<TierSet>(random.Between(1, 31));
    const Result<Worst> worst = WorstCost(prices.hit, bound);
    for (size_t i = 0; i < kServiceTierCount; ++i) {
      const ServiceTier tier = static_cast<ServiceTier>(i);
      if ((bound.tiers & SetOf(tier)) == 0) continue;
      const Result<Rated> rated = RateAt(prices.hit, usage, {tier, MissingPrice::kDeny});
      if (!rated || !worst) continue;
      EXPECT_LE(rated->total, worst->whole) << round;
      Money output;
      for (const RateLine& line : rated->lines) {
        if ((OutputTokenBuckets() & SetOf(line.meter)) != 0)
          output = output.Plus(line.cost).value();
      }
      EXPECT_LE(rated->total.Minus(output).value(), worst->without_output) << round;
      ++compared;
    }
  }
  EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace flyball::rates
