#include "ingest/source.h"

namespace flyball::ingest {

struct ImportSource::Slot {
  Block block;
  bool has_block = false;
  size_t portion = SIZE_MAX;  // which the readers below are for
  std::unique_ptr<RecordReader> records;
  std::unique_ptr<RowAdapter> adapter;
  Record record;
  Tally tally;
  int64_t empty_lines = 0;
};

ImportSource::ImportSource(const std::vector<Input>& inputs, const Schema& schema,
                           std::vector<int> live, int threads, std::unique_ptr<BlockFeed> feed,
                           Quarantine* quarantine)
    : inputs_(inputs),
      schema_(schema),
      live_(std::move(live)),
      feed_(std::move(feed)),
      quarantine_(quarantine) {
  for (int i = 0; i < threads; ++i) slots_.push_back(std::make_unique<Slot>());
}

ImportSource::~ImportSource() = default;

Result<bool> ImportSource::NextBlock(Slot* slot) {
  const size_t before = slot->portion;
  if (!FB_TRY(feed_->Next(&slot->block, &slot->portion))) {
    slot->block = {};  // its memory is of use to others
    return false;
  }
  if (slot->portion != before) {
    const Portion& portion = feed_->portions()[slot->portion];
    const Input& input = inputs_[portion.input];
    slot->records = MakeRecordReader(input, portion.numbered);
    slot->adapter = std::make_unique<RowAdapter>(schema_, input.plan, live_, SourceFileName(input));
  }
  slot->records->Start(&slot->block);
  slot->has_block = true;
  return true;
}

Result<int> ImportSource::Fill(int slot_number, engine::ChunkWriter& out) {
  Slot& slot = *slots_[static_cast<size_t>(slot_number)];
  int rows = 0;
  while (rows < engine::kChunkRows) {
    if (!slot.has_block && !FB_TRY(NextBlock(&slot))) break;
    const int64_t empty_before = slot.records->empty_lines();
    slot.has_block = slot.records->Next(&slot.record);
    slot.empty_lines += slot.records->empty_lines() - empty_before;
    if (!slot.has_block) continue;
    const Fault fault = slot.adapter->Read(slot.record, &slot.tally);
    if (fault == Fault::kNone) {
      slot.adapter->Write(out, rows++);
      continue;
    }
    const size_t input = feed_->portions()[slot.portion].input;
    FB_CHECK(quarantine_->Add(
        {SourceFileName(inputs_[input]), slot.adapter->line(), slot.adapter->Reason(), input},
        fault, slot.record.raw));
  }
  return rows;
}

Tally ImportSource::TakeTally() {
  Tally tally;
  for (const auto& slot : slots_) {
    tally.Merge(slot->tally);
    tally.defects.Add(Repair::kEmptyLine, slot->empty_lines);
  }
  slots_.clear();  // the engine keeps the source for as long as it lives
  feed_.reset();
  return tally;
}

}  // namespace flyball::ingest
