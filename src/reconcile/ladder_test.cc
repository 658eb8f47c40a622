#include "reconcile/ladder.h"

#include <gtest/gtest.h>

#include <random>

namespace flyball::reconcile {
namespace {

Money M(std::string_view text) { return *Money::Parse(text); }

LedgerSum Sum(std::string service, std::string category, std::string_view billed) {
  LedgerSum sum;
  sum.issuer = "AWS";
  sum.invoice = "INV1";
  sum.currency = "USD";
  sum.account = "1";
  sum.category = std::move(category);
  sum.service = std::move(service);
  sum.billed = M(billed);
  sum.charges = 3;
  return sum;
}
InvoiceLine Line(std::string category, std::string service, std::string_view amount) {
  InvoiceLine line;
  line.place = "a test";
  line.issuer = "aws";
  line.invoice = "INV1";
  line.currency = "USD";
  line.category = std::move(category);
  line.service = std::move(service);
  line.amount = M(amount);
  return line;
}

Ladders Make(const std::vector<InvoiceLine>& lines, const std::vector<LedgerSum>& sums,
             const std::vector<LedgerSum>& neighbours = {},
             std::vector<std::pair<std::string, Money>> quarantined = {}) {
  auto ladders = MakeLadders({"2026-10", lines, sums, neighbours, std::move(quarantined)});
  EXPECT_TRUE(ladders.has_value());
  for (const Ladder& ladder : ladders->invoices) {
    Money steps;
    for (const Step& step : ladder.steps) {
      steps = *steps.Plus(step.amount);
      EXPECT_EQ(step.amount, *step.ledger.Plus(step.invoiced.Negated())) << step.text;
    }
    EXPECT_EQ(steps, ladder.difference()) << ladder.invoice;
  }
  return *ladders;
}

TEST(Ladder, AnInvoiceThatIsShortByOneTaxLineNamesIt) {
  const std::vector<LedgerSum> sums = {Sum("EC2", "Usage", "100"), Sum("EC2", "Tax", "7.25"),
                                       Sum("S3", "Tax", "2.5")};
  // Line by line, and as a total that somebody typed.
  for (const std::vector<InvoiceLine>& lines :
       {std::vector{Line("Usage", "EC2", "100"), Line("Tax", "EC2", "7.25")},
        std::vector{Line("Usage", "", "100"), Line("Tax", "", "7.25")},
        std::vector{Line("", "", "107.25")}}) {
    const Ladders ladders = Make(lines, sums);
    ASSERT_EQ(ladders.invoices.size(), 1u);
    const Ladder& ladder = ladders.invoices[0];
    EXPECT_EQ(ladder.difference(), M("2.5"));
    ASSERT_EQ(ladder.steps.size(), 1u);
    EXPECT_EQ(ladder.steps[0].reason, StepReason::kTax);
    EXPECT_EQ(ladder.steps[0].service, "S3");
    EXPECT_EQ(ladder.steps[0].category, "Tax");
  }
}

TEST(Ladder, ATotalInCentsIsChargeAndRounding) {
  const Ladders ladders =
      Make({Line("", "", "100.12")}, {Sum("EC2", "Usage", "100.1234"), Sum("EC2", "Tax", "7.25")});
  ASSERT_EQ(ladders.invoices.at(0).steps.size(), 2u);
  EXPECT_EQ(ladders.invoices[0].steps[0].reason, StepReason::kTax);
  EXPECT_EQ(ladders.invoices[0].steps[0].amount, M("7.25"));
  EXPECT_EQ(ladders.invoices[0].steps[1].reason, StepReason::kRounding);
  EXPECT_EQ(ladders.invoices[0].steps[1].amount, M("0.0034"));
}

TEST(Ladder, WhatIsTheDifferenceToTheLastDigitComesBeforeRounding) {
  // Hundreds of lines would round away a tax of 30 if rounding came first.
  std::vector<InvoiceLine> lines(9000, Line("", "", "1"));
  const Ladders ladders = Make(lines, {Sum("EC2", "Usage", "9000"), Sum("VAT", "Tax", "30")});
  ASSERT_EQ(ladders.invoices.at(0).steps.size(), 1u);
  EXPECT_EQ(ladders.invoices[0].steps[0].reason, StepReason::kTax);
  // And rounding never explains more than that of a hundred lines.
  const Ladders many = Make(lines, {Sum("EC2", "Usage", "9000.51")});
  EXPECT_EQ(many.invoices.at(0).steps.at(0).reason, StepReason::kUnexplained);
}

TEST(Ladder, YenRoundToWholeUnits) {
  LedgerSum yen = Sum("EC2", "Usage", "100.4");
  InvoiceLine line = Line("Usage", "", "100");
  yen.currency = line.currency = "JPY";
  EXPECT_EQ(Make({line}, {yen}).invoices.at(0).steps.at(0).reason, StepReason::kRounding);
}

TEST(Ladder, AnIssuerMayBeCalledByItsProvider) {
  LedgerSum sum = Sum("EC2", "Usage", "100");
  sum.issuer = "Amazon Web Services, Inc.";
  sum.provider = "AWS";
  EXPECT_TRUE(Make({Line("", "", "100")}, {sum}).invoices.at(0).steps.empty());
  // A name that nobody has is told from those that there are.
  InvoiceLine line = Line("", "", "100");
  line.issuer = "ASW";
  const Ladders ladders = Make({line}, {sum});
  ASSERT_EQ(ladders.invoices.size(), 1u);
  EXPECT_NE(ladders.invoices[0].steps.at(0).text.find("Amazon Web Services"), std::string::npos);
}

TEST(Ladder, EqualSidesHaveNoSteps) {
  const Ladders ladders = Make({Line("Usage", "EC2", "100")}, {Sum("EC2", "Usage", "100")});
  ASSERT_EQ(ladders.invoices.size(), 1u);
  EXPECT_TRUE(ladders.invoices[0].steps.empty());
}

TEST(Ladder, RoundingIsHalfACentForEachLine) {
  const auto reason = [](std::string_view billed) {
    const Ladders ladders = Make({Line("Usage", "EC2", "100")}, {Sum("EC2", "Usage", billed)});
    return ladders.invoices.at(0).steps.at(0).reason;
  };
  EXPECT_EQ(reason("100.005"), StepReason::kRounding);
  EXPECT_EQ(reason("99.995"), StepReason::kRounding);
  EXPECT_EQ(reason("100.005000000001"), StepReason::kUnexplained);
}

TEST(Ladder, ALineThatTheLedgerHasNextMonthIsTiming) {
  const std::vector<InvoiceLine> lines = {Line("Usage", "EC2", "100"), Line("Usage", "S3", "12")};
  const std::vector<LedgerSum> sums = {Sum("EC2", "Usage", "100")};
  EXPECT_EQ(Make(lines, sums).invoices.at(0).steps.at(0).reason, StepReason::kMissing);
  LedgerSum next = Sum("S3", "Usage", "12");
  next.period = "2026-11";
  const Ladders ladders = Make(lines, sums, {next});
  const Step& step = ladders.invoices.at(0).steps.at(0);
  EXPECT_EQ(step.reason, StepReason::kTiming);
  EXPECT_EQ(step.other_period, "2026-11");
  EXPECT_EQ(step.line, "a test");
  EXPECT_EQ(step.invoiced, M("12"));
}

TEST(Ladder, WhatTheImportCouldNotReadIsNamed) {
  const Ladders ladders = Make({Line("", "", "105")}, {Sum("EC2", "Usage", "100")}, {},
                               {{"EUR", M("5")}, {"USD", M("5")}});
  EXPECT_EQ(ladders.invoices.at(0).steps.at(0).reason, StepReason::kQuarantined);
}

TEST(Ladder, EstimatesAreNotFinal) {
  LedgerSum small = Sum("EC2", "Usage", "100");
  small.estimate = M("0.4");
  const Ladders large = Make({Line("Usage", "", "103")}, {small, Sum("S3", "Usage", "1.2")});
  EXPECT_EQ(large.invoices.at(0).steps.at(0).reason, StepReason::kUnexplained);
  LedgerSum estimate = Sum("EC2", "Usage", "100");
  estimate.estimate = M("40");
  const Ladders ladders = Make({Line("Usage", "", "103")}, {estimate, Sum("S3", "Usage", "1.5")});
  EXPECT_EQ(ladders.invoices.at(0).steps.at(0).reason, StepReason::kEstimate);
  EXPECT_EQ(ladders.invoices.at(0).steps.at(0).estimate, M("40"));
  EXPECT_EQ(ladders.invoices.at(0).estimate, M("40"));
}

LedgerSum Correction(std::string_view billed, const std::string& month) {
  LedgerSum sum = Sum("EC2", "Usage", billed);
  sum.correction = month;
  return sum;
}
std::string Reasons(const Ladder& ladder) {
  std::string text;
  for (const Step& step : ladder.steps) {
    text += (text.empty() ? "" : ", ") + std::string(StepReasonName(step.reason)) + " " +
            step.amount.ToString() + (step.other_period.empty() ? "" : " " + step.other_period);
  }
  return text;
}

TEST(Ladder, CorrectionsOfClosedMonthsAreAStepEach) {
  const std::vector<LedgerSum> sums = {Sum("EC2", "Usage", "100"), Correction("7", "2026-09"),
                                       Correction("-2.5", "2026-08")};
  const auto reasons = [&](std::string_view invoiced) {
    return Reasons(Make({Line("", "", invoiced)}, sums).invoices.at(0));
  };
  EXPECT_EQ(reasons("100"), "correction 7 2026-09, correction -2.5 2026-08");
  // With the rounding of the invoice, and with a difference of its own.
  EXPECT_EQ(reasons("100.004"), "correction 7 2026-09, correction -2.5 2026-08, rounding -0.004");
  EXPECT_EQ(reasons("99"), "correction 7 2026-09, correction -2.5 2026-08, unexplained 1");
  // The vendor has put them on this invoice, all of them or one.
  EXPECT_EQ(reasons("104.5"), "");
  EXPECT_EQ(reasons("105"), "unexplained -0.5");
  EXPECT_EQ(reasons("97.5"), "correction 7 2026-09");
}

TEST(Ladder, WhatALaterMonthHasAsCorrectionsIsAReasonInTheClosedOne) {
  LedgerSum later = Correction("7", "2026-10");
  later.period = "2026-11";
  EXPECT_EQ(
      Reasons(Make({Line("", "", "107")}, {Sum("EC2", "Usage", "100")}, {later}).invoices.at(0)),
      "correction -7 2026-11");
  EXPECT_EQ(
      Reasons(Make({Line("", "", "106")}, {Sum("EC2", "Usage", "100")}, {later}).invoices.at(0)),
      "unexplained -6");
  // Charges of this month's days that correct another one.
  later.correction = "2026-09";
  EXPECT_EQ(
      Reasons(Make({Line("", "", "107")}, {Sum("EC2", "Usage", "100")}, {later}).invoices.at(0)),
      "unexplained -7");
}

TEST(Ladder, InvoicesAreHeldAgainstTheirOwnCharges) {
  LedgerSum other = Sum("EC2", "Usage", "50");
  other.invoice = "INV2";
  LedgerSum azure = Sum("VM", "Usage", "9");
  azure.issuer = "Microsoft";
  InvoiceLine line = Line("", "", "100");
  const Ladders ladders = Make({line}, {Sum("EC2", "Usage", "100"), other, azure});
  ASSERT_EQ(ladders.invoices.size(), 1u);
  EXPECT_TRUE(ladders.invoices[0].steps.empty());
  ASSERT_EQ(ladders.without_invoice.size(), 2u);
  EXPECT_EQ(ladders.without_invoice[0].ledger, M("50"));
  EXPECT_EQ(ladders.without_invoice[1].issuer, "Microsoft");
  // Without an invoice's id the line is about all that its issuer charged.
  line.invoice.clear();
  EXPECT_EQ(Make({line}, {Sum("EC2", "Usage", "100"), other}).invoices.at(0).difference(), M("50"));
  // Where the ledger knows no ids, an invoice is about what has none.
  LedgerSum without = Sum("EC2", "Usage", "100");
  without.invoice.clear();
  EXPECT_TRUE(Make({Line("", "", "100")}, {without}).invoices.at(0).steps.empty());
}

TEST(Ladder, StepsAlwaysAddUp) {
  std::mt19937_64 random(5);
  const std::vector<std::string> categories = {"", "Usage", "Tax", "Credit"},
                                 services = {"", "EC2", "S3"};
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<InvoiceLine> lines;
    std::vector<LedgerSum> sums, neighbours;
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      lines.push_back(Line(categories[random() % 4], services[random() % 3],
                           std::to_string(static_cast<int>(random() % 7) - 2)));
    }
    for (uint64_t n = random() % 5; n > 0; --n) {
      sums.push_back(Sum(services[random() % 3], categories[random() % 4],
                         std::to_string(static_cast<int>(random() % 7) - 2)));
    }
    for (uint64_t n = random() % 3; n > 0; --n) neighbours.push_back(Sum("EC2", "Usage", "3"));
    Make(lines, sums, neighbours, {{"USD", M("1")}});  // checks each ladder's sum
  }
}

TEST(Invoice, DetailFilesAndTypedTotalsAreRead) {
  const std::vector<std::string> columns = {
      "InvoiceIssuerName", "InvoiceId",          "BilledCost",        "BillingCurrency",
      "ChargeCategory",    "BillingPeriodStart", "InvoiceDetailGrain"};
  const std::vector<Cells> rows = {
      {"AWS", "INV1", "7.25", "USD", "Tax", "2026-10-01T00:00:00Z", R"({"ServiceName":"EC2"})"},
      {"AWS", "INV0", "1", "USD", "Tax", "2026-09-01T00:00:00Z", std::nullopt}};
  const Instant october = ToInstant({2026, 10, 1});
  const auto lines = ReadInvoiceDetail(columns, rows, "d.csv", october);
  ASSERT_TRUE(lines && lines->size() == 1);
  EXPECT_EQ((*lines)[0].service, "EC2");
  EXPECT_EQ((*lines)[0].amount, M("7.25"));
  const std::vector<Cells> bad = {{"AWS", "INV1", "x", "USD", "Tax", std::nullopt, std::nullopt}};
  EXPECT_FALSE(ReadInvoiceDetail(columns, bad, "d.csv", october));
  EXPECT_FALSE(ReadInvoiceDetail(std::vector<std::string>{"BilledCost"}, {}, "d.csv", october));
  const std::vector<Cells> whose = {
      {"AWS", std::nullopt, "1", "USD", "Tax", std::nullopt, std::nullopt}};
  EXPECT_FALSE(ReadInvoiceDetail(columns, whose, "d.csv", october));
  std::vector<std::string> usage = columns;
  usage.push_back("ChargePeriodStart");
  const auto refused = ReadInvoiceDetail(usage, {}, "d.csv", october);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("Cost and Usage"), std::string::npos);
  EXPECT_EQ(ParseForgotten("AWS=none"), "AWS");
  EXPECT_EQ(ParseForgotten("AWS=1 USD"), std::nullopt);

  const auto typed = ParseInvoiceTotal(" Amazon Web Services, Inc./INV=1 = 1234.56 USD");
  ASSERT_TRUE(typed);
  EXPECT_EQ(typed->issuer, "Amazon Web Services, Inc.");
  EXPECT_EQ(typed->invoice, "INV=1");
  EXPECT_EQ(typed->amount, M("1234.56"));
  for (const char* wrong : {"", "AWS", "AWS=12", "AWS=12 usd", "=12 USD", "AWS=x USD", "a.csv"}) {
    EXPECT_FALSE(ParseInvoiceTotal(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace flyball::reconcile
