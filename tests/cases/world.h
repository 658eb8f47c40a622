// The world of one case: a fresh home in a temporary folder, a ledger in it, a clock that moves
// only when told to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "case_file.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::cases {

// One thing that a statement turned out to say. An expected line stands for it when it is the key,
// or the key and a blank and a part of the text: "quarantine 7 no number" for the key "quarantine
// 7" and the text "BilledCost: no number".
struct Fact {
  std::string key;
  std::string text = {};
  bool must_be_expected = false;  // an unexpected one fails the case: errors, quarantined rows
};

struct Outcome {
  std::vector<Fact> facts;
  std::vector<std::string> rows;
  std::string commit;  // what "commit as NAME" names
};

class World {
 public:
  static Result<std::unique_ptr<World>> Make();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Opened when it is first asked for; Close gives the home back.
  Result<ledger::Ledger*> Ledger();
  void Close() { ledger_.reset(); }

  std::string Home() const { return root_ + "/home"; }
  std::string InputPath(const std::string& name) const { return root_ + "/in/" + name; }
  std::string OutsidePath(const std::string& name) const { return root_ + "/" + name; }
  os::Files& files() { return *files_; }
  SimClock& clock() { return clock_; }

  void Label(const std::string& name, const std::string& commit) { labels_[name] = commit; }
  std::string CommitOf(const std::string& label_or_id) const;

  // The ledger's home as if it had never been.
  Status ForgetHome();
  // No file of a slice that was ever seen may change: slices are immutable. Looks at all of them.
  Status CheckSlicesUnchanged();

 private:
  explicit World(std::string root);

  std::string root_;
  std::unique_ptr<os::Files> files_;
  SimClock clock_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::map<std::string, std::string> labels_;
  std::map<std::string, std::string> slice_hashes_;  // path -> SHA-256
};

using Handler = Result<Outcome> (*)(World&, const Statement&);
struct Verb {
  const char* name;
  Shape shape;
  Handler run;
};
// All statements there are; a later capability adds its verbs here.
const std::vector<Verb>& Verbs();
const Verb* FindVerb(const std::string& name);

// The verbs' handlers, by theme.
Result<Outcome> WriteEstate(World& world, const Statement& statement);
Result<Outcome> WriteBill(World& world, const Statement& statement);
Result<Outcome> WriteCharges(World& world, const Statement& statement);
Result<Outcome> ImportRates(World& world, const Statement& statement);
Result<Outcome> RunImport(World& world, const Statement& statement);
Result<Outcome> RunCheck(World& world, const Statement& statement);
Result<Outcome> RunQuery(World& world, const Statement& statement);
Result<Outcome> RunExport(World& world, const Statement& statement);
Result<Outcome> ShowRows(World& world, const Statement& statement);
Result<Outcome> ShowCommits(World& world, const Statement& statement);
Result<Outcome> ShowSlices(World& world, const Statement& statement);
Result<Outcome> RunClassify(World& world, const Statement& statement);
Result<Outcome> RunCompact(World& world, const Statement& statement);
Result<Outcome> RunRebuild(World& world, const Statement& statement);
Result<Outcome> Reopen(World& world, const Statement& statement);
Result<Outcome> EmptyHome(World& world, const Statement& statement);
Result<Outcome> DeleteStore(World& world, const Statement& statement);
Result<Outcome> Damage(World& world, const Statement& statement);
Result<Outcome> MoveClock(World& world, const Statement& statement);

}  // namespace flyball::cases
