// What is wrong in an estate is said with its place, what was found and what was expected.
#include <gtest/gtest.h>

#include "estate/test_rows.h"

namespace flyball::estate {
namespace {

struct Case {
  const char* text;
  int line;
  int column;
  const char* says;   // part of the message
  const char* hints;  // part of the hint
};

TEST(Errors, NameThePlaceWhatWasFoundAndWhatWasExpected) {
  const std::vector<Case> cases = {
      {"teems: []\n", 1, 1, "'teems' is no key of an estate", "did you mean 'teams'?"},
      {"- a\n", 1, 1, "found a list where an estate is expected", ""},
      {"name: [a]\n", 1, 7, "found a list where the name of the estate", ""},
      {"currency: dollars\n", 1, 11, "found 'dollars' where a currency", "USD"},
      {"fiscal_year_start: 13\n", 1, 20, "found '13' where a month", "April"},
      {"teams: search\n", 1, 8, "found 'search' where a list of teams", "- "},
      {"teams:\n  - name: Search\n", 2, 5, "with an `id`", ""},
      {"teams:\n  - id: a\n    ower: b\n", 3, 5, "'ower' is no key of a team", "'owner'"},
      {"teams: [a, b, A]\n", 1, 15, "names two teams", ""},
      {"teams:\n  - {id: a, aliases: [x]}\n  - {id: b, aliases: [X]}\n", 3, 5, "'X' names two", ""},
      {"teams: [search]\nprojects:\n  - {id: p, team: serach}\n", 3, 19,
       "'serach' is no team of this estate", "did you mean 'search'?"},
      {"use_cases:\n  - {id: u, stage: serving}\n", 2, 20, "'serving' is no lifecycle stage",
       "serve"},
      {"use_cases:\n  - {id: u, status: paused}\n", 2, 5, "paused without a reason", "reason"},
      {"use_cases:\n  - {id: u, target_cost: $12}\n", 2, 26, "found '$12' where a cost a month",
       "12500"},
      {"use_cases:\n  - {id: u, target_cost: -1}\n", 2, 26, "not negative", ""},
      {"use_cases:\n  - {id: u, target_unit_cost: 1}\n", 2, 5, "without a unit", "1000 answers"},
      {"rules:\n  - match: {}\n", 2, 5, "`match` and `set`", ""},
      {"rules:\n  - {match: {}, set: {tem: a}}\n", 2, 23, "'tem' is no dimension", "'team'"},
      {"rules:\n  - {match: {}, set: {driver: gpus}}\n", 2, 31, "'gpus' is no driver", "hardware"},
      {"rules:\n  - {match: {}, set: {}}\n", 2, 22, "at least one dimension", ""},
      {"rules:\n  - {match: {SericeName: a}, set: {team: a}}\n", 2, 14,
       "'SericeName' is nothing that a rule can look at", "'ServiceName'"},
      {"rules:\n  - {match: {BilledCost: 1}, set: {team: a}}\n", 2, 14, "BilledCost", ""},
      {"rules:\n  - {match: {'tag:': 1}, set: {team: a}}\n", 2, 14, "tag:", "tag:KEY"},
      {"rules:\n  - {match: {ServiceName: }, set: {team: a}}\n", 2, 27, "found nothing", "present"},
      {"rules:\n  - {match: {ServiceName: {prefx: a}}, set: {team: a}}\n", 2, 28, "'prefx'",
       "'prefix'"},
      {"rules:\n  - {match: {ServiceName: {regex: '('}}, set: {team: a}}\n", 2, 35,
       "no regular expression", "RE2"},
      {"rules:\n  - {match: {ServiceName: {regex: '(?=x)'}}, set: {team: a}}\n", 2, 35,
       "no regular expression", "look-ahead"},
      {"rules:\n  - {match: {ServiceName: {present: maybe}}, set: {team: a}}\n", 2, 37,
       "true or false", ""},
      {"teams: [search]\nrules:\n  - {match: {}, set: {team: serch}}\n", 3, 29,
       "'serch' is no team", "'search'"},
      {"rules:\n  - {match: {}, set: {team: {fro: x}}}\n", 2, 30, "'fro'", "'from'"},
      {"rules:\n  - {match: {}, set: {team: {from: tag}}}\n", 2, 36, "'tag'", ""},
      {"rules:\n  - {match: {any: []}, set: {team: a}}\n", 2, 19, "at least one", ""},
      {"tags: {teem: a}\n", 1, 8, "'teem' is no dimension", "'team'"},
      {"include: ../other.yaml\n", 1, 10, "'../other.yaml'", "no '..'"},
      {"include: [/etc/passwd]\n", 1, 11, "'/etc/passwd'", ""},
      {"name: a\nname: b\n", 2, 1, "stands twice", ""},
  };
  for (const Case& c : cases) {
    TempEstate home;
    home.Write("estate.yaml", c.text);
    auto rules = home.Compile();
    ASSERT_FALSE(rules) << c.text;
    const Error& error = rules.error();
    EXPECT_EQ(error.code, Code::kInvalidArgument) << error.ToString();
    EXPECT_EQ(error.place.file, "estate.yaml") << c.text;
    EXPECT_EQ(error.place.line, c.line) << c.text << error.ToString();
    EXPECT_EQ(error.place.column, c.column) << c.text << error.ToString();
    EXPECT_NE(error.message.find(c.says), std::string::npos) << error.ToString();
    EXPECT_NE(error.hint.find(c.hints), std::string::npos) << error.ToString();
  }
}

TEST(Errors, AStoredSnapshotPointsAtItsOriginToo) {
  TempEstate home;
  home.Write("estate.yaml", "include: teams.yaml\n");
  home.Write("teams.yaml", "teams: [a]\n");
  std::string snapshot = LoadEstate(home.files(), home.path("estate.yaml")).value();
  size_t at = snapshot.find("teams: [a]");
  snapshot.replace(at, 10, "teams: {a}");
  auto rules = RuleSet::Compile(snapshot);
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().place.file, "teams.yaml");
  EXPECT_EQ(rules.error().place.line, 1);
}

TEST(Includes, AreReadInOrderAfterTheFileThatNamesThem) {
  TempEstate home;
  home.Write("estate.yaml",
             "include: [teams.yaml, rules/aws.yaml]\n"
             "rules: [{match: {ServiceName: A}, set: {team: search}}]\n");
  home.Write("teams.yaml", "teams: [search, ads]\ncurrency: EUR\n");
  home.Write("rules/aws.yaml", "rules: [{match: {}, set: {team: ads}}]\n");
  auto rules = home.Compile();
  ASSERT_TRUE(rules) << rules.error().ToString();
  EXPECT_EQ((*rules)->estate().currency, "EUR");
  RowOf a{{"ServiceName", "A"}};
  EXPECT_EQ((*rules)->Assign(a.values())[dimension::kTeam], "search");
  RowOf b{{"ServiceName", "B"}};
  EXPECT_EQ((*rules)->Explain(b.values())[dimension::kTeam], "rules/aws.yaml:1");
}

TEST(Includes, TwiceInACircleOrMissingAreErrors) {
  TempEstate home;
  home.Write("estate.yaml", "name: x\ninclude:\n  - a.yaml\n");
  EXPECT_EQ(home.Compile().error().place.line, 3);
  home.Write("a.yaml", "include: estate.yaml\n");
  EXPECT_NE(home.Compile().error().message.find("included twice"), std::string::npos);
  home.Write("a.yaml", "include: [b.yaml]\n");
  home.Write("b.yaml", "name: again\n");
  EXPECT_NE(home.Compile().error().message.find("second time"), std::string::npos);
}

TEST(Includes, NeverLeaveTheFolderThroughALink) {
  TempEstate home;
  TempEstate elsewhere;
  elsewhere.Write("secret.yaml", "teams: [stolen]\n");
  home.Write("inside.yaml", "teams: [mine]\n");
  home.Write("estate.yaml", "include: link.yaml\n");
  std::filesystem::create_symlink(elsewhere.path("secret.yaml"), home.path("link.yaml"));
  auto rules = home.Compile();
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().code, Code::kPermissionDenied);
  EXPECT_EQ(rules.error().place.line, 1);
  std::filesystem::remove(home.path("link.yaml"));
  std::filesystem::create_symlink("inside.yaml", home.path("link.yaml"));
  EXPECT_TRUE(home.Compile());
}

TEST(Limits, FilesShareOneBudgetOfValues) {
  TempEstate home;
  std::string half = "tags:\n  team: [";
  for (int i = 0; i < kEstateMaxNodes / 2; ++i) half += "a,";
  half += "a]\n";
  home.Write("estate.yaml", "include: more.yaml\n" + half);
  home.Write("more.yaml", "teams: []\n");
  EXPECT_TRUE(home.Compile());
  home.Write("more.yaml", half);
  auto rules = home.Compile();
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().code, Code::kInvalidArgument);
  EXPECT_EQ(rules.error().place.file, "more.yaml");
}

TEST(Limits, FilesBytesAndRulesEndInErrors) {
  TempEstate home;
  std::string includes = "include:\n";
  for (int i = 0; i <= kEstateMaxIncludes; ++i) {
    std::string name = "f" + std::to_string(i) + ".yaml";
    home.Write(name, "");
    includes += "  - " + name + "\n";
  }
  home.Write("estate.yaml", includes);
  EXPECT_EQ(home.Compile().error().code, Code::kInvalidArgument);
  home.Write("estate.yaml", std::string(kEstateMaxBytes + 1, '#'));
  EXPECT_EQ(home.Compile().error().code, Code::kInvalidArgument);
  std::string rules = "rules:\n";
  for (int i = 0; i <= kEstateMaxRules; ++i) rules += "- {match: {}, set: {team: a}}\n";
  home.Write("estate.yaml", rules);
  EXPECT_EQ(home.Compile().error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace flyball::estate
