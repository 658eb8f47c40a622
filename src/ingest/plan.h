// Plan: which field of a file goes into which column of the ledger.
//
// FOCUS 1.0 to 1.3 become 1.4 here: ServiceProviderName is derived from ProviderName and
// HostProviderName assumed from it; ProviderName and PublisherName, which 1.4 dropped, stay
// readable as x_ProviderName and x_PublisherName. Columns that FOCUS does not know are kept as text
// under the x_ prefix.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/column.h"
#include "base/result.h"
#include "ingest/defects.h"
#include "ingest/native/native.h"
#include "model/focus.h"

namespace flyball::ingest {

// How many names of a header FOCUS's Cost and Usage knows, whatever their case.
int CountKnownColumns(const std::vector<std::string>& names);
// All of them: for a header that we wrote ourselves.
int CountAllColumns(const std::vector<std::string>& names);

// The columns of all slices of one import: those of charge::Columns(), then the x_ columns of the
// input.
class Schema {
 public:
  Schema();
  const std::vector<ColumnSpec>& columns() const { return columns_; }
  size_t size() const { return columns_.size(); }
  // Index of an x_ column of the input, made when absent. Names are compared without regard to
  // case, as DuckDB does.
  int AddExtra(const std::string& name);
  int Find(const std::string& name) const;

 private:
  std::vector<ColumnSpec> columns_;
  std::vector<std::string> lower_names_;
};

struct FilePlan {
  std::vector<std::string> header;
  focus::Detection detection{};
  std::vector<int> column_of;  // per field of the input: its column in the schema
  int provider_field = -1;     // ProviderName, where ServiceProviderName can be filled from it
  std::array<int64_t, kRepairCount> repairs{};  // those of the header
  const native::Format* native = nullptr;       // the vendor's format that it was translated from
  std::string currency;                         // of rows that name none; empty: unknown
  int line_field = -1;             // which says where in the vendor's file a charge was stated
  std::string FormatName() const;  // "1.2", or "aws-cur"
  // How a column came about that the file has a text for.
  focus::Lineage LineageOf(std::string_view column) const;

  // Per column of the schema: the field of the input, or -1. Call when the schema is whole.
  std::vector<int> FieldOf(const Schema& schema) const;
};

// INVALID_ARGUMENT when the header is no Cost and Usage data, names a column twice, has too many
// columns or lacks BilledCost. `file` names it in errors.
Result<FilePlan> MakePlan(const std::vector<std::string>& header, const std::string& file,
                          Schema* schema, const native::Format* native = nullptr);

}  // namespace flyball::ingest
