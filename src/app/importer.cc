#include "app/importer.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/check_import.h"
#include "app/import_text.h"
#include "app/price_sources.h"
#include "app/publish_import.h"
#include "app/worker.h"
#include "base/text.h"
#include "estate/estate.h"
#include "ingest/import.h"
#include "ingest/native/mapped.h"

namespace flyball::app {
namespace {

std::string AbsolutePath(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).string();
}

ledger::LedgerOptions StoreOptions(const ingest::ImportOptions& import) {
  ledger::LedgerOptions options;
  options.home = import.home;
  // The store shares the process with the import.
  options.memory_bytes = std::min<uint64_t>(import.memory_bytes / 4, 512ull << 20);
  return options;
}

}  // namespace

Status ChooseFormat(const Environment& environment, std::string_view name,
                    ingest::ImportOptions* options) {
  Status shipped = ingest::SetFormat(name, options);
  if (shipped) return shipped;
  const std::string snapshot =
      FB_TRY(estate::LoadEstate(environment.files, os::JoinPath(environment.home, "estate.yaml")));
  const auto rules = FB_TRY(estate::RuleSet::Compile(snapshot));
  for (const estate::Mapping& mapping : rules->estate().mappings) {
    if (mapping.name == name) {
      options->mapped = native::FormatOf(mapping);
      options->native = options->mapped.get();
      return {};
    }
    shipped.error().hint += ", " + mapping.name;
  }
  shipped.error().hint += "; or map it under `mappings` of estate.yaml (docs/NATIVE.md)";
  return shipped;
}

Result<ingest::ImportOptions> ToImportOptions(const Environment& environment,
                                              const ImportArgs& args) {
  ingest::ImportOptions options;
  options.files = args.files;
  options.source = args.source;
  FB_CHECK(ChooseFormat(environment, args.input_format, &options));
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
  options.prices = [&environment] { return OpenPrices(environment, ""); };
  options.rows_expected = args.rows_expected;
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (!args.currency.empty() &&
      (args.currency.size() != 3 || !std::ranges::all_of(args.currency, is_letter))) {
    return Fail(Code::kInvalidArgument,
                "--currency '" + args.currency + "' is no code of three capital letters",
                "such as USD or EUR");
  }
  options.currency = args.currency;
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
  if (!args.currency.empty()) job["currency"] = args.currency;
  job["dry_run"] = args.dry_run;
  job["beside"] = args.beside;
  if (args.rows_expected) job["rows_expected"] = *args.rows_expected;
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
  std::string report = FB_TRY(StageHere(args));
  CheckImported(*environment_, args.files, report);
  return report;
}

Result<std::string> Importer::StageHere(const ImportArgs& args) {
  const ingest::ImportOptions options = FB_TRY(ToImportOptions(*environment_, args));
  os::Files& files = environment_->files;
  if (ledger_ != nullptr || ledger::HomeExists(files, environment_->home)) {
    if (ledger_ == nullptr) {
      ledger_ = FB_TRY(ledger::Ledger::Open(StoreOptions(options), files, environment_->clock));
    }
    return StageAndPublish(options, args, std::nullopt);
  }
  return StageAndPublish(options, args, FB_TRY(ledger::NewHome::Hold(files, environment_->home)));
}

Result<std::string> Importer::StageAndPublish(ingest::ImportOptions options, const ImportArgs& args,
                                              std::optional<ledger::NewHome> new_home) {
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
  if (new_home && !args.dry_run) {
    ledger_ = FB_TRY(std::move(*new_home).Open(StoreOptions(options), environment_->clock));
  }
  const Publishing how{
      environment_->files,
      environment_->home,
      ledger_.get(),
      args.dry_run,
      args.beside,
      [&](const std::string& file, const std::string& source) -> Result<std::string> {
        ingest::ImportOptions correction = options;
        correction.files = {file};
        correction.source = source;
        correction.rows_expected.reset();
        FB_CHECK(ingest::SetFormat("focus-parquet", &correction));
        return StageAndPublish(correction, {}, std::nullopt);
      }};
  const std::string report = ingest::ImportReportJson("", staged, false);
  return PublishImport(how, std::move(staged.import), report);
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
