// Totals with details inside, taken apart into buckets: the arithmetic that all dialects share.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "model/usage.h"
#include "rates/usage_fields.h"

namespace flyball::rates {

struct Modalities {
  int64_t audio = 0;
  int64_t image = 0;
  int64_t video = 0;
  int64_t sum() const { return audio + image + video; }
};

// Input tokens of which some were read from the cache, some written to it, some no text.
struct InputTotal {
  NamedCount total;  // all of them
  NamedCount cached;
  NamedCount written_5m;
  NamedCount written_1h;
  Modalities modalities;  // of all of them
  FieldName modalities_name;
  // Of the cached ones, where the vendor says it. Otherwise they are taken for text as far as there
  // is text (the split that costs most), then for images, video, audio.
  std::optional<Modalities> cached_modalities;
};
// INVALID_ARGUMENT names the two fields of which one is a part of the other and yet larger.
Status AddInput(const InputTotal& input, Usage* usage);

struct OutputTotal {
  NamedCount total;
  NamedCount reasoning;  // a part of the total
  Modalities modalities;
  FieldName modalities_name;
};
Status AddOutput(const OutputTotal& output, Usage* usage);

}  // namespace flyball::rates
