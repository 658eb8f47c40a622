// Overlap: a bill that is about to come in, and stands in the ledger under another source's name
// already. Published, it would count twice.
//
// Charges of two sources are the same when they agree in whose they are (issuer, billing account,
// sub-account), for what (category, service, SKU, resource, region), in currency and in the hour.
// What else may differ: a bill that is issued anew has other amounts, and other tags. Parts of one
// bill (a file for each service or day) have none in common. From rollups and signatures alone, but
// for the ids of invoices.
//
// What a source has of a closed billing period is its slice of then and its corrections since
// (correction.h), wherever they are booked; charges that these took back are gone.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/history.h"
#include "ledger/home.h"
#include "ledger/ledger.h"

namespace flyball::ledger {

// Whether another source has anything of the billing periods that are staged. From the log alone.
bool MayOverlap(const History& history, const StagedImport& staged);
// Of each billing period, and account of one issuer, of which most charges of the smaller side are
// on the other, too. The connection is a scratch of its own; the folders of live slices may not be
// removed meanwhile.
Result<std::vector<Overlap>> FindOverlaps(engine::Connection& connection, const Layout& layout,
                                          const History& history, const StagedImport& staged);

}  // namespace flyball::ledger
