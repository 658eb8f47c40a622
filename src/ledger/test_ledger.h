// For tests: a home in a folder of its own, and charges written as an import would stage them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "ledger/naive.h"
#include "os/files.h"

namespace flyball::ledger {

class TestHome {
 public:
  TestHome();
  ~TestHome();
  TestHome(const TestHome&) = delete;
  TestHome& operator=(const TestHome&) = delete;

  const std::string& path() const { return home_; }
  std::string PathOf(const std::string& name) const { return os::JoinPath(home_, name); }
  os::Files& files() { return *files_; }
  SimClock& clock() { return clock_; }

  // Aborts the test when it fails. One ledger at a time.
  std::unique_ptr<Ledger> Open();
  // Stages the charges as `source`: one slice for each month of `start`, of `parts` files. Their
  // `assigned` and `source` are not looked at. `extra_columns` are x_ columns that every charge may
  // have in `columns`.
  StagedImport Stage(const std::string& source, const std::vector<NaiveCharge>& charges,
                     int parts = 1, const std::vector<std::string>& extra_columns = {});
  // What the rules make of each charge, for the oracle.
  static void Assign(const estate::RuleSet& rules, std::vector<NaiveCharge>* charges);

 private:
  std::string root_, home_;
  std::unique_ptr<os::Files> files_;
  SimClock clock_;
  int staged_ = 0;
};

// A charge with what is mandatory; the amounts in units of 1e-12.
NaiveCharge MakeCharge(Instant start, const std::string& service, int128 billed_units,
                       const std::string& currency = "USD");

}  // namespace flyball::ledger
