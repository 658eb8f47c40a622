// Live charges: the gateway's calls that no commit has yet, beside the answers of the ledger.
//
// Each commit of the gateway's source says how far the log of calls went into it
// (ingest/gateway_stand.h); all that the log has beyond that is charged here, in memory, in the
// very shape that the next bill will give it. So the hour that runs is seen as it is spent, no call
// is there twice and none is missing, whatever is published meanwhile; and nothing is written. A
// question as of a commit is answered by that commit alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"
#include "ingest/gateway_charges.h"
#include "ingest/gateway_stand.h"
#include "ledger/cost_query.h"
#include "ledger/ledger.h"
#include "ledger/naive.h"
#include "os/files.h"

namespace flyball::ingest {

inline constexpr int64_t kLookAgainUs = kMicrosPerSecond;  // how often the log is looked at
// Calls that are kept in memory because they wait to be published. Where more wait, the log is read
// no further until some are, and answers say up to when they are.
inline constexpr size_t kLiveCallsMax = 200'000;

// Thread-safe.
class LiveCharges {
 public:
  LiveCharges(os::Files& files, const std::string& home, Clock& clock,
              size_t calls_max = kLiveCallsMax);

  struct Answer {
    ledger::QueryAnswer answer;
    // Up to when settled calls are in it; none: the ledger's answer alone.
    std::optional<Instant> through;
  };
  Result<Answer> Query(ledger::Ledger& ledger, const ledger::CostQuery& query);
  // Changes when a later Query may answer otherwise at the same commit. 0: there is no gateway.
  uint64_t Version(const ledger::Ledger& ledger);

 private:
  // One month's log, as far as it has been read.
  struct Tail {
    uint64_t bytes = 0;     // its size then
    uint64_t whole_to = 0;  // where the last reading that came to its end stopped
    uint64_t read_to = 0;
    bool is_whole = false;  // all of `bytes` is read
    Instant settled_to;     // when the last call that was read was settled
    std::unordered_map<uint64_t, metered::Dispatch> open;
    struct Ended {
      uint64_t offset = 0;
      SettledCall call;
    };
    std::vector<Ended> ended;
    GatewayStand dropped;  // what is in it is no longer kept
  };
  using Stands = std::map<std::string, GatewayStand>;  // by month
  using Charges = std::vector<ledger::NaiveCharge>;

  void LookAgain(const ledger::Ledger& ledger);
  size_t Kept() const;
  Status ReadOn(const std::string& month, Tail* tail);
  Stands StandsAt(const ledger::Ledger& ledger, const std::string& commit);
  // Not in bills of these stands. Null: some of them are no longer kept, ask for a newer commit.
  Result<std::shared_ptr<const Charges>> After(const Stands& stands, const estate::RuleSet& rules);

  os::Files& files_;
  const std::string calls_, bills_;
  Clock& clock_;
  const size_t calls_max_;
  std::mutex mutex_;
  std::optional<int64_t> looked_us_;
  std::optional<Instant> through_;
  bool faulty_ = false;
  bool full_ = false;
  uint64_t version_ = 0;
  std::map<std::string, Tail> tails_;
  std::string stands_commit_;
  std::optional<Stands> stands_;
  // The last charges made, and for what.
  std::shared_ptr<const Charges> charges_;
  Stands charges_after_;
  uint64_t charges_version_ = 0;
  std::string charges_rules_;
};

// As ledger::AnswerText, and JSON with "live_through", a table with a line that says it.
std::string LiveAnswerText(const LiveCharges::Answer& answer, ledger::AnswerFormat format);

}  // namespace flyball::ingest
