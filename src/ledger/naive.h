// Naive interpreter of the cost query: the oracle that the compiler is tested against.
//
// It answers from a plain list of charges, charge by charge, in the words of cost_query.h, and
// shares no code with the compiler and no table of the model: what they agree on, two people have
// written. It is slow on purpose.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "ledger/cost_query.h"
#include "model/dimension.h"

namespace flyball::ledger {

struct NaiveCharge {
  // Text columns by the charge's names ("ServiceName", "BillingCurrency", ...); absent or nullopt:
  // null.
  std::map<std::string, std::optional<std::string>> columns;
  std::map<std::string, std::string> tags;
  // Units of the measures that have a value: 1e-12 for costs, 1e-15 for usage.
  std::map<std::string, int128> measures;
  Instant start;                 // ChargePeriodStart; billed in its month
  dimension::Assigned assigned;  // what the rules in force make of it
  std::string source;            // of its slice
};

// `charges` are those that are live at the commit that is asked about; as_of is not looked at,
// commit and read_from stay empty. Errors: what Validate refuses, and OUT_OF_RANGE for a sum beyond
// 38 digits.
Result<QueryAnswer> AnswerNaively(const CostQuery& query, const std::vector<NaiveCharge>& charges);

}  // namespace flyball::ledger
