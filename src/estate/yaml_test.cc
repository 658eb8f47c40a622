#include "estate/yaml.h"

#include <gtest/gtest.h>

#include "estate/estate.h"

namespace flyball::estate {
namespace {

Result<YamlNode> Parse(std::string_view text) {
  YamlBudget budget;
  return ParseYaml(text, "f.yaml", budget);
}

Error ErrorOf(std::string_view text) {
  Result<YamlNode> node = Parse(text);
  EXPECT_FALSE(node) << text.substr(0, 100);
  return node ? Error{} : node.error();
}

TEST(Yaml, KeepsScalarsAsTheyAreWrittenAndWhereTheyStand) {
  auto node = Parse("a: 0x10\nb:\n  - yes\n  - 'x y'\nc: ~\n");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->Find("a")->scalar, "0x10");
  EXPECT_EQ(node->Find("b")->items.at(0).scalar, "yes");
  EXPECT_EQ(node->Find("b")->items.at(1).line, 4);
  EXPECT_EQ(node->Find("b")->items.at(1).column, 5);
  EXPECT_EQ(node->Find("c")->kind, YamlNode::Kind::kNull);
  EXPECT_EQ(node->Find("d"), nullptr);
}

TEST(Yaml, EmptyTextIsNothing) {
  for (const char* text : {"", "\n\n", "# only a comment\n"}) {
    auto node = Parse(text);
    ASSERT_TRUE(node) << text;
    EXPECT_EQ(node->kind, YamlNode::Kind::kNull);
  }
}

TEST(Yaml, DuplicateKeysAreErrorsAtTheSecond) {
  Error error = ErrorOf("teams: []\nname: x\nteams: []\n");
  EXPECT_EQ(error.code, Code::kInvalidArgument);
  EXPECT_EQ(error.place.line, 3);
  EXPECT_EQ(error.place.column, 1);
  EXPECT_NE(error.message.find("teams"), std::string::npos);
}

TEST(Yaml, BrokenTextNamesTheLine) {
  EXPECT_EQ(ErrorOf("a: [1, 2\nb: 3\n").place.file, "f.yaml");
  EXPECT_GE(ErrorOf("a: 1\n b: 2\n").place.line, 1);
  EXPECT_EQ(ErrorOf("a: 1\n---\nb: 2\n").code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf("a: \"unterminated\n").code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf("{[a]: 1}").code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf("a: !python/object x\n").code, Code::kInvalidArgument);
  Error utf8 = ErrorOf("a: 1\nb: \xff\n");
  EXPECT_EQ(utf8.place.line, 2);
  EXPECT_EQ(ErrorOf(std::string_view("a\0b", 3)).code, Code::kInvalidArgument);
}

TEST(Yaml, AliasesAreCopiesThatCount) {
  auto node = Parse("a: &x {k: [1, 2]}\nb: *x\nc: *x\n");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->Find("c")->Find("k")->items.at(1).scalar, "2");
}

TEST(Yaml, ABombEndsAtTheLimitOfNodes) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string before = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j == 0 ? "*a" : ", *a") + before;
    bomb += "]\n";
  }
  Error error = ErrorOf(bomb);
  EXPECT_EQ(error.code, Code::kInvalidArgument);
  EXPECT_GT(error.place.line, 1);
}

TEST(Yaml, RecursionIsAnError) {
  EXPECT_EQ(ErrorOf("a: &a [*a]\n").code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf("a: &a {b: {c: *a}}\n").code, Code::kInvalidArgument);
}

TEST(Yaml, DepthEndsAtTheLimitAlsoThroughAliases) {
  std::string deep;
  for (int i = 0; i < kEstateMaxDepth + 1; ++i) deep += "[";
  EXPECT_EQ(ErrorOf(deep).code, Code::kInvalidArgument);
  std::string chain = "a0: &a0 x\n";
  for (int i = 1; i < 40; ++i) {
    std::string n = std::to_string(i);
    chain += "a" + n + ": &a" + n + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_EQ(ErrorOf(chain).code, Code::kInvalidArgument);
}

TEST(Yaml, HugeTextsEndQuickly) {
  EXPECT_EQ(ErrorOf(std::string(kEstateMaxBytes + 1, 'x')).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf(std::string(kEstateMaxBytes, '[')).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf(std::string(kEstateMaxBytes, '{')).code, Code::kInvalidArgument);
  std::string lines;
  while (lines.size() + 4 <= kEstateMaxBytes) lines += "- x\n";
  EXPECT_EQ(ErrorOf(lines).code, Code::kInvalidArgument);
  std::string dashes;
  while (dashes.size() + 2 <= kEstateMaxBytes) dashes += "- ";
  EXPECT_EQ(ErrorOf(dashes).code, Code::kInvalidArgument);
  std::string broken;
  while (broken.size() + 2 <= kEstateMaxBytes) broken += "[\n";
  EXPECT_EQ(ErrorOf(broken).code, Code::kInvalidArgument);
  std::string questions;
  while (questions.size() + 2 <= kEstateMaxBytes) questions += "? ";
  EXPECT_EQ(ErrorOf(questions).code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace flyball::estate
