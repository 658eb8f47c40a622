// A check from its files to its report: opens, recognises, compiles, reads in parallel, judges.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "check/check.h"
#include "check/executor.h"
#include "check/inputs.h"
#include "check/model.h"
#include "check/own_rules.h"
#include "check/verdicts.h"
#include "ingest/feed.h"
#include "ingest/inputs.h"

namespace flyball::check {
namespace {

constexpr size_t kBlockBytes = 4u << 20;
constexpr int kThreadsMax = 64;

using focus::DataSet;
using focus::Version;
using ingest::Input;

struct Opened {
  std::vector<Input> inputs;
  std::vector<focus::Detection> detections;
};

Result<Opened> OpenAll(const CheckOptions& options, ingest::Progress* progress) {
  Opened opened;
  if (options.files.empty() || options.files.size() > kFilesMax) {
    return Fail(Code::kInvalidArgument, fmt::format("a check takes 1 to {} files", kFilesMax),
                "name fewer files");
  }
  for (const std::string& path : options.files) {
    OpenedFile file =
        FB_TRY(OpenFile(options, path, static_cast<int>(opened.inputs.size()), progress));
    opened.detections.push_back(file.detection);
    opened.inputs.push_back(std::move(file.input));
  }
  return opened;
}

// Which of the files are judged, and which are invoices beside them.
struct Sorted {
  DataSet data_set = DataSet::kCostAndUsage;
  Version version = Version::k1_0;
  std::vector<size_t> judged, invoices;
};

Result<Sorted> Sort(const CheckOptions& options, const Opened& opened) {
  Sorted sorted;
  const auto data_set_of = [&](size_t i) {
    return options.data_set.value_or(opened.detections[i].data_set);
  };
  sorted.data_set = data_set_of(0);
  const auto holds = [&](DataSet data_set) {
    return std::ranges::any_of(opened.detections, [&](const focus::Detection& detection) {
      return detection.data_set == data_set;
    });
  };
  if (!options.data_set && holds(DataSet::kCostAndUsage)) sorted.data_set = DataSet::kCostAndUsage;
  for (size_t i = 0; i < opened.inputs.size(); ++i) {
    const DataSet data_set = data_set_of(i);
    if (data_set == sorted.data_set) {
      sorted.judged.push_back(i);
      sorted.version = std::max(sorted.version, opened.detections[i].version);
    } else if (sorted.data_set == DataSet::kCostAndUsage && data_set == DataSet::kInvoiceDetail) {
      sorted.invoices.push_back(i);
    } else {
      return Fail(
          Code::kInvalidArgument,
          fmt::format("'{}' holds {} data, and '{}' {}", opened.inputs[i].file->path(),
                      focus::DataSetName(data_set),
                      opened.inputs[sorted.judged.empty() ? 0 : sorted.judged[0]].file->path(),
                      focus::DataSetName(sorted.data_set)),
          "check one data set at a time; InvoiceDetail may stand beside CostAndUsage");
    }
  }
  if (options.version) sorted.version = *options.version;
  return sorted;
}

Status CheckExists(DataSet data_set, Version version) {
  const bool exists = std::ranges::any_of(
      focus::Columns(data_set), [&](const focus::Column& column) { return column.In(version); });
  if (exists) return {};
  return Fail(Code::kInvalidArgument,
              fmt::format("FOCUS {} has no data set {}", focus::VersionName(version),
                          focus::DataSetName(data_set)),
              "leave --focus out to take the version that fits the header");
}

// The columns of one input, by field; -1 for a name that stood before.
std::vector<int> ColumnsOf(const Input& input, Layout* layout) {
  std::vector<int> columns;
  for (const std::string& name : input.field_names()) {
    const int column = layout->Take(name);
    const bool again = std::ranges::find(columns, column) != columns.end();
    columns.push_back(again ? -1 : column);
  }
  return columns;
}

// Reads the inputs with so many threads; each gives its counts.
class Reading {
 public:
  Reading(const std::vector<Input>& inputs, std::vector<size_t> which,
          std::vector<std::vector<int>> columns, const Plan& plan, ingest::Progress* progress)
      : inputs_(inputs),
        which_(std::move(which)),
        columns_(std::move(columns)),
        plan_(plan),
        progress_(progress) {}

  Result<Totals> Run(int threads) {
    std::vector<ingest::Portion> portions = FB_TRY(ingest::WholeInputs(inputs_));
    std::vector<ingest::Portion> wanted;
    for (size_t which : which_) wanted.push_back(std::move(portions[which]));
    ingest::BlockFeed feed(inputs_, std::move(wanted), kBlockBytes, progress_, 0, 100);
    std::vector<Status> statuses(static_cast<size_t>(threads));
    std::vector<std::unique_ptr<Worker>> workers;
    for (int i = 0; i < threads; ++i) {
      workers.push_back(std::make_unique<Worker>(plan_, inputs_.size()));
    }
    std::vector<std::thread> running;
    for (size_t i = 1; i < workers.size(); ++i) {
      running.emplace_back([&, i] { statuses[i] = ReadBlocks(&feed, workers[i].get()); });
    }
    statuses[0] = ReadBlocks(&feed, workers[0].get());
    for (std::thread& thread : running) thread.join();
    for (Status& status : statuses) FB_CHECK(std::move(status));
    Totals totals;
    for (const std::unique_ptr<Worker>& worker : workers) totals.Merge(worker->totals());
    return totals;
  }

 private:
  Status ReadBlocks(ingest::BlockFeed* feed, Worker* worker) {
    BatchReader reader(*plan_.layout);
    ingest::Block block;
    size_t portion = 0, before = SIZE_MAX;
    std::unique_ptr<ingest::RecordReader> records;
    while (FB_TRY(feed->Next(&block, &portion))) {
      const size_t input = feed->portions()[portion].input;
      if (portion != before) {
        records = ingest::MakeRecordReader(inputs_[input], false);
        const auto at = std::ranges::find(which_, input) - which_.begin();
        reader.StartFile(static_cast<int>(input), columns_[static_cast<size_t>(at)]);
        before = portion;
      }
      records->Start(&block);
      while (reader.Fill(*records, block)) {
        if (reader.batch().rows > 0) worker->Take(reader.batch());
      }
      worker->TakeUnreadable(static_cast<int>(input), reader.TakeUnreadable());
    }
    return {};
  }

  const std::vector<Input>& inputs_;
  const std::vector<size_t> which_;
  const std::vector<std::vector<int>> columns_;
  const Plan& plan_;
  ingest::Progress* progress_;
};

int ThreadsOf(const CheckOptions& options) {
  const int wanted =
      options.threads > 0 ? options.threads : static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(wanted, 1, kThreadsMax);
}

struct Counted {
  Layout layout;
  Plan plan;
  Totals totals;
  explicit Counted(DataSet data_set) : layout(data_set), plan(&layout) {}
};

Result<std::unique_ptr<Counted>> Count(const CheckOptions& options, const Opened& opened,
                                       DataSet data_set, const std::vector<size_t>& which,
                                       const std::vector<Rule>& rules, ingest::Progress* progress) {
  auto counted = std::make_unique<Counted>(data_set);
  std::vector<std::vector<int>> columns;
  for (size_t i : which) columns.push_back(ColumnsOf(opened.inputs[i], &counted->layout));
  counted->plan = MakePlan(rules, &counted->layout);
  Reading reading(opened.inputs, which, std::move(columns), counted->plan, progress);
  counted->totals = FB_TRY(reading.Run(ThreadsOf(options)));
  return counted;
}

Result<std::vector<Rule>> RulesOf(const CheckOptions& options, const Sorted& sorted,
                                  const std::vector<FileHeader>& headers, Report* report) {
  if (options.model.empty()) {
    FB_CHECK(CheckExists(sorted.data_set, sorted.version));
    report->version = sorted.version;
    report->rules_from = fmt::format("FOCUS {} {}", focus::VersionName(sorted.version),
                                     focus::DataSetName(sorted.data_set));
    return OwnRules(sorted.data_set, sorted.version);
  }
  Model model = FB_TRY(ReadModelFile(options.model));
  report->rules_from =
      fmt::format("Requirements Model {} of FOCUS {}", model.model_version, model.focus_version);
  report->version = focus::ParseVersion(model.focus_version).value_or(sorted.version);
  return ModelRules(model, sorted.data_set, headers, options.supports);
}

// The only rule on InvoiceDetail beside Cost and Usage: their sums.
std::vector<Rule> SumRules() {
  Rule rule;
  rule.id = "InvoiceId.sum";
  rule.means = Rule::Means::kGroup;
  rule.group.check = GroupCheck::kInvoiceSum;
  return {rule};
}

// The invoices' currencies, numbered as the charges' are.
SharedGroups Renumber(const Totals& invoices, Totals* charges) {
  std::vector<int> providers, currencies;
  for (const std::string& name : invoices.providers.all()) {
    providers.push_back(charges->providers.Number(name));
  }
  for (const std::string& name : invoices.currencies.all()) {
    currencies.push_back(charges->currencies.Number(name));
  }
  SharedGroups shared;
  shared.Merge(invoices.shared, providers, currencies);
  return shared;
}

}  // namespace

int Report::Count(Verdict verdict) const {
  return static_cast<int>(std::ranges::count(results, verdict, &RuleResult::verdict));
}

Result<Report> RunCheck(const CheckOptions& options) {
  ingest::Progress progress(options.progress, 0);
  const Opened opened = FB_TRY(OpenAll(options, &progress));
  const Sorted sorted = FB_TRY(Sort(options, opened));
  Report report;
  report.data_set = sorted.data_set;
  std::vector<std::string> files;
  for (const Input& input : opened.inputs) files.push_back(input.file->path());
  std::vector<FileHeader> headers;
  for (size_t i : sorted.judged) headers.push_back({files[i], opened.inputs[i].field_names()});
  const std::vector<Rule> rules = FB_TRY(RulesOf(options, sorted, headers, &report));

  uint64_t bytes = 0;
  for (const Input& input : opened.inputs) bytes += input.content->size();
  ingest::Progress reading(options.progress, bytes);
  std::unique_ptr<Counted> counted =
      FB_TRY(Count(options, opened, sorted.data_set, sorted.judged, rules, &reading));
  std::optional<SharedGroups> invoices;
  if (!sorted.invoices.empty()) {
    const std::vector<Rule> sums = SumRules();
    const std::unique_ptr<Counted> others =
        FB_TRY(Count(options, opened, DataSet::kInvoiceDetail, sorted.invoices, sums, &reading));
    invoices = Renumber(others->totals, &counted->totals);
  }
  const Totals& totals = counted->totals;
  for (size_t i : sorted.judged) {
    const int64_t rows = totals.rows_by_file[i];
    report.files.push_back({files[i], rows, totals.unreadable_by_file[i]});
    report.rows += rows;
  }
  for (size_t i = 0; i < totals.cost.size(); ++i) {
    if (totals.cost[i].beyond) continue;  // there is no such sum
    report.cost.emplace(totals.currencies.all()[i], Money::FromUnits(totals.cost[i].sum));
  }
  JudgeAll(counted->plan, totals, files, headers, invoices ? &*invoices : nullptr, &report);
  return report;
}

}  // namespace flyball::check
