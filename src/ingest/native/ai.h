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
inline const std::vector<std::string_view> kAiVendorColumns = {
    "ServiceProviderName", "HostProviderName",   "InvoiceIssuerName", "ServiceName",
    "ServiceCategory",     "ServiceSubcategory", "ChargeCategory",    "ChargeFrequency",
    "PricingCategory",     "x_AiClass",          "x_CostDriver"};

// A charge about one meter of a model: SkuMeter, SkuPriceDetails, units.
void FillMeter(std::string_view model, Bucket meter, std::string_view quantity, Draft* draft);
inline const std::vector<std::string_view> kMeterColumns = {"SkuId", "SkuMeter", "SkuPriceDetails",
                                                            "x_Model"};
inline const std::vector<std::string_view> kQuantityColumns = {"ConsumedQuantity", "ConsumedUnit",
                                                               "PricingQuantity", "PricingUnit"};

// For a report of usage: one charge a meter at the book's prices, marked as estimates. Where no
// price is known the charges have no cost, so that the import quarantines them, and say why.
struct UsageOf {
  std::string_view provider, model, tier, region;
  Usage usage;
  int64_t input_tokens_of_a_call = 0;  // which band of sizes its calls fall in
};
void RateUsage(const UsageOf& of, const Context& context, std::vector<Draft>* drafts);
inline const std::vector<std::string_view> kRatedColumns = {
    "BilledCost",          "EffectiveCost",     "ListCost",
    "ContractedCost",      "BillingCurrency",   "ListUnitPrice",
    "ContractedUnitPrice", "ChargeDescription", "x_Confidence"};

// Adds a count of the record; one that is no count is left out and makes `ok` false.
void AddCount(const Row& row, std::string_view name, Bucket bucket, Usage* usage, bool* ok);

}  // namespace flyball::native
