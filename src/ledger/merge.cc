#include "ledger/merge.h"

#include <algorithm>
#include <map>
#include <set>

#include "ledger/compile.h"
#include "model/dimension.h"

namespace flyball::ledger {
namespace {

using Sums = std::vector<int128>;

struct Place {
  std::string period, currency;
  bool other = false;
  std::vector<std::string> names;  // of AnswerDimensions
  auto operator<=>(const Place&) const = default;
};

Status AddTo(Sums* sums, const Sums& more) {
  sums->resize(more.size());
  for (size_t i = 0; i < more.size(); ++i) {
    (*sums)[i] = FB_TRY(Money::FromUnits((*sums)[i]).Plus(Money::FromUnits(more[i]))).units();
  }
  return {};
}

class Merger {
 public:
  explicit Merger(const CostQuery& query)
      : query_(query), dimensions_(AnswerDimensions(query)), inner_(MergeableQuery(query)) {
    const auto found = std::ranges::find(inner_.measures, BasisMeasure(query.basis));
    rank_ = static_cast<size_t>(found - inner_.measures.begin());
  }

  Status Add(const QueryAnswer& answer) {
    const bool has_period = query_.grain != Grain::kNone;
    for (const AnswerRow& row : answer.rows) {
      Place place;
      place.currency = row.currency;
      auto first = row.dimensions.begin();
      if (has_period) place.period = *first++;
      place.names.assign(first, row.dimensions.end());
      FB_CHECK(AddTo(&rows_[std::move(place)], row.measures));
    }
    return {};
  }

  // Of each currency the groups with the highest rank over all periods keep their names.
  Status CutTop() {
    if (query_.top == 0) return {};
    std::map<std::pair<std::string, std::vector<std::string>>, Sums> groups;
    for (const auto& [place, sums] : rows_) {
      FB_CHECK(AddTo(&groups[{place.currency, place.names}], sums));
    }
    using Group = decltype(groups)::value_type;
    std::map<std::string, std::vector<const Group*>> by_currency;
    for (const Group& group : groups) by_currency[group.first.first].push_back(&group);
    std::set<std::pair<std::string, std::vector<std::string>>> kept;
    for (auto& [currency, all] : by_currency) {
      std::ranges::sort(all, [this](const Group* a, const Group* b) {
        return std::tie(b->second[rank_], a->first) < std::tie(a->second[rank_], b->first);
      });
      for (size_t i = 0; i < all.size() && i < static_cast<size_t>(query_.top); ++i) {
        kept.insert(all[i]->first);
      }
    }
    std::map<Place, Sums> cut;
    for (const auto& [place, sums] : rows_) {
      const bool stays = kept.contains({place.currency, place.names});
      FB_CHECK(AddTo(&cut[stays ? place : OtherOf(place)], sums));
    }
    rows_ = std::move(cut);
    return {};
  }

  Result<QueryAnswer> Answer(const QueryAnswer& first) const {
    std::vector<const Row*> order;
    for (const Row& row : rows_) order.push_back(&row);
    std::ranges::sort(order, [this](const Row* a, const Row* b) {
      const Place& x = a->first;
      const Place& y = b->first;
      return std::tie(x.period, x.currency, x.other, b->second[rank_], x.names) <
             std::tie(y.period, y.currency, y.other, a->second[rank_], y.names);
    });
    QueryAnswer answer;
    answer.columns = first.columns;
    answer.measures = query_.measures;
    answer.commit = first.commit;
    answer.read_from = first.read_from;
    answer.query_hash = QueryHash(query_);
    for (const Row* row : order) {
      AnswerRow& to = answer.rows.emplace_back();
      if (query_.grain != Grain::kNone) to.dimensions.push_back(row->first.period);
      to.dimensions.insert(to.dimensions.end(), row->first.names.begin(), row->first.names.end());
      to.measures.assign(row->second.begin(),
                         row->second.begin() + static_cast<ptrdiff_t>(query_.measures.size()));
      to.currency = row->first.currency;
      FB_CHECK(AddTo(&answer.totals[to.currency], to.measures));
    }
    return answer;
  }

 private:
  using Row = std::map<Place, Sums>::value_type;

  // Units do not add up and currencies are never added: both keep their values.
  Place OtherOf(Place place) const {
    place.other = true;
    const bool has_usage = std::ranges::find(query_.measures, "usage") != query_.measures.end();
    for (size_t i = 0; i < dimensions_.size(); ++i) {
      const bool stays = dimensions_[i] == "currency" || (has_usage && dimensions_[i] == "unit");
      if (!stays) place.names[i] = dimension::kOther;
    }
    return place;
  }

  const CostQuery& query_;
  const std::vector<std::string> dimensions_;
  const CostQuery inner_;
  size_t rank_ = 0;
  std::map<Place, Sums> rows_;
};

}  // namespace

CostQuery MergeableQuery(const CostQuery& query) {
  CostQuery inner = query;
  inner.top = 0;
  const std::string_view rank = BasisMeasure(query.basis);
  if (std::ranges::find(inner.measures, rank) == inner.measures.end()) {
    inner.measures.emplace_back(rank);
  }
  return inner;
}

Result<QueryAnswer> MergeAnswers(const CostQuery& query, const QueryAnswer& first,
                                 const QueryAnswer& second) {
  Merger merger(query);
  FB_CHECK(merger.Add(first));
  FB_CHECK(merger.Add(second));
  FB_CHECK(merger.CutTop());
  return merger.Answer(first);
}

}  // namespace flyball::ledger
