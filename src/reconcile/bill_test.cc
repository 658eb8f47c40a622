#include "reconcile/bill.h"

#include <gtest/gtest.h>

#include <set>

#include "rates/price_file.h"

namespace flyball::reconcile {
namespace {

constexpr char kPrices[] = R"({"flyball_prices":1,
  "sources":[{"name":"test","checked":"2026-07-24"}],
  "models":[{"provider":"openai","model":"m","source":"test","region_factors":{"eu":"1.5"},
             "prices":[{"per_unit":{"input":"1"}},{"tier":"batch","per_unit":{"input":"0.5"}},
                       {"tier":"priority","per_unit":{"input":"2"}}]}]})";

CallFact CallOf(const std::string& answer, const std::string& region, const std::string& tier) {
  CallFact call;
  call.dispatch.provider = "OpenAI";
  call.dispatch.region = region;
  call.end.answer_id = answer;
  call.end.tier = tier;
  return call;
}

// Two requests of ten tokens each: one that we know, and one that we don't.
std::vector<BillLine> Read(const std::vector<CallFact>& calls) {
  rates::PriceFile prices = rates::ReadPriceFile(kPrices, {}).value();
  const rates::PriceBook book = rates::PriceBook::Build({prices.layer}).value();
  return ReadInvoice(R"({"requests":[
      {"id":"a","at":"2026-11-10T10:00:00Z","model":"m","usage":{"input":10}},
      {"id":"b","at":"2026-11-10T10:00:00Z","model":"m","usage":{"input":10}}]})",
                     "invoice.json", "openai", book, calls)
      .value();
}

TEST(Invoice, ARequestIsPricedAsTheCallOfItsAnswerWasServed) {
  const std::vector<BillLine> lines =
      Read({CallOf("a", "eu", "batch"), CallOf("c", "", "standard")});
  EXPECT_EQ(lines[0].cost.ToString(), "7.5");
  EXPECT_FALSE(lines[0].assumed);
  EXPECT_EQ(lines[1].cost.ToString(), "10") << "calls of two regions tell nothing of another";
  EXPECT_TRUE(lines[1].assumed);
}

TEST(Invoice, TheRegionThatAnAnswerNamedGoesBeforeItsUpstreams) {
  CallFact call = CallOf("a", "", "standard");
  call.end.region = "eu";
  const std::vector<BillLine> lines = Read({call});
  EXPECT_EQ(lines[0].cost.ToString(), "15");
  EXPECT_EQ(lines[1].cost.ToString(), "15") << "all calls were served there";
}

TEST(Invoice, ARequestOfAnUnknownTierHasThePricesOfTheDearerOnesBesideIt) {
  const std::vector<BillLine> lines = Read({CallOf("a", "", "standard")});
  EXPECT_TRUE(lines[0].dearer.empty());
  std::vector<std::string> costs;
  for (const BillLine::Rating& rating : lines[1].dearer) costs.push_back(rating.cost.ToString());
  EXPECT_EQ(costs, (std::vector<std::string>{"15", "20", "30"}));
  EXPECT_EQ(lines[1].dearer[0].tier, "standard");
  EXPECT_EQ(lines[1].dearer[0].region, "eu");
  EXPECT_EQ(lines[1].dearer[1].tier, "priority");
  EXPECT_EQ(lines[1].dearer[1].region, "");
}

// The vendor may have served it elsewhere than its upstream stands.
TEST(Invoice, ACallAtItsBoundWhoseRegionNobodyToldHasThePricesOfTheDearerOnesBesideIt) {
  CallFact call = CallOf("a", "", "standard");
  call.end.basis = metered::Basis::kBound;
  BillLine line = Read({call})[0];
  EXPECT_FALSE(line.assumed);
  ASSERT_EQ(line.dearer.size(), 1u) << "its tier was told";
  EXPECT_EQ(line.dearer[0].cost.ToString(), "15");
  EXPECT_EQ(line.dearer[0].tier, "");
  EXPECT_EQ(line.dearer[0].region, "eu");
  call.end.region = "eu";
  line = Read({call})[0];
  EXPECT_EQ(line.cost.ToString(), "15");
  EXPECT_TRUE(line.dearer.empty());
}

TEST(Invoice, ARequestMayStateItsTierAndRegion) {
  rates::PriceFile prices = rates::ReadPriceFile(kPrices, {}).value();
  const rates::PriceBook book = rates::PriceBook::Build({prices.layer}).value();
  const auto lines = ReadInvoice(R"({"requests":[{"id":"a","at":"2026-11-10T10:00:00Z",
      "model":"m","usage":{"input":10},"tier":"batch","region":"eu"}]})",
                                 "invoice.json", "openai", book, {})
                         .value();
  EXPECT_EQ(lines[0].cost.ToString(), "7.5");
  EXPECT_FALSE(lines[0].assumed);
}

// It may be paired with any call of ours, by time.
TEST(Invoice, ARequestOfAnAnswerThatNobodyKnowsHasThePricesOfWhereOurUpstreamsAre) {
  std::set<std::string> regions;
  const BillLine line = Read({CallOf("a", "", ""), CallOf("c", "ch", "")})[1];
  for (const BillLine::Rating& rating : line.dearer) regions.insert(*rating.region);
  EXPECT_EQ(regions, (std::set<std::string>{"", "ch", "eu"}));
}

TEST(Invoice, AnAnswerThatNobodyKnowsIsInTheRegionOfAllCalls) {
  const std::vector<BillLine> lines = Read({CallOf("a", "eu", ""), CallOf("", "eu", "")});
  EXPECT_EQ(lines[0].cost.ToString(), "15");
  EXPECT_TRUE(lines[0].assumed) << "the call broke off before its tier was known";
  EXPECT_EQ(lines[1].cost.ToString(), "15");
  EXPECT_TRUE(Read({})[0].assumed);
}

}  // namespace
}  // namespace flyball::reconcile
