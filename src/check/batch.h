// Batch: some rows of one file as columns, each cell read once into what rules ask of it: facts,
// the number, the code of its text, the hash by which rows are grouped.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "check/facts.h"
#include "ingest/record.h"
#include "model/focus.h"

namespace flyball::check {

inline constexpr int kBatchRows = 1024;
inline constexpr size_t kLiteralsMax = 10'000;  // of one column

// What is asked of one column; complete before the first row is read.
struct ColumnPlan {
  std::string name;  // as FOCUS spells it, where it knows it
  CellType type = CellType::kText;
  bool focus = false;                 // FOCUS knows it; else it is a custom column
  bool keep_text = false;             // its texts are compared with those of other columns
  bool keep_hash = false;             // rows are grouped by it
  std::vector<std::string> literals;  // the texts that rules look for; their codes count from 1
  bool is_number() const { return type == CellType::kMoney || type == CellType::kQuantity; }
};

// The columns of all files of a check.
class Layout {
 public:
  explicit Layout(focus::DataSet data_set) : data_set_(data_set) {}
  // The column of a header's name, made when absent. FOCUS columns are found whatever their case.
  int Take(std::string_view name);
  int Find(std::string_view name) const;  // -1: no file has it
  // The code by which the text is known in that column. INVALID_ARGUMENT beyond kLiteralsMax.
  Result<uint16_t> Literal(int column, std::string_view text);
  std::vector<ColumnPlan>& columns() { return columns_; }
  const std::vector<ColumnPlan>& columns() const { return columns_; }
  const ColumnPlan& operator[](int column) const { return columns_[static_cast<size_t>(column)]; }
  focus::DataSet data_set() const { return data_set_; }

 private:
  focus::DataSet data_set_;
  std::vector<ColumnPlan> columns_;
};
CellType CellTypeOf(const focus::Column& column);

struct ColumnBatch {
  std::vector<Facts> facts;
  std::vector<uint16_t> code;          // of columns with literals
  std::vector<int128> units;           // of numbers and instants
  std::vector<std::string_view> text;  // of columns that keep it
  std::vector<uint64_t> hash;          // of columns that are grouped by; 0: null
};

struct Batch {
  int rows = 0;
  int file = 0;
  std::vector<int64_t> line;
  std::vector<ColumnBatch> columns;  // by Layout; a column that the file lacks is null throughout
};

// Fills batches from records. One a thread.
class BatchReader {
 public:
  explicit BatchReader(const Layout& layout);
  // The file that the next records come from: for each of its fields the column, or -1.
  void StartFile(int file, std::vector<int> column_of);
  // Reads records until the batch is full or the block is used up; false when there were none.
  // Texts point into the block or into the reader, until the next call.
  bool Fill(ingest::RecordReader& records, const ingest::Block& block);
  const Batch& batch() const { return batch_; }
  // Records that could not be taken apart since the last call: their lines.
  std::vector<int64_t> TakeUnreadable();

 private:
  struct Memo {
    std::string text;
    bool quoted = false;
    bool any = false;
    Cell cell;
    uint16_t code = 0;
    uint64_t hash = 0;
  };
  void ReadField(int column, const ingest::Field& field, int row, const ingest::Block& block);
  std::string_view Keep(std::string_view text, const ingest::Block& block);

  const Layout& layout_;
  Batch batch_;
  std::vector<int> column_of_;
  std::vector<bool> present_;
  std::vector<Memo> memos_;
  std::vector<JsonCache> json_;
  std::vector<std::unordered_map<std::string_view, uint16_t>> codes_;
  std::deque<std::string> kept_;
  ingest::Record record_;
  std::vector<int64_t> unreadable_;
};

}  // namespace flyball::check
