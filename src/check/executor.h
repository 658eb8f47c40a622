// Executor: runs compiled rules over batches. The plan is made once and shared; each thread has a
// worker with counts of its own, which are merged at the end.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "check/groups.h"
#include "check/program.h"
#include "check/rule.h"

namespace flyball::check {

inline constexpr size_t kRulesMax = 20'000;

// A rule as it runs.
struct RunRule {
  bool runs = false;                          // over rows; else `not_run` says why it does not
  Verdict verdict = Verdict::kNotApplicable;  // when it does not run
  std::string not_run;
  int applies = -1;             // node: the rows that it speaks of
  int breaks = -1;              // node: those that break it
  int groups = -1;              // of kOneValue and kUnique: which of the value groups
  std::vector<int> key, value;  // columns
};

struct Plan {
  Layout* layout = nullptr;
  std::vector<const Rule*> rules;
  std::vector<RunRule> runs;  // by rule
  Program program;
  int group_count = 0;
  int provider = -1, currency = -1, cost = -1;  // columns
  // Nodes of commitments, -1 where no rule asks for them.
  int purchase = -1, use = -1, used = -1, unused = -1;
  bool commitments = false, invoices = false, periods = false;
  explicit Plan(Layout* l) : layout(l), program(l) {}
};
// Compiles the rules against the columns that the files have. What can't be compiled is not
// decidable, with the reason.
Plan MakePlan(const std::vector<Rule>& rules, Layout* layout);

struct RuleTally {
  int64_t applied = 0;
  int64_t failed = 0;
  std::vector<int64_t> failed_by_provider;
  std::vector<ExactSum> cost;  // by currency
  std::vector<Place> first;    // the first kFirstRows, in order
};

// Numbers names as they come; beyond the limit all are "(other)".
class Names {
 public:
  explicit Names(size_t limit) : limit_(limit) {}
  int Number(std::string_view name);
  const std::vector<std::string>& all() const { return names_; }

 private:
  size_t limit_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, int> numbers_;
  std::string last_;
  int last_number_ = -1;
};

struct Totals {
  Names providers, currencies;
  std::vector<int64_t> rows_by_provider;
  std::vector<ExactSum> cost;  // by currency
  std::vector<RuleTally> rules;
  std::vector<ValueGroups> values;
  SharedGroups shared;
  std::vector<int64_t> rows_by_file;
  std::vector<Place> unreadable;  // the first kUnreadableMax
  std::vector<int64_t> unreadable_by_file;
  Totals();
  void Merge(const Totals& other);
};
inline constexpr size_t kUnreadableMax = 1000;

class Worker {
 public:
  Worker(const Plan& plan, size_t files);
  // Takes the batch into the counts.
  void Take(const Batch& batch);
  void TakeUnreadable(int file, const std::vector<int64_t>& lines);
  // The charges or the lines of invoices of another data set, beside Cost and Usage.
  Totals& totals() { return totals_; }

 private:
  void NameRows(const Batch& batch);
  void CountRule(size_t index, const Batch& batch);
  void GroupRows(const RunRule& run, const Batch& batch);
  void TakeCommitments(const Batch& batch);
  void TakeInvoices(const Batch& batch);
  void TakePeriods(const Batch& batch);

  const Plan& plan_;
  Totals totals_;
  std::vector<Mask> masks_;
  std::vector<int> provider_, currency_;  // of the batch's rows
  std::vector<ExactSum> cost_;            // of one row each
};

}  // namespace flyball::check
