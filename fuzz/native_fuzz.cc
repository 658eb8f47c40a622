// Fuzzes vendors' own formats: records and JSON documents as anybody could write them. It is a bug
// when a record fills a column that its format does not declare, when a document's lines are no
// lines, or when what is cut can't be cut again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "ingest/native/json_text.h"
#include "ingest/native/native.h"

namespace {

using namespace flyball;
using namespace flyball::native;

void CutDocument(std::string_view text) {
  (void)LooksLikeJsonDocument(text);
  std::string lines;
  bool more = false;
  if (!JsonDocumentToLines(text, &lines, &more)) return;
  std::vector<JsonMember> members;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find('\n', at);
    FB_ASSERT(end != std::string::npos);
    FB_ASSERT(CutObject(std::string_view(lines).substr(at, end - at), &members));
    at = end + 1;
  }
}

// The first byte chooses the format; fields are what stands between zero bytes.
void TranslateRecord(std::string_view text) {
  if (text.empty()) return;
  const Format& format = Formats()[static_cast<uint8_t>(text[0]) % Formats().size()];
  text.remove_prefix(1);
  std::vector<std::string> names;
  for (std::string_view needed : format.needs) names.emplace_back(needed);
  for (const Rule& rule : format.rules) {
    if (!rule.constant) names.emplace_back(rule.from[0]);
  }
  // What code alone reads.
  for (std::string_view more :
       {"credits", "cost_type", "chargetype", "pricingmodel", "costinbillingcurrency", "quantity",
        "unitofmeasure", "paygprice", "line_item_line_item_type", "frequency", "request_tags",
        "reservation_reservation_a_r_n", "reservation_unused_recurring_fee", "token_type", "amount",
        "input_cached_tokens", "output_tokens", "labels", "resource_tags"}) {
    names.emplace_back(more);
  }
  const Header header(names, format.spell);
  std::vector<std::string_view> cells(names.size());
  for (std::string_view& cell : cells) {
    const size_t end = std::min(text.find('\0'), text.size());
    cell = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (const Draft& draft : Translate(format, Row(header, cells), {})) {
    for (int column = 0; column < charge::kColumnCount; ++column) {
      const std::string_view name = charge::kColumnNames[static_cast<size_t>(column)];
      FB_ASSERT(draft[column].empty() || name == "ChargeDescription" ||
                LineageOf(format, name) != focus::Lineage::kMissing);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CutDocument(text);
  TranslateRecord(text);
  return 0;
}
