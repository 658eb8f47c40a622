// Service: FOCUS's category of a vendor's service, by words in its name. Vendors' own formats have
// no such column, and FOCUS wants one in every row.
#pragma once

#include <string_view>

namespace flyball::native {

// "Other" when no word of the table stands in the name. Both texts live for ever.
struct ServiceKind {
  std::string_view category;
  std::string_view subcategory;  // empty: not told
};
ServiceKind KindOfService(std::string_view name);

}  // namespace flyball::native
