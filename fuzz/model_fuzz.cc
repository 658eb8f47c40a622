// Fuzzes the reader of Requirements Models. A model that is refused is fine; a crash, or a model
// that is read and can't be turned into a plan whose rules all have an answer, is a bug.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "check/executor.h"
#include "check/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flyball;
  using namespace flyball::check;
  const Result<Model> model = ReadModel({reinterpret_cast<const char*>(data), size});
  if (!model) {
    FB_ASSERT(!model.error().message.empty() && !model.error().hint.empty());
    return 0;
  }
  const std::vector<FileHeader> headers = {
      {"f", {"BilledCost", "ChargeCategory", "x_Own", "Tags"}}};
  const Result<std::vector<Rule>> rules =
      ModelRules(*model, focus::DataSet::kCostAndUsage, headers, {});
  if (!rules) return 0;
  Layout layout(focus::DataSet::kCostAndUsage);
  for (const std::string& name : headers[0].names) layout.Take(name);
  const Plan plan = MakePlan(*rules, &layout);
  const Totals totals;
  Totals merged;
  Worker worker(plan, 1);
  merged.Merge(worker.totals());
  Report report;
  JudgeAll(plan, merged, {"f"}, headers, nullptr, &report);
  FB_ASSERT(report.results.size() == model->rules.size());
  FB_ASSERT(!ReportJson(report).empty());
  return 0;
}
