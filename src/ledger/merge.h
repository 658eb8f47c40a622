// Merge: two answers to one question over disjoint charges, made one.
#pragma once

#include "base/result.h"
#include "ledger/cost_query.h"

namespace flyball::ledger {

// What both sides are asked so that their answers can be merged: all groups, and the measure that
// ranks them.
CostQuery MergeableQuery(const CostQuery& query);
// The answer to `query` from answers to MergeableQuery(query). Commit and read_from are those of
// the first. OUT_OF_RANGE: a sum leaves 38 digits.
Result<QueryAnswer> MergeAnswers(const CostQuery& query, const QueryAnswer& first,
                                 const QueryAnswer& second);

}  // namespace flyball::ledger
