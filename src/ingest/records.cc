#include "ingest/records.h"

#include <fmt/format.h>

#include "ingest/cells.h"

namespace flyball::ingest {

Result<Records> Records::Open(const std::vector<Input>& inputs, size_t index, size_t block_bytes,
                              Progress* progress) {
  std::vector<Portion> portions = FB_TRY(WholeInputs(inputs));
  Records records;
  records.feed_ = std::make_unique<BlockFeed>(inputs, std::vector<Portion>{portions[index]},
                                              block_bytes, progress, 0, 0);
  records.reader_ = MakeRecordReader(inputs[index], false);
  records.block_ = std::make_unique<Block>();
  return records;
}

Result<const Record*> Records::Next() {
  for (;;) {
    if (started_ && reader_->Next(&record_)) return &record_;
    size_t portion = 0;
    if (!FB_TRY(feed_->Next(block_.get(), &portion))) return nullptr;
    reader_->Start(block_.get());
    started_ = true;
  }
}

Result<TextTable> ReadTable(const std::string& path) {
  constexpr size_t kBlockBytes = 1u << 20;
  std::vector<Input> inputs;
  inputs.push_back(FB_TRY(OpenInput(path, Format::kDetect)));
  Input& input = inputs.front();
  if (input.form == InputForm::kParquet || input.form == InputForm::kJsonDocument) {
    return Fail(Code::kInvalidArgument, "'" + path + "' is neither CSV nor JSON lines",
                "export it as CSV");
  }
  Progress progress({}, 0);
  if (input.form == InputForm::kJsonLines) FB_CHECK(ScanContent(&input, &progress, 0));
  TextTable table;
  table.columns = input.field_names();
  Records records = FB_TRY(Records::Open(inputs, 0, kBlockBytes, &progress));
  for (;;) {
    const Record* record = FB_TRY(records.Next());
    if (record == nullptr) return table;
    const bool whole = record->fault == nullptr && record->fields.size() >= table.columns.size();
    if (!whole || table.rows.size() == kTableRowsMax) {
      return Fail(Error{Code::kInvalidArgument,
                        whole ? fmt::format("the file has more than {} rows", kTableRowsMax)
                              : "the row cannot be read, or has not as many fields as the header",
                        "fetch the file again",
                        {path, record->line, 0, 0}});
    }
    auto& row = table.rows.emplace_back();
    RowDefects ignored;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const Field& field = record->fields[i];
      row.push_back(IsNullCell(field, &ignored) ? std::nullopt
                                                : std::optional<std::string>(field.text));
    }
  }
}

}  // namespace flyball::ingest
