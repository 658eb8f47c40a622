// Export: the charges behind a cost query as one file in the shape of a FOCUS version, written by
// the store row by row.
//
// The columns are those of the version's Cost and Usage, in its order. A conditional column that no
// exported charge has a value in is left out: it says that the provider supports what it is for.
// ProviderName and PublisherName, which 1.4 no longer has, are what the bill said, else the service
// provider and the host.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/cost_query.h"
#include "model/focus.h"

namespace flyball::ledger {

inline constexpr char kExportFile[] = "export";  // the name of the file in its staging folder

enum class ExportFormat : uint8_t { kCsv, kParquet };
Result<ExportFormat> ParseExportFormat(std::string_view name);  // "csv", "parquet"
// The versions that charges are written in: 1.2, 1.3, 1.4.
Result<focus::Version> ParseExportVersion(std::string_view name);

struct ExportRequest {
  CostQuery query;  // from, to, where and as_of
  focus::Version version = focus::Version::k1_4;
  ExportFormat format = ExportFormat::kCsv;
  bool x_columns = false;  // the x_ columns too, but not how this ledger read the charge
  std::string path;        // of the file, in a staging folder of the home; it must not be there
};
struct Exported {
  int64_t rows = 0;
  std::vector<std::string> columns;
  std::string commit;
};

// One column of the file, and what it is over the columns of parts.
struct ExportColumn {
  std::string name;
  std::string value;      // how it is stored, for the question whether there is any
  std::string written;    // as the format wants it
  bool optional = false;  // left out where no charge has it
};
// All that may stand in the file. `present`: the columns that the parts have.
std::vector<ExportColumn> ExportColumns(const ExportRequest& request,
                                        const std::set<std::string>& present);
// Of COPY ... TO '...' (<this>).
std::string ExportOptions(ExportFormat format);

}  // namespace flyball::ledger
