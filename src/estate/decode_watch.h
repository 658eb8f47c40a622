// The estate's `watch`: what the live watch looks for.
#pragma once

#include "base/result.h"
#include "estate/decode_util.h"
#include "estate/estate.h"

namespace flyball::estate {

Result<Watch> DecodeWatch(At map);

}  // namespace flyball::estate
