// The OpenAPI 3.1 document, made from the table of routes, the schemas and the cost query's own
// schema.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ledger/cost_query.h"
#include "serve/api.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::ordered_json;

bool IsMediaType(std::string_view response) { return response.find('/') != std::string_view::npos; }

Json Reference(std::string_view schema) {
  return {{"$ref", "#/components/schemas/" + std::string(schema)}};
}

Json Content(std::string_view media_type, Json schema) {
  return {{std::string(media_type), {{"schema", std::move(schema)}}}};
}

Json Binary() { return {{"type", "string"}, {"format", "binary"}}; }

// "getCommitsId" for GET /api/v1/commits/{id}.
std::string OperationId(const Route& route) {
  std::string id = ToLower(route.method);
  std::string_view path = route.path;
  path.remove_prefix(path.starts_with("/api/v1/") ? 8 : 1);
  bool upper = true;
  for (char c : path) {
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) {
      upper = true;
      continue;
    }
    id += upper && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return id;
}

Json Parameters(const Route& route) {
  Json out = Json::array();
  for (const Parameter& parameter : route.parameters) {
    out.push_back({{"name", parameter.name},
                   {"in", parameter.in},
                   {"required", parameter.in == "path"},
                   {"description", parameter.about},
                   {"schema", {{"type", parameter.type}}}});
  }
  return out;
}

Json RequestBody(const Route& route) {
  Json content = Content("application/json", Reference(route.request));
  if (route.request == "ImportRequest") {
    content["multipart/form-data"]["schema"] = {
        {"type", "object"},
        {"properties",
         {{"file", {{"type", "array"}, {"items", {{"type", "string"}, {"format", "binary"}}}}},
          {"source", {{"type", "string"}}},
          {"format", {{"type", "string"}}},
          {"currency", {{"type", "string"}}},
          {"dry_run", {{"type", "boolean"}}},
          {"beside", {{"type", "boolean"}}}}}};
    content["application/octet-stream"]["schema"] = Binary();
  }
  if (route.request == "Otlp") content["application/x-protobuf"]["schema"] = Binary();
  const bool needed = route.request != "Empty" && route.request != "CompactRequest";
  return {{"required", needed}, {"content", content}};
}

Json Responses(const Route& route) {
  Json answer{{"description", "The answer."}};
  answer["content"] = IsMediaType(route.response)
                          ? Content(route.response, {{"type", "string"}})
                          : Content("application/json", Reference(route.response));
  if (route.response == "AnswerOrBatch") {
    answer["content"]["text/csv"]["schema"] = {{"type", "string"}};
    answer["content"]["text/plain"]["schema"] = {{"type", "string"}};
  }
  if (route.response == "OtlpAnswer") {
    answer["content"]["application/x-protobuf"]["schema"] = Binary();
  }
  Json out{{"200", std::move(answer)}};
  if (route.request == "ImportRequest") {
    out["202"] = {{"description", "The import waits or runs; asked for with async=1."},
                  {"content", Content("application/json", Reference("ImportJob"))}};
  }
  out["default"] = {{"description", "What was wrong, and what to do."},
                    {"content", Content("application/json", Reference("Error"))}};
  return out;
}

Json Operation(const Route& route) {
  Json out{{"operationId", OperationId(route)}, {"summary", route.summary}};
  if (!route.parameters.empty()) {
    out["parameters"] = Parameters(route);
  }
  if (!route.request.empty()) {
    out["requestBody"] = RequestBody(route);
  }
  out["responses"] = Responses(route);
  switch (route.access) {
    case Access::kWrite:
      out["security"] = Json::array({{{"token", Json::array()}}});
      break;
    case Access::kRead:
      // An empty requirement: without a token when the server is bound to loopback.
      out["security"] = Json::array({Json::object(), {{"token", Json::array()}}});
      break;
    case Access::kOpen:
      out["security"] = Json::array();
      break;
  }
  return out;
}

// The query's schema refers to its own $defs; inside the document they stand elsewhere.
Json QuerySchema() {
  std::string text(ledger::QueryJsonSchema());
  constexpr std::string_view kOwn = "\"#/$defs/";
  constexpr std::string_view kHere = "\"#/components/schemas/Query/$defs/";
  for (size_t at = text.find(kOwn); at != std::string::npos;
       at = text.find(kOwn, at + kHere.size())) {
    text.replace(at, kOwn.size(), kHere);
  }
  Json schema = Json::parse(text, nullptr, false);
  schema.erase("$schema");
  return schema;
}

}  // namespace

std::string MakeOpenApi(std::string_view version) {
  Json out;
  out["openapi"] = "3.1.0";
  out["info"] = {
      {"title", "Flyball"},
      {"version", version},
      {"description",
       "A cost ledger and governor for AI compute. Money and quantities are decimal strings."},
      {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}};
  out["paths"] = Json::object();
  for (const Route& route : Routes()) {
    out["paths"][std::string(route.path)][ToLower(route.method)] = Operation(route);
  }
  Json schemas = Json::object();
  schemas["Query"] = QuerySchema();
  for (const NamedSchema& schema : Schemas()) {
    schemas[std::string(schema.name)] = Json::parse(schema.json, nullptr, false);
  }
  out["components"]["schemas"] = std::move(schemas);
  out["components"]["securitySchemes"]["token"] = {
      {"type", "http"},
      {"scheme", "bearer"},
      {"description",
       "`flyball token` makes one; the file `token` in the home folder holds the first."}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::serve
