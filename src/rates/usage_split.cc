#include "rates/usage_split.h"

#include <fmt/format.h>

#include <algorithm>

namespace flyball::rates {
namespace {

std::unexpected<Error> Larger(std::string_view part, int64_t part_count, const NamedCount& whole) {
  return Fail(Code::kInvalidArgument,
              fmt::format("'{}' ({}) is larger than '{}' ({}), which it is a part of", part,
                          part_count, whole.name.ToString(), whole.count),
              "does the object come from another API than --dialect says?");
}

std::unexpected<Error> Larger(const NamedCount& part, const NamedCount& whole) {
  return Larger(part.name.ToString(), part.count, whole);
}

// What is left of an input by modality, as caches take their parts from it.
struct Left {
  int64_t text = 0;
  Modalities other;
};

int64_t TakeUpTo(int64_t most, int64_t* from) {
  const int64_t taken = std::min(most, *from);
  *from -= taken;
  return taken;
}

// Takes so many tokens, text first. There are enough.
Left Take(int64_t count, Left* from) {
  Left taken;
  taken.text = TakeUpTo(count, &from->text);
  count -= taken.text;
  taken.other.image = TakeUpTo(count, &from->other.image);
  count -= taken.other.image;
  taken.other.video = TakeUpTo(count, &from->other.video);
  count -= taken.other.video;
  taken.other.audio = TakeUpTo(count, &from->other.audio);
  return taken;
}

Result<Left> TakeCached(const InputTotal& input, Left* left) {
  if (!input.cached_modalities) return Take(input.cached.count, left);
  const Modalities& said = *input.cached_modalities;
  Left taken{input.cached.count - said.sum(), said};
  if (taken.text < 0) {
    return Larger("the details of it", said.sum(), input.cached);
  }
  left->text -= taken.text;
  left->other.audio -= said.audio;
  left->other.image -= said.image;
  left->other.video -= said.video;
  if (left->text < 0 || left->other.audio < 0 || left->other.image < 0 || left->other.video < 0) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the details of '{}' are larger than '{}', which they are a part of",
                            input.cached.name.ToString(), input.modalities_name.ToString()));
  }
  return taken;
}

Status AddWritten(const Left& written, Bucket bucket, Usage* usage) {
  FB_CHECK(usage->Add(bucket, written.text + written.other.image + written.other.video));
  return usage->Add(Bucket::kCacheWriteAudio, written.other.audio);
}

}  // namespace

Status AddInput(const InputTotal& input, Usage* usage) {
  const int64_t total = input.total.count;
  if (input.modalities.sum() > total) {
    return Larger(input.modalities_name.ToString(), input.modalities.sum(), input.total);
  }
  if (input.cached.count > total) return Larger(input.cached, input.total);
  const int64_t written = input.written_5m.count + input.written_1h.count;
  if (written > total - input.cached.count) {
    const NamedCount& named = input.written_5m.count > 0 ? input.written_5m : input.written_1h;
    std::string name = named.name.ToString();
    if (input.cached.count > 0) name += " + " + input.cached.name.ToString();
    return Larger(name, input.cached.count + written, input.total);
  }
  Left left{total - input.modalities.sum(), input.modalities};
  const Left cached = FB_TRY(TakeCached(input, &left));
  const Left written_5m = Take(input.written_5m.count, &left);
  const Left written_1h = Take(input.written_1h.count, &left);
  FB_CHECK(usage->Add(Bucket::kInput, left.text));
  FB_CHECK(usage->Add(Bucket::kInputAudio, left.other.audio));
  FB_CHECK(usage->Add(Bucket::kInputImage, left.other.image));
  FB_CHECK(usage->Add(Bucket::kInputVideo, left.other.video));
  FB_CHECK(usage->Add(Bucket::kCacheRead, cached.text));
  FB_CHECK(usage->Add(Bucket::kCacheReadAudio, cached.other.audio));
  FB_CHECK(usage->Add(Bucket::kCacheReadImage, cached.other.image));
  FB_CHECK(usage->Add(Bucket::kCacheReadVideo, cached.other.video));
  FB_CHECK(AddWritten(written_5m, Bucket::kCacheWrite5m, usage));
  return AddWritten(written_1h, Bucket::kCacheWrite1h, usage);
}

Status AddOutput(const OutputTotal& output, Usage* usage) {
  const int64_t total = output.total.count;
  if (output.reasoning.count > total) {
    return Larger(output.reasoning, output.total);
  }
  const int64_t text = total - output.reasoning.count - output.modalities.sum();
  if (text < 0) {
    return Larger(output.modalities_name.ToString(),
                  output.modalities.sum() + output.reasoning.count, output.total);
  }
  FB_CHECK(usage->Add(Bucket::kOutput, text));
  FB_CHECK(usage->Add(Bucket::kReasoning, output.reasoning.count));
  FB_CHECK(usage->Add(Bucket::kOutputAudio, output.modalities.audio));
  FB_CHECK(usage->Add(Bucket::kOutputImage, output.modalities.image));
  return usage->Add(Bucket::kOutputVideo, output.modalities.video);
}

}  // namespace flyball::rates
