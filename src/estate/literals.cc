#include "estate/literals.h"

#include <algorithm>

namespace flyball::estate {

uint32_t LiteralFinder::Add(std::string_view literal) {
  literals_.emplace_back(literal);
  return static_cast<uint32_t>(literals_.size() - 1);
}

bool LiteralFinder::Build() {
  size_t bytes = 0;
  for (const std::string& literal : literals_) {
    bytes += literal.size();
    for (char c : literal) {
      uint8_t& byte_class = class_of_[static_cast<uint8_t>(c)];
      if (byte_class == 0 && classes_ < 255) byte_class = static_cast<uint8_t>(classes_++);
    }
  }
  if (classes_ == 255 || (bytes + 1) * classes_ > kMaxCells) return false;
  nodes_.emplace_back();
  goto_.assign(classes_, 0);
  for (size_t id = 0; id < literals_.size(); ++id) {
    uint32_t node = 0;
    for (char c : literals_[id]) {
      size_t cell = node * classes_ + class_of_[static_cast<uint8_t>(c)];
      if (goto_[cell] == 0) {
        goto_[cell] = static_cast<uint32_t>(nodes_.size());
        nodes_.emplace_back();
        goto_.resize(goto_.size() + classes_, 0);
      }
      node = goto_[cell];
    }
    nodes_[node].literal = static_cast<int32_t>(id);
  }
  // Breadth first: the failure of a node is known before those of its children, and its missing
  // steps are those of its failure.
  std::vector<uint32_t> queue;
  for (size_t c = 0; c < classes_; ++c) {
    if (goto_[c] != 0) queue.push_back(goto_[c]);
  }
  for (size_t at = 0; at < queue.size(); ++at) {
    uint32_t node = queue[at];
    uint32_t fail = nodes_[node].fail;
    nodes_[node].next_output = nodes_[fail].literal >= 0 ? fail : nodes_[fail].next_output;
    for (size_t c = 0; c < classes_; ++c) {
      uint32_t& child = goto_[node * classes_ + c];
      uint32_t through_fail = goto_[fail * classes_ + c];
      if (child == 0) {
        child = through_fail;
      } else {
        nodes_[child].fail = through_fail;
        queue.push_back(child);
      }
    }
  }
  return true;
}

}  // namespace flyball::estate
