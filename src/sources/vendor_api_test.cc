// What is asked of vendors' usage and cost APIs, and how their answers are read. Answers have the
// shapes of the vendors' documentation: platform.openai.com "Costs" and "Completions" (Usage),
// platform.claude.com "Get Cost Report" and "Get Messages Usage Report", openrouter.ai "Get user
// activity".
#include "sources/vendor_api.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "ingest/native/json_text.h"

namespace flyball::sources {
namespace {

using estate::SourceKind;

Instant At(const char* text) { return ParseUserInstant(text).value(); }

estate::Source SourceOf(SourceKind kind, const std::string& report = "") {
  estate::Source source;
  source.name = "vendor";
  source.kind = kind;
  source.report = report;
  source.from = At("2026-10");
  return source;
}

VendorApi ApiOf(SourceKind kind, const std::string& report = "") {
  return MakeVendorApi(SourceOf(kind, report), "the-key");
}

const Period kDays{At("2026-10-01"), At("2026-10-08")};

std::string Header(const net::WebRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(VendorApi, OpenAiIsAskedForDaysByWhatImportReads) {
  const net::WebRequest first = ApiOf(SourceKind::kOpenAi).ask(kDays, "", kDaysAPage);
  EXPECT_EQ(first.url,
            "https://api.openai.com/v1/organization/costs?start_time=1790812800"
            "&end_time=1791417600&bucket_width=1d&limit=7&group_by%5B%5D=project_id"
            "&group_by%5B%5D=line_item&group_by%5B%5D=api_key_id");
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(Header(first, "authorization"), "Bearer the-key");
  const net::WebRequest next =
      ApiOf(SourceKind::kOpenAi, "embeddings").ask(kDays, "page_A+/=", kDaysAPage);
  EXPECT_TRUE(next.url.starts_with(
      "https://api.openai.com/v1/organization/usage/embeddings?start_time=1790812800"))
      << next.url;
  EXPECT_TRUE(next.url.ends_with("&page=page_A%2B%2F%3D")) << next.url;
  EXPECT_NE(ApiOf(SourceKind::kOpenAi).ask(kDays, "", 3).url.find("&limit=3&"), std::string::npos);
  EXPECT_EQ(ApiOf(SourceKind::kOpenAi, "completions").format, "openai-usage");
  EXPECT_EQ(ApiOf(SourceKind::kOpenAi).format, "openai-costs");
}

TEST(VendorApi, AnthropicIsAskedWithItsOwnHeaders) {
  const net::WebRequest request =
      ApiOf(SourceKind::kAnthropic, "messages").ask(kDays, "", kDaysAPage);
  EXPECT_EQ(request.url,
            "https://api.anthropic.com/v1/organizations/usage_report/messages"
            "?starting_at=2026-10-01T00%3A00%3A00Z&ending_at=2026-10-08T00%3A00%3A00Z"
            "&bucket_width=1d&limit=7&group_by%5B%5D=api_key_id&group_by%5B%5D=workspace_id"
            "&group_by%5B%5D=model&group_by%5B%5D=service_tier&group_by%5B%5D=context_window"
            "&group_by%5B%5D=inference_geo");
  EXPECT_EQ(Header(request, "x-api-key"), "the-key");
  EXPECT_EQ(Header(request, "anthropic-version"), "2023-06-01");
  EXPECT_EQ(Header(request, "authorization"), "");
}

TEST(VendorApi, OpenRouterIsAskedForOneDayAfterTheOther) {
  estate::Source source = SourceOf(SourceKind::kOpenRouter);
  source.endpoint = "http://127.0.0.1:9000/base";
  const VendorApi api = MakeVendorApi(source, "the-key");
  EXPECT_EQ(api.name, "127.0.0.1:9000/base/api/v1/activity");
  EXPECT_EQ(api.ask(kDays, "", kDaysAPage).url,
            "http://127.0.0.1:9000/base/api/v1/activity?date=2026-10-01");
  const ApiAnswer first = api.read(kDays, "", R"({"data":[]})").value();
  EXPECT_EQ(first.next, "2026-10-02");
  EXPECT_EQ(first.days, (DayTexts{{At("2026-10-01"), ""}}));
  EXPECT_TRUE(api.ask(kDays, first.next, kDaysAPage).url.ends_with("?date=2026-10-02"));
  const ApiAnswer last =
      api.read(kDays, "2026-10-07", R"({"data":[{"date":"2026-10-07","model":"m","usage":1}]})")
          .value();
  EXPECT_EQ(last.next, "");
  EXPECT_EQ(BillOf(last.days),
            "{\"data\":[\n{\"date\":\"2026-10-07\",\"model\":\"m\",\"usage\":1}]}\n");
}

// Numbers pass as they are written: 1e-7 and 0.10 would come out of a parser as something else.
TEST(VendorApi, DaysAreKeptAsTheyAreWrittenAndTheirRowsInOneOrder) {
  const auto page = [](const std::string& rows) {
    return R"({"object":"page","data":[{"object":"bucket","start_time":1790812800,
      "end_time":1790899200,"results":[)" +
           rows + R"(]},{"object":"bucket","start_time":1790899200,"end_time":1790985600,
      "results":[]}],"has_more":true,"next_page":"page_2"})";
  };
  const std::string a = R"({"amount":{"value":0.10,"currency":"usd"},"line_item":"a, input"})";
  const std::string b = R"({"amount":{"value":1e-7,"currency":"usd"},"line_item":"b"})";
  const VendorApi api = ApiOf(SourceKind::kOpenAi);
  const ApiAnswer answer = api.read(kDays, "", page(a + "," + b)).value();
  EXPECT_EQ(answer.next, "page_2");
  ASSERT_EQ(answer.days.size(), 2u);
  const std::string& day = answer.days.at(At("2026-10-01"));
  EXPECT_NE(day.find("0.10"), std::string::npos) << day;
  EXPECT_NE(day.find("1e-7"), std::string::npos) << day;
  EXPECT_EQ(answer.days.at(At("2026-10-02")), "");
  EXPECT_EQ(api.read(kDays, "", page(b + " , " + a)).value().days, answer.days);
  // And import's reader takes the document that is made of them.
  std::string lines;
  bool more = true;
  ASSERT_TRUE(native::JsonDocumentToLines(BillOf(answer.days), &lines, &more));
  EXPECT_FALSE(more);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_EQ(BillOf({{At("2026-10-02"), ""}}), "");
}

TEST(VendorApi, AnthropicsBucketsAreReadAlike) {
  const ApiAnswer answer =
      ApiOf(SourceKind::kAnthropic)
          .read(
              kDays, "page_1",
              R"({"data":[{"starting_at":"2026-10-03T00:00:00Z","ending_at":"2026-10-04T00:00:00Z",
                   "results":[{"currency":"USD","amount":"123.78912","cost_type":"tokens"}]}],
                   "has_more":false,"next_page":null})")
          .value();
  EXPECT_EQ(answer.next, "");
  EXPECT_NE(answer.days.at(At("2026-10-03")).find("\"123.78912\""), std::string::npos);
}

TEST(VendorApi, AnswersThatAreNoneAreRefused) {
  struct Bad {
    const char* body;
    const char* says;
  };
  const std::string day = R"({"start_time":1790812800,"end_time":1790899200,"results":[]})";
  const std::string twice = "{\"data\":[" + day + "," + day + "],\"has_more\":false}";
  const std::string none_more = R"({"data":[],"has_more":true,"next_page":"p"})";
  const Bad bads[] = {
      {"", "no JSON"},
      {"<html>", "no JSON"},
      {"[]", "no JSON object"},
      {R"({"data":[)", "no JSON"},
      {R"({"data":[]})", "has_more"},
      {R"({"data":{},"has_more":false})", "`data`"},
      {R"({"data":[],"data":[],"has_more":false})", "`data`"},
      {R"({"data":[],"has_more":"false"})", "has_more"},
      {R"({"data":[1],"has_more":false})", "no day"},
      {R"({"data":[],"has_more":true,"next_page":null})", "next_page"},
      {R"({"data":[],"has_more":true,"next_page":7})", "next_page"},
      {R"({"data":[],"has_more":true,"next_page":"same"})", "its own"},
      {none_more.c_str(), "no day"},
      {R"({"data":[{"start_time":1790812800,"results":[]}],"has_more":false})", "end_time"},
      {R"({"data":[{"start_time":-86400,"end_time":0,"results":[]}],"has_more":false})",
       "start_time"},
      {R"({"data":[{"start_time":99999999999999999999,"end_time":0,"results":[]}],"has_more":false})",
       "start_time"},
      {R"({"data":[{"start_time":1790812800,"end_time":1790899200}],"has_more":false})", "results"},
      {R"({"data":[{"start_time":1790812800,"end_time":1790899200,"results":[1]}],"has_more":false})",
       "no object"},
      {R"({"data":[{"start_time":1790812801,"end_time":1790899200,"results":[]}],"has_more":false})",
       "no day of UTC"},
      {R"({"data":[{"start_time":1790812800,"end_time":1790985600,"results":[]}],"has_more":false})",
       "no day of UTC"},
      {R"({"data":[{"start_time":1790726400,"end_time":1790812800,"results":[]}],"has_more":false})",
       "not asked for"},
      {twice.c_str(), "twice"},
  };
  const VendorApi api = ApiOf(SourceKind::kOpenAi);
  for (const Bad& bad : bads) {
    const Result<ApiAnswer> answer = api.read(kDays, "same", bad.body);
    ASSERT_FALSE(answer) << bad.body;
    EXPECT_EQ(answer.error().code, Code::kInvalidArgument);
    EXPECT_NE(answer.error().message.find(bad.says), std::string::npos)
        << bad.body << ": " << answer.error().message;
  }
  const VendorApi activity = ApiOf(SourceKind::kOpenRouter);
  for (const char* body : {R"({"data":[{"model":"m"}]})", R"({"data":["x"]})", R"({"error":{}})",
                           R"({"data":[{"date":"2026-10-02","model":"m"}]})"}) {
    EXPECT_FALSE(activity.read(kDays, "", body)) << body;
  }
}

// Any bytes cut out of or put into a good answer: an error or days that were asked for, nothing
// else.
TEST(VendorApi, DamagedAnswersBringNoOtherDays) {
  const std::string good =
      R"({"data":[{"starting_at":"2026-10-01T00:00:00Z","ending_at":"2026-10-02T00:00:00Z",
      "results":[{"amount":"1.5","currency":"USD"}]}],"has_more":true,"next_page":"page_x"})";
  const VendorApi api = ApiOf(SourceKind::kAnthropic);
  ASSERT_TRUE(api.read(kDays, "", good));
  Random random(7);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = good;
    const size_t at = random.Below(bad.size());
    if (random.Chance(1, 2)) {
      bad.erase(at, 1 + random.Below(8));
    } else {
      bad[at] = "{}[]\",:0e\\\x01\xff"[random.Below(12)];
    }
    const Result<ApiAnswer> answer = api.read(kDays, "", bad);
    refused += answer ? 0 : 1;
    if (!answer) continue;
    for (const auto& [day, text] : answer->days) EXPECT_TRUE(kDays.Contains(day)) << bad;
  }
  EXPECT_GT(refused, 10'000);
}

}  // namespace
}  // namespace flyball::sources
