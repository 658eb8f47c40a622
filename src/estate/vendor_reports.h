// VendorReports: what the APIs of vendors can be asked for that import reads. An estate names one
// of them as a source's `report`, and `flyball sync` asks for it. Another report is a row of the
// table.
#pragma once

#include <string_view>
#include <vector>

#include "estate/estate.h"

namespace flyball::estate {

struct VendorReport {
  SourceKind vendor;
  std::string_view name;                 // as an estate names it
  std::string_view path;                 // behind the vendor's address
  std::string_view format;               // as `flyball import` names it
  std::vector<std::string_view> groups;  // what it is asked by: all that import has a column for
};

// The names of a vendor's reports; the first is the bill. Empty for what is no vendor's API.
std::vector<std::string_view> ReportNames(SourceKind vendor);
// Of a source that is_api(), as the estate's reader lets pass: with the name of one, or "", which
// is the first.
const VendorReport& ReportOf(const Source& source);

}  // namespace flyball::estate
