// Cost query: the one question that every reader of the ledger asks (page, API, CLI, forecast,
// policy, assistant). Measures, dimensions, filters, time grain. It is a value; its JSON form is
// the API's document and its canonical JSON is what query_hash is the SHA-256 of.
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
  // billed_cost, effective_cost, list_cost, contracted_cost, usage, charges (row count)
  std::vector<std::string> measures;
  // dimensions; `usage` adds `unit` by itself (last, unless named here), because units do not add
  // up
  std::vector<std::string> by;
  Grain grain = Grain::kNone;
  std::optional<Instant> from;  // ChargePeriodStart >= from
  std::optional<Instant> to;    // ChargePeriodStart < to
  std::vector<Filter> where;    // all of them
  int top = 0;                  // 0: all; else the rest is summed in "(other)", see QueryAnswer
  // effective, billed, list or contracted: what ranks `top` and the order of rows
  std::string basis = "effective";
  // commit id, unique prefix of one, or sequence number; empty: the newest
  std::string as_of;
  // The reporting currency, such as "EUR"; empty: each charge in the currency that it was billed
  // in. The ledger itself knows only those; ledger/report_in.h says how its answer is converted.
  std::string currency;
  bool operator==(const CostQuery&) const = default;
};

inline constexpr int kQueryMaxDimensions = 8;
inline constexpr int kQueryMaxFilters = 64;
inline constexpr int kQueryMaxValues = 1000;  // of one filter
inline constexpr int kQueryMaxRows = 1'000'000;
inline constexpr size_t kQueryMaxBytes = 256u << 10;
inline constexpr size_t kQueryMaxValueBytes = 4096;  // one filter value or tag key

// 'provider=AWS;team=search,ads;tag:env!=dev'. A ',', ';', '=', '!' or '\' inside a name or value
// is escaped with a backslash, and so is a blank at its edge; other blanks around names and values
// do not count. Errors carry the column.
Result<std::vector<Filter>> ParseWhere(std::string_view text);
// The reverse: ParseWhere(FormatWhere(filters)) == filters, when no value is empty.
std::string FormatWhere(const std::vector<Filter>& filters);
// {"measures":[...],"by":[...],"grain":"day","from":"2026-10-01T00:00:00Z","to":...,
//  "where":[{"dimension":"team","not":true,"values":["ads"]}] (or the text that ParseWhere
//  reads),"top":20, "basis":"effective","as_of":"..."}; only measures is required. Strict: an
//  unknown field is an error. The result is valid.
Result<CostQuery> ParseQueryJson(std::string_view json);
// Fixed key order, defaults left out, filters and their values sorted: equal questions have equal
// text.
std::string CanonicalJson(const CostQuery& query);
std::string QueryHash(const CostQuery& query);  // SHA-256 of CanonicalJson, hex
Status Validate(const CostQuery& query);        // names the wrong field and the nearest right word
std::string_view QueryJsonSchema();  // JSON Schema 2020-12 of the document, made from the tables

std::string_view GrainName(Grain grain);  // "none", "hour", "day", "week", "month"
Result<Grain> ParseGrain(std::string_view name);
// How a period is written in an answer: hour "2026-10-31T23:00:00Z", day and week (its Monday)
// "2026-10-31", month "2026-10".
std::string PeriodLabel(Grain grain, Instant period_start);
const std::vector<std::string_view>& BasisNames();
// The measure that a basis ranks by: "effective" -> "effective_cost"; "" when there is no such
// basis.
std::string_view BasisMeasure(std::string_view basis);

struct AnswerRow {
  std::vector<std::string> dimensions;  // in the order of QueryAnswer::columns
  std::vector<int128>
      measures;  // units of the measure's type, in the order of QueryAnswer::measures
  std::string currency;
};
// How an answer in a reporting currency came about. Rates count units of the reporting currency for
// one of the billing currency.
struct UsedRate {
  std::string billed;            // the currency that was converted
  Instant first_day, last_day;   // of the charges that were
  int64_t days = 0;              // that they are of
  int64_t days_carried = 0;      // of these, those that have no rate of their own: the last before
  Instant rates_from, rates_to;  // the days that the rates are of
  Money lowest, highest;         // rounded to 1e-12 here and only here
  std::vector<std::string> sources;  // the files that state them
};
struct Conversion {
  std::string currency;
  std::vector<UsedRate> rates;  // by currency; none where nothing had to be converted
  // What was billed, untouched: by billing currency the sums of `measures`, the costs of the
  // answer.
  std::vector<std::string> measures;
  std::map<std::string, std::vector<int128>> billed;
};

// A row stands for one (period, dimensions, currency); currencies are never added. A charge without
// a value has dimension::kUnallocated (rule dimensions) or kNone (the others) in its place; a
// measure without a value counts as 0.
//
// Order: period, currency, "(other)" last, ranking measure of the row descending, dimensions by
// bytes.
//
// `top` N keeps, in each currency, the N groups (`by`, with the added `unit`) whose ranking measure
// over all periods of the answer is highest; ties go to the dimensions that come first by bytes.
// All other groups of a currency are summed in one row a period, "(other)" in every column of `by`;
// `currency`, and with the measure usage `unit`, keep their values there (so there is one such row
// for each unit).
struct QueryAnswer {
  std::vector<std::string>
      columns;  // "period" first when a grain is given, then `by`, then `unit` when added
  std::vector<std::string> measures;
  std::vector<AnswerRow> rows;
  std::map<std::string, std::vector<int128>> totals;  // by currency; sums of exactly the rows shown
  std::string commit;
  std::string query_hash;
  std::string read_from;                 // "cube", "rollup" or "rows": which level answered
  std::optional<Conversion> conversion;  // of an answer in a reporting currency
};
const std::vector<std::string_view>& MeasureNames();  // of charge::Measures(), then "charges"
// 12 for costs, 15 for usage, 0 for charges; -1: no measure
int MeasureScale(std::string_view measure);

enum class AnswerFormat : uint8_t { kTable, kJson, kCsv };
Result<AnswerFormat> ParseAnswerFormat(std::string_view name);  // "table", "json", "csv"
std::string AnswerText(const QueryAnswer& answer, AnswerFormat format);
// The JSON contract: rows of objects; measures are decimal strings. "currency" is the one currency,
// or null when there are several (then every row has "currency" and "totals" is null) or no rows;
// "totals_by_currency" always stands. With the measure usage, a total of usage over several units
// is null, because units do not add up, and "usage_by_unit" stands.
std::string AnswerJson(const QueryAnswer& answer);
// Aligned text for a terminal: numbers to the right with their points in line, then the totals by
// currency. Control characters in values are shown as U+FFFD, so that a bill cannot drive the
// terminal.
std::string AnswerTable(const QueryAnswer& answer);
// RFC 4180 quoting, lines end in LF, values exactly as they are; always with a column `currency`,
// no totals.
std::string AnswerCsv(const QueryAnswer& answer);

}  // namespace flyball::ledger
