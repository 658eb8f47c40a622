// GovernedGateway: the side of the gateway that decides (gateway/call.h is the seam).
//
// A request becomes a call: whose key it is, what it may cost at most, which upstreams may serve
// it. Each attempt takes a hold on every budget that it falls under before its first byte leaves,
// and is settled by the vendor's own usage at the book's prices after:
//
//   attempt ended by               charged
//   whole answer with usage        exactly
//   the vendor's 4xx               nothing: it was refused before any work
//   no connection                  nothing: it never left
//   all else (5xx, broken, slow,   its whole bound, flagged, until the vendor's bill says better
//   no or unreadable usage)
//
// Unknown routes are refused, so nothing is spent that is not metered. Single thread; no I/O but
// the appends to journals.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "estate/estate.h"
#include "gateway/access_log.h"
#include "gateway/call.h"
#include "gateway/call_facts.h"
#include "gateway/call_log.h"
#include "gateway/currencies.h"
#include "gateway/dialect.h"
#include "gateway/keys.h"
#include "guard/wal.h"
#include "rates/rate.h"

namespace flyball::gateway {

struct GatewaySettings {
  std::vector<estate::Upstream> upstreams;
  std::vector<std::string> upstream_keys;  // the vendors' secrets, beside the upstreams
  int64_t output_limit = 4096;             // of calls that state none
  rates::MissingPrice missing_price = rates::MissingPrice::kDeny;
  int64_t attempt_timeout_us = 600'000'000;  // to the head of an answer, and between its bytes
  int64_t call_max_us = 3'600'000'000;  // all of an attempt, after which it counts at its bound
  // Runs what waits for the disk beside the loop, and tells its answer in the loop. Empty: in it.
  std::function<void(std::function<Status()> job, std::function<void(const Status&)> done)> beside;
};

inline constexpr int kAttemptsMax = 3;
inline constexpr size_t kTagsMax = 16;

// What /metrics shows.
struct GatewayCounts {
  uint64_t calls = 0, attempts = 0, refused_budget = 0, refused_other = 0;
  uint64_t exact = 0, at_bound = 0, vendor_refused = 0, not_sent = 0, cut = 0, faults = 0;
  uint64_t budget_warnings = 0;
};

class GovernedGateway final : public Governor {
 public:
  // All must outlive it.
  GovernedGateway(GatewaySettings settings, std::shared_ptr<const rates::PriceBook> book,
                  guard::Wal& wal, CallLog& log, KeyStore& keys, Clock& clock, Random& random);

  ~GovernedGateway() override { wal_.CallBeforeWriting({}); }
  GovernedGateway(const GovernedGateway&) = delete;
  GovernedGateway& operator=(const GovernedGateway&) = delete;

  std::unique_ptr<Call> Begin(const RequestView& request) override;
  Judgement Judge(const RequestView& head) override;
  Reply Refuse(std::string_view path, int status, std::string_view why) override;
  // The log's ends, the guard's journal, the log's dispatches: what the guard has settled the
  // ledger knows, and a call of the log that the guard does not know of has been settled.
  bool Commit() override;
  void Tick() override;

  // From now on; calls that run keep what they had.
  void SetBook(std::shared_ptr<const rates::PriceBook> book) {
    book_ = std::move(book);
    served_until_us_ = 0;
  }
  // What the desk asks of a budget's currency.
  void SetCurrencies(Currencies currencies) { currencies_ = std::move(currencies); }
  // Of requests from now on; null: none.
  void SetAccessLog(std::unique_ptr<AccessLog> access) { access_ = std::move(access); }
  const GatewayCounts& counts() const { return counts_; }
  // In the text format of Prometheus.
  std::string MetricsText() const;

 private:
  // governed_call.cc. INVALID_ARGUMENT: attributes that budgets can't be named by; NOT_FOUND: no
  // upstream serves the model.
  class Governed;
  // Whose call it is and in which dialect; else what answers it.
  struct Caller {
    std::shared_ptr<const VirtualKey> key;
    Dialect dialect;
  };
  std::variant<Caller, Reply> CallerOf(const RequestView& head);
  Reply RefuseCall(const RequestView& request, RefusalKind kind, std::string_view why,
                   const VirtualKey* key = nullptr);
  void LogRequest(const RequestView& request, const VirtualKey* key, int status,
                  std::string_view ended);
  Result<std::unique_ptr<Call>> MakeCall(Dialect dialect, const RequestView& request,
                                         CallFacts facts, std::shared_ptr<const VirtualKey> key);
  guard::Moment Now() { return {clock_.Now(), clock_.MonotonicUs()}; }
  void WriteEnds();
  void LogFailed(const Status& failed);
  // Once, not at each turn that finds it so.
  void TellFault(std::string_view journal, const Status& failed);
  void SyncLog(int64_t now_us);
  // What GET /v1/models is answered from: read of the book once a minute, as prices begin and end.
  const std::vector<std::string>& Served();
  std::string ModelsJson(const VirtualKey& key);
  // Requests that are no calls: health, metrics, the desk.
  std::optional<Reply> OwnPage(const RequestView& request);
  Reply AtDesk(const RequestView& request);
  void TellNotices();

  GatewaySettings settings_;
  std::shared_ptr<const rates::PriceBook> book_;
  std::vector<std::string> served_;
  int64_t served_until_us_ = 0;
  std::optional<Currencies> currencies_;
  guard::Wal& wal_;
  CallLog& log_;
  KeyStore& keys_;
  Clock& clock_;
  Random& random_;
  GatewayCounts counts_;
  std::unique_ptr<AccessLog> access_;
  int64_t keys_looked_at_us_ = 0;
  int64_t log_synced_us_ = 0;
  bool syncing_log_ = false;
  log::LastingFault tick_fault_;
  void TellFull(const guard::Admission& refusal);
  // Budgets of each value that can keep count of no more values, by account.
  std::map<uint32_t, log::LastingFault> full_;
  log::LastingFault write_fault_;  // of Commit, until it could write
};

// The value of a header, without the blanks around it; "" when there is none.
std::string_view HeaderOf(std::span<const HeaderView> headers, std::string_view name);
// The secret of a request's Authorization, x-api-key or api-key header; "" when there is none.
std::string_view SecretOf(std::span<const HeaderView> headers);

}  // namespace flyball::gateway
