// Manifests and plans: what belongs together, and what is new.
#include <gtest/gtest.h>

#include <set>

#include "base/clock.h"
#include "os/files.h"
#include "sources/fetch.h"
#include "sources/plan.h"

namespace flyball::sources {
namespace {

using estate::ManifestKind;

Object Made(const std::string& key, uint64_t bytes = 10, const std::string& version = "v1",
            int64_t modified_s = 0) {
  Object object;
  object.key = key;
  object.bytes = bytes;
  object.version = version;
  object.modified = Instant{modified_s * kMicrosPerSecond};
  return object;
}

std::map<std::string, Object> ByKey(const std::vector<Object>& objects) {
  std::map<std::string, Object> map;
  for (const Object& object : objects) map[object.key] = object;
  return map;
}

estate::Source Named(const std::string& prefix = "") {
  estate::Source source;
  source.name = "aws";
  source.bucket = "bills";
  source.prefix = prefix;
  return source;
}

TEST(Plan, AFileIsASetAndASourceOfItsOwn) {
  const std::vector<Object> objects = {Made("in/2026-10.csv.gz"), Made("in/x/2026 11.parquet"),
                                       Made("in/_SUCCESS"),       Made("in/readme.md"),
                                       Made("in/empty.csv", 0),   Made("in/.hidden.csv"),
                                       Made("in/x/manifest.json")};
  const std::vector<FileSet> sets = PlanFiles(Named("in/"), objects, {});
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0].id, "2026-10.csv.gz");
  EXPECT_EQ(sets[0].ledger_source, "aws.2026-10.csv.gz");
  EXPECT_EQ(sets[0].change, Change::kNew);
  EXPECT_EQ(sets[1].id, "x/2026 11.parquet");
  EXPECT_TRUE(os::IsPlainName(sets[1].ledger_source)) << sets[1].ledger_source;
  EXPECT_TRUE(sets[1].ledger_source.ends_with("-x-2026-11.parquet")) << sets[1].ledger_source;
}

TEST(Plan, GlobsAreOfTheKeyBehindThePrefix) {
  estate::Source source = Named("in/");
  source.files = {"2026-*.csv", "*.txt"};
  EXPECT_TRUE(IsWanted(source, "in/2026-10.csv"));
  EXPECT_TRUE(IsWanted(source, "in/a/b.txt"));
  EXPECT_FALSE(IsWanted(source, "in/x/2026-10.csv"));
  EXPECT_FALSE(IsWanted(source, "in/"));
  EXPECT_FALSE(IsWanted(source, "in/a\x1b[2J.txt"));
  EXPECT_FALSE(IsWanted(source, "in/\xff.txt"));
}

TEST(Plan, WhatIsRememberedIsUnchangedUntilItsVersionIsAnother) {
  std::vector<Object> objects = {Made("a.csv"), Made("b.csv")};
  Memory memory;
  for (const FileSet& set : PlanFiles(Named(), objects, {})) {
    memory[set.id] = {set.fingerprint, "c1", {}};
  }
  memory["gone.csv"] = {"x", "c0", {}};
  objects[1].version = "v2";
  const std::vector<FileSet> sets = PlanFiles(Named(), objects, memory);
  EXPECT_EQ(sets[0].change, Change::kUnchanged);
  EXPECT_EQ(sets[1].change, Change::kChanged);
  EXPECT_EQ(Gone(sets, memory), std::vector<std::string>{"gone.csv"});
}

// One bill in parts: as sources of their own, each part would be a month of its own.
TEST(Plan, AFolderMayBeASet) {
  estate::Source source = Named("in/");
  source.folder_is_set = true;
  std::vector<Object> objects = {Made("in/2026-10/a.csv"), Made("in/2026-10/b.csv"),
                                 Made("in/c.csv")};
  const std::vector<FileSet> sets = PlanFiles(source, objects, {});
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0].ledger_source, "aws");
  EXPECT_EQ(sets[1].ledger_source, "aws.2026-10");
  EXPECT_EQ(sets[1].files.size(), 2u);
  Memory memory{{"2026-10", {sets[1].fingerprint, "c", {}}}};
  objects.erase(objects.begin() + 1);  // a part fewer is another bill
  EXPECT_EQ(PlanFiles(source, objects, memory)[1].change, Change::kChanged);
}

// What keys may try to do to the disk.
TEST(Plan, NamesOfKeysArePlainAndDistinct) {
  EXPECT_EQ(PlainName("a.csv", 39), "a.csv");
  std::set<std::string> names;
  for (const std::string key :
       {"..", "../../etc/passwd", "a/b", "a-b", "a\nb", ".hidden", "", "\xff\xfe", "/"}) {
    const std::string name = PlainName(key, 39);
    EXPECT_TRUE(os::IsPlainName(name)) << name;
    EXPECT_FALSE(name.starts_with('.')) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_LE(PlainName(std::string(5000, 'x'), 39).size(), 39u);
}

TEST(Manifests, AreFoundByTheirPlaces) {
  EXPECT_EQ(DetectManifests({Made("a.csv"), Made("x/manifest.json")}), ManifestKind::kNone);
  EXPECT_EQ(DetectManifests({Made("p/focus/metadata/BILLING_PERIOD=2026-10/focus-Manifest.json")}),
            ManifestKind::kAwsDataExports);
  EXPECT_EQ(DetectManifests({Made("p/cur/20261001-20261101/cur-Manifest.json")}),
            ManifestKind::kAwsCur);
  EXPECT_EQ(DetectManifests({Made("p/costs/20261001-20261031/run1/manifest.json")}),
            ManifestKind::kAzureExport);
}

TEST(Manifests, TheNewestOfAPeriodCounts) {
  const std::vector<Object> objects = {
      Made("p/costs/20261001-20261031/run1/manifest.json", 1, "a", 5),
      Made("p/costs/20261001-20261031/run2/manifest.json", 1, "b", 9),
      Made("p/costs/20260901-20260930/run1/manifest.json", 1, "c", 7),
      Made("p/costs/20261001-20261031/run2/part_0_0001.csv", 1, "d", 9)};
  const auto places = NewestManifests(ManifestKind::kAzureExport, objects).value();
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0].period, "2026-09");
  EXPECT_EQ(places[1].object.key, "p/costs/20261001-20261031/run2/manifest.json");
  // CUR leaves a copy beside the files of each assembly.
  const auto cur = NewestManifests(ManifestKind::kAwsCur,
                                   {Made("c/20261001-20261101/asm/c-Manifest.json", 1, "a", 5),
                                    Made("c/20261001-20261101/c-Manifest.json", 1, "a", 5)});
  EXPECT_EQ(cur.value()[0].object.key, "c/20261001-20261101/c-Manifest.json");
}

TEST(Manifests, WhatWouldReplaceEachOtherIsRefused) {
  const auto two = NewestManifests(
      ManifestKind::kAwsCur,
      {Made("a/20261001-20261101/a-Manifest.json"), Made("b/20261001-20261101/b-Manifest.json")});
  ASSERT_FALSE(two);
  EXPECT_NE(two.error().message.find("several exports"), std::string::npos);
  const auto weeks = NewestManifests(
      ManifestKind::kAzureExport,
      {Made("e/20261001-20261007/manifest.json"), Made("e/20261008-20261014/manifest.json")});
  ASSERT_FALSE(weeks);
  EXPECT_NE(weeks.error().message.find("2026-10"), std::string::npos);
}

ManifestPlace PlaceOf(ManifestKind kind, const std::string& key) {
  return NewestManifests(kind, {Made(key)}).value().front();
}

TEST(Manifests, OfACostAndUsageReport) {
  const ManifestPlace place =
      PlaceOf(ManifestKind::kAwsCur, "p/cur/20261001-20261101/cur-Manifest.json");
  const std::string text = R"({"assemblyId":"a1","bucket":"bills","reportName":"cur",
    "billingPeriod":{"start":"20261001T000000.000Z","end":"20261101T000000.000Z"},
    "reportKeys":["p/cur/20261001-20261101/a1/cur-00001.csv.gz"]})";
  const Delivery delivery = ReadManifest(ManifestKind::kAwsCur, place, "bills", text).value();
  EXPECT_EQ(delivery.execution, "a1");
  EXPECT_EQ(delivery.period, "2026-10");
  const std::vector<Object> there = {Made("p/cur/20261001-20261101/a1/cur-00001.csv.gz")};
  const FileSet set =
      PlanDelivery(Named(), delivery, ObjectsOf(delivery, ByKey(there)).value(), {});
  EXPECT_EQ(set.ledger_source, "aws");
  EXPECT_EQ(set.id, "2026-10");
  EXPECT_FALSE(ReadManifest(ManifestKind::kAwsCur, place, "others", text));
  const ManifestPlace november =
      PlaceOf(ManifestKind::kAwsCur, "p/cur/20261101-20261201/cur-Manifest.json");
  EXPECT_FALSE(ReadManifest(ManifestKind::kAwsCur, november, "bills", text));
}

TEST(Manifests, OfADataExport) {
  const ManifestPlace place = PlaceOf(
      ManifestKind::kAwsDataExports, "p/focus/metadata/BILLING_PERIOD=2026-10/focus-Manifest.json");
  const auto read = [&](const std::string& file) {
    return ReadManifest(ManifestKind::kAwsDataExports, place, "bills",
                        R"({"executionId":"e1","dataFiles":[")" + file + R"("]})");
  };
  const Delivery delivery =
      read("s3://bills/p/focus/data/BILLING_PERIOD=2026-10/focus-00001.csv.gz").value();
  EXPECT_EQ(delivery.period, "2026-10");
  EXPECT_EQ(delivery.files[0].key, "p/focus/data/BILLING_PERIOD=2026-10/focus-00001.csv.gz");
  EXPECT_FALSE(read("s3://others/p/focus/data/BILLING_PERIOD=2026-10/focus-00001.csv.gz"));
  EXPECT_FALSE(read("s3://bills/p/focus/data/BILLING_PERIOD=2026-09/focus-00001.csv.gz"));
}

TEST(Manifests, OfAnAzureExportThatLies) {
  const ManifestPlace place =
      PlaceOf(ManifestKind::kAzureExport, "costs/20261001-20261031/r1/manifest.json");
  const auto read = [&](const char* whole) {
    return ReadManifest(ManifestKind::kAzureExport, place, "exports",
                        std::string("{\"runInfo\":{\"runId\":\"r1\"},") + whole +
                            R"("blobs":[{"blobName":"costs/a.csv","byteCount":10,"dataRowCount":3},
                                        {"blobName":"costs/b.csv","byteCount":5,"dataRowCount":1}]})");
  };
  const Delivery delivery = read("\"byteCount\":15,\"dataRowCount\":4,\"blobCount\":2,").value();
  EXPECT_EQ(delivery.rows, 4);
  EXPECT_FALSE(read("\"byteCount\":16,"));
  EXPECT_FALSE(read("\"dataRowCount\":5,"));
  EXPECT_FALSE(read("\"blobCount\":3,"));
  EXPECT_EQ(ObjectsOf(delivery, ByKey({Made("costs/a.csv", 10), Made("costs/b.csv", 5)}))->size(),
            2u);
  // What is not there, or has another size, is named.
  const auto missing = ObjectsOf(delivery, ByKey({Made("costs/a.csv", 10)}));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("costs/b.csv"), std::string::npos);
  const auto shorter = ObjectsOf(delivery, ByKey({Made("costs/a.csv", 9), Made("costs/b.csv", 5)}));
  ASSERT_FALSE(shorter);
  EXPECT_NE(shorter.error().message.find("costs/a.csv"), std::string::npos);
  EXPECT_NE(shorter.error().message.find("costs/20261001-20261031/r1/manifest.json"),
            std::string::npos);
}

TEST(Manifests, WhatIsNoneIsRefusedByName) {
  const ManifestPlace place =
      PlaceOf(ManifestKind::kAzureExport, "costs/20261001-20261031/manifest.json");
  for (const char* text : {"", "[]", "{}", R"({"blobs":[1]})", R"({"blobs":[{"blobName":7}]})",
                           R"({"blobs":[{"blobName":"a"},{"blobName":"a"}]})",
                           R"({"blobs":[{"blobName":"a\u001b[2J"}]})"}) {
    const auto read = ReadManifest(ManifestKind::kAzureExport, place, "exports", text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kInvalidArgument);
    EXPECT_NE(read.error().message.find(place.object.key), std::string::npos) << text;
  }
}

TEST(Memory, IsReadAsItWasWritten) {
  const auto files = os::MakeRealFiles();
  const std::string path = testing::TempDir() + "memory_test.json";
  ASSERT_TRUE(files->Remove(path));
  EXPECT_TRUE(ReadMemory(*files, path).value().empty());
  const Memory memory{{"a \"b\"", {"f", "c", Instant{kMicrosPerDay}}}};
  ASSERT_TRUE(WriteMemory(*files, path, memory));
  const Memory back = ReadMemory(*files, path).value();
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back.at("a \"b\"").fingerprint, "f");
  EXPECT_EQ(back.at("a \"b\"").time.us, kMicrosPerDay);
  ASSERT_TRUE(os::AtomicWrite(*files, path, "{\"version\":1,\"sets\":{\"a\":{}}}"));
  EXPECT_EQ(ReadMemory(*files, path).error().code, Code::kDataLoss);
}

TEST(Pacer, HoldsTheRateOverAllThatComes) {
  Pacer pacer(1000);
  EXPECT_EQ(pacer.WaitUs(500, 0), 500'000);
  EXPECT_EQ(pacer.WaitUs(500, 500'000), 500'000);
  EXPECT_EQ(pacer.WaitUs(100, 900'000), 200'000);     // it came while one still waited
  EXPECT_EQ(pacer.WaitUs(100, 10'000'000), 100'000);  // rest is not saved up
  EXPECT_EQ(Pacer(0).WaitUs(1 << 30, 0), 0);
}

TEST(Backoff, DoublesWithChanceAndHearsTheServer) {
  Random random(1);
  for (int n = 1; n < 20; ++n) {
    const int64_t whole = std::min(kWaitFirstUs << (n - 1), kWaitMaxUs);
    for (int i = 0; i < 50; ++i) {
      const int64_t us = BackoffUs(n, 0, random);
      EXPECT_GE(us, whole / 2);
      EXPECT_LE(us, whole);
    }
  }
  EXPECT_EQ(BackoffUs(1, 7, random), 7 * kMicrosPerSecond);
  EXPECT_EQ(BackoffUs(1, 1'000'000, random), kRetryAfterMaxS * kMicrosPerSecond);
}

}  // namespace
}  // namespace flyball::sources
