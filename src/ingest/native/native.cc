#include "ingest/native/native.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/raw_sum.h"
#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/json_text.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

// Follows "b.c" inside the JSON of a cell; empty when it is not there.
std::string Inside(std::string_view json, std::string_view path) {
  std::vector<JsonMember> members;
  while (!path.empty()) {
    if (!CutObject(json, &members)) return {};
    // A key may have dots itself: the longest that fits counts.
    const JsonMember* found = nullptr;
    for (const JsonMember& member : members) {
      const bool fits = path == member.key || (path.starts_with(member.key) &&
                                               path.substr(member.key.size()).starts_with('.'));
      if (fits && (found == nullptr || member.key.size() > found->key.size())) found = &member;
    }
    if (found == nullptr) return {};
    json = found->value;
    path.remove_prefix(std::min(path.size(), found->key.size() + 1));
  }
  return JsonTextOf(json);
}

// Adds what the record says under a name of Format::costs. False: it can't be read.
bool AddCosts(const Row& row, std::string_view name, RawDecimalSum* sum) {
  const size_t list = name.find("[].");
  if (list == std::string_view::npos) {
    for (const std::string_view one : SplitText(name, '|')) {
      if (const std::string_view text = row[one]; !text.empty()) return sum->Add(text);
    }
    return true;
  }
  std::vector<std::string_view> elements;
  const std::string_view json = row[name.substr(0, list)];
  if (json.empty()) return true;
  if (!CutArray(json, &elements)) return false;
  for (std::string_view element : elements) {
    if (!sum->Add(Inside(element, name.substr(list + 3)))) return false;
  }
  return true;
}

// Why the drafts may not be kept; empty when they may.
std::string CostFault(const Format& format, const Row& row, const std::vector<Draft>& drafts) {
  RawDecimalSum said, made;
  for (std::string_view name : format.costs) {
    if (AddCosts(row, name, &said)) continue;
    // Of one charge whose cost is no number the adapter says so in its own words.
    const bool list = name.find("[].") != std::string_view::npos;
    if (!list && drafts.size() == 1) return {};
    return fmt::format("{} cannot be read", name.substr(0, name.find_first_of("[|")));
  }
  for (const Draft& draft : drafts) {
    const std::string& text = draft[format.costs_are];
    if (text.empty() || made.Add(Shifted(text, -format.cost_shift))) continue;
    if (drafts.size() == 1) return {};
    return fmt::format("'{}' is no cost", text);
  }
  if (made == said) return {};
  return fmt::format("the record says a cost of {}, but its charges would say {}", said.ToString(),
                     made.ToString());
}

void ApplyRules(const Format& format, const Row& row, Draft* draft) {
  for (const Rule& rule : format.rules) {
    std::string& cell = (*draft)[charge::IndexOf(rule.column)];
    if (rule.constant) {
      cell = rule.from[0];
      continue;
    }
    for (std::string_view name : rule.from) {
      if (name.empty() || !cell.empty()) break;
      cell = row[name];
    }
  }
  if (format.tags.empty()) return;
  std::vector<std::pair<std::string, std::string>> tags;
  for (const auto& [key, name] : format.tags) {
    if (!row[name].empty()) tags.emplace_back(key, row[name]);
  }
  (*draft)[charge::kTags] = TagsJson(tags);
}

}  // namespace

Header::Header(const std::vector<std::string>& names, std::string (*spell)(std::string_view))
    : names_(names) {
  for (size_t i = 0; i < names_.size(); ++i) {
    spellings_.push_back(spell(names_[i]));
    if (!index_.emplace(spellings_.back(), i).second) twice_.push_back(spellings_.back());
  }
}

int Header::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? -1 : static_cast<int>(found->second);
}

std::string_view Row::operator[](std::string_view name) const {
  if (const int column = header_.Find(name); column >= 0) {
    return cells_[static_cast<size_t>(column)];
  }
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {};
  const int column = header_.Find(name.substr(0, dot));
  if (column < 0) return {};
  auto found = inside_.find(name);
  if (found == inside_.end()) {
    std::string text = Inside(cells_[static_cast<size_t>(column)], name.substr(dot + 1));
    found = inside_.emplace(name, std::move(text)).first;
  }
  return found->second;
}

std::string_view Row::First(std::initializer_list<std::string_view> names) const {
  for (std::string_view name : names) {
    if (const std::string_view text = (*this)[name]; !text.empty()) return text;
  }
  return {};
}

const Format* FindFormat(std::string_view name) {
  for (const Format& format : Formats()) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

const Format* Detect(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (ToLower(name) == "billedcost") return nullptr;
  }
  for (const Format& format : Formats()) {
    if (!format.needs.empty() && MissingColumns(format, Header(names, format.spell)).empty()) {
      return &format;
    }
  }
  return nullptr;
}

std::vector<std::string_view> MissingColumns(const Format& format, const Header& header) {
  std::vector<std::string_view> missing;
  for (std::string_view needed : format.needs) {
    const bool there =
        header.Find(needed) >= 0 || header.Find(needed.substr(0, needed.find('.'))) >= 0;
    if (!there) missing.push_back(needed);
  }
  return missing;
}

focus::Lineage LineageOf(const Format& format, std::string_view column) {
  if (std::ranges::find(format.derived, column) != format.derived.end()) {
    return focus::Lineage::kDerived;
  }
  for (const Rule& rule : format.rules) {
    if (rule.column != column) continue;
    return rule.constant ? focus::Lineage::kAssumed : focus::Lineage::kObserved;
  }
  return focus::Lineage::kMissing;
}

std::vector<int> ColumnsOf(const Format& format) {
  std::vector<int> columns;
  for (int i = 0; i < charge::kColumnCount; ++i) {
    const std::string_view name = charge::kColumnNames[static_cast<size_t>(i)];
    if (LineageOf(format, name) != focus::Lineage::kMissing) columns.push_back(i);
  }
  return columns;
}

std::vector<Draft> Translate(const Format& format, const Row& row, const Context& context) {
  std::vector<Draft> drafts(1);
  ApplyRules(format, row, &drafts.front());
  if (format.code != nullptr) format.code(row, context, &drafts);
  if (format.costs.empty() || drafts.empty()) return drafts;
  if (std::string fault = CostFault(format, row, drafts); !fault.empty()) {
    drafts.resize(1);
    drafts.front()[charge::kBilledCost].clear();
    drafts.front()[At("ChargeDescription")] = std::move(fault);
  }
  return drafts;
}

}  // namespace flyball::native
