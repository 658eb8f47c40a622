#include "ingest/native/native.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/raw_sum.h"
#include "ingest/native/service.h"
#include "ingest/native/test_bill.h"

namespace flyball::native {
namespace {

TEST(Formats, NameColumnsThatAreThere) {
  std::set<std::string_view> names;
  for (const Format& format : Formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_TRUE(format.page.starts_with("https://")) << format.name;
    for (const Rule& rule : format.rules) {
      EXPECT_GE(charge::IndexOf(rule.column), 0) << format.name << " " << rule.column;
    }
    for (std::string_view column : format.derived) {
      EXPECT_GE(charge::IndexOf(column), 0) << format.name << " " << column;
    }
    // Without these a row is quarantined or means nothing.
    for (std::string_view column : {"BilledCost", "BillingCurrency", "ChargePeriodStart",
                                    "ChargeCategory", "ServiceProviderName", "ServiceName"}) {
      EXPECT_NE(LineageOf(format, column), focus::Lineage::kMissing)
          << format.name << " " << column;
    }
  }
}

// What code fills must be declared, or it would be lost on the way to the CSV.
TEST(Formats, DeclareAllThatTheirCodeFills) {
  std::mt19937_64 random(1);
  const std::vector<std::string> texts = {"",
                                          "1.5",
                                          "-2",
                                          "2026-10-01T00:00:00Z",
                                          "202610",
                                          "Usage",
                                          "RIFee",
                                          "Purchase",
                                          "true",
                                          "claude-sonnet-4-20250514",
                                          R"([{"amount":-1,"type":"PROMOTION","name":"n"}])",
                                          R"({"a":"b"})",
                                          "reservation",
                                          "Tax",
                                          "1790812800"};
  for (const Format& format : Formats()) {
    std::vector<std::string> names;
    for (std::string_view needed : format.needs) names.emplace_back(needed);
    for (const Rule& rule : format.rules) {
      for (std::string_view from : rule.from) {
        if (!rule.constant && !from.empty()) names.emplace_back(from);
      }
    }
    for (std::string_view more : {"lineItem/LineItemType", "line_item_line_item_type", "chargetype",
                                  "pricingmodel", "credits", "cost_type", "frequency", "item",
                                  "record_type", "reservation_reservation_a_r_n",
                                  "reservation_unused_recurring_fee", "invoice.month", "batch"}) {
      names.emplace_back(more);
    }
    const Header header(names, format.spell);
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<std::string_view> cells;
      for (size_t i = 0; i < names.size(); ++i) cells.push_back(texts[random() % texts.size()]);
      for (const Draft& draft : Translate(format, Row(header, cells), {})) {
        for (int column = 0; column < charge::kColumnCount; ++column) {
          const std::string_view name = charge::kColumnNames[static_cast<size_t>(column)];
          EXPECT_TRUE(draft[column].empty() || LineageOf(format, name) != focus::Lineage::kMissing)
              << format.name << " fills " << name;
        }
      }
    }
  }
}

TEST(Detect, KnowsAFormatByItsColumnsWhateverTheirSpelling) {
  const auto name = [](const std::vector<std::string>& names) {
    const Format* format = Detect(names);
    return format == nullptr ? std::string_view("none") : format->name;
  };
  EXPECT_EQ(name({"lineItem/UnblendedCost", "lineItem/LineItemType"}), "aws-cur");
  EXPECT_EQ(name({"line_item_unblended_cost", "line_item_line_item_type"}), "aws-cur");
  EXPECT_EQ(name({"Date", "MeterCategory", "ChargeType", "CostInBillingCurrency"}), "azure-cost");
  EXPECT_EQ(name({"billing_account_id", "service", "usage_start_time", "cost"}), "gcp-billing");
  EXPECT_EQ(name({"billing_account_id", "service.description", "usage_start_time", "cost"}),
            "gcp-billing");
  EXPECT_EQ(name({"PretaxAmount", "ProductCode", "SubscriptionType", "Currency"}), "alibaba-bill");
  EXPECT_EQ(name({"request_id", "spend", "startTime", "model"}), "litellm-spend");
  EXPECT_EQ(name({"USAGE_DATE", "USAGE_IN_CURRENCY", "CURRENCY", "ACCOUNT_NAME"}),
            "snowflake-usage");
  EXPECT_EQ(name({"BilledCost", "line_item_unblended_cost", "line_item_line_item_type"}), "none");
  EXPECT_EQ(name({"a", "b"}), "none");
}

TEST(Translate, LeavesNoCostOfARecordThatWouldLoseMoney) {
  Format format;
  format.name = "lossy";
  format.title = "a lossy format";
  format.spell = [](std::string_view text) { return std::string(text); };
  format.costs = {"cost"};
  format.code = [](const Row&, const Context&, std::vector<Draft>* drafts) {
    drafts->front()[charge::kBilledCost] = "1.0";
  };
  const std::vector<std::string> names = {"cost"};
  const Header header(names, format.spell);
  const std::vector<std::string_view> right = {"1"}, wrong = {"1.000000000000000000001"},
                                      none = {"n/a"};
  const auto cost = [&](const std::vector<std::string_view>& cells) {
    return Translate(format, Row(header, cells), {}).at(0)[charge::kBilledCost];
  };
  EXPECT_EQ(cost(right), "1.0");
  EXPECT_EQ(cost(none), "1.0");  // one charge: the adapter sees what is wrong
  EXPECT_EQ(cost(wrong), "");
}

TEST(Row, LooksInsideJsonColumns) {
  const std::vector<std::string> names = {"a", "b.c"};
  const Header header(names, [](std::string_view text) { return std::string(text); });
  const std::vector<std::string_view> cells = {R"({"x":{"y":"1","p.q":"2"},"n":null})", "3"};
  const Row row(header, cells);
  EXPECT_EQ(row["a.x.y"], "1");
  EXPECT_EQ(row["a.x.p.q"], "2");
  EXPECT_EQ(row["b.c"], "3");
  for (std::string_view nothing : {"a.n", "a.x.z", "a.z", "z.a", "b.d"}) {
    EXPECT_EQ(row[nothing], "") << nothing;
  }
}

TEST(Service, NarrowerWordsComeFirst) {
  EXPECT_EQ(KindOfService("Amazon Bedrock").subcategory, "Generative AI");
  EXPECT_EQ(KindOfService("Amazon ElastiCache").subcategory, "Caching");
  EXPECT_EQ(KindOfService("Virtual Machines").category, "Compute");
  EXPECT_EQ(KindOfService("whatever").category, "Other");
  // Short words count alone, or behind the vendor's name.
  EXPECT_EQ(KindOfService("Azure Database for PostgreSQL Flexible Server").category, "Databases");
  EXPECT_EQ(KindOfService("Azure DevOps Boards").category, "Developer Tools");
  EXPECT_EQ(KindOfService("AmazonEC2").category, "Compute");
  EXPECT_EQ(KindOfService("AmazonS3").category, "Storage");
  EXPECT_EQ(KindOfService("Premium SSD Managed Disks").subcategory, "Block Storage");
}

TEST(Service, KindsStandInFocus) {
  for (const char* name :
       {"bedrock", "sagemaker",  "rekognition", "elasticache", "redshift",  "athena", "dynamodb",
        "rds",     "lambda",     "eks",         "elb",         "cdn",       "vpc",    "dns",
        "vpn",     "glacier",    "efs",         "s3",          "disk",      "ec2",    "app service",
        "kinesis", "opensearch", "bot service", "comprehend",  "vertex ai", "glue"}) {
    const ServiceKind kind = KindOfService(name);
    const auto all = focus::ServiceSubcategories();
    EXPECT_TRUE(std::ranges::any_of(all,
                                    [&](const focus::ServiceSubcategory& each) {
                                      return each.category == kind.category &&
                                             each.name == kind.subcategory;
                                    }))
        << name << ": " << kind.category << ", " << kind.subcategory;
  }
}

}  // namespace
}  // namespace flyball::native
