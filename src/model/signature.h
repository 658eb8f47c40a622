// Signature: the distinct attribution-relevant columns of a charge. Rules map signatures to dimensions, so that changing
// a rule never rewrites a charge; rollups are keyed by it.
//
// Its columns are every text or JSON column of the ledger that describes what is charged and to whom. Left out are the
// columns that identify a single row or document (InvoiceId, InvoiceDetailId, AllocatedMethodDetails, ContractApplied,
// CredentialDetails, CommitmentProgramEligibilityDetails, x_RequestId, x_Lineage, x_SourceFile) and BillingCurrency
// (rollups are keyed by currency beside it).
// The id is Hash64 of the values, each as (u32 length + 1, bytes), 0 for null; a store refuses two signatures with one id.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flyball::signature {

// Names of the columns, in order; a subset of charge::Columns().
std::span<const std::string_view> Columns();
// Position of a column in Columns(), or -1.
int IndexOf(std::string_view column);

// Values in the order of Columns(); a null value is nullopt.
using Values = std::vector<std::optional<std::string_view>>;
uint64_t IdOf(const Values& values);

// The value of one key of the canonical Tags JSON ({"k":"v",...}), or nullopt.
std::optional<std::string> TagValue(std::string_view tags_json, std::string_view key);

}  // namespace flyball::signature
