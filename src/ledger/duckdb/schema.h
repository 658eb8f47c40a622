// The tables of the DuckDB store, made from the tables of the model (ledger/compile.h says how they
// are read).
#pragma once

#include <string>
#include <vector>

namespace flyball::ledger {

// Changes whenever the tables would: a store of another schema is derived again.
std::string SchemaHash();
// Drops what is there and makes all tables, empty.
std::vector<std::string> CreateStatements();
// The same for those tables only that depend on the rules in force.
std::vector<std::string> CreateByRules();
// A table like `assigned` for another rulebook.
std::string CreateAssigned(const std::string& table);

// Quoted names, comma separated.
std::string SignatureColumnList();
std::string RuleDimensionList();
// Names of the dimensions that a member has, in order, unquoted.
std::vector<std::string> MemberDimensions();
std::string MemberDimensionList();
// For each of them its value over `signature s` and `assigned a`, with its name: "s.x AS provider,
// ...".
std::string MemberExpressionList();
// "SUM(BilledCost), ..., SUM(Charges)" of the measures in the order of the cube's columns.
std::string MeasureSumList(const std::string& charges);

}  // namespace flyball::ledger
