#include "check/json_check.h"

#include <gtest/gtest.h>

namespace flyball::check {
namespace {

using Kind = JsonTest::Kind;

bool Keeps(Kind kind, const char* path, const char* value, const char* cell) {
  JsonTest test;
  test.kind = kind;
  test.path = ParseJsonPath(path).value();
  test.value = value;
  test.null = kind <= Kind::kNotValue && test.value.empty();
  test.ignore = {"Id"};
  JsonRule rule;
  rule.must = {test};
  return KeepsJsonRule(rule, cell, [](const std::string&) { return std::string_view("me"); });
}

TEST(JsonCheck, EveryTest) {
  const struct {
    Kind kind;
    const char* path;
    const char* value;
    const char* good;
    const char* bad;
  } cases[] = {
      {Kind::kValue, "$.E[*].A", "", R"({"E":[{},{"A":null}]})", R"({"E":[{},{"A":1}]})"},
      {Kind::kValue, "$.E[*].A", "x", R"({"E":[{"A":"x"}]})", R"({"E":[{"A":"x"},{}]})"},
      {Kind::kNotValue, "$.E[*].A", "", R"({"E":[{"A":0}]})", R"({"E":[{"A":0},{}]})"},
      {Kind::kExists, "$.E[*].A", "", R"({"E":[{"A":null}]})", R"({"E":[{"B":1}]})"},
      {Kind::kType, "$.E", "Array", R"({"E":[]})", R"({"F":[]})"},
      {Kind::kType, "$.E[*]", "Object", R"({"E":[{}]})", R"({"E":[{},1]})"},
      {Kind::kType, "$.E[*].A", "Decimal", R"({"E":[{"A":1.5},{}]})", R"({"E":[{"A":"1.5"}]})"},
      {Kind::kType, "$.E[*].A", "String", R"({"E":[{"A":"a"}]})", R"({"E":[{"A":1}]})"},
      {Kind::kNumeric, "$.E[*].A", "", R"({"E":[{"A":"1.5"}]})", R"({"E":[{"A":"1,5"}]})"},
      {Kind::kString, "$.E[*].A", "", R"({"E":[{"A":"a"}]})", R"({"E":[{"A":" "}]})"},
      {Kind::kUnit, "$.E[*].A", "", R"({"E":[{"A":"Hours"}]})", R"({"E":[{"A":"Hour"}]})"},
      {Kind::kKeyValue, "$.E[*]", "", R"({"E":[{"A":1}]})", R"({"E":[{"A":[1]}]})"},
      {Kind::kKeyPrefix, "$.E[*]", "x_", R"({"E":[{"Id":1,"x_a":2}]})", R"({"E":[{"a":2}]})"},
      {Kind::kColumn, "$.E[*].A", "ResourceId", R"({"E":[{"A":"me"}]})", R"({"E":[{"A":"you"}]})"},
  };
  for (const auto& one : cases) {
    EXPECT_TRUE(Keeps(one.kind, one.path, one.value, one.good)) << one.good;
    EXPECT_FALSE(Keeps(one.kind, one.path, one.value, one.bad)) << one.bad;
  }
  EXPECT_TRUE(Keeps(Kind::kExists, "$.E[*].A", "", "no json"));
  EXPECT_TRUE(Keeps(Kind::kExists, "$.E[*].A", "", R"({"E":7})"));
}

TEST(JsonCheck, Paths) {
  EXPECT_EQ(ParseJsonPath("$.A.B[*].C").value(), (JsonPath{{"A", "B"}, {"C"}, true}));
  EXPECT_EQ(ParseJsonPath("$").value(), (JsonPath{}));
  for (const char* wrong : {"", "A", "$A", "$.", "$..A", "$.A[0]", "$.A[*][*]", "$.A[*].B[*]"}) {
    EXPECT_FALSE(ParseJsonPath(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace flyball::check
