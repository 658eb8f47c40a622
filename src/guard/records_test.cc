#include "guard/records.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/hash.h"

namespace flyball::guard {
namespace {

template <typename T>
void ExpectSame(const T& record) {
  std::string batch;
  Write(record, &batch);
  std::vector<Record> found;
  ASSERT_TRUE(ForEachRecord(batch, [&found](Record&& one) { found.push_back(std::move(one)); }));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(std::get<T>(found[0]), record);
}

Amount AnyAmount(Random* random) {
  auto bits = static_cast<uint128>(random->Next()) << 64 | random->Next();
  return static_cast<Amount>(bits >> random->Below(128)) * (random->Chance(1, 4) ? -1 : 1);
}
CellName AnyCell(Random* random) {
  return {static_cast<uint32_t>(random->Next()),
          static_cast<uint32_t>(random->Below(9)),
          {Instant{static_cast<int64_t>(random->Next())},
           Instant{static_cast<int64_t>(random->Next())}}};
}

TEST(Records, AreReadAsTheyWereWritten) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    BudgetRecord budget;
    budget.account = static_cast<uint32_t>(random.Below(1000));
    budget.removed = random.Chance(1, 2);
    budget.budget.name = std::string(random.Below(100), 'n');
    budget.budget.scope = {budget::ScopeKind::kTag, "a=b"};
    budget.budget.limit = AnyAmount(&random);
    budget.budget.warn_percent = {1, 50, 1000};
    budget.budget.window = {budget::Unit::kYear, true, 7, "Europe/Zurich"};
    budget.merged = {{3, Instant{-5}}};
    budget.merged_into = AnyCell(&random).period;
    ExpectSame(budget);
    ExpectSame(LeaseRecord{{{AnyCell(&random), AnyAmount(&random)}, {AnyCell(&random), 0}}});
    ExpectSame(
        ExcessRecord{hold::CallId(random.Next()), {{AnyCell(&random), AnyAmount(&random), true}}});
    ExpectSame(LostRecord{AnyCell(&random), AnyAmount(&random), AnyAmount(&random)});
    ExpectSame(DispatchRecord{hold::CallId(random.Next()),
                              random.Chance(1, 2),
                              random.Chance(1, 2),
                              {{AnyCell(&random), AnyAmount(&random), AnyAmount(&random), -7}}});
    ExpectSame(GrowRecord{hold::CallId(1), {AnyAmount(&random)}, {AnyAmount(&random)}});
    ExpectSame(SettleRecord{hold::CallId(1), {AnyAmount(&random), AnyAmount(&random)}});
    ExpectSame(EndRecord{hold::CallId(1), random.Chance(1, 2)});
    ExpectSame(ExternalRecord{random.Next(), {{AnyCell(&random), AnyAmount(&random)}}});
    ExpectSame(CellRecord{AnyCell(&random), AnyAmount(&random), 1, 2, 3, AnyAmount(&random)});
    ExpectSame(StateRecord{random.Next(), random.Next()});
    ExpectSame(GatewayOnlyRecord{static_cast<uint32_t>(random.Next())});
  }
}

// Old journals must stay readable: these bytes are pinned.
TEST(Records, FormatIsPinned) {
  std::string batch;
  CellName cell{5, 1, {Instant{1'000'000}, Instant{3'000'000}}};
  Write(LeaseRecord{{{cell, 300}}}, &batch);
  Write(DispatchRecord{hold::CallId(9), false, false, {{cell, 200, 200, 0}}}, &batch);
  Write(SettleRecord{hold::CallId(9), {150}}, &batch);
  EXPECT_EQ(Hex({reinterpret_cast<const uint8_t*>(batch.data()), batch.size()}),
            "01"
            "02010501"
            "80897a"
            "8092f401"
            "d804"
            "0509000001"
            "0501"
            "80897a"
            "8092f401"
            "9003"
            "9003"
            "00"
            "070901"
            "ac02");
}

// The same of each kind, by itself: its type and its fields, each with a number of its own.
TEST(Records, EveryKindIsPinned) {
  const auto hex = [](const auto& record) {
    std::string batch;
    Write(record, &batch);
    return Hex({reinterpret_cast<const uint8_t*>(batch.data()), batch.size()});
  };
  const CellName cell{5, 1, {Instant{1'000'000}, Instant{3'000'000}}};
  const std::string cell_bytes = "050180897a8092f401";
  BudgetRecord budget;
  budget.account = 2;
  budget.template_of = 3;
  budget.generation = 4;
  budget.removed = true;
  budget.budget.name = "n";
  budget.budget.scope = {budget::ScopeKind::kTag, "a=b"};
  budget.budget.measure = budget::Measure::kTokens;
  budget.budget.currency = "CHF";
  budget.budget.limit = 100;
  budget.budget.window = {budget::Unit::kYear, true, 7, "UTC"};
  budget.budget.warn_percent = {50, 80};
  budget.budget.hard = false;
  budget.budget.mode = budget::Mode::kQuantile;
  budget.budget.quantile_overrun_percent = 9;
  budget.budget.frozen = true;
  budget.floor = Instant{-5};
  budget.faults = 6;
  budget.unguarded_peak = 8;
  budget.merged = {{3, Instant{-5}}};
  budget.merged_into = cell.period;
  EXPECT_EQ(hex(budget),
            "010102030401"                    // whose account, and whether it is removed
            "016e0803613d620103434846c801"    // name, scope, measure, currency, limit
            "06010e035554430264a00100011201"  // window, warnings, hard, mode, overrun, frozen
            "09061001030980897a8092f401");    // floor, faults, peak, what was merged into what
  EXPECT_EQ(hex(LeaseRecord{{{cell, 300}}}), "010201" + cell_bytes + "d804");
  EXPECT_EQ(hex(ExcessRecord{hold::CallId(9), {{cell, 7, true}}}),
            "01030901" + cell_bytes + "0e01");
  EXPECT_EQ(hex(LostRecord{cell, 7, 8}), "0104" + cell_bytes + "0e10");
  EXPECT_EQ(hex(DispatchRecord{hold::CallId(9), true, true, {{cell, 7, 8, -3}}}),
            "010509010101" + cell_bytes + "0e1005");
  EXPECT_EQ(hex(GrowRecord{hold::CallId(9), {7}, {8, -1}}), "010609010e021001");
  EXPECT_EQ(hex(SettleRecord{hold::CallId(9), {150}}), "01070901ac02");
  EXPECT_EQ(hex(EndRecord{hold::CallId(300), true}), "0108ac0201");
  EXPECT_EQ(hex(ExternalRecord{9, {{cell, 7}}}), "01090901" + cell_bytes + "0e");
  EXPECT_EQ(hex(CellRecord{cell, 1, 2, 3, 4, 5}), "010a" + cell_bytes + "020406080a");
  EXPECT_EQ(hex(StateRecord{9, 300}), "010b09ac02");
  EXPECT_EQ(hex(GatewayOnlyRecord{300}), "010cac02");
  static_assert(std::variant_size_v<Record> == 12, "pin the bytes of the new kind here");
}

TEST(Records, DamageIsAnErrorNeverSkipped) {
  std::string batch;
  Write(StateRecord{1, 2}, &batch);
  Write(EndRecord{hold::CallId(77), true}, &batch);
  auto read = [](std::string_view bytes) {
    return ForEachRecord(bytes, [](Record&&) {}).has_value();
  };
  EXPECT_TRUE(read(batch));
  EXPECT_FALSE(read(""));
  EXPECT_FALSE(read("\x02")) << "another version";
  EXPECT_FALSE(read(batch + "\x7f")) << "an unknown type";
  EXPECT_FALSE(read(batch + '\0')) << "no type";
  const auto why = [](std::string_view bytes) {
    return ForEachRecord(bytes, [](Record&&) {}).error();
  };
  EXPECT_EQ(why(batch + "\x0d").code, Code::kDataLoss);
  EXPECT_NE(why(batch + "\x0d").message.find("a kind (13) that"), std::string::npos)
      << "a later program's, and no damage";
  EXPECT_NE(why(batch + "\x0d").hint.find("a later one"), std::string::npos);
  EXPECT_NE(why(batch + '\0').message.find("no record"), std::string::npos);
  EXPECT_FALSE(read(batch.substr(0, batch.size() - 1)));
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string broken = batch;
    for (uint64_t n = random.Below(4); n < 4; ++n) {
      broken[random.Below(broken.size())] = static_cast<char>(random.Next());
    }
    (void)read(broken);  // whatever it says, it comes back
  }
}

}  // namespace
}  // namespace flyball::guard
