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
  d[At("SkuId")] = model.empty() ? std::string(info.name) : fmt::format("{}/{}", model, info.name);
  nlohmann::ordered_json details = nlohmann::ordered_json::object();
  if (!model.empty()) details["ModelId"] = model;
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

namespace {

// A bucket of time holds many calls, so its sum says nothing of the size of any: prices are those
// of the band that the vendor names, else of the lowest.
Result<std::vector<rates::RateLine>> LinesOf(const UsageOf& of, const Context& context,
                                             const Draft& common, std::string* currency) {
  const rates::ServiceTier tier =
      of.tier.empty() ? rates::ServiceTier::kStandard : FB_TRY(rates::ParseTier(of.tier));
  ParsedInstant at;
  if (!ParseInstant(common[charge::kChargePeriodStart], &at)) {
    return Fail(Code::kInvalidArgument, "its time cannot be read");
  }
  if (context.prices == nullptr) return Fail(Code::kNotFound, "no price book is at hand");
  const rates::PriceHit hit =
      FB_TRY(context.prices->Find({of.provider, of.model, at.instant, of.region}));
  *currency = hit.currency();
  std::vector<rates::RateLine> lines;
  for (const BucketInfo& info : Buckets()) {
    const int64_t count = of.usage[info.bucket];
    if (count == 0) continue;
    const rates::UnitPrice price =
        FB_TRY(rates::FindUnitPrice(hit, tier, of.input_tokens_of_a_call, info.bucket));
    const Money cost = rates::CostOf(price.price, count, info.per);
    if (info.bucket == Bucket::kRequests && cost.is_zero()) continue;
    lines.push_back({info.bucket, count, price, cost});
  }
  return lines;
}

void AddLine(const UsageOf& of, const Draft& common, const std::string& currency,
             const rates::RateLine& line, std::vector<Draft>* drafts) {
  Draft& d = drafts->emplace_back(common);
  FillMeter(of.model, line.meter, std::to_string(line.quantity), &d);
  const std::string cost = line.cost.ToString();
  for (int column :
       {charge::kBilledCost, charge::kEffectiveCost, charge::kListCost, charge::kContractedCost}) {
    d[column] = cost;
  }
  if (Info(line.meter).per == 1) {
    d[At("ListUnitPrice")] = d[At("ContractedUnitPrice")] = line.unit_price.price.ToString();
  }
  d[charge::kBillingCurrency] = currency;
  d[At("ChargeDescription")] = fmt::format("{} {}", of.model, Info(line.meter).name);
  d[At("x_Confidence")] = "estimate";
}

}  // namespace

void RateUsage(const UsageOf& of, const Context& context, std::vector<Draft>* drafts) {
  const Draft common = drafts->front();
  drafts->clear();
  std::string currency;
  if (const Result<std::vector<rates::RateLine>> lines = LinesOf(of, context, common, &currency)) {
    for (const rates::RateLine& line : *lines) AddLine(of, common, currency, line, drafts);
  } else {
    Draft& d = drafts->emplace_back(common);
    d[At("x_Model")] = of.model;
    d[charge::kBilledCost].clear();
    d[At("ChargeDescription")] = fmt::format("{}: {}", of.model, lines.error().message);
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
