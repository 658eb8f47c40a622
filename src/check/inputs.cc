#include "check/inputs.h"

#include <fmt/format.h>

#include "ingest/budget.h"
#include "ingest/import.h"
#include "ingest/parquet_input.h"

namespace flyball::check {

Result<OpenedFile> OpenFile(const CheckOptions& options, const std::string& path, int number,
                            ingest::Progress* progress) {
  OpenedFile opened;
  opened.input = FB_TRY(ingest::OpenInput(path, ingest::Format::kDetect));
  ingest::Input& input = opened.input;
  if (input.form == ingest::InputForm::kParquet) {
    const ingest::Budget budget =
        ingest::MakeBudget(options.memory_bytes, options.threads, {}, false);
    FB_CHECK(ingest::OpenParquetAsCsv(budget, options.temp_dir, number, &input));
  } else if (input.form == ingest::InputForm::kJsonLines) {
    FB_CHECK(ingest::ScanContent(&input, progress, 0));  // for its keys
  }
  const std::vector<std::string>& names = input.field_names();
  if (names.size() > static_cast<size_t>(ingest::kColumnsMax)) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' has more than {} columns", path, ingest::kColumnsMax),
                "split the file");
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::optional<focus::Detection> detection = focus::Detect(views);
  if (!detection) {
    Error error{Code::kInvalidArgument,
                "no column of the header is known to FOCUS",
                "a FOCUS file has columns such as BilledCost and BillingCurrency",
                {path, 1, 0, 0}};
    return Fail(std::move(error));
  }
  opened.detection = *detection;
  return opened;
}

}  // namespace flyball::check
