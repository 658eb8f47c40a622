// Slice writer: what ingest calls, in staging, to turn Parquet parts into a whole slice.
//
// A slice's folder holds part-*.parquet (the columns of charge::Columns(), then any x_ columns of
// the input, as text), written by ingest. From them WriteSliceDerived makes
//   rollup.parquet      Hour (TIMESTAMP), x_Signature, BillingCurrency, BilledCost, EffectiveCost,
//   ListCost, ContractedCost
//                       (DECIMAL(38,12)), ConsumedQuantity (DECIMAL(38,15)), Charges (BIGINT):
//                       exact sums, a null counts as 0; sorted by the first three columns
// A pack's rollup is by the month of BillingPeriodStart too, in a first column Period (TIMESTAMP).
//   signatures.parquet  x_Signature and the columns of signature::Columns(), one row a signature
// Everything is derived by SQL that adds and never multiplies, so that it can be derived again and
// compared.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/engine.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::ledger {

inline constexpr char kRollupFile[] = "rollup.parquet";
inline constexpr char kSignaturesFile[] = "signatures.parquet";
inline constexpr std::string_view kPartPrefix = "part-";
inline bool IsPart(const SliceFile& file) { return file.name.starts_with(kPartPrefix); }
// Which slice of a pack a charge belongs to: an expression over charges, and the column of the
// pack's rollup.
inline constexpr char kBillingMonth[] = "date_trunc('month', \"BillingPeriodStart\")";
inline constexpr char kRollupPeriod[] = "\"Period\"";
// How every Parquet file of a slice is written (inside COPY ... TO '...' (<this>)): data pages of
// version 1 and SNAPPY, which every reader understands.
inline constexpr char kParquetOptions[] =
    "FORMAT PARQUET, PARQUET_VERSION V1, COMPRESSION SNAPPY, ROW_GROUP_SIZE 122880";

// A new, empty folder home/tmp/import-<pid>-<n>, in which an import stages. Always made here: at
// open the owner of the home removes all other folders in tmp, except those of processes that still
// run.
Result<std::string> MakeStagingDir(os::Files& files, const std::string& home);

struct SliceTotals {
  int64_t rows = 0;
  std::map<std::string, Money> billed_by_currency;
  int64_t signatures = 0;
  bool operator==(const SliceTotals&) const = default;
};
// Errors: INVALID_ARGUMENT when a charge lacks ChargePeriodStart, BillingPeriodStart,
// BillingCurrency or x_Signature;
// DATA_LOSS when two different signatures have one id; whatever the engine says. Files that exist
// already are replaced.
Result<SliceTotals> WriteSliceDerived(engine::Connection& connection, const std::string& slice_dir);

// The same for a pack; the totals of each of its months.
using TotalsByMonth = std::map<Instant, SliceTotals>;
Result<TotalsByMonth> WritePackDerived(engine::Connection& connection, const std::string& pack_dir);

// The statement that sums a slice's or a pack's rollup from a relation of its charges.
std::string RollupOf(const std::string& parts);
std::string PackRollupOf(const std::string& parts);

// Rows and BilledCost of each month of billing, signatures not counted: in a relation of charges
// (kBillingMonth, "COUNT(*)") or in a pack's rollup (kRollupPeriod, "SUM(Charges)"); and what they
// should be by the commits of these slices, no two of one period.
Result<TotalsByMonth> SumMonths(engine::Connection& connection, const std::string& from,
                                std::string_view month, std::string_view charges);
TotalsByMonth MonthsOf(const std::vector<const Slice*>& slices);

// The files of a finished slice as a commit names them: size, SHA-256 and rows of each. Reads every
// byte once.
Result<std::vector<SliceFile>> DescribeSliceFiles(engine::Connection& connection, os::Files& files,
                                                  const std::string& slice_dir);
// Of a file as large as it may be, read in pieces.
Result<std::string> FileSha256(const std::string& path);

}  // namespace flyball::ledger
