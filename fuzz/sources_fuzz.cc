// Fuzzes what object stores and vendors' APIs send: lists, manifests and pages. An error is fine; a
// key that would speak to the terminal or leave its folder, a day that was not asked for, a bill
// that is not read again, and a crash, are bugs.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ingest/native/json_text.h"
#include "os/files.h"
#include "sources/azure.h"
#include "sources/gcs.h"
#include "sources/manifest.h"
#include "sources/plan.h"
#include "sources/s3.h"
#include "sources/vendor_api.h"

namespace {

using namespace flyball;
using namespace flyball::sources;

void LookAt(const Result<Page>& page) {
  if (!page) {
    FB_ASSERT(!page.error().message.empty());
    return;
  }
  estate::Source source;
  source.name = "fuzz";
  for (const FileSet& set : PlanFiles(source, page->objects, {})) {
    FB_ASSERT(os::IsPlainName(set.ledger_source) && set.ledger_source.size() <= 100);
    for (const Object& file : set.files) FB_ASSERT(IsUsableKey(file.key));
  }
  const estate::ManifestKind kind = DetectManifests(page->objects);
  if (kind != estate::ManifestKind::kNone) (void)NewestManifests(kind, page->objects);
}

void LookAtPages(std::string_view text) {
  using enum estate::SourceKind;
  const Period days{ToInstant({2026, 10, 1}), ToInstant({2026, 10, 8})};
  for (const estate::SourceKind kind : {kOpenAi, kAnthropic, kOpenRouter}) {
    estate::Source source;
    source.kind = kind;
    const Result<ApiAnswer> answer = MakeVendorApi(source, "key").read(days, "", text);
    if (!answer) {
      FB_ASSERT(!answer.error().message.empty());
      continue;
    }
    for (const auto& [day, rows] : answer->days) FB_ASSERT(days.Contains(day));
    const std::string bill = BillOf(answer->days);
    std::string lines;
    bool more = false;
    FB_ASSERT(bill.empty() || native::LooksLikeJsonDocument(bill));
    // What an element says beside its results has a limit of its own.
    FB_ASSERT(text.size() > native::kOuterMax || native::JsonDocumentToLines(bill, &lines, &more));
    FB_ASSERT(!more);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  LookAt(ReadS3Page(text));
  LookAt(ReadAzurePage(text));
  LookAt(ReadGcsPage(text));
  LookAtPages(text);
  (void)ReadServiceAccount(text);
  using enum estate::ManifestKind;
  const ManifestPlace place{
      {"a/20261001-20261101/m-Manifest.json", 1, "v", "", {}, {}}, "a", "2026-10"};
  for (const estate::ManifestKind kind : {kAwsCur, kAwsDataExports, kAzureExport}) {
    const Result<Delivery> delivery = ReadManifest(kind, place, "b", text);
    if (!delivery) continue;
    for (const DeliveredFile& file : delivery->files) FB_ASSERT(IsUsableKey(file.key));
  }
  FB_ASSERT(os::IsPlainName(PlainName(text, 39)) && PlainName(text, 39).size() <= 39);
  return 0;
}
