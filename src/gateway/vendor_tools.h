// VendorTools: what the tools of a call add to its cost: how often the vendor may run its own, and
// for which fee.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "gateway/call_facts.h"
#include "gateway/dialect.h"

namespace simdjson::dom {
class element;
class object;
}  // namespace simdjson::dom

namespace flyball::gateway {

class VendorTools {
 public:
  VendorTools(Dialect dialect, CallFacts* facts) : dialect_(dialect), facts_(*facts) {}

  // A list of tools; INVALID_ARGUMENT names what is wrong with it.
  Status Read(const simdjson::dom::element& value);
  // Once all are read. A limit counts only at a vendor that knows it: others pay no heed to what
  // they don't know.
  void Conclude(std::optional<int64_t> max_tool_calls);

 private:
  Status ReadOne(const simdjson::dom::object& tool);

  Dialect dialect_;
  CallFacts& facts_;
  bool all_limited_ = true;
  int64_t uses_ = 0;  // that they state, of all together
};

}  // namespace flyball::gateway
