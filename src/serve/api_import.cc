// Imports through the server: files that it can read itself, or uploaded ones.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "os/files.h"
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kAuthorMaxBytes = 200;

Status CheckNames(const ImportJob& job) {
  if (!job.source.empty() && !os::IsPlainName(job.source)) {
    return Fail(Code::kInvalidArgument, "the name of the source is no plain name",
                "use letters, digits, dashes and dots");
  }
  if (job.author.size() > kAuthorMaxBytes || ValidUtf8Prefix(job.author) != job.author.size()) {
    return Fail(Code::kInvalidArgument, "the author is too long or no UTF-8");
  }
  return {};
}

Result<uint64_t> ParseMemory(const std::string& text) {
  if (text.empty()) {
    return 0;
  }
  const int64_t bytes = ParseBytes(text);
  if (bytes <= 0) {
    return Fail(Code::kInvalidArgument, "memory: '" + text + "' is no size", "such as 512MiB");
  }
  return static_cast<uint64_t>(bytes);
}

Result<std::string> TextMember(const Json& document, const char* name) {
  auto found = document.find(name);
  if (found == document.end() || found->is_null()) {
    return std::string();
  }
  if (!found->is_string()) {
    return Fail(Code::kInvalidArgument, std::string(name) + ": a text is expected");
  }
  return found->get<std::string>();
}

bool IsTrue(const std::string& text) { return text == "1" || text == "true"; }

// What somebody meant as a dry run must never be an import.
Result<bool> ParseFlag(const std::string& name, const std::string& text) {
  if (text.empty() || text == "0" || text == "false") {
    return false;
  }
  if (IsTrue(text)) {
    return true;
  }
  return Fail(Code::kInvalidArgument, name + ": '" + text + "' is neither true nor false");
}

// Refuses a misspelt word, which would silently change what is done.
Status CheckWords(const std::vector<std::string>& words,
                  const std::vector<std::string_view>& known) {
  for (const std::string& word : words) {
    if (std::ranges::find(known, word) != known.end()) {
      continue;
    }
    const std::string_view nearest = Nearest(word, known);
    return Fail(Code::kInvalidArgument, "an import takes no '" + word + "'",
                nearest.empty() ? std::string() : "did you mean '" + std::string(nearest) + "'?");
  }
  return {};
}

const std::vector<std::string_view> kFields = {"source", "format", "currency", "dry_run",
                                               "beside", "async",  "filename"};
const std::vector<std::string_view> kMembers = {"files",    "source",        "format",
                                                "currency", "author",        "memory",
                                                "dry_run",  "rows_expected", "beside"};

std::string Field(const std::map<std::string, std::string>& fields, const std::string& name) {
  auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

std::string JobJson(const ImportQueue::View& view) {
  Json out{{"job", view.id},
           {"state", ImportStateName(view.state)},
           {"bytes_done", view.bytes_done},
           {"bytes_total", view.bytes_total}};
  if (view.report) {
    const std::string text = *view.report ? **view.report : ErrorJson(view.report->error());
    Json document = Json::parse(text, nullptr, false);
    if (*view.report) {
      out["report"] = std::move(document);
    } else {
      out["error"] = document["error"];
    }
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsJson(const net::Request& request) { return MediaType(request) == "application/json"; }

}  // namespace

// What a caller may make the server read: nothing outside the folders that the settings name;
// without such folders, any file, but only for who shows the local token from this machine.
Status Api::CheckServerPath(const std::string& path, const Call& call) const {
  const std::filesystem::path given(path);
  if (path.find('\0') != std::string::npos || !given.is_absolute() ||
      std::ranges::find(given, "..") != given.end()) {
    return Fail(Code::kInvalidArgument, "'" + path + "' is no absolute path without '..'");
  }
  // A device or a pipe has no end. What does not exist is for the import to name.
  std::error_code fault;
  if (std::filesystem::exists(given, fault) && !std::filesystem::is_regular_file(given, fault)) {
    return Fail(Code::kInvalidArgument, "'" + path + "' is no regular file");
  }
  if (settings.import_dirs.empty()) {
    if (call.author == kLocalToken && IsFromThisMachine(call.request)) return {};
    return Fail(Code::kPermissionDenied,
                "files of the server can be named only on its own machine, with the token in the "
                "home folder",
                "upload the file");
  }
  const auto real = std::filesystem::weakly_canonical(given, fault);
  for (const std::string& dir : settings.import_dirs) {
    const auto allowed = std::filesystem::weakly_canonical(dir, fault);
    const auto [end, rest] =
        std::mismatch(allowed.begin(), allowed.end(), real.begin(), real.end());
    if (end == allowed.end() && rest != real.end()) {
      return {};
    }
  }
  return Fail(Code::kPermissionDenied, "'" + path + "' is in none of the import folders",
              "upload the file, or move it there");
}

Result<ImportJob> Api::JobFromJson(const Call& call) {
  const net::Request& request = call.request;
  FB_CHECK(CheckJsonDepth(request.body));
  const Json document = Json::parse(request.body, nullptr, false);
  if (!document.is_object() || !document.contains("files") || !document["files"].is_array() ||
      document["files"].empty() || document["files"].size() > kImportFilesMax) {
    return Fail(
        Code::kInvalidArgument,
        fmt::format(R"({{"files": ["/absolute/path", ...]}} with up to {} files is expected)",
                    kImportFilesMax));
  }
  std::vector<std::string> words;
  for (const auto& member : document.items()) {
    words.push_back(member.key());
  }
  FB_CHECK(CheckWords(words, kMembers));
  ImportJob job;
  for (const Json& file : document["files"]) {
    if (!file.is_string()) {
      return Fail(Code::kInvalidArgument, "files: texts are expected");
    }
    job.files.push_back(file.get<std::string>());
    FB_CHECK(CheckServerPath(job.files.back(), call));
  }
  job.source = FB_TRY(TextMember(document, "source"));
  job.format = FB_TRY(TextMember(document, "format"));
  job.currency = FB_TRY(TextMember(document, "currency"));
  job.author = FB_TRY(TextMember(document, "author"));
  job.memory_bytes = FB_TRY(ParseMemory(FB_TRY(TextMember(document, "memory"))));
  if (job.author.empty()) {
    job.author = call.author;
  }
  for (const auto& [name, flag] : {std::pair{"dry_run", &job.dry_run}, {"beside", &job.beside}}) {
    if (!document.contains(name)) continue;
    if (!document[name].is_boolean()) {
      return Fail(Code::kInvalidArgument, std::string(name) + ": true or false is expected");
    }
    *flag = document[name].get<bool>();
  }
  if (auto rows = document.find("rows_expected"); rows != document.end()) {
    if (!rows->is_number_unsigned()) {
      return Fail(Code::kInvalidArgument, "rows_expected: a number is expected");
    }
    job.rows_expected = rows->get<int64_t>();
  }
  job.dry_run |= FB_TRY(ParseFlag("dry_run", Field(request.query, "dry_run")));
  job.beside |= FB_TRY(ParseFlag("beside", Field(request.query, "beside")));
  FB_CHECK(CheckNames(job));
  return job;
}

Result<ImportJob> Api::JobFromUpload(const Upload& upload, const std::string& author) {
  if (upload.files.empty()) {
    return Fail(Code::kInvalidArgument, "the upload has no file",
                "send the bill as a part with a file name");
  }
  ImportJob job;
  job.files = upload.files;
  job.source = Field(upload.fields, "source");
  job.format = Field(upload.fields, "format");
  job.currency = Field(upload.fields, "currency");
  job.author = author;
  job.dry_run = FB_TRY(ParseFlag("dry_run", Field(upload.fields, "dry_run")));
  job.beside = FB_TRY(ParseFlag("beside", Field(upload.fields, "beside")));
  std::vector<std::string> words;
  for (const auto& [name, value] : upload.fields) {
    words.push_back(name);
  }
  FB_CHECK(CheckWords(words, kFields));
  FB_CHECK(CheckNames(job));
  return job;
}

net::Response Api::PostImport(const Call& call) {
  std::shared_ptr<void> holds;
  Result<ImportJob> job = Fail(Code::kUnknown, "");
  if (IsJson(call.request)) {
    job = JobFromJson(call);
  } else {
    auto upload = UnpackUpload(call.request, os::JoinPath(settings.home, "tmp"));
    if (!upload) {
      return ErrorReply(upload.error());
    }
    holds = upload->folder;
    job = JobFromUpload(*upload, call.author);
  }
  if (!job) {
    return ErrorReply(job.error());
  }
  const auto after = [this](const Result<std::string>& report) {
    metrics.CountImport(report.has_value());
    AnnounceCommits();
  };
  if (IsTrue(Field(call.request.query, "async"))) {
    auto id = imports.Submit(*std::move(job), std::move(holds), after);
    if (!id) {
      return ErrorReply(id.error());
    }
    net::Response response =
        JsonReply(JobJson(imports.Find(*id).value_or(ImportQueue::View{})), 202);
    response.headers.emplace_back("Location", "/api/v1/imports/" + *id);
    return response;
  }
  net::Response response;
  response.later = [this, after, holds = std::move(holds),
                    job = *std::move(job)](std::function<void(net::Response)> answer) mutable {
    auto id = imports.Submit(std::move(job), std::exchange(holds, nullptr),
                             [after, answer](const Result<std::string>& report) {
                               after(report);
                               answer(report ? JsonReply(*report) : ErrorReply(report.error()));
                             });
    if (!id) {
      answer(ErrorReply(id.error()));
    }
  };
  return response;
}

net::Response Api::GetImport(const Call& call) {
  const auto view = imports.Find(call.path_values[0]);
  if (!view) {
    return ErrorReply(Error{Code::kNotFound,
                            "there is no import '" + call.path_values[0] + "'",
                            "finished imports are forgotten after a while; see /api/v1/commits",
                            {}});
  }
  return JsonReply(JobJson(*view));
}

}  // namespace flyball::serve
