#include "ingest/native/formats.h"

#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ingest/native/service.h"
#include "ingest/native/texts.h"

namespace flyball::native {

std::span<const Format> Formats() {
  static const std::vector<Format> formats = [] {
    std::vector<Format> all;
    for (Format (*make)() : {AwsCur, AzureCost, AzureAmortised, GcpBilling, OracleCost, AlibabaBill,
                             OpenAiCosts, OpenAiUsage, AnthropicCosts, AnthropicUsage,
                             OpenRouterActivity, DatabricksUsage, SnowflakeUsage, LiteLlmSpend}) {
      all.push_back(make());
    }
    return all;
  }();
  return formats;
}

std::string LowerCase(std::string_view name) { return ToLower(name); }

std::string LowerSnake(std::string_view name) {
  std::string snake;
  bool was_lower = false;
  for (char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && was_lower) snake += '_';
    was_lower = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    snake += c == ' ' || c == '-' ? '_' : static_cast<char>(upper ? c + ('a' - 'A') : c);
  }
  return snake;
}

void FillServiceKind(std::string_view name, Draft* draft) {
  const ServiceKind kind = KindOfService(name);
  (*draft)[At("ServiceCategory")] = kind.category;
  (*draft)[At("ServiceSubcategory")] = kind.subcategory;
}

void FillBillingPeriod(std::string_view month, Draft* draft) {
  (*draft)[charge::kBillingPeriodStart] = MonthOf(month);
  (*draft)[charge::kBillingPeriodEnd] = MonthAfter(month);
}

void FillPeriod(std::string_view month, std::string start, std::string end, Draft* draft) {
  FillBillingPeriod(month, draft);
  (*draft)[charge::kChargePeriodStart] = std::move(start);
  (*draft)[charge::kChargePeriodEnd] = std::move(end);
}

Columns Joined(std::initializer_list<Columns> all) {
  Columns joined;
  for (const Columns& columns : all) joined.insert(joined.end(), columns.begin(), columns.end());
  return joined;
}

std::string TagsJson(std::span<const std::pair<std::string, std::string>> tags) {
  if (tags.empty()) return {};
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : tags) json[key] = value;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace flyball::native
