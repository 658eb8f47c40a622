#include "ledger/duckdb/verify.h"

#include <filesystem>

#include "ledger/duckdb/schema.h"
#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

using engine::Answer;
using engine::QuoteLiteral;

// Files are compared byte for byte with what the commit says of them.
std::vector<std::string> CheckFiles(const std::string& dir, const std::vector<SliceFile>& files) {
  std::vector<std::string> faults;
  for (const SliceFile& file : files) {
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
    if (std::ranges::none_of(files, named)) {
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

}  // namespace

Result<std::vector<std::string>> VerifyFolder(engine::Connection& connection, const Layout& layout,
                                              const Folder& folder) {
  std::string dir = layout.FolderDir(folder);
  std::vector<std::string> faults = CheckFiles(dir, folder.files());
  if (!faults.empty()) return faults;  // what follows would only repeat it
  std::string parts = "read_parquet(" + QuoteLiteral(os::JoinPath(dir, "part-*.parquet")) +
                      ", union_by_name = true, hive_partitioning = false)";
  auto stored = [&](const char* file) {
    return "SELECT * FROM read_parquet(" + QuoteLiteral(os::JoinPath(dir, file)) +
           ", hive_partitioning = false)";
  };
  TotalsByMonth months = FB_TRY(SumMonths(connection, parts, kBillingMonth, "COUNT(*)"));
  if (months != MonthsOf(folder.wanted)) {
    faults.push_back(dir + ": rows or BilledCost of the parts are not what the commit says");
  }
  std::string derived = folder.pack != nullptr ? PackRollupOf(parts) : RollupOf(parts);
  Answer rollup = FB_TRY(connection.Query(DifferenceOf(stored(kRollupFile), derived)));
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
