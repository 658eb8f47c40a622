// ChargeRows: metered calls added up to a FOCUS bill, one row per hour, meter and attribution.
//
// What the gateway logged and what applications reported of their own calls become charges in the
// same way; the vendor's own bill comes later, so every row is marked as an estimate.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"

namespace flyball::ingest {

class ChargeRows {
 public:
  // What one row is about; calls that are about the same are added up.
  struct Group {
    Instant hour;
    std::string upstream, provider, region, model, tier, meter, currency;
    std::string key, team, project, use_case, tags;
    metered::Basis basis{};
    Money unit_price;
    auto operator<=>(const Group&) const = default;
  };
  struct Sums {
    int64_t quantity = 0;
    Money cost;
  };

  // A call counts in the hour of its dispatch; one that cost nothing by its basis adds no row.
  Status Add(const metered::Dispatch& dispatch, const metered::End& end);
  int64_t size() const { return static_cast<int64_t>(groups_.size()); }
  // FOCUS 1.4 with the AI columns of the 1.5 draft; the same calls give the same bytes.
  std::string Csv(const Period& month) const;

 private:
  Status Add(const Group& group, int64_t quantity, Money cost);

  std::map<Group, Sums> groups_;
};

}  // namespace flyball::ingest
