#include "model/signature.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/hash.h"
#include "model/charge.h"

namespace flyball::signature {
namespace {

// They identify one row or one document, or say how a row was read; rules can't sensibly speak of
// them, and each would make nearly every row a signature of its own.
constexpr std::string_view kLeftOut[] = {
    "AllocatedMethodDetails",
    "BillingCurrency",
    "CommitmentProgramEligibilityDetails",
    "ContractApplied",
    "CredentialDetails",
    "InvoiceDetailId",
    "InvoiceId",
    "x_Lineage",
    "x_RequestId",
    "x_SourceFile",
};

struct ColumnSet {
  std::vector<std::string_view> names;
  std::vector<int> charge_indexes;
  std::unordered_map<std::string_view, int> positions;
};

const ColumnSet& TheColumns() {
  static const ColumnSet set = [] {
    ColumnSet made;
    std::span<const ColumnSpec> columns = charge::Columns();
    for (int i = 0; i < charge::kColumnCount; ++i) {
      const ColumnSpec& column = columns[static_cast<size_t>(i)];
      bool text = column.type == ColumnType::kText || column.type == ColumnType::kJson;
      if (!text || std::ranges::find(kLeftOut, column.name) != std::end(kLeftOut)) continue;
      made.positions.emplace(column.name, static_cast<int>(made.names.size()));
      made.names.push_back(column.name);
      made.charge_indexes.push_back(i);
    }
    return made;
  }();
  return set;
}

// Little-endian, whatever the machine: ids are stored.
char* PutLength(uint32_t length, char* at) {
  for (int shift = 0; shift < 32; shift += 8) *at++ = static_cast<char>((length >> shift) & 0xff);
  return at;
}

}  // namespace

std::span<const std::string_view> Columns() { return TheColumns().names; }
std::span<const int> ChargeIndexes() { return TheColumns().charge_indexes; }

int IndexOf(std::string_view column) {
  const auto& positions = TheColumns().positions;
  auto found = positions.find(column);
  return found == positions.end() ? -1 : found->second;
}

uint64_t IdOf(const Values& values) {
  thread_local std::string buffer;  // asked for every row of an import: one allocation a thread
  size_t size = 0;
  for (const auto& value : values) size += sizeof(uint32_t) + (value ? value->size() : 0);
  buffer.resize(size);
  char* at = buffer.data();
  for (const auto& value : values) {
    at = PutLength(value ? static_cast<uint32_t>(value->size()) + 1 : 0, at);
    if (value) at = std::ranges::copy(*value, at).out;
  }
  return Hash64(buffer);
}

}  // namespace flyball::signature
