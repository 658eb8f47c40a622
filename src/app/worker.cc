#include "app/worker.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <charconv>
#include <csignal>
#include <nlohmann/json.hpp>

#include "app/error_json.h"
#include "app/publish_import.h"
#include "base/text.h"
#include "ledger/commit_json.h"
#include "ledger/commit_log.h"
#include "os/process.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kProgress = "progress ";

// What the child says: the staged import in the form of the commit that it becomes.
std::string EncodeStaged(const ingest::Staged& staged, const std::string& report) {
  ledger::Commit commit;
  commit.source = staged.import.source;
  commit.content_hash = staged.import.content_hash;
  commit.author = staged.import.author;
  commit.opens = staged.import.slices;
  commit.facts = staged.import.facts;
  const Json json{{"record", ledger::EncodeRecord(commit)},
                  {"staging_dir", staged.import.staging_dir},
                  {"quarantine_file", staged.import.quarantine_file},
                  {"report", Json::parse(report)}};
  return json.dump();
}

struct ChildAnswer {
  ledger::StagedImport import;
  Json report;
};

Result<ChildAnswer> DecodeStaged(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("record") || !json.contains("report")) {
    return Fail(Code::kInternal, "the import process did not say what it staged");
  }
  ledger::Commit commit = FB_TRY(ledger::DecodeRecord(json["record"].get<std::string>()));
  ChildAnswer answer;
  answer.import.source = commit.source;
  answer.import.content_hash = commit.content_hash;
  answer.import.author = commit.author;
  answer.import.slices = std::move(commit.opens);
  answer.import.facts = std::move(commit.facts);
  answer.import.staging_dir = json.value("staging_dir", "");
  answer.import.quarantine_file = json.value("quarantine_file", "");
  answer.report = std::move(json["report"]);
  return answer;
}

// The live commit of this content, read beside the server that owns the log.
std::optional<ledger::Commit> FindLive(const Environment& environment, const ingest::Scan& scan) {
  const auto history =
      ledger::ReadHistory(environment.files, os::JoinPath(environment.home, "log/ledger.journal"));
  if (!history) return std::nullopt;
  return history->FindUnchanged(scan.source, scan.content_hash);
}

std::vector<std::string> ChildArguments(const Environment& environment,
                                        const serve::ImportJob& job) {
  std::vector<std::string> argv{environment.program, "import-worker", "--home", environment.home};
  if (!job.source.empty()) argv.push_back("--source=" + job.source);
  if (!job.format.empty()) argv.push_back("--input-format=" + job.format);
  if (!job.author.empty()) argv.push_back("--author=" + job.author);
  if (!job.currency.empty()) argv.push_back("--currency=" + job.currency);
  if (job.memory_bytes > 0) {
    argv.insert(argv.end(), {"--memory", std::to_string(job.memory_bytes)});
  }
  if (job.rows_expected) {
    argv.insert(argv.end(), {"--rows-expected", std::to_string(*job.rows_expected)});
  }
  argv.emplace_back("--");
  argv.insert(argv.end(), job.files.begin(), job.files.end());
  return argv;
}

bool ParseProgress(std::string_view line, uint64_t* done, uint64_t* total) {
  if (!line.starts_with(kProgress)) return false;
  const auto words = SplitText(line.substr(kProgress.size()), ' ');
  if (words.size() != 2) return false;
  return std::from_chars(words[0].begin(), words[0].end(), *done).ec == std::errc() &&
         std::from_chars(words[1].begin(), words[1].end(), *total).ec == std::errc();
}

Result<std::string> StageHere(const Environment& environment, const ImportArgs& args) {
  ingest::ImportOptions options = FB_TRY(ToImportOptions(environment, args));
  if (!args.author.empty()) options.author = args.author;
  options.progress = [](uint64_t done, uint64_t total) {
    Say(fmt::format("{}{} {}", kProgress, done, total));
    return !os::StopRequested();
  };
  std::optional<ledger::Commit> live;
  options.already_live = [&](const ingest::Scan& scan) {
    live = FindLive(environment, scan);
    return live.has_value();
  };
  ingest::Staged staged = FB_TRY(ingest::StageImport(options, environment.files));
  if (staged.unchanged) staged.import.facts = live->facts;
  return EncodeStaged(
      staged, ingest::ImportReportJson(staged.unchanged ? live->id : "", staged, staged.unchanged));
}

}  // namespace

int RunImportWorker(const Environment& environment, const ImportArgs& args) {
  // A server that is gone can't publish what is staged.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  Environment worker = environment;
  worker.format = "json";
  const Result<std::string> staged = StageHere(worker, args);
  if (!staged) return Report(worker, staged.error());
  Print(*staged);
  return kExitDone;
}

Result<std::string> ImportInChild(const Environment& environment, ledger::Ledger& ledger,
                                  const serve::ImportJob& job,
                                  const serve::ImportProgress& progress,
                                  const std::stop_token& stop) {
  os::ChildOptions options;
  options.argv = ChildArguments(environment, job);
  os::Child* running = nullptr;
  options.on_error_line = [&](std::string_view line) {
    uint64_t done = 0;
    uint64_t total = 0;
    if (!ParseProgress(line, &done, &total) || !progress) return;
    if (!progress(done, total) && running != nullptr) running->Kill(SIGTERM);
  };
  os::Child child = FB_TRY(os::Child::Spawn(options));
  running = &child;
  const Result<os::ChildExit> waited = [&] {
    // The child commits nothing: what it leaves in the home's tmp is swept when the home opens
    // next.
    const std::stop_callback end(stop, [&] { child.Kill(SIGKILL); });
    return child.Wait();
  }();
  if (stop.stop_requested()) {
    return Fail(Code::kUnavailable, "the server is stopping; nothing was imported",
                "import again later");
  }
  const os::ChildExit exit = FB_TRY(waited);
  if (exit.exit_code != 0) {
    const std::string_view tail = Trim(exit.error_tail);
    const std::string_view last = tail.substr(tail.rfind('\n') + 1);
    return Fail(ErrorFromJson(exit.output,
                              fmt::format("the import process ended with code {}, signal {}: {}",
                                          exit.exit_code, exit.signal_number, last)));
  }
  ChildAnswer answer = FB_TRY(DecodeStaged(exit.output));
  if (answer.report.value("unchanged", false)) return answer.report.dump();
  const Publishing how{
      environment.files,
      environment.home,
      &ledger,
      job.dry_run,
      job.beside,
      [&](const std::string& file, const std::string& source) -> Result<std::string> {
        serve::ImportJob correction;
        correction.files = {file};
        correction.source = source;
        correction.format = "focus-parquet";
        correction.author = job.author;
        correction.memory_bytes = job.memory_bytes;
        return ImportInChild(environment, ledger, correction, {}, stop);
      }};
  return PublishImport(how, std::move(answer.import), answer.report.dump());
}

}  // namespace flyball::app
