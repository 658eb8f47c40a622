// FOCUS: one table in code that describes every column of FOCUS 1.0 to 1.4 and the AI columns of the 1.5 draft, for all
// four data sets. Everything else (ledger schema, adapters, checks, exports, documentation) is driven from it.
// Source: FinOps Open Cost and Usage Specification, https://focus.finops.org (column lists of each version).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/column.h"

namespace flyball::focus {

enum class DataSet : uint8_t { kCostAndUsage, kContractCommitment, kInvoiceDetail, kBillingPeriod };
enum class Version : uint8_t { k1_0, k1_1, k1_2, k1_3, k1_4, k1_5Draft };
inline constexpr int kVersionCount = 6;
enum class Level : uint8_t { kMandatory, kRecommended, kConditional };

struct Column {
  DataSet data_set;
  std::string_view name;  // FOCUS column id
  ColumnType type;        // kMoney for costs, kQuantity for quantities and unit prices
  bool nullable;          // as of the newest version that has it
  Level level;            // idem
  Version since;
  std::optional<Version> until;  // last version that has it; nullopt: still there
  std::span<const std::string_view> allowed;  // closed list of values; empty: free
  std::string_view condition;                 // when a conditional column is required, in words

  bool In(Version version) const {
    return since <= version && (!until.has_value() || version <= *until);
  }
};

std::span<const Column> Columns(DataSet data_set);
// nullptr: no FOCUS version has it. Exact, then case-insensitive.
const Column* FindColumn(DataSet data_set, std::string_view name);
std::string_view VersionName(Version version);  // "1.0" ... "1.5-draft"
std::optional<Version> ParseVersion(std::string_view name);

// The version whose columns fit a header best: the oldest version that knows every recognised column and whose mandatory
// columns miss the fewest.
struct Detection {
  DataSet data_set;
  Version version;
  int recognised = 0;         // columns of the header that FOCUS knows
  int missing_mandatory = 0;  // mandatory columns of that version that the header lacks
};
std::optional<Detection> Detect(std::span<const std::string_view> header);

// How the value of a column came about; recorded per row for every column that was not simply observed.
enum class Lineage : uint8_t { kObserved, kDerived, kAssumed, kMissing };
std::string_view LineageName(Lineage lineage);

}  // namespace flyball::focus
