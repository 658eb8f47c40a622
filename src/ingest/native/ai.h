// AI: what formats of model vendors share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/native/native.h"
#include "model/usage.h"

namespace flyball::native {

// Service, provider and issuer of a vendor that bills its own models: ("OpenAI", "OpenAI API").
void FillAiVendor(std::string_view vendor, std::string_view service, Draft* draft);

// A charge about one meter of a model: SkuMeter, SkuPriceDetails, units.
void FillMeter(std::string_view model, Bucket meter, std::string_view quantity, Draft* draft);

// A period of a vendor's bucket of time; the month is that of its start.
void FillPeriod(std::string start, std::string end, Draft* draft);

// For a report of usage: one charge a meter at the book's prices, marked as estimates. Where no
// price is known the charges have no cost, so that the import quarantines them, and say why.
struct UsageOf {
  std::string_view provider, model, tier, region;
  Usage usage;
  int64_t input_tokens_of_a_call = 0;  // which band of sizes its calls fall in
};
void RateUsage(const UsageOf& of, const Context& context, std::vector<Draft>* drafts);

// Adds a count of the record; one that is no count is left out and makes `ok` false.
void AddCount(const Row& row, std::string_view name, Bucket bucket, Usage* usage, bool* ok);

}  // namespace flyball::native
