// Conformance: what `flyball check` said of a bill when it was imported, kept beside the ledger,
// because the bill itself is not.
//
//   home/checks/<content hash>.json   score, rules that were broken; or why it could not be checked
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"

namespace flyball::health {

// Keeps the essence of the JSON contract of `flyball check`. INTERNAL when the report is none.
Status KeepCheck(os::Files& files, const std::string& home, const std::string& content_hash,
                 const std::string& report_json, Instant now);
// Keeps that the bill is none that rules of FOCUS are about, or why it could not be checked.
Status KeepUnchecked(os::Files& files, const std::string& home, const std::string& content_hash,
                     const std::string& reason, Instant now);

// What is kept, as a JSON object: {"time","reason"}, or
// {"time","focus","rules_from","rows","rules",
// "providers","broken":[{"id","keyword","rows","text","remedy","share_percent"}],"broken_more"}.
// Nothing when it was never checked or cannot be read.
std::optional<std::string> ReadCheck(os::Files& files, const std::string& home,
                                     const std::string& content_hash);

}  // namespace flyball::health
