// Life: the whole gateway in a simulated world, by seed. Clients ask it over a simulated network,
// leave in mid-stream and ask the desk for edits; mock vendors answer, fail, are slow, break off,
// bill what nobody read, and some are hostile; the process dies in the middle of a write, the power
// goes, the disk fails, clocks jump. After every event the vendors' exact invoices are compared
// with what the guard counts (life_book.h). At the end the vendors' bills are reconciled, and the
// ledger's charges are the invoice to the last digit. Test code only.
//
// - life_vendors.h: the vendors     - life_process.h: a process of the gateway
// - life_client.h: a client         - life_book.h: what must hold
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "gateway/life_book.h"
#include "gateway/life_client.h"
#include "gateway/life_process.h"
#include "gateway/life_vendors.h"
#include "guard/test_life.h"

namespace flyball::gateway {

struct LifeFaults {
  guard::Mutation guard = guard::Mutation::kNone;
  LifeMutation gateway = LifeMutation::kNone;
  std::string lie_about = {};  // syncs of these files are lies
  bool audit = true;           // false: only what a stranger can see is looked at
};

// What lives have seen, so that a test can tell whether they were lives at all.
struct LifeTally {
  uint64_t asked = 0, answered = 0, refused = 0, attempts = 0, billed = 0, exact = 0, at_bound = 0,
           deaths = 0, power_cuts = 0, edits = 0, faults = 0, aborts = 0, retries = 0,
           streams_cut = 0, external = 0;
  LifeTally& operator+=(const LifeTally& other);
};

// What the ledger charges for the calls of a folder, by the time given.
using ChargesOf =
    std::function<Result<Money>(os::Files& files, const std::string& calls_folder, Instant until)>;

class Life {
 public:
  // `keys`: a folder made by WriteLifeKeys.
  Life(uint64_t seed, LifeFaults faults, const std::string& keys, ChargesOf charges, bool tells);
  // What went wrong, or "".
  std::string Live();
  const LifeTally& tally() const { return tally_; }

 private:
  void Fail(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }
  void Tell(const std::string& what) const;

  // The process, and its machine.
  void Start();
  void Kill(const char* why);
  void StopWell();
  void LosePower();
  bool PowerIsOff() const { return machine_.disk.operation_count() >= cut_at_; }
  void CheckRecovery();
  std::string DiskOf() const;

  // Events.
  bool Step(int64_t until_us);
  void Event();
  void RunFor(int64_t us);
  void After();

  // What happens.
  void Act();
  void Ask();
  void AskDesk();
  void TellLedger();
  void Post(const std::string& path, const std::string& body);
  void EditEstate();
  void ArmDeath();
  void JumpClock();
  LifeClient& AnyClient();
  std::string Request();
  std::string Body(std::string_view* target);

  // The end.
  void Finish();
  void CheckCalls();
  void Reconcile();

  std::string wrong_;
  LifeTally tally_;
  const bool tells_;
  LifeMachine machine_;
  Random& random_;
  guard::Climate climate_{};
  LifeBook book_;
  LifeTrueClock vendors_clock_;
  LifeVendors vendors_;
  LifeConfig config_;
  ChargesOf charges_;
  std::list<LifeClient> clients_;
  std::unique_ptr<LifeProcess> process_;
  bool estate_waits_ = false;  // for the disk
  uint64_t cut_at_;            // the operation of the disk at which the power goes
  bool lost_tail_ = false;     // a power cut may have taken the end of the log
  Instant latest_;             // that the wall clock has shown
  int requests_ = 0;
  int ledger_commit_ = 0;
  bool disk_was_bad_ = false;
};

// Into a folder of the real disk: two virtual keys and the administrator's token.
Status WriteLifeKeys(const std::string& folder);

}  // namespace flyball::gateway
