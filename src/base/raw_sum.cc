#include "base/raw_sum.h"

#include <algorithm>

namespace flyball {
namespace {

constexpr int kColumnDigits = 18;
constexpr int64_t kColumnBase = 1'000'000'000'000'000'000;

bool IsFigure(char c) { return c >= '0' && c <= '9'; }

// A decimal text taken apart: `figures` may hold one point.
struct Parts {
  bool negative = false;
  std::string_view figures;
  int64_t point = 0;  // figures (without the point) that stand before it
  int64_t exponent = 0;
};

bool TakeExponent(std::string_view text, int64_t* exponent) {
  constexpr int64_t kEnough = 1'000'000'000'000;  // beyond this no length of figures can reach back
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  int64_t value = 0;
  for (char c : text) {
    if (!IsFigure(c)) return false;
    if (value < kEnough) value = value * 10 + (c - '0');
  }
  *exponent = negative ? -value : value;
  return true;
}

bool TakeApart(std::string_view text, Parts* parts) {
  if (!text.empty() && text[0] == '-') {
    parts->negative = true;
    text.remove_prefix(1);
  }
  size_t at = 0;
  int64_t count = 0;
  bool pointed = false;
  for (; at < text.size(); ++at) {
    if (IsFigure(text[at])) {
      ++count;
    } else if (text[at] == '.' && !pointed) {
      pointed = true;
      parts->point = count;
    } else {
      break;
    }
  }
  if (count == 0) return false;
  if (!pointed) parts->point = count;
  parts->figures = text.substr(0, at);
  if (at == text.size()) return true;
  return (text[at] == 'e' || text[at] == 'E') &&
         TakeExponent(text.substr(at + 1), &parts->exponent);
}

// Zeros at both ends say nothing but where the point is.
void DropOuterZeros(Parts* parts) {
  std::string_view& figures = parts->figures;
  while (!figures.empty() && (figures.front() == '0' || figures.front() == '.')) {
    if (figures.front() == '0') --parts->point;
    figures.remove_prefix(1);
  }
  while (!figures.empty() && (figures.back() == '0' || figures.back() == '.')) {
    figures.remove_suffix(1);
  }
}

// The power of ten of the first figure, once outer zeros are dropped.
int64_t FirstPower(const Parts& parts) { return parts.point + parts.exponent - 1; }

bool InReach(const Parts& parts) {
  if (parts.figures.empty()) return true;
  bool has_point = parts.figures.find('.') != std::string_view::npos;
  int64_t length = static_cast<int64_t>(parts.figures.size()) - (has_point ? 1 : 0);
  int64_t power = FirstPower(parts);
  return power < kRawSumMaxPower && power - length + 1 >= -kRawSumMaxPower;
}

int64_t ColumnOf(int64_t power) {
  return power >= 0 ? power / kColumnDigits : (power + 1) / kColumnDigits - 1;
}

}  // namespace

__int128& RawDecimalSum::Column(int64_t index) {
  if (columns_.empty()) first_ = index;
  if (index < first_) {
    columns_.insert(columns_.begin(), static_cast<size_t>(first_ - index), 0);
    first_ = index;
  }
  auto at = static_cast<size_t>(index - first_);
  if (at >= columns_.size()) columns_.resize(at + 1);
  return columns_[at];
}

bool RawDecimalSum::Takes(std::string_view text) {
  Parts parts;
  if (!TakeApart(text, &parts)) return false;
  DropOuterZeros(&parts);
  return InReach(parts);
}

bool RawDecimalSum::AddSigned(std::string_view text, int sign) {
  Parts parts;
  if (!TakeApart(text, &parts)) return false;
  DropOuterZeros(&parts);
  if (!InReach(parts)) return false;
  int64_t power = FirstPower(parts);
  int64_t column = ColumnOf(power);
  int64_t place = power - column * kColumnDigits;  // of the next figure in its column
  int64_t value = 0;                               // of this column so far
  __int128 factor = parts.negative ? -sign : sign;
  for (char c : parts.figures) {
    if (c == '.') continue;
    value = value * 10 + (c - '0');
    if (--place < 0) {
      Column(column--) += factor * value;
      value = 0;
      place = kColumnDigits - 1;
    }
  }
  if (value != 0) {
    for (; place >= 0; --place) value *= 10;
    Column(column) += factor * value;
  }
  return true;
}

void RawDecimalSum::Merge(const RawDecimalSum& other) {
  for (size_t i = 0; i < other.columns_.size(); ++i) {
    Column(other.first_ + static_cast<int64_t>(i)) += other.columns_[i];
  }
}

RawDecimalSum RawDecimalSum::Minus(const RawDecimalSum& other) const {
  RawDecimalSum difference = *this;
  for (size_t i = 0; i < other.columns_.size(); ++i) {
    difference.Column(other.first_ + static_cast<int64_t>(i)) -= other.columns_[i];
  }
  return difference;
}

bool RawDecimalSum::Settle() {
  __int128 carry = 0;
  for (size_t i = 0; i < columns_.size() || carry != 0; ++i) {
    if (i == columns_.size()) columns_.push_back(0);
    __int128 value = columns_[i] + carry;
    carry = value / kColumnBase;
    columns_[i] = value % kColumnBase;
  }
  while (!columns_.empty() && columns_.back() == 0) columns_.pop_back();
  if (columns_.empty()) return false;
  // The highest column has the sign of the whole; those of the other sign borrow from above.
  bool negative = columns_.back() < 0;
  __int128 base = negative ? -__int128{kColumnBase} : __int128{kColumnBase};
  for (size_t i = 0; i + 1 < columns_.size(); ++i) {
    if (columns_[i] != 0 && (columns_[i] < 0) != negative) {
      columns_[i] += base;
      columns_[i + 1] -= negative ? -1 : 1;
    }
  }
  while (!columns_.empty() && columns_.back() == 0) columns_.pop_back();
  return negative;
}

bool RawDecimalSum::IsZero() const {
  RawDecimalSum settled = *this;
  settled.Settle();
  return settled.columns_.empty();
}

std::string RawDecimalSum::ToString() const {
  RawDecimalSum sum = *this;
  bool negative = sum.Settle();
  if (sum.columns_.empty()) return "0";
  int64_t top = std::max<int64_t>(sum.first_ + static_cast<int64_t>(sum.columns_.size()) - 1, 0);
  int64_t bottom = std::min<int64_t>(sum.first_, 0);
  std::string digits;
  size_t whole = 0;
  for (int64_t index = top; index >= bottom; --index) {
    auto value = static_cast<int64_t>(sum.Column(index));
    std::string block = std::to_string(value < 0 ? -value : value);
    digits.append(static_cast<size_t>(kColumnDigits) - block.size(), '0');
    digits += block;
    if (index == 0) whole = digits.size();
  }
  size_t first = std::min(digits.find_first_not_of('0'), whole - 1);
  std::string text = negative ? "-" : "";
  text.append(digits, first, whole - first);
  size_t last = digits.find_last_not_of('0');
  if (last != std::string::npos && last >= whole)
    text += "." + digits.substr(whole, last + 1 - whole);
  return text;
}

}  // namespace flyball
