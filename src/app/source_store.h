// A source of the estate with its secrets, which are read here and nowhere else, as a store that
// can be listed and fetched from, or as a vendor's API.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "estate/estate.h"
#include "net/web.h"
#include "os/files.h"
#include "sources/store.h"
#include "sources/vendor_api.h"

namespace flyball::app {

// FAILED_PRECONDITION, naming the variable or the file, when a secret is not there. The store keeps
// the references: all must outlive it.
Result<sources::Store> OpenStore(const estate::Source& source, net::WebClient& web,
                                 os::Files& files, Clock& clock);
// FAILED_PRECONDITION, naming the variable and which key it takes, when the key is not there.
Result<sources::VendorApi> OpenApi(const estate::Source& source);

}  // namespace flyball::app
