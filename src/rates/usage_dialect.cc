#include "rates/usage_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"
#include "rates/usage_fields.h"
#include "rates/usage_split.h"

namespace flyball::rates {
namespace {

constexpr std::string_view kDialectNames[] = {"buckets",   "openai-chat", "openai-responses",
                                              "anthropic", "gemini",      "bedrock"};

std::unexpected<Error> Absent(std::string_view key) {
  return Fail(Code::kInvalidArgument, fmt::format("the usage object has no '{}'", key),
              "does the object come from another API than --dialect says?");
}

Result<NamedCount> Required(const UsageFields& fields, std::string_view key) {
  const std::optional<int64_t> count = FB_TRY(fields.Count(key));
  if (!count) return Absent(key);
  return NamedCount{*count, fields.Name(key)};
}

// Where counts lie side by side, one that is not known would be charged nothing.
Status RefuseUnknownTokens(const UsageFields& fields,
                           std::initializer_list<std::string_view> known) {
  for (uint32_t i = 0; i < fields.size(); ++i) {
    const UsageNode& member = fields.Member(i);
    if (member.kind != UsageNode::Kind::kCount || member.count == 0) continue;
    const std::string lower = ToLower(member.key);
    if (lower.find("token") == std::string::npos) continue;
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' counts {} tokens that this reader does not know: they would be "
                            "charged nothing",
                            fields.Name(member.key).ToString(), member.count));
  }
  return {};
}

// ---- our own buckets

Result<MeteredUsage> ReadBuckets(const UsageFields& fields) {
  MeteredUsage read;
  for (uint32_t i = 0; i < fields.size(); ++i) {
    const std::string_view key = fields.Member(i).key;
    const std::optional<Bucket> bucket = BucketByName(key);
    if (!bucket) {
      std::vector<std::string_view> names;
      for (const BucketInfo& info : Buckets()) names.push_back(info.name);
      const std::string_view nearest = Nearest(key, names);
      return Fail(Code::kInvalidArgument, fmt::format("'{}' is no bucket of usage", key),
                  nearest.empty() ? "for a vendor's own object name its --dialect"
                                  : fmt::format("did you mean '{}'?", nearest));
    }
    const std::optional<int64_t> count = FB_TRY(fields.Count(key));
    if (!count) {
      return Fail(Code::kInvalidArgument, fmt::format("'{}' is null, and no whole number", key));
    }
    FB_CHECK(read.usage.Add(*bucket, *count));
  }
  return read;
}

// ---- OpenAI, and who speaks like it

struct OpenAiNames {
  std::string_view input, output;
  std::array<std::string_view, 2> input_details, output_details;  // as two APIs spell it
};
constexpr OpenAiNames kChatNames{"prompt_tokens",
                                 "completion_tokens",
                                 {"prompt_tokens_details", "prompt_token_details"},
                                 {"completion_tokens_details", "completion_token_details"}};
constexpr OpenAiNames kResponsesNames{"input_tokens",
                                      "output_tokens",
                                      {"input_tokens_details", "input_token_details"},
                                      {"output_tokens_details", "output_token_details"}};

Result<UsageFields> FirstObject(const UsageFields& fields,
                                const std::array<std::string_view, 2>& keys) {
  for (const std::string_view key : keys) {
    UsageFields object = FB_TRY(fields.Object(key));
    if (object.present()) return object;
  }
  return UsageFields();
}

Result<Modalities> OpenAiModalities(const UsageFields& details) {
  Modalities read;
  read.audio = FB_TRY(details.CountOrZero("audio_tokens"));
  read.image = FB_TRY(details.CountOrZero("image_tokens"));
  read.video = FB_TRY(details.CountOrZero("video_tokens"));
  return read;
}

Result<InputTotal> OpenAiInput(const UsageFields& fields, const OpenAiNames& names) {
  InputTotal input;
  input.total = FB_TRY(Required(fields, names.input));
  const UsageFields details = FB_TRY(FirstObject(fields, names.input_details));
  if (FB_TRY(details.Count("cached_tokens"))) {
    input.cached = FB_TRY(details.Named("cached_tokens"));
  } else {
    // Anthropic's and Moonshot's compatible APIs, DeepSeek, xAI, and proxies.
    input.cached = FB_TRY(fields.FirstOf({"cached_tokens", "prompt_cache_hit_tokens",
                                          "cached_prompt_text_tokens", "cache_read_input_tokens"}));
  }
  input.written_5m = FB_TRY(details.FirstOf({"cache_write_tokens", "cache_creation_tokens"}));
  if (input.written_5m.count == 0) {
    input.written_5m = FB_TRY(fields.Named("cache_creation_input_tokens"));
  }
  input.modalities = FB_TRY(OpenAiModalities(details));
  input.modalities_name = details.Name("audio_tokens + image_tokens");
  const UsageFields cached = FB_TRY(details.Object("cached_tokens_details"));
  if (cached.present()) input.cached_modalities = FB_TRY(OpenAiModalities(cached));
  return input;
}

// Reasoning is inside of the output at OpenAI, and beside it at xAI and at Gemini's compatible API.
// The total tells which: what it has beyond input and output is output that was thought.
Status AddReasoning(const UsageFields& fields, int64_t input_total, OutputTotal* output) {
  const int64_t total = FB_TRY(fields.CountOrZero("total_tokens"));
  const int64_t sum = input_total + output->total.count;
  if (total == 0 || total == sum) return {};
  const int64_t beyond = total - sum;
  if (beyond < 0 || (output->reasoning.count != 0 && output->reasoning.count != beyond)) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is {}, but its parts ('{}' and others) are {}",
                            fields.Name("total_tokens").ToString(), total,
                            output->total.name.ToString(), sum));
  }
  output->total.count += beyond;
  output->reasoning.count = beyond;
  return {};
}

// Perplexity's models bill each search where they tell how many there were, else each request, by
// how much of the web it was to read.
Status AddPerplexitySearches(const UsageFields& fields, Usage* usage) {
  if (const auto searches = FB_TRY(fields.Count("num_search_queries"))) {
    return usage->Add(Bucket::kSearches, *searches);
  }
  const std::string_view size = fields.Text("search_context_size");
  if (size.empty()) return {};
  return usage->Add(size == "low"    ? Bucket::kSearchesLow
                    : size == "high" ? Bucket::kSearchesHigh
                                     : Bucket::kSearches,
                    1);
}

Result<OutputTotal> OpenAiOutput(const UsageFields& fields, const OpenAiNames& names,
                                 int64_t input_total, Usage* usage) {
  OutputTotal output;
  output.total = FB_TRY(fields.Named(names.output));
  const UsageFields details = FB_TRY(FirstObject(fields, names.output_details));
  output.modalities = FB_TRY(OpenAiModalities(details));
  output.modalities_name = details.Name("audio_tokens + image_tokens");
  const bool perplexity = fields.Find("citation_tokens") != nullptr ||
                          fields.Find("num_search_queries") != nullptr ||
                          fields.Find("search_context_size") != nullptr;
  if (perplexity) {  // all of these stand beside the completion
    FB_CHECK(usage->Add(Bucket::kReasoning, FB_TRY(fields.CountOrZero("reasoning_tokens"))));
    FB_CHECK(usage->Add(Bucket::kCitation, FB_TRY(fields.CountOrZero("citation_tokens"))));
    FB_CHECK(AddPerplexitySearches(fields, usage));
    return output;
  }
  output.reasoning = FB_TRY(details.Count("reasoning_tokens"))
                         ? FB_TRY(details.Named("reasoning_tokens"))
                         : FB_TRY(fields.Named("reasoning_tokens"));
  FB_CHECK(AddReasoning(fields, input_total, &output));
  return output;
}

Result<MeteredUsage> ReadOpenAi(const UsageFields& fields, const OpenAiNames& names) {
  MeteredUsage read;
  if (fields.Text("type") == "duration") {  // transcriptions that are sold by time
    const NamedCount seconds = FB_TRY(Required(fields, "seconds"));
    FB_CHECK(read.usage.Add(Bucket::kInputSeconds, seconds.count));
    return read;
  }
  const InputTotal input = FB_TRY(OpenAiInput(fields, names));
  FB_CHECK(AddInput(input, &read.usage));
  const OutputTotal output = FB_TRY(OpenAiOutput(fields, names, input.total.count, &read.usage));
  FB_CHECK(AddOutput(output, &read.usage));
  return read;
}

// ---- Anthropic: caches beside the input

Status AddAnthropicCounts(const UsageFields& fields, Usage* usage) {
  FB_CHECK(RefuseUnknownTokens(fields, {"input_tokens", "output_tokens", "cache_read_input_tokens",
                                        "cache_creation_input_tokens"}));
  const NamedCount input = FB_TRY(Required(fields, "input_tokens"));
  const NamedCount written = FB_TRY(fields.Named("cache_creation_input_tokens"));
  const UsageFields split = FB_TRY(fields.Object("cache_creation"));
  FB_CHECK(RefuseUnknownTokens(split, {"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"}));
  const int64_t written_1h = FB_TRY(split.CountOrZero("ephemeral_1h_input_tokens"));
  int64_t written_5m = FB_TRY(split.CountOrZero("ephemeral_5m_input_tokens"));
  const bool whole = FB_TRY(fields.Count("cache_creation_input_tokens")).has_value();
  if (!split.present()) {
    written_5m = written.count;  // the older form, before there was another time to live
  } else if (whole && written_5m + written_1h != written.count) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is {}, but the parts of '{}' are {}", written.name.ToString(),
                            written.count, fields.Name("cache_creation").ToString(),
                            written_5m + written_1h));
  }
  FB_CHECK(usage->Add(Bucket::kInput, input.count));
  FB_CHECK(usage->Add(Bucket::kCacheRead, FB_TRY(fields.CountOrZero("cache_read_input_tokens"))));
  FB_CHECK(usage->Add(Bucket::kCacheWrite5m, written_5m));
  FB_CHECK(usage->Add(Bucket::kCacheWrite1h, written_1h));
  OutputTotal output;
  output.total = FB_TRY(fields.Named("output_tokens"));
  const UsageFields details = FB_TRY(fields.Object("output_tokens_details"));
  output.reasoning = FB_TRY(details.Named("thinking_tokens"));
  return AddOutput(output, usage);
}

// Attempts of one call, each at its own model's prices: a compaction, or a model that declined and
// the one that answered. What declined before it said anything is not billed.
Status AddIterations(const std::vector<UsageFields>& iterations, std::string_view model,
                     MeteredUsage* read) {
  const std::string_view answered = model.empty() ? iterations.back().Text("model") : model;
  for (const UsageFields& iteration : iterations) {
    const std::string_view of = iteration.Text("model");
    Usage usage;
    FB_CHECK(AddAnthropicCounts(iteration, &usage));
    if (of.empty() || of == answered) {
      FB_CHECK(read->usage.Add(usage));
    } else if (usage.OutputTokens() > 0) {
      read->others.push_back({std::string(of), usage});
    }
  }
  return {};
}

Result<MeteredUsage> ReadAnthropic(const UsageFields& fields, std::string_view model) {
  MeteredUsage read;
  const std::vector<UsageFields> iterations = FB_TRY(fields.Objects("iterations"));
  if (iterations.empty()) {
    FB_CHECK(AddAnthropicCounts(fields, &read.usage));
  } else {
    FB_CHECK(AddIterations(iterations, model, &read));
  }
  const UsageFields tools = FB_TRY(fields.Object("server_tool_use"));
  FB_CHECK(read.usage.Add(Bucket::kSearches, FB_TRY(tools.CountOrZero("web_search_requests"))));
  if (const std::string_view tier = fields.Text("service_tier"); !tier.empty()) {
    read.tier = FB_TRY(ParseTier(tier));
  }
  if (fields.Text("speed") == "fast") read.tier = ServiceTier::kFast;
  const std::string_view geo = fields.Text("inference_geo");
  if (geo != "not_available") read.region = geo;  // "global": told, at the prices of everywhere
  return read;
}

// ---- Bedrock's converse: like Anthropic, in other words

Result<MeteredUsage> ReadBedrock(const UsageFields& fields) {
  FB_CHECK(RefuseUnknownTokens(
      fields, {"inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens",
               "cacheWriteInputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"}));
  MeteredUsage read;
  const NamedCount input = FB_TRY(Required(fields, "inputTokens"));
  const NamedCount written =
      FB_TRY(fields.FirstOf({"cacheWriteInputTokens", "cacheWriteInputTokenCount"}));
  const std::vector<UsageFields> details = FB_TRY(fields.Objects("cacheDetails"));
  int64_t written_1h = 0;
  int64_t detailed = 0;
  for (const UsageFields& detail : details) {
    const int64_t count = FB_TRY(detail.CountOrZero("inputTokens"));
    detailed += count;
    if (detail.Text("ttl") == "1h") written_1h += count;
  }
  if (!details.empty() && detailed != written.count) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is {}, but the parts of '{}' are {}", written.name.ToString(),
                            written.count, fields.Name("cacheDetails").ToString(), detailed));
  }
  FB_CHECK(read.usage.Add(Bucket::kInput, input.count));
  FB_CHECK(read.usage.Add(
      Bucket::kCacheRead,
      FB_TRY(fields.FirstOf({"cacheReadInputTokens", "cacheReadInputTokenCount"})).count));
  FB_CHECK(read.usage.Add(Bucket::kCacheWrite5m, written.count - written_1h));
  FB_CHECK(read.usage.Add(Bucket::kCacheWrite1h, written_1h));
  FB_CHECK(read.usage.Add(Bucket::kOutput, FB_TRY(fields.CountOrZero("outputTokens"))));
  return read;
}

// ---- Gemini: the cache inside the prompt, thoughts and tools beside it

// Counts by modality; documents are priced as the text that they are read into.
Status AddGeminiModalities(const UsageFields& fields, std::string_view key, Modalities* sum) {
  for (const UsageFields& detail : FB_TRY(fields.Objects(key))) {
    const int64_t count = FB_TRY(detail.CountOrZero("tokenCount"));
    const std::string_view modality = detail.Text("modality");
    if (modality == "AUDIO") sum->audio += count;
    if (modality == "IMAGE") sum->image += count;
    if (modality == "VIDEO") sum->video += count;
  }
  return {};
}

Result<std::optional<ServiceTier>> GeminiTier(std::string_view traffic) {
  if (traffic == "ON_DEMAND_PRIORITY") return ServiceTier::kPriority;
  if (traffic == "ON_DEMAND_FLEX" || traffic == "FLEX") return ServiceTier::kFlex;
  if (traffic == "BATCH") return ServiceTier::kBatch;
  return std::nullopt;
}

Result<MeteredUsage> ReadGemini(const UsageFields& fields) {
  FB_CHECK(RefuseUnknownTokens(
      fields,
      {"promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "responseTokenCount",
       "thoughtsTokenCount", "toolUsePromptTokenCount", "totalTokenCount"}));
  MeteredUsage read;
  InputTotal input;
  input.total = FB_TRY(Required(fields, "promptTokenCount"));
  input.total.count += FB_TRY(fields.CountOrZero("toolUsePromptTokenCount"));
  input.cached = FB_TRY(fields.Named("cachedContentTokenCount"));
  input.modalities_name = fields.Name("promptTokensDetails");
  FB_CHECK(AddGeminiModalities(fields, "promptTokensDetails", &input.modalities));
  FB_CHECK(AddGeminiModalities(fields, "toolUsePromptTokensDetails", &input.modalities));
  if (!FB_TRY(fields.Objects("cacheTokensDetails")).empty()) {
    input.cached_modalities.emplace();
    FB_CHECK(AddGeminiModalities(fields, "cacheTokensDetails", &*input.cached_modalities));
  }
  FB_CHECK(AddInput(input, &read.usage));
  OutputTotal output;
  output.total = FB_TRY(fields.FirstOf({"candidatesTokenCount", "responseTokenCount"}));
  output.reasoning = FB_TRY(fields.Named("thoughtsTokenCount"));
  output.total.count += output.reasoning.count;
  output.modalities_name = fields.Name("candidatesTokensDetails");
  FB_CHECK(AddGeminiModalities(fields, "candidatesTokensDetails", &output.modalities));
  FB_CHECK(AddGeminiModalities(fields, "responseTokensDetails", &output.modalities));
  FB_CHECK(AddOutput(output, &read.usage));
  const int64_t total = FB_TRY(fields.CountOrZero("totalTokenCount"));
  if (total > input.total.count + output.total.count) {
    return Fail(
        Code::kInvalidArgument,
        fmt::format("'totalTokenCount' is {}, but its parts ('promptTokenCount' and others) "
                    "are only {}",
                    total, input.total.count + output.total.count));
  }
  read.tier = FB_TRY(GeminiTier(fields.Text("trafficType")));
  return read;
}

Result<MeteredUsage> ReadFields(Dialect dialect, const UsageFields& fields,
                                std::string_view model) {
  switch (dialect) {
    case Dialect::kBuckets:
      return ReadBuckets(fields);
    case Dialect::kOpenAiChat:
      return ReadOpenAi(fields, kChatNames);
    case Dialect::kOpenAiResponses:
      return ReadOpenAi(fields, kResponsesNames);
    case Dialect::kAnthropic:
      return ReadAnthropic(fields, model);
    case Dialect::kGemini:
      return ReadGemini(fields);
    case Dialect::kBedrock:
      return ReadBedrock(fields);
  }
  return Fail(Code::kInternal, "no such dialect");
}

}  // namespace

Result<Dialect> ParseDialect(std::string_view name) {
  for (size_t i = 0; i < std::size(kDialectNames); ++i) {
    if (kDialectNames[i] == name) return static_cast<Dialect>(i);
  }
  return Fail(Code::kInvalidArgument, fmt::format("'{}' is no dialect", name),
              "openai-chat, openai-responses, anthropic, gemini, bedrock, or buckets");
}

std::string_view DialectName(Dialect dialect) {
  return kDialectNames[static_cast<size_t>(dialect)];
}

Result<MeteredUsage> ReadUsage(Dialect dialect, std::string_view json, std::string_view model) {
  const UsageDocument document = FB_TRY(UsageDocument::Parse(json));
  const UsageFields root(document, document.root(), {});
  if (dialect == Dialect::kBuckets) return ReadBuckets(root);
  const std::string_view inside = dialect == Dialect::kGemini ? "usageMetadata" : "usage";
  const UsageFields usage = FB_TRY(root.Object(inside));
  if (!usage.present()) return ReadFields(dialect, root, model);
  // A whole response: it names its model, and OpenAI's also the tier.
  const std::string_view of = model.empty() ? root.Text("model") : model;
  MeteredUsage read = FB_TRY(ReadFields(dialect, usage, of));
  const std::string_view tier = root.Text("service_tier");
  if (!read.tier && !tier.empty()) read.tier = FB_TRY(ParseTier(tier));
  return read;
}

}  // namespace flyball::rates
