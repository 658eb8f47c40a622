// Defects: what real bills do wrong, one table. A repair mends a row that is kept; a finding is a
// contradiction inside a row that is kept as it is; a fault sends the row to the quarantine. The
// names are part of the JSON contract.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace flyball::ingest {

// Counted in rows that needed it, but for those marked "file" (columns or lines of a file).
enum class Repair : uint8_t {
  kNullText,
  kEmptyStringNull,
  kDateFormat,
  kUsDate,
  kAllowedValueCase,
  kBlankSpace,
  kPlusSign,
  kThousandsSeparator,
  kCurrencySymbol,
  kAccountingNegative,
  kCurrencyCase,
  kCostRounded,
  kQuantityRounded,
  kInvalidUtf8,
  kMissingContractedCost,
  kMissingEffectiveCost,
  kMissingListCost,
  kMissingBillingPeriodStart,
  kMissingBillingPeriodEnd,
  kTagsNormalised,
  kTagsUnparsed,
  kTrailingDelimiter,
  kColumnNameCase,
  kColumnWithoutXPrefix,
  kReservedColumn,
  kEmptyLine,
  kCount,
};

enum class Finding : uint8_t {
  kListCostProductMismatch,
  kContractedCostProductMismatch,
  kEffectiveCostAboveListCost,
  kContractedCostZeroWithListCost,
  kUnknownAllowedValue,
  kCount,
};

enum class Fault : uint8_t {
  kNone,
  kRaggedRow,
  kUnclosedQuote,
  kNotJson,
  kNoBilledCost,
  kBadNumber,
  kOutOfRange,
  kTooFine,
  kNoCurrency,
  kBadCurrency,
  kNoChargePeriod,
  kBadDate,
  kCount,
};

struct DefectInfo {
  std::string_view name;     // as in reports
  std::string_view meaning;  // one sentence for the documentation
  bool per_file = false;     // counts columns or lines of the file, not rows
};
const DefectInfo& Info(Repair repair);
const DefectInfo& Info(Finding finding);
const DefectInfo& Info(Fault fault);

inline constexpr size_t kRepairCount = static_cast<size_t>(Repair::kCount);
inline constexpr size_t kFindingCount = static_cast<size_t>(Finding::kCount);

// What one row showed; a bit per kind.
struct RowDefects {
  uint64_t repairs = 0;
  uint64_t findings = 0;
  void Add(Repair repair) { repairs |= uint64_t{1} << static_cast<unsigned>(repair); }
  void Add(Finding finding) { findings |= uint64_t{1} << static_cast<unsigned>(finding); }
};
struct DefectCounts {
  std::array<int64_t, kRepairCount> repairs{};
  std::array<int64_t, kFindingCount> findings{};
  void Count(const RowDefects& row) {
    for (uint64_t left = row.repairs; left != 0; left &= left - 1) {
      ++repairs[static_cast<size_t>(__builtin_ctzll(left))];
    }
    for (uint64_t left = row.findings; left != 0; left &= left - 1) {
      ++findings[static_cast<size_t>(__builtin_ctzll(left))];
    }
  }
  void Add(Repair repair, int64_t count) { repairs[static_cast<size_t>(repair)] += count; }
  void Merge(const DefectCounts& other) {
    for (size_t i = 0; i < kRepairCount; ++i) repairs[i] += other.repairs[i];
    for (size_t i = 0; i < kFindingCount; ++i) findings[i] += other.findings[i];
  }
};

}  // namespace flyball::ingest
