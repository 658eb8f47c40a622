// docs/FOCUS.md is written from the table, so that the two never differ.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "base/test_page.h"
#include "model/focus.h"

namespace flyball::focus {
namespace {

constexpr std::string_view kIntroduction = R"(# The FOCUS columns

Flyball keeps every cost in the shape of [FOCUS](https://focus.finops.org), the open specification of billing data. This
page lists the columns of versions 1.0 to 1.4 and of the 1.5 draft as the program knows them. A conditional column must be
there when the data generator does what stands in the last column.

This page is generated from the table in `src/model/focus_*.cc`; don't edit it by hand.
)";

constexpr std::string_view kExport = R"(
## Charges written as FOCUS

`flyball export --focus 1.2|1.3|1.4` writes the Cost and Usage columns of that version, in the order above.

| what | how it is written |
|--|--|
| instants | `2026-10-31T23:00:00Z`; in Parquet as timestamps in UTC |
| costs, prices, quantities | all digits, without trailing zeros; in Parquet as DECIMAL(38,12) and DECIMAL(38,15) |
| null | an empty field |
| ProviderName, PublisherName (up to 1.3) | what the bill said; of charges that have no such word, ServiceProviderName and HostProviderName |
| conditional columns | only those that one of the charges has a value in |
| x_ columns (`--x-columns`) | what sources said; not x_Lineage, x_SourceFile, x_SourceLine and x_Signature, which are of this ledger |

No value is made up for the file: it has what the ledger has, and the ledger says of what it filled how ([IMPORT.md](IMPORT.md)). What a source of an
older version never said and nothing tells stays null, and `flyball check` says so: a bill of 1.0 has no SkuMeter and no CommitmentDiscountQuantity.
Where the bills keep the rules of the version, the file does, and imported into an empty ledger it gives the same sums by every
dimension; those that only an `x_` column says need `--x-columns`, those of rules the same `estate.yaml`.
)";

// ServiceSubcategory would fill the page; its values have a section of their own.
constexpr size_t kMostValuesInARow = 20;

std::string_view TypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kMoney:
      return "money";
    case ColumnType::kQuantity:
      return "quantity";
    case ColumnType::kInstant:
      return "time (UTC)";
    case ColumnType::kJson:
      return "JSON";
    default:
      return "text";
  }
}

std::string JoinValues(std::span<const std::string_view> values) {
  std::string text;
  for (std::string_view value : values)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", value);
  return text;
}

std::string Remarks(const Column& column) {
  std::string text;
  auto add = [&text](std::string_view remark) {
    text += fmt::format("{}{}", text.empty() ? "" : "; ", remark);
  };
  if (!column.condition.empty()) add(column.condition);
  if (column.allowed.size() > kMostValuesInARow) {
    add("see below");
  } else if (!column.allowed.empty()) {
    add("values: " + JoinValues(column.allowed));
  }
  if (column.earlier) {
    add(fmt::format("{}{} up to {}", LevelName(column.earlier->level),
                    column.earlier->nullable ? "" : ", not null",
                    VersionName(column.earlier->until)));
  }
  return text;
}

std::string ColumnTable(DataSet data_set) {
  std::string text = fmt::format(
      "\n## {}\n\n| column | type | null | level | versions | remarks |\n|--|--|--|--|--|--|\n",
      DataSetName(data_set));
  for (const Column& column : Columns(data_set)) {
    std::string versions = column.until ? fmt::format("{} to {}", VersionName(column.since),
                                                      VersionName(*column.until))
                                        : fmt::format("from {}", VersionName(column.since));
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", column.name, TypeName(column.type),
                        column.nullable ? "yes" : "no", LevelName(column.level), versions,
                        Remarks(column));
  }
  return text;
}

std::string SubcategoryTable() {
  std::string text =
      "\n## Values of ServiceSubcategory\n\n| ServiceCategory | ServiceSubcategory |\n|--|--|";
  std::string_view category;
  for (const ServiceSubcategory& entry : ServiceSubcategories()) {
    if (entry.category == category) {
      text += fmt::format(", {}", entry.name);
      continue;
    }
    text += fmt::format("{}\n| {} | {}", category.empty() ? "" : " |", entry.category, entry.name);
    category = entry.category;
  }
  return text + " |\n";
}

std::string PropertyTable() {
  std::string text =
      "\n## Properties of SkuPriceDetails\n\n| property | type | unit | since | values "
      "|\n|--|--|--|--|--|\n";
  for (const SkuPriceProperty& property : SkuPriceProperties()) {
    text += fmt::format("| {} | {} | {} | {} | {} |\n", property.key, TypeName(property.type),
                        property.unit, VersionName(property.since), JoinValues(property.allowed));
  }
  return text;
}

std::string Page() {
  std::string page(kIntroduction);
  for (DataSet data_set : {DataSet::kCostAndUsage, DataSet::kContractCommitment,
                           DataSet::kInvoiceDetail, DataSet::kBillingPeriod}) {
    page += ColumnTable(data_set);
  }
  return page + SubcategoryTable() + PropertyTable() + std::string(kExport);
}

TEST(FocusDoc, PageSaysWhatTheTableSays) { ExpectPage("FOCUS.md", Page(), "unit.model"); }

}  // namespace
}  // namespace flyball::focus
