// The genai-prices document (v2): an array of providers with their models, names as conditions,
// prices for many units, with sizes, first days and hours of the day.
#include <fmt/format.h>

#include <algorithm>

#include "rates/price_readers.h"

namespace flyball::rates {
namespace {

constexpr int64_t kThousand = 1000;
constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kHour = 3600;

struct PriceKey {
  std::string_view name;
  Bucket bucket;
  int64_t batch;  // units that one price buys
};
constexpr PriceKey kKeys[] = {
    {"input_mtok", Bucket::kInput, kMillion},
    {"output_mtok", Bucket::kOutput, kMillion},
    {"cache_read_mtok", Bucket::kCacheRead, kMillion},
    {"cache_write_mtok", Bucket::kCacheWrite5m, kMillion},
    {"cache_write_5m_mtok", Bucket::kCacheWrite5m, kMillion},
    {"cache_write_1h_mtok", Bucket::kCacheWrite1h, kMillion},
    {"input_audio_mtok", Bucket::kInputAudio, kMillion},
    {"output_audio_mtok", Bucket::kOutputAudio, kMillion},
    {"cache_audio_read_mtok", Bucket::kCacheReadAudio, kMillion},
    {"cache_audio_write_mtok", Bucket::kCacheWriteAudio, kMillion},
    {"input_image_mtok", Bucket::kInputImage, kMillion},
    {"output_image_mtok", Bucket::kOutputImage, kMillion},
    {"cache_image_read_mtok", Bucket::kCacheReadImage, kMillion},
    {"input_video_mtok", Bucket::kInputVideo, kMillion},
    {"output_video_mtok", Bucket::kOutputVideo, kMillion},
    {"cache_video_read_mtok", Bucket::kCacheReadVideo, kMillion},
    {"output_reasoning_mtok", Bucket::kReasoning, kMillion},
    {"output_citation_mtok", Bucket::kCitation, kMillion},
    {"requests_kcount", Bucket::kRequests, kThousand},
    {"rerank_searches_kcount", Bucket::kRequests, kThousand},
    {"web_searches_kcount", Bucket::kSearches, kThousand},
    {"code_executions_kcount", Bucket::kSessions, kThousand},
    {"input_mchars", Bucket::kInputCharacters, kMillion},
    {"input_gpixels", Bucket::kInputPixels, kThousand* kMillion},
    {"input_document_kpages", Bucket::kPages, kThousand},
    {"input_annotated_document_kpages", Bucket::kAnnotatedPages, kThousand},
    {"audio_hours", Bucket::kInputSeconds, kHour},
    {"input_audio_hours", Bucket::kInputAudioSeconds, kHour},
};

const PriceKey* KeyOf(std::string_view name) {
  for (const PriceKey& key : kKeys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

// What the conditions of one file may cost together.
struct ClauseBudget {
  size_t left = kNameMatchClausesMax;
};

Result<NameMatch> ReadClause(const JsonNode& clause, int depth, ClauseBudget& budget);

Result<NameMatch> ReadClauses(const JsonNode& list, bool all, int depth, ClauseBudget& budget) {
  std::vector<NameMatch> parts;
  for (const JsonNode& part : list.items) parts.push_back(FB_TRY(ReadClause(part, depth, budget)));
  return all ? NameMatch::AllOf(std::move(parts)) : NameMatch::AnyOf(std::move(parts));
}

Result<NameMatch> ReadClause(const JsonNode& clause, int depth, ClauseBudget& budget) {
  if (depth > kNameMatchDepthMax || budget.left-- == 0) {
    return Fail(Code::kInvalidArgument, "a condition on names has too many parts");
  }
  if (!clause.is_object() || clause.keys.size() != 1) {
    return Fail(Code::kInvalidArgument, "a condition on names is none");
  }
  const std::string& kind = clause.keys[0];
  const JsonNode& value = clause.items[0];
  if ((kind == "or" || kind == "and") && value.is_array() && !value.items.empty()) {
    return ReadClauses(value, kind == "and", depth + 1, budget);
  }
  if (!value.is_string() || value.text.empty() || value.text.size() > kNamePatternBytesMax) {
    return Fail(Code::kInvalidArgument, "a condition on names has no name");
  }
  if (kind == "equals") return NameMatch::Text(NameMatch::Kind::kEquals, value.text);
  if (kind == "starts_with") return NameMatch::Text(NameMatch::Kind::kStartsWith, value.text);
  if (kind == "ends_with") return NameMatch::Text(NameMatch::Kind::kEndsWith, value.text);
  if (kind == "contains") return NameMatch::Text(NameMatch::Kind::kContains, value.text);
  if (kind == "regex") return NameMatch::Regex(value.text);
  return Fail(Code::kInvalidArgument, fmt::format("'{}' is no condition on names", kind));
}

// "16:30:00Z", in seconds since midnight; -1: none.
int32_t ReadDayTime(std::string_view text) {
  if (text.size() == 9 && text.back() == 'Z') text.remove_suffix(1);
  ParsedInstant parsed;
  if (text.size() != 8 || !ParseInstant(fmt::format("2000-01-01T{}Z", text), &parsed)) return -1;
  return static_cast<int32_t>((parsed.instant.us - FloorDay(parsed.instant).us) / kMicrosPerSecond);
}

// Later entries come before earlier ones, the first holds where no other does. So each entry cuts
// off what it replaces: one with a first day everything from that day on, one with hours these
// hours of every period so far.
class Timeline {
 public:
  explicit Timeline(const PricePeriod& like) : like_(like) {}

  void Begin(Instant from, RateCard card) {
    while (!periods_.empty() && periods_.back().from >= from) periods_.pop_back();
    if (!periods_.empty()) periods_.back().to = from;
    PricePeriod& period = periods_.emplace_back(like_);
    period.from = from;
    period.card = std::move(card);
  }
  void AddHours(DayWindow hours, const RateCard& card) {
    for (PricePeriod& period : periods_) period.windows.emplace_back(hours, card);
  }
  std::vector<PricePeriod> Take() { return std::move(periods_); }

 private:
  PricePeriod like_;
  std::vector<PricePeriod> periods_;
};

class Reader {
 public:
  explicit Reader(PriceFile& file) : file_(file) {}

  void ReadProvider(const JsonNode& provider);

 private:
  void ReadModel(const JsonNode& model, uint32_t source);
  bool ReadPrices(const JsonNode& prices, Timeline& timeline);
  void AddConditional(const JsonNode& entry, bool first, Timeline& timeline);
  RateCard ReadCard(const JsonNode& prices);
  void ReadValue(const PriceKey& key, const JsonNode& value, RateCard& card);
  std::optional<NameMatch> ReadMatch(const JsonNode* clause, std::string_view field);
  void Note(std::string_view reason, std::string_view field) {
    file_.report.Note(reason, fmt::format("{}: {}", name_, field));
  }
  std::optional<Money> Price(const JsonNode& node, const PriceKey& key) {
    if (node.is_number()) {
      return ReadPrice(node.text, key.batch / Info(key.bucket).per,
                       fmt::format("{}: {}", name_, key.name), file_.report);
    }
    Note("the price is no number", key.name);
    return std::nullopt;
  }

  PriceFile& file_;
  std::string provider_;
  std::string name_;  // "provider/model"
};

std::optional<NameMatch> Reader::ReadMatch(const JsonNode* clause, std::string_view field) {
  if (clause == nullptr) return std::nullopt;
  ClauseBudget budget;
  Result<NameMatch> match = ReadClause(*clause, 0, budget);
  if (match) return *std::move(match);
  Note(match.error().message, field);
  return std::nullopt;
}

void Reader::ReadValue(const PriceKey& key, const JsonNode& value, RateCard& card) {
  const auto put = [&](int64_t above, const JsonNode& node) {
    const std::optional<Money> price = Price(node, key);
    if (price) card.Band(ServiceTier::kStandard, above).prices.Set(key.bucket, *price);
  };
  if (!value.is_object()) return put(0, value);
  const JsonNode* base = value.Find("base");
  const JsonNode* tiers = value.Find("tiers");
  if (base == nullptr || tiers == nullptr || !tiers->is_array()) {
    return Note("the price by size is none", key.name);
  }
  put(0, *base);
  for (const JsonNode& tier : tiers->items) {
    const JsonNode* start = tier.Find("start");
    const JsonNode* price = tier.Find("price");
    ParsedDecimal above;
    if (start == nullptr || price == nullptr || !start->is_number() ||
        ParseDecimalFast(start->text, 0, &above) != DecimalFault::kNone || !above.exact ||
        above.units <= 0 || above.units > kUsageCountMax) {
      Note("the price by size is none", key.name);
      continue;
    }
    put(static_cast<int64_t>(above.units), *price);
  }
}

RateCard Reader::ReadCard(const JsonNode& prices) {
  RateCard card;
  // The price of all cache writes comes before that of those of five minutes, which replaces it.
  for (const PriceKey& key : kKeys) {
    if (const JsonNode* value = prices.Find(key.name)) ReadValue(key, *value, card);
  }
  for (size_t i = 0; i < prices.keys.size(); ++i) {
    if (prices.Find(prices.keys[i]) != &prices.items[i]) {
      Note("the field stands twice: the last counts", prices.keys[i]);
    } else if (KeyOf(prices.keys[i]) == nullptr) {
      Note("a price field that is not known", prices.keys[i]);
    }
  }
  return card;
}

void Reader::AddConditional(const JsonNode& entry, bool first, Timeline& timeline) {
  const JsonNode* prices = entry.Find("prices");
  if (prices == nullptr || !prices->is_object()) return Note("the entry has no prices", "prices");
  const JsonNode* constraint = entry.Find("constraint");
  if (first || constraint == nullptr || constraint->kind == JsonNode::Kind::kNull) {
    return timeline.Begin(kAlways, ReadCard(*prices));
  }
  if (const std::string_view day = constraint->Text("start_date"); !day.empty()) {
    ParsedInstant from;
    if (!ParseInstant(day, &from)) return Note("the first day of a price is no date", "constraint");
    return timeline.Begin(from.instant, ReadCard(*prices));
  }
  const int32_t start = ReadDayTime(constraint->Text("start_time"));
  const int32_t end = ReadDayTime(constraint->Text("end_time"));
  if (start < 0 || end < 0) return Note("a condition of a price is not known", "constraint");
  timeline.AddHours({start, end}, ReadCard(*prices));
}

bool Reader::ReadPrices(const JsonNode& prices, Timeline& timeline) {
  if (prices.is_object()) {
    timeline.Begin(kAlways, ReadCard(prices));
    return true;
  }
  if (!prices.is_array()) return false;
  for (size_t i = 0; i < prices.items.size(); ++i) {
    AddConditional(prices.items[i], i == 0, timeline);
  }
  return true;
}

void Reader::ReadModel(const JsonNode& node, uint32_t source) {
  PriceReport& report = file_.report;
  ++report.models_in;
  const std::string_view id = node.Text("id");
  name_ = fmt::format("{}/{}", provider_, id.substr(0, kPriceNameBytesMax));
  if (id.empty() || id.size() > kPriceNameBytesMax)
    return report.Note("the model has no id", name_);
  const JsonNode* prices = node.Find("prices");
  PricePeriod like;
  like.source = source;
  Timeline timeline(like);
  if (prices == nullptr || !ReadPrices(*prices, timeline)) {
    return report.Note("the model has no prices", name_);
  }
  ModelPrices model;
  model.provider = provider_;
  model.model = id;
  model.match = ReadMatch(node.Find("match"), "match");
  if (model.match) model.match->AppendNames(&model.aliases);
  std::vector<PricePeriod> periods = timeline.Take();
  const bool empty = std::all_of(periods.begin(), periods.end(), [](const PricePeriod& period) {
    return period.card.empty() && period.windows.empty();
  });
  if (empty) {
    ++report.models_unpriced;
    return report.Note("the entry states no price", name_);
  }
  model.Region("").periods = std::move(periods);
  file_.layer.models.push_back(std::move(model));
}

void Reader::ReadProvider(const JsonNode& node) {
  PriceReport& report = file_.report;
  provider_ = node.Text("id");
  name_ = provider_;
  const JsonNode* models = node.Find("models");
  if (provider_.empty() || provider_.size() > kPriceNameBytesMax || models == nullptr ||
      !models->is_array()) {
    return report.Note("the provider has no id or no models", name_.substr(0, kPriceNameBytesMax));
  }
  // The document states no day: it may be older than it looks by its import.
  PriceSource source{std::string(FormatName(PriceFormat::kGenaiPrices)), "", kAlways};
  if (const JsonNode* urls = node.Find("pricing_urls"); urls != nullptr && !urls->items.empty()) {
    source.url = urls->items[0].text.substr(0, kPriceNameBytesMax);
  }
  const uint32_t index = static_cast<uint32_t>(file_.layer.sources.size());
  file_.layer.sources.push_back(std::move(source));
  ProviderInfo info;
  info.id = provider_;
  info.names = ReadMatch(node.Find("provider_match"), "provider_match");
  info.models = ReadMatch(node.Find("model_match"), "model_match");
  if (const JsonNode* fallbacks = node.Find("fallback_model_providers")) {
    for (const JsonNode& fallback : fallbacks->items) info.fallbacks.push_back(fallback.text);
  }
  file_.layer.providers.push_back(std::move(info));
  for (const JsonNode& model : models->items) ReadModel(model, index);
}

}  // namespace

Result<PriceFile> ReadGenaiPrices(const JsonNode& document) {
  PriceFile file;
  file.report.format = PriceFormat::kGenaiPrices;
  file.layer.name = FormatName(PriceFormat::kGenaiPrices);
  size_t models = 0;
  for (const JsonNode& provider : document.items) {
    if (const JsonNode* list = provider.Find("models")) models += list->items.size();
  }
  if (models == 0) {
    return Fail(Code::kInvalidArgument, "there is no model in the list of providers",
                "the genai-prices document (v2) is a list of providers with their models");
  }
  if (models > kPriceModelsMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the file has more than {} models", kPriceModelsMax));
  }
  Reader reader(file);
  for (const JsonNode& provider : document.items) reader.ReadProvider(provider);
  CountPrices(file);
  return file;
}

}  // namespace flyball::rates
