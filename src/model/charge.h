// Charge: the columns of a row of the ledger, in the order in which slices store them.
//
// A charge is one row in the shape of FOCUS 1.4 with the AI columns of the 1.5 draft, then Flyball's own columns under
// the x_ prefix. Any other x_ column of an input follows after these, kept as it is, as text.
#pragma once

#include <span>
#include <string_view>

#include "base/column.h"

namespace flyball::charge {

// Indexes into Columns() of what code names; generated from the same table (charge.cc asserts that they agree).
// All FOCUS columns of Cost and Usage that stand in 1.4 or the 1.5 draft, alphabetically, then:
//   x_Team x_Project x_UseCase x_Model x_CostDriver x_LifecycleStage x_AiClass x_Environment x_WorkloadId x_RequestId
//   x_EnergyWh (quantity) x_GpuSeconds (quantity) x_Msu (quantity) x_Confidence ("estimate" | "final")
//   x_Lineage   "Column=derived;Column=assumed", empty when all was observed
//   x_SourceFile (text) x_SourceLine (int64; the line in the input where the record starts, 1 = first line of the file)
//   x_Signature (uint64; see model/signature.h)
std::span<const ColumnSpec> Columns();
// -1 when there is no such column.
int IndexOf(std::string_view name);

// Measures that rollups carry, in this order, as (measure name, column): billed_cost BilledCost, effective_cost
// EffectiveCost, list_cost ListCost, contracted_cost ContractedCost, usage ConsumedQuantity.
struct MeasureColumn {
  std::string_view measure;
  std::string_view column;
  ColumnType type;
};
std::span<const MeasureColumn> Measures();

}  // namespace flyball::charge
