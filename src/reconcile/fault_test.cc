#include "reconcile/fault.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rates/price_file.h"
#include "rates/rate.h"
#include "reconcile/remedy.h"
#include "reconcile/sums.h"

namespace flyball::reconcile {
namespace {

Instant At(std::string_view text) { return ParseUserInstant(text).value(); }
Money Cash(std::string_view text) { return Money::Parse(text).value(); }

constexpr char kPrices[] = R"({"flyball_prices":1,
  "sources":[{"name":"page","checked":"2026-07-24","url":"https://prices.example"}],
  "models":[
   {"provider":"openai","model":"m","source":"page","prices":[
     {"per_million":{"input":"2","cache_read":"0.5","output":"10"}}]},
   {"provider":"openai","model":"sized","source":"page","prices":[
     {"per_million":{"input":"2","output":"10"}},
     {"above":200000,"per_million":{"input":"4"}},
     {"tier":"batch","per_million":{"input":"1"}}]},
   {"provider":"openai","model":"n","source":"page","prices":[
     {"per_million":{"input":"8","output":"20"}}]}]})";

using Counts = std::vector<std::pair<Bucket, int64_t>>;

// Days of calls at the book's prices, and a bill that says something else of them.
class Faults : public testing::Test {
 protected:
  Faults() { book_ = Book({}); }

  static rates::PriceBook Book(const std::string& above) {
    std::vector<rates::Layer> layers;
    if (!above.empty()) layers.push_back(rates::ReadPriceFile(above, {}).value().layer);
    layers.push_back(rates::ReadPriceFile(kPrices, {}).value().layer);
    return rates::PriceBook::Build(std::move(layers)).value();
  }
  // The book's model `m` at these rows of prices alone.
  static rates::Layer ListOf(const std::string& rows, const std::string& checked = "2026-07-24") {
    const std::string list =
        R"({"flyball_prices":1,"sources":[{"name":"page","checked":")" + checked +
        R"("}],"models":[{"provider":"openai","model":"m","source":"page","prices":[)" + rows +
        "]}]}";
    return rates::ReadPriceFile(list, {}).value().layer;
  }
  static rates::PriceBook BookOf(std::vector<rates::Layer> layers) {
    return rates::PriceBook::Build(std::move(layers)).value();
  }
  // What a book with the mended prices above these has of a day.
  std::string Mended(std::vector<rates::Layer> below, std::string_view day,
                     Bucket meter = Bucket::kInput, int64_t size = 1) {
    const std::string file = PriceFileOf(faults_, book_, At("2026-12-20"));
    if (!file.empty()) below.insert(below.begin(), rates::ReadPriceFile(file, {}).value().layer);
    const rates::PriceBook book = BookOf(std::move(below));
    const rates::PriceHit hit = book.Find({"openai", "m", At(day), ""}).value();
    return rates::FindUnitPrice(hit, rates::ServiceTier::kStandard, size, meter)->price.ToString();
  }
  static std::string DayText(int day) { return fmt::format("2026-11-{:02}", day); }

  CallFact& Call(int day, const std::string& model, const Counts& counts,
                 const std::string& tier = "") {
    CallFact& call = calls_.emplace_back();
    call.dispatch.id = calls_.size();
    call.dispatch.at = At(DayText(day));
    call.dispatch.provider = "OpenAI";
    call.dispatch.model = call.end.model = model;
    call.dispatch.currency = "USD";
    call.end.at = call.dispatch.at;
    call.end.tier = tier;
    call.end.answer_id = fmt::format("answer-{}", calls_.size());
    Usage usage;
    for (const auto& [bucket, count] : counts) EXPECT_TRUE(usage.Add(bucket, count));
    const rates::Rated rated = rates::Rate(book_, {"openai", model, call.dispatch.at, ""}, usage,
                                           {.tier = tier.empty() ? rates::ServiceTier::kStandard
                                                                 : rates::ParseTier(tier).value()})
                                   .value();
    call.end.cost = rated.total;
    for (const rates::RateLine& line : rated.lines) {
      call.end.lines.push_back({line.meter, line.quantity, line.unit_price.price, line.cost});
    }
    return call;
  }
  // In cents, as bills are.
  BillLine& Line(int day, const std::string& model, std::string_view meter, int64_t count,
                 std::string_view price_of_million) {
    BillLine& line = Sum(day, model);
    line.meter = meter;
    line.quantity = Quantity::Parse(std::to_string(count)).value();
    line.cost = Cents(Cash(price_of_million).units() / 1'000'000 * count);
    return line;
  }
  BillLine& Sum(int day, const std::string& model, std::string_view cost = "0") {
    BillLine& line = bill_.lines.emplace_back();
    line.vendor = "openai";
    line.model = model;
    line.currency = "USD";
    line.at = At(DayText(day));
    line.cost = Cash(cost);
    return line;
  }
  static Money Cents(int128 units) {
    const int128 cent = Cash("0.01").units();
    return Money::FromUnits((units + cent / 2) / cent * cent);
  }
  const std::vector<Fault>& Find() {
    bill_.days["openai"] = {{At("2026-11-01"), At("2026-12-01")}};
    groups_ = Match(calls_, bill_, {}, At("2026-12-20")).value();
    return faults_ = FindFaults(calls_, bill_, groups_);
  }
  std::string Kinds() {
    std::string kinds;
    for (const Fault& fault : Find()) {
      kinds += fmt::format("{}{} {} {}", kinds.empty() ? "" : "; ", FaultName(fault.kind),
                           fault.model, fault.meter);
    }
    return kinds;
  }

  rates::PriceBook book_;
  std::vector<CallFact> calls_;
  Bill bill_{"bill", "", false, {}, {}};
  std::vector<Group> groups_;
  std::vector<Fault> faults_;
};

TEST_F(Faults, APriceThatIsWrongOnEveryDayIsNamedWithTheOneThatExplainsTheBill) {
  for (int day = 1; day <= 9; ++day) {
    const int64_t in = 1'000'000 * day + 137, out = 300'000 + day;
    Call(day, "m", {{Bucket::kInput, in / 2}, {Bucket::kOutput, out}});
    Call(day, "m", {{Bucket::kInput, in - in / 2}});
    Line(day, "m", "input", in, "2.25");
    Line(day, "m", "output", out, "10");
  }
  ASSERT_EQ(Kinds(), "price m input");
  const Fault& fault = faults_[0];
  EXPECT_EQ(fault.price.ToString(), "0.00000225");
  EXPECT_EQ(fault.book.price.ToString(), "0.000002");
  EXPECT_EQ(fault.days, 9);
  EXPECT_TRUE(fault.stated);
  EXPECT_FALSE(fault.begins || fault.ends);
  EXPECT_EQ(fault.ours.ToString(), "90.002466");
  EXPECT_EQ(fault.theirs.ToString(), "101.25");
}

TEST_F(Faults, OneDayIsNoSystem) {
  for (int day = 1; day <= 9; ++day) {
    Call(day, "m", {{Bucket::kInput, 100'000}});
    Line(day, "m", "input", 100'000, day == 4 ? "2.5" : "2");
  }
  EXPECT_EQ(Kinds(), "");
}

TEST_F(Faults, PricesThatChangeFromDayToDayAreNone) {
  for (int day = 1; day <= 9; ++day) {
    Call(day, "m", {{Bucket::kInput, 100'000}});
    Line(day, "m", "input", 100'000, fmt::format("{}", 2 + day));
  }
  EXPECT_EQ(Kinds(), "");
}

TEST_F(Faults, APriceThatChangesOnADayBeginsThere) {
  for (int day = 1; day <= 20; ++day) {
    Call(day, "m", {{Bucket::kOutput, 1'000'000}});
    Line(day, "m", "output", 1'000'000, day >= 8 ? "8" : "10");
  }
  ASSERT_EQ(Kinds(), "price m output");
  EXPECT_TRUE(faults_[0].begins);
  EXPECT_FALSE(faults_[0].ends);
  EXPECT_EQ(FormatDate(faults_[0].first), "2026-11-08");
  EXPECT_EQ(faults_[0].days, 13);
  EXPECT_EQ(faults_[0].difference().ToString(), "-26");
  const std::string file = PriceFileOf(faults_, book_, At("2026-12-20"));
  const rates::PriceBook mended = Book(file);
  const auto price = [&](std::string_view day, Bucket meter) {
    return rates::FindUnitPrice(mended.Find({"openai", "m", At(day), ""}).value(),
                                rates::ServiceTier::kStandard, 1, meter)
        ->price.ToString();
  };
  EXPECT_EQ(price("2026-11-07", Bucket::kOutput), "0.00001");
  EXPECT_EQ(price("2026-11-08", Bucket::kOutput), "0.000008");
  EXPECT_EQ(price("2027-01-01", Bucket::kOutput), "0.000008");
  EXPECT_EQ(price("2027-01-01", Bucket::kInput), "0.000002");
}

// The bill has the tokens of calls whose usage we don't know: it states its own quantity.
TEST_F(Faults, TheBillsOwnQuantityTellsThePriceWhereACallIsAtItsBound) {
  for (int day = 1; day <= 3; ++day) {
    Call(day, "m", {{Bucket::kInput, 100'000 * day}});
    Line(day, "m", "input", 500'000 + 13'000 * day * day, "3");
    CallFact& lost = Call(day, "m", {});
    lost.end.basis = metered::Basis::kBound;
    lost.end.answer_id = "";
  }
  ASSERT_EQ(Kinds(), "price m input");
  EXPECT_EQ(faults_[0].price.ToString(), "0.000003");
}

TEST_F(Faults, AMeterThatCountsAConstantPartIsNoPrice) {
  for (int day = 1; day <= 5; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'000'000 * day}, {Bucket::kOutput, 4'000}});
    Line(day, "m", "input", 1'250'000 * day, "2");
    Line(day, "m", "output", 4'000, "10");
  }
  ASSERT_EQ(Kinds(), "quantity m input");
  EXPECT_EQ(FormatDecimal(faults_[0].our_count, 0), "15000000");
  EXPECT_EQ(FormatDecimal(faults_[0].their_count, 0), "18750000");
  EXPECT_EQ(faults_[0].difference().ToString(), "7.5");
  EXPECT_EQ(PriceFileOf(faults_, book_, At("2026-12-20")), "");
}

TEST_F(Faults, AnotherUnitOfTheSameCostIsNoFault) {
  for (int day = 1; day <= 5; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'000'000 * day}});
    Line(day, "m", "input", 1'000'000 * day, "2").quantity =
        Quantity::Parse(std::to_string(1'000 * day)).value();
  }
  EXPECT_EQ(Kinds(), "");
}

TEST_F(Faults, OneFactorOverAllModelsIsADiscount) {
  for (int day = 1; day <= 5; ++day) {
    const int64_t in = 7'000'000 + 1'000 * day, out = 3'000'000 * day;
    Call(day, "m", {{Bucket::kInput, 150'000}, {Bucket::kOutput, out}});
    Call(day, "n", {{Bucket::kInput, in}, {Bucket::kOutput, out}});
    Line(day, "m", "input", 150'000, "1.9");
    Line(day, "m", "output", out, "9.5");
    Line(day, "n", "input", in, "7.6");
    Line(day, "n", "output", out, "19");
  }
  ASSERT_EQ(Kinds(), "discount  ");
  EXPECT_EQ(faults_[0].factor.ToString(), "0.95");
  EXPECT_NE(WordsOf(faults_[0], book_).text.find("a discount of 5 % over all models"),
            std::string::npos);
  const rates::PriceBook mended = Book(PriceFileOf(faults_, book_, At("2026-12-20")));
  const rates::PriceHit hit = mended.Find({"openai", "n", At("2026-11-07"), ""}).value();
  const auto price = [&](Bucket meter) {
    return rates::FindUnitPrice(hit, rates::ServiceTier::kStandard, 1, meter)->price.ToString();
  };
  EXPECT_EQ(price(Bucket::kOutput), "0.000019");
  EXPECT_EQ(price(Bucket::kInput), "0.0000076");
}

TEST_F(Faults, OneModelAtItsPriceTellsPricesFromADiscount) {
  for (int day = 1; day <= 5; ++day) {
    Call(day, "m", {{Bucket::kOutput, 3'000'000}});
    Call(day, "n", {{Bucket::kOutput, 3'000'000}, {Bucket::kInput, 5'000'000}});
    Line(day, "m", "output", 3'000'000, "9.5");
    Line(day, "n", "output", 3'000'000, "19");
    Line(day, "n", "input", 5'000'000, "8");
  }
  EXPECT_EQ(Kinds(), "price n output; price m output");
}

TEST_F(Faults, ASumADayTellsThePricesWhereTheMixesDiffer) {
  for (int day = 1; day <= 8; ++day) {
    const int64_t in = 9'000'000 * day, cached = 50'000'000 / day, out = 700'000 * (1 + day % 3);
    Call(day, "m", {{Bucket::kInput, in}, {Bucket::kCacheRead, cached}, {Bucket::kOutput, out}});
    const int128 cost =
        int128{2'000'000} * in + int128{250'000} * cached + int128{10'000'000} * out;
    Sum(day, "m").cost = Cents(cost);
  }
  ASSERT_EQ(Kinds(), "price m cache_read");
  EXPECT_EQ(faults_[0].price.ToString(), "0.00000025");
  EXPECT_FALSE(faults_[0].stated);
}

TEST_F(Faults, ASumADayOfOneMixDeterminesNoPriceButAFactor) {
  for (int day = 1; day <= 4; ++day) {
    Call(day, "m", {{Bucket::kInput, 100'000 * day}, {Bucket::kOutput, 50'000 * day}});
    Sum(day, "m", fmt::format("{}", day)).cost = Cents(Cash("0.63").units() * day);
  }
  ASSERT_EQ(Kinds(), "undetermined m ");
  EXPECT_EQ(faults_[0].factor.ToString(), "0.9");
  EXPECT_NE(WordsOf(faults_[0], book_).text.find("not determined"), std::string::npos);
}

// What the bill has beyond our calls does not go with their meters: no price makes it.
TEST_F(Faults, UsageBesideTheGatewayIsNoFault) {
  for (int day = 1; day <= 6; ++day) {
    Call(day, "m", {{Bucket::kInput, 100'000 * day}, {Bucket::kOutput, 50'000 * day}});
    Sum(day, "m").cost = Cents(Cash("0.7").units() * day + Cash("1.37").units() * (day % 3));
  }
  EXPECT_EQ(Kinds(), "");
}

// Two meters always go together, the third does not: the days still tell that no price does it.
TEST_F(Faults, UsageBesideTheGatewayIsNoFaultWhereMixesDiffer) {
  const auto all = [&](bool foreign) {
    calls_.clear();
    bill_.lines.clear();
    for (int day = 1; day <= 8; ++day) {
      const int64_t in = 1'000'000 * day, out = 200'000 * (1 + day % 3);
      Call(day, "m", {{Bucket::kInput, in}, {Bucket::kCacheRead, 3 * in}, {Bucket::kOutput, out}});
      const int128 cost =
          int128{3'000'000} * in + int128{500'000} * 3 * in + int128{9'000'000} * out;
      Sum(day, "m").cost = Cents(cost + (foreign ? Cash("1.37").units() * (day * day % 5) : 0));
    }
    return Kinds();
  };
  EXPECT_EQ(all(false), "undetermined m ");
  EXPECT_EQ(all(true), "");
}

// Two prices make any costs of two days.
TEST_F(Faults, AsManyPricesAsDaysTellNothing) {
  for (int day = 1; day <= 2; ++day) {
    Call(day, "m", {{Bucket::kInput, 900'000 * day}, {Bucket::kOutput, 700'000 / day}});
    Sum(day, "m", day == 1 ? "31.07" : "44.9");
  }
  EXPECT_EQ(Kinds(), "");
}

// Cents of one vendor are no error of prices because another states more digits.
TEST_F(Faults, EachVendorsBillHasItsOwnRounding) {
  for (int day = 1; day <= 5; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'234'567}});
    Line(day, "m", "input", 1'234'567, "2");
    Sum(day, "other", "0.00012").vendor = "anthropic";
  }
  EXPECT_EQ(Kinds(), "");
  for (const Group& group : groups_) {
    if (group.key.model != "m") continue;
    ASSERT_EQ(group.parts.size(), 1u);
    EXPECT_EQ(group.parts[0].reason, Reason::kRounding);
  }
}

// The vendor counts some answers in the day after ours, by their end.
TEST_F(Faults, AnswersThatTheBillHasInAnotherDayAreLeftOut) {
  for (int day = 1; day <= 6; ++day) {
    for (const bool late : {false, true}) {
      if (day == (late ? 6 : 1)) continue;
      CallFact& call = Call(day, "m", {{Bucket::kInput, 100'000}});
      Line(late ? day + 1 : day, "m", "input", 100'000, "2").answer_id = call.end.answer_id;
    }
  }
  EXPECT_EQ(Kinds(), "");
}

// Of a bill of two vendors, an id is not the other one's.
TEST_F(Faults, AnswersOfAnotherVendorAreNotPaired) {
  for (int day = 1; day <= 6; ++day) {
    CallFact& call = Call(day, "m", {{Bucket::kInput, 100'000}});
    Line(day, "m", "input", 100'000, "2").answer_id = call.end.answer_id;
    CallFact& other = Call(day, "m", {{Bucket::kInput, 100'000}});
    other.dispatch.provider = "Anthropic";
    BillLine& own = Line(day, "m", "input", 100'000, "2");
    own.vendor = "anthropic";
    own.answer_id = other.end.answer_id;
    // An answer beside the gateway, of the same id as one of the first vendor's.
    BillLine& foreign = Line(day, "m", "input", 70'000, "5");
    foreign.vendor = "anthropic";
    foreign.answer_id = fmt::format("answer-{}", calls_.size() - 1);
  }
  bill_.days["anthropic"] = {{At("2026-11-01"), At("2026-12-01")}};
  EXPECT_EQ(Kinds(), "");
}

// A call beside the gateway is on the bill, and the prices are right.
TEST_F(Faults, AnswersThatOneSideLacksAreLeftOut) {
  for (int day = 1; day <= 3; ++day) {
    CallFact& call = Call(day, "m", {{Bucket::kInput, 100'000}});
    Line(day, "m", "input", 100'000, "2").answer_id = call.end.answer_id;
    Line(day, "m", "input", 70'000, "5").answer_id = fmt::format("foreign-{}", day);
    Call(day, "m", {{Bucket::kInput, 30'000}});
  }
  EXPECT_EQ(Kinds(), "");
}

TEST_F(Faults, ABillThatStatesNoCostsHasNoPrices) {
  for (int day = 1; day <= 3; ++day) {
    Call(day, "m", {{Bucket::kInput, 100'000}});
    Line(day, "m", "input", 100'000, "5");
  }
  EXPECT_EQ(Kinds(), "price m input");
  bill_.by_book = true;
  EXPECT_EQ(Kinds(), "");
}

TEST_F(Faults, OtherSizesAndTiersKeepTheirPrice) {
  for (int day = 1; day <= 3; ++day) {
    Call(day, "sized", {{Bucket::kInput, 100'000}});
    Line(day, "sized", "input", 100'000, "5");
  }
  ASSERT_EQ(Kinds(), "price sized input");
  const std::optional<PricePlace> place = PlaceOf(faults_[0], book_);
  EXPECT_EQ(place->source, "page");
  EXPECT_EQ(FormatDate(place->checked), "2026-07-24");
  const rates::PriceBook mended = Book(PriceFileOf(faults_, book_, At("2026-12-20")));
  const rates::PriceHit hit = mended.Find({"openai", "sized", At("2026-11-07"), ""}).value();
  const auto price = [&](rates::ServiceTier tier, int64_t size) {
    return rates::FindUnitPrice(hit, tier, size, Bucket::kInput)->price.ToString();
  };
  EXPECT_EQ(price(rates::ServiceTier::kStandard, 100'000), "0.000005");
  EXPECT_EQ(price(rates::ServiceTier::kStandard, 300'000), "0.000004");
  EXPECT_EQ(price(rates::ServiceTier::kBatch, 100'000), "0.000001");
  EXPECT_NE(WordsOf(faults_[0], mended).remedy.find("by now"), std::string::npos);
}

// ---- what the mended prices leave alone

constexpr char kDated[] = R"({"to":"2026-11-11","per_million":{"input":"2","output":"10"}},
    {"from":"2026-11-11","per_million":{"input":"1.5","output":"10"}})";

TEST_F(Faults, APriceOfTheBookWithDatesIsMendedOnThoseAlone) {
  book_ = BookOf({ListOf(kDated)});
  for (int day = 1; day <= 20; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'000'000}});
    Line(day, "m", "input", 1'000'000, day <= 10 ? "2.5" : "1.5");
  }
  ASSERT_EQ(Kinds(), "price m input");
  EXPECT_EQ(Mended({ListOf(kDated)}, "2026-10-01"), "0.0000025");
  EXPECT_EQ(Mended({ListOf(kDated)}, "2026-11-10"), "0.0000025");
  EXPECT_EQ(Mended({ListOf(kDated)}, "2026-11-11"), "0.0000015");
  EXPECT_EQ(Mended({ListOf(kDated)}, "2027-01-01"), "0.0000015");
}

TEST_F(Faults, TwoPricesOfOneMeterAreMendedEachOnItsDays) {
  book_ = BookOf({ListOf(kDated)});
  for (int day = 1; day <= 20; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'000'000}});
    Line(day, "m", "input", 1'000'000, day <= 10 ? "2.5" : "1.8");
  }
  ASSERT_EQ(Kinds(), "price m input; price m input");
  EXPECT_EQ(Mended({ListOf(kDated)}, "2026-11-10"), "0.0000025");
  EXPECT_EQ(Mended({ListOf(kDated)}, "2026-11-11"), "0.0000018");
}

// The price at fault stays the book's while another meter's changes: one fault over both periods.
TEST_F(Faults, APriceThatOutlivesAnothersChangeIsMendedThroughout) {
  constexpr char kOutputChanges[] =
      R"({"to":"2026-11-11","per_million":{"input":"2","output":"10"}},
      {"from":"2026-11-11","per_million":{"input":"2","output":"12"}})";
  book_ = BookOf({ListOf(kOutputChanges)});
  for (int day = 1; day <= 20; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'000'000}});
    Line(day, "m", "input", 1'000'000, "2.5");
  }
  ASSERT_EQ(Kinds(), "price m input");
  EXPECT_EQ(Mended({ListOf(kOutputChanges)}, "2026-11-02"), "0.0000025");
  EXPECT_EQ(Mended({ListOf(kOutputChanges)}, "2026-11-20"), "0.0000025");
  EXPECT_EQ(Mended({ListOf(kOutputChanges)}, "2026-11-20", Bucket::kOutput), "0.000012");
}

// A newer list knows the model from a day on; the older one, whose price is at fault, answers
// before it, and has no end of its own.
TEST_F(Faults, AListThatAnotherRelievesIsMendedUntilThen) {
  const auto lists = [] {
    return std::vector<rates::Layer>{
        ListOf(R"({"from":"2026-11-11","per_million":{"input":"1.5"}})", "2026-11-11"),
        ListOf(R"({"per_million":{"input":"2"}})")};
  };
  book_ = BookOf(lists());
  for (int day = 1; day <= 20; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'000'000}});
    Line(day, "m", "input", 1'000'000, day <= 10 ? "2.5" : "1.5");
  }
  ASSERT_EQ(Kinds(), "price m input");
  EXPECT_EQ(Mended(lists(), "2026-11-10"), "0.0000025");
  EXPECT_EQ(Mended(lists(), "2026-11-11"), "0.0000015");
}

TEST_F(Faults, TwoSizesThatAreWrongOnOtherDaysKeepTheirWord) {
  constexpr char kSized[] =
      R"({"per_million":{"input":"2"}},{"above":200000,"per_million":{"input":"4"}})";
  book_ = BookOf({ListOf(kSized)});
  for (int day = 1; day <= 20; ++day) {
    const int64_t size = day % 2 == 0 ? 300'000 : 100'000;
    Call(day, "m", {{Bucket::kInput, size}});
    // The small size is wrong from the tenth on, the large one on all days and by more.
    Line(day, "m", "input", size, size > 200'000 ? "9" : day >= 10 ? "3" : "2");
  }
  ASSERT_EQ(Kinds(), "price m input; price m input");
  EXPECT_EQ(Mended({ListOf(kSized)}, "2026-11-02"), "0.000002");
  EXPECT_EQ(Mended({ListOf(kSized)}, "2026-11-20"), "0.000003");
  EXPECT_EQ(Mended({ListOf(kSized)}, "2026-11-02", Bucket::kInput, 300'000), "0.000009");
  EXPECT_EQ(Mended({ListOf(kSized)}, "2026-11-20", Bucket::kInput, 300'000), "0.000009");
}

TEST_F(Faults, AListWithPricesByTheHourIsMendedByANewerOne) {
  rates::Layer list = ListOf(R"({"per_million":{"input":"2"}})");
  rates::PricePeriod& period = list.models[0].regions[0].periods[0];
  rates::RateCard night;
  night.Band(rates::ServiceTier::kStandard, 0).prices.Set(Bucket::kInput, Cash("0.000001"));
  period.windows.emplace_back(rates::DayWindow{16 * 3600, 24 * 3600}, night);
  std::vector<rates::Layer> layers;
  layers.push_back(std::move(list));
  book_ = BookOf(std::move(layers));
  for (int day = 1; day <= 5; ++day) {
    Call(day, "m", {{Bucket::kInput, 1'000'000}});
    Line(day, "m", "input", 1'000'000, "2.5");
  }
  ASSERT_EQ(Kinds(), "price m input");
  EXPECT_EQ(PriceFileOf(faults_, book_, At("2026-12-20")), "");
  EXPECT_NE(WordsOf(faults_[0], book_).remedy.find("hours of the day"), std::string::npos);
  EXPECT_EQ(WordsOf(faults_[0], book_).remedy.find("price_file"), std::string::npos);
}

}  // namespace
}  // namespace flyball::reconcile
