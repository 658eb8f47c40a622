#include "check/executor.h"

#include <algorithm>

#include "base/hash.h"
#include "check/check.h"

namespace flyball::check {
namespace {

constexpr std::string_view kOther = "(other)";
constexpr std::string_view kNone = "(none)";

Place At(const Batch& batch, size_t row) { return {batch.file, batch.line[row]}; }

void KeepFirst(Place place, std::vector<Place>* first) {
  if (first->size() < kFirstRows) first->push_back(place);
}

// The smallest of both lists, which are in order.
void MergeFirst(const std::vector<Place>& from, std::vector<Place>* to) {
  std::vector<Place> merged;
  std::ranges::merge(from, *to, std::back_inserter(merged));
  if (merged.size() > kFirstRows) merged.resize(kFirstRows);
  *to = std::move(merged);
}

// What is no number adds nothing.
void AddCell(const ColumnBatch& column, size_t row, ExactSum* sum) {
  if ((column.facts[row] & (fact::kNull | fact::kNoNumber)) != 0) return;
  sum->Add(column.units[row], (column.facts[row] & fact::kRounded) != 0);
}

uint64_t Combine(const Batch& batch, const std::vector<int>& columns, size_t row) {
  uint64_t hash = 0;
  for (int column : columns) {
    hash = (hash ^ batch.columns[static_cast<size_t>(column)].hash[row]) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 31;
  }
  return hash;
}

template <typename T>
T& Grown(std::vector<T>* values, int at) {
  const auto index = static_cast<size_t>(at);
  if (values->size() <= index) values->resize(index + 1);
  return (*values)[index];
}

}  // namespace

int Names::Number(std::string_view name) {
  if (last_number_ >= 0 && name == last_) return last_number_;
  std::string key(name);
  auto found = numbers_.find(key);
  if (found == numbers_.end()) {
    if (numbers_.size() + 1 >= limit_ && name != kOther) return Number(kOther);
    found = numbers_.emplace(key, static_cast<int>(names_.size())).first;
    names_.push_back(key);
  }
  last_ = std::move(key);
  return last_number_ = found->second;
}

Totals::Totals() : providers(kProvidersMax), currencies(kCurrenciesMax) {}

void Totals::Merge(const Totals& other) {
  std::vector<int> provider_here, currency_here;
  for (const std::string& name : other.providers.all())
    provider_here.push_back(providers.Number(name));
  for (const std::string& name : other.currencies.all())
    currency_here.push_back(currencies.Number(name));
  for (size_t i = 0; i < other.rows_by_provider.size(); ++i) {
    Grown(&rows_by_provider, provider_here[i]) += other.rows_by_provider[i];
  }
  for (size_t i = 0; i < other.cost.size(); ++i) Grown(&cost, currency_here[i]).Add(other.cost[i]);
  rules.resize(std::max(rules.size(), other.rules.size()));
  for (size_t i = 0; i < other.rules.size(); ++i) {
    const RuleTally& from = other.rules[i];
    RuleTally& to = rules[i];
    to.applied += from.applied;
    to.failed += from.failed;
    for (size_t p = 0; p < from.failed_by_provider.size(); ++p) {
      Grown(&to.failed_by_provider, provider_here[p]) += from.failed_by_provider[p];
    }
    for (size_t c = 0; c < from.cost.size(); ++c)
      Grown(&to.cost, currency_here[c]).Add(from.cost[c]);
    MergeFirst(from.first, &to.first);
  }
  values.resize(std::max(values.size(), other.values.size()));
  for (size_t i = 0; i < other.values.size(); ++i) {
    values[i].Merge(other.values[i], provider_here, currency_here);
  }
  shared.Merge(other.shared, provider_here, currency_here);
  for (size_t i = 0; i < other.rows_by_file.size(); ++i) {
    Grown(&rows_by_file, static_cast<int>(i)) += other.rows_by_file[i];
    Grown(&unreadable_by_file, static_cast<int>(i)) += other.unreadable_by_file[i];
  }
  unreadable.insert(unreadable.end(), other.unreadable.begin(), other.unreadable.end());
  std::ranges::sort(unreadable);
}

Worker::Worker(const Plan& plan, size_t files) : plan_(plan) {
  totals_.rules.resize(plan.rules.size());
  totals_.values.resize(static_cast<size_t>(plan.group_count));
  totals_.rows_by_file.resize(files);
  totals_.unreadable_by_file.resize(files);
  provider_.resize(kBatchRows);
  currency_.resize(kBatchRows);
  cost_.resize(kBatchRows);
}

void Worker::NameRows(const Batch& batch) {
  const auto name = [&](int column, size_t row) -> std::string_view {
    if (column < 0) return kNone;
    const ColumnBatch& cells = batch.columns[static_cast<size_t>(column)];
    return cells.text[row].empty() ? kNone : cells.text[row];
  };
  for (size_t row = 0; row < static_cast<size_t>(batch.rows); ++row) {
    provider_[row] = totals_.providers.Number(name(plan_.provider, row));
    currency_[row] = totals_.currencies.Number(name(plan_.currency, row));
    cost_[row] = {};
    if (plan_.cost >= 0) AddCell(batch.columns[static_cast<size_t>(plan_.cost)], row, &cost_[row]);
    ++Grown(&totals_.rows_by_provider, provider_[row]);
    Grown(&totals_.cost, currency_[row]).Add(cost_[row]);
  }
  totals_.rows_by_file[static_cast<size_t>(batch.file)] += batch.rows;
}

void Worker::CountRule(size_t index, const Batch& batch) {
  const RunRule& run = plan_.runs[index];
  RuleTally& tally = totals_.rules[index];
  tally.applied += CountRows(masks_[static_cast<size_t>(run.applies)]);
  if (run.breaks < 0) return;
  const Mask& mask = masks_[static_cast<size_t>(run.breaks)];
  const int64_t failed = CountRows(mask);
  if (failed == 0) return;
  tally.failed += failed;
  ForEachRow(mask, [&](size_t row) {
    ++Grown(&tally.failed_by_provider, provider_[row]);
    Grown(&tally.cost, currency_[row]).Add(cost_[row]);
    KeepFirst(At(batch, row), &tally.first);
  });
}

void Worker::GroupRows(const RunRule& run, const Batch& batch) {
  ValueGroups& groups = totals_.values[static_cast<size_t>(run.groups)];
  if (groups.overflowed()) return;
  ForEachRow(masks_[static_cast<size_t>(run.applies)], [&](size_t row) {
    groups.Add(Combine(batch, run.key, row), Combine(batch, run.value, row), provider_[row],
               currency_[row], At(batch, row), cost_[row]);
  });
}

void Worker::TakeCommitments(const Batch& batch) {
  const Layout& layout = *plan_.layout;
  const auto cells = [&](std::string_view name) -> const ColumnBatch* {
    const int column = layout.Find(name);
    return column < 0 ? nullptr : &batch.columns[static_cast<size_t>(column)];
  };
  const auto has = [](const ColumnBatch* column, size_t row) {
    return column != nullptr && (column->facts[row] & (fact::kNull | fact::kNoNumber)) == 0;
  };
  const ColumnBatch* id = cells("CommitmentDiscountId");
  const ColumnBatch* billed = cells("BilledCost");
  const ColumnBatch* effective = cells("EffectiveCost");
  const ColumnBatch* quantity = cells("CommitmentDiscountQuantity");
  const ColumnBatch* start = cells("ChargePeriodStart");
  const ColumnBatch* end = cells("ChargePeriodEnd");
  const auto is = [&](int node, size_t row) {
    return ((masks_[static_cast<size_t>(node)][row / 64] >> (row % 64)) & 1) != 0;
  };
  std::map<GroupKey, Commitment>& all = totals_.shared.commitments;
  const auto take = [&](size_t row, bool purchase) {
    const GroupKey key{id->hash[row], currency_[row]};
    auto found = all.find(key);
    if (found == all.end()) {
      if (all.size() >= kCommitmentsMax) {
        totals_.shared.commitments_overflowed = true;
        return;
      }
      found = all.emplace(key, Commitment{}).first;
      found->second.first = At(batch, row);
      found->second.provider = provider_[row];
      found->second.currency = currency_[row];
    }
    Commitment& one = found->second;
    ++one.rows;
    one.billed.Add(cost_[row]);
    if (has(quantity, row)) {
      AddCell(*quantity, row, purchase ? &one.quantity_purchased : &one.quantity_used);
    } else {
      one.quantity_known = false;
    }
    int64_t from = INT64_MAX, to = INT64_MIN;
    if (has(start, row)) from = static_cast<int64_t>(start->units[row]);
    if (has(end, row)) to = static_cast<int64_t>(end->units[row]);
    if (purchase) {
      ++one.purchases;
      AddCell(*billed, row, &one.purchased);
      one.purchase_start = std::min(one.purchase_start, from);
      one.purchase_end = std::max(one.purchase_end, to);
      return;
    }
    ++one.uses;
    one.use_start = std::min(one.use_start, from);
    one.use_end = std::max(one.use_end, to);
    const bool unused = is(plan_.unused, row);
    if (unused) ++one.unused;
    AddCell(*effective, row, unused ? &one.left : is(plan_.used, row) ? &one.used : &one.other);
  };
  ForEachRow(masks_[static_cast<size_t>(plan_.purchase)], [&](size_t row) { take(row, true); });
  ForEachRow(masks_[static_cast<size_t>(plan_.use)], [&](size_t row) { take(row, false); });
}

void Worker::TakeInvoices(const Batch& batch) {
  const auto id = static_cast<size_t>(plan_.layout->Find("InvoiceId"));
  const int issuer = plan_.layout->Find("InvoiceIssuerName");
  std::map<GroupKey, InvoiceSum>& all = totals_.shared.invoices;
  for (size_t row = 0; row < static_cast<size_t>(batch.rows); ++row) {
    const uint64_t invoice = batch.columns[id].hash[row];
    if (invoice == 0) continue;
    const uint64_t who = issuer < 0 ? 0 : batch.columns[static_cast<size_t>(issuer)].hash[row];
    const GroupKey key{invoice ^ (who * 0x9E3779B97F4A7C15u), currency_[row]};
    auto found = all.find(key);
    if (found == all.end()) {
      if (all.size() >= kInvoicesMax) {
        totals_.shared.invoices_overflowed = true;
        return;
      }
      found = all.emplace(key, InvoiceSum{}).first;
      found->second.first = At(batch, row);
      found->second.provider = provider_[row];
      found->second.currency = currency_[row];
    }
    InvoiceSum& sum = found->second;
    if (plan_.layout->data_set() == focus::DataSet::kInvoiceDetail) {
      sum.invoiced.Add(cost_[row]);
      ++sum.invoice_rows;
    } else {
      sum.charges.Add(cost_[row]);
      ++sum.charge_rows;
    }
  }
}

void Worker::TakePeriods(const Batch& batch) {
  const Layout& layout = *plan_.layout;
  const auto cells = [&](std::string_view name) -> const ColumnBatch& {
    return batch.columns[static_cast<size_t>(layout.Find(name))];
  };
  const ColumnBatch& start = cells("BillingPeriodStart");
  const ColumnBatch& end = cells("BillingPeriodEnd");
  const ColumnBatch& account = cells("BillingAccountId");
  constexpr Facts kNoValue = fact::kNull | fact::kNoDate;
  uint64_t last_account = 0;
  std::pair<int64_t, int64_t> last{0, 0};
  for (size_t row = 0; row < static_cast<size_t>(batch.rows); ++row) {
    if (((start.facts[row] | end.facts[row]) & kNoValue) != 0) continue;
    const std::pair period{static_cast<int64_t>(start.units[row]),
                           static_cast<int64_t>(end.units[row])};
    if (row > 0 && account.hash[row] == last_account && period == last) continue;
    last_account = account.hash[row];
    last = period;
    SharedGroups& shared = totals_.shared;
    auto& seen = shared.periods[account.hash[row]];
    const SharedGroups::Seen here{At(batch, row), provider_[row]};
    if (seen.emplace(period, here).second && ++shared.period_count > kPeriodsMax) {
      shared.periods_overflowed = true;
    }
    if (shared.periods_overflowed) return;
  }
}

void Worker::Take(const Batch& batch) {
  plan_.program.Run(batch, &masks_);
  NameRows(batch);
  for (size_t i = 0; i < plan_.runs.size(); ++i) {
    const RunRule& run = plan_.runs[i];
    if (!run.runs || run.applies < 0) continue;
    CountRule(i, batch);
    if (run.groups >= 0) GroupRows(run, batch);
  }
  if (plan_.commitments) TakeCommitments(batch);
  if (plan_.invoices) TakeInvoices(batch);
  if (plan_.periods) TakePeriods(batch);
}

void Worker::TakeUnreadable(int file, const std::vector<int64_t>& lines) {
  totals_.unreadable_by_file[static_cast<size_t>(file)] += static_cast<int64_t>(lines.size());
  for (int64_t line : lines) {
    if (totals_.unreadable.size() >= kUnreadableMax) return;
    totals_.unreadable.push_back({file, line});
  }
}

}  // namespace flyball::check
