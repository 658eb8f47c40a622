// Vendors' usage and cost APIs as sources: what is asked of them, and how their answers are read.
// Pure.
//
//   openai      GET /v1/organization/costs, /v1/organization/usage/{completions,embeddings}
//   anthropic   GET /v1/organizations/cost_report, /v1/organizations/usage_report/messages
//   openrouter  GET /api/v1/activity, of one of the last 30 completed days
//
// All of them state charges by UTC day, which is what is kept of an answer: the text of each day as
// the vendor wrote it, its rows in an order that does not depend on the vendor's, so that equal
// days are equal texts. Import reads days that are put together again (BillOf) as it reads a page.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "estate/estate.h"
#include "net/web.h"

namespace flyball::sources {

// What the vendor says of days; "": nothing was charged.
using DayTexts = std::map<Instant, std::string>;

struct ApiAnswer {
  DayTexts days;     // of those that it names
  std::string next;  // what the next page is asked with; empty: this was the last
};

struct VendorApi {
  std::string name;    // for people: "api.openai.com/v1/organization/costs"
  std::string format;  // as `flyball import` names it
  std::string vendor;  // as import names it: "OpenAI"
  std::string report;  // vendor and report, a plain name: "openai-costs"
  std::string key_sha256;
  std::string key_hint;  // which key it takes, and where to get one
  // The day that runs is stated too, as far as it goes.
  bool states_running_day = true;
  int64_t history_days = 0;  // how far back it goes; 0: to the beginning
  int days_a_page = 1;
  // A page of the days of a period, whose ends are midnights; the first page with "". Of so many
  // days a page, at most the API's; another number than that of the page before is another list.
  std::function<net::WebRequest(Period days, const std::string& next, int days_a_page)> ask;
  // INVALID_ARGUMENT when it is no such page: not the JSON of its documentation, a day twice or
  // other days than those asked for, or a page that goes on without saying where.
  std::function<Result<ApiAnswer>(Period days, const std::string& next, std::string_view body)>
      read;
};

// Days that are asked for in one page, where the vendor counts pages by days: both vendors'
// default, and far below their most, so that the pages of large organisations stay small.
inline constexpr int kDaysAPage = 7;

// The variable that holds the key, where the estate names none.
std::string DefaultKeyVariable(estate::SourceKind kind);
// Of a source that is_api(). The key stands in the requests' headers alone.
VendorApi MakeVendorApi(const estate::Source& source, const std::string& key);
// Days put together as one document; "" when nothing was charged on any.
std::string BillOf(const DayTexts& days);

}  // namespace flyball::sources
