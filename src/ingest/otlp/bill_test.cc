#include "ingest/otlp/bill.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <set>

#include "base/clock.h"
#include "ingest/gateway_charges.h"
#include "ingest/import.h"
#include "ingest/otlp/span_log.h"
#include "model/metered_call.h"
#include "os/journal.h"
#include "rates/test_prices.h"

namespace flyball::otlp {
namespace {

constexpr char kLongId[] = "chatcmpl-0123456789abcdef";

Instant At(std::string_view text) { return ParseUserInstant(text).value(); }

class SpanBill : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "span_bill_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    log_.emplace(*files_, folder_ + "/spans");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // 400 tokens of input, 600 read from the cache, 50 of output.
  Call Chat(std::string_view end) {
    Call call;
    call.id = {{7, ++last_id_}, last_id_};
    call.end = At(end);
    call.provider = "openai";
    call.model = "m";
    call.team = "search";
    EXPECT_TRUE(call.usage.Add(Bucket::kInput, 400));
    EXPECT_TRUE(call.usage.Add(Bucket::kCacheRead, 600));
    EXPECT_TRUE(call.usage.Add(Bucket::kOutput, 50));
    EXPECT_TRUE(call.usage.Add(Bucket::kRequests, 1));
    return call;
  }
  void Take(const Call& call) { ASSERT_TRUE(log_->Take({&call, 1})); }
  void LogGatewayCall(std::string_view at, const std::string& answer_id) {
    std::filesystem::create_directories(folder_ + "/calls");
    os::Journal journal =
        os::Journal::Open(*files_, ingest::GatewayLogPath(folder_ + "/calls", At(at)),
                          [](uint64_t, std::string_view) { return Status(); })
            .value();
    metered::Dispatch dispatch;
    dispatch.at = At(at);
    dispatch.currency = "USD";
    metered::End end;
    end.at = At(at);
    end.answer_id = answer_id;
    ASSERT_TRUE(journal.Append(metered::Encode(dispatch), false));
    ASSERT_TRUE(journal.Append(metered::Encode(end), false));
  }
  Bill MakeAt(std::string_view until, const std::string& month = "2026-11") {
    BillOptions options;
    options.spans_folder = folder_ + "/spans";
    options.gateway_calls_folder = folder_ + "/calls";
    options.gateway_addresses = {"127.0.0.1:8081", "localhost:8081"};
    options.until = At(until);
    Result<Bill> bill = MakeBill(*files_, options, book_, month);
    EXPECT_TRUE(bill) << bill.error().ToString();
    return bill ? *bill : Bill();
  }
  ingest::Staged Stage(const Bill& bill) {
    const std::string path = folder_ + "/bill.csv";
    EXPECT_TRUE(os::AtomicWrite(*files_, path, bill.csv));
    ingest::ImportOptions options;
    options.files = {path};
    options.source = kSource;
    options.home = folder_ + "/home";
    Result<ingest::Staged> staged = ingest::StageImport(options, *files_);
    EXPECT_TRUE(staged) << staged.error().ToString();
    return staged ? *std::move(staged) : ingest::Staged();
  }
  static bool Has(const Bill& bill, std::string_view text) {
    return bill.csv.find(text) != std::string::npos;
  }

  std::string folder_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  std::optional<SpanLog> log_;
  uint64_t last_id_ = 0;
  // Input costs twice as much from the 20th on.
  rates::PriceBook book_ = rates::BookOf(
      R"({"provider":"openai","model":"m","source":"test","prices":[
        {"from":"2026-01-01","per_million":{"input":"1","cache_read":"0.1","output":"10"}},
        {"from":"2026-01-01","tier":"flex","per_million":{"input":"0.5","output":"5"}},
        {"from":"2026-11-20","per_million":{"input":"2","cache_read":"0.1","output":"10"}}]})");
};

TEST_F(SpanBill, OneRowAnHourMeterAndAttribution) {
  for (int i = 0; i < 3; ++i) Take(Chat("2026-11-10T10:30:00Z"));
  Call other = Chat("2026-11-10T10:45:00Z");
  other.team = "ads";
  other.tags = {{"service", "web"}};
  Take(other);
  const Bill bill = MakeAt("2026-11-10T11:00:00Z");
  EXPECT_EQ(bill.calls, 4);
  EXPECT_EQ(bill.rows, 6);
  EXPECT_TRUE(Has(bill,
                  "0.0012,0.0012,0.0012,0.0012,USD,2026-11-01T00:00:00Z,"
                  "2026-12-01T00:00:00Z,2026-11-10T10:00:00Z,2026-11-10T11:00:00Z,Usage,"
                  "Usage-Based,m input,1200,Tokens,1200,Tokens,0.000001"))
      << bill.csv;
  EXPECT_TRUE(Has(bill, "estimate,reported,standard"));
  EXPECT_TRUE(Has(bill, R"("{""service"":""web""}")"));
  EXPECT_TRUE(Has(bill, "OpenAI API"));
}

TEST_F(SpanBill, OnlyClosedHoursOfTheMonth) {
  Take(Chat("2026-10-31T23:59:59Z"));
  Take(Chat("2026-11-01T00:00:00Z"));
  Take(Chat("2026-11-30T23:59:59Z"));
  Take(Chat("2026-12-01T00:00:00Z"));
  EXPECT_EQ(MakeAt("2026-11-01T00:59:59Z").calls, 0);
  EXPECT_EQ(MakeAt("2026-11-01T01:00:00Z").calls, 1);
  EXPECT_EQ(MakeAt("2027-01-01").calls, 2);
  EXPECT_EQ(MakeAt("2027-01-01", "2026-10").calls, 1);
}

TEST_F(SpanBill, PricesAreThoseOfTheSpansEnd) {
  Take(Chat("2026-11-19T23:59:59Z"));
  Take(Chat("2026-11-20T00:00:00Z"));
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_TRUE(Has(bill, "m input,400,Tokens,400,Tokens,0.000001,"));
  EXPECT_TRUE(Has(bill, "m input,400,Tokens,400,Tokens,0.000002,"));
}

TEST_F(SpanBill, TheModelThatAnsweredGoesBeforeTheOneThatWasAsked) {
  Call dated = Chat("2026-11-10T10:00:00Z");
  dated.answered = "m-2026-01-01-of-which-nobody-knows";
  Take(dated);
  Call routed = Chat("2026-11-10T10:00:00Z");
  routed.model = "auto";
  routed.answered = "m";
  Take(routed);
  Call flex = Chat("2026-11-10T10:00:00Z");
  flex.tier = "flex";
  Take(flex);
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.calls, 3);
  EXPECT_TRUE(Has(bill, "m input,800,Tokens"));
  EXPECT_TRUE(Has(bill, "m input,400,Tokens,400,Tokens,0.0000005,"));
}

TEST_F(SpanBill, ProvidersAreKnownByWhatLibrariesCallThem) {
  for (const char* provider : {"OpenAI", "openai.responses", "openai.chat", "Langchain", ""}) {
    Call call = Chat("2026-11-10T10:00:00Z");
    call.provider = provider;
    Take(call);
  }
  for (const char* provider : {"ollama", "gcp.gemini", "azure.ai.openai"}) {
    Call call = Chat("2026-11-10T10:00:00Z");
    call.provider = provider;
    Take(call);
  }
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.rows, 3);  // of one provider
  EXPECT_EQ(bill.calls, 5);
  EXPECT_EQ(bill.unpriced, 3);
}

// Nothing is charged zero for want of a price, and nothing is lost.
TEST_F(SpanBill, WithoutAPriceACallWaitsForOne) {
  for (int i = 0; i < 2; ++i) {
    Call unknown = Chat("2026-11-10T10:00:00Z");
    unknown.model = "newest";
    Take(unknown);
  }
  Call tier = Chat("2026-11-10T10:00:00Z");
  tier.tier = "gold";
  Take(tier);
  Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.rows, 0);
  EXPECT_EQ(bill.unpriced, 3);
  ASSERT_EQ(bill.unpriced_models.size(), 2u);
  EXPECT_TRUE(bill.unpriced_models[0].first.starts_with("openai/newest: "))
      << bill.unpriced_models[0].first;
  EXPECT_EQ(bill.unpriced_models[0].second, 2);
  book_ = rates::BookOf(
      R"({"provider":"openai","model":"newest","source":"test","prices":[
        {"from":"2026-01-01","per_million":{"input":"3","output":"10"}}]})");
  bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.calls, 2);
  EXPECT_EQ(bill.unpriced, 1);
}

TEST_F(SpanBill, WhatWentThroughTheGatewayIsChargedThere) {
  LogGatewayCall("2026-10-31T23:59:00Z", kLongId);
  LogGatewayCall("2026-11-10T10:00:00Z", "chatcmpl-7");  // as own servers number them
  Call by_id = Chat("2026-11-01T00:00:10Z");
  by_id.answer_id = kLongId;
  Take(by_id);
  Call by_address = Chat("2026-11-10T10:00:00Z");
  by_address.server = "localhost:8081";
  Take(by_address);
  Call direct = Chat("2026-11-10T10:00:00Z");
  direct.answer_id = "chatcmpl-7";
  direct.server = "api.openai.com:443";
  Take(direct);
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.gateway, 2);
  EXPECT_EQ(bill.calls, 1);
}

// Two libraries may each tell of a call, one from inside of the other.
TEST_F(SpanBill, ACallThatTwoSpansTellOfIsChargedOnce) {
  Call inner = Chat("2026-11-10T10:59:59Z");
  Call outer = Chat("2026-11-10T11:00:00Z");
  outer.id.trace = inner.id.trace;
  inner.parent = outer.id.span;
  Take(outer);
  Take(inner);
  Call beside = Chat("2026-11-10T10:30:00Z");
  Call again = Chat("2026-11-10T10:30:01Z");
  again.id.trace = beside.id.trace;
  beside.answer_id = again.answer_id = "chatcmpl-7";
  Take(beside);
  Take(again);
  // A vendor's own library begins a trace beside the instrumentation's.
  Call native = Chat("2026-11-10T10:40:00Z");
  Call wrapped = Chat("2026-11-10T10:40:00Z");
  native.id.trace = {8, 8};
  native.answer_id = wrapped.answer_id = kLongId;
  Take(native);
  Take(wrapped);
  Call elsewhere = Chat("2026-11-10T10:30:01Z");  // an own server's number, in another trace
  elsewhere.id.trace = {9, 9};
  elsewhere.answer_id = "chatcmpl-7";
  Take(elsewhere);
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.doubles, 3);
  EXPECT_EQ(bill.calls, 4);
}

// A request may be over for its caller long before the stream that it began, or long after.
TEST_F(SpanBill, ACallThatTwoSpansTellOfHoursApartIsChargedOnce) {
  Call early = Chat("2026-11-10T10:00:00Z");
  Call late = Chat("2026-11-10T12:30:00Z");
  late.id.trace = early.id.trace;
  late.parent = early.id.span;
  Call below = Chat("2026-11-10T12:20:00Z");  // a third library, inside of the second
  below.id.trace = early.id.trace;
  below.parent = late.id.span;
  Call last = Chat("2026-11-10T14:00:00Z");
  last.id.trace = early.id.trace;
  last.parent = late.id.span;
  for (const Call& call : {early, below, late, last}) Take(call);
  Call inner = Chat("2026-11-20T10:00:00Z");
  Call outer = Chat("2026-11-20T13:00:00Z");
  outer.id.trace = inner.id.trace;
  inner.parent = outer.id.span;
  Take(inner);
  Take(outer);
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.calls, 2);
  EXPECT_EQ(bill.doubles, 4);
}

TEST_F(SpanBill, ACallThatWasChargedInTheMonthBeforeIsNotChargedAgain) {
  Call early = Chat("2026-10-31T21:00:00Z");
  Call late = Chat("2026-11-01T00:30:00Z");
  late.id.trace = early.id.trace;
  late.parent = early.id.span;
  Take(early);
  Take(late);
  EXPECT_EQ(MakeAt("2026-12-01", "2026-10").calls, 1);
  EXPECT_EQ(MakeAt("2026-12-01").calls, 0);
}

// Of the two neither was charged: the outer one had no price in October, nor had it in November.
TEST_F(SpanBill, ASpanWithoutAPriceInTheMonthBeforeHidesNoneOfItsChildren) {
  Call outer = Chat("2026-10-31T23:59:59Z");
  outer.model = "unheard-of";
  outer.answer_id = kLongId;
  Call inner = Chat("2026-11-01T00:00:01Z");
  inner.id.trace = outer.id.trace;
  inner.parent = outer.id.span;
  Call same_answer = Chat("2026-11-01T00:00:02Z");
  same_answer.answer_id = kLongId;
  for (const Call& call : {outer, inner, same_answer}) Take(call);
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.calls, 2);
  EXPECT_EQ(bill.unpriced, 0) << "it is told of in the bill of its month";
}

// Each step of an agent's run is a call, whatever has ended before.
TEST_F(SpanBill, ChildrenOfASpanThatIsNoCallAreCalls) {
  Call first = Chat("2026-11-10T10:00:00Z");
  Call second = Chat("2026-11-10T12:00:00Z");
  second.id.trace = first.id.trace;
  first.parent = second.parent = 999;
  Take(first);
  Take(second);
  EXPECT_EQ(MakeAt("2026-12-01").calls, 2);
}

TEST_F(SpanBill, AChatThatLooksUpAnEmbeddingIsItsOwnCall) {
  Call chat = Chat("2026-11-10T10:30:00Z");
  Call lookup = Chat("2026-11-10T10:29:00Z");
  lookup.id.trace = chat.id.trace;
  lookup.parent = chat.id.span;
  lookup.usage = {};
  ASSERT_TRUE(lookup.usage.Add(Bucket::kInput, 9));
  Take(lookup);
  Take(chat);
  EXPECT_EQ(MakeAt("2026-12-01").calls, 2);
}

TEST_F(SpanBill, ADamagedJournalIsAnError) {
  Take(Chat("2026-11-10T10:30:00Z"));
  const std::string path = SpanLogPath(folder_ + "/spans", At("2026-11-10T10:00:00Z"));
  std::string content = files_->ReadAll(path).value();
  content += content.substr(8);
  content[20] = static_cast<char>(content[20] ^ 1);
  ASSERT_TRUE(os::AtomicWrite(*files_, path, content));
  BillOptions options;
  options.spans_folder = folder_ + "/spans";
  options.until = At("2026-12-01");
  const Result<Bill> bill = MakeBill(*files_, options, book_, "2026-11");
  ASSERT_FALSE(bill);
  EXPECT_EQ(bill.error().code, Code::kDataLoss);
}

TEST_F(SpanBill, WhatABillIsMadeFromIsTheSameUntilSomethingComes) {
  BillOptions options;
  options.spans_folder = folder_ + "/spans";
  options.gateway_calls_folder = folder_ + "/calls";
  std::set<std::string> seen;
  const auto is_new = [&](std::string_view until) {
    options.until = At(until);
    return seen.insert(BillInputs(*files_, options, "2026-11").value()).second;
  };
  Take(Chat("2026-11-10T10:00:00Z"));
  EXPECT_TRUE(is_new("2026-11-10T11:00:00Z"));
  EXPECT_FALSE(is_new("2026-11-10T12:00:00Z"));
  Take(Chat("2026-11-10T12:30:00Z"));
  EXPECT_FALSE(is_new("2026-11-10T12:59:00Z")) << "the hour runs";
  EXPECT_TRUE(is_new("2026-11-10T13:00:00Z"));
  Take(Chat("2026-11-10T12:40:00Z"));
  EXPECT_TRUE(is_new("2026-11-10T13:00:00Z"));
  Take(Chat("2026-12-01T00:00:00Z"));
  EXPECT_FALSE(is_new("2027-01-01"));
  Take(Chat("2026-10-31T23:00:00Z"));
  EXPECT_TRUE(is_new("2027-01-01")) << "it may tell of calls of this month";
  LogGatewayCall("2026-10-20T10:00:00Z", kLongId);
  EXPECT_TRUE(is_new("2027-01-01"));
  options.gateway_addresses = {"127.0.0.1:8081"};
  EXPECT_TRUE(is_new("2027-01-01"));
}

// What turns out to have gone through the gateway must leave the ledger again.
TEST_F(SpanBill, ABillOfNothingReplacesOneOfSomething) {
  Call call = Chat("2026-11-10T10:00:00Z");
  call.answer_id = kLongId;
  Take(call);
  EXPECT_EQ(MakeAt("2026-12-01").rows, 2 + 1);
  LogGatewayCall("2026-11-10T09:59:00Z", kLongId);
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.rows, 0);
  const ingest::Staged staged = Stage(bill);
  EXPECT_EQ(staged.import.facts.rows_kept, 1);
  EXPECT_EQ(staged.import.facts.rows_quarantined, 0);
  EXPECT_EQ(staged.import.facts.billed_cost.kept, "0");
  ASSERT_EQ(staged.import.slices.size(), 1u);
  EXPECT_EQ(staged.import.slices[0].period, "2026-11");
}

// Whatever is in the log, the import keeps every row and every digit.
TEST_F(SpanBill, TheImportKeepsEveryRow) {
  Random random(5);
  Money total;
  std::vector<Call> calls;
  for (int i = 0; i < 300; ++i) {
    Call call = Chat("2026-11-" + std::to_string(10 + random.Below(9)) + "T0" +
                     std::to_string(random.Below(10)) + ":00:00Z");
    call.team = random.Chance(1, 3) ? "" : "team \"x\", " + std::to_string(random.Below(3));
    const int64_t more = random.Between(0, 100'000);
    ASSERT_TRUE(call.usage.Add(Bucket::kInput, more));
    total = total.Plus(Money::FromUnits((more + 400) * 1'000'000 + 600 * 100'000 + 50 * 10'000'000))
                .value();
    calls.push_back(std::move(call));
  }
  ASSERT_TRUE(log_->Take(calls));
  const Bill bill = MakeAt("2026-12-01");
  EXPECT_EQ(bill.calls, 300);
  const ingest::Staged staged = Stage(bill);
  const ledger::ImportFacts& facts = staged.import.facts;
  EXPECT_EQ(facts.rows_kept, bill.rows);
  EXPECT_EQ(facts.rows_quarantined, 0);
  EXPECT_EQ(facts.billed_cost.kept, total.ToString());
  EXPECT_TRUE(facts.findings.empty()) << facts.findings.begin()->first;
  EXPECT_TRUE(facts.repairs.empty()) << facts.repairs.begin()->first;
}

}  // namespace
}  // namespace flyball::otlp
