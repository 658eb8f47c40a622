#include "ingest/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model/charge.h"

namespace flyball::ingest {
namespace {

struct Sums {
  RawDecimalSum in, quarantined, residue;
  int128 kept = 0;
};

Result<ledger::SumCheck> CheckSums(const std::string& what, const Sums& sums) {
  ledger::SumCheck check;
  check.in = sums.in.ToString();
  check.kept = FormatDecimal(sums.kept, Money::scale());
  check.quarantined = sums.quarantined.ToString();
  check.residue = sums.residue.ToString();
  RawDecimalSum out = sums.quarantined;
  out.Merge(sums.residue);
  if (!out.Add(check.kept) || !(out == sums.in)) {
    return Fail(Code::kInternal,
                fmt::format("BilledCost {} does not reconcile: the raw text sums to {}, but {} was "
                            "kept, {} quarantined and {} left as residue",
                            what, check.in, check.kept, check.quarantined, check.residue),
                "nothing was imported; report this with the file");
  }
  return check;
}

}  // namespace

Status Reconcile(const std::vector<Input>& inputs, const std::string& currency, const Tally& tally,
                 ledger::ImportFacts* facts) {
  const auto named = [&](const std::string& name) {
    return name == kUnnamedCurrency && !currency.empty() ? currency : name;
  };
  std::map<std::string, Sums> sums;
  Sums all;
  int64_t unsummed = 0;
  facts->rows_in = 0;
  for (const Input& input : inputs) {
    facts->rows_in += input.facts.rows;
    unsummed += input.facts.rows_unsummed;
    all.in.Merge(input.facts.billed);
    for (const auto& [name, sum] : input.facts.billed_by_currency) {
      sums[named(name)].in.Merge(sum);
    }
  }
  facts->rows_kept = tally.rows_kept;
  facts->rows_quarantined = tally.rows_quarantined;
  if (facts->rows_in != facts->rows_kept + facts->rows_quarantined) {
    return Fail(Code::kInternal,
                fmt::format("{} rows came in, but {} were kept and {} quarantined", facts->rows_in,
                            facts->rows_kept, facts->rows_quarantined),
                "nothing was imported; report this with the file");
  }
  if (unsummed != tally.rows_unsummed) {
    return Fail(Code::kInternal,
                fmt::format("the raw text has {} rows without a BilledCost that can be summed, but "
                            "{} were quarantined",
                            unsummed, tally.rows_unsummed),
                "nothing was imported; report this with the file");
  }
  bool overflow = tally.overflow;
  for (const auto& [key, sum] : tally.kept) {
    overflow |= __builtin_add_overflow(sums[key.second].kept, sum.billed, &sums[key.second].kept);
    overflow |= __builtin_add_overflow(all.kept, sum.billed, &all.kept);
  }
  for (const auto& [name, check] : tally.checks) {
    sums[named(name)].quarantined.Merge(check.quarantined);
    sums[named(name)].residue.Merge(check.residue);
    all.quarantined.Merge(check.quarantined);
    all.residue.Merge(check.residue);
  }
  for (const auto& [name, sum] : sums) {
    overflow |= sum.kept > kDecimalMaxUnits || sum.kept < -kDecimalMaxUnits;
  }
  if (overflow) return Fail(Code::kOutOfRange, "the total of BilledCost leaves 38 digits");
  facts->billed_cost = FB_TRY(CheckSums("in all", all));
  for (const auto& [name, sum] : sums) {
    facts->billed_cost_by_currency[name] = FB_TRY(CheckSums("in " + name, sum));
  }
  return {};
}

std::map<std::string, std::map<std::string, int64_t>> LineageOf(const std::vector<Input>& inputs,
                                                                const Schema& schema,
                                                                const Tally& tally) {
  std::map<std::string, std::map<std::string, int64_t>> lineage;
  const std::string missing(focus::LineageName(focus::Lineage::kMissing));
  std::vector<focus::Lineage> there(schema.size(), focus::Lineage::kMissing);
  for (const Input& input : inputs) {
    std::vector<int> field_of = input.plan.FieldOf(schema);
    for (size_t i = 0; i < schema.size(); ++i) {
      if (field_of[i] >= 0) there[i] = input.plan.LineageOf(schema.columns()[i].name);
    }
  }
  for (size_t i = 0; i < schema.size(); ++i) {
    const std::string& name = schema.columns()[i].name;
    if (name.starts_with("x_") || tally.rows_kept == 0) continue;
    auto filled = std::ranges::find(kFilledColumns, name);
    if (filled == kFilledColumns.end()) {
      lineage[name][std::string(focus::LineageName(there[i]))] = tally.rows_kept;
      continue;
    }
    const auto& counts = tally.filled[static_cast<size_t>(filled - kFilledColumns.begin())];
    for (size_t kind = 0; kind < counts.size(); ++kind) {
      if (counts[kind] == 0) continue;
      lineage[name][std::string(focus::LineageName(static_cast<focus::Lineage>(kind)))] =
          counts[kind];
    }
  }
  return lineage;
}

}  // namespace flyball::ingest
