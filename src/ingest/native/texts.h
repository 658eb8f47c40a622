// Texts: what code of formats does with numbers and dates that are still text. Nothing is rounded
// on the way but where it is said; a text that cannot be read comes back as it is, so that the
// adapter refuses the row by its own words.
#pragma once

#include <string>
#include <string_view>

namespace flyball::native {

bool IsZero(std::string_view number);  // also when there is none
bool IsNegative(std::string_view number);
std::string Plus(std::string_view a, std::string_view b);  // exact up to eighteen decimals
std::string Minus(std::string_view a, std::string_view b);
std::string Times(std::string_view price, std::string_view quantity);  // rounded once to 1e-12
// The number times 10^by, as a text of the same digits: ("123.5", -2) -> "123.5E-2".
std::string Shifted(std::string_view number, int by);

// Instants are written as FOCUS does; what is no date comes back as it is.
std::string InstantOf(std::string_view text);
std::string DayAfter(std::string_view text);   // the start of the next day
std::string HourAfter(std::string_view text);  // one hour later
std::string MonthOf(std::string_view text);    // the start of its month; "202610" and "2026-10" too
std::string MonthAfter(std::string_view text);    // the start of the next month
std::string ExclusiveEnd(std::string_view text);  // 23:59:59 is the next day's start
std::string OfEpoch(std::string_view seconds);    // "1790812800" -> "2026-10-01T00:00:00Z"

bool ContainsNoCase(std::string_view text, std::string_view lower);

}  // namespace flyball::native
