// What rules ask of the names in a header.
#pragma once

#include <string>
#include <vector>

#include "check/rule.h"
#include "model/focus.h"

namespace flyball::check {

// The names that break the rule, as they stand in the header; for kPresent the one that is missing.
std::vector<std::string> BreaksHeader(const Rule& rule, focus::DataSet data_set,
                                      const std::vector<std::string>& names);

}  // namespace flyball::check
