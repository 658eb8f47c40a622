// The LiteLLM map: an object of models, each an object of prices for one unit, with sizes, tiers
// and places in the names of the fields.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "rates/price_readers.h"

namespace flyball::rates {
namespace {

struct Field {
  std::string_view name;
  Bucket bucket;
};
constexpr Field kFields[] = {
    {"input_cost_per_token", Bucket::kInput},
    {"output_cost_per_token", Bucket::kOutput},
    {"output_cost_per_reasoning_token", Bucket::kReasoning},
    {"citation_cost_per_token", Bucket::kCitation},
    {"cache_read_input_token_cost", Bucket::kCacheRead},
    {"cache_creation_input_token_cost", Bucket::kCacheWrite5m},
    {"cache_read_input_audio_token_cost", Bucket::kCacheReadAudio},
    {"cache_creation_input_audio_token_cost", Bucket::kCacheWriteAudio},
    {"input_cost_per_audio_token", Bucket::kInputAudio},
    {"output_cost_per_audio_token", Bucket::kOutputAudio},
    {"input_cost_per_image_token", Bucket::kInputImage},
    {"output_cost_per_image_token", Bucket::kOutputImage},
    {"input_cost_per_video_token", Bucket::kInputVideo},
    {"output_cost_per_video_token", Bucket::kOutputVideo},
    {"input_cost_per_query", Bucket::kRequests},
    {"input_cost_per_request", Bucket::kRequests},
    {"input_cost_per_character", Bucket::kInputCharacters},
    {"output_cost_per_character", Bucket::kOutputCharacters},
    {"input_cost_per_second", Bucket::kInputSeconds},
    {"output_cost_per_second", Bucket::kOutputSeconds},
    {"input_cost_per_audio_per_second", Bucket::kInputAudioSeconds},
    {"input_cost_per_video_per_second", Bucket::kInputVideoSeconds},
    {"output_cost_per_video_per_second", Bucket::kOutputVideoSeconds},
    {"input_cost_per_image", Bucket::kInputImageCount},
    {"output_cost_per_image", Bucket::kOutputImageCount},
    {"input_cost_per_pixel", Bucket::kInputPixels},
    {"output_cost_per_pixel", Bucket::kOutputPixels},
    {"ocr_cost_per_page", Bucket::kPages},
    {"annotation_cost_per_page", Bucket::kAnnotatedPages},
    {"code_interpreter_cost_per_session", Bucket::kSessions},
};

// Read by steps of their own.
constexpr std::string_view kOtherFields[] = {
    "tiered_pricing", "search_context_cost_per_query", "provider_specific_entry",
    "regional_processing_uplift_multiplier_eu", "regional_processing_uplift_multiplier_us"};
constexpr std::string_view kNoModels[] = {"sample_spec", "fallback_generalizations",
                                          "last_updated"};
// Its thresholds are reached at their number; everybody else's above it.
constexpr std::string_view kInclusiveProvider = "xai";

template <size_t N>
bool IsOneOf(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool TakeSuffix(std::string_view* name, std::string_view suffix) {
  if (!name->ends_with(suffix)) return false;
  name->remove_suffix(suffix.size());
  return true;
}

struct PriceKey {
  Bucket bucket{};
  ServiceTier tier = ServiceTier::kStandard;
  int64_t above = 0;
};

// "input_cost_per_token_above_200k_tokens_priority": what, above which size, in which tier. The
// "_above_1hr" of cache writes is a time to live and no size.
std::optional<PriceKey> ParseKey(std::string_view name) {
  PriceKey key;
  if (TakeSuffix(&name, "_priority")) key.tier = ServiceTier::kPriority;
  if (TakeSuffix(&name, "_flex")) key.tier = ServiceTier::kFlex;
  if (TakeSuffix(&name, "_batches")) key.tier = ServiceTier::kBatch;
  if (TakeSuffix(&name, "k_tokens")) {
    size_t digits = 0;
    while (digits < 6 && digits < name.size() && name[name.size() - 1 - digits] >= '0' &&
           name[name.size() - 1 - digits] <= '9') {
      ++digits;
    }
    if (digits == 0) return std::nullopt;
    for (const char c : name.substr(name.size() - digits)) key.above = key.above * 10 + (c - '0');
    key.above *= 1000;
    name.remove_suffix(digits);
    if (!TakeSuffix(&name, "_above_") || key.above == 0) return std::nullopt;
  }
  const bool hour = TakeSuffix(&name, "_above_1hr");
  for (const Field& field : kFields) {
    if (field.name != name) continue;
    key.bucket = field.bucket;
    if (!hour) return key;
    if (field.bucket != Bucket::kCacheWrite5m) return std::nullopt;
    key.bucket = Bucket::kCacheWrite1h;
    return key;
  }
  return std::nullopt;
}

// Why a field about money is not used; empty: it is not about money.
std::string_view ReasonUnused(std::string_view name) {
  if (name.find("dbu_cost") != std::string_view::npos) return "priced in units of the vendor";
  if (name == "ocr_cost_per_credit") return "priced in units of the vendor";
  if (name.ends_with("_interval") || name.ends_with("_1080p")) {
    return "priced by length or resolution";
  }
  if (name.find("gb_per_day") != std::string_view::npos) return "priced by stored amount";
  if (name.find("cost") != std::string_view::npos || name.find("price") != std::string_view::npos ||
      name.find("pricing") != std::string_view::npos ||
      name.find("multiplier") != std::string_view::npos) {
    return "a price field that is not known";
  }
  return "";
}

class Reader {
 public:
  Reader(PriceFile& file, const PriceFileOptions& options) : file_(file), options_(options) {}

  Result<PriceFile> Read(const JsonNode& document);

 private:
  std::optional<Money> Price(const JsonNode& node, std::string_view field);
  void Put(RateCard& card, const PriceKey& key, Money price, std::string_view field);
  void ReadFields(const JsonNode& entry, int64_t above, RateCard& card);
  void ReadBands(const JsonNode& entry, RateCard& card);
  void ReadSearches(const JsonNode& entry, RateCard& card);
  void ReadFactors(const JsonNode& entry, ModelPrices& model, const PricePeriod& period);
  void ReadModel(const std::string& name, const JsonNode& entry);
  void AddRegional(const ModelPrices& model);
  uint32_t SourceOf(const JsonNode& entry);
  std::string Example(std::string_view field) const { return fmt::format("{}: {}", name_, field); }
  void Note(std::string_view reason, std::string_view field) {
    file_.report.Note(reason, Example(field));
  }

  PriceFile& file_;
  const PriceFileOptions& options_;
  std::string name_;                                // of the model that is read
  std::string provider_;                            // likewise
  std::unordered_map<std::string, size_t> models_;  // by key, in the layer
  std::map<std::string, uint32_t, std::less<>> sources_;
};

std::optional<Money> Reader::Price(const JsonNode& node, std::string_view field) {
  if (node.kind == JsonNode::Kind::kNull) {
    Note("the price is null", field);
    return std::nullopt;
  }
  if (!node.is_number() && !node.is_string()) {
    Note("the price is no number", field);
    return std::nullopt;
  }
  return ReadPrice(node.text, 1, Example(field), file_.report);
}

void Reader::Put(RateCard& card, const PriceKey& key, Money price, std::string_view field) {
  PriceSet& prices = card.Band(key.tier, key.above, provider_ == kInclusiveProvider).prices;
  if (const Money* have = prices.Find(key.bucket); have != nullptr && *have != price) {
    Note("another field states another price", field);
    return;
  }
  prices.Set(key.bucket, price);
}

void Reader::ReadFields(const JsonNode& entry, int64_t above, RateCard& card) {
  for (size_t i = 0; i < entry.keys.size(); ++i) {
    const std::string& field = entry.keys[i];
    if (entry.Find(field) != &entry.items[i]) {
      Note("the field stands twice: the last counts", field);
      continue;
    }
    std::optional<PriceKey> key = ParseKey(field);
    if (!key) {
      // DeepSeek's older name for the price of the cache; read last, where nothing else states it.
      if (field == "input_cost_per_token_cache_hit" || IsOneOf(field, kOtherFields)) continue;
      if (const std::string_view reason = ReasonUnused(field); !reason.empty()) Note(reason, field);
      continue;
    }
    if (above != 0) key->above = above;
    if (const auto price = Price(entry.items[i], field)) Put(card, *key, *price, field);
  }
  if (const JsonNode* hit = entry.Find("input_cost_per_token_cache_hit")) {
    if (const auto price = Price(*hit, "input_cost_per_token_cache_hit")) {
      Put(card, {Bucket::kCacheRead, ServiceTier::kStandard, above}, *price,
          "input_cost_per_token_cache_hit");
    }
  }
}

// "tiered_pricing": [{"range": [0, 32000], prices...}, ...]: above the lower end, all tokens.
void Reader::ReadBands(const JsonNode& entry, RateCard& card) {
  const JsonNode* bands = entry.Find("tiered_pricing");
  if (bands == nullptr) return;
  for (const JsonNode& band : bands->items) {
    const JsonNode* range = band.Find("range");
    ParsedDecimal from;
    if (range == nullptr || range->items.size() != 2 || !range->items[0].is_number() ||
        ParseDecimalFast(range->items[0].text, 0, &from) != DecimalFault::kNone || !from.exact ||
        from.units < 0 || from.units > kUsageCountMax) {
      Note(band.Find("max_results_range") != nullptr ? "priced by the number of results"
                                                     : "the range of a tier is no range",
           "tiered_pricing");
      continue;
    }
    ReadFields(band, static_cast<int64_t>(from.units), card);
  }
}

void Reader::ReadSearches(const JsonNode& entry, RateCard& card) {
  const JsonNode* searches = entry.Find("search_context_cost_per_query");
  if (searches == nullptr) return;
  const auto price = [&](std::string_view size) -> std::optional<Money> {
    const std::string key = fmt::format("search_context_size_{}", size);
    const JsonNode* node = searches->Find(key);
    return node == nullptr ? std::nullopt : Price(*node, key);
  };
  const auto put = [&](Bucket bucket, std::optional<Money> found) {
    if (found) card.Band(ServiceTier::kStandard, 0).prices.Set(bucket, *found);
  };
  const std::optional<Money> medium = price("medium");  // what vendors take unless told otherwise
  put(Bucket::kSearches, medium);
  if (const auto low = price("low"); low != medium) put(Bucket::kSearchesLow, low);
  if (const auto high = price("high"); high != medium) put(Bucket::kSearchesHigh, high);
}

// Multiples of all token prices: a faster mode, and places of processing.
void Reader::ReadFactors(const JsonNode& entry, ModelPrices& model, const PricePeriod& period) {
  PricePeriod& base = model.Region("").periods.emplace_back(period);
  const JsonNode* specific = entry.Find("provider_specific_entry");
  if (specific != nullptr && specific->Find("fast") != nullptr &&
      !AddScaledTier(base.card, ServiceTier::kStandard, ServiceTier::kFast,
                     specific->Find("fast")->text)) {
    Note("the factor is no factor", "provider_specific_entry.fast");
  }
  const PricePeriod everywhere = base;
  const auto add = [&](std::string_view region, const JsonNode* factor, std::string_view field) {
    if (factor == nullptr) return;
    const auto card = ScaledCard(everywhere.card, factor->text);
    if (!card) return Note("the factor is no factor", field);
    std::vector<PricePeriod>& there = model.Region(region).periods;
    if (there.empty()) {
      there.push_back(everywhere);
      there.back().card = *card;
    } else if (!(there.front().card == *card)) {
      Note("another field states another price", field);
    }
  };
  add("eu", entry.Find("regional_processing_uplift_multiplier_eu"),
      "regional_processing_uplift_multiplier_eu");
  add("us", entry.Find("regional_processing_uplift_multiplier_us"),
      "regional_processing_uplift_multiplier_us");
  if (specific == nullptr) return;
  for (size_t i = 0; i < specific->keys.size(); ++i) {
    const std::string& key = specific->keys[i];
    if (key == "us") add("us", &specific->items[i], "provider_specific_entry.us");
    if (key != "us" && key != "fast" && specific->items[i].is_number()) {
      Note("a factor that is not known", "provider_specific_entry." + key);
    }
  }
}

uint32_t Reader::SourceOf(const JsonNode& entry) {
  const std::string_view url = entry.Text("source");
  if (url.empty() || url.size() > kPriceNameBytesMax) return 0;
  if (const auto known = sources_.find(url); known != sources_.end()) return known->second;
  PriceSource source = file_.layer.sources.front();
  source.url = url;
  const uint32_t index = static_cast<uint32_t>(file_.layer.sources.size());
  file_.layer.sources.push_back(std::move(source));
  sources_.emplace(url, index);
  return index;
}

void Reader::ReadModel(const std::string& name, const JsonNode& entry) {
  PriceReport& report = file_.report;
  ++report.models_in;
  name_ = name.substr(0, kPriceNameBytesMax);
  provider_ = entry.Text("litellm_provider");
  if (provider_.empty() || name.empty() || name.size() > kPriceNameBytesMax ||
      provider_.size() > kPriceNameBytesMax) {
    return report.Note("the entry names no provider", name_);
  }
  PricePeriod period;
  period.source = SourceOf(entry);
  ReadFields(entry, 0, period.card);
  ReadBands(entry, period.card);
  ReadSearches(entry, period.card);
  if (period.card.empty()) {
    ++report.models_unpriced;
    return report.Note("the entry states no price", name_);
  }
  ModelPrices model;
  model.provider = provider_;
  model.model = name;
  const size_t slash = name.find('/');
  // "gemini/gemini-3-pro-preview" is gemini-3-pro-preview at gemini.
  if (slash != std::string::npos &&
      CanonicalProvider(name.substr(0, slash)) == CanonicalProvider(provider_)) {
    model.aliases.push_back(name.substr(slash + 1));
  }
  ReadFactors(entry, model, period);
  models_.emplace(name, file_.layer.models.size());
  file_.layer.models.push_back(std::move(model));
}

// "eu", "us", or one of the cloud's own: "us-gov-west-1".
bool IsRegion(std::string_view name) {
  if (name == "eu" || name == "us") return true;
  return std::count(name.begin(), name.end(), '-') >= 2 && name.back() >= '0' && name.back() <= '9';
}

// "bedrock/eu-west-1/M" and "azure/eu/M" also are the prices of M there.
void Reader::AddRegional(const ModelPrices& model) {
  const std::vector<std::string_view> parts = SplitText(model.model, '/');
  if (parts.size() != 3 || !IsRegion(parts[1]) || (parts[0] != "bedrock" && parts[0] != "azure")) {
    return;
  }
  const std::string rest(parts[2]);
  auto base = models_.find(rest);
  if (base == models_.end()) base = models_.find(std::string(parts[0]) + "/" + rest);
  if (base == models_.end()) return;
  std::vector<PricePeriod>& periods = file_.layer.models[base->second].Region(parts[1]).periods;
  if (periods.empty()) periods = model.regions.front().periods;
}

Result<PriceFile> Reader::Read(const JsonNode& document) {
  PriceReport& report = file_.report;
  report.format = PriceFormat::kLiteLlm;
  file_.layer.name = FormatName(PriceFormat::kLiteLlm);
  PriceSource source{file_.layer.name, "", options_.imported};
  ParsedInstant updated;
  if (ParseInstant(document.Text("last_updated"), &updated)) source.checked = updated.instant;
  file_.layer.sources.push_back(std::move(source));
  if (document.keys.size() > kPriceModelsMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the file has more than {} models", kPriceModelsMax));
  }
  std::unordered_map<std::string_view, size_t> last;
  for (size_t i = 0; i < document.keys.size(); ++i) last[document.keys[i]] = i;
  for (size_t i = 0; i < document.keys.size(); ++i) {
    const std::string& name = document.keys[i];
    if (IsOneOf(name, kNoModels)) continue;
    if (last[name] != i) {
      report.Note("the model stands twice: the last counts", name.substr(0, kPriceNameBytesMax));
    } else if (!document.items[i].is_object()) {
      report.Note("the entry is no object", name.substr(0, kPriceNameBytesMax));
    } else {
      ReadModel(name, document.items[i]);
    }
  }
  for (size_t i = 0; i < file_.layer.models.size(); ++i) {
    const ModelPrices model = file_.layer.models[i];
    AddRegional(model);
  }
  CountPrices(file_);
  return std::move(file_);
}

}  // namespace

Result<PriceFile> ReadLiteLlm(const JsonNode& document, const PriceFileOptions& options) {
  PriceFile file;
  return Reader(file, options).Read(document);
}

}  // namespace flyball::rates
