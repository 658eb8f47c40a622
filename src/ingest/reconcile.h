// Reconcile: rows and sums of the two independent readings side by side. A difference stops the
// import.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ingest/adapter.h"
#include "ingest/inputs.h"
#include "ledger/ledger.h"

namespace flyball::ingest {

// Fills the rows and control totals of the facts. INTERNAL when rows in != kept + quarantined, or
// when the readings differ on which rows have no BilledCost to sum, or for any currency in != kept
// + quarantined + residue; OUT_OF_RANGE when a total leaves 38 digits.
// `currency`: of rows that name none; empty: unknown.
Status Reconcile(const std::vector<Input>& inputs, const std::string& currency, const Tally& tally,
                 ledger::ImportFacts* facts);

// For every FOCUS column: how many of the kept rows have it observed, derived, assumed or missing.
std::map<std::string, std::map<std::string, int64_t>> LineageOf(const std::vector<Input>& inputs,
                                                                const Schema& schema,
                                                                const Tally& tally);

}  // namespace flyball::ingest
