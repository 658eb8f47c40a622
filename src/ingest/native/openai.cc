// OpenAI: the organisation's costs and its usage of completions and embeddings, as their API pages
// give them: buckets of time with results.
#include <charconv>

#include "base/text.h"
#include "ingest/native/ai.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

void FillBucket(const Row& row, Draft* draft) {
  const std::string start = OfEpoch(row["start_time"]);
  FillPeriod(start, start, OfEpoch(row["end_time"]), draft);
  FillAiVendor("OpenAI", "OpenAI API", draft);
}

// "gpt-4o-2024-08-06, cached input" names a model and what of it was used.
struct LineItem {
  std::string_view model, rest;
};
LineItem CutLineItem(std::string_view text) {
  const size_t comma = text.find(", ");
  if (comma == std::string_view::npos) return {};
  return {text.substr(0, comma), text.substr(comma + 2)};
}

std::optional<Bucket> MeterOf(std::string_view rest) {
  struct Words {
    std::string_view lower;
    Bucket meter;
  };
  static constexpr Words kWords[] = {
      {"cached input", Bucket::kCacheRead}, {"input", Bucket::kInput},
      {"output", Bucket::kOutput},          {"cached audio input", Bucket::kCacheReadAudio},
      {"audio input", Bucket::kInputAudio}, {"audio output", Bucket::kOutputAudio},
      {"image input", Bucket::kInputImage}, {"image output", Bucket::kOutputImage},
  };
  for (const Words& words : kWords) {
    if (EqualsIgnoreCase(rest, words.lower)) return words.meter;
  }
  return std::nullopt;
}

void CostsCode(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  FillBucket(row, &d);
  const std::string_view item = row["line_item"];
  d[At("ChargeDescription")] = item.empty() ? "OpenAI API" : item;
  const LineItem parts = CutLineItem(item);
  if (const std::optional<Bucket> meter = MeterOf(parts.rest)) {
    FillMeter(parts.model, *meter, row["quantity"], &d);
  } else {
    d[At("SkuMeter")] = item;
    if (!parts.model.empty()) d[At("x_Model")] = parts.model;
  }
  if (d[At("BillingAccountId")].empty()) d[At("BillingAccountId")] = "openai";
}

void UsageCode(const Row& row, const Context& context, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  FillBucket(row, &d);
  if (d[At("BillingAccountId")].empty()) d[At("BillingAccountId")] = "openai";
  Usage usage;
  bool ok = true;
  // Cached and audio tokens are parts of the input; Usage wants each once.
  int64_t input = 0, read = 0, heard = 0, output = 0, said = 0;
  const auto number = [&](std::string_view name, int64_t* out) {
    const std::string_view text = row[name];
    if (text.empty()) return;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), *out);
    ok = ok && failed == std::errc() && end == text.data() + text.size() && *out >= 0 &&
         *out <= kUsageCountMax;
  };
  number("input_tokens", &input);
  number("input_cached_tokens", &read);
  number("input_audio_tokens", &heard);
  number("output_tokens", &output);
  number("output_audio_tokens", &said);
  ok = ok && usage.Add(Bucket::kInput, input - read - heard) &&
       usage.Add(Bucket::kCacheRead, read) && usage.Add(Bucket::kInputAudio, heard) &&
       usage.Add(Bucket::kOutput, output - said) && usage.Add(Bucket::kOutputAudio, said);
  AddCount(row, "num_model_requests", Bucket::kRequests, &usage, &ok);
  const std::string_view model = row["model"];
  if (!ok || model.empty()) {
    d[At("ChargeDescription")] = model.empty() ? "the report does not say which model was used; "
                                                 "ask for it with group_by=model"
                                               : "its counts contradict each other";
    return;
  }
  std::string_view tier = row["batch"] == "true" ? "batch" : row["service_tier"];
  if (tier == "auto") tier = {};  // asked for, not served
  RateUsage({"openai", model, tier, {}, usage}, context, drafts);
}

std::vector<Rule> Names() {
  return {
      Copy("BillingAccountId", "organization_id"),
      Copy("SubAccountId", "project_id"),
      Copy("SubAccountName", "project_name"),
      Copy("CredentialId", "api_key_id"),
      Copy("PrincipalId", "user_id"),
  };
}

const Columns kDerived =
    Joined({kPeriodColumns, kAiVendorColumns, kMeterColumns, kQuantityColumns});

}  // namespace

Format OpenAiCosts() {
  Format format;
  format.name = "openai-costs";
  format.title = "OpenAI organisation costs";
  format.page = "https://platform.openai.com/docs/api-reference/usage/costs";
  format.spell = LowerCase;
  format.needs = {"start_time", "amount", "line_item"};
  format.rules = Names();
  format.rules.push_back(Copy("BilledCost", "amount.value"));
  format.rules.push_back(Copy("BillingCurrency", "amount.currency"));
  format.derived = Joined({kDerived, {"ChargeDescription"}});
  format.code = CostsCode;
  format.costs = {"amount.value"};
  return format;
}

Format OpenAiUsage() {
  Format format;
  format.name = "openai-usage";
  format.title = "OpenAI organisation usage (completions, embeddings), at the price book's prices";
  format.page = "https://platform.openai.com/docs/api-reference/usage/completions";
  format.spell = LowerCase;
  format.needs = {"start_time", "input_tokens", "num_model_requests"};
  format.rules = Names();
  format.derived = Joined({kDerived, kRatedColumns});
  format.code = UsageCode;
  format.rated = true;
  return format;
}

}  // namespace flyball::native
