#include "ingest/gateway_charges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "ingest/import.h"
#include "model/metered_call.h"
#include "os/journal.h"
#include "os/sim_files.h"
#include "reconcile/evidence.h"

namespace flyball::ingest {
namespace {

class GatewayCharges : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "gateway_charges_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/calls");
    journal_.emplace(os::Journal::Open(*files_, folder_ + "/calls/calls-2026-11.journal",
                                       [](uint64_t, std::string_view) { return Status(); })
                         .value());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static Instant At(std::string_view text) { return ParseUserInstant(text).value(); }
  void Begin(uint64_t id, std::string_view at, const std::string& team, Money bound = {},
             const std::string& end_customer = "",
             std::vector<std::pair<std::string, std::string>> tags = {{"env", "a,\"b\""}}) {
    metered::Dispatch dispatch;
    dispatch.id = id;
    dispatch.at = At(at);
    dispatch.upstream = "openai-eu";
    dispatch.provider = "openai";
    dispatch.model = "gpt-5";
    dispatch.team = team;
    dispatch.bound = bound;
    dispatch.currency = "USD";
    dispatch.end_customer = end_customer;
    dispatch.tags = std::move(tags);
    ASSERT_TRUE(journal_->Append(metered::Encode(dispatch), false));
  }
  void Finish(uint64_t id, metered::Basis basis, std::vector<metered::Line> lines,
              Money cost = {}) {
    metered::End end;
    end.id = id;
    end.at = At("2026-11-30T23:59:59Z");
    end.basis = basis;
    end.cost = cost;
    for (const metered::Line& line : lines) end.cost = end.cost.Plus(line.cost).value();
    end.lines = std::move(lines);
    ASSERT_TRUE(journal_->Append(metered::Encode(end), false));
    total_ = total_.Plus(end.cost).value();
  }
  static metered::Line Tokens(Bucket bucket, int64_t count, std::string_view price) {
    const Money unit = Money::Parse(price).value();
    return {bucket, count, unit, Money::FromUnits(unit.units() * count)};
  }
  GatewayBill Bill(std::string_view until) {
    return MakeGatewayBill(*files_, folder_ + "/calls", "2026-11", At(until)).value();
  }

  // What an import of the bill keeps; all of it, and without a finding.
  std::string Imported(const GatewayBill& bill) {
    const std::string path = folder_ + "/bill.csv";
    EXPECT_TRUE(os::AtomicWrite(*files_, path, bill.csv));
    ImportOptions options;
    options.files = {path};
    options.source = kGatewaySource;
    options.home = folder_ + "/home";
    Result<Staged> staged = StageImport(options, *files_);
    if (!staged) return staged.error().ToString();
    const ledger::ImportFacts& facts = staged->import.facts;
    EXPECT_EQ(facts.rows_kept, bill.rows);
    EXPECT_EQ(facts.rows_quarantined, 0);
    EXPECT_TRUE(facts.findings.empty()) << facts.findings.begin()->first;
    EXPECT_TRUE(facts.repairs.empty()) << facts.repairs.begin()->first;
    return facts.billed_cost.kept;
  }

  std::string folder_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  std::optional<os::Journal> journal_;
  Money total_;
};

TEST_F(GatewayCharges, OneRowAnHourMeterAndAttribution) {
  for (uint64_t id = 1; id <= 3; ++id) {
    Begin(id, "2026-11-25T10:30:00Z", id == 3 ? "ads" : "search");
    Finish(id, metered::Basis::kExact,
           {Tokens(Bucket::kInput, 100, "0.000001"), Tokens(Bucket::kOutput, 7, "0.000008")});
  }
  const GatewayBill bill = Bill("2026-11-25T11:00:00Z");
  EXPECT_EQ(bill.calls, 3);
  EXPECT_EQ(bill.rows, 4);
  EXPECT_NE(bill.csv.find("0.0002,0.0002,0.0002,0.0002,USD,2026-11-01T00:00:00Z,"
                          "2026-12-01T00:00:00Z,2026-11-25T10:00:00Z,2026-11-25T11:00:00Z,Usage,"
                          "Usage-Based,gpt-5 input,200,Tokens,200,Tokens,0.000001"),
            std::string::npos)
      << bill.csv;
  EXPECT_NE(bill.csv.find(R"("{""env"":""a,\""b\""""}")"), std::string::npos) << bill.csv;
}

// They were added up as if nobody had been served.
TEST_F(GatewayCharges, EachEndCustomerHasRowsOfItsOwn) {
  const std::vector<std::pair<std::string, std::string>> claims = {{"a", "1"},
                                                                   {"end_customer", "another"}};
  Begin(1, "2026-11-25T10:30:00Z", "search", {}, "ann", claims);
  Begin(2, "2026-11-25T10:30:00Z", "search", {}, "bob", {});
  Begin(3, "2026-11-25T10:30:00Z", "search", {}, "bob", {});
  Begin(4, "2026-11-25T10:30:00Z", "search", {}, "", {});
  for (uint64_t id = 1; id <= 4; ++id) {
    Finish(id, metered::Basis::kExact, {Tokens(Bucket::kInput, 100, "0.000001")});
  }
  const GatewayBill bill = Bill("2026-11-25T11:00:00Z");
  EXPECT_EQ(bill.rows, 3);
  EXPECT_NE(bill.csv.find(R"("{""a"":""1"",""end_customer"":""ann""}")"), std::string::npos)
      << bill.csv;
  EXPECT_NE(bill.csv.find(R"("{""end_customer"":""bob""}")"), std::string::npos) << bill.csv;
  EXPECT_EQ(bill.csv.find("another"), std::string::npos);
}

TEST_F(GatewayCharges, OnlyClosedHoursAndEndedCallsThatCostSomething) {
  Begin(1, "2026-11-25T10:59:59Z", "a");
  Begin(2, "2026-11-25T11:00:00Z", "a");
  Begin(3, "2026-11-25T10:00:00Z", "a", Money::Parse("5").value());
  Begin(4, "2026-11-25T10:00:00Z", "a");
  Finish(1, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  Finish(2, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  Finish(4, metered::Basis::kRefused, {});
  GatewayBill bill = Bill("2026-11-25T11:30:00Z");
  EXPECT_EQ(bill.rows, 1);
  EXPECT_EQ(bill.open, 1);
  Finish(3, metered::Basis::kBound, {}, Money::Parse("5").value());
  bill = Bill("2026-11-25T11:30:00Z");
  EXPECT_EQ(bill.rows, 2);
  EXPECT_EQ(bill.open, 0);
  EXPECT_NE(bill.csv.find("usage unknown, charged at its bound"), std::string::npos);
}

// Whatever is in the log, the bill is a FOCUS file that the import keeps whole, to the last digit.
TEST_F(GatewayCharges, TheImportKeepsEveryRow) {
  Random random(5);
  for (uint64_t id = 1; id <= 300; ++id) {
    Begin(id,
          "2026-11-" + std::to_string(10 + random.Below(15)) + "T0" +
              std::to_string(random.Below(10)) + ":00:00Z",
          random.Chance(1, 3) ? "" : "team \"x\", " + std::to_string(random.Below(3)));
    if (random.Chance(1, 8)) {
      Finish(id, metered::Basis::kBound, {}, Money::FromUnits(1 + random.Between(1, 1'000'000)));
    } else {
      Finish(id, metered::Basis::kExact,
             {Tokens(Bucket::kInput, random.Between(1, 100'000), "0.00000013"),
              Tokens(Bucket::kCacheRead, random.Between(1, 100'000), "0.000000013"),
              Tokens(Bucket::kOutput, random.Between(1, 1000), "0.0000104")});
    }
  }
  const GatewayBill bill = Bill("2026-12-01");
  EXPECT_EQ(bill.calls, 300);
  EXPECT_EQ(Imported(bill), total_.ToString());
}

// Estimates of 4 exact, 2 x 5 at the bound and one that was refused, against a bill of a day.
TEST_F(GatewayCharges, ABillHasTheLastWordOnItsDay) {
  Begin(1, "2026-11-25T10:00:00Z", "a");
  Begin(2, "2026-11-25T11:00:00Z", "b", Money::Parse("5").value());
  Begin(3, "2026-11-25T12:00:00Z", "c", Money::Parse("5").value());
  Begin(4, "2026-11-25T13:00:00Z", "d");
  Begin(5, "2026-11-26T10:00:00Z", "a");
  Finish(1, metered::Basis::kExact,
         {Tokens(Bucket::kInput, 1, "1"), Tokens(Bucket::kOutput, 1, "3")});
  Finish(2, metered::Basis::kBound, {}, Money::Parse("5").value());
  Finish(3, metered::Basis::kBound, {}, Money::Parse("5").value());
  Finish(4, metered::Basis::kRefused, {});
  Finish(5, metered::Basis::kExact, {Tokens(Bucket::kInput, 7, "1")});
  const auto money = [](std::string_view text) { return Money::Parse(text).value(); };
  reconcile::Evidence evidence;
  evidence.key = {"openai", At("2026-11-25"), "gpt-5", "USD"};
  evidence.corrections = {
      {2, At("2026-11-25T11:00:00Z"), money("0.5"), {Tokens(Bucket::kOutput, 5, "0.1")}},
      {3, At("2026-11-25T12:00:00Z"), money("0.25"), {}},
      {4, At("2026-11-25T13:00:00Z"), money("0.125"), {}},
      {0, At("2026-11-25T23:59:59Z"), money("2"), {}}};
  evidence.spread = money("-0.1");
  ASSERT_TRUE(reconcile::WriteEvidence(*files_, folder_ + "/calls", {evidence}));
  EXPECT_EQ(Imported(Bill("2026-12-01")), "13.775");  // 4 + 0.5 + 0.25 + 0.125 + 2 - 0.1, and 7
  const std::string csv = Bill("2026-12-01").csv;
  for (const char* each : {"gpt-5: billed by the vendor, not seen by the gateway", ",Correction",
                           "gpt-5: brought to the vendor's bill", ",final,bill,", ",final,exact,",
                           ",estimate,exact,", "\n-0.1,"}) {
    EXPECT_NE(csv.find(each), std::string::npos) << each << "\n" << csv;
  }
  EXPECT_EQ(csv.find(",estimate,bound,"), std::string::npos) << csv;
  evidence.superseded = true;
  evidence.corrections.clear();
  evidence.spread = {};
  ASSERT_TRUE(reconcile::WriteEvidence(*files_, folder_ + "/calls", {evidence}));
  EXPECT_EQ(Imported(Bill("2026-12-01")), "7");
}

// What the gateway settled stays a charge of its own: budgets have counted it, and the rest not.
TEST_F(GatewayCharges, WhatABillAddsToACallIsAChargeOfItsOwn) {
  Begin(1, "2026-11-25T10:00:00Z", "a");
  Begin(2, "2026-11-25T11:00:00Z", "b");
  Finish(1, metered::Basis::kExact,
         {Tokens(Bucket::kInput, 100, "0.01"), Tokens(Bucket::kOutput, 10, "0.1")});
  Finish(2, metered::Basis::kRefused, {});
  const auto money = [](std::string_view text) { return Money::Parse(text).value(); };
  reconcile::Evidence evidence;
  evidence.key = {"openai", At("2026-11-25"), "gpt-5", "USD"};
  const Instant at = At("2026-11-25T10:00:00Z");
  evidence.corrections = {
      {1,
       at,
       money("2.5"),
       {Tokens(Bucket::kInput, 80, "0.01"), Tokens(Bucket::kOutput, 17, "0.1")}},
      {2, at, money("0.5"), {Tokens(Bucket::kOutput, 5, "0.1")}},
      {0, at, money("0.25"), {Tokens(Bucket::kInput, 25, "0.01")}}};
  ASSERT_TRUE(reconcile::WriteEvidence(*files_, folder_ + "/calls", {evidence}));
  const GatewayBill bill = Bill("2026-12-01");
  EXPECT_EQ(Imported(bill), "3.25");
  const std::vector<std::string> beside = MetersBesideCalls();
  for (const char* each : {"adjustment:input", "adjustment:output", "unseen:input"}) {
    EXPECT_NE(bill.csv.find("," + std::string(each) + ","), std::string::npos) << bill.csv;
    EXPECT_TRUE(std::ranges::find(beside, each) != beside.end()) << each;
  }
  for (const char* each : {"\n1,1,1,1,", "\n-0.2,", "\n0.7,", ",-20,Tokens,", ",7,Tokens,"}) {
    EXPECT_NE(bill.csv.find(each), std::string::npos) << each << "\n" << bill.csv;
  }
}

// Budgets were settled by the first bill, and once: what a later one has beyond it counts beside.
TEST_F(GatewayCharges, WhatALaterBillHasOfACallAtItsBoundIsBesideIt) {
  Begin(1, "2026-11-25T10:00:00Z", "a", Money::Parse("10").value());
  Finish(1, metered::Basis::kBound, {}, Money::Parse("10").value());
  reconcile::Evidence evidence;
  evidence.key = {"openai", At("2026-11-25"), "gpt-5", "USD"};
  const auto bill = [&](std::string_view cost, std::vector<metered::Line> lines = {}) {
    evidence.corrections = {{1, At("2026-11-25T10:00:00Z"), Money::Parse(cost).value(), lines}};
    EXPECT_TRUE(reconcile::WriteEvidence(*files_, folder_ + "/calls", {evidence}));
    return Bill("2026-12-01").csv;
  };
  EXPECT_EQ(bill("1").find("adjustment"), std::string::npos);
  const std::string more = bill("9");
  EXPECT_NE(more.find("\n1,1,1,1,"), std::string::npos) << more;
  EXPECT_NE(more.find("\n8,8,8,8,"), std::string::npos) << more;
  EXPECT_NE(more.find(",adjustment,"), std::string::npos) << more;
  const std::string lines = bill("0.25", {Tokens(Bucket::kInput, 25, "0.01")});
  EXPECT_EQ(lines.find("adjustment"), std::string::npos) << "less makes no room";
  bill("2.5", {Tokens(Bucket::kInput, 250, "0.01")});
  EXPECT_EQ(Imported(Bill("2026-12-01")), "2.5");
}

// A call at its bound has the name that was asked for; which snapshot answered only the bill knows.
TEST_F(GatewayCharges, ACallThatABillNamesUnderAnotherModelIsOfThatModel) {
  Begin(1, "2026-11-25T10:00:00Z", "a", Money::Parse("5").value());
  Finish(1, metered::Basis::kBound, {}, Money::Parse("5").value());
  reconcile::Evidence alias;
  alias.key = {"openai", At("2026-11-25"), "gpt-5", "USD"};
  reconcile::Evidence snapshot;
  snapshot.key = {"openai", At("2026-11-25"), "gpt-5-2026-10-01", "USD"};
  snapshot.corrections = {{1, At("2026-11-25T10:00:00Z"), Money::Parse("0.5").value(), {}}};
  ASSERT_TRUE(reconcile::WriteEvidence(*files_, folder_ + "/calls", {alias, snapshot}));
  const GatewayBill bill = Bill("2026-12-01");
  EXPECT_EQ(bill.rows, 1);
  EXPECT_NE(bill.csv.find("gpt-5-2026-10-01: usage unknown, cost by the vendor's bill"),
            std::string::npos)
      << bill.csv;
  EXPECT_EQ(Imported(bill), "0.5");
}

// A power cut after the bill was made takes nothing of what it was made from.
TEST_F(GatewayCharges, WhatABillSaysIsOnTheDisk) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    os::SimFiles disk{os::SimFilesOptions{.seed = seed}};
    ASSERT_TRUE(disk.MakeDirs("calls"));
    journal_.emplace(os::Journal::Open(disk, "calls/calls-2026-11.journal", [](uint64_t, auto) {
                       return Status();
                     }).value());
    for (uint64_t id = 1; id <= 9; ++id) {
      Begin(id, "2026-11-25T10:00:00Z", "a");
      Finish(id, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
    }
    const Instant later = At("2026-11-25T11:00:00Z");
    const std::string csv = MakeGatewayBill(disk, "calls", "2026-11", later)->csv;
    journal_.reset();
    disk.PowerCut();
    EXPECT_EQ(MakeGatewayBill(disk, "calls", "2026-11", later)->csv, csv);
  }
}

TEST_F(GatewayCharges, DamageIsToldAndTheOthersAreInTheBill) {
  std::vector<uint64_t> starts;
  for (uint64_t id = 1; id <= 3; ++id) {
    starts.push_back(journal_->size());
    Begin(id, "2026-11-25T10:00:00Z", "a");
    Finish(id, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  }
  const std::string path = folder_ + "/calls/calls-2026-11.journal";
  std::string log = files_->ReadAll(path).value();
  log[starts[1] + 20] ^= 1;  // in the second call's dispatch
  ASSERT_TRUE(os::AtomicWrite(*files_, path, log));
  const GatewayBill bill = Bill("2026-11-25T11:00:00Z");
  EXPECT_EQ(bill.calls, 2);
  ASSERT_EQ(bill.damaged.size(), 1u);
  EXPECT_EQ(bill.damaged[0].first, starts[1]);
  EXPECT_EQ(bill.unplaced, 1);
}

TEST_F(GatewayCharges, ARecordThatCannotBeDecodedIsDamage) {
  Begin(1, "2026-11-25T10:00:00Z", "a");
  Finish(1, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  const uint64_t from = journal_->size();
  ASSERT_TRUE(journal_->Append(R"({"dispatch":2})", false));
  const uint64_t to = journal_->size();
  Finish(2, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  const GatewayBill bill = Bill("2026-11-25T11:00:00Z");
  EXPECT_EQ(bill.calls, 1);
  EXPECT_EQ(bill.damaged, (std::vector<std::pair<uint64_t, uint64_t>>{{from, to}}));
  EXPECT_EQ(bill.unplaced, 1);
}

TEST_F(GatewayCharges, ACallWithoutAnEndCountsAtItsBoundADayLater) {
  Begin(3, "2026-11-24T10:00:00Z", "a", Money::Parse("7").value());
  EXPECT_EQ(Bill("2026-11-25T10:00:00Z").open, 1) << "it may be at work still";
  GatewayBill bill = Bill("2026-11-25T11:00:00Z");
  EXPECT_EQ(bill.open, 0);
  EXPECT_NE(bill.csv.find("\n7,7,7,7,USD"), std::string::npos) << bill.csv;
  // The gateway has come back and knows better.
  Finish(3, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  bill = Bill("2026-11-25T11:00:00Z");
  EXPECT_EQ(bill.csv.find("\n7,7,7,7,USD"), std::string::npos) << bill.csv;
}

TEST_F(GatewayCharges, ACallWhoseEndCannotBeReadCountsAtItsBoundADayLater) {
  Begin(1, "2026-11-25T10:00:00Z", "a", Money::Parse("5").value());
  const uint64_t end = journal_->size();
  Finish(1, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  Begin(2, "2026-11-25T10:00:00Z", "a");
  Finish(2, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  const std::string path = folder_ + "/calls/calls-2026-11.journal";
  std::string log = files_->ReadAll(path).value();
  log[end + 20] ^= 1;
  ASSERT_TRUE(os::AtomicWrite(*files_, path, log));
  EXPECT_EQ(Bill("2026-11-25T12:00:00Z").open, 1) << "it may be at work still";
  const GatewayBill bill = Bill("2026-11-26T12:00:00Z");
  EXPECT_EQ(bill.open, 0);
  EXPECT_EQ(bill.calls, 2);
  EXPECT_NE(bill.csv.find("\n5,5,5,5,USD"), std::string::npos) << bill.csv;
}

TEST_F(GatewayCharges, AMonthThatHasNotChangedIsNotReadAgain) {
  const std::string calls = folder_ + "/calls";
  const std::string charges = folder_ + "/charges";
  const auto write = [&](std::string_view until) {
    return WriteGatewayBill(*files_, calls, charges, "2026-11", At(until)).value();
  };
  const auto content = [&] { return files_->ReadAll(charges + "/gateway-2026-11.csv").value(); };
  const auto expect = [&](std::string_view until, bool reads, int64_t count) {
    const GatewayBill bill = write(until);
    EXPECT_EQ(!bill.csv.empty(), reads) << until;
    EXPECT_EQ(bill.calls, count) << until;
    EXPECT_EQ(content(), Bill(until).csv) << until;
  };
  Begin(1, "2026-11-30T22:00:00Z", "a");
  EXPECT_EQ(write("2026-11-30T23:00:00Z").rows, 0);
  EXPECT_FALSE(write("2026-11-30T23:00:00Z").csv.empty()) << "a call is open still";
  Finish(1, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  expect("2026-11-30T23:10:00Z", true, 1);
  Begin(2, "2026-11-30T23:15:00Z", "a");
  expect("2026-11-30T23:20:00Z", false, 1);
  expect("2026-12-01T00:00:00Z", true, 1);
  Finish(2, metered::Basis::kExact, {Tokens(Bucket::kInput, 1, "1")});
  expect("2026-12-01T00:10:00Z", true, 2);
  expect("2026-12-01T00:20:00Z", false, 2);
  expect("2027-03-01T00:00:00Z", false, 2);
  std::filesystem::remove(charges + "/gateway-2026-11.csv");
  expect("2027-03-01T00:00:00Z", true, 2);
  // What another program made is made anew.
  const std::string made = charges + "/gateway-2026-11.csv.made";
  std::string text = files_->ReadAll(made).value();
  const size_t format = text.find("\"format\":");
  ASSERT_NE(format, std::string::npos) << text;
  text.insert(format + sizeof("\"format\":") - 1, "9");
  ASSERT_TRUE(os::AtomicWrite(*files_, made, text));
  expect("2027-03-01T00:00:00Z", true, 2);
  expect("2027-03-01T00:00:00Z", false, 2);
}

TEST_F(GatewayCharges, MonthsAreThoseOfTheLogs) {
  std::filesystem::create_directories(folder_ + "/calls/calls-2026-13.journal");
  EXPECT_EQ(GatewayMonths(*files_, folder_ + "/calls").value(),
            (std::vector<std::string>{"2026-11"}));
  EXPECT_TRUE(GatewayMonths(*files_, folder_ + "/absent")->empty());
}

}  // namespace
}  // namespace flyball::ingest
