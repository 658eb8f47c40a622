#include "ingest/months.h"

#include <algorithm>

#include "ingest/cells.h"

namespace flyball::ingest {
namespace {

// Opening a range costs a read of a block's size or so; a shorter one is not worth it.
constexpr uint64_t kRangeMinBytes = 1u << 20;
constexpr size_t kRangesAlways = 64;

std::optional<int64_t> MonthOf(const std::string& text) {
  DateReader reader;
  RowDefects ignored;
  Instant instant;
  bool null = false;
  Fault fault = reader.Read({text, false, false}, &ignored, &instant, &null);
  if (fault != Fault::kNone || null) return std::nullopt;
  return FloorMonth(instant).us;
}

// The one month that all texts of the input say.
std::optional<int64_t> OneMonth(const RawFacts& facts) {
  std::optional<int64_t> one;
  for (const std::string& text : facts.period_texts) {
    std::optional<int64_t> month = MonthOf(text);
    if (!month || (one && *one != *month)) return std::nullopt;
    one = month;
  }
  return one;
}

// Adds the ranges of one input; false when it has to be routed.
bool AddRanges(const Input& input, const Portion& whole, Months* months) {
  const RawFacts& facts = input.facts;
  if (facts.periods_open) return false;
  if (std::optional<int64_t> month = OneMonth(facts)) {
    (*months)[*month].push_back(whole);
    return true;
  }
  const size_t count = facts.segments.size();
  bool in_ranges = input.form != InputForm::kJsonLines &&
                   input.content->packing() == Packing::kNone && count > 0 &&
                   (count <= kRangesAlways || input.content->size() / count >= kRangeMinBytes);
  if (!in_ranges) return false;
  for (size_t i = 0; i < count; ++i) {
    const RawSegment& segment = facts.segments[i];
    std::optional<int64_t> month = MonthOf(segment.period_text);
    if (!month) return false;
    const uint64_t end = i + 1 < count ? facts.segments[i + 1].offset : input.content->size();
    std::vector<Portion>& portions = (*months)[*month];
    if (!portions.empty() && portions.back().content == whole.content &&
        portions.back().end_offset == segment.offset) {
      portions.back().end_offset = end;  // the same month in another way of writing
      continue;
    }
    Portion portion = whole;
    portion.begin_offset = segment.offset;
    portion.end_offset = end;
    portion.skip_bytes = 0;
    portion.skip_lines = input.form == InputForm::kParquet ? segment.row - 1 : segment.line - 1;
    portions.push_back(std::move(portion));
  }
  return true;
}

}  // namespace

Result<std::optional<Months>> MonthsInPlace(const std::vector<Input>& inputs) {
  std::vector<Portion> whole = FB_TRY(WholeInputs(inputs));
  Months months;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!AddRanges(inputs[i], whole[i], &months)) return std::optional<Months>{};
  }
  return std::optional<Months>(std::move(months));
}

}  // namespace flyball::ingest
