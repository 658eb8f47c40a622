// A format that the estate maps (its `mappings`), beside those that are shipped.
#pragma once

#include <memory>

#include "estate/estate.h"
#include "ingest/native/native.h"

namespace flyball::native {

// Its texts live as long as what this returns. Names of the bill's columns are compared as they
// are, but for their case. Of what the mapping leaves open: a charge period of a day, its month as
// the billing period.
std::shared_ptr<const Format> FormatOf(const estate::Mapping& mapping);

}  // namespace flyball::native
