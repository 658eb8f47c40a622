// What an import says of itself.
#include <nlohmann/json.hpp>

#include "ingest/import.h"

namespace flyball::ingest {
namespace {

using Json = nlohmann::ordered_json;

Json SumsJson(const ledger::SumCheck& sums) {
  return {{"in", sums.in},
          {"kept", sums.kept},
          {"quarantined", sums.quarantined},
          {"residue", sums.residue}};
}

}  // namespace

Status SetFormat(std::string_view name, ImportOptions* options) {
  options->format = Format::kDetect;
  options->native = native::FindFormat(name);
  if (name.empty() || name == "detect" || options->native != nullptr) return {};
  struct Name {
    std::string_view name;
    Format format;
  };
  for (const Name& known :
       {Name{"focus-csv", Format::kFocusCsv}, Name{"focus-parquet", Format::kFocusParquet},
        Name{"focus-jsonl", Format::kFocusJsonl}}) {
    if (name != known.name) continue;
    options->format = known.format;
    return {};
  }
  std::string names = "focus-csv, focus-parquet, focus-jsonl";
  for (const native::Format& format : native::Formats()) names.append(", ").append(format.name);
  return Fail(Code::kInvalidArgument, "'" + std::string(name) + "' is no import format",
              "leave it out to have it detected, or use one of " + names);
}

std::string ImportReportJson(const std::string& commit_id, const Staged& staged, bool unchanged) {
  const ledger::ImportFacts& facts = staged.import.facts;
  Json report;
  report["commit"] = commit_id.empty() ? Json(nullptr) : Json(commit_id);
  report["source"] = staged.import.source;
  report["content_hash"] = staged.import.content_hash;
  report["focus_version"] = facts.focus_version;
  report["rows_in"] = facts.rows_in;
  report["rows_kept"] = facts.rows_kept;
  report["rows_quarantined"] = facts.rows_quarantined;
  report["billed_cost"] = SumsJson(facts.billed_cost);
  Json by_currency = Json::object();
  for (const auto& [currency, sums] : facts.billed_cost_by_currency) {
    by_currency[currency] = SumsJson(sums);
  }
  report["billed_cost_by_currency"] = by_currency;
  report["periods"] = Json::array();
  for (const ledger::Slice& slice : staged.import.slices) {
    report["periods"].push_back({{"period", slice.period}, {"rows", slice.rows}});
  }
  report["repairs"] = Json::object();
  for (const auto& [kind, count] : facts.repairs) report["repairs"][kind] = count;
  report["findings"] = Json::object();
  for (const auto& [kind, count] : facts.findings) report["findings"][kind] = count;
  report["lineage"] = Json::object();
  for (const auto& [column, counts] : facts.lineage) report["lineage"][column] = counts;
  report["quarantine"] = Json::array();
  for (const QuarantinedRow& row : staged.quarantine) {
    report["quarantine"].push_back(
        {{"file", row.file}, {"line", row.line}, {"reason", row.reason}});
  }
  report["unchanged"] = unchanged;
  return report.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::ingest
