// Expr: a condition on one row, as a tree. Made from text in our tables, or from the JSON of a
// Requirements Model; compiled by program.h.
//
//   ChargeCategory in ('Usage', 'Purchase') and ChargeClass != 'Correction'
//   not (ListUnitPrice is null) and ListUnitPrice * PricingQuantity = ListCost
//   BilledCost >= 0            a number; a cell that is null or no number compares as false
//   EffectiveCost = BilledCost two columns: as numbers when both are, else as texts
//   fact(Tags, nested)         what reading the cell showed (facts.h)
//
// A null is equal to nothing and differs from every value: ChargeClass != 'Correction' holds where
// ChargeClass is null, as FOCUS means it. A column that the file lacks is null in every row.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "check/json_check.h"

namespace flyball::check {

enum class Compare : uint8_t { kEqual, kNotEqual, kLess, kAtMost, kMore, kAtLeast };

struct Expr {
  enum class Kind : uint8_t {
    kTrue,
    kFalse,
    kAnd,
    kOr,
    kNot,
    kNull,     // column is null
    kText,     // column = text
    kNumber,   // column compare text, which is a decimal
    kColumns,  // column compare other
    kProduct,  // column * other = result, within ingest::kProductToleranceUnits; holds where one
               // of the three is null
    kFact,     // the fact named by `text` was seen in the column's cell
    kJson,     // the cell keeps `json` (a null cell does)
  };
  Kind kind = Kind::kTrue;
  Compare compare = Compare::kEqual;
  std::string column, other, result, text;
  std::vector<Expr> items;
  std::shared_ptr<const JsonRule> json;

  static Expr True() { return {}; }
  static Expr False();
  static Expr And(std::vector<Expr> items);
  static Expr Or(std::vector<Expr> items);
  static Expr Not(Expr item);
  static Expr IsNull(std::string_view column);
  static Expr NotNull(std::string_view column) { return Not(IsNull(column)); }
  static Expr Text(std::string_view column, std::string_view value);
  static Expr Number(std::string_view column, Compare compare, std::string_view value);
  static Expr Columns(std::string_view a, Compare compare, std::string_view b);
  static Expr Product(std::string_view a, std::string_view b, std::string_view result);
  static Expr Json(std::string_view column, JsonRule rule);
  static Expr Fact(std::string_view column, std::string_view fact);
};

inline constexpr int kExprDepthMax = 64;
// The text above as a tree. INVALID_ARGUMENT, with the byte where it goes wrong.
Result<Expr> ParseExpr(std::string_view text);
// The columns that it names, each once, in order of sight.
std::vector<std::string> ColumnsOf(const Expr& expr);
// For people: "ChargeCategory is Usage and ChargeClass is not Correction".
std::string Describe(const Expr& expr);

}  // namespace flyball::check
