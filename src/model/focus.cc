#include "model/focus.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "model/focus_tables.h"

namespace flyball::focus {
namespace {

constexpr std::array kDataSets = {DataSet::kCostAndUsage, DataSet::kContractCommitment,
                                  DataSet::kInvoiceDetail, DataSet::kBillingPeriod};
constexpr std::array<std::string_view, kDataSets.size()> kDataSetNames = {
    "CostAndUsage", "ContractCommitment", "InvoiceDetail", "BillingPeriod"};
constexpr std::array<std::string_view, kVersionCount> kVersionNames = {"1.0", "1.1", "1.2",
                                                                       "1.3", "1.4", "1.5-draft"};

// What a header shows of one data set.
struct Seen {
  DataSet data_set;
  std::set<const Column*> columns;
};

Seen Recognise(DataSet data_set, std::span<const std::string_view> header) {
  Seen seen{data_set, {}};
  for (std::string_view name : header) {
    if (const Column* column = FindColumn(data_set, name)) seen.columns.insert(column);
  }
  return seen;
}

int CountTooNew(const Seen& seen, Version version) {
  return static_cast<int>(std::ranges::count_if(
      seen.columns, [&](const Column* column) { return column->since > version; }));
}

int CountMissingMandatory(const Seen& seen, Version version) {
  return static_cast<int>(std::ranges::count_if(Columns(seen.data_set), [&](const Column& column) {
    return column.In(version) && column.LevelIn(version) == Level::kMandatory &&
           !seen.columns.contains(&column);
  }));
}

bool Exists(DataSet data_set, Version version) {
  return std::ranges::any_of(Columns(data_set),
                             [&](const Column& column) { return column.In(version); });
}

}  // namespace

std::span<const Column> Columns(DataSet data_set) {
  switch (data_set) {
    case DataSet::kCostAndUsage:
      return tables::CostAndUsage();
    case DataSet::kContractCommitment:
      return tables::ContractCommitment();
    case DataSet::kInvoiceDetail:
      return tables::InvoiceDetail();
    case DataSet::kBillingPeriod:
      return tables::BillingPeriod();
  }
  return {};
}

const Column* FindColumn(DataSet data_set, std::string_view name) {
  std::span<const Column> columns = Columns(data_set);
  auto exact = std::ranges::lower_bound(columns, name, {}, &Column::name);
  if (exact != columns.end() && exact->name == name) return &*exact;
  auto near = std::ranges::find_if(
      columns, [&](const Column& column) { return EqualsIgnoreCase(column.name, name); });
  return near == columns.end() ? nullptr : &*near;
}

std::string_view DataSetName(DataSet data_set) {
  return kDataSetNames[static_cast<size_t>(data_set)];
}

std::span<const std::string_view> DataSetNames() { return kDataSetNames; }

std::optional<DataSet> ParseDataSet(std::string_view name) {
  auto found = std::ranges::find(kDataSetNames, name);
  if (found == kDataSetNames.end()) return std::nullopt;
  return kDataSets[static_cast<size_t>(found - kDataSetNames.begin())];
}

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kMandatory:
      return "Mandatory";
    case Level::kRecommended:
      return "Recommended";
    case Level::kConditional:
      return "Conditional";
  }
  return "";
}

std::string_view VersionName(Version version) {
  return kVersionNames[static_cast<size_t>(version)];
}

std::optional<Version> ParseVersion(std::string_view name) {
  auto found = std::ranges::find(kVersionNames, name);
  if (found == kVersionNames.end()) return std::nullopt;
  return static_cast<Version>(found - kVersionNames.begin());
}

std::optional<Detection> Detect(std::span<const std::string_view> header) {
  Seen best{DataSet::kCostAndUsage, {}};
  for (DataSet data_set : kDataSets) {
    Seen seen = Recognise(data_set, header);
    if (seen.columns.size() > best.columns.size()) best = std::move(seen);
  }
  if (best.columns.empty()) return std::nullopt;

  std::optional<Detection> detection;
  int fewest_too_new = 0;
  for (int i = 0; i < kVersionCount; ++i) {
    auto version = static_cast<Version>(i);
    if (!Exists(best.data_set, version)) continue;
    int too_new = CountTooNew(best, version);
    int missing = CountMissingMandatory(best, version);
    if (detection &&
        std::pair(fewest_too_new, detection->missing_mandatory) <= std::pair(too_new, missing)) {
      continue;
    }
    fewest_too_new = too_new;
    detection = Detection{best.data_set, version, static_cast<int>(best.columns.size()), missing};
  }
  return detection;
}

std::string_view LineageName(Lineage lineage) {
  switch (lineage) {
    case Lineage::kObserved:
      return "observed";
    case Lineage::kDerived:
      return "derived";
    case Lineage::kAssumed:
      return "assumed";
    case Lineage::kMissing:
      return "missing";
  }
  return "";
}

}  // namespace flyball::focus
