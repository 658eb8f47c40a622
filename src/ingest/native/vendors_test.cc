// What each vendor's records become. Made from the public documentation that the formats name.
#include <gtest/gtest.h>

#include "base/raw_sum.h"
#include "ingest/native/test_bill.h"

namespace flyball::native {
namespace {

Cells Cur(std::string_view type, Cells more) {
  Cells cells = {{"line_item_line_item_type", std::string(type)},
                 {"line_item_currency_code", "USD"},
                 {"bill_billing_period_start_date", "2026-10-01T00:00:00Z"},
                 {"line_item_usage_start_date", "2026-10-02T00:00:00Z"},
                 {"line_item_product_code", "AmazonEC2"},
                 {"pricing_unit", "Hrs"}};
  cells.insert(cells.end(), more.begin(), more.end());
  return cells;
}

TEST(AwsCur, TheUseOfAReservationCarriesItsShare) {
  const auto drafts =
      Made("aws-cur", Cur("DiscountedUsage", {{"line_item_unblended_cost", "0"},
                                              {"line_item_usage_amount", "3"},
                                              {"reservation_effective_cost", "0.18"},
                                              {"reservation_reservation_a_r_n", "arn:ri"},
                                              {"pricing_public_on_demand_cost", "0.3"}}));
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_EQ(Cell(drafts[0], "BilledCost"), "0");
  EXPECT_EQ(Cell(drafts[0], "EffectiveCost"), "0.18");
  EXPECT_EQ(Cell(drafts[0], "ListCost"), "0.3");
  EXPECT_EQ(Cell(drafts[0], "PricingCategory"), "Committed");
  EXPECT_EQ(Cell(drafts[0], "CommitmentDiscountStatus"), "Used");
  EXPECT_EQ(Cell(drafts[0], "CommitmentDiscountCategory"), "Usage");
  EXPECT_EQ(Cell(drafts[0], "CommitmentDiscountQuantity"), "3");
  EXPECT_EQ(Cell(drafts[0], "CommitmentDiscountUnit"), "Hrs");
  EXPECT_EQ(Cell(drafts[0], "BillingPeriodEnd"), "2026-11-01T00:00:00Z");
  EXPECT_EQ(Cell(drafts[0], "ServiceCategory"), "Compute");
}

TEST(AwsCur, WhatOfACommitmentLayUnusedIsAChargeOfItsOwn) {
  const auto drafts =
      Made("aws-cur",
           Cur("RIFee", {{"line_item_unblended_cost", "44.64"},
                         {"reservation_reservation_a_r_n", "arn:ri"},
                         {"reservation_unused_amortized_upfront_fee_for_billing_period", "10.5"},
                         {"reservation_unused_recurring_fee", "2.25"},
                         {"reservation_unused_quantity", "100"}}));
  ASSERT_EQ(drafts.size(), 2u);
  EXPECT_EQ(Cell(drafts[0], "ChargeCategory"), "Purchase");
  EXPECT_EQ(Cell(drafts[0], "EffectiveCost"), "0");
  EXPECT_EQ(Cell(drafts[1], "ChargeCategory"), "Usage");
  EXPECT_EQ(Cell(drafts[1], "BilledCost"), "0");
  EXPECT_EQ(Cell(drafts[1], "EffectiveCost"), "12.75");
  EXPECT_EQ(Cell(drafts[1], "CommitmentDiscountStatus"), "Unused");
  EXPECT_EQ(Cell(drafts[1], "CommitmentDiscountQuantity"), "100");

  const auto plan = Made(
      "aws-cur", Cur("SavingsPlanRecurringFee", {{"line_item_unblended_cost", "0.1"},
                                                 {"savings_plan_savings_plan_a_r_n", "arn:sp"},
                                                 {"savings_plan_total_commitment_to_date", "0.1"},
                                                 {"savings_plan_used_commitment", "0.07"}}));
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(Cell(plan[1], "EffectiveCost"), "0.03");
  EXPECT_EQ(Cell(plan[1], "CommitmentDiscountQuantity"), "0.03");
  EXPECT_EQ(Cell(plan[1], "CommitmentDiscountUnit"), "USD");
}

TEST(AwsCur, ASavingsPlansNegationTakesBackWhatItsUseWasListedAt) {
  const auto covered = Made("aws-cur", Cur("SavingsPlanCoveredUsage",
                                           {{"line_item_unblended_cost", "0.096"},
                                            {"savings_plan_savings_plan_effective_cost", "0.07"},
                                            {"savings_plan_savings_plan_a_r_n", "arn:sp"}}));
  const auto negation =
      Made("aws-cur", Cur("SavingsPlanNegation", {{"line_item_unblended_cost", "-0.096"},
                                                  {"savings_plan_savings_plan_a_r_n", "arn:sp"}}));
  ASSERT_EQ(covered.size() + negation.size(), 2u);
  EXPECT_EQ(Cell(covered[0], "EffectiveCost"), "0.07");
  EXPECT_EQ(Cell(negation[0], "EffectiveCost"), "0");
  EXPECT_EQ(Cell(negation[0], "BilledCost"), "-0.096");
  EXPECT_EQ(Cell(negation[0], "ChargeCategory"), "Adjustment");
  // The list price of the use stands: nothing is taken off it.
  EXPECT_EQ(Cell(negation[0], "ListCost"), "0");
  EXPECT_EQ(Cell(negation[0], "ContractedCost"), "0");
  const auto discount = Made("aws-cur", Cur("EdpDiscount", {{"line_item_unblended_cost", "-8"}}));
  ASSERT_EQ(discount.size(), 1u);
  EXPECT_EQ(Cell(discount[0], "ListCost"), "0");
  EXPECT_EQ(Cell(discount[0], "ContractedCost"), "-8");
}

TEST(AwsCur, TaxesCreditsAndDiscountsAreWhatTheyAre) {
  const auto category = [](std::string_view type) {
    const auto drafts = Made("aws-cur", Cur(type, {{"line_item_unblended_cost", "-1"},
                                                   {"line_item_usage_amount", "1"},
                                                   {"pricing_public_on_demand_rate", "3"}}));
    if (drafts.size() != 1) return std::string("?");
    EXPECT_TRUE(type == "Usage" || Cell(drafts[0], "ListUnitPrice").empty()) << type;
    return Cell(drafts[0], "ChargeCategory");
  };
  EXPECT_EQ(category("Usage"), "Usage");
  EXPECT_EQ(category("Tax"), "Tax");
  EXPECT_EQ(category("Credit"), "Credit");
  EXPECT_EQ(category("Refund"), "Adjustment");
  EXPECT_EQ(category("EdpDiscount"), "Adjustment");
  EXPECT_EQ(category("Fee"), "Purchase");
  EXPECT_EQ(category("SomethingNew"), "SomethingNew");  // a finding, never a guess
}

TEST(AwsCur, TagsComeFromColumnsAndFromMaps) {
  const auto legacy = Made("aws-cur", Cur("Usage", {{"lineItem/UnblendedCost", "1"},
                                                    {"resourceTags/user:Team", "search"},
                                                    {"resourceTags/aws:createdBy", "me"}}));
  ASSERT_EQ(legacy.size(), 1u);
  EXPECT_EQ(Cell(legacy[0], "Tags"), R"({"Team":"search","aws:createdBy":"me"})");
  const auto twice =
      Made("aws-cur",
           Cur("Usage", {{"lineItem/UnblendedCost", "1"}, {"resourceTags/user:user_id", "7"}}));
  EXPECT_EQ(Cell(twice.at(0), "Tags"), R"({"user_id":"7"})");
  const auto exported =
      Made("aws-cur", Cur("Usage", {{"line_item_unblended_cost", "1"},
                                    {"resource_tags", R"({"user_team":"ml"})"},
                                    {"product", R"({"product_name":"Amazon Bedrock"})"}}));
  ASSERT_EQ(exported.size(), 1u);
  EXPECT_EQ(Cell(exported[0], "Tags"), R"({"team":"ml"})");
  EXPECT_EQ(Cell(exported[0], "ServiceName"), "Amazon Bedrock");
  EXPECT_EQ(Cell(exported[0], "ServiceCategory"), "AI and Machine Learning");
}

TEST(AwsCur, TheMarketplacesSellerProvidesTheService) {
  const auto drafts =
      Made("aws-cur", Cur("Usage", {{"line_item_unblended_cost", "1"},
                                    {"bill_billing_entity", "AWS Marketplace"},
                                    {"line_item_legal_entity", "Pinecone"},
                                    {"bill_invoicing_entity", "Amazon Web Services, Inc."}}));
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_EQ(Cell(drafts[0], "ServiceProviderName"), "Pinecone");
  EXPECT_EQ(Cell(drafts[0], "HostProviderName"), "AWS");
  EXPECT_EQ(Cell(drafts[0], "InvoiceIssuerName"), "Amazon Web Services, Inc.");
}

Cells Azure(std::string_view type, std::string_view model, std::string_view cost) {
  return {{"Date", "10/02/2026"},
          {"BillingPeriodStartDate", "10/01/2026"},
          {"BillingPeriodEndDate", "10/31/2026"},
          {"BillingCurrency", "EUR"},
          {"MeterCategory", "Virtual Machines"},
          {"ChargeType", std::string(type)},
          {"PricingModel", std::string(model)},
          {"CostInBillingCurrency", std::string(cost)},
          {"Quantity", "2"},
          {"PayGPrice", "0.5"},
          {"ReservationId", "r-1"},
          {"SubscriptionId", "s-1"}};
}

TEST(Azure, TheBillingPeriodsEndIsExclusive) {
  const auto drafts = Made("azure-cost", Azure("Usage", "OnDemand", "0.9"));
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_EQ(Cell(drafts[0], "BillingPeriodStart"), "2026-10-01T00:00:00Z");
  EXPECT_EQ(Cell(drafts[0], "BillingPeriodEnd"), "2026-11-01T00:00:00Z");
  EXPECT_EQ(Cell(drafts[0], "ChargePeriodEnd"), "2026-10-03T00:00:00Z");
  EXPECT_EQ(Cell(drafts[0], "ListCost"), "1");
  EXPECT_EQ(Cell(drafts[0], "EffectiveCost"), "0.9");
}

TEST(Azure, PricesAreForABlockOfUnitsAndInThePricingCurrency) {
  const auto made = [](std::string_view measure, std::string_view quantity, const Cells& more) {
    Cells cells = Azure("Usage", "OnDemand", "0.06");
    for (auto& [name, text] : cells) {
      if (name == "Quantity") text = quantity;
      if (name == "PayGPrice") text = "0.06";
    }
    cells.emplace_back("UnitOfMeasure", measure);
    cells.insert(cells.end(), more.begin(), more.end());
    return Made("azure-cost", cells).at(0);
  };
  const Draft block = made("10K", "10000", {});
  EXPECT_EQ(Cell(block, "ListCost"), "0.06");
  EXPECT_EQ(Cell(block, "ConsumedQuantity"), "10000");
  EXPECT_EQ(Cell(block, "PricingQuantity"), "10000E-4");
  EXPECT_EQ(Cell(block, "PricingUnit"), "10K");
  const Draft hours = made("100 Hours", "200", {});
  EXPECT_EQ(Cell(hours, "ListCost"), "0.12");
  EXPECT_EQ(Cell(hours, "ConsumedUnit"), "Hours");
  EXPECT_EQ(Cell(made("7 Days", "14", {}), "PricingQuantity"), "");
  const Draft dollars = made("1 Hour", "2", {{"pricingCurrency", "USD"}, {"unitPrice", "0.05"}});
  EXPECT_EQ(Cell(dollars, "ListUnitPrice"), "");
  EXPECT_EQ(Cell(dollars, "PricingCurrencyListUnitPrice"), "0.06");
  EXPECT_EQ(Cell(dollars, "PricingCurrencyContractedUnitPrice"), "0.05");
  EXPECT_EQ(Cell(dollars, "ListCost"), "");
}

TEST(Azure, ACommitmentGivenBackIsAPurchaseTakenBack) {
  const auto refund = Made("azure-cost", Azure("Refund", "Reservation", "-30"));
  ASSERT_EQ(refund.size(), 1u);
  EXPECT_EQ(Cell(refund[0], "BilledCost"), "-30");
  EXPECT_EQ(Cell(refund[0], "EffectiveCost"), "0");
  EXPECT_EQ(Cell(refund[0], "ChargeCategory"), "Purchase");
  EXPECT_EQ(Cell(refund[0], "ChargeClass"), "Correction");
  EXPECT_EQ(Cell(refund[0], "CommitmentDiscountStatus"), "");
}

TEST(Azure, ActualAndAmortisedTogetherCountEachChargeOnce) {
  Context::Pair sums;
  Context paired;
  paired.pair = &sums;
  // Actual: the purchase is billed; its use is left to the amortised file.
  const auto purchase = Made("azure-cost", Azure("Purchase", "Reservation", "100"), paired);
  ASSERT_EQ(purchase.size(), 1u);
  EXPECT_EQ(Cell(purchase[0], "BilledCost"), "100");
  EXPECT_EQ(Cell(purchase[0], "EffectiveCost"), "0");
  EXPECT_TRUE(Made("azure-cost", Azure("Usage", "Reservation", "0"), paired).empty());
  // Amortised: the use and what lay unused cost, and nothing of it is billed.
  const auto used = Made("azure-amortised", Azure("Usage", "Reservation", "60"), paired);
  const auto unused =
      Made("azure-amortised", Azure("UnusedReservation", "Reservation", "40"), paired);
  ASSERT_EQ(used.size() + unused.size(), 2u);
  EXPECT_EQ(Cell(used[0], "BilledCost"), "0");
  EXPECT_EQ(Cell(used[0], "EffectiveCost"), "60");
  EXPECT_EQ(Cell(used[0], "CommitmentDiscountStatus"), "Used");
  EXPECT_EQ(Cell(unused[0], "CommitmentDiscountStatus"), "Unused");
  EXPECT_TRUE(Made("azure-amortised", Azure("Usage", "OnDemand", "1"), paired).empty());
}

TEST(Azure, TellsAmortisedFilesByTheCostOfUsedCommitments) {
  const Format* azure = FindFormat("azure-cost");
  const auto told = [&](const Cells& cells) -> std::string_view {
    std::vector<std::string> names;
    std::vector<std::string_view> texts;
    for (const auto& [name, text] : cells) {
      names.push_back(name);
      texts.push_back(text);
    }
    const Header header(names, azure->spell);
    const Format* format = azure->refine(Row(header, texts));
    return format == nullptr ? "" : format->name;
  };
  EXPECT_EQ(told(Azure("Usage", "OnDemand", "1")), "");
  EXPECT_EQ(told(Azure("Usage", "Reservation", "0")), "");
  EXPECT_EQ(told(Azure("Usage", "Reservation", "1")), "azure-amortised");
  EXPECT_EQ(told(Azure("UnusedReservation", "Reservation", "1")), "azure-amortised");
  EXPECT_EQ(told(Azure("Purchase", "Reservation", "1")), "azure-cost");
  EXPECT_EQ(told(Azure("Refund", "Reservation", "-1")), "azure-cost");
}

TEST(GcpBilling, EveryCreditIsAChargeBesideItsCost) {
  const auto drafts =
      Made("gcp-billing",
           {{"billing_account_id", "01"},
            {"service", R"({"id":"6F","description":"Compute Engine"})"},
            {"sku", R"({"id":"S","description":"N1 Core"})"},
            {"usage_start_time", "2026-10-01 07:00:00 UTC"},
            {"usage_end_time", "2026-10-01 08:00:00 UTC"},
            {"invoice", R"({"month":"202610"})"},
            {"cost", "0.031611"},
            {"currency", "USD"},
            {"labels", R"([{"key":"env","value":"prod"}])"},
            {"project",
             R"({"id":"p","labels":[{"key":"env","value":"all"},{"key":"team","value":"s"}]})"},
            {"credits",
             R"([{"name":"CUD","amount":-0.011,"type":"COMMITTED_USAGE_DISCOUNT","id":"c1"},
            {"name":"promo","full_name":"promotion 7","amount":-1.0E-6,"type":"PROMOTION"}])"}});
  ASSERT_EQ(drafts.size(), 3u);
  EXPECT_EQ(Cell(drafts[0], "BillingPeriodStart"), "2026-10-01T00:00:00Z");
  EXPECT_EQ(Cell(drafts[0], "Tags"), R"({"env":"prod","team":"s"})");
  EXPECT_EQ(Cell(drafts[1], "BilledCost"), "-0.011");
  EXPECT_EQ(Cell(drafts[1], "CommitmentDiscountId"), "c1");
  EXPECT_EQ(Cell(drafts[2], "BilledCost"), "-1.0E-6");
  EXPECT_EQ(Cell(drafts[2], "ChargeCategory"), "Credit");
  EXPECT_EQ(Cell(drafts[2], "ChargeDescription"), "PROMOTION: promotion 7");
  EXPECT_EQ(Cell(drafts[2], "ConsumedQuantity"), "");
}

TEST(GcpBilling, CreditsThatCannotBeReadKeepNoCost) {
  for (const char* credits : {"garbage -40", "[{'name':'CUD','amount':-40.0}]",
                              R"([{"name":"CUD"}])", R"([{"amount":-1,"amount":-2}])"}) {
    const auto drafts = Made("gcp-billing", {{"billing_account_id", "01"},
                                             {"service", R"({"description":"Compute Engine"})"},
                                             {"usage_start_time", "2026-10-01 07:00:00 UTC"},
                                             {"cost", "100"},
                                             {"currency", "USD"},
                                             {"credits", credits}});
    ASSERT_EQ(drafts.size(), 1u) << credits;
    EXPECT_EQ(Cell(drafts[0], "BilledCost"), "") << credits;
    EXPECT_NE(Cell(drafts[0], "ChargeDescription"), "") << credits;
  }
}

TEST(OpenAi, ALineItemNamesModelAndMeter) {
  const auto drafts = Made("openai-costs", {{"start_time", "1790812800"},
                                            {"end_time", "1790899200"},
                                            {"amount", R"({"value":0.06,"currency":"usd"})"},
                                            {"line_item", "gpt-4o-2024-08-06, cached input"},
                                            {"quantity", "48000"}});
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_EQ(Cell(drafts[0], "ChargePeriodStart"), "2026-10-01T00:00:00Z");
  EXPECT_EQ(Cell(drafts[0], "BilledCost"), "0.06");
  EXPECT_EQ(Cell(drafts[0], "x_Model"), "gpt-4o-2024-08-06");
  EXPECT_EQ(Cell(drafts[0], "SkuMeter"), "cache_read");
  EXPECT_EQ(Cell(drafts[0], "ConsumedUnit"), "Tokens");
}

TEST(Anthropic, AmountsAreInCents) {
  const auto drafts = Made("anthropic-costs", {{"starting_at", "2026-10-01T00:00:00Z"},
                                               {"ending_at", "2026-10-02T00:00:00Z"},
                                               {"amount", "123.78912"},
                                               {"currency", "USD"},
                                               {"cost_type", "tokens"},
                                               {"model", "claude-sonnet-4-20250514"},
                                               {"token_type", "uncached_input_tokens"}});
  ASSERT_EQ(drafts.size(), 1u);
  RawDecimalSum sum;
  EXPECT_TRUE(sum.Add(Cell(drafts[0], "BilledCost")));
  EXPECT_EQ(sum.ToString(), "1.2378912");
  EXPECT_EQ(Cell(drafts[0], "SkuMeter"), "input");
}

rates::PriceBook Book() {
  rates::Layer layer;
  layer.name = "test";
  layer.sources.push_back({"test", "", {}});
  for (const char* name : {"claude-x", "gpt-x"}) {
    rates::ModelPrices model;
    model.provider = name[0] == 'c' ? "anthropic" : "openai";
    model.model = name;
    rates::PricePeriod period;
    rates::PriceSet& prices = period.card.Band(rates::ServiceTier::kStandard, 0).prices;
    prices.Set(Bucket::kInput, *Money::Parse("0.000003"));
    prices.Set(Bucket::kCacheRead, *Money::Parse("0.0000003"));
    prices.Set(Bucket::kOutput, *Money::Parse("0.000015"));
    period.card.Band(rates::ServiceTier::kStandard, 200'000)
        .prices.Set(Bucket::kInput, *Money::Parse("0.000006"));
    model.Region("").periods.push_back(period);
    layer.models.push_back(model);
  }
  return *rates::PriceBook::Build({layer});
}

TEST(Usage, IsRatedMeterByMeterAndMarkedAsAnEstimate) {
  const rates::PriceBook book = Book();
  Context context;
  context.prices = &book;
  const auto drafts = Made("anthropic-usage",
                           {{"starting_at", "2026-10-01T00:00:00Z"},
                            {"ending_at", "2026-10-02T00:00:00Z"},
                            {"model", "claude-x"},
                            {"uncached_input_tokens", "1000"},
                            {"cache_read_input_tokens", "200"},
                            {"output_tokens", "10"}},
                           context);
  ASSERT_EQ(drafts.size(), 3u);
  EXPECT_EQ(Cell(drafts[0], "BilledCost"), "0.003");
  EXPECT_EQ(Cell(drafts[1], "BilledCost"), "0.00006");
  EXPECT_EQ(Cell(drafts[2], "BilledCost"), "0.00015");
  for (const Draft& draft : drafts) {
    EXPECT_EQ(Cell(draft, "x_Confidence"), "estimate");
    EXPECT_EQ(Cell(draft, "BillingCurrency"), "USD");
  }
  // OpenAI counts cached tokens inside the input.
  const auto openai = Made("openai-usage",
                           {{"start_time", "1790812800"},
                            {"end_time", "1790899200"},
                            {"model", "gpt-x"},
                            {"input_tokens", "1200"},
                            {"input_cached_tokens", "200"},
                            {"output_tokens", "10"},
                            {"num_model_requests", "2"}},
                           context);
  ASSERT_EQ(openai.size(), 3u);
  EXPECT_EQ(Cell(openai[0], "ConsumedQuantity"), "1000");
  EXPECT_EQ(Cell(openai[0], "BilledCost"), "0.003");
}

TEST(Usage, TheSumOfADayIsNoLongCall) {
  const rates::PriceBook book = Book();
  Context context;
  context.prices = &book;
  const auto cost = [&](const char* window) {
    return Cell(Made("anthropic-usage",
                     {{"starting_at", "2026-10-01T00:00:00Z"},
                      {"model", "claude-x"},
                      {"uncached_input_tokens", "1000000"},
                      {"context_window", window}},
                     context)
                    .at(0),
                "BilledCost");
  };
  EXPECT_EQ(cost("0-200k"), "3");
  EXPECT_EQ(cost(""), "3");
  EXPECT_EQ(cost("200k-1M"), "6");
}

TEST(Usage, WithoutAPriceIsNoFreeUsage) {
  const rates::PriceBook book = Book();
  Context context;
  context.prices = &book;
  for (const Cells& cells :
       {Cells{{"model", "nobody-knows"}, {"uncached_input_tokens", "1"}, {"output_tokens", "1"}},
        Cells{{"uncached_input_tokens", "1"}, {"output_tokens", "1"}},
        Cells{{"model", "claude-x"}, {"uncached_input_tokens", "-1"}, {"output_tokens", "1"}},
        Cells{{"model", "claude-x"}, {"uncached_input_tokens", "1"}, {"service_tier", "odd"}}}) {
    Cells whole = cells;
    whole.emplace_back("starting_at", "2026-10-01T00:00:00Z");
    const auto drafts = Made("anthropic-usage", whole, context);
    ASSERT_EQ(drafts.size(), 1u);
    EXPECT_EQ(Cell(drafts[0], "BilledCost"), "");
    EXPECT_NE(Cell(drafts[0], "ChargeDescription"), "");
  }
}

TEST(Databricks, CostIsListPriceTimesQuantity) {
  const auto drafts =
      Made("databricks-usage", {{"usage_quantity", "-0.5"},
                                {"list_price", "0.07"},
                                {"currency_code", "USD"},
                                {"sku_name", "PREMIUM_SERVERLESS"},
                                {"usage_start_time", "2026-10-01T00:00:00.000+00:00"},
                                {"record_type", "RETRACTION"},
                                {"cloud", "AWS"},
                                {"billing_origin_product", "MODEL_SERVING"}});
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_EQ(Cell(drafts[0], "BilledCost"), "-0.035");
  EXPECT_EQ(Cell(drafts[0], "HostProviderName"), "AWS");
  EXPECT_EQ(Cell(drafts[0], "ServiceCategory"), "AI and Machine Learning");
}

TEST(Others, BecomeChargesToo) {
  const auto oracle = Made("oracle-cost", {{"lineItem/intervalUsageStart", "2026-10-01T05:00Z"},
                                           {"lineItem/intervalUsageEnd", "2026-10-01T06:00Z"},
                                           {"product/service", "COMPUTE"},
                                           {"usage/billedQuantity", "1"},
                                           {"cost/myCost", "0.0638"},
                                           {"cost/currencyCode", "USD"},
                                           {"lineItem/isCorrection", "true"},
                                           {"tags/CostCenter.Team", "ml"}});
  ASSERT_EQ(oracle.size(), 1u);
  EXPECT_EQ(Cell(oracle[0], "ChargeClass"), "Correction");
  EXPECT_EQ(Cell(oracle[0], "Tags"), R"({"CostCenter.Team":"ml"})");
  const auto alibaba = Made("alibaba-bill", {{"BillingCycle", "2026-10"},
                                             {"PretaxAmount", "3.2"},
                                             {"PretaxGrossAmount", "4"},
                                             {"Currency", "CNY"},
                                             {"ProductCode", "ecs"},
                                             {"SubscriptionType", "PayAsYouGo"},
                                             {"Tag", "key:env value:prod; key:team value:ml"}});
  ASSERT_EQ(alibaba.size(), 1u);
  EXPECT_EQ(Cell(alibaba[0], "ListCost"), "4");
  EXPECT_EQ(Cell(alibaba[0], "ChargePeriodEnd"), "2026-11-01T00:00:00Z");
  EXPECT_EQ(Cell(alibaba[0], "Tags"), R"({"env":"prod","team":"ml"})");
  const auto snowflake = Made("snowflake-usage", {{"USAGE_DATE", "2026-10-03"},
                                                  {"USAGE_IN_CURRENCY", "12.5"},
                                                  {"CURRENCY", "USD"},
                                                  {"SERVICE_TYPE", "AI_SERVICES"}});
  ASSERT_EQ(snowflake.size(), 1u);
  EXPECT_EQ(Cell(snowflake[0], "ServiceCategory"), "AI and Machine Learning");
  const auto litellm =
      Made("litellm-spend", {{"startTime", "2026-10-03T10:00:00.5Z"},
                             {"endTime", "2026-10-03T10:00:02Z"},
                             {"spend", "1.2E-5"},
                             {"model", "gpt-4o"},
                             {"custom_llm_provider", "openai"},
                             {"request_tags", R"(["team:search","beta"])"},
                             {"metadata", R"({"user_api_key_team_alias":"Search"})"}});
  ASSERT_EQ(litellm.size(), 1u);
  EXPECT_EQ(Cell(litellm[0], "x_Team"), "Search");
  EXPECT_EQ(Cell(litellm[0], "Tags"), R"({"team":"search","beta":""})");
  EXPECT_EQ(Cell(litellm[0], "ServiceProviderName"), "openai");
  const auto openrouter = Made("openrouter-activity", {{"date", "2026-10-03"},
                                                       {"model", "openai/gpt-4.1"},
                                                       {"provider_name", "OpenAI"},
                                                       {"usage", "0.015"},
                                                       {"prompt_tokens", "50"},
                                                       {"completion_tokens", "125"}});
  ASSERT_EQ(openrouter.size(), 1u);
  EXPECT_EQ(Cell(openrouter[0], "ConsumedQuantity"), "175");
  EXPECT_EQ(Cell(openrouter[0], "HostProviderName"), "OpenAI");
  EXPECT_EQ(Cell(openrouter[0], "ServiceProviderName"), "OpenRouter");
}

}  // namespace
}  // namespace flyball::native
