// docs/NATIVE.md is written from the formats, so that the two never differ.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/test_page.h"
#include "ingest/native/native.h"

namespace flyball::native {
namespace {

constexpr char kIntroduction[] =
    R"(# Bills in vendors' own formats

`flyball import FILE...` reads these formats beside FOCUS. A format is recognised by its columns; `--format NAME` says it outright,
and is refused when its columns are not there. The bill becomes FOCUS in staging and from there goes the way of every bill
(docs/IMPORT.md): the same repairs, the same quarantine, the same two sums. This page is written from the tables of
`src/ingest/native/` by their test.

- **Sums.** For every record, BilledCost of the charges that it becomes is what the vendor states, to the last digit; otherwise
  the record is quarantined whole. (Azure's amortised file states EffectiveCost; there the same holds of that.)
- **Lineage.** `x_SourceLine` is the line or record of the vendor's own file. *copied* columns are the vendor's as they are,
  *derived* ones follow from several of its columns, *assumed* ones are constants. What became no FOCUS column is kept as text
  under `x_` and the vendor's name of it.
- **JSON documents.** A page of a vendor's API (`{"data": [...]}`, with buckets and their `results`), or a JSON array, is read as
  it is, up to 256 MiB; several pages may follow each other in one file. A last page that says `has_more` is refused.
  `flyball sync` asks OpenAI, Anthropic and OpenRouter for theirs by itself (docs/SYNC.md).
- **Estimates.** Reports of usage without costs are rated at the price book's prices (`flyball prices`), charge by meter, and
  marked `x_Confidence=estimate`. A bucket of time holds many calls, so prices are those of the band of sizes that the vendor names
  (`context_window`), else of the lowest. Usage without a known price is quarantined with the reason, never free.
- **Proof.** The mappings are made from the vendors' public documentation, which each section names, and tested on fixtures made
  from it. No vendor publishes a whole bill: **all of them are unproven on real bills.**

Azure states the same month twice, as actual and as amortised costs. Import both files in one command: the purchase of a
commitment then comes from the actual file, its use and what lay unused from the amortised one, everything else once, and only when
both state the same of it, by billing period and currency. Which of the two a file is, is told by a commitment's charge in it, else by
`actual` or `amortised` in its path; what stays open beside an amortised file is refused. One of them alone works as well; the actual file then
shows no effective cost for the use of commitments, the amortised one no purchase. Prices are for a block of units (`10K`, `100 Hours`) and in
the pricing currency: PricingQuantity counts blocks, and list costs are told where the currencies agree or Azure converted them itself.

AWS's split cost lines (containers) keep their cost in `x_split_line_item_split_cost` and bill nothing of their own: their
instance is billed already. Net costs after negotiated discounts stay in `x_line_item_net_unblended_cost` beside the discount lines.

Snowflake's amounts that are drawn from capacity, free usage or rollover are paid already: its invoice is not their sum. On Google Cloud the
purchase of a commitment is told by the word in its SKU.

Databricks' `system.billing.usage` states no cost; join `system.billing.list_prices` and call the price `list_price`, as the query
at the head of `src/ingest/native/databricks.cc` does. Vercel serves FOCUS itself, as JSON lines, and needs no format.

## A format of your own

What nobody ships is mapped in `estate.yaml` and named with `--format` or as a source's `format`:

```yaml
mappings:
  - name: acme                      # flyball import bill.csv --format acme
    dates: day-first                # 31.12.2026 or 31/12/2026; month-first: 12.31.2026; iso (default): 2026-12-31, 12/31/2026
    columns:                        # of FOCUS or our own (x_Team, x_Model, ...), from the bill's columns
      BilledCost: Amount
      BillingCurrency: { value: EUR }          # the same for every charge
      ChargePeriodStart: [Start, Date]         # the first that says something
      ServiceName: Product
      x_Team: Cost centre
    tags: { env: Environment }      # key: column
```

BilledCost, BillingCurrency and ChargePeriodStart are needed. Without more a charge period is a day and its billing period the month. All
else holds as for shipped formats: the sums, the quarantine, and what was not mapped is kept under `x_`. CSV, JSON lines and Parquet are read.
)";

std::string List(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::string_view name : names) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", name);
  return text;
}

std::string Page() {
  std::string page = kIntroduction;
  for (const Format& format : Formats()) {
    page += fmt::format("\n## `{}`: {}\n\n<{}>\n\nRecognised by {}.\n\n| FOCUS | from |\n|--|--|\n",
                        format.name, format.title, format.page, List(format.needs));
    for (const Rule& rule : format.rules) {
      if (LineageOf(format, rule.column) == focus::Lineage::kDerived) continue;
      if (rule.constant) {
        page += fmt::format("| {} | assumed: {} |\n", rule.column, rule.from[0]);
        continue;
      }
      std::string from;
      for (std::string_view name : rule.from) {
        if (!name.empty()) from += fmt::format("{}`{}`", from.empty() ? "" : ", else ", name);
      }
      page += fmt::format("| {} | {} |\n", rule.column, from);
    }
    page += "\nDerived: ";
    for (size_t i = 0; i < format.derived.size(); ++i) {
      page += fmt::format("{}{}", i == 0 ? "" : ", ", format.derived[i]);
    }
    page += ".\n";
  }
  return page;
}

TEST(NativeDoc, PageSaysWhatTheTablesSay) { ExpectPage("NATIVE.md", Page(), "unit.ingest_native"); }

}  // namespace
}  // namespace flyball::native
