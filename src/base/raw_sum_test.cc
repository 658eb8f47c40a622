#include "base/raw_sum.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/money.h"

namespace flyball {
namespace {

std::string SumOf(const std::vector<std::string>& texts) {
  RawDecimalSum sum;
  for (const std::string& text : texts) EXPECT_TRUE(sum.Add(text)) << text;
  return sum.ToString();
}

TEST(RawDecimalSumTest, AddsAnyNumberOfDigits) {
  EXPECT_EQ(SumOf({}), "0");
  EXPECT_EQ(SumOf({"0.1", "0.2"}), "0.3");
  EXPECT_EQ(SumOf({"1", "-1"}), "0");
  EXPECT_EQ(SumOf({"-0"}), "0");
  EXPECT_EQ(SumOf({".5", "5.", "-.25"}), "5.25");
  EXPECT_EQ(SumOf({"1e30", "-1"}), "999999999999999999999999999999");
  EXPECT_EQ(SumOf({"-1e30", "1e-30"}),
            "-" + std::string(30, '9') + "." + std::string(29, '9') + "9");
  EXPECT_EQ(SumOf({"0.000000000000000001", "0.999999999999999999"}), "1");
  EXPECT_EQ(SumOf({"1.2E-7", "1e+2", "1200e-2"}), "112.00000012");
  EXPECT_EQ(SumOf({"1e-400", "-1e-400"}), "0");
  EXPECT_EQ(SumOf({"1e-40"}), "0." + std::string(39, '0') + "1");
  EXPECT_EQ(SumOf({"1e40"}), "1" + std::string(40, '0'));
}

TEST(RawDecimalSumTest, RefusesWhatIsNoNumberAndAddsNothing) {
  RawDecimalSum sum;
  for (const char* text : {"", "-", ".", "-.", "+1", "1,000", " 1", "1 ", "NaN", "1e", "1e+", "e5",
                           ".e5", "--1", "1.2.3", "1e5.0", "1e999999999",
                           "1e99999999999999999999999", "1e-99999999999999999999999"}) {
    EXPECT_FALSE(sum.Add(text)) << text;
  }
  EXPECT_TRUE(sum.IsZero());
  EXPECT_TRUE(sum.Add("0e999999999999999999999999"));
  EXPECT_TRUE(sum.Add("1e4095"));
  EXPECT_FALSE(sum.Add("1e4096"));
  EXPECT_TRUE(sum.Add("1e-4096"));
  EXPECT_FALSE(sum.Add("1e-4097"));
  EXPECT_TRUE(sum.Add("0." + std::string(200000, '0')));
}

TEST(RawDecimalSumTest, MergesAndCompares) {
  RawDecimalSum a;
  RawDecimalSum b;
  EXPECT_TRUE(a.Add("1e25"));
  EXPECT_TRUE(a.Add("0.5"));
  EXPECT_TRUE(b.Add("-3e-25"));
  EXPECT_FALSE(a == b);
  RawDecimalSum merged = a;
  merged.Merge(b);
  EXPECT_EQ(merged.ToString(), "10000000000000000000000000.4999999999999999999999997");
  EXPECT_TRUE(merged.Minus(b) == a);
  EXPECT_TRUE(merged.Minus(merged).IsZero());
  EXPECT_TRUE(merged.Subtract("0.4999999999999999999999997"));
  EXPECT_EQ(merged.ToString(), "10000000000000000000000000");
}

// An adder that a child would recognise: digit strings, one column at a time.
struct Schoolbook {
  bool negative = false;
  std::string digits = "0";  // with kPlaces digits after the point, no sign
  static constexpr size_t kPlaces = 60;

  static Schoolbook From(bool negative, const std::string& whole, const std::string& fraction) {
    return {negative, whole + fraction + std::string(kPlaces - fraction.size(), '0')};
  }
  static int Compare(std::string a, std::string b) {
    size_t width = std::max(a.size(), b.size());
    a.insert(0, width - a.size(), '0');
    b.insert(0, width - b.size(), '0');
    return a.compare(b);
  }
  static std::string Combine(std::string a, std::string b, int sign) {
    size_t width = std::max(a.size(), b.size()) + 1;
    a.insert(0, width - a.size(), '0');
    b.insert(0, width - b.size(), '0');
    int carry = 0;
    for (size_t i = width; i-- > 0;) {
      int value = (a[i] - '0') + sign * (b[i] - '0') + carry;
      carry = value < 0 ? -1 : value / 10;
      a[i] = static_cast<char>('0' + (value + 10) % 10);
    }
    return a;
  }
  void Add(const Schoolbook& other) {
    if (negative == other.negative) {
      digits = Combine(digits, other.digits, 1);
    } else if (Compare(digits, other.digits) >= 0) {
      digits = Combine(digits, other.digits, -1);
    } else {
      digits = Combine(other.digits, digits, -1);
      negative = other.negative;
    }
  }
  std::string ToString() const {
    std::string padded = std::string(kPlaces + 1, '0') + digits;
    std::string whole = padded.substr(0, padded.size() - kPlaces);
    std::string fraction = padded.substr(padded.size() - kPlaces);
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
    fraction.erase(fraction.find_last_not_of('0') + 1);
    std::string text = fraction.empty() ? whole : whole + "." + fraction;
    return negative && text != "0" ? "-" + text : text;
  }
};

std::string AnyDigits(size_t low, size_t high) {
  auto size = *rc::gen::inRange<size_t>(low, high);
  return *rc::gen::container<std::string>(
      size, rc::gen::oneOf(rc::gen::inRange<char>('0', '9' + 1), rc::gen::element('0', '9')));
}

RC_GTEST_PROP(RawDecimalSumProperty, EqualsTheSchoolbook, ()) {
  RawDecimalSum sum;
  Schoolbook naive;
  auto count = *rc::gen::inRange(1, 12);
  for (int i = 0; i < count; ++i) {
    bool negative = *rc::gen::arbitrary<bool>();
    std::string whole = AnyDigits(1, 50);
    std::string fraction = AnyDigits(0, 50);
    std::string text = (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
    RC_ASSERT(sum.Add(text));
    naive.Add(Schoolbook::From(negative, whole, fraction));
  }
  RC_ASSERT(sum.ToString() == naive.ToString());
}

RC_GTEST_PROP(RawDecimalSumProperty, ExponentsMoveThePoint, ()) {
  std::string whole = "1" + AnyDigits(0, 40);
  auto shift = *rc::gen::inRange(-60, 60);
  auto point = *rc::gen::inRange<size_t>(0, whole.size() + 1);
  std::string moved = whole.substr(0, point) + "." + whole.substr(point) + "e" +
                      std::to_string(shift + static_cast<int>(whole.size() - point));
  std::string plain = shift >= 0 ? whole + std::string(static_cast<size_t>(shift), '0')
                                 : std::string(60, '0') + whole;
  if (shift < 0) plain.insert(plain.size() - static_cast<size_t>(-shift), ".");
  RawDecimalSum sum;
  RC_ASSERT(sum.Add(moved));
  RC_ASSERT(sum.Subtract(plain));
  RC_ASSERT(sum.IsZero());
}

RC_GTEST_PROP(RawDecimalSumProperty, EqualsMoneyWhereBothFit, ()) {
  auto values = *rc::gen::container<std::vector<int64_t>>(rc::gen::arbitrary<int64_t>());
  auto parts = *rc::gen::inRange<size_t>(1, 4);
  std::vector<Money> moneys;
  std::vector<RawDecimalSum> sums(parts);
  for (size_t i = 0; i < values.size(); ++i) {
    moneys.push_back(Money::FromUnits(static_cast<int128>(values[i]) * 1000003));
    RC_ASSERT(sums[i % parts].Add(moneys.back().ToString()));
  }
  for (size_t i = 1; i < parts; ++i) sums[0].Merge(sums[i]);
  RC_ASSERT(sums[0].ToString() == Sum(moneys).value().ToString());
}

}  // namespace
}  // namespace flyball
