#include "gateway/access_log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "gateway/test_governor.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::ordered_json;

class AccessLogTest : public GovernorTest {
 protected:
  std::string Path() const { return home_ + "/access.log"; }
  void Open() { Gateway().SetAccessLog(std::make_unique<AccessLog>(*files_, Path())); }
  std::vector<Json> Lines() {
    Gateway().Tick();
    std::vector<Json> lines;
    const std::string text = files_->ReadAll(Path()).value_or("");
    for (std::string_view line : SplitText(text, '\n')) {
      if (!line.empty()) lines.push_back(Json::parse(line));
    }
    return lines;
  }
};

TEST_F(AccessLogTest, SaysOfEachCallWhoseItWasAndHowItEndedAndNothingThatWasSaid) {
  Open();
  const std::string secret = "the prompt is secret";
  const std::string ask =
      R"({"model":"m","max_tokens":50,"messages":[{"role":"user","content":")" + secret + R"("}]})";
  Serve("/v1/chat/completions?api-key=hidden", ask, {{503, "busy"}, {200, kAnswer}});
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  const Json& line = lines[0];
  EXPECT_EQ(line["path"], "/v1/chat/completions");
  EXPECT_EQ(line["key"], key_.key.id);
  EXPECT_EQ(line["dialect"], "openai-chat");
  EXPECT_EQ(line["model"], "m");
  EXPECT_EQ(line["upstream"], "second");
  EXPECT_EQ(line["attempts"], 2);
  EXPECT_EQ(line["call"], Records()[2].dispatch.id);
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["ended"], "complete");
  EXPECT_EQ(line["peer"], "127.0.0.1");
  const std::string text = *files_->ReadAll(Path());
  for (const std::string& unsaid : {secret, key_.secret, std::string("hidden"), kAnswer}) {
    EXPECT_EQ(text.find(unsaid), std::string::npos);
  }
}

TEST_F(AccessLogTest, SaysOfEachRefusalWhatTheClientGot) {
  Open();
  Serve(kChat, kAsk, {}, {}, false);  // no key
  Serve("/v1/files", kAsk, {});
  Serve(kChat, "{", {});
  SetBudget("team=search", "0");
  Serve(kChat, kAsk, {});
  (void)Gateway().Refuse("/v1/messages", 413, "too large");
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 5u);
  const std::vector<int> statuses = {401, 404, 400, 429, 413};
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["status"], statuses[i]) << lines[i].dump();
    EXPECT_EQ(lines[i]["ended"], "refused") << lines[i].dump();
  }
  EXPECT_FALSE(lines[0].contains("key"));
  EXPECT_EQ(lines[1]["key"], key_.key.id);
  EXPECT_EQ(lines[3]["model"], "m");
}

TEST_F(AccessLogTest, BeginsAFileAnewThatWasMovedAwayAndLosesNoCallToAFullDisk) {
  Open();
  Serve(kChat, kAsk, {{200, kAnswer}});
  EXPECT_EQ(Lines().size(), 1u);
  ASSERT_TRUE(files_->Rename(Path(), Path() + ".1"));
  Serve(kChat, kAsk, {{200, kAnswer}});
  EXPECT_EQ(Lines().size(), 1u);
  // As logrotate does it: the new file is there before we look.
  ASSERT_TRUE(files_->Rename(Path(), Path() + ".2"));
  ASSERT_TRUE(os::AtomicWrite(*files_, Path(), ""));
  Serve(kChat, kAsk, {{200, kAnswer}});
  EXPECT_EQ(Lines().size(), 1u);
  AccessLog nowhere(*files_, home_ + "/no/folder/access.log");
  nowhere.Add({});
  nowhere.Add({});
  nowhere.Flush();
  EXPECT_EQ(nowhere.dropped(), 2u);
}

// Else a pipe that nobody reads would stop all calls.
TEST_F(AccessLogTest, WaitsForNobodyWhoReadsStandardOutput) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  constexpr int kLines = 20'000;  // a few times what the pipe and the log keep
  uint64_t dropped = 0;
  std::string heard;
  {
    AccessLog log(*files_, "-", ends[1]);
    AccessLine line;
    line.path = "/v1/chat/completions";
    for (int i = 0; i < kLines; ++i) log.Add(line);
    dropped = log.dropped();
    EXPECT_GT(dropped, 0u);
    std::vector<char> buffer(1 << 20);
    for (int i = 0; i < 100; ++i) {
      const ssize_t n = read(ends[0], buffer.data(), buffer.size());
      ASSERT_GT(n, 0);
      heard.append(buffer.data(), static_cast<size_t>(n));
      log.Flush();
      if (std::count(heard.begin(), heard.end(), '\n') == kLines - static_cast<int>(dropped)) break;
    }
  }
  close(ends[0]);
  close(ends[1]);
  std::vector<std::string_view> lines = SplitText(heard, '\n');
  ASSERT_EQ(lines.back(), "");
  lines.pop_back();
  EXPECT_EQ(lines.size() + dropped, static_cast<size_t>(kLines));
  for (std::string_view each : lines) ASSERT_TRUE(Json::accept(each)) << each;
}

}  // namespace
}  // namespace flyball::gateway
