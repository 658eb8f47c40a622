// The reader of a Requirements Model: strict about what it rests on, each error with its place.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "check/executor.h"
#include "check/model.h"
#include "ingest/bytes.h"

namespace flyball::check {
namespace {

using Json = nlohmann::json;

// Where we are inside the document, for errors: /ModelRules/BilledCost-C-003-M/Condition.
class Path {
 public:
  Path(const Path* parent, std::string name) : parent_(parent), name_(std::move(name)) {}
  std::string Text() const { return (parent_ == nullptr ? "" : parent_->Text()) + "/" + name_; }
  std::unexpected<Error> Wrong(const std::string& what, std::string hint) const {
    return Fail(Code::kInvalidArgument, "the requirements model at " + Text() + ": " + what,
                std::move(hint));
  }

 private:
  const Path* parent_;
  std::string name_;
};

constexpr const char* kFetchAgain = "use a published model file of FOCUS as it is";

Result<const Json*> Member(const Json& object, const char* name, Json::value_t type,
                           const Path& path) {
  if (!object.is_object()) return path.Wrong("an object is expected", kFetchAgain);
  auto found = object.find(name);
  if (found == object.end()) {
    return path.Wrong("'" + std::string(name) + "' is missing", kFetchAgain);
  }
  if (found->type() != type) {
    return Path(&path, name).Wrong("expected " + std::string(Json(type).type_name()), kFetchAgain);
  }
  return &*found;
}

Result<std::string> TextOf(const Json& object, const char* name, const Path& path) {
  return FB_TRY(Member(object, name, Json::value_t::string, path))->get<std::string>();
}

Result<std::vector<std::string>> TextsOf(const Json& object, const char* name, const Path& path) {
  std::vector<std::string> texts;
  if (!object.contains(name)) return texts;
  const Json* list = FB_TRY(Member(object, name, Json::value_t::array, path));
  for (const Json& item : *list) {
    if (!item.is_string())
      return Path(&path, name).Wrong("a list of texts is expected", kFetchAgain);
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

// A value that a cell is compared with; a number as it is written.
std::string ValueText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Reads the checks of one rule into an expression. What it does not know it keeps as a reason.
class Checks {
 public:
  explicit Checks(ModelRule* rule) : rule_(rule) {}

  Result<Expr> Read(const Json& node, const Path& path, int depth, bool condition) {
    if (depth > kModelDepthMax) return path.Wrong("nested too deeply", kFetchAgain);
    if (!node.is_object()) return path.Wrong("an object is expected", kFetchAgain);
    if (node.empty()) return Expr::True();
    if (!node.contains("CheckFunction")) return Bare(node, path, depth, condition);
    const std::string function = FB_TRY(TextOf(node, "CheckFunction", path));
    if (function == "AND" || function == "OR") {
      const Json* items = FB_TRY(Member(node, "Items", Json::value_t::array, path));
      return Items(function == "OR", *items, path, depth, condition);
    }
    if (function == "ColumnPresent" || function == "CheckDistinctCount") alone_ = true;
    if (!condition) ++checks_;
    if (condition && alone_) {
      rule_->undecidable = "'" + function + "' as a condition is not known";
      return Expr::True();
    }
    return Leaf(function, node, path);
  }
  // What asks for a column or counts values is no test of one row: it is all that a rule checks.
  void CheckAlone() {
    if (alone_ && checks_ > 1) rule_->undecidable = "its checks are not all on single rows";
  }

 private:
  // {"AND": [...]} and {"AND": {...}}: a composite without a CheckFunction. It holds all the same.
  Result<Expr> Bare(const Json& node, const Path& path, int depth, bool condition) {
    for (const char* word : {"AND", "OR"}) {
      auto found = node.find(word);
      if (found == node.end()) continue;
      if (node.size() != 1) return path.Wrong("one of AND and OR is expected", kFetchAgain);
      const Path inner(&path, word);
      if (found->is_array()) return Items(word[0] == 'O', *found, inner, depth, condition);
      return Read(*found, inner, depth + 1, condition);
    }
    return path.Wrong("'CheckFunction' is missing", kFetchAgain);
  }

  Result<Expr> Items(bool any, const Json& items, const Path& path, int depth, bool condition) {
    std::vector<Expr> read;
    size_t parts = 0, number = 0;
    for (const Json& item : items) {
      const Path inner(&path, std::to_string(number++));
      if (item.is_object() && item.value("CheckFunction", Json()) == "CheckModelRule") {
        rule_->parts.push_back(FB_TRY(TextOf(item, "ModelRuleId", inner)));
        ++parts;
        continue;
      }
      read.push_back(FB_TRY(Read(item, inner, depth + 1, condition)));
    }
    if (parts > 0 && (condition || depth > 0 || parts != items.size())) {
      return path.Wrong("other rules are named beside or inside checks", kFetchAgain);
    }
    if (parts > 0) {
      rule_->any_part = any;
      return Expr::True();
    }
    return any ? Expr::Or(std::move(read)) : Expr::And(std::move(read));
  }

  // Some published checks name their column under CheckCondition.
  Result<std::string> ColumnName(const Json& node, const Path& path) {
    return TextOf(node, node.contains("ColumnName") ? "ColumnName" : "CheckCondition", path);
  }

  Result<Expr> Equals(const Json& node, const Path& path) {
    const std::string column = FB_TRY(ColumnName(node, path));
    auto value = node.find("Value");
    if (value == node.end()) return path.Wrong("'Value' is missing", kFetchAgain);
    if (value->is_structured()) return path.Wrong("a plain value is expected", kFetchAgain);
    return value->is_null() ? Expr::IsNull(column) : Expr::Text(column, ValueText(*value));
  }

  Result<Expr> Same(const Json& node, const Path& path) {
    return Expr::Columns(FB_TRY(TextOf(node, "ColumnAName", path)), Compare::kEqual,
                         FB_TRY(TextOf(node, "ColumnBName", path)));
  }

  // A cell that is null breaks no rule on the form of values: nullability is asked by others.
  Result<Expr> Unless(const Json& node, const Path& path, const char* fact) {
    const std::string column = FB_TRY(ColumnName(node, path));
    return Expr::Or({Expr::IsNull(column), Expr::Not(Expr::Fact(column, fact))});
  }

  Result<Expr> Leaf(const std::string& function, const Json& node, const Path& path) {
    if (function == "CheckValue") return Equals(node, path);
    if (function == "CheckNotValue") return Expr::Not(FB_TRY(Equals(node, path)));
    if (function == "CheckSameValue") return Same(node, path);
    if (function == "CheckNotSameValue") return Expr::Not(FB_TRY(Same(node, path)));
    if (function == "CheckGreaterOrEqualThanValue") {
      const std::string column = FB_TRY(ColumnName(node, path));
      const Json* value = node.contains("Value") ? &node["Value"] : nullptr;
      if (value == nullptr || !value->is_number()) {
        return path.Wrong("a number is expected as 'Value'", kFetchAgain);
      }
      return Expr::Or(
          {Expr::IsNull(column), Expr::Number(column, Compare::kAtLeast, ValueText(*value))});
    }
    if (function == "ColumnByColumnEqualsColumnValue") {
      return Expr::Product(FB_TRY(TextOf(node, "ColumnAName", path)),
                           FB_TRY(TextOf(node, "ColumnBName", path)),
                           FB_TRY(TextOf(node, "ResultColumnName", path)));
    }
    if (function == "ColumnPresent") {
      rule_->present = true;
      rule_->present_column = FB_TRY(ColumnName(node, path));
      return Expr::True();
    }
    if (function == "CheckDistinctCount") return DistinctCount(node, path);
    if (function == "TypeDecimal" || function == "CheckDecimalValue") {
      return Unless(node, path, "no-number");
    }
    if (function == "TypeDateTime") return Unless(node, path, "no-date");
    if (function == "TypeString") return Unless(node, path, "bad-utf8");
    if (function == "FormatDateTime") return Unless(node, path, "not-iso");
    if (function == "FormatNumeric") return Unless(node, path, "not-plain");
    if (function == "FormatString") return Unless(node, path, "bad-string");
    if (function == "FormatUnit") return Unless(node, path, "bad-unit");
    if (function == "FormatKeyValue") return Unless(node, path, "no-key-value");
    if (function == "CheckNationalCurrency") return Unless(node, path, "no-code");
    // A virtual currency is a text like any other; a national one is a code.
    if (function == "FormatCurrency") return Unless(node, path, "bad-currency");
    if (function.starts_with("JSON")) return Inside(function, node, path);
    rule_->undecidable = "the check function '" + function + "' is not known";
    return Expr::True();
  }

  // A check inside a JSON cell; Fold brings those of one rule together.
  Result<Expr> Inside(const std::string& function, const Json& node, const Path& path) {
    static const std::map<std::string, JsonTest::Kind> kKinds = {
        {"JSONCheckPathValue", JsonTest::Kind::kValue},
        {"JSONCheckPathNotValue", JsonTest::Kind::kNotValue},
        {"JSONCheckPathKeyExists", JsonTest::Kind::kExists},
        {"JSONCheckPathType", JsonTest::Kind::kType},
        {"JSONFormatNumeric", JsonTest::Kind::kNumeric},
        {"JSONCheckPathNumericFormat", JsonTest::Kind::kNumeric},
        {"JSONFormatString", JsonTest::Kind::kString},
        {"JSONFormatUnit", JsonTest::Kind::kUnit},
        {"JSONCheckPathUnitFormat", JsonTest::Kind::kUnit},
        {"JSONCheckPathKeyValueFormat", JsonTest::Kind::kKeyValue},
        {"JSONCheckPathKeyStartsWith", JsonTest::Kind::kKeyPrefix},
        {"JSONCheckPathSameValue", JsonTest::Kind::kColumn},
    };
    auto found = kKinds.find(function);
    if (found == kKinds.end()) {
      rule_->undecidable = "the check function '" + function + "' is not known";
      return Expr::True();
    }
    JsonTest test;
    test.kind = found->second;
    const bool same = test.kind == JsonTest::Kind::kColumn;
    const std::string column = FB_TRY(TextOf(node, same ? "ColumnAName" : "ColumnName", path));
    Result<JsonPath> where = ParseJsonPath(FB_TRY(TextOf(node, same ? "PathA" : "Path", path)));
    if (!where) return path.Wrong(where.error().message, where.error().hint);
    test.path = std::move(*where);
    if (same) {
      test.value = FB_TRY(TextOf(node, "ColumnBName", path));
      const bool whole = !node.contains("PathB") || node["PathB"].is_null();
      if (!whole) rule_->undecidable = "two paths are not compared";
    }
    if (test.kind == JsonTest::Kind::kType) test.value = FB_TRY(TextOf(node, "ExpectedType", path));
    if (test.kind == JsonTest::Kind::kKeyPrefix) {
      test.value = FB_TRY(TextOf(node, "Prefix", path));
      test.ignore = FB_TRY(TextsOf(node, "IgnoreKeys", path));
    }
    if (test.kind == JsonTest::Kind::kValue || test.kind == JsonTest::Kind::kNotValue) {
      auto value = node.find("Value");
      if (value == node.end() || value->is_structured()) {
        return path.Wrong("a plain 'Value' is expected", kFetchAgain);
      }
      test.null = value->is_null();
      if (!test.null) test.value = ValueText(*value);
    }
    JsonRule rule;
    rule.must.push_back(std::move(test));
    return Expr::Json(column, std::move(rule));
  }

  Result<Expr> DistinctCount(const Json& node, const Path& path) {
    const std::string a = FB_TRY(TextOf(node, "ColumnAName", path));
    const std::string b = FB_TRY(TextOf(node, "ColumnBName", path));
    auto count = node.find("ExpectedCount");
    if (count == node.end() || !count->is_number_integer()) {
      return path.Wrong("a whole number is expected as 'ExpectedCount'", kFetchAgain);
    }
    if (*count != 1) {
      rule_->undecidable = "only an ExpectedCount of 1 is counted";
      return Expr::True();
    }
    rule_->has_group = true;
    rule_->group = Group{GroupCheck::kOneValue, {a}, {b}};
    return Expr::True();
  }

  ModelRule* rule_;
  bool alone_ = false;
  int checks_ = 0;
};

bool HasJson(const Expr& expr) {
  return expr.kind == Expr::Kind::kJson || std::ranges::any_of(expr.items, HasJson);
}

// The parts of an AND, or the one thing that it is.
std::vector<Expr> PartsOf(Expr expr) {
  if (expr.kind == Expr::Kind::kAnd) return std::move(expr.items);
  std::vector<Expr> parts;
  if (expr.kind != Expr::Kind::kTrue) parts.push_back(std::move(expr));
  return parts;
}

// Conditions and requirements inside JSON become one check, element by element; the rest of the
// condition stays one on the row.
void FoldJson(ModelRule* rule) {
  if (!HasJson(rule->condition) && !HasJson(rule->requirement)) return;
  std::vector<Expr> must = PartsOf(rule->requirement), rest;
  JsonRule folded;
  std::string column;
  bool fits = !must.empty();
  const auto take = [&](const Expr& expr, std::vector<JsonTest>* tests) {
    const JsonTest& test = expr.json->must.front();
    if (column.empty()) column = expr.column;
    const std::vector<JsonTest>& first = folded.must;
    const bool same_list = first.empty() || (first.front().path.list == test.path.list &&
                                             first.front().path.each == test.path.each);
    fits = fits && column == expr.column && same_list;
    tests->push_back(test);
  };
  for (const Expr& expr : must) {
    if (expr.kind == Expr::Kind::kJson) {
      take(expr, &folded.must);
    } else {
      fits = false;
    }
  }
  for (Expr& expr : PartsOf(rule->condition)) {
    if (expr.kind == Expr::Kind::kJson) {
      take(expr, &folded.when);
    } else {
      fits = fits && !HasJson(expr);
      rest.push_back(std::move(expr));
    }
  }
  if (!fits || folded.must.empty()) {
    rule->undecidable = "its checks inside JSON are not all on one list";
    rule->condition = rule->requirement = Expr::True();
    return;
  }
  rest.push_back(Expr::NotNull(column));
  rule->condition = Expr::And(std::move(rest));
  rule->requirement = Expr::Json(column, std::move(folded));
}

Result<ModelRule> ReadRule(const std::string& id, const Json& json, const Path& path) {
  ModelRule rule;
  rule.id = id;
  rule.function = FB_TRY(TextOf(json, "Function", path));
  rule.reference = FB_TRY(TextOf(json, "Reference", path));
  rule.entity = FB_TRY(TextOf(json, "EntityType", path));
  rule.dynamic = FB_TRY(TextOf(json, "Type", path)) == "Dynamic";
  rule.active = json.value("Status", Json("Active")) == "Active";
  rule.criteria = FB_TRY(TextsOf(json, "ApplicabilityCriteria", path));
  const Json* criteria = FB_TRY(Member(json, "ValidationCriteria", Json::value_t::object, path));
  const Path inner(&path, "ValidationCriteria");
  rule.text = FB_TRY(TextOf(*criteria, "MustSatisfy", inner));
  Result<Keyword> keyword = ParseKeyword(FB_TRY(TextOf(*criteria, "Keyword", inner)));
  if (!keyword) return Path(&inner, "Keyword").Wrong(keyword.error().message, keyword.error().hint);
  rule.keyword = *keyword;
  rule.dependencies = FB_TRY(TextsOf(*criteria, "Dependencies", inner));
  const Json* requirement = FB_TRY(Member(*criteria, "Requirement", Json::value_t::object, inner));
  const Json* condition = FB_TRY(Member(*criteria, "Condition", Json::value_t::object, inner));
  Checks checks(&rule);
  rule.requirement = FB_TRY(checks.Read(*requirement, Path(&inner, "Requirement"), 0, false));
  checks.CheckAlone();
  Checks when(&rule);
  rule.condition = FB_TRY(when.Read(*condition, Path(&inner, "Condition"), 0, true));
  FoldJson(&rule);
  return rule;
}

Status CheckReferences(const Model& model) {
  std::set<std::string_view> known;
  for (const ModelRule& rule : model.rules) known.insert(rule.id);
  const Path root(nullptr, "ModelRules");
  for (const ModelRule& rule : model.rules) {
    for (const auto* names : {&rule.parts, &rule.dependencies}) {
      for (const std::string& name : *names) {
        if (known.contains(name)) continue;
        return Path(&root, rule.id)
            .Wrong("names the rule '" + name + "', which is not there", kFetchAgain);
      }
    }
  }
  return {};
}

Status ReadCriteria(const Json& json, Model* model) {
  const Path root(nullptr, "ApplicabilityCriteria");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_object()) return Path(&root, name).Wrong("an object is expected", kFetchAgain);
    model->criteria.emplace_back(name, value.value("Description", ""));
  }
  return {};
}

Result<Model> Build(const Json& json) {
  const Path root(nullptr, "");
  Model model;
  const Json* details = FB_TRY(Member(json, "Details", Json::value_t::object, root));
  model.focus_version = FB_TRY(TextOf(*details, "FOCUSVersion", Path(nullptr, "Details")));
  model.model_version = FB_TRY(TextOf(*details, "ModelVersion", Path(nullptr, "Details")));
  FB_CHECK(ReadCriteria(*FB_TRY(Member(json, "ApplicabilityCriteria", Json::value_t::object, root)),
                        &model));
  const Json* sets = FB_TRY(Member(json, "ModelDatasets", Json::value_t::object, root));
  const Path in_sets(nullptr, "ModelDatasets");
  for (const auto& [name, value] : sets->items()) {
    model.data_sets.emplace_back(name, FB_TRY(TextsOf(value, "ModelRules", in_sets)));
  }
  const Json* rules = FB_TRY(Member(json, "ModelRules", Json::value_t::object, root));
  const Path in_rules(nullptr, "ModelRules");
  if (rules->empty() || rules->size() > kRulesMax) {
    return in_rules.Wrong("between 1 and " + std::to_string(kRulesMax) + " rules are expected",
                          kFetchAgain);
  }
  for (const auto& [id, value] : rules->items()) {
    model.rules.push_back(FB_TRY(ReadRule(id, value, Path(&in_rules, id))));
  }
  FB_CHECK(CheckReferences(model));
  return model;
}

// Text of which the parser would overflow its stack.
bool TooDeep(std::string_view json) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > 4 * kModelDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Model> ReadModel(std::string_view text) {
  if (TooDeep(text)) {
    return Fail(Code::kInvalidArgument, "the requirements model is nested too deeply", kFetchAgain);
  }
  try {
    return Build(Json::parse(text));
  } catch (const Json::parse_error& error) {
    Error failed{Code::kInvalidArgument, "the requirements model is not JSON", kFetchAgain, {}};
    failed.place.byte = static_cast<int64_t>(error.byte);
    return Fail(std::move(failed));
  } catch (const Json::exception& error) {
    return Fail(Code::kInvalidArgument,
                std::string("the requirements model is of another shape: ") + error.what(),
                kFetchAgain);
  }
}

Result<Model> ReadModelFile(const std::string& path) {
  Result<std::shared_ptr<ingest::InputFile>> opened = ingest::InputFile::Open(path);
  if (!opened) {
    Error error = opened.error();
    error.hint = "name a published requirements model file";
    return Fail(std::move(error));
  }
  const std::shared_ptr<ingest::InputFile> file = std::move(*opened);
  if (file->size() > kModelBytesMax) {
    return Fail(Code::kInvalidArgument, "'" + path + "' is too large for a requirements model",
                kFetchAgain);
  }
  std::string text(file->size(), '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    const size_t got = FB_TRY(file->ReadAt(filled, text.data() + filled, text.size() - filled));
    if (got == 0) break;
    filled += got;
  }
  text.resize(filled);
  Result<Model> model = ReadModel(text);
  if (!model) {
    Error error = model.error();
    error.place.file = path;
    return Fail(std::move(error));
  }
  return model;
}

}  // namespace flyball::check
