// Runs case files: case_runner FILE.test... Exit 0: all hold; 1: some do not; 2: a file cannot be
// read. With FLYBALL_UPDATE_CASES=1 the expectations are rewritten with what was seen, for a person
// to look through in the diff.
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>

#include "world.h"

namespace flyball::cases {
namespace {

constexpr std::string_view kCommitAs = "commit as ";

bool Updating() {
  const char* value = getenv("FLYBALL_UPDATE_CASES");
  return value != nullptr && std::string_view(value) == "1";
}

bool StandsFor(const std::string& expected, const Fact& fact) {
  if (expected == fact.key) return true;
  if (!expected.starts_with(fact.key) || fact.text.empty()) return false;
  std::string_view rest = std::string_view(expected).substr(fact.key.size());
  return rest.starts_with(' ') && fact.text.find(rest.substr(1)) != std::string::npos;
}

std::string ShowFact(const Fact& fact) {
  return fact.text.empty() ? fact.key : fact.key + " " + fact.text;
}

std::string FirstWord(const std::string& text) { return text.substr(0, text.find(' ')); }

Outcome OutcomeOfError(const Error& error) {
  std::string text;
  if (error.place.line > 0) {
    text = fmt::format("line {}", error.place.line);
    if (error.place.column > 0) text += fmt::format(" column {}", error.place.column);
    text += ": ";
  }
  text += error.message;
  if (!error.hint.empty()) text += " (" + error.hint + ")";
  Outcome outcome;
  outcome.facts.push_back({"error " + std::string(CodeName(error.code)), text, true});
  return outcome;
}

// Runs one file in a world of its own, and tells each disagreement as "file:line: ...".
class Run {
 public:
  explicit Run(const CaseFile& file) : file_(file) {}

  Status All() {
    std::unique_ptr<World> world = FB_TRY(World::Make());
    for (const Statement& statement : file_.statements) {
      Result<Outcome> result = FindVerb(statement.verb)->run(*world, statement);
      Outcome outcome = result ? std::move(*result) : OutcomeOfError(result.error());
      NameCommit(*world, statement, outcome);
      Compare(statement, outcome);
      if (Status unchanged = world->CheckSlicesUnchanged(); !unchanged) {
        Complain(statement.line, unchanged.error().message);
      }
    }
    return {};
  }

  int complaints() const { return complaints_; }
  std::vector<Rewrite>& rewrites() { return rewrites_; }

 private:
  void Complain(int line, const std::string& what) {
    ++complaints_;
    fmt::print(stderr, "{}:{}: {}\n", file_.path, line, what);
  }

  static void NameCommit(World& world, const Statement& statement, const Outcome& outcome) {
    for (const std::string& line : statement.expected_facts) {
      if (line.starts_with(kCommitAs)) world.Label(line.substr(kCommitAs.size()), outcome.commit);
    }
  }

  void Compare(const Statement& statement, const Outcome& outcome) {
    Rewrite rewrite{&statement, {}, outcome.rows};
    CompareFacts(statement, outcome, &rewrite);
    if (statement.has_rows) CompareRows(statement, outcome);
    rewrites_.push_back(std::move(rewrite));
  }

  void CompareFacts(const Statement& statement, const Outcome& outcome, Rewrite* rewrite) {
    std::vector<bool> used(outcome.facts.size(), false);
    std::vector<std::string> failed_words;
    int line_number = statement.facts_line - 1;
    for (const std::string& expected : statement.expected_facts) {
      ++line_number;
      if (expected.starts_with(kCommitAs)) {
        rewrite->facts.push_back(expected);
        continue;
      }
      bool stands = false;
      for (size_t i = 0; i < outcome.facts.size(); ++i) {
        if (!StandsFor(expected, outcome.facts[i])) continue;
        stands = used[i] = true;
      }
      if (stands) {
        rewrite->facts.push_back(expected);
        continue;
      }
      std::string word = FirstWord(expected);
      Complain(line_number, fmt::format("expected: {}", expected));
      failed_words.push_back(word);
      for (const Fact& fact : outcome.facts) {
        if (FirstWord(fact.key) == word) fmt::print(stderr, "    seen: {}\n", ShowFact(fact));
      }
    }
    for (size_t i = 0; i < outcome.facts.size(); ++i) {
      const Fact& fact = outcome.facts[i];
      if (used[i]) continue;
      bool asked = std::find(failed_words.begin(), failed_words.end(), FirstWord(fact.key)) !=
                   failed_words.end();
      if (fact.must_be_expected && !(asked && Updating())) {
        Complain(statement.line, fmt::format("not expected: {}", ShowFact(fact)));
      }
      if (asked || fact.must_be_expected) rewrite->facts.push_back(ShowFact(fact));
    }
  }

  void CompareRows(const Statement& statement, const Outcome& outcome) {
    std::vector<std::string> expected;
    for (const std::string& row : statement.expected_rows)
      expected.push_back(JoinCells(SplitCells(row)));
    if (expected == outcome.rows) return;
    size_t same = 0;
    while (same < expected.size() && same < outcome.rows.size() &&
           expected[same] == outcome.rows[same])
      ++same;
    Complain(statement.rows_line + static_cast<int>(same),
             "the rows are others; expected (-), seen (+):");
    for (const std::string& row : expected) fmt::print(stderr, "  - {}\n", row);
    for (const std::string& row : outcome.rows) fmt::print(stderr, "  + {}\n", row);
  }

  const CaseFile& file_;
  int complaints_ = 0;
  std::vector<Rewrite> rewrites_;
};

Result<int> RunFile(const std::string& path) {
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
  std::string text = FB_TRY(files->ReadAll(path));
  CaseFile file = FB_TRY(ParseCase(path, text, [](const std::string& name) -> std::optional<Shape> {
    const Verb* verb = FindVerb(name);
    return verb == nullptr ? std::nullopt : std::optional(verb->shape);
  }));
  Run run(file);
  FB_CHECK(run.All());
  if (run.complaints() > 0 && Updating()) {
    FB_CHECK(os::AtomicWrite(*files, path, RewriteCase(file, run.rewrites())));
    fmt::print(stderr, "{}: rewritten with what was seen\n", path);
  }
  return run.complaints();
}

}  // namespace
}  // namespace flyball::cases

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "case_runner FILE.test...\n");
    return 2;
  }
  int complaints = 0;
  for (int i = 1; i < argc; ++i) {
    flyball::Result<int> result = flyball::cases::RunFile(argv[i]);
    if (!result) {
      fmt::print(stderr, "{}\n", result.error().ToString());
      return 2;
    }
    fmt::print("{}: {}\n", argv[i], *result == 0 ? "ok" : "FAILED");
    complaints += *result;
  }
  return complaints == 0 ? 0 : 1;
}
