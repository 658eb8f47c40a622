#include "ingest/source.h"

#include <cstdio>

#include "base/assert.h"
#include "ingest/jsonl.h"

namespace flyball::ingest {

struct ImportSource::Slot {
  Block block;
  size_t input = SIZE_MAX;  // which the readers below are for
  bool has_block = false;
  std::unique_ptr<RecordReader> records;
  std::unique_ptr<RowAdapter> adapter;
  Record record;
  Tally tally;
  int64_t empty_lines = 0;
  int64_t month_us = INT64_MIN;
  char month[8] = {};
};

ImportSource::ImportSource(const std::vector<Input>& inputs, const Schema& schema,
                           SourceOptions options, Quarantine* quarantine, Progress* progress)
    : inputs_(inputs),
      schema_(schema),
      options_(std::move(options)),
      quarantine_(quarantine),
      progress_(progress),
      bytes_before_(options_.bytes_before) {
  for (int i = 0; i < options_.threads; ++i) slots_.push_back(std::make_unique<Slot>());
}

ImportSource::~ImportSource() = default;

Status ImportSource::OpenReader() {
  const Input& input = inputs_[input_];
  const bool json = input.form == InputForm::kJsonLines;
  reader_ = std::make_unique<BlockReader>(
      FB_TRY(OpenContent(input.content)),
      json ? BlockReader::Form::kJsonLines : BlockReader::Form::kCsv, input.header.delimiter,
      input.file->path(), options_.block_bytes, kRecordMaxBytes);
  if (input.form == InputForm::kParquet) reader_->NumberRecords();
  if (!json) return reader_->Skip(input.header.bytes, input.header.lines);
  char mark[3];
  bool marked = input.content->packing() == Packing::kNone &&
                FB_TRY(input.content->ReadAt(0, mark, 3)) == 3 &&
                std::string_view(mark, 3) == "\xEF\xBB\xBF";
  return reader_->Skip(marked ? 3 : 0, 0);
}

Result<bool> ImportSource::NextBlock(Slot* slot) {
  std::lock_guard lock(mutex_);
  if (failed_) return false;
  while (input_ < inputs_.size()) {
    if (reader_ == nullptr) {
      Status opened = OpenReader();
      failed_ = !opened.has_value();
      FB_CHECK(opened);
    }
    Result<bool> got = reader_->Next(&slot->block);
    failed_ = !got.has_value();
    if (!got) return got;
    if (*got) {
      if (slot->input != input_) {
        const Input& input = inputs_[input_];
        slot->input = input_;
        if (input.form == InputForm::kJsonLines) {
          slot->records = MakeJsonRecords(input.facts.keys);
        } else {
          slot->records = std::make_unique<CsvRecords>(input.header.delimiter);
        }
        slot->adapter =
            std::make_unique<RowAdapter>(schema_, input.plan, options_.live, input.file->name());
      }
      progress_->Report(bytes_before_ + reader_->consumed());
      return true;
    }
    bytes_before_ += inputs_[input_].content->size();
    reader_.reset();
    ++input_;
  }
  return false;
}

Status ImportSource::Refuse(Slot* slot, const Record& record) {
  const Input& input = inputs_[slot->input];
  return quarantine_->Add({input.file->name(), record.line, slot->adapter->Reason(), slot->input},
                          slot->adapter->fault(), record.raw);
}

Result<int> ImportSource::Fill(int slot_number, engine::ChunkWriter& out) {
  Slot& slot = *slots_[static_cast<size_t>(slot_number)];
  if (progress_->cancelled()) return Fail(Code::kCancelled, "the import was cancelled");
  int rows = 0;
  while (rows < engine::kChunkRows) {
    if (!slot.has_block) {
      if (!FB_TRY(NextBlock(&slot))) break;
      slot.records->Start(&slot.block);
      slot.has_block = true;
    }
    int64_t empty_before = slot.records->empty_lines();
    bool more = slot.records->Next(&slot.record);
    slot.empty_lines += slot.records->empty_lines() - empty_before;
    if (!more) {
      slot.has_block = false;
      continue;
    }
    if (slot.adapter->Read(slot.record, &slot.tally) != Fault::kNone) {
      FB_CHECK(Refuse(&slot, slot.record));
      continue;
    }
    slot.adapter->Write(out, rows);
    if (options_.with_month) {
      if (slot.month_us != slot.adapter->month_us()) {
        slot.month_us = slot.adapter->month_us();
        CivilDate date = ToCivilDate({slot.month_us});
        std::snprintf(slot.month, sizeof slot.month, "%04d-%02d", date.year % 10000,
                      date.month % 100);
      }
      out.SetText(static_cast<int>(options_.live.size()), rows, {slot.month, 7});
    }
    ++rows;
  }
  return rows;
}

Tally ImportSource::TakeTally() {
  Tally tally;
  for (const auto& slot : slots_) {
    tally.Merge(slot->tally);
    tally.defects.Add(Repair::kEmptyLine, slot->empty_lines);
  }
  return tally;
}

}  // namespace flyball::ingest
