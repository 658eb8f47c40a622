#include "check/groups.h"

#include <algorithm>
#include <bit>

namespace flyball::check {
namespace {

uint64_t Mix(const GroupEntry& entry) {
  uint64_t hash = entry.key * 0x9E3779B97F4A7C15u ^ std::rotl(entry.value, 29);
  hash ^= (static_cast<uint64_t>(entry.provider) << 16) + static_cast<uint64_t>(entry.currency);
  hash *= 0xD6E8FEB86659FD93u;
  return hash ^ (hash >> 32);
}

bool Same(const GroupEntry& a, const GroupEntry& b) {
  return a.key == b.key && a.value == b.value && a.provider == b.provider &&
         a.currency == b.currency;
}

void See(Place place, Place* first, Place* second) {
  if (first->line == 0 || place < *first) {
    *second = *first;
    *first = place;
  } else if (second->line == 0 || place < *second) {
    *second = place;
  }
}

void MergeCommitment(const Commitment& from, Commitment* to) {
  to->purchases += from.purchases;
  to->uses += from.uses;
  to->unused += from.unused;
  to->purchased.Add(from.purchased);
  to->used.Add(from.used);
  to->left.Add(from.left);
  to->other.Add(from.other);
  to->quantity_purchased.Add(from.quantity_purchased);
  to->quantity_used.Add(from.quantity_used);
  to->quantity_known = to->quantity_known && from.quantity_known;
  to->purchase_start = std::min(to->purchase_start, from.purchase_start);
  to->purchase_end = std::max(to->purchase_end, from.purchase_end);
  to->use_start = std::min(to->use_start, from.use_start);
  to->use_end = std::max(to->use_end, from.use_end);
  to->billed.Add(from.billed);
  if (to->rows == 0 || from.first < to->first) {
    to->first = from.first;
    to->provider = from.provider;
  }
  to->rows += from.rows;
}

}  // namespace

void ValueGroups::Grow() {
  slots_.assign(std::max<size_t>(slots_.size() * 2, 1024), 0);
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t at = Mix(entries_[i]) & (slots_.size() - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = static_cast<uint32_t>(i + 1);
  }
}

GroupEntry* ValueGroups::Slot(uint64_t key, uint64_t value, int provider, int currency) {
  GroupEntry wanted;
  wanted.key = key;
  wanted.value = value;
  wanted.provider = provider;
  wanted.currency = currency;
  if (last_ != nullptr && Same(*last_, wanted)) return last_;
  if ((entries_.size() + 1) * 2 > slots_.size()) Grow();
  size_t at = Mix(wanted) & (slots_.size() - 1);
  while (slots_[at] != 0) {
    GroupEntry& entry = entries_[slots_[at] - 1];
    if (Same(entry, wanted)) return last_ = &entry;
    at = (at + 1) & (slots_.size() - 1);
  }
  if (entries_.size() >= kGroupsMax) {
    overflowed_ = true;
    entries_ = {};  // nothing more is asked of them
    slots_ = {};
    return last_ = nullptr;
  }
  entries_.push_back(wanted);
  slots_[at] = static_cast<uint32_t>(entries_.size());
  return last_ = &entries_.back();
}

void ValueGroups::Add(uint64_t key, uint64_t value, int provider, int currency, Place place,
                      const ExactSum& cost) {
  if (overflowed_) return;
  GroupEntry* entry = Slot(key, value, provider, currency);
  if (entry == nullptr) return;
  ++entry->rows;
  See(place, &entry->first, &entry->second);
  entry->cost.Add(cost);
}

void ValueGroups::Merge(const ValueGroups& other, const std::vector<int>& providers,
                        const std::vector<int>& currencies) {
  if (other.overflowed_) overflowed_ = true;
  for (const GroupEntry& from : other.entries_) {
    if (overflowed_) return;
    GroupEntry* to = Slot(from.key, from.value, providers[static_cast<size_t>(from.provider)],
                          currencies[static_cast<size_t>(from.currency)]);
    if (to == nullptr) return;
    to->rows += from.rows;
    to->cost.Add(from.cost);
    See(from.first, &to->first, &to->second);
    if (from.second.line != 0) See(from.second, &to->first, &to->second);
  }
}

std::vector<GroupEntry> ValueGroups::Sorted() const {
  std::vector<GroupEntry> sorted = entries_;
  std::ranges::sort(sorted, [](const GroupEntry& a, const GroupEntry& b) {
    return a.key != b.key ? a.key < b.key : a.first < b.first;
  });
  return sorted;
}

void SharedGroups::Merge(const SharedGroups& other, const std::vector<int>& providers,
                         const std::vector<int>& currencies) {
  const auto here = [&](const GroupKey& key) {
    return GroupKey{key.first, currencies[static_cast<size_t>(key.second)]};
  };
  commitments_overflowed = commitments_overflowed || other.commitments_overflowed;
  invoices_overflowed = invoices_overflowed || other.invoices_overflowed;
  periods_overflowed = periods_overflowed || other.periods_overflowed;
  for (const auto& [key, from] : other.commitments) {
    Commitment moved = from;
    moved.provider = providers[static_cast<size_t>(from.provider)];
    Commitment& to = commitments[here(key)];
    to.currency = here(key).second;
    MergeCommitment(moved, &to);
  }
  for (const auto& [key, from] : other.invoices) {
    InvoiceSum& to = invoices[here(key)];
    const bool fresh = to.charge_rows + to.invoice_rows == 0;
    if (fresh || from.first < to.first) {
      to.first = from.first;
      to.provider = providers[static_cast<size_t>(from.provider)];
    }
    to.currency = here(key).second;
    to.charges.Add(from.charges);
    to.invoiced.Add(from.invoiced);
    to.charge_rows += from.charge_rows;
    to.invoice_rows += from.invoice_rows;
  }
  for (const auto& [account, seen] : other.periods) {
    for (const auto& [period, one] : seen) {
      const Seen here_seen{one.place, providers[static_cast<size_t>(one.provider)]};
      auto [found, fresh] = periods[account].emplace(period, here_seen);
      if (!fresh && one.place < found->second.place) found->second = here_seen;
    }
  }
}

}  // namespace flyball::check
