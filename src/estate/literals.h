// LiteralFinder: which of many texts occur in another, in one pass over it (Aho and Corasick, CACM
// 18(6), 1975).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flyball::estate {

class LiteralFinder {
 public:
  // The id of a literal, which is not empty and was not added before. Only before Build.
  uint32_t Add(std::string_view literal);
  // False, and nothing can be found, when the automaton would need more than kMaxCells.
  bool Build();
  // Calls visit(id, end) for every occurrence; `end` is the place behind its last byte.
  template <typename Visit>
  void Find(std::string_view text, Visit visit) const;

  size_t size() const { return literals_.size(); }
  const std::string& literal(uint32_t id) const { return literals_[id]; }

  static constexpr size_t kMaxCells = 4u << 20;  // 16 MiB

 private:
  struct Node {
    uint32_t fail = 0;
    uint32_t next_output = 0;  // the nearest shorter suffix that is a literal; 0: none
    int32_t literal = -1;
  };
  uint32_t Step(uint32_t node, char byte) const {
    return goto_[node * classes_ + class_of_[static_cast<uint8_t>(byte)]];
  }
  std::vector<std::string> literals_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> goto_;  // by node, then by class of byte
  uint8_t class_of_[256] = {};  // 0: occurs in no literal
  size_t classes_ = 1;
};

template <typename Visit>
void LiteralFinder::Find(std::string_view text, Visit visit) const {
  if (nodes_.empty()) return;
  uint32_t node = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    node = Step(node, text[i]);
    for (uint32_t hit = nodes_[node].literal >= 0 ? node : nodes_[node].next_output; hit != 0;
         hit = nodes_[hit].next_output) {
      visit(static_cast<uint32_t>(nodes_[hit].literal), i + 1);
    }
  }
}

}  // namespace flyball::estate
