// Fuzzes the text of an estate, and a stored snapshot. A user error is fine; a crash, or an estate
// that is read in two ways, is a bug.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "estate/estate.h"
#include "estate/snapshot.h"
#include "model/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flyball::estate;
  std::string_view text(reinterpret_cast<const char*>(data), size);

  if (auto parts = ReadSnapshot(text)) FB_ASSERT(WriteSnapshot(*parts) == text);
  (void)RuleSet::Compile(text);

  std::string snapshot = WriteSnapshot({{false, "estate.yaml", text}});
  auto rules = RuleSet::Compile(snapshot);
  if (!rules) {
    FB_ASSERT(!rules.error().message.empty());
    return 0;
  }
  // A row whose every column holds the start of the input.
  flyball::signature::Values values(flyball::signature::Columns().size(), text.substr(0, 200));
  auto assigned = (*rules)->Assign(values);
  auto why = (*rules)->Explain(values);
  for (size_t d = 0; d < why.size(); ++d) FB_ASSERT(assigned[d].has_value() == !why[d].empty());
  return 0;
}
