// Compiler: turns a cost query into the SQL of the store (DuckDB's dialect). Nobody else writes SQL
// that reads charges.
//
// Three shapes of fact, from coarse to fine, are read through one form of statement:
//   cube    cube_month or cube_day: by member (a distinct tuple of all dimensions that are in the
//   cube) rollup  rollup.parquet of the live slices: by hour and signature rows    part-*.parquet
//   of the live slices: by charge
// Facts are first summed by their integer key, then joined to the texts of their dimensions.
// Amounts are only ever added. Values of the user are bound as parameters; identifiers come from
// our own tables; file names are quoted literals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ledger/cost_query.h"
#include "ledger/ledger.h"

namespace flyball::ledger {

// The tables that the statements read; the store makes and fills them.
//   member(id, <dimension>...)            signature(n, id, <signature column>...)
//   assigned(id, <rule dimension>...)     slice(n, id, source)
//   cube_day(slice, day, member, currency, <measure column>..., charges), cube_month likewise with
//   month
inline constexpr char kAssignedTable[] = "assigned";

enum class Level : uint8_t { kCubeMonth, kCubeDay, kRollup, kRows };
std::string_view LevelName(
    Level level);  // "cube", "rollup", "rows", as QueryAnswer::read_from says

// The coarsest level that can answer. `cube_stands`: the cube is of the commit that is asked about.
Level LevelFor(const CostQuery& query, bool cube_stands, ReadFrom at_coarsest);

struct SlicePlace {
  std::string source;
  std::string dir;
  std::vector<std::string> parts;  // names of its part files
};
struct Scope {
  Level level = Level::kRows;
  std::vector<SlicePlace> slices;  // the live ones; not read at the cube's levels
  std::string assigned =
      kAssignedTable;  // the table that holds the dimensions by the rules in force
};

// The dimensions that a query's rows have, in order: `by`, then "unit" when usage adds it.
std::vector<std::string> AnswerDimensions(const CostQuery& query);
// Whether a slice of this source can hold charges that the query's filters let through.
bool SourcePasses(const CostQuery& query, const std::string& source);

struct Compiled {
  std::string sql;
  std::vector<engine::Param> params;
};
// Result columns: [period start,] other (0 or 1), currency, a text for each of AnswerDimensions,
// the ranking measure, the query's measures. Rows come in the order of QueryAnswer, one more than
// kQueryMaxRows at most. The query is valid; at the file levels the scope has at least one slice.
Compiled CompileQuery(const CostQuery& query, const Scope& scope);
// One row: the number of charges behind the query.
Compiled CompileCount(const CostQuery& query, const Scope& scope);
// The charges behind it: see Ledger::Rows. Reads parts, whatever the scope's level.
Compiled CompileRows(const CostQuery& query, const Scope& scope, int64_t offset, int64_t limit);

}  // namespace flyball::ledger
