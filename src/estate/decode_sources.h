// One of the estate's `sources`: the name of where bills come from, and where `flyball sync` finds
// them. Nothing of it may be a secret, as the estate is kept in commits.
#pragma once

#include "base/result.h"
#include "estate/decode_util.h"
#include "estate/estate.h"

namespace flyball::estate {

Result<Source> DecodeSource(At at);

}  // namespace flyball::estate
