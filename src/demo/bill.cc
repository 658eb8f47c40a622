#include "demo/bill.h"

#include <algorithm>

#include "base/assert.h"
#include "model/focus.h"

namespace flyball::demo {
namespace {

constexpr size_t kBufferBytes = 4u << 20;

constexpr std::array<std::string_view, static_cast<size_t>(Field::kCount)> kNames = {
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_EnergyWh",
    "x_GpuSeconds",
    "x_Msu",
    "x_Confidence",
};

}  // namespace

Layout::Layout(std::string_view focus_version) {
  const auto version = focus::ParseVersion(focus_version);
  FB_ASSERT(version.has_value());
  for (const focus::Column& column : focus::Columns(focus::DataSet::kCostAndUsage)) {
    if (!column.In(*version)) continue;
    // A conditional column is there only where the provider supports what it is for.
    const bool set = std::find(kNames.begin(), kNames.end(), column.name) != kNames.end();
    const bool conditional = column.LevelIn(*version) == focus::Level::kConditional;
    if (set || !conditional) header_.emplace_back(column.name);
  }
  std::sort(header_.begin(), header_.end());
  for (std::string_view name : kNames) {
    if (name.starts_with("x_")) header_.emplace_back(name);
  }
  for (size_t i = 0; i < kNames.size(); ++i) {
    const auto found = std::find(header_.begin(), header_.end(), kNames[i]);
    columns_[i] = found == header_.end() ? -1 : static_cast<int>(found - header_.begin());
  }
}

void Row::Set(Field field, std::string_view text) {
  const int column = layout_->column(field);
  if (column < 0) return;
  std::string& cell = cells_[static_cast<size_t>(column)];
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) {
    cell.assign(text);
    return;
  }
  cell.assign(1, '"');
  for (char c : text) {
    if (c == '"') cell.push_back('"');
    cell.push_back(c);
  }
  cell.push_back('"');
}

void Row::AppendTo(std::string* out) const {
  for (size_t i = 0; i < cells_.size(); ++i) {
    if (i > 0) out->push_back(',');
    out->append(cells_[i]);
  }
  out->push_back('\n');
}

Result<BillWriter> BillWriter::Create(os::Files& files, const std::string& path,
                                      const Layout& layout) {
  FB_CHECK(files.Remove(path));
  BillWriter writer;
  writer.file_ = FB_TRY(files.OpenAppend(path));
  for (size_t i = 0; i < layout.header().size(); ++i) {
    if (i > 0) writer.buffer_.push_back(',');
    writer.buffer_.append(layout.header()[i]);
  }
  writer.buffer_.push_back('\n');
  return writer;
}

Status BillWriter::Write(const Row& row) {
  row.AppendTo(&buffer_);
  ++rows_;
  if (buffer_.size() < kBufferBytes) return {};
  FB_CHECK(file_->Append(buffer_));
  buffer_.clear();
  return {};
}

Status BillWriter::Close() {
  FB_CHECK(file_->Append(buffer_));
  buffer_.clear();
  return file_->Sync();
}

}  // namespace flyball::demo
