#include "model/dimension.h"

#include <algorithm>

namespace flyball::dimension {
namespace {

constexpr std::array<RuleDimensionInfo, kRuleDimensionCount> kRuleDimensions = {{
    {"driver", "x_CostDriver"},
    {"stage", "x_LifecycleStage"},
    {"ai_class", "x_AiClass"},
    {"team", "x_Team"},
    {"project", "x_Project"},
    {"use_case", "x_UseCase"},
    {"model", "x_Model"},
    {"environment", "x_Environment"},
    {"workload", "x_WorkloadId"},
}};

constexpr std::string_view kCostDrivers[] = {
    "hardware",    "cloud service",   "model inference",  "model training",
    "fine-tuning", "data collection", "data preparation", "storage",
    "network",     "integration",     "maintenance",      "security and compliance",
    "licence",     "energy",          "data centre",      "people",
};
constexpr std::string_view kLifecycleStages[] = {
    "explore", "build", "train", "fine-tune", "deploy", "serve", "operate", "retire",
};
constexpr std::string_view kAiClasses[] = {"generative AI", "other AI", "other compute"};

// The cube keeps what has few values or follows from what is kept (a region, an account's name).
// Names of SKUs, meters, resources and workloads, and tags, have many: they would make it as large
// as the rollups.
constexpr bool kCube = true;
constexpr bool kNoCube = false;

constexpr std::string_view kTagPrefix = "tag:";

constexpr Info kDimensions[] = {
    {"provider", Kind::kColumn, "ServiceProviderName", kCube},
    {"host_provider", Kind::kColumn, "HostProviderName", kCube},
    {"invoice_issuer", Kind::kColumn, "InvoiceIssuerName", kCube},
    {"service", Kind::kColumn, "ServiceName", kCube},
    {"service_category", Kind::kColumn, "ServiceCategory", kCube},
    {"service_subcategory", Kind::kColumn, "ServiceSubcategory", kCube},
    {"account", Kind::kColumn, "SubAccountId", kCube, "BillingAccountId"},
    {"account_name", Kind::kColumn, "SubAccountName", kCube, "BillingAccountName"},
    {"billing_account", Kind::kColumn, "BillingAccountId", kCube},
    {"region", Kind::kColumn, "RegionId", kCube},
    {"charge_category", Kind::kColumn, "ChargeCategory", kCube},
    {"pricing_category", Kind::kColumn, "PricingCategory", kCube},
    {"commitment_status", Kind::kColumn, "CommitmentDiscountStatus", kCube},
    {"charge_class", Kind::kColumn, "ChargeClass", kNoCube},
    {"invoice", Kind::kRow, "InvoiceId", kNoCube},
    {"billing_period", Kind::kRow, "BillingPeriodStart", kNoCube},
    {"sku", Kind::kColumn, "SkuId", kNoCube},
    {"sku_meter", Kind::kColumn, "SkuMeter", kNoCube},
    {"resource", Kind::kColumn, "ResourceId", kNoCube},
    {"resource_name", Kind::kColumn, "ResourceName", kNoCube},
    {"resource_type", Kind::kColumn, "ResourceType", kNoCube},
    {"unit", Kind::kColumn, "ConsumedUnit", kCube},
    {"confidence", Kind::kColumn, "x_Confidence", kCube},
    {"source", Kind::kSlice, "", kCube},
    {"currency", Kind::kColumn, "BillingCurrency", kCube},
    {"driver", Kind::kRule, "x_CostDriver", kCube},
    {"stage", Kind::kRule, "x_LifecycleStage", kCube},
    {"ai_class", Kind::kRule, "x_AiClass", kCube},
    {"team", Kind::kRule, "x_Team", kCube},
    {"project", Kind::kRule, "x_Project", kCube},
    {"use_case", Kind::kRule, "x_UseCase", kCube},
    {"model", Kind::kRule, "x_Model", kCube},
    {"environment", Kind::kRule, "x_Environment", kCube},
    {"workload", Kind::kRule, "x_WorkloadId", kNoCube},
    {"tag:KEY", Kind::kTag, "Tags", kNoCube},
    {"period", Kind::kPeriod, "ChargePeriodStart", kCube},
};

}  // namespace

std::span<const RuleDimensionInfo> RuleDimensions() { return kRuleDimensions; }
std::span<const std::string_view> CostDrivers() { return kCostDrivers; }
std::span<const std::string_view> LifecycleStages() { return kLifecycleStages; }
std::span<const std::string_view> AiClasses() { return kAiClasses; }
std::span<const Info> Dimensions() { return kDimensions; }

const Info* Find(std::string_view name) {
  std::string_view entry = TagKey(name).has_value() ? "tag:KEY" : name;
  auto found = std::ranges::find(kDimensions, entry, &Info::name);
  return found == std::end(kDimensions) ? nullptr : &*found;
}

std::optional<std::string_view> TagKey(std::string_view name) {
  if (!name.starts_with(kTagPrefix) || name.size() == kTagPrefix.size()) return std::nullopt;
  return name.substr(kTagPrefix.size());
}

}  // namespace flyball::dimension
