#include "estate/vendor_reports.h"

#include <algorithm>

#include "base/assert.h"

namespace flyball::estate {
namespace {

const std::vector<VendorReport>& Table() {
  using enum SourceKind;
  static const std::vector<VendorReport> kTable = {
      {kOpenAi,
       "costs",
       "/v1/organization/costs",
       "openai-costs",
       {"project_id", "line_item", "api_key_id"}},
      {kOpenAi,
       "completions",
       "/v1/organization/usage/completions",
       "openai-usage",
       {"project_id", "user_id", "api_key_id", "model", "batch", "service_tier"}},
      {kOpenAi,
       "embeddings",
       "/v1/organization/usage/embeddings",
       "openai-usage",
       {"project_id", "user_id", "api_key_id", "model"}},
      {kAnthropic,
       "costs",
       "/v1/organizations/cost_report",
       "anthropic-costs",
       {"workspace_id", "description"}},
      {kAnthropic,
       "messages",
       "/v1/organizations/usage_report/messages",
       "anthropic-usage",
       {"api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"}},
      {kOpenRouter, "activity", "/api/v1/activity", "openrouter-activity", {}},
  };
  return kTable;
}

}  // namespace

std::vector<std::string_view> ReportNames(SourceKind vendor) {
  std::vector<std::string_view> names;
  for (const VendorReport& report : Table()) {
    if (report.vendor == vendor) names.push_back(report.name);
  }
  return names;
}

const VendorReport& ReportOf(const Source& source) {
  const auto report = std::ranges::find_if(Table(), [&](const VendorReport& each) {
    return each.vendor == source.kind && (source.report.empty() || source.report == each.name);
  });
  FB_ASSERT(report != Table().end());
  return *report;
}

}  // namespace flyball::estate
