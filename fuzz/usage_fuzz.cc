// Fuzzes usage objects in every dialect. A refusal is fine; a crash, or buckets that do not sum to
// what was read, is a bug.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "rates/usage_dialect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flyball;
  using namespace flyball::rates;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Dialect dialect : {Dialect::kBuckets, Dialect::kOpenAiChat, Dialect::kOpenAiResponses,
                                Dialect::kAnthropic, Dialect::kGemini, Dialect::kBedrock}) {
    const auto read = ReadUsage(dialect, text);
    if (!read) {
      FB_ASSERT(!read.error().message.empty());
      continue;
    }
    // What was read survives its own words.
    std::string again = "{";
    for (const BucketInfo& info : Buckets()) {
      const int64_t count = read->usage[info.bucket];
      FB_ASSERT(count >= 0 && count <= kUsageCountMax);
      if (again.size() > 1) again += ',';
      again += '"' + std::string(info.name) + "\":" + std::to_string(count);
    }
    const auto same = ReadUsage(Dialect::kBuckets, again + "}");
    FB_ASSERT(same.has_value() && same->usage == read->usage);
  }
  return 0;
}
