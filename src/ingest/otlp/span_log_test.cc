#include "ingest/otlp/span_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <thread>

#include "base/clock.h"
#include "os/sim_files.h"

namespace flyball::otlp {
namespace {

Call CallAt(Instant end, uint64_t number) {
  Call call;
  call.id = {{1, number}, number + 1};
  call.end = end;
  call.model = "gpt-5";
  EXPECT_TRUE(call.usage.Add(Bucket::kInput, 100));
  return call;
}
Instant At(std::string_view text) { return ParseUserInstant(text).value(); }

// All that is kept, as who makes the bill reads it.
std::vector<SpanId> Kept(os::Files& files) {
  std::vector<SpanId> ids;
  const Period ever{At("2026-10-01"), At("2027-01-01")};
  const std::vector<Instant> hours = SpanLogHours(files, "spans", ever).value();
  for (const Instant hour : hours) {
    const auto calls = ReadSpanLog(files, SpanLogPath("spans", hour));
    EXPECT_TRUE(calls) << calls.error().ToString();
    for (const Call& call : *calls) {
      EXPECT_EQ(FloorHour(call.end), hour);
      ids.push_back(call.id);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

TEST(SpanLog, KeepsEachSpanOnceAlsoAfterARestart) {
  os::SimFiles files({});
  const std::vector<Call> calls = {CallAt(At("2026-11-25T10:00:00Z"), 1),
                                   CallAt(At("2026-11-25T10:59:59Z"), 2),
                                   CallAt(At("2026-11-30T23:59:59Z"), 3)};
  {
    SpanLog log(files, "spans");
    SpanLog::Taken taken = log.Take(calls).value();
    EXPECT_EQ(taken.kept, 3);
    EXPECT_EQ(taken.repeated, 0);
    taken = log.Take(calls).value();
    EXPECT_EQ(taken.kept, 0);
    EXPECT_EQ(taken.repeated, 3);
  }
  SpanLog log(files, "spans");
  const std::vector<Call> more = {calls[2], CallAt(At("2026-12-01"), 4),
                                  CallAt(At("2026-12-01"), 4)};
  const SpanLog::Taken taken = log.Take(more).value();
  EXPECT_EQ(taken.kept, 1);
  EXPECT_EQ(taken.repeated, 2);
  EXPECT_EQ(Kept(files).size(), 4u);
  EXPECT_EQ(SpanLogMonths(files, "spans").value(),
            (std::vector<std::string>{"2026-11", "2026-12"}));
  EXPECT_EQ(ReadSpanLog(files, SpanLogPath("spans", At("2026-11-25T10:00:00Z"))).value(),
            (std::vector<Call>{calls[0], calls[1]}));
}

TEST(SpanLog, TouchesNothingForNothing) {
  os::SimFiles files({});
  SpanLog log(files, "spans");
  EXPECT_EQ(log.Take({}).value().kept, 0);
  EXPECT_FALSE(files.Exists("spans"));
  EXPECT_TRUE(SpanLogMonths(files, "spans").value().empty());
}

// Memory stays bounded however many hours a replay brings, and nothing is forgotten by it.
TEST(SpanLog, ForgetsHoursInMemoryOnly) {
  os::SimFiles files({});
  SpanLog log(files, "spans");
  std::vector<Call> calls;
  for (uint64_t i = 0; i < 3 * kHoursOpenMax; ++i) {
    calls.push_back(
        CallAt(Instant{At("2026-11-25").us + static_cast<int64_t>(i) * kMicrosPerHour}, i + 1));
  }
  EXPECT_EQ(log.Take(calls).value().kept, static_cast<int64_t>(calls.size()));
  EXPECT_EQ(log.Take(calls).value().repeated, static_cast<int64_t>(calls.size()));
}

TEST(SpanLog, AFullDiskKeepsWhatWasConfirmedAndTakesTheRestLater) {
  os::SimFiles files({});
  SpanLog log(files, "spans");
  const std::vector<Call> calls = {CallAt(At("2026-11-25"), 1), CallAt(At("2026-11-25"), 2)};
  ASSERT_TRUE(log.Take(std::span(calls).first(1)));
  files.SetCapacityBytes(250);
  const Result<SpanLog::Taken> full = log.Take(calls);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::kResourceExhausted);
  EXPECT_EQ(Kept(files).size(), 1u);
  files.SetCapacityBytes(1 << 20);
  const SpanLog::Taken taken = log.Take(calls).value();
  EXPECT_EQ(taken.kept, 1);
  EXPECT_EQ(taken.repeated, 1);
}

// Who sent all again, because some could not be kept, was refused for ever.
TEST(SpanLog, WhatIsKnownDoesNotCountAgainstTheLimitOfItsHour) {
  os::SimFiles files({});
  SpanLog log(files, "spans", 3);
  std::vector<Call> calls;
  for (uint64_t i = 1; i <= 4; ++i) calls.push_back(CallAt(At("2026-11-25"), i));
  ASSERT_TRUE(log.Take(std::span(calls).first(2)));
  EXPECT_EQ(log.Take(std::span(calls).first(3)).value().kept, 1);
  EXPECT_EQ(log.Take(std::span(calls).first(3)).value().repeated, 3);
  const Result<SpanLog::Taken> full = log.Take(calls);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::kResourceExhausted);
  EXPECT_EQ(Kept(files).size(), 3u);
}

// Each call says its resource's tags again: more than a record of a journal may be.
TEST(SpanLog, ARequestOfAnySizeIsKept) {
  os::SimFiles files({});
  SpanLog log(files, "spans");
  std::vector<Call> calls;
  for (uint64_t i = 1; i <= 10'000; ++i) {
    Call& call = calls.emplace_back(CallAt(At("2026-11-25"), i));
    for (int tag = 0; tag < 8; ++tag) {
      call.tags.emplace_back(std::string(159, 'a') + std::to_string(tag), std::string(960, '"'));
    }
  }
  EXPECT_EQ(log.Take(calls).value().kept, 10'000);
  EXPECT_EQ(Kept(files).size(), 10'000u);
}

// An hour whose sync failed once took nothing more until the next start.
TEST(SpanLog, AnHourThatFailedIsTakenAgainWhenTheDiskWorks) {
  int failed = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    os::SimFiles files({.seed = seed});
    SpanLog log(files, "spans");
    std::vector<Call> calls;
    for (uint64_t i = 1; i <= 20; ++i) {
      calls.push_back(
          CallAt(Instant{At("2026-11-25").us + static_cast<int64_t>(i % 10) * kMicrosPerHour}, i));
    }
    ASSERT_TRUE(log.Take(std::span(calls).first(10)));
    files.SetFailuresPerMillion(300'000);
    for (const Call& call : calls) failed += log.Take({&call, 1}) ? 0 : 1;
    files.SetFailuresPerMillion(0);
    const Result<SpanLog::Taken> taken = log.Take(calls);
    ASSERT_TRUE(taken) << taken.error().ToString();
    EXPECT_EQ(Kept(files).size(), calls.size());
  }
  EXPECT_GT(failed, 100);
}

// Whatever fails and whenever the power goes: what was confirmed is kept, nothing is kept twice,
// and sending again until it is confirmed keeps all.
TEST(SpanLog, SurvivesFailuresAndPowerCuts) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    os::SimFiles files({.seed = seed, .failures_per_million = 30'000});
    Random random(seed);
    std::set<SpanId> confirmed;
    std::optional<SpanLog> log;
    log.emplace(files, "spans");
    for (int round = 0; round < 40; ++round) {
      std::vector<Call> calls;
      for (uint64_t i = random.Below(6) + 1; i > 0; --i) {
        const uint64_t number = random.Below(60) + 1;  // of an hour that goes with it
        calls.push_back(CallAt(Instant{At("2026-11-30T20:00:00Z").us +
                                       static_cast<int64_t>(number % 7) * kMicrosPerHour},
                               number));
      }
      if (random.Chance(1, 5)) files.CutPowerAfter(random.Below(12));
      if (log->Take(calls)) {
        for (const Call& call : calls) confirmed.insert(call.id);
      }
      if (random.Chance(1, 5)) {
        log.reset();
        files.PowerCut();
        log.emplace(files, "spans");
      }
    }
    log.reset();
    files.PowerCut();
    files.SetFailuresPerMillion(0);
    std::vector<SpanId> kept = Kept(files);
    EXPECT_EQ(std::ranges::adjacent_find(kept), kept.end()) << "twice, seed " << seed;
    EXPECT_TRUE(std::ranges::includes(kept, confirmed)) << "lost, seed " << seed;
    EXPECT_FALSE(confirmed.empty());
  }
}

TEST(SpanLog, ManyThreadsKeepEachSpanOnce) {
  os::SimFiles files({});
  SpanLog log(files, "spans");
  std::vector<Call> calls;
  for (uint64_t i = 1; i <= 50; ++i) calls.push_back(CallAt(At("2026-11-25"), i));
  std::atomic<int64_t> kept = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (const Call& call : calls) kept += log.Take({&call, 1}).value().kept;
      });
    }
  }
  EXPECT_EQ(kept, 50);
  EXPECT_EQ(Kept(files).size(), 50u);
}

}  // namespace
}  // namespace flyball::otlp
