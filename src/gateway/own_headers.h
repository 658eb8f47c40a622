// Our own headers of a request (x-flyball-...), which say whose call it is.
#pragma once

#include <span>

#include "base/result.h"
#include "gateway/call.h"

namespace flyball::gateway {

// Each header stands once, and each name of x-flyball-tags: or it would depend on the reader which
// budgets a call falls under. INVALID_ARGUMENT names what stands twice.
Status CheckOwnHeaders(std::span<const HeaderView> headers);

}  // namespace flyball::gateway
