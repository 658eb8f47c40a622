// Whole imports, from a file to staged slices: real data, dirty data, packed data, and what must be
// refused.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/engine.h"
#include "ingest/import.h"
#include "os/files.h"

namespace flyball::ingest {
namespace {

namespace fs = std::filesystem;

class StageTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "flyball-ingest-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    home_ = root_ + "/home";
    fs::create_directories(home_);
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string Write(const std::string& name, std::string_view content) {
    std::string path = root_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  Result<Staged> Import(const std::string& path, uint64_t memory = 1ull << 30,
                        const std::string& currency = "") {
    ImportOptions options;
    options.files = {path};
    options.home = home_;
    options.memory_bytes = memory;
    options.threads = 2;
    options.currency = currency;
    return StageImport(options, *files_);
  }
  // Rows of a query over the staged parts; $parts stands for them.
  engine::Answer Ask(const Staged& staged, std::string sql) {
    engine::DatabaseOptions options;
    options.allowed_dirs = {staged.import.staging_dir};
    auto database = engine::Database::Open(options);
    EXPECT_TRUE(database.has_value());
    auto connection = database->Connect();
    std::string parts = "read_parquet(" +
                        engine::QuoteLiteral(staged.import.staging_dir + "/*/part-*.parquet") + ")";
    if (size_t at = sql.find("$parts"); at != std::string::npos) sql.replace(at, 6, parts);
    auto answer = connection->Query(sql);
    EXPECT_TRUE(answer.has_value()) << answer.error().ToString();
    return std::move(*answer);
  }

  std::string root_, home_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
};

std::string Shared(const std::string& name) {
  const char* dir = std::getenv("FLYBALL_SHARED_DATA");
  std::string path = std::string(dir == nullptr ? "" : dir) + "/focus/" + name;
  return dir != nullptr && fs::exists(path) ? path : "";
}

TEST_F(StageTest, RealSampleIsExactAndEveryDefectIsCounted) {
  std::string path = Shared("focus_sample_1.0_1000.csv");
  if (path.empty()) GTEST_SKIP() << "the real FOCUS sample is not here (FLYBALL_SHARED_DATA)";
  auto staged = Import(path);
  ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
  const ledger::ImportFacts& facts = staged->import.facts;
  EXPECT_EQ(facts.focus_version, "1.0");
  EXPECT_EQ(facts.rows_in, 1000);
  EXPECT_EQ(facts.rows_kept, 1000);
  EXPECT_EQ(facts.rows_quarantined, 0);
  EXPECT_EQ(facts.billed_cost.in, "20.52022672899");
  EXPECT_EQ(facts.billed_cost.kept, "20.52022672899");
  EXPECT_EQ(facts.billed_cost.quarantined, "0");
  EXPECT_EQ(facts.billed_cost.residue, "0");
  std::map<std::string, int64_t> repairs = {
      {"null_text", 1000},       {"empty_string_null", 7},       {"date_format", 1000},
      {"allowed_value_case", 7}, {"missing_contracted_cost", 7}, {"column_without_x_prefix", 1}};
  EXPECT_EQ(facts.repairs, repairs);
  std::map<std::string, int64_t> findings = {{"list_cost_product_mismatch", 25},
                                             {"contracted_cost_product_mismatch", 17},
                                             {"effective_cost_above_list_cost", 7},
                                             {"contracted_cost_zero_with_list_cost", 608}};
  EXPECT_EQ(facts.findings, findings);
  EXPECT_EQ(facts.lineage.at("ServiceProviderName").at("derived"), 1000);
  EXPECT_EQ(facts.lineage.at("HostProviderName").at("assumed"), 1000);
  EXPECT_EQ(facts.lineage.at("ContractedCost").at("assumed"), 7);
  EXPECT_EQ(facts.lineage.at("ContractedCost").at("observed"), 993);
  EXPECT_EQ(facts.lineage.at("InvoiceId").at("missing"), 1000);
  ASSERT_EQ(staged->import.slices.size(), 2u);
  EXPECT_EQ(staged->import.slices[0].period, "2024-09");
  EXPECT_EQ(staged->import.slices[0].rows, 999);
  EXPECT_EQ(staged->import.slices[1].period, "2024-10");
  EXPECT_EQ(staged->import.slices[1].rows, 1);
  engine::Answer sums = Ask(*staged,
                            "SELECT sum(BilledCost), sum(EffectiveCost), sum(ListCost),"
                            " count(DISTINCT x_Id), count(x_PublisherName) FROM $parts");
  EXPECT_EQ(FormatDecimal(sums.Units(0, 0), 12), "20.52022672899");
  EXPECT_EQ(FormatDecimal(sums.Units(0, 1), 12), "14.97651418586");
  EXPECT_EQ(sums.Int64(0, 4), 1000);
}

constexpr std::string_view kHeader =
    "BilledCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,"
    "ChargePeriodEnd,ChargeCategory,ServiceName,ProviderName,Tags\n";

std::string Row(std::string_view cost, std::string_view currency = "USD",
                std::string_view month = "2024-09") {
  std::string m(month);
  return std::string(cost) + "," + std::string(currency) + "," + m + "-01T00:00:00Z,," + m +
         "-02T03:00:00Z," + m +
         "-02T04:00:00Z,Usage,Compute,AWS,\"{\"\"b\"\": \"\"2\"\", "
         "\"\"a\"\": \"\"1\"\"}\"\n";
}

TEST_F(StageTest, SpecExamplesOfEveryVersionReconcile) {
  std::string dir = Shared("spec_v1.2_examples");
  if (dir.empty()) GTEST_SKIP() << "the FOCUS examples are not here (FLYBALL_SHARED_DATA)";
  int files = 0;
  for (const auto& entry : fs::directory_iterator(dir)) {
    auto staged = Import(entry.path().string());
    ASSERT_TRUE(staged.has_value()) << entry.path() << staged.error().ToString();
    const ledger::ImportFacts& facts = staged->import.facts;
    EXPECT_EQ(facts.rows_in, facts.rows_kept + facts.rows_quarantined);
    // Eleven of the examples leave out BillingCurrency: their rows can't be kept.
    bool kept = facts.lineage.contains("BillingCurrency");
    EXPECT_EQ(facts.rows_quarantined, kept ? 0 : facts.rows_in) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 26);
  // Told which it is, none of their rows is lost, but for two that end at 30 o'clock.
  int64_t no_dates = 0;
  for (const auto& entry : fs::directory_iterator(dir)) {
    auto staged = Import(entry.path().string(), 1ull << 30, "USD");
    ASSERT_TRUE(staged.has_value()) << entry.path() << staged.error().ToString();
    no_dates += staged->import.facts.rows_quarantined;
    for (const QuarantinedRow& row : staged->quarantine) {
      EXPECT_NE(row.reason.find("2023-02-01T30:00:00Z"), std::string::npos) << row.reason;
    }
    EXPECT_EQ(staged->import.facts.billed_cost_by_currency.count("(none)"), 0U) << entry.path();
  }
  EXPECT_EQ(no_dates, 2);
  auto saas = Import(dir + "/simple_saas_agreements_a1.csv");
  ASSERT_TRUE(saas.has_value());
  EXPECT_EQ(saas->import.facts.billed_cost.kept, "10000");
  EXPECT_EQ(saas->import.facts.repairs.at("us_date"), 1);
  EXPECT_EQ(saas->import.facts.repairs.at("currency_symbol"), 1);
  auto marked = Import(dir + "/virtual_currency_pricing_model_a2.csv");
  ASSERT_TRUE(marked.has_value());
  EXPECT_EQ(marked->import.facts.rows_kept, 3);
  auto tokens = Import(Shared("ai_prompt_caching_b_1.5draft.csv"));
  ASSERT_TRUE(tokens.has_value());
  EXPECT_EQ(tokens->import.facts.rows_quarantined, 0);
}

TEST_F(StageTest, QuarantinesWhatCannotBeRepairedAndStillReconciles) {
  std::string path = Write("bill.csv", std::string(kHeader) + Row("1.5") + Row("abc") +  // 3
                                           Row("2", "") +                                // 4
                                           Row("3", "US$") +                             // 5
                                           "4,USD,too,few\n" +                           // 6
                                           Row("1e40") +                                 // 7
                                           "\n" +                                        // 8
                                           Row("0.1234567890123") +                      // 9
                                           Row("5", "eur", "2024-10") +
                                           "6,USD,2024-09-01,,nonsense,,Usage,x,AWS,\n"  // 11
                                           "7,USD,\"open\n");
  auto staged = Import(path);
  ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
  const ledger::ImportFacts& facts = staged->import.facts;
  EXPECT_EQ(facts.rows_in, 10);
  EXPECT_EQ(facts.rows_kept, 3);
  EXPECT_EQ(facts.rows_quarantined, 7);
  EXPECT_EQ(facts.billed_cost.kept, "6.623456789012");
  EXPECT_EQ(facts.billed_cost.residue, "0.0000000000003");
  EXPECT_EQ(facts.billed_cost.in, "10000000000000000000000000000000000000028.6234567890123");
  EXPECT_EQ(facts.billed_cost.quarantined, "10000000000000000000000000000000000000022");
  EXPECT_EQ(facts.billed_cost_by_currency.at("EUR").kept, "5");
  EXPECT_EQ(facts.billed_cost_by_currency.at("(none)").quarantined, "5");
  EXPECT_EQ(facts.repairs.at("cost_rounded"), 1);
  EXPECT_EQ(facts.repairs.at("currency_case"), 1);
  EXPECT_EQ(facts.repairs.at("empty_line"), 1);
  EXPECT_EQ(facts.repairs.at("missing_billing_period_end"), 3);
  std::map<int64_t, std::string> reasons;
  for (const QuarantinedRow& row : staged->quarantine) {
    EXPECT_EQ(row.file, "bill.csv");
    reasons[row.line] = row.reason;
  }
  std::map<int64_t, std::string> expected = {
      {3, "BilledCost 'abc' is no number"},
      {4, "the row has no BillingCurrency"},
      {5, "BillingCurrency 'US$' is no code of three letters"},
      {6, "the row has 4 fields and the header has 10"},
      {7, "BilledCost '1e40' is larger than 38 digits hold"},
      {11, "ChargePeriodStart 'nonsense' is no date"},
      {12, "a quote that opens in the row is never closed"}};
  EXPECT_EQ(reasons, expected);
  auto file = files_->ReadAll(staged->import.quarantine_file);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(std::count(file->begin(), file->end(), '\n'), 7);
  EXPECT_NE(file->find(R"("line":6,"code":"ragged_row")"), std::string::npos);
  EXPECT_NE(file->find(R"("raw":"4,USD,too,few")"), std::string::npos);
  EXPECT_EQ(staged->import.slices.size(), 2u);
  engine::Answer rows = Ask(*staged,
                            "SELECT x_SourceLine, Tags, x_Lineage, x_SourceFile, BillingCurrency"
                            " FROM $parts ORDER BY 1");
  ASSERT_EQ(rows.row_count(), 3);
  EXPECT_EQ(rows.Int64(0, 0), 2);
  EXPECT_EQ(rows.Int64(1, 0), 9);
  EXPECT_EQ(rows.Int64(2, 0), 10);
  EXPECT_EQ(rows.Text(0, 1), R"({"a":"1","b":"2"})");
  EXPECT_EQ(rows.Text(0, 2),
            "BillingAccountId=missing;BillingPeriodEnd=assumed;ContractedCost=assumed;"
            "EffectiveCost=assumed;HostProviderName=assumed;InvoiceIssuerName=assumed;"
            "ListCost=assumed;ServiceCategory=missing;ServiceProviderName=derived;"
            "ServiceSubcategory=missing");
  EXPECT_EQ(rows.Text(0, 3), "bill.csv");
  EXPECT_EQ(rows.Text(2, 4), "EUR");
}

// One absurd number costs its own row, never the file.
TEST_F(StageTest, CostsBeyondTheControlSumsGoToTheQuarantine) {
  const std::vector<std::pair<std::string, std::string>> costs = {
      {"1E-200000", "has digits beyond the 4096th behind the point"},
      {"1E-4097", "has digits beyond the 4096th behind the point"},
      {"$1E-9999", "has digits beyond the 4096th behind the point"},
      {"1E+200000", "is larger than 38 digits hold"},
      {"-1E+99999999999999999999", "is larger than 38 digits hold"},
      {std::string(5000, '7'), "is no number"},
      {"0." + std::string(5000, '3'), "is no number"}};
  std::string csv(kHeader), json;
  auto add = [&](const std::string& cost) {
    csv += Row(cost);
    json += R"({"BilledCost":")" + cost +
            R"(","BillingCurrency":"USD","BillingPeriodStart":"2024-09-01T00:00:00Z",)"
            R"("ChargePeriodStart":"2024-09-02T03:00:00Z","ServiceName":"Compute"})"
            "\n";
  };
  for (const auto& [cost, reason] : costs) add(cost);
  for (const char* kept : {"1E-4096", "2", "0E-200000", "0E+200000"}) add(kept);
  for (const std::string& path : {Write("bill.csv", csv), Write("bill.jsonl", json)}) {
    auto staged = Import(path);
    ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
    const ledger::ImportFacts& facts = staged->import.facts;
    EXPECT_EQ(facts.rows_in, 11);
    EXPECT_EQ(facts.rows_kept, 4);
    EXPECT_EQ(facts.rows_quarantined, 7);
    EXPECT_EQ(facts.billed_cost.kept, "2");
    EXPECT_EQ(facts.billed_cost.quarantined, "0");
    EXPECT_EQ(facts.billed_cost.residue, "0." + std::string(4095, '0') + "1");
    EXPECT_EQ(facts.billed_cost.in, "2." + std::string(4095, '0') + "1");
    ASSERT_EQ(staged->quarantine.size(), costs.size());
    const int64_t first = path.ends_with("csv") ? 2 : 1;
    for (size_t i = 0; i < costs.size(); ++i) {
      EXPECT_EQ(staged->quarantine[i].line, first + static_cast<int64_t>(i));
      EXPECT_NE(staged->quarantine[i].reason.find(costs[i].second), std::string::npos)
          << staged->quarantine[i].reason;
    }
  }
}

TEST_F(StageTest, ReportIsTheContract) {
  auto staged = Import(Write("bill.csv", std::string(kHeader) + Row("1.5") + Row("x")));
  ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
  std::string json = ImportReportJson("0123456789abcdef", *staged, false);
  for (std::string_view part :
       {R"("commit": "0123456789abcdef")", R"("source": "bill")", R"("focus_version": "1.0")",
        R"("rows_in": 2)", R"("rows_kept": 1)", R"("rows_quarantined": 1)", R"("in": "1.5")",
        R"("kept": "1.5")", R"("residue": "0")", R"("line": 3)", R"("unchanged": false)"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  }
}

// A manifest counts rows, and one that lies must not become a bill.
TEST_F(StageTest, AnotherNumberOfRowsThanExpectedLeavesNothing) {
  ImportOptions options;
  options.files = {Write("bill.csv", std::string(kHeader) + Row("1.5") + Row("x"))};
  options.home = home_;
  options.rows_expected = 3;
  const auto staged = StageImport(options, *files_);
  ASSERT_FALSE(staged.has_value());
  EXPECT_EQ(staged.error().code, Code::kFailedPrecondition);
  EXPECT_NE(staged.error().message.find("3 rows, but the files have 2"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(home_ + "/tmp"));
  options.rows_expected = 2;  // those in quarantine are rows, too
  EXPECT_TRUE(StageImport(options, *files_).has_value());
}

TEST_F(StageTest, RefusesBadInputWithOneSentenceAndLeavesNothing) {
  auto refused = [&](std::string_view content, std::string_view in_message) {
    auto staged = Import(Write("bad.csv", content));
    ASSERT_FALSE(staged.has_value()) << content.substr(0, 40);
    EXPECT_EQ(staged.error().code, Code::kInvalidArgument) << staged.error().ToString();
    EXPECT_NE(staged.error().ToString().find(in_message), std::string::npos)
        << staged.error().ToString();
  };
  refused("", "is empty");
  refused("\n\n", "has no content");
  refused("1,2,3\n4,5,6\n", "no header");
  refused("BilledCost:BillingCurrency\n1:USD\n", "no header");
  refused(kHeader, "has a header but no rows");
  refused("BilledCost,BILLEDCOST\n1,2\n", "stands twice");
  refused("[{\"BilledCost\":1}", "cut off");
  refused(std::string(3u << 20, 'x'), "longer than 1.0 MiB");
  refused(std::string(kHeader) + "1,\"" + std::string(9u << 20, 'x') + "\n", "record is longer");
  refused("{\"BilledCost\":1}\n" + std::string(9u << 20, ' '), "record is longer");
  std::string new_keys = R"({"BilledCost":1})";
  for (int i = 0; i < 2000; ++i) {
    new_keys += fmt::format("\n{{\"x_{}\":1}}", i);
  }
  refused(new_keys, "bad.csv:1001: the lines up to here have more than 1000 different keys");
  refused(R"({"BilledCost":1})"
          "\n{\"" +
              std::string(2u << 20, 'k') + "\":1}\n" + new_keys,
          "bad.csv:2: the lines up to here");
  refused(
      "\xFF\xFE"
      "B",
      "UTF-16");
  EXPECT_FALSE(Import(root_ + "/not-there.csv").has_value());
  EXPECT_FALSE(Import(root_).has_value());
  EXPECT_FALSE(Import("/dev/null").has_value());
  ImportOptions options;
  options.home = home_;
  options.files = {Write("bill.csv", std::string(kHeader) + Row("1"))};
  options.source = "../up";
  EXPECT_FALSE(StageImport(options, *files_).has_value());
  options.source.clear();
  options.files.push_back(options.files[0]);
  EXPECT_FALSE(StageImport(options, *files_).has_value()) << "the same file twice";
  auto left = files_->List(home_ + "/tmp");
  EXPECT_TRUE(!left.has_value() || left->empty());
}

TEST_F(StageTest, NativeBillsInParquetHaveMapsStructsAndLists) {
  {
    engine::DatabaseOptions options;
    options.allowed_dirs = {root_};
    auto database = engine::Database::Open(options);
    auto connection = database->Connect();
    auto copied = connection->Execute(
        "COPY (SELECT 'Usage' AS line_item_line_item_type, 1.5::DOUBLE AS line_item_unblended_cost,"
        " 'USD' AS line_item_currency_code, TIMESTAMP '2026-10-02 00:00:00' AS"
        " line_item_usage_start_date, TIMESTAMP '2026-10-01 00:00:00' AS"
        " bill_billing_period_start_date, MAP {'user_team': 'ml'} AS resource_tags,"
        " MAP {'product_name': 'Amazon Bedrock'} AS product) TO '" +
        root_ + "/cur.parquet' (FORMAT PARQUET)");
    ASSERT_TRUE(copied.has_value()) << copied.error().ToString();
    copied = connection->Execute(
        "COPY (SELECT '01' AS billing_account_id, {'id': 'S', 'description': 'Compute Engine'} AS"
        " service, TIMESTAMP '2026-10-02 00:00:00' AS usage_start_time, 2.5::DECIMAL(18,6) AS cost,"
        " 'USD' AS currency, {'month': '202610'} AS invoice,"
        " [{'name': 'promo', 'amount': -0.5::DECIMAL(18,6), 'type': 'PROMOTION'}] AS credits) TO "
        "'" +
        root_ + "/gcp.parquet' (FORMAT PARQUET)");
    ASSERT_TRUE(copied.has_value()) << copied.error().ToString();
  }
  auto cur = Import(root_ + "/cur.parquet");
  ASSERT_TRUE(cur.has_value()) << cur.error().ToString();
  EXPECT_EQ(cur->import.facts.focus_version, "aws-cur");
  EXPECT_EQ(cur->import.facts.billed_cost.kept, "1.5");
  EXPECT_EQ(Ask(*cur, "SELECT Tags, ServiceName FROM $parts").Text(0, 0), R"({"team":"ml"})");
  EXPECT_EQ(Ask(*cur, "SELECT ServiceName FROM $parts").Text(0, 0), "Amazon Bedrock");
  auto gcp = Import(root_ + "/gcp.parquet");
  ASSERT_TRUE(gcp.has_value()) << gcp.error().ToString();
  EXPECT_EQ(gcp->import.facts.focus_version, "gcp-billing");
  EXPECT_EQ(gcp->import.facts.rows_kept, 2);
  EXPECT_EQ(gcp->import.facts.billed_cost.kept, "2");
}

TEST_F(StageTest, CancelledAndUnchangedImportsLeaveNothing) {
  ImportOptions options;
  options.home = home_;
  std::string content(kHeader);
  for (int i = 0; i < 50'000; ++i) content += Row(std::to_string(i));
  options.files = {Write("bill.csv", content)};
  uint64_t most = 0;
  options.progress = [&](uint64_t done, uint64_t total) {
    most = std::max(most, done);
    return done < total * 3 / 4;
  };
  auto staged = StageImport(options, *files_);
  ASSERT_FALSE(staged.has_value());
  EXPECT_EQ(staged.error().code, Code::kCancelled);
  EXPECT_GT(most, 0u);
  options.progress = {};
  Scan seen;
  options.already_live = [&](const Scan& scan) {
    seen = scan;
    return true;
  };
  staged = StageImport(options, *files_);
  ASSERT_TRUE(staged.has_value());
  EXPECT_TRUE(staged->unchanged);
  EXPECT_EQ(seen.content_hash, ScanFiles(options)->content_hash);
  EXPECT_TRUE(files_->List(home_ + "/tmp")->empty());
}

// How many files an import may have does not depend on how many months stand in each.
TEST_F(StageTest, ManySmallFilesOfManyMonthsAreOneImport) {
  constexpr int kFiles = 120, kMonths = 13;
  ImportOptions options;
  options.home = home_;
  options.threads = 2;
  options.source = "many";
  for (int file = 0; file < kFiles; ++file) {
    const bool json = file % 2 == 1;
    std::string content(json ? "" : kHeader);
    for (int i = 0; i < kMonths; ++i) {
      const int at = (i * 5 + file) % kMonths;  // months are mixed, and begin anywhere
      const std::string month = fmt::format("{}-{:02}", 2023 + at / 12, 1 + at % 12);
      std::string row = Row("1", "USD", month);
      row.replace(row.find("Compute"), 7, fmt::format("service {}", file));
      content +=
          json ? fmt::format(
                     R"({{"BilledCost":1,"BillingCurrency":"USD","BillingPeriodStart":"{0}-01",)"
                     R"("ChargePeriodStart":"{0}-02","ServiceName":"service {1}"}})"
                     "\n",
                     month, file)
               : row;
    }
    if (file % 40 == 0) content += file == 0 ? "5,USD,\"never closed\n" : "\"5";
    options.files.push_back(
        Write(fmt::format("bill-{}.{}", file, json ? "jsonl" : "csv"), content));
  }
  auto staged = StageImport(options, *files_);
  ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
  EXPECT_EQ(staged->import.facts.rows_kept, kFiles * kMonths);
  EXPECT_EQ(staged->import.facts.rows_quarantined, 3);
  EXPECT_EQ(staged->import.facts.billed_cost.quarantined, "15");
  ASSERT_EQ(staged->import.slices.size(), static_cast<size_t>(kMonths));
  for (const ledger::Slice& slice : staged->import.slices) EXPECT_EQ(slice.rows, kFiles);
  ASSERT_EQ(staged->quarantine.size(), 3u);
  EXPECT_EQ(staged->quarantine[1].file, "bill-40.csv");
  EXPECT_EQ(staged->quarantine[1].line, kMonths + 2);
  engine::Answer rows = Ask(*staged,
                            "SELECT count(DISTINCT x_SourceFile), count(DISTINCT ServiceName),"
                            " min(x_SourceLine), max(x_SourceLine) FROM $parts");
  EXPECT_EQ(rows.Int64(0, 0), kFiles);
  EXPECT_EQ(rows.Int64(0, 1), kFiles);
  EXPECT_EQ(rows.Int64(0, 2), 1);
  EXPECT_EQ(rows.Int64(0, 3), kMonths + 1);
}

TEST_F(StageTest, SeveralCurrenciesFilesAndMonths) {
  std::string other(kHeader);
  other += "1.25,EUR,2024-09-01T00:00:00Z,,2024-09-02T00:00:00Z,,Usage,\"a,b\",AWS,a=1\n";
  ImportOptions options;
  options.home = home_;
  options.threads = 2;
  options.source = "both";
  std::string many(kHeader);
  for (int i = 0; i < 5000; ++i) {
    many += Row("0.01", i % 2 == 0 ? "USD" : "EUR", i % 3 == 0 ? "2024-09" : "2024-11");
  }
  options.files = {Write("a.csv", many), Write("b.csv", other)};
  auto staged = StageImport(options, *files_);
  ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
  const ledger::ImportFacts& facts = staged->import.facts;
  EXPECT_EQ(facts.rows_kept, 5001);
  EXPECT_EQ(facts.repairs.at("tags_normalised"), 1);
  EXPECT_EQ(facts.billed_cost_by_currency.at("EUR").kept, "26.25");
  EXPECT_EQ(facts.billed_cost_by_currency.at("USD").kept, "25");
  ASSERT_EQ(staged->import.slices.size(), 2u);
  EXPECT_EQ(staged->import.slices[0].period, "2024-09");
  EXPECT_EQ(staged->import.slices[0].rows, 1668);
  EXPECT_EQ(staged->import.slices[1].period, "2024-11");
  engine::Answer rows = Ask(*staged,
                            "SELECT count(DISTINCT x_SourceLine), count(DISTINCT x_SourceFile),"
                            " min(x_SourceLine), max(x_SourceLine) FROM $parts");
  EXPECT_EQ(rows.Int64(0, 0), 5000);
  EXPECT_EQ(rows.Int64(0, 1), 2);
  EXPECT_EQ(rows.Int64(0, 2), 2);
  EXPECT_EQ(rows.Int64(0, 3), 5001);
}

TEST_F(StageTest, JsonLinesAndParquetGiveTheSameLedgerAsCsv) {
  std::string csv =
      Write("bill.csv", std::string(kHeader) + Row("1.10") + Row("1E-13") + Row("-2"));
  auto from_csv = Import(csv);
  ASSERT_TRUE(from_csv.has_value()) << from_csv.error().ToString();
  std::string json;
  for (std::string_view cost : {"1.10", "1E-13", "\"-2\""}) {
    json += "{\"BilledCost\":" + std::string(cost) +
            R"(,"BillingCurrency":"USD","BillingPeriodStart":"2024-09-01T00:00:00Z",)"
            R"("BillingPeriodEnd":null,"ChargePeriodStart":"2024-09-02T03:00:00Z",)"
            R"("ChargePeriodEnd":"2024-09-02T04:00:00Z","ChargeCategory":"Usage",)"
            R"("ServiceName":"Compute","ProviderName":"AWS","Tags":{"b":"2","a":"1"}})"
            "\r\n";
  }
  auto from_json = Import(Write("bill.jsonl", "\xEF\xBB\xBF" + json));
  ASSERT_TRUE(from_json.has_value()) << from_json.error().ToString();
  {
    engine::DatabaseOptions options;
    options.allowed_dirs = {root_};
    auto database = engine::Database::Open(options);
    auto connection = database->Connect();
    auto copied = connection->Execute(
        "COPY (SELECT * REPLACE (BilledCost::DOUBLE AS BilledCost, BillingPeriodStart::TIMESTAMP AS"
        " BillingPeriodStart, MAP {'b': '2', 'a': '1'} AS Tags)"
        " FROM read_csv('" +
        csv + "', all_varchar = true)) TO '" + root_ + "/bill.parquet' (FORMAT PARQUET)");
    ASSERT_TRUE(copied.has_value()) << copied.error().ToString();
  }
  auto from_parquet = Import(root_ + "/bill.parquet");
  ASSERT_TRUE(from_parquet.has_value()) << from_parquet.error().ToString();
  for (const auto& staged : {&*from_json, &*from_parquet}) {
    const ledger::ImportFacts& facts = staged->import.facts;
    EXPECT_EQ(facts.rows_kept, 3);
    EXPECT_EQ(facts.billed_cost.in, "-0.8999999999999");
    EXPECT_EQ(facts.billed_cost.kept, from_csv->import.facts.billed_cost.kept);
    EXPECT_EQ(facts.billed_cost.residue, "0.0000000000001");
    EXPECT_EQ(facts.repairs, from_csv->import.facts.repairs);
    const char* sql = "SELECT DISTINCT x_Signature, Tags, x_Lineage, BillingPeriodEnd FROM $parts";
    EXPECT_EQ(Ask(*staged, sql).row_count(), 1);
    EXPECT_EQ(Ask(*staged, sql).Uint64(0, 0), Ask(*from_csv, sql).Uint64(0, 0));
  }
  EXPECT_EQ(Ask(*from_parquet, "SELECT max(x_SourceLine) FROM $parts").Int64(0, 0), 3);
  EXPECT_FALSE(Import(Write("cut.parquet", "PAR1 and nothing behind it")).has_value());
}

TEST_F(StageTest, InvalidUtf8IsRepairedInTexts) {
  auto staged = Import(Write("bill.csv", std::string(kHeader) +
                                             "1,USD,2024-09-01T00:00:00Z,,2024-09-02T00:00:00Z,,"
                                             "Usage,Caf\xE9 service,AWS,\n"));
  ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
  EXPECT_EQ(staged->import.facts.repairs.at("invalid_utf8"), 1);
  EXPECT_EQ(Ask(*staged, "SELECT ServiceName FROM $parts").Text(0, 0), "Caf\xEF\xBF\xBD service");
}

// A row's cost is the number of its line: wherever the rows of a month stand, each keeps its own.
TEST_F(StageTest, EveryRowKeepsItsLineWhetherMonthsAreSortedOrMixed) {
  for (bool mixed : {false, true}) {
    std::string content(kHeader);
    int64_t line = 2;
    for (int i = 0; i < 6000; ++i) {
      int month = mixed ? i % 12 : i / 500;
      if (i % 700 == 3) {
        content += "\r\n";
        ++line;
      }
      std::string row = Row(
          std::to_string(line), "USD",
          month < 9 ? "2024-0" + std::to_string(month + 1) : "2024-" + std::to_string(month + 1));
      if (i % 11 == 0) {
        row.replace(row.find("Compute"), 7, "\"two\nlines\"");
        ++line;
      }
      content += row;
      ++line;
    }
    auto staged = Import(Write(mixed ? "mixed.csv" : "sorted.csv", content));
    ASSERT_TRUE(staged.has_value()) << staged.error().ToString();
    EXPECT_EQ(staged->import.facts.rows_kept, 6000);
    EXPECT_EQ(staged->import.facts.repairs.at("empty_line"), 9);
    EXPECT_EQ(staged->import.slices.size(), 12u);
    engine::Answer rows =
        Ask(*staged, "SELECT count(*), count(*) FILTER (BilledCost = x_SourceLine) FROM $parts");
    EXPECT_EQ(rows.Int64(0, 0), 6000);
    EXPECT_EQ(rows.Int64(0, 1), 6000) << (mixed ? "mixed" : "sorted");
  }
}

TEST_F(StageTest, PackedBillsOfSeveralMonthsAndManyReplayedIds) {
  std::string content =
      std::string(kHeader) + Row("1", "USD", "2024-09") + Row("2", "USD", "2024-10");
  auto first = Import(Write("bill.csv", content));
  ASSERT_TRUE(first.has_value()) << first.error().ToString();
  // The same content again, when a slice of that id is in the ledger already: another id.
  const ledger::Slice& slice = first->import.slices[0];
  fs::create_directories(home_ + "/slices/bill/" + slice.period + "/" + slice.id);
  auto second = Import(root_ + "/bill.csv");
  ASSERT_TRUE(second.has_value()) << second.error().ToString();
  EXPECT_NE(second->import.slices[0].id, slice.id);
  EXPECT_NE(second->import.slices[0].id, second->import.slices[1].id);
}

// The highest resident memory of this process, in kB.
int64_t PeakMemoryKb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6);
  }
  return 0;
}

// In a process of its own, so that nothing else of this test counts.
TEST_F(StageTest, MemoryStaysUnderItsLimitHoweverLargeTheFile) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's own memory would be measured";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer's own memory would be measured";
#endif
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto import_under_limit = [&] {
    constexpr uint64_t kLimit = 256ull << 20;
    constexpr int kMonths = 6, kRowsPerMonth = 60'000;
    std::string path = root_ + "/large.csv";
    {
      std::ofstream file(path, std::ios::binary);
      std::string header(kHeader);
      header.back() = ',';
      file << header << "ResourceId,ChargeDescription,x_A,x_B,x_C\n";
      for (int i = 0; i < kMonths * kRowsPerMonth; ++i) {
        std::string row = Row(std::to_string(i) + ".000001", "USD",
                              "2024-0" + std::to_string(1 + i / kRowsPerMonth));
        row.back() = ',';
        std::string text = "resource-" + std::to_string(int64_t{i} * 7919) + std::string(150, 'r');
        file << row << text << ',' << text << ',' << text << ',' << text << ",c\n";
      }
    }
    auto staged = Import(path, kLimit);
    bool whole = staged.has_value() && staged->import.facts.rows_kept == kMonths * kRowsPerMonth;
    if (!whole) std::exit(1);
    int64_t peak = PeakMemoryKb();
    std::fprintf(stderr, "peak %lld kB\n", static_cast<long long>(peak));
    fs::remove_all(root_);
    std::exit(peak * 1024 < static_cast<int64_t>(kLimit) ? 0 : 2);
  };
  EXPECT_EXIT(import_under_limit(), testing::ExitedWithCode(0), "peak");
}

}  // namespace
}  // namespace flyball::ingest
