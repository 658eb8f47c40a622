#include "ledger/merge.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "ledger/naive.h"

namespace flyball::ledger {
namespace {

NaiveCharge AnyCharge(Random& random) {
  NaiveCharge charge;
  const auto pick = [&random](std::initializer_list<const char*> of) {
    return std::string(of.begin()[random.Below(of.size())]);
  };
  charge.columns["BillingCurrency"] = pick({"USD", "EUR"});
  charge.columns["ServiceProviderName"] = pick({"A", "B", "C", "(other)"});
  charge.columns["ConsumedUnit"] = pick({"Tokens", "Hours"});
  if (random.Chance(1, 2)) charge.columns["RegionId"] = pick({"x", "y"});
  for (const char* measure : {"billed_cost", "effective_cost", "usage"}) {
    charge.measures[measure] = random.Between(-5, 20);
  }
  charge.start = Instant{random.Between(0, 3) * kMicrosPerDay};
  charge.source = pick({"s", "t"});
  return charge;
}

// However charges are split between the two answers, the merged one is that of all of them.
TEST(MergeAnswers, IsTheAnswerOverAllChargesHoweverTheyAreSplit) {
  const char* questions[] = {
      R"({"measures":["billed_cost"]})",
      R"({"measures":["usage","charges"],"by":["provider"],"grain":"day","top":1})",
      R"({"measures":["charges"],"by":["provider","region"],"top":2,"basis":"billed"})",
      R"({"measures":["effective_cost","usage"],"by":["region","currency"],"grain":"month"})",
      R"({"measures":["billed_cost"],"by":["source"],"top":1,
          "where":[{"dimension":"provider","not":true,"values":["A"]}]})"};
  Random random(9);
  for (int life = 0; life < 60; ++life) {
    std::vector<NaiveCharge> all, first, second;
    for (uint64_t n = random.Below(30); n > 0; --n) {
      all.push_back(AnyCharge(random));
      (random.Chance(1, 2) ? first : second).push_back(all.back());
    }
    for (const char* text : questions) {
      const CostQuery query = ParseQueryJson(text).value();
      const CostQuery inner = MergeableQuery(query);
      const QueryAnswer merged = MergeAnswers(query, AnswerNaively(inner, first).value(),
                                              AnswerNaively(inner, second).value())
                                     .value();
      EXPECT_EQ(AnswerJson(merged), AnswerJson(AnswerNaively(query, all).value())) << text;
    }
  }
}

}  // namespace
}  // namespace flyball::ledger
