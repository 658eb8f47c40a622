// Formats: one maker a vendor, each in a file of its own; formats.cc lists them.
#pragma once

#include "ingest/native/native.h"

namespace flyball::native {

Format AwsCur();
Format AzureCost();
Format AzureAmortised();
Format GcpBilling();
Format OracleCost();
Format AlibabaBill();
Format OpenAiCosts();
Format OpenAiUsage();
Format AnthropicCosts();
Format AnthropicUsage();
Format OpenRouterActivity();
Format DatabricksUsage();
Format SnowflakeUsage();
Format LiteLlmSpend();

// Spellings of names that several share.
std::string LowerCase(std::string_view name);  // "CostInBillingCurrency" -> "costinbillingcurrency"
std::string LowerSnake(std::string_view name);  // "startTime", "START_TIME" -> "start_time"

// Fills ServiceCategory and ServiceSubcategory from ServiceName and other names of the service.
void FillServiceKind(std::string_view name, Draft* draft);

// The billing period is a calendar month, told by any text of it.
void FillBillingPeriod(std::string_view month, Draft* draft);
// And the charge period beside it.
void FillPeriod(std::string_view month, std::string start, std::string end, Draft* draft);

// Columns that code fills, put together: what the functions here and in ai.h fill, and a format's
// own.
using Columns = std::vector<std::string_view>;
Columns Joined(std::initializer_list<Columns> all);
inline const Columns kBillingPeriodColumns = {"BillingPeriodStart", "BillingPeriodEnd"};
inline const Columns kPeriodColumns = {"BillingPeriodStart", "BillingPeriodEnd",
                                       "ChargePeriodStart", "ChargePeriodEnd"};
inline const Columns kServiceKindColumns = {"ServiceCategory", "ServiceSubcategory"};

// Tags as {"key":"value"}; empty when there are none.
std::string TagsJson(std::span<const std::pair<std::string, std::string>> tags);

}  // namespace flyball::native
