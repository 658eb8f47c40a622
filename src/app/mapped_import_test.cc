// A bill of a format that the estate maps, from the file to the ledger.
#include <nlohmann/json.hpp>

#include "app/importer.h"
#include "app/open_ledger.h"
#include "app/test_home.h"
#include "app/worker.h"

namespace flyball::app {
namespace {

class MappedImport : public HomeTest {
 protected:
  void SetUp() override {
    Write("estate.yaml", R"(mappings:
  - name: acme
    dates: day-first
    columns:
      BilledCost: Amount
      BillingCurrency: { value: EUR }
      ChargePeriodStart: Date
      ServiceName: Product
    tags: { env: Environment }
)");
  }
  Result<std::string> Import(const std::string& bill, const std::string& format) {
    Write("bill.csv", bill);
    Importer importer = Importer::Open(environment_).value();
    ImportArgs args;
    args.files = {os::JoinPath(home_, "bill.csv")};
    args.input_format = format;
    return importer.Import(args);
  }
};

TEST_F(MappedImport, KeepsEveryCentAndWhatWasNotMapped) {
  const Result<std::string> report = Import(
      "Date,Product,Amount,Environment,Contract\n"
      "31.10.2026,GPU,12.345678901234,prod,c1\n"
      "1.11.2026,GPU,7,,c2\n"
      "soon,GPU,5,,c3\n",
      "acme");
  ASSERT_TRUE(report.has_value()) << report.error().ToString();
  const auto json = nlohmann::json::parse(*report);
  EXPECT_EQ(json["focus_version"], "acme");
  EXPECT_EQ(json["rows_kept"], 2);
  EXPECT_EQ(json["rows_quarantined"], 1);
  EXPECT_EQ(json["billed_cost"]["quarantined"], "5");
  EXPECT_EQ(json["periods"].size(), 2u);
  auto ledger = OpenLedger(environment_).value();
  ledger::CostQuery query;
  query.measures = {"billed_cost"};
  query.by = {"service", "tag:env"};
  const std::string answer = ledger::AnswerJson(*ledger->Query(query));
  EXPECT_NE(answer.find("12.345678901234"), std::string::npos) << answer;
  EXPECT_NE(answer.find("prod"), std::string::npos) << answer;
  const auto page = ledger->Rows(query, 0, 10).value();
  EXPECT_NE(std::ranges::find(page.columns, "x_contract"), page.columns.end());
}

TEST_F(MappedImport, WhatIsMissingIsNamed) {
  const Result<std::string> lacks = Import("Date,Product\n31.10.2026,GPU\n", "acme");
  ASSERT_FALSE(lacks.has_value());
  EXPECT_NE(lacks.error().message.find("amount"), std::string::npos) << lacks.error().ToString();
  const Result<std::string> unknown = Import("Date,Amount\n31.10.2026,1\n", "acne");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_NE(unknown.error().hint.find("acme"), std::string::npos) << unknown.error().hint;
}

}  // namespace
}  // namespace flyball::app
