#include "ledger/commit_log.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "ledger/commit_json.h"
#include "ledger/history.h"
#include "ledger/publish.h"
#include "os/sim_files.h"

namespace flyball::ledger {
namespace {

constexpr char kJournal[] = "/home/log/ledger.journal";

Slice MakeSlice(const std::string& id, const std::string& source = "aws") {
  Slice slice;
  slice.id = id;
  slice.source = source;
  slice.period = "2026-10";
  slice.rows = 3;
  slice.billed_by_currency["USD"] = *Money::Parse("12.000000000001");
  slice.files.push_back({"part-0000.parquet", 4, "ab", 3});
  return slice;
}

Commit MakeImport(const std::string& id, std::vector<std::string> closes = {}) {
  Commit commit;
  commit.time = {1'700'000'000'000'001};
  commit.author = "me \xff \"quoted\"";
  commit.source = "aws";
  commit.content_hash = "c-" + id;
  commit.rules = "r";
  commit.opens = {MakeSlice(id)};
  commit.closes = std::move(closes);
  commit.facts.focus_version = "1.0";
  commit.facts.files = {{"a.csv", "00"}};
  commit.facts.rows_in = 4;
  commit.facts.rows_kept = 3;
  commit.facts.rows_quarantined = 1;
  commit.facts.billed_cost = {"12.0000000000012", "12.000000000001", "0", "0.0000000000002"};
  commit.facts.billed_cost_by_currency["USD"] = commit.facts.billed_cost;
  commit.facts.repairs["date.us"] = 2;
  commit.facts.findings["list < effective"] = 1;
  commit.facts.lineage["ServiceProviderName"]["derived"] = 3;
  return commit;
}

class CommitLogTest : public testing::Test {
 protected:
  CommitLogTest() : files_(os::SimFilesOptions{}) {
    EXPECT_TRUE(files_.MakeDirs("/home/log").has_value());
  }
  CommitLog Open() { return std::move(CommitLog::Open(files_, kJournal)).value(); }
  static Result<Commit> Append(CommitLog& log, Commit commit) {
    CommitLog::Draft draft = log.Prepare(std::move(commit));
    FB_CHECK(log.Append(draft));
    return draft.commit;
  }
  os::SimFiles files_;
};

TEST_F(CommitLogTest, ReadsBackWhatItWrote) {
  std::string before;
  {
    CommitLog log = Open();
    ASSERT_TRUE(Append(log, MakeImport("a")));
    Commit merged;
    merged.kind = CommitKind::kCompact;
    merged.rules = "r";
    merged.opens = {MakeSlice("b")};
    merged.closes = {"a"};
    merged.stands_for = {{"a", "b"}};
    ASSERT_TRUE(Append(log, merged));
    for (const Commit& commit : log.history().Commits()) before += CommitJson(commit) + "\n";
  }
  CommitLog log = Open();
  std::string after;
  for (const Commit& commit : log.history().Commits()) after += CommitJson(commit) + "\n";
  EXPECT_EQ(after, before);
  EXPECT_EQ(log.history().At(1).time.us, 1'700'000'000'000'001);
  EXPECT_EQ(log.history().At(1).opens[0].billed_by_currency.at("USD").ToString(),
            "12.000000000001");
  EXPECT_EQ(log.history().At(2).parent, log.history().At(1).id);
  EXPECT_EQ(log.history().At(1).id.size(), 16u);
}

TEST_F(CommitLogTest, AChangedRecordBreaksTheChain) {
  // The checksum of the journal would notice an accident; this is somebody who writes it anew.
  CommitLog log = Open();
  CommitLog::Draft first = log.Prepare(MakeImport("a"));
  ASSERT_TRUE(log.Append(first));
  CommitLog::Draft second = log.Prepare(MakeImport("b", {"a"}));
  std::string forged = first.record;
  forged.replace(forged.find("\"rows\":3"), 8, "\"rows\":4");
  os::Journal journal = std::move(os::Journal::Open(files_, "/home/log/forged", [](auto, auto) {
                          return Status{};
                        })).value();
  ASSERT_TRUE(journal.Append(forged, true));
  ASSERT_TRUE(journal.Append(second.record, true));
  Result<CommitLog> opened = CommitLog::Open(files_, "/home/log/forged");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::kDataLoss);
  EXPECT_EQ(opened.error().place.file, "/home/log/forged");
  EXPECT_GT(opened.error().place.byte, 1);
}

TEST_F(CommitLogTest, ATornTailNeverCounted) {
  {
    CommitLog log = Open();
    ASSERT_TRUE(Append(log, MakeImport("a")));
    ASSERT_TRUE(Append(log, MakeImport("b", {"a"})));
  }
  uint64_t size = *files_.Size(kJournal);
  auto file = std::move(files_.OpenAppend(kJournal)).value();
  ASSERT_TRUE(file->Truncate(size - 10));
  file.reset();
  CommitLog log = Open();
  EXPECT_EQ(log.history().head_sequence(), 1);
  EXPECT_TRUE(log.history().IsLive("a"));
  EXPECT_TRUE(Append(log, MakeImport("b", {"a"})));
}

TEST_F(CommitLogTest, RefusesWhatIsNoRecord) {
  EXPECT_EQ(DecodeRecord("{").error().code, Code::kDataLoss);
  EXPECT_EQ(DecodeRecord("{}").error().code, Code::kDataLoss);
  EXPECT_EQ(DecodeRecord("[1]").error().code, Code::kDataLoss);
  std::string record = EncodeRecord(MakeImport("a"));
  std::string outside = record;
  outside.replace(outside.find("\"source\":\"aws\"", outside.find("opens")), 14,
                  "\"source\":\"../\"");
  EXPECT_FALSE(DecodeRecord(outside).has_value());
  std::string unknown = record;
  unknown.replace(unknown.find("\"kind\":\"import\""), 15, "\"kind\":\"reload\"");
  EXPECT_FALSE(DecodeRecord(unknown).has_value());
}

TEST_F(CommitLogTest, HistoryRefusesWhatDoesNotFollow) {
  CommitLog log = Open();
  ASSERT_TRUE(Append(log, MakeImport("a")));
  EXPECT_FALSE(Append(log, MakeImport("a")));              // opened again
  EXPECT_FALSE(Append(log, MakeImport("b", {"nope"})));    // closes what is not there
  EXPECT_FALSE(Append(log, MakeImport("b", {"a", "a"})));  // twice
  Commit wrong = MakeImport("b", {"a"});
  wrong.stands_for = {{"a", "c"}};
  EXPECT_FALSE(Append(log, wrong));
  ASSERT_TRUE(Append(log, MakeImport("b", {"a"})));
  EXPECT_FALSE(Append(log, MakeImport("c", {"a"})));  // closed already
  EXPECT_EQ(log.history().head_sequence(), 2);
}

TEST_F(CommitLogTest, HistoryFollowsSlicesThroughCompactions) {
  CommitLog log = Open();
  ASSERT_TRUE(Append(log, MakeImport("a")));
  auto compact = [&](const std::string& from, const std::string& to) {
    Commit commit;
    commit.kind = CommitKind::kCompact;
    commit.opens = {MakeSlice(to)};
    commit.closes = {from};
    commit.stands_for = {{from, to}};
    ASSERT_TRUE(Append(log, commit));
  };
  compact("a", "b");
  compact("b", "c");
  ASSERT_TRUE(Append(log, MakeImport("d", {"c"})));
  const History& history = log.history();
  auto live = [&](int64_t sequence) {
    std::vector<const Slice*> slices = history.LiveAt(sequence);
    return slices.size() == 1 ? slices[0]->id : std::to_string(slices.size());
  };
  EXPECT_EQ(live(0), "0");
  EXPECT_EQ(live(1), "c");
  EXPECT_EQ(live(2), "c");
  EXPECT_EQ(live(3), "c");
  EXPECT_EQ(live(4), "d");
  EXPECT_EQ(history.StandIn("a"), "c");
  EXPECT_EQ(history.Stored().size(), 2u);
}

TEST_F(CommitLogTest, FindsByIdPrefixAndNumber) {
  CommitLog log = Open();
  for (char c = 'a'; c <= 'z'; ++c)
    ASSERT_TRUE(
        Append(log, MakeImport(std::string(1, c), c == 'a' ? std::vector<std::string>{}
                                                           : std::vector<std::string>{std::string(
                                                                 1, static_cast<char>(c - 1))})));
  const History& history = log.history();
  for (int64_t n = 1; n <= 26; ++n) {
    const std::string& id = history.At(n).id;
    EXPECT_EQ((*history.Find(id))->sequence, n);
    EXPECT_EQ((*history.Find(id.substr(0, 12)))->sequence, n);
    EXPECT_EQ((*history.Find(std::to_string(n)))->sequence, n);
  }
  EXPECT_EQ(history.Find("").error().code, Code::kNotFound);
  EXPECT_EQ(history.Find("99999").error().code, Code::kNotFound);
  // 26 ids share 16 first digits.
  int ambiguous = 0;
  for (char digit : std::string("abcdef")) {
    Result<const Commit*> found = history.Find(std::string(1, digit));
    if (!found && found.error().code == Code::kInvalidArgument) ++ambiguous;
  }
  EXPECT_GT(ambiguous, 0);
}

// ---- the protocol of publishing, on a disk that loses power

struct Outcome {
  int64_t confirmed = 0;  // commits whose Publish returned
};

std::string StagedContent(int n) { return "slice content " + std::to_string(n); }

Result<Commit> PublishOne(os::Files& files, const Layout& layout, CommitLog& log, int n) {
  std::string staging = layout.Tmp() + "/import-999999999-" + std::to_string(n);
  std::string id = "s" + std::to_string(n);
  std::string dir = staging + "/" + id;
  FB_CHECK(files.MakeDirs(dir));
  Publication publication;
  publication.staging_dir = staging;
  publication.staged_names = {id};
  Commit& commit = publication.commit;
  commit = MakeImport(id, n == 1 ? std::vector<std::string>{}
                                 : std::vector<std::string>{"s" + std::to_string(n - 1)});
  commit.opens[0].files.clear();
  for (const char* name : {"part-0000.parquet", "rollup.parquet"}) {
    // As the engine does: written, not synced.
    auto file = FB_TRY(files.OpenAppend(dir + "/" + name));
    FB_CHECK(file->Append(StagedContent(n)));
    commit.opens[0].files.push_back({name, StagedContent(n).size(), "", 3});
  }
  auto quarantine = FB_TRY(files.OpenAppend(staging + "/q"));
  FB_CHECK(quarantine->Append("{}"));
  quarantine.reset();
  publication.quarantine_file = "q";
  return PublishFiles(files, layout, log, std::move(publication));
}

// As Ledger::Open does before it opens the store.
Result<CommitLog> OpenHome(os::Files& files, const Layout& layout) {
  FB_CHECK(files.MakeDirs(layout.home));
  FB_CHECK(PrepareHome(files, layout));
  CommitLog log = FB_TRY(CommitLog::Open(files, layout.Journal()));
  FB_CHECK(files.SyncDir(layout.LogDir()));
  FB_CHECK(SweepStaging(files, layout));
  std::set<std::string> stored;
  for (const Slice* slice : log.history().Stored()) stored.insert(slice->id);
  FB_TRY(SweepUnnamed(files, layout, stored, log.history().QuarantineIds()));
  return log;
}

void Publishing(os::Files& files, const Layout& layout, int rounds, Outcome* run) {
  Result<CommitLog> log = OpenHome(files, layout);
  if (!log) return;
  for (int i = 0; i < rounds; ++i) {
    int n = static_cast<int>(log->history().head_sequence()) + 1;
    if (!PublishOne(files, layout, *log, n)) return;
    run->confirmed = n;
  }
}

// Every commit of the log has its files, whole; nothing else lies about.
void ExpectWhole(os::Files& files, const Layout& layout, const Outcome& run, uint64_t seed) {
  Result<CommitLog> log = OpenHome(files, layout);
  ASSERT_TRUE(log.has_value()) << seed << ": " << log.error().ToString();
  int64_t head = log->history().head_sequence();
  ASSERT_GE(head, run.confirmed) << seed;
  ASSERT_LE(head, run.confirmed + 1) << seed;
  std::set<std::string> named;
  for (int64_t n = 1; n <= head; ++n) {
    const Slice& slice = log->history().At(n).opens[0];
    named.insert(slice.id);
    for (const SliceFile& file : slice.files) {
      Result<std::string> content = files.ReadAll(layout.SliceDir(slice) + "/" + file.name);
      ASSERT_TRUE(content.has_value()) << seed << ": commit " << n;
      ASSERT_EQ(*content, StagedContent(static_cast<int>(n))) << seed;
    }
    Result<std::string> rows = files.ReadAll(layout.Quarantine() + "/" + slice.id + ".jsonl");
    ASSERT_TRUE(rows.has_value()) << seed;
    ASSERT_EQ(*rows, "{}") << seed;
  }
  if (head > 0) {
    const auto ids = files.List(layout.Slices() + "/aws/2026-10").value();
    for (const std::string& id : ids) {
      ASSERT_TRUE(named.contains(id)) << seed;
    }
  }
  ASSERT_TRUE(files.List(layout.Tmp())->empty()) << seed;
}

TEST(PublishTest, APowerCutAtAnyStepLeavesTheOldStateOrTheNew) {
  Layout layout{"/home"};
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    os::SimFilesOptions options;
    options.seed = seed;
    os::SimFiles files(options);
    Random random(seed);
    Outcome run;
    for (int life = 0; life < 3; ++life) {
      files.CutPowerAfter(random.Below(90));
      Publishing(files, layout, 3, &run);
      files.PowerCut();
      // The first life may not even have come to a home.
      Result<CommitLog> log = OpenHome(files, layout);
      ASSERT_TRUE(log.has_value()) << seed << ": " << log.error().ToString();
      ASSERT_GE(log->history().head_sequence(), run.confirmed) << seed;
      ASSERT_LE(log->history().head_sequence(), run.confirmed + 1) << seed;
      run.confirmed = log->history().head_sequence();
    }
    ExpectWhole(files, layout, run, seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(PublishTest, AFailingDiskMakesNothingVisibleByHalves) {
  Layout layout{"/home"};
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    os::SimFilesOptions options;
    options.seed = seed;
    os::SimFiles files(options);
    Outcome run;
    Publishing(files, layout, 1, &run);
    ASSERT_EQ(run.confirmed, 1);
    files.SetFailuresPerMillion(40'000);
    Publishing(files, layout, 3, &run);
    files.SetFailuresPerMillion(0);
    if (seed % 2 == 0) files.PowerCut();
    ExpectWhole(files, layout, run, seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(PublishTest, AFullDiskLeavesTheOldState) {
  Layout layout{"/home"};
  for (uint64_t capacity = 2200; capacity < 6000; capacity += 13) {
    os::SimFilesOptions options;
    options.seed = capacity;
    options.capacity_bytes = capacity;
    os::SimFiles files(options);
    Outcome run;
    Publishing(files, layout, 3, &run);
    files.SetCapacityBytes(1u << 30);
    ExpectWhole(files, layout, run, capacity);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace flyball::ledger
