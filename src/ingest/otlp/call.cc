#include "ingest/otlp/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "rates/price_book.h"
#include "rates/usage_split.h"

namespace flyball::otlp {
namespace {

constexpr std::string_view kModelOperations[] = {
    "chat",       "text_completion", "generate_content", "embeddings",  // as they are now
    "completion", "embedding",                                          // llm.request.type
};

enum class What : uint8_t { kModelCall, kOther };

// Instrumentations before the operations had names are known by what they state.
What WhatIs(const Fields& fields) {
  const std::string operation = ToLower(fields.Text(Field::kOperation));
  if (!operation.empty() && operation != "unknown") {
    return std::ranges::find(kModelOperations, operation) != std::end(kModelOperations)
               ? What::kModelCall
               : What::kOther;
  }
  const std::string kind = ToLower(fields.Text(Field::kSpanKind));
  if (!kind.empty()) return kind == "llm" || kind == "embedding" ? What::kModelCall : What::kOther;
  const bool model =
      !fields.NameOf(Field::kAskedModel).empty() || !fields.NameOf(Field::kAnsweredModel).empty();
  const bool usage =
      !fields.NameOf(Field::kInput).empty() || !fields.NameOf(Field::kOutput).empty();
  return model && usage && !fields.NameOf(Field::kProvider).empty() ? What::kModelCall
                                                                    : What::kOther;
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

Result<SpanId> ReadSpanId(const Span& span) {
  SpanId id;
  if (span.trace_id.size() == 16) {
    const std::string_view trace = span.trace_id;
    id.trace = {BigEndian(trace.substr(0, 8)), BigEndian(trace.substr(8))};
  }
  if (span.span_id.size() == 8) id.span = BigEndian(span.span_id);
  if ((id.trace[0] | id.trace[1]) == 0 || id.span == 0) {
    return Fail(Code::kInvalidArgument, "a span has no trace and span id of 16 and 8 bytes");
  }
  return id;
}

Result<rates::NamedCount> Named(const Fields& fields, Field field) {
  rates::NamedCount named;
  named.count = FB_TRY(fields.Count(field)).value_or(0);
  named.name.key = fields.NameOf(field);
  return named;
}

struct Counts {
  rates::InputTotal input;
  rates::OutputTotal output;
  int64_t total = 0;  // 0: not said
};

Result<Counts> ReadCounts(const Fields& fields) {
  Counts counts;
  counts.input.total = FB_TRY(Named(fields, Field::kInput));
  counts.input.cached = FB_TRY(Named(fields, Field::kCacheRead));
  counts.input.written_5m = FB_TRY(Named(fields, Field::kCacheWrite));
  counts.input.modalities.audio = FB_TRY(Named(fields, Field::kInputAudio)).count;
  counts.input.modalities.image = FB_TRY(Named(fields, Field::kInputImage)).count;
  counts.input.modalities.video = FB_TRY(Named(fields, Field::kInputVideo)).count;
  counts.input.modalities_name.key = "audio, image and video input tokens";
  counts.output.total = FB_TRY(Named(fields, Field::kOutput));
  counts.output.reasoning = FB_TRY(Named(fields, Field::kReasoning));
  counts.output.modalities.audio = FB_TRY(Named(fields, Field::kOutputAudio)).count;
  counts.output.modalities.image = FB_TRY(Named(fields, Field::kOutputImage)).count;
  counts.output.modalities_name.key = "audio and image output tokens";
  counts.total = FB_TRY(Named(fields, Field::kTotal)).count;
  return counts;
}

bool CountsCacheBesideInput(std::string_view provider) {
  const std::string canonical = rates::CanonicalProvider(provider);
  return canonical == "anthropic" || canonical == "aws";
}

// The conventions say that cached tokens are a part of the input and reasoning a part of the
// output. Instrumentations that pass on what a vendor counts side by side are known by the total,
// and Anthropic's and Bedrock's also by details that are larger than what they would be a part of.
void MendWhatLiesBeside(std::string_view provider, Counts* counts) {
  const int64_t cache = counts->input.cached.count + counts->input.written_5m.count;
  const int64_t sum = counts->input.total.count + counts->output.total.count;
  const int64_t reasoning = counts->output.reasoning.count;
  const bool both_by_total = cache > 0 && reasoning > 0 && counts->total == sum + cache + reasoning;
  const bool cache_by_total = both_by_total || (cache > 0 && counts->total == sum + cache);
  const bool reasoning_by_total =
      both_by_total || (!cache_by_total && reasoning > 0 && counts->total == sum + reasoning);
  if (cache_by_total || (cache > counts->input.total.count && CountsCacheBesideInput(provider))) {
    counts->input.total.count += cache;
  }
  if (reasoning_by_total) counts->output.total.count += reasoning;
}

Result<Usage> ReadUsage(const Fields& fields, std::string_view provider) {
  Counts counts = FB_TRY(ReadCounts(fields));
  MendWhatLiesBeside(provider, &counts);
  Usage usage;
  FB_CHECK(rates::AddInput(counts.input, &usage));
  FB_CHECK(rates::AddOutput(counts.output, &usage));
  return usage;
}

// "host:port" of "https://host:port/path".
std::string ServerOfUrl(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find_first_of("/?#")));
}

std::string ReadServer(const Fields& fields) {
  std::string address = fields.Text(Field::kServerAddress);
  if (address.find("://") != std::string::npos) address = ServerOfUrl(address);
  if (address.empty()) return ServerOfUrl(fields.Text(Field::kBaseUrl));
  const std::string port = fields.Text(Field::kServerPort);
  return port.empty() ? address : address + ":" + port;
}

void ReadAttribution(const Fields& fields, Call* call) {
  call->team = fields.Text(Field::kTeam);
  call->project = fields.Text(Field::kProject);
  call->use_case = fields.Text(Field::kUseCase);
  call->session = fields.Text(Field::kSession);
  auto tags = fields.tags();
  const std::string service = fields.Text(Field::kService);
  const std::string environment = fields.Text(Field::kEnvironment);
  if (!service.empty()) tags.try_emplace("service", service);
  if (!environment.empty()) tags.try_emplace("environment", environment);
  call->tags.assign(tags.begin(), tags.end());
}

Status CheckTime(Instant end, Instant now) {
  if (end.us <= 0) return Fail(Code::kInvalidArgument, "a span does not say when it ended");
  if (end.us > now.us + kSpanAheadMaxUs) {
    return Fail(Code::kInvalidArgument, "a span ends in the future; look at the sender's clock");
  }
  if (end.us < now.us - kSpanAgeMaxUs) {
    return Fail(Code::kInvalidArgument,
                fmt::format("a span ended more than {} days ago", kSpanAgeMaxUs / kMicrosPerDay));
  }
  return {};
}

}  // namespace

Result<std::optional<Call>> ReadCall(const Span& span, Instant now) {
  const Fields& fields = span.fields;
  if (WhatIs(fields) != What::kModelCall) return std::nullopt;
  Call call;
  call.provider = fields.Text(Field::kProvider);
  call.usage = FB_TRY(ReadUsage(fields, call.provider));
  if (call.usage.empty()) {
    if (span.failed) return std::nullopt;
    return Fail(Code::kInvalidArgument, "a call states no usage");
  }
  call.id = FB_TRY(ReadSpanId(span));
  if (span.parent_id.size() == 8) call.parent = BigEndian(span.parent_id);
  FB_CHECK(CheckTime(span.end, now));
  call.end = span.end;
  call.model = fields.Text(Field::kAskedModel);
  call.answered = fields.Text(Field::kAnsweredModel);
  if (call.model.empty() && call.answered.empty()) {
    return Fail(Code::kInvalidArgument, "a call names no model");
  }
  call.answer_id = fields.Text(Field::kAnswerId);
  call.tier = ToLower(fields.Text(Field::kTier));
  call.server = ToLower(ReadServer(fields));
  ReadAttribution(fields, &call);
  FB_CHECK(call.usage.Add(Bucket::kRequests, 1));
  return call;
}

}  // namespace flyball::otlp
