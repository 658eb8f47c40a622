// Rules on rows that belong together.
#include "check/groups.h"

#include "check/test_bill.h"

namespace flyball::check {
namespace {

using focus::DataSet;
using focus::Version;

Report CheckRows(const std::vector<Row>& rows) {
  return CheckBill(WriteBill("groups", Version::k1_2, rows), Version::k1_2);
}

TEST(Commitments, SumsHoldToTheLastDigit) {
  std::vector<Row> rows = CommitmentRows();
  EXPECT_EQ(Of(CheckRows(rows), "EffectiveCost.commitment-sum").verdict, Verdict::kPassed);
  rows[1]["EffectiveCost"] = "3.000000000001";
  const Report report = CheckRows(rows);
  EXPECT_EQ(Of(report, "EffectiveCost.commitment-sum").verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, "EffectiveCost.commitment-sum").rows_failed, 3);
  EXPECT_EQ(Of(report, "EffectiveCost.commitment-sum").cost.at(0).affected.ToString(), "4");
}

TEST(Commitments, UnusedMustBeShown) {
  std::vector<Row> rows = CommitmentRows();
  rows.pop_back();
  const Report report = CheckRows(rows);
  EXPECT_EQ(Of(report, "CommitmentDiscountStatus.unused-shown").verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, "CommitmentDiscountQuantity.sum").verdict, Verdict::kFailed);
}

TEST(Commitments, PartOfATermIsNotDecidable) {
  std::vector<Row> rows = CommitmentRows();
  rows[0]["ChargePeriodEnd"] = "2026-01-01T00:00:00Z";  // bought for a year
  const Report report = CheckRows(rows);
  EXPECT_EQ(Of(report, "EffectiveCost.commitment-sum").verdict, Verdict::kNotDecidable);
  // What hangs on no term is decided all the same.
  EXPECT_EQ(Of(report, "CommitmentDiscountStatus.sum").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(CheckRows({Usage()}), "EffectiveCost.commitment-sum").verdict,
            Verdict::kNotApplicable);
}

// Costs beyond 128 bits: no sum is told rather than a wrong one.
TEST(Commitments, SumsBeyondAllCurrencies) {
  const std::string huge = "90000000000000000000000000";  // a cell may hold up to 1e26
  std::vector<Row> rows = CommitmentRows();
  for (Row& row : rows) row["BilledCost"] = row["EffectiveCost"] = huge;
  const Report report = CheckRows(rows);
  EXPECT_FALSE(report.cost.contains("USD"));
  EXPECT_EQ(Of(report, "EffectiveCost.commitment-sum").verdict, Verdict::kNotDecidable);
  EXPECT_EQ(Of(report, "EffectiveCost.commitment-purchase").verdict, Verdict::kFailed);
}

// Digits beyond the twelfth are rounded when read: so many rows, so many units of rounding.
TEST(Commitments, RoundedCostsAreNoDifference) {
  std::vector<Row> rows = CommitmentRows();
  rows[1]["EffectiveCost"] = "1.3333333333333";
  rows[2]["EffectiveCost"] = "1.3333333333334";
  rows.push_back(rows[1]);
  EXPECT_EQ(Of(CheckRows(rows), "EffectiveCost.commitment-sum").verdict, Verdict::kPassed);
  rows[1]["EffectiveCost"] = "1.333333333336";
  EXPECT_EQ(Of(CheckRows(rows), "EffectiveCost.commitment-sum").verdict, Verdict::kFailed);
}

// A part of a term cannot show that all was amortised; more than was bought shows in any part.
TEST(Commitments, MoreThanWasBoughtFailsInAnyPartOfATerm) {
  std::vector<Row> rows = CommitmentRows();
  rows[0]["ChargePeriodEnd"] = "2026-01-01T00:00:00Z";
  rows[1]["EffectiveCost"] = "3.5";
  rows[1]["CommitmentDiscountQuantity"] = "3.5";
  const Report report = CheckRows(rows);
  EXPECT_EQ(Of(report, "EffectiveCost.commitment-sum").verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, "CommitmentDiscountQuantity.sum").verdict, Verdict::kFailed);
}

TEST(Groups, PricesAreStableOverTimeAndAccounts) {
  const Row other_price = {{"ListUnitPrice", "0.6"}, {"ListCost", "1.2"}};
  Report report = CheckRows(
      {Usage(),
       With(Usage(), With(other_price, {{"BillingPeriodStart", "2025-02-01T00:00:00Z"}}))});
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-time").rows_failed, 1);
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-time").first.at(0).line, 3);
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-accounts").verdict, Verdict::kPassed);
  report = CheckRows({Usage(), With(Usage(), With(other_price, {{"BillingAccountId", "b"}}))});
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-time").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-accounts").rows_failed, 1);
  // 0.5 and 0.50 are one price.
  report = CheckRows({Usage(), With(Usage(), {{"ListUnitPrice", "0.50"}})});
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-time").verdict, Verdict::kPassed);
}

TEST(Groups, BillingPeriodsFollowEachOther) {
  const auto month = [](const char* start, const char* end) {
    return With(Usage(), {{"BillingPeriodStart", start}, {"BillingPeriodEnd", end}});
  };
  const Row january = month("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z");
  const Row february = month("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z");
  const Row april = month("2025-04-01T00:00:00Z", "2025-05-01T00:00:00Z");
  const char* id = "BillingPeriodStart.continuity";
  EXPECT_EQ(Of(CheckRows({january}), id).verdict, Verdict::kNotApplicable);
  EXPECT_EQ(Of(CheckRows({february, january}), id).verdict, Verdict::kPassed);
  const Report report = CheckRows({january, april, february});
  EXPECT_EQ(Of(report, id).verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, id).first.at(0).line, 3);
}

// One instant and one number in two forms are one value.
TEST(Groups, ValuesAreComparedAsWhatTheyMean) {
  const Report report = CheckRows(
      {Usage(), With(Usage(), {{"ListUnitPrice", "5E-1"}}),
       With(Usage(), {{"ListUnitPrice", "$0.50"}, {"BillingPeriodStart", "2025-01-01"}}),
       With(Usage(), {{"ListUnitPrice", "0.6"}, {"BillingPeriodStart", "2025-01-01 00:00:00"}})});
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-time").rows_failed, 1);
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-accounts").rows_failed, 1);
}

// One price in two currencies is two numbers, and one that is converted each month as many.
TEST(Groups, PricesAreComparedInOneCurrency) {
  const Row euros = With(Usage(), {{"BillingAccountId", "b"},
                                   {"BillingCurrency", "EUR"},
                                   {"PricingCurrency", "EUR"},
                                   {"InvoiceId", "I-2"},
                                   {"ListUnitPrice", "0.45"}});
  const Row converted = With(euros, {{"PricingCurrency", "USD"}, {"ListUnitPrice", "0.46"}});
  const Report report = CheckRows({Usage(), euros, converted});
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-accounts").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(report, "SkuPriceId.stable-over-time").verdict, Verdict::kPassed);
}

// Ids are a provider's own: two of them may both have an "S-1".
TEST(Groups, ProvidersAreToldApart) {
  const Row other = With(Usage(), {{"ProviderName", "Other"},
                                   {"InvoiceIssuerName", "Other"},
                                   {"BillingCurrency", "EUR"},
                                   {"SkuId", "T"},
                                   {"SkuMeter", "Other meter"},
                                   {"ServiceCategory", "Storage"},
                                   {"ServiceSubcategory", "Object Storage"},
                                   {"ListUnitPrice", "0.6"}});
  const Report report = CheckRows({Usage(), other});
  for (const char* id : {"SkuPriceId.sku", "SkuPriceId.stable-over-time", "ServiceName.category",
                         "InvoiceId.currency", "SkuPriceId.stable-over-accounts"}) {
    EXPECT_EQ(Of(report, id).verdict, Verdict::kPassed) << id;
  }
}

TEST(Groups, APeriodThatIsMissingIsItsOwnProvidersFault) {
  const Row other = With(Usage(), {{"ProviderName", "Other"}, {"BillingAccountId", "o"}});
  const Row later = With(other, {{"BillingPeriodStart", "2025-04-01T00:00:00Z"},
                                 {"BillingPeriodEnd", "2025-05-01T00:00:00Z"}});
  const Report report = CheckRows({Usage(), other, later});
  for (const ProviderScore& one : report.providers) {
    EXPECT_EQ(one.rules_failed, one.provider == "Cloud" ? 0 : 1) << Failures(report);
  }
}

// A quarter, and the months in it: what follows the quarter follows.
TEST(Groups, APeriodInsideAnotherOverlapsIt) {
  const auto month = [](const char* start, const char* end) {
    return With(Usage(), {{"BillingPeriodStart", start}, {"BillingPeriodEnd", end}});
  };
  const Report report = CheckRows({month("2025-01-01T00:00:00Z", "2025-04-01T00:00:00Z"),
                                   month("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"),
                                   month("2025-04-01T00:00:00Z", "2025-05-01T00:00:00Z")});
  EXPECT_EQ(Of(report, "BillingPeriodStart.continuity").rows_failed, 1);
}

TEST(Groups, InvoicesAreComparedWithTheirCharges) {
  const std::string charges = WriteBill("charges", Version::k1_4, {Usage(), Usage()});
  const auto invoice = [](const char* amount) {
    return WriteBill("invoice", Version::k1_4,
                     {{{"BilledCost", amount},
                       {"BillingCurrency", "USD"},
                       {"InvoiceId", "I-1"},
                       {"InvoiceIssuerName", "Cloud"},
                       {"InvoiceDetailId", "1"}}},
                     {}, DataSet::kInvoiceDetail);
  };
  const char* id = "BilledCost.invoice-sum";
  EXPECT_EQ(Of(CheckBill(charges), id).verdict, Verdict::kNotDecidable);
  CheckOptions options;
  options.files = {charges, invoice("1.6")};
  EXPECT_EQ(Of(Checked(options), id).verdict, Verdict::kPassed);
  options.files = {charges, invoice("1.600000000001")};
  const Report report = Checked(options);
  EXPECT_EQ(Of(report, id).verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, id).rows_failed, 2);
  EXPECT_EQ(report.rows, 2);
}

// An invoice without charges is no charge's fault, and is not passed over in silence.
TEST(Groups, InvoicesWithoutChargesAreTold) {
  const Row line = {{"BilledCost", "1.6"},
                    {"BillingCurrency", "USD"},
                    {"InvoiceId", "I-1"},
                    {"InvoiceIssuerName", "Cloud"},
                    {"InvoiceDetailId", "1"}};
  CheckOptions options;
  options.files = {WriteBill("charges", Version::k1_4, {Usage(), Usage()}),
                   WriteBill("invoice", Version::k1_4, {line, With(line, {{"InvoiceId", "I-2"}})},
                             {}, DataSet::kInvoiceDetail)};
  const Report report = Checked(options);
  EXPECT_EQ(Of(report, "BilledCost.invoice-sum").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(report, "BilledCost.invoice-sum").reason, "1 invoices have no charge in the data");
}

TEST(Groups, IdsOfOtherDataSetsStandOnce) {
  const Row line = {{"InvoiceDetailId", "1"},
                    {"InvoiceId", "I"},
                    {"InvoiceIssuerName", "C"},
                    {"BillingCurrency", "USD"}};
  const Report report = CheckBill(
      WriteBill("unique", Version::k1_4, {line, line, line}, {}, DataSet::kInvoiceDetail));
  EXPECT_EQ(report.data_set, DataSet::kInvoiceDetail);
  EXPECT_EQ(Of(report, "InvoiceDetailId.unique").rows_failed, 2);
  EXPECT_EQ(Of(report, "InvoiceDetailId.unique").first.at(0).line, 3);
}

TEST(Groups, TooManyGroupsAreNotDecidable) {
  const std::string path = testing::TempDir() + "/check_many.csv";
  {
    std::ofstream file(path);
    file << "BilledCost,BillingCurrency,SkuPriceId,SkuId\n";
    for (size_t i = 0; i <= kGroupsMax; ++i) file << "1,USD,p" << i << ",s\n";
  }
  const Report report = CheckBill(path, Version::k1_0);
  EXPECT_EQ(Of(report, "SkuPriceId.sku").verdict, Verdict::kNotDecidable);
  EXPECT_EQ(Of(report, "SkuPriceId.sku").reason, "more than 500000 groups");
}

}  // namespace
}  // namespace flyball::check
