// `flyball watch` as a person or a program meets it: the documented output, one pass without look
// ahead, and one sentence that helps where the input is wrong.
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bad_inputs/packed.h"
#include "support/program.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::ordered_json;

class Watch : public ::testing::Test {
 protected:
  std::string Put(const std::string& name, std::string_view content) {
    WriteFile(folder.path() / name, content);
    return (folder.path() / name).string();
  }
  static Ended Replay(const std::string& file, const std::string& format = "csv") {
    return RunFlyball({"watch", "replay", file, "--format", format});
  }
  static Ended RootCause(const std::string& file, const std::string& dimensions = "team,model") {
    return RunFlyball({"watch", "rootcause", file, "--dims", dimensions, "--actual", "cost",
                       "--predicted", "expected", "--format", "json"});
  }

  TempFolder folder;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Five-minute points around 100, the same every time, with a spike at one of them.
std::string Series(int points, int spike) {
  std::string csv = "timestamp,value\n";
  unsigned random = 12345;
  for (int i = 0; i < points; ++i) {
    random = random * 1664525u + 1013904223u;
    const unsigned value = i == spike ? 900 : 90 + (random >> 16) % 20;
    char line[64];
    std::snprintf(line, sizeof(line), "2026-10-%02d %02d:%02d:00,%u\n", 1 + i / 288, i / 12 % 24,
                  i % 12 * 5, value);
    csv += line;
  }
  return csv;
}

double ScoreOf(const std::string& line) { return std::stod(line.substr(line.rfind(',') + 1)); }

TEST_F(Watch, ReplayPrintsTheContract) {
  const std::string csv = Series(1200, 900);
  const Ended ended = Replay(Put("a.csv", csv));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const std::vector<std::string> in = Lines(csv), out = Lines(ended.out);
  ASSERT_EQ(out.size(), in.size());
  EXPECT_EQ(out[0], "timestamp,value,score");
  for (size_t i = 1; i < out.size(); ++i) {
    ASSERT_TRUE(out[i].starts_with(in[i] + ",")) << out[i];
    ASSERT_GE(ScoreOf(out[i]), 0);
    ASSERT_LE(ScoreOf(out[i]), 1);
  }
  EXPECT_GE(ScoreOf(out[901]), 0.5);
  EXPECT_EQ(ended.err, "");
}

TEST_F(Watch, ReplayDoesNotLookAhead) {
  const std::string csv = Series(1200, 900);
  const std::string whole = Replay(Put("whole.csv", csv)).out;
  for (const int points : {1, 50, 899, 900, 901, 1199}) {
    size_t end = 0;
    for (int line = 0; line <= points; ++line) end = csv.find('\n', end) + 1;
    const std::string part = Replay(Put("part.csv", csv.substr(0, end))).out;
    ASSERT_EQ(part, whole.substr(0, part.size())) << points;
    ASSERT_EQ(Lines(part).size(), static_cast<size_t>(points) + 1);
  }
}

TEST_F(Watch, ReplayReadsPackedFilesAndStandardInput) {
  const std::string csv = Series(300, 200);
  const std::string plain = Put("a.csv", csv);
  const std::string expected = Replay(plain).out;
  EXPECT_EQ(Replay(Put("a.csv.gz", Gzip(csv))).out, expected);
  RunOptions options;
  options.input = plain;
  EXPECT_EQ(RunFlyball({"watch", "replay", "-", "--format", "csv"}, options).out, expected);
}

TEST_F(Watch, ReplayListsAnomaliesForPeopleAndPrograms) {
  const std::string file = Put("a.csv", Series(1200, 900));
  const Json json = Json::parse(Replay(file, "json").out);
  EXPECT_EQ(json["points"], 1200);
  EXPECT_EQ(json["opened"], json["anomalies"].size());
  bool named = false;
  for (const Json& anomaly : json["anomalies"]) named |= anomaly["value"] == "900";
  EXPECT_TRUE(named) << json.dump();
  EXPECT_NE(Replay(file, "table").out.find("900"), std::string::npos);
}

TEST_F(Watch, ReplayLabelsWhatIsOdd) {
  const Ended ended = Replay(Put("odd.csv",
                                 "timestamp,value\n2026-10-01 00:00:00,5\n2026-10-01 00:05:00,\n"
                                 "2026-10-01 00:05:00,NaN\n2026-10-01 00:00:00,5\n"));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out,
            "timestamp,value,score\n2026-10-01 00:00:00,5,0.000000\n2026-10-01 "
            "00:05:00,,0.000000\n2026-10-01 00:05:00,NaN,0.000000\n2026-10-01 "
            "00:00:00,5,0.000000\n");
  for (const char* part : {"2 values are missing", "1 timestamps repeat", "1 timestamps go back",
                           "all values are equal"}) {
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
  }
}

TEST_F(Watch, ReplayRefusesWhatItWouldHaveToGuess) {
  const std::pair<const char*, const char*> cases[] = {
      {"timestamp,value\n2026-10-01,1\nyesterday,2\n", ":3:"},
      {"timestamp,value\n2026-10-01,many\n", ":2:"},
      {"timestamp,value\n2026-10-01,inf\n", "cannot be scored"},
      {"timestamp,value\n2026-10-01,1e300\n", "cannot be scored"},
      {"timestamp,value\n", "there is no point"},
      {"when,what\n1,2\n", "neither a header"},
      {"timestamp;value\n2026-10-01;1\n", "neither a header"},
      {"\x01\x02\x03\n", "neither a header"}};
  for (const auto& [csv, part] : cases) {
    const Ended ended = Replay(Put("bad.csv", csv));
    EXPECT_EQ(ended.exit_code, 2) << csv;
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
  }
  EXPECT_EQ(Replay((folder.path() / "none.csv").string()).exit_code, 2);
  EXPECT_EQ(Replay("-").exit_code, 2) << "standard input is empty";
}

constexpr char kLeaves[] =
    "day,team,model,cost,expected\n"
    "1,red,big,200.02,100\n1,red,small,101,100\n1,blue,big,100,101\n1,blue,small,99,100\n"
    "1,green,big,49.5,50\n1,green,small,70,69\n1,grey,big,30,30.5\n1,grey,small,20,20\n";

TEST_F(Watch, RootCausePrintsTheContract) {
  const Ended ended = RootCause(Put("leaves.csv", kLeaves));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  ASSERT_FALSE(json.empty());
  EXPECT_EQ(json[0]["elements"].dump(), R"({"team":"red","model":"big"})");
  EXPECT_TRUE(json[0]["score"].is_number());
  EXPECT_EQ(json[0]["actual"], "200.02");
  EXPECT_EQ(json[0]["predicted"], "100");
  EXPECT_EQ(json[0]["difference"], "100.02");
  for (size_t i = 1; i < json.size(); ++i) EXPECT_LE(json[i]["score"], json[i - 1]["score"]);
  EXPECT_EQ(RootCause(Put("leaves.csv.gz", Gzip(kLeaves))).out, ended.out);
}

TEST_F(Watch, RootCauseOfNoDifferenceIsNone) {
  const Ended ended = RootCause(Put("same.csv", "team,model,cost,expected\nred,big,1,1.0\n"));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, "[]\n");
}

TEST_F(Watch, RootCauseRefusesWithTheRemedy) {
  const std::string file = Put("leaves.csv", kLeaves);
  const std::pair<const char*, const char*> dimensions[] = {
      {"team,modell", "did you mean 'model'"},
      {"team,team", "named twice"},
      {"team,cost", "both a dimension and a measure"},
      {"", "no column ''"}};
  for (const auto& [names, part] : dimensions) {
    const Ended ended = RootCause(file, names);
    EXPECT_EQ(ended.exit_code, 2) << names;
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
  }
  const std::pair<const char*, const char*> rows[] = {
      {"team,model,cost,expected\nred,big,NaN,1\n", ":2:"},
      {"team,model,cost,expected\nred,big,,1\n", "write 0"},
      {"team,model,cost,expected\nred,big,1e60,1\n", ":2:"},
      {"team,model,cost,expected\nred,big,1\n", "3 fields"},
      {"team,model,cost,expected\n", "no row"}};
  for (const auto& [csv, part] : rows) {
    const Ended ended = RootCause(Put("bad.csv", csv));
    EXPECT_EQ(ended.exit_code, 2) << csv;
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
  }
}

}  // namespace
}  // namespace flyball::tests
