#include "check/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/assert.h"
#include "check/header_checks.h"

namespace flyball::check {
namespace {

constexpr int64_t kMillion = 1'000'000;
constexpr int kPartsDepthMax = 100;

// `part` of `whole` in millionths, rounded down, without leaving 128 bits.
int64_t Millionths(int128 part, int128 whole) {
  if (whole <= 0) return 0;
  while (part > kDecimalMaxUnits / kMillion) {
    part /= 1024;
    whole /= 1024;
  }
  return static_cast<int64_t>(part * kMillion / whole);
}

template <typename T>
T At(const std::vector<T>& values, size_t index) {
  return index < values.size() ? values[index] : T{};
}

class Judge {
 public:
  Judge(const Plan& plan, const Totals& totals, const std::vector<std::string>& files,
        const std::vector<FileHeader>& headers, const SharedGroups* invoices, Report* report)
      : plan_(plan),
        totals_(totals),
        files_(files),
        headers_(headers),
        invoices_(invoices),
        report_(*report) {}

  void Run() {
    tallies_ = totals_.rules;
    for (size_t i = 0; i < plan_.rules.size(); ++i) {
      RuleResult result;
      result.rule = *plan_.rules[i];
      index_.emplace(result.rule.id, i);
      report_.results.push_back(std::move(result));
    }
    for (size_t i = 0; i < plan_.rules.size(); ++i) JudgeOne(i);
    judged_.assign(plan_.rules.size(), State::kOpen);
    for (size_t i = 0; i < plan_.rules.size(); ++i) JudgeParts(i, 0);
    for (size_t i = 0; i < plan_.rules.size(); ++i) Explain(i);
    Score();
  }

 private:
  enum class State : uint8_t { kOpen, kRunning, kDone };

  RuleResult& Of(size_t index) { return report_.results[index]; }
  void Fail(size_t index) { Of(index).verdict = Verdict::kFailed; }
  void NotApplicable(size_t index, std::string why) {
    Of(index).verdict = Verdict::kNotApplicable;
    Of(index).reason = std::move(why);
  }
  void NotDecidable(size_t index, std::string why) {
    Of(index).verdict = Verdict::kNotDecidable;
    Of(index).reason = std::move(why);
  }

  void JudgeOne(size_t index) {
    const Rule& rule = *plan_.rules[index];
    const RunRule& run = plan_.runs[index];
    if (!run.runs) {
      Of(index).verdict = run.verdict;
      Of(index).reason = run.not_run;
      return;
    }
    switch (rule.means) {
      case Rule::Means::kRows:
        return JudgeRows(index);
      case Rule::Means::kHeader:
        return JudgeHeader(index);
      case Rule::Means::kGroup:
        return JudgeGroup(index);
      case Rule::Means::kShape:
        return JudgeShape(index);
      case Rule::Means::kParts:
      case Rule::Means::kFixed:
        return;
    }
  }

  void NoRow(size_t index) {
    const std::string& what = Of(index).rule.condition_text;
    NotApplicable(index, what.empty() ? "the data has no rows" : "no row where " + what);
  }

  void JudgeRows(size_t index) {
    const RuleTally& tally = tallies_[index];
    // A rule that no row may break by its condition alone is passed when there is no such row.
    const bool forbids = Of(index).rule.requirement.kind == Expr::Kind::kFalse;
    if (tally.applied == 0 && !forbids) return NoRow(index);
    if (tally.failed > 0) Fail(index);
  }

  void JudgeHeader(size_t index) {
    const Rule& rule = Of(index).rule;
    for (const FileHeader& header : headers_) {
      const std::vector<std::string> broken =
          BreaksHeader(rule, plan_.layout->data_set(), header.names);
      if (broken.empty()) continue;
      if (rule.header == HeaderCheck::kPresent && rule.optional) {
        return NotApplicable(index, rule.reason);
      }
      Fail(index);
      Of(index).first.push_back({header.file, 1});
      for (const std::string& name : broken) {
        if (std::ranges::find(Of(index).columns, name) == Of(index).columns.end()) {
          Of(index).columns.push_back(name);
        }
      }
    }
    if (Of(index).first.size() > kFirstRows) Of(index).first.resize(kFirstRows);
  }

  void JudgeShape(size_t index) {
    RuleTally& tally = tallies_[index];
    tally.applied = report_.rows;
    for (int64_t count : totals_.unreadable_by_file) {
      tally.failed += count;
      tally.applied += count;
    }
    tally.first = totals_.unreadable;
    if (tally.first.size() > kFirstRows) tally.first.resize(kFirstRows);
    if (tally.failed > 0) Fail(index);
  }

  void JudgeGroup(size_t index) {
    switch (Of(index).rule.group.check) {
      case GroupCheck::kOneValue:
      case GroupCheck::kUnique:
        return JudgeValues(index);
      case GroupCheck::kInvoiceSum:
        return JudgeInvoices(index);
      case GroupCheck::kPeriodsFollow:
        return JudgePeriods(index);
      case GroupCheck::kUsageIsPurchase:
      case GroupCheck::kUsageIsUsedAndUnused:
      case GroupCheck::kUnusedIsShown:
      case GroupCheck::kQuantityIsPurchased:
        return JudgeCommitments(index);
    }
  }

  void Break(size_t index, int provider, int currency, int64_t rows, const ExactSum& cost,
             Place first) {
    RuleTally& tally = tallies_[index];
    tally.failed += rows;
    tally.failed_by_provider.resize(
        std::max(tally.failed_by_provider.size(), static_cast<size_t>(provider) + 1));
    tally.failed_by_provider[static_cast<size_t>(provider)] += rows;
    tally.cost.resize(std::max(tally.cost.size(), static_cast<size_t>(currency) + 1));
    tally.cost[static_cast<size_t>(currency)].Add(cost);
    tally.first.push_back(first);
    Fail(index);
  }
  void SortFirst(size_t index) {
    std::vector<Place>& first = tallies_[index].first;
    std::ranges::sort(first);
    if (first.size() > kFirstRows) first.resize(kFirstRows);
  }

  // The value that stands first counts as right; rows with another one break the rule. Of a key
  // that must be unique, every row but the first does.
  void JudgeValues(size_t index) {
    const ValueGroups& groups = totals_.values[static_cast<size_t>(plan_.runs[index].groups)];
    if (groups.overflowed()) {
      return NotDecidable(index, fmt::format("more than {} groups", kGroupsMax));
    }
    if (tallies_[index].applied == 0) return NoRow(index);
    const bool unique = Of(index).rule.group.check == GroupCheck::kUnique;
    const std::vector<GroupEntry> entries = groups.Sorted();
    uint64_t value = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      const GroupEntry& entry = entries[i];
      const bool begins = i == 0 || entries[i - 1].key != entry.key;
      if (begins) value = entry.value;
      if (!unique) {
        if (entry.value == value) continue;
        Break(index, entry.provider, entry.currency, entry.rows, entry.cost, entry.first);
      } else if (entry.rows > (begins ? 1 : 0)) {
        Break(index, entry.provider, entry.currency, entry.rows - (begins ? 1 : 0), entry.cost,
              begins ? entry.second : entry.first);
      }
    }
    SortFirst(index);
  }

  // All of what was bought is in its use by the end of its term, and no more at any time before.
  static bool HoldsForTerm(const Commitment& one, const ExactSum& use, const ExactSum& bought,
                           bool* decidable) {
    const int128 excess = Excess(use, bought);
    *decidable = one.whole_term() || (one.within_term() && excess > 0);
    return excess == 0;
  }

  static bool HoldsFor(GroupCheck check, const Commitment& one, bool* decidable) {
    if (one.beyond()) return *decidable = false;
    ExactSum use = one.used;
    use.Add(one.left);
    use.Add(one.other);
    switch (check) {
      case GroupCheck::kUsageIsPurchase:
        return HoldsForTerm(one, use, one.purchased, decidable);
      case GroupCheck::kUsageIsUsedAndUnused:
        *decidable = one.uses > 0;
        return one.other.sum == 0 && one.other.magnitude == 0;
      case GroupCheck::kUnusedIsShown:
        *decidable = one.whole_term();
        return one.unused > 0 || Excess(use, one.purchased) >= 0;
      case GroupCheck::kQuantityIsPurchased: {
        const bool holds = HoldsForTerm(one, one.quantity_used, one.quantity_purchased, decidable);
        *decidable = *decidable && one.quantity_known;
        return holds;
      }
      default:
        return true;
    }
  }

  void JudgeCommitments(size_t index) {
    const SharedGroups& shared = totals_.shared;
    if (shared.commitments_overflowed) {
      return NotDecidable(index, fmt::format("more than {} commitments", kCommitmentsMax));
    }
    if (shared.commitments.empty()) {
      return NotApplicable(index, "no row is of a commitment discount");
    }
    int64_t decided = 0;
    for (const auto& [key, one] : shared.commitments) {
      bool decidable = true;
      const bool holds = HoldsFor(Of(index).rule.group.check, one, &decidable);
      if (!decidable) continue;
      ++decided;
      tallies_[index].applied += one.rows;
      if (!holds) Break(index, one.provider, one.currency, one.rows, one.billed, one.first);
    }
    SortFirst(index);
    const int64_t left = static_cast<int64_t>(shared.commitments.size()) - decided;
    if (decided == 0) {
      return NotDecidable(index,
                          "no commitment has its purchase and its use of the same whole "
                          "time in the data");
    }
    if (left > 0) {
      Of(index).reason = fmt::format(
          "{} of {} commitments have no purchase and use of the same whole time in the data", left,
          shared.commitments.size());
    }
  }

  void JudgeInvoices(size_t index) {
    if (invoices_ == nullptr) {
      return NotDecidable(index, "needs the invoices: name their InvoiceDetail file too");
    }
    if (totals_.shared.invoices_overflowed || invoices_->invoices_overflowed) {
      return NotDecidable(index, fmt::format("more than {} invoices", kInvoicesMax));
    }
    if (totals_.shared.invoices.empty()) return NotApplicable(index, "no row has an InvoiceId");
    int64_t beyond = 0;
    for (const auto& [key, sum] : totals_.shared.invoices) {
      auto found = invoices_->invoices.find(key);
      const bool known = found != invoices_->invoices.end();
      if (sum.charges.beyond || (known && found->second.invoiced.beyond)) {
        ++beyond;
        continue;
      }
      tallies_[index].applied += sum.charge_rows;
      if (!known || Excess(found->second.invoiced, sum.charges) != 0) {
        Break(index, sum.provider, sum.currency, sum.charge_rows, sum.charges, sum.first);
      }
    }
    SortFirst(index);
    if (beyond > 0 && Of(index).verdict != Verdict::kFailed) {
      return NotDecidable(index, fmt::format("{} invoices sum to more than 38 digits", beyond));
    }
    const auto without = std::ranges::count_if(invoices_->invoices, [&](const auto& one) {
      return !totals_.shared.invoices.contains(one.first);
    });
    if (without > 0) {
      Of(index).reason = fmt::format("{} invoices have no charge in the data", without);
    }
  }

  void JudgePeriods(size_t index) {
    if (totals_.shared.periods_overflowed) {
      return NotDecidable(index, fmt::format("more than {} billing periods", kPeriodsMax));
    }
    bool several = false;
    for (const auto& [account, periods] : totals_.shared.periods) {
      int64_t end = 0;
      bool begun = false;
      for (const auto& [period, seen] : periods) {
        ++tallies_[index].applied;
        if (begun) several = true;
        if (begun && period.first != end) Break(index, seen.provider, 0, 1, {}, seen.place);
        end = begun ? std::max(end, period.second) : period.second;
        begun = true;
      }
    }
    SortFirst(index);
    if (!several) NotApplicable(index, "no account has two billing periods");
  }

  // A composite: its duties together, or its recommendations where it has no duty.
  void JudgeParts(size_t index, int depth) {
    if (judged_[index] == State::kDone) return;
    const Rule& rule = *plan_.rules[index];
    if (rule.means != Rule::Means::kParts || !plan_.runs[index].runs) {
      judged_[index] = State::kDone;
      return;
    }
    if (judged_[index] == State::kRunning || depth > kPartsDepthMax) {
      return NotDecidable(index, "the rule is a part of itself");
    }
    judged_[index] = State::kRunning;
    const bool duties = std::ranges::any_of(rule.parts, [&](const std::string& part) {
      auto found = index_.find(part);
      return found != index_.end() && IsDuty(Of(found->second).rule.keyword);
    });
    int counts[4] = {0, 0, 0, 0};
    std::string failed, open;
    for (const std::string& part : rule.parts) {
      auto found = index_.find(part);
      if (found == index_.end()) continue;
      JudgeParts(found->second, depth + 1);
      const RuleResult& result = Of(found->second);
      if (duties && !IsDuty(result.rule.keyword)) continue;
      ++counts[static_cast<size_t>(result.verdict)];
      if (result.verdict == Verdict::kFailed) failed += (failed.empty() ? "" : ", ") + part;
      if (result.verdict == Verdict::kNotDecidable) open += (open.empty() ? "" : ", ") + part;
    }
    judged_[index] = State::kDone;
    const auto count = [&](Verdict verdict) { return counts[static_cast<size_t>(verdict)]; };
    RuleResult& result = Of(index);
    if (rule.any_part && count(Verdict::kPassed) > 0) return;
    const bool fails = count(Verdict::kFailed) > 0;
    const bool unknown = count(Verdict::kNotDecidable) > 0;
    if (fails && !(rule.any_part && unknown)) {
      result.verdict = Verdict::kFailed;
      result.reason = "failed: " + failed;
      if (!open.empty()) result.reason += "; not decidable: " + open;
    } else if (unknown) {
      NotDecidable(index, "its parts are not decidable: " + open);
    } else if (count(Verdict::kPassed) == 0 && count(Verdict::kNotApplicable) > 0) {
      NotApplicable(index, "none of its parts applies");
    }
  }

  void Explain(size_t index) {
    RuleResult& result = Of(index);
    const RuleTally& tally = tallies_[index];
    result.rows_applied = tally.applied;
    Doubt(index);
    if (result.verdict != Verdict::kFailed) return;
    result.rows_failed = tally.failed;
    for (Place place : tally.first) {
      result.first.push_back({files_[static_cast<size_t>(place.file)], place.line});
    }
    for (size_t i = 0; i < tally.cost.size(); ++i) {
      const ExactSum& affected = tally.cost[i];
      const ExactSum whole = At(totals_.cost, i);
      const int64_t share = Millionths(affected.magnitude, whole.magnitude);
      if (affected.magnitude == 0 || whole.beyond) continue;
      result.cost.push_back({totals_.currencies.all()[i], Money::FromUnits(affected.sum),
                             Money::FromUnits(whole.sum), share});
    }
  }

  // A verdict on rows rests on what those rows state: it says so when a rule on that failed.
  void Doubt(size_t index) {
    RuleResult& result = Of(index);
    const bool ran = result.verdict == Verdict::kPassed || result.verdict == Verdict::kFailed;
    if (!ran || result.rule.means == Rule::Means::kParts) return;
    std::string failed;
    for (const std::string& id : result.rule.depends) {
      auto found = index_.find(id);
      if (found == index_.end() || Of(found->second).verdict != Verdict::kFailed) continue;
      failed += (failed.empty() ? "" : ", ") + id;
    }
    if (failed.empty()) return;
    result.reason += (result.reason.empty() ? "" : "; ") + ("rests on what failed: " + failed);
  }

  // docs/CHECK.md, "The score": of each rule that was passed or failed, the share of the
  // provider's rows that keep it, a duty with twice the weight of a recommendation.
  void Score() {
    for (size_t p = 0; p < totals_.rows_by_provider.size(); ++p) {
      ProviderScore score;
      score.provider = totals_.providers.all()[p];
      score.rows = totals_.rows_by_provider[p];
      int128 kept = 0, whole = 0;
      for (size_t i = 0; i < report_.results.size(); ++i) {
        const RuleResult& result = Of(i);
        const bool decided =
            result.verdict == Verdict::kPassed || result.verdict == Verdict::kFailed;
        if (!decided || result.rule.means == Rule::Means::kParts) continue;
        const int64_t weight = IsDuty(result.rule.keyword) ? 2 : 1;
        int64_t broken = std::min(At(tallies_[i].failed_by_provider, p), score.rows);
        if (result.rule.means == Rule::Means::kHeader && result.verdict == Verdict::kFailed) {
          broken = score.rows;
        }
        ++(broken == 0 ? score.rules_passed : score.rules_failed);
        whole += weight * score.rows;
        kept += weight * (score.rows - broken);
      }
      score.score_ppm = Millionths(kept, whole);
      report_.providers.push_back(std::move(score));
    }
    std::ranges::sort(report_.providers, [](const ProviderScore& a, const ProviderScore& b) {
      return a.rows != b.rows ? a.rows > b.rows : a.provider < b.provider;
    });
  }

  const Plan& plan_;
  const Totals& totals_;
  const std::vector<std::string>& files_;
  const std::vector<FileHeader>& headers_;
  const SharedGroups* invoices_;
  Report& report_;
  std::vector<RuleTally> tallies_;
  std::unordered_map<std::string, size_t> index_;
  std::vector<State> judged_;
};

}  // namespace

void JudgeAll(const Plan& plan, const Totals& totals, const std::vector<std::string>& files,
              const std::vector<FileHeader>& headers, const SharedGroups* invoices,
              Report* report) {
  Judge(plan, totals, files, headers, invoices, report).Run();
}

}  // namespace flyball::check
