// Every model of the two public price files, rated against a calculation of its own: it reads the
// raw documents with another parser, builds the names of fields instead of taking them apart, walks
// conditions from the last to the first, and does its arithmetic on decimals of its own. It shares
// no code with the readers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "rates/rate.h"
#include "rates/test_prices.h"

namespace flyball::rates {
namespace {

using Json = nlohmann::json;
using Wide = __int128;
using enum Bucket;

std::string SharedFile(const std::string& name) {
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  if (shared == nullptr) return "";
  std::ifstream in(std::string(shared) + "/prices/" + name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// A number's text, as the document has it, in 1e-12 of the unit: rounded half to even, after a
// division by `batch`, a power of ten.
Wide Picos(const Json& number, int64_t batch = 1) {
  const std::string text = number.dump();
  const size_t e = text.find_first_of("eE");
  const std::string mantissa = text.substr(0, e);
  int exponent = e == std::string::npos ? 0 : std::stoi(text.substr(e + 1));
  Wide digits = 0;
  bool point = false;
  for (const char c : mantissa) {
    if (c == '.') {
      point = true;
      continue;
    }
    digits = digits * 10 + (c - '0');
    if (point) --exponent;
  }
  for (; batch > 1; batch /= 10) --exponent;
  exponent += 12;
  for (; exponent > 0; --exponent) digits *= 10;
  if (exponent == 0) return digits;
  Wide divisor = 1;
  for (; exponent < 0; ++exponent) divisor *= 10;
  const Wide quotient = digits / divisor;
  const Wide rest = digits % divisor;
  if (2 * rest > divisor || (2 * rest == divisor && quotient % 2 == 1)) return quotient + 1;
  return quotient;
}

std::string Text(Wide picos) { return Money::FromUnits(picos).ToString(); }

struct Priced {
  Bucket bucket;
  std::string field;
};

// ---- the LiteLLM map

const std::vector<Priced>& LiteLlmFields() {
  static const std::vector<Priced> fields = {
      {kInput, "input_cost_per_token"},
      {kOutput, "output_cost_per_token"},
      {kReasoning, "output_cost_per_reasoning_token"},
      {kCitation, "citation_cost_per_token"},
      {kCacheRead, "cache_read_input_token_cost"},
      {kCacheWrite5m, "cache_creation_input_token_cost"},
      {kCacheWrite1h, "cache_creation_input_token_cost_above_1hr"},
      {kCacheReadAudio, "cache_read_input_audio_token_cost"},
      {kCacheWriteAudio, "cache_creation_input_audio_token_cost"},
      {kInputAudio, "input_cost_per_audio_token"},
      {kOutputAudio, "output_cost_per_audio_token"},
      {kInputImage, "input_cost_per_image_token"},
      {kOutputImage, "output_cost_per_image_token"},
      {kOutputVideo, "output_cost_per_video_token"},
      {kRequests, "input_cost_per_query"},
      {kRequests, "input_cost_per_request"},
      {kInputCharacters, "input_cost_per_character"},
      {kOutputCharacters, "output_cost_per_character"},
      {kInputSeconds, "input_cost_per_second"},
      {kOutputSeconds, "output_cost_per_second"},
      {kInputAudioSeconds, "input_cost_per_audio_per_second"},
      {kInputVideoSeconds, "input_cost_per_video_per_second"},
      {kOutputVideoSeconds, "output_cost_per_video_per_second"},
      {kInputImageCount, "input_cost_per_image"},
      {kOutputImageCount, "output_cost_per_image"},
      {kInputPixels, "input_cost_per_pixel"},
      {kOutputPixels, "output_cost_per_pixel"},
      {kPages, "ocr_cost_per_page"},
      {kAnnotatedPages, "annotation_cost_per_page"},
      {kSessions, "code_interpreter_cost_per_session"}};
  return fields;
}

// The price of a field for a call of that size in that tier, by the name that it must have.
std::optional<Wide> LiteLlmPrice(const Json& entry, const std::string& field, int64_t input,
                                 const std::string& tier) {
  if (entry.contains("tiered_pricing") && tier.empty()) {
    std::optional<Wide> price;
    for (const Json& band : entry["tiered_pricing"]) {
      if (!band.contains("range") || !band.contains(field)) continue;
      const int64_t from = band["range"][0].get<int64_t>();
      if (from == 0 || input > from) price = Picos(band[field]);
    }
    if (price) return price;
  }
  const bool inclusive = entry["litellm_provider"] == "xai";
  for (const int64_t k : {512, 272, 256, 200, 128}) {
    const std::string key = fmt::format("{}_above_{}k_tokens{}", field, k, tier);
    if (!entry.contains(key)) continue;
    if (input > k * 1000 || (inclusive && input == k * 1000)) return Picos(entry[key]);
  }
  if (!entry.contains(field + tier)) return std::nullopt;
  return Picos(entry[field + tier]);
}

struct Expected {
  Usage usage;
  Wide total = 0;
};

// Something of each bucket that has a price, with so many input tokens in all.
Expected LiteLlmCall(const Json& entry, int64_t input, const std::string& tier, int64_t seed) {
  Expected call;
  int64_t left = input;
  for (const auto& [bucket, field] : LiteLlmFields()) {
    const std::optional<Wide> price = LiteLlmPrice(entry, field, input, tier);
    if (!price || call.usage[bucket] > 0) continue;
    const BucketInfo& info = Info(bucket);
    int64_t count = 1 + (seed * 7919 + static_cast<int64_t>(bucket) * 104729) % 4093;
    if (info.token && info.side == UsageSide::kInput) count = std::min(left, count);
    if (info.token && info.side == UsageSide::kInput) left -= count;
    EXPECT_TRUE(call.usage.Add(bucket, count));
    call.total += *price * count;
  }
  // The rest of the size lies in the cheapest bucket to state: plain input.
  if (const auto price = LiteLlmPrice(entry, "input_cost_per_token", input, tier)) {
    EXPECT_TRUE(call.usage.Add(kInput, left));
    call.total += *price * left;
  }
  if (entry.contains("search_context_cost_per_query") && tier.empty()) {
    const Json& searches = entry["search_context_cost_per_query"];
    const std::pair<Bucket, const char*> sizes[] = {{kSearchesLow, "search_context_size_low"},
                                                    {kSearches, "search_context_size_medium"},
                                                    {kSearchesHigh, "search_context_size_high"}};
    for (const auto& [bucket, size] : sizes) {
      EXPECT_TRUE(call.usage.Add(bucket, 3));
      call.total += Picos(searches[size]) * 3;
    }
  }
  return call;
}

class PriceFiles : public ::testing::Test {
 protected:
  void Load(const std::string& name) {
    text = SharedFile(name);
    if (text.empty()) return;
    raw = Json::parse(text);
    Result<PriceFile> read = ReadPriceFile(text, {On("2026-11-25")});
    ASSERT_TRUE(read.has_value()) << read.error().ToString();
    report = read->report;
    std::vector<Layer> layers;
    layers.push_back(std::move(read->layer));
    book = BookOf(std::move(layers));
  }

  void Compare(const PriceQuery& query, const Expected& call, ServiceTier tier) {
    const Result<Rated> rated = Rate(book, query, call.usage, {tier, MissingPrice::kDeny});
    ASSERT_TRUE(rated.has_value())
        << query.provider << " " << query.model << ": " << rated.error().ToString();
    ASSERT_EQ(rated->total.ToString(), Text(call.total))
        << query.provider << " " << query.model << " " << TierName(tier) << " at "
        << call.usage.InputTokens() << " tokens";
    ++compared;
  }

  std::string text;
  Json raw;
  PriceBook book;
  PriceReport report;
  int64_t compared = 0;
};

TEST_F(PriceFiles, EveryModelOfTheLiteLlmMapCostsWhatItsFieldsSay) {
  Load("litellm_model_prices_and_context_window.json");
  if (text.empty()) GTEST_SKIP() << "the LiteLLM map is not here; set FLYBALL_SHARED_DATA";
  const Instant at = On("2026-11-25");
  int64_t models = 0;
  int64_t unpriced = 0;
  for (const auto& [name, entry] : raw.items()) {
    if (name == "sample_spec" || name == "fallback_generalizations" || !entry.is_object()) continue;
    ++models;
    const PriceQuery query{entry["litellm_provider"].get_ref<const std::string&>(), name, at, ""};
    const Expected small = LiteLlmCall(entry, 100, "", models);
    if (small.usage.empty()) {
      ++unpriced;
      EXPECT_FALSE(book.Find(query).has_value()) << name;
      continue;
    }
    Compare(query, small, ServiceTier::kStandard);
    for (const int64_t k : {32, 128, 200, 256, 272, 512, 900}) {
      for (const int64_t off : {0, 1}) {
        Compare(query, LiteLlmCall(entry, k * 1000 + off, "", models), ServiceTier::kStandard);
      }
    }
    const std::pair<const char*, ServiceTier> tiers[] = {{"_batches", ServiceTier::kBatch},
                                                         {"_flex", ServiceTier::kFlex},
                                                         {"_priority", ServiceTier::kPriority}};
    for (const auto& [suffix, tier] : tiers) {
      const Expected call = LiteLlmCall(entry, 100, suffix, models);
      if (!call.usage.empty()) Compare(query, call, tier);
    }
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(models, report.models_in);
  EXPECT_EQ(models - unpriced, report.models_priced);
  EXPECT_GT(models, 2900);
  EXPECT_GT(compared, 15 * (models - unpriced));
  RecordProperty("compared", std::to_string(compared));
}

// Multiples of the whole price: a faster mode, and the place of processing.
TEST_F(PriceFiles, FactorsOfTheLiteLlmMapScaleEveryToken) {
  Load("litellm_model_prices_and_context_window.json");
  if (text.empty()) GTEST_SKIP() << "the LiteLLM map is not here; set FLYBALL_SHARED_DATA";
  for (const auto& [name, entry] : raw.items()) {
    if (!entry.is_object() || !entry.contains("litellm_provider")) continue;
    const std::string provider = entry["litellm_provider"];
    Expected call = LiteLlmCall(entry, 100, "", 1);
    Usage tokens;
    for (const BucketInfo& info : Buckets()) {
      if (!info.token) continue;
      ASSERT_TRUE(tokens.Add(info.bucket, call.usage[info.bucket]));
    }
    const auto compare = [&](const Json& factor, std::string_view region, ServiceTier tier) {
      Wide total = 0;
      for (const auto& [bucket, field] : LiteLlmFields()) {
        if (!Info(bucket).token || tokens[bucket] == 0) continue;
        const Wide micros = Picos(factor) / 1'000'000;
        total += *LiteLlmPrice(entry, field, 100, "") * micros / 1'000'000 * tokens[bucket];
      }
      Compare({provider, name, On("2026-11-25"), region}, {tokens, total}, tier);
    };
    if (entry.contains("regional_processing_uplift_multiplier_eu")) {
      compare(entry["regional_processing_uplift_multiplier_eu"], "eu", ServiceTier::kStandard);
    }
    const Json specific = entry.value("provider_specific_entry", Json::object());
    if (specific.contains("us")) compare(specific["us"], "us", ServiceTier::kStandard);
    if (specific.contains("fast")) compare(specific["fast"], "", ServiceTier::kFast);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(compared, 20);
}

// ---- the genai-prices document

const std::vector<Priced>& GenaiFields() {
  static const std::vector<Priced> fields = {{kInput, "input_mtok"},
                                             {kOutput, "output_mtok"},
                                             {kCacheRead, "cache_read_mtok"},
                                             {kCacheWrite5m, "cache_write_mtok"},
                                             {kCacheWrite1h, "cache_write_1h_mtok"},
                                             {kInputAudio, "input_audio_mtok"},
                                             {kOutputAudio, "output_audio_mtok"},
                                             {kCacheReadAudio, "cache_audio_read_mtok"},
                                             {kInputImage, "input_image_mtok"},
                                             {kOutputImage, "output_image_mtok"},
                                             {kCacheReadImage, "cache_image_read_mtok"},
                                             {kInputVideo, "input_video_mtok"},
                                             {kOutputVideo, "output_video_mtok"},
                                             {kReasoning, "output_reasoning_mtok"},
                                             {kCitation, "output_citation_mtok"},
                                             {kRequests, "requests_kcount"},
                                             {kSearches, "web_searches_kcount"}};
  return fields;
}

// The prices that hold then: of the last entry whose condition holds, else of the first.
const Json& GenaiPrices(const Json& prices, const std::string& day, const std::string& time) {
  if (prices.is_object()) return prices;
  for (size_t i = prices.size(); i-- > 1;) {
    const Json& constraint = prices[i]["constraint"];
    if (constraint.contains("start_date")) {
      if (day >= constraint["start_date"].get<std::string>()) return prices[i]["prices"];
    } else if (time >= constraint["start_time"].get<std::string>().substr(0, 8) &&
               time < constraint["end_time"].get<std::string>().substr(0, 8)) {
      return prices[i]["prices"];
    }
  }
  return prices[0]["prices"];
}

Expected GenaiCall(const Json& prices, int64_t input, int64_t seed) {
  Expected call;
  int64_t left = input;
  const auto price_of = [&](const std::string& field) {
    const int64_t batch = field.ends_with("kcount") ? 1000 : 1'000'000;
    const Json& value = prices[field];
    if (!value.is_object()) return Picos(value, batch);
    Wide price = Picos(value["base"], batch);
    for (const Json& tier : value["tiers"]) {
      if (input > tier["start"].get<int64_t>()) price = Picos(tier["price"], batch);
    }
    return price;
  };
  for (const auto& [bucket, field] : GenaiFields()) {
    if (!prices.contains(field)) continue;
    int64_t count = 1 + (seed * 7919 + static_cast<int64_t>(bucket) * 104729) % 4093;
    const bool is_input = Info(bucket).token && Info(bucket).side == UsageSide::kInput;
    if (is_input) count = std::min(left, count);
    if (is_input) left -= count;
    EXPECT_TRUE(call.usage.Add(bucket, count));
    call.total += price_of(field) * count;
  }
  if (prices.contains("input_mtok")) {
    EXPECT_TRUE(call.usage.Add(kInput, left));
    call.total += price_of("input_mtok") * left;
  }
  return call;
}

TEST_F(PriceFiles, EveryModelOfTheGenaiDocumentCostsWhatItsFieldsSay) {
  Load("genai_prices_v2_data.json");
  if (text.empty())
    GTEST_SKIP() << "the genai-prices document is not here; set FLYBALL_SHARED_DATA";
  int64_t models = 0;
  int64_t unpriced = 0;
  for (const Json& provider : raw) {
    for (const Json& model : provider["models"]) {
      ++models;
      int64_t found = 0;
      for (const char* day : {"2025-01-01", "2025-06-09", "2025-06-10", "2026-03-12", "2026-03-13",
                              "2026-07-30", "2026-09-01", "2026-12-31", "2027-01-01"}) {
        for (const char* time : {"00:00:00", "00:30:00", "16:29:59", "16:30:00"}) {
          const Json& prices = GenaiPrices(model["prices"], day, time);
          if (prices.empty()) continue;
          ++found;
          const Instant at = On(fmt::format("{}T{}Z", day, time));
          const PriceQuery query{provider["id"].get_ref<const std::string&>(),
                                 model["id"].get_ref<const std::string&>(), at, ""};
          for (const int64_t input : {100, 128000, 128001, 200000, 200001, 272000, 272001}) {
            Compare(query, GenaiCall(prices, input, models), ServiceTier::kStandard);
            if (HasFatalFailure()) return;
          }
          if (model["prices"].is_object()) break;
        }
        if (model["prices"].is_object()) break;
      }
      if (found == 0) ++unpriced;
    }
  }
  EXPECT_EQ(models, report.models_in);
  EXPECT_EQ(models - unpriced, report.models_priced);
  EXPECT_GT(models, 1400);
  EXPECT_GT(compared, 7 * (models - unpriced));
}

}  // namespace
}  // namespace flyball::rates
