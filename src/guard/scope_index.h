// ScopeIndex: from an attribute of a call to the accounts of its scope, in one look-up.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/budget.h"

namespace flyball::guard {

class ScopeIndex {
 public:
  struct Entry {
    uint64_t hash = 0;
    budget::ScopeKind kind = budget::ScopeKind::kOrganisation;
    std::string value;
    std::vector<uint32_t> accounts;
    uint64_t templates_seen = 0;  // the guard's count of templates when their accounts were made
  };
  ScopeIndex() { Clear(); }
  // nullptr when no account has such a scope.
  Entry* Find(budget::ScopeKind kind, std::string_view value);
  Entry& FindOrMake(budget::ScopeKind kind, std::string_view value);
  void Clear();

 private:
  size_t SlotOf(uint64_t hash, budget::ScopeKind kind, std::string_view value) const;
  void Grow();

  std::vector<Entry> entries_;
  std::vector<uint32_t>
      slots_;  // index + 1 into entries_; 0: free. A power of two, at most half full
};

}  // namespace flyball::guard
