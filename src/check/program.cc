#include "check/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "ingest/product.h"

namespace flyball::check {
namespace {

using Kind = Expr::Kind;

int ScaleOf(const ColumnPlan& plan) {
  return plan.type == CellType::kMoney ? Money::scale() : Quantity::scale();
}

template <typename Test>
void Fill(int rows, Mask* out, Test test) {
  out->fill(0);
  for (int row = 0; row < rows; row += 64) {
    uint64_t word = 0;
    const int end = std::min(64, rows - row);
    for (int bit = 0; bit < end; ++bit) {
      word |= static_cast<uint64_t>(test(static_cast<size_t>(row + bit)) ? 1 : 0) << bit;
    }
    (*out)[static_cast<size_t>(row) / 64] = word;
  }
}

template <typename Value>
bool Holds(Compare compare, const Value& a, const Value& b) {
  switch (compare) {
    case Compare::kEqual:
      return a == b;
    case Compare::kNotEqual:
      return a != b;
    case Compare::kLess:
      return a < b;
    case Compare::kAtMost:
      return a <= b;
    case Compare::kMore:
      return a > b;
    case Compare::kAtLeast:
      return a >= b;
  }
  return false;
}

// A cell that compares with nothing. Both bits mean "cannot be read" of numbers and of dates.
static_assert(fact::kNoNumber == fact::kNoDate);
constexpr Facts kNoValue = fact::kNull | fact::kNoNumber;

// Units of 1e-12 or 1e-15 as units of 1e-15; what would not fit is as far away as can be.
int128 AsFine(int128 units, bool money) {
  if (!money) return units;
  int128 fine = 0;
  if (__builtin_mul_overflow(units, int128{1000}, &fine)) {
    return units < 0 ? -kDecimalMaxUnits : kDecimalMaxUnits;
  }
  return fine;
}

void Join(bool all, const Mask& other, Mask* out) {
  for (size_t w = 0; w < kMaskWords; ++w) {
    (*out)[w] = all ? (*out)[w] & other[w] : (*out)[w] | other[w];
  }
}

void CompareTexts(Compare compare, int rows, const ColumnBatch& a, const ColumnBatch& b,
                  Mask* out) {
  Fill(rows, out, [&](size_t row) {
    return ((a.facts[row] | b.facts[row]) & fact::kNull) == 0 &&
           Holds(compare, a.text[row], b.text[row]);
  });
}

struct Values {
  const ColumnBatch& cells;
  bool money;
};
void CompareValues(Compare compare, int rows, Values a, Values b, Mask* out) {
  const bool scaled = a.money != b.money;
  Fill(rows, out, [&](size_t row) {
    if (((a.cells.facts[row] | b.cells.facts[row]) & kNoValue) != 0) return false;
    if (!scaled) return Holds(compare, a.cells.units[row], b.cells.units[row]);
    return Holds(compare, AsFine(a.cells.units[row], a.money), AsFine(b.cells.units[row], b.money));
  });
}

void CompareProduct(int rows, const ColumnBatch& a, const ColumnBatch& b, const ColumnBatch& c,
                    Mask* out) {
  Fill(rows, out, [&](size_t row) {
    const Facts facts = a.facts[row] | b.facts[row] | c.facts[row];
    if ((facts & fact::kNull) != 0) return true;
    if ((facts & fact::kNoNumber) != 0) return false;
    return !ingest::ProductDiffers(a.units[row], b.units[row], c.units[row]);
  });
}

}  // namespace

Result<int> Program::Put(Node node) {
  std::string key = fmt::format("{} {} {} {} {} {} {} {}:", static_cast<int>(node.kind),
                                node.column, node.other, node.result, node.code, node.bits,
                                static_cast<int>(node.compare), FormatDecimal(node.number, 0));
  for (int item : node.items) key += fmt::format("{},", item);
  auto [found, fresh] = known_.emplace(std::move(key), static_cast<int>(nodes_.size()));
  if (!fresh) return found->second;
  if (nodes_.size() >= kNodesMax) {
    return Fail(Code::kInvalidArgument, fmt::format("the rules have more than {} parts", kNodesMax),
                "check with fewer rules");
  }
  nodes_.push_back(std::move(node));
  return found->second;
}

Result<int> Program::Constant(bool value) {
  Node node;
  node.kind = value ? Kind::kTrue : Kind::kFalse;
  return Put(std::move(node));
}

Result<int> Program::Negated(int item) {
  Node node;
  node.kind = Kind::kNot;
  node.items.push_back(item);
  return Put(std::move(node));
}

Result<int> Program::AddItems(const Expr& expr) {
  Node node;
  node.kind = expr.kind;
  for (const Expr& item : expr.items) node.items.push_back(FB_TRY(Add(item)));
  return Put(std::move(node));
}

// A number or an instant is compared by its value: "0" and "0.00" are the same cost.
Result<int> Program::AddText(const Expr& expr, int column) {
  const ColumnPlan& plan = (*layout_)[column];
  if (plan.is_number() || plan.type == CellType::kInstant) {
    Expr number = expr;
    number.kind = Kind::kNumber;
    number.compare = Compare::kEqual;
    return AddNumber(number, column);
  }
  Node node;
  node.kind = Kind::kText;
  node.column = column;
  node.code = FB_TRY(layout_->Literal(column, expr.text));
  return Put(std::move(node));
}

Result<int> Program::AddNumber(const Expr& expr, int column) {
  const ColumnPlan& plan = (*layout_)[column];
  Node node;
  node.kind = Kind::kNumber;
  node.column = column;
  node.compare = expr.compare;
  if (plan.is_number()) {
    Result<ParsedDecimal> parsed = ParseDecimal(expr.text, ScaleOf(plan));
    if (!parsed || !parsed->exact) return Constant(false);
    node.number = parsed->units;
  } else if (plan.type == CellType::kInstant) {
    ParsedInstant parsed;
    if (!ParseInstant(expr.text, &parsed)) return Constant(false);
    node.number = parsed.instant.us;
  } else {
    return Fail(Code::kInvalidArgument, "'" + plan.name + "' holds no numbers to compare",
                "correct the rule");
  }
  if (expr.compare != Compare::kNotEqual) return Put(std::move(node));
  node.compare = Compare::kEqual;
  return Negated(FB_TRY(Put(std::move(node))));
}

Result<int> Program::AddColumns(const Expr& expr) {
  Node node;
  node.kind = Kind::kColumns;
  node.column = layout_->Find(expr.column);
  node.other = layout_->Find(expr.other);
  node.compare = expr.compare == Compare::kNotEqual ? Compare::kEqual : expr.compare;
  int equal = -1;
  if (node.column < 0 || node.other < 0) {
    equal = FB_TRY(Constant(false));
  } else {
    const ColumnPlan& a = (*layout_)[node.column];
    const ColumnPlan& b = (*layout_)[node.other];
    const bool numbers = a.is_number() && b.is_number();
    const bool instants = a.type == CellType::kInstant && b.type == CellType::kInstant;
    if (!numbers && !instants) {
      layout_->columns()[static_cast<size_t>(node.column)].keep_text = true;
      layout_->columns()[static_cast<size_t>(node.other)].keep_text = true;
      node.bits = 1;  // compared as texts
    }
    equal = FB_TRY(Put(std::move(node)));
  }
  return expr.compare == Compare::kNotEqual ? Negated(equal) : equal;
}

Result<int> Program::AddProduct(const Expr& expr) {
  Node node;
  node.kind = Kind::kProduct;
  node.column = layout_->Find(expr.column);
  node.other = layout_->Find(expr.other);
  node.result = layout_->Find(expr.result);
  for (int column : {node.column, node.other, node.result}) {
    if (column < 0) return Constant(true);
    const CellType wanted = column == node.result ? CellType::kMoney : CellType::kQuantity;
    if ((*layout_)[column].type == wanted) continue;
    return Fail(Code::kInvalidArgument,
                "a product is asked of '" + (*layout_)[column].name +
                    "', which is no unit price, quantity or cost in its place",
                "correct the rule");
  }
  return Put(std::move(node));
}

Result<int> Program::AddJson(const Expr& expr, int column) {
  Node node;
  node.kind = Kind::kJson;
  node.column = column;
  node.json = expr.json;
  // Each is a node of its own: rules are told apart by their number.
  node.bits = static_cast<Facts>(nodes_.size() + 1);
  layout_->columns()[static_cast<size_t>(column)].keep_text = true;
  for (const std::vector<JsonTest>* tests : {&expr.json->when, &expr.json->must}) {
    for (const JsonTest& test : *tests) {
      if (test.kind != JsonTest::Kind::kColumn) continue;
      const int other = layout_->Find(test.value);
      node.json_columns.emplace_back(test.value, other);
      if (other >= 0) layout_->columns()[static_cast<size_t>(other)].keep_text = true;
    }
  }
  return Put(std::move(node));
}

Result<int> Program::Add(const Expr& expr) {
  switch (expr.kind) {
    case Kind::kTrue:
    case Kind::kFalse:
      return Constant(expr.kind == Kind::kTrue);
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kNot:
      return AddItems(expr);
    case Kind::kColumns:
      return AddColumns(expr);
    case Kind::kProduct:
      return AddProduct(expr);
    default:
      break;
  }
  const int column = layout_->Find(expr.column);
  if (column < 0) return Constant(expr.kind == Kind::kNull || expr.kind == Kind::kJson);
  if (expr.kind == Kind::kJson) return AddJson(expr, column);
  if (expr.kind == Kind::kText) return AddText(expr, column);
  if (expr.kind == Kind::kNumber) return AddNumber(expr, column);
  Node node;
  node.kind = Kind::kFact;
  node.column = column;
  node.bits = expr.kind == Kind::kNull ? fact::kNull : FactBits((*layout_)[column].type, expr.text);
  if (node.bits == 0) {
    return Fail(Code::kInvalidArgument,
                "no cell of '" + expr.column + "' can show '" + expr.text + "'",
                "correct the rule");
  }
  return Put(std::move(node));
}

void Program::RunJson(const Node& node, const Batch& batch, Mask* out) const {
  const ColumnBatch& cells = batch.columns[static_cast<size_t>(node.column)];
  Fill(batch.rows, out, [&](size_t row) {
    if ((cells.facts[row] & fact::kNull) != 0) return true;
    return KeepsJsonRule(*node.json, cells.text[row], [&](const std::string& name) {
      for (const auto& [known, column] : node.json_columns) {
        if (known == name && column >= 0) {
          return batch.columns[static_cast<size_t>(column)].text[row];
        }
      }
      return std::string_view();
    });
  });
}

void Program::RunNode(const Node& node, const Batch& batch, const Mask& live,
                      std::vector<Mask>* masks, Mask* out) const {
  const auto column = [&](int index) -> const ColumnBatch& {
    return batch.columns[static_cast<size_t>(index)];
  };
  const auto item = [&](int index) -> const Mask& { return (*masks)[static_cast<size_t>(index)]; };
  switch (node.kind) {
    case Kind::kTrue:
      *out = live;
      return;
    case Kind::kFalse:
      out->fill(0);
      return;
    case Kind::kAnd:
    case Kind::kOr:
      *out = item(node.items.front());
      for (size_t i = 1; i < node.items.size(); ++i) {
        Join(node.kind == Kind::kAnd, item(node.items[i]), out);
      }
      return;
    case Kind::kNot: {
      const Mask& inner = item(node.items.front());
      for (size_t w = 0; w < kMaskWords; ++w) (*out)[w] = live[w] & ~inner[w];
      return;
    }
    case Kind::kFact: {
      const Facts* facts = column(node.column).facts.data();
      Fill(batch.rows, out, [&](size_t row) { return (facts[row] & node.bits) != 0; });
      return;
    }
    case Kind::kText: {
      const uint16_t* codes = column(node.column).code.data();
      Fill(batch.rows, out, [&](size_t row) { return codes[row] == node.code; });
      return;
    }
    case Kind::kNumber: {
      const ColumnBatch& a = column(node.column);
      Fill(batch.rows, out, [&](size_t row) {
        return (a.facts[row] & kNoValue) == 0 && Holds(node.compare, a.units[row], node.number);
      });
      return;
    }
    case Kind::kColumns: {
      const ColumnPlan& a = (*layout_)[node.column];
      const ColumnPlan& b = (*layout_)[node.other];
      if (node.bits != 0) {
        CompareTexts(node.compare, batch.rows, column(node.column), column(node.other), out);
      } else {
        CompareValues(node.compare, batch.rows, {column(node.column), a.type == CellType::kMoney},
                      {column(node.other), b.type == CellType::kMoney}, out);
      }
      return;
    }
    case Kind::kProduct:
      CompareProduct(batch.rows, column(node.column), column(node.other), column(node.result), out);
      return;
    case Kind::kJson:
      return RunJson(node, batch, out);
    case Kind::kNull:
      break;  // compiled into kFact
  }
  FB_ASSERT(false);
}

void Program::Run(const Batch& batch, std::vector<Mask>* masks) const {
  masks->resize(nodes_.size());
  Mask live;
  Fill(batch.rows, &live, [](size_t) { return true; });
  for (size_t i = 0; i < nodes_.size(); ++i) {
    RunNode(nodes_[i], batch, live, masks, &(*masks)[i]);
  }
}

}  // namespace flyball::check
