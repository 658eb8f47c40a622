#include "ledger/duckdb/deriver.h"

#include <algorithm>
#include <map>
#include <set>

#include "ledger/compile.h"
#include "ledger/duckdb/schema.h"
#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

using engine::Answer;
using engine::QuoteLiteral;

std::string SignatureFile(const Layout& layout, const Folder& folder) {
  return os::JoinPath(layout.FolderDir(folder), kSignaturesFile);
}

// A fault of reading a slice is the slice's, and says which.
std::unexpected<Error> OfSlice(Error error, const Slice& slice) {
  if (error.code == Code::kCancelled || error.code == Code::kResourceExhausted) {
    return Fail(std::move(error));
  }
  return Fail(Code::kDataLoss,
              fmt::format("slice {} of {} {} cannot be read: {}", slice.id, slice.source,
                          slice.period, error.message),
              "`flyball rebuild` verifies every file; restore what it names from a backup");
}

}  // namespace

Result<Applied> ReadApplied(engine::Connection& connection) {
  Applied applied;
  Answer tables = FB_TRY(connection.Query(
      "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta' AND schema_name = 'main'"));
  if (tables.Int64(0, 0) == 0) return applied;
  Answer meta = FB_TRY(connection.Query("SELECT key, value FROM meta"));
  std::map<std::string, std::string, std::less<>> values;
  for (int64_t row = 0; row < meta.row_count(); ++row) {
    values.emplace(meta.Text(row, 0), meta.Text(row, 1));
  }
  if (values["schema"] != SchemaHash()) return applied;
  applied.sequence = std::strtoll(values["sequence"].c_str(), nullptr, 10);
  applied.commit = values["commit"];
  applied.rules = values["rules"];
  return applied;
}

Result<int64_t> Deriver::Number(const std::string& sql) {
  Answer answer = FB_TRY(connection_.Query(sql));
  return answer.Int64(0, 0);
}

Status Deriver::Reset() {
  for (const std::string& statement : CreateStatements()) FB_CHECK(connection_.Execute(statement));
  return {};
}

Status Deriver::BringTo(const History& history) {
  const Commit* head = history.Head();
  Applied applied = FB_TRY(ReadApplied(connection_));
  bool of_this_log = applied.sequence > 0 && applied.sequence <= history.head_sequence() &&
                     history.At(applied.sequence).id == applied.commit;
  if (!of_this_log) {
    FB_CHECK(Reset());
    applied = Applied{};
  }
  if (head == nullptr || applied.sequence == head->sequence) return {};

  int64_t known = FB_TRY(Number("SELECT coalesce(max(n), 0) FROM signature"));
  FB_CHECK(LoadSignatures(history));
  auto rules = FB_TRY(books_.Get(head->rules));
  const bool other_rules = applied.rules != head->rules;
  if (other_rules) {
    known = 0;  // every signature is assigned again
    for (const std::string& statement : CreateByRules()) FB_CHECK(connection_.Execute(statement));
  }
  FB_CHECK(assigner_.Fill(connection_, kAssignedTable, known, *rules));
  FB_CHECK(DeriveMembers(known));
  std::vector<const Slice*> live = history.LiveAt(head->sequence);
  FB_CHECK(CloseSlices(live));
  std::string opened = FB_TRY(OpenSlices(history, live));
  FB_CHECK(DeriveCube(other_rules ? "SELECT n FROM slice" : opened));
  return Remember(*head);
}

Status Deriver::LoadSignatures(const History& history) {
  Answer answer = FB_TRY(connection_.Query("SELECT id FROM loaded"));
  std::set<std::string, std::less<>> loaded;
  for (int64_t row = 0; row < answer.row_count(); ++row) loaded.emplace(answer.Text(row, 0));
  // A slice that was loaded once need not be again, wherever a compaction places it.
  std::string files;
  std::vector<Folder> missing;
  for (Folder& folder : history.Stored()) {
    std::erase_if(folder.wanted, [&](const Slice* slice) { return loaded.contains(slice->id); });
    if (folder.wanted.empty()) continue;
    if (!files.empty()) files += ", ";
    files += QuoteLiteral(SignatureFile(layout_, folder));
    missing.push_back(std::move(folder));
  }
  loaded_signatures_ = !missing.empty();
  if (missing.empty()) return {};
  // One row stands for each signature that is new; only those rows are read whole.
  constexpr char kPlace[] = "((file_index::BIGINT << 40) + file_row_number)";
  std::string source = "read_parquet([" + files + "], hive_partitioning = false)";
  Status read = connection_.Execute(fmt::format(
      "CREATE OR REPLACE TEMP TABLE fresh AS SELECT x_Signature AS id, min({0}) AS place"
      " FROM {1} f WHERE NOT EXISTS (SELECT 1 FROM signature s WHERE s.id ="
      " f.x_Signature) GROUP BY 1;"
      "INSERT INTO signature SELECT (SELECT coalesce(max(n), 0) FROM signature) +"
      " row_number() OVER (), x_Signature, {2} FROM {1} WHERE {0} IN (SELECT place FROM"
      " fresh);"
      "DROP TABLE fresh",
      kPlace, source, SignatureColumnList()));
  if (!read) {
    // Which one it is, is found out by reading each alone.
    for (const Folder& folder : missing) {
      Status alone = connection_.Execute("SELECT count(*) FROM read_parquet(" +
                                         QuoteLiteral(SignatureFile(layout_, folder)) +
                                         ", hive_partitioning = false)");
      if (!alone) return OfSlice(std::move(read).error(), *folder.wanted.front());
    }
    return OfSlice(std::move(read).error(), *missing.front().wanted.front());
  }
  for (const Folder& folder : missing) {
    for (const Slice* slice : folder.wanted) {
      FB_TRY(connection_.Query("INSERT INTO loaded VALUES ($1)", {slice->id}));
    }
  }
  return {};
}

Status Deriver::DeriveMembers(int64_t after_n) {
  std::string match;
  for (const std::string& name : MemberDimensions()) {
    std::string column = engine::QuoteIdentifier(name);
    if (!match.empty()) match += " AND ";
    match += "m." + column + " IS NOT DISTINCT FROM t." + column;
  }
  return connection_.Execute(fmt::format(
      "CREATE OR REPLACE TEMP TABLE fresh_tuple AS SELECT s.n AS signature, {0} FROM signature s"
      " JOIN assigned a ON a.n = s.n WHERE s.n > {1};"
      "INSERT INTO member SELECT (SELECT coalesce(max(id), 0) FROM member) + row_number() OVER (), "
      "*"
      " FROM (SELECT {2} FROM fresh_tuple EXCEPT SELECT {2} FROM member);"
      "INSERT INTO signature_member SELECT t.signature, m.id FROM fresh_tuple t JOIN member m ON"
      " {3};"
      "DROP TABLE fresh_tuple",
      MemberExpressionList(), after_n, MemberDimensionList(), match));
}

Status Deriver::CloseSlices(const std::vector<const Slice*>& live) {
  std::set<std::string, std::less<>> wanted;
  for (const Slice* slice : live) wanted.insert(slice->id);
  Answer there = FB_TRY(connection_.Query("SELECT n, id FROM slice"));
  std::string closed;
  for (int64_t row = 0; row < there.row_count(); ++row) {
    if (wanted.contains(there.Text(row, 1))) continue;
    if (!closed.empty()) closed += ", ";
    closed += std::to_string(there.Int64(row, 0));
  }
  if (closed.empty()) return {};
  for (const char* table : {"cube_day", "cube_month", "signature_day", "signature_month"}) {
    FB_CHECK(connection_.Execute(fmt::format("DELETE FROM {} WHERE slice IN ({})", table, closed)));
  }
  return connection_.Execute("DELETE FROM slice WHERE n IN (" + closed + ")");
}

Result<std::string> Deriver::OpenSlices(const History& history,
                                        const std::vector<const Slice*>& live) {
  Answer there = FB_TRY(connection_.Query("SELECT id FROM slice"));
  std::set<std::string, std::less<>> present;
  for (int64_t row = 0; row < there.row_count(); ++row) present.emplace(there.Text(row, 0));
  int64_t n = FB_TRY(Number("SELECT coalesce(max(n), 0) FROM slice"));
  std::string opened;
  for (const Slice* slice : live) {
    if (present.contains(slice->id)) continue;
    FB_CHECK(OpenSlice(*slice, history.FoldersOf({slice}).front(), ++n));
    if (!opened.empty()) opened += ", ";
    opened += std::to_string(n);
  }
  return opened;
}

Status Deriver::OpenSlice(const Slice& slice, const Folder& folder, int64_t n) {
  std::string rollup = QuoteLiteral(os::JoinPath(layout_.FolderDir(folder), kRollupFile));
  std::string of_period;
  std::vector<engine::Param> params;
  if (folder.partial()) {
    of_period = std::string(" WHERE ") + kRollupPeriod + " = $1::TIMESTAMP ";
    params.emplace_back(PeriodStart(slice));
  }
  Result<Answer> inserted = connection_.Query(
      "INSERT INTO signature_day SELECT " + std::to_string(n) +
          ", \"Hour\"::DATE, s.n, BillingCurrency, " + MeasureSumList("\"Charges\"") +
          " FROM read_parquet(" + rollup +
          ", hive_partitioning = false) r JOIN signature s ON s.id = r.x_Signature" + of_period +
          " GROUP BY 2, 3, 4 ORDER BY 2, 3",
      params);
  if (!inserted) return OfSlice(std::move(inserted).error(), slice);
  std::string of_slice = " FROM signature_day WHERE slice = " + std::to_string(n);
  FB_CHECK(connection_.Execute(
      "INSERT INTO signature_month SELECT slice, date_trunc('month', \"day\")::DATE, signature,"
      " currency, " +
      MeasureSumList("charges") + of_slice + " GROUP BY 1, 2, 3, 4"));
  FB_TRY(connection_.Query("INSERT INTO slice VALUES ($1, $2, $3)", {n, slice.id, slice.source}));
  // What came in is what the commit said: a cheap check of every slice, every time.
  Answer sums = FB_TRY(connection_.Query("SELECT currency, SUM(charges), SUM(\"BilledCost\")" +
                                         of_slice + " GROUP BY 1"));
  int64_t rows = 0;
  std::map<std::string, Money> billed;
  for (int64_t row = 0; row < sums.row_count(); ++row) {
    rows += sums.Int64(row, 1);
    billed.emplace(sums.Text(row, 0), Money::FromUnits(sums.Units(row, 2)));
  }
  if (rows != slice.rows || billed != slice.billed_by_currency) {
    return OfSlice(
        Error{Code::kDataLoss, "its rollup does not add up to what its commit says", {}, {}},
        slice);
  }
  return {};
}

Status Deriver::DeriveCube(const std::string& slices) {
  if (slices.empty()) return {};
  for (const char* time : {"day", "month"}) {
    FB_CHECK(connection_.Execute(
        fmt::format("INSERT INTO cube_{0} SELECT slice, \"{0}\", member, currency, {1} FROM"
                    " signature_{0} f JOIN signature_member m ON m.signature = f.signature"
                    " WHERE slice IN ({2}) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3",
                    time, MeasureSumList("charges"), slices)));
  }
  return {};
}

Status Deriver::Remember(const Commit& head) {
  FB_CHECK(connection_.Execute("DELETE FROM meta"));
  FB_TRY(connection_.Query(
      "INSERT INTO meta VALUES ('schema', $1), ('sequence', $2), ('commit', $3), ('rules', $4)",
      {SchemaHash(), std::to_string(head.sequence), head.id, head.rules}));
  return {};
}

}  // namespace flyball::ledger
