#include "gateway/access_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/text.h"
#include "os/process.h"

namespace flyball::gateway {
namespace {

constexpr size_t kKeptBytes = 256u << 10;  // of lines, then they are written at once

void AddText(std::string_view name, std::string_view text, std::string* out) {
  if (text.empty()) return;
  fmt::format_to(std::back_inserter(*out), ",\"{}\":", name);
  AppendJsonString(text, out);
}

void AddNumber(std::string_view name, uint64_t number, std::string* out) {
  if (number == 0) return;
  fmt::format_to(std::back_inserter(*out), ",\"{}\":{}", name, number);
}

}  // namespace

void AccessLog::Add(const AccessLine& line) {
  lines_ += "{\"at\":\"" + FormatInstant(line.at) + "\"";
  AddText("peer", line.peer, &lines_);
  AddText("path", line.path.substr(0, line.path.find('?')), &lines_);
  AddText("key", line.key, &lines_);
  AddText("dialect", line.dialect, &lines_);
  AddText("model", line.model, &lines_);
  if (line.stream) lines_ += ",\"stream\":true";
  AddText("upstream", line.upstream, &lines_);
  AddNumber("attempts", static_cast<uint64_t>(line.attempts), &lines_);
  AddNumber("call", line.call, &lines_);
  AddNumber("status", static_cast<uint64_t>(line.status), &lines_);
  AddText("ended", line.ended, &lines_);
  fmt::format_to(std::back_inserter(lines_), ",\"us\":{}}}\n", line.us);
  if (lines_.size() >= kKeptBytes) Flush();
}

AccessLog::~AccessLog() {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries && !lines_.empty(); ++i) {
    Flush();
    if (!lines_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (lines_.empty()) return;
  Drop();
  log::Warn("the end of the access log was taken by nobody", {{"path", path_}});
}

// Takes from lines_ what is written.
Status AccessLog::Write() {
  if (is_output_) {
    const size_t written = FB_TRY(os::WriteWhatFits(output_, lines_));
    if (written > 0) cut_ = lines_[written - 1] != '\n';
    lines_.erase(0, written);
    if (lines_.size() < kKeptBytes) return {};  // the rest may fit later
    return Fail(Code::kUnavailable, "whoever reads standard output does not keep up");
  }
  // Another file stands there, or none, when it was moved away: only ours has as many bytes.
  if (file_ == nullptr || files_.Size(path_).value_or(file_->size() + 1) != file_->size()) {
    file_.reset();
    file_ = FB_TRY(files_.OpenAppend(path_));
  }
  FB_CHECK(file_->Append(lines_));
  lines_.clear();
  return {};
}

// But for the rest of a line that is out in part: the next one must begin anew.
void AccessLog::Drop() {
  const size_t kept = cut_ ? lines_.find('\n') + 1 : 0;
  dropped_ += static_cast<uint64_t>(
      std::count(lines_.begin() + static_cast<ptrdiff_t>(kept), lines_.end(), '\n'));
  lines_.resize(kept);
  file_.reset();
}

void AccessLog::Flush() {
  if (lines_.empty()) return;
  const Status written = Write();
  if (!written) Drop();
  if (written && !lines_.empty()) return;  // it is behind, and neither well again nor worse
  if (fault_.IsNews(written)) {
    log::Error("the access log can't be written; its lines are dropped until it can be",
               {{"path", path_}, {"why", fault_.why()}});
  }
}

}  // namespace flyball::gateway
