// Exchange rates as dated data: what the European Central Bank publishes each working day, read
// from its CSV files. Every rate is an exact decimal, units of a currency for one euro; a rate
// between two other currencies is the ratio of theirs and is never rounded itself.
//
// A day without rates (a weekend, a holiday, the hours before they are published) takes those of
// the last day before it, kCarryDaysMax back at most.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace flyball::rates {

inline constexpr std::string_view kEuro = "EUR";
// From 1999 to 2026 no two days with rates were more than five apart (Easter, Christmas).
inline constexpr int kCarryDaysMax = 10;
inline constexpr size_t kExchangeFileBytesMax = 64u << 20;
inline constexpr size_t kExchangeCurrenciesMax = 400;  // ISO 4217 has fewer than 200

bool IsCurrencyCode(std::string_view text);  // three capital letters

enum class ExchangeFormat : uint8_t {
  kEcb,      // eurofxref-hist.csv, eurofxref.csv: a row a day, a column a currency
  kEcbData,  // the data portal's CSV of the daily series: a row an observation
};
std::string_view FormatName(ExchangeFormat format);  // "ecb", "ecb-data"

struct DayRate {
  Instant day;
  Money per_euro;  // above zero
  auto operator<=>(const DayRate&) const = default;
};

struct ExchangeFile {
  ExchangeFormat format = ExchangeFormat::kEcb;
  std::map<std::string, std::vector<DayRate>> rates;  // by currency, each by day, never EUR
  Instant first_day, last_day;
  int64_t stated = 0;   // rates
  int64_t missing = 0;  // said to have none, "N/A"
};
// The format is known by the header. INVALID_ARGUMENT with the line, and what to do about it: no
// such file, a row that does not fit the header, a day that is no day or stands twice, a rate that
// is no positive decimal of at most twelve places, averages of months, no rate at all.
Result<ExchangeFile> ReadExchangeFile(std::string_view text);

// What one unit of a currency is in another, as a ratio for TimesRatio.
struct PairRate {
  int128 numerator = 1, denominator = 1;
  Instant day;                    // that the rate is of; of two, the older
  std::vector<uint32_t> sources;  // of ExchangeTable::sources; none between equals
};

// Rates of several files as one table.
class ExchangeTable {
 public:
  // What the file states counts above all that was added before.
  void Add(std::string source, const ExchangeFile& file);
  // How many rates of days that both have are others than before.
  int64_t CountOtherThan(const ExchangeTable& before) const;

  bool empty() const { return rates_.empty(); }
  std::vector<std::string> Currencies() const;  // EUR among them, where there are any
  const std::vector<std::string>& sources() const { return sources_; }

  struct Quote {
    DayRate rate;
    uint32_t source = 0;
  };
  // Whether any rate of a source counts still.
  bool Uses(uint32_t source) const;
  // All of a currency, by day; none of EUR, which is always one.
  std::span<const Quote> All(std::string_view currency) const;
  // FAILED_PRECONDITION names the currency, the day and what to import.
  Result<Quote> Find(std::string_view currency, Instant day) const;
  Result<PairRate> Between(std::string_view from, std::string_view to, Instant day) const;

 private:
  std::map<std::string, std::vector<Quote>, std::less<>> rates_;  // each by day
  std::vector<std::string> sources_;
};

// {"base":"EUR","currencies":[{"currency":"USD","per_euro":"1.1","day":"2026-10-02","first_day":...,
// "last_day":...,"source":...}],"sources":[...]}: of each currency its newest rate, or the one that
// holds on a day (those without are left out).
std::string ExchangeJson(const ExchangeTable& table, std::optional<Instant> at);

}  // namespace flyball::rates
