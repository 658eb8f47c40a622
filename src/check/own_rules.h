// Our own rules: made from the column table of FOCUS (model/focus.h) for every version and data
// set, and from the tables of what rows, headers and groups must hold (own_rule_table.cc).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "check/rule.h"
#include "model/focus.h"

namespace flyball::check {

// In the order of the columns; then those on rows, groups, the header.
std::vector<Rule> OwnRules(focus::DataSet data_set, focus::Version version);

// One line of the tables: what must hold in the rows where something holds. Expressions as in
// expr.h.
struct TableRule {
  std::string_view id;  // "Column.aspect"
  Keyword keyword = Keyword::kMust;
  std::string_view when;  // empty: always
  std::string_view must;  // of rows; empty for groups
  std::string_view remedy;
  focus::Version since = focus::Version::k1_0;
  focus::Version until = focus::Version::k1_5Draft;
  std::string_view text = {};  // empty: made from `must` and `when`
};
struct TableGroup {
  std::string_view id;
  Keyword keyword = Keyword::kMust;
  GroupCheck check = GroupCheck::kOneValue;
  std::string_view key;    // columns, separated by blanks
  std::string_view value;  // idem
  std::string_view when;
  std::string_view text;
  std::string_view remedy;
  focus::Version since = focus::Version::k1_0;
};
std::span<const TableRule> RowTable(focus::DataSet data_set);
std::span<const TableGroup> GroupTable(focus::DataSet data_set);

// The same as rules, shared with the rules of a Requirements Model that have no check function.
Expr MustParse(std::string_view text);  // of our own tables: asserts that it is well formed
Group MakeGroup(GroupCheck check, std::string_view key, std::string_view value);

}  // namespace flyball::check
