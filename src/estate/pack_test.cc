// The shipped pack against cases that people wrote down, and against a real bill.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "base/money.h"
#include "base/text.h"
#include "estate/decode.h"
#include "estate/snapshot.h"
#include "estate/test_rows.h"

namespace flyball::estate {
namespace {

std::shared_ptr<const RuleSet> Pack() {
  static const auto rules = RuleSet::Compile(ShippedPack());
  EXPECT_TRUE(rules) << rules.error().ToString();
  return *rules;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Pack, EveryRuleHasANameOfItsOwn) {
  auto document = Decode(PackParts());
  ASSERT_TRUE(document) << document.error().ToString();
  std::set<std::string> origins;
  for (const RuleSpec& rule : document->pack_rules) {
    EXPECT_TRUE(origins.insert(rule.origin).second) << rule.origin << " stands twice";
    EXPECT_FALSE(rule.name.empty() && !rule.origin.starts_with("pack:tag."))
        << rule.origin << " has no name";
  }
  EXPECT_GT(origins.size(), 150u);
}

TEST(Pack, ClassifiesTheCases) {
  std::string text = ReadFile(FLYBALL_PACK_CASES);
  int cases = 0;
  for (std::string_view line : SplitText(text, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    std::vector<std::string_view> cells = SplitText(line, '\t');
    ASSERT_EQ(cells.size(), 8u) << line;
    RowOf row;
    constexpr std::array<std::string_view, 5> kColumns = {
        "ServiceProviderName", "ServiceName", "ServiceCategory", "SkuMeter", "ChargeDescription"};
    for (size_t i = 0; i < kColumns.size(); ++i) {
      if (!cells[i].empty()) row.Set(kColumns[i], std::string(cells[i]));
    }
    dimension::Assigned assigned = Pack()->Assign(row.values());
    auto why = Pack()->Explain(row.values());
    EXPECT_EQ(assigned[dimension::kDriver].value_or("-"), cells[5]) << line << "\n  " << why[0];
    EXPECT_EQ(assigned[dimension::kStage].value_or("-"), cells[6]) << line << "\n  " << why[1];
    EXPECT_EQ(assigned[dimension::kAiClass].value_or("-"), cells[7]) << line << "\n  " << why[2];
    ++cases;
  }
  EXPECT_GE(cases, 150);
}

TEST(Pack, ReadsTheModelFromMeters) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"gpt-4o-0806-Inp-glbl Tokens", "gpt-4o"},
      {"gpt-4o-mini-2024-07-18, input", "gpt-4o-mini"},
      {"us.anthropic.claude-sonnet-4-5-20250929-v1:0 input", "claude-sonnet-4-5"},
      {"Claude 3.5 Sonnet Input Tokens", "claude-3.5-sonnet"},
      {"Gemini 2.0 Flash Text Input - Predictions", "gemini-2.0-flash"},
      {"o3-mini output", "o3-mini"},
      {"meta.llama3-1-70b-instruct-v1:0", "llama3-1-70b-instruct"},
      {"text-embedding-3-small", "text-embedding-3-small"},
      {"S1 Transactions", "-"},
  };
  for (const auto& [meter, model] : cases) {
    RowOf row{{"ServiceName", "API"}, {"SkuMeter", meter}};
    EXPECT_EQ(Pack()->Assign(row.values())[dimension::kModel].value_or("-"), model) << meter;
  }
  RowOf stated{{"SkuMeter", "gpt-4o input"},
               {"SkuPriceDetails", R"({"ModelId":"gpt-4o-2024-11-20","TokenDirection":"Input"})"}};
  EXPECT_EQ(Pack()->Assign(stated.values())[dimension::kModel], "gpt-4o-2024-11-20");
}

TEST(Pack, TagsNamedLikeDimensionsAreStatements) {
  RowOf row{{"Tags", R"({"Environment":"dev","team":"search","application":"x"})"}};
  dimension::Assigned assigned = Pack()->Assign(row.values());
  EXPECT_EQ(assigned[dimension::kEnvironment], "dev");
  EXPECT_EQ(assigned[dimension::kTeam], "search");
  EXPECT_EQ(assigned[dimension::kProject], std::nullopt);
}

TEST(Pack, GuessesNothingFromNothing) {
  RowOf row{{"ServiceProviderName", "Zyxw"}, {"ServiceName", "Qqq"}, {"ServiceCategory", "Other"}};
  for (const auto& value : Pack()->Assign(row.values())) EXPECT_EQ(value, std::nullopt);
}

// Just enough CSV for a well-formed file.
std::vector<std::vector<std::string>> ReadCsv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    std::string& cell = rows.back().back();
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      cell += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      rows.back().emplace_back();
    } else if (c == '\n' && !quoted) {
      rows.push_back({""});
    } else if (c != '\r' || quoted) {
      cell += c;
    }
  }
  if (rows.back().size() == 1) rows.pop_back();
  return rows;
}

TEST(Pack, ClassifiesNinetyFivePercentOfARealBill) {
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  std::string path =
      std::string(shared == nullptr ? "" : shared) + "/focus/focus_sample_1.0_1000.csv";
  if (shared == nullptr || !std::filesystem::exists(path)) {
    GTEST_SKIP() << "the official FOCUS 1.0 sample is not here; set FLYBALL_SHARED_DATA";
  }
  std::vector<std::vector<std::string>> rows = ReadCsv(ReadFile(path));
  ASSERT_EQ(rows.size(), 1001u);
  Money all;
  Money classified;
  for (size_t r = 1; r < rows.size(); ++r) {
    RowOf row;
    Money cost;
    for (size_t c = 0; c < rows[0].size(); ++c) {
      const std::string& value = rows[r][c];
      if (value.empty() || value == "NULL") continue;
      if (rows[0][c] == "ListCost") cost = Money::Parse(value).value_or(Money{});
      row.Set(rows[0][c] == "ProviderName" ? "ServiceProviderName" : rows[0][c], value);
    }
    if (cost.units() < 0) cost = cost.Negated();
    dimension::Assigned assigned = Pack()->Assign(row.values());
    all = all.Plus(cost).value();
    bool whole = assigned[dimension::kDriver] && assigned[dimension::kStage] &&
                 assigned[dimension::kAiClass];
    if (whole) {
      classified = classified.Plus(cost).value();
    } else {
      std::string line;
      for (const std::string& cell : rows[r]) line += cell + ",";
      ADD_FAILURE() << "not classified: " << line;
    }
  }
  EXPECT_GE(classified.units() * 100, all.units() * 95);
  EXPECT_GT(all.units(), 0);
}

}  // namespace
}  // namespace flyball::estate
