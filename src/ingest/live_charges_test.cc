#include "ingest/live_charges.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/hash.h"
#include "ingest/import.h"
#include "os/journal.h"

namespace flyball::ingest {
namespace {

// A home whose gateway settles calls, publishes them at any moment, and is asked all the time.
class Live : public testing::Test {
 protected:
  void SetUp() override {
    home_ = testing::TempDir() + "live_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_ + "/gateway/calls");
    std::filesystem::create_directories(home_ + "/gateway/charges");
    ledger::LedgerOptions options;
    options.home = home_;
    options.threads = 1;
    ledger_ = ledger::Ledger::Open(options, *files_, clock_).value();
    live_.emplace(*files_, home_, clock_);
    journal_.emplace(os::Journal::Open(*files_, home_ + "/gateway/calls/calls-2026-11.journal",
                                       [](uint64_t, std::string_view) { return Status(); })
                         .value());
  }
  void TearDown() override {
    ledger_.reset();
    std::filesystem::remove_all(home_);
  }
  void Begin(uint64_t id, Money bound = {}) {
    metered::Dispatch dispatch;
    dispatch.id = id;
    dispatch.at = clock_.Now();
    dispatch.upstream = dispatch.provider = "openai";
    dispatch.model = "gpt-5";
    dispatch.team = id % 2 == 0 ? "search" : "";
    dispatch.currency = "USD";
    dispatch.bound = bound;
    dispatch.tags = {{"env", "prod"}};
    ASSERT_TRUE(journal_->Append(metered::Encode(dispatch), false));
  }
  void Finish(uint64_t id, int64_t tokens) {
    metered::End end;
    end.id = id;
    end.at = clock_.Now();
    end.basis = metered::Basis::kExact;
    end.cost = Money::FromUnits(tokens * 1'000'000);
    end.lines = {{Bucket::kOutput, tokens, Money::FromUnits(1'000'000), end.cost}};
    ASSERT_TRUE(journal_->Append(metered::Encode(end), false));
    spent_ = spent_.Plus(end.cost).value();
  }
  void Publish() {
    const GatewayBill bill =
        MakeGatewayBill(*files_, home_ + "/gateway/calls", "2026-11", clock_.Now()).value();
    if (bill.rows == 0) return;
    const std::string path = home_ + "/gateway/charges/gateway-2026-11.csv";
    ASSERT_TRUE(os::AtomicWrite(*files_, path, bill.csv));
    ASSERT_TRUE(NoteStand(*files_, home_ + "/gateway/charges", Sha256Hex(bill.csv),
                          {bill.closed, bill.log_bytes}));
    ImportOptions options;
    options.files = {path};
    options.source = kGatewaySource;
    options.home = home_;
    options.threads = 1;
    options.already_live = [&](const Scan& scan) {
      return ledger_->FindUnchanged(scan.source, scan.content_hash).has_value();
    };
    Staged staged = StageImport(options, *files_).value();
    if (staged.unchanged) return;
    ASSERT_TRUE(ledger_->Publish(std::move(staged.import)));
  }
  void Wait(int64_t us) { clock_.Advance(us); }
  static ledger::CostQuery Question(const std::string& json) {
    return ledger::ParseQueryJson(json).value();
  }
  std::string Total(const std::string& as_of = "") {
    ledger::CostQuery query = Question(R"({"measures":["billed_cost"]})");
    query.as_of = as_of;
    const LiveCharges::Answer answer = live_->Query(*ledger_, query).value();
    EXPECT_EQ(answer.through.has_value(), as_of.empty());
    const auto found = answer.answer.totals.find("USD");
    return found == answer.answer.totals.end() ? "none"
                                               : Money::FromUnits(found->second[0]).ToString();
  }

  std::string home_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{ParseUserInstant("2026-11-25T10:50:00Z").value()};
  std::unique_ptr<ledger::Ledger> ledger_;
  std::optional<LiveCharges> live_;
  std::optional<os::Journal> journal_;
  Money spent_;
};

TEST_F(Live, ASettledCallIsSeenWithinTwoSecondsAndNothingIsWritten) {
  EXPECT_EQ(Total(), "none");
  Begin(1);
  Finish(1, 5);
  Wait(2 * kMicrosPerSecond);
  EXPECT_EQ(Total(), spent_.ToString());
  EXPECT_EQ(ledger_->Head(), "");
}

// The hour of a call is published while the call still runs; it ends later, and the next
// publication has it.
TEST_F(Live, ALateCallOfAPublishedHourIsThereOnce) {
  Begin(1);
  Begin(2);
  Finish(1, 5);
  Wait(20 * 60 * kMicrosPerSecond);
  Publish();
  const std::string first = ledger_->Head();
  EXPECT_EQ(Total(), spent_.ToString());
  Finish(2, 7);
  Wait(2 * kMicrosPerSecond);
  EXPECT_EQ(Total(), spent_.ToString());
  EXPECT_EQ(Total(first), Money::FromUnits(5'000'000).ToString());
  Publish();
  EXPECT_NE(ledger_->Head(), first);
  EXPECT_EQ(Total(), spent_.ToString());
}

// A gateway that died and came back a day later: the bill had its call at its bound by then, and
// the end that its start writes is not one more.
TEST_F(Live, ACallThatWasPublishedAtItsBoundIsThereOnceWhenItsEndComes) {
  const Money bound = Money::FromUnits(9'000'000);
  Begin(1, bound);
  Wait(26 * 60 * 60 * kMicrosPerSecond);
  Publish();
  EXPECT_EQ(Total(), bound.ToString());
  metered::End end;
  end.id = 1;
  end.at = clock_.Now();
  end.basis = metered::Basis::kBound;
  end.cost = bound;
  ASSERT_TRUE(journal_->Append(metered::Encode(end), false));
  Wait(2 * kMicrosPerSecond);
  EXPECT_EQ(Total(), bound.ToString());
  Publish();
  EXPECT_EQ(Total(), bound.ToString());
}

// Whatever is published when: the sum is what was settled, no call twice and none missing, also for
// who begins to look only now.
TEST_F(Live, NoCallIsThereTwiceOrMissingWhateverIsPublishedWhen) {
  Random random(4);
  std::vector<uint64_t> open;
  uint64_t next = 1;
  for (int step = 0; step < 120; ++step) {
    for (uint64_t i = random.Below(3); i > 0; --i) {
      open.push_back(next);
      Begin(next++);
    }
    while (!open.empty() && random.Chance(1, 2)) {
      const size_t at = static_cast<size_t>(random.Below(open.size()));
      Finish(open[at], random.Between(1, 1000));
      open.erase(open.begin() + static_cast<ptrdiff_t>(at));
    }
    if (random.Chance(1, 6)) Publish();
    Wait(random.Between(1, 10 * 60) * kMicrosPerSecond + kLookAgainUs);
    if (random.Chance(1, 10)) live_.emplace(*files_, home_, clock_);
    EXPECT_EQ(Total(), spent_.is_zero() ? "none" : spent_.ToString()) << "step " << step;
  }
}

// Publication fails for long: memory keeps its limit, answers say up to when they are, and no call
// is there twice or lost once it works again.
TEST_F(Live, NoMoreCallsAreKeptThanTheLimitAndTheAnswerSaysWhereItStands) {
  live_.emplace(*files_, home_, clock_, 5);
  Money first;
  for (uint64_t id = 1; id <= 12; ++id) {
    Begin(id);
    Finish(id, 7);
    if (id == 5) first = spent_;
    Wait(7 * 60 * kMicrosPerSecond);
    if (id >= 5) {
      EXPECT_EQ(Total(), first.ToString()) << id;
    }
    const ledger::CostQuery query = Question(R"({"measures":["billed_cost"]})");
    const std::optional<Instant> through = live_->Query(*ledger_, query).value().through;
    const Instant fifth{ParseUserInstant("2026-11-25T10:50:00Z")->us + 28 * 60 * kMicrosPerSecond};
    EXPECT_EQ(through, id <= 5 ? clock_.Now() : fifth) << id;
  }
  Publish();
  EXPECT_EQ(Total(), Money::FromUnits(10 * 7'000'000).ToString()) << "the closed hours' calls";
  for (int look = 0; look < 3; ++look) {
    Wait(kLookAgainUs);
    EXPECT_EQ(Total(), spent_.ToString()) << look;
  }
  Begin(13);
  Finish(13, 11);
  Wait(kLookAgainUs);
  EXPECT_EQ(Total(), spent_.ToString());
}

// The same answers as once all of it is published, by every sort of question.
TEST_F(Live, AnswersAreThoseOfThePublishedCharges) {
  for (uint64_t id = 1; id <= 20; ++id) {
    Begin(id);
    Finish(id, static_cast<int64_t>(id * id));
    Wait(7 * 60 * kMicrosPerSecond);
    if (id == 9) Publish();
  }
  const char* questions[] = {
      R"({"measures":["billed_cost","usage","charges"],"by":["team"],"grain":"hour"})",
      R"({"measures":["usage"],"by":["provider","model","sku_meter","confidence","source"]})",
      R"({"measures":["charges"],"by":["team","tag:env"],"top":1,"basis":"billed","grain":"day"})",
      R"({"measures":["effective_cost"],"by":["driver","ai_class","service","account"],
          "where":[{"dimension":"team","not":true,"values":["search"]}]})",
      R"({"measures":["list_cost"],"from":"2026-11-25T11:00:00Z","to":"2026-11-25T12:00:00Z"})"};
  std::vector<std::string> before;
  for (const char* question : questions) {
    before.push_back(ledger::AnswerCsv(live_->Query(*ledger_, Question(question)).value().answer));
  }
  Wait(2 * 60 * 60 * kMicrosPerSecond);
  Publish();
  for (size_t i = 0; i < std::size(questions); ++i) {
    EXPECT_EQ(before[i], ledger::AnswerCsv(ledger_->Query(Question(questions[i])).value()))
        << questions[i];
  }
}

TEST_F(Live, AnAnswerSaysUpToWhenItIs) {
  Begin(1);
  Finish(1, 5);
  Wait(2 * kMicrosPerSecond);
  const ledger::CostQuery query = Question(R"({"measures":["billed_cost"]})");
  const LiveCharges::Answer answer = live_->Query(*ledger_, query).value();
  const std::string json = LiveAnswerText(answer, ledger::AnswerFormat::kJson);
  EXPECT_NE(json.find(R"("live_through":"2026-11-25T10:50:02Z"})"), std::string::npos) << json;
  EXPECT_NE(LiveAnswerText(answer, ledger::AnswerFormat::kTable).find("2026-11-25T10:50:02Z"),
            std::string::npos);
}

}  // namespace
}  // namespace flyball::ingest
