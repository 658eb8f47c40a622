#include "ledger/duckdb/verify.h"

#include <filesystem>

#include "ledger/duckdb/schema.h"
#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

using engine::Answer;
using engine::QuoteLiteral;

// Files are compared byte for byte with what the commit says of them.
std::vector<std::string> CheckFiles(const std::string& dir, const Slice& slice) {
  std::vector<std::string> faults;
  for (const SliceFile& file : slice.files) {
    std::string path = os::JoinPath(dir, file.name);
    Result<std::string> sha256 = FileSha256(path);
    if (!sha256) {
      faults.push_back(path + ": " + sha256.error().message);
    } else if (*sha256 != file.sha256) {
      faults.push_back(path + ": its content is not what the commit says (SHA-256 differs)");
    }
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    std::string name = entry.path().filename().string();
    auto named = [&](const SliceFile& file) { return file.name == name; };
    if (std::ranges::none_of(slice.files, named)) {
      faults.push_back(entry.path().string() + ": no commit names this file");
    }
  }
  return faults;
}

// How many rows stand in one of two relations and not, as often, in the other.
std::string DifferenceOf(const std::string& a, const std::string& b) {
  return "SELECT count(*) FROM ((SELECT * FROM (" + a + ") EXCEPT ALL SELECT * FROM (" + b +
         ")) UNION ALL (SELECT * FROM (" + b + ") EXCEPT ALL SELECT * FROM (" + a + ")))";
}

Result<bool> SumsAgree(engine::Connection& connection, const std::string& parts,
                       const Slice& slice) {
  Answer sums = FB_TRY(
      connection.Query("SELECT BillingCurrency, count(*), coalesce(SUM(BilledCost), 0) FROM " +
                       parts + " GROUP BY 1"));
  int64_t rows = 0;
  std::map<std::string, Money> billed;
  for (int64_t row = 0; row < sums.row_count(); ++row) {
    rows += sums.Int64(row, 1);
    billed.emplace(sums.Text(row, 0), Money::FromUnits(sums.Units(row, 2)));
  }
  return rows == slice.rows && billed == slice.billed_by_currency;
}

}  // namespace

Result<std::vector<std::string>> VerifySlice(engine::Connection& connection, const Layout& layout,
                                             const Slice& slice) {
  std::string dir = layout.SliceDir(slice);
  std::vector<std::string> faults = CheckFiles(dir, slice);
  if (!faults.empty()) return faults;  // what follows would only repeat it
  std::string parts = "read_parquet(" + QuoteLiteral(os::JoinPath(dir, "part-*.parquet")) +
                      ", union_by_name = true, hive_partitioning = false)";
  auto stored = [&](const char* file) {
    return "SELECT * FROM read_parquet(" + QuoteLiteral(os::JoinPath(dir, file)) +
           ", hive_partitioning = false)";
  };
  if (!FB_TRY(SumsAgree(connection, parts, slice))) {
    faults.push_back(dir + ": rows or BilledCost of the parts are not what the commit says");
  }
  Answer rollup = FB_TRY(connection.Query(DifferenceOf(stored(kRollupFile), RollupOf(parts))));
  if (rollup.Int64(0, 0) != 0) {
    faults.push_back(os::JoinPath(dir, kRollupFile) + ": it does not follow from the parts");
  }
  std::string signatures =
      "SELECT DISTINCT x_Signature, " + SignatureColumnList() + " FROM " + parts;
  Answer signature = FB_TRY(connection.Query(DifferenceOf(stored(kSignaturesFile), signatures)));
  if (signature.Int64(0, 0) != 0) {
    faults.push_back(os::JoinPath(dir, kSignaturesFile) + ": it does not follow from the parts");
  }
  return faults;
}

}  // namespace flyball::ledger
