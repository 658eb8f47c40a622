// A commit as JSON: the record of the log, and the form of the API. Money is text; nothing is
// rounded.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/ledger.h"

namespace flyball::ledger {

// The record of the log: all but the id, which is computed from it. Equal commits have equal bytes.
std::string EncodeRecord(const Commit& commit);
// DATA_LOSS when the bytes are not such a record. The id is left empty.
Result<Commit> DecodeRecord(std::string_view record);
// First 16 hex digits of SHA-256(parent id + record).
std::string CommitId(std::string_view parent, std::string_view record);

std::string_view CommitKindName(CommitKind kind);  // "import", "classify", ...

}  // namespace flyball::ledger
