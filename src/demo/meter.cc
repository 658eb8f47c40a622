#include "demo/meter.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace flyball::demo {
namespace {

constexpr CivilDate kFirstDay{2025, 10, 1};

// Weights of the days of the week from Monday, and of the hours of the day; only ratios count.
struct Shape {
  std::array<int, 7> week;
  std::array<int, 24> day;
};
constexpr Shape kFlatShape{{100, 100, 100, 100, 100, 100, 100},
                           {10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
                            10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10}};
constexpr Shape kOfficeShape{
    {122, 126, 124, 121, 108, 52, 47},
    {3, 2, 2, 2, 3, 5, 9, 15, 22, 25, 25, 22, 19, 23, 24, 22, 18, 12, 8, 7, 6, 5, 4, 3}};
constexpr Shape kConsumerShape{
    {92, 90, 92, 95, 104, 117, 110},
    {6, 4, 3, 2, 2, 3, 5, 8, 10, 11, 12, 13, 14, 13, 12, 12, 13, 15, 18, 21, 22, 19, 14, 9}};
constexpr Shape kBatchShape{
    {98, 102, 103, 104, 101, 97, 95},
    {22, 24, 25, 24, 22, 18, 10, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 6, 8, 11, 15, 19}};
// Retail's year, from October.
constexpr std::array<int, kMonths> kConsumerYear = {100, 114, 123, 93,  94,  97, 98,
                                                    100, 101, 99,  100, 101, 104};

const Shape& ShapeOf(Season season) {
  switch (season) {
    case Season::kOffice:
      return kOfficeShape;
    case Season::kConsumer:
      return kConsumerShape;
    case Season::kBatch:
      return kBatchShape;
    case Season::kFlat:
      break;
  }
  return kFlatShape;
}

int MonthOf(int day) {
  const CivilDate date = ToCivilDate(DayStart(day));
  return (date.year - kFirstDay.year) * 12 + date.month - kFirstDay.month;
}

// Growth in parts per million after `months` months of `bp` basis points each.
int64_t Grown(int bp, int months) {
  int64_t factor = 1'000'000;
  for (int i = 0; i < months; ++i) factor = factor * (10'000 + bp) / 10'000;
  return factor;
}

}  // namespace

Instant DayStart(int day) { return Instant{ToInstant(kFirstDay).us + day * kMicrosPerDay}; }

std::vector<Slot> SlotsOfMonth(int month, int days_a_slot) {
  const Instant first = AddMonths(ToInstant(kFirstDay), month);
  const Instant next = AddMonths(first, 1);
  const int day0 = static_cast<int>((first.us - DayStart(0).us) / kMicrosPerDay);
  const int days = static_cast<int>((next.us - first.us) / kMicrosPerDay);
  std::vector<Slot> slots;
  const int step = std::max(days_a_slot, 1);
  for (int i = 0; i < days; i += step) {
    if (days_a_slot > 0) {
      slots.push_back(
          {day0 + i, -1, DayStart(day0 + i), DayStart(day0 + std::min(i + step, days))});
      continue;
    }
    for (int hour = 0; hour < 24; ++hour) {
      const Instant start{DayStart(day0 + i).us + hour * kMicrosPerHour};
      slots.push_back({day0 + i, hour, start, Instant{start.us + kMicrosPerHour}});
    }
  }
  return slots;
}

int64_t PriceUnits(std::string_view text) {
  ParsedDecimal parsed;
  FB_ASSERT(ParseDecimalFast(text, 8, &parsed) == DecimalFault::kNone && parsed.exact);
  return static_cast<int64_t>(parsed.units);
}

Meter::Meter(const Stream& stream, uint64_t seed)
    : stream_(&stream), price_(PriceUnits(stream.list_price)) {
  for (const Event& event : Events()) {
    if (event.id == stream.event) event_ = &event;
  }
  Random random(seed);
  const Shape& shape = ShapeOf(stream.season);
  day_quantity_.reserve(kDays);
  for (int day = 0; day < kDays; ++day) {
    const int month = MonthOf(day);
    const int day_of_month = ToCivilDate(DayStart(day)).day;
    const int64_t here = Grown(stream.growth_bp, month);
    const int64_t next = Grown(stream.growth_bp, month + 1);
    const int64_t growth = here + (next - here) * day_of_month / 31;
    const auto weekday = static_cast<size_t>((day + 2) % 7);  // 2025-10-01 was a Wednesday
    int64_t weight = shape.week[weekday];
    if (stream.season == Season::kConsumer) {
      weight = weight * kConsumerYear[static_cast<size_t>(month)] / 100;
    }
    // Three uniform draws: noise of about 4 %, bell-shaped.
    const int64_t noise = 10'000 + (random.Between(-400, 400) + random.Between(-400, 400) +
                                    random.Between(-400, 400));
    // micro currency a day -> quantity in 1e-4: cost(1e-6) * 1e6 / price(1e-8)
    const int128 micros = static_cast<int128>(stream.month_usd) * 1'000'000 / 30;
    int128 quantity = micros * growth / 1'000'000 * weight / 100 * noise / 10'000;
    quantity = quantity * 1'000'000 / price_;
    if (event_ != nullptr && day >= event_->first_day && day <= event_->last_day) {
      quantity = quantity * event_->factor_bp / 10'000;
    }
    day_quantity_.push_back(std::max<int64_t>(1, static_cast<int64_t>(quantity)));
  }
}

int64_t Meter::Quantity(const Slot& slot) const {
  if (slot.hour < 0) {
    int64_t sum = 0;
    const int days = static_cast<int>((slot.end.us - slot.start.us) / kMicrosPerDay);
    for (int i = 0; i < days; ++i) sum += day_quantity_[static_cast<size_t>(slot.day + i)];
    return sum;
  }
  const Shape& shape = ShapeOf(stream_->season);
  int64_t weights = 0;
  for (int weight : shape.day) weights += weight;
  const int128 day = day_quantity_[static_cast<size_t>(slot.day)];
  return static_cast<int64_t>(day * shape.day[static_cast<size_t>(slot.hour)] / weights);
}

bool Meter::InEvent(const Slot& slot) const {
  return event_ != nullptr && slot.day >= event_->first_day && slot.day <= event_->last_day;
}

bool Meter::PriceChanged(const Slot& slot) const {
  return InEvent(slot) && !event_->new_price.empty();
}

int64_t Meter::ListPrice(const Slot& slot) const {
  return PriceChanged(slot) ? PriceUnits(event_->new_price) : price_;
}

int64_t Meter::ContractedPrice(const Slot& slot) const {
  return ListPrice(slot) * (10'000 - stream_->discount_bp) / 10'000;
}

int64_t Meter::CommittedPrice() const { return price_ * 6'000 / 10'000; }

int64_t Meter::Committed(const Slot& slot) const {
  if (stream_->committed_share_bp == 0) return 0;
  int64_t month = 0;
  for (int day = 0; day < 31; ++day) month += day_quantity_[static_cast<size_t>(day)];
  const int64_t hours = (slot.end.us - slot.start.us) / kMicrosPerHour;
  return static_cast<int64_t>(static_cast<int128>(month) * stream_->committed_share_bp / 10'000 *
                              hours / (31 * 24));
}

}  // namespace flyball::demo
