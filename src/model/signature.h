// Signature: the distinct attribution-relevant columns of a charge. Rules map signatures to
// dimensions, so that changing a rule never rewrites a charge; rollups are keyed by it.
//
// Its columns are every text or JSON column of the ledger that describes what is charged and to
// whom. Left out are the columns that identify a single row or document (InvoiceId,
// InvoiceDetailId, AllocatedMethodDetails, ContractApplied, CredentialDetails,
// CommitmentProgramEligibilityDetails, x_RequestId, x_Lineage, x_SourceFile) and BillingCurrency
// (rollups are keyed by currency beside it).
// The id is Hash64 of the values, each as (u32 length + 1, bytes), 0 for null; a store refuses two
// signatures with one id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace flyball::signature {

// Names of the columns, in order; a subset of charge::Columns().
std::span<const std::string_view> Columns();
// The same columns as indexes into charge::Columns().
std::span<const int> ChargeIndexes();
// Position of a column in Columns(), or -1.
int IndexOf(std::string_view column);

// Values in the order of Columns(); a null value is nullopt.
using Values = std::vector<std::optional<std::string_view>>;
uint64_t IdOf(const Values& values);

// The value of one key of the canonical Tags JSON ({"k":"v",...}), or nullopt. Nothing is allocated
// for the keys that are passed over, so it may be asked for every row. Of a text that ParseTags
// refuses it sees what stands before the fault.
std::optional<std::string> TagValue(std::string_view tags_json, std::string_view key);

// The pairs of one flat JSON object, in its order. Text values are decoded; a number, true or false
// is given as it is written; a key whose value is null has no value and is left out.
// INVALID_ARGUMENT with the byte where the text stops being such an object (a nested value, a bad
// escape, half a surrogate pair, bytes that are no UTF-8, text after the end).
using Tags = std::vector<std::pair<std::string, std::string>>;
Result<Tags> ParseTags(std::string_view tags_json);
inline constexpr size_t kTagsMaxBytes = 4u << 20;  // longer texts are refused

}  // namespace flyball::signature
