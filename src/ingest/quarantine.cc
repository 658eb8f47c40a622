#include "ingest/quarantine.h"

#include "base/text.h"
#include "ingest/cells.h"

namespace flyball::ingest {
namespace {
constexpr size_t kBufferBytes = 256u << 10;
}

Status Quarantine::Add(Row row, Fault fault, std::string_view raw) {
  std::string line = "{\"file\":";
  AppendJsonString(RepairUtf8(row.file), &line);
  line += ",\"line\":" + std::to_string(row.line) + ",\"code\":";
  AppendJsonString(Info(fault).name, &line);
  line += ",\"reason\":";
  AppendJsonString(row.reason, &line);
  line += ",\"raw\":";
  AppendJsonString(RepairUtf8(raw.substr(0, kQuarantineRawMaxBytes)), &line);
  if (raw.size() > kQuarantineRawMaxBytes) {
    line += ",\"raw_bytes\":" + std::to_string(raw.size());
  }
  line += "}\n";

  std::lock_guard lock(mutex_);
  ++count_;
  shown_.try_emplace({row.input, row.line},
                     QuarantinedRow{std::move(row.file), row.line, std::move(row.reason)});
  if (shown_.size() > kQuarantineShown) shown_.erase(std::prev(shown_.end()));
  buffer_ += line;
  if (buffer_.size() < kBufferBytes) return {};
  if (file_ == nullptr) file_ = FB_TRY(files_.OpenAppend(path_));
  FB_CHECK(file_->Append(buffer_));
  buffer_.clear();
  return {};
}

Status Quarantine::Finish() {
  std::lock_guard lock(mutex_);
  if (count_ == 0) return {};
  if (file_ == nullptr) file_ = FB_TRY(files_.OpenAppend(path_));
  FB_CHECK(file_->Append(buffer_));
  buffer_.clear();
  FB_CHECK(file_->Sync());
  file_.reset();
  return {};
}

std::vector<QuarantinedRow> Quarantine::TakeShown() {
  std::lock_guard lock(mutex_);
  std::vector<QuarantinedRow> rows;
  for (auto& [place, row] : shown_) rows.push_back(std::move(row));
  shown_.clear();
  return rows;
}

}  // namespace flyball::ingest
