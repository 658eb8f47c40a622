#include "ledger/duckdb/schema.h"

#include "base/hash.h"
#include "engine/engine.h"
#include "ledger/compile.h"
#include "model/charge.h"
#include "model/dimension.h"
#include "model/signature.h"

namespace flyball::ledger {
namespace {

using dimension::Info;
using dimension::Kind;
using engine::QuoteIdentifier;

// Raised when what the tables mean changes while their columns stay.
constexpr char kSchemaGeneration[] = "2";

std::string MeasureColumns() {
  std::string columns;
  for (const charge::MeasureColumn& measure : charge::Measures()) {
    columns += QuoteIdentifier(measure.column);
    columns += measure.type == ColumnType::kMoney ? " DECIMAL(38,12), " : " DECIMAL(38,15), ";
  }
  return columns + "charges BIGINT";
}

std::string TextColumns(const std::vector<std::string>& names) {
  std::string columns;
  for (const std::string& name : names) columns += ", " + QuoteIdentifier(name) + " VARCHAR";
  return columns;
}

bool InMember(const Info& info) {
  return info.in_cube && (info.kind == Kind::kColumn || info.kind == Kind::kRule) &&
         info.name != "currency";
}

// "cube" by member or "signature" by signature; "day" or "month".
std::string Facts(const std::string& name, const std::string& key, const std::string& time) {
  return "CREATE OR REPLACE TABLE " + name + "_" + time + "(slice INTEGER, \"" + time +
         "\" DATE, " + key + " INTEGER, currency VARCHAR, " + MeasureColumns() + ")";
}

}  // namespace

std::string CreateAssigned(const std::string& table) {
  std::vector<std::string> names;
  for (const auto& each : dimension::RuleDimensions()) names.emplace_back(each.name);
  return "CREATE OR REPLACE TABLE " + table + "(n INTEGER, id UBIGINT" + TextColumns(names) + ")";
}

std::vector<std::string> CreateStatements() {
  std::vector<std::string> signature;
  for (std::string_view column : signature::Columns()) signature.emplace_back(column);
  std::vector<std::string> statements = {
      "CREATE OR REPLACE TABLE meta(key VARCHAR, value VARCHAR)",
      "CREATE OR REPLACE TABLE slice(n INTEGER, id VARCHAR, source VARCHAR)",
      "CREATE OR REPLACE TABLE loaded(id VARCHAR)",
      "CREATE OR REPLACE TABLE signature(n INTEGER, id UBIGINT" + TextColumns(signature) + ")",
      Facts("signature", "signature", "day"),
      Facts("signature", "signature", "month"),
  };
  for (std::string& statement : CreateByRules()) statements.push_back(std::move(statement));
  return statements;
}

std::vector<std::string> CreateByRules() {
  return {
      CreateAssigned(kAssignedTable),
      "CREATE OR REPLACE TABLE member(id INTEGER" + TextColumns(MemberDimensions()) + ")",
      "CREATE OR REPLACE TABLE signature_member(signature INTEGER, member INTEGER)",
      Facts("cube", "member", "day"),
      Facts("cube", "member", "month"),
  };
}

std::string SchemaHash() {
  std::string all = kSchemaGeneration + MemberExpressionList();
  for (const std::string& statement : CreateStatements()) all += "\n" + statement;
  return Sha256Hex(all);
}

std::string SignatureColumnList() {
  std::string list;
  for (std::string_view column : signature::Columns()) {
    if (!list.empty()) list += ", ";
    list += QuoteIdentifier(column);
  }
  return list;
}

std::string RuleDimensionList() {
  std::string list;
  for (const auto& each : dimension::RuleDimensions()) {
    if (!list.empty()) list += ", ";
    list += QuoteIdentifier(each.name);
  }
  return list;
}

std::vector<std::string> MemberDimensions() {
  std::vector<std::string> names;
  for (const Info& info : dimension::Dimensions()) {
    if (InMember(info)) names.emplace_back(info.name);
  }
  return names;
}

std::string MemberDimensionList() {
  std::string list;
  for (const std::string& name : MemberDimensions()) {
    if (!list.empty()) list += ", ";
    list += QuoteIdentifier(name);
  }
  return list;
}

std::string MemberExpressionList() {
  std::string list;
  for (const Info& info : dimension::Dimensions()) {
    if (!InMember(info)) continue;
    std::string value;
    if (info.kind == Kind::kRule) {
      value = "a." + QuoteIdentifier(info.name);
    } else if (info.fallback.empty()) {
      value = "s." + QuoteIdentifier(info.column);
    } else {
      value = "coalesce(s." + QuoteIdentifier(info.column) + ", s." +
              QuoteIdentifier(info.fallback) + ")";
    }
    if (!list.empty()) list += ", ";
    list += value + " AS " + QuoteIdentifier(info.name);
  }
  return list;
}

std::string MeasureSumList(const std::string& charges) {
  std::string list;
  for (const charge::MeasureColumn& measure : charge::Measures()) {
    list += "SUM(" + QuoteIdentifier(measure.column) + "), ";
  }
  return list + "SUM(" + charges + ")";
}

}  // namespace flyball::ledger
