// Compiler: turns a cost query into the SQL of the store (DuckDB's dialect). Nobody else writes SQL
// that reads charges.
//
// Facts of several shapes, from coarse to fine, are read through one form of statement:
//
//   cube       cube_month or cube_day: by member, a distinct tuple of all dimensions in the cube
//   signature  signature_month or signature_day: by signature; like the cube of the newest commit
//   rollup     rollup.parquet of the live slices: by hour and signature
//   rows       part-*.parquet of the live slices: by charge
//
// The keys that pass the filters are numbered by the group that they fall into; facts are summed by
// that number, and the few sums then take the texts of their group.
// Amounts are only ever added. Values of the user are bound as parameters; identifiers come from
// our own tables; file names are quoted literals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ledger/cost_query.h"
#include "ledger/export.h"
#include "ledger/ledger.h"

namespace flyball::ledger {

// The tables that the statements read; the store makes and fills them. n numbers signatures; id is
// x_Signature.
//   signature(n, id, <signature column>...)   assigned(n, id, <rule dimension>...)
//   member(id, <dimension>...)                slice(n, id, source)
//   cube_day(slice, day, member, currency, <measure column>..., charges), cube_month likewise with
//   month, signature_day and signature_month likewise with signature, the n of one, in place of
//   member
inline constexpr char kAssignedTable[] = "assigned";

enum class Level : uint8_t { kCubeMonth, kCubeDay, kSignatureMonth, kSignatureDay, kRollup, kRows };
std::string_view LevelName(
    Level level);  // "cube", "rollup", "rows", as QueryAnswer::read_from says

// What the store's tables are good for, for the commit that is asked about.
struct Standing {
  bool slices = false;  // the slices that were live then are those that are live now
  bool rules = false;   // and so are the rules in force
};
// The coarsest level that can answer.
Level LevelFor(const CostQuery& query, Standing standing, ReadFrom at_coarsest);

// A folder with rows of live slices of one source.
struct SlicePlace {
  std::string source;
  std::string dir;
  std::vector<std::string> parts;  // names of its part files
  // Of a pack with rows of other slices too: the months of billing of the live ones.
  std::vector<Instant> months;
};
struct Scope {
  Level level = Level::kRows;
  std::vector<SlicePlace> slices;  // the live ones; not looked at where the store's tables are read
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
// The charges behind it, in the order of Ledger::Rows; whatever the scope's level, parts are read.
// First where a page's charges lie (columns: file name, number in the file), by the few columns
// that decide; then those charges, whole.
struct ChargePlace {
  std::string file;
  int64_t number = 0;
};
Compiled CompilePlaces(const CostQuery& query, const Scope& scope, int64_t offset, int64_t limit);
// `places` is not empty.
Compiled CompileCharges(const Scope& scope, const std::vector<ChargePlace>& places);

// An export in three statements: no row, but the columns that the parts have; the number of charges
// and then, of each column, how many have a value; the file itself.
Compiled CompilePartColumns(const Scope& scope);
Compiled CompileValueCounts(const CostQuery& query, const Scope& scope,
                            const std::vector<ExportColumn>& columns);
Compiled CompileExport(const ExportRequest& request, const Scope& scope,
                       const std::vector<ExportColumn>& columns);

}  // namespace flyball::ledger
