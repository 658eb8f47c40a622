// The estate's `mappings`: bills of a format that only this house has, said in FOCUS.
#pragma once

#include <vector>

#include "base/result.h"
#include "estate/decode_util.h"
#include "estate/estate.h"

namespace flyball::estate {

Result<std::vector<Mapping>> DecodeMappings(At list);

}  // namespace flyball::estate
