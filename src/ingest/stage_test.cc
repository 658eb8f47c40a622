// Whole imports, from a file to staged slices: real data, dirty data, packed data, and what must be
// refused.
#include <gtest/gtest.h>

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
  Result<Staged> Import(const std::string& path, uint64_t memory = 1ull << 30) {
    ImportOptions options;
    options.files = {path};
    options.home = home_;
    options.memory_bytes = memory;
    options.threads = 2;
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

}  // namespace
}  // namespace flyball::ingest
