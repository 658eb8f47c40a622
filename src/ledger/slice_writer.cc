#include "ledger/slice_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/hash.h"
#include "ledger/duckdb/schema.h"
#include "ledger/history.h"
#include "model/charge.h"

namespace flyball::ledger {
namespace {

using engine::Answer;
using engine::Connection;
using engine::QuoteIdentifier;
using engine::QuoteLiteral;

std::string PartsOf(const std::string& slice_dir) {
  return "read_parquet(" + QuoteLiteral(os::JoinPath(slice_dir, "part-*.parquet")) +
         ", union_by_name = true, hive_partitioning = false)";
}

// Where a row stands among the parts: a file has less than 2^40 rows.
constexpr char kRowPlace[] = "((file_index::BIGINT << 40) + file_row_number)";

Status CheckKeys(Connection& connection, const std::string& parts) {
  Answer answer = FB_TRY(connection.Query(
      "SELECT count(*) FILTER (ChargePeriodStart IS NULL),"
      " count(*) FILTER (BillingPeriodStart IS NULL),"
      " count(*) FILTER (BillingCurrency IS NULL), count(*) FILTER (x_Signature IS NULL) FROM " +
      parts));
  constexpr const char* kKeys[] = {"ChargePeriodStart", "BillingPeriodStart", "BillingCurrency",
                                   "x_Signature"};
  for (int i = 0; i < static_cast<int>(std::size(kKeys)); ++i) {
    if (answer.Int64(0, i) == 0) continue;
    return Fail(Code::kInvalidArgument,
                fmt::format("{} charges of a slice have no {}", answer.Int64(0, i), kKeys[i]));
  }
  return {};
}

// One row stands for its signature; a second hash over all columns tells whether the others of the
// same id are alike.
Result<int64_t> WriteSignatures(Connection& connection, const std::string& parts,
                                const std::string& target) {
  std::string columns = SignatureColumnList();
  FB_CHECK(connection.Execute(
      fmt::format("CREATE OR REPLACE TEMP TABLE slice_signature AS SELECT x_Signature AS id,"
                  " min({0}) AS place, min(second_hash) <> max(second_hash) AS differs FROM"
                  " (SELECT x_Signature, file_index, file_row_number, hash({1}) AS second_hash"
                  " FROM {2}) GROUP BY 1",
                  kRowPlace, columns, parts)));
  Answer clash = FB_TRY(connection.Query("SELECT id FROM slice_signature WHERE differs LIMIT 1"));
  if (clash.row_count() > 0) {
    return Fail(Code::kDataLoss,
                fmt::format("two different signatures have the id {}", clash.Uint64(0, 0)),
                "nothing was imported; report this with the file");
  }
  FB_CHECK(connection.Execute(fmt::format(
      "COPY (SELECT x_Signature, {0} FROM {1} WHERE {2} IN (SELECT place FROM slice_signature)"
      " ORDER BY x_Signature) TO {3} ({4})",
      columns, parts, kRowPlace, QuoteLiteral(target), kParquetOptions)));
  Answer count = FB_TRY(connection.Query("SELECT count(*) FROM slice_signature"));
  FB_CHECK(connection.Execute("DROP TABLE slice_signature"));
  return count.Int64(0, 0);
}

std::string ReadRollup(const std::string& path) {
  return "read_parquet(" + QuoteLiteral(path) + ", hive_partitioning = false)";
}

// No sum over rows of the slice, however they are grouped, may leave 38 digits: the sum of their
// magnitudes bounds them all. A commit that the store could not add up would take every question
// with it.
Status CheckTotals(Connection& connection, const std::string& rollup) {
  std::string sums;
  for (const charge::MeasureColumn& measure : charge::Measures()) {
    sums += fmt::format(", SUM(abs({}))", QuoteIdentifier(measure.column));
  }
  Result<Answer> totals = connection.Query("SELECT BillingCurrency" + sums + " FROM " +
                                           ReadRollup(rollup) + " GROUP BY 1");
  const Error too_large{Code::kOutOfRange,
                        "the totals of the bill leave 38 digits",
                        "look for charges with absurd costs or quantities",
                        {}};
  if (!totals) {
    const bool range = totals.error().code == Code::kOutOfRange;
    return Fail(range ? too_large : std::move(totals).error());
  }
  for (int64_t row = 0; row < totals->row_count(); ++row) {
    for (int column = 1; column < totals->column_count(); ++column) {
      const bool none = totals->IsNull(row, column);
      if (!none && totals->Units(row, column) > kDecimalMaxUnits) return Fail(too_large);
    }
  }
  return {};
}

// `keys` come before the amounts; their numbers are what is grouped by.
std::string RollupBy(const std::string& keys, const std::string& numbers,
                     const std::string& parts) {
  std::string sums;
  for (const charge::MeasureColumn& measure : charge::Measures()) {
    int scale = measure.type == ColumnType::kMoney ? Money::scale() : Quantity::scale();
    std::string name = QuoteIdentifier(measure.column);
    sums += fmt::format(", coalesce(SUM({0}), 0)::DECIMAL(38,{1}) AS {0}", name, scale);
  }
  return "SELECT " + keys + sums + ", COUNT(*) AS \"Charges\" FROM " + parts + " GROUP BY " +
         numbers;
}

constexpr char kRollupKeys[] =
    "date_trunc('hour', ChargePeriodStart) AS \"Hour\", x_Signature, BillingCurrency";

}  // namespace

std::string RollupOf(const std::string& parts) { return RollupBy(kRollupKeys, "1, 2, 3", parts); }

std::string PackRollupOf(const std::string& parts) {
  return RollupBy(fmt::format("{} AS {}, {}", kBillingMonth, kRollupPeriod, kRollupKeys),
                  "1, 2, 3, 4", parts);
}

Result<SliceTotals> WriteSliceDerived(Connection& connection, const std::string& slice_dir) {
  std::string parts = PartsOf(slice_dir);
  FB_CHECK(CheckKeys(connection, parts));
  std::string rollup = os::JoinPath(slice_dir, kRollupFile);
  FB_CHECK(connection.Execute("COPY (" + RollupOf(parts) + " ORDER BY 1, 2, 3) TO " +
                              QuoteLiteral(rollup) + " (" + kParquetOptions + ")"));
  SliceTotals totals;
  totals.signatures =
      FB_TRY(WriteSignatures(connection, parts, os::JoinPath(slice_dir, kSignaturesFile)));
  FB_CHECK(CheckTotals(connection, rollup));
  Answer sums =
      FB_TRY(connection.Query("SELECT BillingCurrency, SUM(Charges), SUM(BilledCost) FROM " +
                              ReadRollup(rollup) + " GROUP BY 1"));
  for (int64_t row = 0; row < sums.row_count(); ++row) {
    totals.rows += sums.Int64(row, 1);
    totals.billed_by_currency.emplace(sums.Text(row, 0), Money::FromUnits(sums.Units(row, 2)));
  }
  return totals;
}

Result<TotalsByMonth> WritePackDerived(Connection& connection, const std::string& pack_dir) {
  std::string parts = PartsOf(pack_dir);
  std::string rollup = os::JoinPath(pack_dir, kRollupFile);
  FB_CHECK(connection.Execute("COPY (" + PackRollupOf(parts) + " ORDER BY 1, 2, 3, 4) TO " +
                              QuoteLiteral(rollup) + " (" + kParquetOptions + ")"));
  FB_TRY(WriteSignatures(connection, parts, os::JoinPath(pack_dir, kSignaturesFile)));
  return SumMonths(connection, ReadRollup(rollup), kRollupPeriod, "SUM(Charges)");
}

Result<TotalsByMonth> SumMonths(Connection& connection, const std::string& from,
                                std::string_view month, std::string_view charges) {
  Answer sums = FB_TRY(connection.Query(
      fmt::format("SELECT {}, BillingCurrency, {}, coalesce(SUM(BilledCost), 0) FROM {}"
                  " GROUP BY 1, 2",
                  month, charges, from)));
  TotalsByMonth months;
  for (int64_t row = 0; row < sums.row_count(); ++row) {
    SliceTotals& totals = months[sums.Time(row, 0)];
    totals.rows += sums.Int64(row, 2);
    totals.billed_by_currency.emplace(sums.Text(row, 1), Money::FromUnits(sums.Units(row, 3)));
  }
  return months;
}

TotalsByMonth MonthsOf(const std::vector<const Slice*>& slices) {
  TotalsByMonth months;
  for (const Slice* slice : slices) {
    months[PeriodStart(*slice)] = {slice->rows, slice->billed_by_currency};
  }
  return months;
}

Result<std::vector<SliceFile>> DescribeSliceFiles(Connection& connection, os::Files& files,
                                                  const std::string& slice_dir) {
  std::vector<SliceFile> described;
  const std::vector<std::string> names = FB_TRY(files.List(slice_dir));
  for (const std::string& name : names) {
    std::string path = os::JoinPath(slice_dir, name);
    SliceFile& file = described.emplace_back();
    file.name = name;
    file.bytes = FB_TRY(files.Size(path));
    file.sha256 = FB_TRY(FileSha256(path));
    Answer rows = FB_TRY(
        connection.Query("SELECT num_rows FROM parquet_file_metadata(" + QuoteLiteral(path) + ")"));
    file.rows = rows.Int64(0, 0);
  }
  return described;
}

Result<std::string> FileSha256(const std::string& path) {
  constexpr size_t kPieceBytes = 1u << 20;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    Code code = errno == ENOENT ? Code::kNotFound : Code::kUnavailable;
    return Fail(code, "cannot read '" + path + "': " + std::strerror(errno));
  }
  Sha256 hash;
  std::string piece(kPieceBytes, '\0');
  ssize_t got = 0;
  while ((got = read(fd, piece.data(), piece.size())) > 0) {
    hash.Update(std::string_view(piece.data(), static_cast<size_t>(got)));
  }
  int error = errno;
  close(fd);
  if (got < 0) {
    return Fail(Code::kUnavailable, "cannot read '" + path + "': " + std::strerror(error));
  }
  Digest digest = hash.Finish();
  return Hex(digest);
}

}  // namespace flyball::ledger
