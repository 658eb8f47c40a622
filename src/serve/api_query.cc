// Cost queries and the rows behind them.
#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::json;
using ledger::AnswerFormat;

constexpr int kJsonDepthMax = 32;

std::string_view MediaType(AnswerFormat format) {
  switch (format) {
    case AnswerFormat::kCsv:
      return "text/csv; charset=utf-8";
    case AnswerFormat::kTable:
      return "text/plain; charset=utf-8";
    case AnswerFormat::kJson:
      break;
  }
  return "application/json";
}

Result<Json> ParseObject(const std::string& body) {
  FB_CHECK(CheckJsonDepth(body));
  Json document = Json::parse(body, nullptr, false);
  if (!document.is_object()) {
    return Fail(Code::kInvalidArgument, "a JSON object is expected in the body");
  }
  return document;
}

Result<int64_t> IntMember(const Json& document, const char* name, int64_t otherwise, int64_t low,
                          int64_t high) {
  auto found = document.find(name);
  if (found == document.end()) {
    return otherwise;
  }
  const int64_t value = found->is_number_integer() ? found->get<int64_t>() : low - 1;
  if (value < low || value > high) {
    return Fail(Code::kInvalidArgument,
                fmt::format("{}: a whole number from {} to {} is expected", name, low, high));
  }
  return value;
}

std::string PageJson(const ledger::RowsPage& page, int64_t offset) {
  std::string out = R"({"columns":[)";
  for (size_t i = 0; i < page.columns.size(); ++i) {
    out += i > 0 ? "," : "";
    AppendJsonString(page.columns[i], &out);
  }
  out += R"(],"rows":[)";
  for (size_t r = 0; r < page.rows.size(); ++r) {
    out += r > 0 ? ",[" : "[";
    for (size_t i = 0; i < page.rows[r].size(); ++i) {
      out += i > 0 ? "," : "";
      if (page.rows[r][i]) {
        AppendJsonString(*page.rows[r][i], &out);
      } else {
        out += "null";
      }
    }
    out += ']';
  }
  out += fmt::format(R"(],"total":{},"offset":{},"commit":)", page.total, offset);
  AppendJsonString(page.commit, &out);
  return out + "}";
}

}  // namespace

Status CheckJsonDepth(std::string_view json) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthMax) {
        return Fail(Code::kInvalidArgument,
                    fmt::format("the JSON is nested deeper than {} levels", kJsonDepthMax));
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return {};
}

Result<AnswerCache::Text> Api::Answer(const ledger::CostQuery& query, AnswerFormat format) {
  std::string commit = ledger.Head();
  if (!query.as_of.empty()) {
    commit = FB_TRY(ledger.FindCommit(query.as_of)).id;
  }
  const uint64_t live = query.as_of.empty() ? live_.Version(ledger) : 0;
  const std::string rates = query.currency.empty() ? "" : FB_TRY(exchange_.Version());
  const std::string question = fmt::format(" {} {} {} {}", static_cast<int>(format), live, rates,
                                           ledger::CanonicalJson(query));
  if (AnswerCache::Text known = cache_.Find(commit + question)) {
    return known;
  }
  const ingest::LiveCharges::Answer answer =
      FB_TRY(ingest::AnswerInCurrency(live_, ledger, exchange_, query));
  auto text = std::make_shared<const std::string>(ingest::LiveAnswerText(answer, format));
  // A commit may have come in between: the answer says which one it was read at.
  cache_.Keep(answer.answer.commit + question, text);
  return text;
}

// One answer of a batch: a wrong question does not take the others down with it.
std::string Api::AnswerOne(const std::string& query_json) {
  auto query = ledger::ParseQueryJson(query_json);
  if (!query) {
    return ErrorJson(query.error());
  }
  auto answer = Answer(*query, AnswerFormat::kJson);
  return answer ? **answer : ErrorJson(answer.error());
}

Result<std::string> Api::AnswerBatch(const std::string& body) {
  const Json document = FB_TRY(ParseObject(body));
  const Json& queries = document["queries"];
  if (!queries.is_array() || queries.size() > kBatchQueriesMax || document.size() != 1) {
    return Fail(
        Code::kInvalidArgument,
        fmt::format("queries: a list of up to {} queries is expected, and nothing beside it",
                    kBatchQueriesMax));
  }
  std::vector<std::string> answers(queries.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < answers.size(); i = next++) {
      answers[i] = AnswerOne(queries[i].dump(-1, ' ', false, Json::error_handler_t::replace));
    }
  };
  {
    std::vector<std::jthread> helpers;
    const size_t wanted = std::min(answers.size(), static_cast<size_t>(settings.batch_threads));
    for (size_t i = 1; i < wanted; ++i) {
      helpers.emplace_back(work);
    }
    work();
  }
  std::string out = R"({"answers":[)";
  for (size_t i = 0; i < answers.size(); ++i) {
    out += i > 0 ? "," : "";
    out += answers[i];
  }
  return out + "]}";
}

net::Response Api::Query(const Call& call) {
  const std::string& body = call.request.body;
  // A document with `queries` is a batch; anything else is for the strict reader, which names
  // places.
  if (CheckJsonDepth(body)) {
    const Json document = Json::parse(body, nullptr, false);
    if (document.is_object() && document.contains("queries")) {
      auto answers = AnswerBatch(body);
      return answers ? JsonReply(*std::move(answers)) : ErrorReply(answers.error());
    }
  }
  auto format = AnswerFormat::kJson;
  if (auto named = call.request.query.find("format"); named != call.request.query.end()) {
    auto parsed = ledger::ParseAnswerFormat(named->second);
    if (!parsed) {
      return ErrorReply(parsed.error());
    }
    format = *parsed;
  }
  auto query = ledger::ParseQueryJson(body);
  if (!query) {
    return ErrorReply(query.error());
  }
  auto answer = Answer(*query, format);
  if (!answer) {
    return ErrorReply(answer.error());
  }
  net::Response response = Reply(200, MediaType(format), {});
  response.shared_body = *std::move(answer);
  return response;
}

Result<std::string> Api::RowsJson(const std::string& body) {
  const Json document = FB_TRY(ParseObject(body));
  for (const auto& [key, value] : document.items()) {
    if (key != "query" && key != "offset" && key != "limit") {
      return Fail(Code::kInvalidArgument, "a field of the question is not known",
                  "known fields: query offset limit");
    }
  }
  if (!document.contains("query")) {
    return Fail(Code::kInvalidArgument, "the field 'query' is missing");
  }
  const int64_t offset = FB_TRY(IntMember(document, "offset", 0, 0, int64_t{1} << 40));
  const int64_t limit = FB_TRY(IntMember(document, "limit", 100, 1, ledger::kRowsPageMax));
  const ledger::CostQuery query = FB_TRY(ledger::ParseQueryJson(
      document["query"].dump(-1, ' ', false, Json::error_handler_t::replace)));
  return PageJson(FB_TRY(ledger.Rows(query, offset, limit)), offset);
}

net::Response Api::Rows(const Call& call) {
  auto page = RowsJson(call.request.body);
  return page ? JsonReply(*std::move(page)) : ErrorReply(page.error());
}

// Nothing outside home/tmp is written for who asks over the network: the file is made in a staging
// folder, which its owner, a command on this machine, has made and takes it from.
Result<std::string> Api::ExportJson(const std::string& body) {
  const Json document = FB_TRY(ParseObject(body));
  ledger::ExportRequest request;
  std::string staging;
  for (const auto& [key, value] : document.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    if (key == "query") {
      request.query = FB_TRY(
          ledger::ParseQueryJson(value.dump(-1, ' ', false, Json::error_handler_t::replace)));
    } else if (key == "focus") {
      request.version = FB_TRY(ledger::ParseExportVersion(text));
    } else if (key == "format") {
      request.format = FB_TRY(ledger::ParseExportFormat(text));
    } else if (key == "x_columns" && value.is_boolean()) {
      request.x_columns = value.get<bool>();
    } else if (key == "staging") {
      staging = text;
    } else {
      return Fail(Code::kInvalidArgument, "a field of the export is not known",
                  "known fields: query focus format x_columns staging");
    }
  }
  const std::string dir = os::JoinPath(os::JoinPath(settings.home, "tmp"), staging);
  if (!os::IsPlainName(staging) || !files_->Exists(dir)) {
    return Fail(Code::kInvalidArgument, "'staging' is no folder in the home's tmp",
                "`flyball export` makes one");
  }
  if (!document.contains("query")) request.query.measures = {"effective_cost"};
  request.path = os::JoinPath(dir, ledger::kExportFile);
  const ledger::Exported exported = FB_TRY(ledger.Export(request));
  return Json{{"rows", exported.rows}, {"columns", exported.columns}, {"commit", exported.commit}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

net::Response Api::PostExport(const Call& call) {
  auto exported = ExportJson(call.request.body);
  return exported ? JsonReply(*std::move(exported)) : ErrorReply(exported.error());
}

net::Response Api::GetExchange(const Call& call) {
  std::optional<Instant> at;
  if (const auto named = call.request.query.find("at"); named != call.request.query.end()) {
    const auto parsed = ParseUserInstant(named->second);
    if (!parsed) return ErrorReply(parsed.error());
    at = *parsed;
  }
  const auto table = exchange_.Table();
  return table ? JsonReply(rates::ExchangeJson(**table, at)) : ErrorReply(table.error());
}

net::Response Api::GetQuerySchema(const Call&) {
  return Reply(200, "application/schema+json", std::string(ledger::QueryJsonSchema()));
}

}  // namespace flyball::serve
