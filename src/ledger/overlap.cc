#include "ledger/overlap.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "ledger/pack.h"
#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

using engine::Answer;
using engine::QuoteLiteral;

// Of the smaller side: more than half says that it may be the same bill; nearly all of it, with all
// that describes a charge, that it is.
constexpr int64_t kMostPercent = 50;
constexpr int64_t kNearlyAllPercent = 90;

std::string ReadFile(const std::string& dir, const char* name) {
  return "read_parquet(" + QuoteLiteral(os::JoinPath(dir, name)) + ")";
}

// The hours of a folder's charges, of one billing period: whose, for what, and by their signature.
std::string Hours(const std::string& dir, const Slice& slice, bool pack) {
  std::string hours = fmt::format(
      "SELECT {} AS source, {} AS period, coalesce(\"InvoiceIssuerName\", '') AS issuer,"
      " coalesce(\"BillingAccountId\", '') AS account, \"BillingCurrency\" AS currency,"
      " hash(\"SubAccountId\", \"ChargeCategory\", \"ServiceName\", \"SkuId\", \"ResourceId\","
      " \"RegionId\", \"Hour\") AS what, hash(\"x_Signature\", \"Hour\") AS alike, \"BilledCost\""
      " AS billed FROM {} AS rollup JOIN {} AS signatures USING (\"x_Signature\")",
      QuoteLiteral(slice.source), QuoteLiteral(slice.period), ReadFile(dir, kRollupFile),
      ReadFile(dir, kSignaturesFile));
  if (pack) {
    hours +=
        fmt::format(" WHERE {} = TIMESTAMP '{}'", kRollupPeriod, FormatDate(PeriodStart(slice)));
  }
  return hours;
}

void AddPart(const std::string& part, std::string* all) {
  *all += (all->empty() ? "" : " UNION ALL BY NAME ") + part;
}

std::string Accounts(const std::string& dir) {
  return "SELECT \"InvoiceIssuerName\", \"BillingAccountId\" FROM " +
         ReadFile(dir, kSignaturesFile);
}

struct Sides {
  std::string staged_accounts, standing_accounts;
  std::string staged, standing;            // hours
  std::string staged_rows, standing_rows;  // the charges themselves
};

Sides SidesOf(const Layout& layout, const History& history, const StagedImport& staged) {
  Sides sides;
  std::set<std::string> periods;
  for (const Slice& slice : staged.slices) {
    const std::string dir = os::JoinPath(staged.staging_dir, slice.id);
    periods.insert(slice.period);
    AddPart(Accounts(dir), &sides.staged_accounts);
    AddPart(Hours(dir, slice, false), &sides.staged);
    AddPart(fmt::format("SELECT * FROM read_parquet({}, union_by_name = true, hive_partitioning ="
                        " false)",
                        QuoteLiteral(os::JoinPath(dir, "part-*.parquet"))),
            &sides.staged_rows);
  }
  std::vector<const Slice*> others;
  for (const Slice* slice : history.LiveAt(history.head_sequence())) {
    if (slice->source != staged.source && periods.contains(slice->period) &&
        slice->source.find(kCorrectionMark) == std::string::npos) {
      others.push_back(slice);
    }
  }
  for (const Folder& folder : history.FoldersOf(others)) {
    AddPart(Accounts(layout.FolderDir(folder)), &sides.standing_accounts);
    for (const Slice* slice : folder.wanted) {
      AddPart(Hours(layout.FolderDir(folder), *slice, folder.pack != nullptr), &sides.standing);
    }
    AddPart(fmt::format("SELECT {} AS standing_source, * FROM ({})", QuoteLiteral(folder.source()),
                        SelectRows(layout, folder)),
            &sides.standing_rows);
  }
  return sides;
}

// By billing period, issuer, account and currency: what both sides have, and what they share.
std::string SharesOf(const Sides& sides) {
  return "WITH staged AS (" + sides.staged + "), standing AS (" + sides.standing +
         R"(), whose AS (
      SELECT period, issuer, account, currency, count(DISTINCT what) AS charges,
             count(DISTINCT alike) AS alike, sum(billed) AS billed
      FROM staged GROUP BY ALL),
    others AS (
      SELECT source, period, issuer, account, currency, count(DISTINCT what) AS charges,
             count(DISTINCT alike) AS alike, sum(billed) AS billed
      FROM standing SEMI JOIN whose USING (period, issuer, account, currency) GROUP BY ALL),
    shared AS (
      SELECT source, period, issuer, account, currency, count(DISTINCT what) AS charges
      FROM standing SEMI JOIN staged USING (period, issuer, account, currency, what) GROUP BY ALL),
    same AS (
      SELECT source, period, issuer, account, currency, count(DISTINCT alike) AS alike
      FROM standing SEMI JOIN staged USING (period, issuer, account, currency, alike) GROUP BY ALL)
    SELECT source, period, issuer, account, currency, whose.billed::VARCHAR,
           others.billed::VARCHAR, shared.charges::BIGINT, whose.charges::BIGINT,
           others.charges::BIGINT, coalesce(same.alike, 0)::BIGINT,
           least(whose.alike, others.alike)::BIGINT
    FROM shared JOIN whose USING (period, issuer, account, currency)
      JOIN others USING (source, period, issuer, account, currency)
      LEFT JOIN same USING (source, period, issuer, account, currency)
    ORDER BY ALL)";
}

// The id of an invoice that both sides have of this account; empty: none.
Result<std::string> SharedInvoice(engine::Connection& connection, const Sides& sides,
                                  const Overlap& overlap) {
  const std::string where = fmt::format(
      " WHERE \"InvoiceId\" IS NOT NULL AND \"BillingAccountId\" = {} AND"
      " date_trunc('month', \"BillingPeriodStart\") = TIMESTAMP '{}-01'",
      QuoteLiteral(overlap.account), overlap.period);
  const Answer answer = FB_TRY(connection.Query(fmt::format(
      "SELECT min(\"InvoiceId\") FROM (SELECT DISTINCT \"InvoiceId\" FROM ({}){} INTERSECT"
      " SELECT DISTINCT \"InvoiceId\" FROM ({}){} AND standing_source = {})",
      sides.staged_rows, where, sides.standing_rows, where, QuoteLiteral(overlap.source))));
  return answer.IsNull(0, 0) ? std::string() : std::string(answer.AnyText(0, 0));
}

}  // namespace

Result<std::vector<Overlap>> FindOverlaps(engine::Connection& connection, const Layout& layout,
                                          const History& history, const StagedImport& staged) {
  std::vector<Overlap> overlaps;
  const Sides sides = SidesOf(layout, history, staged);
  if (sides.staged.empty() || sides.standing.empty()) return overlaps;
  // Mostly other sources are of other accounts, which little has to be read for.
  const Answer accounts =
      FB_TRY(connection.Query("SELECT count(*) FROM ((" + sides.staged_accounts + ") INTERSECT (" +
                              sides.standing_accounts + "))"));
  if (accounts.Int64(0, 0) == 0) return overlaps;
  const Answer shares = FB_TRY(connection.Query(SharesOf(sides)));
  for (int64_t row = 0; row < shares.row_count(); ++row) {
    Overlap overlap;
    overlap.source = shares.AnyText(row, 0);
    overlap.period = shares.AnyText(row, 1);
    overlap.issuer = shares.AnyText(row, 2);
    overlap.account = shares.AnyText(row, 3);
    overlap.currency = shares.AnyText(row, 4);
    overlap.billed = FB_TRY(Money::Parse(shares.AnyText(row, 5)));
    overlap.standing = FB_TRY(Money::Parse(shares.AnyText(row, 6)));
    overlap.shared = shares.Int64(row, 7);
    overlap.of = std::min(shares.Int64(row, 8), shares.Int64(row, 9));
    if (overlap.shared * 100 <= overlap.of * kMostPercent) continue;
    const bool alike = shares.Int64(row, 10) * 100 >= shares.Int64(row, 11) * kNearlyAllPercent;
    // Without an account little tells two bills apart that are of different matters.
    if (overlap.account.empty() && !alike) continue;
    if (!overlap.account.empty()) {
      overlap.invoice = FB_TRY(SharedInvoice(connection, sides, overlap));
      overlap.certain = alike && !overlap.invoice.empty();
    }
    overlaps.push_back(std::move(overlap));
  }
  return overlaps;
}

}  // namespace flyball::ledger
