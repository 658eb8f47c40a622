// Months of a vendor's API, asked of a real server on this machine that pages, refuses and breaks:
// which days are asked for, when, and what is kept.
#include "sources/api_month.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "net/http.h"
#include "os/sim_files.h"
#include "sources/api_pages.h"

namespace flyball::sources {
namespace {

Instant At(const char* text) { return ParseUserInstant(text).value(); }

// Answers as Anthropic's cost report does; what a day cost is set by the test.
class Vendor {
 public:
  Vendor() {
    setenv("NO_PROXY", "127.0.0.1", 1);
    server_ = net::Server::Start(
                  {}, [this](const net::Request& request) { return Answer(request); }, {}, {})
                  .value();
  }

  int port() const { return server_->port(); }

  void Cost(const char* day, const std::string& cents) {
    const std::scoped_lock lock(mutex_);
    cents_[At(day)] = cents;
  }
  // Days that it does not speak of.
  void LeaveOut(const char* day) {
    const std::scoped_lock lock(mutex_);
    left_out_ = At(day);
  }
  // From the n-th request on the status is another; 200: no more.
  void Fail(int from, int status) {
    const std::scoped_lock lock(mutex_);
    fail_from_ = static_cast<int>(asked_.size()) + from;
    fail_status_ = status;
  }
  // "2026-10-01" or the place of a later page, of every request since the last call.
  std::vector<std::string> Asked() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(asked_, {});
  }

 private:
  net::Response Answer(const net::Request& request) {
    const std::scoped_lock lock(mutex_);
    const std::string from = request.query.at("from");
    const Instant end = At(request.query.at("to").c_str());
    asked_.push_back(from);
    net::Response response;
    if (static_cast<int>(asked_.size()) >= fail_from_ && fail_status_ != 200) {
      response.status = fail_status_;
      response.body = R"({"error":{"type":"a_word","message":"key the-key"}})";
      return response;
    }
    Instant day = At(from.c_str());
    std::string days;
    for (int i = std::stoi(request.query.at("days")); i > 0 && day < end;
         --i, day.us += kMicrosPerDay) {
      if (day == left_out_) continue;
      days += fmt::format(
          R"({}{{"starting_at":"{}","ending_at":"{}","results":[{}]}})", days.empty() ? "" : ",",
          FormatInstant(day), FormatInstant(Instant{day.us + kMicrosPerDay}),
          !cents_[day].empty() ? fmt::format(R"({{"amount":"{}"}})", cents_[day]) : "");
    }
    response.body = day < end
                        ? fmt::format(R"({{"data":[{}],"has_more":true,"next_page":"{}"}})", days,
                                      FormatDate(day))
                        : fmt::format(R"({{"data":[{}],"has_more":false,"next_page":null}})", days);
    return response;
  }

  std::mutex mutex_;
  std::map<Instant, std::string> cents_;
  std::vector<std::string> asked_;
  Instant left_out_;
  int fail_from_ = 0;
  int fail_status_ = 200;
  std::unique_ptr<net::Server> server_;
};

class ApiMonthTest : public testing::Test {
 protected:
  ApiMonthTest() {
    source_.name = "claude";
    source_.kind = estate::SourceKind::kAnthropic;
    source_.from = At("2026-10");
    source_.again_days = 3;
    source_.endpoint = fmt::format("http://127.0.0.1:{}", vendor_.port());
    api_ = MakeVendorApi(source_, "the-key");
    // The server of this test takes no parameter twice.
    api_.days_a_page = 2;
    api_.ask = [this](Period days, const std::string& next, int days_a_page) {
      net::WebRequest request;
      request.url = fmt::format("{}/cost?from={}&to={}&days={}", source_.endpoint,
                                next.empty() ? FormatDate(days.start) : next, FormatDate(days.end),
                                days_a_page);
      return request;
    };
  }

  Fetcher MakeFetcher() { return FetcherOver(web_); }
  Fetcher FetcherOver(net::WebClient& web) {
    return {web,
            files_,
            clock_,
            random_,
            pacer_,
            [this](int64_t us) {
              waited_us_ += us;
              return true;
            },
            {}};
  }

  ApiMonth Month(const std::string& id = "2026-10") {
    const auto months = MonthsOf(api_, source_, "/home/sync/claude", clock_.Now()).value();
    for (const ApiMonth& month : months) {
      if (month.id == id) return month;
    }
    ADD_FAILURE() << "no month " << id;
    return {};
  }
  Result<MonthBill> TakeBill(bool keep = true) {
    return TakeMonth(MakeFetcher(), api_, Month(), keep);
  }
  Result<Object> Take(bool keep = true) {
    Result<MonthBill> bill = TakeBill(keep);
    if (!bill) return Fail(std::move(bill).error());
    return bill->object;
  }
  std::string Bill() { return ReadMonthBill(files_, api_, Month()).value(); }
  void GoTo(const char* time) { clock_.Advance(At(time).us - clock_.Now().us); }

  using Days = std::vector<std::string>;
  Vendor vendor_;
  estate::Source source_;
  VendorApi api_;
  os::SimFiles files_{{}};
  SimClock clock_{At("2026-10-05T12:00:00Z")};
  Random random_{1};
  Pacer pacer_{0};
  net::WebClient web_{{}};
  int64_t waited_us_ = 0;
};

TEST_F(ApiMonthTest, DaysThatAreFinalAreNotAskedForAgain) {
  vendor_.Cost("2026-10-01", "10");
  vendor_.Cost("2026-10-05", "50");
  const Object first = Take().value();
  EXPECT_EQ(first.key, "2026-10.json");
  EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-01", "2026-10-03", "2026-10-05"}));
  // 1 October ended three days and a half ago and is final; 2 October is not.
  vendor_.Cost("2026-10-01", "11");
  vendor_.Cost("2026-10-02", "20");
  const Object second = Take().value();
  EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-02", "2026-10-04"}));
  EXPECT_NE(second.version, first.version);
  const std::string bill = Bill();
  EXPECT_EQ(bill.size(), second.bytes);
  EXPECT_NE(bill.find("\"10\""), std::string::npos) << bill;
  EXPECT_EQ(bill.find("\"11\""), std::string::npos) << bill;
  EXPECT_NE(bill.find("\"20\""), std::string::npos) << bill;
  // Nothing new: the same bill.
  EXPECT_EQ(Take().value().version, second.version);
  GoTo("2026-11-20");
  vendor_.Cost("2026-10-31", "31");
  EXPECT_NE(Take().value().version, second.version);
  vendor_.Asked();
  EXPECT_NE(Bill().find("\"31\""), std::string::npos);
  // All of it is final now.
  GoTo("2026-11-21");
  EXPECT_EQ(Take().value().bytes, Bill().size());
  EXPECT_EQ(vendor_.Asked(), Days{});
}

TEST_F(ApiMonthTest, AWalkThatWasEndedGoesOnWithThePageThatIsMissing) {
  vendor_.Cost("2026-10-01", "10");
  vendor_.Cost("2026-10-03", "30");
  vendor_.Fail(2, 503);
  const Result<Object> broken = Take();
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::kUnavailable);
  EXPECT_NE(broken.error().message.find("/v1/organizations/cost_report was answered with 503"),
            std::string::npos)
      << broken.error().message;
  EXPECT_EQ(vendor_.Asked().size(), 1u + kTriesMax);
  // Half a walk is no bill.
  EXPECT_EQ(Bill(), "");
  vendor_.Fail(1, 200);
  ASSERT_TRUE(Take());
  EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-03", "2026-10-05"}));
  EXPECT_NE(Bill().find("\"30\""), std::string::npos);
  EXPECT_NE(Bill().find("\"10\""), std::string::npos);
}

TEST_F(ApiMonthTest, AWalkIsBegunAnewWhenItsPlaceIsStale) {
  vendor_.Cost("2026-10-01", "10");
  vendor_.Fail(2, 503);
  ASSERT_FALSE(Take());
  vendor_.Asked();
  // The vendor does not know the page any more: it refuses once, for the page that was gone on
  // with.
  vendor_.Fail(1, 400);
  EXPECT_EQ(Take().error().code, Code::kFailedPrecondition);
  EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-03", "2026-10-01"}));
  // A day later its stretch is another one.
  vendor_.Fail(2, 503);
  ASSERT_FALSE(Take());
  vendor_.Asked();
  vendor_.Fail(1, 200);
  GoTo("2026-10-06T13:00:00Z");
  ASSERT_TRUE(Take());
  EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-01", "2026-10-03", "2026-10-05"}));
}

TEST_F(ApiMonthTest, ARefusedKeyIsToldOnceWithTheRemedy) {
  vendor_.Fail(1, 401);
  const Result<Object> refused = Take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnauthenticated);
  EXPECT_NE(refused.error().ToString().find("admin key"), std::string::npos);
  EXPECT_NE(refused.error().message.find("401 a_word"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(refused.error().ToString().find("the-key"), std::string::npos);
  EXPECT_EQ(vendor_.Asked().size(), 1u);
}

TEST_F(ApiMonthTest, ADryRunKeepsNothingAndSaysTheSame) {
  vendor_.Cost("2026-10-02", "10");
  const Object dry = Take(false).value();
  EXPECT_FALSE(files_.Exists("/home/sync/claude"));
  const Object kept = Take().value();
  EXPECT_EQ(dry.version, kept.version);
  EXPECT_EQ(dry.bytes, kept.bytes);
}

TEST_F(ApiMonthTest, ADayThatIsNotSpokenOfIsNotTakenForFree) {
  vendor_.Cost("2026-10-04", "10");
  vendor_.LeaveOut("2026-10-03");  // never charged: nothing is lost
  const Object first = Take().value();
  vendor_.LeaveOut("2026-10-04");
  for (const bool keep : {false, true}) {
    const Result<Object> lost = Take(keep);
    ASSERT_FALSE(lost);
    EXPECT_NE(lost.error().message.find("2026-10-04 had charges"), std::string::npos)
        << lost.error().message;
  }
  EXPECT_NE(Bill().find("\"10\""), std::string::npos);
  vendor_.LeaveOut("2026-10-03");
  EXPECT_EQ(Take().value().version, first.version);
}

// An answer without a row is also what a vendor gives whose own sums are not ready.
TEST_F(ApiMonthTest, ADayThatHasNoChargeAnyMoreIsBelievedWhenItIsSaidAgainHoursLater) {
  vendor_.Cost("2026-10-04", "10");
  vendor_.Cost("2026-10-02", "20");
  const Object first = Take().value();
  const auto refused = [&](bool keep) {
    const Result<Object> doubted = Take(keep);
    ASSERT_FALSE(doubted);
    EXPECT_NE(doubted.error().message.find("2026-10-04 had charges"), std::string::npos)
        << doubted.error().message;
    EXPECT_NE(Bill().find("\"10\""), std::string::npos);
  };
  vendor_.Cost("2026-10-04", "");
  refused(false);  // a dry run is no first time
  GoTo("2026-10-05T19:00:00Z");
  refused(true);
  GoTo("2026-10-06T00:59:59Z");
  refused(true);
  // It has them again: the next time is a first one.
  vendor_.Cost("2026-10-04", "10");
  EXPECT_EQ(Take().value().version, first.version);
  vendor_.Cost("2026-10-04", "");
  GoTo("2026-10-06T02:00:00Z");
  refused(true);
  GoTo("2026-10-06T08:00:00Z");
  EXPECT_NE(Take(false).value().version, first.version);
  EXPECT_NE(Take().value().version, first.version);
  EXPECT_EQ(Bill().find("\"10\""), std::string::npos);
  EXPECT_NE(Bill().find("\"20\""), std::string::npos);
  EXPECT_FALSE(files_.Exists(os::JoinPath(Month().folder, "doubts")));
}

// The days of another organisation would restate this one's.
TEST_F(ApiMonthTest, AnotherKeyIsNotTakenForTheSameOrganisations) {
  const std::string pages = os::ParentPath(Month().folder);
  EXPECT_TRUE(CheckKey(files_, api_, pages));  // nothing was asked yet
  ASSERT_TRUE(Take(false));
  EXPECT_FALSE(files_.Exists(pages));
  ASSERT_TRUE(Take());
  EXPECT_TRUE(CheckKey(files_, api_, pages));
  const VendorApi other = MakeVendorApi(source_, "another-key");
  const Status refused = CheckKey(files_, other, pages);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_NE(refused.error().ToString().find("--accept-key"), std::string::npos);
  EXPECT_EQ(refused.error().ToString().find("another-key"), std::string::npos);
  ASSERT_TRUE(KeepKey(files_, other, pages));
  EXPECT_TRUE(CheckKey(files_, other, pages));
  EXPECT_FALSE(CheckKey(files_, api_, pages));
  for (const std::string& name : files_.List(pages).value()) {
    const Result<std::string> text = files_.ReadAll(os::JoinPath(pages, name));
    if (text) EXPECT_EQ(text->find("another-key"), std::string::npos) << name;
  }
}

TEST_F(ApiMonthTest, AMonthWithoutACharge) {
  EXPECT_EQ(Take().value().bytes, 0u);
  EXPECT_EQ(Bill(), "");
}

TEST_F(ApiMonthTest, PagesThatAreTooLargeAreAskedForWithFewerDays) {
  for (const char* day : {"2026-10-01", "2026-10-02", "2026-10-03", "2026-10-05"}) {
    vendor_.Cost(day, std::string(600, '7'));
  }
  net::WebOptions options;
  options.body_max_bytes = 1024;
  net::WebClient small(options);
  for (const bool keep : {false, true}) {
    ASSERT_TRUE(TakeMonth(FetcherOver(small), api_, Month(), keep));
    EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-01", "2026-10-01", "2026-10-02", "2026-10-03",
                                     "2026-10-04", "2026-10-05"}));
  }
  EXPECT_EQ(files_.List(Month().folder).value().size(), 2u);  // the walk, and what it comes to
  // A place in a list is one of pages of as many days as the page before had.
  GoTo("2026-10-09T12:00:00Z");
  vendor_.Fail(3, 503);
  ASSERT_FALSE(TakeMonth(FetcherOver(small), api_, Month(), true));
  vendor_.Cost("2026-10-07", std::string(600, '7'));
  vendor_.Cost("2026-10-08", std::string(600, '7'));
  vendor_.Asked();
  vendor_.Fail(1, 200);
  ASSERT_TRUE(TakeMonth(FetcherOver(small), api_, Month(), true));
  EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-03", "2026-10-04", "2026-10-05", "2026-10-06",
                                   "2026-10-07", "2026-10-08", "2026-10-09"}));
  // A day that is too large by itself.
  vendor_.Cost("2026-10-09", std::string(2000, '7'));
  const Result<MonthBill> large = TakeMonth(FetcherOver(small), api_, Month(), true);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Code::kResourceExhausted);
  EXPECT_NE(large.error().ToString().find("one day alone"), std::string::npos)
      << large.error().ToString();
}

// What import would refuse is not fetched to its end.
TEST_F(ApiMonthTest, AMonthThatIsTooLargeToImportIsToldAtOnce) {
  for (const char* day : {"2026-10-01", "2026-10-03", "2026-10-05"}) {
    vendor_.Cost(day, std::string(600, '7'));
  }
  ApiMonth month = Month();
  month.bytes_max = 1500;
  const Result<MonthBill> refused = TakeMonth(MakeFetcher(), api_, month, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("2026-10"), std::string::npos);
  EXPECT_EQ(vendor_.Asked().size(), 2u);
}

// Half a month would restate the whole one that the ledger has.
TEST_F(ApiMonthTest, DaysThatCanNotBeHadAnyMoreAreAnError) {
  api_.history_days = 3;
  const Result<Object> lost = Take();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kFailedPrecondition);
  EXPECT_NE(lost.error().ToString().find("`from` of the source be 2026-10-02"), std::string::npos)
      << lost.error().ToString();
  EXPECT_EQ(vendor_.Asked(), Days{});
  EXPECT_NE(lost.error().ToString().find("none of the charges since 2026-10-01"), std::string::npos)
      << lost.error().ToString();
  source_.from = At("2026-10-02");
  ASSERT_TRUE(Take());
  // What was had in time stays, though it can't be asked for again.
  GoTo("2026-10-08T12:00:00Z");
  ASSERT_TRUE(Take());
  EXPECT_EQ(vendor_.Asked().back(), "2026-10-07");
  GoTo("2026-10-20");
  EXPECT_EQ(Take().error().code, Code::kFailedPrecondition);
}

// A later `from` asks for less, and takes nothing out of the ledger.
TEST_F(ApiMonthTest, DaysBeforeALaterFromStayInTheBill) {
  vendor_.Cost("2026-10-01", "10");
  vendor_.Cost("2026-10-04", "40");
  const MonthBill before = TakeBill().value();
  EXPECT_EQ(before.days, 0b11111u);
  source_.from = At("2026-10-04");
  vendor_.Asked();
  for (const bool keep : {false, true}) {
    const MonthBill bill = TakeBill(keep).value();
    EXPECT_EQ(bill.object.version, before.object.version);
    EXPECT_EQ(bill.days, before.days);
    EXPECT_EQ(vendor_.Asked(), (Days{"2026-10-04"}));
  }
  EXPECT_NE(Bill().find("\"10\""), std::string::npos);
  EXPECT_TRUE(CheckDaysStay(Month(), {"", "", {}, before.days}, before));
  // Without their pages the month would be restated without them.
  ASSERT_TRUE(files_.RemoveTree(Month().folder));
  const MonthBill less = TakeBill().value();
  EXPECT_EQ(less.days, 0b11000u);
  const Status lost = CheckDaysStay(Month(), {"", "", {}, before.days}, less);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kFailedPrecondition);
  EXPECT_NE(lost.error().ToString().find("2026-10-01"), std::string::npos)
      << lost.error().ToString();
  EXPECT_TRUE(CheckDaysStay(Month(), {}, less));  // nothing is remembered
  source_.from = At("2026-10-01");
  EXPECT_EQ(TakeBill().value().days, before.days);
}

// OpenRouter's pages of more than a month ago can't be had again.
TEST_F(ApiMonthTest, PagesAreFoundBehindAnotherAddress) {
  vendor_.Cost("2026-10-01", "10");
  ASSERT_TRUE(Take());
  EXPECT_EQ(Month().folder, "/home/sync/claude/pages/anthropic-costs/2026-10");
  vendor_.Asked();
  source_.endpoint += "/another";
  api_.report = MakeVendorApi(source_, "the-key").report;
  ASSERT_TRUE(Take());
  EXPECT_EQ(vendor_.Asked().front(), "2026-10-02");  // the first is final
}

TEST_F(ApiMonthTest, AClockThatWasWrongIsNotBelieved) {
  vendor_.Cost("2026-10-01", "10");
  GoTo("2027-10-01");
  ASSERT_TRUE(Take());
  clock_.JumpWall(At("2026-10-05T12:00:00Z").us - clock_.Now().us);
  vendor_.Cost("2026-10-01", "12");
  vendor_.Asked();
  ASSERT_TRUE(Take());
  EXPECT_EQ(vendor_.Asked().size(), 3u);
  EXPECT_NE(Bill().find("\"12\""), std::string::npos);
}

TEST_F(ApiMonthTest, APageThatWasDamagedIsTold) {
  vendor_.Cost("2026-10-01", "10");
  ASSERT_TRUE(Take());
  const ApiMonth month = Month();
  for (const std::string& name : files_.List(month.folder).value()) {
    const std::string page = os::JoinPath(os::JoinPath(month.folder, name), "000.json");
    if (files_.Exists(page)) ASSERT_TRUE(os::AtomicWrite(files_, page, "{\"data\":"));
  }
  const Result<std::string> bill = ReadMonthBill(files_, api_, month);
  ASSERT_FALSE(bill);
  EXPECT_EQ(bill.error().code, Code::kDataLoss);
}

TEST(MonthsOfApi, BeginWithFromAndEndWithWhatTheVendorStates) {
  estate::Source source;
  source.kind = estate::SourceKind::kOpenAi;
  source.from = At("2026-09-15");
  const auto months = [&](const char* now) {
    return MonthsOf(MakeVendorApi(source, ""), source, "/s", At(now)).value();
  };
  ASSERT_EQ(months("2026-10-31T23:59:59Z").size(), 2u);
  EXPECT_EQ(months("2026-10-31T23:59:59Z")[0].days, (Period{At("2026-09-15"), At("2026-10")}));
  EXPECT_EQ(months("2026-10-31T23:59:59Z")[1].days, (Period{At("2026-10"), At("2026-11")}));
  EXPECT_EQ(months("2026-09-14").size(), 0u);
  // OpenRouter states completed days.
  source.kind = estate::SourceKind::kOpenRouter;
  EXPECT_EQ(months("2026-09-15T23:00:00Z").size(), 0u);
  EXPECT_EQ(months("2026-09-16")[0].days, (Period{At("2026-09-15"), At("2026-09-16")}));
  source.from = At("1990-01-01");
  EXPECT_EQ(MonthsOf(MakeVendorApi(source, ""), source, "/s", At("2026-10")).error().code,
            Code::kResourceExhausted);
}

}  // namespace
}  // namespace flyball::sources
