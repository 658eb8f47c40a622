#include "base/time.h"

#include <array>

namespace flyball {
namespace {

constexpr int kYearMin = 1;
constexpr int kYearMax = 9999;

constexpr int64_t FloorDivide(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

// Days since 1970-01-01 and back: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
// https://howardhinnant.github.io/date_algorithms.html (days_from_civil, civil_from_days).
constexpr int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  int64_t era = FloorDivide(year, 400);
  int64_t year_of_era = year - era * 400;                                               // [0, 399]
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;  // [0, 365]
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

constexpr CivilDate CivilFromDays(int64_t days) {
  days += 719468;
  int64_t era = FloorDivide(days, 146097);
  int64_t day_of_era = days - era * 146097;  // [0, 146096]
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted_month = (5 * day_of_year + 2) / 153;  // [0, 11], March first
  int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return CivilDate{static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), month, day};
}

constexpr bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

constexpr int64_t kFirstUs = DaysFromCivil(kYearMin, 1, 1) * kMicrosPerDay;
constexpr int64_t kEndUs = DaysFromCivil(kYearMax + 1, 1, 1) * kMicrosPerDay;

// What stands in a text before it is checked and made an instant.
struct Fields {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
  int offset_minutes = 0;
};

// Hours end at 23 and seconds at 59: 24:00 and leap seconds are refused, as no bill can mean them.
bool MakeInstant(const Fields& f, Instant* out) {
  if (f.year < kYearMin || f.year > kYearMax || f.month < 1 || f.month > 12 || f.day < 1 ||
      f.day > DaysInMonth(f.year, f.month) || f.hour > 23 || f.minute > 59 || f.second > 59) {
    return false;
  }
  int64_t minutes = int64_t{f.hour} * 60 + f.minute - f.offset_minutes;
  int64_t seconds = DaysFromCivil(f.year, f.month, f.day) * 86400 + minutes * 60 + f.second;
  int64_t us = seconds * kMicrosPerSecond + f.micros;
  if (us < kFirstUs || us >= kEndUs) return false;
  out->us = us;
  return true;
}

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// A reader that walks over a text once.
struct Scanner {
  const char* at;
  const char* end;

  explicit Scanner(std::string_view text) : at(text.data()), end(text.data() + text.size()) {}

  bool done() const { return at == end; }
  bool Take(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  // From `low` to `high` digits as a number.
  bool Number(int low, int high, int* out) {
    int value = 0;
    int count = 0;
    for (; count < high && at != end && IsDigit(*at); ++count) value = value * 10 + (*at++ - '0');
    *out = value;
    return count >= low;
  }
};

// ".5" up to nine digits; what is finer than a microsecond is cut.
bool ScanFraction(Scanner* in, Fields* f) {
  if (!in->Take('.')) return true;
  int count = 0;
  int micros = 0;
  for (; count < 9 && !in->done() && IsDigit(*in->at); ++count, ++in->at) {
    if (count < 6) micros = micros * 10 + (*in->at - '0');
  }
  if (count == 0) return false;
  for (int i = count; i < 6; ++i) micros *= 10;
  f->micros = micros;
  return true;
}

// hh:mm[:ss[.f]], hours of one digit where `loose`.
bool ScanClock(Scanner* in, bool loose, Fields* f) {
  if (!in->Number(loose ? 1 : 2, 2, &f->hour) || !in->Take(':') || !in->Number(2, 2, &f->minute)) {
    return false;
  }
  if (!in->Take(':')) return true;
  return in->Number(2, 2, &f->second) && ScanFraction(in, f);
}

// +hh, +hhmm or +hh:mm
bool ScanOffset(Scanner* in, Fields* f) {
  bool negative = in->Take('-');
  if (!negative && !in->Take('+')) return false;
  int hours = 0;
  int minutes = 0;
  if (!in->Number(2, 2, &hours)) return false;
  bool colon = in->Take(':');
  if ((colon || (!in->done() && IsDigit(*in->at))) && !in->Number(2, 2, &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  f->offset_minutes = (hours * 60 + minutes) * (negative ? -1 : 1);
  return true;
}

bool TakeUtcName(Scanner* in) {
  Scanner saved = *in;
  if (in->Take('U') && in->Take('T') && in->Take('C')) return true;
  *in = saved;
  return false;
}

// What may follow the time of day: nothing, Z, an offset, " UTC", " +0000 UTC".
bool ScanZone(Scanner* in, bool space_form, Fields* f, TimeForm* form) {
  *form = space_form ? TimeForm::kSpaceNoZone : TimeForm::kIsoNoZone;
  if (in->done()) return true;
  if (in->Take('Z')) {
    if (!space_form) *form = TimeForm::kIso8601Utc;
    return in->done();
  }
  bool blank = in->Take(' ');
  if (TakeUtcName(in)) return in->done() && (space_form || blank);
  if (!ScanOffset(in, f)) return false;
  if (in->Take(' ') && !TakeUtcName(in)) return false;
  if (f->offset_minutes != 0 || !space_form) *form = TimeForm::kOffset;
  return in->done();
}

bool ParseIsoForms(std::string_view text, ParsedInstant* out) {
  Scanner in(text);
  Fields f;
  if (!in.Number(4, 4, &f.year) || !in.Take('-') || !in.Number(2, 2, &f.month) || !in.Take('-') ||
      !in.Number(2, 2, &f.day)) {
    return false;
  }
  if (in.done()) {
    out->form = TimeForm::kDateOnly;
    return MakeInstant(f, &out->instant);
  }
  bool space_form = in.Take(' ');
  if (!space_form && !in.Take('T')) return false;
  if (!ScanClock(&in, false, &f) || !ScanZone(&in, space_form, &f, &out->form)) return false;
  return MakeInstant(f, &out->instant);
}

// AM and PM, where a spreadsheet wrote them: 12 AM is midnight.
bool ScanHalfDay(Scanner* in, Fields* f) {
  if (in->done()) return true;
  if (!in->Take(' ')) return false;
  bool pm = in->Take('P') || in->Take('p');
  if (!pm && !in->Take('A') && !in->Take('a')) return false;
  if (!in->Take('M') && !in->Take('m')) return false;
  if (f->hour < 1 || f->hour > 12) return false;
  f->hour = f->hour % 12 + (pm ? 12 : 0);
  return in->done();
}

bool ParseUsForm(std::string_view text, ParsedInstant* out) {
  Scanner in(text);
  Fields f;
  if (!in.Number(1, 2, &f.month) || !in.Take('/') || !in.Number(1, 2, &f.day) || !in.Take('/')) {
    return false;
  }
  const char* year = in.at;
  if (!in.Number(2, 4, &f.year)) return false;
  auto year_digits = in.at - year;
  if (year_digits == 3) return false;
  if (year_digits == 2) f.year += 2000;
  if (!in.done()) {
    if (!in.Take(' ') || !ScanClock(&in, true, &f) || !ScanHalfDay(&in, &f)) return false;
  }
  out->form = TimeForm::kUsDate;
  return MakeInstant(f, &out->instant);
}

// "YYYY-MM-DD?HH:MM:SS" without branches on the digits; false: some byte is not what it should be.
bool ParseNineteen(std::string_view text, Fields* f) {
  const char* p = text.begin();
  unsigned bad = 0;
  auto two = [&bad, p](size_t i) {
    unsigned a = static_cast<unsigned char>(p[i] - '0');
    unsigned b = static_cast<unsigned char>(p[i + 1] - '0');
    bad |= static_cast<unsigned>(a > 9) | static_cast<unsigned>(b > 9);
    return static_cast<int>(a * 10 + b);
  };
  f->year = two(0) * 100 + two(2);
  f->month = two(5);
  f->day = two(8);
  f->hour = two(11);
  f->minute = two(14);
  f->second = two(17);
  return bad == 0 && p[4] == '-' && p[7] == '-' && p[13] == ':' && p[16] == ':';
}

void AppendPadded(int64_t value, int width, std::string* out) {
  std::string digits = std::to_string(value < 0 ? -value : value);
  if (value < 0) *out += '-';
  for (auto i = static_cast<int>(digits.size()); i < width; ++i) *out += '0';
  *out += digits;
}

}  // namespace

Instant ToInstant(CivilDate date) {
  return Instant{DaysFromCivil(date.year, date.month, date.day) * kMicrosPerDay};
}

CivilDate ToCivilDate(Instant instant) {
  return CivilFromDays(FloorDivide(instant.us, kMicrosPerDay));
}

Instant FloorHour(Instant instant) {
  return Instant{FloorDivide(instant.us, kMicrosPerHour) * kMicrosPerHour};
}

Instant FloorDay(Instant instant) {
  return Instant{FloorDivide(instant.us, kMicrosPerDay) * kMicrosPerDay};
}

Instant FloorWeek(Instant instant) {
  int64_t days = FloorDivide(instant.us, kMicrosPerDay);
  // 1970-01-01 was a Thursday, three days after a Monday.
  return Instant{(FloorDivide(days + 3, 7) * 7 - 3) * kMicrosPerDay};
}

Instant FloorMonth(Instant instant) {
  CivilDate date = ToCivilDate(instant);
  date.day = 1;
  return ToInstant(date);
}

Instant AddMonths(Instant month_start, int months) {
  CivilDate date = ToCivilDate(month_start);
  int64_t index = int64_t{date.year} * 12 + (date.month - 1) + months;
  int64_t year = FloorDivide(index, 12);
  return Instant{DaysFromCivil(year, static_cast<int>(index - year * 12) + 1, 1) * kMicrosPerDay};
}

std::string FormatDate(Instant instant) {
  CivilDate date = ToCivilDate(instant);
  std::string text;
  AppendPadded(date.year, 4, &text);
  text += '-';
  AppendPadded(date.month, 2, &text);
  text += '-';
  AppendPadded(date.day, 2, &text);
  return text;
}

std::string FormatInstant(Instant instant) {
  std::string text = FormatDate(instant);
  int64_t us = instant.us - FloorDay(instant).us;
  int64_t seconds = us / kMicrosPerSecond;
  text += 'T';
  AppendPadded(seconds / 3600, 2, &text);
  text += ':';
  AppendPadded(seconds / 60 % 60, 2, &text);
  text += ':';
  AppendPadded(seconds % 60, 2, &text);
  if (int64_t fraction = us % kMicrosPerSecond; fraction != 0) {
    text += '.';
    AppendPadded(fraction, 6, &text);
    while (text.back() == '0') text.pop_back();
  }
  return text + 'Z';
}

bool ParseInstant(std::string_view text, ParsedInstant* out) {
  // The two forms that nearly every row has.
  if (text.size() == 20 && text[10] == 'T' && text[19] == 'Z') {
    Fields f;
    out->form = TimeForm::kIso8601Utc;
    return ParseNineteen(text, &f) && MakeInstant(f, &out->instant);
  }
  if (text.size() == 19 && text[10] == ' ') {
    Fields f;
    out->form = TimeForm::kSpaceNoZone;
    // A US date with a full time of day may be as long.
    if (ParseNineteen(text, &f)) return MakeInstant(f, &out->instant);
  }
  return ParseIsoForms(text, out) || ParseUsForm(text, out);
}

Result<Instant> ParseUserInstant(std::string_view text) {
  ParsedInstant parsed;
  if (ParseInstant(text, &parsed) && parsed.form != TimeForm::kUsDate) return parsed.instant;
  Scanner in(text);
  Fields f;
  f.day = 1;
  Instant month;
  if (in.Number(4, 4, &f.year) && in.Take('-') && in.Number(2, 2, &f.month) && in.done() &&
      MakeInstant(f, &month)) {
    return month;
  }
  return Fail(Code::kInvalidArgument,
              "'" + std::string(text.substr(0, 64)) + "' is not a date, a month or an instant",
              "write it like 2026-10-31, 2026-10 or 2026-10-31T23:00:00Z");
}

}  // namespace flyball
