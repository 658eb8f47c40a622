// `flyball rate` and `flyball prices` as a person or a program meets them: the documented output,
// the exit codes, and one sentence that helps where the input is wrong.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "support/home_test.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kUsage[] = R"({"input":3,"cache_write_5m":12304,"output":550})";

class Prices : public HomeTest {
 protected:
  Json RunJson(const std::vector<std::string>& words) {
    const Ended ended = Run(words);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
};

TEST_F(Prices, RatePrintsTheContractWithoutAHome) {
  const Json json = RunJson({"rate", "--model", "claude-3-7-sonnet", "--usage", kUsage});
  EXPECT_EQ(json["total"], "0.054399");
  EXPECT_EQ(json["currency"], "USD");
  EXPECT_EQ(json["lines"].dump(),
            R"([{"meter":"input","quantity":3,"unit_price":"0.000003","cost":"0.000009"},)"
            R"({"meter":"cache_write_5m","quantity":12304,"unit_price":"0.00000375",)"
            R"("cost":"0.04614"},)"
            R"({"meter":"output","quantity":550,"unit_price":"0.000015","cost":"0.00825"}])");
  EXPECT_EQ(json["price"]["checked"], "2026-07-24");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "home"));
  const Ended table =
      Run({"rate", "--model", "claude-3-7-sonnet", "--usage", kUsage, "--format", "table"});
  EXPECT_NE(table.out.find("0.054399 USD"), std::string::npos) << table.out;
}

TEST_F(Prices, RateReadsAVendorsObjectWithItsTierAndItsOtherModels) {
  const Json json =
      RunJson({"rate", "--model", "claude-opus-4-8", "--dialect", "anthropic", "--usage",
               R"({"input_tokens":412,"output_tokens":264,"service_tier":"standard","iterations":[
           {"model":"claude-fable-5","input_tokens":0,"output_tokens":299,
            "cache_read_input_tokens":560186},
           {"model":"claude-opus-4-8","input_tokens":412,"output_tokens":264}]})"});
  // 412 x 5 + 264 x 25 at Opus, 560186 x 1 + 299 x 50 at Fable, per million.
  EXPECT_EQ(json["total"], "0.583796");
  EXPECT_EQ(json["lines"].back()["model"], "claude-fable-5");
}

TEST_F(Prices, WhatIsWrongIsSaidInOneSentence) {
  const struct {
    std::vector<std::string> words;
    const char* says;
  } cases[] = {
      {{"--model", "claude-3-7-sonet", "--usage", "{}"}, "did you mean 'claude-3-7-sonnet'?"},
      {{"--model", "gpt-5", "--usage", R"({"input":1,})"}, "no JSON"},
      {{"--model", "gpt-5", "--usage", R"({"inputs":1})"}, "did you mean 'input'?"},
      {{"--model", "gpt-5", "--usage", R"({"input":-1})"}, "never negative"},
      {{"--model", "gpt-5", "--usage", R"({"input":1,"input":2})"}, "stands twice"},
      {{"--model", "gpt-5", "--usage", "{}", "--at", "soon"}, "'soon' is not a date"},
      {{"--model", "gpt-5", "--usage", R"({"input":1})", "--at", "2020-01-01"}, "2025-08-07"},
      {{"--model", "gpt-5", "--usage", "{}", "--tier", "gold"}, "no service tier"},
      {{"--model", "gpt-5", "--usage", "{}", "--dialect", "klingon"}, "no dialect"},
      {{"--model", "gpt-5", "--usage", "{}", "--missing", "zero"}, "no policy"},
      {{"--model", "gpt-5", "--usage", R"({"input":1})", "--provider", "anthropic"},
       "it is known of openai"},
      {{"--model", "gpt-5", "--usage", "{}", "--prices", "/dev/zero"}, "no file of prices"},
      {{"--model", "gpt-5", "--usage", "{}", "--prices", "/nowhere"}, "/nowhere"},
      {{"--model", "gpt-5"}, "--usage is required"}};
  for (const auto& [words, says] : cases) {
    std::vector<std::string> all{"rate"};
    all.insert(all.end(), words.begin(), words.end());
    const Ended ended = Run(all);
    EXPECT_TRUE(ended.exit_code == 2 || ended.exit_code == 3) << says;
    EXPECT_NE(ended.err.find(says), std::string::npos) << ended.err;
  }
}

TEST_F(Prices, AnImportIsKeptOnceShownAndCompared) {
  const std::string first = Put("a.json", R"({"last_updated":"2026-03-01T00:00:00Z",
      "claude-9":{"litellm_provider":"anthropic","input_cost_per_token":3e-6,
      "output_cost_per_moon":1},"free":{"litellm_provider":"p","input_cost_per_token":0}})");
  const std::string second = Put("b.json", R"([{"id":"anthropic","models":[{"id":"claude-9",
      "match":{"equals":"claude-9"},"prices":{"input_mtok":4}}]}])");
  const Json json = RunJson({"prices", "import", first, second, "--format", "json"});
  EXPECT_EQ(json["imports"][0]["models_priced"], 2);
  EXPECT_EQ(json["imports"][0]["models_free"], 1);
  EXPECT_EQ(json["imports"][0]["unused"][0]["examples"][0], "claude-9: output_cost_per_moon");
  EXPECT_EQ(json["disagreements"]["prices_differing"], 1);
  EXPECT_EQ(RunJson({"prices", "import", first, "--format", "json"})["imports"][0]["unchanged"],
            true);
  const Json rated = RunJson({"rate", "--model", "claude-9", "--usage", R"({"input":1})"});
  EXPECT_EQ(rated["total"], "0.000003") << "the second states no day, and may be older";
  const Json shown = RunJson({"prices", "show", "claude-9", "--format", "json"});
  EXPECT_EQ(shown["prices"][0]["unit_price"], "0.000003");
  EXPECT_EQ(shown["prices"][0]["from"], "2026-03-01");
  EXPECT_EQ(shown["prices"][0]["checked"], "2026-03-01");
  EXPECT_TRUE(shown["prices"][0]["source"].get<std::string>().starts_with("prices/"));
  EXPECT_EQ(shown["prices"][1]["unit_price"], "0.000004");
  EXPECT_EQ(shown["prices"][1]["checked"], nullptr);
  const Json diff = RunJson({"prices", "diff", "--format", "json"});
  EXPECT_EQ(diff["differences"][0]["first"], "0.000003");
  EXPECT_EQ(diff["differences"][0]["second"], "0.000004");
  EXPECT_NE(Run({"prices", "show", "claude-8"}).err.find("did you mean 'claude-9'?"),
            std::string::npos);
  EXPECT_EQ(Run({"prices", "import", Put("c.json", "{}")}).exit_code, 2);
}

TEST_F(Prices, EveryModelOfThePublicFilesIsImported) {
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  const std::string dir = shared != nullptr ? std::string(shared) + "/prices/" : "";
  if (dir.empty() || !std::filesystem::exists(dir)) {
    GTEST_SKIP() << "the public price files are not here; set FLYBALL_SHARED_DATA";
  }
  const Json json =
      RunJson({"prices", "import", dir + "genai_prices_v2_data.json",
               dir + "litellm_model_prices_and_context_window.json", "--format", "json"});
  for (const Json& file : json["imports"]) {
    EXPECT_EQ(file["models"].get<int64_t>(),
              file["models_priced"].get<int64_t>() + file["models_unpriced"].get<int64_t>());
  }
  EXPECT_GT(json["disagreements"]["prices_compared"], 2000);
  const Json rated = RunJson({"rate", "--model", "claude-3-7-sonnet", "--usage", kUsage});
  EXPECT_EQ(rated["total"], "0.054399");
  EXPECT_EQ(rated["price"]["provider"], "anthropic");
}

}  // namespace
}  // namespace flyball::tests
