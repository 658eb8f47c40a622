#include "case_file.h"

#include <algorithm>

#include "base/text.h"

namespace flyball::cases {
namespace {

constexpr std::string_view kFence = "----";

bool IsBlankLine(const std::string& line) { return Trim(line).empty(); }
bool IsComment(const std::string& line) { return line.starts_with('#'); }

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::string_view line : SplitText(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

class Parser {
 public:
  Parser(CaseFile* file, const ShapeOf& shape_of) : file_(file), shape_of_(shape_of) {}

  Status Parse() {
    while (at_ < lines().size()) {
      if (IsComment(here())) {
        ReadTitle(here());
        ++at_;
      } else if (IsBlankLine(here())) {
        ++at_;
      } else {
        FB_CHECK(ReadStatement());
      }
    }
    if (file_->name.empty()) return Wrong(1, "the file does not open with '# name: ...'");
    if (file_->description.empty()) return Wrong(1, "'# description: ...' is missing");
    return {};
  }

 private:
  const std::vector<std::string>& lines() const { return file_->lines; }
  const std::string& here() const { return file_->lines[at_]; }
  int line_number() const { return static_cast<int>(at_) + 1; }
  std::unexpected<Error> Wrong(int line, std::string message) const {
    Error error{Code::kInvalidArgument, std::move(message), "", {}};
    error.place = {file_->path, line, 0, 0};
    return Fail(std::move(error));
  }

  void ReadTitle(const std::string& line) {
    auto value_of = [&line](std::string_view key) -> std::optional<std::string> {
      if (!line.starts_with(key)) return std::nullopt;
      return std::string(Trim(std::string_view(line).substr(key.size())));
    };
    if (auto name = value_of("# name:")) file_->name = *name;
    if (auto description = value_of("# description:")) file_->description = *description;
  }

  Status ReadStatement() {
    Statement statement;
    statement.line = line_number();
    statement.args = SplitWords(here());
    statement.verb = statement.args.front();
    statement.args.erase(statement.args.begin());
    std::optional<Shape> shape = shape_of_(statement.verb);
    if (!shape) return Wrong(statement.line, "no statement is called '" + statement.verb + "'");
    ++at_;
    if (*shape == Shape::kInput) {
      while (at_ < lines().size() && here() != kFence) statement.block.push_back(lines()[at_++]);
      if (at_ == lines().size())
        return Wrong(statement.line, "the text of this statement has no '----' after it");
      ++at_;
      statement.facts_line = line_number();
    } else {
      statement.facts_line = line_number();
      while (at_ < lines().size() && !IsBlankLine(here()) && here() != kFence) {
        statement.expected_facts.push_back(lines()[at_++]);
      }
      if (*shape == Shape::kOutput && at_ < lines().size() && here() == kFence) {
        ++at_;
        statement.has_rows = true;
        statement.rows_line = line_number();
        while (at_ < lines().size() && !IsBlankLine(here()))
          statement.expected_rows.push_back(lines()[at_++]);
      }
    }
    file_->statements.push_back(std::move(statement));
    return {};
  }

  CaseFile* file_;
  const ShapeOf& shape_of_;
  size_t at_ = 0;
};

}  // namespace

Result<CaseFile> ParseCase(const std::string& path, const std::string& text,
                           const ShapeOf& shape_of) {
  CaseFile file;
  file.path = path;
  file.lines = SplitLines(text);
  FB_CHECK(Parser(&file, shape_of).Parse());
  return file;
}

std::string RewriteCase(const CaseFile& file, std::vector<Rewrite> rewrites) {
  std::vector<std::string> lines = file.lines;
  auto replace = [&lines](int first_line, size_t count, const std::vector<std::string>& with) {
    auto at = lines.begin() + (first_line - 1);
    at = lines.erase(at, at + static_cast<std::ptrdiff_t>(count));
    lines.insert(at, with.begin(), with.end());
  };
  // From the end, so that the line numbers before it stay true.
  std::sort(rewrites.begin(), rewrites.end(), [](const Rewrite& a, const Rewrite& b) {
    return a.statement->line > b.statement->line;
  });
  for (const Rewrite& rewrite : rewrites) {
    const Statement& statement = *rewrite.statement;
    if (statement.has_rows)
      replace(statement.rows_line, statement.expected_rows.size(), rewrite.rows);
    replace(statement.facts_line, statement.expected_facts.size(), rewrite.facts);
  }
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::vector<std::string> SplitWords(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, started = false;
  for (char c : text) {
    if (c == '\'') {
      quoted = !quoted;
      started = true;
    } else if (c == ' ' && !quoted) {
      if (started) words.push_back(std::exchange(word, {}));
      started = false;
    } else {
      word += c;
      started = true;
    }
  }
  if (started) words.push_back(word);
  return words;
}

std::vector<std::string> SplitCells(const std::string& line) {
  std::vector<std::string> cells(1);
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cells.back() += line[++i];
    } else if (line[i] == '|') {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  for (std::string& cell : cells) cell = std::string(Trim(cell));
  return cells;
}

std::string JoinCells(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += " | ";
    for (char c : cells[i]) {
      if (c == '|') line += '\\';
      if (c == '\n') {
        line += "\\n";
      } else {
        line += c;
      }
    }
  }
  return line;
}

}  // namespace flyball::cases
