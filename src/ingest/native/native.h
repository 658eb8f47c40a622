// Native bills: what vendors write in formats of their own, said in FOCUS. Read this first.
//
//   record (names, texts) -> Format: rules, then code -> drafts -> charges by the FOCUS adapter
//
// A *format* is one vendor's way to state a bill: the names by which it is recognised, a table of
// *rules* (which of its columns is which FOCUS column, as it is), and code for what is more than a
// copy. One record becomes one *draft* or several: a commitment's fee and what of it lay unused, a
// cost and the credits against it. A draft is text in FOCUS columns: numbers are copied as they are
// written or added up exactly, and whatever cannot be read goes on as it is, so that the adapter
// quarantines it with its reason.
//
// Invariant, checked for every record (Translate): BilledCost of its drafts sums to what the record
// says in `costs`, to the last digit. Pure logic: no files here.
#pragma once

#include <array>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/raw_sum.h"
#include "base/result.h"
#include "model/charge.h"
#include "model/focus.h"
#include "rates/price_book.h"

namespace flyball::native {

// The columns of a bill, by the names that its format's rules use.
class Header {
 public:
  Header() = default;
  // `spell` brings a name into the spelling of the rules.
  Header(const std::vector<std::string>& names, std::string (*spell)(std::string_view));
  int Find(std::string_view name) const;  // -1: it has none
  size_t size() const { return names_.size(); }
  const std::string& name(size_t column) const { return names_[column]; }  // as written
  const std::string& spelt(size_t column) const { return spellings_[column]; }
  // Spellings of more than one column; the first of them counts.
  const std::vector<std::string>& twice() const { return twice_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::vector<std::string> names_, spellings_, twice_;
  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> index_;
};

// One record. Texts are valid as long as the row.
class Row {
 public:
  // `cells`: one a column, empty where the record says nothing. Both must outlive the row.
  Row(const Header& header, std::span<const std::string_view> cells)
      : header_(header), cells_(cells) {}
  // Of a column, or of a member inside a column of JSON ("service.description"). Empty: nothing.
  std::string_view operator[](std::string_view name) const;
  // The first of them that is not empty.
  std::string_view First(std::initializer_list<std::string_view> names) const;
  std::string_view cell(size_t column) const { return cells_[column]; }
  const Header& header() const { return header_; }

 private:
  const Header& header_;
  std::span<const std::string_view> cells_;
  mutable std::map<std::string, std::string, std::less<>> inside_;  // what was looked up in JSON
};

// A charge to be, by charge::kColumnNames. Empty: null.
struct Draft {
  std::array<std::string, charge::kColumnCount> cells;
  // By a name that must be a column's: draft[At("ChargeCategory")].
  std::string& operator[](int column) { return cells[static_cast<size_t>(column)]; }
  const std::string& operator[](int column) const { return cells[static_cast<size_t>(column)]; }
};
using charge::At;

// How a column of FOCUS comes about.
struct Rule {
  std::string_view column;  // FOCUS
  // Names of the bill's columns, the first that says something counts; or, with `constant`, the
  // text itself.
  std::array<std::string_view, 3> from;
  bool constant = false;
};
constexpr Rule Copy(std::string_view column, std::string_view from, std::string_view or_from = {},
                    std::string_view or_last = {}) {
  return {column, {from, or_from, or_last}};
}
constexpr Rule Always(std::string_view column, std::string_view text) {
  return {column, {text}, true};
}

// What code may look at beside the record.
struct Context {
  const rates::PriceBook* prices = nullptr;  // for reports of usage that state no cost
  // Of an import that has both Azure's actual and its amortised costs, else null: what each of the
  // two leaves to the other, by billing period and currency. Both must say the same of it.
  struct Pair {
    std::map<std::pair<std::string, std::string>, RawDecimalSum> actual, amortised;
  };
  Pair* pair = nullptr;
};

struct Format {
  std::string_view name;   // as in --format
  std::string_view title;  // for people
  std::string_view page;   // the public documentation that it is made from
  std::string (*spell)(std::string_view name);
  std::vector<std::string_view> needs;  // columns by which it is recognised, all of them
  std::vector<Rule> rules;
  std::vector<std::string_view> derived;                            // columns that code fills
  std::vector<std::pair<std::string_view, std::string_view>> tags;  // key, column of the bill
  // Changes the one draft that the rules made, adds others to it, or takes it away (a record that
  // states no charge). Null: nothing to do.
  void (*code)(const Row& row, const Context& context, std::vector<Draft>* drafts) = nullptr;
  // The columns of the bill whose sum is the bill, also "credits[].amount" inside a list and "a|b",
  // whichever says something. Empty: it states no cost. `cost_shift`: they count 10^shift of the
  // currency unit (-2: cents).
  std::vector<std::string_view> costs;
  int cost_shift = 0;
  int costs_are = charge::kBilledCost;  // the column of drafts that sums to them
  bool rated = false;                   // states usage alone, so that code needs Context::prices
  // Which format it is in truth, where the header does not tell but some record does. Null from it:
  // not this record.
  const Format* (*refine)(const Row& row) = nullptr;
};

// All that are shipped, in the order in which they are tried.
std::span<const Format> Formats();
const Format* FindFormat(std::string_view name);  // nullptr: none
// The format of a bill with such columns; nullptr: none knows them, or they are FOCUS's own.
const Format* Detect(const std::vector<std::string>& names);
// Of the columns by which the format is recognised, those that the header lacks.
std::vector<std::string_view> MissingColumns(const Format& format, const Header& header);
// How a column came about under a format's rules.
focus::Lineage LineageOf(const Format& format, std::string_view column);
// The columns that a format can fill, in the order of charge::kColumnNames.
std::vector<int> ColumnsOf(const Format& format);

// The drafts of a record. Where their costs are not what the record says, or it says them in a way
// that can't be read, one draft without a cost is left, whose ChargeDescription says why: the
// import quarantines it.
std::vector<Draft> Translate(const Format& format, const Row& row, const Context& context);

}  // namespace flyball::native
