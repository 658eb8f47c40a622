// The JSON document of the ledger's forecast; docs/FORECAST.md has its members.
#pragma once

#include <string>

#include "forecast/ledger_forecast.h"

namespace flyball::forecast {

std::string LedgerAnswerJson(const LedgerAnswer& answer);

}  // namespace flyball::forecast
