// Program: the expressions of all rules, compiled once into tests over whole columns of a batch.
// Equal parts of different rules are one node and are worked out once a batch; the result of a node
// is a mask with one bit a row.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "check/batch.h"
#include "check/expr.h"

namespace flyball::check {

inline constexpr size_t kMaskWords = kBatchRows / 64;
using Mask = std::array<uint64_t, kMaskWords>;

inline constexpr size_t kNodesMax = 200'000;

class Program {
 public:
  // The layout must outlive the program and be complete in its columns; literals are added to it.
  explicit Program(Layout* layout) : layout_(layout) {}
  // The node that the expression is. INVALID_ARGUMENT when a fact has no meaning in its column, or
  // there are more than kNodesMax.
  Result<int> Add(const Expr& expr);
  // The masks of all nodes, by number.
  void Run(const Batch& batch, std::vector<Mask>* masks) const;
  size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    Expr::Kind kind = Expr::Kind::kTrue;
    std::vector<int> items;
    int column = -1, other = -1, result = -1;
    uint16_t code = 0;
    Facts bits = 0;
    Compare compare = Compare::kEqual;
    int128 number = 0;
    std::shared_ptr<const JsonRule> json;
    std::vector<std::pair<std::string, int>> json_columns;  // that the elements are compared with
  };
  Result<int> Put(Node node);
  Result<int> Constant(bool value);
  Result<int> Negated(int item);
  Result<int> AddItems(const Expr& expr);
  Result<int> AddText(const Expr& expr, int column);
  Result<int> AddNumber(const Expr& expr, int column);
  Result<int> AddColumns(const Expr& expr);
  Result<int> AddJson(const Expr& expr, int column);
  Result<int> AddProduct(const Expr& expr);
  void RunJson(const Node& node, const Batch& batch, Mask* out) const;
  void RunNode(const Node& node, const Batch& batch, const Mask& live, std::vector<Mask>* masks,
               Mask* out) const;

  Layout* layout_;
  std::vector<Node> nodes_;
  std::map<std::string, int> known_;  // by what the node says
};

// Calls visit(row) for each row of the mask.
template <typename Visit>
void ForEachRow(const Mask& mask, Visit visit) {
  for (size_t word = 0; word < kMaskWords; ++word) {
    for (uint64_t left = mask[word]; left != 0; left &= left - 1) {
      visit(word * 64 + static_cast<size_t>(__builtin_ctzll(left)));
    }
  }
}
inline int64_t CountRows(const Mask& mask) {
  int64_t count = 0;
  for (uint64_t word : mask) count += __builtin_popcountll(word);
  return count;
}

}  // namespace flyball::check
