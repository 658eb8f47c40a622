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
#include "estate/literals.h"

namespace re2 {
class FilteredRE2;
class RE2;
}  // namespace re2

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

// All texts that the rules look for inside one field, found in one pass over it; and the
// expressions that this pass leaves possible, because the literals that they need were found.
class FieldScan {
 public:
  explicit FieldScan(Field field);
  FieldScan(FieldScan&&) noexcept;
  ~FieldScan();

  const Field& field() const { return field_; }
  void Add(uint32_t index, const Atom& atom);
  // False when the field is left to atoms one by one (too many literals).
  bool Build();
  // Settles in `known` every atom of this scan, but for the expressions that are still possible.
  void Run(Row& row, std::vector<uint8_t>* known) const;

 private:
  struct Waiting {  // for a literal
    uint32_t atom = 0;
    bool word = false;
  };
  uint32_t Literal(const std::string& text);

  Field field_;
  LiteralFinder finder_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<std::vector<Waiting>> waiting_;  // by literal
  std::vector<uint32_t> atoms_;                // all of this scan
  std::unique_ptr<re2::FilteredRE2> filter_;   // nullptr: no expressions
  std::vector<uint32_t> regex_atoms_;          // by expression of the filter
  std::vector<int> filter_literals_;           // by literal: its number in the filter, or -1
};

// The atoms of a rule set.
class Atoms {
 public:
  explicit Atoms(const ProviderNames& providers) : providers_(providers) {}
  Result<uint32_t> Intern(const FieldTest& test);
  // Builds the scans; call once, after the last Intern.
  void Finish();
  const Atom& operator[](uint32_t index) const { return atoms_[index]; }
  size_t size() const { return atoms_.size(); }
  // The scan that settles the atom, or -1.
  int scan_of(uint32_t atom) const { return scan_of_[atom]; }
  std::span<const FieldScan> scans() const { return scans_; }

 private:
  const ProviderNames& providers_;
  std::vector<Atom> atoms_;
  std::unordered_map<std::string, uint32_t> by_key_;
  std::vector<FieldScan> scans_;
  std::vector<int> scan_of_;
};

// What is known of the atoms for one row.
class Evaluation {
 public:
  Evaluation(const Atoms& atoms, Row& row)
      : atoms_(atoms), row_(row), known_(atoms.size()), scanned_(atoms.scans().size()) {}
  bool Holds(uint32_t atom);

 private:
  const Atoms& atoms_;
  Row& row_;
  std::vector<uint8_t> known_;  // kUnknown, kNo, kYes
  std::vector<uint8_t> scanned_;
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
