#include "estate/compile.h"

#include <fmt/format.h>
#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include "base/text.h"

namespace flyball::estate {
namespace {

using Op = FieldTest::Op;

// Memory that one expression may take when compiled and while it runs.
constexpr int64_t kRegexMaxBytes = 1 << 20;
// Shorter literals are found too often to rule an expression out.
constexpr int kFilterMinLiteral = 3;

// What is known of an atom.
constexpr uint8_t kUnknown = 0;
constexpr uint8_t kNo = 1;
constexpr uint8_t kYes = 2;

Result<std::unique_ptr<re2::RE2>> CompileRegex(const std::string& text, const Place& place) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMaxBytes);
  auto regex = std::make_unique<re2::RE2>(text, options);
  if (regex->ok()) return regex;
  return Fail(Error{Code::kInvalidArgument,
                    fmt::format("'{}' is no regular expression: {}", text, regex->error()),
                    "the syntax is that of RE2, which has no look-ahead and no back references",
                    place});
}

// Cheap conditions first, so that a rule fails early.
int Cost(const Atom& atom) {
  int field = atom.field.kind == Field::Kind::kText ? 3 : 0;
  return field + (atom.op == Op::kRegex ? 2 : atom.op == Op::kGlob ? 1 : 0);
}

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// No letter or digit on either side.
bool IsWholeWord(std::string_view text, size_t start, size_t end) {
  bool starts = start == 0 || !IsWordByte(text[start - 1]);
  return starts && (end == text.size() || !IsWordByte(text[end]));
}

bool ContainsWord(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    if (IsWholeWord(text, at, at + word.size())) return true;
  }
  return false;
}

bool HoldsForLower(Op op, const std::vector<std::string>& values, std::string_view text) {
  switch (op) {
    case Op::kEquals:
      return std::binary_search(values.begin(), values.end(), text);
    case Op::kPrefix:
      return std::any_of(values.begin(), values.end(),
                         [text](const std::string& v) { return text.starts_with(v); });
    case Op::kSuffix:
      return std::any_of(values.begin(), values.end(),
                         [text](const std::string& v) { return text.ends_with(v); });
    case Op::kContains:
      return std::any_of(values.begin(), values.end(), [text](const std::string& v) {
        return memmem(text.data(), text.size(), v.data(), v.size()) != nullptr;
      });
    case Op::kWord:
      return std::any_of(values.begin(), values.end(),
                         [text](const std::string& v) { return ContainsWord(text, v); });
    case Op::kGlob:
      return std::any_of(values.begin(), values.end(),
                         [text](const std::string& v) { return GlobMatch(v, text); });
    case Op::kRegex:
    case Op::kPresent:
    case Op::kAbsent:
      break;
  }
  return false;
}

}  // namespace

Atom::Atom() = default;
Atom::Atom(Atom&&) noexcept = default;
Atom::~Atom() = default;
Gift::Gift() = default;
Gift::Gift(Gift&&) noexcept = default;
Gift::~Gift() = default;

bool Atom::Holds(Row& row) const {
  if (op == Op::kPresent) return row.Get(field).has_value();
  if (op == Op::kAbsent) return !row.Get(field).has_value();
  if (op == Op::kRegex) {
    std::optional<std::string_view> text = row.Get(field);
    if (!text.has_value()) return false;
    re2::StringPiece piece(text->data(), text->size());
    return std::any_of(regexes.begin(), regexes.end(), [&piece](const auto& regex) {
      return re2::RE2::PartialMatch(piece, *regex);
    });
  }
  std::optional<std::string_view> text = row.GetLower(field);
  return text.has_value() && HoldsForLower(op, values, *text);
}

Result<uint32_t> Atoms::Intern(const FieldTest& test) {
  std::string key = fmt::format("{}\n{}", test.field, static_cast<int>(test.op));
  for (const std::string& value : test.values) key += fmt::format("\n{}:{}", value.size(), value);
  auto [found, fresh] = by_key_.try_emplace(std::move(key), static_cast<uint32_t>(atoms_.size()));
  if (!fresh) return found->second;
  Atom atom;
  Result<Field> field = ParseField(test.field);
  if (!field) return Fail(std::move(field).error().At(test.place));
  atom.field = std::move(*field);
  atom.op = test.op;
  for (const std::string& value : test.values) {
    if (test.op == Op::kRegex) {
      atom.regexes.push_back(FB_TRY(CompileRegex(value, test.place)));
    } else if (atom.field.kind == Field::Kind::kProvider && test.op == Op::kEquals) {
      atom.values.push_back(ToLower(providers_.Canonical(value)));
    } else {
      atom.values.push_back(ToLower(value));
    }
  }
  if (test.op == Op::kEquals) std::sort(atom.values.begin(), atom.values.end());
  atoms_.push_back(std::move(atom));
  return found->second;
}

void Atoms::Finish() {
  scan_of_.assign(atoms_.size(), -1);
  for (uint32_t i = 0; i < atoms_.size(); ++i) {
    const Atom& atom = atoms_[i];
    if (atom.op != Op::kContains && atom.op != Op::kWord && atom.op != Op::kRegex) continue;
    auto scan = std::find_if(scans_.begin(), scans_.end(),
                             [&atom](const FieldScan& s) { return s.field() == atom.field; });
    if (scan == scans_.end()) {
      scans_.emplace_back(atom.field);
      scan = scans_.end() - 1;
    }
    scan->Add(i, atom);
    scan_of_[i] = static_cast<int>(scan - scans_.begin());
  }
  for (size_t s = 0; s < scans_.size(); ++s) {
    if (scans_[s].Build()) continue;
    std::replace(scan_of_.begin(), scan_of_.end(), static_cast<int>(s), -1);
  }
}

FieldScan::FieldScan(Field field) : field_(std::move(field)) {}
FieldScan::FieldScan(FieldScan&&) noexcept = default;
FieldScan::~FieldScan() = default;

uint32_t FieldScan::Literal(const std::string& text) {
  auto [found, fresh] = ids_.try_emplace(text, 0);
  if (fresh) {
    found->second = finder_.Add(text);
    waiting_.emplace_back();
  }
  return found->second;
}

void FieldScan::Add(uint32_t index, const Atom& atom) {
  atoms_.push_back(index);
  for (const std::string& value : atom.values) {
    waiting_[Literal(value)].push_back({index, atom.op == Op::kWord});
  }
  for (const std::unique_ptr<re2::RE2>& regex : atom.regexes) {
    if (filter_ == nullptr) filter_ = std::make_unique<re2::FilteredRE2>(kFilterMinLiteral);
    int id = 0;
    filter_->Add(regex->pattern(), regex->options(), &id);
    regex_atoms_.resize(static_cast<size_t>(id) + 1);
    regex_atoms_[static_cast<size_t>(id)] = index;
  }
}

bool FieldScan::Build() {
  std::vector<std::string> needed;
  if (filter_ != nullptr) filter_->Compile(&needed);
  std::vector<uint32_t> ids;
  for (const std::string& text : needed) ids.push_back(Literal(text));
  filter_literals_.assign(finder_.size(), -1);
  for (size_t i = 0; i < ids.size(); ++i) filter_literals_[ids[i]] = static_cast<int>(i);
  return finder_.Build();
}

void FieldScan::Run(Row& row, std::vector<uint8_t>* known) const {
  for (uint32_t atom : atoms_) (*known)[atom] = kNo;
  std::optional<std::string_view> value = row.GetLower(field_);
  if (!value.has_value()) return;
  std::string_view text = *value;
  std::vector<int> found;
  finder_.Find(text, [&](uint32_t literal, size_t end) {
    for (const Waiting& waiting : waiting_[literal]) {
      size_t start = end - finder_.literal(literal).size();
      if (!waiting.word || IsWholeWord(text, start, end)) (*known)[waiting.atom] = kYes;
    }
    if (filter_literals_[literal] >= 0) found.push_back(filter_literals_[literal]);
  });
  if (filter_ == nullptr) return;
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<int> possible;
  filter_->AllPotentials(found, &possible);
  for (int regex : possible) (*known)[regex_atoms_[static_cast<size_t>(regex)]] = kUnknown;
}

bool Evaluation::Holds(uint32_t atom) {
  uint8_t& known = known_[atom];
  int scan = atoms_.scan_of(atom);
  if (known == kUnknown && scan >= 0 && scanned_[static_cast<size_t>(scan)] == 0) {
    scanned_[static_cast<size_t>(scan)] = 1;
    atoms_.scans()[static_cast<size_t>(scan)].Run(row_, &known_);
  }
  if (known == kUnknown) known = atoms_[atom].Holds(row_) ? kYes : kNo;
  return known == kYes;
}

bool Match::Holds(Evaluation& evaluation) const {
  for (uint32_t atom : atoms) {
    if (!evaluation.Holds(atom)) return false;
  }
  for (const Match& match : none) {
    if (match.Holds(evaluation)) return false;
  }
  for (const std::vector<Match>& alternatives : any) {
    bool one = std::any_of(alternatives.begin(), alternatives.end(),
                           [&evaluation](const Match& m) { return m.Holds(evaluation); });
    if (!one) return false;
  }
  return true;
}

Result<Match> CompileMatch(const MatchSpec& spec, Atoms* atoms) {
  Match match;
  for (const FieldTest& test : spec.tests) {
    match.atoms.push_back(FB_TRY(atoms->Intern(test)));
  }
  std::sort(match.atoms.begin(), match.atoms.end(), [atoms](uint32_t a, uint32_t b) {
    return std::pair(Cost((*atoms)[a]), a) < std::pair(Cost((*atoms)[b]), b);
  });
  for (const MatchSpec& inner : spec.none) {
    match.none.push_back(FB_TRY(CompileMatch(inner, atoms)));
  }
  for (const std::vector<MatchSpec>& list : spec.any) {
    std::vector<Match> alternatives;
    for (const MatchSpec& inner : list) {
      alternatives.push_back(FB_TRY(CompileMatch(inner, atoms)));
    }
    match.any.push_back(std::move(alternatives));
  }
  return match;
}

Status RuleList::Add(const RuleSpec& spec, Atoms* atoms) {
  Rule rule;
  rule.origin = spec.origin;
  rule.match = FB_TRY(CompileMatch(spec.match, atoms));
  for (const SetSpec& set : spec.set) {
    Gift gift;
    gift.dimension = set.dimension;
    gift.literal = set.literal;
    gift.slug = set.slug;
    for (const std::string& name : set.from) {
      Result<Field> field = ParseField(name);
      if (!field) return Fail(std::move(field).error().At(set.place));
      gift.from.push_back(std::move(*field));
    }
    if (!set.regex.empty()) gift.regex = FB_TRY(CompileRegex(set.regex, set.place));
    rule.dimensions |= 1u << static_cast<unsigned>(set.dimension);
    rule.gifts.push_back(std::move(gift));
  }
  rules_.push_back(std::move(rule));
  return {};
}

void RuleList::Index(const Atoms& atoms) {
  // Of several equalities the one with the fewest values, and not the provider, leaves the fewest
  // rules to try.
  auto worth = [&atoms](uint32_t index) {
    const Atom& atom = atoms[index];
    if (atom.op != Op::kEquals || atom.field.kind == Field::Kind::kText) return size_t{0};
    size_t base = atom.field.kind == Field::Kind::kProvider ? 1000 : 1'000'000;
    return base - std::min<size_t>(atom.values.size(), 999);
  };
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const Atom* best = nullptr;
    size_t best_worth = 0;
    for (uint32_t index : rules_[i].match.atoms) {
      if (worth(index) > best_worth) {
        best = &atoms[index];
        best_worth = worth(index);
      }
    }
    if (best == nullptr) {
      unindexed_.push_back(i);
      continue;
    }
    auto found = std::find_if(indexes_.begin(), indexes_.end(),
                              [best](const FieldIndex& x) { return x.field == best->field; });
    if (found == indexes_.end()) {
      indexes_.push_back({best->field, {}});
      found = indexes_.end() - 1;
    }
    for (const std::string& value : best->values) {
      Bucket& bucket = found->buckets[value];
      if (bucket.empty() || bucket.back() != i) bucket.push_back(i);
    }
  }
}

}  // namespace flyball::estate
