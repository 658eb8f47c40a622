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

void AppendLength(uint32_t length, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>((length >> shift) & 0xff));
  }
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
  buffer.clear();
  for (const std::optional<std::string_view>& value : values) {
    AppendLength(value ? static_cast<uint32_t>(value->size()) + 1 : 0, &buffer);
    if (value) buffer.append(*value);
  }
  return Hash64(buffer);
}

}  // namespace flyball::signature
