// Bill: one FOCUS CSV being written. A row starts as a copy of a template (what is constant for a
// stream) and gets its own values set by field; columns that the file's FOCUS version does not have
// are skipped.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "os/files.h"

namespace flyball::demo {

// The fields that the generator sets; names in bill.cc.
enum class Field : uint8_t {
  kBilledCost,
  kBillingAccountId,
  kBillingAccountName,
  kBillingCurrency,
  kBillingPeriodEnd,
  kBillingPeriodStart,
  kChargeCategory,
  kChargeClass,
  kChargeDescription,
  kChargeFrequency,
  kChargePeriodEnd,
  kChargePeriodStart,
  kCommitmentDiscountCategory,
  kCommitmentDiscountId,
  kCommitmentDiscountName,
  kCommitmentDiscountQuantity,
  kCommitmentDiscountStatus,
  kCommitmentDiscountType,
  kCommitmentDiscountUnit,
  kConsumedQuantity,
  kConsumedUnit,
  kContractedCost,
  kContractedUnitPrice,
  kEffectiveCost,
  kHostProviderName,
  kInvoiceId,
  kInvoiceIssuerName,
  kListCost,
  kListUnitPrice,
  kPricingCategory,
  kPricingQuantity,
  kPricingUnit,
  kProviderName,
  kPublisherName,
  kRegionId,
  kRegionName,
  kResourceId,
  kResourceName,
  kResourceType,
  kServiceCategory,
  kServiceName,
  kServiceProviderName,
  kServiceSubcategory,
  kSkuId,
  kSkuMeter,
  kSkuPriceDetails,
  kSkuPriceId,
  kSubAccountId,
  kSubAccountName,
  kTags,
  kEnergyWh,
  kGpuSeconds,
  kMsu,
  kConfidence,
  kCount,
};

// Which column of a file a field is in; -1 when the file's version does not have it.
class Layout {
 public:
  explicit Layout(std::string_view focus_version);
  const std::vector<std::string>& header() const { return header_; }
  int column(Field field) const { return columns_[static_cast<size_t>(field)]; }

 private:
  std::vector<std::string> header_;
  std::array<int, static_cast<size_t>(Field::kCount)> columns_{};
};

// Cells in the order of a layout, already quoted where CSV wants it.
class Row {
 public:
  explicit Row(const Layout& layout) : layout_(&layout), cells_(layout.header().size()) {}
  void Set(Field field, std::string_view text);
  void SetMoney(Field field, int128 units) { Set(field, FormatDecimal(units, 12)); }
  void SetTime(Field field, Instant instant) { Set(field, FormatInstant(instant)); }
  void AppendTo(std::string* out) const;

 private:
  const Layout* layout_;
  std::vector<std::string> cells_;
};

// Buffers rows and appends them to a file that is created new.
class BillWriter {
 public:
  static Result<BillWriter> Create(os::Files& files, const std::string& path, const Layout& layout);
  Status Write(const Row& row);
  Status Close();
  int64_t rows() const { return rows_; }

 private:
  std::unique_ptr<os::WritableFile> file_;
  std::string buffer_;
  int64_t rows_ = 0;
};

}  // namespace flyball::demo
