// What the watch writes down, and how it follows the log of calls.
#include "app/watch_journal.h"

#include "app/live_watch.h"
#include "app/test_home.h"
#include "os/journal.h"

namespace flyball::app {
namespace {

class WatchFiles : public HomeTest {
 protected:
  static metered::Dispatch DispatchOf(uint64_t id, Instant at) {
    metered::Dispatch dispatch;
    dispatch.id = id;
    dispatch.at = at;
    dispatch.key = "key-1";
    dispatch.currency = "USD";
    return dispatch;
  }
  void Log(uint64_t id, Instant at) {
    ASSERT_TRUE(files_->MakeDirs(Calls()));
    const std::string name = "/calls-" + FormatDate(at).substr(0, 7) + ".journal";
    auto journal = os::Journal::Open(*files_, Calls() + name,
                                     [](uint64_t, std::string_view) { return Status(); });
    ASSERT_TRUE(journal);
    ASSERT_TRUE(journal->Append(metered::Encode(DispatchOf(id, at)), false));
  }
  std::vector<uint64_t> Read(CallTail* tail, Instant now) {
    std::vector<uint64_t> ids;
    EXPECT_TRUE(tail->ReadOn(now, [&](const metered::Record& record) -> Status {
      ids.push_back(record.dispatch.id);
      return {};
    }));
    return ids;
  }
  std::string Calls() const { return home_ + "/gateway/calls"; }
  static watch::Anomaly SomeAnomaly(Instant now) {
    watch::Anomaly anomaly;
    anomaly.series = {watch::Level::kKey, "key-1", "USD"};
    anomaly.suspect = {"key", "key-1"};
    anomaly.began = anomaly.opened = anomaly.updated = now;
    anomaly.amount = anomaly.observed = Money::Parse("12.000000000001").value();
    return anomaly;
  }
  const Instant now_ = clock_.Now();
  const Instant next_month_ = AddMonths(FloorMonth(now_), 1);
};

using Ids = std::vector<uint64_t>;

TEST_F(WatchFiles, TheTailReadsEachCallOnceOverTheEndOfAMonth) {
  CallTail tail(*files_, Calls());
  EXPECT_EQ(Read(&tail, now_), Ids());
  Log(1, now_);
  Log(2, now_);
  EXPECT_EQ(Read(&tail, now_), (Ids{1, 2}));
  EXPECT_EQ(Read(&tail, now_), Ids());
  Log(3, now_);
  Log(4, next_month_);
  EXPECT_EQ(Read(&tail, next_month_), (Ids{3, 4}));
  // Another one goes on where this one stood.
  CallTail other(*files_, Calls());
  other.set_ends(tail.ends());
  Log(5, next_month_);
  EXPECT_EQ(Read(&other, next_month_), Ids{5});
}

TEST_F(WatchFiles, ARecordThatIsHalfWrittenIsReadWhenItIsWhole) {
  Log(1, now_);
  Log(2, now_);
  const std::string path = Calls() + "/calls-2026-11.journal";
  const std::string whole = files_->ReadAll(path).value();
  Write("gateway/calls/calls-2026-11.journal", whole.substr(0, whole.size() - 3));
  CallTail tail(*files_, Calls());
  EXPECT_EQ(Read(&tail, now_), Ids{1});
  Write("gateway/calls/calls-2026-11.journal", whole);
  EXPECT_EQ(Read(&tail, now_), Ids{2});
  // A shorter file is another one.
  ASSERT_TRUE(files_->Remove(path));
  Log(7, now_);
  EXPECT_EQ(Read(&tail, now_), Ids{7});
}

TEST_F(WatchFiles, TheJournalKeepsWhatCountsAndStaysSmall) {
  watch::Watcher watcher;
  std::string id;
  {
    WatchJournal journal = WatchJournal::Open(*files_, home_, &watcher).value();
    id = watcher.book().Open(SomeAnomaly(now_), now_).id;
    ASSERT_TRUE(journal.Keep(watcher.TakeEffects(), watcher.book()));
    watch::Anomaly& anomaly = *watcher.book().Find(id);
    anomaly.rule = std::string(60'000, 'x');
    for (int64_t i = 1; i <= 300; ++i) {
      anomaly.amount = Money::FromUnits(i);
      watcher.book().Changed(anomaly, "updated", true, now_);
      ASSERT_TRUE(journal.Keep(watcher.TakeEffects(), watcher.book()));
      if (i == 100)
        ASSERT_TRUE(watcher.book().SayOfAnomaly(id, watch::Feedback::kExpected, "", now_));
    }
  }
  EXPECT_LT(files_->Size(home_ + "/watch/watch.journal").value(), kWatchJournalMaxBytes + 200'000);
  watch::Watcher again;
  ASSERT_TRUE(WatchJournal::Open(*files_, home_, &again));
  EXPECT_EQ(again.book().Records(), watcher.book().Records());
  EXPECT_EQ(again.book().Find(id)->amount, Money::FromUnits(300));
  EXPECT_EQ(again.book().patterns().size(), 1u);
  watch::Watcher beside;
  ASSERT_TRUE(ReadWatchJournal(*files_, home_, &beside));
  EXPECT_EQ(beside.book().Records(), watcher.book().Records());
}

TEST_F(WatchFiles, AStartReadsTheCallsOfTheLastHoursOnly) {
  watch::Watcher watcher;
  const auto after = [&](int64_t us) { return Instant{now_.us + us}; };
  {
    WatchJournal journal = WatchJournal::Open(*files_, home_, &watcher).value();
    for (uint64_t hour = 0; hour <= 40; ++hour) {
      const Instant at = after(static_cast<int64_t>(hour) * kMicrosPerHour);
      ASSERT_TRUE(journal.Mark({{"calls-2026-11.journal", 100 * hour + 8}}, at, watcher.book()));
      ASSERT_TRUE(journal.Mark({{"calls-2026-11.journal", 1}}, at, watcher.book()));  // too soon
    }
  }
  const WatchJournal journal = WatchJournal::Open(*files_, home_, &watcher).value();
  // At half past 40 the calls since half past 14 are wanted.
  const CallTail::Ends ends = journal.WarmFrom(after(40 * kMicrosPerHour + kMicrosPerHour / 2));
  EXPECT_EQ(ends, (CallTail::Ends{{"calls-2026-11.journal", 1408}}));
  EXPECT_EQ(journal.WarmFrom(now_), CallTail::Ends());
}

TEST_F(WatchFiles, BudgetsHaveEvenPaces) {
  const auto paces = EvenPacesOf(R"([
    {"name":"a","scope":"team=search","window":"month","limit":"25.92","currency":"USD"},
    {"name":"b","scope":"key=*","window":"month","limit":"30","currency":"USD"},
    {"name":"c","scope":"key=key-1","window":"minute","limit":"30","currency":"USD"},
    {"name":"d","scope":"organisation","window":"rolling 24 hours","limit":"864","currency":"EUR"},
    {"name":"e","scope":"model=gpt-5","window":"day","limit":"10","measure":"tokens"},
    {"name":"f","scope":"nonsense"}, 7])");
  ASSERT_EQ(paces.size(), 2u);
  EXPECT_EQ(paces[0].series, (watch::SeriesName{watch::Level::kTeam, "search", "USD"}));
  EXPECT_DOUBLE_EQ(paces[0].per_s, 0.00001);
  EXPECT_EQ(paces[1].series.level, watch::Level::kTotal);
  EXPECT_DOUBLE_EQ(paces[1].per_s, 0.01);
  EXPECT_TRUE(EvenPacesOf("no list").empty());
}

TEST_F(WatchFiles, TheEstateSaysWhatIsWatched) {
  estate::Watch said;
  said.min_amount = Money::Parse("2.5").value();
  said.off = {"stuck"};
  said.burn = {{5, 60, Money::Parse("3.5").value()}};
  said.expected = {{{now_, next_month_}, "launch", Money::Parse("2").value()}};
  const watch::WatchSettings settings = WatchSettingsOf(said);
  EXPECT_EQ(settings.min_amount.ToString(), "2.5");
  EXPECT_TRUE(settings.off[static_cast<size_t>(watch::Kind::kStuck)]);
  EXPECT_FALSE(settings.off[static_cast<size_t>(watch::Kind::kBurn)]);
  ASSERT_EQ(settings.burn.size(), 1u);
  EXPECT_DOUBLE_EQ(settings.burn[0].factor, 3.5);
  EXPECT_EQ(settings.expected[0].note, "launch");
  EXPECT_EQ(WatchSettingsOf({}).burn.size(), watch::WatchSettings().burn.size());
}

}  // namespace
}  // namespace flyball::app
