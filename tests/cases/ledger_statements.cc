// Statements that change the ledger, or show what it is made of.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "ingest/import.h"
#include "ledger/commit_json.h"
#include "world.h"

namespace flyball::cases {
namespace {

std::string Number(int64_t value) { return std::to_string(value); }

Result<ingest::ImportOptions> ReadImportOptions(World& world, const Statement& statement,
                                                bool* dry_run) {
  ingest::ImportOptions options;
  options.home = world.Home();
  options.author = "case";
  options.threads = 2;
  for (const std::string& arg : statement.args) {
    if (arg.starts_with("source=")) {
      options.source = arg.substr(sizeof("source=") - 1);
    } else if (arg.starts_with("currency=")) {
      options.currency = arg.substr(sizeof("currency=") - 1);
    } else if (arg.starts_with("format=")) {
      FB_CHECK(ingest::SetFormat(arg.substr(sizeof("format=") - 1), &options));
    } else if (arg == "dry-run") {
      *dry_run = true;
    } else {
      options.files.push_back(world.InputPath(arg));
    }
  }
  return options;
}

void AddSums(const ledger::SumCheck& sums, const std::string& suffix, std::vector<Fact>* facts) {
  facts->push_back({"billed_in" + suffix + " " + sums.in});
  facts->push_back({"billed_kept" + suffix + " " + sums.kept});
  facts->push_back({"billed_quarantined" + suffix + " " + sums.quarantined});
  facts->push_back({"billed_residue" + suffix + " " + sums.residue});
}

std::vector<Fact> FactsOf(const ledger::ImportFacts& facts) {
  std::vector<Fact> out = {{"focus_version " + facts.focus_version},
                           {"rows_in " + Number(facts.rows_in)},
                           {"rows_kept " + Number(facts.rows_kept)},
                           {"rows_quarantined " + Number(facts.rows_quarantined)}};
  AddSums(facts.billed_cost, "", &out);
  for (const auto& [currency, sums] : facts.billed_cost_by_currency)
    AddSums(sums, "[" + currency + "]", &out);
  for (const auto& [kind, count] : facts.repairs)
    out.push_back({"repair " + kind + " " + Number(count)});
  for (const auto& [kind, count] : facts.findings)
    out.push_back({"finding " + kind + " " + Number(count)});
  for (const auto& [column, counts] : facts.lineage) {
    for (const auto& [how, count] : counts) {
      out.push_back({"lineage " + column + " " + how + " " + Number(count)});
    }
  }
  return out;
}

// Folders with files in them.
int64_t CountFolders(const std::string& root) {
  std::set<std::string> folders;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) folders.insert(entry.path().parent_path());
  }
  return static_cast<int64_t>(folders.size());
}

}  // namespace

Result<Outcome> RunImport(World& world, const Statement& statement) {
  bool dry_run = false;
  ingest::ImportOptions options = FB_TRY(ReadImportOptions(world, statement, &dry_run));
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  Outcome outcome;
  options.already_live = [&](const ingest::Scan& scan) {
    std::optional<ledger::Commit> same = ledger->FindUnchanged(scan.source, scan.content_hash);
    if (same) outcome.commit = same->id;
    return same.has_value();
  };
  ingest::Staged staged = FB_TRY(ingest::StageImport(options, world.files()));
  outcome.facts = {{"source " + staged.import.source},
                   {staged.unchanged ? "unchanged true" : "unchanged false"}};
  if (staged.unchanged) return outcome;
  std::vector<Fact> details = FactsOf(staged.import.facts);
  outcome.facts.insert(outcome.facts.end(), details.begin(), details.end());
  for (const ingest::QuarantinedRow& row : staged.quarantine) {
    outcome.facts.push_back({"quarantine " + Number(row.line), row.reason, true});
  }
  const ledger::ImportFacts& facts = staged.import.facts;
  if (facts.rows_in != facts.rows_kept + facts.rows_quarantined) {
    return Fail(Code::kInternal, "rows in are not rows kept + rows quarantined");
  }
  if (dry_run) {
    FB_CHECK(world.files().RemoveTree(staged.import.staging_dir));
    return outcome;
  }
  outcome.commit = FB_TRY(ledger->Publish(std::move(staged.import))).id;
  return outcome;
}

Result<Outcome> RunClassify(World& world, const Statement&) {
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  std::optional<ledger::Commit> commit = FB_TRY(ledger->Classify("case"));
  Outcome outcome;
  outcome.facts.push_back({commit ? "changed true" : "changed false"});
  outcome.commit = ledger->Head();
  return outcome;
}

Result<Outcome> RunCompact(World& world, const Statement&) {
  constexpr uint64_t kSmallBytes = 64u << 20;
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  std::optional<ledger::Commit> commit = FB_TRY(ledger->Compact("case", kSmallBytes));
  Outcome outcome;
  outcome.facts.push_back({commit ? "changed true" : "changed false"});
  if (commit) {
    outcome.facts.push_back({"packs " + Number(static_cast<int64_t>(commit->packs.size()))});
    int64_t members = 0;
    for (const ledger::Pack& pack : commit->packs) {
      members += static_cast<int64_t>(pack.members.size());
    }
    outcome.facts.push_back({"members " + Number(members)});
  }
  outcome.facts.push_back({"folders " + Number(CountFolders(world.Home() + "/slices"))});
  outcome.commit = ledger->Head();
  return outcome;
}

Result<Outcome> RunRebuild(World& world, const Statement&) {
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  ledger::RebuildReport report = FB_TRY(ledger->Rebuild());
  Outcome outcome;
  outcome.facts = {{"commits " + Number(report.commits)},
                   {"slices " + Number(report.slices)},
                   {"rows " + Number(report.rows)},
                   {"faults " + Number(static_cast<int64_t>(report.faults.size()))}};
  for (const std::string& fault : report.faults) outcome.facts.push_back({"fault", fault, true});
  return outcome;
}

Result<Outcome> Reopen(World& world, const Statement&) {
  world.Close();
  FB_TRY(world.Ledger());
  return Outcome{};
}

Result<Outcome> DeleteStore(World& world, const Statement&) {
  world.Close();
  FB_CHECK(world.files().RemoveTree(world.Home() + "/store"));
  return Outcome{};
}

Result<Outcome> EmptyHome(World& world, const Statement&) {
  FB_CHECK(world.ForgetHome());
  return Outcome{};
}

// Flips one byte in the middle of the first file of a slice whose name begins with the argument
// ("part", "rollup").
Result<Outcome> Damage(World& world, const Statement& statement) {
  if (statement.args.empty())
    return Fail(Code::kInvalidArgument, "damage: the beginning of a file's name is missing");
  world.Close();
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(world.Home() + "/slices")) {
    if (entry.path().filename().string().starts_with(statement.args.front()))
      paths.push_back(entry.path());
  }
  if (paths.empty()) return Fail(Code::kNotFound, "damage: no slice has such a file");
  std::sort(paths.begin(), paths.end());
  std::string bytes = FB_TRY(world.files().ReadAll(paths.front()));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
  FB_CHECK(os::AtomicWrite(world.files(), paths.front(), bytes));
  std::ignore = world.CheckSlicesUnchanged();  // what we changed ourselves is known from here on
  return Outcome{};
}

// "clock 2026-04-01T00:00:00Z": time goes on to there.
Result<Outcome> MoveClock(World& world, const Statement& statement) {
  if (statement.args.size() != 1)
    return Fail(Code::kInvalidArgument, "clock: one instant is expected");
  Instant wanted = FB_TRY(ParseUserInstant(statement.args.front()));
  if (wanted < world.clock().Now())
    return Fail(Code::kInvalidArgument, "clock: time does not go back");
  world.clock().Advance(wanted.us - world.clock().Now().us);
  return Outcome{};
}

Result<Outcome> ShowCommits(World& world, const Statement&) {
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  Outcome outcome;
  std::string parent;
  for (const ledger::Commit& commit : ledger->Commits()) {
    outcome.rows.push_back(
        JoinCells({Number(commit.sequence), std::string(ledger::CommitKindName(commit.kind)),
                   commit.source, "opens " + Number(static_cast<int64_t>(commit.opens.size())),
                   "closes " + Number(static_cast<int64_t>(commit.closes.size())),
                   FormatInstant(commit.time)}));
    if (commit.parent != parent)
      return Fail(Code::kInternal, "a commit does not name the one before it");
    parent = commit.id;
  }
  return outcome;
}

Result<Outcome> ShowSlices(World& world, const Statement& statement) {
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  Outcome outcome;
  for (const ledger::Slice& slice :
       ledger->LiveSlices(statement.args.empty() ? "" : statement.args.front())) {
    std::string billed;
    for (const auto& [currency, money] : slice.billed_by_currency) {
      billed += (billed.empty() ? "" : ", ") + money.ToString() + " " + currency;
    }
    outcome.rows.push_back(JoinCells({slice.source, slice.period, Number(slice.rows), billed}));
  }
  std::sort(outcome.rows.begin(), outcome.rows.end());
  return outcome;
}

}  // namespace flyball::cases
