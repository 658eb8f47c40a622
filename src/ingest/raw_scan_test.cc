#include "ingest/raw_scan.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ingest/cells.h"
#include "ingest/csv_reference.h"
#include "ingest/jsonl.h"

namespace flyball::ingest {
namespace {

TEST(RawScan, SumsExactlyPerCurrency) {
  RawFacts facts = ScanRawCsv(
      "\xEF\xBB\xBFx,\"billedcost\",BillingCurrency,BillingPeriodStart\r\n"
      "1,0.1,USD,2024-09-01\r\n"
      "\n"
      "2,\"$1,000.00 \",usd,2024-09-01\r\n"
      "3,1E-20,EUR,2024-10-01\r\n"
      "4,NULL,,\r\n"
      "5,(2.5),EUR,2024-10-01",
      ',');
  EXPECT_EQ(facts.rows, 5);
  EXPECT_EQ(facts.billed.ToString(), "997.60000000000000000001");
  EXPECT_EQ(facts.billed_by_currency["USD"].ToString(), "1000.1");
  EXPECT_EQ(facts.billed_by_currency["EUR"].ToString(), "-2.49999999999999999999");
  EXPECT_EQ(facts.billed_by_currency["(none)"].ToString(), "0");
  EXPECT_TRUE(facts.periods_open);
  EXPECT_EQ(facts.period_texts, (std::set<std::string, std::less<>>{"2024-09-01", "2024-10-01"}));
}

// Both readings of a number must agree on what it is, or an honest import would stop.
TEST(RawScan, AgreesWithTheCellReaderOnEveryNumber) {
  auto pieces =
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789,.+-$( )eE\t")));
  auto spiced = rc::gen::map(rc::gen::tuple(pieces, rc::gen::arbitrary<int32_t>()),
                             [](const std::tuple<std::string, int32_t>& parts) {
                               static constexpr const char* kShapes[] = {
                                   "", "$1,234.5", "-$7", "(1,000)", "\xE2\x82\xAC 5", "+1", "1 "};
                               auto pick = static_cast<uint32_t>(std::get<1>(parts)) % 7;
                               return kShapes[pick] + std::get<0>(parts);
                             });
  rc::check("any text of the characters of numbers", [&] {
    std::string text = *spiced;
    RowDefects defects;
    NumberCell cell;
    Fault fault =
        ReadNumber({text, true, false}, Money::scale(), Repair::kCostRounded, &defects, &cell);
    std::string quoted;
    for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    RawFacts facts = ScanRawCsv("BilledCost\n\"" + quoted + "\"\n", ',');
    if (fault == Fault::kBadNumber || cell.null) {
      RC_ASSERT(facts.billed.IsZero());
      RC_ASSERT(facts.rows_unsummed == 1);
    } else if (fault == Fault::kNone && cell.exact) {
      RC_ASSERT(facts.billed.ToString() == FormatDecimal(cell.units, Money::scale()));
    }
  });
}

TEST(RawScan, WalksAnyTextLikeTheReference) {
  rc::check("rows and the wanted fields, fed in pieces", [] {
    auto body = *rc::gen::container<std::string>(rc::gen::weightedElement<char>(
        {{5, '"'}, {5, ','}, {4, '\n'}, {2, '\r'}, {6, '1'}, {2, '.'}}));
    std::string text = "A,BilledCost,BillingCurrency\n" + body;
    RawCsvWalker walker(',');
    for (size_t at = 0; at < text.size();) {
      size_t take = *rc::gen::inRange<size_t>(1, 9);
      walker.Feed(std::string_view(text).substr(at, take));
      at += take;
    }
    walker.Finish();
    RawFacts facts = walker.TakeFacts();
    auto records = ReadCsvByReference(text, ',');
    RC_ASSERT(facts.rows == static_cast<int64_t>(records.size()) - 1);
    RawDecimalSum sum;
    int64_t unsummed = 0;
    for (size_t i = 1; i < records.size(); ++i) {
      ++unsummed;
      if (records[i].fields.size() < 2) continue;
      RowDefects ignored;
      std::string buffer(records[i].fields[1].size() + 1, '\0');
      std::string_view plain = PlainNumber(records[i].fields[1], buffer.data(), &ignored);
      if (sum.Add(plain)) --unsummed;
    }
    RC_ASSERT(facts.rows_unsummed == unsummed);
    RC_ASSERT(facts.billed == sum);
  });
}

TEST(RawScan, ReadsJsonLines) {
  RawFacts facts = ScanRawJsonLine(
      R"({"Tags":{"BilledCost":"9","a":[1,{"b":"}"}]}, "BilledCost" : 0.10 ,"BillingCurrency":"USD","x":"\"}"})");
  EXPECT_EQ(facts.rows, 1);
  EXPECT_EQ(facts.billed.ToString(), "0.1");
  EXPECT_EQ(facts.keys, (std::vector<std::string>{"Tags", "BilledCost", "BillingCurrency", "x"}));
  EXPECT_EQ(ScanRawJsonLine(R"({"BilledCost":"1\u0032"})").billed.ToString(), "12");
  EXPECT_EQ(ScanRawJsonLine(R"({"BilledCost":"\u00a35"})").billed.ToString(), "5");
  EXPECT_EQ(ScanRawJsonLine(R"({"BilledCost":"\u20ac 1,000"})").billed.ToString(), "1000");
  EXPECT_TRUE(ScanRawJsonLine("not json").billed.IsZero());
  EXPECT_EQ(ScanRawJsonLine("not json").rows_unsummed, 1);
}

std::vector<std::string> ReadJson(std::string line, std::vector<std::string> keys, bool* fault) {
  Block block;
  block.bytes.assign(line.begin(), line.end());
  block.size = line.size();
  block.bytes.resize(line.size() + kBlockPadding);
  auto records = MakeJsonRecords(std::move(keys), false);
  records->Start(&block);
  Record record;
  EXPECT_TRUE(records->Next(&record));
  *fault = record.fault != nullptr;
  std::vector<std::string> texts;
  for (const Field& field : record.fields)
    texts.push_back(field.null ? "-" : std::string(field.text));
  return texts;
}

TEST(JsonRecords, KeepNumbersAsWrittenAndNestedValuesAsText) {
  bool fault = false;
  EXPECT_EQ(ReadJson(R"({"a":1.10e-7,"b":"x\u00e9","c":null,"d":{"k": [1]},"e":true,"a":2})",
                     {"a", "b", "c", "d", "e", "f"}, &fault),
            (std::vector<std::string>{"1.10e-7", "x\xC3\xA9", "-", "{\"k\": [1]}", "true", "-"}));
  EXPECT_FALSE(fault);
  ReadJson(R"({"a":1)", {"a"}, &fault);
  EXPECT_TRUE(fault);
  ReadJson(R"([1])", {"a"}, &fault);
  EXPECT_TRUE(fault);
  ReadJson(R"({"a":1} x)", {"a"}, &fault);
  EXPECT_TRUE(fault);
}

}  // namespace
}  // namespace flyball::ingest
