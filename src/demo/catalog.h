// The tables that the invented enterprise is made of: use cases, streams of charges, planted
// events.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace flyball::demo {

struct Team {
  std::string_view id, name, owner, alias;
};
struct UseCaseRow {
  std::string_view id, name, team, project, stage, status, reason, objective;
  int target_month_usd;
  std::string_view unit;
  std::string_view target_unit_cost;
  int value_year_usd;
};

enum class Season : uint8_t { kFlat, kOffice, kConsumer, kBatch };

// One meter of one use case at one vendor: everything on a row that does not change from day to
// day.
struct Stream {
  std::string_view
      source;  // aws, azure, gcp, openai, anthropic, gpu-cluster, kubernetes, mainframe
  std::string_view use_case;  // "" : shared, not tagged
  std::string_view environment;
  std::string_view service, category, subcategory;
  std::string_view sku, meter, unit;
  std::string_view model;          // of LLM meters
  std::string_view resource_type;  // "" : no resource
  std::string_view region;
  std::string_view list_price;  // per pricing unit, at most 8 decimals
  int month_usd;                // list cost of the first month
  int growth_bp;                // a month
  Season season = Season::kFlat;
  int discount_bp = 0;          // negotiated, off the list price
  int64_t pricing_block = 1;    // units of consumption per pricing unit (1000000 for tokens)
  int committed_share_bp = 0;   // of the first month's use that a commitment covers
  std::string_view event = {};  // planted event that changes it
  int weight = 10;              // share of rows
};

// What was planted; dates are days since 2025-10-01, hours within the first and last day.
struct Event {
  std::string_view id, kind, description;
  int first_day, last_day;
  int factor_bp;  // on quantity while it lasts (10000: unchanged)
  std::string_view new_price = {};
};

struct SourceRow {
  std::string_view id, title, provider, issuer, account, account_name, focus;
};

std::span<const Team> Teams();
std::span<const UseCaseRow> UseCases();
std::span<const Stream> Streams();
std::span<const Event> Events();
std::span<const SourceRow> Sources();
const UseCaseRow* FindUseCase(std::string_view id);
const SourceRow& FindSource(std::string_view id);

}  // namespace flyball::demo
