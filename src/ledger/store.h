// Store: what answers cost queries from the slices of the log. An interface at a real seam: DuckDB
// stands behind it (ledger/duckdb/), a distributed store can. All SQL against the ledger is behind
// it.
//
// A store holds only what can be derived again from slices and log. It remembers up to which commit
// it has been brought, in the same transaction as the data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/supervisor.h"
#include "ledger/cost_query.h"
#include "ledger/history.h"
#include "ledger/home.h"
#include "ledger/ledger.h"
#include "ledger/rule_books.h"

namespace flyball::ledger {

// Thread-safe: questions run in parallel, also while BringTo works; they see the state before it or
// after it.
class Store {
 public:
  virtual ~Store() = default;

  // Makes the store say what the newest commit of the history says, from whatever it says now: one
  // transaction. Nothing to do is cheap. DATA_LOSS when a slice's files are missing or contradict
  // the log.
  virtual Status BringTo(const History& history) = 0;
  // The sequence of the commit that questions are answered at; 0: none.
  virtual int64_t Applied() const = 0;
  // Whether staged slices may come in: DATA_LOSS when one of their signatures has the id of a
  // different one.
  virtual Status Admit(const std::vector<std::string>& staged_slice_dirs) = 0;

  // `history` must reach as far as Applied(); ABORTED when it does not, because a commit came in
  // between: ask again with a newer one.
  virtual Result<QueryAnswer> Query(const CostQuery& query, const History& history,
                                    ReadFrom read_from) = 0;
  virtual Result<RowsPage> Rows(const CostQuery& query, const History& history, int64_t offset,
                                int64_t limit) = 0;
  virtual Result<Exported> Export(const ExportRequest& request, const History& history) = 0;
  // Verifies a folder's Parquet files against what they should hold, all of its slices wanted: what
  // is wrong, a sentence a fault.
  virtual Result<std::vector<std::string>> Verify(const Folder& folder) = 0;
};

struct StoreOptions {
  Layout layout;
  uint64_t memory_bytes = 1ull << 30;
  int threads = 0;
};
// Questions run under the supervisor, which outlives the store.
Result<std::unique_ptr<Store>> OpenDuckStore(const StoreOptions& options, RuleBooks& books,
                                             engine::Supervisor& supervisor);

}  // namespace flyball::ledger
