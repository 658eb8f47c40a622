// CSV: whatever the bytes, and wherever blocks end, the reader gives the records that the
// byte-at-a-time reference gives, and the independent scan counts the same rows and sums the same
// column. The first four bytes choose the delimiter, the size of a block and of a read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "ingest/cells.h"
#include "ingest/csv.h"
#include "ingest/csv_reference.h"
#include "ingest/import.h"
#include "ingest/plan.h"
#include "ingest/raw_scan.h"
#include "ingest/tags_cell.h"

namespace flyball::ingest {
namespace {

void CheckReader(std::string_view text, char delimiter, size_t block_bytes, size_t read_bytes) {
  std::vector<ReferenceRecord> expected = ReadCsvByReference(text, delimiter);
  BlockReader reader(MakeTextSource(std::string(text), read_bytes), BlockReader::Form::kCsv,
                     delimiter, "fuzz", block_bytes, kRecordMaxBytes);
  CsvRecords records(delimiter);
  Block block;
  Record record;
  size_t at = 0;
  for (;;) {
    Result<bool> more = reader.Next(&block);
    FB_ASSERT(more.has_value());
    if (!*more) break;
    records.Start(&block);
    while (records.Next(&record)) {
      FB_ASSERT(at < expected.size());
      const ReferenceRecord& want = expected[at++];
      FB_ASSERT(record.line == want.line && record.field_count == want.fields.size());
      FB_ASSERT((record.fault != nullptr) == want.unclosed);
      for (size_t i = 0; i < record.fields.size(); ++i) {
        FB_ASSERT(record.fields[i].text == want.fields[i]);
        FB_ASSERT(record.fields[i].quoted == want.quoted[i]);
      }
    }
  }
  FB_ASSERT(at == expected.size());
}

void CheckScan(std::string_view text, char delimiter) {
  std::string bill = "x" + std::string(1, delimiter) + "BilledCost\n" + std::string(text);
  RawFacts facts = ScanRawCsv(bill, delimiter);
  std::vector<ReferenceRecord> records = ReadCsvByReference(bill, delimiter);
  FB_ASSERT(facts.rows + 1 == static_cast<int64_t>(records.size()));
  RawDecimalSum sum;
  for (size_t i = 1; i < records.size(); ++i) {
    if (records[i].fields.size() < 2) continue;
    Field field{records[i].fields[1], true, false};
    RowDefects defects;
    NumberCell cell;
    Fault fault = ReadNumber(field, Money::scale(), Repair::kCostRounded, &defects, &cell);
    if (fault == Fault::kBadNumber || cell.null) continue;
    std::string buffer(field.text.size() + 1, '\0');
    std::string_view plain = PlainNumber(field.text, buffer.data(), &defects);
    FB_ASSERT(!plain.empty());
    sum.Add(plain);
  }
  FB_ASSERT(sum == facts.billed);
}

}  // namespace
}  // namespace flyball::ingest

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flyball::ingest;
  if (size < 4) return 0;
  const char delimiter = ",;\t|"[data[0] % 4];
  const size_t block_bytes = 1 + data[1] * 37u;
  const size_t read_bytes = 1 + data[2] + data[3] * 16u;
  std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);
  CheckReader(text, delimiter, block_bytes, read_bytes);
  CheckScan(text, delimiter);
  (void)ReadCsvHeader(text, true, CountKnownColumns);
  std::vector<RawJsonMember> members;
  ScanJsonObject(text, &members);
  RowDefects defects;
  CanonicalTags(text, &defects);
  return 0;
}
