#include "ingest/native/mapped.h"

#include <gtest/gtest.h>

namespace flyball::native {
namespace {

estate::Mapping Acme() {
  estate::Mapping mapping;
  mapping.name = "acme";
  mapping.dates = estate::DateOrder::kDayFirst;
  mapping.columns = {{"BilledCost", {"Amount"}, ""},
                     {"BillingCurrency", {}, "EUR"},
                     {"ChargePeriodStart", {"Start", "Date"}, ""},
                     {"ServiceName", {"Product"}, ""},
                     {"x_Team", {"Cost centre"}, ""}};
  mapping.tags = {{"env", "Environment"}, {"owner", "Owner"}};
  return mapping;
}

Draft Read(const Format& format, const std::vector<std::string>& names,
           const std::vector<std::string_view>& cells) {
  const Header header(names, format.spell);
  return Translate(format, Row(header, cells), {}).front();
}

TEST(Mapped, SaysARecordAsTheEstateMapsIt) {
  const auto format = FormatOf(Acme());
  const Draft draft =
      Read(*format, {"Date", "Start", "AMOUNT", "Product", "Cost Centre", "Environment", "Owner"},
           {"31.12.2026", "", "12.5", "GPU", "ads", "prod", ""});
  EXPECT_EQ(draft[At("BilledCost")], "12.5");
  EXPECT_EQ(draft[At("BillingCurrency")], "EUR");
  EXPECT_EQ(draft[At("ChargePeriodStart")], "2026-12-31T00:00:00Z");
  EXPECT_EQ(draft[At("ChargePeriodEnd")], "2027-01-01T00:00:00Z");
  EXPECT_EQ(draft[At("BillingPeriodStart")], "2026-12-01T00:00:00Z");
  EXPECT_EQ(draft[At("BillingPeriodEnd")], "2027-01-01T00:00:00Z");
  EXPECT_EQ(draft[At("ServiceName")], "GPU");
  EXPECT_EQ(draft[At("x_Team")], "ads");
  EXPECT_EQ(draft[At("Tags")], R"({"env":"prod"})");
  EXPECT_EQ(LineageOf(*format, "BillingCurrency"), focus::Lineage::kAssumed);
  EXPECT_EQ(LineageOf(*format, "ServiceName"), focus::Lineage::kObserved);
  EXPECT_EQ(MissingColumns(*format, Header({"Date"}, format->spell)),
            std::vector<std::string_view>{"amount"});
}

TEST(Mapped, TakesACostFromTheFirstOfItsColumnsThatSaysSomething) {
  estate::Mapping mapping = Acme();
  mapping.columns[0].from = {"Net", "Gross", "Total"};
  const auto format = FormatOf(mapping);
  const std::vector<std::string> names = {"Date", "Net", "Gross", "Total"};
  EXPECT_EQ(Read(*format, names, {"31.12.2026", "5", "", ""})[At("BilledCost")], "5");
  EXPECT_EQ(Read(*format, names, {"31.12.2026", "", "7", ""})[At("BilledCost")], "7");
  EXPECT_EQ(Read(*format, names, {"31.12.2026", "", "", "11"})[At("BilledCost")], "11");
  EXPECT_EQ(Read(*format, names, {"31.12.2026", "5", "7", "11"})[At("BilledCost")], "5");
}

TEST(Mapped, ReadsDatesInTheOrderThatIsSaid) {
  struct Case {
    estate::DateOrder order;
    const char* text;
    const char* read;
  };
  for (const Case& one : std::vector<Case>{
           {estate::DateOrder::kDayFirst, "1/2/2026", "2026-02-01T00:00:00Z"},
           {estate::DateOrder::kMonthFirst, "1/2/2026", "2026-01-02T00:00:00Z"},
           {estate::DateOrder::kDayFirst, "2026-02-01", "2026-02-01T00:00:00Z"},
           {estate::DateOrder::kDayFirst, "01.02.2026 10:00:00", "2026-02-01T10:00:00Z"},
           {estate::DateOrder::kMonthFirst, "31/12/2026", "2026-31-12"},  // goes on as it is
           {estate::DateOrder::kDayFirst, "soon", "soon"},
           {estate::DateOrder::kIso, "1/2/2026", "2026-01-02T00:00:00Z"}}) {
    estate::Mapping mapping = Acme();
    mapping.dates = one.order;
    const Draft draft = Read(*FormatOf(mapping), {"Date", "Amount"}, {one.text, "1"});
    EXPECT_EQ(draft[At("ChargePeriodStart")], one.read) << one.text;
  }
}

}  // namespace
}  // namespace flyball::native
