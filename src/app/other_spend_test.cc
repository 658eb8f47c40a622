#include "app/other_spend.h"

#include "app/open_ledger.h"
#include "app/test_home.h"

namespace flyball::app {
namespace {

// Cloud, the gateway's vendor, and last month, of which nothing counts any more.
constexpr char kBill[] =
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
    "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ServiceProviderName,ServiceName,"
    "ServiceCategory,ChargeCategory,BillingAccountId,x_Team\n"
    "1,1.25,1,1,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-03T00:00:00Z,"
    "2026-11-04T00:00:00Z,AWS,EC2,Compute,Usage,1,search\n"
    "1,2.5,1,1,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
    "2026-11-24T11:00:00Z,AWS,EC2,Compute,Usage,1,ads\n"
    "1,4,1,1,EUR,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
    "2026-11-24T11:00:00Z,Hetzner,Server,Compute,Usage,1,ads\n"
    "9,9,9,9,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
    "2026-11-24T11:00:00Z,OpenAI,API,AI and Machine Learning,Usage,1,\n"
    "70,70,70,70,USD,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,2026-10-03T00:00:00Z,"
    "2026-10-04T00:00:00Z,AWS,EC2,Compute,Usage,1,search\n";

// The gateway's own: a call, what a bill had beyond it, and a call that only the bill has.
constexpr char kGatewayBill[] =
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
    "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ServiceProviderName,ServiceName,"
    "ServiceCategory,ChargeCategory,BillingAccountId,SkuMeter,x_Team\n"
    "8,8,8,8,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
    "2026-11-24T11:00:00Z,OpenAI,API,AI and Machine Learning,Usage,1,input,ops\n"
    "1,1,1,1,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
    "2026-11-24T11:00:00Z,OpenAI,API,AI and Machine Learning,Usage,1,adjustment:input,ops\n"
    "0.5,0.5,0.5,0.5,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
    "2026-11-24T11:00:00Z,OpenAI,API,AI and Machine Learning,Usage,1,unseen,\n";

class OtherSpendTest : public HomeTest {
 protected:
  std::string more_of_gateway_;
  void SetUp() override {
    Write("bill.csv", kBill);
    ImportArgs bill;
    bill.files = {os::JoinPath(home_, "bill.csv")};
    bill.source = "cloud";
    ASSERT_EQ(RunImport(environment_, bill), kExitDone);
    if (with_gateway_) {
      Write("gateway.csv", kGatewayBill + more_of_gateway_);
      bill.files = {os::JoinPath(home_, "gateway.csv")};
      bill.source = "gateway";
      ASSERT_EQ(RunImport(environment_, bill), kExitDone);
    }
    ledger_ = OpenLedger(environment_).value();
  }
  // "2.5 USD" and so on, of each value.
  std::vector<std::string> Read(std::string_view scope, std::string_view window = "month",
                                std::string_view own = "0") {
    CountedBudget counted;
    counted.budget.scope = budget::ParseScope(scope).value();
    counted.budget.window = budget::ParseWindow(window).value();
    counted.budget.name = "b";
    counted.budget.counts_ledger = counts_;
    counted.own = Money::Parse(own)->units();
    const auto read = ReadOtherSpend(*ledger_, counted, {"openai", "anthropic"}, clock_.Now());
    EXPECT_TRUE(read) << read.error().ToString();
    std::vector<std::string> texts;
    for (const gateway::External::Value& value : read->values) {
      std::string text = value.value;
      for (const gateway::External::Sum& sum : value.sums) {
        text += " " + Money::FromUnits(sum.amount).ToString() + sum.currency;
      }
      texts.push_back(text);
    }
    return texts;
  }
  using Texts = std::vector<std::string>;

  bool with_gateway_ = false;
  bool counts_ = true;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(OtherSpendTest, EveryChargeOfTheWindowCountsInItsCurrency) {
  EXPECT_EQ(Read("organisation", "month", "9"), Texts{" 4EUR 3.75USD"});
  EXPECT_EQ(Read("team=search"), Texts{" 1.25USD"});
  EXPECT_EQ(Read("team=nobody"), Texts{""});
  EXPECT_EQ(Read("team=*"), (Texts{"ads 4EUR 2.5USD", "search 1.25USD"}));
  EXPECT_EQ(Read("provider=aws"), Texts{" 3.75USD"});
  EXPECT_EQ(Read("key=k"), Texts{""}) << "the ledger knows no keys";
  EXPECT_EQ(Read("organisation", "year", "9"), Texts{" 4EUR 73.75USD"});
  counts_ = false;
  EXPECT_EQ(Read("organisation"), Texts{""});
}

TEST_F(OtherSpendTest, OfABillOfTheGatewaysVendorWhatIsBeyondItsCallsCounts) {
  EXPECT_EQ(Read("provider=openai", "month", "9"), Texts{""});
  EXPECT_EQ(Read("provider=openai", "month", "12"), Texts{""});
  EXPECT_EQ(Read("provider=openai", "month", "7.5"), Texts{" 1.5USD"});
}

class OtherSpendOfAppliedBills : public OtherSpendTest {
 protected:
  OtherSpendOfAppliedBills() { with_gateway_ = true; }
};

// They were in no budget: the guard has no call of them, and the source is the gateway's.
TEST_F(OtherSpendOfAppliedBills, WhatABillAddsToTheGatewaysCallsCounts) {
  EXPECT_EQ(Read("organisation", "month", "17"), Texts{" 4EUR 5.25USD"});
  EXPECT_EQ(Read("team=ops"), Texts{" 1USD"});
  EXPECT_EQ(Read("provider=openai", "month", "9"), Texts{" 1.5USD"});
  EXPECT_EQ(Read("organisation", "rolling 48 hours"), Texts{" 4EUR 4USD"});
  EXPECT_EQ(Read("team=*"), (Texts{"ads 4EUR 2.5USD", "ops 1USD", "search 1.25USD"}));
}

// Between the import of a vendor's bill and its application both told of the unseen call.
TEST_F(OtherSpendOfAppliedBills, AVendorsOwnBillTellsOnceMoreWhatAnAppliedOneHasAdded) {
  EXPECT_EQ(Read("provider=openai", "month", "7.5"), Texts{" 1.5USD"});
  EXPECT_EQ(Read("provider=openai", "month", "7"), Texts{" 2USD"}) << "up to the bill's 9";
}

// A bill of another vendor was applied from a file: it is in no bill of this one.
class OtherSpendOfTwoVendors : public OtherSpendOfAppliedBills {
 protected:
  OtherSpendOfTwoVendors() {
    more_of_gateway_ =
        "5,5,5,5,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
        "2026-11-24T11:00:00Z,Anthropic,API,AI and Machine Learning,Usage,1,unseen,\n";
  }
};
TEST_F(OtherSpendOfTwoVendors, WhatWasAppliedOfOneHidesNothingOfTheOther) {
  EXPECT_EQ(Read("provider=openai", "month", "7"), Texts{" 2USD"});
  EXPECT_EQ(Read("provider=anthropic", "month", "0"), Texts{" 5USD"});
  // Of both: what Anthropic's applied bill added, and OpenAI's as above.
  const Texts both = Read("organisation", "month", "7");
  const Texts all_counted = Read("organisation", "month", "9");
  EXPECT_EQ(both, Texts{" 4EUR 10.75USD"});  // 2.5 + 1.25 of others, 5 + 1.5 applied, 0.5 beyond
  EXPECT_EQ(all_counted, Texts{" 4EUR 10.25USD"});
}

// As a call of it does: else the ledger's part of a budget of each model would be in no budget of
// the model.
TEST_F(OtherSpendTest, ASnapshotCountsForItsModelToo) {
  Write("models.csv",
        "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
        "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ServiceProviderName,ServiceName,"
        "ServiceCategory,ChargeCategory,BillingAccountId,x_Model\n"
        "1,1,1,1,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
        "2026-11-24T11:00:00Z,AWS,Bedrock,AI and Machine Learning,Usage,1,gpt-4o-2024-08-06\n"
        "2,2,2,2,USD,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,2026-11-24T10:00:00Z,"
        "2026-11-24T11:00:00Z,AWS,Bedrock,AI and Machine Learning,Usage,1,gpt-4o\n");
  ledger_.reset();
  ImportArgs bill;
  bill.files = {os::JoinPath(home_, "models.csv")};
  bill.source = "models";
  ASSERT_EQ(RunImport(environment_, bill), kExitDone);
  ledger_ = OpenLedger(environment_).value();
  EXPECT_EQ(Read("model=gpt-4o"), Texts{" 3USD"});
  EXPECT_EQ(Read("model=gpt-4o-2024-08-06"), Texts{" 1USD"});
  EXPECT_EQ(Read("model=*"), (Texts{"gpt-4o 3USD", "gpt-4o-2024-08-06 1USD"}));
}

TEST_F(OtherSpendTest, ARollingWindowIsToldByTheHour) {
  EXPECT_EQ(Read("team=ads", "rolling 48 hours"), Texts{" 4EUR 2.5USD"});
  EXPECT_EQ(Read("team=ads", "rolling 12 hours"), Texts{""});
  EXPECT_EQ(Read("team=search", "rolling 90 days"), Texts{" 70USD 1.25USD"});
}

}  // namespace
}  // namespace flyball::app
