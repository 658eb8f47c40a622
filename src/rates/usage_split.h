// Totals with details inside, taken apart into buckets: the arithmetic that all dialects share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/usage.h"

namespace flyball::rates {

// A count with the name of the field that it comes from, for errors.
struct NamedCount {
  int64_t count = 0;
  std::string name;
};

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
  std::string modalities_name = "details";
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
  std::string modalities_name = "details";
};
Status AddOutput(const OutputTotal& output, Usage* usage);

}  // namespace flyball::rates
