#include "demo/demo.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/hash.h"
#include "base/money.h"
#include "demo/bill.h"
#include "demo/catalog.h"
#include "demo/meter.h"
#include "estate/estate.h"
#include "os/files.h"

namespace flyball::demo {
namespace {

class DemoTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* tmp = std::getenv("TMPDIR");
    std::string pattern = std::string(tmp != nullptr ? tmp : "/tmp") + "/flyball-demo-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { (void)files_->RemoveTree(dir_); }

  Made MakeInto(const std::string& name, uint64_t seed, int64_t rows, bool one_file = false) {
    Options options;
    options.dir = os::JoinPath(dir_, name);
    options.seed = seed;
    options.rows = rows;
    options.one_file = one_file;
    Result<Made> made = Make(options, *files_);
    EXPECT_TRUE(made.has_value()) << made.error().ToString();
    return made.value_or(Made{});
  }
  std::string HashOf(const Made& made) {
    Sha256 hash;
    for (const Bill& bill : made.bills) hash.Update(files_->ReadAll(bill.path).value_or(""));
    const Digest digest = hash.Finish();
    return Hex(digest);
  }

  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  std::string dir_;
};

int64_t RowsOf(const Made& made) {
  int64_t rows = 0;
  for (const Bill& bill : made.bills) rows += bill.rows;
  return rows;
}

// The cells of a line without quotes inside (numbers and times never have any).
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back().push_back(c);
    }
  }
  return cells;
}

TEST_F(DemoTest, TheSameSeedMakesTheSameBytesAndAnotherSeedDoesNot) {
  const std::string first = HashOf(MakeInto("a", 7, 5000));
  EXPECT_EQ(first, HashOf(MakeInto("b", 7, 5000)));
  EXPECT_NE(first, HashOf(MakeInto("c", 8, 5000)));
}

TEST_F(DemoTest, TheNumberOfRowsIsMetWithinATenthFromSixtyThousandUp) {
  for (int64_t rows : {60'000, 250'000}) {
    const int64_t made = RowsOf(MakeInto(std::to_string(rows), 1, rows));
    EXPECT_NEAR(static_cast<double>(made), static_cast<double>(rows),
                static_cast<double>(rows) * 0.1)
        << rows;
  }
}

TEST_F(DemoTest, RowsOutOfRangeAreRefusedWithTheRange) {
  Options options;
  options.dir = dir_;
  options.rows = 5;
  Result<Made> made = Make(options, *files_);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Code::kInvalidArgument);
  EXPECT_NE(made.error().message.find("1000"), std::string::npos);
}

// Price times quantity is the cost, exactly; what a commitment costs is what its use and its waste
// amount to.
TEST_F(DemoTest, CostsAreExactProductsAndCommitmentsAddUp) {
  const Made made = MakeInto("one", 3, 20'000, true);
  const std::string text = files_->ReadAll(made.bills.front().path).value_or("");
  size_t at = text.find('\n');
  const std::vector<std::string> header = Cells(text.substr(0, at));
  std::map<std::string, size_t> column;
  for (size_t i = 0; i < header.size(); ++i) column[header[i]] = i;
  std::map<std::string, std::pair<Money, Money>> commitments;
  int64_t checked = 0;
  while (++at < text.size()) {
    const size_t end = text.find('\n', at);
    const std::vector<std::string> row = Cells(text.substr(at, end - at));
    at = end;
    ASSERT_EQ(row.size(), header.size());
    const auto money = [&](const char* name) { return Money::Parse(row[column[name]]).value(); };
    if (!row[column["ListUnitPrice"]].empty()) {
      const Money price = Money::Parse(row[column["ListUnitPrice"]]).value();
      const Quantity quantity = Quantity::Parse(row[column["PricingQuantity"]]).value();
      ASSERT_EQ(Multiply(price, quantity).value(), money("ListCost"));
      ++checked;
    }
    const std::string id = row[column["CommitmentDiscountId"]];
    if (id.empty()) continue;
    auto& [paid, used] = commitments[id];
    const bool purchase = row[column["ChargeCategory"]] == "Purchase";
    Money& side = purchase ? paid : used;
    side = side.Plus(money(purchase ? "BilledCost" : "EffectiveCost")).value();
  }
  EXPECT_GT(checked, 10'000);
  EXPECT_GE(commitments.size(), 5U);
  for (const auto& [id, sides] : commitments) {
    EXPECT_EQ(sides.first, sides.second) << id;
    EXPECT_FALSE(sides.first.is_zero()) << id;
  }
}

TEST_F(DemoTest, TheRulebookIsValid) {
  const Made made = MakeInto("estate", 1, 1000);
  Result<std::string> snapshot = estate::LoadEstate(*files_, made.estate_path);
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().ToString();
  auto rules = estate::RuleSet::Compile(*snapshot);
  ASSERT_TRUE(rules.has_value()) << rules.error().ToString();
  EXPECT_EQ((*rules)->estate().use_cases.size(), UseCases().size());
}

TEST(MeterTest, SlotsCoverEveryMonthWithoutGapOrOverlap) {
  for (int step : {0, 1, 2, 3, 5, 10, 15, 31}) {
    Instant at = DayStart(0);
    for (int month = 0; month < kMonths; ++month) {
      for (const Slot& slot : SlotsOfMonth(month, step)) {
        ASSERT_EQ(slot.start, at);
        at = slot.end;
      }
    }
    EXPECT_EQ(at, DayStart(kDays));
  }
}

TEST(CatalogTest, StreamsNameUseCasesSourcesAndEventsThatExist) {
  for (const Stream& stream : Streams()) {
    (void)FindSource(stream.source);
    if (!stream.use_case.empty()) {
      EXPECT_NE(FindUseCase(stream.use_case), nullptr) << stream.use_case;
    }
    if (stream.event.empty()) continue;
    bool found = false;
    for (const Event& event : Events()) found = found || event.id == stream.event;
    EXPECT_TRUE(found) << stream.event;
  }
}

}  // namespace
}  // namespace flyball::demo
