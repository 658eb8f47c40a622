#include "ledger/commit_json.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "ledger/history.h"

namespace flyball::ledger {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> kKindNames = {"import", "classify", "compact", "close",
                                                        "reopen"};
constexpr size_t kIdDigits = 16;

json ToJson(const SumCheck& sums) {
  return {{"in", sums.in},
          {"kept", sums.kept},
          {"quarantined", sums.quarantined},
          {"residue", sums.residue}};
}

SumCheck SumsFrom(const json& value) {
  SumCheck sums;
  value.at("in").get_to(sums.in);
  value.at("kept").get_to(sums.kept);
  value.at("quarantined").get_to(sums.quarantined);
  value.at("residue").get_to(sums.residue);
  return sums;
}

json ToJson(const std::vector<SliceFile>& files) {
  json values = json::array();
  for (const SliceFile& file : files) {
    values.push_back(
        {{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"rows", file.rows}});
  }
  return values;
}

std::vector<SliceFile> FilesFrom(const json& values) {
  std::vector<SliceFile> files;
  for (const json& each : values) {
    SliceFile& file = files.emplace_back();
    each.at("name").get_to(file.name);
    each.at("bytes").get_to(file.bytes);
    each.at("sha256").get_to(file.sha256);
    each.at("rows").get_to(file.rows);
  }
  return files;
}

json ToJson(const Slice& slice) {
  json billed = json::object();
  for (const auto& [currency, amount] : slice.billed_by_currency) {
    billed[currency] = amount.ToString();
  }
  return {{"id", slice.id},     {"source", slice.source}, {"period", slice.period},
          {"rows", slice.rows}, {"billed_cost", billed},  {"files", ToJson(slice.files)}};
}

Result<Slice> SliceFrom(const json& value) {
  Slice slice;
  value.at("id").get_to(slice.id);
  value.at("source").get_to(slice.source);
  value.at("period").get_to(slice.period);
  value.at("rows").get_to(slice.rows);
  for (const auto& [currency, amount] : value.at("billed_cost").items()) {
    slice.billed_by_currency.emplace(currency,
                                     FB_TRY(Money::Parse(amount.get_ref<const std::string&>())));
  }
  slice.files = FilesFrom(value.at("files"));
  if (!os::IsPlainName(slice.id) || !os::IsPlainName(slice.source) || !IsPeriod(slice.period)) {
    return Fail(Code::kDataLoss, "a slice has a name that is no plain name");
  }
  return slice;
}

json ToJson(const Pack& pack) {
  return {{"id", pack.id},
          {"source", pack.source},
          {"members", pack.members},
          {"files", ToJson(pack.files)}};
}

Result<Pack> PackFrom(const json& value) {
  Pack pack;
  value.at("id").get_to(pack.id);
  value.at("source").get_to(pack.source);
  value.at("members").get_to(pack.members);
  pack.files = FilesFrom(value.at("files"));
  if (!os::IsPlainName(pack.id) || !os::IsPlainName(pack.source)) {
    return Fail(Code::kDataLoss, "a pack has a name that is no plain name");
  }
  return pack;
}

json ToJson(const ImportFacts& facts) {
  json files = json::array();
  for (const auto& [name, sha256] : facts.files) {
    files.push_back({{"name", name}, {"sha256", sha256}});
  }
  json by_currency = json::object();
  for (const auto& [currency, sums] : facts.billed_cost_by_currency) {
    by_currency[currency] = ToJson(sums);
  }
  return {{"focus_version", facts.focus_version},
          {"files", files},
          {"rows_in", facts.rows_in},
          {"rows_kept", facts.rows_kept},
          {"rows_quarantined", facts.rows_quarantined},
          {"billed_cost", ToJson(facts.billed_cost)},
          {"billed_cost_by_currency", by_currency},
          {"repairs", facts.repairs},
          {"findings", facts.findings},
          {"lineage", facts.lineage}};
}

ImportFacts FactsFrom(const json& value) {
  ImportFacts facts;
  value.at("focus_version").get_to(facts.focus_version);
  for (const json& file : value.at("files")) {
    facts.files.emplace_back(file.at("name").get<std::string>(),
                             file.at("sha256").get<std::string>());
  }
  value.at("rows_in").get_to(facts.rows_in);
  value.at("rows_kept").get_to(facts.rows_kept);
  value.at("rows_quarantined").get_to(facts.rows_quarantined);
  facts.billed_cost = SumsFrom(value.at("billed_cost"));
  for (const auto& [currency, sums] : value.at("billed_cost_by_currency").items()) {
    facts.billed_cost_by_currency.emplace(currency, SumsFrom(sums));
  }
  value.at("repairs").get_to(facts.repairs);
  value.at("findings").get_to(facts.findings);
  value.at("lineage").get_to(facts.lineage);
  return facts;
}

json ToJson(const Commit& commit) {
  json opens = json::array();
  for (const Slice& slice : commit.opens) opens.push_back(ToJson(slice));
  json value = {{"sequence", commit.sequence},
                {"parent", commit.parent},
                {"kind", CommitKindName(commit.kind)},
                {"time", FormatInstant(commit.time)},
                {"time_us", commit.time.us},
                {"author", commit.author},
                {"source", commit.source},
                {"content_hash", commit.content_hash},
                {"rules", commit.rules},
                {"opens", opens},
                {"closes", commit.closes}};
  if (commit.kind == CommitKind::kCompact) {
    json packs = json::array();
    for (const Pack& pack : commit.packs) packs.push_back(ToJson(pack));
    value["packs"] = std::move(packs);
  }
  if (commit.kind == CommitKind::kImport) value["import"] = ToJson(commit.facts);
  if (!commit.period.empty()) value["period"] = commit.period;
  return value;
}

Result<Commit> CommitFrom(const json& value) {
  Commit commit;
  value.at("sequence").get_to(commit.sequence);
  value.at("parent").get_to(commit.parent);
  auto kind = std::ranges::find(kKindNames, value.at("kind").get_ref<const std::string&>());
  if (kind == kKindNames.end()) {
    return Fail(Code::kDataLoss, "the log has a commit of an unknown kind",
                "use the version of flyball that wrote it, or a newer one");
  }
  commit.kind = static_cast<CommitKind>(kind - kKindNames.begin());
  value.at("time_us").get_to(commit.time.us);
  value.at("author").get_to(commit.author);
  value.at("source").get_to(commit.source);
  value.at("content_hash").get_to(commit.content_hash);
  value.at("rules").get_to(commit.rules);
  for (const json& slice : value.at("opens")) commit.opens.push_back(FB_TRY(SliceFrom(slice)));
  value.at("closes").get_to(commit.closes);
  if (commit.kind == CommitKind::kCompact) {
    for (const json& pack : value.at("packs")) commit.packs.push_back(FB_TRY(PackFrom(pack)));
  }
  if (commit.kind == CommitKind::kImport) commit.facts = FactsFrom(value.at("import"));
  commit.period = value.value("period", "");
  return commit;
}

// Names come from file names and bills: what is not UTF-8 must not stop a commit from being
// written.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string_view CommitKindName(CommitKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string EncodeRecord(const Commit& commit) { return Dump(ToJson(commit)); }

Result<Commit> DecodeRecord(std::string_view record) {
  try {
    return CommitFrom(json::parse(record));
  } catch (const json::exception& e) {
    return Fail(Code::kDataLoss, std::string("a record of the log cannot be read: ") + e.what());
  }
}

std::string CommitId(std::string_view parent, std::string_view record) {
  Sha256 hash;
  hash.Update(parent);
  hash.Update(record);
  Digest digest = hash.Finish();
  return Hex(digest).substr(0, kIdDigits);
}

std::string CommitJson(const Commit& commit, CommitDetail detail) {
  json value = ToJson(commit);
  value["id"] = commit.id;
  value.erase("time_us");
  if (commit.kind == CommitKind::kImport) {
    const int64_t rows = RowsInSlices(commit);
    value["import"]["rows_in_slices"] = rows;
    value["import"]["rows_corrected"] = commit.facts.rows_kept - rows;
  }
  if (detail == CommitDetail::kBrief && value.contains("import")) value["import"].erase("lineage");
  return Dump(value);
}

}  // namespace flyball::ledger
