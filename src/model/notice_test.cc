#include "model/notice.h"

#include <gtest/gtest.h>

namespace flyball::notice {
namespace {

Notice Made() {
  Notice notice;
  notice.id = "incident-1";
  notice.kind = "incident";
  notice.severity = Severity::kWarning;
  notice.title = "The key agent-7 spends 40 times its pace";
  notice.labels = {{"team", "search"}, {"key", "agent-7"}};
  notice.amount = Money::Parse("12.5").value();
  return notice;
}

TEST(Notice, NamesAreReadBack) {
  for (const Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kCritical}) {
    EXPECT_EQ(ParseSeverity(SeverityName(severity)), severity);
  }
  for (const State state : {State::kOpen, State::kAcknowledged, State::kResolved}) {
    EXPECT_EQ(ParseState(StateName(state)), state);
  }
  EXPECT_EQ(ParseSeverity("Critical"), std::nullopt);
}

TEST(Notice, MatchesWhenAllConditionsHold) {
  const Notice notice = Made();
  EXPECT_TRUE(Matches({}, notice));
  Match match;
  match.least = Severity::kWarning;
  match.labels = {{"team", {"ads", "sea*"}}, {"kind", {"incident"}}};
  match.least_amount = Money::Parse("12.5").value();
  EXPECT_TRUE(Matches(match, notice));
  match.least_amount = Money::Parse("12.51").value();
  EXPECT_FALSE(Matches(match, notice));
  match.least_amount.reset();
  match.least = Severity::kCritical;
  EXPECT_FALSE(Matches(match, notice));
  match.least.reset();
  match.labels.push_back({"model", {"*"}});  // the notice has none
  EXPECT_FALSE(Matches(match, notice));
}

TEST(Notice, NothingThatBreaksALineOrIsNoTextPasses) {
  EXPECT_TRUE(Validate(Made()));
  Notice notice = Made();
  notice.title = "two\nlines";
  EXPECT_FALSE(Validate(notice));
  notice = Made();
  notice.id.clear();
  EXPECT_FALSE(Validate(notice));
  notice = Made();
  notice.text = "\xff";
  EXPECT_FALSE(Validate(notice));
  notice = Made();
  notice.labels.assign(kLabelsMax + 1, {"a", "b"});
  EXPECT_FALSE(Validate(notice));
}

}  // namespace
}  // namespace flyball::notice
