// Answers of queries in tests.
#pragma once

#include <string>

#include "base/result.h"
#include "ledger/cost_query.h"

namespace flyball::ledger {

// "AWS ads USD 1 | ..." for short expectations; of an error its message.
inline std::string Text(const Result<QueryAnswer>& answer) {
  if (!answer) return answer.error().message;
  std::string text;
  for (const AnswerRow& row : answer->rows) {
    if (!text.empty()) text += " | ";
    for (const std::string& cell : row.dimensions) text += cell + " ";
    text += row.currency;
    for (size_t m = 0; m < row.measures.size(); ++m) {
      text += " " + FormatDecimal(row.measures[m], MeasureScale(answer->measures[m]));
    }
  }
  return text;
}

}  // namespace flyball::ledger
