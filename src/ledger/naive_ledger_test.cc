// The ledger against the naive interpreter: random little ledgers (sources, restatements, rules,
// compactions), random questions of every commit, and each answer, from whichever level it was
// read, must be the oracle's to the last digit.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "engine/engine.h"
#include "ledger/ledger.h"
#include "ledger/naive.h"
#include "ledger/slice_writer.h"
#include "model/charge.h"
#include "model/signature.h"

namespace flyball::ledger {
namespace {

constexpr int kMonths = 3;
const Instant kFirstMonth = ToInstant({2026, 1, 1});

const std::vector<std::string> kTagKeys = {"env",       "team.name",   "a/b",     "it's",
                                           "say \"x\"", "back\\slash", "a b",     "团队",
                                           "$.x",       "[0]",         "tag:env", "*"};
const std::vector<std::string> kTagValues = {"dev", "prod", "x,y;z=!", "",
                                             "值",  "null", "q\"uote", "\\"};

struct TextColumn {
  const char* name;
  std::vector<std::string> values;
  uint64_t null_percent;
};
const std::vector<TextColumn>& TextColumns() {
  static const std::vector<TextColumn> kColumns = {
      {"ServiceProviderName", {"AWS", "Acme Cloud", "北方云", "O'Hara \"GPU\" Inc"}, 0},
      {"HostProviderName", {"AWS", "Acme Cloud"}, 10},
      {"InvoiceIssuerName", {"AWS", "Reseller"}, 0},
      {"ServiceName", {"Amazon Bedrock", "svc-a", "svc-b", "(other)"}, 0},
      {"ServiceCategory", {"Compute", "AI and Machine Learning", "Storage"}, 0},
      {"ServiceSubcategory", {"Generative AI"}, 70},
      {"BillingAccountId", {"b1", "b2"}, 0},
      {"BillingAccountName", {"Main", "(none)"}, 30},
      {"SubAccountId", {"s1", "s2", "s3"}, 40},
      {"SubAccountName", {"one", "two"}, 50},
      {"RegionId", {"eu-west-1", "us-east-1"}, 30},
      {"ChargeCategory", {"Usage", "Credit", "Tax"}, 0},
      {"PricingCategory", {"Standard", "Committed"}, 30},
      {"CommitmentDiscountStatus", {"Used", "Unused"}, 70},
      {"SkuId", {"k1", "k2", "k3"}, 20},
      {"SkuMeter", {"Input Tokens", "Output Tokens"}, 50},
      {"ResourceId", {"r1", "r2", "r3", "r4", "r5"}, 20},
      {"ResourceName", {"web", "gpu"}, 60},
      {"ResourceType", {"vm"}, 50},
      {"ConsumedUnit", {"Hours", "Tokens"}, 30},
      {"x_Confidence", {"final", "estimate"}, 20},
      {"x_Team", {"search", "ads"}, 60},
      {"x_Project", {"p1"}, 80},
      {"x_WorkloadId", {"w1", "w2"}, 80},
      {"InvoiceId", {"i1", "i2"}, 50},
  };
  return kColumns;
}

const std::string& Pick(Random& random, const std::vector<std::string>& values) {
  return values[random.Below(values.size())];
}

// The signature's values of a charge, as views into it.
signature::Values SignatureOf(const NaiveCharge& charge) {
  signature::Values values(signature::Columns().size());
  for (const auto& [name, text] : charge.columns) {
    int index = signature::IndexOf(name);
    if (index >= 0 && text) values[static_cast<size_t>(index)] = *text;
  }
  return values;
}

int128 RandomCost(Random& random) {
  constexpr int128 kOne = 1'000'000'000'000;
  switch (random.Below(5)) {
    case 0:
      return 0;
    case 1:
      return kOne * random.Between(-100, 100);
    case 2:
      return random.Between(-5, 5);  // the last digits that are kept
    case 3:
      return kOne * kOne * random.Between(-1'000'000'000, 1'000'000'000);
    default:
      return random.Between(-3'000'000'000'000, 9'000'000'000'000);
  }
}

NaiveCharge RandomCharge(Random& random, const std::string& source, Instant month) {
  NaiveCharge charge;
  charge.source = source;
  for (const TextColumn& column : TextColumns()) {
    if (!random.Chance(column.null_percent, 100))
      charge.columns[column.name] = Pick(random, column.values);
  }
  charge.columns["BillingCurrency"] = random.Chance(4, 5) ? "USD" : "EUR";
  for (uint64_t tags = random.Below(4); tags > 0; --tags) {
    charge.tags[Pick(random, kTagKeys)] = Pick(random, kTagValues);
  }
  if (!charge.tags.empty()) {
    std::string json = "{";
    for (const auto& [key, value] : charge.tags) {
      if (json.size() > 1) json += ',';
      AppendJsonString(key, &json);
      json += ':';
      AppendJsonString(value, &json);
    }
    charge.columns["Tags"] = json + "}";
  }
  for (const char* cost : {"billed_cost", "effective_cost", "list_cost", "contracted_cost"}) {
    if (!random.Chance(1, 10)) charge.measures[cost] = RandomCost(random);
  }
  if (charge.columns.contains("ConsumedUnit")) {
    charge.measures["usage"] =
        static_cast<int128>(random.Between(0, 1'000'000'000)) * 1'000'000'007;
  }
  charge.start = {month.us + random.Between(0, 27 * 24 - 1) * kMicrosPerHour};
  if (random.Chance(1, 5)) charge.start.us += random.Between(1, kMicrosPerHour - 1);
  return charge;
}

// Hands the charges to the engine, in the columns of the ledger.
class ChargeSource : public engine::RowSource {
 public:
  ChargeSource(const std::vector<NaiveCharge>& charges, Instant month)
      : charges_(charges), month_(month) {}

  Result<int> Fill(int, engine::ChunkWriter& out) override {
    int row = 0;
    for (; row < engine::kChunkRows && at_ < charges_.size(); ++row, ++at_)
      Write(charges_[at_], row, out);
    return row;
  }

 private:
  // Each column of a row is set once.
  void Write(const NaiveCharge& charge, int row, engine::ChunkWriter& out) const {
    std::vector<bool> set(charge::kColumnCount, false);
    auto place = [&set](int column) {
      set[static_cast<size_t>(column)] = true;
      return column;
    };
    for (const auto& [name, text] : charge.columns) {
      if (text) out.SetText(place(charge::IndexOf(name)), row, *text);
    }
    for (const charge::MeasureColumn& measure : charge::Measures()) {
      auto found = charge.measures.find(std::string(measure.measure));
      if (found == charge.measures.end()) continue;
      out.SetUnits(place(charge::IndexOf(measure.column)), row, found->second);
    }
    out.SetInstant(place(charge::kChargePeriodStart), row, charge.start);
    out.SetInstant(place(charge::kChargePeriodEnd), row, {charge.start.us + kMicrosPerHour});
    out.SetInstant(place(charge::kBillingPeriodStart), row, month_);
    out.SetInstant(place(charge::kBillingPeriodEnd), row, AddMonths(month_, 1));
    out.SetUint64(place(charge::kSignature), row, signature::IdOf(SignatureOf(charge)));
    for (int c = 0; c < charge::kColumnCount; ++c) {
      if (!set[static_cast<size_t>(c)]) out.SetNull(c, row);
    }
  }

  const std::vector<NaiveCharge>& charges_;
  Instant month_;
  size_t at_ = 0;
};

// What the ledger must hold at one commit.
struct Version {
  Commit commit;
  std::vector<NaiveCharge> charges;  // live ones, with what the rules in force make of them
};

class LittleLedger {
 public:
  explicit LittleLedger(uint64_t seed) : random_(seed) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "flyball-naive-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~LittleLedger() {
    ledger_.reset();
    std::filesystem::remove_all(root_);
  }

  void Open() {
    ledger_.reset();
    LedgerOptions options;
    options.home = Home();
    options.memory_bytes = 256u << 20;
    options.threads = 2;
    auto ledger = Ledger::Open(options, *files_, clock_);
    ASSERT_TRUE(ledger.has_value()) << ledger.error().ToString();
    ledger_ = std::move(*ledger);
  }

  void Step() {
    clock_.Advance(kMicrosPerHour);
    uint64_t kind = random_.Below(8);
    if (versions_.empty() || kind < 4) {
      PublishSome();
    } else if (kind == 4) {
      ChangeRules();
    } else {
      Compact();
    }
  }

  // Asks something at some commit and compares with the oracle.
  void Ask() {
    const Version& version = versions_[random_.Below(versions_.size())];
    CostQuery query = RandomQuery(version);
    Result<QueryAnswer> expected = AnswerNaively(query, version.charges);
    for (ReadFrom level : {ReadFrom::kCube, ReadFrom::kRollup, ReadFrom::kRows}) {
      ASSERT_NO_FATAL_FAILURE(Compare(query, version, level, expected));
    }
    if (random_.Chance(1, 3)) CompareRows(query, version);
  }

  Ledger& ledger() { return *ledger_; }
  const std::set<std::string>& read_from() const { return read_from_; }
  int compactions() const { return compactions_; }

 private:
  void Compare(const CostQuery& query, const Version& version, ReadFrom coarsest,
               const Result<QueryAnswer>& expected) {
    Result<QueryAnswer> got = ledger_->Query(query, coarsest);
    ASSERT_EQ(expected.has_value(), got.has_value())
        << CanonicalJson(query) << (got ? "" : got.error().ToString());
    if (!expected) return;
    EXPECT_EQ(got->commit, version.commit.id) << CanonicalJson(query);
    EXPECT_EQ(got->query_hash, QueryHash(query));
    read_from_.insert(got->read_from);
    got->commit = expected->commit;
    std::string level = std::exchange(got->read_from, expected->read_from);
    ASSERT_EQ(AnswerTable(*expected), AnswerTable(*got))
        << CanonicalJson(query) << " read from " << level;
    ASSERT_EQ(AnswerJson(*expected), AnswerJson(*got))
        << CanonicalJson(query) << " read from " << level;
    EXPECT_EQ(expected->totals, got->totals);
  }

  // As many charges lie behind the answer as the oracle counts, and their BilledCost adds up to its
  // total.
  void CompareRows(CostQuery query, const Version& version) {
    query.measures = {"charges", "billed_cost"};
    query.by.clear();
    query.grain = Grain::kNone;
    query.top = 0;
    Result<QueryAnswer> expected = AnswerNaively(query, version.charges);
    ASSERT_TRUE(expected.has_value());
    auto page = ledger_->Rows(query, 0, 500);
    ASSERT_TRUE(page.has_value()) << CanonicalJson(query) << page.error().ToString();
    std::map<std::string, std::vector<int128>> totals;
    int64_t rows = 0;
    auto column = [&page](const char* name) {
      return static_cast<size_t>(std::ranges::find(page->columns, name) - page->columns.begin());
    };
    for (const auto& row : page->rows) {
      std::vector<int128>& sums = totals[row.at(column("BillingCurrency")).value_or("")];
      sums.resize(2);
      sums[0] += 1;
      if (const auto& cost = row.at(column("BilledCost"))) sums[1] += Money::Parse(*cost)->units();
      ++rows;
    }
    EXPECT_EQ(page->total, rows);
    EXPECT_EQ(totals, expected->totals) << CanonicalJson(query);
  }

  // All rows come in the same order before and after; and there are fewer folders.
  void Compact() {
    CostQuery all;
    all.measures = {"charges"};
    auto before = ledger_->Rows(all, 0, kRowsPageMax);
    ASSERT_TRUE(before.has_value()) << before.error().ToString();
    const size_t folders = CountFolders();
    auto commit =
        ledger_->Compact("test", random_.Chance(1, 3) ? random_.Below(60'000) : uint64_t{1} << 30);
    ASSERT_TRUE(commit.has_value()) << commit.error().ToString();
    if (!*commit) return;
    Remember(**commit);
    EXPECT_LT(CountFolders(), folders);
    EXPECT_TRUE((*commit)->opens.empty() && (*commit)->closes.empty());
    compactions_ += 1;
    auto after = ledger_->Rows(all, 0, kRowsPageMax);
    ASSERT_TRUE(after.has_value()) << after.error().ToString();
    EXPECT_EQ(after->columns, before->columns);
    EXPECT_EQ(after->rows, before->rows);
  }

  size_t CountFolders() const {
    std::set<std::string> folders;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(os::JoinPath(Home(), "slices"))) {
      if (entry.is_regular_file()) folders.insert(entry.path().parent_path());
    }
    return folders.size();
  }

  std::string Home() const { return root_ + "/home"; }

  void PublishSome() {
    std::string source = Pick(random_, {"aws", "own-cluster", "x1"});
    StagedImport staged;
    staged.source = source;
    staged.content_hash = Sha256Hex(std::to_string(random_.Next()));
    staged.author = "test";
    auto dir = MakeStagingDir(*files_, Home());
    ASSERT_TRUE(dir.has_value()) << dir.error().ToString();
    staged.staging_dir = *dir;
    for (int month = 0; month < kMonths; ++month) {
      if (!random_.Chance(1, 2) && (month > 0 || !staged.slices.empty())) continue;
      Instant start = AddMonths(kFirstMonth, month);
      std::vector<NaiveCharge>& charges = live_[{source, FormatDate(start).substr(0, 7)}];
      charges.clear();
      for (int64_t rows = random_.Between(1, 40); rows > 0; --rows) {
        charges.push_back(RandomCharge(random_, source, start));
      }
      WriteSlice(charges, start, &staged);
    }
    if (testing::Test::HasFatalFailure()) return;
    auto commit = ledger_->Publish(std::move(staged));
    ASSERT_TRUE(commit.has_value()) << commit.error().ToString();
    Remember(*commit);
  }

  void WriteSlice(const std::vector<NaiveCharge>& charges, Instant month, StagedImport* staged) {
    Slice slice;
    slice.source = staged->source;
    slice.period = FormatDate(month).substr(0, 7);
    slice.id = staged->content_hash.substr(0, 16) + "-" + std::to_string(staged->slices.size() + 1);
    std::string dir = os::JoinPath(staged->staging_dir, slice.id);
    ASSERT_TRUE(files_->MakeDirs(dir).has_value());
    engine::DatabaseOptions options;
    options.threads = 1;
    options.temp_dir = root_;
    options.allowed_dirs = {root_};
    auto database = engine::Database::Open(options);
    ASSERT_TRUE(database.has_value()) << database.error().ToString();
    auto connection = database->Connect();
    ASSERT_TRUE(connection.has_value());
    std::vector<ColumnSpec> columns(charge::Columns().begin(), charge::Columns().end());
    auto source = std::make_shared<ChargeSource>(charges, month);
    ASSERT_TRUE(connection->RegisterSource("charges", columns, source, 1).has_value());
    Status copied = connection->Execute("COPY (SELECT * FROM charges()) TO " +
                                        engine::QuoteLiteral(dir + "/part-0.parquet") + " (" +
                                        kParquetOptions + ")");
    ASSERT_TRUE(copied.has_value()) << copied.error().ToString();
    auto totals = WriteSliceDerived(*connection, dir);
    ASSERT_TRUE(totals.has_value()) << totals.error().ToString();
    slice.rows = totals->rows;
    slice.billed_by_currency = totals->billed_by_currency;
    auto described = DescribeSliceFiles(*connection, *files_, dir);
    ASSERT_TRUE(described.has_value()) << described.error().ToString();
    slice.files = *described;
    staged->slices.push_back(std::move(slice));
    staged->facts.rows_in += static_cast<int64_t>(charges.size());
    staged->facts.rows_kept += static_cast<int64_t>(charges.size());
  }

  void ChangeRules() {
    std::ofstream file(Home() + "/estate.yaml", std::ios::trunc);
    file << "name: seed\nrules:\n";
    for (int64_t rules = random_.Between(1, 3); rules > 0; --rules) {
      std::string key = "tag:" + Pick(random_, {"env", "a/b"}),
                  value = Pick(random_, {"dev", "prod"});
      if (random_.Chance(1, 2))
        key = "ServiceProviderName", value = Pick(random_, {"AWS", "Acme Cloud", "北方云"});
      file << "  - match: { \"" << key << "\": \"" << value << "\" }\n"
           << "    set: { team: " << Pick(random_, {"search", "ads", "ops"})
           << ", driver: " << Pick(random_, {"storage", "people", "licence"}) << " }\n";
    }
    file.close();
    auto commit = ledger_->Classify("test");
    ASSERT_TRUE(commit.has_value()) << commit.error().ToString();
    if (*commit) Remember(**commit);
  }

  void Remember(const Commit& commit) {
    Version version{commit, {}};
    EXPECT_EQ(commit.rules, ledger_->Rules()->hash());
    for (const auto& [slice, charges] : live_) {
      for (NaiveCharge charge : charges) {
        charge.assigned = ledger_->Rules()->Assign(SignatureOf(charge));
        version.charges.push_back(std::move(charge));
      }
    }
    versions_.push_back(std::move(version));
  }

  std::string RandomDimension() {
    if (random_.Chance(1, 5)) return "tag:" + Pick(random_, kTagKeys);
    std::vector<std::string> names;
    for (const dimension::Info& info : dimension::Dimensions()) {
      if (info.kind != dimension::Kind::kPeriod && info.kind != dimension::Kind::kTag)
        names.emplace_back(info.name);
    }
    return Pick(random_, names);
  }

  Instant RandomInstant() {
    Instant instant{kFirstMonth.us + random_.Between(0, kMonths * 31 * 24) * kMicrosPerHour};
    switch (random_.Below(4)) {
      case 0:
        return FloorMonth(instant);
      case 1:
        return FloorDay(instant);
      case 2:
        return {instant.us + random_.Between(1, kMicrosPerHour)};
      default:
        return instant;
    }
  }

  // A value that the dimension may have: one of the columns' values, a tag's, a placeholder, or
  // none of these.
  std::string RandomValue() {
    switch (random_.Below(6)) {
      case 0:
        return Pick(random_, {"(none)", "(unallocated)", "(other)", "nothing", "'; --"});
      case 1: {
        std::string value = Pick(random_, kTagValues);
        return value.empty() ? "dev" : value;
      }
      case 2:
        return Pick(random_, {"search", "ads", "ops", "storage", "USD", "EUR", "aws", "x1",
                              "other compute"});
      default:
        return Pick(random_, TextColumns()[random_.Below(TextColumns().size())].values);
    }
  }

  CostQuery RandomQuery(const Version& version) {
    CostQuery query;
    std::set<std::string> measures, by;
    for (int64_t n = random_.Between(1, 3); n > 0; --n) {
      const std::vector<std::string_view>& names = MeasureNames();
      measures.emplace(names[random_.Below(names.size())]);
    }
    query.measures.assign(measures.rbegin(), measures.rend());
    for (int64_t n = random_.Between(0, 3); n > 0; --n) by.insert(RandomDimension());
    query.by.assign(by.rbegin(), by.rend());
    query.grain = static_cast<Grain>(random_.Below(5));
    if (random_.Chance(1, 3)) query.from = RandomInstant();
    if (random_.Chance(1, 3)) query.to = RandomInstant();
    if (query.from && query.to && *query.from >= *query.to) query.to.reset();
    for (int64_t n = random_.Between(-2, 2); n > 0; --n) query.where.push_back(RandomFilter());
    if (random_.Chance(1, 3)) query.top = static_cast<int>(random_.Between(1, 4));
    query.basis = Pick(random_, {"effective", "billed", "list", "contracted"});
    switch (random_.Below(3)) {
      case 0:
        query.as_of = version.commit.id;
        break;
      case 1:
        query.as_of = std::to_string(version.commit.sequence);
        break;
      default:
        query.as_of = version.commit.id.substr(0, 12);
    }
    if (&version == &versions_.back() && random_.Chance(1, 2)) query.as_of.clear();
    return query;
  }

  Filter RandomFilter() {
    Filter filter{RandomDimension(), random_.Chance(1, 2), {}};
    for (int64_t n = random_.Between(1, 3); n > 0; --n) {
      // Mostly a value that exists, or hardly a filter would ever match.
      const NaiveCharge& charge =
          versions_.back().charges[random_.Below(versions_.back().charges.size())];
      std::optional<std::string> value;
      if (const dimension::Info* info = dimension::Find(filter.dimension);
          info->kind == dimension::Kind::kColumn) {
        auto found = charge.columns.find(std::string(info->column));
        if (found != charge.columns.end()) value = found->second;
      }
      filter.values.push_back(value && random_.Chance(3, 4) ? *value : RandomValue());
    }
    return filter;
  }

  Random random_;
  std::string root_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{ToInstant({2026, 5, 1})};
  std::unique_ptr<Ledger> ledger_;
  std::map<std::pair<std::string, std::string>, std::vector<NaiveCharge>>
      live_;  // by source and period
  std::vector<Version> versions_;
  std::set<std::string> read_from_;
  int compactions_ = 0;
};

TEST(LedgerAgainstNaive, EveryLevelAnswersExactly) {
  // More ledgers for a long run: FLYBALL_NAIVE_LEDGERS=100.
  const char* wanted = getenv("FLYBALL_NAIVE_LEDGERS");
  const uint64_t kLedgers = wanted == nullptr ? 3 : strtoull(wanted, nullptr, 10);
  constexpr int kSteps = 8;
  constexpr int kQuestionsAStep = 8;
  std::set<std::string> read_from;
  int compactions = 0;
  for (uint64_t seed = 1; seed <= kLedgers; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    LittleLedger little(seed);
    ASSERT_NO_FATAL_FAILURE(little.Open());
    for (int step = 0; step < kSteps; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      ASSERT_NO_FATAL_FAILURE(little.Step());
      for (int i = 0; i < kQuestionsAStep; ++i) ASSERT_NO_FATAL_FAILURE(little.Ask());
    }
    if (seed % 2 == 0) {
      ASSERT_NO_FATAL_FAILURE(little.Open());
    } else {
      auto report = little.ledger().Rebuild();
      ASSERT_TRUE(report.has_value()) << report.error().ToString();
      EXPECT_TRUE(report->faults.empty());
    }
    for (int i = 0; i < kQuestionsAStep; ++i) ASSERT_NO_FATAL_FAILURE(little.Ask());
    read_from.insert(little.read_from().begin(), little.read_from().end());
    compactions += little.compactions();
  }
  EXPECT_EQ(read_from, (std::set<std::string>{"cube", "rollup", "rows"}));
  EXPECT_GE(compactions, 2);
}

}  // namespace
}  // namespace flyball::ledger
