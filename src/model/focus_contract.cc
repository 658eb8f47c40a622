#include "model/focus_tables.h"
namespace flyball::focus {
std::span<const Column> tables::ContractCommitment() { return {}; }
}  // namespace flyball::focus
