// flyball forecast series, as a person runs it: its output in every format, what it refuses and
// with which exit code.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "support/program.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::json;

// Hours of one or more series with a day in them, in the long form.
std::string LongFile(const std::vector<std::string>& ids, int hours) {
  std::string text = "id,timestamp,value\n";
  for (int hour = 0; hour < hours; ++hour) {
    for (size_t s = 0; s < ids.size(); ++s) {
      char row[96];
      std::snprintf(row, sizeof(row), "%s,2026-03-%02dT%02d:00:00Z,%.3f\n", ids[s].c_str(),
                    1 + hour / 24, hour % 24,
                    100.0 + 30 * std::sin(0.2618 * hour) + (hour * 7919 + int(s) * 13) % 11);
      text += row;
    }
  }
  return text;
}

class ForecastSeries : public testing::Test {
 protected:
  std::string Put(const std::string& name, std::string_view text) {
    WriteFile(folder_.path() / name, text);
    return (folder_.path() / name).string();
  }
  static Ended Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"forecast", "series"});
    return RunFlyball(arguments);
  }
  TempFolder folder_;
};

TEST_F(ForecastSeries, CsvIsTheContract) {
  const std::string quoted = Put("b.csv", LongFile({"a", "\"b,c\""}, 24 * 20));
  const Ended good = Run({quoted, "--levels", "95,80", "--horizon", "3", "--format", "csv"});
  ASSERT_EQ(good.exit_code, 0) << good.err;
  EXPECT_TRUE(good.out.starts_with("id,step,mean,lower_80,upper_80,lower_95,upper_95\na,1,"));
  EXPECT_NE(good.out.find("\n\"b,c\",3,"), std::string::npos) << good.out;
  EXPECT_EQ(std::ranges::count(good.out, '\n'), 7);
}

TEST_F(ForecastSeries, JsonSaysWhatItIsMadeOf) {
  std::string text = LongFile({"a"}, 24 * 20);
  text += "constant,2026-03-01,5\nconstant,2026-03-02,5\nconstant,2026-03-03,5\n";
  text += "uneven,2026-03-01T00:00:00Z,1\nuneven,2026-03-01T01:00:00Z,1\n";
  text += "uneven,2026-03-01T01:01:00Z,1\nuneven,2026-03-01T02:00:00Z,1\n";
  text += "uneven,2026-03-01T03:00:00Z,1\n";
  const Ended ended = Run({Put("a.csv", text), "--format", "json"});
  EXPECT_EQ(ended.exit_code, 1);  // one was refused
  EXPECT_NE(ended.err.find("'uneven' is not forecast"), std::string::npos) << ended.err;
  const Json json = Json::parse(ended.out);
  ASSERT_EQ(json["series"].size(), 2u);
  EXPECT_EQ(json["series"][0]["id"], "a");
  EXPECT_EQ(json["series"][0]["mean"].size(), 48u);  // hours
  EXPECT_EQ(json["series"][0]["ranges"][1]["level"], 95.0);
  double weights = 0;
  for (const Json& member : json["series"][0]["members"]) weights += member["weight"].get<double>();
  EXPECT_NEAR(weights, 1, 1e-9);
  EXPECT_EQ(json["series"][1]["regime"], "constant");
  EXPECT_EQ(json["series"][1]["mean"].size(), 28u);  // days
  EXPECT_EQ(json["refused"][0]["id"], "uneven");
}

TEST_F(ForecastSeries, IsTheSameOnEveryNumberOfThreads) {
  std::vector<std::string> ids;
  for (int i = 0; i < 9; ++i) ids.push_back("s" + std::to_string(i));
  const std::string file = Put("a.csv", LongFile(ids, 24 * 16));
  const Ended one = Run({file, "--threads", "1", "--format", "csv"});
  const Ended four = Run({file, "--threads", "4", "--format", "csv"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.out, four.out);
  EXPECT_EQ(std::ranges::count(one.out, '\n'), 1 + 9 * 48);
}

TEST_F(ForecastSeries, BadInputIsToldWithItsPlace) {
  const std::string good = Put("good.csv", "a,1,2,3,4,5,6,7,8\n");
  struct Case {
    std::vector<std::string> arguments;
    const char* says;
  };
  const std::vector<Case> cases{
      {{"/nowhere/x.csv"}, "x.csv"},
      {{folder_.path().string()}, "not a regular file"},
      {{Put("empty.csv", "")}, "empty"},
      {{"-"}, "standard input is empty"},
      {{Put("blank.csv", "\n\n")}, "no rows"},
      {{Put("word.csv", "a,1,2\nb,1,zwei\n")}, "word.csv:2:3: 'zwei' is no finite number"},
      {{Put("twice.csv", "timestamp,value\n2026-01-01,1\n2026-01-01,2\n")}, "twice.csv:3"},
      {{Put("cut.csv.gz", "\x1f\x8b\x08")}, "cut.csv.gz"},
      {{Put("huge.csv", "a,1,1e400\n")}, "no finite number"},
      {{good, "--season", "24,x"}, "--season '24,x'"},
      {{good, "--season", "1"}, "--season '1'"},
      {{good, "--levels", "100"}, "levels '100'"},
      {{good, "--levels", "0"}, "levels '0'"},
      {{good, "--levels", "nan"}, "levels 'nan'"},
      {{good, "--horizon", "0"}, "--horizon"},
      {{good, "--horizon", "100000"}, "--horizon"},
      {{good, "--members", "prophet"}, "no member 'prophet'"},
      {{}, "FILE"},
  };
  for (const Case& one : cases) {
    const Ended ended = Run(one.arguments);
    EXPECT_EQ(ended.exit_code, 2) << one.says << ": " << ended.err;
    EXPECT_NE(ended.err.find(one.says), std::string::npos) << ended.err;
    EXPECT_EQ(ended.out, "");
  }
  EXPECT_EQ(Run({good, "--season", "none"}).exit_code, 0);
}

TEST_F(ForecastSeries, EverySeriesIsRefusedOrRight) {
  const std::string file = Put("odd.csv",
                               "one,5\n"
                               "none,NA,NA\n"
                               "zeros,0,0,0,0,0,0,0,0,0,0,0,0\n"
                               "huge,1e300,2e300,1e300,2e300,1e300,3e300,1e300,2e300\n"
                               "down,-1,-2,-3,-4,-5,-6,-7,-8,-9,-10\n");
  const Ended ended = Run({file, "--horizon", "2", "--season", "none", "--format", "csv"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.err.find("'none' is not forecast: no value is known"), std::string::npos);
  EXPECT_NE(ended.out.find("\none,1,5,5,5"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("\nzeros,2,0,0,0"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("nan"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("inf"), std::string::npos) << ended.out;
  EXPECT_EQ(std::ranges::count(ended.out, '\n'), 1 + 4 * 2);
}

}  // namespace
}  // namespace flyball::tests
