// YAML as a plain tree. yaml-cpp parses; we build the tree from its events, so that every node
// knows where it stands and every limit holds while the text is read: an alias is a copy that
// counts, a recursive alias cannot be written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "estate/estate.h"

namespace flyball::estate {

struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string scalar;           // kScalar, always as written: "0x10" and "yes" stay text
  std::vector<YamlNode> items;  // kList: the items; kMap: the values
  std::vector<YamlNode> keys;   // kMap: scalars, as many as items
  int line = 0;                 // from 1
  int column = 0;               // from 1

  // The value of a key of a map, or nullptr.
  const YamlNode* Find(std::string_view key) const;
};

// How many more values may be read; files that belong together share one.
struct YamlBudget {
  int nodes_left = kEstateMaxNodes;
};

// Reads one document of at most kEstateMaxBytes, kEstateMaxDepth and what the budget leaves
// (aliases expanded), which it lowers. An empty text is a kNull node. `file` goes into the places
// of errors. INVALID_ARGUMENT for text that is not YAML, keys that are not plain text or stand
// twice in a map; RESOURCE_EXHAUSTED at a limit.
Result<YamlNode> ParseYaml(std::string_view text, const std::string& file, YamlBudget& budget);

// "a list", "a map", "'text'" or "nothing": how errors name what they found.
std::string Describe(const YamlNode& node);

}  // namespace flyball::estate
