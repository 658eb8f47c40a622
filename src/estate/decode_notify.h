// The estate's `notify`: who is told of what (docs/NOTIFY.md).
#pragma once

#include "base/result.h"
#include "estate/decode_util.h"
#include "model/notice.h"

namespace flyball::estate {

// Every name in a route is a receiver's.
Result<notice::Rules> DecodeNotify(At map);

}  // namespace flyball::estate
