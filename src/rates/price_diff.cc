#include "rates/price_diff.h"

#include <set>

#include "base/text.h"

namespace flyball::rates {
namespace {

using Kind = PriceDifference::Kind;

// "gemini/gemini-3-pro" goes by "gemini-3-pro" elsewhere.
const std::string& CommonName(const ModelPrices& model) {
  if (model.aliases.empty() || !model.model.ends_with("/" + model.aliases.front())) {
    return model.model;
  }
  return model.aliases.front();
}

const SizeBand* BandAt(const RateCard& card, size_t tier, int64_t above) {
  for (const SizeBand& band : card.tiers[tier]) {
    if (band.above == above) return &band;
  }
  return nullptr;
}

class Comparer {
 public:
  Comparer(PriceComparison& result, const ModelPrices& model) : result_(result), model_(model) {}

  void Compare(const RateCard& first, const RateCard& second) {
    for (size_t tier = 0; tier < kServiceTierCount; ++tier) {
      std::set<int64_t> sizes;
      for (const SizeBand& band : first.tiers[tier]) sizes.insert(band.above);
      for (const SizeBand& band : second.tiers[tier]) sizes.insert(band.above);
      for (const int64_t above : sizes) {
        const SizeBand* a = BandAt(first, tier, above);
        const SizeBand* b = BandAt(second, tier, above);
        for (const BucketInfo& info : Buckets()) {
          Note({Kind::kPrice,
                model_.provider,
                model_.model,
                static_cast<ServiceTier>(tier),
                above,
                info.bucket,
                {},
                {}},
               a == nullptr ? nullptr : a->prices.Find(info.bucket),
               b == nullptr ? nullptr : b->prices.Find(info.bucket));
        }
      }
    }
  }

 private:
  void Note(PriceDifference difference, const Money* first, const Money* second) {
    if (first == nullptr && second == nullptr) return;
    if (first != nullptr) difference.first = *first;
    if (second != nullptr) difference.second = *second;
    if (first != nullptr && second != nullptr) {
      ++result_.prices_compared;
      if (*first == *second) return;
      ++result_.prices_differing;
    } else {
      ++result_.prices_only_one;
      difference.kind = first != nullptr ? Kind::kOnlyFirst : Kind::kOnlySecond;
    }
    result_.differences.push_back(std::move(difference));
  }

  PriceComparison& result_;
  const ModelPrices& model_;
};

}  // namespace

Result<PriceComparison> ComparePrices(const Layer& first, const Layer& second, Instant at) {
  const PriceBook first_book = FB_TRY(PriceBook::Build({first}));
  const PriceBook second_book = FB_TRY(PriceBook::Build({second}));
  PriceComparison result;
  std::set<const ModelPrices*> met;
  for (const ModelPrices& model : first_book.layers().front().models) {
    const Result<PriceHit> own = first_book.Find({model.provider, model.model, at, ""});
    if (!own || own->model != &model) continue;
    const Result<PriceHit> other = second_book.Find({model.provider, CommonName(model), at, ""});
    if (!other) {
      ++result.models_only_first;
      result.only_first.push_back(model.provider + "/" + model.model);
      continue;
    }
    met.insert(other->model);
    ++result.models_compared;
    Comparer(result, model).Compare(*own->card, *other->card);
  }
  for (const ModelPrices& model : second_book.layers().front().models) {
    if (met.contains(&model)) continue;
    ++result.models_only_second;
    result.only_second.push_back(model.provider + "/" + model.model);
  }
  return result;
}

}  // namespace flyball::rates
