#include "app/importer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/import_text.h"
#include "app/worker.h"
#include "base/text.h"
#include "ingest/import.h"

namespace flyball::app {
namespace {

std::string AbsolutePath(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).string();
}

// The folder and those above it that do not exist, innermost first.
std::vector<std::string> MissingFolders(std::filesystem::path folder) {
  std::vector<std::string> missing;
  std::error_code ignored;
  for (; folder.has_relative_path() && !std::filesystem::exists(folder, ignored);
       folder = folder.parent_path()) {
    missing.push_back(folder.string());
  }
  return missing;
}

// What somebody else has put into one of them in the meantime keeps it.
void RemoveEmpty(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) rmdir(folder.c_str());
}

}  // namespace

Result<ingest::ImportOptions> ToImportOptions(const Environment& environment,
                                              const ImportArgs& args) {
  ingest::ImportOptions options;
  options.files = args.files;
  options.source = args.source;
  if (!args.input_format.empty()) options.format = FB_TRY(ingest::ParseFormat(args.input_format));
  options.home = environment.home;
  const int64_t memory = ParseBytes(args.memory);
  if (memory < kMemoryMinBytes) {
    return Fail(Code::kInvalidArgument,
                fmt::format("--memory '{}' is no size of at least {}", args.memory,
                            FormatBytes(kMemoryMinBytes)),
                "such as 256MiB or 2GiB");
  }
  options.memory_bytes = static_cast<uint64_t>(memory);
  options.author = Author();
  options.progress = [&environment](uint64_t done, uint64_t total) {
    return ShowProgress(environment, "importing", done, total);
  };
  return options;
}

Result<Importer> Importer::Open(const Environment& environment) {
  Importer importer(environment);
  importer.remote_ = FB_TRY(Remote::Find(environment));
  return importer;
}

Result<std::string> Importer::Import(const ImportArgs& args) {
  if (!remote_) return ImportHere(args);
  nlohmann::json job;
  for (const std::string& file : args.files) job["files"].push_back(AbsolutePath(file));
  job["source"] = args.source;
  job["format"] = args.input_format;
  job["memory"] = args.memory;
  job["dry_run"] = args.dry_run;
  job["author"] = Author();
  std::string body;
  try {
    body = job.dump();
  } catch (const nlohmann::json::exception&) {
    return Fail(Code::kInvalidArgument, "the server takes names in UTF-8 only",
                "rename the file, or stop the server to import it");
  }
  return remote_->Post("/api/v1/imports", body, true);
}

Result<std::string> Importer::ImportHere(const ImportArgs& args) {
  ingest::ImportOptions options = FB_TRY(ToImportOptions(*environment_, args));
  // A home comes into being with its first commit: a bad bill or a dry run leaves none.
  std::vector<std::string> made;
  if (ledger_ == nullptr && HomeIsNew()) {
    made = MissingFolders(os::JoinPath(environment_->home, "tmp"));
  } else if (ledger_ == nullptr) {
    FB_CHECK(OpenHome(options.memory_bytes));
  }
  Result<std::string> report = StageAndPublish(std::move(options), args.dry_run);
  // Another process may have made a home of it meanwhile.
  if (ledger_ == nullptr && HomeIsNew()) RemoveEmpty(made);
  return report;
}

bool Importer::HomeIsNew() const {
  const auto exists = [&](const char* name) {
    return environment_->files.Exists(os::JoinPath(environment_->home, name));
  };
  return !exists("VERSION") && !exists("LOCK") && !exists("log");
}

Status Importer::OpenHome(uint64_t import_memory_bytes) {
  ledger::LedgerOptions options;
  options.home = environment_->home;
  // The store shares the process with the import.
  options.memory_bytes = std::min<uint64_t>(import_memory_bytes / 4, 512ull << 20);
  ledger_ = FB_TRY(ledger::Ledger::Open(options, environment_->files, environment_->clock));
  return {};
}

Result<std::string> Importer::StageAndPublish(ingest::ImportOptions options, bool dry_run) {
  std::optional<ledger::Commit> live;
  options.already_live = [&](const ingest::Scan& scan) {
    if (ledger_ != nullptr) live = ledger_->FindUnchanged(scan.source, scan.content_hash);
    return live.has_value();
  };
  ingest::Staged staged = FB_TRY(ingest::StageImport(options, environment_->files));
  if (staged.unchanged) {
    staged.import.facts = live->facts;
    return ingest::ImportReportJson(live->id, staged, true);
  }
  if (dry_run) {
    FB_CHECK(environment_->files.RemoveTree(staged.import.staging_dir));
    return ingest::ImportReportJson("", staged, false);
  }
  if (ledger_ == nullptr) {
    if (Status opened = OpenHome(options.memory_bytes); !opened) {
      (void)environment_->files.RemoveTree(staged.import.staging_dir);
      return Fail(std::move(opened).error());
    }
  }
  // Another import of the same bill may have come first while this one was staged.
  live = ledger_->FindUnchanged(staged.import.source, staged.import.content_hash);
  if (live) {
    FB_CHECK(environment_->files.RemoveTree(staged.import.staging_dir));
    staged.unchanged = true;
    staged.import.facts = live->facts;
    return ingest::ImportReportJson(live->id, staged, true);
  }
  const ledger::Commit commit = FB_TRY(ledger_->Publish(staged.import));
  return ingest::ImportReportJson(commit.id, staged, false);
}

int RunImport(const Environment& environment, const ImportArgs& args) {
  if (environment.format == "csv") {
    return Report(
        environment,
        Error{Code::kInvalidArgument, "the report of an import is a table or JSON", "", {}});
  }
  Result<Importer> importer = Importer::Open(environment);
  if (!importer) return Report(environment, importer.error());
  const Result<std::string> report = importer->Import(args);
  EndProgress(environment);
  if (!report) return Report(environment, report.error());
  Print(environment.json() ? *report : ImportText(*report));
  return kExitDone;
}

}  // namespace flyball::app
