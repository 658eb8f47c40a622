#include "ingest/native/texts.h"

#include <gtest/gtest.h>

#include "ingest/native/json_text.h"

namespace flyball::native {
namespace {

TEST(Texts, AddAndMultiplyExactly) {
  EXPECT_EQ(Plus("0.1", "0.2"), "0.3");
  EXPECT_EQ(Plus("", "1.0E-7"), "0.0000001");
  EXPECT_EQ(Minus("0.1", "0.07"), "0.03");
  EXPECT_EQ(Times("0.07", "3"), "0.21");
  EXPECT_EQ(Plus("x", "1"), "x");
  EXPECT_EQ(Plus("1", "y"), "y");
  EXPECT_EQ(Times("0.07", "z"), "z");
  EXPECT_EQ(Times("100000000", "100000000000000000000"), "too large a product or sum");
  EXPECT_EQ(Plus("99999999999999999999", "99999999999999999999"), "too large a product or sum");
  EXPECT_EQ(Plus("170000000000000000000", "1"), "too large a product or sum");
  EXPECT_TRUE(IsZero("") && IsZero("0.000") && !IsZero("x") && !IsZero("1e-9"));
}

TEST(Texts, ShiftKeepsEveryDigit) {
  EXPECT_EQ(Shifted("123.78912", -2), "123.78912E-2");
  EXPECT_EQ(Shifted("1E+3", -2), "1E1");
  EXPECT_EQ(Shifted("", -2), "");
  EXPECT_EQ(Shifted("1E999999999999", -2), "1E999999999999");
  EXPECT_EQ(Shifted("1Ex", -2), "1Ex");
}

TEST(Texts, Dates) {
  EXPECT_EQ(MonthOf("202610"), "2026-10-01T00:00:00Z");
  EXPECT_EQ(MonthAfter("2026-12"), "2027-01-01T00:00:00Z");
  EXPECT_EQ(MonthOf("10/31/2026"), "2026-10-01T00:00:00Z");
  EXPECT_EQ(MonthOf("202613"), "202613");
  EXPECT_EQ(DayAfter("2026-02-28"), "2026-03-01T00:00:00Z");
  EXPECT_EQ(DayAfter("soon"), "soon");
  EXPECT_EQ(HourAfter("2026-02-28T23:30:00Z"), "2026-03-01T00:30:00Z");
  EXPECT_EQ(OfEpoch("1790812800"), "2026-10-01T00:00:00Z");
  EXPECT_EQ(OfEpoch("99999999999999"), "99999999999999");
  EXPECT_EQ(OfEpoch(""), "");
  EXPECT_EQ(ExclusiveEnd("2026-10-31T23:59:59Z"), "2026-11-01T00:00:00Z");
  EXPECT_EQ(ExclusiveEnd("2026-10-31T23:00:00Z"), "2026-10-31T23:00:00Z");
}

TEST(JsonText, CutsObjectsAndArrays) {
  std::vector<JsonMember> members;
  ASSERT_TRUE(CutObject(R"( {"a" : 1.50, "b":{"c":[1,"}"]} , "d":"x\"y"} )", &members));
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].value, "1.50");
  EXPECT_EQ(members[1].value, R"({"c":[1,"}"]})");
  EXPECT_EQ(JsonTextOf(members[2].value), "x\"y");
  std::vector<std::string_view> elements;
  ASSERT_TRUE(CutArray("[1, [2], \"]\"]", &elements));
  EXPECT_EQ(elements.size(), 3u);
  EXPECT_TRUE(CutArray("[]", &elements) && elements.empty());
  for (const char* cut :
       {"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\" 1}", "{a:1}", "{\"a\":}", "[]x"}) {
    EXPECT_FALSE(CutObject(cut, &members)) << cut;
  }
}

TEST(JsonText, DocumentsBecomeLines) {
  std::string lines;
  bool more = false;
  ASSERT_TRUE(JsonDocumentToLines(R"({"object":"page","data":[
    {"start":1,"results":[{"v":1},{"v":2,"start":3}]},
    {"start":2,"results":[]}],"has_more":false}
    [{"w":"a
b"}])",
                                  &lines, &more));
  EXPECT_FALSE(more);
  EXPECT_EQ(lines, "{\"start\":1,\"v\":1}\n{\"v\":2,\"start\":3}\n{\"w\":\"a b\"}\n");
  lines.clear();
  ASSERT_TRUE(JsonDocumentToLines("[{\"a\nb\":1}]", &lines, &more));
  EXPECT_EQ(lines, "{\"a b\":1}\n");
  EXPECT_FALSE(JsonDocumentToLines(R"({"data":[{"a":1})", &lines, &more));
  EXPECT_FALSE(JsonDocumentToLines(R"({"error":"no"})", &lines, &more));
  ASSERT_TRUE(JsonDocumentToLines(R"({"data":[],"has_more":true})", &lines, &more));
  EXPECT_TRUE(more);
  // What stands beside results is written once for each of them: it must be small.
  const std::string pad(kOuterMax, 'x');
  const std::string page = R"({"data":[{"pad":")" + pad + R"(","results":[{"a":1}]}]})";
  EXPECT_FALSE(JsonDocumentToLines(page, &lines, &more));
}

TEST(JsonText, TellsDocumentsFromLines) {
  EXPECT_TRUE(LooksLikeJsonDocument(" [{\"a\":1}]"));
  EXPECT_TRUE(LooksLikeJsonDocument("{\"object\":\"page\",\"data\":[{"));
  EXPECT_FALSE(LooksLikeJsonDocument("{\"BilledCost\":1}\n{\"BilledCost\":2}"));
  EXPECT_FALSE(LooksLikeJsonDocument("{\"data\":{}}"));
  EXPECT_FALSE(LooksLikeJsonDocument("a,b"));
}

}  // namespace
}  // namespace flyball::native
