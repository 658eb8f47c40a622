// The `sources` of an estate that `flyball sync` reads.
#include <gtest/gtest.h>

#include "estate/test_section.h"
#include "estate/vendor_reports.h"
#include "os/files.h"

namespace flyball::estate {
namespace {

TEST(SourcesSection, EveryKindIsRead) {
  const Result<Estate> estate = LoadText(R"(sources:
  - invoices
  - { name: local, kind: folder, path: /var/bills, files: "*.csv", set: folder,
      beside: true }
  - { name: aws, kind: s3, bucket: acme-cur, prefix: exports/, region: eu-west-1,
      manifest: aws-data-exports, max_rate: 20MiB, endpoint: "https://s3.acme.example/",
      key_id_env: CUR_KEY, secret_env: CUR_SECRET }
  - { name: azure, kind: azure, account: acme, container: costs, sas_env: COSTS_SAS }
  - { name: gcp, kind: gcs, bucket: acme-billing, key_file: /etc/flyball/gcp.json }
  - { name: openai, kind: openai, key_env: OPENAI_ADMIN_KEY, from: 2026-09, max_rate: 1MiB }
  - { name: claude, kind: anthropic, report: messages, from: 2026-09-15, again_days: 31 }
  - { name: router, kind: openrouter, from: 2026-10, endpoint: "http://localhost:9000" }
)");
  ASSERT_TRUE(estate) << estate.error().ToString();
  const std::vector<Source>& sources = estate->sources;
  ASSERT_EQ(sources.size(), 8u);
  EXPECT_EQ(sources[0].kind, SourceKind::kNamed);
  EXPECT_EQ(sources[1].kind, SourceKind::kFolder);
  EXPECT_EQ(sources[1].path, "/var/bills");
  EXPECT_EQ(sources[1].files, std::vector<std::string>{"*.csv"});
  EXPECT_TRUE(sources[1].folder_is_set);
  EXPECT_TRUE(sources[1].beside);
  EXPECT_FALSE(sources[2].beside);
  EXPECT_EQ(sources[2].kind, SourceKind::kS3);
  EXPECT_EQ(sources[2].endpoint, "https://s3.acme.example");
  EXPECT_EQ(sources[2].manifest, ManifestKind::kAwsDataExports);
  EXPECT_EQ(sources[2].max_rate, 20u << 20);
  EXPECT_EQ(sources[2].secret_env, "CUR_SECRET");
  EXPECT_EQ(sources[3].bucket, "costs");
  EXPECT_EQ(sources[4].key_file, "/etc/flyball/gcp.json");
  EXPECT_FALSE(sources[4].is_api());
  EXPECT_TRUE(sources[5].is_api());
  EXPECT_EQ(FormatDate(sources[5].from), "2026-09-01");
  EXPECT_EQ(sources[5].again_days, kAgainDays);
  EXPECT_EQ(sources[5].max_rate, 1u << 20);
  EXPECT_EQ(sources[6].report, "messages");
  EXPECT_EQ(FormatDate(sources[6].from), "2026-09-15");
  EXPECT_EQ(sources[6].again_days, 31);
  EXPECT_EQ(sources[7].kind, SourceKind::kOpenRouter);
}

TEST(SourcesSection, MistakesHaveTheirPlace) {
  struct Wrong {
    const char* source;
    const char* says;
  };
  const Wrong wrongs[] = {
      {"{ name: a, kind: ftp }", "kind of source"},
      {"{ name: a, path: /x }", "`kind`"},
      {"{ name: a, kind: folder }", "`path`"},
      {"{ name: a, kind: folder, path: bills }", "absolute"},
      {"{ name: a, kind: folder, path: /x, bucket: b }", "bucket"},
      {"{ kind: folder, path: /x }", "`name`"},
      {"{ name: a, kind: folder, path: /x, beside: aws }", "true or false"},
      {"{ name: a/b, kind: folder, path: /x }", "plain name"},
      {"{ name: .a, kind: folder, path: /x }", "plain name"},
      {"{ name: a, kind: s3, bucket: 'b/c' }", "bucket"},
      {"{ name: a, kind: s3, bucket: b, endpoint: 'http://s3.example' }", "https://"},
      {"{ name: a, kind: s3, bucket: b, endpoint: 'https://u:p@s3.example' }", "password"},
      {"{ name: a, kind: s3, bucket: b, max_rate: fast }", "20MiB"},
      {"{ name: a, kind: s3, bucket: b, manifest: cur }", "manifest"},
      {"{ name: a, kind: azure, account: b, container: c }", "sas_env"},
      {"{ name: a, kind: azure, account: b, container: c, sas_env: S, key_env: K }", "either"},
      {"{ name: a, kind: gcs, bucket: b }", "key_file"},
      // Other machines whose names begin like this one's.
      {"{ name: a, kind: s3, bucket: b, endpoint: 'http://localhost.example' }", "https://"},
      {"{ name: a, kind: s3, bucket: b, endpoint: 'http://127.0.0.1.example:80' }", "https://"},
      {"{ name: a, kind: s3, bucket: b, endpoint: 'http://[::1].example' }", "https://"},
      {"{ name: a, kind: openai }", "`from`"},
      {"{ name: a, kind: openai, from: October }", "2026-09"},
      {"{ name: a, kind: openai, from: '2026-10-01T12:00:00Z' }", "2026-09"},
      {"{ name: a, kind: openai, from: 2026-10, report: messages }", "report"},
      {"{ name: a, kind: openrouter, from: 2026-10, report: costs }", "report"},
      {"{ name: a, kind: openai, from: 2026-10, again_days: -1 }", "days"},
      {"{ name: a, kind: openai, from: 2026-10, again_days: 1000 }", "400"},
      {"{ name: a, kind: openai, from: 2026-10, files: '*' }", "files"},
      {"{ name: a, kind: openai, from: 2026-10, endpoint: 'http://api.example' }", "https://"},
      {"{ name: a, kind: folder, path: /x, from: 2026-10 }", "from"},
  };
  for (const Wrong& wrong : wrongs) {
    const Result<Estate> estate = LoadText(std::string("sources:\n  - ") + wrong.source + "\n");
    ASSERT_FALSE(estate) << wrong.source;
    EXPECT_EQ(estate.error().code, Code::kInvalidArgument) << wrong.source;
    EXPECT_EQ(estate.error().place.line, 2) << estate.error().ToString();
    EXPECT_NE(estate.error().ToString().find(wrong.says), std::string::npos)
        << estate.error().ToString();
  }
}

// Who writes the secret where its variable's name belongs must not find it in a log.
TEST(SourcesSection, ASecretInPlaceOfAVariableIsNotSaidAgain) {
  const Result<Estate> estate =
      LoadText("sources:\n  - { name: a, kind: s3, bucket: b, secret_env: 'wJalr/XUtn+FEMI' }\n");
  ASSERT_FALSE(estate);
  EXPECT_EQ(estate.error().ToString().find("wJalr"), std::string::npos)
      << estate.error().ToString();
}

TEST(VendorReports, EachVendorHasOneAtLeastAndTheFirstIsMeantByNone) {
  for (const SourceKind vendor :
       {SourceKind::kOpenAi, SourceKind::kAnthropic, SourceKind::kOpenRouter}) {
    const std::vector<std::string_view> names = ReportNames(vendor);
    ASSERT_FALSE(names.empty());
    Source source;
    source.kind = vendor;
    EXPECT_EQ(ReportOf(source).name, names.front());
    for (const std::string_view name : names) {
      source.report = name;
      EXPECT_EQ(ReportOf(source).vendor, vendor);
      EXPECT_EQ(ReportOf(source).name, name);
    }
  }
  EXPECT_TRUE(ReportNames(SourceKind::kS3).empty());
}

}  // namespace
}  // namespace flyball::estate
