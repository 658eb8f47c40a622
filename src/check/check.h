// Check: does a bill conform to FOCUS? Every rule that the data can decide is decided, and of the
// others it is said why not.
//
//   files -> records (ingest) -> batches of typed columns -> one compiled program -> verdicts
//                                                        \-> groups (sums, uniqueness) /
//
// Rules come from two sources and are run by one executor: our own, made from the column table of
// FOCUS 1.0 to 1.4 (own_rules.h), and those of a published Requirements Model (model.h). Rows are
// read once, in parallel; money is exact; every structure that grows has a named limit, and a rule
// that meets its limit is not decidable, never wrong. docs/CHECK.md says what is checked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "check/rule.h"
#include "model/focus.h"

namespace flyball::check {

inline constexpr size_t kFilesMax = 1000;     // of one check
inline constexpr size_t kFirstRows = 5;       // shown of a rule that failed
inline constexpr size_t kProvidersMax = 200;  // told apart; the rest is "(other)"
inline constexpr size_t kCurrenciesMax = 200;

struct CheckOptions {
  std::vector<std::string> files;
  std::optional<focus::Version> version;   // absent: what the header fits best
  std::optional<focus::DataSet> data_set;  // absent: what the header fits best
  std::string model;                       // a Requirements Model; empty: our own rules
  std::vector<std::string> supports;   // applicability criteria that hold though no column shows it
  std::string temp_dir;                // where Parquet is unpacked
  uint64_t memory_bytes = 1ull << 30;  // of the engine that reads Parquet
  int threads = 0;                     // 0: one a processor
  std::function<bool(uint64_t done, uint64_t total)> progress;  // false cancels
};

// Where a row stands: the file as named by the user, the line (of Parquet: the row), from 1.
struct RowPlace {
  std::string file;
  int64_t line = 0;
};

// The cost behind some rows, of one currency. Shares are of magnitudes, so that credits do not
// hide charges.
struct CostShare {
  std::string currency;
  Money affected;         // sum of the rows that break the rule
  Money whole;            // sum of all rows
  int64_t share_ppm = 0;  // |affected| of |whole|, in millionths, rounded down
};

struct RuleResult {
  Rule rule;
  Verdict verdict = Verdict::kPassed;
  std::string reason;                // of what is not applicable or not decidable, or a remark
  int64_t rows_applied = 0;          // rows that the rule speaks of
  int64_t rows_failed = 0;           // 0 for a rule on the header
  std::vector<std::string> columns;  // of the header, that break the rule
  std::vector<CostShare> cost;
  std::vector<RowPlace> first;  // at most kFirstRows
};

struct ProviderScore {
  std::string provider;
  int64_t rows = 0;
  int rules_passed = 0;
  int rules_failed = 0;
  int64_t score_ppm = 0;  // docs/CHECK.md, "The score"; 1'000'000 is full conformance
};

struct FileFacts {
  std::string file;
  int64_t rows = 0;
  int64_t rows_unreadable = 0;
};

struct Report {
  focus::DataSet data_set = focus::DataSet::kCostAndUsage;
  focus::Version version = focus::Version::k1_0;
  std::string rules_from;  // "FOCUS 1.2 column table", or the model's file and version
  std::vector<FileFacts> files;
  int64_t rows = 0;
  std::map<std::string, Money> cost;  // BilledCost (or the data set's own cost) by currency
  std::vector<RuleResult> results;
  std::vector<ProviderScore> providers;  // most rows first

  int Count(Verdict verdict) const;
  int executed() const { return Count(Verdict::kPassed) + Count(Verdict::kFailed); }
  int decided() const { return executed() + Count(Verdict::kNotApplicable); }
};

// Checks the files, which must hold the same data set (InvoiceDetail may stand beside Cost and
// Usage: the sums of invoices are then compared). INVALID_ARGUMENT for what is no FOCUS data, is
// cut off, or is no model.
Result<Report> RunCheck(const CheckOptions& options);

std::string ReportJson(const Report& report);   // the contract of `flyball check --format json`
std::string ReportJUnit(const Report& report);  // JUnit XML: one case a rule

}  // namespace flyball::check
