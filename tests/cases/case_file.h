// A case file: one behaviour of Flyball, written down as what a person does and what they then see.
//
// Statements are separated by blank lines; a line that begins with '#' between statements is a
// comment. Each statement has one of three shapes, which its verb decides (README.md lists the
// verbs):
//
//   input    head, then text up to a line "----"                       estate, bill, charges
//   plain    head, then expected facts, one a line                     import, classify, compact,
//   rebuild, ... output   head, then expected facts, then "----" and expected rows  query, rows,
//   commits, slices
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace flyball::cases {

enum class Shape : uint8_t { kInput, kPlain, kOutput };

struct Statement {
  std::string verb;
  std::vector<std::string> args;  // of the head, split at blanks; '...' keeps blanks together
  int line = 0;                   // of the head, from 1
  std::vector<std::string> block;
  std::vector<std::string> expected_facts;
  int facts_line = 0;
  bool has_rows = false;
  std::vector<std::string> expected_rows;
  int rows_line = 0;
};

struct CaseFile {
  std::string path;
  std::string name, description;
  std::vector<std::string> lines;
  std::vector<Statement> statements;
};

// `shape_of` answers nullopt for a verb that does not exist.
using ShapeOf = std::function<std::optional<Shape>(const std::string& verb)>;
// Errors carry path and line.
Result<CaseFile> ParseCase(const std::string& path, const std::string& text,
                           const ShapeOf& shape_of);

// What a statement turned out to say, for the file to be rewritten with.
struct Rewrite {
  const Statement* statement = nullptr;
  std::vector<std::string> facts, rows;
};
std::string RewriteCase(const CaseFile& file, std::vector<Rewrite> rewrites);

// Splits at blanks; single quotes keep blanks together and are taken away.
std::vector<std::string> SplitWords(const std::string& text);
// "a | b \| c" -> {"a", "b | c"}; cells without the blanks around them.
std::vector<std::string> SplitCells(const std::string& line);
std::string JoinCells(const std::vector<std::string>& cells);

}  // namespace flyball::cases
