#include "gateway/desk.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/hash.h"
#include "gateway/external.h"
#include "rates/test_prices.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

class DeskTest : public testing::Test {
 protected:
  void SetUp() override {
    home_ = testing::TempDir() + "desk_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    desk_.emplace(OpenDesk(*files_, home_).value());
  }
  void TearDown() override {
    desk_.reset();
    std::filesystem::remove_all(home_);
  }
  guard::Moment Now() { return {clock_.Now(), clock_.MonotonicUs()}; }
  static budget::Budget Of(std::string_view scope, std::string_view window, std::string name = "") {
    budget::Budget budget;
    budget.scope = budget::ParseScope(scope).value();
    budget.window = budget::ParseWindow(window).value();
    budget.limit = Money::Parse("10")->units();
    budget.name = name.empty() ? budget::DefaultName(budget) : std::move(name);
    return budget;
  }
  Status Apply(const std::vector<budget::Budget>& budgets) {
    return ApplyEstate(*files_, home_, budgets, currencies_, *desk_->wal, Now());
  }
  // What a call of this team (or whose it is) cost.
  void Spend(std::string_view whose, std::string_view cost,
             budget::ScopeKind kind = budget::ScopeKind::kTeam) {
    const std::vector<hold::Attribute> who = {{kind, whose}};
    const guard::Call call{desk_->wal->NextCallId(),
                           who,
                           {Money::Parse(cost).value(), {}, 0, 0},
                           "USD",
                           clock_.MonotonicUs() + kMicrosPerSecond};
    ASSERT_EQ(desk_->wal->Admit(call, Now()).verdict, guard::Verdict::kAdmitted);
    ASSERT_TRUE(desk_->wal->guard().Dispatched(call.id, Now()));
    ASSERT_TRUE(desk_->wal->guard().Settle(call.id, {call.bound.fixed, 0}, -1, Now()));
    ASSERT_TRUE(desk_->wal->Commit());
  }
  // Settled, by the name of the budget.
  std::map<std::string, std::string> Settled() {
    std::map<std::string, std::string> settled;
    const Json rows = Ask("GET", "").value();
    for (const Json& row : rows) settled[row["name"]] = row["settled"];
    return settled;
  }
  Result<Json> Ask(std::string_view method, std::string_view path, const std::string& body = "") {
    const std::string whole = std::string(kDeskPath) + std::string(path);
    return Json::parse(FB_TRY(Administer(*desk_->wal, method, whole, body, Now())));
  }

  std::string home_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{Instant{1'795'608'000'000'000}};  // 2026-11-25T12:00:00Z
  std::optional<Desk> desk_;
  Currencies currencies_{{"USD"}, {}};
  std::atomic<bool> waits_ = false;
};

// What was written before providers had one spelling met no call any more.
TEST_F(DeskTest, BudgetsOfAnOlderSpellingAreSpelledAnewWithTheirCounts) {
  guard::Guard& guard = desk_->wal->guard();
  ASSERT_TRUE(guard.SetBudget(Of("provider=OpenAI", "month", "one"), Now()));
  ASSERT_TRUE(guard.SetBudget(Of("provider=*", "month", "each"), Now()));
  Spend("OpenAI", "2", budget::ScopeKind::kProvider);
  for (int open = 0; open < 2; ++open) {
    desk_.reset();
    desk_.emplace(OpenDesk(*files_, home_).value());
    Spend("openai", "1", budget::ScopeKind::kProvider);
  }
  std::map<std::string, std::string> settled;
  for (const guard::StatusRow& row : desk_->wal->guard().Statuses(Now())) {
    settled[row.name + " " + row.scope] = Money::FromUnits(row.totals.settled).ToString();
  }
  EXPECT_EQ(settled["one provider=openai"], "4");
  EXPECT_EQ(settled["each provider=openai"], "4");
  EXPECT_EQ(settled.size(), 3u) << "and the \"*\" itself";
}

// "OpenAI" in a budget, "openai" of an upstream and "OpenAI" in the ledger are one.
TEST_F(DeskTest, ABudgetOfAProviderIsKnownByOneSpelling) {
  ASSERT_TRUE(Apply({Of("provider=OpenAI", "month"), Of("provider=*", "month")}));
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","scope":"provider=Vertex_AI","amount":"5"})"));
  std::map<std::string, std::string> scopes;
  const Json rows = Ask("GET", "").value();
  for (const Json& row : rows) scopes[row["name"]] = row["scope"];
  EXPECT_EQ(scopes["b"], "provider=google");
  EXPECT_EQ(scopes[Of("provider=OpenAI", "month").name], "provider=openai");
  EXPECT_EQ(scopes[Of("provider=*", "month").name], "provider=*");
}

TEST_F(DeskTest, WhatABudgetCountsIsSetAtRunTimeAndKept) {
  const auto counts = [&](std::string_view budget) {
    for (const Json& row : Json(Ask("GET", "").value())) {
      if (row["name"] == budget) return row["counts"].get<std::string>();
    }
    return std::string("no budget");
  };
  budget::Budget said = Of("organisation", "month", "said");
  said.counts_ledger = false;
  ASSERT_TRUE(Apply({said}));
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","scope":"team=a","amount":"5","counts":"gateway"})"));
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","amount":"6"})"));
  EXPECT_FALSE(Ask("POST", "", R"({"name":"b","counts":"all"})"));
  for (int open = 0; open < 2; ++open) {
    EXPECT_EQ(counts("b"), "gateway");
    EXPECT_EQ(counts("said"), "gateway");
    desk_.reset();
    desk_.emplace(OpenDesk(*files_, home_).value());
  }
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","counts":"ledger"})"));
  desk_.reset();
  desk_.emplace(OpenDesk(*files_, home_).value());
  EXPECT_EQ(counts("b"), "ledger");
}

TEST_F(DeskTest, WhatTheLedgerSaysOfABudgetCountsAndIsShownApart) {
  ASSERT_TRUE(Ask("POST", "", R"({"name":"hard","scope":"organisation","amount":"100"})"));
  ASSERT_TRUE(Ask("POST", "", R"({"name":"soft","scope":"team=a","amount":"5","hard":false})"));
  ASSERT_TRUE(Ask("POST", "", R"({"name":"each","scope":"team=*","amount":"50"})"));
  Spend("a", "2");
  const auto say = [&](External external) {
    return Ask("POST", "/ledger", ExternalJson(external));
  };
  const auto sum = [&](std::string_view money) {
    return External::Sum{clock_.Now(), Money::Parse(money)->units(), "USD"};
  };
  const External all{"hard", 12, {{"", {sum("30"), sum("-1.5")}}}};
  EXPECT_EQ(ReadExternal(ExternalJson(all)).value(), all);
  ASSERT_TRUE(say(all));
  ASSERT_TRUE(say(all)) << "said again";
  ASSERT_TRUE(say({"soft", 12, {{"", {sum("4")}}}}));
  ASSERT_TRUE(say({"each", 12, {{"a", {sum("7")}}, {"b", {sum("8")}}}}));
  std::map<std::string, Json> rows;
  const Json listed = Ask("GET", "").value();
  for (const Json& row : listed) {
    rows[std::string(row["name"]) + " " + std::string(row["scope"])] = row;
  }
  const Json hard = rows["hard organisation"];
  EXPECT_EQ(hard["blocked"], "2");
  EXPECT_EQ(hard["alerted"], "0");
  EXPECT_EQ(hard["unseen"], "28.5");
  EXPECT_EQ(hard["settled"], "30.5");
  EXPECT_EQ(hard["max_overspend_why"], "unguarded");
  EXPECT_EQ(rows["soft team=a"]["alerted"], "2");
  EXPECT_EQ(rows["soft team=a"]["unseen"], "4");
  EXPECT_EQ(rows["each team=a"]["settled"], "9");
  EXPECT_EQ(rows["each team=b"]["settled"], "8");
  // A value that a restated ledger has no more.
  ASSERT_TRUE(say({"each", 13, {{"a", {sum("6")}}}}));
  EXPECT_EQ(Settled()["each"], "0") << "b, listed last, or the budget itself";
  EXPECT_FALSE(say({"none", 13, {{"", {}}}}));
  for (const char* wrong :
       {"[]", "{}", R"({"budget":"hard","commit":1,"values":[{"value":""}]})",
        R"({"budget":"hard","commit":-1,"values":[]})",
        R"({"budget":"hard","commit":1,"values":[{"value":"","sums":[[1]]}]})"}) {
    EXPECT_FALSE(Ask("POST", "/ledger", wrong)) << wrong;
  }
}

TEST_F(DeskTest, ABudgetIsSetSeenFrozenAndRemoved) {
  const Json set = Ask("POST", "",
                       R"({"scope":"team=search","amount":"100","window":"month",)"
                       R"("zone":"Europe/Zurich"})")
                       .value();
  EXPECT_EQ(set["name"], "team=search per month");
  const Json all = Ask("GET", "").value();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["limit"], "100");
  EXPECT_EQ(all[0]["settled"], "0");
  EXPECT_EQ(all[0]["remaining"], "100");
  EXPECT_EQ(all[0]["resets_at"], "2026-11-30T23:00:00Z");
  EXPECT_EQ(all[0]["max_overspend"], "0");
  const Json frozen = Ask("POST", "/freeze", R"({"name":"team=search per month"})").value();
  EXPECT_EQ(frozen["frozen"], true);
  EXPECT_TRUE(Ask("POST", "/remove", R"({"name":"team=search per month"})"));
  EXPECT_EQ(Ask("POST", "/freeze", R"({"name":"nobody"})").error().code, Code::kNotFound);
}

TEST_F(DeskTest, BadRequestsChangeNothing) {
  for (const char* body :
       {"", "[]", R"({"scope":"team=a"})", R"({"scope":"team=a","amount":"-1"})",
        R"({"scope":"team=a","amount":"x"})", R"({"scope":"team=a","amount":"1","tokens":"1"})",
        R"({"scope":"nothing","amount":"1"})", R"({"scope":"team=a","amount":"1","zone":"Mars/X"})",
        R"({"scope":"team=a","amount":"1","window":"decade"})",
        R"({"scope":"team=a","amount":"1","hrad":true})",
        R"({"scope":"team=a","amount":"1","warn":[90,50]})",
        R"({"scope":"team=a","tokens":"1.5"})"}) {
    const auto answer = Ask("POST", "", body);
    ASSERT_FALSE(answer) << body;
    EXPECT_TRUE(answer.error().code == Code::kInvalidArgument) << answer.error().ToString();
  }
  EXPECT_TRUE(Ask("GET", "").value().empty());
}

TEST_F(DeskTest, SurvivesTheProcess) {
  ASSERT_TRUE(Ask("POST", "", R"({"scope":"organisation","tokens":"1000","window":"day"})"));
  desk_.reset();
  desk_.emplace(OpenDesk(*files_, home_).value());
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "1000");
  EXPECT_EQ(OpenDesk(*files_, home_).error().code, Code::kAlreadyExists);
}

TEST_F(DeskTest, TheEstatesWordCountsWhenItChanges) {
  budget::Budget budget = Of("team=search", "month", "b");
  ASSERT_TRUE(Apply({budget}));
  // Raised at run time: it stays raised as long as the estate says what it said.
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","scope":"team=search","amount":"50"})"));
  ASSERT_TRUE(Apply({budget}));
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "50");
  budget.limit = Money::Parse("20")->units();
  ASSERT_TRUE(Apply({budget}));
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "20");
  ASSERT_TRUE(Apply({}));
  EXPECT_TRUE(Ask("GET", "").value().empty());
}

// An older version kept no word for what a budget counts: that it is kept now is no new word.
TEST_F(DeskTest, WhatABudgetCountsIsTheOnlyThingThatItsWordChanges) {
  budget::Budget budget = Of("team=search", "month", "b");
  ASSERT_TRUE(Apply({budget}));
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","scope":"team=search","amount":"50"})"));
  budget.counts_ledger = false;
  for (int open = 0; open < 2; ++open) {
    ASSERT_TRUE(Apply({budget}));
    const Json row = Ask("GET", "").value()[0];
    EXPECT_EQ(row["limit"], "50");
    EXPECT_EQ(row["counts"], "gateway") << row.dump();
    desk_.reset();
    desk_.emplace(OpenDesk(*files_, home_).value());
  }
  budget.limit = Money::Parse("20")->units();
  ASSERT_TRUE(Apply({budget}));
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "20");
}

// The hash of what was put in force is kept for good: a member that is new must not change it.
TEST_F(DeskTest, WhatAnOlderVersionPutInForceIsKnownAgainAndStaysAsItWasSetAtRunTime) {
  const auto old_word = [](const std::string& scope) {
    return Sha256Hex(R"({"scope":")" + scope +
                     R"(","measure":"money","currency":"USD","limit":"10","window":"month",)"
                     R"("zone":"UTC","hard":true,"mode":"strict","overrun":5,"warn":[]})");
  };
  const std::string path = home_ + "/gateway/applied.json";
  std::vector<budget::Budget> budgets = {Of("team=search", "month", "t"),
                                         Of("model=GPT-4o", "month", "m"),
                                         Of("provider=OpenAI", "month", "p")};
  ASSERT_TRUE(Apply(budgets));
  EXPECT_EQ(Json::parse(*files_->ReadAll(path))["t"], old_word("team=search"));
  for (const char* name : {"t", "m", "p"}) {
    ASSERT_TRUE(Ask("POST", "", Json{{"name", name}, {"amount", "50"}}.dump()));
  }
  // It hashed scopes as they are written.
  const Json old{{"t", old_word("team=search")},
                 {"m", old_word("model=GPT-4o")},
                 {"p", old_word("provider=OpenAI")}};
  for (const bool counts_ledger : {true, false}) {
    ASSERT_TRUE(os::AtomicWrite(*files_, path, old.dump()));
    for (budget::Budget& budget : budgets) budget.counts_ledger = counts_ledger;
    ASSERT_TRUE(Apply(budgets));
    const Json rows = Ask("GET", "").value();
    for (const Json& row : rows) {
      EXPECT_EQ(row["limit"], "50") << row.dump();
      EXPECT_EQ(row["counts"], counts_ledger ? "ledger" : "gateway") << row.dump();
    }
  }
  EXPECT_NE(Json::parse(*files_->ReadAll(path))["t"], old_word("team=search"));
  // And taken back.
  for (budget::Budget& budget : budgets) budget.counts_ledger = true;
  ASSERT_TRUE(Apply(budgets));
  const Json rows = Ask("GET", "").value();
  for (const Json& row : rows) {
    EXPECT_EQ(row["limit"], "50") << row.dump();
    EXPECT_EQ(row["counts"], "ledger") << row.dump();
  }
}

using Names = std::map<std::string, std::string>;

TEST_F(DeskTest, ABudgetOfTheEstateThatIsRenamedKeepsItsCountAndWhatWasSetAtRunTime) {
  ASSERT_TRUE(Apply({Of("team=search", "month"), Of("team=ads", "month")}));
  Spend("search", "3");
  ASSERT_TRUE(Ask("POST", "", R"({"name":"team=search per month","amount":"50"})"));
  ASSERT_TRUE(Apply({Of("team=ads", "month"), Of("team=search", "month", "searchers")}));
  EXPECT_EQ(Settled(), (Names{{"searchers", "3"}, {"team=ads per month", "0"}}));
  EXPECT_EQ(Ask("GET", "").value()[0]["limit"], "50");
  desk_.reset();
  desk_.emplace(OpenDesk(*files_, home_).value());
  EXPECT_EQ(Settled(), (Names{{"searchers", "3"}, {"team=ads per month", "0"}}));
}

TEST_F(DeskTest, ABudgetWithoutANameKeepsItsCountInAnotherWindow) {
  ASSERT_TRUE(Apply({Of("team=search", "month")}));
  Spend("search", "3");
  ASSERT_TRUE(Apply({Of("team=search", "day")}));
  EXPECT_EQ(Settled(), (Names{{"team=search per day", "3"}}));
  ASSERT_TRUE(Apply({Of("team=search", "rolling 7 days")}));
  EXPECT_EQ(Settled(), (Names{{"team=search per rolling 7 days", "3"}}));
}

TEST_F(DeskTest, OfSeveralBudgetsOfAScopeThatOfTheSameWindowIsTheSame) {
  ASSERT_TRUE(Apply({Of("team=search", "day", "a"), Of("team=search", "month", "b")}));
  Spend("search", "1");
  clock_.Advance(24 * kMicrosPerHour);
  Spend("search", "1");
  ASSERT_TRUE(Apply({Of("team=search", "month", "x"), Of("team=search", "day", "y"),
                     Of("team=search", "week", "z")}));
  EXPECT_EQ(Settled(), (Names{{"x", "2"}, {"y", "1"}, {"z", "0"}}));
}

TEST_F(DeskTest, OfSeveralThatAreGoneTheOneThatHasForgottenLeastGoesOn) {
  ASSERT_TRUE(Apply({Of("team=search", "minute"), Of("team=search", "month")}));
  Spend("search", "3");
  clock_.Advance(2 * kMicrosPerHour);
  ASSERT_TRUE(Apply({Of("team=search", "week")}));
  EXPECT_EQ(Settled(), (Names{{"team=search per week", "3"}}));
}

TEST_F(DeskTest, ANameThatHasACountOfItsOwnIsNotTakenOver) {
  ASSERT_TRUE(Apply({Of("team=search", "month", "a")}));
  Spend("search", "3");
  ASSERT_TRUE(Ask("POST", "", R"({"name":"b","scope":"team=search","amount":"50"})"));
  Spend("search", "1");
  ASSERT_TRUE(Apply({Of("team=search", "month", "b")}));
  EXPECT_EQ(Settled(), (Names{{"b", "1"}}));
}

TEST_F(DeskTest, AnEditChangesOnlyWhatItStates) {
  const std::string whole =
      R"({"scope":"team=search","amount":"100","window":"rolling 7 days","zone":"Europe/Zurich",)"
      R"("hard":false,"mode":"quantile","warn":[50,80],"name":"b"})";
  Json before = Ask("POST", "", whole).value();
  before["limit"] = before["remaining"] = "200";
  before["max_overspend"] = "10";
  EXPECT_EQ(Ask("POST", "", R"({"name":"b","amount":"200"})").value(), before);
  EXPECT_EQ(Ask("POST", "", R"({"name":"b","scope":"team=search","amount":"200"})").value(),
            before);
  // One that nobody named is meant by what it would be called.
  ASSERT_TRUE(Ask("POST", "", R"({"scope":"team=ads","amount":"1","hard":false,"warn":[50]})"));
  const Json edited = Ask("POST", "", R"({"scope":"team=ads","amount":"2"})").value();
  EXPECT_EQ(edited["name"], "team=ads per month");
  EXPECT_EQ(edited["hard"], false);
  EXPECT_EQ(edited["warn"], Json::array({50}));
  EXPECT_EQ(Ask("GET", "").value().size(), 2u);
  EXPECT_EQ(Ask("POST", "", R"({"name":"nobody","amount":"2"})").error().code, Code::kNotFound);
  EXPECT_EQ(Ask("POST", "", R"({"amount":"2"})").error().code, Code::kInvalidArgument);
}

TEST_F(DeskTest, ABudgetInACurrencyWithoutARateIsToldWhenItIsConfigured) {
  budget::Budget euros = Of("team=search", "month");
  euros.currency = "EUR";
  const Status missing = Apply({Of("team=ads", "month"), euros});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kFailedPrecondition);
  EXPECT_NE(missing.error().ToString().find("from: USD, to: EUR"), std::string::npos)
      << missing.error().ToString();
  EXPECT_TRUE(Settled().empty()) << "nothing was put in force";
  const std::string path(kDeskPath);
  const std::string body = R"({"scope":"team=x","amount":"1","currency":"EUR"})";
  EXPECT_EQ(Administer(*desk_->wal, "POST", path, body, Now(), &currencies_).error().code,
            Code::kFailedPrecondition);
  currencies_.rates = {{"USD", "EUR", Money::Parse("0.5").value()}};
  ASSERT_TRUE(Apply({Of("team=ads", "month"), euros}));
  EXPECT_TRUE(Administer(*desk_->wal, "POST", path, body, Now(), &currencies_));
  Spend("search", "3");
  EXPECT_EQ(Settled().at("team=search per month"), "1.5");
}

TEST_F(DeskTest, WhatCannotBePutInForceChangesNothing) {
  ASSERT_TRUE(Apply({Of("team=search", "month")}));
  budget::Budget lost = Of("team=ads", "month");
  lost.window.zone = "Mars/Olympus";
  EXPECT_FALSE(Apply({Of("team=other", "month"), lost}));
  EXPECT_EQ(Settled(), (Names{{"team=search per month", "0"}}));
}

TEST_F(DeskTest, WhoHasTheGuardForAMomentIsWaitedForAndAGatewayIsNot) {
  EXPECT_EQ(WaitForDesk(*files_, home_, 0).error().code, Code::kAlreadyExists);
  std::jthread leaves([&] {
    while (!waits_) std::this_thread::yield();
    desk_.reset();
  });
  waits_ = true;
  std::optional<Desk> got(WaitForDesk(*files_, home_).value());
  leaves.join();
  ASSERT_TRUE(got->lock.SetNote("127.0.0.1:8081"));
  constexpr int kAnHourMs = 3'600'000;  // the test would not end if it were waited for
  EXPECT_EQ(WaitForDesk(*files_, home_, kAnHourMs).error().code, Code::kAlreadyExists);
}

TEST(Currencies, AreThoseOfWhatTheUpstreamsServe) {
  const auto model = [](const std::string& name, const std::string& currency) {
    return R"({"provider":"test","model":")" + name + R"(","source":"test","currency":")" +
           currency + R"(","prices":[{"per_unit":{"input":"0.001"}}]})";
  };
  const rates::PriceBook book = rates::BookOf(model("m", "EUR") + "," + model("other", "CNY"));
  estate::Upstream upstream;
  upstream.models = {"m*"};
  EXPECT_EQ(PriceCurrencies(book, {upstream}, Instant{0}), std::vector<std::string>{"EUR"});
  upstream.models = {"*"};
  EXPECT_EQ(PriceCurrencies(book, {upstream}, Instant{0}),
            (std::vector<std::string>{"CNY", "EUR"}));
  upstream.models = {"nothing"};
  EXPECT_EQ(PriceCurrencies(book, {upstream}, Instant{0}), std::vector<std::string>{"USD"});
}

}  // namespace
}  // namespace flyball::gateway
