#include "os/journal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "os/sim_files.h"

namespace flyball::os {
namespace {

constexpr char kPath[] = "x.journal";

class JournalTest : public testing::Test {
 protected:
  Result<Journal> Open() {
    found_.clear();
    return Journal::Open(files_, kPath, Collect());
  }
  Journal::Visitor Collect() {
    return [this](uint64_t offset, std::string_view payload) {
      offsets_.push_back(offset);
      found_.emplace_back(payload);
      return Status();
    };
  }
  std::string Content() { return files_.ReadAll(kPath).value(); }
  void SetContent(std::string_view content) {
    auto file = files_.OpenAppend(kPath).value();
    ASSERT_TRUE(file->Truncate(0));
    ASSERT_TRUE(file->Append(content));
  }
  void WriteThree() {
    Journal journal = Open().value();
    for (const char* payload : {"one", "", "three"}) ASSERT_TRUE(journal.Append(payload, true));
  }
  SimFiles files_{SimFilesOptions{}};
  std::vector<std::string> found_;
  std::vector<uint64_t> offsets_;
};

TEST_F(JournalTest, FormatIsAsDocumented) {
  {
    Journal journal = Open().value();
    ASSERT_TRUE(journal.Append("abc", true));
    EXPECT_EQ(journal.size(), 19u);
  }
  // Length, CRC-32C of length and payload, payload: pinned, old homes must stay readable.
  EXPECT_EQ(Content(), std::string("FLYJRNL1\x03\0\0\0\xf8\x83\x14\x55", 16) + "abc");
  Journal journal = Open().value();
  EXPECT_EQ(found_, std::vector<std::string>{"abc"});
  EXPECT_EQ(offsets_, std::vector<uint64_t>{8});
  EXPECT_EQ(journal.torn_bytes_cut(), 0u);
}

TEST_F(JournalTest, OneWriteOfManyRecordsIsTornBetweenThem) {
  const std::vector<std::string_view> payloads = {"one", "", "three"};
  Journal first = Open().value();
  ASSERT_TRUE(first.Append(payloads, true));
  const std::string whole = Content();
  for (size_t size = 8; size <= whole.size(); ++size) {
    SetContent(whole.substr(0, size));
    found_.clear();
    ASSERT_TRUE(Open().has_value());
    const size_t count = size < 19 ? 0 : size < 27 ? 1 : size < 40 ? 2 : 3;
    EXPECT_EQ(found_, std::vector<std::string>(payloads.begin(),
                                               payloads.begin() + static_cast<ptrdiff_t>(count)))
        << size;
  }
  found_.clear();
  Journal journal = Open().value();
  files_.SetCapacityBytes(journal.size() + 12);
  EXPECT_FALSE(journal.Append(payloads, true));
  EXPECT_EQ(Content(), whole) << "none of them counts";
}

TEST_F(JournalTest, ATailTornAtAnyByteIsCut) {
  WriteThree();
  const std::string whole = Content();
  const std::vector<size_t> ends = {8, 19, 27, 40};
  ASSERT_EQ(whole.size(), ends.back());
  for (size_t size = 0; size <= whole.size(); ++size) {
    for (size_t zeros : {size_t{0}, size_t{1}, whole.size() - size}) {
      // As after a crash: the first bytes, then perhaps size without data, never more than was
      // written.
      if (size + zeros > whole.size() || (size < 8 && size + zeros > 8)) continue;
      SetContent(whole.substr(0, size) + std::string(zeros, '\0'));
      Result<Journal> journal = Open();
      ASSERT_TRUE(journal.has_value()) << size << " " << journal.error().ToString();
      size_t records = 0;
      while (records + 1 < ends.size() && ends[records + 1] <= size) ++records;
      EXPECT_GE(found_.size(), records) << size;
      EXPECT_EQ(journal->size(), Content().size());
      ASSERT_TRUE(journal->Append("after", true));
      size_t before = found_.size();
      ASSERT_TRUE(Open().has_value());
      ASSERT_EQ(found_.size(), before + 1);
      EXPECT_EQ(found_.back(), "after");
    }
  }
}

TEST_F(JournalTest, DamageBeforeAWholeRecordIsNeverSkipped) {
  WriteThree();
  const std::string whole = Content();
  for (size_t at = 0; at < 27; ++at) {  // everything before the last record
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      SetContent(damaged);
      Result<Journal> journal = Open();
      ASSERT_FALSE(journal.has_value()) << at;
      EXPECT_EQ(journal.error().code, Code::kDataLoss);
      EXPECT_EQ(Content(), damaged) << "a damaged journal is left as it is";
      EXPECT_EQ(Journal::Read(files_, kPath, Collect()).error().code, Code::kDataLoss);
    }
  }
}

TEST_F(JournalTest, AnotherFileIsNoJournal) {
  SetContent("{\"hello\": \"world\"}");
  EXPECT_EQ(Open().error().code, Code::kDataLoss);
  SetContent(std::string(100, '\0'));
  EXPECT_EQ(Open().error().code, Code::kDataLoss);
}

TEST_F(JournalTest, ReadIgnoresATornTailAndChangesNothing) {
  WriteThree();
  std::string torn = Content().substr(0, 38);
  SetContent(torn);
  found_.clear();
  ASSERT_TRUE(Journal::Read(files_, kPath, Collect()));
  EXPECT_EQ(found_, (std::vector<std::string>{"one", ""}));
  EXPECT_EQ(Content(), torn);
  EXPECT_EQ(Journal::Read(files_, "none", Collect()).error().code, Code::kNotFound);
}

TEST_F(JournalTest, DamageIsToldAndPassedOverForWhoeverAsks) {
  WriteThree();
  const std::string whole = Content();  // records from 8, 19, 27 to 40
  struct Case {
    size_t at, from, to;
    std::vector<std::string> found;
  };
  const Case cases[] = {{3, 0, 8, {"one", "", "three"}},
                        {8, 8, 19, {"", "three"}},
                        {18, 8, 19, {"", "three"}},
                        {20, 19, 27, {"one", "three"}}};
  for (const Case& one : cases) {
    std::string damaged = whole;
    damaged[one.at] = static_cast<char>(damaged[one.at] ^ 1);
    std::vector<std::pair<uint64_t, uint64_t>> told;
    JournalReading how;
    how.on_damage = [&](uint64_t from, uint64_t to) {
      told.emplace_back(from, to);
      return Status();
    };
    for (const bool opens : {false, true}) {
      SetContent(damaged + "torn");
      told.clear();
      found_.clear();
      if (opens) {
        Journal journal = Journal::Open(files_, kPath, Collect(), how).value();
        EXPECT_EQ(journal.torn_bytes_cut(), 4u);
        ASSERT_TRUE(journal.Append("more", false));
        found_.clear();
        told.clear();
      }
      EXPECT_EQ(Journal::Read(files_, kPath, Collect(), how).value(), opens ? 52u : 40u);
      std::vector<std::string> found = one.found;
      if (opens) found.emplace_back("more");
      EXPECT_EQ(found_, found) << one.at;
      EXPECT_EQ(told, (std::vector<std::pair<uint64_t, uint64_t>>{{one.from, one.to}}));
    }
  }
}

TEST_F(JournalTest, ReadingGoesOnWhereItEnded) {
  WriteThree();
  const uint64_t end = Journal::Read(files_, kPath, Collect()).value();
  {
    Journal journal = Journal::Open(files_, kPath, Collect(), {end, {}}).value();
    ASSERT_TRUE(journal.Append("four", true));
  }
  found_.clear();
  EXPECT_EQ(Journal::Read(files_, kPath, Collect(), {end, {}}).value(), end + 12);
  EXPECT_EQ(found_, std::vector<std::string>{"four"});
  // A file that is shorter is another one.
  found_.clear();
  ASSERT_TRUE(Journal::Read(files_, kPath, Collect(), {end + 100, {}}));
  EXPECT_EQ(found_.size(), 4u);
}

TEST_F(JournalTest, RecordsMayBeLargerThanABlock) {
  std::vector<std::string> payloads;
  {
    Journal journal = Open().value();
    for (size_t i = 0; i < 9; ++i) {
      payloads.emplace_back((i * 700'001) % 3'000'000, static_cast<char>('a' + i));
      ASSERT_TRUE(journal.Append(payloads.back(), i == 8));
    }
  }
  found_.clear();
  EXPECT_EQ(Journal::Read(files_, kPath, Collect()).value(), Content().size());
  EXPECT_EQ(found_, payloads);
}

TEST_F(JournalTest, AVisitorMayStop) {
  WriteThree();
  auto stop = [](uint64_t, std::string_view) -> Status { return Fail(Code::kCancelled, "enough"); };
  EXPECT_EQ(Journal::Open(files_, kPath, stop).error().code, Code::kCancelled);
  EXPECT_EQ(Journal::Read(files_, kPath, stop).error().code, Code::kCancelled);
}

TEST_F(JournalTest, AFullDiskCostsOnlyTheRecordThatDidNotFit) {
  Journal journal = Open().value();
  ASSERT_TRUE(journal.Append("first", true));
  files_.SetCapacityBytes(journal.size() + 10);
  EXPECT_EQ(journal.Append("too long for the disk", true).error().code, Code::kResourceExhausted);
  EXPECT_EQ(journal.size(), Content().size());
  ASSERT_TRUE(journal.Append("ok", true));
  ASSERT_TRUE(Open().has_value());
  EXPECT_EQ(found_, (std::vector<std::string>{"first", "ok"}));
}

TEST_F(JournalTest, AFailedSyncClosesIt) {
  Journal journal = Open().value();
  ASSERT_TRUE(journal.Append("first", true));
  files_.SetFailuresPerMillion(1'000'000);
  EXPECT_EQ(journal.Append("second", true).error().code, Code::kUnavailable);
  files_.SetFailuresPerMillion(0);
  EXPECT_EQ(journal.Append("third", true).error().code, Code::kFailedPrecondition);
}

// The second attempt to open a new journal found the magic in memory and believed it to be on the
// device.
TEST_F(JournalTest, AMagicWhoseSyncFailedIsWrittenAgain) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimFiles files({.seed = seed, .failures_per_million = 300'000});
    Result<Journal> first = Journal::Open(files, kPath, Collect());
    for (int i = 0; i < 100 && !first; ++i) first = Journal::Open(files, kPath, Collect());
    files.SetFailuresPerMillion(0);
    ASSERT_TRUE(first->Append("one", true));
    first = Fail(Code::kCancelled, "closed");
    files.PowerCut();
    const Result<Journal> again = Journal::Open(files, kPath, Collect());
    ASSERT_TRUE(again) << again.error().ToString() << ", seed " << seed;
    EXPECT_EQ(found_, (std::vector<std::string>{"one"})) << seed;
    found_.clear();
  }
}

TEST_F(JournalTest, RecordsHaveALimit) {
  Journal journal = Open().value();
  EXPECT_EQ(journal.Append(std::string(kJournalRecordMaxBytes + 1, 'x'), false).error().code,
            Code::kInvalidArgument);
  ASSERT_TRUE(journal.Append("still open", true));
}

TEST_F(JournalTest, ATornRecordFullOfSmallLengthsIsJudgedQuickly) {
  Journal journal = Open().value();
  std::string payload;
  for (int i = 0; i < 5000; ++i) payload += std::string("\x10\0\0\0", 4);
  ASSERT_TRUE(journal.Append(payload, true));
  SetContent(Content().substr(0, 15000));
  Result<Journal> reopened = Open();
  ASSERT_TRUE(reopened.has_value());
  EXPECT_EQ(reopened->torn_bytes_cut(), 14992u);
}

}  // namespace
}  // namespace flyball::os
