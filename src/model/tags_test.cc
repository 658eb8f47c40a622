#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.h"
#include "model/signature.h"

namespace flyball::signature {
namespace {

using nlohmann::json;

TEST(TagValue, FindsPlainAndEscapedKeys) {
  std::string_view tags =
      R"({"env":"prod","owner \"x\"":"a\\b\n","\u0063ost":"caf\u00e9 \ud83d\ude00","n":12.5e1,"t":true,"z":null})";
  EXPECT_EQ(TagValue(tags, "env"), "prod");
  EXPECT_EQ(TagValue(tags, "owner \"x\""), "a\\b\n");
  EXPECT_EQ(TagValue(tags, "cost"), "caf\u00e9 \U0001F600");
  EXPECT_EQ(TagValue(tags, "n"), "12.5e1");
  EXPECT_EQ(TagValue(tags, "t"), "true");
  EXPECT_EQ(TagValue(tags, "z"), std::nullopt);
  EXPECT_EQ(TagValue(tags, "prod"), std::nullopt);
  EXPECT_EQ(TagValue(tags, ""), std::nullopt);
}

TEST(TagValue, EmptyKeysAndValuesCount) {
  EXPECT_EQ(TagValue(R"({"":"v","k":""})", ""), "v");
  EXPECT_EQ(TagValue(R"({"":"v","k":""})", "k"), "");
  EXPECT_EQ(TagValue("{}", "k"), std::nullopt);
  EXPECT_EQ(TagValue("", "k"), std::nullopt);
}

TEST(ParseTags, KeepsOrderAndDropsKeysWithoutValue) {
  Result<Tags> tags = ParseTags(" { \"b\" : \"2\" , \"a\" : \"1\" , \"c\" : null } ");
  ASSERT_TRUE(tags.has_value()) << tags.error().message;
  EXPECT_EQ(*tags, (Tags{{"b", "2"}, {"a", "1"}}));
  EXPECT_EQ(ParseTags("{}")->size(), 0u);
}

TEST(ParseTags, SaysWhereItStopped) {
  struct Case {
    std::string_view text;
    int64_t byte;
  };
  for (const Case& bad :
       {Case{"", 1}, Case{"[]", 1}, Case{"{", 2}, Case{R"({"a":"1")", 9}, Case{R"({"a":"1"}x)", 10},
        Case{R"({"a":{"b":1}})", 6}, Case{"{\"a\":\"\xff\"}", 7}, Case{R"({"a":01})", 7},
        Case{"{\"a\":\"\n\"}", 7}}) {
    Result<Tags> tags = ParseTags(bad.text);
    ASSERT_FALSE(tags.has_value()) << bad.text;
    EXPECT_EQ(tags.error().code, Code::kInvalidArgument);
    EXPECT_EQ(tags.error().place.byte, bad.byte) << bad.text;
  }
  for (std::string_view text :
       {R"({"a":"\ud83d"})", R"({"a":"\ude00"})", R"({"a":"\u12"})", R"({"a":"\x"})", R"({"a":"b\)",
        R"({"a":"b\"})", R"({"a" "b"})", R"({"a":"b",})", R"({,})", R"({"a":nul})", R"({"a":-})",
        R"({"a":1.})", R"({"a":1e})"}) {
    EXPECT_FALSE(ParseTags(text).has_value()) << text;
  }
}

TEST(ParseTags, RefusesTextsBeyondTheLimit) {
  std::string text = "{\"a\":\"" + std::string(kTagsMaxBytes, 'x') + "\"}";
  EXPECT_FALSE(ParseTags(text).has_value());
  EXPECT_EQ(TagValue(text, "a"), std::nullopt);
}

std::string MaybeBrokenObject() {
  static const std::vector<std::string> strings = {
      "\"\"",        "\"a\"",          "\"b c\"",     "\"\\u00e9\"", "\"\\ud83d\\ude00\"",
      "\"\\ud83d\"", "\"\\n\\\\\\/\"", "\"\xc3\xa9\""};
  static const std::vector<std::string> literals = {"1",    "-0.5e3", "0",  "01", "true", "false",
                                                    "null", "[]",     "{}", "1.", "+1"};
  static const std::vector<std::string> noise = {"{", "}",  "\"", "\\",  ",",    ":",
                                                 " ", "\t", "x",  "\\u", "\xff", "\x01"};
  std::string text = "{";
  int pairs = *rc::gen::inRange(0, 5);
  for (int i = 0; i < pairs; ++i) {
    if (i > 0) text += ",";
    text += *rc::gen::elementOf(strings) + ":";
    text += *rc::gen::weightedOneOf<std::string>(
        {{5, rc::gen::elementOf(strings)}, {1, rc::gen::elementOf(literals)}});
  }
  text += "}";
  int faults = *rc::gen::weightedElement<int>({{3, 0}, {1, 1}, {1, 2}});
  for (int i = 0; i < faults; ++i) {
    size_t at = *rc::gen::inRange<size_t>(0, text.size() + 1);
    if (*rc::gen::arbitrary<bool>()) {
      text.insert(at, *rc::gen::elementOf(noise));
    } else {
      text.erase(at, 1);
    }
  }
  return text;
}

// Accepts and reads exactly what a full JSON parser does, restricted to flat objects.
RC_GTEST_PROP(ParseTags, AgreesWithAFullParser, ()) {
  std::string text = MaybeBrokenObject();
  bool nested = false;  // anywhere, also under a key that stands twice and is overwritten
  json parsed = json::parse(
      text,
      [&nested](int depth, json::parse_event_t event, const json&) {
        nested |= depth > 0 && (event == json::parse_event_t::object_start ||
                                event == json::parse_event_t::array_start);
        return true;
      },
      false);
  bool flat = parsed.is_object() && !nested;
  std::map<std::string, std::string> expected;
  if (flat) {
    for (const auto& [key, value] : parsed.items()) {
      if (value.is_string()) expected[key] = value.get<std::string>();
    }
  }
  Result<Tags> tags = ParseTags(text);
  RC_LOG() << text << "\n";
  RC_ASSERT(tags.has_value() == flat);
  if (!flat) return;
  std::map<std::string, std::string>
      last;  // of a key that stands twice the full parser keeps the last
  for (const auto& [key, value] : *tags) last[key] = value;
  for (const auto& [key, value] : expected) RC_ASSERT(last.at(key) == value);
}

// What is written comes back, and TagValue sees what ParseTags sees.
RC_GTEST_PROP(ParseTags, ReadsBackWhatWasWritten, ()) {
  std::map<std::string, std::string> tags;
  int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    auto text = [] { return *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)); };
    tags[text() + "\u00fc"] = text() + "\U0001F600";
  }
  std::string written = "{";
  for (const auto& [key, value] : tags) {
    if (written.size() > 1) written += ",";
    AppendJsonString(key, &written);
    written += ":";
    AppendJsonString(value, &written);
  }
  written += "}";
  Result<Tags> read = ParseTags(written);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == Tags(tags.begin(), tags.end()));
  for (const auto& [key, value] : tags) RC_ASSERT(TagValue(written, key) == value);
}

}  // namespace
}  // namespace flyball::signature
