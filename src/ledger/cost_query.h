// Cost query: the one question that every reader of the ledger asks (page, API, CLI, forecast, policy, assistant).
// Measures, dimensions, filters, time grain. It is a value; its JSON form is the API's document and its canonical JSON is
// what query_hash is the SHA-256 of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace flyball::ledger {

enum class Grain : uint8_t { kNone, kHour, kDay, kWeek, kMonth };

struct Filter {
  std::string dimension;            // or "tag:KEY"
  bool negated = false;             // a charge without a value passes a negated filter
  std::vector<std::string> values;  // any of; "(unallocated)" and "(none)" match a missing value
  auto operator<=>(const Filter&) const = default;
};

struct CostQuery {
  std::vector<std::string> measures;  // billed_cost, effective_cost, list_cost, contracted_cost, usage, charges (row count)
  std::vector<std::string> by;        // dimensions; `usage` adds `unit` by itself, because units do not add up
  Grain grain = Grain::kNone;
  std::optional<Instant> from;        // ChargePeriodStart >= from
  std::optional<Instant> to;          // ChargePeriodStart < to
  std::vector<Filter> where;          // all of them
  int top = 0;                        // 0: all; else the rest is summed in one row "(other)" per period
  std::string basis = "effective";    // effective, billed, list, contracted: what ranks `top` and the order of rows
  std::string as_of;                  // commit id, unique prefix of one, or sequence number; empty: the newest
};

inline constexpr int kQueryMaxDimensions = 8;
inline constexpr int kQueryMaxFilters = 64;
inline constexpr int kQueryMaxValues = 1000;
inline constexpr int kQueryMaxRows = 1'000'000;
inline constexpr size_t kQueryMaxBytes = 256u << 10;

// 'provider=AWS;team=search,ads;tag:env!=dev'. A ',', ';', '=' or '!' inside a value is escaped with a backslash.
Result<std::vector<Filter>> ParseWhere(std::string_view text);
Result<CostQuery> ParseQueryJson(std::string_view json);
// Fixed key order, defaults left out, values sorted: equal questions have equal text.
std::string CanonicalJson(const CostQuery& query);
Status Validate(const CostQuery& query);  // names the wrong field and the nearest right word
std::string_view QueryJsonSchema();       // JSON Schema 2020-12 of the document

struct AnswerRow {
  std::vector<std::string> dimensions;  // in the order of QueryAnswer::columns
  std::vector<int128> measures;         // units of the measure's type, in the order of QueryAnswer::measures
  std::string currency;
};
struct QueryAnswer {
  std::vector<std::string> columns;   // "period" first when a grain is given, then `by`, then `unit` when added
  std::vector<std::string> measures;
  std::vector<AnswerRow> rows;        // by period, then by the ranking measure descending, then by dimensions
  std::map<std::string, std::vector<int128>> totals;  // by currency; sums of exactly the rows shown
  std::string commit;
  std::string query_hash;
  std::string read_from;              // "cube", "rollup" or "rows": which level answered
};
int MeasureScale(std::string_view measure);  // 12 for costs, 15 for usage, 0 for charges
// The JSON contract: rows of objects; "currency" is the one currency, or null when there are several (then every row has
// "currency" and "totals" is null); "totals_by_currency" always stands.
std::string AnswerJson(const QueryAnswer& answer);

}  // namespace flyball::ledger
