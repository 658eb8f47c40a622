// Evidence: what vendors' bills said of the gateway's calls. It stands beside the log of calls, and
// the ledger's charges are made from both:
//
//   home/gateway/calls/evidence-2026-11.journal
//
// A record is all that one `flyball reconcile --apply` found out about a month. Of what two say of
// the same vendor, day, model and currency the later counts, whole; the calls' own records stay as
// they are, so another bill can always be compared with them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "os/files.h"

namespace flyball::reconcile {

// What a bill is compared by. Days are UTC, and a call's is that in which it was dispatched.
struct Key {
  std::string vendor;  // in the spelling of rates::CanonicalProvider
  Instant day;
  std::string model;
  std::string currency;
  auto operator<=>(const Key&) const = default;
};
Key KeyOf(const std::string& provider, Instant at, const std::string& model,
          const std::string& currency);
Key KeyOf(const metered::Dispatch& dispatch, const std::string& answered_model);
// What is known of an answer by its id: vendors count theirs alike, so an id is one vendor's, and
// billed in one currency.
std::string AnswerKeyOf(const Key& key, std::string_view answer_id);

// What one call cost by the bill; of a call that we never saw: the call is 0.
struct Correction {
  uint64_t call = 0;
  Instant at;
  Money cost;
  std::vector<metered::Line>
      lines;  // the vendor's usage, where the bill tells it; sums to the cost
  // What the first bill that told of the call said: the gateway settles by that one, and only once.
  // Set by ReadEvidence, of calls that we saw.
  std::optional<Money> first = std::nullopt;
  // What the bill says, not what another said before.
  bool operator==(const Correction& other) const {
    return call == other.call && at == other.at && cost == other.cost && lines == other.lines;
  }
};

struct Evidence {
  Key key;
  std::string bill;  // what it is called, and what is in it
  std::string sha256;
  Money theirs;
  // The bill's own charges are in the ledger: ours count no more.
  bool superseded = false;
  std::vector<Correction> corrections;
  // What is left to add to the exact calls, in proportion to their costs: a bill that tells no
  // calls apart says no more.
  Money spread;
  bool operator==(const Evidence&) const = default;
};
using EvidenceByKey = std::map<Key, Evidence>;

// Of a month ("2026-11").
std::string EvidencePath(const std::string& calls_folder, const std::string& month);
// Of a month; empty when there is none. `stops` is asked before each evidence of it: CANCELLED once
// it says so. DATA_LOSS: a record can't be read.
Result<EvidenceByKey> ReadEvidence(os::Files& files, const std::string& calls_folder,
                                   const std::string& month,
                                   const std::function<bool()>& stops = {});
// Adds one record to each month that is in it, on disk when it returns. One process at a time: the
// caller holds EvidenceLock.
Status WriteEvidence(os::Files& files, const std::string& calls_folder,
                     const std::vector<Evidence>& all);
std::string EvidenceLock(const std::string& calls_folder);

}  // namespace flyball::reconcile
