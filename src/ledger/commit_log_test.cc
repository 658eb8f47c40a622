#include "ledger/commit_log.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "ledger/commit_json.h"
#include "ledger/history.h"
#include "ledger/pack.h"
#include "ledger/publish.h"
#include "os/sim_files.h"

namespace flyball::ledger {
namespace {

constexpr char kJournal[] = "/home/log/ledger.journal";

Slice MakeSlice(const std::string& id, const std::string& period = "2026-10") {
  Slice slice;
  slice.id = id;
  slice.source = "aws";
  slice.period = period;
  slice.rows = 3;
  slice.billed_by_currency["USD"] = *Money::Parse("12.000000000001");
  slice.files.push_back({"part-0000.parquet", 4, "ab", 3});
  return slice;
}

Pack MakePack(const std::string& id, std::vector<std::string> members) {
  return {id, "aws", std::move(members), {{"part-0000.parquet", 4, "ab", 6}}};
}

Commit MakeCompaction(std::vector<Pack> packs) {
  Commit commit;
  commit.kind = CommitKind::kCompact;
  commit.rules = "r";
  commit.packs = std::move(packs);
  return commit;
}

Commit MakeImport(const std::string& id, std::vector<std::string> closes = {},
                  const std::string& period = "2026-10") {
  Commit commit;
  commit.time = {1'700'000'000'000'001};
  commit.author = "me \xff \"quoted\"";
  commit.source = "aws";
  commit.content_hash = "c-" + id;
  commit.rules = "r";
  commit.opens = {MakeSlice(id, period)};
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
    ASSERT_TRUE(Append(log, MakeCompaction({MakePack("p", {"a"})})));
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
  EXPECT_EQ(log.history().At(2).packs[0].members, std::vector<std::string>{"a"});
  EXPECT_EQ(log.history().At(2).packs[0].files[0].rows, 6);
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
  std::string no_month = record;
  no_month.replace(no_month.find("2026-10"), 7, "2026-13");
  EXPECT_FALSE(DecodeRecord(no_month).has_value());
  std::string pack = EncodeRecord(MakeCompaction({MakePack("../p", {"a"})}));
  EXPECT_FALSE(DecodeRecord(pack).has_value());
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
  ASSERT_TRUE(Append(log, MakeImport("b", {"a"})));
  EXPECT_FALSE(Append(log, MakeImport("c", {"a"})));  // closed already
  EXPECT_EQ(log.history().head_sequence(), 2);
}

TEST_F(CommitLogTest, HistoryRefusesAPackThatCannotBeToldApart) {
  CommitLog log = Open();
  ASSERT_TRUE(Append(log, MakeImport("a", {}, "2026-09")));
  ASSERT_TRUE(Append(log, MakeImport("b", {}, "2026-10")));
  ASSERT_TRUE(Append(log, MakeImport("c", {"b"}, "2026-10")));
  auto refuses = [&](std::vector<Pack> packs) {
    return !Append(log, MakeCompaction(std::move(packs))).has_value();
  };
  EXPECT_TRUE(refuses({MakePack("p", {})}));
  EXPECT_TRUE(refuses({MakePack("p", {"a", "nope"})}));
  EXPECT_TRUE(refuses({MakePack("p", {"a", "a"})}));
  EXPECT_TRUE(refuses({MakePack("p", {"b", "c"})}));  // of one period
  EXPECT_TRUE(refuses({MakePack("p", {"a"}), MakePack("q", {"a"})}));
  EXPECT_TRUE(refuses({MakePack("a", {"a"})}));  // a slice has the id
  Pack other = MakePack("p", {"a"});
  other.source = "gcp";
  EXPECT_TRUE(refuses({other}));
  Commit opens = MakeCompaction({MakePack("p", {"a"})});
  opens.opens = {MakeSlice("d")};
  EXPECT_FALSE(Append(log, opens));
  Commit imports = MakeImport("d");
  imports.packs = {MakePack("p", {"a"})};
  EXPECT_FALSE(Append(log, imports));
  ASSERT_TRUE(Append(log, MakeCompaction({MakePack("p", {"a", "b"})})));
  EXPECT_TRUE(refuses({MakePack("p", {"a", "b"})}));  // the id again
  EXPECT_TRUE(refuses({MakePack("q", {"a", "c"})}));  // a part of a pack
  EXPECT_FALSE(Append(log, MakeImport("p")));         // a pack has the id
  EXPECT_EQ(log.history().head_sequence(), 4);
}

std::string Shown(const std::vector<Folder>& folders) {
  std::string text;
  for (const Folder& folder : folders) {
    text += (text.empty() ? "" : " ") + folder.id();
    if (folder.pack == nullptr) continue;
    for (const Slice* slice : folder.wanted) text += "/" + slice->id;
    if (folder.partial()) text += "/..";
  }
  return text;
}

TEST_F(CommitLogTest, HistoryKnowsWhereTheRowsOfEveryCommitLie) {
  CommitLog log = Open();
  ASSERT_TRUE(Append(log, MakeImport("a", {}, "2026-09")));
  ASSERT_TRUE(Append(log, MakeImport("b", {}, "2026-10")));
  auto read = [&](int64_t sequence) {
    return Shown(log.history().FoldersOf(log.history().LiveAt(sequence)));
  };
  EXPECT_EQ(read(0), "");
  EXPECT_EQ(read(2), "a b");
  ASSERT_TRUE(Append(log, MakeCompaction({MakePack("p", {"a", "b"})})));
  EXPECT_EQ(read(1), "p/a/..");
  EXPECT_EQ(read(2), "p/a/b");
  EXPECT_EQ(read(3), "p/a/b");
  EXPECT_EQ(Shown(log.history().Stored()), "p/a/b");
  ASSERT_TRUE(Append(log, MakeImport("c", {"b"}, "2026-10")));
  ASSERT_TRUE(Append(log, MakeImport("d", {}, "2026-11")));
  EXPECT_EQ(read(3), "p/a/b");
  EXPECT_EQ(read(5), "p/a/.. c d");
  EXPECT_TRUE(log.history().FindUnchanged("aws", "c-a").has_value());
  EXPECT_FALSE(log.history().FindUnchanged("aws", "c-b").has_value());
  // A pack goes into another as a whole, with what is live no more.
  ASSERT_TRUE(Append(log, MakeCompaction({MakePack("q", {"a", "b", "d"})})));
  EXPECT_EQ(read(1), "q/a/..");
  EXPECT_EQ(read(2), "q/a/b/..");
  EXPECT_EQ(read(6), "q/a/d/.. c");
  EXPECT_EQ(Shown(log.history().Stored()), "q/a/b/d c");
  EXPECT_EQ(log.history().StoredIds(), (std::set<std::string>{"c", "q"}));
  EXPECT_TRUE(log.history().Knows("p"));
}

// ---- which folders are joined

Commit MakeSized(const std::string& id, const std::string& period, uint64_t bytes,
                 std::vector<std::string> closes = {}) {
  Commit commit = MakeImport(id, std::move(closes), period);
  commit.opens[0].files = {{"part-0000.parquet", bytes, "", 3}, {"rollup.parquet", 1000, "", 1}};
  return commit;
}

std::string Shown(const std::vector<std::vector<Folder>>& joins) {
  std::string text;
  for (const std::vector<Folder>& folders : joins) text += "[" + Shown(folders) + "]";
  return text;
}

TEST_F(CommitLogTest, SmallFoldersOfOneSourceAreJoinedByPeriod) {
  CommitLog log = Open();
  auto joins = [&](uint64_t small) { return Shown(FoldersToJoin(log.history(), small)); };
  EXPECT_EQ(joins(100), "");
  ASSERT_TRUE(Append(log, MakeSized("c", "2026-03", 60)));
  EXPECT_EQ(joins(100), "");  // one alone stays
  ASSERT_TRUE(Append(log, MakeSized("a", "2026-01", 60)));
  ASSERT_TRUE(Append(log, MakeSized("b", "2026-02", 100)));
  Commit other = MakeSized("o", "2026-02", 1);
  other.source = other.opens[0].source = "gcp";
  ASSERT_TRUE(Append(log, other));
  EXPECT_EQ(joins(100), "[a c]");
  EXPECT_EQ(joins(60), "");
  EXPECT_EQ(joins(101), "[a b c]");
  EXPECT_EQ(joins(UINT64_MAX), "[a b c]");
  ASSERT_TRUE(Append(log, MakeSized("c2", "2026-03", 60, {"c"})));
  EXPECT_EQ(joins(100), "[a c2]");  // what is live no more is left alone
  for (int month = 4; month <= 12; ++month) {
    std::string period = fmt::format("2026-{:02}", month);
    ASSERT_TRUE(Append(log, MakeSized("m" + period, period, 90)));
  }
  // 8 times the size at most.
  EXPECT_EQ(joins(100),
            "[a c2 m2026-04 m2026-05 m2026-06 m2026-07 m2026-08 m2026-09 m2026-10]"
            "[m2026-11 m2026-12]");
}

TEST_F(CommitLogTest, APackIsJoinedAsAWholeOrNotAtAll) {
  CommitLog log = Open();
  auto joins = [&] { return Shown(FoldersToJoin(log.history(), 100)); };
  ASSERT_TRUE(Append(log, MakeSized("a", "2026-01", 10)));
  ASSERT_TRUE(Append(log, MakeSized("b", "2026-02", 10)));
  ASSERT_TRUE(Append(log, MakeCompaction({MakePack("p", {"a", "b"})})));
  EXPECT_EQ(joins(), "");
  ASSERT_TRUE(Append(log, MakeSized("b2", "2026-02", 10, {"b"})));
  EXPECT_EQ(joins(), "");  // the pack still holds what it was before
  ASSERT_TRUE(Append(log, MakeSized("c", "2026-03", 10)));
  EXPECT_EQ(joins(), "[p/a/b c]");
  ASSERT_TRUE(Append(log, MakeCompaction({MakePack("q", {"a", "b", "c"})})));
  ASSERT_TRUE(Append(log, MakeSized("d", "2026-04", 10, {"a", "c"})));
  EXPECT_EQ(joins(), "[b2 d]");  // nothing in the pack is live
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

std::string StagedContent(const std::string& id) { return "content of " + id + "\n"; }

Status WriteFile(os::Files& files, const std::string& path, const std::string& content) {
  // As the engine does: written, not synced.
  auto file = FB_TRY(files.OpenAppend(path));
  return file->Append(content);
}

// The n-th commit brings a slice of one of five months, in place of the one before it.
Result<Commit> ImportOne(os::Files& files, const Layout& layout, CommitLog& log, int n) {
  std::string staging = layout.Tmp() + "/import-999999999-" + std::to_string(n);
  std::string id = "s" + std::to_string(n);
  std::string period = fmt::format("2026-{:02}", n * 7 % 5 + 1);
  std::string dir = staging + "/" + id;
  FB_CHECK(files.MakeDirs(dir));
  Publication publication;
  publication.staging_dir = staging;
  publication.staged_names = {id};
  Commit& commit = publication.commit;
  commit = MakeImport(id, {}, period);
  for (const Slice* live : log.history().LiveAt(n - 1)) {
    if (live->period == period) commit.closes.push_back(live->id);
  }
  commit.opens[0].files.clear();
  for (const char* name : {"part-0000.parquet", "rollup.parquet"}) {
    FB_CHECK(WriteFile(files, dir + "/" + name, StagedContent(id)));
    commit.opens[0].files.push_back({name, StagedContent(id).size(), "", 3});
  }
  FB_CHECK(WriteFile(files, staging + "/q", "{}"));
  publication.quarantine_file = "q";
  return PublishFiles(files, layout, log, std::move(publication));
}

// As Ledger::Compact, with texts in place of Parquet.
Result<Commit> CompactOne(os::Files& files, const Layout& layout, CommitLog& log, int n) {
  const std::vector<std::vector<Folder>> joins = FoldersToJoin(log.history(), 1u << 20);
  if (joins.empty()) return ImportOne(files, layout, log, n);
  Publication publication;
  publication.staging_dir = layout.Tmp() + "/import-999999999-" + std::to_string(n);
  Commit& commit = publication.commit;
  commit = MakeCompaction({});
  for (const std::vector<Folder>& folders : joins) {
    Pack& pack = commit.packs.emplace_back();
    pack.id = "pack-" + std::to_string(n);
    pack.source = "aws";
    std::string content;
    for (const Folder& folder : folders) {
      content += FB_TRY(files.ReadAll(layout.FolderDir(folder) + "/part-0000.parquet"));
      // In the order that their texts have.
      if (folder.pack == nullptr) pack.members.push_back(folder.id());
      if (folder.pack == nullptr) continue;
      for (const std::string& id : folder.pack->members) pack.members.push_back(id);
    }
    std::string dir = publication.staging_dir + "/" + pack.id;
    FB_CHECK(files.MakeDirs(dir));
    FB_CHECK(WriteFile(files, dir + "/part-0000.parquet", content));
    pack.files = {{"part-0000.parquet", content.size(), "", 3}};
  }
  Commit done = FB_TRY(PublishFiles(files, layout, log, std::move(publication)));
  for (const std::vector<Folder>& folders : joins) RemoveFolders(files, layout, folders);
  return done;
}

Result<Commit> PublishOne(os::Files& files, const Layout& layout, CommitLog& log, int n) {
  return n % 3 == 0 ? CompactOne(files, layout, log, n) : ImportOne(files, layout, log, n);
}

// As Ledger::Open does before it opens the store.
Result<CommitLog> OpenHome(os::Files& files, const Layout& layout) {
  FB_CHECK(files.MakeDirs(layout.home));
  FB_CHECK(PrepareHome(files, layout));
  CommitLog log = FB_TRY(CommitLog::Open(files, layout.Journal()));
  FB_CHECK(files.SyncDir(layout.LogDir()));
  FB_CHECK(SweepStaging(files, layout));
  const History& history = log.history();
  FB_TRY(SweepUnnamed(files, layout, history.StoredIds(), history.QuarantineIds()));
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
  const History& history = log->history();
  std::set<std::string> dirs, slices;
  for (const Folder& folder : history.Stored()) {
    dirs.insert(layout.FolderDir(folder));
    std::string expected;
    for (const Slice* slice : folder.wanted) slices.insert(slice->id);
    if (folder.pack == nullptr) expected = StagedContent(folder.id());
    if (folder.pack != nullptr) {
      for (const std::string& id : folder.pack->members) expected += StagedContent(id);
    }
    for (const SliceFile& file : folder.files()) {
      Result<std::string> content = files.ReadAll(layout.FolderDir(folder) + "/" + file.name);
      ASSERT_TRUE(content.has_value()) << seed << ": " << folder.id();
      ASSERT_EQ(*content, expected) << seed << ": " << folder.id();
    }
  }
  for (int64_t n = 1; n <= head; ++n) {
    if (history.At(n).kind != CommitKind::kImport) continue;
    std::string id = history.At(n).opens[0].id;
    ASSERT_TRUE(slices.contains(id)) << seed << ": the rows of commit " << n << " are nowhere";
    Result<std::string> rows = files.ReadAll(layout.Quarantine() + "/" + id + ".jsonl");
    ASSERT_TRUE(rows.has_value()) << seed;
    ASSERT_EQ(*rows, "{}") << seed;
  }
  for (const char* name : {"2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "packs"}) {
    std::string parent = layout.PeriodDir("aws", name);
    const std::vector<std::string> ids = files.List(parent).value_or(std::vector<std::string>{});
    for (const std::string& id : ids) {
      ASSERT_TRUE(dirs.contains(parent + "/" + id)) << seed << ": " << name << "/" << id;
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
      files.CutPowerAfter(random.Below(150));
      Publishing(files, layout, 5, &run);
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
    files.SetFailuresPerMillion(15'000);
    Publishing(files, layout, 9, &run);
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
