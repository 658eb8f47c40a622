#include "ledger/overlap.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "ledger/pack.h"
#include "ledger/slice_writer.h"
#include "model/signature.h"

namespace flyball::ledger {
namespace {

using engine::Answer;
using engine::QuoteIdentifier;
using engine::QuoteLiteral;

// Of the smaller side: more than half says that it may be the same bill; nearly all of it, with all
// that describes a charge, that it is.
constexpr int64_t kMostPercent = 50;
constexpr int64_t kNearlyAllPercent = 90;

// How many accounts are named that only the other source has.
constexpr size_t kLostAccountsMax = 5;

// A source's word on a billing period: its slice of it, or corrections of it that are booked in
// another.
struct Word {
  std::string source, period;
  bool correction = false;
};
Word WordOf(const Slice& slice) {
  const SourceName name = TakeApart(slice.source);
  return {std::string(name.source), std::string(name.corrects.value_or(slice.period)),
          name.corrects.has_value()};
}

std::set<std::string> PeriodsOf(const StagedImport& staged) {
  std::set<std::string> periods;
  for (const Slice& slice : staged.slices) periods.insert(slice.period);
  return periods;
}

std::string ReadFile(const std::string& dir, const char* name) {
  return "read_parquet(" + QuoteLiteral(os::JoinPath(dir, name)) + ")";
}

// What a charge is, but for how it was booked, and for what the import tells from its category and
// service where the bill says nothing: bills that were imported before it did so have none.
std::string Described() {
  std::string columns;
  for (std::string_view name : signature::Columns()) {
    if (name == "ChargeClass" || name == "ServiceSubcategory") continue;
    columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(name);
  }
  return columns;
}

// The hours of a folder's charges, of one billing period: whose, for what, and how described.
std::string Hours(const std::string& dir, const Slice& slice, bool pack) {
  const Word word = WordOf(slice);
  std::string hours = fmt::format(
      "SELECT {} AS source, {} AS period, {} AS correction, issuer, account,"
      " \"BillingCurrency\" AS currency, hash(matter, \"Hour\") AS what,"
      " hash(described, \"Hour\") AS alike, \"BilledCost\" AS billed FROM {} AS rollup JOIN ("
      "SELECT \"x_Signature\", coalesce(\"InvoiceIssuerName\", '') AS issuer,"
      " coalesce(\"BillingAccountId\", '') AS account, hash(\"SubAccountId\", \"ChargeCategory\","
      " \"ServiceName\", \"SkuId\", \"ResourceId\", \"RegionId\") AS matter, hash({}) AS described"
      " FROM {}) AS signatures USING (\"x_Signature\")",
      QuoteLiteral(word.source), QuoteLiteral(word.period), word.correction,
      ReadFile(dir, kRollupFile), Described(), ReadFile(dir, kSignaturesFile));
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
  std::vector<Folder> folders;  // of other sources
  std::string staged_accounts, standing_accounts;
  // Hours; own: what stands of the same source; standing: of other sources, by their words.
  std::vector<std::string> staged, own;
  std::map<std::pair<std::string, std::string>, std::string> standing;
};

Sides SidesOf(const Layout& layout, const History& history, const StagedImport& staged) {
  Sides sides;
  for (const Slice& slice : staged.slices) {
    const std::string dir = os::JoinPath(staged.staging_dir, slice.id);
    AddPart(Accounts(dir), &sides.staged_accounts);
    sides.staged.push_back(Hours(dir, slice, false));
  }
  const std::set<std::string> periods = PeriodsOf(staged);
  std::vector<const Slice*> own, others;
  for (const Slice* slice : history.LiveAt(history.head_sequence())) {
    const Word word = WordOf(*slice);
    if (!periods.contains(word.period)) continue;
    (word.source == staged.source ? own : others).push_back(slice);
  }
  const auto hours = [&](const Folder& folder, const Slice& slice) {
    return Hours(layout.FolderDir(folder), slice, folder.pack != nullptr);
  };
  for (const Folder& folder : history.FoldersOf(own)) {
    for (const Slice* slice : folder.wanted) {
      sides.own.push_back("SELECT DISTINCT period, issuer, account FROM (" + hours(folder, *slice) +
                          ")");
    }
  }
  sides.folders = history.FoldersOf(others);
  for (const Folder& folder : sides.folders) {
    AddPart(Accounts(layout.FolderDir(folder)), &sides.standing_accounts);
    for (const Slice* slice : folder.wanted) {
      const Word word = WordOf(*slice);
      AddPart(hours(folder, *slice), &sides.standing[{word.source, word.period}]);
    }
  }
  return sides;
}

// One statement a part: of a union of them all, the engine holds the hash tables of every part at
// once, some megabytes each whatever is in it.
Status MakeTable(engine::Connection& connection, const std::string& name,
                 const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    const bool first = &part == &parts.front();
    FB_CHECK(connection.Execute(
        (first ? "CREATE TEMP TABLE " + name + " AS " : "INSERT INTO " + name + " BY NAME ") +
        part));
  }
  return {};
}

// Tables of both sides: without charges that corrections took back.
Status MakeTables(engine::Connection& connection, const Sides& sides) {
  FB_CHECK(MakeTable(connection, "staged", sides.staged));
  std::vector<std::string> standing;
  for (const auto& [word, hours] : sides.standing) {
    standing.push_back(
        "SELECT source, period, issuer, account, currency, what, alike, sum(billed) AS billed"
        " FROM (" +
        hours + ") GROUP BY ALL HAVING NOT bool_or(correction) OR sum(billed) <> 0");
  }
  FB_CHECK(MakeTable(connection, "standing", standing));
  if (!sides.own.empty()) return MakeTable(connection, "own", sides.own);
  return MakeTable(connection, "own", {"SELECT period, issuer, account FROM staged WHERE false"});
}

// By billing period, issuer, account and currency: what both sides have, and what they share.
constexpr char kShares[] = R"(WITH whose AS (
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
      FROM standing SEMI JOIN staged USING (period, issuer, account, currency, alike) GROUP BY ALL),
    said AS (SELECT DISTINCT *, true AS said FROM own)
    SELECT source, period, issuer, account, currency, whose.billed::VARCHAR,
           others.billed::VARCHAR, shared.charges::BIGINT, whose.charges::BIGINT,
           others.charges::BIGINT, coalesce(same.alike, 0)::BIGINT,
           least(whose.alike, others.alike)::BIGINT, coalesce(said.said, false)::BIGINT
    FROM shared JOIN whose USING (period, issuer, account, currency)
      JOIN others USING (source, period, issuer, account, currency)
      LEFT JOIN same USING (source, period, issuer, account, currency)
      LEFT JOIN said USING (period, issuer, account)
    ORDER BY ALL)";

// Overlaps by all but their invoice; `certain` as far as descriptions tell.
Result<std::vector<Overlap>> ReadShares(engine::Connection& connection) {
  std::vector<Overlap> overlaps;
  const Answer shares = FB_TRY(connection.Query(kShares));
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
    overlap.certain = shares.Int64(row, 10) * 100 >= shares.Int64(row, 11) * kNearlyAllPercent;
    overlap.own = shares.Int64(row, 12) != 0;
    if (overlap.shared * 100 <= overlap.of * kMostPercent) continue;
    // Without an account little tells two bills apart that are of different matters.
    if (overlap.account.empty() && !overlap.certain) continue;
    overlaps.push_back(std::move(overlap));
  }
  return overlaps;
}

// What would be gone if the bill took the place of what each of these sources has.
Status TellLosses(engine::Connection& connection, std::vector<Overlap>* overlaps) {
  const Answer all = FB_TRY(connection.Query(R"(WITH every AS (
      SELECT DISTINCT source, period, issuer, account, currency, what FROM standing),
    kept AS (
      SELECT source, count(*) AS charges
      FROM every SEMI JOIN staged USING (period, issuer, account, currency, what) GROUP BY source)
    SELECT source, count(*)::BIGINT, (count(*) - any_value(kept.charges))::BIGINT
    FROM every JOIN kept USING (source) GROUP BY source)"));
  const Answer accounts = FB_TRY(connection.Query(
      "SELECT DISTINCT source, account FROM standing ANTI JOIN staged USING (period, issuer,"
      " account) ORDER BY ALL"));
  for (Overlap& overlap : *overlaps) {
    for (int64_t row = 0; row < all.row_count(); ++row) {
      if (all.AnyText(row, 0) != overlap.source) continue;
      overlap.all = all.Int64(row, 1);
      overlap.lost = all.Int64(row, 2);
    }
    for (int64_t row = 0; row < accounts.row_count(); ++row) {
      if (accounts.AnyText(row, 0) != overlap.source) continue;
      if (overlap.lost_accounts.size() == kLostAccountsMax) break;
      overlap.lost_accounts.emplace_back(accounts.AnyText(row, 1));
    }
  }
  return {};
}

// The ids of invoices that both sides have, of all accounts that overlap: the only thing that the
// charges themselves are read for.
Status TellInvoices(engine::Connection& connection, const Layout& layout, const Sides& sides,
                    const StagedImport& staged, std::vector<Overlap>* overlaps) {
  std::string accounts;
  std::set<std::pair<std::string, std::string>> words;  // source, period
  for (const Overlap& overlap : *overlaps) {
    if (overlap.account.empty()) continue;
    accounts += (accounts.empty() ? "" : ", ") + QuoteLiteral(overlap.account);
    words.insert({overlap.source, overlap.period});
  }
  if (accounts.empty()) return {};
  const auto invoices = [&](const std::string& source, const std::string& period,
                            const std::string& rows) {
    return fmt::format(
        "SELECT DISTINCT {} AS source, {} AS period, coalesce(\"InvoiceIssuerName\", '') AS issuer,"
        " \"BillingAccountId\" AS account, \"InvoiceId\" AS invoice FROM ({}) WHERE \"InvoiceId\" "
        "IS"
        " NOT NULL AND \"BillingAccountId\" IN ({})",
        QuoteLiteral(source), QuoteLiteral(period), rows, accounts);
  };
  std::vector<std::string> ours, theirs;
  for (const Slice& slice : staged.slices) {
    const std::string dir = os::JoinPath(staged.staging_dir, slice.id);
    ours.push_back(invoices(staged.source, slice.period,
                            fmt::format("SELECT * FROM read_parquet({}, union_by_name = true,"
                                        " hive_partitioning = false)",
                                        QuoteLiteral(os::JoinPath(dir, "part-*.parquet")))));
  }
  for (const Folder& folder : sides.folders) {
    for (const Slice* slice : folder.wanted) {
      const Word word = WordOf(*slice);
      if (!words.contains({word.source, word.period})) continue;
      Folder alone = folder;
      alone.wanted = {slice};
      theirs.push_back(invoices(word.source, word.period, SelectRows(layout, alone)));
    }
  }
  FB_CHECK(MakeTable(connection, "ours", ours));
  FB_CHECK(MakeTable(connection, "theirs", theirs));
  const Answer shared = FB_TRY(connection.Query(
      "SELECT theirs.source, period, issuer, account, min(invoice) FROM ours JOIN theirs"
      " USING (period, issuer, account, invoice) GROUP BY ALL"));
  for (int64_t row = 0; row < shared.row_count(); ++row) {
    for (Overlap& overlap : *overlaps) {
      if (shared.AnyText(row, 0) == overlap.source && shared.AnyText(row, 1) == overlap.period &&
          shared.AnyText(row, 2) == overlap.issuer && shared.AnyText(row, 3) == overlap.account) {
        overlap.invoice = shared.AnyText(row, 4);
      }
    }
  }
  return {};
}

}  // namespace

bool MayOverlap(const History& history, const StagedImport& staged) {
  const std::set<std::string> periods = PeriodsOf(staged);
  return std::ranges::any_of(history.LiveAt(history.head_sequence()), [&](const Slice* slice) {
    const Word word = WordOf(*slice);
    return word.source != staged.source && periods.contains(word.period);
  });
}

Result<std::vector<Overlap>> FindOverlaps(engine::Connection& connection, const Layout& layout,
                                          const History& history, const StagedImport& staged) {
  const Sides sides = SidesOf(layout, history, staged);
  if (sides.staged.empty() || sides.standing.empty()) return std::vector<Overlap>();
  // Mostly other sources are of other accounts, which little has to be read for.
  const Answer accounts =
      FB_TRY(connection.Query("SELECT count(*) FROM ((" + sides.staged_accounts + ") INTERSECT (" +
                              sides.standing_accounts + "))"));
  if (accounts.Int64(0, 0) == 0) return std::vector<Overlap>();
  FB_CHECK(MakeTables(connection, sides));
  std::vector<Overlap> overlaps = FB_TRY(ReadShares(connection));
  if (overlaps.empty()) return overlaps;
  FB_CHECK(TellLosses(connection, &overlaps));
  FB_CHECK(TellInvoices(connection, layout, sides, staged, &overlaps));
  for (Overlap& overlap : overlaps) overlap.certain &= !overlap.invoice.empty();
  return overlaps;
}

}  // namespace flyball::ledger
