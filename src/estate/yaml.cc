#include "estate/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <set>
#include <sstream>
#include <unordered_map>

#include "base/text.h"
#include "estate/estate.h"

namespace flyball::estate {
namespace {

// Thrown through yaml-cpp's parser and caught in ParseYaml.
struct Stop {
  Error error;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, YamlBudget& budget) : file_(file), budget_(budget) {}

  YamlNode TakeRoot() { return std::move(root_); }
  // Where the last scalar in quotes starts; a null mark when there was none.
  const YAML::Mark& last_quoted() const { return last_quoted_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Close(Start(mark, YamlNode::Kind::kNull), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    YamlNode node = Start(mark, YamlNode::Kind::kScalar);
    node.scalar = value;
    if (tag == "!") last_quoted_ = mark;
    Close(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stop{Fault(mark, Code::kInvalidArgument, "this alias stands inside its own anchor",
                       "write the value out")};
    }
    if (open_.size() + found->second.depth > static_cast<size_t>(kEstateMaxDepth)) TooDeep(mark);
    Count(mark, found->second.nodes);
    Measure measure = found->second;
    YamlNode copy = measure.node;
    Attach(std::move(copy), measure.nodes, measure.depth);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, YamlNode::Kind::kList, anchor);
  }
  void OnSequenceEnd() override { CloseOpen(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, YamlNode::Kind::kMap, anchor);
  }
  void OnMapEnd() override { CloseOpen(); }

 private:
  struct OpenNode {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool key_is_next = true;
    std::set<std::string> keys;
    int nodes = 1;
    size_t depth = 0;  // of the deepest node below
  };
  struct Measure {
    YamlNode node;
    int nodes = 1;
    size_t depth = 0;
  };

  Error Fault(const YAML::Mark& mark, Code code, std::string message, std::string hint) const {
    return Error{code, std::move(message), std::move(hint),
                 Place{file_, mark.line + 1, mark.column + 1, mark.pos + 1}};
  }
  void CheckTag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
    throw Stop{Fault(mark, Code::kInvalidArgument, fmt::format("'{}' is a tag of YAML's own", tag),
                     "leave it out; values are read as they are written")};
  }
  [[noreturn]] void TooDeep(const YAML::Mark& mark) const {
    throw Stop{Fault(mark, Code::kInvalidArgument,
                     fmt::format("the text nests deeper than {} levels", kEstateMaxDepth),
                     "an estate needs about six")};
  }
  void Count(const YAML::Mark& mark, int nodes) {
    if (nodes > budget_.nodes_left) {
      throw Stop{Fault(mark, Code::kInvalidArgument,
                       fmt::format("the estate has more than {} values (aliases count as what they "
                                   "stand for)",
                                   kEstateMaxNodes),
                       "split the estate or write fewer aliases")};
    }
    budget_.nodes_left -= nodes;
  }
  YamlNode Start(const YAML::Mark& mark, YamlNode::Kind kind) {
    Count(mark, 1);
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }
  void Open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (open_.size() >= static_cast<size_t>(kEstateMaxDepth)) TooDeep(mark);
    OpenNode open;
    open.node = Start(mark, kind);
    open.anchor = anchor;
    open_.push_back(std::move(open));
  }
  void CloseOpen() {
    OpenNode open = std::move(open_.back());
    open_.pop_back();
    if (open.anchor != 0) anchors_[open.anchor] = Measure{open.node, open.nodes, open.depth + 1};
    Attach(std::move(open.node), open.nodes, open.depth + 1);
  }
  void Close(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = Measure{node, 1, 0};
    Attach(std::move(node), 1, 0);
  }
  void Attach(YamlNode node, int nodes, size_t depth) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    OpenNode& parent = open_.back();
    parent.nodes += nodes;
    parent.depth = std::max(parent.depth, depth);
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (parent.key_is_next) {
      CheckKey(parent, node);
      parent.node.keys.push_back(std::move(node));
    } else {
      parent.node.items.push_back(std::move(node));
    }
    parent.key_is_next = !parent.key_is_next;
  }
  void CheckKey(OpenNode& parent, const YamlNode& key) const {
    Place place{file_, key.line, key.column, 0};
    if (key.kind != YamlNode::Kind::kScalar) {
      throw Stop{Error{Code::kInvalidArgument,
                       fmt::format("found {} where a key is expected", Describe(key)),
                       "keys are plain text, followed by a colon", place}};
    }
    if (!parent.keys.insert(key.scalar).second) {
      throw Stop{Error{Code::kInvalidArgument,
                       fmt::format("the key '{}' stands twice in this map", key.scalar),
                       "keep one of them", place}};
    }
  }

  const std::string& file_;
  YamlBudget& budget_;
  YamlNode root_;
  std::vector<OpenNode> open_;
  std::unordered_map<YAML::anchor_t, Measure> anchors_;
  YAML::Mark last_quoted_ = YAML::Mark::null_mark();
};

// yaml-cpp takes the end of the text for the end of a quote. Only the last quoted scalar can be one
// that never closes.
bool QuoteCloses(std::string_view text, const YAML::Mark& mark) {
  if (mark.is_null() || mark.pos < 0 || static_cast<size_t>(mark.pos) >= text.size()) return true;
  char quote = text[static_cast<size_t>(mark.pos)];
  if (quote != '"' && quote != '\'') return true;
  for (size_t i = static_cast<size_t>(mark.pos) + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == '\'';
      if (!doubled) return true;
      ++i;
    }
  }
  return false;
}

Status CheckText(std::string_view text, const std::string& file) {
  if (text.size() > kEstateMaxBytes) {
    return Fail(Error{Code::kInvalidArgument,
                      fmt::format("the file has {}, more than the limit of {}",
                                  FormatBytes(text.size()), FormatBytes(kEstateMaxBytes)),
                      "split the estate into several homes", Place{file, 0, 0, 0}});
  }
  size_t valid = ValidUtf8Prefix(text);
  size_t nul = text.find('\0');
  size_t bad = std::min(valid, nul);
  if (bad < text.size()) {
    auto line = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(bad), '\n') + 1;
    return Fail(Error{Code::kInvalidArgument, "the file is not UTF-8 text", "save it as UTF-8",
                      Place{file, line, 0, static_cast<int64_t>(bad + 1)}});
  }
  return {};
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].scalar == key) return &items[i];
  }
  return nullptr;
}

std::string Describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
    case YamlNode::Kind::kScalar:
      break;
  }
  constexpr size_t kShown = 60;
  if (node.scalar.size() <= kShown) return "'" + node.scalar + "'";
  size_t cut = ValidUtf8Prefix(std::string_view(node.scalar).substr(0, kShown));
  return "'" + node.scalar.substr(0, cut) + "...'";
}

Result<YamlNode> ParseYaml(std::string_view text, const std::string& file, YamlBudget& budget) {
  FB_CHECK(CheckText(text, file));
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  TreeBuilder builder(file, budget);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return YamlNode{};
    TreeBuilder rest(file, budget);
    if (parser.HandleNextDocument(rest)) {
      return Fail(Error{Code::kInvalidArgument, "the file holds more than one YAML document",
                        "remove the line '---' between them", Place{file, 0, 0, 0}});
    }
  } catch (const Stop& stop) {
    return Fail(stop.error);
  } catch (const YAML::Exception& e) {
    Place place{file, e.mark.line + 1, e.mark.column + 1, e.mark.pos + 1};
    return Fail(Error{Code::kInvalidArgument, "this is not YAML: " + e.msg,
                      "check the indentation, quotes and brackets on this line and the one before",
                      place});
  } catch (const std::exception& e) {
    return Fail(Error{Code::kInvalidArgument, std::string("this is not YAML: ") + e.what(), "",
                      Place{file, 0, 0, 0}});
  }
  if (!QuoteCloses(text, builder.last_quoted())) {
    const YAML::Mark& mark = builder.last_quoted();
    return Fail(Error{Code::kInvalidArgument, "this quote is never closed", "close it",
                      Place{file, mark.line + 1, mark.column + 1, mark.pos + 1}});
  }
  return builder.TakeRoot();
}

}  // namespace flyball::estate
