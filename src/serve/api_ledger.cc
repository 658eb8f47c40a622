// Commits, estate, explanations, quarantine, classify and compact.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/dimension.h"
#include "model/signature.h"
#include "os/files.h"
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kCompactSmallBytes = 64ull << 20;
// Of a quarantined row's text, in an answer; the whole of it stands in the file.
constexpr size_t kQuarantineTextMaxBytes = 4096;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json NamedJson(const estate::Named& named) {
  return {
      {"id", named.id}, {"name", named.name}, {"owner", named.owner}, {"aliases", named.aliases}};
}

template <typename T>
Json NamedList(const std::vector<T>& list) {
  Json out = Json::array();
  for (const T& item : list) {
    out.push_back(NamedJson(item));
  }
  return out;
}

Json MoneyOrNull(const std::optional<Money>& money) {
  return money ? Json(money->ToString()) : Json();
}

Json UseCaseJson(const estate::UseCase& use_case) {
  Json out = NamedJson(use_case);
  out["team"] = use_case.team;
  out["project"] = use_case.project;
  out["objective"] = use_case.objective;
  out["stage"] = use_case.stage;
  out["status"] = use_case.status;
  out["status_reason"] = use_case.status_reason;
  out["target_cost"] = MoneyOrNull(use_case.target_cost);
  out["target_unit_cost"] = MoneyOrNull(use_case.target_unit_cost);
  out["unit"] = use_case.unit;
  out["expected_value"] = MoneyOrNull(use_case.expected_value);
  return out;
}

Json EstateJson(const estate::Estate& estate) {
  Json out;
  out["name"] = estate.name;
  out["currency"] = estate.currency;
  out["fiscal_year_start_month"] = estate.fiscal_year_start_month;
  out["environments"] = NamedList(estate.environments);
  out["teams"] = NamedList(estate.teams);
  out["projects"] = Json::array();
  for (const estate::Project& project : estate.projects) {
    Json item = NamedJson(project);
    item["team"] = project.team;
    out["projects"].push_back(std::move(item));
  }
  out["use_cases"] = Json::array();
  for (const estate::UseCase& use_case : estate.use_cases) {
    out["use_cases"].push_back(UseCaseJson(use_case));
  }
  out["models"] = NamedList(estate.models);
  out["sources"] = Json::array();
  for (const estate::Source& source : estate.sources) {
    out["sources"].push_back({{"name", source.name}, {"title", source.title}});
  }
  return out;
}

// Long texts of a quarantined row are cut, so that a page stays small.
void CutTexts(Json* value) {
  if (value->is_string() && value->get_ref<const std::string&>().size() > kQuarantineTextMaxBytes) {
    const auto& text = value->get_ref<const std::string&>();
    const std::string_view head = std::string_view(text).substr(0, kQuarantineTextMaxBytes);
    *value = std::string(head.substr(0, ValidUtf8Prefix(head))) + "…";
  } else if (value->is_structured()) {
    for (Json& inner : *value) {
      CutTexts(&inner);
    }
  }
}

}  // namespace

Result<int64_t> IntParameter(const net::Request& request, const std::string& name,
                             int64_t otherwise, int64_t low, int64_t high) {
  auto found = request.query.find(name);
  if (found == request.query.end()) {
    return otherwise;
  }
  const std::string& text = found->second;
  int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return Fail(Code::kInvalidArgument,
                fmt::format("{}: a whole number from {} to {} is expected", name, low, high));
  }
  return value;
}

Result<std::string> Api::CommitsJson(const net::Request& request) {
  const int64_t offset = FB_TRY(IntParameter(request, "offset", 0, 0, int64_t{1} << 40));
  const int64_t limit =
      FB_TRY(IntParameter(request, "limit", kCommitsPageDefault, 1, kCommitsPageMax));
  const std::vector<ledger::Commit> commits = ledger.Commits();
  const auto total = static_cast<int64_t>(commits.size());
  std::string out = R"({"commits":[)";
  for (int64_t i = offset; i < std::min(total, offset + limit); ++i) {
    out += i > offset ? "," : "";
    out += ledger::CommitJson(commits[static_cast<size_t>(total - 1 - i)],
                              ledger::CommitDetail::kBrief);
  }
  return out + fmt::format(R"(],"total":{},"offset":{},"limit":{}}})", total, offset, limit);
}

net::Response Api::ListCommits(const Call& call) {
  auto page = CommitsJson(call.request);
  return page ? JsonReply(*std::move(page)) : ErrorReply(page.error());
}

net::Response Api::GetCommit(const Call& call) {
  auto commit = ledger.FindCommit(call.path_values[0]);
  return commit ? JsonReply(ledger::CommitJson(*commit)) : ErrorReply(commit.error());
}

net::Response Api::GetEstate(const Call&) {
  const auto rules = ledger.Rules();
  Json out = EstateJson(rules->estate());
  out["rules"] = rules->hash();
  return JsonReply(Dump(out));
}

Result<std::string> Api::ExplainJson(const std::string& body) {
  FB_CHECK(CheckJsonDepth(body));
  const Json document = Json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("columns") || !document["columns"].is_object()) {
    return Fail(Code::kInvalidArgument, R"({"columns": {"ServiceName": "..."}} is expected)");
  }
  std::vector<std::string> texts(signature::Columns().size());
  signature::Values values(texts.size());
  for (const auto& [column, value] : document["columns"].items()) {
    const int index = signature::IndexOf(column);
    if (index < 0 || value.is_null()) {
      continue;  // rows have columns that no rule looks at
    }
    if (!value.is_string()) {
      return Fail(Code::kInvalidArgument, "columns: values are texts or null");
    }
    texts[static_cast<size_t>(index)] = value.get<std::string>();
    values[static_cast<size_t>(index)] = texts[static_cast<size_t>(index)];
  }
  const auto rules = ledger.Rules();
  const dimension::Assigned assigned = rules->Assign(values);
  const auto reasons = rules->Explain(values);
  Json out{{"dimensions", Json::object()}, {"rules", rules->hash()}};
  for (size_t i = 0; i < assigned.size(); ++i) {
    Json& entry = out["dimensions"][std::string(dimension::RuleDimensions()[i].name)];
    entry["value"] = assigned[i] ? Json(*assigned[i]) : Json();
    entry["set_by"] = reasons[i].empty() ? Json() : Json(reasons[i]);
  }
  return Dump(out);
}

net::Response Api::Explain(const Call& call) {
  auto explained = ExplainJson(call.request.body);
  return explained ? JsonReply(*std::move(explained)) : ErrorReply(explained.error());
}

Result<Api::QuarantineFile> Api::FindQuarantine(const std::string& id) {
  const auto path_of = [this](const std::string& name) {
    return os::JoinPath(os::JoinPath(settings.home, "quarantine"), name + ".jsonl");
  };
  const std::string path = path_of(id);
  if (std::filesystem::exists(path)) return QuarantineFile{path, std::nullopt};
  const ledger::Commit commit = FB_TRY(ledger.FindCommit(id));
  return QuarantineFile{path_of(ledger::QuarantineId(commit)), commit.facts.rows_quarantined};
}

Result<std::string> Api::QuarantineLines(const std::string& id) {
  const QuarantineFile file = FB_TRY(FindQuarantine(id));
  if (!files_->Exists(file.path)) return std::string();
  if (FB_TRY(files_->Size(file.path)) > kQuarantineDownloadMaxBytes) {
    return Fail(
        Code::kResourceExhausted,
        fmt::format("these rows are more than {}", FormatBytes(kQuarantineDownloadMaxBytes)),
        fmt::format("read quarantine/{} in the home folder",
                    std::filesystem::path(file.path).filename().string()));
  }
  return files_->ReadAll(file.path);
}

Result<std::string> Api::QuarantineJson(const std::string& id, const net::Request& request) {
  const int64_t offset = FB_TRY(IntParameter(request, "offset", 0, 0, int64_t{1} << 40));
  const int64_t limit = FB_TRY(IntParameter(request, "limit", 100, 1, kQuarantinePageMax));
  const QuarantineFile file = FB_TRY(FindQuarantine(id));
  Json out{{"id", id}, {"offset", offset}, {"rows", Json::array()}, {"more", false}};
  if (file.rows) out["total"] = *file.rows;
  std::ifstream in(file.path, std::ios::binary);
  std::string line;
  for (int64_t i = 0; std::getline(in, line); ++i) {
    if (i >= offset + limit) {
      out["more"] = true;
      break;
    }
    if (i >= offset) {
      Json row = Json::parse(line, nullptr, false);
      CutTexts(&row);
      out["rows"].push_back(row.is_discarded() ? Json() : std::move(row));
    }
  }
  return Dump(out);
}

net::Response Api::GetQuarantine(const Call& call) {
  const auto format = call.request.query.find("format");
  if (format != call.request.query.end() && format->second == "jsonl") {
    auto lines = QuarantineLines(call.path_values[0]);
    if (!lines) return ErrorReply(lines.error());
    net::Response response = Reply(200, "application/jsonl", *std::move(lines));
    // Rows of somebody's bill: a file to keep, never a document that a browser shows.
    response.headers.emplace_back(
        "Content-Disposition",
        fmt::format("attachment; filename=\"quarantine-{}.jsonl\"", call.path_values[0]));
    return response;
  }
  if (format != call.request.query.end() && format->second != "json") {
    return ErrorReply(Error{Code::kInvalidArgument, "format: json or jsonl is expected", {}, {}});
  }
  auto page = QuarantineJson(call.path_values[0], call.request);
  return page ? JsonReply(*std::move(page)) : ErrorReply(page.error());
}

Result<std::string> Api::CommitOrNull(Result<std::optional<ledger::Commit>> commit) {
  const std::optional<ledger::Commit> made = FB_TRY(std::move(commit));
  AnnounceCommits();
  return R"({"commit":)" + (made ? ledger::CommitJson(*made) : "null") + "}";
}

net::Response Api::PostClassify(const Call& call) {
  auto answer = CommitOrNull(ledger.Classify(call.author));
  return answer ? JsonReply(*std::move(answer)) : ErrorReply(answer.error());
}

net::Response Api::PostPeriod(const Call& call) {
  const Json document =
      CheckJsonDepth(call.request.body) ? Json::parse(call.request.body, nullptr, false) : Json();
  const bool right = document.is_object() && document.contains("period") &&
                     document["period"].is_string() && document.contains("closed") &&
                     document["closed"].is_boolean() &&
                     (!document.contains("report_hash") || document["report_hash"].is_string());
  if (!right) {
    return ErrorReply(Error{
        Code::kInvalidArgument, R"({"period": "2026-10", "closed": true} is expected)", {}, {}});
  }
  Result<ledger::Commit> made =
      ledger.SetClosed(document["period"].get<std::string>(), document["closed"].get<bool>(),
                       call.author, document.value("report_hash", ""));
  if (!made) return ErrorReply(made.error());
  auto answer = CommitOrNull(*std::move(made));
  return answer ? JsonReply(*std::move(answer)) : ErrorReply(answer.error());
}

net::Response Api::PostCompact(const Call& call) {
  uint64_t small_bytes = kCompactSmallBytes;
  if (!call.request.body.empty()) {
    const Json document =
        CheckJsonDepth(call.request.body) ? Json::parse(call.request.body, nullptr, false) : Json();
    if (!document.is_object() ||
        (document.contains("small_bytes") && !document["small_bytes"].is_number_unsigned())) {
      return ErrorReply(Error{Code::kInvalidArgument, R"({"small_bytes": N} is expected)", {}, {}});
    }
    small_bytes = document.value("small_bytes", small_bytes);
  }
  auto answer = CommitOrNull(ledger.Compact(call.author, small_bytes));
  return answer ? JsonReply(*std::move(answer)) : ErrorReply(answer.error());
}

}  // namespace flyball::serve
