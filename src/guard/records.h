// Records: what the guard writes down, as values and as bytes.
//
// A batch is the version of this format (one byte), then records, each a type and its fields
// (codec.h); one batch is one record of a journal, so it is there whole or not at all. Types and
// their fields are never changed, only added: old journals must stay readable. An unknown version
// or type is DATA_LOSS, never skipped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "guard/books.h"
#include "model/budget.h"
#include "model/hold.h"

namespace flyball::guard {

inline constexpr uint8_t kFormatVersion = 1;

// A cell, named so that it can be made where it is absent.
struct CellName {
  uint32_t account = kNoIndex;
  uint32_t generation = 0;
  Period period;
  bool operator==(const CellName&) const = default;
};

// --- control: synced before they count

// A budget as it is from now on.
struct BudgetRecord {
  uint32_t account = kNoIndex;
  uint32_t template_of = kNoIndex;
  uint32_t generation = 0;
  bool removed = false;
  budget::Budget budget;
  Instant floor;
  uint64_t faults = 0;
  Amount unguarded_peak = 0;
  // After an edit of the window: cells that were merged into `merged_into`.
  struct Merged {
    uint32_t generation = 0;
    Instant start;
    bool operator==(const Merged&) const = default;
  };
  std::vector<Merged> merged;
  Period merged_into;
  bool operator==(const BudgetRecord&) const = default;
};
// Follows the BudgetRecord of an account in which the ledger's other charges don't count.
struct GatewayOnlyRecord {
  uint32_t account = kNoIndex;
  bool operator==(const GatewayOnlyRecord&) const = default;
};
// What cells may reach; a smaller number than before takes back.
struct LeaseRecord {
  struct Lease {
    CellName cell;
    Amount amount = 0;
    bool operator==(const Lease&) const = default;
  };
  std::vector<Lease> leases;
  bool operator==(const LeaseRecord&) const = default;
};
// A vendor billed beyond the bound of a call.
struct ExcessRecord {
  hold::CallId call;
  struct Leg {
    CellName cell;
    Amount excess = 0;
    bool freezes = false;
    bool operator==(const Leg&) const = default;
  };
  std::vector<Leg> legs;
  bool operator==(const ExcessRecord&) const = default;
};
// The lost part of a cell, from now on: `lost` of it is left, `settled` of it became exact.
struct LostRecord {
  CellName cell;
  Amount lost = 0;
  Amount settled = 0;
  bool operator==(const LostRecord&) const = default;
};

// --- calls: written before the call goes on

struct DispatchRecord {
  hold::CallId call;
  bool unknown = false;  // in snapshots: over already, charged at its bound
  bool suspect = false;  // and found after a power cut
  struct Leg {
    CellName cell;
    Amount held = 0;
    Amount bound = 0;
    int64_t rate = 0;
    bool operator==(const Leg&) const = default;
  };
  std::vector<Leg> legs;
  bool operator==(const DispatchRecord&) const = default;
};
struct GrowRecord {
  hold::CallId call;
  std::vector<Amount> held;  // more, by leg
  std::vector<Amount> bound;
  bool operator==(const GrowRecord&) const = default;
};
struct SettleRecord {
  hold::CallId call;
  // By leg. What is above its bound is said by an ExcessRecord too, which is written after this one
  // and synced: either may be the only one that is found.
  std::vector<Amount> costs;
  bool operator==(const SettleRecord&) const = default;
};
struct EndRecord {
  hold::CallId call;
  bool released = false;  // false: charged at its bound
  bool operator==(const EndRecord&) const = default;
};
// What the ledger says of cells at a commit of its: their whole external part from now on. Control:
// it is in order with edits of windows, and no lease covers it.
struct ExternalRecord {
  uint64_t commit = 0;
  struct Leg {
    CellName cell;
    Amount amount = 0;
    bool operator==(const Leg&) const = default;
  };
  std::vector<Leg> legs;
  bool operator==(const ExternalRecord&) const = default;
};

// --- snapshots

// A cell without what its open and unknown calls hold: those follow as DispatchRecords.
struct CellRecord {
  CellName name;
  Amount settled = 0;
  Amount lost = 0;
  Amount excess = 0;
  Amount external = 0;
  Amount lease = 0;
  bool operator==(const CellRecord&) const = default;
};
struct StateRecord {
  uint64_t external_commit = 0;
  uint64_t faults = 0;
  bool operator==(const StateRecord&) const = default;
};

using Record = std::variant<BudgetRecord, LeaseRecord, ExcessRecord, LostRecord, DispatchRecord,
                            GrowRecord, SettleRecord, EndRecord, ExternalRecord, CellRecord,
                            StateRecord, GatewayOnlyRecord>;

// Appends to a batch; begins it when it is empty.
void Write(const BudgetRecord& record, std::string* batch);
void Write(const LeaseRecord& record, std::string* batch);
void Write(const ExcessRecord& record, std::string* batch);
void Write(const LostRecord& record, std::string* batch);
void Write(const DispatchRecord& record, std::string* batch);
void Write(const GrowRecord& record, std::string* batch);
void Write(const SettleRecord& record, std::string* batch);
void Write(const EndRecord& record, std::string* batch);
void Write(const ExternalRecord& record, std::string* batch);
void Write(const CellRecord& record, std::string* batch);
void Write(const StateRecord& record, std::string* batch);
void Write(const GatewayOnlyRecord& record, std::string* batch);

// Calls `visit(Record&&)` for each record of a batch, in order. DATA_LOSS where none stands.
Status ForEachRecord(std::string_view batch, const std::function<void(Record&&)>& visit);

}  // namespace flyball::guard
