#include "ingest/native/ai.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "ingest/native/texts.h"
#include "rates/rate.h"

namespace flyball::native {

void FillAiVendor(std::string_view vendor, std::string_view service, Draft* draft) {
  Draft& d = *draft;
  for (int column : {At("ServiceProviderName"), At("HostProviderName"), At("InvoiceIssuerName")}) {
    if (d[column].empty()) d[column] = vendor;
  }
  d[At("ServiceName")] = service;
  d[At("ServiceCategory")] = "AI and Machine Learning";
  d[At("ServiceSubcategory")] = "Generative AI";
  d[At("ChargeCategory")] = "Usage";
  d[At("ChargeFrequency")] = "Usage-Based";
  d[At("PricingCategory")] = "Standard";
  d[At("x_AiClass")] = "generative AI";
  d[At("x_CostDriver")] = "model inference";
}

void FillMeter(std::string_view model, Bucket meter, std::string_view quantity, Draft* draft) {
  Draft& d = *draft;
  const BucketInfo& info = Info(meter);
  d[At("x_Model")] = model;
  d[At("SkuMeter")] = info.name;
  d[At("SkuId")] = fmt::format("{}/{}", model, info.name);
  nlohmann::ordered_json details{{"ModelId", model}};
  if (info.token) {
    details["TokenDirection"] = info.side == UsageSide::kOutput ? "Output" : "Input";
  }
  d[At("SkuPriceDetails")] = details.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (quantity.empty()) return;
  std::string unit(info.unit);
  if (!unit.empty()) unit[0] = static_cast<char>(unit[0] & ~0x20);
  if (!unit.empty() && !unit.ends_with('s')) unit += unit.ends_with('h') ? "es" : "s";
  d[charge::kConsumedQuantity] = d[At("PricingQuantity")] = quantity;
  d[charge::kConsumedUnit] = d[At("PricingUnit")] = unit;
}

void FillPeriod(std::string start, std::string end, Draft* draft) {
  Draft& d = *draft;
  d[charge::kBillingPeriodStart] = MonthOf(start);
  d[charge::kBillingPeriodEnd] = MonthAfter(start);
  d[charge::kChargePeriodStart] = std::move(start);
  d[charge::kChargePeriodEnd] = std::move(end);
}

void RateUsage(const UsageOf& of, const Context& context, std::vector<Draft>* drafts) {
  const Draft common = drafts->front();
  drafts->clear();
  ParsedInstant at;
  rates::RateOptions options;
  std::string fault = "no price book is at hand";
  Result<rates::Rated> rated = Fail(Code::kNotFound, fault);
  const Result<rates::ServiceTier> tier =
      of.tier.empty() ? rates::ServiceTier::kStandard : rates::ParseTier(of.tier);
  if (!tier) {
    rated = Fail(tier.error());
  } else if (!ParseInstant(common[charge::kChargePeriodStart], &at)) {
    rated = Fail(Code::kInvalidArgument, "its time cannot be read");
  } else if (context.prices != nullptr) {
    options.tier = *tier;
    rated = rates::Rate(*context.prices, {of.provider, of.model, at.instant, of.region}, of.usage,
                        options);
  }
  if (!rated) {
    Draft& d = drafts->emplace_back(common);
    d[At("x_Model")] = of.model;
    d[charge::kBilledCost].clear();
    d[At("ChargeDescription")] = fmt::format("{}: {}", of.model, rated.error().message);
    return;
  }
  for (const rates::RateLine& line : rated->lines) {
    if (line.meter == Bucket::kRequests && line.cost.is_zero()) continue;
    Draft& d = drafts->emplace_back(common);
    FillMeter(of.model, line.meter, std::to_string(line.quantity), &d);
    const std::string cost = line.cost.ToString();
    for (int column : {charge::kBilledCost, charge::kEffectiveCost, charge::kListCost,
                       charge::kContractedCost}) {
      d[column] = cost;
    }
    if (Info(line.meter).per == 1) {
      d[At("ListUnitPrice")] = d[At("ContractedUnitPrice")] = line.unit_price.price.ToString();
    }
    d[charge::kBillingCurrency] = rated->currency;
    d[At("ChargeDescription")] = fmt::format("{} {}", of.model, Info(line.meter).name);
    d[At("x_Confidence")] = "estimate";
  }
}

void AddCount(const Row& row, std::string_view name, Bucket bucket, Usage* usage, bool* ok) {
  const std::string_view text = row[name];
  if (text.empty()) return;
  int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = failed == std::errc() && end == text.data() + text.size();
  if (!whole || !usage->Add(bucket, count)) *ok = false;
}

}  // namespace flyball::native
