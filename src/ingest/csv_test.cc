#include "ingest/csv.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ingest/csv_reference.h"
#include "ingest/import.h"
#include "ingest/plan.h"

namespace flyball::ingest {
namespace {

// Reads a text through the reader, in blocks and reads of the given sizes.
Result<std::vector<ReferenceRecord>> ReadCsv(std::string text, char delimiter, size_t block_bytes,
                                             size_t read_bytes,
                                             uint64_t record_max = kRecordMaxBytes) {
  BlockReader reader(MakeTextSource(std::move(text), read_bytes), BlockReader::Form::kCsv,
                     delimiter, "bill.csv", block_bytes, record_max);
  CsvRecords records(delimiter);
  std::vector<ReferenceRecord> all;
  Block block;
  Record record;
  while (FB_TRY(reader.Next(&block))) {
    records.Start(&block);
    while (records.Next(&record)) {
      ReferenceRecord& seen = all.emplace_back();
      seen.line = record.line;
      seen.unclosed = record.fault != nullptr;
      for (const Field& field : record.fields) {
        seen.fields.emplace_back(field.text);
        seen.quoted.push_back(field.quoted);
      }
    }
  }
  return all;
}

std::string Show(const std::vector<ReferenceRecord>& records) {
  std::string text;
  for (const ReferenceRecord& record : records) {
    text += std::to_string(record.line) + ":";
    for (const std::string& field : record.fields) text += "[" + field + "]";
    text += record.unclosed ? "!\n" : "\n";
  }
  return text;
}

TEST(Csv, ReadsWhatTheGrammarSays) {
  auto read = [](std::string text) { return Show(*ReadCsv(std::move(text), ',', 4096, 7)); };
  EXPECT_EQ(read("a,b\nc,d\n"), "1:[a][b]\n2:[c][d]\n");
  EXPECT_EQ(read("a,b\r\nc,d"), "1:[a][b]\n2:[c][d]\n");
  EXPECT_EQ(read("\"a,\"\"x\"\"\",\"two\nlines\"\r\nz,\n"), "1:[a,\"x\"][two\nlines]\n3:[z][]\n");
  EXPECT_EQ(read("a 5\" disk,b\n"), "1:[a 5\" disk][b]\n");
  EXPECT_EQ(read("\"a\"b\"c,d\n"), "1:[ab\"c][d]\n");
  EXPECT_EQ(read("\n\r\na\n\n\nb\n"), "3:[a]\n6:[b]\n");
  EXPECT_EQ(read("\"\",\n"), "1:[][]\n");
  EXPECT_EQ(read("a,\"never closed\nb,c\n"), "1:[a][never closed\nb,c\n]!\n");
  EXPECT_EQ(read(""), "");
}

// Texts made of what matters to the grammar.
rc::Gen<std::string> DirtyText() {
  return rc::gen::container<std::string>(rc::gen::weightedElement<char>(
      {{6, '"'}, {4, ','}, {4, '\n'}, {2, '\r'}, {6, 'a'}, {3, 'b'}}));
}

TEST(Csv, EqualsTheReferenceWhereverBlocksEnd) {
  rc::check("any text, any block size, any read size", [] {
    std::string text = *DirtyText();
    // Long enough to need several blocks of the smallest size.
    size_t repeat = *rc::gen::inRange<size_t>(1, 200);
    std::string whole;
    for (size_t i = 0; i < repeat; ++i) whole += text;
    size_t block = *rc::gen::inRange<size_t>(1, 9000);
    size_t read = *rc::gen::inRange<size_t>(1, 300);
    auto records = ReadCsv(whole, ',', block, read);
    RC_ASSERT(records.has_value());
    RC_ASSERT(Show(*records) == Show(ReadCsvByReference(whole, ',')));
    RC_ASSERT(*records == ReadCsvByReference(whole, ','));
  });
}

TEST(Csv, ReadsBackWhatAWriterQuoted) {
  rc::check("random fields, quoted when they must be", [] {
    auto fields = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(DirtyText()));
    std::string line;
    for (const std::string& field : fields) {
      if (&field != &fields.front()) line.push_back(';');
      line.push_back('"');
      for (char c : field) line += c == '"' ? std::string("\"\"") : std::string(1, c);
      line.push_back('"');
    }
    auto records = ReadCsv(line + "\r\n" + line + "\n", ';', 4096, 11);
    RC_ASSERT(records.has_value() && records->size() == 2u);
    RC_ASSERT((*records)[0].fields == fields);
    RC_ASSERT((*records)[1].fields == fields);
  });
}

TEST(Csv, RefusesARecordThatIsTooLongAndNamesItsLine) {
  auto records =
      ReadCsv("a,b\nc,d\n\"" + std::string(100'000, 'x'), ',', 4096, 1000, /*record_max=*/20'000);
  ASSERT_FALSE(records.has_value());
  EXPECT_EQ(records.error().code, Code::kInvalidArgument);
  EXPECT_EQ(records.error().place.line, 3);
  EXPECT_EQ(records.error().place.file, "bill.csv");
}

TEST(CsvHeader, TakesCommasAndNamesAnotherDelimiter) {
  for (char delimiter : {',', ';', '\t', '|'}) {
    std::string text = "\xEF\xBB\xBF\"BilledCost\"" + std::string(1, delimiter) +
                       " BillingCurrency " + std::string(1, delimiter) + "x\r\n1";
    auto header = ReadCsvHeader(text, true, CountKnownColumns);
    if (delimiter != ',') {
      ASSERT_FALSE(header.has_value()) << delimiter;
      EXPECT_NE(header.error().message.find("separated by"), std::string::npos);
      continue;
    }
    ASSERT_TRUE(header.has_value()) << header.error().ToString();
    EXPECT_EQ(header->names, (std::vector<std::string>{"BilledCost", "BillingCurrency", "x"}));
    EXPECT_EQ(header->bytes, text.size() - 1);
    EXPECT_EQ(header->lines, 1);
  }
}

TEST(CsvHeader, RefusesWhatIsNoHeader) {
  auto code = [](std::string_view text, bool whole = true) {
    auto header = ReadCsvHeader(text, whole, CountKnownColumns);
    return header.has_value() ? Code{} : header.error().code;
  };
  EXPECT_EQ(code("1,2,3\n4,5,6\n"), Code::kInvalidArgument);
  EXPECT_EQ(code("BilledCost:BillingCurrency\n1:USD\n"), Code::kInvalidArgument);
  EXPECT_EQ(code("  \n\n"), Code::kInvalidArgument);
  EXPECT_EQ(code("\xFF\xFE"
                 "B\0i\0"),
            Code::kInvalidArgument);
  EXPECT_EQ(code(std::string_view("Billed\0Cost", 11)), Code::kInvalidArgument);
  EXPECT_EQ(code(std::string(5000, 'x'), false), Code::kInvalidArgument);
}

}  // namespace
}  // namespace flyball::ingest
