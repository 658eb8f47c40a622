// Sources: all that is known of each source of bills, as one JSON document for the page.
//
// A source of the estate has one or more sources of the ledger: itself, a file or folder each
// (docs/SYNC.md), and the corrections of its closed months. What is none of these stands for
// itself.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "estate/estate.h"
#include "health/health.h"
#include "ledger/ledger.h"

namespace flyball::health {

// How many rows of a quarantine file have which fault; such a file is never rewritten, so each is
// read once. Thread-safe.
class QuarantineReasons {
 public:
  struct Counts {
    std::map<std::string, int64_t> rows;  // by code, as docs/IMPORT.md lists them
    // False: the file is larger than kReasonsBytesMax, cannot be read, or not now.
    bool whole = true;
  };
  // Takes what it reads off `left_bytes`; where nothing is left, only what is known is told.
  Counts Of(os::Files& files, const std::string& path, size_t* left_bytes);

 private:
  std::mutex mutex_;
  std::map<std::string, Counts> known_;
};

struct SourcesInput {
  const estate::Estate& estate;
  std::span<const ledger::Commit> commits;  // in their order
  std::span<const ledger::Slice> live;
  std::span<const std::string> closed_periods;
  Ask ask;
  os::Files& files;
  std::string home;
  Instant now;
  QuarantineReasons& reasons;
};

// {"now","commit","from","to","sources":[...],"sources_left_off","months":[...]}; docs/HEALTH.md
// has the members. The days shown are the last kDaysShown before the end of the newest month that
// has charges, today at most.
Result<std::string> SourcesJson(const SourcesInput& input);

// {"commit","time","author","report_hash"} of the commit that closed a period; empty: it is open.
std::string CloseOf(std::span<const ledger::Commit> commits,
                    std::span<const std::string> closed_periods, const std::string& period);

// The source of the estate, or the name of its own, that a source of the ledger belongs to.
std::string OwnerOf(const std::string& ledger_source, std::span<const estate::Source> known);

}  // namespace flyball::health
