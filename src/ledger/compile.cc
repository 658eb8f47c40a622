#include "ledger/compile.h"

#include <fmt/ranges.h>
#include <algorithm>
#include <map>
#include <set>

#include "base/assert.h"
#include "ledger/slice_writer.h"
#include "model/charge.h"
#include "model/dimension.h"

namespace flyball::ledger {
namespace {

using dimension::Info;
using dimension::Kind;
using engine::QuoteIdentifier;
using engine::QuoteLiteral;

constexpr std::string_view kCharges = "charges";

bool IsMissingLabel(const std::string& value) {
  return value == dimension::kNone || value == dimension::kUnallocated;
}

std::string_view MissingLabel(const Info& info) {
  return info.kind == Kind::kRule ? dimension::kUnallocated : dimension::kNone;
}

// Collects the parameters of a statement; one value has one number.
class Params {
 public:
  std::string Add(engine::Param value) {
    values_.push_back(std::move(value));
    return "$" + std::to_string(values_.size());
  }
  std::string AddText(std::string_view text) {
    auto [found, is_new] = texts_.try_emplace(std::string(text));
    if (is_new) found->second = Add(std::string(text));
    return found->second;
  }
  std::vector<engine::Param> Take() { return std::move(values_); }

 private:
  std::vector<engine::Param> values_;
  std::map<std::string, std::string> texts_;
};

// RFC 6901: "~" is written "~0" and "/" is "~1".
std::string JsonPointer(std::string_view key) {
  std::string pointer = "/";
  for (char c : key) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

// One statement in the making.
class Writer {
 public:
  Writer(const CostQuery& query, const Scope& scope)
      : query_(query), scope_(scope), dimensions_(AnswerDimensions(query)) {
    measures_ = query.measures;
    rank_ = std::string(BasisMeasure(query.basis));
  }

  Compiled Query() {
    std::string sql = "WITH ";
    if (NeedsKey()) sql += Keyed() + ",\n ";
    sql += "fact AS (" + Fact() + "),\n grouped AS (" + Grouped() + ")";
    if (query_.top > 0) sql += ",\n kept AS (" + Kept() + ")";
    sql += "\n" + Final();
    return {std::move(sql), params_.Take()};
  }

  Compiled Count() {
    std::string count =
        scope_.level == Level::kRows ? "COUNT(*)" : "coalesce(SUM(" + CountExpression() + "), 0)";
    std::string sql = "SELECT " + count + " FROM " + FactTable() + Where(AllPredicates());
    return {std::move(sql), params_.Take()};
  }

  Compiled PartColumns() { return {"SELECT * FROM " + PartFiles() + " LIMIT 0", {}}; }

  // The select list over the charges that pass.
  Compiled OverCharges(const std::string& list) {
    std::string sql = "SELECT " + list + " FROM " + PartFiles() + Where(AllPredicates());
    return {std::move(sql), params_.Take()};
  }

  Compiled Places(int64_t offset, int64_t limit) {
    std::string sql =
        "SELECT filename, file_row_number FROM " + FactTable() + Where(AllPredicates()) +
        " ORDER BY abs(\"EffectiveCost\") DESC NULLS LAST, \"ChargePeriodStart\" DESC,"
        " \"BillingPeriodStart\" DESC, file_index, file_row_number LIMIT " +
        params_.Add(limit) + " OFFSET " + params_.Add(offset);
    return {std::move(sql), params_.Take()};
  }

  Compiled Charges(const std::vector<ChargePlace>& places) {
    std::set<std::string> names;
    std::string wanted;
    for (size_t i = 0; i < places.size(); ++i) {
      names.insert(QuoteLiteral(places[i].file));
      if (i > 0) wanted += ", ";
      wanted += fmt::format("({}::VARCHAR, {}::BIGINT, {})", params_.AddText(places[i].file),
                            places[i].number, i);
    }
    std::string dims;
    for (const auto& each : dimension::RuleDimensions()) {
      dims += ", a." + QuoteIdentifier(each.name);
    }
    std::string sql = "SELECT r.* EXCLUDE (filename, file_row_number), s.source" + dims +
                      " FROM (SELECT *, filename, file_row_number FROM read_parquet([" +
                      fmt::format("{}", fmt::join(names, ", ")) +
                      "], union_by_name = true, hive_partitioning = false)) r JOIN (VALUES " +
                      wanted + ") AS p(file, number, place) ON p.file = r.filename AND p.number =" +
                      " r.file_row_number LEFT JOIN " + scope_.assigned +
                      " a ON a.id = r.\"x_Signature\" JOIN " + SourceOfFile() +
                      " s ON s.dir = parse_dirpath(r.filename) ORDER BY p.place";
    return {std::move(sql), params_.Take()};
  }

 private:
  bool by_member() const { return scope_.level <= Level::kCubeDay; }
  bool in_store() const { return scope_.level <= Level::kSignatureDay; }
  bool has_period() const { return query_.grain != Grain::kNone; }
  bool Names(std::string_view dimension) const {
    return std::ranges::find(dimensions_, dimension) != dimensions_.end();
  }

  // ---- facts

  std::string PartFiles() const {
    std::string list;
    for (const SlicePlace& slice : scope_.slices) {
      for (const std::string& part : slice.parts) {
        if (!list.empty()) list += ", ";
        list += QuoteLiteral(os::JoinPath(slice.dir, part));
      }
    }
    return "read_parquet([" + list + "], union_by_name = true, hive_partitioning = false)";
  }
  std::string RollupFiles() const {
    std::string list;
    for (const SlicePlace& slice : scope_.slices) {
      if (!list.empty()) list += ", ";
      list += QuoteLiteral(os::JoinPath(slice.dir, kRollupFile));
    }
    // Only a pack's rollup has months.
    const bool by_month = std::ranges::any_of(
        scope_.slices, [](const SlicePlace& slice) { return !slice.months.empty(); });
    return "read_parquet([" + list + "], hive_partitioning = false" +
           (by_month ? ", union_by_name = true)" : ")");
  }
  std::string FactTable() const {
    switch (scope_.level) {
      case Level::kCubeMonth:
        return "cube_month";
      case Level::kCubeDay:
        return "cube_day";
      case Level::kSignatureMonth:
        return "signature_month";
      case Level::kSignatureDay:
        return "signature_day";
      case Level::kRollup:
        return RollupFiles();
      case Level::kRows:
        return PartFiles();
    }
    FB_ASSERT(false);
  }
  // The folders of the scope's slices with their sources.
  std::string SourceOfFile() {
    std::string list;
    for (const SlicePlace& slice : scope_.slices) {
      if (!list.empty()) list += ", ";
      list += "(" + params_.AddText(slice.dir) + "::VARCHAR, " + params_.AddText(slice.source) +
              "::VARCHAR)";
    }
    return "(SELECT * FROM (VALUES " + list + ") AS t(dir, source))";
  }
  std::string TimeColumn() const {
    switch (scope_.level) {
      case Level::kCubeMonth:
      case Level::kSignatureMonth:
        return "\"month\"";
      case Level::kCubeDay:
      case Level::kSignatureDay:
        return "\"day\"";
      case Level::kRollup:
        return "\"Hour\"";
      case Level::kRows:
        return "\"ChargePeriodStart\"";
    }
    FB_ASSERT(false);
  }
  std::string KeyColumn() const {
    if (by_member()) return "member";
    return in_store() ? "signature" : "\"x_Signature\"";
  }
  // The same key in the tables of dimensions.
  std::string DimensionKey(const char* alias) const {
    return std::string(alias) + (by_member() || !in_store() ? ".id" : ".n");
  }
  std::string CurrencyColumn() const { return in_store() ? "currency" : "\"BillingCurrency\""; }
  std::string CountExpression() const {
    if (scope_.level == Level::kRows) return "1";
    return in_store() ? "charges" : "\"Charges\"";
  }
  std::string PeriodExpression() const {
    std::string unit(GrainName(query_.grain));
    return "date_trunc('" + unit + "', " + TimeColumn() + ")";
  }
  std::string SumOf(const std::string& measure) const {
    if (measure == kCharges) return "SUM(" + CountExpression() + ")";
    for (const charge::MeasureColumn& each : charge::Measures()) {
      if (each.measure == measure) {
        return "coalesce(SUM(" + QuoteIdentifier(each.column) + "), 0)";
      }
    }
    FB_ASSERT(false);
  }
  std::string TimeLimit(Instant limit) {
    std::string param = params_.Add(limit);
    return in_store() ? param + "::TIMESTAMP::DATE" : param + "::TIMESTAMP";
  }

  // Of each pack that holds rows of other slices too, only those of the live ones.
  std::vector<std::string> MonthPredicates() {
    std::vector<std::string> all;
    if (in_store()) return all;
    const std::string month = scope_.level == Level::kRows ? kBillingMonth : kRollupPeriod;
    for (const SlicePlace& slice : scope_.slices) {
      if (slice.months.empty()) continue;
      std::string months;
      for (Instant each : slice.months) {
        months += (months.empty() ? "" : ", ") + params_.Add(each) + "::TIMESTAMP";
      }
      all.push_back("(parse_dirpath(filename) <> " + params_.AddText(slice.dir) + "::VARCHAR OR " +
                    month + " IN (" + months + "))");
    }
    return all;
  }

  // Of the facts alone: month of a pack, time, slice and currency.
  std::vector<std::string> FactPredicates() {
    std::vector<std::string> all = MonthPredicates();
    if (query_.from) all.push_back(TimeColumn() + " >= " + TimeLimit(*query_.from));
    if (query_.to) all.push_back(TimeColumn() + " < " + TimeLimit(*query_.to));
    for (const Filter& filter : query_.where) {
      const Info* info = dimension::Find(filter.dimension);
      FB_ASSERT(info != nullptr);
      // At the file levels the scope's slices were chosen by it already.
      if (info->kind == Kind::kSlice && in_store()) {
        all.push_back("slice IN (SELECT n FROM slice WHERE " + Predicate("source", filter) + ")");
      } else if (info->name == "currency") {
        all.push_back(Predicate(CurrencyColumn(), filter));
      } else if (info->kind == Kind::kRow) {
        all.push_back(Predicate(RowValue(*info), filter));
      }
    }
    return all;
  }
  // Of the key's dimensions.
  std::vector<std::string> KeyPredicates() {
    std::vector<std::string> all;
    for (const Filter& filter : query_.where) {
      const Info* info = dimension::Find(filter.dimension);
      if (OfKey(*info)) all.push_back(Predicate(Value(*info, filter.dimension), filter));
    }
    return all;
  }
  std::vector<std::string> AllPredicates() {
    std::vector<std::string> all = FactPredicates();
    std::vector<std::string> of_key = KeyPredicates();
    if (of_key.empty()) return all;
    Tables tables = TablesOf(KeyNames({}));
    all.push_back(KeyColumn() + " IN (SELECT " + DimensionKey(tables.first) + " FROM " +
                  tables.text + Where(of_key) + ")");
    return all;
  }

  // keyed(k, g): which group of the answer each key that passes the filters falls into.
  // named(g, d0, ...): what the groups are called; g counts in the order of the names, by bytes.
  std::string Keyed() {
    std::string labels, names;
    for (size_t i = 0; i < dimensions_.size(); ++i) {
      if (!OfKey(*dimension::Find(dimensions_[i]))) continue;
      std::string name = "d" + std::to_string(i);
      labels += ", " + Label(dimensions_[i]) + " AS " + name;
      names += (names.empty() ? "" : ", ") + name;
    }
    Tables tables = TablesOf(KeyNames(dimensions_));
    return "labelled AS MATERIALIZED (SELECT " + DimensionKey(tables.first) + " AS k" + labels +
           " FROM " + tables.text + Where(KeyPredicates()) +
           "),\n named AS MATERIALIZED (SELECT row_number() OVER (ORDER BY " + names + ") AS g, " +
           names + " FROM (SELECT DISTINCT " + names +
           " FROM labelled)),\n keyed AS (SELECT k, g FROM labelled JOIN named USING (" + names +
           "))";
  }

  // The facts by period, currency, group and source: summed by integers where only the key decides.
  std::string Fact() {
    std::string columns, group;
    auto key = [&](const std::string& expression, const std::string& name) {
      if (!columns.empty()) columns += ", ";
      if (!group.empty()) group += ", ";
      columns += expression + " AS " + name;
      group += name;
    };
    if (has_period()) key(PeriodExpression(), "p");
    key(CurrencyColumn(), "cur");
    if (NeedsKey()) key("keyed.g", "g");
    if (Names("source")) key("s.source", "source");
    for (const std::string& name : dimensions_) {
      const Info* info = dimension::Find(name);
      if (info->kind != Kind::kRow) continue;
      // A value that is the label by chance falls together with what has none.
      key(fmt::format("coalesce({}, '{}')", RowValue(*info), MissingLabel(*info)), "row_" + name);
    }
    columns += ", " + SumOf(rank_) + " AS r";
    for (size_t i = 0; i < measures_.size(); ++i) {
      columns += ", " + SumOf(measures_[i]) + " AS m" + std::to_string(i);
    }
    std::string from = FactTable();
    if (NeedsKey()) from += " JOIN keyed ON keyed.k = " + KeyColumn();
    if (Names("source")) {
      from += in_store() ? " JOIN slice s ON s.n = slice"
                         : " JOIN " + SourceOfFile() + " s ON s.dir = parse_dirpath(filename)";
    }
    return "SELECT " + columns + " FROM " + from +
           Where(NeedsKey() ? FactPredicates() : AllPredicates()) + " GROUP BY " + group;
  }

  // ---- dimensions

  static bool OfKey(const Info& info) {
    return info.kind != Kind::kSlice && info.kind != Kind::kRow && info.name != "currency";
  }
  // Of a dimension that only the charges themselves have.
  static std::string RowValue(const Info& info) {
    if (info.name == "billing_period") return "strftime(\"BillingPeriodStart\", '%Y-%m')";
    return QuoteIdentifier(info.column);
  }
  bool NeedsKey() const {
    return std::ranges::any_of(
        dimensions_, [](const std::string& name) { return OfKey(*dimension::Find(name)); });
  }
  // Those of the given dimensions and of the filtered ones that the key decides.
  std::vector<std::string> KeyNames(std::vector<std::string> names) const {
    for (const Filter& filter : query_.where) names.push_back(filter.dimension);
    std::erase_if(names, [](const std::string& name) { return !OfKey(*dimension::Find(name)); });
    return names;
  }
  // The tables that hold the dimensions of these names, joined; not more of them than needed.
  struct Tables {
    std::string text;
    const char* first;  // the alias of the first
  };
  Tables TablesOf(const std::vector<std::string>& names) const {
    if (by_member()) return {"member d", "d"};
    auto is_rule = [](const std::string& name) {
      return dimension::Find(name)->kind == Kind::kRule;
    };
    auto is_column = [&](const std::string& name) {
      return OfKey(*dimension::Find(name)) && !is_rule(name);
    };
    bool rules = std::ranges::any_of(names, is_rule);
    bool columns = std::ranges::any_of(names, is_column);
    if (!rules) return {"signature g", "g"};
    if (!columns) return {scope_.assigned + " a", "a"};
    return {"signature g JOIN " + scope_.assigned + " a ON a.n = g.n", "g"};
  }
  // The value of a dimension as an expression over TablesOf; null where there is none.
  std::string Value(const Info& info, const std::string& name) {
    if (by_member()) return "d." + QuoteIdentifier(info.name);
    switch (info.kind) {
      case Kind::kRule:
        return "a." + QuoteIdentifier(info.name);
      case Kind::kTag:
        return "json_extract_string(g." + QuoteIdentifier(info.column) + ", " +
               params_.AddText(JsonPointer(*dimension::TagKey(name))) + "::VARCHAR)";
      case Kind::kColumn:
        if (info.fallback.empty()) return "g." + QuoteIdentifier(info.column);
        return "coalesce(g." + QuoteIdentifier(info.column) + ", g." +
               QuoteIdentifier(info.fallback) + ")";
      case Kind::kSlice:
      case Kind::kPeriod:
      case Kind::kRow:
        break;
    }
    FB_ASSERT(false);
  }
  std::string Label(const std::string& name) {
    const Info* info = dimension::Find(name);
    FB_ASSERT(info != nullptr);
    if (info->kind == Kind::kSlice) return "f.source";
    if (info->kind == Kind::kRow) return "f.row_" + name;
    if (info->name == "currency") return "f.cur";
    return "coalesce(" + Value(*info, name) + ", '" + std::string(MissingLabel(*info)) + "')";
  }
  // Two-valued: what has no value passes a filter only when a label for that is among the values.
  std::string Predicate(const std::string& expression, const Filter& filter) {
    std::string list;
    for (const std::string& value : filter.values) {
      if (!list.empty()) list += ", ";
      list += params_.AddText(value) + "::VARCHAR";
    }
    bool missing = std::ranges::any_of(filter.values, IsMissingLabel);
    std::string in = list.empty() ? "false" : expression + " IN (" + list + ")";
    if (!filter.negated && !missing) return in;
    return (filter.negated ? "NOT coalesce(" : "coalesce(") + in +
           (missing ? ", true)" : ", false)");
  }

  std::string Grouped() {
    std::string columns = has_period() ? "f.p, f.cur" : "f.cur";
    for (size_t i = 0; i < dimensions_.size(); ++i) {
      bool named = OfKey(*dimension::Find(dimensions_[i]));
      columns += named ? fmt::format(", named.d{}", i)
                       : ", " + Label(dimensions_[i]) + fmt::format(" AS d{}", i);
    }
    if (NumberDecides()) columns += ", f.g";
    columns += ", f.r";
    for (size_t i = 0; i < measures_.size(); ++i) columns += fmt::format(", f.m{}", i);
    std::string from = "fact f";
    if (NeedsKey()) from += " JOIN named ON named.g = f.g";
    return "SELECT " + columns + " FROM " + from;
  }

  // ---- top

  std::string DimensionNames() const {
    std::string names;
    for (size_t i = 0; i < dimensions_.size(); ++i) names += ", d" + std::to_string(i);
    return names;
  }
  // Whether the group's number says all that its names say, in the same order.
  bool NumberDecides() const {
    return !dimensions_.empty() && std::ranges::all_of(dimensions_, [](const std::string& name) {
      return OfKey(*dimension::Find(name));
    });
  }
  std::string GroupNames() const { return NumberDecides() ? ", g" : DimensionNames(); }
  std::string Kept() {
    return "SELECT cur" + GroupNames() + " FROM grouped GROUP BY cur" + GroupNames() +
           " QUALIFY row_number() OVER (PARTITION BY cur ORDER BY SUM(r) DESC" + GroupNames() +
           ") <= " + params_.Add(static_cast<int64_t>(query_.top));
  }
  // Units do not add up and currencies are never added: both keep their values in "(other)".
  bool StaysInOther(const std::string& dimension) const {
    bool has_usage = std::ranges::find(measures_, "usage") != measures_.end();
    return dimension == "currency" || (has_usage && dimension == "unit");
  }
  std::string AfterTop() const {
    std::string columns = has_period() ? "g.p, " : "";
    columns += "CASE WHEN k.cur IS NULL THEN 1 ELSE 0 END AS other, g.cur";
    std::string match = "k.cur = g.cur";
    for (size_t i = 0; i < dimensions_.size(); ++i) {
      if (StaysInOther(dimensions_[i])) {
        columns += fmt::format(", g.d{0} AS d{0}", i);
      } else {
        columns += fmt::format(", CASE WHEN k.cur IS NULL THEN '{1}' ELSE g.d{0} END AS d{0}", i,
                               dimension::kOther);
      }
      if (!NumberDecides()) match += fmt::format(" AND k.d{0} = g.d{0}", i);
    }
    if (NumberDecides()) match += " AND k.g = g.g";
    columns += ", g.r";
    for (size_t i = 0; i < measures_.size(); ++i) columns += fmt::format(", g.m{}", i);
    return "SELECT " + columns + " FROM grouped g LEFT JOIN kept k ON " + match;
  }
  std::string Final() const {
    const std::string period = has_period() ? "p, " : "";
    const std::string limit = " LIMIT " + std::to_string(kQueryMaxRows + 1);
    const std::string keys = period + "other, cur" + DimensionNames();
    std::string sums, columns = ", r";
    for (size_t i = 0; i < measures_.size(); ++i) {
      sums += fmt::format(", SUM(m{0}) AS m{0}", i);
      columns += fmt::format(", m{}", i);
    }
    if (query_.top == 0) {
      return "SELECT " + period + "0 AS other, cur" + DimensionNames() + columns +
             " FROM grouped ORDER BY " + period + "cur, r DESC" + GroupNames() + limit;
    }
    return "SELECT " + keys + ", SUM(r) AS r" + sums + " FROM (" + AfterTop() + ") GROUP BY " +
           keys + " ORDER BY " + period + "cur, other, r DESC" + DimensionNames() + limit;
  }

  static std::string Where(const std::vector<std::string>& predicates) {
    std::string text;
    for (const std::string& each : predicates) text += (text.empty() ? " WHERE " : " AND ") + each;
    return text;
  }

  const CostQuery& query_;
  const Scope& scope_;
  const std::vector<std::string> dimensions_;
  std::vector<std::string> measures_;
  std::string rank_;
  Params params_;
};

bool CubeHolds(const std::string& dimension) {
  const Info* info = dimension::Find(dimension);
  FB_ASSERT(info != nullptr);
  return info->in_cube;
}

bool OfRow(const std::string& dimension) { return dimension::Find(dimension)->kind == Kind::kRow; }

template <typename Floor>
bool Aligned(const CostQuery& query, Floor floor) {
  auto is = [&](const std::optional<Instant>& limit) { return !limit || floor(*limit) == *limit; };
  return is(query.from) && is(query.to);
}

Scope AtRows(const Scope& scope) {
  Scope rows = scope;
  rows.level = Level::kRows;
  return rows;
}

}  // namespace

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kCubeMonth:
    case Level::kCubeDay:
      return "cube";
    case Level::kSignatureMonth:
    case Level::kSignatureDay:
    case Level::kRollup:
      return "rollup";
    case Level::kRows:
      return "rows";
  }
  FB_ASSERT(false);
}

Level LevelFor(const CostQuery& query, Standing standing, ReadFrom at_coarsest) {
  const bool of_row =
      std::ranges::any_of(AnswerDimensions(query), OfRow) ||
      std::ranges::any_of(query.where, [](const Filter& f) { return OfRow(f.dimension); });
  if (of_row || at_coarsest == ReadFrom::kRows || !Aligned(query, FloorHour)) return Level::kRows;
  if (!standing.slices || query.grain == Grain::kHour || !Aligned(query, FloorDay)) {
    return Level::kRollup;
  }
  bool held =
      std::ranges::all_of(AnswerDimensions(query), CubeHolds) &&
      std::ranges::all_of(query.where, [](const Filter& f) { return CubeHolds(f.dimension); });
  bool cube = held && standing.rules && at_coarsest == ReadFrom::kCube;
  bool months =
      (query.grain == Grain::kNone || query.grain == Grain::kMonth) && Aligned(query, FloorMonth);
  if (cube) return months ? Level::kCubeMonth : Level::kCubeDay;
  return months ? Level::kSignatureMonth : Level::kSignatureDay;
}

std::vector<std::string> AnswerDimensions(const CostQuery& query) {
  std::vector<std::string> dimensions = query.by;
  bool has_usage = std::ranges::find(query.measures, "usage") != query.measures.end();
  if (has_usage && std::ranges::find(dimensions, "unit") == dimensions.end()) {
    dimensions.emplace_back("unit");
  }
  return dimensions;
}

bool SourcePasses(const CostQuery& query, const std::string& source) {
  return std::ranges::all_of(query.where, [&](const Filter& filter) {
    if (filter.dimension != "source") return true;
    bool any = std::ranges::find(filter.values, source) != filter.values.end();
    return any != filter.negated;
  });
}

Compiled CompileQuery(const CostQuery& query, const Scope& scope) {
  return Writer(query, scope).Query();
}

Compiled CompileCount(const CostQuery& query, const Scope& scope) {
  return Writer(query, scope).Count();
}

Compiled CompilePlaces(const CostQuery& query, const Scope& scope, int64_t offset, int64_t limit) {
  return Writer(query, AtRows(scope)).Places(offset, limit);
}

Compiled CompilePartColumns(const Scope& scope) {
  return Writer(CostQuery{}, AtRows(scope)).PartColumns();
}

Compiled CompileValueCounts(const CostQuery& query, const Scope& scope,
                            const std::vector<ExportColumn>& columns) {
  std::string list = "COUNT(*)";
  for (const ExportColumn& column : columns) list += ", COUNT(" + column.value + ")";
  return Writer(query, AtRows(scope)).OverCharges(list);
}

Compiled CompileExport(const ExportRequest& request, const Scope& scope,
                       const std::vector<ExportColumn>& columns) {
  std::string list;
  for (const ExportColumn& column : columns) {
    list += (list.empty() ? "" : ", ") + column.written + " AS " + QuoteIdentifier(column.name);
  }
  Compiled rows = Writer(request.query, AtRows(scope)).OverCharges(list);
  rows.sql = "COPY (" + rows.sql + ") TO " + QuoteLiteral(request.path) + " (" +
             ExportOptions(request.format) + ")";
  return rows;
}

Compiled CompileCharges(const Scope& scope, const std::vector<ChargePlace>& places) {
  return Writer(CostQuery{}, scope).Charges(places);
}

}  // namespace flyball::ledger
