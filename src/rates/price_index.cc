// How a book finds the prices of a call.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "rates/price_book.h"

namespace flyball::rates {
namespace {

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};

// The names of one layer, in lower case.
struct LayerNames {
  std::unordered_map<std::string, std::vector<uint32_t>, NameHash, std::equal_to<>> exact;
  std::vector<uint32_t> patterns;  // models that other names may mean
};

void IndexName(LayerNames& names, std::string_view name, uint32_t model) {
  std::vector<uint32_t>& models = names.exact[ToLower(name)];
  if (models.empty() || models.back() != model) models.push_back(model);
}

const PricePeriod* PeriodIn(const RegionPrices& prices, Instant at) {
  const auto after =
      std::upper_bound(prices.periods.begin(), prices.periods.end(), at,
                       [](Instant time, const PricePeriod& period) { return time < period.from; });
  if (after == prices.periods.begin()) return nullptr;
  const PricePeriod& period = *std::prev(after);
  return at < period.to ? &period : nullptr;
}

// The region's own prices, or those that hold everywhere.
const PricePeriod* PeriodAt(const ModelPrices& model, std::string_view region, Instant at) {
  const PricePeriod* everywhere = nullptr;
  for (const RegionPrices& prices : model.regions) {
    if (prices.region.empty()) everywhere = PeriodIn(prices, at);
    if (region.empty() || !EqualsIgnoreCase(prices.region, region)) continue;
    if (const PricePeriod* period = PeriodIn(prices, at)) return period;
  }
  return everywhere;
}

Status CheckPeriods(const Layer& layer, const ModelPrices& model) {
  for (const RegionPrices& prices : model.regions) {
    Instant last = kAlways;
    for (const PricePeriod& period : prices.periods) {
      if (period.from >= period.to || period.from < last) {
        return Fail(Code::kInvalidArgument,
                    fmt::format("the dates of the prices of '{}' overlap or end before they begin",
                                model.model),
                    "let each price end where the next begins");
      }
      if (period.source >= layer.sources.size()) {
        return Fail(Code::kInvalidArgument,
                    fmt::format("a price of '{}' names no source", model.model));
      }
      last = period.to;
    }
  }
  return {};
}

const ProviderInfo* InfoOf(const Layer& layer, std::string_view provider) {
  for (const ProviderInfo& info : layer.providers) {
    if (info.id == provider) return &info;
  }
  return nullptr;
}

enum class ProviderRank : uint8_t { kSame, kCanonical, kPattern, kNone };

ProviderRank RankProvider(const Layer& layer, std::string_view wanted, std::string_view has) {
  if (EqualsIgnoreCase(wanted, has)) return ProviderRank::kSame;
  if (CanonicalProvider(wanted) == CanonicalProvider(has)) return ProviderRank::kCanonical;
  const ProviderInfo* info = InfoOf(layer, has);
  if (info != nullptr && info->names && info->names->Matches(ToLower(wanted))) {
    return ProviderRank::kPattern;
  }
  return ProviderRank::kNone;
}

using Models = std::vector<const ModelPrices*>;

// Keeps those whose rank, the lower the better, is the best of all; those ranked `none` never.
template <typename RankOf>
Models KeepBest(const Models& models, int none, RankOf rank_of) {
  int best = none;
  for (const ModelPrices* model : models) best = std::min(best, rank_of(*model));
  Models kept;
  for (const ModelPrices* model : models) {
    if (best < none && rank_of(*model) == best) kept.push_back(model);
  }
  return kept;
}

Models OfProvider(const Layer& layer, const Models& models, std::string_view provider) {
  return KeepBest(models, static_cast<int>(ProviderRank::kNone), [&](const ModelPrices& model) {
    return static_cast<int>(RankProvider(layer, provider, model.provider));
  });
}

struct Maker {
  std::string_view prefix;  // of names
  std::string_view provider;
};
// Whose model a name means when nobody says it: its maker's, and not that of whoever resells it.
constexpr Maker kMakers[] = {
    {"claude", "anthropic"},
    {"gpt-", "openai"},
    {"chatgpt", "openai"},
    {"o1", "openai"},
    {"o3", "openai"},
    {"o4", "openai"},
    {"text-embedding-3", "openai"},
    {"text-embedding-ada", "openai"},
    {"whisper", "openai"},
    {"tts-1", "openai"},
    {"dall-e", "openai"},
    {"sora", "openai"},
    {"gemini", "google"},
    {"imagen", "google"},
    {"veo", "google"},
    {"mistral", "mistral"},
    {"mixtral", "mistral"},
    {"codestral", "mistral"},
    {"ministral", "mistral"},
    {"magistral", "mistral"},
    {"pixtral", "mistral"},
    {"devstral", "mistral"},
    {"voxtral", "mistral"},
    {"deepseek", "deepseek"},
    {"grok", "x-ai"},
    {"command", "cohere"},
    {"kimi", "moonshotai"},
    {"voyage", "voyageai"},
};

bool IsMaker(const Layer& layer, const ModelPrices& model, std::string_view lower) {
  const std::string canonical = CanonicalProvider(model.provider);
  for (const Maker& maker : kMakers) {
    if (lower.starts_with(maker.prefix) && maker.provider == canonical) return true;
  }
  const ProviderInfo* info = InfoOf(layer, model.provider);
  return info != nullptr && info->models && info->models->Matches(lower);
}

Models FallbackModels(const Layer& layer, const Models& models, std::string_view provider) {
  for (const ProviderInfo& info : layer.providers) {
    if (RankProvider(layer, provider, info.id) == ProviderRank::kNone) continue;
    for (const std::string& fallback : info.fallbacks) {
      Models found = OfProvider(layer, models, fallback);
      if (!found.empty()) return found;
    }
  }
  return {};
}

// One that is spelt so, before one that has it as another name.
Models BestSpelt(const Models& models, std::string_view name) {
  return KeepBest(models, 3, [name](const ModelPrices& model) {
    return model.model == name ? 0 : EqualsIgnoreCase(model.model, name) ? 1 : 2;
  });
}

// Of one provider the first pattern that matches decides, as the file's order says.
Models FirstOfEachProvider(const Models& models) {
  Models first;
  for (const ModelPrices* model : models) {
    if (std::none_of(first.begin(), first.end(), [model](const ModelPrices* have) {
          return have->provider == model->provider;
        })) {
      first.push_back(model);
    }
  }
  return first;
}

Models ByName(const Layer& layer, const LayerNames& names, std::string_view lower) {
  Models found;
  if (const auto exact = names.exact.find(lower); exact != names.exact.end()) {
    for (const uint32_t model : exact->second) found.push_back(&layer.models[model]);
  }
  return found;
}

Models ByPattern(const Layer& layer, const LayerNames& names, std::string_view lower) {
  Models found;
  for (const uint32_t model : names.patterns) {
    if (layer.models[model].match->Matches(lower)) found.push_back(&layer.models[model]);
  }
  return found;
}

Models OfProviderOrFallback(const Layer& layer, const Models& models, std::string_view provider) {
  if (models.empty()) return {};
  Models found = OfProvider(layer, models, provider);
  return found.empty() ? FallbackModels(layer, models, provider) : found;
}

// Whose prices a call without a provider may take.
enum class Whose : uint8_t { kMaker, kAnybody };

// What the name means in a layer; several only where several providers have it.
Models Candidates(const Layer& layer, const LayerNames& names, std::string_view provider,
                  std::string_view name, Whose whose) {
  const std::string lower = ToLower(name);
  if (!provider.empty()) {
    Models found = OfProviderOrFallback(layer, ByName(layer, names, lower), provider);
    if (!found.empty()) return BestSpelt(found, name);
    return FirstOfEachProvider(
        OfProviderOrFallback(layer, ByPattern(layer, names, lower), provider));
  }
  for (const bool patterns : {false, true}) {
    Models found = patterns ? FirstOfEachProvider(ByPattern(layer, names, lower))
                            : ByName(layer, names, lower);
    if (whose == Whose::kMaker) {
      std::erase_if(found,
                    [&](const ModelPrices* model) { return !IsMaker(layer, *model, lower); });
    }
    if (!found.empty()) return BestSpelt(found, name);
  }
  return {};
}

struct Candidate {
  const ModelPrices* model;
  const PricePeriod* period;
};

// Those of a layer that have a price then; `first_from` learns when the earliest of the others
// begins.
std::vector<Candidate> InForce(const Models& models, const PriceQuery& query, Instant* first_from) {
  std::vector<Candidate> found;
  for (const ModelPrices* model : models) {
    if (const PricePeriod* period = PeriodAt(*model, query.region, query.at)) {
      found.push_back({model, period});
    }
    for (const RegionPrices& prices : model->regions) {
      for (const PricePeriod& period : prices.periods) {
        *first_from = std::min(*first_from, period.from);
      }
    }
  }
  return found;
}

Status CheckOneAnswer(const std::vector<Candidate>& found, const PriceQuery& query) {
  const PricePeriod& first = *found.front().period;
  std::string providers = found.front().model->provider;
  bool differ = false;
  for (size_t i = 1; i < found.size(); ++i) {
    const PricePeriod& other = *found[i].period;
    differ |=
        other.currency != first.currency || !(other.CardAt(query.at) == first.CardAt(query.at));
    providers += ", " + found[i].model->provider;
  }
  if (!differ) return {};
  return Fail(Code::kFailedPrecondition,
              fmt::format("'{}' has different prices at {} providers", query.model, found.size()),
              "name one with --provider: " + providers);
}

std::unexpected<Error> NotFound(const PriceQuery& query, Instant first_from) {
  if (first_from != kForever) {
    return Fail(Code::kNotFound,
                fmt::format("no price of '{}' holds at {}", query.model, FormatInstant(query.at)),
                first_from == kAlways ? "its prices end before that"
                                      : "its first price is of " + FormatDate(first_from));
  }
  return Fail(
      Code::kNotFound,
      query.provider.empty()
          ? fmt::format("no price of the model '{}' is known", query.model)
          : fmt::format("no price of the model '{}' of '{}' is known", query.model, query.provider),
      "import a price file that has it, or state its price in one of your own");
}

}  // namespace

struct PriceBook::Index {
  std::vector<Layer> layers;
  std::vector<LayerNames> names;
  std::array<std::optional<Money>, kBucketCount> ceilings;

  void AddToCeilings(const RateCard& card) {
    for (const auto& bands : card.tiers) {
      for (const SizeBand& band : bands) {
        for (const BucketInfo& info : Buckets()) {
          const Money* price = band.prices.Find(info.bucket);
          std::optional<Money>& ceiling = ceilings[static_cast<size_t>(info.bucket)];
          if (price != nullptr && (!ceiling || *ceiling < *price)) ceiling = *price;
        }
      }
    }
  }
  void AddModel(LayerNames& into, const ModelPrices& model, uint32_t number) {
    IndexName(into, model.model, number);
    for (const std::string& alias : model.aliases) IndexName(into, alias, number);
    if (model.match) into.patterns.push_back(number);
    for (const RegionPrices& prices : model.regions) {
      for (const PricePeriod& period : prices.periods) {
        if (period.currency != "USD") continue;
        AddToCeilings(period.card);
        for (const auto& [window, card] : period.windows) AddToCeilings(card);
      }
    }
  }
};

PriceBook::PriceBook() : index_(std::make_unique<Index>()) {}
PriceBook::PriceBook(PriceBook&&) noexcept = default;
PriceBook& PriceBook::operator=(PriceBook&&) noexcept = default;
PriceBook::~PriceBook() = default;

Result<PriceBook> PriceBook::Build(std::vector<Layer> layers) {
  auto index = std::make_unique<Index>();
  for (const bool contract : {true, false}) {
    for (Layer& layer : layers) {
      // A layer that was moved from keeps its flag.
      if (layer.contract == contract) index->layers.push_back(std::move(layer));
    }
  }
  for (const Layer& layer : index->layers) {
    LayerNames& names = index->names.emplace_back();
    for (uint32_t i = 0; i < layer.models.size(); ++i) {
      FB_CHECK(CheckPeriods(layer, layer.models[i]));
      index->AddModel(names, layer.models[i], i);
    }
  }
  PriceBook book;
  book.index_ = std::move(index);
  return book;
}

Result<PriceHit> PriceBook::FindList(const PriceQuery& query, bool maker, bool* known,
                                     Instant* first_from) const {
  const auto& layers = index_->layers;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].contract) continue;
    const Models models = Candidates(layers[i], index_->names[i], query.provider, query.model,
                                     maker ? Whose::kMaker : Whose::kAnybody);
    *known |= !models.empty();
    const std::vector<Candidate> found = InForce(models, query, first_from);
    if (found.empty()) continue;
    FB_CHECK(CheckOneAnswer(found, query));
    return PriceHit{&layers[i],
                    found.front().model,
                    found.front().period,
                    &found.front().period->CardAt(query.at),
                    nullptr,
                    nullptr};
  }
  return PriceHit{};
}

Result<PriceHit> PriceBook::Find(const PriceQuery& query) const {
  Instant first_from = kForever;
  bool known = false;
  PriceHit hit;
  if (query.provider.empty()) hit = FB_TRY(FindList(query, true, &known, &first_from));
  if (!known) hit = FB_TRY(FindList(query, false, &known, &first_from));
  const auto& layers = index_->layers;
  const std::string_view provider = hit.layer != nullptr && query.provider.empty()
                                        ? std::string_view(hit.model->provider)
                                        : query.provider;
  for (size_t i = 0; i < layers.size() && layers[i].contract; ++i) {
    const Models models =
        Candidates(layers[i], index_->names[i], provider, query.model, Whose::kAnybody);
    const std::vector<Candidate> found = InForce(models, query, &first_from);
    if (found.empty()) continue;
    FB_CHECK(CheckOneAnswer(found, query));
    const PricePeriod* period = found.front().period;
    if (hit.layer == nullptr || hit.period->currency != period->currency) {
      return PriceHit{&layers[i], found.front().model, period, &period->CardAt(query.at), nullptr,
                      nullptr};
    }
    hit.contract = period;
    hit.contract_card = &period->CardAt(query.at);
    break;
  }
  if (hit.layer != nullptr) return hit;
  return NotFound(query, first_from);
}

std::string_view PriceBook::Nearest(std::string_view model) const {
  std::vector<std::string_view> names;
  for (const Layer& layer : index_->layers) {
    for (const ModelPrices& have : layer.models) {
      names.push_back(have.model);
      names.insert(names.end(), have.aliases.begin(), have.aliases.end());
    }
  }
  return flyball::Nearest(model, names);
}

std::vector<std::pair<const Layer*, const ModelPrices*>> PriceBook::All(
    std::string_view provider, std::string_view model) const {
  std::vector<std::pair<const Layer*, const ModelPrices*>> all;
  for (size_t i = 0; i < index_->layers.size(); ++i) {
    const Layer& layer = index_->layers[i];
    for (const ModelPrices* found :
         Candidates(layer, index_->names[i], provider, model, Whose::kAnybody)) {
      all.emplace_back(&layer, found);
    }
  }
  return all;
}

const Money* PriceBook::Ceiling(Bucket bucket) const {
  const std::optional<Money>& ceiling = index_->ceilings[static_cast<size_t>(bucket)];
  return ceiling ? &*ceiling : nullptr;
}

const std::vector<Layer>& PriceBook::layers() const { return index_->layers; }

}  // namespace flyball::rates
