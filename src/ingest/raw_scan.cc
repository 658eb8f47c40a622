#include "ingest/raw_scan.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "base/text.h"
#include "ingest/find_byte.h"

namespace flyball::ingest {
namespace {

constexpr size_t kKeepMaxBytes =
    4096;  // a wanted field that is longer is no number, currency or date
constexpr std::string_view kWantedNames[] = {"BilledCost", "BillingCurrency", "BillingPeriodStart"};

std::string_view WithoutBlanks(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool TakeEither(std::string_view* text, std::string_view what) {
  if (text->starts_with(what)) {
    text->remove_prefix(what.size());
  } else if (text->ends_with(what)) {
    text->remove_suffix(what.size());
  } else {
    return false;
  }
  return true;
}

// Brings the repairable ways of writing an amount into plain notation; "" when it is none.
std::string PlainAmount(std::string_view text) {
  text = WithoutBlanks(text);
  bool minus = text.size() > 2 && text.front() == '(' && text.back() == ')';
  if (minus) text = WithoutBlanks(text.substr(1, text.size() - 2));
  bool symbol = false;
  bool sign = false;
  // At most one symbol and one sign before the digits, in either order.
  for (int i = 0; i < 3; ++i) {
    if (!symbol) {
      for (const char* s : {"\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "\xE2\x82\xB9", "$"}) {
        if (!symbol && TakeEither(&text, s)) symbol = true;
      }
      text = WithoutBlanks(text);
    }
    if (!sign && !text.empty() && (text.front() == '+' || text.front() == '-')) {
      if (minus) return {};
      minus = text.front() == '-';
      sign = true;
      text = WithoutBlanks(text.substr(1));
    }
  }
  if (text.empty() || text.front() == '-' || text.front() == '+') return {};
  std::string plain = minus ? "-" : "";
  if (text.find(',') == std::string_view::npos) return plain.append(text);
  // Commas must part the digits before the point into groups of three.
  int run = 0;
  bool grouped = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != '.' && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == ',') {
      if (run == 0 || run > 3 || (grouped && run != 3)) return {};
      grouped = true;
      run = 0;
    } else {
      plain.push_back(text[i]);
      ++run;
    }
  }
  if (grouped && run != 3) return {};
  return plain.append(text.substr(i));
}

// A currency as the ledger would write it, or kUnnamedCurrency.
std::string CurrencyKey(std::string_view text) {
  text = WithoutBlanks(text);
  auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (text.size() != 3 || !std::ranges::all_of(text, letter)) return std::string(kUnnamedCurrency);
  std::string key(text);
  for (char& c : key) c = static_cast<char>(c & ~0x20);
  return key;
}

void AddRow(std::string_view cost, std::string_view currency, std::string_view period,
            RawFacts* facts) {
  ++facts->rows;
  auto sum = facts->billed_by_currency.end();
  if (currency.size() == 3) sum = facts->billed_by_currency.find(currency);
  if (sum == facts->billed_by_currency.end()) {
    sum = facts->billed_by_currency.try_emplace(CurrencyKey(currency)).first;
  }
  const bool short_enough = cost.size() <= kKeepMaxBytes;
  std::string plain;
  if (short_enough && facts->billed.Add(cost)) {
    sum->second.Add(cost);
  } else if (short_enough && facts->billed.Add(plain = PlainAmount(cost))) {
    sum->second.Add(plain);
  } else {
    ++facts->rows_unsummed;
  }
  if (period.empty() || period.size() > 64) {
    facts->periods_open = true;
  } else if (!facts->period_texts.contains(period)) {
    if (facts->period_texts.size() >= kScanPeriodTextsMax) {
      facts->periods_open = true;
    } else {
      facts->period_texts.emplace(period);
    }
  }
}

}  // namespace

void RawFacts::Merge(const RawFacts& other) {
  rows += other.rows;
  rows_unsummed += other.rows_unsummed;
  billed.Merge(other.billed);
  for (const auto& [currency, sum] : other.billed_by_currency) {
    billed_by_currency[currency].Merge(sum);
  }
  period_texts.insert(other.period_texts.begin(), other.period_texts.end());
  periods_open |= other.periods_open;
}

RawCsvWalker::RawCsvWalker(char delimiter) : delimiter_(delimiter) { keep_ = &header_name_; }

void RawCsvWalker::Keep(const char* first, const char* last) {
  if (keep_ == nullptr || keep_->size() > kKeepMaxBytes) return;
  keep_->append(first, std::min<size_t>(static_cast<size_t>(last - first), kKeepMaxBytes + 1));
}

void RawCsvWalker::EndField() {
  if (header_) {
    header_names_.push_back(std::exchange(header_name_, {}));
  } else {
    keep_ = nullptr;
    for (int i = 0; i < kWantedCount; ++i) {
      if (index_of_[i] == field_ + 1) keep_ = &text_[i];
    }
  }
  ++field_;
  tail_bytes_ = 0;
  at_ = At::kFieldStart;
}

void RawCsvWalker::EndHeader() {
  for (size_t i = 0; i < header_names_.size(); ++i) {
    std::string_view name = WithoutBlanks(header_names_[i]);
    for (int w = 0; w < kWantedCount; ++w) {
      if (index_of_[w] < 0 && EqualsIgnoreCase(name, kWantedNames[w])) {
        index_of_[w] = static_cast<int64_t>(i);
      }
    }
  }
  header_ = false;
}

int64_t RawCsvWalker::LineAtRecord() const {
  if (record_offset_ < piece_offset_) return record_line_;
  return piece_line_ + CountLineFeeds(piece_.substr(0, record_offset_ - piece_offset_));
}

void RawCsvWalker::SeeSegment() {
  std::vector<RawSegment>& segments = facts_.segments;
  const std::string& period = text_[kPeriod];
  if (facts_.segments_open || (!segments.empty() && segments.back().period_text == period)) return;
  if (segments.size() == kScanSegmentsMax) {
    facts_.segments_open = true;
    segments.clear();
    return;
  }
  segments.push_back({record_offset_, LineAtRecord(), facts_.rows + 1, period});
}

void RawCsvWalker::EndRecord(const char* at) {
  bool empty = field_ == 0 && !quoted_record_ &&
               (record_bytes_ == 0 || (record_bytes_ == 1 && first_byte_ == '\r'));
  if (!empty) {
    // A carriage return before the line end is part of it, unless it stands inside quotes.
    if (keep_ != nullptr && tail_bytes_ > 0 && !keep_->empty() && keep_->back() == '\r') {
      keep_->pop_back();
    }
    EndField();
    if (header_) {
      EndHeader();
    } else {
      SeeSegment();
      AddRow(text_[kCost], text_[kCurrency], text_[kPeriod], &facts_);
    }
  }
  record_offset_ = piece_offset_ + static_cast<uint64_t>(at - piece_.data());
  for (std::string& text : text_) text.clear();
  field_ = record_bytes_ = tail_bytes_ = 0;
  quoted_record_ = false;
  at_ = At::kFieldStart;
  keep_ = header_ ? &header_name_ : nullptr;
  header_name_.clear();
  for (int i = 0; i < kWantedCount; ++i) {
    if (index_of_[i] == 0) keep_ = &text_[i];
  }
}

void RawCsvWalker::Feed(std::string_view bytes) {
  piece_ = bytes;
  Walk(bytes);
  record_line_ = LineAtRecord();
  piece_offset_ += bytes.size();
  piece_line_ += CountLineFeeds(bytes);
  piece_ = {};
}

void RawCsvWalker::Walk(std::string_view bytes) {
  if (!started_) bytes = SkipByteOrderMark(bytes);
  started_ = true;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  const char delimiter = delimiter_;
  while (p < end) {
    switch (at_) {
      case At::kFieldStart:
        if (*p == '"') {
          if (field_ == 0) quoted_record_ = true;
          at_ = At::kQuoted;
          ++p;
          break;
        }
        if (field_ == 0) first_byte_ = *p;
        at_ = At::kPlain;
        [[fallthrough]];
      case At::kPlain:
      case At::kTail: {
        const char* from = p;
        while (p < end && *p != delimiter && *p != '\n') ++p;
        record_bytes_ += p - from;
        tail_bytes_ += p - from;
        Keep(from, p);
        if (p == end) return;
        if (*p++ == '\n') {
          EndRecord(p);
        } else {
          EndField();
        }
        break;
      }
      case At::kQuoted: {
        const char* from = p;
        const void* quote = std::memchr(p, '"', static_cast<size_t>(end - p));
        p = quote == nullptr ? end : static_cast<const char*>(quote);
        Keep(from, p);
        if (p == end) return;
        ++p;
        at_ = At::kQuoteSeen;
        break;
      }
      case At::kQuoteSeen:
        if (*p == '"') {
          Keep(p, p + 1);
          ++p;
          at_ = At::kQuoted;
        } else {
          at_ = At::kTail;
        }
        break;
    }
  }
}

void RawCsvWalker::Finish() {
  bool nothing = field_ == 0 && at_ == At::kFieldStart;
  if (!nothing) EndRecord(piece_.data());
}

bool ScanJsonObject(std::string_view line, std::vector<RawJsonMember>* members) {
  members->clear();
  size_t at = 0;
  auto blanks = [&] {
    while (at < line.size() && std::memchr(" \t\r\n", line[at], 4) != nullptr) ++at;
  };
  auto string_end = [&](size_t from) {  // index of the closing quote
    while (from < line.size() && line[from] != '"') from += line[from] == '\\' ? 2 : 1;
    return from;
  };
  blanks();
  if (at >= line.size() || line[at++] != '{') return false;
  blanks();
  while (at < line.size() && line[at] != '}') {
    if (line[at] != '"') return false;
    size_t close = string_end(at + 1);
    if (close >= line.size()) return false;
    RawJsonMember member;
    member.key = line.substr(at + 1, close - at - 1);
    at = close + 1;
    blanks();
    if (at >= line.size() || line[at++] != ':') return false;
    blanks();
    size_t from = at;
    int depth = 0;
    for (; at < line.size(); ++at) {
      char c = line[at];
      if (c == '"') {
        at = string_end(at + 1);
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (depth > 0 && (c == '}' || c == ']')) {
        --depth;
      } else if (depth == 0 && (c == ',' || c == '}')) {
        break;
      }
    }
    if (at >= line.size()) return false;
    member.value = line.substr(from, at - from);
    while (!member.value.empty() && std::memchr(" \t\r\n", member.value.back(), 4) != nullptr) {
      member.value.remove_suffix(1);
    }
    if (member.value.size() >= 2 && member.value.front() == '"') {
      member.is_text = true;
      member.value = member.value.substr(1, member.value.size() - 2);
    }
    members->push_back(member);
    if (line[at] == ',') {
      ++at;
      blanks();
    }
  }
  return at < line.size();
}

namespace {

void AppendUtf8(unsigned code, std::string* out) {
  auto tail = [&](unsigned shift) {
    out->push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
  };
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    tail(6);
    tail(0);
  }
}

// A JSON text with its escapes undone, but for pairs of surrogates: what they stand for is in no
// number, currency or date.
std::string WithoutEscapes(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain.push_back(text[i]);
    } else if (text[i + 1] == 'u' && i + 5 < text.size()) {
      unsigned code = 0;
      std::from_chars(text.data() + i + 2, text.data() + i + 6, code, 16);
      AppendUtf8(code, &plain);
      i += 5;
    } else {
      char c = text[++i];
      plain.push_back(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c);
    }
  }
  return plain;
}

class RawJsonWalker {
 public:
  void Line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return;
    std::string wanted[3];
    bool seen[3] = {false, false, false};
    if (!ScanJsonObject(line, &members_)) members_.clear();
    size_t next = 0;
    for (const RawJsonMember& member : members_) {
      Remember(member.key, &next);
      for (size_t w = 0; w < 3; ++w) {
        if (seen[w] || !EqualsIgnoreCase(member.key, kWantedNames[w])) continue;
        seen[w] = true;
        if (member.is_text) {
          wanted[w] = WithoutEscapes(member.value);
        } else if (member.value != "null") {
          wanted[w] = std::string(member.value);
        }
      }
    }
    AddRow(wanted[0], wanted[1], wanted[2], &facts);
  }
  RawFacts facts;

 private:
  // Lines mostly have the same keys in the same order.
  void Remember(std::string_view key, size_t* next) {
    if (*next < facts.keys.size() && facts.keys[*next] == key) {
      ++*next;
      return;
    }
    auto found = places_.find(std::string(key));
    if (found == places_.end()) {
      keys_bytes_ += key.size();
      facts.keys_open |= facts.keys.size() == kScanKeysMax || keys_bytes_ > kScanKeysMaxBytes;
      if (facts.keys_open) return;
      found = places_.emplace(key, facts.keys.size()).first;
      facts.keys.emplace_back(key);
    }
    *next = found->second + 1;
  }
  std::vector<RawJsonMember> members_;
  std::unordered_map<std::string, size_t> places_;
  size_t keys_bytes_ = 0;
};

std::unexpected<Error> TooManyKeys(const InputFile& file, int64_t line) {
  return Fail(Error{Code::kInvalidArgument,
                    "the lines up to here have more than " + std::to_string(kScanKeysMax) +
                        " different keys, or more than " + FormatBytes(kScanKeysMaxBytes) +
                        " of them",
                    "keys are the columns; what varies from line to line belongs into Tags",
                    {file.path(), line, 0, 0}});
}

Result<RawFacts> ScanJsonFile(ByteSource& source, const InputFile& file, uint64_t record_max_bytes,
                              const std::atomic<bool>* cancelled, std::atomic<uint64_t>* progress) {
  RawJsonWalker walker;
  std::vector<char> buffer(kReadBytes);
  std::string line;
  int64_t number = 1;
  bool first = true;
  for (;;) {
    size_t got = FB_TRY(source.Read(buffer.data(), buffer.size()));
    if (got == 0) break;
    progress->store(source.consumed(), std::memory_order_relaxed);
    if (cancelled->load(std::memory_order_relaxed)) {
      return Fail(Code::kCancelled, "the import was cancelled");
    }
    std::string_view rest(buffer.data(), got);
    if (first) rest = SkipByteOrderMark(rest);
    first = false;
    for (;;) {
      size_t newline = rest.find('\n');
      line.append(rest.substr(0, newline));
      if (line.size() > record_max_bytes) {
        Error error{Code::kInvalidArgument,
                    "the record is longer than " + FormatBytes(record_max_bytes),
                    "JSON lines hold one object a line",
                    {file.path(), number, 0, 0}};
        return Fail(std::move(error));
      }
      if (newline == std::string_view::npos) break;
      walker.Line(line);
      if (walker.facts.keys_open) return TooManyKeys(file, number);
      line.clear();
      ++number;
      rest.remove_prefix(newline + 1);
    }
  }
  walker.Line(line);
  if (walker.facts.keys_open) return TooManyKeys(file, number);
  return std::move(walker.facts);
}

}  // namespace

Result<RawFacts> ScanRawFile(const std::shared_ptr<const InputFile>& file, bool form_json,
                             char delimiter, uint64_t record_max_bytes,
                             const std::atomic<bool>* cancelled, std::atomic<uint64_t>* progress) {
  std::unique_ptr<ByteSource> source = FB_TRY(OpenContent(file));
  if (form_json) return ScanJsonFile(*source, *file, record_max_bytes, cancelled, progress);
  RawCsvWalker walker(delimiter);
  std::vector<char> buffer(kReadBytes);
  for (;;) {
    size_t got = FB_TRY(source->Read(buffer.data(), buffer.size()));
    if (got == 0) break;
    walker.Feed({buffer.data(), got});
    progress->store(source->consumed(), std::memory_order_relaxed);
    if (cancelled->load(std::memory_order_relaxed)) {
      return Fail(Code::kCancelled, "the import was cancelled");
    }
  }
  walker.Finish();
  return walker.TakeFacts();
}

RawFacts ScanRawJsonLine(std::string_view line) {
  RawJsonWalker walker;
  walker.Line(line);
  return std::move(walker.facts);
}

RawFacts ScanRawCsv(std::string_view content, char delimiter) {
  RawCsvWalker walker(delimiter);
  walker.Feed(content);
  walker.Finish();
  return walker.TakeFacts();
}

}  // namespace flyball::ingest
