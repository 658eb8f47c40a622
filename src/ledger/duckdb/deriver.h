// Deriver: brings the tables of the store to what the log says, inside the caller's transaction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/duckdb/assigner.h"
#include "ledger/history.h"
#include "ledger/home.h"
#include "ledger/rule_books.h"

namespace flyball::ledger {

// Up to where the store has been brought.
struct Applied {
  int64_t sequence = 0;  // 0: nothing yet
  std::string commit;
  std::string rules;
};
// Of a database without our tables, or with those of another schema: nothing yet.
Result<Applied> ReadApplied(engine::Connection& connection);

class Deriver {
 public:
  Deriver(engine::Connection& connection, const Layout& layout, RuleBooks& books,
          Assigner& assigner)
      : connection_(connection), layout_(layout), books_(books), assigner_(assigner) {}

  // From any state to the newest commit of the history. Compares the slices that the store has with
  // those that are live, and derives only what differs; another rulebook derives the cube anew,
  // from what is in the store. DATA_LOSS when a slice contradicts the log.
  Status BringTo(const History& history);
  // Signatures that the last BringTo brought in.
  bool loaded_signatures() const { return loaded_signatures_; }

 private:
  Status Reset();
  Status LoadSignatures(const History& history);
  Status DeriveMembers(int64_t after_n);
  Status CloseSlices(const std::vector<const Slice*>& live);
  // The numbers of the slices that came in, comma separated.
  Result<std::string> OpenSlices(const History& history, const std::vector<const Slice*>& live);
  Status OpenSlice(const Slice& slice, const Folder& folder, int64_t n);
  Status DeriveCube(const std::string& slices);
  Status Remember(const Commit& head);
  Result<int64_t> Number(const std::string& sql);

  engine::Connection& connection_;
  const Layout& layout_;
  RuleBooks& books_;
  Assigner& assigner_;
  bool loaded_signatures_ = false;
};

}  // namespace flyball::ledger
