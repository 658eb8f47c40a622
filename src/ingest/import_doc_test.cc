// docs/IMPORT.md is written from the table of defects, so that the two never differ.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "base/test_page.h"
#include "ingest/adapter.h"
#include "ingest/defects.h"

namespace flyball::ingest {
namespace {

constexpr char kIntroduction[] =
    R"(# Importing a bill

`flyball import FILE...` reads FOCUS Cost and Usage data of the versions 1.0 to 1.4 and of the 1.5 draft, as CSV (also packed by
gzip or zstd), JSON lines or Parquet. What a file is, is seen in its content, not in its name. The ledger keeps FOCUS 1.4 with
the AI columns of the 1.5 draft (docs/FOCUS.md); this page is written from the tables of `src/ingest/` by their test.

Two readings of every file are held against each other. The first counts rows and sums BilledCost exactly over the raw text,
per currency; the second fills the ledger. Unless *rows in = rows kept + rows quarantined* and *BilledCost in = kept +
quarantined + residue*, to the last digit, nothing is imported. The residue is what a cost states beyond twelve decimals.

A BilledCost that is no number that can be summed adds nothing to either sum, and its row goes to the quarantine: one that is
missing, cannot be read, is longer than 4096 characters, or has digits other than zero further than 4096 places before or behind
the point (1E-200000). Both readings count such rows, and the counts must agree as well. What is too large for the ledger's 38
digits but can be summed is part of *in* and of *quarantined*.

One import is one commit, whatever the number of files. Each billing month of a source becomes one slice; importing a newer
file of the same source replaces the months that it has. The same file again changes nothing.

## From older versions to 1.4

| column | filled from | lineage |
|--|--|--|
| ServiceProviderName | ProviderName | derived |
| HostProviderName | ServiceProviderName | assumed |
| InvoiceIssuerName | ServiceProviderName | assumed |
| BillingPeriodStart | the month of ChargePeriodStart | derived |
| BillingPeriodEnd | one month after the month of BillingPeriodStart begins | assumed |
| ListCost | ListUnitPrice x PricingQuantity; else ContractedCost, else BilledCost | derived; assumed |
| ContractedCost | ContractedUnitPrice x PricingQuantity; else ListCost | derived; assumed |
| EffectiveCost | 0 for the purchase of a commitment discount, else BilledCost | assumed |
| BillingCurrency | what `--currency` says; without it the row goes to the quarantine | assumed |
| ServiceSubcategory | ServiceName, by the words that categories of services are known by, where they say the row's ServiceCategory; else `Other (<ServiceCategory>)` | derived; assumed |

ProviderName and PublisherName stay readable as x_ProviderName and x_PublisherName. Columns that FOCUS does not know are kept as
text under the x_ prefix. `x_Lineage` says for each row what was not simply observed, of these columns: )";

template <typename Kind>
std::string Table(const char* title, size_t first, size_t count, const char* counted) {
  std::string text = fmt::format("\n## {}\n\n| kind | meaning | counted in |\n|--|--|--|\n", title);
  for (size_t i = first; i < count; ++i) {
    const DefectInfo& info = Info(static_cast<Kind>(i));
    text += fmt::format("| `{}` | {} | {} |\n", info.name, info.meaning,
                        info.per_file ? "columns or lines" : counted);
  }
  return text;
}

std::string Page() {
  std::string page = kIntroduction;
  for (size_t i = 0; i < kFilledCount; ++i) {
    page += fmt::format("{}{}", i == 0 ? "" : ", ", kFilledColumns[i]);
  }
  page += ".\n";
  page += Table<Repair>("Repairs", 0, kRepairCount, "rows kept");
  page += Table<Finding>("Findings: rows kept as they are that contradict themselves", 0,
                         kFindingCount, "rows kept");
  page += Table<Fault>("Reasons for the quarantine", 1, static_cast<size_t>(Fault::kCount), "rows");
  return page;
}

TEST(ImportDoc, PageSaysWhatTheTablesSay) { ExpectPage("IMPORT.md", Page(), "unit.ingest"); }

}  // namespace
}  // namespace flyball::ingest
