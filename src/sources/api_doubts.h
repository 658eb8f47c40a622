// ApiDoubts: days that had charges, and that a vendor now says have none.
//
// An answer of 200 without a row is also what a vendor gives whose own sums are not ready, or to
// the key of another organisation. So such a day is believed when a later sync is told so again.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"

namespace flyball::sources {

// So much later the vendor must say it again.
inline constexpr int64_t kEmptyAgainUs = 6 * kMicrosPerHour;

// Of each such day, when it was said first.
using Doubts = std::map<Instant, Instant>;

// In the folder of a month; what can't be read is no doubt yet.
Doubts ReadDoubts(os::Files& files, const std::string& folder);
Status WriteDoubts(os::Files& files, const std::string& folder, const Doubts& doubts);

}  // namespace flyball::sources
