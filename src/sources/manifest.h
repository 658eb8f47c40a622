// Manifests: what a vendor's export says that it delivered, and whether that is there. Pure.
//
//   aws-cur           <prefix>/<report>/<YYYYMMDD-YYYYMMDD>/[<assembly>/]<report>-Manifest.json
//   aws-data-exports  <prefix>/<export>/metadata/[BILLING_PERIOD=YYYY-MM/][<execution>/]
//                     <export>-Manifest.json
//   azure-export      <folder>/<export>/<YYYYMMDD-YYYYMMDD>/[<run>/]manifest.json
//
// A *delivery* is one manifest: one execution of an export for one billing period. Of the
// deliveries of a period the newest counts, as an export states its period whole each time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "estate/estate.h"
#include "sources/store.h"

namespace flyball::sources {

struct DeliveredFile {
  std::string key;
  std::optional<uint64_t> bytes;
  std::optional<int64_t> rows;
};

struct Delivery {
  std::string manifest;   // its key
  std::string period;     // "2026-10"; "": the export is not cut by periods
  std::string execution;  // assembly, execution or run: another one when delivered anew
  std::vector<DeliveredFile> files;
  std::optional<int64_t> rows;    // of all files
  std::optional<uint64_t> bytes;  // of all files
};

// A manifest that counts, and where it stands.
struct ManifestPlace {
  Object object;
  std::string export_name;  // with its folder
  std::string period;       // "2026-10"; ""
};

// Which kind the keys have; kNone: no manifest is among them.
estate::ManifestKind DetectManifests(const std::vector<Object>& objects);
// The newest manifest of each period, by period. FAILED_PRECONDITION when they are of several
// exports, or when two ranges of days begin in one month: imports of one would replace the other.
Result<std::vector<ManifestPlace>> NewestManifests(estate::ManifestKind kind,
                                                   const std::vector<Object>& objects);
// INVALID_ARGUMENT, naming the manifest, when the text is none of the kind, or is of another bucket
// or billing period than its place.
Result<Delivery> ReadManifest(estate::ManifestKind kind, const ManifestPlace& place,
                              const std::string& bucket, std::string_view text);
// The objects of a delivery that have rows, in its order. FAILED_PRECONDITION, naming manifest and
// file, when one is not there or has another size.
Result<std::vector<Object>> ObjectsOf(const Delivery& delivery,
                                      const std::map<std::string, Object>& objects);

inline constexpr uint64_t kManifestMaxBytes = 16u << 20;

}  // namespace flyball::sources
