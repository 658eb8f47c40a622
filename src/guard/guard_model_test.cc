// The guard in small, exhaustively: two calls, three scopes, every interleaving of their events and
// every ending, and a crash at every operation on the disk (at every byte of what is written, for
// one interleaving of each ending), as the death of a process and as a power cut.
//
// The vendor is the worst that honours a bound: it bills all of it, unless the usage is known.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guard/test_files.h"
#include "guard/test_guard.h"
#include "guard/wal.h"
#include "os/sim_files.h"

namespace flyball::guard {
namespace {

using budget::ScopeKind;

enum class Ending { kSettle, kUnknown, kRelease, kFault };
constexpr std::array kEndings = {Ending::kSettle, Ending::kUnknown, Ending::kRelease,
                                 Ending::kFault};
constexpr int kEvents = 3;  // admit, dispatch, end

struct Life {
  std::array<Ending, 2> endings;
  std::vector<int> order;  // whose event is next: 0 or 1, kEvents times each
};

struct Crash {
  enum Kind { kNone, kDeath, kPower } kind = kNone;
  uint64_t operation = 0;
  uint64_t bytes = 0;  // of a torn append; of a power cut: the disk's seed
};

constexpr std::array<std::string_view, 3> kNames = {"team", "key", "all"};
constexpr std::array<std::string_view, 3> kLimits = {"10", "6", "100"};
const Amount kBound = Usd("4");
const Amount kExact = Usd("1");
const Amount kFaulty = Usd("7");

class SmallWorld {
 public:
  SmallWorld(uint64_t disk_seed, Mutation mutation, const std::string& lie_about)
      : disk_(os::SimFilesOptions{disk_seed, 0, std::numeric_limits<uint64_t>::max()}),
        files_(disk_, disk_seed),
        mutation_(mutation) {
    files_.LieAbout(lie_about);
  }

  // What went wrong, or "".
  std::string Live(const Life& life, const Crash& crash) {
    if (!Start()) return "can't be opened";
    begin_ = files_.operations();
    if (crash.kind == Crash::kDeath) files_.DieAfter(crash.operation, crash.bytes);
    if (crash.kind == Crash::kPower) disk_.CutPowerAfter(crash.operation);
    std::array<int, 2> done = {0, 0};
    for (int who : life.order) {
      Event(static_cast<size_t>(who), done[static_cast<size_t>(who)]++,
            life.endings[static_cast<size_t>(who)]);
    }
    operations_ = files_.operations() - begin_;
    if (std::string wrong = Check(); !wrong.empty()) return "before the crash: " + wrong;
    if (crash.kind == Crash::kNone) return "";
    wal_.reset();
    files_.Revive();
    if (crash.kind == Crash::kPower) {
      disk_.PowerCut();
      ++boot_;
    }
    if (!Open()) return "can't be opened again";
    lost_ = wal_->tail_was_lost();
    if (wal_->guard().open_calls() != 0) return "a call is open after recovery";
    if (std::string wrong = Check(); !wrong.empty()) return "after the crash: " + wrong;
    std::string first = wal_->guard().Snapshot();
    wal_.reset();
    if (!Open()) return "can't be opened a third time";
    if (wal_->guard().Snapshot() != first) return "a second recovery finds something else";
    return Evidence();
  }
  uint64_t operations() const { return operations_; }
  uint64_t last_append_size() const { return files_.last_append_size(); }

 private:
  struct Party {
    bool left = false;   // bytes may have left
    bool final = false;  // the vendor has sent the usage
    bool told = false;   // what exceeds the bound was told and written
    Amount cost = 0;
  };

  bool Open() {
    Options options = TestOptions(true);
    options.lease_parts = 3;
    options.mutation_for_tests = mutation_;
    Result<std::unique_ptr<Wal>> wal =
        Wal::Open(files_, "g", "boot " + std::to_string(boot_), options);
    if (wal) wal_ = std::move(*wal);
    return wal.has_value();
  }
  bool Start() {
    if (!Open()) return false;
    static constexpr std::array<std::string_view, 3> kScopes = {"team=t", "key=k", "organisation"};
    for (size_t i = 0; i < 3; ++i) {
      if (!wal_->guard().SetBudget(MakeBudget(std::string(kNames[i]), kScopes[i], Usd(kLimits[i])),
                                   now_)) {
        return false;
      }
    }
    return wal_->Commit().has_value();
  }

  void Event(size_t who, int event, Ending ending) {
    hold::CallId id(who + 1);
    Party& party = parties_[who];
    if (event == 0) {
      std::vector<hold::Attribute> attributes = {{ScopeKind::kTeam, "t"}, {ScopeKind::kKey, "k"}};
      (void)wal_->Admit(
          {id, attributes, MakeBound("1", "3"), "USD", now_.mono_us + kMicrosPerSecond}, now_);
    } else if (event == 1) {
      if (!wal_->guard().Dispatched(id, now_)) return;  // it was refused
      party.left = wal_->Commit().has_value();
      if (!party.left) (void)wal_->guard().Release(id, now_);
    } else if (party.left) {
      End(id, &party, ending);
    }
  }

  void End(hold::CallId id, Party* party, Ending ending) {
    Guard& guard = wal_->guard();
    switch (ending) {
      case Ending::kSettle:
      case Ending::kFault:
        party->final = true;
        party->cost = ending == Ending::kSettle ? kExact : kFaulty;
        (void)guard.Settle(id, {Money::FromUnits(party->cost), 0}, -1, now_);
        break;
      case Ending::kUnknown:
        (void)guard.SettleUnknown(id, now_);
        break;
      case Ending::kRelease:
        party->left = false;
        (void)guard.Release(id, now_);
        break;
    }
    party->told = wal_->Commit().has_value();
  }

  // What the vendor may bill, without what it bills beyond a bound and nobody was told.
  Amount Invoice() const {
    Amount sum = 0;
    for (const Party& party : parties_) {
      if (!party.left) continue;
      Amount known = party.final ? party.cost : kBound;
      sum += party.told ? known : std::min(known, kBound);
    }
    return sum;
  }

  std::string Check() {
    if (std::string wrong = wal_->guard().Audit(); !wrong.empty()) return wrong;
    for (size_t i = 0; i < 3; ++i) {
      std::optional<StatusRow> found = wal_->guard().StatusOf(kNames[i], now_);
      if (!found) return "a budget is gone";
      const StatusRow& row = *found;
      if (Invoice() > row.settled + row.held) return "the invoice is above what is counted";
      if (row.totals.own() > row.limit) return "settled and held are above the limit";
      if (row.totals.excess > 0 && !row.frozen) return "a fault froze nothing";
    }
    return "";
  }

  // The vendor's usage comes late: the books are the invoice, where no record was lost.
  std::string Evidence() {
    Amount invoice = 0;
    for (size_t who = 0; who < 2; ++who) {
      Party& party = parties_[who];
      if (!party.left) continue;
      Amount cost = party.final ? std::min(party.cost, kBound) : kExact;
      invoice += cost;
      (void)wal_->guard().Settle(hold::CallId(who + 1), {Money::FromUnits(cost), 0}, -1, now_);
    }
    for (size_t i = 0; i < 3; ++i) {
      const Totals totals = wal_->guard().StatusOf(kNames[i], now_)->totals;
      if (totals.own() < invoice) return "the books are below the invoice at the end";
      // What was released and never heard to be is charged until the vendor says 0.
      bool released = totals.unknown > 0;
      if (!lost_ && !released && totals.own() != invoice) {
        return "the books are not the invoice at the end";
      }
    }
    return wal_->guard().Audit();
  }

  os::SimFiles disk_;
  DyingFiles files_;
  Mutation mutation_;
  std::unique_ptr<Wal> wal_;
  Moment now_{kTestStart, 1'000'000};
  std::array<Party, 2> parties_;
  int boot_ = 1;
  bool lost_ = false;
  uint64_t begin_ = 0;
  uint64_t operations_ = 0;
};

std::vector<std::vector<int>> Interleavings() {
  std::vector<std::vector<int>> found;
  for (unsigned bits = 0; bits < (1u << (2 * kEvents)); ++bits) {
    if (__builtin_popcount(bits) != kEvents) continue;
    std::vector<int> order;
    for (int i = 0; i < 2 * kEvents; ++i) order.push_back(static_cast<int>(bits >> i & 1u));
    found.push_back(order);
  }
  return found;
}

std::string Name(const Life& life, const Crash& crash) {
  std::string name = "endings " + std::to_string(static_cast<int>(life.endings[0])) + " " +
                     std::to_string(static_cast<int>(life.endings[1])) + ", order";
  for (int who : life.order) name += " " + std::to_string(who);
  return name + ", crash " + std::to_string(crash.kind) + " at operation " +
         std::to_string(crash.operation) + ", byte " + std::to_string(crash.bytes);
}

class GuardModel : public testing::Test {
 protected:
  // False when it went wrong.
  bool Lives(const Life& life, const Crash& crash) {
    SmallWorld world(crash.kind == Crash::kPower ? crash.bytes : 1, mutation_, lie_about_);
    std::string wrong = world.Live(life, crash);
    bool faulty = mutation_ != Mutation::kNone || !lie_about_.empty();
    if (!faulty) {
      EXPECT_EQ(wrong, "") << Name(life, crash);
    }
    ++lives_;
    operations_ = world.operations();
    append_size_ = world.last_append_size();
    return wrong.empty();
  }
  // Whether all went well.
  bool LivesEveryCrashPoint();

  Mutation mutation_ = Mutation::kNone;
  std::string lie_about_;
  uint64_t lives_ = 0;
  uint64_t operations_ = 0;
  uint64_t append_size_ = 0;
};

bool GuardModel::LivesEveryCrashPoint() {
  for (const std::vector<int>& order : Interleavings()) {
    for (Ending a : kEndings) {
      for (Ending b : kEndings) {
        Life life{{a, b}, order};
        if (!Lives(life, {})) return false;
        uint64_t operations = operations_;
        for (uint64_t at = 0; at < operations; ++at) {
          for (uint64_t bytes : {0u, 20u, 1'000'000u}) {
            if (!Lives(life, {Crash::kDeath, at, bytes})) return false;
          }
          for (uint64_t seed = 1; seed <= 6; ++seed) {
            if (!Lives(life, {Crash::kPower, at, seed})) return false;
          }
        }
      }
    }
  }
  return true;
}

TEST_F(GuardModel, TwoCallsThreeScopesEveryCrashPoint) {
  EXPECT_TRUE(LivesEveryCrashPoint());
  EXPECT_GT(lives_, 10'000u);
}

TEST_F(GuardModel, CanariesAreSeen) {
  for (Mutation mutation :
       {Mutation::kSkipHold, Mutation::kForgetDispatched, Mutation::kIgnoreLostTail}) {
    mutation_ = mutation;
    EXPECT_FALSE(LivesEveryCrashPoint()) << static_cast<int>(mutation);
  }
  mutation_ = Mutation::kNone;
  lie_about_ = "control-";
  EXPECT_FALSE(LivesEveryCrashPoint()) << "a lost sync";
}

TEST_F(GuardModel, TwoCallsThreeScopesEveryByte) {
  const std::vector<int> order = {0, 0, 1, 1, 0, 1};
  for (Ending a : kEndings) {
    for (Ending b : kEndings) {
      Life life{{a, b}, order};
      ASSERT_TRUE(Lives(life, {}));
      uint64_t operations = operations_;
      for (uint64_t at = 0; at < operations; ++at) {
        ASSERT_TRUE(Lives(life, {Crash::kDeath, at, 0}));
        uint64_t size = append_size_;
        for (uint64_t bytes = 1; bytes <= size; ++bytes) {
          ASSERT_TRUE(Lives(life, {Crash::kDeath, at, bytes}));
        }
      }
    }
  }
}

}  // namespace
}  // namespace flyball::guard
