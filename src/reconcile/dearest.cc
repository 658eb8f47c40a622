#include "reconcile/dearest.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "reconcile/sums.h"

namespace flyball::reconcile {
namespace {

// A way in which an answer may have been served: "" and nothing where its lines tell.
using Way = std::pair<std::string, std::optional<std::string>>;  // tier, region

// Whether the call can have been served so, by what its bound has counted.
bool HasCounted(const CallFact& call, const Way& way) {
  const auto& [tier, region] = way;
  const metered::Dispatch& dispatch = call.dispatch;
  if (dispatch.tiers.empty()) return true;  // nobody has said
  const std::vector<std::string_view> tiers = SplitText(dispatch.tiers, ',');
  if (!tier.empty() && std::ranges::find(tiers, tier) == tiers.end()) return false;
  return dispatch.anywhere || !region || *region == dispatch.region;
}

// Each combination of what is left open by any line.
std::set<Way> WaysOf(const std::vector<const BillLine*>& lines) {
  std::set<std::string> tiers;
  std::set<std::optional<std::string>> regions;
  for (const BillLine* line : lines) {
    for (const BillLine::Rating& rating : line->dearer) {
      if (!rating.tier.empty()) tiers.insert(rating.tier);
      if (rating.region) regions.insert(rating.region);
    }
  }
  if (tiers.empty()) tiers.insert("");
  if (regions.empty()) regions.insert(std::nullopt);
  std::set<Way> ways;
  for (const std::string& tier : tiers) {
    for (const std::optional<std::string>& region : regions) ways.emplace(tier, region);
  }
  return ways;
}

// What lines of one answer cost where it was served so: each by what it leaves open.
BillLine::Rating ServedAs(const Way& way, const std::vector<const BillLine*>& lines) {
  BillLine::Rating whole{{}, {}, way.first, way.second};
  for (const BillLine* line : lines) {
    const auto dearer = std::ranges::find_if(line->dearer, [&](const BillLine::Rating& rating) {
      return (rating.tier.empty() || rating.tier == way.first) &&
             (!rating.region || rating.region == way.second);
    });
    const bool is_dearer = dearer != line->dearer.end();
    whole.cost = Added(whole.cost, is_dearer ? dearer->cost : line->cost);
    const std::vector<metered::Line>& parts = is_dearer ? dearer->lines : line->lines;
    whole.lines.insert(whole.lines.end(), parts.begin(), parts.end());
  }
  return whole;
}

}  // namespace

std::optional<BillLine::Rating> DearestHeld(const CallFact& call,
                                            const std::vector<const BillLine*>& lines, Money cost) {
  std::optional<BillLine::Rating> dearest;
  for (const Way& way : WaysOf(lines)) {
    if (!HasCounted(call, way)) continue;
    BillLine::Rating whole = ServedAs(way, lines);
    if (whole.cost > call.dispatch.bound || whole.cost <= cost) continue;
    cost = whole.cost;
    dearest = std::move(whole);
  }
  return dearest;
}

}  // namespace flyball::reconcile
