// Plan: which files are one import, of what source in the ledger, and whether it is new. Pure.
//
// With manifests, a delivery is a set, all of one source of the ledger, the estate's name of it:
// each replaces its billing period. Without, a file is a set and a source of its own, so that a
// file that is written anew replaces what it said before and nothing of others; or a folder is,
// where one bill comes in parts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "estate/estate.h"
#include "sources/manifest.h"
#include "sources/memory.h"
#include "sources/store.h"

namespace flyball::sources {

enum class Change : uint8_t { kNew, kChanged, kUnchanged };
std::string_view ChangeName(Change change);

struct FileSet {
  std::string id;             // of it in the source: a key, a folder or a period
  std::string ledger_source;  // a plain name
  std::vector<Object> files;
  std::optional<int64_t> rows;  // as a manifest counts them
  std::string manifest;         // its key, or ""
  std::string fingerprint;      // another one when there is something to import
  Change change = Change::kNew;
  uint64_t bytes() const;
};

// Whether the estate's globs take the key; without globs, whether it may be a bill by its name.
bool IsWanted(const estate::Source& source, const std::string& key);
// Sets of what is wanted, by id.
std::vector<FileSet> PlanFiles(const estate::Source& source, const std::vector<Object>& objects,
                               const Memory& memory);
FileSet PlanDelivery(const estate::Source& source, const Delivery& delivery,
                     std::vector<Object> objects, const Memory& memory);
// What was imported and is not there any more. Its charges stay.
std::vector<std::string> Gone(const std::vector<FileSet>& sets, const Memory& memory);

// A plain name for a file or folder on the disk and in the ledger: what is not plain in the text
// becomes '-', and then a hash of the text tells it from others.
std::string PlainName(std::string_view text, size_t bytes_max);

}  // namespace flyball::sources
