// flyball commits, classify, compact, rebuild, migrate: looking after the ledger.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/commits.h"
#include "app/open_ledger.h"
#include "app/remote.h"
#include "app/table.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "serve/service.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

// A commit as JSON, or null when there was nothing to do.
Result<Json> CommitOrNull(Result<std::optional<ledger::Commit>> result) {
  const std::optional<ledger::Commit> commit = FB_TRY(std::move(result));
  if (!commit) return Json();
  return Json::parse(ledger::CommitJson(*commit), nullptr, false);
}

int PrintCommitOrNothing(const Environment& environment, const Result<Json>& commit,
                         std::string_view nothing) {
  if (!commit) return Report(environment, commit.error());
  const Json& inner = commit->is_object() && commit->contains("commit") &&
                              ((*commit)["commit"].is_object() || (*commit)["commit"].is_null())
                          ? (*commit)["commit"]
                          : *commit;
  if (environment.json()) {
    Print(Json{{"commit", inner}}.dump());
  } else if (inner.is_null()) {
    Print(nothing);
  } else {
    Print("commit " + inner.value("id", ""));
  }
  return kExitDone;
}

Result<Json> Classify(const Environment& environment) {
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (remote) {
    return Json::parse(FB_TRY(remote->Post("/api/v1/classify", "{}", true)), nullptr, false);
  }
  const auto ledger = FB_TRY(OpenLedger(environment));
  return CommitOrNull(ledger->Classify(Author()));
}

Result<Json> Compact(const Environment& environment, const CompactArgs& args) {
  const int64_t small = ParseBytes(args.small);
  if (small < 0) {
    return Fail(Code::kInvalidArgument, fmt::format("--small '{}' is no size", args.small),
                "such as 64MiB");
  }
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (remote) {
    const Json body{{"small_bytes", small}};
    return Json::parse(FB_TRY(remote->Post("/api/v1/compact", body.dump(), true)), nullptr, false);
  }
  const auto ledger = FB_TRY(OpenLedger(environment));
  return CommitOrNull(ledger->Compact(Author(), static_cast<uint64_t>(small)));
}

Result<ledger::RebuildReport> Rebuild(const Environment& environment) {
  FB_CHECK(RefuseWhileServed(environment, "rebuild"));
  const auto ledger = FB_TRY(OpenLedger(environment));
  return ledger->Rebuild();
}

Result<std::string> Migrate(const Environment& environment) {
  FB_CHECK(RefuseWhileServed(environment, "migrate"));
  return ledger::MigrateHome(environment.files, environment.home);
}

}  // namespace

int RunCommits(const Environment& environment) {
  const Result<std::string> text = ListCommits(environment);
  if (!text) return Report(environment, text.error());
  const Json commits = Json::parse(*text, nullptr, false);
  if (environment.json()) {
    Print(Json{{"commits", commits}}.dump());
    return kExitDone;
  }
  Table table{{"sequence", "commit", "time", "kind", "source", "rows", "author"}, {}};
  for (const Json& commit : commits) {
    const Json facts = commit.value("import", Json::object());
    table.rows.push_back(
        {std::to_string(commit.value("sequence", int64_t{0})), commit.value("id", ""),
         commit.value("time", ""), commit.value("kind", ""), commit.value("source", ""),
         std::to_string(facts.value("rows_in_slices", int64_t{0})), commit.value("author", "")});
  }
  Print(environment, table);
  return kExitDone;
}

int RunClassify(const Environment& environment) {
  return PrintCommitOrNothing(environment, Classify(environment),
                              "the rules in force are those of estate.yaml already");
}

int RunCompact(const Environment& environment, const CompactArgs& args) {
  return PrintCommitOrNothing(environment, Compact(environment, args), "no small files to join");
}

int RunRebuild(const Environment& environment) {
  const Result<ledger::RebuildReport> report = Rebuild(environment);
  if (!report) return Report(environment, report.error());
  if (environment.json()) {
    Print(Json{{"commits", report->commits},
               {"slices", report->slices},
               {"rows", report->rows},
               {"faults", report->faults}}
              .dump());
  } else {
    for (const std::string& fault : report->faults) Say("fault: " + fault);
    Print(fmt::format("{} commits, {} slices, {} charges verified, {} faults; the store is new",
                      report->commits, report->slices, report->rows, report->faults.size()));
  }
  return report->faults.empty() ? kExitDone : kExitFound;
}

int RunMigrate(const Environment& environment) {
  const Result<std::string> done = Migrate(environment);
  if (!done) return Report(environment, done.error());
  Print(environment.json() ? Json{{"migrated", *done}}.dump() : *done);
  return kExitDone;
}

}  // namespace flyball::app
