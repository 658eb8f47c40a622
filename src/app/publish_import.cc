#include "app/publish_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ingest/gateway_charges.h"
#include "ingest/otlp/bill.h"
#include "ledger/slice_writer.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

// Bills that are made again from logs: what they restate is restated there. And corrections, whose
// month was closed while they were on their way: the next import of the bill makes them anew.
bool IsMadeHere(const std::string& source) {
  return source == ingest::kGatewaySource || source == otlp::kSource ||
         ledger::TakeApart(source).corrects;
}

Result<Json> BookCorrection(const Publishing& how, const std::string& source,
                            const ledger::CorrectionRequest& request) {
  const ledger::Correction correction = FB_TRY(how.ledger->WriteCorrection(request));
  Json told{{"period", request.period},       {"closed", !request.slice_dir.empty()},
            {"booked_in", correction.period}, {"source", correction.source},
            {"changes", correction.changes},  {"commit", nullptr}};
  if (correction.changes == 0 || how.dry_run) return told;
  const Json report =
      Json::parse(FB_TRY(how.import(request.path, correction.source)), nullptr, false);
  // It was sound when it was staged; what could not be read now would be lost.
  if (!report.is_object() || report.value("rows_quarantined", int64_t{1}) != 0) {
    return Fail(Code::kInternal,
                "the corrections of " + request.period + " could not be read again",
                "report this with the bill of " + source);
  }
  told["commit"] = report["commit"];
  return told;
}

// Whether the ledger's slices of these periods are of this very content already.
bool Stands(const std::vector<ledger::Slice>& live, const ledger::StagedImport& staged) {
  constexpr size_t kIdDigits = 16;
  const std::string id = staged.content_hash.substr(0, kIdDigits) + "-";
  return std::ranges::all_of(staged.slices, [&](const ledger::Slice& slice) {
    return std::ranges::any_of(live, [&](const ledger::Slice& each) {
      return each.source == slice.source && each.period == slice.period && each.id.starts_with(id);
    });
  });
}

// A row that can't be read is missing from what the bill says: its charge would be reversed.
Status CheckQuarantine(const ledger::StagedImport& staged,
                       const std::vector<ledger::CorrectionRequest>& requests) {
  if (staged.facts.rows_quarantined == 0) return {};
  for (const ledger::CorrectionRequest& request : requests) {
    if (request.slice_dir.empty()) continue;
    return Fail(Code::kFailedPrecondition,
                fmt::format("{} is closed, and {} rows of the bill can't be read: what it changes "
                            "can't be told",
                            request.period, staged.facts.rows_quarantined),
                "mend the rows (--dry-run names them), or open the period again: flyball reconcile "
                "--period " +
                    request.period + " --reopen");
  }
  return {};
}

std::string OverlapText(const ledger::Overlap& overlap, const std::string& source) {
  const auto named = [](std::string_view what, const std::string& value) {
    return value.empty() ? std::string() : fmt::format(" {} {}", what, value);
  };
  return fmt::format(
      "'{}' has {} of {} charges by hour of {}{}{}{} that the bill has, too: {} {} there, {} in the"
      " bill; under the name '{}' both count",
      overlap.source, overlap.shared, overlap.of, overlap.period, named("of", overlap.issuer),
      named("account", overlap.account), named("invoice", overlap.invoice),
      overlap.standing.ToString(), overlap.currency, overlap.billed.ToString(), source);
}

// Under the other's name the bill takes the place of all that it has of these periods: that is
// advised only where the bill has nearly all of it.
std::string RemedyOf(const ledger::Overlap& overlap) {
  constexpr int64_t kLostPercentMax = 10;
  if (overlap.lost_accounts.empty() && overlap.lost * 100 <= overlap.all * kLostPercentMax) {
    return fmt::format("to restate it: --source {}; if the bills are two: --beside",
                       overlap.source);
  }
  std::string accounts;
  for (const std::string& account : overlap.lost_accounts) {
    accounts += (accounts.empty() ? ", of accounts " : ", ") + (account.empty() ? "''" : account);
  }
  return fmt::format(
      "'{0}' has {1} charges by hour of these periods that this bill has not{2}, and would "
      "lose them: import all files of the bill together, --source {0}; if the bills are two: "
      "--beside",
      overlap.source, overlap.lost, accounts);
}

// Also of what it says of closed periods: of another source that is booked whole, too.
Result<Json> CheckOverlaps(const Publishing& how, const ledger::StagedImport& staged) {
  Json told = Json::array();
  if (how.ledger == nullptr || IsMadeHere(staged.source)) return told;
  for (const ledger::Overlap& overlap : FB_TRY(how.ledger->FindOverlaps(staged))) {
    if (IsMadeHere(overlap.source)) continue;
    const bool refused = overlap.certain && !overlap.own && !how.beside;
    const std::string text = OverlapText(overlap, staged.source);
    const std::string remedy = RemedyOf(overlap);
    if (refused && !how.dry_run) return Fail(Code::kFailedPrecondition, text, remedy);
    told.push_back({{"period", overlap.period},
                    {"source", overlap.source},
                    {"issuer", overlap.issuer},
                    {"billing_account", overlap.account},
                    {"currency", overlap.currency},
                    {"invoice", overlap.invoice},
                    {"billed_cost", overlap.billed.ToString()},
                    {"billed_cost_standing", overlap.standing.ToString()},
                    {"charges_shared", overlap.shared},
                    {"charges_of", overlap.of},
                    {"same_bill", overlap.certain},
                    {"refused", refused},
                    {"text", text},
                    {"remedy", remedy}});
  }
  return told;
}

// Takes the slices of closed periods out of what is staged.
Result<Json> BookCorrections(const Publishing& how, ledger::StagedImport* staged) {
  Json booked = Json::array();
  if (how.ledger == nullptr || IsMadeHere(staged->source)) return booked;
  const std::vector<std::string> closed = how.ledger->ClosedPeriods();
  const std::vector<ledger::Slice> live = how.ledger->LiveSlices();
  std::vector<ledger::CorrectionRequest> requests;
  std::vector<ledger::Slice> open;
  for (ledger::Slice& slice : staged->slices) {
    ledger::CorrectionRequest request;
    request.source = staged->source;
    request.period = slice.period;
    // Its charges name the bill that they come of.
    request.path = fmt::format("{}-{}.parquet", slice.period, slice.id);
    if (std::ranges::find(closed, slice.period) != closed.end()) {
      request.slice_dir = os::JoinPath(staged->staging_dir, slice.id);
      requests.push_back(std::move(request));
      staged->rows_corrected += slice.rows;
      continue;
    }
    const std::string source = ledger::CorrectionSource(staged->source, slice.period);
    if (std::ranges::find(live, source, &ledger::Slice::source) != live.end()) {
      requests.push_back(std::move(request));
    }
    open.push_back(std::move(slice));
  }
  staged->slices = std::move(open);
  if (requests.empty()) return booked;
  if (!how.dry_run) FB_CHECK(CheckQuarantine(*staged, requests));
  const std::string folder = FB_TRY(ledger::MakeStagingDir(how.files, how.home));
  const Status done = [&]() -> Status {
    for (ledger::CorrectionRequest& request : requests) {
      request.path = os::JoinPath(folder, request.path);
      Json told = FB_TRY(BookCorrection(how, staged->source, request));
      if (told["closed"] || told["changes"] != 0) booked.push_back(std::move(told));
    }
    return {};
  }();
  FB_CHECK(how.files.RemoveTree(folder));
  FB_CHECK(done);
  return booked;
}

}  // namespace

Result<std::string> PublishImport(const Publishing& how, ledger::StagedImport staged,
                                  const std::string& report_json) {
  Json report = Json::parse(report_json);
  const std::string staging_dir = staged.staging_dir;
  const Result<Json> overlaps = CheckOverlaps(how, staged);
  Result<Json> booked =
      overlaps ? BookCorrections(how, &staged) : Result<Json>(Fail(overlaps.error()));
  if (!booked || how.dry_run) FB_CHECK(how.files.RemoveTree(staging_dir));
  if (!booked) return Fail(std::move(booked).error());
  if (!overlaps->empty()) report["overlaps"] = *overlaps;
  if (!booked->empty()) {
    report["periods"] = Json::array();
    for (const ledger::Slice& slice : staged.slices) {
      report["periods"].push_back({{"period", slice.period}, {"rows", slice.rows}});
    }
    for (const Json& correction : *booked) {
      if (!correction["commit"].is_null()) report["commit"] = correction["commit"];
    }
    report["corrections"] = *booked;
  }
  if (how.dry_run) return report.dump();

  const bool corrected = !report["commit"].is_null();
  const bool nothing_staged = staged.slices.empty() && booked->empty();
  if (!nothing_staged && staged.quarantine_file.empty() &&
      Stands(how.ledger->LiveSlices(), staged)) {
    FB_CHECK(how.files.RemoveTree(staging_dir));
    report["unchanged"] = !corrected;
    if (!corrected) report["commit"] = how.ledger->Head();
    return report.dump();
  }
  report["commit"] = FB_TRY(how.ledger->Publish(std::move(staged))).id;
  return report.dump();
}

}  // namespace flyball::app
