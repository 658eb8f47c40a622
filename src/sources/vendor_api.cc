#include "sources/vendor_api.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/assert.h"
#include "base/hash.h"
#include "estate/vendor_reports.h"
#include "ingest/native/json_text.h"
#include "net/url.h"

namespace flyball::sources {
namespace {

using estate::SourceKind;
using estate::VendorReport;

constexpr int64_t kSecondsMax = 253'402'300'800;  // the year 10000
constexpr size_t kCursorMaxBytes = 4096;

std::unexpected<Error> Wrong(std::string message) {
  return Fail(Code::kInvalidArgument, std::move(message));
}

// The member of an object; nothing when it is not there. Said twice, it is as good as wrong.
std::optional<std::string_view> MemberOf(const std::vector<native::JsonMember>& members,
                                         std::string_view key) {
  std::optional<std::string_view> value;
  for (const native::JsonMember& member : members) {
    if (member.key != key) continue;
    if (value) return std::nullopt;
    value = member.value;
  }
  return value;
}

// The members of an answer, which is valid JSON all over, and the elements of its `data`.
struct Document {
  std::vector<native::JsonMember> members;
  std::vector<std::string_view> data;
};
Result<Document> ReadDocument(std::string_view body) {
  Document document;
  if (!nlohmann::json::accept(body) || !native::CutObject(body, &document.members)) {
    return Wrong("the answer is no JSON object");
  }
  const auto data = MemberOf(document.members, "data");
  if (!data || !native::CutArray(*data, &document.data)) {
    return Wrong("the answer has no list `data`");
  }
  return document;
}

// Where the vendor counts pages by days: `has_more` and `next_page`.
Result<std::string> ReadNext(const Document& document, const std::string& asked) {
  const auto more = MemberOf(document.members, "has_more");
  if (more == "false") return std::string();
  if (more != "true") return Wrong("the answer does not say whether it `has_more`");
  const auto next = MemberOf(document.members, "next_page");
  std::string cursor = next && next->starts_with('"') ? native::JsonTextOf(*next) : "";
  if (cursor.empty() || cursor.size() > kCursorMaxBytes) {
    return Wrong("the answer has more, but no `next_page`");
  }
  if (cursor == asked) return Wrong("the answer does not go on: its `next_page` is its own");
  return cursor;
}

std::optional<Instant> SecondsOf(std::string_view text) {
  int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  if (seconds < 0 || seconds > kSecondsMax) return std::nullopt;
  return Instant{seconds * kMicrosPerSecond};
}

std::optional<Instant> InstantOf(std::string_view value) {
  ParsedInstant parsed;
  if (!value.starts_with('"') || !ParseInstant(native::JsonTextOf(value), &parsed)) {
    return std::nullopt;
  }
  return parsed.instant;
}

// Names of a bucket's ends, and how they are written.
struct BucketForm {
  std::string_view start, end;
  std::optional<Instant> (*time)(std::string_view value);
};
constexpr BucketForm kOpenAiBucket = {"start_time", "end_time", SecondsOf};
constexpr BucketForm kAnthropicBucket = {"starting_at", "ending_at", InstantOf};

std::string Sorted(std::vector<std::string_view> rows) {
  std::ranges::sort(rows);
  return fmt::format("{}", fmt::join(rows, ",\n"));
}

// A bucket as it came, its results sorted; "" when it has none.
Result<std::string> BucketText(const std::vector<native::JsonMember>& members) {
  std::vector<std::string_view> results;
  const auto value = MemberOf(members, "results");
  if (!value || !native::CutArray(*value, &results)) return Wrong("a day has no list `results`");
  if (results.empty()) return std::string();
  for (const std::string_view row : results) {
    if (!row.starts_with('{')) return Wrong("a day has a result that is no object");
  }
  std::string text = "{";
  for (const native::JsonMember& member : members) {
    if (member.key != "results") text += fmt::format("\"{}\":{},", member.key, member.value);
  }
  return text + "\"results\":[\n" + Sorted(std::move(results)) + "]}";
}

template <const BucketForm& form>
Result<ApiAnswer> ReadBuckets(Period days, const std::string& asked, std::string_view body) {
  const Document document = FB_TRY(ReadDocument(body));
  ApiAnswer answer;
  answer.next = FB_TRY(ReadNext(document, asked));
  std::vector<native::JsonMember> members;
  for (const std::string_view bucket : document.data) {
    if (!native::CutObject(bucket, &members)) return Wrong("`data` has what is no day");
    const auto start_text = MemberOf(members, form.start);
    const auto end_text = MemberOf(members, form.end);
    const auto start = start_text ? form.time(*start_text) : std::nullopt;
    const auto end = end_text ? form.time(*end_text) : std::nullopt;
    if (!start || !end) {
      return Wrong(fmt::format("a day has no `{}` and `{}`", form.start, form.end));
    }
    if (*start != FloorDay(*start) || *end <= *start || *end > Instant{start->us + kMicrosPerDay}) {
      return Wrong("a bucket is no day of UTC: it begins at " + FormatInstant(*start));
    }
    if (!days.Contains(*start)) {
      return Wrong(FormatDate(*start) + " was not asked for, and is answered");
    }
    if (!answer.days.emplace(*start, FB_TRY(BucketText(members))).second) {
      return Wrong(FormatDate(*start) + " is answered twice");
    }
  }
  if (!answer.next.empty() && answer.days.empty()) {
    return Wrong("the answer has more, but no day");
  }
  return answer;
}

// The day that a page of OpenRouter is asked for; pages are days.
Instant DayOf(Period days, const std::string& next) {
  ParsedInstant parsed;
  return !next.empty() && ParseInstant(next, &parsed) ? parsed.instant : days.start;
}

Result<ApiAnswer> ReadActivity(Period days, const std::string& next, std::string_view body) {
  const Document document = FB_TRY(ReadDocument(body));
  const Instant day = DayOf(days, next);
  std::vector<native::JsonMember> members;
  for (const std::string_view row : document.data) {
    if (!native::CutObject(row, &members)) return Wrong("`data` has what is no object");
    const auto date = MemberOf(members, "date");
    const auto time = date ? InstantOf(*date) : std::nullopt;
    if (!time) return Wrong("a row has no `date`");
    if (FloorDay(*time) != day) {
      return Wrong(fmt::format("{} was not asked for, and is answered", FormatDate(*time)));
    }
  }
  ApiAnswer answer;
  answer.days[day] = Sorted(document.data);
  const Instant after{day.us + kMicrosPerDay};
  if (after < days.end) answer.next = FormatDate(after);
  return answer;
}

int64_t SecondsSinceEpoch(Instant instant) { return instant.us / kMicrosPerSecond; }

using Headers = std::vector<std::pair<std::string, std::string>>;

Headers BearerOf(const std::string& key) { return {{"authorization", "Bearer " + key}}; }

Headers AnthropicHeaders(const std::string& key) {
  return {{"x-api-key", key}, {"anthropic-version", "2023-06-01"}};
}

std::string PageQuery(const VendorReport& report, const std::string& next, int days_a_page) {
  std::string query = fmt::format("&bucket_width=1d&limit={}", days_a_page);
  for (const std::string_view group : report.groups)
    query += fmt::format("&group_by%5B%5D={}", group);
  if (!next.empty()) query += "&page=" + net::PercentEncode(next, false);
  return query;
}

std::string OpenAiQuery(const VendorReport& report, Period days, const std::string& next,
                        int days_a_page) {
  return fmt::format("?start_time={}&end_time={}{}", SecondsSinceEpoch(days.start),
                     SecondsSinceEpoch(days.end), PageQuery(report, next, days_a_page));
}

std::string AnthropicQuery(const VendorReport& report, Period days, const std::string& next,
                           int days_a_page) {
  return fmt::format(
      "?starting_at={}&ending_at={}{}", net::PercentEncode(FormatInstant(days.start), false),
      net::PercentEncode(FormatInstant(days.end), false), PageQuery(report, next, days_a_page));
}

std::string ActivityQuery(const VendorReport&, Period days, const std::string& next, int) {
  return "?date=" + FormatDate(DayOf(days, next));
}

// All that one vendor has otherwise than another.
struct Vendor {
  SourceKind kind;
  std::string_view name;
  std::string_view title;
  std::string_view address;
  std::string_view key_variable;
  std::string_view key_hint;
  Headers (*headers)(const std::string& key);
  std::string (*query)(const VendorReport& report, Period days, const std::string& next,
                       int days_a_page);
  Result<ApiAnswer> (*read)(Period days, const std::string& next, std::string_view body);
  int days_a_page = kDaysAPage;
  bool states_running_day = true;
  int64_t history_days = 0;
};

constexpr Vendor kVendors[] = {
    {SourceKind::kOpenAi, "openai", "OpenAI", "https://api.openai.com", "OPENAI_ADMIN_KEY",
     "it takes an admin key of the organisation (sk-admin-...; platform.openai.com, Settings, "
     "Admin keys), not a project's key",
     BearerOf, OpenAiQuery, ReadBuckets<kOpenAiBucket>},
    {SourceKind::kAnthropic, "anthropic", "Anthropic", "https://api.anthropic.com",
     "ANTHROPIC_ADMIN_KEY",
     "it takes an admin key of the organisation (sk-ant-admin...; Claude Console, Settings, Admin "
     "keys), not a key for messages",
     AnthropicHeaders, AnthropicQuery, ReadBuckets<kAnthropicBucket>},
    {SourceKind::kOpenRouter, "openrouter", "OpenRouter", "https://openrouter.ai",
     "OPENROUTER_MANAGEMENT_KEY",
     "it takes a management key (openrouter.ai, Settings, Management keys), not a key for calls",
     BearerOf, ActivityQuery, ReadActivity, /*days_a_page=*/1, /*states_running_day=*/false,
     /*history_days=*/30},
};

const Vendor& VendorOf(SourceKind kind) {
  const auto* vendor = std::ranges::find(kVendors, kind, &Vendor::kind);
  FB_ASSERT(vendor != std::end(kVendors));
  return *vendor;
}

}  // namespace

std::string DefaultKeyVariable(SourceKind kind) { return std::string(VendorOf(kind).key_variable); }

VendorApi MakeVendorApi(const estate::Source& source, const std::string& key) {
  const Vendor& vendor = VendorOf(source.kind);
  const VendorReport& report = estate::ReportOf(source);
  const std::string address =
      (source.endpoint.empty() ? std::string(vendor.address) : source.endpoint) +
      std::string(report.path);
  VendorApi api;
  api.name = address.substr(address.find("://") + 3);
  api.format = report.format;
  api.vendor = vendor.title;
  api.report = fmt::format("{}-{}", vendor.name, report.name);
  api.key_sha256 = Sha256Hex(key);
  api.key_hint = vendor.key_hint;
  api.states_running_day = vendor.states_running_day;
  api.history_days = vendor.history_days;
  api.days_a_page = vendor.days_a_page;
  api.ask = [address, &vendor, &report, headers = vendor.headers(key)](
                Period days, const std::string& next, int days_a_page) {
    net::WebRequest request;
    request.url = address + vendor.query(report, days, next, days_a_page);
    request.headers = headers;
    return request;
  };
  api.read = vendor.read;
  return api;
}

std::string BillOf(const DayTexts& days) {
  std::vector<std::string_view> texts;
  for (const auto& [day, text] : days) {
    if (!text.empty()) texts.push_back(text);
  }
  if (texts.empty()) return {};
  return fmt::format("{{\"data\":[\n{}]}}\n", fmt::join(texts, ",\n"));
}

}  // namespace flyball::sources
