#include "ingest/feed.h"

#include "ingest/jsonl.h"

namespace flyball::ingest {
namespace {
constexpr uint64_t kLineNumberMaxBytes = 32;
}

namespace {
Result<std::unique_ptr<ByteSource>> OpenPortion(const Portion& portion) {
  if (portion.content->packing() != Packing::kNone) return OpenContent(portion.content);
  return OpenRange(portion.content, portion.begin_offset, portion.end_offset);
}
}  // namespace

Result<std::vector<Portion>> WholeInputs(const std::vector<Input>& inputs) {
  std::vector<Portion> portions;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Input& input = inputs[i];
    Portion portion;
    portion.input = i;
    portion.content = input.content;
    portion.skip_bytes = input.header.bytes;
    portion.skip_lines = input.form == InputForm::kCsv ? input.header.lines : 0;
    if (input.form == InputForm::kJsonLines) {
      char mark[3] = {0, 0, 0};
      std::unique_ptr<ByteSource> source = FB_TRY(OpenContent(input.content));
      for (size_t filled = 0; filled < 3;) {
        size_t got = FB_TRY(source->Read(mark + filled, 3 - filled));
        if (got == 0) break;
        filled += got;
      }
      portion.skip_bytes = std::string_view(mark, 3) == "\xEF\xBB\xBF" ? 3 : 0;
    }
    portions.push_back(std::move(portion));
  }
  return portions;
}

std::unique_ptr<RecordReader> MakeRecordReader(const Input& input, bool numbered) {
  if (input.form == InputForm::kJsonLines) return MakeJsonRecords(input.facts.keys, numbered);
  return std::make_unique<CsvRecords>(input.header.delimiter, numbered);
}

BlockFeed::BlockFeed(const std::vector<Input>& inputs, std::vector<Portion> portions,
                     size_t block_bytes, Progress* progress, uint64_t before,
                     uint64_t weight_percent)
    : inputs_(inputs),
      portions_(std::move(portions)),
      block_bytes_(block_bytes),
      progress_(progress),
      weight_percent_(weight_percent),
      before_(before) {}

Status BlockFeed::Open() {
  const Portion& portion = portions_[at_];
  const Input& input = inputs_[portion.input];
  auto form =
      input.form == InputForm::kJsonLines ? BlockReader::Form::kJsonLines : BlockReader::Form::kCsv;
  reader_ = std::make_unique<BlockReader>(
      FB_TRY(OpenPortion(portion)), form, input.header.delimiter, input.file->path(), block_bytes_,
      kRecordMaxBytes + (portion.numbered ? kLineNumberMaxBytes : 0));
  if (input.form == InputForm::kParquet) reader_->NumberRecords();
  return reader_->Skip(portion.skip_bytes, portion.skip_lines);
}

Result<bool> BlockFeed::Next(Block* block, size_t* portion) {
  std::lock_guard lock(mutex_);
  if (progress_->cancelled()) return Fail(Code::kCancelled, "the import was cancelled");
  if (failed_) return false;
  while (at_ < portions_.size()) {
    if (reader_ == nullptr) {
      Status opened = Open();
      failed_ = !opened.has_value();
      FB_CHECK(opened);
    }
    Result<bool> got = reader_->Next(block);
    failed_ = !got.has_value();
    if (!got) return got;
    if (*got) {
      *portion = at_;
      progress_->Report(before_ + reader_->consumed() * weight_percent_ / 100);
      return true;
    }
    before_ += portions_[at_].size() * weight_percent_ / 100;
    reader_.reset();
    ++at_;
  }
  return false;
}

}  // namespace flyball::ingest
