// Fuzzes price files in all three formats. A file that is refused is fine; a crash, a book that
// can't be built from what was read, a price out of bounds or a call that costs less than nothing
// is a bug.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "rates/price_file.h"
#include "rates/rate.h"

namespace {

using namespace flyball;
using namespace flyball::rates;

// Something of every bucket, at a size and a time that the input's length picks.
void RateAll(const PriceBook& book, const ModelPrices& model, size_t size) {
  Usage usage;
  for (const BucketInfo& info : Buckets()) {
    FB_ASSERT(usage.Add(info.bucket, static_cast<int64_t>(size) * 100).has_value());
  }
  const Instant at{static_cast<int64_t>(size) * kMicrosPerHour * 24};
  const Result<PriceHit> hit = book.Find({model.provider, model.model, at, ""});
  if (!hit) return;
  UsageBound bound;
  bound.input_tokens = usage.InputTokens();
  bound.output_tokens = usage.OutputTokens();
  bound.input_kinds = InputTokenBuckets();
  bound.output_kinds = OutputTokenBuckets();
  bound.others = usage;
  bound.tiers = (1U << kServiceTierCount) - 1;
  const Result<Worst> worst = WorstCost(*hit, bound);
  for (size_t i = 0; i < kServiceTierCount; ++i) {
    const auto rated = RateAt(*hit, usage, {static_cast<ServiceTier>(i), MissingPrice::kDeny});
    if (!rated) continue;
    FB_ASSERT(rated->total >= Money{});
    FB_ASSERT(!worst || rated->total <= worst->whole);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<PriceFile> file = ReadPriceFile(text, {Instant{0}});
  if (!file) return 0;
  const Result<PriceBook> book = PriceBook::Build({file->layer});
  FB_ASSERT(book.has_value());
  size_t rated = 0;
  for (const ModelPrices& model : file->layer.models) {
    if (++rated > 20) break;
    RateAll(*book, model, size);
  }
  return 0;
}
