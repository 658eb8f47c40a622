// Verdicts: from what was counted to what is said of each rule, and the score of each provider.
#pragma once

#include <string>
#include <vector>

#include "check/check.h"
#include "check/executor.h"

namespace flyball::check {

// A file as its header shows it.
struct FileHeader {
  std::string file;
  std::vector<std::string> names;
};

// `files`: of the numbers in the totals. `headers`: of the files that are judged. `invoices`: the
// totals of InvoiceDetail files beside them, or nullptr.
void JudgeAll(const Plan& plan, const Totals& totals, const std::vector<std::string>& files,
              const std::vector<FileHeader>& headers, const SharedGroups* invoices, Report* report);

}  // namespace flyball::check
