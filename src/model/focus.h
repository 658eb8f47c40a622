// FOCUS: one table in code that describes every column of FOCUS 1.0 to 1.4 and the AI columns of
// the 1.5 draft, for all four data sets. Everything else (ledger schema, adapters, checks, exports,
// documentation) is driven from it. Source: FinOps Open Cost and Usage Specification,
// https://focus.finops.org (column lists of each version).
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

// What the versions up to `until` asked of a column, where the newest asks for something else.
struct EarlierRule {
  Version until;
  Level level;
  bool nullable;
};

struct Column {
  DataSet data_set;
  std::string_view name;  // FOCUS column id
  ColumnType type;        // kMoney for costs, kQuantity for quantities and unit prices
  bool nullable;          // as of the newest version that has it
  Level level;            // idem
  Version since;
  std::optional<Version> until = {};               // last version that has it; nullopt: still there
  std::span<const std::string_view> allowed = {};  // closed list of values; empty: free
  // A conditional column must be there when "the data generator ...", in words: "assigns regions".
  // Empty for the others.
  std::string_view condition = {};
  std::optional<EarlierRule> earlier = {};

  constexpr bool In(Version version) const {
    return since <= version && (!until.has_value() || version <= *until);
  }
  constexpr Level LevelIn(Version version) const {
    return earlier.has_value() && version <= earlier->until ? earlier->level : level;
  }
  constexpr bool NullableIn(Version version) const {
    return earlier.has_value() && version <= earlier->until ? earlier->nullable : nullable;
  }
};

// Alphabetical, of all versions. Costs nothing: a static table.
std::span<const Column> Columns(DataSet data_set);
// nullptr: no FOCUS version has it. Exact, then case-insensitive.
const Column* FindColumn(DataSet data_set, std::string_view name);
std::string_view DataSetName(DataSet data_set);  // "CostAndUsage", ...
std::span<const std::string_view> DataSetNames();
std::optional<DataSet> ParseDataSet(std::string_view name);
std::string_view LevelName(Level level);        // "Mandatory", ...
std::string_view VersionName(Version version);  // "1.0" ... "1.5-draft"
std::optional<Version> ParseVersion(std::string_view name);

// The closed list of ServiceSubcategory (since 1.1), each with the one ServiceCategory that it
// belongs to.
struct ServiceSubcategory {
  std::string_view category;
  std::string_view name;
};
std::span<const ServiceSubcategory> ServiceSubcategories();

// The properties that FOCUS itself defines inside SkuPriceDetails; a provider's own begin with x_.
struct SkuPriceProperty {
  std::string_view key;
  ColumnType type;        // kText, or kQuantity: a number per pricing unit
  std::string_view unit;  // of the number; empty for text
  Version since;
  std::span<const std::string_view> allowed = {};  // closed list of values; empty: free
};
std::span<const SkuPriceProperty> SkuPriceProperties();

// What a header says: its data set and the version that fits best. Names are compared without
// regard to case, a name that stands twice counts once. The data set that knows most of the columns
// wins (Cost and Usage in a tie). Within it the best version has the fewest columns that only came
// later, then the fewest missing mandatory columns, then is the oldest. A column that a later
// version dropped doesn't speak against that version: many exports keep it for their old readers.
struct Detection {
  DataSet data_set;
  Version version;
  int recognised = 0;         // columns of the header that FOCUS knows
  int missing_mandatory = 0;  // mandatory columns of that version that the header lacks
};
// nullopt: no column of any data set is known.
std::optional<Detection> Detect(std::span<const std::string_view> header);

// How the value of a column came about; recorded per row for every column that was not simply
// observed.
enum class Lineage : uint8_t { kObserved, kDerived, kAssumed, kMissing };
std::string_view LineageName(Lineage lineage);

}  // namespace flyball::focus
