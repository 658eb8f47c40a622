// Fuzzes files of exchange rates. One that is refused is fine, if it says what to do; a crash, a
// rate out of bounds, days out of order or a conversion that can't be made is a bug.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/ratio.h"
#include "rates/exchange.h"

namespace {

using namespace flyball;
using namespace flyball::rates;

void ConvertEach(const ExchangeTable& table, const ExchangeFile& file) {
  for (const auto& [currency, series] : file.rates) {
    FB_ASSERT(IsCurrencyCode(currency) && currency != kEuro && !series.empty());
    const DayRate* before = nullptr;
    for (const DayRate& rate : series) {
      FB_ASSERT(before == nullptr || before->day < rate.day);
      FB_ASSERT(rate.per_euro > Money{} && rate.day == FloorDay(rate.day));
      FB_ASSERT(file.first_day <= rate.day && rate.day <= file.last_day);
      before = &rate;
      const auto pair = table.Between(kEuro, currency, rate.day);
      FB_ASSERT(pair.has_value() && pair->day == rate.day);
      const auto money =
          TimesRatio(Money::FromUnits(1'000'000'000'000), pair->numerator, pair->denominator);
      FB_ASSERT(money.has_value() && *money == rate.per_euro);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Result<ExchangeFile> file = ReadExchangeFile({reinterpret_cast<const char*>(data), size});
  if (!file) {
    FB_ASSERT(file.error().code == Code::kInvalidArgument && !file.error().hint.empty());
    return 0;
  }
  ExchangeTable table;
  table.Add("fuzz", *file);
  ConvertEach(table, *file);
  const ExchangeTable before = table;
  table.Add("again", *file);
  FB_ASSERT(table.CountOtherThan(before) == 0 && !table.Uses(0));
  ExchangeJson(table, std::nullopt);
  return 0;
}
