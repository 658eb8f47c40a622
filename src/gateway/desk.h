// The desk: what people do with the guard of a home (set a budget, freeze it, look at all), the
// same through a running gateway and without one.
//
//   home/gateway/LOCK           held by the process that owns the guard; names its address
//   home/gateway/guard/         its journals (guard/wal.h)
//   home/gateway/calls/         the log of calls (gateway/call_log.h)
//   home/gateway/keys.json      virtual keys (gateway/keys.h)
//   home/gateway/applied.json   which budgets of estate.yaml were put in force last
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/currencies.h"
#include "guard/wal.h"
#include "model/budget.h"
#include "os/files.h"

namespace flyball::gateway {

std::string GatewayFolder(const std::string& home);
std::string GuardFolder(const std::string& home);
std::string GatewayLock(const std::string& home);

struct Desk {
  os::HomeLock lock;
  std::unique_ptr<guard::Wal> wal;
};
// NOT_FOUND: no such home. ALREADY_EXISTS: another process has it.
Result<Desk> OpenDesk(os::Files& files, const std::string& home);
// The same, but who has the guard for a moment only (a command, a question of the server) is waited
// for, about so long; a gateway that serves is not.
inline constexpr int kDeskPatienceMs = 5000;
inline constexpr int kDeskAgainMs = 20;
Result<Desk> WaitForDesk(os::Files& files, const std::string& home,
                         int patience_ms = kDeskPatienceMs);

// Puts the estate's exchange rates in force, and those of its budgets that have changed since they
// last were, and takes away those that the estate no longer has. What was set at run time stays
// until the estate's own word on that budget changes. A budget that has another name now is known
// by its scope, and keeps its count. What can't be put in force is told before anything is changed.
Status ApplyEstate(os::Files& files, const std::string& home,
                   const std::vector<budget::Budget>& budgets, const Currencies& currencies,
                   guard::Wal& wal, guard::Moment now);

// Requests of the desk, with answers in JSON:
//   GET  /flyball/v1/budgets                              all of them
//   POST /flyball/v1/budgets         {"scope","amount"|"tokens","currency","window","zone",
//                                     "hard","mode","warn","counts","name"}   makes or edits one;
//                                     of one that is there, what is not said stays
//   POST /flyball/v1/budgets/freeze  {"name","frozen"}    the kill switch, and its opposite
//   POST /flyball/v1/budgets/remove  {"name"}
//   POST /flyball/v1/budgets/ledger  what the ledger has in one beside the calls (external.h)
inline constexpr std::string_view kDeskPath = "/flyball/v1/budgets";
// `currencies`: a budget that calls could not be counted in is refused; nullptr: nobody knows here.
Result<std::string> Administer(guard::Wal& wal, std::string_view method, std::string_view path,
                               std::string_view body, guard::Moment now,
                               const Currencies* currencies = nullptr);

// Requests of the desk for keys, with answers in JSON:
//   GET  /keys                                            {"keys":[...]}, without hashes
//   POST /keys          {"name","team","project","use_case","models","expires"}   makes one; its
//                       secret is the answer's "key", and is not shown again
//   POST /keys/revoke   {"key"}                           by id or name
Result<std::string> AdministerKeys(os::Files& files, const std::string& home, Clock& clock,
                                   std::string_view method, std::string_view path,
                                   std::string_view body);

std::string StatusesJson(const std::vector<guard::StatusRow>& rows);

}  // namespace flyball::gateway
