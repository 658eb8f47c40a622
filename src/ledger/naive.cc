#include "ledger/naive.h"

#include <algorithm>

namespace flyball::ledger {
namespace {

// One cell of a group's key. A charge without a value shows a placeholder, yet does not fall
// together with the text
// "(other)" that stands for what `top` cut.
using Key = std::vector<std::string>;

struct Word {
  const char* dimension;
  const char* column;
  const char* else_column;
};
// Written down from the text of the dimensions' list, not taken from their table.
constexpr Word kWords[] = {
    {"provider", "ServiceProviderName", nullptr},
    {"host_provider", "HostProviderName", nullptr},
    {"invoice_issuer", "InvoiceIssuerName", nullptr},
    {"service", "ServiceName", nullptr},
    {"service_category", "ServiceCategory", nullptr},
    {"service_subcategory", "ServiceSubcategory", nullptr},
    {"account", "SubAccountId", "BillingAccountId"},
    {"account_name", "SubAccountName", "BillingAccountName"},
    {"billing_account", "BillingAccountId", nullptr},
    {"region", "RegionId", nullptr},
    {"charge_category", "ChargeCategory", nullptr},
    {"pricing_category", "PricingCategory", nullptr},
    {"commitment_status", "CommitmentDiscountStatus", nullptr},
    {"sku", "SkuId", nullptr},
    {"sku_meter", "SkuMeter", nullptr},
    {"resource", "ResourceId", nullptr},
    {"resource_name", "ResourceName", nullptr},
    {"resource_type", "ResourceType", nullptr},
    {"unit", "ConsumedUnit", nullptr},
    {"confidence", "x_Confidence", nullptr},
    {"currency", "BillingCurrency", nullptr},
    {"charge_class", "ChargeClass", nullptr},
    {"invoice", "InvoiceId", nullptr},
};
constexpr const char* kRuleWords[] = {"driver",   "stage", "ai_class",    "team",    "project",
                                      "use_case", "model", "environment", "workload"};

std::optional<std::string> ColumnValue(const NaiveCharge& charge, const char* column) {
  auto found = charge.columns.find(column);
  return found == charge.columns.end() ? std::nullopt : found->second;
}

std::optional<std::string> ValueOf(const NaiveCharge& charge, const std::string& dimension) {
  if (dimension.rfind("tag:", 0) == 0) {
    auto found = charge.tags.find(dimension.substr(4));
    if (found == charge.tags.end()) return std::nullopt;
    return found->second;
  }
  if (dimension == "source") return charge.source;
  if (dimension == "billing_period") return FormatDate(FloorMonth(charge.start)).substr(0, 7);
  for (size_t i = 0; i < std::size(kRuleWords); ++i) {
    if (dimension == kRuleWords[i]) return charge.assigned[i];
  }
  for (const Word& word : kWords) {
    if (dimension != word.dimension) continue;
    std::optional<std::string> value = ColumnValue(charge, word.column);
    if (!value && word.else_column != nullptr) value = ColumnValue(charge, word.else_column);
    return value;
  }
  return std::nullopt;
}

std::string LabelOf(const NaiveCharge& charge, const std::string& dimension) {
  std::optional<std::string> value = ValueOf(charge, dimension);
  if (value) return *value;
  for (const char* word : kRuleWords) {
    if (dimension == word) return "(unallocated)";
  }
  return "(none)";
}

bool Holds(const NaiveCharge& charge, const Filter& filter) {
  std::optional<std::string> value = ValueOf(charge, filter.dimension);
  bool any = false;
  for (const std::string& wanted : filter.values) {
    if (value && *value == wanted) any = true;
    if (!value && (wanted == "(none)" || wanted == "(unallocated)")) any = true;
  }
  return any != filter.negated;
}

bool Asked(const CostQuery& query, const NaiveCharge& charge) {
  if (query.from && charge.start < *query.from) return false;
  if (query.to && charge.start >= *query.to) return false;
  for (const Filter& filter : query.where) {
    if (!Holds(charge, filter)) return false;
  }
  return true;
}

std::string PeriodOf(const CostQuery& query, const NaiveCharge& charge) {
  switch (query.grain) {
    case Grain::kNone:
      return "";
    case Grain::kHour:
      return FormatInstant(FloorHour(charge.start));
    case Grain::kDay:
      return FormatDate(FloorDay(charge.start));
    case Grain::kWeek:
      return FormatDate(FloorWeek(charge.start));
    case Grain::kMonth:
      return FormatDate(FloorMonth(charge.start)).substr(0, 7);
  }
  return "";
}

// Exact and checked against 38 digits only when it is asked for, so that partial sums may leave
// them and return.
struct Total {
  int128 low = 0;   // below 10^19
  int128 high = 0;  // of 10^19
  void Add(int128 units) {
    constexpr int128 kHalf = 10'000'000'000'000'000'000ULL;
    low += units % kHalf;
    high += units / kHalf;
    high += low / kHalf;
    low %= kHalf;
  }
  Result<int128> Value() const {
    constexpr int128 kHalf = 10'000'000'000'000'000'000ULL;
    int128 value = 0;
    if (__builtin_mul_overflow(high, kHalf, &value) || __builtin_add_overflow(value, low, &value) ||
        value > kDecimalMaxUnits || value < -kDecimalMaxUnits) {
      return Fail(Code::kOutOfRange, "the sum leaves 38 digits");
    }
    return value;
  }
};

struct Group {
  std::string period, currency;
  bool other = false;
  Key key;
  std::vector<Total> totals;  // of the measures asked for
  Total rank;
};

std::string RankingMeasure(const CostQuery& query) { return query.basis + "_cost"; }

void AddTo(Group* group, const CostQuery& query, const NaiveCharge& charge) {
  auto units = [&charge](const std::string& measure) -> int128 {
    if (measure == "charges") return 1;
    auto found = charge.measures.find(measure);
    return found == charge.measures.end() ? 0 : found->second;
  };
  group->totals.resize(query.measures.size());
  for (size_t m = 0; m < query.measures.size(); ++m) group->totals[m].Add(units(query.measures[m]));
  group->rank.Add(units(RankingMeasure(query)));
}

Group* FindGroup(std::vector<Group>* groups, const Group& like) {
  for (Group& group : *groups) {
    if (group.period == like.period && group.currency == like.currency &&
        group.other == like.other && group.key == like.key) {
      return &group;
    }
  }
  groups->push_back(like);
  return &groups->back();
}

// Which (currency, key) stay under `top`: in each currency the highest over all periods, ties by
// the bytes of the key.
Result<std::vector<std::pair<std::string, Key>>> Kept(const CostQuery& query,
                                                      std::vector<Group> over_all) {
  struct Ranked {
    std::string currency;
    int128 rank = 0;
    Key key;
  };
  std::vector<Ranked> ranked;
  for (const Group& group : over_all)
    ranked.push_back({group.currency, FB_TRY(group.rank.Value()), group.key});
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    if (a.currency != b.currency) return a.currency < b.currency;
    if (a.rank != b.rank) return a.rank > b.rank;
    return a.key < b.key;
  });
  std::vector<std::pair<std::string, Key>> kept;
  int in_currency = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    in_currency = i > 0 && ranked[i].currency == ranked[i - 1].currency ? in_currency + 1 : 1;
    if (in_currency <= query.top) kept.emplace_back(ranked[i].currency, ranked[i].key);
  }
  return kept;
}

struct Prepared {
  std::vector<std::string> by;  // with the unit that usage adds
  bool has_usage = false;
};

Prepared Prepare(const CostQuery& query) {
  Prepared prepared{query.by, false};
  for (const std::string& measure : query.measures) prepared.has_usage |= measure == "usage";
  bool names_unit = std::find(query.by.begin(), query.by.end(), "unit") != query.by.end();
  if (prepared.has_usage && !names_unit) prepared.by.push_back("unit");
  return prepared;
}

Group GroupOf(const CostQuery& query, const Prepared& prepared, const NaiveCharge& charge) {
  Group group;
  group.period = PeriodOf(query, charge);
  group.currency = LabelOf(charge, "currency");
  for (const std::string& dimension : prepared.by) group.key.push_back(LabelOf(charge, dimension));
  return group;
}

// The same group when `top` keeps it, else the group "(other)" that takes its place.
Group AfterTop(const Prepared& prepared, const std::vector<std::pair<std::string, Key>>& kept,
               Group group) {
  std::pair<std::string, Key> wanted(group.currency, group.key);
  if (std::find(kept.begin(), kept.end(), wanted) != kept.end()) return group;
  group.other = true;
  for (size_t i = 0; i < prepared.by.size(); ++i) {
    bool stays = prepared.by[i] == "currency" || (prepared.has_usage && prepared.by[i] == "unit");
    if (!stays) group.key[i] = "(other)";
  }
  return group;
}

Result<std::vector<AnswerRow>> RowsOf(const CostQuery& query, const std::vector<Group>& groups) {
  struct Line {
    const Group* group;
    int128 rank;
    AnswerRow row;
  };
  std::vector<Line> lines;
  for (const Group& group : groups) {
    Line line{&group, FB_TRY(group.rank.Value()), {}};
    if (query.grain != Grain::kNone) line.row.dimensions.push_back(group.period);
    for (const std::string& cell : group.key) line.row.dimensions.push_back(cell);
    for (const Total& total : group.totals) line.row.measures.push_back(FB_TRY(total.Value()));
    line.row.currency = group.currency;
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    if (a.group->period != b.group->period) return a.group->period < b.group->period;
    if (a.group->currency != b.group->currency) return a.group->currency < b.group->currency;
    if (a.group->other != b.group->other) return b.group->other;
    if (a.rank != b.rank) return a.rank > b.rank;
    return a.group->key < b.group->key;
  });
  std::vector<AnswerRow> rows;
  for (Line& line : lines) rows.push_back(std::move(line.row));
  return rows;
}

}  // namespace

Result<QueryAnswer> AnswerNaively(const CostQuery& query, const std::vector<NaiveCharge>& charges) {
  FB_CHECK(Validate(query));
  Prepared prepared = Prepare(query);

  std::vector<std::pair<std::string, Key>> kept;
  if (query.top > 0) {
    std::vector<Group> over_all;
    for (const NaiveCharge& charge : charges) {
      if (!Asked(query, charge)) continue;
      Group group = GroupOf(query, prepared, charge);
      group.period.clear();
      AddTo(FindGroup(&over_all, group), query, charge);
    }
    kept = FB_TRY(Kept(query, std::move(over_all)));
  }

  std::vector<Group> groups;
  std::map<std::string, std::vector<Total>> totals;
  for (const NaiveCharge& charge : charges) {
    if (!Asked(query, charge)) continue;
    Group group = GroupOf(query, prepared, charge);
    if (query.top > 0) group = AfterTop(prepared, kept, std::move(group));
    AddTo(FindGroup(&groups, group), query, charge);
    Group whole;
    whole.totals = totals[group.currency];
    AddTo(&whole, query, charge);
    totals[group.currency] = whole.totals;
  }

  QueryAnswer answer;
  if (query.grain != Grain::kNone) answer.columns.push_back("period");
  answer.columns.insert(answer.columns.end(), prepared.by.begin(), prepared.by.end());
  answer.measures = query.measures;
  answer.rows = FB_TRY(RowsOf(query, groups));
  for (const auto& [currency, sums] : totals) {
    std::vector<int128>& values = answer.totals[currency];
    for (const Total& sum : sums) values.push_back(FB_TRY(sum.Value()));
  }
  answer.query_hash = QueryHash(query);
  return answer;
}

}  // namespace flyball::ledger
