// Every level of the store gives the answer that the naive interpreter gives, for random questions.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <algorithm>

#include <fstream>

#include "base/clock.h"
#include "ledger/naive.h"
#include "ledger/test_ledger.h"
#include "model/dimension.h"

namespace flyball::ledger {
namespace {

constexpr const char* kEstate = R"(
teams: [{id: search}, {id: ads}]
rules:
  - match: {ServiceName: "s1"}
    set: {team: search, driver: storage}
  - match: {"tag:env": "dev"}
    set: {environment: dev, team: ads}
  - match: {SkuId: {prefix: "k"}}
    set: {project: atlas, workload: batch}
)";

// Few values each, so that questions meet; with everything that a quote or an escape could break.
constexpr const char* kValues[] = {"s1", "it's", "a;b\"c", "(none)", "(other)", "k1", "日本"};
constexpr const char* kKeys[] = {"env", "a.b", "q\"x", "t~k/v", "0"};
constexpr const char* kCurrencies[] = {"USD", "EUR"};
constexpr const char* kTextColumns[] = {"ServiceName",    "ServiceProviderName",
                                        "SubAccountId",   "SkuId",
                                        "ResourceId",     "ServiceCategory",
                                        "ConsumedUnit",   "RegionId",
                                        "x_Team",         "x_Model",
                                        "SubAccountName", "CommitmentDiscountStatus",
                                        "x_Confidence",   "InvoiceId"};

const Instant kStart = ToInstant({2026, 9, 20});

template <typename T, size_t N>
T Pick(Random& random, T const (&values)[N]) {
  return values[random.Below(N)];
}

NaiveCharge RandomCharge(Random& random) {
  NaiveCharge charge;
  charge.start = {kStart.us + random.Between(0, 70 * 24 * 4) * kMicrosPerHour / 4};
  charge.columns["BillingCurrency"] = Pick(random, kCurrencies);
  charge.columns["BillingAccountId"] = "b" + std::to_string(random.Below(2));
  for (const char* column : kTextColumns) {
    if (random.Chance(2, 3)) charge.columns[column] = Pick(random, kValues);
  }
  for (const char* key : kKeys) {
    if (random.Chance(1, 3)) charge.tags[key] = random.Chance(1, 2) ? "dev" : Pick(random, kValues);
  }
  for (const char* measure :
       {"billed_cost", "effective_cost", "list_cost", "contracted_cost", "usage"}) {
    if (random.Chance(1, 8)) continue;
    charge.measures[measure] = random.Chance(1, 20)
                                   ? static_cast<int128>(random.Below(1u << 30)) << 80
                                   : static_cast<int128>(random.Between(-5, 20)) * 100'000'000'001;
  }
  return charge;
}

std::string RandomDimension(Random& random) {
  if (random.Chance(1, 6)) return "tag:" + std::string(Pick(random, kKeys));
  auto all = dimension::Dimensions();
  for (;;) {
    const dimension::Info& info = all[random.Below(all.size())];
    if (info.kind != dimension::Kind::kPeriod && info.kind != dimension::Kind::kTag) {
      return std::string(info.name);
    }
  }
}

Instant RandomLimit(Random& random) {
  Instant at = {kStart.us + random.Between(-10, 80) * kMicrosPerDay};
  switch (random.Below(4)) {
    case 0:
      return FloorMonth(at);
    case 1:
      return {at.us + random.Between(0, 23) * kMicrosPerHour};
    case 2:
      return {at.us + random.Between(0, 86'399) * kMicrosPerSecond};
    default:
      return at;
  }
}

Filter RandomFilter(Random& random) {
  Filter filter;
  filter.dimension = RandomDimension(random);
  filter.negated = random.Chance(1, 3);
  for (uint64_t n = random.Between(1, 3) > 2 ? 3 : 1; n > 0; --n) {
    switch (random.Below(8)) {
      case 0:
        filter.values.emplace_back("(unallocated)");
        break;
      case 1:
        filter.values.emplace_back(Pick(random, kCurrencies));
        break;
      case 2:
        filter.values.emplace_back(random.Chance(1, 2) ? "dev" : "search");
        break;
      case 3:
        filter.values.emplace_back(random.Chance(1, 2) ? "aws" : "b1");
        break;
      default:
        filter.values.emplace_back(Pick(random, kValues));
    }
  }
  return filter;
}

CostQuery RandomQuery(Random& random) {
  CostQuery query;
  const auto& names = MeasureNames();
  for (std::string_view name : names) {
    if (random.Chance(1, 3)) query.measures.emplace_back(name);
  }
  if (query.measures.empty()) query.measures.emplace_back(names[random.Below(names.size())]);
  for (uint64_t n = random.Below(4); n > 0; --n) {
    std::string dimension = RandomDimension(random);
    if (std::ranges::find(query.by, dimension) == query.by.end()) query.by.push_back(dimension);
  }
  query.grain = static_cast<Grain>(random.Below(5));
  if (random.Chance(1, 2)) query.from = RandomLimit(random);
  if (random.Chance(1, 2)) query.to = RandomLimit(random);
  if (query.from && query.to && *query.to <= *query.from) query.to.reset();
  for (uint64_t n = random.Below(3); n > 0; --n) query.where.push_back(RandomFilter(random));
  if (random.Chance(1, 2)) query.top = static_cast<int>(random.Between(1, 4));
  query.basis = BasisNames()[random.Below(BasisNames().size())];
  return query;
}

// A ledger of two sources, two rulebooks and a restatement, made once.
class Levels {
 public:
  static Levels& The() {
    if (the_ == nullptr) the_ = new Levels;
    return *the_;
  }
  // No ledger may outlive main: DuckDB's state of the main thread is gone when statics are
  // destroyed.
  static void End() { delete std::exchange(the_, nullptr); }
  Ledger& ledger() { return *ledger_; }
  // The charges that are live at a commit, with what its rules make of them.
  const std::vector<NaiveCharge>& At(size_t commit) const { return live_[commit]; }
  size_t commits() const { return live_.size(); }

 private:
  Levels() {
    ledger_ = home_.Open();
    Random random(7);
    std::vector<NaiveCharge> aws = Some(random, 120, "aws"), gcp = Some(random, 80, "gcp");
    ledger_->Publish(home_.Stage("aws", aws, 3)).value();
    Remember(aws);
    ledger_->Publish(home_.Stage("gcp", gcp, 2)).value();
    std::vector<NaiveCharge> both = aws;
    both.insert(both.end(), gcp.begin(), gcp.end());
    Remember(both);
    std::ofstream(home_.PathOf("estate.yaml")) << kEstate;
    ledger_->Classify("test").value();
    Remember(both);
    // October of aws is stated anew.
    std::vector<NaiveCharge> october;
    for (NaiveCharge& charge : Some(random, 150, "aws")) {
      if (FloorMonth(charge.start) == ToInstant({2026, 10, 1})) october.push_back(charge);
    }
    ledger_->Publish(home_.Stage("aws", october, 2)).value();
    std::erase_if(both, [](const NaiveCharge& charge) {
      return charge.source == "aws" && FloorMonth(charge.start) == ToInstant({2026, 10, 1});
    });
    both.insert(both.end(), october.begin(), october.end());
    Remember(both);
    ledger_->Compact("test", 1u << 30).value();
    Remember(both);
  }
  static std::vector<NaiveCharge> Some(Random& random, int count, const char* source) {
    std::vector<NaiveCharge> charges;
    for (int i = 0; i < count; ++i) {
      charges.push_back(RandomCharge(random));
      charges.back().source = source;
    }
    return charges;
  }
  void Remember(std::vector<NaiveCharge> charges) {
    TestHome::Assign(*ledger_->Rules(), &charges);
    live_.push_back(std::move(charges));
  }

  static inline Levels* the_ = nullptr;
  TestHome home_;
  std::unique_ptr<Ledger> ledger_;
  std::vector<std::vector<NaiveCharge>> live_;
};

class LevelsTest : public testing::Test {
 public:
  static void TearDownTestSuite() { Levels::End(); }
};

std::string Shown(const Result<QueryAnswer>& answer) {
  if (!answer) return answer.error().ToString();
  QueryAnswer plain = *answer;
  plain.commit = plain.read_from = "";
  return AnswerJson(plain);
}

RC_GTEST_FIXTURE_PROP(LevelsTest, AgreeWithTheNaiveInterpreter, (uint64_t seed)) {
  Levels& levels = Levels::The();
  Random random(seed);
  CostQuery query = RandomQuery(random);
  size_t commit = levels.commits() - 1;
  if (random.Chance(1, 3)) {
    commit = random.Below(levels.commits());
    query.as_of = std::to_string(commit + 1);
  }
  std::string expected = Shown(AnswerNaively(query, levels.At(commit)));
  for (ReadFrom level : {ReadFrom::kCube, ReadFrom::kRollup, ReadFrom::kRows}) {
    Result<QueryAnswer> answer = levels.ledger().Query(query, level);
    std::string got = Shown(answer);
    RC_LOG() << CanonicalJson(query) << "\nread from "
             << (answer ? answer->read_from : std::string("nothing")) << "\ngot " << got
             << "\nexpected " << expected;
    RC_ASSERT(got == expected);
  }
}

RC_GTEST_FIXTURE_PROP(LevelsTest, CountTheChargesBehindAnAnswer, (uint64_t seed)) {
  Levels& levels = Levels::The();
  Random random(seed);
  CostQuery query = RandomQuery(random);
  query.measures = {"charges"};
  query.by.clear();
  query.grain = Grain::kNone;
  query.top = 0;
  Result<QueryAnswer> expected = AnswerNaively(query, levels.At(levels.commits() - 1));
  int128 charges = 0;
  for (const auto& [currency, totals] : expected->totals) charges += totals[0];
  Result<RowsPage> page = levels.ledger().Rows(query, 0, 1000);
  RC_LOG() << CanonicalJson(query) << (page ? std::string() : page.error().ToString());
  RC_ASSERT(page.has_value());
  RC_ASSERT(page->total == static_cast<int64_t>(charges));
  RC_ASSERT(static_cast<int64_t>(page->rows.size()) == page->total);
}

}  // namespace
}  // namespace flyball::ledger
