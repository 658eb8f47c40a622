// Raw scan: the second opinion. One pass over the raw text that counts rows and sums BilledCost
// exactly, per currency and in all, with its own walk over CSV and JSON and its own sum
// (base/raw_sum.h). It shares no code with the reader that fills the ledger, so that a mistake in
// either shows as a difference that stops the import.
//
// It also sees which billing periods there are, and the keys of JSON lines, before the second pass
// begins.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/raw_sum.h"
#include "base/result.h"
#include "ingest/bytes.h"

namespace flyball::ingest {

inline constexpr size_t kScanPeriodTextsMax = 10'000;
inline constexpr size_t kScanKeysMax = 1000;           // of JSON lines
inline constexpr size_t kScanKeysMaxBytes = 1u << 20;  // of all of them together

// Rows whose currency is missing or is no code of three letters are summed under this name.
inline constexpr std::string_view kUnnamedCurrency = "(none)";

// Where the text of BillingPeriodStart changes from one row to the next.
struct RawSegment {
  uint64_t offset = 0;  // of the content; where the first record begins
  int64_t line = 1;     // of that record
  int64_t row = 1;      // the same counted in records, without the header
  std::string period_text;
};
inline constexpr size_t kScanSegmentsMax = 4096;

struct RawFacts {
  int64_t rows = 0;
  // Rows whose BilledCost adds nothing to the sums: it is missing, no number, or has digits further
  // from the point than kRawSumMaxPower. None of them may be kept.
  int64_t rows_unsummed = 0;
  RawDecimalSum billed;
  std::map<std::string, RawDecimalSum, std::less<>> billed_by_currency;
  // Texts of BillingPeriodStart; `periods_open`: some row has none, or there are too many to tell.
  std::set<std::string, std::less<>> period_texts;
  bool periods_open = false;
  std::vector<RawSegment> segments;  // of CSV; empty when there are more than kScanSegmentsMax
  bool segments_open = false;        // because there are more
  std::vector<std::string> keys;     // of JSON lines, in the order of first sight
  bool keys_open = false;            // more than kScanKeysMax, or longer than kScanKeysMaxBytes
  void Merge(const RawFacts& other);
};

// Walks CSV content that is given piece by piece, header line included.
class RawCsvWalker {
 public:
  explicit RawCsvWalker(char delimiter);
  void Feed(std::string_view bytes);
  void Finish();
  RawFacts TakeFacts() { return std::move(facts_); }

 private:
  enum class At : uint8_t { kFieldStart, kPlain, kQuoted, kQuoteSeen, kTail };
  enum Wanted : int { kCost, kCurrency, kPeriod, kWantedCount };
  void Walk(std::string_view bytes);
  void EndField();
  // `at`: where the next record begins.
  void EndRecord(const char* at);
  void EndHeader();
  void SeeSegment();
  int64_t LineAtRecord() const;
  void Keep(const char* first, const char* last);

  char delimiter_;
  At at_ = At::kFieldStart;
  bool started_ = false;
  bool header_ = true;
  int64_t field_ = 0;
  int64_t record_bytes_ = 0;
  char first_byte_ = 0;
  bool quoted_record_ = false;  // its first field began with a quote
  int64_t tail_bytes_ = 0;      // of the current field that stand outside quotes
  std::string* keep_ = nullptr;
  std::vector<std::string> header_names_;
  std::string header_name_;
  int64_t index_of_[kWantedCount] = {-1, -1, -1};
  std::string text_[kWantedCount];
  std::string_view piece_;      // the bytes at hand,
  uint64_t piece_offset_ = 0;   // where they stand in the content,
  int64_t piece_line_ = 1;      // and the line of their first byte
  uint64_t record_offset_ = 0;  // where the record at hand begins
  int64_t record_line_ = 1;     // its line, when it began in an earlier piece
  RawFacts facts_;
};

// What one line of JSON says, by a scan of its outermost members.
struct RawJsonMember {
  std::string_view key;    // as written, without its quotes
  std::string_view value;  // as written; of a text, what is between its quotes
  bool is_text = false;
};
// False when the line is no JSON object as far as this scan can tell.
bool ScanJsonObject(std::string_view line, std::vector<RawJsonMember>* members);

// The facts of a whole file. `form_json`: JSON lines. Errors are those of the bytes, and in JSON a
// line beyond `record_max_bytes` or keys beyond kScanKeysMax. `cancelled` is asked now and then.
Result<RawFacts> ScanRawFile(const std::shared_ptr<const InputFile>& file, bool form_json,
                             char delimiter, uint64_t record_max_bytes,
                             const std::atomic<bool>* cancelled, std::atomic<uint64_t>* progress);
// The facts of one JSON line; the reader asks for them where it cannot read a line itself.
RawFacts ScanRawJsonLine(std::string_view line);
// The facts of a CSV text, for tests.
RawFacts ScanRawCsv(std::string_view content, char delimiter);

}  // namespace flyball::ingest
