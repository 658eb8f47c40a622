// `flyball import` of a restatement, killed with SIGKILL at many moments: after each kill the
// ledger holds the old bill or the new one, whole, and nothing else lies about.
//
// The moments are drawn from a seed: half of them one in each equal part of the time that an
// uninterrupted import takes, a quarter while slices come to their place, a quarter after the log
// has its record; the beginning of the last two is seen in the home itself. FLYBALL_CRASH_KILLS
// (50) and FLYBALL_CRASH_SEED change the run; what a run met is printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "support/program.h"

namespace flyball::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using std::chrono::microseconds;

constexpr char kRows[] = "1000";   // the fewest that the demonstration makes: about 250 a month
constexpr int kLinesOfBill = 650;  // of them: three months, so that there are several slices
constexpr double kMomentsSpread = 1.1;

int FromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

Json RunJson(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--format", "json"});
  const Ended ended = RunFlyball(arguments);
  EXPECT_EQ(ended.exit_code, 0) << arguments[0] << ": " << ended.err;
  return Json::parse(ended.out, nullptr, false);
}

// What the ledger says about money, without who answered and when.
std::string Answer(const std::string& home, const std::string& as_of = "") {
  std::vector<std::string> arguments{"query",
                                     "--home",
                                     home,
                                     "--measures",
                                     "billed_cost,effective_cost,list_cost,contracted_cost,charges",
                                     "--by",
                                     "provider,service,driver,source",
                                     "--grain",
                                     "month"};
  if (!as_of.empty()) arguments.insert(arguments.end(), {"--as-of", as_of});
  const Json answer = RunJson(arguments);
  return Json{answer.value("rows", Json()), answer.value("totals", Json())}.dump();
}

std::vector<Json> Commits(const std::string& home) {  // oldest first
  std::vector<Json> commits = RunJson({"commits", "--home", home}).at("commits");
  std::ranges::sort(commits, {},
                    [](const Json& commit) { return commit.at("sequence").get<int>(); });
  return commits;
}

std::string FirstLines(const std::string& text, int count) {
  size_t end = 0;
  for (int i = 0; i < count && end != std::string::npos; ++i) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

// Makes bill and home, and keeps what each of the two bills says.
class Crash : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 2; ++i) {
      const std::string folder = (root_.path() / ("bill" + std::to_string(i))).string();
      RunJson({"demo", "--home", Home(), "--out", folder, "--rows", kRows, "--seed",
               std::to_string(i + 1), "--one-file", "--no-import"});
      bills_[i] = folder + "/bill.csv";
      WriteFile(bills_[i], FirstLines(ReadFile(folder + "/estate.csv"), kLinesOfBill));
    }
  }

  std::string Home() const { return (root_.path() / "home").string(); }
  std::vector<std::string> ImportOf(int bill) const {
    return {"import", bills_[bill], "--home", Home(), "--source", "estate"};
  }
  Ended ImportWhole(int bill, const fs::path& change_in = {}) {
    Ended ended = RunFlyball(ImportOf(bill), {.kill_after = {}, .change_in = change_in});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return ended;
  }
  // The first imports of both bills: what the ledger says with each.
  void LearnBothStates() {
    for (int i = 0; i < 2; ++i) {
      took_ = ImportWhole(i).took;
      answers_[i] = Answer(Home());
      hashes_[i] = Commits(Home()).back().at("content_hash");
    }
    ASSERT_NE(answers_[0], answers_[1]) << "the two bills must differ";
  }
  // The folder that the first slice of an import comes to.
  fs::path PublishedIn() const {
    std::set<fs::path> periods;
    for (const auto& entry : fs::directory_iterator(fs::path(Home()) / "slices" / "estate")) {
      periods.insert(entry.path());
    }
    return *periods.begin();
  }
  fs::path Log() const { return fs::path(Home()) / "log"; }
  // Which bill the ledger holds: by the answer to a query, and the commits must say the same.
  int StateOf() {
    const std::string answer = Answer(Home());
    const std::vector<Json> commits = Commits(Home());
    ExpectNoOrphans(commits);
    const std::string hash = commits.back().at("content_hash");
    for (int i = 0; i < 2; ++i) {
      if (answer != answers_[i]) continue;
      EXPECT_EQ(hash, hashes_[i]) << "the newest commit is not what the query shows";
      return i;
    }
    ADD_FAILURE() << "the ledger holds a mix: " << answer.substr(0, 2000);
    return -1;
  }
  void ExpectNoOrphans(const std::vector<Json>& commits) const;

  TempFolder root_;
  std::string bills_[2];
  std::string answers_[2];
  std::string hashes_[2];
  microseconds took_{0};
};

fs::path FolderOf(const Json& slice_or_pack, const std::string& parent) {
  return fs::path(slice_or_pack.at("source").get<std::string>()) / parent /
         slice_or_pack.at("id").get<std::string>();
}

// Nothing but what a commit names lies in slices and quarantine, whole; staging is empty. The
// commits come oldest first.
void Crash::ExpectNoOrphans(const std::vector<Json>& commits) const {
  std::set<std::string> wanted;
  std::set<std::string> ids;
  std::map<std::string, std::pair<fs::path, Json>> place_of;  // of each slice, with its files
  for (const Json& commit : commits) {
    ids.insert(commit.at("id").get<std::string>());
    for (const Json& slice : commit.at("opens")) {
      ids.insert(slice.at("id").get<std::string>());
      place_of[slice.at("id")] = {FolderOf(slice, slice.at("period")), slice.at("files")};
    }
    if (!commit.contains("packs")) continue;
    for (const Json& pack : commit.at("packs")) {
      for (const Json& member : pack.at("members")) {
        place_of[member] = {FolderOf(pack, "packs"), pack.at("files")};
      }
    }
  }
  for (const auto& [slice, place] : place_of) {
    for (const Json& file : place.second) {
      const std::string name = (place.first / file.at("name").get<std::string>()).string();
      wanted.insert(name);
      std::error_code missing;
      EXPECT_EQ(fs::file_size(fs::path(Home()) / "slices" / name, missing),
                file.at("bytes").get<uint64_t>())
          << name;
    }
  }
  const fs::path home = Home();
  for (const auto& entry : fs::recursive_directory_iterator(home / "slices")) {
    const std::string name = fs::relative(entry.path(), home / "slices").string();
    const bool known = !entry.is_regular_file() || wanted.contains(name);
    EXPECT_TRUE(known) << "orphan in slices: " << name;
  }
  for (const auto& entry : fs::directory_iterator(home / "quarantine")) {
    EXPECT_TRUE(ids.contains(entry.path().stem().string())) << "orphan: " << entry.path();
  }
  EXPECT_TRUE(fs::is_empty(home / "tmp")) << fs::directory_iterator(home / "tmp")->path();
  for (const char* folder : {"log", "rules"}) {
    for (const auto& entry : fs::directory_iterator(home / folder)) {
      EXPECT_NE(entry.path().extension(), ".tmp") << "orphan: " << entry.path();
    }
  }
}

struct Moment {
  microseconds after{0};
  fs::path change_in;  // counted from the first change here; empty: from the start
};

// `count` moments, one in each equal part of the time, and a little beyond: the machine may be
// busier when it counts than it was when the time was taken.
void AddMoments(int count, microseconds whole, const fs::path& change_in, std::mt19937_64& random,
                std::vector<Moment>* moments) {
  std::uniform_real_distribution<double> within(0, kMomentsSpread);
  for (int i = 0; i < count; ++i) {
    const double part = (i + within(random)) / count;
    moments->push_back(
        {microseconds(static_cast<int64_t>(part * static_cast<double>(whole.count()))), change_in});
  }
}

bool IsEmpty(const fs::path& folder) { return !fs::exists(folder) || fs::is_empty(folder); }

size_t CountFiles(const fs::path& root) {
  size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) count += entry.is_regular_file();
  return count;
}

TEST_F(Crash, KilledImportLeavesTheOldStateOrTheNew) {
  const int kills = FromEnvironment("FLYBALL_CRASH_KILLS", 50);
  const int seed = FromEnvironment("FLYBALL_CRASH_SEED", 1788);
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  LearnBothStates();
  const microseconds after_publishing = ImportWhole(0, PublishedIn()).took_from_change;
  const microseconds after_log = ImportWhole(1, Log()).took_from_change;
  std::vector<Moment> moments;
  AddMoments(kills - kills / 4 * 2, took_, {}, random, &moments);
  AddMoments(kills / 4, std::max(after_publishing - after_log, microseconds(1000)), PublishedIn(),
             random, &moments);
  AddMoments(kills / 4, after_log, Log(), random, &moments);
  std::shuffle(moments.begin(), moments.end(), random);

  int held = 1;
  std::map<std::string, int> met;
  for (const Moment& moment : moments) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", killed " +
                 std::to_string(moment.after.count()) + " us after " +
                 (moment.change_in.empty() ? "the start" : moment.change_in.string()));
    const size_t slice_files = CountFiles(fs::path(Home()) / "slices");
    const Ended ended =
        RunFlyball(ImportOf(1 - held), {.kill_after = moment.after, .change_in = moment.change_in});
    ASSERT_TRUE(ended.signal_number == SIGKILL || ended.exit_code == 0) << ended.err;
    const bool staged = !IsEmpty(fs::path(Home()) / "tmp");
    const bool moved = CountFiles(fs::path(Home()) / "slices") != slice_files;
    const int holds = StateOf();
    ASSERT_GE(holds, 0);
    ++met[ended.exit_code == 0 ? "had ended"
          : holds != held      ? "were killed after their commit"
          : moved              ? "were killed while publishing"
          : staged             ? "were killed while staging"
                               : "were killed before staging"];
    EXPECT_TRUE(ended.exit_code != 0 || holds != held) << "it said that it was done";
    held = holds;
    if (HasFailure()) return;
  }
  for (const auto& [where, count] : met) {
    std::printf("%3d imports %s\n", count, where.c_str());
  }
  // The ledger works on as if nothing had happened.
  ImportWhole(1 - held);
  EXPECT_EQ(StateOf(), 1 - held);
  EXPECT_EQ(Answer(Home(), "1"), answers_[0]) << "as of the first commit";
  EXPECT_EQ(Answer(Home(), "2"), answers_[1]) << "as of the second commit";
  const Json rebuilt = RunJson({"rebuild", "--home", Home()});
  EXPECT_TRUE(rebuilt.at("faults").empty()) << rebuilt.dump();
  EXPECT_EQ(StateOf(), 1 - held) << "after the rebuild";
}

// Joining small files changes no answer, killed or not.
TEST_F(Crash, KilledCompactionChangesNoAnswer) {
  const int seed = FromEnvironment("FLYBALL_CRASH_SEED", 1788);
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  LearnBothStates();
  std::vector<Moment> moments;
  AddMoments(6, took_ / 2, {}, random, &moments);
  for (const Moment& moment : moments) {
    SCOPED_TRACE("killed after " + std::to_string(moment.after.count()) + " us");
    const Ended ended =
        RunFlyball({"compact", "--home", Home()}, {.kill_after = moment.after, .change_in = {}});
    ASSERT_TRUE(ended.signal_number == SIGKILL || ended.exit_code == 0) << ended.err;
    EXPECT_EQ(Answer(Home()), answers_[1]);
    EXPECT_EQ(Answer(Home(), "1"), answers_[0]);
    ExpectNoOrphans(Commits(Home()));
    if (HasFailure()) return;
  }
  EXPECT_TRUE(RunJson({"rebuild", "--home", Home()}).at("faults").empty());
}

}  // namespace
}  // namespace flyball::tests
