// LifeBook: what a simulated life (life_world.h) knows of each attempt, from outside: which budgets
// it was held in, whether its bytes may have left, what its vendor has billed. After every event
// the invoices are compared with what the guard counts. Test code only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/call_log.h"
#include "gateway/governor.h"
#include "gateway/life_vendors.h"
#include "guard/wal.h"

namespace flyball::gateway {

// Faults to put in on purpose, beside those of the guard (guard::Mutation): each must be seen.
enum class LifeMutation : uint8_t {
  kNone,
  kUnloggedDispatch,  // an attempt leaves that the log of calls does not have
  kUnrecordedLeaves,  // what could not be written leaves all the same
  kFailuresAreFree,   // a vendor's 500 counts as a refusal
  kForgottenEnd,      // an answer that nobody reads to its end gives the hold back
};

// One window of a budget, as the guard knows it: account, generation and start.
using LifeCellKey = std::tuple<int, uint32_t, int64_t>;

struct LifeLeg {
  LifeCellKey cell;
  guard::Amount bound = 0;
  int64_t rate = 0;
  bool tokens = false;
};

struct LifeAttempt {
  enum class Phase : uint8_t {
    kHeld,
    kDispatched,  // may leave once that is written
    kLeft,
    kNeverLeft,
  };
  std::string request;
  size_t vendor = 0;
  hold::CallId id;
  Phase phase = Phase::kHeld;
  int status = 0;  // of the answer's head; 0: none came
  std::vector<LifeLeg> legs;
  bool is_told_apart = true;  // by the vendor's id of its answer, or because it was exact
  bool is_billed = false;
  Money billed;
  int64_t billed_tokens = 0;
  // By the vendor's 4xx it cost nothing, so that budgets don't count what is billed for it.
  bool is_refused() const { return status / 100 == 4; }
};

class LifeBook {
 public:
  // `pardons`: somebody may lift the freeze of a budget that a vendor broke. `audits`: the guard is
  // asked about its own sums as well.
  LifeBook(std::string* wrong, Clock& clock, bool pardons, bool audits)
      : wrong_(wrong), clock_(clock), pardons_(pardons), audits_(audits) {}

  // What the watch saw.
  LifeAttempt* Held(const std::string& request, size_t vendor, const guard::Guard& guard);
  void Committed(bool recorded);
  void StatusCame(LifeAttempt* attempt, int status);
  void NeverLeft(LifeAttempt* attempt);
  void StreamCut() { ++streams_cut_; }
  // The process died.
  void Died();

  void Bill(const LifeBill& bill);

  // What must hold after every event. `ticked_us`: how late a deadline may be noticed.
  void Check(guard::Guard& guard, int64_t late_us);
  // Once all evidence is in: where nothing was lost, the guard's books are the invoice.
  void CheckSettled(guard::Guard& guard, bool exact);

  const std::vector<std::unique_ptr<LifeAttempt>>& attempts() const { return attempts_; }
  Money invoice() const { return invoice_; }
  uint64_t streams_cut() const { return streams_cut_; }  // because a budget had no room for more

 private:
  struct Account {
    std::string name;
    guard::Amount cap = 0;     // the most that its limit ever was
    bool is_bounded = true;    // hard, of the same window and not removed, all the time
    bool is_reshaped = false;  // its window was edited, so that its cells are others now
    budget::Window window;
  };
  void Fail(const std::string& what);
  int KeyOf(const guard::Account& account);
  // Of each account that an edit has not reshaped, each window.
  void VisitCells(const guard::Guard& guard,
                  const std::function<void(const guard::Account& account, const LifeCellKey& key,
                                           const guard::Totals& totals)>& visit);
  void Look(const guard::Guard& guard);
  void Add(const LifeAttempt& attempt, int sign);
  void CheckLimits(const guard::Guard& guard);
  void CheckDeadlines(const guard::Guard& guard, int64_t late_us);
  void CheckInvoices(const guard::Guard& guard);
  void CheckAdmitted(const LifeAttempt& attempt, const guard::HeldCall& call,
                     const guard::Guard& guard);

  std::string* wrong_;
  Clock& clock_;
  const bool pardons_;
  const bool audits_;
  uint64_t streams_cut_ = 0;
  std::vector<std::unique_ptr<LifeAttempt>> attempts_;
  std::map<std::pair<std::string, size_t>, LifeAttempt*> by_request_;
  std::map<std::string, int> keys_;
  std::vector<Account> accounts_;
  std::map<LifeCellKey, guard::Amount> invoices_;  // up to each attempt's bound
  Money invoice_;
};

// Governor that passes everything on to the real one, tells the book, and puts the faults in.
class LifeWatch final : public Governor {
 public:
  LifeWatch(GovernedGateway& gateway, guard::Wal& wal, CallLog& log, LifeBook& book,
            LifeMutation mutation)
      : gateway_(gateway), wal_(wal), log_(log), book_(book), mutation_(mutation) {}
  std::unique_ptr<Call> Begin(const RequestView& request) override;
  Judgement Judge(const RequestView& head) override { return gateway_.Judge(head); }
  Reply Refuse(std::string_view path, int status, std::string_view why) override {
    return gateway_.Refuse(path, status, why);
  }
  bool Commit() override;
  void Tick() override { gateway_.Tick(); }

 private:
  class Watched;
  GovernedGateway& gateway_;
  guard::Wal& wal_;
  CallLog& log_;
  LifeBook& book_;
  LifeMutation mutation_;
};

}  // namespace flyball::gateway
