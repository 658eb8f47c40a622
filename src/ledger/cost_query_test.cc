#include "ledger/cost_query.h"

#include <gtest/gtest.h>

#include "model/dimension.h"

namespace flyball::ledger {
namespace {

std::string WhereError(std::string_view text) {
  Result<std::vector<Filter>> filters = ParseWhere(text);
  return filters ? "" : filters.error().message;
}
std::string JsonError(std::string_view text) {
  Result<CostQuery> query = ParseQueryJson(text);
  return query ? "" : query.error().message + " | " + query.error().hint;
}
CostQuery Billed() {
  CostQuery query;
  query.measures = {"billed_cost"};
  return query;
}
std::string ValidateError(const CostQuery& query) {
  Status status = Validate(query);
  return status ? "" : status.error().message + " | " + status.error().hint;
}

TEST(ParseWhere, ReadsFilters) {
  auto filters = ParseWhere(" provider = AWS ; team=search,ads;tag:env!=dev;");
  ASSERT_TRUE(filters.has_value()) << filters.error().ToString();
  std::vector<Filter> expected = {
      {"provider", false, {"AWS"}}, {"team", false, {"search", "ads"}}, {"tag:env", true, {"dev"}}};
  EXPECT_EQ(*filters, expected);
  EXPECT_TRUE(ParseWhere("")->empty());
  EXPECT_TRUE(ParseWhere("  ")->empty());
}

TEST(ParseWhere, Escapes) {
  auto filters = ParseWhere(R"(tag:a\=b=x\,y,\!z,c\;d,e\\,\ f\ )");
  ASSERT_TRUE(filters.has_value()) << filters.error().ToString();
  EXPECT_EQ((*filters)[0], (Filter{"tag:a=b", false, {"x,y", "!z", "c;d", "e\\", " f "}}));
  EXPECT_EQ(*ParseWhere(FormatWhere(*filters)), *filters);
  EXPECT_EQ(ParseWhere("service=Amazon Simple Storage Service")->at(0).values[0],
            "Amazon Simple Storage Service");
}

TEST(ParseWhere, ErrorsSayTheColumn) {
  EXPECT_EQ(WhereError("provider"), "filter: '=' or '!=' is missing after 'provider' at column 9");
  EXPECT_EQ(WhereError("=AWS"), "filter: a dimension is missing at column 1");
  EXPECT_EQ(WhereError("team="), "filter: a value is missing for 'team' at column 6");
  EXPECT_EQ(WhereError("team=a,,b"), "filter: a value is missing for 'team' at column 8");
  EXPECT_EQ(WhereError("a=b=c"), "filter: an unescaped '=' stands in a value of 'a' at column 4");
  EXPECT_EQ(WhereError("a!b"), "filter: '=' or '!=' is missing after 'a' at column 3");
  EXPECT_EQ(WhereError("a=b\\"), "filter: a backslash ends the text at column 5");
  EXPECT_EQ(WhereError("a=b\\c"),
            "filter: a backslash stands before a character that needs none at column 4");
  EXPECT_EQ(WhereError("团队=搜索,"), "filter: a value is missing for '团队' at column 7");
  EXPECT_EQ(WhereError("a=\xff"), "filter: byte 3 is not valid UTF-8");
  EXPECT_NE(WhereError(std::string(kQueryMaxBytes + 1, 'a')), "");
}

TEST(QueryJson, ReadsEveryField) {
  auto query = ParseQueryJson(
      R"({"measures":["billed_cost","usage"],"by":["provider","tag:cost center"],"grain":"week",
          "from":"2026-10","to":"2026-11-02T05:00:00Z","where":[{"dimension":"team","not":true,"values":["b","a"]}],
          "top":5,"basis":"list","as_of":"12ab"})");
  ASSERT_TRUE(query.has_value()) << query.error().ToString();
  EXPECT_EQ(
      CanonicalJson(*query),
      R"({"measures":["billed_cost","usage"],"by":["provider","tag:cost center"],"grain":"week",)"
      R"("from":"2026-10-01T00:00:00Z","to":"2026-11-02T05:00:00Z",)"
      R"("where":[{"dimension":"team","not":true,"values":["a","b"]}],)"
      R"("top":5,"basis":"list","as_of":"12ab"})");
}

TEST(QueryJson, EqualQuestionsHaveEqualHashes) {
  auto a = ParseQueryJson(
      R"({"measures":["billed_cost"],"where":"team=b,a,a;provider=AWS","top":0,"by":[]})");
  auto b = ParseQueryJson(
      R"({"where":[{"dimension":"provider","values":["AWS"]},{"values":["a","b"],"dimension":"team","not":false}],
          "basis":"effective","grain":"none","measures":["billed_cost"]})");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(QueryHash(*a), QueryHash(*b));
  EXPECT_EQ(QueryHash(*a).size(), 64u);
  CostQuery plain = Billed();
  EXPECT_EQ(CanonicalJson(plain), R"({"measures":["billed_cost"]})");
  EXPECT_NE(QueryHash(plain), QueryHash(*a));
}

TEST(QueryJson, IsStrict) {
  EXPECT_EQ(JsonError(R"({"measures":["billed_cost"],"grains":"day"})"),
            "unknown field 'grains' | did you mean 'grain'?");
  EXPECT_EQ(
      JsonError(R"({"measures":["billed_cost"],"where":[{"dimension":"team","value":["a"]}]})"),
      "where[0]: unknown field 'value' | did you mean 'values'?");
  EXPECT_EQ(JsonError(R"({"measures":["billed_cost"],"measures":["usage"]})"),
            "the query is not valid: the field 'measures' stands twice | ");
  EXPECT_EQ(JsonError(R"({"measures":"billed_cost"})"),
            "measures: a list of texts is expected, not string | ");
  EXPECT_EQ(JsonError(R"({"measures":["billed_cost"],"top":1.5})"),
            "top: a whole number is expected, not 1.5 | ");
  EXPECT_NE(JsonError(R"({"measures":["billed_cost"],"top":18446744073709551615})"), "");
  EXPECT_EQ(JsonError("{\n  \"measures\": [,]}"),
            "the query is not valid JSON at line 2, column 16 | a JSON object is expected");
  EXPECT_EQ(JsonError("[]"), "the query is array, a JSON object is expected | ");
  EXPECT_EQ(JsonError(R"({"by":["team"]})"),
            "measures: none is given | ask for effective_cost, for example");
  EXPECT_NE(JsonError(R"({"measures":["billed_cost"],"from":"yesterday"})"), "");
  EXPECT_NE(JsonError(std::string(1000, '[')), "");
  EXPECT_NE(JsonError(std::string(kQueryMaxBytes + 1, ' ')), "");
}

TEST(Validate, NamesTheNearestWord) {
  CostQuery query = Billed();
  EXPECT_EQ(ValidateError(query), "");
  query.measures = {"biled_cost"};
  EXPECT_EQ(ValidateError(query),
            "measures: 'biled_cost' is no measure | did you mean 'billed_cost'?");
  query = Billed();
  query.by = {"provdier"};
  EXPECT_EQ(ValidateError(query), "by: 'provdier' is no dimension | did you mean 'provider'?");
  query.by = {"team", "team"};
  EXPECT_EQ(ValidateError(query), "by: 'team' stands twice | ");
  query.by = {"period"};
  EXPECT_EQ(ValidateError(query),
            "by: 'period' is no dimension to ask for | give a grain (hour, day, week, month)");
  query.by = {"tag:"};
  EXPECT_EQ(ValidateError(query), "by: 'tag:' names no key | write tag:KEY");
  query.by = {"team", "provider", "service", "account", "region",
              "sku",  "resource", "driver",  "stage"};
  EXPECT_EQ(ValidateError(query), "by: more than 8 dimensions | ");
  query = Billed();
  query.basis = "efective";
  EXPECT_EQ(ValidateError(query), "basis: 'efective' is no basis | did you mean 'effective'?");
  query = Billed();
  query.where = {{"team", false, {}}};
  EXPECT_EQ(ValidateError(query), "where: 'team' has no value | ");
  query = Billed();
  query.from = query.to = ToInstant({2026, 10, 1});
  EXPECT_EQ(
      ValidateError(query),
      "to: 2026-10-01T00:00:00Z is not after from, 2026-10-01T00:00:00Z | a period is [from, to): "
      "`to` is the first instant after it");
  query = Billed();
  query.top = -1;
  EXPECT_EQ(ValidateError(query), "top: -1 is outside of 0 to 1000000 | 0 means all");
  query = Billed();
  query.as_of = "latest";
  EXPECT_NE(ValidateError(query), "");
}

TEST(Schema, ListsEveryDimensionAndMeasure) {
  std::string schema(QueryJsonSchema());
  for (const dimension::Info& info : dimension::Dimensions()) {
    if (info.kind == dimension::Kind::kPeriod || info.kind == dimension::Kind::kTag) continue;
    EXPECT_NE(schema.find('"' + std::string(info.name) + '"'), std::string::npos) << info.name;
  }
  for (std::string_view name : MeasureNames()) {
    EXPECT_NE(schema.find('"' + std::string(name) + '"'), std::string::npos) << name;
  }
  EXPECT_NE(schema.find("https://json-schema.org/draft/2020-12/schema"), std::string::npos);
}

TEST(Measures, HaveScales) {
  EXPECT_EQ(MeasureScale("billed_cost"), 12);
  EXPECT_EQ(MeasureScale("usage"), 15);
  EXPECT_EQ(MeasureScale("charges"), 0);
  EXPECT_EQ(MeasureScale("joy"), -1);
  EXPECT_EQ(BasisMeasure("contracted"), "contracted_cost");
  EXPECT_EQ(BasisMeasure("x"), "");
}

TEST(PeriodLabels, ByGrain) {
  Instant monday = ToInstant({2026, 10, 5});
  EXPECT_EQ(PeriodLabel(Grain::kHour, monday), "2026-10-05T00:00:00Z");
  EXPECT_EQ(PeriodLabel(Grain::kWeek, monday), "2026-10-05");
  EXPECT_EQ(PeriodLabel(Grain::kMonth, monday), "2026-10");
}

constexpr int128 kUnitMoney = 1'000'000'000'000;

QueryAnswer TwoTeams() {
  QueryAnswer answer;
  answer.columns = {"period", "team"};
  answer.measures = {"billed_cost", "charges"};
  answer.rows = {{{"2026-10", "搜索"}, {kUnitMoney * 25 / 2, 3}, "USD"},
                 {{"2026-10", "say \"ads\", now"}, {-kUnitMoney / 8, 1}, "USD"}};
  answer.totals["USD"] = {kUnitMoney * 99 / 8, 4};
  answer.commit = "c0ffee";
  answer.query_hash = "abc";
  answer.read_from = "cube";
  return answer;
}

TEST(AnswerJson, OneCurrency) {
  EXPECT_EQ(
      AnswerJson(TwoTeams()),
      "{\"rows\":[\n"
      "{\"period\":\"2026-10\",\"team\":\"搜索\",\"billed_cost\":\"12.5\",\"charges\":\"3\"},\n"
      "{\"period\":\"2026-10\",\"team\":\"say \\\"ads\\\", "
      "now\",\"billed_cost\":\"-0.125\",\"charges\":\"1\"}],\n"
      "\"totals\":{\"billed_cost\":\"12.375\",\"charges\":\"4\"},"
      "\"totals_by_currency\":{\"USD\":{\"billed_cost\":\"12.375\",\"charges\":\"4\"}},"
      "\"commit\":\"c0ffee\",\"query_hash\":\"abc\",\"read_from\":\"cube\",\"currency\":\"USD\"}"
      "\n");
}

TEST(AnswerJson, SeveralCurrenciesAreNeverAdded) {
  QueryAnswer answer;
  answer.measures = {"billed_cost"};
  answer.rows = {{{}, {kUnitMoney}, "EUR"}, {{}, {kUnitMoney * 2}, "USD"}};
  answer.totals = {{"EUR", {kUnitMoney}}, {"USD", {kUnitMoney * 2}}};
  EXPECT_EQ(AnswerJson(answer),
            "{\"rows\":[\n{\"currency\":\"EUR\",\"billed_cost\":\"1\"},\n{\"currency\":\"USD\","
            "\"billed_cost\":\"2\"}],\n"
            "\"totals\":null,\"totals_by_currency\":{\"EUR\":{\"billed_cost\":\"1\"},\"USD\":{"
            "\"billed_cost\":\"2\"}},"
            "\"commit\":\"\",\"query_hash\":\"\",\"read_from\":\"\",\"currency\":null}\n");
}

TEST(AnswerJson, NoRows) {
  QueryAnswer answer;
  answer.measures = {"billed_cost"};
  EXPECT_EQ(AnswerJson(answer),
            "{\"rows\":[],\n\"totals\":{\"billed_cost\":\"0\"},\"totals_by_currency\":{},"
            "\"commit\":\"\",\"query_hash\":\"\",\"read_from\":\"\",\"currency\":null}\n");
}

TEST(AnswerJson, UnitsDoNotAddUp) {
  constexpr int128 kUnit = 1'000'000'000'000'000;
  QueryAnswer answer;
  answer.columns = {"unit"};
  answer.measures = {"usage"};
  answer.rows = {{{"Hours"}, {kUnit * 2}, "USD"}, {{"Tokens"}, {kUnit * 3}, "USD"}};
  answer.totals = {{"USD", {kUnit * 5}}};
  std::string json = AnswerJson(answer);
  EXPECT_NE(json.find(R"("totals":{"usage":null})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("usage_by_unit":{"Hours":"2","Tokens":"3"})"), std::string::npos) << json;
}

TEST(AnswerTable, AlignsPointsAndWideCharacters) {
  EXPECT_EQ(AnswerTable(TwoTeams()),
            "period   team            currency  billed_cost  charges\n"
            "-------  --------------  --------  -----------  -------\n"
            "2026-10  搜索            USD            12.500        3\n"
            "2026-10  say \"ads\", now  USD            -0.125        1\n"
            "-------  --------------  --------  -----------  -------\n"
            "total                    USD            12.375        4\n");
}

TEST(AnswerTable, ControlCharactersDoNotReachTheTerminal) {
  QueryAnswer answer = TwoTeams();
  answer.rows[0].dimensions[1] = "\x1b[2J\xC2\x9B";
  std::string table = AnswerTable(answer);
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_NE(table.find("\xEF\xBF\xBD[2J\xEF\xBF\xBD "), std::string::npos) << table;
}

TEST(AnswerCsv, QuotesAndKeepsValues) {
  EXPECT_EQ(AnswerCsv(TwoTeams()),
            "period,team,currency,billed_cost,charges\n"
            "2026-10,搜索,USD,12.5,3\n"
            "2026-10,\"say \"\"ads\"\", now\",USD,-0.125,1\n");
}

}  // namespace
}  // namespace flyball::ledger
