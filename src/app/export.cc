// flyball export: charges as a FOCUS file, through the server when one runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/open_ledger.h"
#include "app/remote.h"
#include "ledger/export.h"
#include "ledger/slice_writer.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kCopyBytes = 4u << 20;

// A folder in the home's tmp of our own, gone at the end.
class Staging {
 public:
  static Result<Staging> Make(const Environment& environment) {
    if (!ledger::HomeExists(environment.files, environment.home)) {
      return Fail(Code::kNotFound, "there is no ledger in '" + environment.home + "'",
                  "name it with --home");
    }
    return Staging(environment.files,
                   FB_TRY(ledger::MakeStagingDir(environment.files, environment.home)));
  }
  Staging(Staging&& other) noexcept
      : files_(other.files_), dir_(std::exchange(other.dir_, std::string())) {}
  Staging& operator=(Staging&&) = delete;
  ~Staging() {
    if (!dir_.empty()) (void)files_.RemoveTree(dir_);  // else the next owner of the home removes it
  }
  std::string name() const { return dir_.substr(dir_.rfind('/') + 1); }
  std::string file() const { return os::JoinPath(dir_, ledger::kExportFile); }

 private:
  Staging(os::Files& files, std::string dir) : files_(files), dir_(std::move(dir)) {}
  os::Files& files_;
  std::string dir_;
};

Result<Json> Write(const Environment& environment, const ExportArgs& args,
                   const ledger::ExportRequest& request, const std::string& staging) {
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (!remote) {
    const auto ledger = FB_TRY(OpenLedger(environment));
    const ledger::Exported exported = FB_TRY(ledger->Export(request));
    return Json{
        {"rows", exported.rows}, {"columns", exported.columns}, {"commit", exported.commit}};
  }
  const Json body{{"query", Json::parse(ledger::CanonicalJson(request.query))},
                  {"focus", args.version},
                  {"format", args.file_format},
                  {"x_columns", args.x_columns},
                  {"staging", staging}};
  Json answer =
      Json::parse(FB_TRY(remote->Post("/api/v1/exports", body.dump(), true)), nullptr, false);
  if (answer.is_object() && answer.contains("rows")) return answer;
  return Fail(Code::kInternal, "the server's answer to the export is not understood");
}

// The staged file under its name, whole or not at all: it may have to go to another disk.
Status Place(os::Files& files, const std::string& staged, const std::string& out) {
  const std::string partial = out + ".partial";
  FB_CHECK(files.Remove(partial));
  const auto copy = [&]() -> Status {
    const std::unique_ptr<os::WritableFile> file = FB_TRY(files.OpenAppend(partial));
    for (uint64_t done = 0;;) {
      const std::string bytes = FB_TRY(files.ReadPart(staged, done, kCopyBytes));
      if (bytes.empty()) break;
      FB_CHECK(file->Append(bytes));
      done += bytes.size();
    }
    FB_CHECK(file->Sync());
    FB_CHECK(files.Rename(partial, out));
    return files.SyncDir(os::ParentPath(out));
  };
  Status copied = copy();
  if (!copied) (void)files.Remove(partial);  // what failed first is what is told
  return copied;
}

Result<Json> Export(const Environment& environment, const ExportArgs& args) {
  ledger::ExportRequest request;
  request.query = FB_TRY(ParseQueryArgs(args.query));
  request.version = FB_TRY(ledger::ParseExportVersion(args.version));
  request.format = FB_TRY(ledger::ParseExportFormat(args.file_format));
  request.x_columns = args.x_columns;
  if (!args.force && environment.files.Exists(args.out)) {
    return Fail(Code::kAlreadyExists, "'" + args.out + "' is there already",
                "name a new file, or say --force");
  }
  const Staging staging = FB_TRY(Staging::Make(environment));
  request.path = staging.file();
  Json report = FB_TRY(Write(environment, args, request, staging.name()));
  FB_CHECK(Place(environment.files, staging.file(), args.out));
  report["file"] = args.out;
  return report;
}

}  // namespace

int RunExport(const Environment& environment, const ExportArgs& args) {
  const Result<Json> report = Export(environment, args);
  if (!report) return Report(environment, report.error());
  if (environment.json()) {
    Print(report->dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    Print(fmt::format("{} charges in {} columns of FOCUS {} as of commit {}: {}",
                      (*report)["rows"].get<int64_t>(), (*report)["columns"].size(), args.version,
                      (*report)["commit"].get<std::string>(), args.out));
  }
  return kExitDone;
}

}  // namespace flyball::app
