#include "estate/decode_rules.h"

#include <fmt/format.h>

#include "base/text.h"
#include "estate/field.h"

namespace flyball::estate {
namespace {

using Op = FieldTest::Op;

std::span<const std::string_view> ClosedList(dimension::RuleDimension target) {
  switch (target) {
    case dimension::kDriver:
      return dimension::CostDrivers();
    case dimension::kStage:
      return dimension::LifecycleStages();
    case dimension::kAiClass:
      return dimension::AiClasses();
    default:
      return {};
  }
}

Status CheckField(At at, const std::string& name) {
  Result<Field> field = ParseField(name);
  if (field) return {};
  return Fail(std::move(field).error().At(at.place()));
}

}  // namespace

Status RuleDecoder::Rules(At list, std::vector<RuleSpec>* out) {
  FB_CHECK(ExpectList(list, "a list of rules"));
  for (const YamlNode& node : list.node.items) {
    out->push_back(FB_TRY(Rule(At{node, list.file})));
  }
  return {};
}

Status RuleDecoder::Tags(At map, std::vector<RuleSpec>* out) {
  FB_CHECK(ExpectMap(map, "a map from dimensions to the keys of tags"));
  for (size_t i = 0; i < map.node.keys.size(); ++i) {
    At key{map.node.keys[i], map.file};
    SetSpec set;
    set.dimension = FB_TRY(Target(key));
    set.place = key.place();
    for (const std::string& tag :
         FB_TRY(ReadTexts(At{map.node.items[i], map.file}, "the key of a tag"))) {
      set.from.push_back("tag:" + tag);
    }
    RuleSpec rule;
    rule.place = key.place();
    rule.origin = Origin("tag." + key.node.scalar, key.node.line);
    rule.set.push_back(std::move(set));
    out->push_back(std::move(rule));
  }
  return {};
}

std::string RuleDecoder::Origin(const std::string& name, int line) const {
  if (part_.pack && !name.empty()) return "pack:" + name;
  return fmt::format("{}{}:{}", part_.pack ? "pack:" : "", part_.name, line);
}

Result<RuleSpec> RuleDecoder::Rule(At at) {
  FB_CHECK(CheckKeys(at, "a rule", {"name", "match", "set"}));
  RuleSpec rule;
  rule.place = at.place();
  rule.name = FB_TRY(ReadTextAt(at, "name", "the name of a rule"));
  rule.origin = Origin(rule.name, at.node.line);
  const YamlNode* match = at.node.Find("match");
  const YamlNode* set = at.node.Find("set");
  if (match == nullptr || set == nullptr) {
    return Unexpected(at, "a rule with `match` and `set`",
                      "write `match: {}` for a rule that always holds");
  }
  rule.match = FB_TRY(Match(At{*match, at.file}));
  FB_CHECK(Set(At{*set, at.file}, &rule.set));
  return rule;
}

Result<MatchSpec> RuleDecoder::Match(At at) {
  FB_CHECK(ExpectMap(at, "a map of conditions"));
  MatchSpec match;
  for (size_t i = 0; i < at.node.keys.size(); ++i) {
    const YamlNode& key = at.node.keys[i];
    At value{at.node.items[i], at.file};
    if (key.scalar == "not") {
      match.none.push_back(FB_TRY(Match(value)));
      continue;
    }
    if (key.scalar == "any") {
      FB_CHECK(ExpectList(value, "a list of maps of conditions"));
      std::vector<MatchSpec> alternatives;
      for (const YamlNode& item : value.node.items) {
        alternatives.push_back(FB_TRY(Match(At{item, at.file})));
      }
      if (alternatives.empty()) return Unexpected(value, "at least one map of conditions");
      match.any.push_back(std::move(alternatives));
      continue;
    }
    FB_CHECK(CheckField(At{key, at.file}, key.scalar));
    FB_CHECK(Condition(key.scalar, value, &match));
  }
  return match;
}

Status RuleDecoder::Condition(const std::string& field, At at, MatchSpec* match) {
  switch (at.node.kind) {
    case YamlNode::Kind::kNull:
      return Unexpected(at, fmt::format("a value for {}", field),
                        "write {present: false} for what must be absent");
    case YamlNode::Kind::kMap:
      return Operators(field, at, match);
    case YamlNode::Kind::kScalar: {
      FieldTest test{field, Op::kEquals, {FB_TRY(ReadText(at, "a value"))}, at.place()};
      match->tests.push_back(std::move(test));
      return {};
    }
    case YamlNode::Kind::kList:
      break;
  }
  bool plain = std::all_of(at.node.items.begin(), at.node.items.end(), [](const YamlNode& item) {
    return item.kind == YamlNode::Kind::kScalar;
  });
  if (plain) {
    FieldTest test{field, Op::kEquals, FB_TRY(ReadTexts(at, "a value")), at.place()};
    match->tests.push_back(std::move(test));
  } else {
    match->any.push_back(FB_TRY(Alternatives(field, at)));
  }
  return {};
}

Result<std::vector<MatchSpec>> RuleDecoder::Alternatives(const std::string& field, At list) {
  std::vector<MatchSpec> alternatives;
  for (const YamlNode& item : list.node.items) {
    MatchSpec one;
    FB_CHECK(Condition(field, At{item, list.file}, &one));
    alternatives.push_back(std::move(one));
  }
  return alternatives;
}

Status RuleDecoder::Operators(const std::string& field, At at, MatchSpec* match) {
  static const std::vector<std::pair<std::string_view, Op>> kOperators = {
      {"equals", Op::kEquals},     {"prefix", Op::kPrefix}, {"suffix", Op::kSuffix},
      {"contains", Op::kContains}, {"word", Op::kWord},     {"glob", Op::kGlob},
      {"regex", Op::kRegex}};
  FB_CHECK(CheckKeys(
      at, "a condition",
      {"equals", "prefix", "suffix", "contains", "word", "glob", "regex", "present", "not"}));
  if (at.node.keys.empty()) return Unexpected(at, "a condition", "such as {prefix: Amazon}");
  for (size_t i = 0; i < at.node.keys.size(); ++i) {
    const std::string& key = at.node.keys[i].scalar;
    At value{at.node.items[i], at.file};
    if (key == "not") {
      MatchSpec inner;
      FB_CHECK(Condition(field, value, &inner));
      match->none.push_back(std::move(inner));
      continue;
    }
    FieldTest test{field, Op::kEquals, {}, value.place()};
    if (key == "present") {
      test.op = FB_TRY(ReadBool(value, "`present`")) ? Op::kPresent : Op::kAbsent;
    } else {
      for (const auto& [name, op] : kOperators) {
        if (name == key) test.op = op;
      }
      test.values = FB_TRY(ReadTexts(value, fmt::format("the text of `{}`", key)));
    }
    match->tests.push_back(std::move(test));
  }
  return {};
}

Result<dimension::RuleDimension> RuleDecoder::Target(At key) {
  std::vector<std::string_view> known;
  for (const dimension::RuleDimensionInfo& info : dimension::RuleDimensions()) {
    if (info.name == key.node.scalar) {
      return static_cast<dimension::RuleDimension>(known.size());
    }
    known.push_back(info.name);
  }
  return UnknownName(key, "dimension that a rule can set", key.node.scalar, known);
}

Status RuleDecoder::Set(At at, std::vector<SetSpec>* out) {
  FB_CHECK(ExpectMap(at, "a map from dimensions to values"));
  if (at.node.keys.empty())
    return Unexpected(at, "at least one dimension", "such as {team: search}");
  for (size_t i = 0; i < at.node.keys.size(); ++i) {
    dimension::RuleDimension target = FB_TRY(Target(At{at.node.keys[i], at.file}));
    out->push_back(FB_TRY(SetOne(target, At{at.node.items[i], at.file})));
  }
  return {};
}

Result<SetSpec> RuleDecoder::SetOne(dimension::RuleDimension target, At at) {
  SetSpec set;
  set.dimension = target;
  set.place = at.place();
  std::string_view name = dimension::RuleDimensions()[static_cast<size_t>(target)].name;
  if (at.node.kind == YamlNode::Kind::kMap) {
    FB_CHECK(TakeFrom(at, &set));
  } else if (!ClosedList(target).empty()) {
    set.literal = FB_TRY(ReadClosed(at, name, ClosedList(target)));
  } else {
    set.literal = FB_TRY(ReadText(at, fmt::format("a {}, or {{from: FIELD}},", name)));
  }
  return set;
}

Status RuleDecoder::TakeFrom(At at, SetSpec* set) {
  FB_CHECK(CheckKeys(at, "a value that is taken from the row", {"from", "regex", "as"}));
  const YamlNode* from = at.node.Find("from");
  if (from == nullptr) return Unexpected(at, "a map with `from`", "such as {from: tag:team}");
  set->from = FB_TRY(ReadTexts(At{*from, at.file}, "the name of a field"));
  for (const std::string& field : set->from) FB_CHECK(CheckField(At{*from, at.file}, field));
  set->regex = FB_TRY(ReadTextAt(at, "regex", "a regular expression"));
  if (const YamlNode* as = at.node.Find("as")) {
    constexpr std::array<std::string_view, 1> kForms = {"slug"};
    FB_TRY(ReadClosed(At{*as, at.file}, "form of a value", kForms));
    set->slug = true;
  }
  return {};
}

}  // namespace flyball::estate
