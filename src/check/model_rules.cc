// From the rules of a Requirements Model to rules that run.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "check/batch.h"
#include "check/model.h"
#include "check/own_rules.h"

namespace flyball::check {
namespace {

constexpr std::string_view kPermission = "a permission: no data can break it";
constexpr int kWaysMax = 1000;  // from the composites at the top to one rule

// Which applicability criteria the data shows: a column that is asked for under a criterion is
// there only where the provider supports it.
class Criteria {
 public:
  Criteria(const Model& model, const std::vector<FileHeader>& headers,
           const std::vector<std::string>& supports) {
    for (const FileHeader& header : headers) {
      for (const std::string& name : header.names) columns_.insert(ToLower(name));
    }
    for (const std::string& name : supports) {
      if (name == "all") {
        for (const auto& [criterion, text] : model.criteria) shown_.insert(criterion);
      }
      shown_.insert(name);
    }
    for (const ModelRule& rule : model.rules) {
      if (!rule.present || !columns_.contains(ToLower(rule.present_column))) continue;
      shown_.insert(rule.criteria.begin(), rule.criteria.end());
    }
  }
  bool Shown(const std::string& name) const { return shown_.contains(name); }
  // Why the rule does not apply; empty: it does.
  std::string Missing(const ModelRule& rule) const {
    for (const std::string& name : rule.criteria) {
      if (Shown(name)) continue;
      return fmt::format("no column shows that the provider supports {}; --supports {} says so",
                         name, name);
    }
    return {};
  }

 private:
  std::set<std::string> columns_;
  std::set<std::string> shown_;
};

Status CheckSupports(const Model& model, const std::vector<std::string>& supports) {
  std::vector<std::string_view> names;
  for (const auto& [name, text] : model.criteria) names.push_back(name);
  for (const std::string& name : supports) {
    if (name == "all" || std::ranges::find(names, name) != names.end()) continue;
    const std::string_view near = Nearest(name, names);
    return Fail(Code::kInvalidArgument, "'" + name + "' is no applicability criterion of the model",
                near.empty() ? "write 'all', or a name of its ApplicabilityCriteria"
                             : "did you mean '" + std::string(near) + "'?");
  }
  return {};
}

// The columns that a kind of our dynamic rules stands for.
std::vector<std::string> ColumnsOfKind(std::string_view kind, focus::DataSet data_set,
                                       focus::Version version,
                                       const std::vector<FileHeader>& headers) {
  std::vector<std::string> names;
  if (kind == "custom") {
    for (const FileHeader& header : headers) {
      for (const std::string& name : header.names) {
        if (focus::FindColumn(data_set, name) == nullptr) names.push_back(name);
      }
    }
    return names;
  }
  for (const focus::Column& column : focus::Columns(data_set)) {
    if (!column.In(version)) continue;
    const CellType type = CellTypeOf(column);
    const bool number = type == CellType::kMoney || type == CellType::kQuantity;
    const bool text =
        type == CellType::kText || type == CellType::kUnit || type == CellType::kCurrency;
    const bool wanted = kind == "numbers"      ? number
                        : kind == "dates"      ? type == CellType::kInstant
                        : kind == "key-values" ? column.type == ColumnType::kJson
                        : kind == "texts"      ? text
                        : kind == "filled"     ? text && !column.NullableIn(version)
                        : kind == "units"      ? type == CellType::kUnit
                                               : kind == "all";
    if (wanted) names.emplace_back(column.name);
  }
  return names;
}

class Builder {
 public:
  Builder(const Model& model, focus::DataSet data_set, const std::vector<FileHeader>& headers,
          const std::vector<std::string>& supports)
      : model_(model), data_set_(data_set), headers_(headers), criteria_(model, headers, supports) {
    version_ = focus::ParseVersion(model.focus_version).value_or(focus::Version::k1_2);
    for (const ModelRule& rule : model.rules) rules_.emplace(rule.id, &rule);
    for (const ModelRule& rule : model.rules) {
      for (const std::string& part : rule.parts) parents_[part].push_back(&rule);
    }
    CountWays();
  }

  Status FindReachable() {
    const std::string_view name = focus::DataSetName(data_set_);
    for (const auto& [set, roots] : model_.data_sets) {
      if (set == name) {
        for (const std::string& root : roots) Reach(root, &mine_);
      } else {
        for (const std::string& root : roots) Reach(root, &others_);
      }
    }
    if (!mine_.empty()) return {};
    return Fail(Code::kInvalidArgument,
                fmt::format("the requirements model has no rules for {}", name),
                "use the model of a version that has this data set");
  }

  Rule Build(const ModelRule& from) {
    Rule rule;
    rule.id = from.id;
    rule.function = from.function;
    rule.subject = from.reference;
    rule.keyword = from.keyword;
    rule.text = from.text;
    rule.dynamic = from.dynamic;
    rule.note = KnownMistake(from.id, model_.model_version);
    rule.depends = from.dependencies;
    rule.remedy = "make " + from.reference + " keep the rule in every row that it speaks of";
    if (ways_.at(from.id) > kWaysMax) {
      return Fixed(std::move(rule), Verdict::kNotDecidable,
                   fmt::format("composites name it in more than {} ways", kWaysMax));
    }
    if (!mine_.contains(from.id) && others_.contains(from.id)) {
      return Fixed(std::move(rule), Verdict::kNotApplicable, "a rule of another data set");
    }
    if (!from.active) return Fixed(std::move(rule), Verdict::kNotApplicable, "not active");
    if (std::string why = NotApplicable(from, 0); !why.empty()) {
      return Fixed(std::move(rule), Verdict::kNotApplicable, std::move(why));
    }
    if (from.keyword == Keyword::kMay) {
      return Fixed(std::move(rule), Verdict::kNotApplicable, std::string(kPermission));
    }
    if (!from.undecidable.empty()) {
      return Fixed(std::move(rule), Verdict::kNotDecidable, from.undecidable);
    }
    if (const ModelRule* whole = AlternativeOf(from)) {
      return Fixed(std::move(rule), Verdict::kNotApplicable,
                   "one of the alternatives of " + whole->id + ", which is decided as a whole");
    }
    if (IsChoice(from)) return Choice(from, std::move(rule));
    if (!from.parts.empty()) {
      rule.means = Rule::Means::kParts;
      rule.parts = from.parts;
      rule.any_part = from.any_part;
      return rule;
    }
    return from.dynamic ? Dynamic(from, std::move(rule)) : Static(from, std::move(rule));
  }

 private:
  // What NotApplicable and Rows walk through: all ways up to kModelDepthMax composites.
  void CountWays() {
    for (const ModelRule& rule : model_.rules) ways_[rule.id] = 1;
    for (int depth = 0; depth <= kModelDepthMax; ++depth) {
      std::unordered_map<std::string, int> longer = ways_;
      for (const auto& [id, parents] : parents_) {
        int sum = 0;
        for (const ModelRule* parent : parents) {
          sum = std::min(sum + ways_.at(parent->id), kWaysMax + 1);
        }
        longer[id] = sum;
      }
      ways_ = std::move(longer);
    }
  }

  void Reach(const std::string& id, std::set<std::string>* seen) {
    std::vector<std::string> left{id};
    while (!left.empty()) {
      const std::string next = std::move(left.back());
      left.pop_back();
      auto found = rules_.find(next);
      if (found == rules_.end() || !seen->insert(next).second) continue;
      const ModelRule& rule = *found->second;
      left.insert(left.end(), rule.parts.begin(), rule.parts.end());
      left.insert(left.end(), rule.dependencies.begin(), rule.dependencies.end());
    }
  }

  bool IsPlain(const std::string& id) const {
    const ModelRule& rule = *rules_.at(id);
    return rule.parts.empty() && !rule.present && !rule.has_group && !rule.dynamic &&
           rule.undecidable.empty();
  }
  // An OR whose parts are all about rows: each row must keep one of them, not all rows the same.
  bool IsChoice(const ModelRule& rule) const {
    return rule.any_part &&
           std::ranges::all_of(rule.parts, [&](const std::string& part) { return IsPlain(part); });
  }
  const ModelRule* AlternativeOf(const ModelRule& rule) const {
    auto found = parents_.find(rule.id);
    if (found == parents_.end()) return nullptr;
    for (const ModelRule* parent : found->second) {
      if (!IsChoice(*parent)) return nullptr;
    }
    return found->second.front();
  }
  Rule Choice(const ModelRule& from, Rule rule) {
    std::vector<Expr> kept;
    for (const std::string& part : from.parts) {
      const ModelRule& one = *rules_.at(part);
      kept.push_back(Expr::And({one.condition, one.requirement}));
    }
    SetRows(from, from.condition, &rule);
    rule.requirement = Expr::Or(std::move(kept));
    return rule;
  }

  static Rule Fixed(Rule rule, Verdict verdict, std::string reason) {
    rule.means = Rule::Means::kFixed;
    rule.fixed = verdict;
    rule.reason = std::move(reason);
    return rule;
  }

  // A part applies where one of the composites that name it does.
  std::string NotApplicable(const ModelRule& rule, int depth) {
    if (std::string why = criteria_.Missing(rule); !why.empty()) return why;
    auto found = parents_.find(rule.id);
    if (found == parents_.end() || depth > kModelDepthMax) return {};
    std::string first;
    for (const ModelRule* parent : found->second) {
      std::string why = NotApplicable(*parent, depth + 1);
      if (why.empty()) return {};
      if (first.empty()) first = std::move(why);
    }
    return first;
  }

  // The rows that a rule speaks of: its own condition, within that of a composite that names it.
  Expr Rows(const ModelRule& rule, const Expr& own, int depth) {
    auto found = parents_.find(rule.id);
    if (found == parents_.end() || depth > kModelDepthMax) return own;
    std::vector<Expr> within;
    for (const ModelRule* parent : found->second) {
      // A decision of ours follows the sentence; a condition that contradicts it is left out.
      const bool mistaken = rule.dynamic && !KnownMistake(parent->id, model_.model_version).empty();
      Expr rows = Rows(*parent, mistaken ? Expr::True() : parent->condition, depth + 1);
      if (rows.kind == Expr::Kind::kTrue) return own;
      within.push_back(std::move(rows));
    }
    Expr outer = Expr::Or(std::move(within));
    if (own.kind == Expr::Kind::kTrue) return outer;
    return Expr::And({std::move(outer), own});
  }

  void SetRows(const ModelRule& from, const Expr& own, Rule* rule) {
    rule->condition = Rows(from, own, 0);
    if (rule->condition.kind != Expr::Kind::kTrue) rule->condition_text = Describe(rule->condition);
  }

  // What a value must be binds rows that have one: null is for the rules on nullability.
  // (That a value is not one holds of a null anyway.)
  static void ExceptNulls(Expr* requirement) {
    if (requirement->kind == Expr::Kind::kText) {
      Expr null = Expr::IsNull(requirement->column);
      *requirement = Expr::Or({std::move(*requirement), std::move(null)});
    } else if (requirement->kind == Expr::Kind::kAnd || requirement->kind == Expr::Kind::kOr) {
      for (Expr& item : requirement->items) ExceptNulls(&item);
    }
  }

  void SetGroup(Group group, Rule* rule) {
    std::vector<Expr> known{rule->condition};
    if (group.check == GroupCheck::kOneValue) {
      for (const std::string& name : group.key) known.push_back(Expr::NotNull(name));
      for (const std::string& name : group.value) known.push_back(Expr::NotNull(name));
    }
    rule->means = Rule::Means::kGroup;
    rule->condition = Expr::And(std::move(known));
    rule->condition_text = Describe(rule->condition);
    rule->group = std::move(group);
  }

  Rule Static(const ModelRule& from, Rule rule) {
    if (from.present) {
      rule.means = Rule::Means::kHeader;
      rule.header = HeaderCheck::kPresent;
      rule.subject = from.present_column;
      rule.remedy = "add the column " + from.present_column + " to the export";
      return rule;
    }
    SetRows(from, from.condition, &rule);
    rule.requirement = from.requirement;
    if (from.function == "Validation") ExceptNulls(&rule.requirement);
    if (from.has_group) SetGroup(from.group, &rule);
    return rule;
  }

  Rule Dynamic(const ModelRule& from, Rule rule) {
    const DynamicRule* known = model_.focus_version == "1.2" ? FindDynamic(from.id) : nullptr;
    if (known == nullptr) {
      return Fixed(std::move(rule), Verdict::kNotDecidable,
                   "the model gives no check for it, and it is not known here");
    }
    if (!known->reason.empty()) {
      return Fixed(std::move(rule),
                   known->binds_no_data ? Verdict::kNotApplicable : Verdict::kNotDecidable,
                   std::string(known->reason));
    }
    if (known->header >= 0) {
      rule.means = Rule::Means::kHeader;
      rule.header = static_cast<HeaderCheck>(known->header);
      return rule;
    }
    if (known->must.starts_with('@')) return OverKind(known->must.substr(1), std::move(rule));
    const Expr when = known->when.empty() ? from.condition : MustParse(known->when);
    SetRows(from, when, &rule);
    if (known->group >= 0) {
      SetGroup(MakeGroup(static_cast<GroupCheck>(known->group), known->key, known->value), &rule);
    } else {
      rule.requirement = MustParse(known->must);
    }
    return rule;
  }

  // "numbers fraction": no number column may show it.
  Rule OverKind(std::string_view what, Rule rule) {
    const size_t blank = what.find(' ');
    std::vector<Expr> shown;
    for (const std::string& name :
         ColumnsOfKind(what.substr(0, blank), data_set_, version_, headers_)) {
      shown.push_back(Expr::Fact(name, what.substr(blank + 1)));
    }
    rule.condition = Expr::Or(std::move(shown));
    rule.requirement = Expr::False();
    return rule;
  }

  const Model& model_;
  focus::DataSet data_set_;
  focus::Version version_ = focus::Version::k1_2;
  const std::vector<FileHeader>& headers_;
  Criteria criteria_;
  std::unordered_map<std::string, const ModelRule*> rules_;
  std::unordered_map<std::string, std::vector<const ModelRule*>> parents_;
  std::unordered_map<std::string, int> ways_;
  std::set<std::string> mine_, others_;
};

}  // namespace

Result<std::vector<Rule>> ModelRules(const Model& model, focus::DataSet data_set,
                                     const std::vector<FileHeader>& headers,
                                     const std::vector<std::string>& supports) {
  FB_CHECK(CheckSupports(model, supports));
  Builder builder(model, data_set, headers, supports);
  FB_CHECK(builder.FindReachable());
  std::vector<Rule> rules;
  for (const ModelRule& rule : model.rules) rules.push_back(builder.Build(rule));
  return rules;
}

}  // namespace flyball::check
