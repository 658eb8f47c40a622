// The cost query as a document: the strict reader, the canonical form that query_hash is of, and
// the JSON Schema.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "ledger/cost_query.h"
#include "model/dimension.h"

namespace flyball::ledger {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;
const std::vector<std::string_view> kQueryFields = {
    "measures", "by", "grain", "from", "to", "where", "top", "basis", "as_of", "currency"};
const std::vector<std::string_view> kFilterFields = {"dimension", "not", "values"};

std::unexpected<Error> Wrong(std::string message, std::string hint = {}) {
  return Fail(Code::kInvalidArgument, std::move(message), std::move(hint));
}

Place PlaceOf(std::string_view text, size_t byte) {
  std::string_view before = text.substr(0, std::min(byte, text.size()));
  Place place;
  place.byte = static_cast<int64_t>(before.size()) + 1;
  place.line = std::count(before.begin(), before.end(), '\n') + 1;
  size_t line_start = before.rfind('\n');
  place.column =
      static_cast<int64_t>(line_start == std::string_view::npos ? before.size()
                                                                : before.size() - line_start - 1) +
      1;
  return place;
}

// What nlohmann lets pass and a strict reader must not: a key that stands twice, and deep nesting.
class Strictness {
 public:
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth) fault_ = "nested deeper than " + std::to_string(kMaxDepth) + " levels";
    switch (event) {
      case json::parse_event_t::object_start:
        keys_.emplace_back();
        break;
      case json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys_.back().insert(parsed.get<std::string>()).second) {
          fault_ = "the field '" + parsed.get<std::string>() + "' stands twice";
        }
        break;
      default:
        break;
    }
    return true;
  }
  const std::string& fault() const { return fault_; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string fault_;
};

Result<json> ParseStrict(std::string_view text) {
  Strictness strictness;
  json document;
  try {
    document = json::parse(text, std::ref(strictness));
  } catch (const json::parse_error& error) {
    size_t byte = error.byte == 0 ? 0 : error.byte - 1;
    Error fault{
        Code::kInvalidArgument, "the query is not valid JSON", "a JSON object is expected", {}};
    fault.place = PlaceOf(text, byte);
    fault.message += " at line " + std::to_string(fault.place.line) + ", column " +
                     std::to_string(fault.place.column);
    return Fail(std::move(fault));
  } catch (const json::exception&) {
    return Wrong("the query is not valid JSON", "a number in it is too large, for example");
  }
  if (!strictness.fault().empty()) return Wrong("the query is not valid: " + strictness.fault());
  return document;
}

Status CheckFields(const std::string& path, const json& object,
                   const std::vector<std::string_view>& known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string_view near = Nearest(key, known);
    std::string hint = near.empty() ? "" : "did you mean '" + std::string(near) + "'?";
    if (near.empty()) {
      hint = "known fields:";
      for (std::string_view field : known) hint += " " + std::string(field);
    }
    std::string shown = key.substr(0, ValidUtf8Prefix(std::string_view(key).substr(0, 80)));
    return Wrong(path + "unknown field '" + shown + "'", hint);
  }
  return {};
}

Result<std::string> ReadText(const std::string& path, const json& value) {
  if (!value.is_string()) return Wrong(path + ": a text is expected, not " + value.type_name());
  return value.get<std::string>();
}

Result<std::vector<std::string>> ReadTexts(const std::string& path, const json& value, int limit) {
  if (!value.is_array())
    return Wrong(path + ": a list of texts is expected, not " + value.type_name());
  if (value.size() > static_cast<size_t>(limit)) {
    return Wrong(path + ": more than " + std::to_string(limit) + " entries");
  }
  std::vector<std::string> texts;
  for (size_t i = 0; i < value.size(); ++i) {
    texts.push_back(FB_TRY(ReadText(path + "[" + std::to_string(i) + "]", value[i])));
  }
  return texts;
}

Result<Filter> ReadFilter(const std::string& path, const json& value) {
  if (!value.is_object()) return Wrong(path + ": an object is expected, not " + value.type_name());
  FB_CHECK(CheckFields(path + ": ", value, kFilterFields));
  for (const char* field : {"dimension", "values"}) {
    if (!value.contains(field)) return Wrong(path + ": the field '" + field + "' is missing");
  }
  Filter filter;
  filter.dimension = FB_TRY(ReadText(path + ".dimension", value["dimension"]));
  filter.values = FB_TRY(ReadTexts(path + ".values", value["values"], kQueryMaxValues));
  if (value.contains("not")) {
    const json& negated = value["not"];
    if (!negated.is_boolean()) {
      return Wrong(path + ".not: true or false is expected, not " + negated.type_name());
    }
    filter.negated = negated.get<bool>();
  }
  return filter;
}

Result<std::vector<Filter>> ReadWhere(const json& value) {
  if (value.is_string()) return ParseWhere(value.get_ref<const std::string&>());
  if (!value.is_array()) {
    return Wrong(std::string("where: a list of filters is expected, not ") + value.type_name(),
                 R"({"dimension": "team", "values": ["search"]} is a filter)");
  }
  if (value.size() > static_cast<size_t>(kQueryMaxFilters)) {
    return Wrong("where: more than " + std::to_string(kQueryMaxFilters) + " filters");
  }
  std::vector<Filter> filters;
  for (size_t i = 0; i < value.size(); ++i) {
    filters.push_back(FB_TRY(ReadFilter("where[" + std::to_string(i) + "]", value[i])));
  }
  return filters;
}

Result<Instant> ReadInstant(const std::string& path, const json& value) {
  std::string text = FB_TRY(ReadText(path, value));
  Result<Instant> instant = ParseUserInstant(text);
  if (!instant) return Wrong(path + ": " + instant.error().message, instant.error().hint);
  return *instant;
}

Result<int> ReadTop(const json& value) {
  if (!value.is_number_integer()) {
    return Wrong(std::string("top: a whole number is expected, not ") + value.dump());
  }
  // An unsigned number above int64's range reads as negative here, which is out of bounds as well.
  auto top = value.get<int64_t>();
  if (top < 0 || top > kQueryMaxRows) {
    return Wrong("top: " + value.dump() + " is outside of 0 to " + std::to_string(kQueryMaxRows),
                 "0 means all");
  }
  return static_cast<int>(top);
}

Status ReadMember(std::string_view key, const json& value, CostQuery* query) {
  if (key == "measures") {
    query->measures = FB_TRY(ReadTexts("measures", value, static_cast<int>(MeasureNames().size())));
  } else if (key == "by") {
    query->by = FB_TRY(ReadTexts("by", value, kQueryMaxDimensions));
  } else if (key == "grain") {
    std::string name = FB_TRY(ReadText("grain", value));
    query->grain = FB_TRY(ParseGrain(name));
  } else if (key == "from") {
    query->from = FB_TRY(ReadInstant("from", value));
  } else if (key == "to") {
    query->to = FB_TRY(ReadInstant("to", value));
  } else if (key == "where") {
    query->where = FB_TRY(ReadWhere(value));
  } else if (key == "top") {
    query->top = FB_TRY(ReadTop(value));
  } else if (key == "basis") {
    query->basis = FB_TRY(ReadText("basis", value));
  } else if (key == "as_of") {
    query->as_of = FB_TRY(ReadText("as_of", value));
  } else if (key == "currency") {
    query->currency = FB_TRY(ReadText("currency", value));
  }
  return {};
}

void AppendTexts(const std::vector<std::string>& texts, std::string* out) {
  *out += '[';
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) *out += ',';
    AppendJsonString(texts[i], out);
  }
  *out += ']';
}

void AppendFilters(std::vector<Filter> filters, std::string* out) {
  for (Filter& filter : filters) {
    std::sort(filter.values.begin(), filter.values.end());
    filter.values.erase(std::unique(filter.values.begin(), filter.values.end()),
                        filter.values.end());
  }
  std::sort(filters.begin(), filters.end());
  filters.erase(std::unique(filters.begin(), filters.end()), filters.end());
  *out += '[';
  for (size_t i = 0; i < filters.size(); ++i) {
    if (i > 0) *out += ',';
    *out += R"({"dimension":)";
    AppendJsonString(filters[i].dimension, out);
    if (filters[i].negated) *out += R"(,"not":true)";
    *out += R"(,"values":)";
    AppendTexts(filters[i].values, out);
    *out += '}';
  }
  *out += ']';
}

json DimensionSchema() {
  json names = json::array();
  for (const dimension::Info& each : dimension::Dimensions()) {
    bool fixed = each.kind != dimension::Kind::kPeriod && each.kind != dimension::Kind::kTag;
    if (fixed) names.push_back(std::string(each.name));
  }
  json tag = {
      {"type", "string"}, {"pattern", "^tag:.+$"}, {"description", "tag:KEY, any key of Tags"}};
  return {{"anyOf", json::array({{{"enum", names}}, tag})}};
}

json MeasuresSchema() {
  json names = json::array();
  for (std::string_view name : MeasureNames()) names.push_back(std::string(name));
  return {{"type", "array"},
          {"items", {{"enum", names}}},
          {"minItems", 1},
          {"uniqueItems", true},
          {"description",
           "What to sum. usage adds the dimension unit by itself; charges counts rows."}};
}

json WhereSchema() {
  json value = {{"type", "string"}, {"minLength", 1}, {"maxLength", kQueryMaxValueBytes}};
  json filter = {
      {"type", "object"},
      {"additionalProperties", false},
      {"required", {"dimension", "values"}},
      {"properties",
       {{"dimension", {{"$ref", "#/$defs/dimension"}}},
        {"not", {{"type", "boolean"}, {"default", false}}},
        {"values",
         {{"type", "array"}, {"items", value}, {"minItems", 1}, {"maxItems", kQueryMaxValues}}}}}};
  json list = {{"type", "array"}, {"items", filter}, {"maxItems", kQueryMaxFilters}};
  json text = {{"type", "string"}, {"examples", {"provider=AWS;team=search,ads;tag:env!=dev"}}};
  return {{"anyOf", json::array({list, text})},
          {"description",
           "All filters must hold; a filter holds when any of its values matches. (none) and "
           "(unallocated) match charges without a value."}};
}

json TimeSchema(const char* what) {
  return {{"type", "string"},
          {"description", std::string(what) + " Date, instant or month, UTC."},
          {"examples", {"2026-10-01T00:00:00Z", "2026-10-01", "2026-10"}}};
}

std::string MakeSchema() {
  json properties;
  properties["measures"] = MeasuresSchema();
  properties["by"] = {{"type", "array"},
                      {"items", {{"$ref", "#/$defs/dimension"}}},
                      {"maxItems", kQueryMaxDimensions},
                      {"uniqueItems", true}};
  json grains = json::array();
  for (Grain grain : {Grain::kNone, Grain::kHour, Grain::kDay, Grain::kWeek, Grain::kMonth}) {
    grains.push_back(std::string(GrainName(grain)));
  }
  properties["grain"] = {{"enum", grains}, {"default", "none"}};
  properties["from"] = TimeSchema("First instant of the charge period's start.");
  properties["to"] = TimeSchema("First instant after.");
  properties["where"] = WhereSchema();
  properties["top"] = {{"type", "integer"},
                       {"minimum", 0},
                       {"maximum", kQueryMaxRows},
                       {"default", 0},
                       {"description", "0: all; else the rest is summed in (other)."}};
  json bases = json::array();
  for (std::string_view name : BasisNames()) bases.push_back(std::string(name));
  properties["basis"] = {
      {"enum", bases}, {"default", "effective"}, {"description", "What ranks rows and top."}};
  properties["as_of"] = {
      {"type", "string"},
      {"pattern", "^[0-9a-f]{0,64}$"},
      {"description", "Commit id, unique beginning of one, or number; empty: the newest."}};
  properties["currency"] = {
      {"type", "string"},
      {"pattern", "^([A-Z]{3})?$"},
      {"description",
       "Report in this currency, at the imported exchange rate of each day; empty: as billed. Not "
       "with the dimension currency."}};
  json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "Flyball cost query"},
                 {"type", "object"},
                 {"additionalProperties", false},
                 {"required", {"measures"}},
                 {"properties", properties},
                 {"$defs", {{"dimension", DimensionSchema()}}}};
  return schema.dump(2);
}

}  // namespace

Result<CostQuery> ParseQueryJson(std::string_view text) {
  if (text.size() > kQueryMaxBytes) {
    return Wrong("the query is longer than " + FormatBytes(kQueryMaxBytes));
  }
  json document = FB_TRY(ParseStrict(text));
  if (!document.is_object()) {
    return Wrong(std::string("the query is ") + document.type_name() +
                 ", a JSON object is expected");
  }
  FB_CHECK(CheckFields("", document, kQueryFields));
  CostQuery query;
  for (const auto& [key, value] : document.items()) FB_CHECK(ReadMember(key, value, &query));
  FB_CHECK(Validate(query));
  return query;
}

std::string CanonicalJson(const CostQuery& query) {
  std::string out = R"({"measures":)";
  AppendTexts(query.measures, &out);
  auto text_member = [&out](std::string_view name, std::string_view value) {
    out += ",\"";
    out += name;
    out += "\":";
    AppendJsonString(value, &out);
  };
  if (!query.by.empty()) {
    out += R"(,"by":)";
    AppendTexts(query.by, &out);
  }
  if (query.grain != Grain::kNone) text_member("grain", GrainName(query.grain));
  if (query.from) text_member("from", FormatInstant(*query.from));
  if (query.to) text_member("to", FormatInstant(*query.to));
  if (!query.where.empty()) {
    out += R"(,"where":)";
    AppendFilters(query.where, &out);
  }
  if (query.top != 0) out += ",\"top\":" + std::to_string(query.top);
  if (query.basis != CostQuery().basis) text_member("basis", query.basis);
  if (!query.as_of.empty()) text_member("as_of", query.as_of);
  if (!query.currency.empty()) text_member("currency", query.currency);
  out += '}';
  return out;
}

std::string_view QueryJsonSchema() {
  static const std::string kSchema = MakeSchema();
  return kSchema;
}

}  // namespace flyball::ledger
