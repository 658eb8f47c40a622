// What the guard costs a call: nanoseconds of the processor for Admit, Dispatched and Settle
// together, under one budget and under five, without a journal, with its records made, and written
// to files at once or by sixteen events.
//
//   bench_guard [FOLDER]     the journal's folder (a new one under /tmp)
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/zone.h"
#include "guard/guard.h"
#include "guard/wal.h"
#include "os/files.h"

namespace flyball::guard {
namespace {

constexpr int kCalls = 400'000;
constexpr int kWarmCalls = 20'000;
constexpr size_t kOpenAtOnce = 64;

const Zone* FindZone(std::string_view) {
  static const Zone utc;
  return &utc;
}

Options MakeOptions(bool durable) {
  Options options;
  options.find_zone = FindZone;
  options.durable = durable;
  return options;
}

const std::vector<hold::Attribute> kAttributes = {
    {budget::ScopeKind::kTeam, "search"},
    {budget::ScopeKind::kProject, "ranking"},
    {budget::ScopeKind::kKey, "5f0c3c3c9d0f4e0a"},
    {budget::ScopeKind::kModel, "gpt-5-mini"},
};

void SetBudgets(Guard* guard, int scopes, Moment now) {
  static constexpr const char* kScopes[] = {"team=search", "organisation", "project=ranking",
                                            "key=5f0c3c3c9d0f4e0a", "model=gpt-5-mini"};
  for (int i = 0; i < scopes; ++i) {
    budget::Budget budget;
    budget.name = kScopes[i];
    budget.scope = budget::ParseScope(kScopes[i]).value();
    budget.limit = Money::Parse("1000000").value().units();
    budget.window = budget::ParseWindow(i % 2 == 0 ? "month" : "rolling 24 hours").value();
    if (!guard->SetBudget(budget, now)) std::abort();
  }
}

// Of the processor, so that what else the machine does is not measured.
int64_t CpuNanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// One call is admitted, another one of before is settled: as many are open as in a busy gateway.
template <typename AdmitOne, typename Written>
double NanosecondsPerCall(Guard* guard, AdmitOne admit, Written written) {
  Moment now{Instant{1'795'608'000'000'000}, 1};
  hold::Bound bound{Money::Parse("0.01").value(), Money::Parse("0.02").value(), 1000, 500};
  hold::Cost cost{Money::Parse("0.004").value(), 700};
  int64_t started = 0;
  for (int i = 0; i < kWarmCalls + kCalls; ++i) {
    if (i == kWarmCalls) started = CpuNanoseconds();
    now.wall.us += 20;
    now.mono_us += 20;
    auto id = static_cast<uint64_t>(i) + 1;
    Call call{hold::CallId(id), kAttributes, bound, "USD", now.mono_us + 60'000'000};
    if (admit(call, now).verdict != Verdict::kAdmitted) std::abort();
    if (!guard->Dispatched(call.id, now)) std::abort();
    written();
    if (id > kOpenAtOnce) {
      if (!guard->Settle(hold::CallId(id - kOpenAtOnce), cost, 200, now)) std::abort();
      written();
    }
  }
  return static_cast<double>(CpuNanoseconds() - started) / kCalls;
}

double Without(int scopes) {
  Guard guard(MakeOptions(false));
  SetBudgets(&guard, scopes, {Instant{1'795'608'000'000'000}, 1});
  return NanosecondsPerCall(
      &guard, [&guard](const Call& call, Moment now) { return guard.Admit(call, now); }, [] {});
}

// Written after every `writes_every` events, as a loop does that has so many in one turn; 0: the
// records are made and thrown away.
double With(int scopes, const std::string& folder, int writes_every) {
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
  std::filesystem::remove_all(folder);
  std::unique_ptr<Wal> wal = std::move(*Wal::Open(*files, folder, "boot", MakeOptions(true)));
  SetBudgets(&wal->guard(), scopes, {Instant{1'795'608'000'000'000}, 1});
  if (!wal->Commit()) std::abort();
  return NanosecondsPerCall(
      &wal->guard(), [&wal](const Call& call, Moment now) { return wal->Admit(call, now); },
      [&wal, writes_every, events = 0]() mutable {
        if (writes_every == 0) wal->guard().outbox().calls.clear();
        if (writes_every != 0 && ++events % writes_every == 0 && !wal->Commit()) std::abort();
      });
}

}  // namespace
}  // namespace flyball::guard

int main(int argc, char** argv) {
  using namespace flyball::guard;
  std::string folder =
      argc > 1 ? argv[1]
               : (std::filesystem::temp_directory_path() / "flyball_bench_guard").string();
  std::printf("%-8s %12s %12s %12s %12s\n", "budgets", "no journal", "records", "written by 16",
              "written");
  for (int scopes : {1, 5}) {
    double without = Without(scopes);
    double made = With(scopes, folder, 0);
    double together = With(scopes, folder, 16);
    double written = With(scopes, folder, 1);
    std::printf("%-8d %9.0f ns %9.0f ns %10.0f ns %9.0f ns   %.1f, %.1f and %.1f times\n", scopes,
                without, made, together, written, made / without, together / without,
                written / without);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
