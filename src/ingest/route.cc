#include "ingest/route.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "ingest/cells.h"
#include "model/charge.h"
#include "os/files.h"

namespace flyball::ingest {
namespace {

// Rows whose dates can't be read, and a record that swallows the rest of its file, have no month.
constexpr int64_t kNoMonth = INT64_MIN;

Status AppendTo(const std::string& path, std::string_view bytes) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Fail(Code::kUnavailable, "cannot write '" + path + "': " + std::strerror(errno));
  }
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      Error error{Code::kUnavailable,
                  "cannot write '" + path + "': " + std::strerror(errno),
                  "sorting by billing period needs as much free disk as the input is large",
                  {}};
      ::close(fd);
      return Fail(std::move(error));
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  ::close(fd);
  return {};
}

// One thread's share: takes blocks, reads the two dates of each record, and appends the record to
// its month.
class RouteWorker {
 public:
  RouteWorker(const std::vector<Input>& inputs, const Schema& schema, BlockFeed* feed,
              const RouteOptions& options, int number)
      : inputs_(inputs), schema_(schema), feed_(feed), options_(options), number_(number) {}

  Status Run() {
    Block block;
    Record record;
    size_t portion = 0;
    size_t reading = SIZE_MAX;
    std::unique_ptr<RecordReader> reader;
    while (FB_TRY(feed_->Next(&block, &portion))) {
      const size_t input = feed_->portions()[portion].input;
      if (reading != input) {
        reading = input;
        reader = MakeRecordReader(inputs_[input], false);
        std::vector<int> field_of = inputs_[input].plan.FieldOf(schema_);
        billing_field_ = field_of[charge::kBillingPeriodStart];
        charge_field_ = field_of[charge::kChargePeriodStart];
      }
      reader->Start(&block);
      const int64_t empty_before = reader->empty_lines();
      while (reader->Next(&record)) FB_CHECK(Route(record, input));
      empty_lines_ += reader->empty_lines() - empty_before;
    }
    for (auto& [month, file] : files_) FB_CHECK(Flush(&file));
    return {};
  }

  // Records of one input that lie side by side.
  struct InputRun {
    size_t input;
    uint64_t end;  // its first byte is the end of the run before
  };
  struct File {
    std::string path;
    std::string buffer;
    uint64_t flushed = 0;
    bool closed = false;  // the next record begins a run of its own
    std::vector<InputRun> runs;
  };
  int64_t empty_lines() const { return empty_lines_; }
  const std::map<int64_t, File>& files() const { return files_; }

 private:
  Result<File*> FileOf(int64_t month) {
    if (last_ != nullptr && month == last_month_) return last_;
    auto [found, fresh] = files_.try_emplace(month);
    if (fresh && files_.size() > kMonthsMax) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("the input has more than {} billing periods", kMonthsMax),
                  "look at its column BillingPeriodStart");
    }
    if (fresh) {
      std::string name = month == kNoMonth ? "none" : FormatDate({month});
      found->second.path = os::JoinPath(options_.dir, fmt::format("{}-{}", name, number_));
    }
    last_month_ = month;
    last_ = &found->second;
    return last_;
  }

  int64_t MonthOf(const Record& record) {
    for (auto [field, reader] :
         {std::pair{billing_field_, &billing_dates_}, std::pair{charge_field_, &charge_dates_}}) {
      if (field < 0 || static_cast<size_t>(field) >= record.fields.size()) continue;
      RowDefects ignored;
      Instant instant;
      bool null = false;
      Fault fault =
          reader->Read(record.fields[static_cast<size_t>(field)], &ignored, &instant, &null);
      if (fault != Fault::kNone) return kNoMonth;
      if (!null) return FloorMonth(instant).us;
    }
    return kNoMonth;
  }

  Status Route(const Record& record, size_t input) {
    const bool json = inputs_[input].form == InputForm::kJsonLines;
    // A CSV record without an end would swallow those behind it: it is a run of its own, to which
    // not even a line end is added. A line of JSON ends anyway.
    const bool alone = record.fault != nullptr && !json;
    File& file = *FB_TRY(FileOf(alone ? kNoMonth : MonthOf(record)));
    fmt::format_int line(record.line);
    file.buffer.append(line.data(), line.size());
    file.buffer.push_back(json ? '\t' : inputs_[input].header.delimiter);
    file.buffer.append(record.raw);
    if (!alone) file.buffer.push_back('\n');
    if (alone || file.closed || file.runs.empty() || file.runs.back().input != input) {
      file.runs.push_back({input, 0});
    }
    file.closed = alone;
    file.runs.back().end = file.flushed + file.buffer.size();
    return file.buffer.size() < kRouteBufferBytes ? Status{} : Flush(&file);
  }

  static Status Flush(File* file) {
    FB_CHECK(AppendTo(file->path, file->buffer));
    file->flushed += file->buffer.size();
    file->buffer.clear();
    return {};
  }

  const std::vector<Input>& inputs_;
  const Schema& schema_;
  BlockFeed* feed_;
  const RouteOptions& options_;
  int number_;
  int64_t empty_lines_ = 0;
  int billing_field_ = -1;
  int charge_field_ = -1;
  DateReader billing_dates_, charge_dates_;
  std::map<int64_t, File> files_;  // by month
  int64_t last_month_ = 0;
  File* last_ = nullptr;
};

}  // namespace

Result<Routes> RouteByMonth(const std::vector<Input>& inputs, const Schema& schema, BlockFeed* feed,
                            const RouteOptions& options) {
  std::vector<std::unique_ptr<RouteWorker>> workers;
  std::vector<Status> results(static_cast<size_t>(options.threads));
  std::vector<std::thread> threads;
  for (int i = 0; i < options.threads; ++i) {
    workers.push_back(std::make_unique<RouteWorker>(inputs, schema, feed, options, i));
    threads.emplace_back([worker = workers.back().get(),
                          &result = results[static_cast<size_t>(i)]] { result = worker->Run(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (Status& result : results) FB_CHECK(result);
  Routes routes;
  std::vector<Portion> without_month;
  for (const auto& worker : workers) {
    routes.empty_lines += worker->empty_lines();
    for (const auto& [month, file] : worker->files()) {
      Portion portion;
      portion.content = FB_TRY(InputFile::Open(file.path));
      portion.numbered = true;
      auto& list = month == kNoMonth ? without_month : routes.months[month];
      for (const RouteWorker::InputRun& run : file.runs) {
        portion.input = run.input;
        portion.end_offset = run.end;
        list.push_back(portion);
        portion.begin_offset = run.end;
      }
    }
  }
  if (!without_month.empty()) {
    // They hold nothing but rows for the quarantine; any month can take them along.
    std::vector<Portion>& first =
        routes.months.empty() ? routes.months[0] : routes.months.begin()->second;
    std::ranges::move(without_month, std::back_inserter(first));
  }
  return routes;
}

}  // namespace flyball::ingest
