// Dimension: what a cost query can group and filter by.
//
// Some come straight from a column of the charge, some are set by the rules of the estate (with the
// x_ column of the charge as what the source itself stated). A charge without a value shows as
// kUnallocated (rule dimensions) or kNone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flyball::dimension {

inline constexpr std::string_view kUnallocated = "(unallocated)";
inline constexpr std::string_view kNone = "(none)";
inline constexpr std::string_view kOther = "(other)";

// Dimensions that rules set, in the order of Assigned.
enum RuleDimension : int {
  kDriver,
  kStage,
  kAiClass,
  kTeam,
  kProject,
  kUseCase,
  kModel,
  kEnvironment,
  kWorkload,
  kRuleDimensionCount,
};
// driver, stage, ai_class, team, project, use_case, model, environment, workload.
struct RuleDimensionInfo {
  std::string_view name;    // as in a query
  std::string_view column;  // of the charge: x_CostDriver, x_LifecycleStage, x_AiClass, x_Team, ...
};
std::span<const RuleDimensionInfo> RuleDimensions();
using Assigned = std::array<std::optional<std::string>, kRuleDimensionCount>;

// Closed value lists: "hardware", "cloud service", ...; "explore", "build", ..., "retire";
// "generative AI", "other AI", "other compute".
std::span<const std::string_view> CostDrivers();
std::span<const std::string_view> LifecycleStages();
std::span<const std::string_view> AiClasses();

// kRow: what identifies a document, not what is charged, so that no signature has it; read from the
// charges themselves.
enum class Kind : uint8_t { kColumn, kRule, kTag, kSlice, kPeriod, kRow };
struct Info {
  std::string_view name;  // as in a query
  Kind kind;
  std::string_view column;  // of the charge; empty for kSlice
  bool in_cube;  // answered from the small derived cube; others go to the rollups by signature
  std::string_view fallback = {};  // stands in where `column` is null; empty: nothing does
};
// provider (ServiceProviderName), host_provider, invoice_issuer, service (ServiceName),
// service_category, service_subcategory, account (SubAccountId, else BillingAccountId),
// account_name (SubAccountName, else BillingAccountName), billing_account, region (RegionId),
// charge_category, pricing_category, commitment_status, charge_class, invoice (InvoiceId),
// billing_period (the month of BillingPeriodStart, "2026-10"), sku (SkuId), sku_meter, resource
// (ResourceId), resource_name, resource_type, unit (ConsumedUnit), confidence, source, currency,
// and the rule dimensions; "tag:KEY" is any tag. "period" appears in answers with a grain.
std::span<const Info> Dimensions();
// nullptr: no such dimension. Any "tag:env" finds the entry "tag:KEY" of kind kTag.
const Info* Find(std::string_view name);
// "env" of "tag:env"; nullopt for what is no tag dimension. A key is never empty.
std::optional<std::string_view> TagKey(std::string_view name);

}  // namespace flyball::dimension
