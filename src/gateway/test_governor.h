// A gateway's Governor with a real guard and a real log, for tests: calls are served as the proxy
// serves them, without sockets, and vendors answer as the test says. Test code only.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/zone.h"
#include "gateway/governor.h"
#include "rates/test_prices.h"

namespace flyball::gateway {

// A vendor's answer to an attempt, or the way in which it fails.
struct VendorAnswer {
  int status = 200;
  std::string body;
  Outcome outcome = Outcome::kNone;  // else: no answer
  End end = End::kComplete;
  std::vector<HeaderView> headers = {};
};

// What the proxy does, without sockets.
struct Served {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<Attempt> attempts;
  std::vector<std::string> bodies;  // of the attempts, as sent
};

class GovernorTest : public testing::Test {
 protected:
  void SetUp() override {
    home_ = testing::TempDir() + "governor_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    VirtualKey wanted;
    wanted.name = "k";
    wanted.team = "search";
    key_ = CreateKey(*files_, home_, wanted, clock_).value();
    keys_.emplace(*files_, home_);
    guard::Options options;
    static const Zone utc;
    options.find_zone = [](std::string_view name) { return name == "UTC" ? &utc : nullptr; };
    wal_ = guard::Wal::Open(*files_, home_ + "/guard", "boot", options).value();
    log_.emplace(CallLog::Open(*files_, home_ + "/calls", [](const metered::Record&) {
                   return Status();
                 }).value());
    settings_.upstreams = {Upstream("first", estate::UpstreamApi::kOpenAi, 1),
                           Upstream("second", estate::UpstreamApi::kOpenAi, 2),
                           Upstream("claude", estate::UpstreamApi::kAnthropic, 1)};
    settings_.upstream_keys = {"sk-1", "sk-2", "sk-3"};
    settings_.output_limit = 100;
    // One unit of money for a thousand tokens in, two for a thousand out.
    book_ = std::make_shared<rates::PriceBook>(
        rates::BookOf(rates::ModelOf("m", R"({"per_unit":{"input":"0.001","output":"0.002"}})")));
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  static estate::Upstream Upstream(std::string name, estate::UpstreamApi api, int priority) {
    estate::Upstream upstream;
    upstream.name = name;
    upstream.api = api;
    upstream.base_url = "https://" + name + ".example";
    upstream.models = {"*"};
    upstream.priority = priority;
    return upstream;
  }
  void SetBudget(std::string_view scope, std::string_view limit) {
    budget::Budget budget;
    budget.scope = budget::ParseScope(scope).value();
    budget.limit = Money::Parse(limit)->units();
    budget.name = scope;
    ASSERT_TRUE(wal_->guard().SetBudget(budget, Now()));
    ASSERT_TRUE(wal_->Commit());
  }
  guard::Moment Now() { return {clock_.Now(), clock_.MonotonicUs()}; }
  GovernedGateway& Gateway() {
    if (!gateway_) gateway_.emplace(settings_, book_, *wal_, *log_, *keys_, clock_, random_);
    return *gateway_;
  }
  Served Serve(std::string_view target, const std::string& body, std::vector<VendorAnswer> answers,
               std::vector<HeaderView> headers = {}, bool with_key = true) {
    const std::string bearer = "Bearer " + key_.secret;
    if (with_key) headers.push_back({"Authorization", bearer});
    const RequestView request{"POST", target, headers, body, "127.0.0.1"};
    struct AtTurnEnd {
      GovernedGateway& gateway;
      ~AtTurnEnd() { (void)gateway.Commit(); }
    } at_turn_end{Gateway()};
    std::unique_ptr<Call> call = Gateway().Begin(request);
    Served served;
    Outcome before = Outcome::kNone;
    for (size_t n = 0;; ++n) {
      std::variant<Attempt, Reply> next = call->Next(before);
      if (Reply* reply = std::get_if<Reply>(&next)) {
        served.status = reply->status;
        served.body = reply->body;
        served.headers = reply->headers;
        call->Ended(End::kRefused);
        return served;
      }
      served.attempts.push_back(std::get<Attempt>(next));
      served.bodies.emplace_back(served.attempts.back().body);
      const VendorAnswer& answer = answers.at(n);
      if (answer.outcome == Outcome::kNotConnected) {
        before = answer.outcome;
        continue;
      }
      if (before_dispatch_) before_dispatch_();
      if (!call->Dispatched() || !Gateway().Commit()) {
        before = Outcome::kNotRecorded;
        continue;
      }
      if (answer.outcome != Outcome::kNone) {
        before = answer.outcome;
        continue;
      }
      if (call->Head(answer.status, answer.headers) == HeadVerdict::kRetry) {
        before = Outcome::kRetryableHead;
        continue;
      }
      served.status = answer.status;
      for (size_t at = 0; at < answer.body.size(); at += 17) {
        const std::string_view piece = std::string_view(answer.body).substr(at, 17);
        std::string out;
        const BodyVerdict verdict = call->Body(piece, &out);
        served.body += verdict == BodyVerdict::kPass ? std::string(piece) : out;
        if (between_pieces_) between_pieces_();
        if (verdict != BodyVerdict::kCut) continue;
        call->Ended(End::kCut);
        return served;
      }
      if (answer.end == End::kComplete) served.body += call->Tail();
      call->Ended(answer.end);
      return served;
    }
  }
  // Settled and held of a budget, in money.
  std::pair<std::string, std::string> Standing(std::string_view budget) {
    const guard::StatusRow row = wal_->guard().StatusOf(budget, Now()).value();
    return {Money::FromUnits(row.settled).ToString(), Money::FromUnits(row.held).ToString()};
  }
  std::vector<metered::Record> Records() {
    std::vector<metered::Record> records;
    EXPECT_TRUE(CallLog::Open(*files_, home_ + "/calls", [&](const metered::Record& record) {
      records.push_back(record);
      return Status();
    }));
    return records;
  }

  std::string home_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{Instant{1'800'000'000'000'000}};
  Random random_{1};
  CreatedKey key_;
  std::optional<KeyStore> keys_;
  std::unique_ptr<guard::Wal> wal_;
  std::optional<CallLog> log_;
  GatewaySettings settings_;
  std::shared_ptr<const rates::PriceBook> book_;
  std::optional<GovernedGateway> gateway_;
  std::function<void()> between_pieces_;
  std::function<void()> before_dispatch_;
};

inline constexpr std::string_view kChat = "/v1/chat/completions";
inline const std::string kAsk =
    R"({"model":"m","max_tokens":50,"messages":[{"role":"user","content":"hi"}]})";
inline const std::string kAnswer =
    R"({"id":"a1","model":"m","choices":[{}],"usage":{"prompt_tokens":10,"completion_tokens":20,)"
    R"("total_tokens":30}})";

}  // namespace flyball::gateway
