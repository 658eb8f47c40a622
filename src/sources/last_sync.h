// LastSync: how the last `flyball sync` of a source went, in a small JSON file beside its memory
// (home/sync/<source>/last.json), so that a source that fails is seen by others than who ran it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"

namespace flyball::sources {

inline constexpr size_t kSyncErrorsKept = 20;  // of one run

struct LastSync {
  Instant time;                      // when it ended
  std::optional<Instant> succeeded;  // when one ended without any failure last
  int64_t sets = 0;                  // that the source has
  int64_t imported = 0;              // of them, in this run
  std::vector<Error> errors;         // none: everything there is in the ledger
  int64_t errors_more = 0;           // beyond kSyncErrorsKept
};

// Nothing where none is kept, or where it cannot be read: the next sync writes it anew.
std::optional<LastSync> ReadLastSync(os::Files& files, const std::string& home,
                                     const std::string& source);
// Keeps at most kSyncErrorsKept errors, and `succeeded` of before when there are some.
Status WriteLastSync(os::Files& files, const std::string& home, const std::string& source,
                     LastSync last);

}  // namespace flyball::sources
