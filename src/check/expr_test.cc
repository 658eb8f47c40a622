#include "check/expr.h"

#include <gtest/gtest.h>

namespace flyball::check {
namespace {

TEST(Expr, ReadsAndDescribes) {
  Result<Expr> expr = ParseExpr(
      "ChargeCategory in ('Usage', 'Purchase') and ChargeClass != 'Correction' and not (A is null "
      "or B >= 0)");
  ASSERT_TRUE(expr.has_value());
  EXPECT_EQ(Describe(*expr),
            "(ChargeCategory is Usage or ChargeCategory is Purchase) and ChargeClass is not "
            "Correction and not (A is null or B is at least 0)");
  EXPECT_EQ(ColumnsOf(*expr),
            (std::vector<std::string>{"ChargeCategory", "ChargeClass", "A", "B"}));
}

TEST(Expr, SaysWhereItIsWrong) {
  for (const auto& [text, byte] :
       {std::pair{"A is", 5}, std::pair{"A = 'x", 6}, std::pair{"(A is null", 11},
        std::pair{"A * B = 'x'", 9}, std::pair{"A is null B", 11}, std::pair{"A < 'x'", 8}}) {
    Result<Expr> expr = ParseExpr(text);
    ASSERT_FALSE(expr.has_value()) << text;
    EXPECT_EQ(expr.error().place.byte, byte) << text;
  }
  EXPECT_FALSE(ParseExpr(std::string(10'000, '(')).has_value());
}

}  // namespace
}  // namespace flyball::check
