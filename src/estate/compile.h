// Compiled rules: conditions interned and evaluated at most once a signature, rules found through
// an index by equality.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "estate/decode.h"
#include "estate/field.h"

namespace re2 {
class RE2;
}

namespace flyball::estate {

// One condition on one field; shared by all rules that state it.
struct Atom {
  Field field;
  FieldTest::Op op = FieldTest::Op::kEquals;
  std::vector<std::string> values;  // lower case; equality: sorted
  std::vector<std::unique_ptr<re2::RE2>> regexes;

  Atom();
  Atom(Atom&&) noexcept;
  ~Atom();
  bool Holds(Row& row) const;
};

// The atoms of a rule set.
class Atoms {
 public:
  explicit Atoms(const ProviderNames& providers) : providers_(providers) {}
  Result<uint32_t> Intern(const FieldTest& test);
  const Atom& operator[](uint32_t index) const { return atoms_[index]; }
  size_t size() const { return atoms_.size(); }

 private:
  const ProviderNames& providers_;
  std::vector<Atom> atoms_;
  std::unordered_map<std::string, uint32_t> by_key_;
};

// What is known of the atoms for one row.
class Evaluation {
 public:
  Evaluation(const Atoms& atoms, Row& row) : atoms_(atoms), row_(row), known_(atoms.size()) {}
  bool Holds(uint32_t atom);
  Row& row() { return row_; }

 private:
  const Atoms& atoms_;
  Row& row_;
  std::vector<uint8_t> known_;  // 0 not yet, 1 no, 2 yes
};

struct Match {
  std::vector<uint32_t> atoms;
  std::vector<Match> none;
  std::vector<std::vector<Match>> any;

  bool Holds(Evaluation& evaluation) const;
};
Result<Match> CompileMatch(const MatchSpec& spec, Atoms* atoms);

// What a rule gives to one dimension.
struct Gift {
  dimension::RuleDimension dimension = dimension::kDriver;
  std::string literal;
  std::vector<Field> from;
  std::unique_ptr<re2::RE2> regex;
  bool slug = false;

  Gift();
  Gift(Gift&&) noexcept;
  ~Gift();
};

struct Rule {
  std::string origin;
  Match match;
  std::vector<Gift> gifts;
  uint32_t dimensions = 0;  // bit mask of what it sets
};

// Rules in order, with an index from a field's value to the rules that ask for it.
class RuleList {
 public:
  Status Add(const RuleSpec& spec, Atoms* atoms);
  // Builds the index; call once, after the last Add.
  void Index(const Atoms& atoms);
  // Calls visit(rule) in order for every rule whose indexed equality holds, until it returns false.
  template <typename Visit>
  void ForCandidates(Row& row, Visit visit) const;

 private:
  using Bucket = std::vector<uint32_t>;
  struct FieldIndex {
    Field field;
    std::unordered_map<std::string, Bucket> buckets;
  };
  std::vector<Rule> rules_;
  std::vector<FieldIndex> indexes_;
  Bucket unindexed_;
};

template <typename Visit>
void RuleList::ForCandidates(Row& row, Visit visit) const {
  std::vector<std::span<const uint32_t>> lists;
  if (!unindexed_.empty()) lists.emplace_back(unindexed_);
  for (const FieldIndex& index : indexes_) {
    std::optional<std::string_view> value = row.GetLower(index.field);
    if (!value.has_value()) continue;
    auto found = index.buckets.find(std::string(*value));
    if (found != index.buckets.end()) lists.emplace_back(found->second);
  }
  while (!lists.empty()) {  // merges the ordered lists
    size_t first = 0;
    for (size_t i = 1; i < lists.size(); ++i) {
      if (lists[i].front() < lists[first].front()) first = i;
    }
    if (!visit(rules_[lists[first].front()])) return;
    lists[first] = lists[first].subspan(1);
    if (lists[first].empty()) lists.erase(lists.begin() + static_cast<ptrdiff_t>(first));
  }
}

}  // namespace flyball::estate
