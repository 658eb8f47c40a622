#include "ingest/route.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <tuple>

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
    for (auto& [key, buffer] : buffers_) FB_CHECK(Flush(key, &buffer));
    return {};
  }

  struct File {
    int64_t month;
    size_t input;
    std::string path;
  };
  int64_t empty_lines() const { return empty_lines_; }
  std::vector<File> TakeFiles() {
    std::vector<File> files;
    for (const auto& [key, buffer] : buffers_) {
      files.push_back({std::get<0>(key), std::get<1>(key), PathOf(key)});
    }
    return files;
  }

 private:
  // Month, input, and a number for records that must stand alone.
  using Key = std::tuple<int64_t, size_t, int64_t>;

  std::string PathOf(const Key& key) const {
    const auto& [month, input, alone] = key;
    std::string name = month == kNoMonth ? "none" : FormatDate({month});
    return os::JoinPath(options_.dir, fmt::format("{}-{}-{}-{}", name, input, alone, number_));
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
    // A CSV record without an end would swallow those behind it: it gets a file of its own. A line
    // of JSON ends anyway.
    bool alone = record.fault != nullptr && inputs_[input].form != InputForm::kJsonLines;
    Key key{alone ? kNoMonth : MonthOf(record), input, alone ? record.line : 0};
    if (last_ == nullptr || key != last_key_) {
      if (buffers_.size() > kMonthsMax && !buffers_.contains(key)) {
        return Fail(Code::kInvalidArgument,
                    fmt::format("the input has more than {} billing periods", kMonthsMax),
                    "look at its column BillingPeriodStart");
      }
      last_key_ = key;
      last_ = &buffers_[key];
    }
    fmt::format_int line(record.line);
    last_->append(line.data(), line.size());
    bool json = inputs_[input].form == InputForm::kJsonLines;
    last_->push_back(json ? '\t' : inputs_[input].header.delimiter);
    last_->append(record.raw);
    last_->push_back('\n');
    return last_->size() < kRouteBufferBytes ? Status{} : Flush(key, last_);
  }

  Status Flush(const Key& key, std::string* buffer) {
    FB_CHECK(AppendTo(PathOf(key), *buffer));
    buffer->clear();
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
  std::map<Key, std::string> buffers_;
  Key last_key_{};
  std::string* last_ = nullptr;
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
    for (RouteWorker::File& file : worker->TakeFiles()) {
      Portion portion;
      portion.input = file.input;
      portion.content = FB_TRY(InputFile::Open(file.path));
      portion.numbered = true;
      auto& list = file.month == kNoMonth ? without_month : routes.months[file.month];
      list.push_back(std::move(portion));
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
