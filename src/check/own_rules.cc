#include "check/own_rules.h"

#include "base/assert.h"
#include "base/text.h"
#include "check/batch.h"

namespace flyball::check {
namespace {

using focus::Column;
using focus::DataSet;
using focus::Level;
using focus::Version;

Rule OfColumn(const Column& column, std::string_view aspect, std::string_view function) {
  Rule rule;
  rule.id = std::string(column.name) + "." + std::string(aspect);
  rule.function = function;
  rule.subject = column.name;
  return rule;
}

Rule Presence(const Column& column, Version version) {
  Rule rule = OfColumn(column, "presence", "Presence");
  rule.means = Rule::Means::kHeader;
  const Level level = column.LevelIn(version);
  const std::string name(column.name);
  rule.remedy = "add the column " + name + " to the export";
  switch (level) {
    case Level::kMandatory:
      rule.text = name + " MUST be present.";
      break;
    case Level::kRecommended:
      rule.keyword = Keyword::kRecommended;
      rule.text = name + " is RECOMMENDED to be present.";
      break;
    case Level::kConditional:
      rule.optional = true;
      rule.reason = "asked only of who " + std::string(column.condition);
      rule.text =
          name + " MUST be present when the data generator " + std::string(column.condition) + ".";
      break;
  }
  return rule;
}

Rule NotNull(const Column& column) {
  Rule rule = OfColumn(column, "null", "Nullability");
  rule.keyword = Keyword::kMustNot;
  rule.text = std::string(column.name) + " MUST NOT be null.";
  rule.remedy = "give " + std::string(column.name) + " a value in every row";
  rule.requirement = Expr::NotNull(column.name);
  return rule;
}

struct Form {
  const char* aspect;
  const char* function;
  const char* fact;
  const char* text;
  const char* remedy;
  Keyword keyword = Keyword::kMust;
};
constexpr Form kNumberForms[] = {
    {"type", "Type", "no-number", "MUST be a decimal number.", "write a number"},
    {"format", "Format", "not-plain", "MUST conform to NumericFormat.",
     "write numbers plainly: 1234.5 or 1.2E-7, no plus sign, comma, currency symbol or unit"},
};
constexpr Form kDateForms[] = {
    {"type", "Type", "no-date", "MUST be a date with its time.", "write a date with its time"},
    {"format", "Format", "not-iso", "MUST conform to DateTimeFormat (YYYY-MM-DDTHH:mm:ssZ).",
     "write instants in UTC as 2026-10-31T23:00:00Z"},
};
constexpr Form kJsonForms[] = {
    {"type", "Type", "no-object", "MUST be a JSON object.", "write one JSON object, or null"},
};
constexpr Form kKeyValueForms[] = {
    {"format", "Format", "nested", "MUST conform to KeyValueFormat: no objects or lists as values.",
     "write each value as text, number, true, false or null"},
    {"keys", "Format", "same-key", "MUST NOT have a key twice.", "write each key once"},
};
constexpr Form kUnitForms[] = {
    {"format", "Format", "unit-form", "SHOULD conform to UnitFormat.",
     "write units as 'GB', 'GB-Hours', 'Requests/Day' or '1000 Tokens'", Keyword::kShould},
    {"case", "Format", "unit-case",
     "MUST write the units of FOCUS in its own upper and lower case.",
     "write 'Hours', not 'hours'"},
};
constexpr Form kCurrencyForms[] = {
    {"format", "Format", "no-code", "MUST be a currency of ISO 4217.", "write USD, EUR, CNY, ..."},
};
constexpr Form kTextForms[] = {
    {"type", "Type", "bad-utf8", "MUST be valid Unicode text.", "export the file as UTF-8"},
};
constexpr Form kFilledForms[] = {
    {"blank", "Format", "blank", "SHOULD NOT consist of blanks.", "write the value, or null",
     Keyword::kShouldNot},
};

void AddForms(const Column& column, std::span<const Form> forms, std::vector<Rule>* rules) {
  for (const Form& form : forms) {
    Rule rule = OfColumn(column, form.aspect, form.function);
    rule.keyword = form.keyword;
    rule.text = std::string(column.name) + " " + form.text;
    rule.remedy = form.remedy;
    rule.condition = Expr::NotNull(column.name);
    rule.condition_text = Describe(rule.condition);
    rule.requirement = Expr::Not(Expr::Fact(column.name, form.fact));
    rules->push_back(std::move(rule));
  }
}

bool IsKeyValue(std::string_view name) {
  return name == "Tags" || name == "AllocatedTags" || name == "SkuPriceDetails";
}

void AddFormats(const Column& column, Version version, std::vector<Rule>* rules) {
  switch (CellTypeOf(column)) {
    case CellType::kMoney:
    case CellType::kQuantity:
      AddForms(column, kNumberForms, rules);
      return;
    case CellType::kInstant:
      AddForms(column, kDateForms, rules);
      return;
    case CellType::kJson:
    case CellType::kSkuDetails:
      AddForms(column, kJsonForms, rules);
      if (IsKeyValue(column.name)) AddForms(column, kKeyValueForms, rules);
      return;
    case CellType::kUnit:
      AddForms(column, kTextForms, rules);
      AddForms(column, kUnitForms, rules);
      return;
    case CellType::kCurrency:
      AddForms(column, kTextForms, rules);
      // Prices may be in a virtual currency; bills and payments may not.
      if (column.name != "PricingCurrency") AddForms(column, kCurrencyForms, rules);
      return;
    case CellType::kCustom:
    case CellType::kText:
      AddForms(column, kTextForms, rules);
      if (!column.NullableIn(version)) AddForms(column, kFilledForms, rules);
      return;
  }
}

void AddValues(const Column& column, std::vector<Rule>* rules) {
  if (column.allowed.empty()) return;
  Rule rule = OfColumn(column, "values", "Validation");
  std::vector<Expr> values;
  std::string list;
  for (std::string_view value : column.allowed) {
    values.push_back(Expr::Text(column.name, value));
    if (column.allowed.size() <= 10) list += (list.empty() ? "" : ", ") + std::string(value);
  }
  rule.text = std::string(column.name) + " MUST be one of the allowed values.";
  rule.remedy = list.empty() ? "write a value of the list of FOCUS, letter for letter"
                             : "write one of: " + list + ", letter for letter";
  rule.condition = Expr::NotNull(column.name);
  rule.condition_text = Describe(rule.condition);
  rule.requirement = Expr::Or(std::move(values));
  rules->push_back(std::move(rule));
}

std::string SubjectOf(std::string_view id) { return std::string(id.substr(0, id.find('.'))); }

// What the lines of both tables say alike.
template <typename Line>
Rule OfLine(const Line& line) {
  Rule rule;
  rule.id = line.id;
  rule.subject = SubjectOf(line.id);
  rule.function = "Validation";
  rule.keyword = line.keyword;
  rule.dynamic = true;
  rule.text = line.text;
  rule.remedy = line.remedy;
  if (line.when.empty()) return rule;
  rule.condition = MustParse(line.when);
  rule.condition_text = Describe(rule.condition);
  return rule;
}

Rule FromTable(const TableRule& line) {
  Rule rule = OfLine(line);
  rule.requirement = MustParse(line.must);
  if (rule.text.empty()) {
    rule.text = Describe(rule.requirement);
    if (!line.when.empty()) rule.text += " where " + rule.condition_text;
    rule.text += ".";
  }
  return rule;
}

Rule FromTable(const TableGroup& line) {
  Rule rule = OfLine(line);
  rule.means = Rule::Means::kGroup;
  rule.group = MakeGroup(line.check, line.key, line.value);
  return rule;
}

// Which ServiceCategory each ServiceSubcategory belongs to.
Rule Subcategories() {
  Rule rule;
  rule.id = "ServiceSubcategory.category";
  rule.subject = "ServiceSubcategory";
  rule.function = "Validation";
  rule.text = "ServiceSubcategory MUST belong to the row's ServiceCategory.";
  rule.remedy = "pair the subcategory with its own category, as FOCUS lists them";
  rule.condition =
      Expr::And({Expr::NotNull("ServiceSubcategory"), Expr::NotNull("ServiceCategory")});
  rule.condition_text = Describe(rule.condition);
  std::vector<Expr> pairs;
  for (const focus::ServiceSubcategory& entry : focus::ServiceSubcategories()) {
    pairs.push_back(Expr::And({Expr::Text("ServiceSubcategory", entry.name),
                               Expr::Text("ServiceCategory", entry.category)}));
  }
  rule.requirement = Expr::Or(std::move(pairs));
  return rule;
}

struct HeaderLine {
  HeaderCheck check;
  const char* id;
  Keyword keyword;
  const char* text;
  const char* remedy;
};
constexpr HeaderLine kHeaderLines[] = {
    {HeaderCheck::kExactNames, "ColumnHandling.names", Keyword::kMust,
     "FOCUS columns MUST be spelt as FOCUS spells them.", "correct upper and lower case"},
    {HeaderCheck::kCustomPrefix, "ColumnHandling.custom-prefix", Keyword::kMust,
     "Columns that FOCUS does not define MUST begin with x_.", "rename the column to x_..."},
    {HeaderCheck::kCustomNames, "ColumnHandling.custom-names", Keyword::kShould,
     "Custom columns SHOULD be letters and digits in Pascal case behind x_.",
     "write x_CostCenter, not x_cost_center"},
    {HeaderCheck::kShortNames, "ColumnHandling.length", Keyword::kShouldNot,
     "Column names SHOULD NOT exceed 50 characters.", "shorten the name"},
    {HeaderCheck::kFocusFirst, "ColumnHandling.order", Keyword::kShould,
     "Custom columns SHOULD stand behind all FOCUS columns.", "move custom columns to the end"},
    {HeaderCheck::kDuplicates, "ColumnHandling.unique", Keyword::kMust,
     "A column MUST stand once in the header.", "remove the second one"},
};

void AddHeader(std::vector<Rule>* rules) {
  for (const HeaderLine& line : kHeaderLines) {
    Rule rule;
    rule.id = line.id;
    rule.subject = "ColumnHandling";
    rule.function = "Format";
    rule.keyword = line.keyword;
    rule.means = Rule::Means::kHeader;
    rule.header = line.check;
    rule.text = line.text;
    rule.remedy = line.remedy;
    rules->push_back(std::move(rule));
  }
  Rule shape;
  shape.id = "Records.shape";
  shape.subject = "Records";
  shape.function = "Format";
  shape.means = Rule::Means::kShape;
  shape.text = "A record MUST have one field for each column of the header.";
  shape.remedy = "quote fields that hold commas or line ends; write no JSON but one object a line";
  rules->push_back(std::move(shape));
}

// One rule over all columns of a kind: at least one of them shows the fact.
void AddOverall(DataSet data_set, Version version, std::vector<Rule>* rules) {
  struct Line {
    const char* id;
    const char* fact;
    const char* text;
    const char* remedy;
    bool dates_only;
  };
  constexpr Line kLines[] = {
      {"NullHandling.text", "null-text", "Null MUST NOT be written as a text such as NULL or N/A.",
       "leave the field empty (CSV), write null (JSON)", false},
      {"NullHandling.empty", "empty-text", "Null MUST NOT be written as an empty text.",
       "leave the field empty without quotes (CSV), write null (JSON)", false},
      {"NullHandling.placeholder", "placeholder",
       "Null MUST NOT be written as a placeholder such as 'Not Applicable'.",
       "leave the field empty (CSV), write null (JSON)", false},
      {"DateTimeFormat.iso", "not-iso", "All date columns MUST be written as YYYY-MM-DDTHH:mm:ssZ.",
       "write instants in UTC as 2026-10-31T23:00:00Z", true},
  };
  for (const Line& line : kLines) {
    Rule rule;
    rule.id = line.id;
    rule.subject = SubjectOf(line.id);
    rule.function = "Format";
    rule.text = line.text;
    rule.remedy = line.remedy;
    std::vector<Expr> shown;
    for (const Column& column : focus::Columns(data_set)) {
      if (!column.In(version)) continue;
      if (line.dates_only && column.type != ColumnType::kInstant) continue;
      shown.push_back(Expr::Fact(column.name, line.fact));
    }
    // What the file lacks shows nothing: as a condition it may be absent.
    rule.condition = Expr::Or(std::move(shown));
    rule.requirement = Expr::False();
    rules->push_back(std::move(rule));
  }
}

}  // namespace

Expr MustParse(std::string_view text) {
  Result<Expr> expr = ParseExpr(text);
  FB_ASSERT(expr.has_value());
  return std::move(*expr);
}

Group MakeGroup(GroupCheck check, std::string_view key, std::string_view value) {
  Group group;
  group.check = check;
  group.within_provider = true;
  for (std::string_view name : SplitText(key, ' ')) {
    if (!name.empty()) group.key.emplace_back(name);
  }
  for (std::string_view name : SplitText(value, ' ')) {
    if (!name.empty()) group.value.emplace_back(name);
  }
  return group;
}

std::vector<Rule> OwnRules(DataSet data_set, Version version) {
  std::vector<Rule> rules;
  for (const Column& column : focus::Columns(data_set)) {
    if (!column.In(version)) continue;
    rules.push_back(Presence(column, version));
    if (!column.NullableIn(version)) rules.push_back(NotNull(column));
    AddFormats(column, version, &rules);
    AddValues(column, &rules);
  }
  const bool subcategories = data_set == DataSet::kCostAndUsage && version >= Version::k1_1;
  if (subcategories) rules.push_back(Subcategories());
  for (const TableRule& line : RowTable(data_set)) {
    if (line.since <= version && version <= line.until) rules.push_back(FromTable(line));
  }
  for (const TableGroup& line : GroupTable(data_set)) {
    if (line.since <= version) rules.push_back(FromTable(line));
  }
  AddOverall(data_set, version, &rules);
  AddHeader(&rules);
  return rules;
}

}  // namespace flyball::check
