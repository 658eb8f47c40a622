// Budgets of one thing that was spelled in several ways: what they have counted is counted in one.
#include <gtest/gtest.h>

#include <map>

#include "base/clock.h"
#include "base/text.h"
#include "guard/test_guard.h"
#include "guard/wal.h"
#include "os/sim_files.h"

namespace flyball::guard {
namespace {

using budget::ScopeKind;

constexpr const char* kSpellings[] = {"openai", "OpenAI", "OPENAI", "mistral", "Mistral"};

void Lower(budget::Scope* scope) {
  if (scope->kind == ScopeKind::kProvider) scope->value = ToLower(scope->value);
}

// What a row counts, by its budget and its scope in small letters.
using Counts = std::map<std::string, std::vector<Amount>>;
Counts CountsOf(Guard& guard, Moment now) {
  Counts counts;
  for (const StatusRow& row : guard.Statuses(now)) {
    std::vector<Amount>& sums = counts[row.name + " " + ToLower(row.scope)];
    sums.resize(8);
    const Totals& t = row.totals;
    const Amount parts[] = {t.held, t.gap,    t.settled,  t.unknown,
                            t.lost, t.excess, t.external, Amount{row.faults}};
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += parts[i];
  }
  return counts;
}

// One life told to a guard whose callers spell as they like, and to one that hears one spelling.
class Lives {
 public:
  explicit Lives(uint64_t seed) : random_(seed) {
    for (Life* life : {&odd_, &even_}) Open(life);
    Both([&](Life& life) {
      for (budget::Budget budget : Budgets()) Set(&life, std::move(budget));
    });
  }

  void Step() {
    const uint64_t dice = random_.Below(20);
    if (dice < 9) {
      Admit();
    } else if (dice < 15) {
      End();
    } else if (dice < 17) {
      now_.wall.us += random_.Between(-2 * kMicrosPerHour, 5 * kMicrosPerHour);
      now_.mono_us += kMicrosPerSecond;
    } else if (dice < 18) {
      EditBudget();
    } else if (dice < 19) {
      AddExternal();
    } else {
      Both([&](Life& life) { Open(&life); });
    }
  }

  // From now on both hear one spelling.
  void Respell() {
    Open(&odd_);  // what a restart does to it is not what this is about
    odd_.spells = true;
    const Counts before = CountsOf(odd_.wal->guard(), now_);
    Open(&odd_);
    EXPECT_EQ(CountsOf(odd_.wal->guard(), now_), before);
    EXPECT_EQ(odd_.wal->guard().Audit(), "");
    Open(&even_);
  }

  void ExpectSame() {
    EXPECT_EQ(CountsOf(odd_.wal->guard(), now_), CountsOf(even_.wal->guard(), now_));
    for (const Life* life : {&odd_, &even_}) EXPECT_EQ(life->wal->guard().Audit(), "");
  }
  // Opening it again finds the same.
  void ExpectDurable() {
    Open(&odd_);
    const Counts before = CountsOf(odd_.wal->guard(), now_);
    Open(&odd_);
    EXPECT_EQ(CountsOf(odd_.wal->guard(), now_), before);
    std::map<std::string, int> values;
    const Books& books = odd_.wal->guard().books();
    for (uint32_t id = 0; id < books.size(); ++id) {
      if (!books.Has(id) || books.at(id).template_of == kNoIndex) continue;
      EXPECT_EQ(++values[books.at(id).spec.name + " " + books.at(id).spec.scope.value], 1);
    }
  }

 private:
  struct Life {
    os::SimFiles disk{os::SimFilesOptions{}};
    std::unique_ptr<Wal> wal;
    bool spells = false;
  };

  void Open(Life* life) {
    Options options = TestOptions(true);
    if (life->spells) options.spell = Lower;
    life->wal.reset();
    Result<std::unique_ptr<Wal>> wal = Wal::Open(life->disk, "g", "boot", options);
    ASSERT_TRUE(wal) << wal.error().ToString();
    life->wal = std::move(*wal);
  }
  template <typename Do>
  void Both(Do&& each) {
    for (Life* life : {&odd_, &even_}) {
      each(*life);
      ASSERT_TRUE(life->wal->Commit());
    }
  }
  // Soft, so that no spelling has room of its own.
  std::vector<budget::Budget> Budgets() const {
    std::vector<budget::Budget> budgets = {
        MakeBudget("each", "provider=*", Usd("10"), window_),
        MakeBudget("tokens", "provider=*", 1000, "rolling hour")};
    budgets[1].measure = budget::Measure::kTokens;
    for (budget::Budget& budget : budgets) budget.hard = false;
    return budgets;
  }
  void Set(Life* life, budget::Budget budget) const {
    ASSERT_TRUE(life->wal->guard().SetBudget(budget, now_));
  }
  std::string Spelled(const Life& life, const std::string& value) const {
    return &life == &even_ || life.spells ? ToLower(value) : value;
  }

  void Admit() {
    const std::string said = kSpellings[random_.Below(std::size(kSpellings))];
    const hold::CallId id(++last_call_);
    const hold::Bound bound{Money::FromUnits(random_.Between(0, 1'000'000)),
                            Money::FromUnits(random_.Between(0, 1'000'000)),
                            random_.Between(0, 100), random_.Between(0, 100)};
    const bool leaves = random_.Chance(4, 5);
    Both([&](Life& life) {
      const std::string value = Spelled(life, said);
      std::vector<hold::Attribute> who = {{ScopeKind::kProvider, value}};
      const Call call{id, who, bound, "USD", now_.mono_us + kHoldMaxUs};
      ASSERT_EQ(life.wal->Admit(call, now_).verdict, Verdict::kAdmitted);
      if (leaves) ASSERT_TRUE(life.wal->guard().Dispatched(id, now_));
    });
    calls_.push_back(id);
  }
  void End() {
    if (calls_.empty()) return;
    const hold::CallId id = calls_[random_.Below(calls_.size())];
    const uint64_t how = random_.Below(4);
    const hold::Cost cost{Money::FromUnits(random_.Between(0, 2'000'000)), random_.Between(0, 300)};
    std::vector<bool> done;
    Both([&](Life& life) {
      Guard& guard = life.wal->guard();
      done.push_back(how == 0   ? guard.Release(id, now_).has_value()
                     : how == 1 ? guard.SettleUnknown(id, now_).has_value()
                                : guard.Settle(id, cost, -1, now_).has_value());
    });
    EXPECT_EQ(done[0], done[1]) << id.value();
  }
  void EditBudget() {
    const uint64_t what = random_.Below(4);
    if (what == 0) {
      Both([&](Life& life) { (void)life.wal->guard().RemoveBudget("each", now_); });
      return;
    }
    static constexpr const char* kWindows[] = {"hour", "day", "month", "rolling 2 hours"};
    if (what == 1) window_ = kWindows[random_.Below(std::size(kWindows))];
    Both([&](Life& life) {
      for (budget::Budget budget : Budgets()) Set(&life, std::move(budget));
    });
  }
  // The ledger has one spelling.
  void AddExternal() {
    const ExternalSum sum{now_.wall, Amount{random_.Between(1, 1'000'000)}, "USD"};
    Both([&](Life& life) {
      if (!life.wal->guard().BudgetOf("each")) return;
      ASSERT_TRUE(life.wal->SetExternal("each", "openai", std::span(&sum, 1), 1, now_));
    });
  }

  Random random_;
  Moment now_{kTestStart, 1'000'000};
  const char* window_ = "day";
  Life odd_, even_;
  std::vector<hold::CallId> calls_;
  uint64_t last_call_ = 0;
};

TEST(Respelling, CountsNothingTwiceAndLosesNothingWhateverWasWritten) {
  for (uint64_t seed = 1; seed <= 1200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Lives lives(seed);
    const uint64_t before = 20 + seed % 40;
    for (uint64_t step = 0; step < before && !testing::Test::HasFailure(); ++step) {
      lives.Step();
    }
    lives.Respell();
    for (int step = 0; step < 40 && !testing::Test::HasFailure(); ++step) {
      lives.ExpectSame();
      lives.Step();
    }
    lives.ExpectDurable();
  }
}

// Before a snapshot any guard may do it, also one whose calls are under way.
TEST(Respelling, CallsUnderWayAreHeldAndSettledWhereTheyCountNow) {
  Options options = TestOptions(true);
  options.spell = Lower;
  Guard guard(options);
  Moment now{kTestStart, 1'000'000};
  ASSERT_TRUE(guard.SetBudget(MakeBudget("each", "provider=*", Usd("10")), now));
  const auto admit = [&](uint64_t id, std::string_view provider) {
    const std::vector<hold::Attribute> who = {{ScopeKind::kProvider, provider}};
    const Call call{hold::CallId(id), who, MakeBound("0", "3"), "USD", now.mono_us + 1'000'000};
    if (guard.Admit(call, now).verdict == Verdict::kWait) {
      guard.ControlSynced(guard.outbox().ticket);
      guard.outbox() = {};
      return guard.Admit(call, now).verdict;
    }
    return guard.Admit(call, now).verdict;
  };
  ASSERT_EQ(admit(1, "OpenAI"), Verdict::kAdmitted);
  ASSERT_EQ(admit(2, "openai"), Verdict::kAdmitted);
  ASSERT_EQ(admit(3, "OPENAI"), Verdict::kAdmitted);
  guard.RespellScopes();
  EXPECT_EQ(guard.Audit(), "");
  ASSERT_EQ(guard.Statuses(now).size(), 2u);
  EXPECT_EQ(guard.Statuses(now)[1].scope, "provider=openai");
  EXPECT_EQ(guard.Statuses(now)[1].held, Usd("9"));
  EXPECT_EQ(admit(4, "openai"), Verdict::kRefused) << "of ten there is one left";
  for (const uint64_t id : {1u, 2u, 3u}) {
    ASSERT_TRUE(guard.Dispatched(hold::CallId(id), now));
    ASSERT_TRUE(guard.Settle(hold::CallId(id), MakeCost("1"), -1, now));
  }
  EXPECT_EQ(guard.Statuses(now)[1].settled, Usd("3"));
  EXPECT_EQ(guard.Audit(), "");
}

TEST(Respelling, OneThatIsFrozenFreezesWhatItBecomes) {
  Options options = TestOptions(false);
  options.spell = Lower;
  Guard guard(options);
  Moment now{kTestStart, 1'000'000};
  ASSERT_TRUE(guard.SetBudget(MakeBudget("each", "provider=*", Usd("10")), now));
  uint64_t calls = 0;
  const auto admit = [&](std::string_view provider) {
    const std::vector<hold::Attribute> who = {{ScopeKind::kProvider, provider}};
    return guard
        .Admit({hold::CallId(++calls), who, MakeBound("0", "1"), "USD", now.mono_us + 1'000'000},
               now)
        .verdict;
  };
  ASSERT_EQ(admit("openai"), Verdict::kAdmitted);
  ASSERT_EQ(admit("OpenAI"), Verdict::kAdmitted);
  ASSERT_TRUE(guard.Dispatched(hold::CallId(calls), now));
  ASSERT_TRUE(guard.Settle(hold::CallId(calls), MakeCost("2"), -1, now).value()) << "a fault";
  guard.RespellScopes();
  EXPECT_EQ(admit("openai"), Verdict::kRefused);
  EXPECT_EQ(guard.Statuses(now)[1].faults, 1u);
}

}  // namespace
}  // namespace flyball::guard
