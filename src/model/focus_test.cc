#include "model/focus.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"

namespace flyball::focus {
namespace {

constexpr std::array kDataSets = {DataSet::kCostAndUsage, DataSet::kContractCommitment,
                                  DataSet::kInvoiceDetail, DataSet::kBillingPeriod};

std::vector<std::string_view> NamesIn(DataSet data_set, Version version) {
  std::vector<std::string_view> names;
  for (const Column& column : Columns(data_set)) {
    if (column.In(version)) names.push_back(column.name);
  }
  return names;
}

TEST(Focus, EveryVersionHasItsNumberOfColumns) {
  const std::map<DataSet, std::array<size_t, kVersionCount>> expected = {
      {DataSet::kCostAndUsage, {43, 50, 57, 65, 65, 68}},
      {DataSet::kContractCommitment, {0, 0, 0, 13, 30, 30}},
      {DataSet::kInvoiceDetail, {0, 0, 0, 0, 22, 22}},
      {DataSet::kBillingPeriod, {0, 0, 0, 0, 6, 6}},
  };
  for (const auto& [data_set, counts] : expected) {
    for (size_t i = 0; i < counts.size(); ++i) {
      auto version = static_cast<Version>(i);
      EXPECT_EQ(NamesIn(data_set, version).size(), counts[i])
          << DataSetName(data_set) << " " << VersionName(version);
    }
  }
}

// The levels of Cost and Usage 1.4, as its own table counts them.
TEST(Focus, LevelsOfCostAndUsage) {
  std::map<Level, int> count;
  for (const Column& column : Columns(DataSet::kCostAndUsage)) {
    if (column.In(Version::k1_4)) ++count[column.LevelIn(Version::k1_4)];
  }
  EXPECT_EQ(count[Level::kMandatory], 21);
  EXPECT_EQ(count[Level::kRecommended], 4);
  EXPECT_EQ(count[Level::kConditional], 40);
}

TEST(Focus, RowsAreWellFormed) {
  for (DataSet data_set : kDataSets) {
    std::set<std::string> names;
    for (const Column& column : Columns(data_set)) {
      SCOPED_TRACE(column.name);
      EXPECT_EQ(column.data_set, data_set);
      EXPECT_TRUE(names.insert(ToLower(column.name)).second) << "stands twice";
      EXPECT_LE(column.since, column.until.value_or(Version::k1_5Draft));
      if (column.earlier) {
        EXPECT_LE(column.since, column.earlier->until);
      }
      EXPECT_EQ(column.type == ColumnType::kMoney, column.name.ends_with("Cost"));
      std::set<std::string_view> values(column.allowed.begin(), column.allowed.end());
      EXPECT_EQ(values.size(), column.allowed.size());
      EXPECT_FALSE(values.contains(""));
      if (!values.empty()) {
        EXPECT_EQ(column.type, ColumnType::kText);
      }
      EXPECT_EQ(column.level == Level::kConditional, !column.condition.empty());
    }
  }
}

TEST(Focus, WhatEarlierVersionsAskedFor) {
  const Column* invoice = FindColumn(DataSet::kCostAndUsage, "InvoiceId");
  ASSERT_NE(invoice, nullptr);
  EXPECT_EQ(invoice->LevelIn(Version::k1_2), Level::kRecommended);
  EXPECT_EQ(invoice->LevelIn(Version::k1_4), Level::kConditional);
  const Column* provider = FindColumn(DataSet::kCostAndUsage, "ProviderName");
  ASSERT_NE(provider, nullptr);
  EXPECT_EQ(provider->LevelIn(Version::k1_3), Level::kMandatory);
  EXPECT_FALSE(provider->In(Version::k1_4));
}

TEST(Focus, ServiceSubcategoriesHaveOneParent) {
  const Column* category = FindColumn(DataSet::kCostAndUsage, "ServiceCategory");
  const Column* subcategory = FindColumn(DataSet::kCostAndUsage, "ServiceSubcategory");
  EXPECT_EQ(category->allowed.size(), 19u);
  EXPECT_EQ(subcategory->allowed.size(), ServiceSubcategories().size());
  std::set<std::string_view> parents;
  for (const ServiceSubcategory& entry : ServiceSubcategories()) {
    EXPECT_TRUE(std::ranges::count(category->allowed, entry.category)) << entry.category;
    EXPECT_EQ(std::ranges::count(subcategory->allowed, entry.name), 1) << entry.name;
    parents.insert(entry.category);
  }
  EXPECT_EQ(parents.size(), 19u);
}

TEST(Focus, SkuPricePropertiesOfModels) {
  std::map<std::string_view, const SkuPriceProperty*> properties;
  for (const SkuPriceProperty& property : SkuPriceProperties()) {
    EXPECT_TRUE(properties.emplace(property.key, &property).second) << property.key;
    EXPECT_EQ(property.type == ColumnType::kQuantity, !property.unit.empty()) << property.key;
  }
  EXPECT_EQ(properties.size(), 19u);
  EXPECT_EQ(properties.at("GpuCount")->unit, "GPUs");
  EXPECT_EQ(properties.at("ModelId")->since, Version::k1_5Draft);
  EXPECT_EQ(properties.at("TokenDirection")->allowed.size(), 2u);
  EXPECT_EQ(properties.at("TokenCacheAction")->allowed.size(), 4u);
}

TEST(Focus, FindsColumnsInAnyCase) {
  for (DataSet data_set : kDataSets) {
    for (const Column& column : Columns(data_set)) {
      EXPECT_EQ(FindColumn(data_set, column.name), &column);
      EXPECT_EQ(FindColumn(data_set, ToLower(column.name)), &column);
    }
    EXPECT_EQ(FindColumn(data_set, "x_BilledCost"), nullptr);
    EXPECT_EQ(FindColumn(data_set, ""), nullptr);
  }
}

TEST(Focus, VersionNamesReadBack) {
  for (int i = 0; i < kVersionCount; ++i) {
    auto version = static_cast<Version>(i);
    EXPECT_EQ(ParseVersion(VersionName(version)), version);
  }
  EXPECT_EQ(ParseVersion("0.5"), std::nullopt);
  for (std::string_view name : DataSetNames()) EXPECT_EQ(DataSetName(*ParseDataSet(name)), name);
  EXPECT_EQ(ParseDataSet("costandusage"), std::nullopt);
  EXPECT_EQ(LineageName(Lineage::kAssumed), "assumed");
  EXPECT_EQ(LevelName(Level::kRecommended), "Recommended");
}

TEST(Detect, KnowsNothingOfAStrangersHeader) {
  EXPECT_FALSE(Detect({}).has_value());
  std::vector<std::string_view> header = {"id", "amount", "x_Team"};
  EXPECT_FALSE(Detect(header).has_value());
}

TEST(Detect, ColumnsKeptForOldReadersDoNotAgeAFile) {
  std::vector<std::string_view> header = NamesIn(DataSet::kCostAndUsage, Version::k1_4);
  header.push_back("ProviderName");
  header.push_back("PublisherName");
  std::optional<Detection> found = Detect(header);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->version, Version::k1_4);
  EXPECT_EQ(found->recognised, 67);
}

TEST(Detect, CountsMissingMandatoryColumnsAndDoubleNamesOnce) {
  std::vector<std::string_view> header = NamesIn(DataSet::kCostAndUsage, Version::k1_0);
  std::erase(header, "EffectiveCost");
  std::erase(header, "Tags");
  header.push_back("BilledCost");
  std::optional<Detection> found = Detect(header);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->version, Version::k1_0);
  EXPECT_EQ(found->recognised, 41);
  EXPECT_EQ(found->missing_mandatory, 1);
}

// The whole header of any version, shuffled, in another case and with foreign columns in between,
// is known as the first version that has these columns.
RC_GTEST_PROP(Detect, FullHeadersOfAnyVersion, ()) {
  DataSet data_set = *rc::gen::elementOf(kDataSets);
  auto version = static_cast<Version>(*rc::gen::inRange(0, kVersionCount));
  std::vector<std::string_view> names = NamesIn(data_set, version);
  RC_PRE(!names.empty());
  std::vector<std::string> header;
  for (std::string_view name : names) {
    header.push_back(*rc::gen::arbitrary<bool>() ? ToLower(name) : std::string(name));
  }
  size_t foreign = *rc::gen::inRange<size_t>(0, 5);
  for (size_t i = 0; i < foreign; ++i) header.push_back("x_Foreign" + std::to_string(i));
  for (size_t i = header.size() - 1; i > 0; --i) {
    std::swap(header[i], header[*rc::gen::inRange<size_t>(0, i + 1)]);
  }
  std::vector<std::string_view> views(header.begin(), header.end());

  Version first = version;
  for (int i = 0; i < kVersionCount; ++i) {
    if (NamesIn(data_set, static_cast<Version>(i)) != names) continue;
    first = static_cast<Version>(i);
    break;
  }
  std::optional<Detection> found = Detect(views);
  RC_ASSERT(found.has_value());
  RC_ASSERT(found->data_set == data_set);
  RC_ASSERT(found->version == first);
  RC_ASSERT(found->recognised == static_cast<int>(names.size()));
  RC_ASSERT(found->missing_mandatory == 0);
}

std::optional<std::filesystem::path> SharedFocus() {
  const char* root = std::getenv("FLYBALL_SHARED_DATA");
  if (root == nullptr) return std::nullopt;
  std::filesystem::path folder = std::filesystem::path(root) / "focus";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

// Names hold no commas or quotes, so a header needs no CSV reader.
std::optional<Detection> DetectFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::erase_if(line, [](char c) { return c == '"' || c == '\r'; });
  std::string_view text = line;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return Detect(SplitText(text, ','));
}

TEST(Detect, RealHeaders) {
  std::optional<std::filesystem::path> folder = SharedFocus();
  if (!folder) GTEST_SKIP() << "set FLYBALL_SHARED_DATA to the folder that has focus/";

  std::optional<Detection> sample = DetectFile(*folder / "focus_sample_1.0_1000.csv");
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->version, Version::k1_0);
  EXPECT_EQ(sample->recognised, 43);  // its forty-fourth, `Id`, is no column of FOCUS
  EXPECT_EQ(sample->missing_mandatory, 0);

  std::optional<Detection> draft = DetectFile(*folder / "ai_prompt_caching_b_1.5draft.csv");
  ASSERT_TRUE(draft.has_value());
  EXPECT_EQ(draft->version, Version::k1_4);
  EXPECT_EQ(draft->missing_mandatory, 0);

  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder / "spec_v1.2_examples")) {
    std::optional<Detection> example = DetectFile(entry.path());
    ASSERT_TRUE(example.has_value()) << entry.path();
    EXPECT_EQ(example->data_set, DataSet::kCostAndUsage) << entry.path();
    EXPECT_LE(example->version, Version::k1_2) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 26);
}

}  // namespace
}  // namespace flyball::focus
