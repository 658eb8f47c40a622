#include "check/expr.h"

#include <algorithm>

namespace flyball::check {
namespace {

using Kind = Expr::Kind;

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Expr> Whole() {
    Expr expr = FB_TRY(Either(0));
    SkipBlanks();
    if (at_ != text_.size()) return Wrong("an end");
    return expr;
  }

 private:
  std::unexpected<Error> Wrong(std::string_view expected) {
    Error error{Code::kInvalidArgument,
                "expected " + std::string(expected) + " in '" + std::string(text_) + "'",
                {},
                {}};
    error.place.byte = static_cast<int64_t>(at_) + 1;
    return Fail(std::move(error));
  }
  void SkipBlanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool Take(std::string_view symbol) {
    SkipBlanks();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }
  std::string_view PeekWord() {
    SkipBlanks();
    size_t end = at_;
    while (end < text_.size() && (IsWord(text_[end]) || (end > at_ && text_[end] == '-'))) ++end;
    return text_.substr(at_, end - at_);
  }
  bool TakeWord(std::string_view word) {
    if (PeekWord() != word) return false;
    at_ += word.size();
    return true;
  }
  Result<std::string> Name() {
    std::string_view word = PeekWord();
    if (word.empty()) return Wrong("a name");
    at_ += word.size();
    return std::string(word);
  }
  Result<std::string> Quoted() {
    if (!Take("'")) return Wrong("a text in quotes");
    const size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos) return Wrong("a closing quote");
    std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }

  Result<Expr> Either(int depth) {
    if (depth > kExprDepthMax) return Wrong("less nesting");
    std::vector<Expr> items;
    do {
      items.push_back(FB_TRY(Both(depth)));
    } while (TakeWord("or"));
    return Expr::Or(std::move(items));
  }
  Result<Expr> Both(int depth) {
    std::vector<Expr> items;
    do {
      items.push_back(FB_TRY(One(depth)));
    } while (TakeWord("and"));
    return Expr::And(std::move(items));
  }
  Result<Expr> One(int depth) {
    if (depth > kExprDepthMax) return Wrong("less nesting");
    if (TakeWord("not")) return Expr::Not(FB_TRY(One(depth + 1)));
    if (Take("(")) {
      Expr inner = FB_TRY(Either(depth + 1));
      if (!Take(")")) return Wrong("')'");
      return inner;
    }
    if (TakeWord("true")) return Expr::True();
    if (TakeWord("fact")) return Reading();
    return Test();
  }
  Result<Expr> Reading() {
    if (!Take("(")) return Wrong("'('");
    std::string column = FB_TRY(Name());
    if (!Take(",")) return Wrong("','");
    std::string fact = FB_TRY(Name());
    if (!Take(")")) return Wrong("')'");
    return Expr::Fact(column, fact);
  }
  Result<Expr> Test() {
    std::string column = FB_TRY(Name());
    if (TakeWord("is")) {
      const bool negated = TakeWord("not");
      if (!TakeWord("null")) return Wrong("null");
      return negated ? Expr::NotNull(column) : Expr::IsNull(column);
    }
    if (TakeWord("in")) {
      if (!Take("(")) return Wrong("'('");
      std::vector<Expr> values;
      do {
        values.push_back(Expr::Text(column, FB_TRY(Quoted())));
      } while (Take(","));
      if (!Take(")")) return Wrong("')'");
      return Expr::Or(std::move(values));
    }
    if (Take("*")) {
      std::string other = FB_TRY(Name());
      if (!Take("=")) return Wrong("'='");
      return Expr::Product(column, other, FB_TRY(Name()));
    }
    return Comparison(column);
  }
  Result<Expr> Comparison(const std::string& column) {
    Compare compare = Compare::kEqual;
    if (Take("!=")) {
      compare = Compare::kNotEqual;
    } else if (Take("<=")) {
      compare = Compare::kAtMost;
    } else if (Take(">=")) {
      compare = Compare::kAtLeast;
    } else if (Take("<")) {
      compare = Compare::kLess;
    } else if (Take(">")) {
      compare = Compare::kMore;
    } else if (!Take("=")) {
      return Wrong("a comparison");
    }
    SkipBlanks();
    if (at_ >= text_.size()) return Wrong("a value");
    const char c = text_[at_];
    if (c == '\'') {
      Expr equal = Expr::Text(column, FB_TRY(Quoted()));
      if (compare == Compare::kEqual) return equal;
      if (compare == Compare::kNotEqual) return Expr::Not(std::move(equal));
      return Wrong("a number");
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
      size_t end = at_ + 1;
      while (end < text_.size() && (IsWord(text_[end]) || text_[end] == '.')) ++end;
      std::string number(text_.substr(at_, end - at_));
      at_ = end;
      return Expr::Number(column, compare, number);
    }
    return Expr::Columns(column, compare, FB_TRY(Name()));
  }

  std::string_view text_;
  size_t at_ = 0;
};

void AddColumns(const Expr& expr, std::vector<std::string>* names) {
  for (const std::string* name : {&expr.column, &expr.other, &expr.result}) {
    if (!name->empty() && std::ranges::find(*names, *name) == names->end()) {
      names->push_back(*name);
    }
  }
  for (const Expr& item : expr.items) AddColumns(item, names);
  if (expr.json == nullptr) return;
  for (const JsonTest& test : expr.json->must) {
    if (test.kind == JsonTest::Kind::kColumn &&
        std::ranges::find(*names, test.value) == names->end()) {
      names->push_back(test.value);
    }
  }
}

std::string_view CompareWords(Compare compare) {
  switch (compare) {
    case Compare::kEqual:
      return " is ";
    case Compare::kNotEqual:
      return " is not ";
    case Compare::kLess:
      return " is below ";
    case Compare::kAtMost:
      return " is at most ";
    case Compare::kMore:
      return " is above ";
    case Compare::kAtLeast:
      return " is at least ";
  }
  return "";
}

std::string DescribeItems(const Expr& expr, std::string_view word) {
  std::string text;
  for (const Expr& item : expr.items) {
    if (!text.empty()) text += word;
    const bool nested = item.kind == Kind::kAnd || item.kind == Kind::kOr;
    text += nested ? "(" + Describe(item) + ")" : Describe(item);
  }
  return text;
}

Expr Of(Kind kind, std::string_view column = {}) {
  Expr expr;
  expr.kind = kind;
  expr.column = column;
  return expr;
}

Expr Joined(Kind kind, std::vector<Expr> items, Expr of_none) {
  if (items.empty()) return of_none;
  if (items.size() == 1) return std::move(items.front());
  Expr expr = Of(kind);
  expr.items = std::move(items);
  return expr;
}

}  // namespace

Expr Expr::False() { return Of(Kind::kFalse); }

Expr Expr::And(std::vector<Expr> items) { return Joined(Kind::kAnd, std::move(items), True()); }
Expr Expr::Or(std::vector<Expr> items) { return Joined(Kind::kOr, std::move(items), False()); }

Expr Expr::Not(Expr item) {
  Expr expr = Of(Kind::kNot);
  expr.items.push_back(std::move(item));
  return expr;
}

Expr Expr::IsNull(std::string_view column) { return Of(Kind::kNull, column); }

Expr Expr::Text(std::string_view column, std::string_view value) {
  Expr expr = Of(Kind::kText, column);
  expr.text = value;
  return expr;
}

Expr Expr::Number(std::string_view column, Compare compare, std::string_view value) {
  Expr expr = Of(Kind::kNumber, column);
  expr.compare = compare;
  expr.text = value;
  return expr;
}

Expr Expr::Columns(std::string_view a, Compare compare, std::string_view b) {
  Expr expr = Of(Kind::kColumns, a);
  expr.compare = compare;
  expr.other = b;
  return expr;
}

Expr Expr::Product(std::string_view a, std::string_view b, std::string_view result) {
  Expr expr = Of(Kind::kProduct, a);
  expr.other = b;
  expr.result = result;
  return expr;
}

Expr Expr::Json(std::string_view column, JsonRule rule) {
  Expr expr = Of(Kind::kJson, column);
  expr.json = std::make_shared<const JsonRule>(std::move(rule));
  return expr;
}

Expr Expr::Fact(std::string_view column, std::string_view fact) {
  Expr expr = Of(Kind::kFact, column);
  expr.text = fact;
  return expr;
}

Result<Expr> ParseExpr(std::string_view text) { return Parser(text).Whole(); }

std::vector<std::string> ColumnsOf(const Expr& expr) {
  std::vector<std::string> names;
  AddColumns(expr, &names);
  return names;
}

std::string Describe(const Expr& expr) {
  switch (expr.kind) {
    case Kind::kTrue:
      return "always";
    case Kind::kFalse:
      return "never";
    case Kind::kAnd:
      return DescribeItems(expr, " and ");
    case Kind::kOr:
      return DescribeItems(expr, " or ");
    case Kind::kNot: {
      const Expr& item = expr.items.front();
      if (item.kind == Kind::kNull) return item.column + " is not null";
      if (item.kind == Kind::kText) return item.column + " is not " + item.text;
      return "not (" + Describe(item) + ")";
    }
    case Kind::kNull:
      return expr.column + " is null";
    case Kind::kText:
      return expr.column + " is " + expr.text;
    case Kind::kNumber:
      return expr.column + std::string(CompareWords(expr.compare)) + expr.text;
    case Kind::kColumns:
      return expr.column + std::string(CompareWords(expr.compare)) + expr.other;
    case Kind::kProduct:
      return expr.column + " x " + expr.other + " is " + expr.result;
    case Kind::kJson:
      return "the elements of " + expr.column + " keep what is asked of them";
    case Kind::kFact:
      return expr.column + " shows " + expr.text;
  }
  return "";
}

}  // namespace flyball::check
