// Any bytes as a batch of the guard's records: what is read is written again and read as the same;
// what is none is an error.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "guard/records.h"

using namespace flyball::guard;

namespace {

bool Read(std::string_view batch, std::vector<Record>* out) {
  return ForEachRecord(batch, [out](Record&& record) { out->push_back(std::move(record)); })
      .has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<Record> found;
  (void)Read({reinterpret_cast<const char*>(data), size}, &found);
  if (found.empty()) return 0;
  std::string batch;
  for (const Record& record : found) {
    std::visit([&batch](const auto& one) { Write(one, &batch); }, record);
  }
  std::vector<Record> again;
  FB_ASSERT(Read(batch, &again));
  FB_ASSERT(again == found);
  return 0;
}
