// Budgets count every charge of the ledger: while the server runs, it tells whoever has the guard
// what the ledger has in each budget beside the gateway's own calls.
//
//   ledger ──cost query by provider and source──► sums of each window ──POST …/budgets/ledger──►
//   guard
//
// - Calls of the gateway (source `gateway`) count in the guard already; what a vendor's bill has
//   added to them, and calls that it alone knows, don't, and count.
// - Bills of vendors that the gateway stands in front of hold its calls once more: of them, what is
//   beyond all that the gateway, and bills that were applied to its calls, counted in the window
//   counts, so that nothing counts twice.
// - Everything else counts whole: other vendors' bills, calls that were told of by OTLP.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/command.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "gateway/external.h"
#include "ledger/ledger.h"
#include "model/budget.h"

namespace flyball::app {

struct CountedBudget {
  budget::Budget budget;
  budget::Amount own = 0;  // what the gateway's calls have spent of it in the window of now
};
// What the ledger has in a budget beside the calls, in the windows that count at `now`. `fronted`:
// providers that the gateway stands in front of, by canonical name. Nothing for scopes that the
// ledger does not know: key, end_customer.
Result<gateway::External> ReadOtherSpend(ledger::Ledger& ledger, const CountedBudget& counted,
                                         const std::set<std::string>& fronted, Instant now);

// Does so again whenever the ledger has changed, and each minute, from a thread of its own.
class OtherSpend {
 public:
  OtherSpend(const Environment& environment, ledger::Ledger& ledger);
  ~OtherSpend();

 private:
  void Run(const std::stop_token& stop);
  Status Tell(const std::stop_token& stop);

  const Environment& environment_;
  ledger::Ledger& ledger_;
  log::LastingFault fault_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace flyball::app
