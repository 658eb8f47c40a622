#include "base/money.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/ratio.h"

namespace flyball {
namespace {

ParsedDecimal MustParse(std::string_view text, int scale) {
  ParsedDecimal parsed;
  EXPECT_EQ(ParseDecimalFast(text, scale, &parsed), DecimalFault::kNone) << text;
  return parsed;
}

DecimalFault FaultOf(std::string_view text, int scale = 12) {
  ParsedDecimal parsed;
  return ParseDecimalFast(text, scale, &parsed);
}

Money M(std::string_view text) { return Money::Parse(text).value(); }
Quantity Q(std::string_view text) { return Quantity::Parse(text).value(); }

// Any value of 38 digits, with as many small as large ones.
rc::Gen<int128> AnyUnits() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::arbitrary<uint64_t>(), rc::gen::arbitrary<uint64_t>(),
                     rc::gen::inRange(0, 128), rc::gen::arbitrary<bool>()),
      [](const std::tuple<uint64_t, uint64_t, int, bool>& parts) {
        auto [high, low, shift, negative] = parts;
        uint128 bits = (static_cast<uint128>(high) << 64 | low) >> shift;
        auto units = static_cast<int128>(bits % (static_cast<uint128>(kDecimalMaxUnits) + 1));
        return negative ? -units : units;
      });
}

TEST(ParseDecimalTest, ReadsPlainNumbers) {
  EXPECT_EQ(MustParse("0", 12).units, 0);
  EXPECT_EQ(MustParse("12.5", 2).units, 1250);
  EXPECT_EQ(MustParse("-12.50", 2).units, -1250);
  EXPECT_EQ(MustParse(".5", 1).units, 5);
  EXPECT_EQ(MustParse("5.", 1).units, 50);
  EXPECT_EQ(MustParse("-.5", 1).units, -5);
  EXPECT_EQ(MustParse("007", 0).units, 7);
  EXPECT_EQ(MustParse("0.000000000001", 12).units, 1);
  EXPECT_EQ(MustParse("9999999999999999999", 0).units, static_cast<int128>(9999999999999999999ULL));
}

TEST(ParseDecimalTest, MinusZeroIsZero) {
  for (const char* text : {"-0", "-0.000", "-0e5", "-0.0000000000000000000000000000000"}) {
    EXPECT_EQ(MustParse(text, 12).units, 0) << text;
    EXPECT_TRUE(MustParse(text, 12).exact) << text;
  }
}

TEST(ParseDecimalTest, ReadsExponents) {
  EXPECT_EQ(MustParse("1.2E-7", 12).units, 120000);
  EXPECT_EQ(MustParse("1.2e+3", 0).units, 1200);
  EXPECT_EQ(MustParse("5.e3", 0).units, 5000);
  EXPECT_EQ(MustParse("-4.4408920985006262E-16", 32).units,
            -static_cast<int128>(44408920985006262));
  EXPECT_EQ(MustParse("1e0000000000000000000000000000000000000003", 0).units, 1000);
  EXPECT_EQ(MustParse("1000000000000000000000000000000000000000000e-40", 0).units, 100);
}

TEST(ParseDecimalTest, RefusesWhatIsNoNumber) {
  for (const char* text : {"",
                           "-",
                           ".",
                           "-.",
                           "+1",
                           "1,000",
                           " 1",
                           "1 ",
                           "NaN",
                           "nan",
                           "inf",
                           "1e",
                           "1e+",
                           "1e-",
                           "e5",
                           ".e5",
                           "--1",
                           "1.2.3",
                           "0x10",
                           "1_000",
                           "$5",
                           "1e5.0",
                           "1e5e5",
                           "1.5f",
                           "1-",
                           "12345678901234567890123456789x",
                           "1234567890123456789012.3.4",
                           "99999999999999999999999999999999999999e"}) {
    EXPECT_EQ(FaultOf(text), DecimalFault::kNotANumber) << "'" << text << "'";
    EXPECT_EQ(ParseDecimal(text, 12).error().code, Code::kInvalidArgument);
  }
  EXPECT_EQ(FaultOf(std::string_view("1\0", 2)), DecimalFault::kNotANumber);
}

TEST(ParseDecimalTest, HugeExponentsAnswerAtOnce) {
  EXPECT_EQ(FaultOf("1e999999999"), DecimalFault::kOutOfRange);
  EXPECT_EQ(FaultOf("1e99999999999999999999999999999"), DecimalFault::kOutOfRange);
  EXPECT_EQ(MustParse("0e999", 12).units, 0);
  EXPECT_TRUE(MustParse("0e999999999999999999999", 12).exact);
  for (const char* text : {"1e-400", "-1e-99999999999999999999999", "0.00001e-999999999"}) {
    EXPECT_EQ(MustParse(text, 12).units, 0) << text;
    EXPECT_FALSE(MustParse(text, 12).exact) << text;
  }
}

TEST(ParseDecimalTest, RoundsHalfToEvenAndSaysSo) {
  struct Case {
    const char* text;
    int units;
    bool exact;
  };
  for (const Case& c : {Case{"1.4", 1, false},
                        {"1.5", 2, false},
                        {"2.5", 2, false},
                        {"2.51", 3, false},
                        {"-2.5", -2, false},
                        {"-3.5", -4, false},
                        {"0.5", 0, false},
                        {"0.50000000000000000000001", 1, false},
                        {"0.5000000000000000000000", 0, false},
                        {"7.000000000000000000000000", 7, true},
                        {"2.4999999999999999999999999", 2, false},
                        {"7.0", 7, true},
                        {"95e-1", 10, false},
                        {"0.05e1", 0, false},
                        {"0.000000000000000000000000000049", 0, false}}) {
    EXPECT_EQ(MustParse(c.text, 0).units, c.units) << c.text;
    EXPECT_EQ(MustParse(c.text, 0).exact, c.exact) << c.text;
  }
}

TEST(ParseDecimalTest, HoldsThirtyEightDigitsAndNoMore) {
  const std::string nines(38, '9');
  EXPECT_EQ(MustParse(nines, 0).units, kDecimalMaxUnits);
  EXPECT_EQ(MustParse("-" + nines, 0).units, -kDecimalMaxUnits);
  EXPECT_EQ(FaultOf("1" + std::string(38, '0'), 0), DecimalFault::kOutOfRange);
  EXPECT_EQ(FaultOf(nines + ".5", 0), DecimalFault::kOutOfRange);  // rounds up to 39 digits
  EXPECT_EQ(MustParse(nines + ".4", 0).units, kDecimalMaxUnits);
  EXPECT_EQ(FaultOf("1e38", 0), DecimalFault::kOutOfRange);
  EXPECT_EQ(MustParse("9e37", 0).units % 9, 0);
  EXPECT_EQ(FaultOf("1e26", 12), DecimalFault::kOutOfRange);
  EXPECT_EQ(FaultOf("10e25", 12), DecimalFault::kOutOfRange);
  EXPECT_EQ(FaultOf("99e25", 12), DecimalFault::kOutOfRange);
  EXPECT_EQ(FaultOf("9e25", 12), DecimalFault::kNone);
  EXPECT_EQ(ParseDecimal("1e26", 12).error().code, Code::kOutOfRange);
  EXPECT_EQ(FaultOf(std::string(1000000, '9')), DecimalFault::kOutOfRange);
  EXPECT_EQ(MustParse(std::string(1000000, '0') + "1." + std::string(1000000, '0'), 0).units, 1);
}

TEST(ParseDecimalTest, MoneyRefusesWhatItWouldRound) {
  EXPECT_EQ(Money::Parse("0.0000000000001").error().code, Code::kOutOfRange);
  EXPECT_EQ(M("0.0000000000010").units(), 1);
}

RC_GTEST_PROP(ParseDecimalProperty, FormatThenParseIsTheSame, ()) {
  int128 units = *AnyUnits();
  int scale = *rc::gen::inRange(0, 39);
  ParsedDecimal parsed;
  RC_ASSERT(ParseDecimalFast(FormatDecimal(units, scale), scale, &parsed) == DecimalFault::kNone);
  RC_ASSERT(parsed.units == units);
  RC_ASSERT(parsed.exact);
}

// The short and the long way must agree: zeros around a number and shifts of its point change
// nothing.
RC_GTEST_PROP(ParseDecimalProperty, BothWaysAgree, ()) {
  auto digits = *rc::gen::container<std::string>(rc::gen::inRange<char>('0', '9' + 1));
  digits.resize(std::min<size_t>(digits.size(), 17));
  auto point = *rc::gen::inRange<size_t>(0, digits.size() + 1);
  int scale = *rc::gen::inRange(0, 16);
  std::string text = digits.substr(0, point) + "." + digits.substr(point);
  std::string padded = std::string(20, '0') + text + std::string(20, '0');
  std::string shifted = digits + "e-" + std::to_string(digits.size() - point);
  ParsedDecimal plain;
  ParsedDecimal longer;
  ParsedDecimal moved;
  if (digits.empty()) {
    RC_ASSERT(ParseDecimalFast(text, scale, &plain) == DecimalFault::kNotANumber);
    return;
  }
  RC_ASSERT(ParseDecimalFast(text, scale, &plain) == DecimalFault::kNone);
  RC_ASSERT(ParseDecimalFast(padded, scale, &longer) == DecimalFault::kNone);
  RC_ASSERT(ParseDecimalFast(shifted, scale, &moved) == DecimalFault::kNone);
  RC_ASSERT(plain.units == longer.units);
  RC_ASSERT(plain.exact == longer.exact);
  RC_ASSERT(plain.units == moved.units);
  RC_ASSERT(plain.exact == moved.exact);
}

TEST(FormatDecimalTest, WritesPlainNotation) {
  EXPECT_EQ(FormatDecimal(0, 12), "0");
  EXPECT_EQ(FormatDecimal(800000, 12), "0.0000008");
  EXPECT_EQ(FormatDecimal(-3000, 3), "-3");
  EXPECT_EQ(FormatDecimal(1250, 2), "12.5");
  EXPECT_EQ(FormatDecimal(-1, 38), "-0." + std::string(37, '0') + "1");
  EXPECT_EQ(FormatDecimal(kDecimalMaxUnits, 0), std::string(38, '9'));
  EXPECT_EQ(FormatDecimal(kDecimalMaxUnits, 12), std::string(26, '9') + "." + std::string(12, '9'));
}

TEST(MoneyTest, AdditionIsChecked) {
  Money most = Money::FromUnits(kDecimalMaxUnits);
  EXPECT_EQ(most.Plus(Money::FromUnits(1)).error().code, Code::kOutOfRange);
  EXPECT_EQ(most.Negated().Minus(Money::FromUnits(1)).error().code, Code::kOutOfRange);
  EXPECT_EQ(most.Plus(most.Negated()).value().units(), 0);
  EXPECT_EQ(M("0.1").Plus(M("0.2")).value(), M("0.3"));
  EXPECT_LT(M("-1"), M("0.5"));
}

TEST(SumTest, PartialSumsMayLeaveTheRangeAndReturn) {
  Money most = Money::FromUnits(kDecimalMaxUnits);
  std::vector<Money> values(1000, most);
  EXPECT_EQ(Sum(values).error().code, Code::kOutOfRange);
  values.resize(2000, most.Negated());
  values.push_back(M("1.5"));
  EXPECT_EQ(Sum(values).value(), M("1.5"));
  EXPECT_EQ(Sum({}).value(), Money());
  EXPECT_EQ(Sum(std::vector{most}).value(), most);
  EXPECT_EQ(Sum(std::vector{most.Negated()}).value(), most.Negated());
  EXPECT_EQ(Sum(std::vector{most, Money::FromUnits(1)}).error().code, Code::kOutOfRange);
}

RC_GTEST_PROP(SumProperty, EqualsStepwiseAdditionInAnyOrder, ()) {
  auto units = *rc::gen::container<std::vector<int64_t>>(rc::gen::arbitrary<int64_t>());
  std::vector<Money> values;
  Money stepwise;
  for (int64_t one : units) {
    values.push_back(Money::FromUnits(static_cast<int128>(one) << 40));
    stepwise = stepwise.Plus(values.back()).value();
  }
  RC_ASSERT(Sum(values).value() == stepwise);
  std::reverse(values.begin(), values.end());
  RC_ASSERT(Sum(values).value() == stepwise);
}

TEST(MultiplyTest, RoundsOnceHalfToEven) {
  EXPECT_EQ(Multiply(M("0.000003"), Q("1000000")).value(), M("3"));
  EXPECT_EQ(Multiply(M("12.5"), Q("-2")).value(), M("-25"));
  EXPECT_EQ(Multiply(M("-12.5"), Q("-2")).value(), M("25"));
  EXPECT_EQ(Multiply(M("0.000000000001"), Q("0.5")).value(), M("0"));
  EXPECT_EQ(Multiply(M("0.000000000003"), Q("0.5")).value(), M("0.000000000002"));
  EXPECT_EQ(Multiply(M("-0.000000000003"), Q("0.5")).value(), M("-0.000000000002"));
  EXPECT_EQ(Multiply(M("0.000000000001"), Q("0.500000000000001")).value(), M("0.000000000001"));
  Money most = Money::FromUnits(kDecimalMaxUnits);
  EXPECT_EQ(Multiply(most, Q("1")).value(), most);
  EXPECT_EQ(Multiply(most, Q("-1")).value(), most.Negated());
  EXPECT_EQ(Multiply(most, Q("1.000000000000001")).error().code, Code::kOutOfRange);
  EXPECT_EQ(Multiply(most, Quantity::FromUnits(kDecimalMaxUnits)).error().code, Code::kOutOfRange);
  EXPECT_EQ(Multiply(Money(), Quantity::FromUnits(kDecimalMaxUnits)).value(), Money());
}

// Products of whole numbers of digits: schoolbook multiplication on digit strings, rounded by hand.
std::string SchoolbookProduct(std::string_view a, std::string_view b) {
  std::vector<int> digits(a.size() + b.size());
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) digits[i + j + 1] += (a[i] - '0') * (b[j] - '0');
  }
  std::string product(digits.size(), '0');
  for (size_t i = digits.size(); i-- > 0;) {
    if (i > 0) digits[i - 1] += digits[i] / 10;
    product[i] = static_cast<char>('0' + digits[i] % 10);
  }
  return product;
}

RC_GTEST_PROP(MultiplyProperty, EqualsSchoolbookMultiplication, ()) {
  Money price = Money::FromUnits(*AnyUnits());
  Quantity quantity = Quantity::FromUnits(*AnyUnits());
  int128 a = price.units() < 0 ? -price.units() : price.units();
  int128 b = quantity.units() < 0 ? -quantity.units() : quantity.units();
  // Scale 12 + 15 = 27, read back at scale 12 by the tested parser: one rounding, half to even.
  std::string product = SchoolbookProduct(FormatDecimal(a, 0), FormatDecimal(b, 0));
  std::string text = (price.units() < 0) != (quantity.units() < 0) ? "-" : "";
  text += product + "e-27";
  ParsedDecimal expected;
  DecimalFault fault = ParseDecimalFast(text, 12, &expected);
  Result<Money> got = Multiply(price, quantity);
  RC_ASSERT(got.has_value() == (fault == DecimalFault::kNone));
  if (got) RC_ASSERT(got->units() == expected.units);
}

TEST(TimesRatioTest, RoundsOnceHalfToEven) {
  EXPECT_EQ(TimesRatio(M("10"), 4, 5).value(), M("8"));
  EXPECT_EQ(TimesRatio(M("-1"), 1, 3).value(), M("-0.333333333333"));
  EXPECT_EQ(TimesRatio(M("2"), 1, 3).value(), M("0.666666666667"));
  EXPECT_EQ(TimesRatio(M("0.000000000001"), 1, 2).value(), M("0"));
  EXPECT_EQ(TimesRatio(M("0.000000000003"), 1, 2).value(), M("0.000000000002"));
  EXPECT_EQ(TimesRatio(M("-0.000000000005"), 1, 2).value(), M("-0.000000000002"));
  EXPECT_EQ(TimesRatio(M("0"), kRatioMax, 1).value(), M("0"));
  const Money most = Money::FromUnits(kDecimalMaxUnits);
  EXPECT_EQ(TimesRatio(most, kRatioMax, kRatioMax).value(), most);
  EXPECT_EQ(TimesRatio(most, 2, 1).error().code, Code::kOutOfRange);
  EXPECT_EQ(TimesRatio(most, kRatioMax, 1).error().code, Code::kOutOfRange);
  EXPECT_EQ(TimesRatio(Money::FromUnits(1), kRatioMax, 1).value().units(), kRatioMax);
}

TEST(SplitTest, LargestRemainderTakesTheRest) {
  auto parts = Split(Money::FromUnits(100), std::vector<uint64_t>{1, 1, 1}).value();
  EXPECT_EQ(parts[0].units(), 34);
  EXPECT_EQ(parts[1].units(), 33);
  EXPECT_EQ(parts[2].units(), 33);
  parts = Split(Money::FromUnits(-10), std::vector<uint64_t>{0, 3, 1, 0}).value();
  EXPECT_EQ(parts[0].units(), 0);
  EXPECT_EQ(parts[1].units(), -8);  // 7.5 and 2.5: equal remainders, the lower index takes it
  EXPECT_EQ(parts[2].units(), -2);
  EXPECT_EQ(parts[3].units(), 0);
  EXPECT_EQ(Split(M("1"), {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Split(M("1"), std::vector<uint64_t>{0, 0}).error().code, Code::kInvalidArgument);
}

RC_GTEST_PROP(SplitProperty, PartsSumToTheWholeAndAreWithinOneUnit, ()) {
  Money total = Money::FromUnits(*AnyUnits());
  auto weights =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<uint64_t>>(rc::gen::arbitrary<uint64_t>()));
  if (*rc::gen::arbitrary<bool>()) weights.push_back(std::numeric_limits<uint64_t>::max());
  RC_PRE(std::any_of(weights.begin(), weights.end(), [](uint64_t w) { return w > 0; }));
  auto parts = Split(total, weights).value();
  RC_ASSERT(Sum(parts).value() == total);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (weights[i] == 0) RC_ASSERT(parts[i].is_zero());
    RC_ASSERT(parts[i].is_zero() || (parts[i].units() < 0) == (total.units() < 0));
    for (size_t j = 0; j < parts.size(); ++j) {
      if (weights[i] < weights[j]) {
        int128 a = parts[i].units() < 0 ? -parts[i].units() : parts[i].units();
        int128 b = parts[j].units() < 0 ? -parts[j].units() : parts[j].units();
        RC_ASSERT(a <= b + 1);
      }
    }
  }
}

// The exact definition, on numbers small enough for plain arithmetic.
RC_GTEST_PROP(SplitProperty, EqualsTheDefinition, ()) {
  auto total = *rc::gen::inRange<int64_t>(0, 1000);
  auto weights = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<uint64_t>>(rc::gen::inRange<uint64_t>(0, 20)));
  int64_t sum = 0;
  for (uint64_t w : weights) sum += static_cast<int64_t>(w);
  RC_PRE(sum > 0);
  std::vector<int64_t> expected;
  int64_t left = total;
  for (uint64_t w : weights) {
    expected.push_back(total * static_cast<int64_t>(w) / sum);
    left -= expected.back();
  }
  std::vector<bool> given(weights.size());
  for (; left > 0; --left) {
    size_t best = weights.size();
    for (size_t i = 0; i < weights.size(); ++i) {
      auto remainder = [&](size_t k) { return total * static_cast<int64_t>(weights[k]) % sum; };
      if (!given[i] && (best == weights.size() || remainder(i) > remainder(best))) best = i;
    }
    given[best] = true;
    ++expected[best];
  }
  auto parts = Split(Money::FromUnits(total), weights).value();
  for (size_t i = 0; i < parts.size(); ++i) RC_ASSERT(parts[i].units() == expected[i]);
}

}  // namespace
}  // namespace flyball
