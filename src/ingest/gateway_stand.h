// Stands: of each bill that was made from the log of calls, how far the log went into it. So it is
// known of every commit which calls are in it, and the rest can be shown beside it while their hour
// runs (ingest/live_charges.h).
//
//   home/gateway/charges/stands.json     the newest of them, by the SHA-256 of the bill
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"

namespace flyball::ingest {

// An attempt is in the bill when it was dispatched before `closed` and its end stands in the first
// `log_bytes` of its month's log.
struct GatewayStand {
  Instant closed;
  uint64_t log_bytes = 0;
  bool operator==(const GatewayStand&) const = default;
};

inline constexpr size_t kStandsMax = 64;  // and the newest of each month

// Written before the bill is imported. One process at a time.
Status NoteStand(os::Files& files, const std::string& charges_folder, const std::string& sha256,
                 const GatewayStand& stand);
// Empty when there is none, or none that can be read.
std::map<std::string, GatewayStand> ReadStands(os::Files& files, const std::string& charges_folder);

}  // namespace flyball::ingest
