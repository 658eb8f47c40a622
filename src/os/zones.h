// Time zones of the system (IANA names such as "Europe/Zurich"), read into plain values.
//
// Changes of offset are known from 1970 to 2037, the years that the system's files spell out; after
// that the last offset stays in force.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/zone.h"

namespace flyball::os {

// "UTC" needs no file. INVALID_ARGUMENT when the system knows no such zone.
Result<Zone> LoadZone(std::string_view name);

}  // namespace flyball::os
