#include "case_file.h"

#include <gtest/gtest.h>

namespace flyball::cases {
namespace {

std::optional<Shape> ShapeOfVerb(const std::string& verb) {
  if (verb == "estate") return Shape::kInput;
  if (verb == "import") return Shape::kPlain;
  if (verb == "query") return Shape::kOutput;
  return std::nullopt;
}

constexpr const char* kText =
    "# name: a name\n"
    "# description: words\n"
    "\n"
    "estate other.yaml\n"
    "a: 1\n"
    "\n"
    "b: 2\n"
    "----\n"
    "\n"
    "import x.csv source=aws\n"
    "rows_in 1\n"
    "rows_kept 1\n"
    "\n"
    "# between\n"
    "query --where 'team=a b'\n"
    "read_from cube\n"
    "----\n"
    "a | 1\n"
    "b \\| c | 2\n"
    "\n"
    "query\n"
    "----\n";

TEST(CaseFile, ReadsTheThreeShapes) {
  auto file = ParseCase("x.test", kText, ShapeOfVerb);
  ASSERT_TRUE(file.has_value()) << file.error().ToString();
  EXPECT_EQ(file->name, "a name");
  EXPECT_EQ(file->description, "words");
  ASSERT_EQ(file->statements.size(), 4u);
  const Statement& estate = file->statements[0];
  EXPECT_EQ(estate.args, std::vector<std::string>{"other.yaml"});
  EXPECT_EQ(estate.block, (std::vector<std::string>{"a: 1", "", "b: 2"}));
  EXPECT_EQ(file->statements[1].expected_facts,
            (std::vector<std::string>{"rows_in 1", "rows_kept 1"}));
  const Statement& query = file->statements[2];
  EXPECT_EQ(query.line, 15);
  EXPECT_EQ(query.args, (std::vector<std::string>{"--where", "team=a b"}));
  EXPECT_EQ(query.expected_facts, std::vector<std::string>{"read_from cube"});
  ASSERT_EQ(query.expected_rows.size(), 2u);
  EXPECT_EQ(SplitCells(query.expected_rows[1]), (std::vector<std::string>{"b | c", "2"}));
  EXPECT_EQ(JoinCells({"b | c", "2"}), query.expected_rows[1]);
  EXPECT_TRUE(file->statements[3].has_rows);
  EXPECT_TRUE(file->statements[3].expected_rows.empty());
}

TEST(CaseFile, IsRewrittenInPlace) {
  auto file = ParseCase("x.test", kText, ShapeOfVerb);
  ASSERT_TRUE(file.has_value());
  std::vector<Rewrite> same;
  for (const Statement& statement : file->statements) {
    same.push_back({&statement, statement.expected_facts, statement.expected_rows});
  }
  EXPECT_EQ(RewriteCase(*file, same), kText);
  same[1].facts = {"rows_in 7"};
  same[3].rows = {"z | 9"};
  std::string text = RewriteCase(*file, same);
  EXPECT_NE(text.find("source=aws\nrows_in 7\n\n# between"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("query\n----\nz | 9\n")) << text;
}

TEST(CaseFile, FaultsHaveAPlace) {
  auto unknown = ParseCase("x.test", "# name: a\n# description: b\n\ndance\n", ShapeOfVerb);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().place.line, 4);
  auto open = ParseCase("x.test", "# name: a\n# description: b\nestate\na: 1\n", ShapeOfVerb);
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error().place.line, 3);
  EXPECT_FALSE(ParseCase("x.test", "import x\n", ShapeOfVerb).has_value());
}

}  // namespace
}  // namespace flyball::cases
