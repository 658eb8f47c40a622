#include "base/zone.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace flyball {
namespace {

constexpr Instant kFarPast{std::numeric_limits<int64_t>::min()};
constexpr Instant kFarFuture{std::numeric_limits<int64_t>::max()};
// More than any offset, so that a search by local time starts early enough.
constexpr int64_t kOffsetMaxUs = 48 * kMicrosPerHour;

}  // namespace

Zone::Zone(std::string name, std::vector<Change> changes)
    : name_(std::move(name)), changes_(std::move(changes)) {
  FB_ASSERT(!changes_.empty());
  for (size_t i = 1; i < changes_.size(); ++i) FB_ASSERT(changes_[i - 1].from < changes_[i].from);
}

size_t Zone::IndexAt(Instant instant) const {
  auto after = std::upper_bound(changes_.begin(), changes_.end(), instant,
                                [](Instant t, const Change& change) { return t < change.from; });
  return after == changes_.begin() ? 0 : static_cast<size_t>(after - changes_.begin()) - 1;
}

Instant Zone::EndOf(size_t index) const {
  return index + 1 < changes_.size() ? changes_[index + 1].from : kFarFuture;
}

int64_t Zone::OffsetAt(Instant instant) const { return changes_[IndexAt(instant)].offset_us; }

Period Zone::OffsetPeriod(Instant instant) const {
  size_t index = IndexAt(instant);
  return {index == 0 ? kFarPast : changes_[index].from, EndOf(index)};
}

Instant Zone::FromLocal(int64_t local_us) const {
  for (size_t i = IndexAt(Instant{local_us - kOffsetMaxUs}); i < changes_.size(); ++i) {
    Instant reached{local_us - changes_[i].offset_us};
    if (i > 0) reached = std::max(reached, changes_[i].from);
    if (reached < EndOf(i)) return reached;
  }
  return Instant{local_us - changes_.back().offset_us};
}

}  // namespace flyball
