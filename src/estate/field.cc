#include "estate/field.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "model/dimension.h"

namespace flyball::estate {
namespace {

// What a row says about what was bought, most telling first. Names that people gave (resources,
// accounts, tags) are left out: a machine called "training" is not training.
constexpr std::array<std::string_view, 8> kTextColumns = {
    "ServiceName",     "ServiceSubcategory", "SkuMeter", "ChargeDescription",
    "SkuPriceDetails", "ResourceType",       "SkuId",    "ConsumedUnit"};

const std::vector<int>& TextColumns() {
  static const std::vector<int> columns = [] {
    std::vector<int> found;
    for (std::string_view name : kTextColumns) {
      int index = signature::IndexOf(name);
      if (index >= 0) found.push_back(index);
    }
    return found;
  }();
  return columns;
}

std::vector<std::string_view> KnownFields() {
  std::vector<std::string_view> known = {"provider", "text", "tag:KEY"};
  for (const dimension::Info& info : dimension::Dimensions()) {
    if (info.kind == dimension::Kind::kColumn && info.name != "provider")
      known.push_back(info.name);
  }
  for (std::string_view column : signature::Columns()) known.push_back(column);
  return known;
}

std::unexpected<Error> UnknownField(std::string_view name) {
  std::vector<std::string_view> known = KnownFields();
  std::string_view nearest = Nearest(name, known);
  return Fail(
      Code::kInvalidArgument, fmt::format("'{}' is nothing that a rule can look at", name),
      fmt::format("{}a rule looks at FOCUS columns that describe what is charged "
                  "(ServiceName, SkuMeter, ...), at tag:KEY, COLUMN.KEY of a JSON column, at "
                  "dimensions (provider, service, account, ...) or at text",
                  nearest.empty() ? "" : fmt::format("did you mean '{}'? ", nearest)));
}

std::string ProviderKey(std::string_view text) {
  std::string key = ToLower(Trim(text));
  constexpr std::array<std::string_view, 16> kLegalForms = {
      " inc",  " llc", " ltd", " limited", " corporation", " corp", " gmbh", " pbc",
      " sarl", " plc", " co",  " ag",      " sa",          " bv",   " b.v",  " l.l.c"};
  auto strip = [&key] {
    while (!key.empty() && (key.back() == '.' || key.back() == ',' || key.back() == ' ')) {
      key.pop_back();
    }
  };
  strip();
  for (bool again = true; again;) {
    again = false;
    for (std::string_view form : kLegalForms) {
      if (key.size() > form.size() && key.ends_with(form)) {
        key.resize(key.size() - form.size());
        strip();
        again = true;
      }
    }
  }
  return key;
}

// Reads the JSON string that opens at `*at`; false when it never closes.
bool ReadJsonString(std::string_view json, size_t* at, std::string* out) {
  out->clear();
  for (size_t i = *at + 1; i < json.size(); ++i) {
    char c = json[i];
    if (c == '"') {
      *at = i + 1;
      return true;
    }
    if (c != '\\' || i + 1 >= json.size()) {
      out->push_back(c);
      continue;
    }
    c = json[++i];
    constexpr std::string_view kCodes = "bfnrt";
    constexpr std::string_view kMeans = "\b\f\n\r\t";
    size_t code = kCodes.find(c);
    if (code != kCodes.npos) {
      out->push_back(kMeans[code]);
    } else if (c == 'u') {
      out->append(json.substr(i - 1, 2));  // canonical text has no \u but for control characters
    } else {
      out->push_back(c);
    }
  }
  return false;
}

// The end of the value (not a string) that starts at `at`: the comma or brace of its own level.
size_t EndOfJsonValue(std::string_view json, size_t at) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = at; i < json.size(); ++i) {
    char c = json[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return i;
    if (c == '}' || c == ']') --depth;
  }
  return json.size();
}

}  // namespace

Result<Field> ParseField(std::string_view name) {
  Field field;
  if (name == "provider") {
    field.kind = Field::Kind::kProvider;
    field.column = signature::IndexOf("ServiceProviderName");
    field.second_column = signature::IndexOf("InvoiceIssuerName");
    return field;
  }
  if (name == "text") {
    field.kind = Field::Kind::kText;
    return field;
  }
  size_t dot = name.find('.');
  bool tag = name.starts_with("tag:");
  if (tag || (dot != name.npos && signature::IndexOf(name.substr(0, dot)) >= 0)) {
    field.kind = Field::Kind::kJson;
    field.column = signature::IndexOf(tag ? "Tags" : name.substr(0, dot));
    field.key = ToLower(name.substr(tag ? 4 : dot + 1));
    if (field.key.empty()) return UnknownField(name);
    return field;
  }
  if (name == "account" || name == "account_name") {
    bool id = name == "account";
    field.column = signature::IndexOf(id ? "SubAccountId" : "SubAccountName");
    field.second_column = signature::IndexOf(id ? "BillingAccountId" : "BillingAccountName");
    return field;
  }
  field.column = signature::IndexOf(name);
  if (field.column >= 0) return field;
  const dimension::Info* info = dimension::Find(name);
  if (info != nullptr && info->kind == dimension::Kind::kColumn) {
    field.column = signature::IndexOf(info->column);
    if (field.column >= 0) return field;
  }
  return UnknownField(name);
}

void ProviderNames::Add(std::string_view spelling, std::string_view canonical) {
  canonical_.try_emplace(ProviderKey(spelling), canonical);
}

std::string_view ProviderNames::Canonical(std::string_view text) const {
  auto found = canonical_.find(ProviderKey(text));
  return found == canonical_.end() ? text : std::string_view(found->second);
}

Row::Row(const signature::Values& values, const ProviderNames& providers)
    : values_(values), providers_(providers), lower_(values.size()) {}

std::optional<std::string_view> Row::Column(int column) const {
  if (column < 0 || static_cast<size_t>(column) >= values_.size()) return std::nullopt;
  const std::optional<std::string_view>& value = values_[static_cast<size_t>(column)];
  if (!value.has_value() || value->empty()) return std::nullopt;
  return value;
}

std::optional<std::string_view> Row::Get(const Field& field) {
  switch (field.kind) {
    case Field::Kind::kColumn: {
      std::optional<std::string_view> value = Column(field.column);
      return value.has_value() ? value : Column(field.second_column);
    }
    case Field::Kind::kProvider: {
      if (!provider_.has_value()) {
        std::optional<std::string_view> value = Column(field.column);
        if (!value.has_value()) value = Column(field.second_column);
        provider_ = value.has_value() ? providers_.Canonical(*value) : std::string_view();
      }
      if (provider_->empty()) return std::nullopt;
      return provider_;
    }
    case Field::Kind::kJson:
      return Json(field.column, field.key);
    case Field::Kind::kText:
      break;
  }
  const std::string& text = Text();
  if (text.empty()) return std::nullopt;
  return text;
}

std::optional<std::string_view> Row::GetLower(const Field& field) {
  std::optional<std::string_view> value = Get(field);
  if (!value.has_value()) return std::nullopt;
  if (field.kind == Field::Kind::kText) {
    if (!text_lower_.has_value()) text_lower_ = ToLower(*value);
    return *text_lower_;
  }
  if (field.kind == Field::Kind::kProvider) {
    if (!provider_lower_.has_value()) provider_lower_ = ToLower(*value);
    return *provider_lower_;
  }
  if (field.kind == Field::Kind::kJson) {
    scratch_ = ToLower(*value);
    return scratch_;
  }
  int column = Column(field.column).has_value() ? field.column : field.second_column;
  std::optional<std::string>& lower = lower_[static_cast<size_t>(column)];
  if (!lower.has_value()) lower = ToLower(*value);
  return *lower;
}

std::optional<std::string_view> Row::Json(int column, std::string_view key) {
  auto found = std::find_if(json_.begin(), json_.end(),
                            [column](const JsonColumn& c) { return c.column == column; });
  if (found == json_.end()) {
    JsonColumn parsed;
    parsed.column = column;
    if (std::optional<std::string_view> text = Column(column)) {
      for (auto& [name, value] : FlatJsonMembers(*text)) {
        parsed.members.push_back({ToLower(name), std::move(value)});
      }
    }
    json_.push_back(std::move(parsed));
    found = json_.end() - 1;
  }
  for (const JsonMember& member : found->members) {
    if (member.key == key && !member.value.empty()) return member.value;
  }
  return std::nullopt;
}

const std::string& Row::Text() {
  if (!text_.has_value()) {
    text_.emplace();
    for (int column : TextColumns()) {
      std::optional<std::string_view> value = Column(column);
      if (!value.has_value()) continue;
      if (!text_->empty()) *text_ += " | ";
      *text_ += *value;
    }
  }
  return *text_;
}

std::vector<std::pair<std::string, std::string>> FlatJsonMembers(std::string_view json) {
  std::vector<std::pair<std::string, std::string>> members;
  size_t at = json.find('{');
  if (at == json.npos) return members;
  ++at;
  std::string key;
  std::string value;
  while ((at = json.find('"', at)) != json.npos) {
    if (!ReadJsonString(json, &at, &key)) break;
    at = json.find(':', at);
    if (at == json.npos) break;
    at = json.find_first_not_of(" \t\r\n", at + 1);
    if (at == json.npos) break;
    if (json[at] == '"') {
      if (!ReadJsonString(json, &at, &value)) break;
    } else {
      size_t end = EndOfJsonValue(json, at);
      value = std::string(Trim(json.substr(at, end - at)));
      if (value == "null") value.clear();
      at = end;
    }
    members.emplace_back(key, value);
  }
  return members;
}

}  // namespace flyball::estate
