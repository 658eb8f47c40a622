#include "model/signature.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "model/charge.h"

namespace flyball::signature {
namespace {

TEST(Signature, ColumnsDescribeWhatIsChargedAndToWhom) {
  for (std::string_view name :
       {"ServiceProviderName", "ServiceName", "SkuId", "SkuPriceDetails", "ResourceId", "Tags",
        "SubAccountId", "x_Team", "x_WorkloadId", "x_Confidence"}) {
    EXPECT_GE(IndexOf(name), 0) << name;
  }
  for (std::string_view name :
       {"InvoiceId", "InvoiceDetailId", "AllocatedMethodDetails", "ContractApplied",
        "CredentialDetails", "CommitmentProgramEligibilityDetails", "x_RequestId", "x_Lineage",
        "x_SourceFile", "BillingCurrency", "BilledCost", "ConsumedQuantity", "ChargePeriodStart",
        "x_SourceLine", "x_Signature", "NoSuchColumn"}) {
    EXPECT_EQ(IndexOf(name), -1) << name;
  }
}

TEST(Signature, PositionsAndChargeIndexesAgree) {
  ASSERT_EQ(Columns().size(), ChargeIndexes().size());
  for (size_t i = 0; i < Columns().size(); ++i) {
    EXPECT_EQ(IndexOf(Columns()[i]), static_cast<int>(i));
    EXPECT_EQ(charge::IndexOf(Columns()[i]), ChargeIndexes()[i]);
  }
}

// The id is stored in slices: the same values must give the same id for ever. Computed apart from
// this code, as XXH3 of 04000000 "AWS" 00000000 01000000 04000000 "a\xc3\xa9".
TEST(Signature, IdIsStable) {
  EXPECT_EQ(IdOf({"AWS", std::nullopt, "", "a\xc3\xa9"}), 0xe9bb9c03c5a10699u);
  EXPECT_EQ(IdOf({}), 0x2d06800538d394c2u);
}

TEST(Signature, IdTellsNullFromEmptyAndWhereAValueEnds) {
  EXPECT_NE(IdOf({std::nullopt}), IdOf({""}));
  EXPECT_NE(IdOf({"ab", "c"}), IdOf({"a", "bc"}));
  EXPECT_NE(IdOf({"a", std::nullopt}), IdOf({std::nullopt, "a"}));
  EXPECT_NE(IdOf({""}), IdOf({"", ""}));
}

using Owned = std::vector<std::pair<bool, std::string>>;

Values ViewOf(const Owned& owned) {
  Values values;
  for (const auto& [present, text] : owned) {
    values.push_back(present ? std::optional<std::string_view>(text) : std::nullopt);
  }
  return values;
}

RC_GTEST_PROP(Signature, EqualIdsMeanEqualValues, (const Owned& a, const Owned& b)) {
  RC_ASSERT((IdOf(ViewOf(a)) == IdOf(ViewOf(b))) == (ViewOf(a) == ViewOf(b)));
  Owned copy = a;
  RC_ASSERT(IdOf(ViewOf(copy)) == IdOf(ViewOf(a)));
}

}  // namespace
}  // namespace flyball::signature
