#include "reconcile/evidence.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace flyball::reconcile {
namespace {

class EvidenceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "evidence_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static Evidence Make(std::string_view day, const std::string& model) {
    Evidence evidence;
    evidence.key = KeyOf("OpenAI", ParseUserInstant(day).value(), model, "USD");
    evidence.bill = "bill \"x\".json";
    evidence.sha256 = "00ff";
    evidence.theirs = Money::Parse("-1.000000000001").value();
    evidence.spread = Money::FromUnits(-7);
    const Money cost = Money::Parse("0.5").value();
    evidence.corrections = {{0xffff'ffff'ffff'ffffu,
                             Instant{5},
                             cost,
                             {{Bucket::kOutput, 3, Money::FromUnits(9), cost}}},
                            {0, Instant{6}, cost, {}}};
    return evidence;
  }

  std::string folder_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
};

TEST_F(EvidenceTest, WhatIsWrittenIsReadByMonth) {
  const Evidence november = Make("2026-11-30", "m");
  Evidence december = Make("2026-12-01", "m");
  december.superseded = true;
  ASSERT_TRUE(WriteEvidence(*files_, folder_, {november, december}));
  EXPECT_EQ(ReadEvidence(*files_, folder_, "2026-11").value(),
            (EvidenceByKey{{november.key, november}}));
  EXPECT_EQ(ReadEvidence(*files_, folder_, "2026-12").value(),
            (EvidenceByKey{{december.key, december}}));
  EXPECT_TRUE(ReadEvidence(*files_, folder_, "2026-10")->empty());
}

TEST_F(EvidenceTest, ReadingItEndsAtTheNextStepOnceItIsToStop) {
  ASSERT_TRUE(
      WriteEvidence(*files_, folder_,
                    {Make("2026-11-30", "k"), Make("2026-11-30", "m"), Make("2026-11-30", "n")}));
  int steps = 0;
  const auto read = [&](int most) {
    steps = 0;
    return ReadEvidence(*files_, folder_, "2026-11", [&] { return ++steps > most; });
  };
  EXPECT_EQ(read(3)->size(), 3u);
  EXPECT_EQ(read(1).error().code, Code::kCancelled);
  EXPECT_EQ(steps, 2);
}

TEST_F(EvidenceTest, TheLaterWordCounts) {
  const Evidence other = Make("2026-11-30", "n");
  Evidence evidence = Make("2026-11-30", "m");
  ASSERT_TRUE(WriteEvidence(*files_, folder_, {evidence, other}));
  evidence.corrections.clear();
  ASSERT_TRUE(WriteEvidence(*files_, folder_, {evidence}));
  const EvidenceByKey read = ReadEvidence(*files_, folder_, "2026-11").value();
  EXPECT_EQ(read.at(evidence.key), evidence);
  EXPECT_EQ(read.at(other.key), other);
}

}  // namespace
}  // namespace flyball::reconcile
