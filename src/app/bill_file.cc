#include "app/bill_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/price_sources.h"
#include "app/worker.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "ingest/gateway_charges.h"
#include "ingest/import.h"
#include "ledger/cost_query.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kInvoiceMaxBytes = 512u << 20;
constexpr int64_t kPage = 10'000;
constexpr char kColumns[] =
    "COLUMNS('^(ServiceProviderName|x_Model|SkuPriceDetails|BillingCurrency|ChargePeriodStart|"
    "x_RequestId|SkuMeter|ConsumedQuantity|BilledCost|x_Confidence)$')";

// Staged as for an import, read, and thrown away.
Result<std::vector<reconcile::BillLine>> ReadStaged(const Environment& environment,
                                                    const ingest::Staged& staged,
                                                    const std::string& name) {
  std::string parts;
  for (const ledger::Slice& slice : staged.import.slices) {
    parts += parts.empty() ? "" : ", ";
    parts += engine::QuoteLiteral(
        os::JoinPath(os::JoinPath(staged.import.staging_dir, slice.id), "part-*.parquet"));
  }
  if (parts.empty()) return std::vector<reconcile::BillLine>();
  engine::DatabaseOptions options;
  options.allowed_dirs = {os::JoinPath(environment.home, "tmp")};
  engine::Database database = FB_TRY(engine::Database::Open(options));
  engine::Connection connection = FB_TRY(database.Connect());
  const engine::Answer answer =
      FB_TRY(connection.Query(fmt::format("SELECT {} FROM read_parquet([{}], union_by_name = true,"
                                          " hive_partitioning = false)",
                                          kColumns, parts)));
  std::vector<std::string> columns;
  for (int c = 0; c < answer.column_count(); ++c) columns.emplace_back(answer.column_name(c));
  std::vector<reconcile::Cells> rows;
  for (int64_t row = 0; row < answer.row_count(); ++row) {
    reconcile::Cells& cells = rows.emplace_back();
    for (int c = 0; c < answer.column_count(); ++c) {
      cells.push_back(answer.IsNull(row, c) ? std::nullopt
                                            : std::optional<std::string>(answer.AnyText(row, c)));
    }
  }
  return reconcile::ReadCharges(columns, rows, name, 1);
}

Result<std::vector<reconcile::BillLine>> ReadFocus(const Environment& environment,
                                                   const std::string& path,
                                                   const std::string& name) {
  ImportArgs args;
  args.files = {path};
  args.source = "bill";
  ingest::ImportOptions options = FB_TRY(ToImportOptions(environment, args));
  const ingest::Staged staged = FB_TRY(ingest::StageImport(options, environment.files));
  EndProgress(environment);
  Result<std::vector<reconcile::BillLine>> lines =
      staged.import.facts.rows_quarantined > 0
          ? Fail(Code::kInvalidArgument,
                 fmt::format("{} rows of '{}' can't be read; the first: {}",
                             staged.import.facts.rows_quarantined, name,
                             staged.quarantine.empty() ? "" : staged.quarantine.front().reason),
                 "`flyball import --dry-run` shows them")
          : ReadStaged(environment, staged, name);
  FB_CHECK(environment.files.RemoveTree(staged.import.staging_dir));
  return lines;
}

// The providers in the ledger that are one of the vendors, as they are spelled there.
Result<std::vector<std::string>> ProvidersOf(const Environment& environment,
                                             const std::vector<std::string>& vendors,
                                             QueryArgs args) {
  args.measures = "charges";
  args.by = "provider";
  const Json answer = Json::parse(FB_TRY(AnswerQuery(environment, args)), nullptr, false);
  std::vector<std::string> providers;
  for (const Json& row : answer.value("rows", Json::array())) {
    const std::string provider = row.value("provider", "");
    if (std::ranges::find(vendors, rates::CanonicalProvider(provider)) != vendors.end() &&
        std::ranges::find(providers, provider) == providers.end()) {
      providers.push_back(provider);
    }
  }
  return providers;
}

}  // namespace

Result<reconcile::Bill> ReadBillFile(const Environment& environment, const std::string& path,
                                     const std::string& vendor,
                                     std::span<const reconcile::CallFact> calls) {
  reconcile::Bill bill;
  bill.name = std::filesystem::path(path).filename().string();
  const uint64_t bytes = FB_TRY(environment.files.Size(path));
  if (bytes <= kInvoiceMaxBytes) {
    const std::string text = FB_TRY(environment.files.ReadAll(path));
    bill.sha256 = Sha256Hex(text);
    if (reconcile::IsInvoice(text)) {
      if (vendor.empty()) {
        return Fail(Code::kInvalidArgument, "'" + bill.name + "' does not say whose invoice it is",
                    "name the vendor: --vendor openai");
      }
      const rates::PriceBook book = FB_TRY(OpenPrices(environment, ""));
      bill.lines = FB_TRY(reconcile::ReadInvoice(text, bill.name, vendor, book, calls));
      bill.by_book = true;
      reconcile::CoverDaysOfLines(&bill);
      return bill;
    }
  }
  bill.lines = FB_TRY(ReadFocus(environment, path, bill.name));
  reconcile::CoverDaysOfLines(&bill);
  return bill;
}

Result<reconcile::Bill> ReadBillOfLedger(const Environment& environment,
                                         const std::vector<std::string>& vendors,
                                         const std::string& from, const std::string& to) {
  Environment in_json = environment;
  in_json.format = "json";
  reconcile::Bill bill;
  bill.name = "the ledger";
  bill.in_ledger = true;
  QueryArgs args;
  args.from = from;
  args.to = to;
  std::vector<ledger::Filter> where = {{"source", true, {ingest::kGatewaySource}},
                                       {"confidence", true, {"estimate"}}};
  args.where = ledger::FormatWhere(where);
  where.push_back({"provider", false, FB_TRY(ProvidersOf(in_json, vendors, args))});
  if (where.back().values.empty()) return bill;
  args.where = ledger::FormatWhere(where);
  args.limit = kPage;
  int64_t total = 1;
  for (args.offset = 0; args.offset < total; args.offset += kPage) {
    const Json page = Json::parse(FB_TRY(FetchRows(in_json, args)), nullptr, false);
    total = page.value("total", int64_t{0});
    args.as_of = page.value("commit", "");  // all pages of one state
    const auto columns = page.value("columns", std::vector<std::string>());
    std::vector<reconcile::Cells> rows;
    for (const Json& row : page.value("rows", Json::array())) {
      reconcile::Cells& cells = rows.emplace_back();
      for (const Json& cell : row) {
        cells.push_back(cell.is_null() ? std::nullopt
                                       : std::optional<std::string>(cell.get<std::string>()));
      }
    }
    std::vector<reconcile::BillLine> lines =
        FB_TRY(reconcile::ReadCharges(columns, rows, bill.name, args.offset + 1));
    std::ranges::move(lines, std::back_inserter(bill.lines));
  }
  reconcile::CoverDaysOfLines(&bill);
  return bill;
}

}  // namespace flyball::app
