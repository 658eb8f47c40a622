// Slices: the charges of an import written as Parquet, one slice for each billing month, with
// everything that belongs to it.
#pragma once

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ingest/adapter.h"
#include "ingest/budget.h"
#include "ingest/feed.h"
#include "ingest/inputs.h"
#include "ingest/quarantine.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::ingest {

// The columns of the schema that any row of the inputs can have a value in, in order. The others
// are written as constant nulls, which cost next to nothing.
std::vector<int> LiveColumns(const Schema& schema, const std::vector<Input>& inputs);

class SliceStage {
 public:
  struct Settings {
    std::string home, source, content_hash;
    std::string dir;  // staging
    Budget budget;
  };
  // All must outlive it.
  SliceStage(Settings settings, const std::vector<Input>& inputs, const Schema& schema,
             engine::Connection* connection, engine::Connection* deriver, os::Files& files,
             Quarantine* quarantine);

  // Writes the rows of the feed, all of one month, and gives what they counted. Adds a slice when
  // any row was kept. INTERNAL when a row is of another month, or when the rollup has other rows or
  // sums than were written.
  Result<Tally> WriteMonth(int64_t month_us, std::unique_ptr<BlockFeed> feed);
  // The slices, when all that belongs to them has been derived.
  Result<std::vector<ledger::Slice>> TakeSlices();

 private:
  std::string Select(const std::string& source) const;
  Result<std::string> FreeSliceId(const std::string& period);
  Status Derive(ledger::Slice* slice, const std::string& dir);
  Status WaitForDerived();

  Settings settings_;
  const std::vector<Input>& inputs_;
  const Schema& schema_;
  std::vector<int> live_;
  engine::Connection* connection_;  // writes the rows
  engine::Connection* deriver_;     // derives rollup and signatures
  os::Files& files_;
  Quarantine* quarantine_;
  std::deque<ledger::Slice> slices_;  // stays where it is while one of them is being derived
  std::future<Status> deriving_;      // of the slice before, when months are derived beside
  int months_ = 0;
  int last_number_ = 0;  // of slice ids
};

}  // namespace flyball::ingest
