#include "ingest/otlp/otlp.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "ingest/otlp/call.h"
#include "ingest/otlp/test_spans.h"

namespace flyball::otlp {
namespace {

const Instant kNow = ToInstant({2026, 11, 26});

std::vector<Call> CallsOf(std::string_view body, Encoding encoding) {
  std::vector<Call> calls;
  const Status read = ReadTraces(body, encoding, [&](const Span& span) {
    Result<std::optional<Call>> call = ReadCall(span, kNow);
    EXPECT_TRUE(call) << call.error().message;
    if (call && *call) calls.push_back(**std::move(call));
  });
  EXPECT_TRUE(read) << read.error().message;
  return calls;
}

std::vector<TestResource> TwoServices() {
  TestSpan chat;
  chat.trace_id = TestId(7, 16);
  chat.span_id = TestId(0xfedcba9876543210, 8);
  chat.parent_id = TestId(3, 8);
  chat.attributes = ChatAttributes();
  chat.attributes.emplace_back("team", "from the \"span\"");
  TestSpan tool = chat;
  tool.attributes = {{"gen_ai.operation.name", "execute_tool"}};
  TestSpan embeddings;
  embeddings.attributes = {{"gen_ai.operation.name", "embeddings"},
                           {"gen_ai.request.model", "mistral-embed"},
                           {"gen_ai.input.messages", std::string(100'000, 'x')},
                           {"gen_ai.usage.input_tokens", 9}};
  return {
      {{{"service.name", "search"}, {"team", "from the resource"}, {"project", "p"}}, {chat, tool}},
      {{{"service.name", "index"}}, {embeddings}}};
}

TEST(Otlp, BothFormsSayTheSame) {
  const std::vector<Call> calls = CallsOf(ToProtobuf(TwoServices()), Encoding::kProtobuf);
  EXPECT_EQ(calls, CallsOf(ToJson(TwoServices()), Encoding::kJson));
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].id, (SpanId{{0, 7}, 0xfedcba9876543210}));
  EXPECT_EQ(calls[0].parent, 3u);
  EXPECT_EQ(FormatInstant(calls[0].end), "2026-11-25T00:00:00Z");
  EXPECT_EQ(calls[0].team, "from the \"span\"");
  EXPECT_EQ(calls[0].project, "p");
  EXPECT_EQ(calls[0].tags,
            (std::vector<std::pair<std::string, std::string>>{{"service", "search"}}));
  EXPECT_EQ(calls[1].model, "mistral-embed");
  EXPECT_EQ(calls[1].usage[Bucket::kInput], 9);
}

// The bytes of a request as opentelemetry-proto describes them, written down once by hand.
TEST(Otlp, ReadsTheBytesOfTheProtocol) {
  const std::string any_9{"\x18\x09", 2};
  const std::string key = "gen_ai.usage.input_tokens";
  const std::string usage = "\x0a\x19" + key + std::string("\x12\x02") + any_9;
  const std::string operation =
      std::string("\x0a\x15") + "gen_ai.operation.name" + "\x12\x06\x0a\x04" + "chat";
  const std::string model =
      std::string("\x0a\x14") + "gen_ai.request.model" + "\x12\x07\x0a\x05" + "gpt-5";
  std::string span = "\x0a\x10" + TestId(1, 16) + "\x12\x08" + TestId(2, 8) + "\x41";
  span += std::string("\x00\x00\x64\xa7\xb3\xb6\xe0\x0d", 8);  // 1'000'000'000'000'000'000 ns
  for (const std::string& attribute : {operation, model, usage}) {
    span += '\x4a';
    span += static_cast<char>(attribute.size());
    span += attribute;
  }
  ASSERT_LT(span.size(), 0x4000u);
  const auto framed = [](char tag, const std::string& inner) {
    return std::string{tag, static_cast<char>(inner.size() | 0x80),
                       static_cast<char>(inner.size() >> 7)} +
           inner;
  };
  const std::string body = framed('\x0a', framed('\x12', framed('\x12', span)));
  Instant end;
  int spans = 0;
  ASSERT_TRUE(ReadTraces(body, Encoding::kProtobuf, [&](const Span& read) {
    ++spans;
    end = read.end;
    const auto call = ReadCall(read, read.end);
    ASSERT_TRUE(call && *call);
    EXPECT_EQ((*call)->usage[Bucket::kInput], 9);
  }));
  EXPECT_EQ(spans, 1);
  EXPECT_EQ(FormatInstant(end), "2001-09-09T01:46:40Z");
}

TEST(Otlp, JsonTakesNumbersNamesOfEnumsAndWhatItDoesNotKnow) {
  const std::string body =
      R"({"resourceSpans":[{"schemaUrl":"x","resource":{},"scopeSpans":[{"spans":[{
        "traceId":"0000000000000000000000000000000A","spanId":"000000000000000b",
        "endTimeUnixNano":1764000000000000000,"flags":257,"events":[{"name":"e"}],
        "status":{"code":"STATUS_CODE_ERROR"},"attributes":[
          {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
          {"key":"gen_ai.request.model","value":{"stringValue":"m"}},
          {"key":"gen_ai.usage.input_tokens","value":{"intValue":5}},
          {"key":"team","value":{"arrayValue":{"values":[{"stringValue":"a"}]}}},
          {"key":"project","value":null},{"key":"use_case"},{}]}]},{"spans":null}]}]})";
  const std::vector<Call> calls = CallsOf(body, Encoding::kJson);
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].id, (SpanId{{0, 10}, 11}));
  EXPECT_EQ(calls[0].usage[Bucket::kInput], 5);
  EXPECT_EQ(calls[0].team + calls[0].project + calls[0].use_case, "");
}

TEST(Otlp, MalformedBodiesAreRefused) {
  const auto refused = [](std::string_view body, Encoding encoding) {
    const Status read = ReadTraces(body, encoding, [](const Span&) {});
    return !read && read.error().code == Code::kInvalidArgument;
  };
  for (const char* body :
       {"", "[]", "5", "{", R"({"resourceSpans":5})", R"({"resourceSpans":[5]})",
        R"({"resourceSpans":[{"scopeSpans":{}}]})",
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[[]]}]}]})", "{\"a\":\"\xff\"}"}) {
    EXPECT_TRUE(refused(body, Encoding::kJson)) << body;
  }
  std::string deep = R"({"a":)";
  deep += std::string(200, '[') + std::string(200, ']') + "}";
  EXPECT_TRUE(refused(deep, Encoding::kJson));
  const std::string whole = ToProtobuf(TwoServices());
  int cut_refused = 0;
  for (size_t size = 0; size < 400; ++size) {
    cut_refused += refused(std::string_view(whole).substr(0, size), Encoding::kProtobuf);
  }
  EXPECT_EQ(cut_refused, 399);  // the empty message alone is one
  EXPECT_TRUE(refused("{\"resourceSpans\":[]}", Encoding::kProtobuf));
}

TEST(Otlp, ARequestHasABoundedNumberOfSpans) {
  std::vector<TestResource> many(1);
  many[0].spans.resize(kSpansMax);
  EXPECT_TRUE(ReadTraces(ToProtobuf(many), Encoding::kProtobuf, [](const Span&) {}));
  many.push_back({{}, {TestSpan{}}});
  for (const auto& [body, encoding] : {std::pair{ToProtobuf(many), Encoding::kProtobuf},
                                       std::pair{ToJson(many), Encoding::kJson}}) {
    int64_t visited = 0;
    const Status read = ReadTraces(body, encoding, [&](const Span&) { ++visited; });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::kOutOfRange);
    EXPECT_EQ(visited, kSpansMax);
  }
}

TEST(Otlp, MetricsAndLogsAreCheckedOnly) {
  EXPECT_TRUE(CheckExport("", Encoding::kProtobuf));
  EXPECT_TRUE(CheckExport(ToProtobuf(TwoServices()), Encoding::kProtobuf));  // built alike
  EXPECT_TRUE(CheckExport(R"({"resourceMetrics":[]})", Encoding::kJson));
  EXPECT_FALSE(CheckExport("\x0a\x05", Encoding::kProtobuf));
  EXPECT_FALSE(CheckExport("", Encoding::kJson));
}

TEST(Otlp, GunzipsWithinBounds) {
  const std::string text(100'000, 'a');
  EXPECT_EQ(Gunzip(GzipOf(text), text.size()).value(), text);
  EXPECT_EQ(Gunzip(GzipOf("one ") + GzipOf("two"), 100).value(), "one two");
  EXPECT_EQ(Gunzip(GzipOf(""), 100).value(), "");
  EXPECT_EQ(Gunzip(GzipOf(text), text.size() - 1).error().code, Code::kOutOfRange);
  const std::string packed = GzipOf(text);
  for (const size_t size : {size_t{0}, size_t{5}, packed.size() - 1}) {
    EXPECT_EQ(Gunzip(std::string_view(packed).substr(0, size), text.size()).error().code,
              Code::kInvalidArgument)
        << size;
  }
  EXPECT_FALSE(Gunzip("no gzip at all", 100));
  EXPECT_FALSE(Gunzip(packed + "rest", text.size()));
}

TEST(Otlp, AnswersInTheFormThatWasAsked) {
  EXPECT_EQ(ExportAnswer(Signal::kTraces, Encoding::kProtobuf, 0, ""), "");
  EXPECT_EQ(ExportAnswer(Signal::kTraces, Encoding::kJson, 0, ""), "{}");
  EXPECT_EQ(ExportAnswer(Signal::kTraces, Encoding::kProtobuf, 2, "no"),
            std::string("\x0a\x06\x08\x02\x12\x02no"));
  EXPECT_EQ(ExportAnswer(Signal::kTraces, Encoding::kJson, 2, "no \"model\""),
            R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"no \"model\""}})");
  EXPECT_EQ(ExportAnswer(Signal::kLogs, Encoding::kJson, 0, "not metered"),
            R"({"partialSuccess":{"errorMessage":"not metered"}})");
  const Error error{Code::kInvalidArgument, "bad", "", {}};
  EXPECT_EQ(StatusAnswer(Encoding::kProtobuf, error), std::string("\x08\x03\x12\x03") + "bad");
  EXPECT_EQ(StatusAnswer(Encoding::kJson, error), R"({"code":3,"message":"bad"})");
}

}  // namespace
}  // namespace flyball::otlp
