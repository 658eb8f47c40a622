// Series and leaves from any bytes: what a file holds is scored, labelled or refused, and scores
// are in [0, 1] and do not depend on what follows. The same bytes are read as a table of leaves,
// too: its root causes have exact sums that are those of their leaves.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "ingest/csv.h"
#include "ingest/import.h"
#include "watch/detector.h"
#include "watch/points.h"
#include "watch/root_cause.h"

namespace flyball::watch {
namespace {

constexpr size_t kLeavesTried = 300;

template <typename OnRow>
void ReadRows(std::string_view text, const OnRow& on_row) {
  ingest::BlockReader blocks(ingest::MakeTextSource(std::string(text)),
                             ingest::BlockReader::Form::kCsv, ',', "fuzz", 4096,
                             ingest::kRecordMaxBytes);
  ingest::CsvRecords records(',');
  ingest::Block block;
  ingest::Record record;
  std::vector<std::string_view> fields;
  for (;;) {
    const Result<bool> more = blocks.Next(&block);
    if (!more || !*more) return;
    records.Start(&block);
    while (records.Next(&record)) {
      if (record.fault != nullptr) return;
      fields.clear();
      for (const ingest::Field& field : record.fields) fields.push_back(field.text);
      if (!on_row(fields)) return;
    }
  }
}

std::vector<double> ScoreText(std::string_view text, size_t most) {
  const Detector detector;
  SeriesState state;
  PointReader reader;
  std::vector<double> scores;
  ReadRows(text, [&](const std::vector<std::string_view>& fields) {
    const auto point = reader.Read(fields);
    if (!point) {
      FB_ASSERT(!point.error().message.empty());
      return false;
    }
    if (!*point) return true;
    Verdict verdict;
    if ((*point)->value) verdict = detector.Step(&state, {(*point)->at, *(*point)->value});
    FB_ASSERT(!verdict.refused && verdict.score >= 0 && verdict.score <= 1);
    scores.push_back(verdict.score);
    return scores.size() < most;
  });
  return scores;
}

void CheckCauses(std::string_view text) {
  Result<LeafTable> table = LeafTable::Make({"a", "b"});
  FB_ASSERT(table.has_value());
  ReadRows(text, [&](const std::vector<std::string_view>& fields) {
    if (fields.size() != 4) return true;
    const Result<ParsedDecimal> actual = ParseDecimal(fields[2], Quantity::scale());
    const Result<ParsedDecimal> predicted = ParseDecimal(fields[3], Quantity::scale());
    if (!actual || !predicted) return true;
    return table
               ->Add(std::vector<std::string_view>{fields[0], fields[1]},
                     Quantity::FromUnits(actual->units), Quantity::FromUnits(predicted->units))
               .has_value() &&
           table->leaves() < kLeavesTried;
  });
  const auto causes = FindRootCauses(*table);
  if (!causes) return;
  for (const RootCause& cause : *causes) {
    FB_ASSERT(std::isfinite(cause.score) && !cause.elements.empty());
    int128 sum = 0;
    for (size_t leaf = 0; leaf < table->leaves(); ++leaf) {
      bool within = true;
      for (const auto& [dimension, value] : cause.elements) {
        const size_t d = dimension == "a" ? 0 : 1;
        within = within && table->values(d)[table->codes(d)[leaf]] == value;
      }
      if (within) sum += table->actual()[leaf].units();
    }
    FB_ASSERT(sum == cause.actual.units());
  }
}

}  // namespace
}  // namespace flyball::watch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flyball::watch;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<double> whole = ScoreText(text, SIZE_MAX);
  const std::vector<double> half = ScoreText(text, whole.size() / 2 + 1);
  for (size_t i = 0; i < half.size(); ++i) FB_ASSERT(half[i] == whole[i]);
  CheckCauses(text);
  return 0;
}
