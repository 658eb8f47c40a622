// Fuzzes what a stranger can send as a query: the filter language and the JSON document. A user
// error is fine; a crash, or a query that does not survive its own canonical text, is a bug.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ledger/cost_query.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flyball::ledger;
  std::string_view text(reinterpret_cast<const char*>(data), size);

  if (auto filters = ParseWhere(text)) {
    auto again = ParseWhere(FormatWhere(*filters));
    FB_ASSERT(again.has_value() && *again == *filters);
  }
  if (auto query = ParseQueryJson(text)) {
    std::string canonical = CanonicalJson(*query);
    auto again = ParseQueryJson(canonical);
    FB_ASSERT(again.has_value());
    FB_ASSERT(CanonicalJson(*again) == canonical);
    FB_ASSERT(QueryHash(*again) == QueryHash(*query));
  }
  return 0;
}
