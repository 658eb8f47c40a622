// Health: how far the ledger can be trusted. What is known of each source of bills (when it came
// in, through which day it reaches, which days are missing or thin, what lies in quarantine, how it
// conforms to FOCUS), and of each month how its invoices lead to the ledger.
//
//   commits, live slices, days (cost query) ─┐
//   home/sync/<source>/last.json ────────────┼─► sources.h ─► "what is wrong, and where"
//   home/checks/<content hash>.json ─────────┤
//   home/quarantine/<id>.jsonl ──────────────┘
//   home/invoices/<month>.json, sums (cost query) ─► month.h ─► the ladder from invoice to ledger
//
// Nothing here changes the ledger, and no question is answered that is not a cost query: whoever
// calls gives a way to ask one. docs/HEALTH.md says what each word of the answers means.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "ledger/cost_query.h"

namespace flyball::health {

// Answers a cost query with the JSON contract of AnswerJson.
using Ask = std::function<Result<std::string>(const ledger::CostQuery&)>;

// Named limits.
inline constexpr int kDaysShown = 62;           // of completeness
inline constexpr size_t kSourcesMax = 200;      // of one answer; the rest is counted
inline constexpr size_t kQuarantinesMax = 100;  // imports with rows in quarantine, of a source
inline constexpr size_t kFailedRulesMax = 50;   // of a check, the dearest duties first
inline constexpr size_t kReasonsBytesMax =
    8u << 20;  // of a quarantine file that reasons are counted in
// Of quarantine files that one answer begins to read, so that nobody waits; later ones go on.
inline constexpr size_t kReasonsBytesOfAnswer = 32u << 20;

}  // namespace flyball::health
