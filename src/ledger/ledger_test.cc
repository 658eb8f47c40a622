#include "ledger/ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/engine.h"
#include "ledger/naive.h"
#include "ledger/slice_writer.h"
#include "ledger/test_ledger.h"

namespace flyball::ledger {
namespace {

const Instant kOctober = ToInstant({2026, 10, 1});
const Instant kNovember = ToInstant({2026, 11, 1});

Instant Hours(Instant from, int64_t hours) { return {from.us + hours * kMicrosPerHour}; }
int128 Units(const char* amount) { return Money::Parse(amount)->units(); }

CostQuery Billed(std::vector<std::string> by = {}) {
  CostQuery query;
  query.measures = {"billed_cost"};
  query.by = std::move(by);
  query.basis = "billed";
  return query;
}

std::string Total(Ledger& ledger, const CostQuery& query, const std::string& currency = "USD") {
  Result<QueryAnswer> answer = ledger.Query(query);
  if (!answer) return answer.error().ToString();
  auto found = answer->totals.find(currency);
  return found == answer->totals.end() ? "none" : FormatDecimal(found->second[0], 12);
}
std::string TotalAt(Ledger& ledger, const std::string& commit) {
  CostQuery query = Billed();
  query.as_of = commit;
  return Total(ledger, query);
}

std::vector<NaiveCharge> SomeCharges() {
  std::vector<NaiveCharge> charges;
  for (int i = 0; i < 100; ++i) {
    charges.push_back(MakeCharge(Hours(kOctober, i * 13), i % 3 == 0 ? "Bedrock" : "EC2",
                                 Units("0.000000000001") * (i + 1)));
  }
  return charges;
}

TEST(LedgerTest, AnEmptyHomeAnswersWithNothing) {
  TestHome home;
  auto ledger = home.Open();
  EXPECT_EQ(ledger->Head(), "");
  Result<QueryAnswer> answer = ledger->Query(Billed({"service"}));
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_TRUE(answer->rows.empty());
  EXPECT_EQ(answer->commit, "");
  EXPECT_EQ(ledger->Rows(Billed(), 0, 10)->total, 0);
  EXPECT_FALSE(*ledger->Classify("me"));
  EXPECT_FALSE(*ledger->Compact("me", 1 << 20));
  EXPECT_TRUE(ledger->Rebuild()->faults.empty());
}

TEST(LedgerTest, PublishesAndAnswersFromEveryLevel) {
  TestHome home;
  auto ledger = home.Open();
  Result<Commit> commit = ledger->Publish(home.Stage("aws", SomeCharges(), 2));
  ASSERT_TRUE(commit.has_value()) << commit.error().ToString();
  EXPECT_EQ(commit->sequence, 1);
  EXPECT_EQ(ledger->Head(), commit->id);
  EXPECT_TRUE(std::filesystem::is_empty(home.PathOf("tmp")));
  for (ReadFrom level : {ReadFrom::kCube, ReadFrom::kRollup, ReadFrom::kRows}) {
    Result<QueryAnswer> answer = ledger->Query(Billed({"service"}), level);
    ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
    ASSERT_EQ(answer->rows.size(), 2u);
    EXPECT_EQ(answer->rows[0].dimensions[0], "EC2");
    EXPECT_EQ(FormatDecimal(answer->rows[0].measures[0], 12), "0.000000003333");
    EXPECT_EQ(FormatDecimal(answer->rows[1].measures[0], 12), "0.000000001717");
    EXPECT_EQ(FormatDecimal(answer->totals["USD"][0], 12), "0.00000000505");
    EXPECT_EQ(answer->commit, commit->id);
    constexpr const char* kNames[] = {"cube", "rollup", "rows"};
    EXPECT_EQ(answer->read_from, kNames[static_cast<int>(level)]);
  }
}

TEST(LedgerTest, KeepsItsAnswersOverAReopen) {
  TestHome home;
  std::string head;
  {
    auto ledger = home.Open();
    head = ledger->Publish(home.Stage("aws", SomeCharges()))->id;
  }
  auto ledger = home.Open();
  EXPECT_EQ(ledger->Head(), head);
  EXPECT_EQ(Total(*ledger, Billed()), "0.00000000505");
  EXPECT_EQ(ledger->Commits().size(), 1u);
}

TEST(LedgerTest, OneOwnerAtATime) {
  TestHome home;
  auto ledger = home.Open();
  LedgerOptions options;
  options.home = home.path();
  Result<std::unique_ptr<Ledger>> second = Ledger::Open(options, home.files(), home.clock());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
}

TEST(LedgerTest, ARestatementReplacesAndTheOldStaysReadable) {
  TestHome home;
  auto ledger = home.Open();
  std::vector<NaiveCharge> first = {MakeCharge(kOctober, "EC2", Units("10")),
                                    MakeCharge(kNovember, "EC2", Units("5"))};
  std::string one = ledger->Publish(home.Stage("aws", first))->id;
  std::string two =
      ledger->Publish(home.Stage("gcp", {MakeCharge(kOctober, "GCE", Units("100"))}))->id;
  Result<Commit> three =
      ledger->Publish(home.Stage("aws", {MakeCharge(kOctober, "EC2", Units("11"))}));
  ASSERT_TRUE(three.has_value()) << three.error().ToString();
  ASSERT_EQ(three->closes.size(), 1u);
  EXPECT_EQ(Total(*ledger, Billed()), "116");
  EXPECT_EQ(TotalAt(*ledger, one), "15");
  EXPECT_EQ(TotalAt(*ledger, one.substr(0, 8)), "15");
  EXPECT_EQ(TotalAt(*ledger, "1"), "15");
  EXPECT_EQ(TotalAt(*ledger, two), "115");
  EXPECT_EQ(TotalAt(*ledger, three->id), "116");
  CostQuery old = Billed();
  old.as_of = two;
  EXPECT_EQ(ledger->Query(old)->read_from, "rollup");
  EXPECT_EQ(ledger->Query(old)->commit, two);
  CostQuery unknown = Billed();
  unknown.as_of = "ffffffffffffffff";
  EXPECT_EQ(ledger->Query(unknown).error().code, Code::kNotFound);
  EXPECT_EQ(ledger->LiveSlices().size(), 3u);
  EXPECT_EQ(ledger->LiveSlices("gcp").size(), 1u);
}

TEST(LedgerTest, TellsWhetherAContentIsStillLive) {
  TestHome home;
  auto ledger = home.Open();
  StagedImport first = home.Stage("aws", {MakeCharge(kOctober, "EC2", Units("10"))});
  std::string hash = first.content_hash;
  StagedImport again = first;
  EXPECT_FALSE(ledger->FindUnchanged("aws", hash).has_value());
  std::string one = ledger->Publish(std::move(first))->id;
  EXPECT_EQ(ledger->FindUnchanged("aws", hash)->id, one);
  EXPECT_FALSE(ledger->FindUnchanged("gcp", hash).has_value());
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", {MakeCharge(kOctober, "EC2", Units("11"))})));
  EXPECT_FALSE(ledger->FindUnchanged("aws", hash).has_value());
  // It comes back under the slice id that it had before, which is taken.
  StagedImport back = home.Stage("aws", {MakeCharge(kOctober, "EC2", Units("10"))});
  std::string staged_id = back.slices[0].id;
  std::filesystem::rename(back.staging_dir + "/" + staged_id,
                          back.staging_dir + "/" + again.slices[0].id);
  back.slices[0].id = again.slices[0].id;
  back.content_hash = hash;
  Result<Commit> three = ledger->Publish(std::move(back));
  ASSERT_TRUE(three.has_value()) << three.error().ToString();
  EXPECT_EQ(Total(*ledger, Billed()), "10");
  EXPECT_EQ(ledger->FindUnchanged("aws", hash)->id, three->id);
}

TEST(LedgerTest, CurrenciesAreNeverAdded) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(
      ledger->Publish(home.Stage("aws", {MakeCharge(kOctober, "EC2", Units("10")),
                                         MakeCharge(kOctober, "EC2", Units("20"), "EUR")})));
  Result<QueryAnswer> answer = ledger->Query(Billed({"service"}));
  ASSERT_EQ(answer->rows.size(), 2u);
  EXPECT_EQ(answer->rows[0].currency, "EUR");
  EXPECT_EQ(answer->totals["EUR"][0], Units("20"));
  EXPECT_EQ(answer->totals["USD"][0], Units("10"));
}

TEST(LedgerTest, ClassifyingIsACommitAndRewritesNothing) {
  TestHome home;
  auto ledger = home.Open();
  std::string one = ledger->Publish(home.Stage("aws", SomeCharges()))->id;
  EXPECT_FALSE(ledger->RulesAreStale());
  EXPECT_FALSE(*ledger->Classify("me"));
  std::ofstream(home.PathOf("estate.yaml")) << R"(
teams: [{id: search}]
rules:
  - match: {ServiceName: EC2}
    set: {team: search}
)";
  EXPECT_TRUE(ledger->RulesAreStale());
  CostQuery by_team = Billed({"team"});
  EXPECT_EQ(ledger->Query(by_team)->rows[0].dimensions[0], "(unallocated)");
  Result<std::optional<Commit>> classified = ledger->Classify("me");
  ASSERT_TRUE(classified.has_value()) << classified.error().ToString();
  ASSERT_TRUE(classified->has_value());
  EXPECT_FALSE(ledger->RulesAreStale());
  for (ReadFrom level : {ReadFrom::kCube, ReadFrom::kRollup, ReadFrom::kRows}) {
    Result<QueryAnswer> answer = ledger->Query(by_team, level);
    ASSERT_EQ(answer->rows.size(), 2u);
    EXPECT_EQ(answer->rows[0].dimensions[0], "search");
    EXPECT_EQ(FormatDecimal(answer->rows[0].measures[0], 12), "0.000000003333");
    EXPECT_EQ(answer->rows[1].dimensions[0], "(unallocated)");
  }
  // As of the first commit its own rules hold, also for what came in since.
  ASSERT_TRUE(ledger->Publish(home.Stage("gcp", {MakeCharge(kOctober, "EC2", Units("1"))})));
  by_team.as_of = one;
  for (int i = 0; i < 2; ++i) {
    Result<QueryAnswer> answer = ledger->Query(by_team);
    ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
    ASSERT_EQ(answer->rows.size(), 1u);
    EXPECT_EQ(answer->rows[0].dimensions[0], "(unallocated)");
    EXPECT_EQ(FormatDecimal(answer->rows[0].measures[0], 12), "0.00000000505");
  }
}

TEST(LedgerTest, AnEstateThatIsWrongStopsTheFirstImportOnly) {
  TestHome home;
  auto ledger = home.Open();
  std::ofstream(home.PathOf("estate.yaml")) << "teams: {";
  StagedImport staged = home.Stage("aws", SomeCharges());
  std::string dir = staged.staging_dir;
  EXPECT_FALSE(ledger->Publish(std::move(staged)));
  EXPECT_FALSE(std::filesystem::exists(dir));
  std::filesystem::remove(home.PathOf("estate.yaml"));
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges())));
  std::ofstream(home.PathOf("estate.yaml")) << "teams: {";
  EXPECT_TRUE(ledger->Publish(home.Stage("gcp", SomeCharges())));
  EXPECT_TRUE(ledger->RulesAreStale());
  EXPECT_FALSE(ledger->Classify("me"));
  EXPECT_EQ(ledger->Commits().size(), 2u);
}

std::set<std::string> Folders(const TestHome& home) {
  std::set<std::string> folders;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(home.PathOf("slices"))) {
    if (entry.is_regular_file()) folders.insert(entry.path().parent_path());
  }
  return folders;
}

TEST(LedgerTest, AClosedPeriodIsNotRestatedUntilItIsOpenedAgain) {
  TestHome home;
  const std::vector<NaiveCharge> both = {MakeCharge(kOctober, "EC2", Units("10")),
                                         MakeCharge(kNovember, "EC2", Units("5"))};
  const std::vector<NaiveCharge> october = {MakeCharge(kOctober, "EC2", Units("11"))};
  const std::vector<NaiveCharge> november = {MakeCharge(kNovember, "EC2", Units("6"))};
  std::string closed;
  {
    auto ledger = home.Open();
    EXPECT_EQ(ledger->SetClosed("2026-10", true, "me", "").error().code, Code::kFailedPrecondition);
    ledger->Publish(home.Stage("aws", both)).value();
    EXPECT_EQ(ledger->SetClosed("2026-1", true, "me", "").error().code, Code::kInvalidArgument);
    const Result<Commit> commit = ledger->SetClosed("2026-10", true, "me", "hash");
    ASSERT_TRUE(commit.has_value()) << commit.error().ToString();
    closed = commit->id;
    EXPECT_EQ(ledger->SetClosed("2026-10", true, "me", "").error().code, Code::kFailedPrecondition);
  }
  auto ledger = home.Open();  // the log says so
  const Commit commit = ledger->FindCommit(closed).value();
  EXPECT_EQ(commit.kind, CommitKind::kClose);
  EXPECT_EQ(commit.period, "2026-10");
  EXPECT_EQ(commit.content_hash, "hash");
  const Result<Commit> refused = ledger->Publish(home.Stage("aws", october));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_NE(refused.error().message.find("2026-10"), std::string::npos);
  EXPECT_EQ(Total(*ledger, Billed()), "15");
  // Not by another source either; other periods are as they were.
  EXPECT_FALSE(ledger->Publish(home.Stage("gcp", october)).has_value());
  EXPECT_TRUE(ledger->Publish(home.Stage("aws", november)).has_value());
  EXPECT_EQ(Total(*ledger, Billed()), "16");
  EXPECT_TRUE(ledger->Compact("me", 1u << 30).has_value());
  EXPECT_TRUE(ledger->Rebuild()->faults.empty());
  ASSERT_TRUE(ledger->SetClosed("2026-10", false, "me", "").has_value());
  EXPECT_TRUE(ledger->Publish(home.Stage("aws", october)).has_value());
  EXPECT_EQ(Total(*ledger, Billed()), "17");
  EXPECT_EQ(TotalAt(*ledger, closed), "15");
}

TEST(LedgerTest, CompactionChangesNoAnswer) {
  TestHome home;
  auto ledger = home.Open();
  std::string one = ledger->Publish(home.Stage("aws", SomeCharges(), 5))->id;
  std::string two =
      ledger->Publish(home.Stage("gcp", {MakeCharge(kOctober, "GCE", Units("100"))}, 1))->id;
  const std::vector<Slice> live = ledger->LiveSlices("aws");
  Result<std::optional<Commit>> compacted = ledger->Compact("me", 1u << 20);
  ASSERT_TRUE(compacted.has_value()) << compacted.error().ToString();
  ASSERT_TRUE(compacted->has_value());
  ASSERT_EQ((*compacted)->packs.size(), 1u);
  const Pack& pack = (*compacted)->packs[0];
  EXPECT_EQ(pack.id, "pack-3-1");
  EXPECT_EQ(pack.members, (std::vector<std::string>{live[0].id, live[1].id}));
  EXPECT_EQ(Folders(home), (std::set<std::string>{home.PathOf("slices/aws/packs/pack-3-1"),
                                                  home.PathOf("slices/gcp/2026-10/" +
                                                              ledger->LiveSlices("gcp")[0].id)}));
  EXPECT_FALSE(*ledger->Compact("me", 1u << 20));
  for (int reopened = 0; reopened < 2; ++reopened) {
    EXPECT_EQ(TotalAt(*ledger, one), "0.00000000505");
    EXPECT_EQ(TotalAt(*ledger, two), "100.00000000505");
    EXPECT_EQ(Total(*ledger, Billed()), "100.00000000505");
    for (ReadFrom level : {ReadFrom::kRollup, ReadFrom::kRows}) {
      EXPECT_EQ(FormatDecimal(ledger->Query(Billed(), level)->totals["USD"][0], 12),
                "100.00000000505");
    }
    EXPECT_TRUE(ledger->FindUnchanged("aws", ledger->FindCommit(one)->content_hash).has_value());
    EXPECT_TRUE(ledger->Rebuild()->faults.empty());
    ledger.reset();
    ledger = home.Open();
  }
}

// The hint of a broken log is to put a backup of it back: then packs that it does not know of may
// hold the only copy of charges.
TEST(LedgerTest, AnOlderLogPutBackRemovesNothing) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges(), 5)));
  const std::string before = *home.files().ReadAll(home.PathOf("log/ledger.journal"));
  ASSERT_TRUE(*ledger->Compact("me", 1u << 20));
  const std::string after = *home.files().ReadAll(home.PathOf("log/ledger.journal"));
  const std::set<std::string> folders = Folders(home);
  ledger.reset();
  auto put_back = [&](const std::string& log) {
    std::ofstream(home.PathOf("log/ledger.journal"), std::ios::binary | std::ios::trunc) << log;
    ledger = home.Open();
  };
  put_back(before);
  EXPECT_FALSE(ledger->Query(Billed(), ReadFrom::kRows));
  EXPECT_FALSE(ledger->Rebuild()->faults.empty());
  EXPECT_EQ(Folders(home), folders);
  ledger.reset();
  put_back(after);
  EXPECT_EQ(Total(*ledger, Billed()), "0.00000000505");
  EXPECT_TRUE(ledger->Rebuild()->faults.empty());
}

TEST(LedgerTest, AStoppedLedgerTakesNoQuestion) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges())));
  ledger->StopQuestions();
  auto answer = ledger->Query(Billed());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_FALSE(ledger->Rows(Billed(), 0, 10));
}

TEST(LedgerTest, CompactionKeepsTheOrderOfRowsAndTheStore) {
  TestHome home;
  auto ledger = home.Open();
  // Equal costs everywhere: only their place tells them apart.
  std::vector<NaiveCharge> charges;
  for (int month = 0; month < 5; ++month) {
    for (int i = 0; i < 7; ++i) {
      charges.push_back(MakeCharge(AddMonths(kOctober, month), "s" + std::to_string(i), 5));
    }
  }
  auto of_months = [&](std::set<int> months) {
    std::vector<NaiveCharge> some;
    for (const NaiveCharge& charge : charges) {
      for (int month : months) {
        if (charge.start == AddMonths(kOctober, month)) some.push_back(charge);
      }
    }
    return some;
  };
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", of_months({1, 3}))));
  ASSERT_TRUE(ledger->Publish(home.Stage("gcp", of_months({1, 2}), 2)));
  auto rows = [&] { return ledger->Rows(Billed(), 0, 100)->rows; };
  auto before = rows();
  ASSERT_TRUE(ledger->Compact("me", 1u << 20)->has_value());
  EXPECT_EQ(rows(), before);
  // Months that lie between and around those of the pack.
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", of_months({0, 2, 4}))));
  before = rows();
  EXPECT_EQ(before.size(), 7u * 7u);
  Result<std::optional<Commit>> again = ledger->Compact("me", 1u << 20);
  ASSERT_TRUE(again->has_value());
  EXPECT_EQ((*again)->packs[0].members.size(), 5u);
  EXPECT_EQ(Folders(home).size(), 2u);
  EXPECT_EQ(rows(), before);
  // What the store holds stays good for a commit before the compactions.
  CostQuery old = Billed({"service"});
  old.as_of = "4";
  EXPECT_EQ(ledger->Query(old)->read_from, "cube");
  EXPECT_TRUE(ledger->Rebuild()->faults.empty());
  EXPECT_EQ(rows(), before);
}

TEST(LedgerTest, CompactionRefusesAPartThatIsNotWhatTheLogSays) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges())));
  std::string dir = home.PathOf("slices/aws/2026-10/" + ledger->LiveSlices("aws")[0].id);
  {
    std::fstream file(dir + "/part-0000.parquet", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << "x";
  }
  Result<std::optional<Commit>> compacted = ledger->Compact("me", 1u << 20);
  ASSERT_FALSE(compacted.has_value());
  EXPECT_EQ(compacted.error().code, Code::kDataLoss);
  EXPECT_NE(compacted.error().message.find("part-0000.parquet"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(dir));
  EXPECT_TRUE(std::filesystem::is_empty(home.PathOf("tmp")));
  EXPECT_EQ(ledger->Commits().size(), 1u);
}

TEST(LedgerTest, RebuildHoldsEveryMemberOfAPackToItsCommit) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges())));
  ASSERT_TRUE(ledger->Compact("me", 1u << 20)->has_value());
  RebuildReport report = *ledger->Rebuild();
  EXPECT_EQ(report.slices, 2);
  EXPECT_EQ(report.rows, 100);
  EXPECT_TRUE(report.faults.empty());
  for (const char* name : {"part-0000.parquet", "rollup.parquet", "signatures.parquet"}) {
    std::string path = home.PathOf("slices/aws/packs/pack-2-1/") + name;
    ASSERT_TRUE(std::filesystem::exists(path)) << path;
    std::filesystem::rename(path, path + ".away");
    report = *ledger->Rebuild();
    ASSERT_EQ(report.faults.size(), 2u) << name;  // one is lost, one has a name of its own
    EXPECT_NE(report.faults[0].find(name), std::string::npos);
    std::filesystem::rename(path + ".away", path);
  }
  EXPECT_TRUE(ledger->Rebuild()->faults.empty());
  EXPECT_EQ(Total(*ledger, Billed()), "0.00000000505");
}

TEST(LedgerTest, ALostOrBrokenStoreIsDerivedAgain) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges())));
  ledger.reset();
  std::string store = home.PathOf("store");
  std::filesystem::remove_all(store);
  ledger = home.Open();
  EXPECT_EQ(Total(*ledger, Billed()), "0.00000000505");
  ledger.reset();
  // Each in turn: no database at all, a damaged block, an empty file.
  for (int damage = 0; damage < 3; ++damage) {
    std::string path = store + "/store.duckdb";
    auto size = std::filesystem::file_size(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    std::string junk(damage == 1 ? 1000 : size, 'x');
    file.seekp(damage == 1 ? static_cast<int64_t>(size / 2) : 0);
    file << junk;
    file.close();
    if (damage == 2) std::filesystem::resize_file(path, 0);
    ledger = home.Open();
    EXPECT_EQ(Total(*ledger, Billed({"service"})), "0.00000000505") << damage;
    EXPECT_EQ(ledger->Query(Billed({"sku"}))->totals["USD"][0], Units("0.00000000505"));
    ledger.reset();
  }
}

TEST(LedgerTest, AStoreOfAnotherLogIsDerivedAgain) {
  TestHome home, other;
  home.Open()->Publish(home.Stage("aws", SomeCharges())).value();
  {
    auto ledger = other.Open();
    for (int i = 1; i <= 3; ++i) {
      ASSERT_TRUE(ledger->Publish(other.Stage("aws", {MakeCharge(kOctober, "S", Units("7"))})));
    }
  }
  std::filesystem::remove_all(home.PathOf("store"));
  std::filesystem::copy(other.PathOf("store"), home.PathOf("store"));
  EXPECT_EQ(Total(*home.Open(), Billed()), "0.00000000505");
}

TEST(LedgerTest, RebuildNamesEveryFaultByFile) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges())));
  ASSERT_TRUE(ledger->Publish(home.Stage("gcp", {MakeCharge(kOctober, "GCE", Units("100"))})));
  Result<RebuildReport> report = ledger->Rebuild();
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->faults.empty()) << report->faults[0];
  EXPECT_EQ(report->commits, 2);
  EXPECT_EQ(report->slices, 3);
  EXPECT_EQ(report->rows, 101);
  std::string dir = home.PathOf("slices/aws/2026-10/" + ledger->LiveSlices("aws")[0].id);
  {
    std::fstream file(dir + "/part-0000.parquet", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << "x";
  }
  std::ofstream(dir + "/stray.parquet") << "x";
  report = ledger->Rebuild();
  ASSERT_EQ(report->faults.size(), 2u);
  EXPECT_NE(report->faults[0].find("part-0000.parquet"), std::string::npos);
  EXPECT_NE(report->faults[1].find("stray.parquet"), std::string::npos);
}

TEST(LedgerTest, ALostSliceFailsQuestionsWithItsName) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges())));
  std::string id = ledger->LiveSlices("aws")[0].id;
  ledger.reset();
  std::filesystem::remove(home.PathOf("slices/aws/2026-10/" + id + "/rollup.parquet"));
  std::filesystem::remove_all(home.PathOf("store"));
  ledger = home.Open();
  Result<QueryAnswer> answer = ledger->Query(Billed());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::kDataLoss);
  EXPECT_NE(answer.error().message.find(id), std::string::npos) << answer.error().message;
  Result<RebuildReport> report = ledger->Rebuild();
  ASSERT_EQ(report->faults.size(), 1u);
  EXPECT_NE(report->faults[0].find("rollup.parquet"), std::string::npos);
}

TEST(LedgerTest, SweepsWhatNoCommitNamesButNotTheStagingOfTheLiving) {
  TestHome home;
  home.Open();
  std::filesystem::create_directories(home.PathOf("slices/aws/2026-10/dead-0"));
  std::filesystem::create_directories(home.PathOf("tmp/import-1-0"));          // init lives
  std::filesystem::create_directories(home.PathOf("tmp/import-999999999-0"));  // nobody
  std::filesystem::create_directories(home.PathOf("tmp/other"));
  std::ofstream(home.PathOf("quarantine/dead-0.jsonl")) << "{}";
  StagedImport staged = home.Stage("aws", SomeCharges());
  auto ledger = home.Open();
  EXPECT_FALSE(std::filesystem::exists(home.PathOf("slices/aws/2026-10/dead-0")));
  EXPECT_FALSE(std::filesystem::exists(home.PathOf("quarantine/dead-0.jsonl")));
  EXPECT_TRUE(std::filesystem::exists(home.PathOf("tmp/import-1-0")));
  EXPECT_FALSE(std::filesystem::exists(home.PathOf("tmp/import-999999999-0")));
  EXPECT_FALSE(std::filesystem::exists(home.PathOf("tmp/other")));
  EXPECT_TRUE(ledger->Publish(std::move(staged)));
}

TEST(LedgerTest, AStrayFileAmongTheSlicesIsLeftAlone) {
  TestHome home;
  home.Open()->Publish(home.Stage("aws", SomeCharges())).value();
  std::ofstream(home.PathOf("slices/README")) << "x";
  std::ofstream(home.PathOf("slices/aws/notes.txt")) << "x";
  EXPECT_EQ(Total(*home.Open(), Billed()), "0.00000000505");
  EXPECT_TRUE(std::filesystem::exists(home.PathOf("slices/README")));
  EXPECT_TRUE(std::filesystem::exists(home.PathOf("slices/aws/notes.txt")));
}

TEST(LedgerTest, RefusesAHomeThatReadsAsAPattern) {
  TestHome home;
  LedgerOptions options;
  options.home = home.path() + "/a*b";
  Result<std::unique_ptr<Ledger>> ledger = Ledger::Open(options, home.files(), home.clock());
  ASSERT_FALSE(ledger.has_value());
  EXPECT_EQ(ledger.error().code, Code::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(options.home));
}

TEST(LedgerTest, KeepsTheQuarantineOfAnImport) {
  TestHome home;
  auto ledger = home.Open();
  StagedImport staged = home.Stage("aws", SomeCharges());
  staged.quarantine_file = "quarantine.jsonl";
  std::ofstream(staged.staging_dir + "/quarantine.jsonl") << "{\"line\":7}\n";
  std::string id = staged.slices[0].id;
  ASSERT_TRUE(ledger->Publish(std::move(staged)));
  EXPECT_TRUE(std::filesystem::exists(home.PathOf("quarantine/" + id + ".jsonl")));
  // No row was kept: the commit itself gives the name.
  StagedImport empty = home.Stage("gcp", {});
  empty.quarantine_file = empty.staging_dir + "/q.jsonl";
  std::ofstream(empty.quarantine_file) << "{\"line\":7}\n";
  Result<Commit> commit = ledger->Publish(std::move(empty));
  ASSERT_TRUE(commit.has_value()) << commit.error().ToString();
  ledger.reset();
  ledger = home.Open();
  EXPECT_TRUE(std::filesystem::exists(home.PathOf("quarantine/" + commit->id + ".jsonl")));
}

TEST(LedgerTest, RefusesAHomeOfAnotherVersion) {
  TestHome home;
  home.Open();
  LedgerOptions options;
  options.home = home.path();
  std::ofstream(home.PathOf("VERSION")) << "2\n";
  Result<std::unique_ptr<Ledger>> ledger = Ledger::Open(options, home.files(), home.clock());
  ASSERT_FALSE(ledger.has_value());
  EXPECT_EQ(ledger.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(MigrateHome(home.files(), home.path()).error().code, Code::kFailedPrecondition);
  std::filesystem::remove(home.PathOf("VERSION"));
  ledger = Ledger::Open(options, home.files(), home.clock());
  ASSERT_FALSE(ledger.has_value());
  EXPECT_EQ(MigrateHome(home.files(), home.path()).error().code, Code::kNotFound);
  std::ofstream(home.PathOf("VERSION")) << "1\n";
  EXPECT_TRUE(MigrateHome(home.files(), home.path()).has_value());
  home.Open();
}

TEST(LedgerTest, ShowsTheChargesBehindAnAnswer) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges(), 3)));
  NaiveCharge extra = MakeCharge(kNovember, "EC2", Units("-7"));
  extra.columns["x_Ticket"] = "T-1";
  ASSERT_TRUE(ledger->Publish(home.Stage("gcp", {extra}, 1, {"x_Ticket"})));
  CostQuery query = Billed();
  query.where = {{"service", false, {"EC2"}}};
  Result<RowsPage> page = ledger->Rows(query, 0, 10);
  ASSERT_TRUE(page.has_value()) << page.error().ToString();
  EXPECT_EQ(page->total, 67);
  ASSERT_EQ(page->rows.size(), 10u);
  auto cell = [&](size_t row, const std::string& column) {
    auto at = std::find(page->columns.begin(), page->columns.end(), column);
    EXPECT_NE(at, page->columns.end()) << column;
    return page->rows[row][static_cast<size_t>(at - page->columns.begin())].value_or("null");
  };
  EXPECT_EQ(cell(0, "BilledCost"), "-7");
  EXPECT_EQ(cell(0, "x_Ticket"), "T-1");
  EXPECT_EQ(cell(0, "source"), "gcp");
  EXPECT_EQ(cell(0, "team"), "null");
  EXPECT_EQ(cell(0, "ChargePeriodStart"), "2026-11-01T00:00:00Z");
  EXPECT_EQ(cell(1, "BilledCost"), "0.000000000099");
  EXPECT_EQ(cell(1, "source"), "aws");
  EXPECT_EQ(cell(1, "x_Ticket"), "null");
  std::set<std::string> seen;
  for (int64_t offset = 0; offset < 70; offset += 10) {
    page = ledger->Rows(query, offset, 10);
    for (size_t i = 0; i < page->rows.size(); ++i) seen.insert(cell(i, "BilledCost"));
  }
  EXPECT_EQ(seen.size(), 67u);
  EXPECT_FALSE(ledger->Rows(query, -1, 10));
  EXPECT_FALSE(ledger->Rows(query, 0, kRowsPageMax + 1));
}

TEST(LedgerTest, AnotherDatabaseReadsTheSlices) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", SomeCharges(), 2)));
  engine::DatabaseOptions options;
  options.allowed_dirs = {home.path()};
  auto database = engine::Database::Open(options);
  auto connection = database->Connect();
  Result<engine::Answer> sums = connection->Query(
      "SELECT SUM(BilledCost), COUNT(*), any_value(typeof(BilledCost)) FROM read_parquet(" +
      engine::QuoteLiteral(home.path() + "/slices/*/*/*/part-*.parquet") + ")");
  ASSERT_TRUE(sums.has_value()) << sums.error().message;
  EXPECT_EQ(sums->AnyText(0, 0), "0.00000000505");
  EXPECT_EQ(sums->Int64(0, 1), 100);
  EXPECT_EQ(sums->Text(0, 2), "DECIMAL(38,12)");
}

TEST(LedgerTest, QuestionsRunWhileCommitsComeIn) {
  TestHome home;
  auto ledger = home.Open();
  ASSERT_TRUE(ledger->Publish(home.Stage("aws", {MakeCharge(kOctober, "EC2", Units("1"))})));
  std::vector<StagedImport> staged;
  for (int i = 2; i <= 6; ++i) {
    staged.push_back(home.Stage("aws", {MakeCharge(kOctober, "EC2", Units("1") * i)}));
  }
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!done.load()) {
        Result<QueryAnswer> answer = ledger->Query(Billed({"service"}));
        // Commit n holds n USD: an answer says what its commit says, never something between.
        if (!answer) {
          ++wrong;
          continue;
        }
        Result<Commit> commit = ledger->FindCommit(answer->commit);
        if (commit && answer->totals["USD"][0] != Units("1") * commit->sequence) ++wrong;
      }
    });
  }
  for (StagedImport& each : staged) EXPECT_TRUE(ledger->Publish(std::move(each)));
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(Total(*ledger, Billed()), "6");
}

TEST(LedgerTest, QuestionsRunWhileFoldersAreJoined) {
  TestHome home;
  auto ledger = home.Open();
  std::vector<StagedImport> staged;
  for (int month = 0; month < 6; ++month) {
    staged.push_back(home.Stage("aws", {MakeCharge(AddMonths(kOctober, month), "S", Units("1"))}));
  }
  ASSERT_TRUE(ledger->Publish(std::move(staged[0])));
  CostQuery first = Billed();
  first.as_of = "1";
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (ReadFrom level : {ReadFrom::kRollup, ReadFrom::kRows}) {
    readers.emplace_back([&, level] {
      while (!done.load()) {
        Result<QueryAnswer> answer = ledger->Query(first, level);
        if (!answer || answer->totals["USD"][0] != Units("1")) ++wrong;
        Result<RowsPage> page = ledger->Rows(Billed(), 0, 10);
        if (!page || page->rows.empty()) ++wrong;
      }
    });
  }
  for (size_t i = 1; i < staged.size(); ++i) {
    EXPECT_TRUE(ledger->Publish(std::move(staged[i])));
    EXPECT_TRUE(ledger->Compact("me", 1u << 20)->has_value());
    EXPECT_EQ(Folders(home).size(), 1u);
  }
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(Total(*ledger, Billed()), "6");
}

}  // namespace
}  // namespace flyball::ledger
