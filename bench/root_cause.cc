// bench_root_cause: F1 over exact element sets and milliseconds a case, ours beside RiskLoc and
// Adtributor, on generated sets and on the real set RS where it is at hand. bench/rootcause runs
// it.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>

#include "base/text.h"
#include "ingest/csv.h"
#include "ingest/import.h"
#include "root_cause_peers.h"

namespace flyball::bench {
namespace {

using watch::LeafTable;
using watch::generate::Elements;
using watch::generate::Tally;

// Seeds of what is reported begin here; those that constants were tried on lie below.
constexpr uint64_t kFirstSeed = 700'000;

struct Lane {
  const char* name;
  Tally tally;
  double seconds = 0;
  std::set<Elements> Time(const std::set<Elements>& causes,
                          const std::function<std::set<Elements>()>& find) {
    const auto begin = std::chrono::steady_clock::now();
    std::set<Elements> found = find();
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    tally.Add(found, causes);
    return found;
  }
};

void PrintLanes(const char* set, size_t cases, const Lane& ours, const std::vector<Lane>& peers) {
  const auto ms = [&](const Lane& lane) { return 1e3 * lane.seconds / static_cast<double>(cases); };
  const auto print = [&](const Lane& lane, const std::string& ratios) {
    fmt::print("{:<4} {:>6} {:<22} {:>7.3f} {:>6} {:>6} {:>7} {:>9.2f} {}\n", set, cases, lane.name,
               lane.tally.F1(), lane.tally.right, lane.tally.wrong, lane.tally.missed, ms(lane),
               ratios);
  };
  print(ours, "");
  for (const Lane& peer : peers) {
    const bool lost = ours.tally.F1() < peer.tally.F1();
    print(peer,
          fmt::format(
              "ours / peer: F1 {}, time {:.2f}{}",
              peer.tally.F1() > 0 ? fmt::format("{:.2f}", ours.tally.F1() / peer.tally.F1()) : "-",
              ours.seconds / peer.seconds, lost ? "  LOST" : ""));
  }
}

std::set<Elements> Ours(const LeafTable& table) {
  const auto causes = watch::FindRootCauses(table);
  return causes ? watch::generate::ElementSets(*causes) : std::set<Elements>{};
}

void RunGenerated(const watch::generate::Spec& spec, size_t cases) {
  Lane ours{"flyball", {}, 0};
  std::vector<Lane> peers{{"RiskLoc, re-run", {}, 0}, {"Adtributor, re-run", {}, 0}};
  for (size_t i = 0; i < cases; ++i) {
    const watch::generate::Case made = watch::generate::Make(spec, kFirstSeed + i);
    const LeafTable table = watch::generate::ToTable(made);
    ours.Time(made.causes, [&] { return Ours(table); });
    peers[0].Time(made.causes, [&] { return RiskLoc(Additive(table)); });
    peers[1].Time(made.causes, [&] { return Adtributor(Additive(table)); });
  }
  PrintLanes(spec.name, cases, ours, peers);
}

// One case of RS: requests by minute, those that failed and all, and the minute that was bad.
struct RsCase {
  std::string data;
  int64_t minute = 0;
  std::set<Elements> causes;
};

// `cause: {'cdn':5, 'p2p':0}` or a list of such.
std::set<Elements> ReadCauses(std::string_view text) {
  std::set<Elements> causes;
  for (size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const size_t end = text.find('}', at);
    Elements elements;
    for (const std::string_view part : SplitText(text.substr(at + 1, end - at - 1), ',')) {
      const size_t colon = part.find(':');
      const auto bare = [](std::string_view word) {
        word = Trim(word);
        if (word.size() >= 2 && word.front() == '\'') word = word.substr(1, word.size() - 2);
        return std::string(word);
      };
      elements.emplace_back(bare(part.substr(0, colon)), bare(part.substr(colon + 1)));
    }
    std::sort(elements.begin(), elements.end());
    causes.insert(std::move(elements));
  }
  return causes;
}

std::vector<RsCase> ReadRsIndex(const std::filesystem::path& folder) {
  std::vector<RsCase> cases;
  std::ifstream in(folder / "anomaly.yaml");
  std::string line;
  while (std::getline(in, line)) {
    const std::string_view text = Trim(line);
    if (text.starts_with("- data:")) {
      cases.push_back({std::string(Trim(text.substr(7))), 0, {}});
    } else if (text.starts_with("timestamp:")) {
      cases.back().minute = std::atoll(std::string(text.substr(10)).c_str());
    } else if (text.starts_with("cause:")) {
      cases.back().causes = ReadCauses(text);
    }
  }
  return cases;
}

// Leaves of one case: failures, and all requests, against the mean of the four minutes before.
struct RsTables {
  LeafTable failed, succeeded, all, minutes;
};

Result<RsTables> ReadRs(const std::filesystem::path& file, int64_t minute) {
  ingest::BlockReader blocks(
      FB_TRY(ingest::OpenContent(FB_TRY(ingest::InputFile::Open(file.string())))),
      ingest::BlockReader::Form::kCsv, ',', file.string(), 1u << 16, ingest::kRecordMaxBytes);
  ingest::CsvRecords records(',');
  ingest::Block block;
  ingest::Record record;
  std::vector<std::string> header;
  std::vector<size_t> columns;
  size_t minute_at = 0, failed_at = 0, all_at = 0;
  std::optional<RsTables> tables;
  constexpr int64_t kMinutes = 4;
  while (FB_TRY(blocks.Next(&block))) {
    records.Start(&block);
    while (records.Next(&record)) {
      if (!tables) {
        std::vector<std::string> dimensions;
        for (size_t i = 0; i < record.fields.size(); ++i) {
          const std::string name(Trim(record.fields[i].text));
          if (name == "min")
            minute_at = i;
          else if (name == "value")
            failed_at = i;
          else if (name == "cnt")
            all_at = i;
          else {
            dimensions.push_back(name);
            columns.push_back(i);
          }
        }
        const auto empty = [&] { return LeafTable::Make(dimensions); };
        tables = RsTables{FB_TRY(empty()), FB_TRY(empty()), FB_TRY(empty()), FB_TRY(empty())};
        continue;
      }
      const int64_t at = std::atoll(std::string(record.fields[minute_at].text).c_str());
      if (at > minute || at < minute - kMinutes * 60) continue;
      const Quantity failed = FB_TRY(Quantity::Parse(Trim(record.fields[failed_at].text)));
      const Quantity all = FB_TRY(Quantity::Parse(Trim(record.fields[all_at].text)));
      std::vector<std::string_view> values;
      for (const size_t column : columns) values.push_back(record.fields[column].text);
      const auto add = [&](LeafTable* table, Quantity now, Quantity before) {
        return at == minute ? table->Add(values, now, {}) : table->Add(values, {}, before);
      };
      const auto mean = [](Quantity sum) { return Quantity::FromUnits(sum.units() / kMinutes); };
      const Quantity succeeded = FB_TRY(all.Minus(failed));
      FB_CHECK(add(&tables->failed, failed, mean(failed)));
      FB_CHECK(add(&tables->all, all, all));
      FB_CHECK(add(&tables->succeeded, succeeded, succeeded));
      FB_CHECK(add(&tables->minutes, {}, Quantity::FromUnits(1'000'000'000'000'000)));
    }
  }
  if (!tables) return Fail(Code::kInvalidArgument, file.string() + " is empty");
  return std::move(*tables);
}

void RunRs(const std::filesystem::path& folder) {
  Lane ours{"flyball", {}, 0}, first{"flyball, first only", {}, 0};
  std::vector<Lane> peers{
      {"RiskLoc, re-run", {}, 0}, {"RiskLoc on the ratio", {}, 0}, {"Adtributor, re-run", {}, 0}};
  size_t cases = 0;
  for (const RsCase& one : ReadRsIndex(folder)) {
    const std::filesystem::path file = folder / (one.data + ".csv.gz");
    if (!std::filesystem::exists(file)) continue;
    const Result<RsTables> tables = ReadRs(file, one.minute);
    if (!tables) {
      fmt::print(stderr, "{}\n", tables.error().ToString());
      std::exit(3);
    }
    ++cases;
    ours.Time(one.causes, [&] { return Ours(tables->failed); });
    first.Time(one.causes, [&] {
      auto causes = watch::FindRootCauses(tables->failed);
      if (causes && causes->size() > 1) causes->resize(1);
      return causes ? watch::generate::ElementSets(*causes) : std::set<Elements>{};
    });
    peers[0].Time(one.causes, [&] { return RiskLoc(Additive(tables->failed)); });
    peers[1].Time(one.causes,
                  [&] { return RiskLoc(Ratio(tables->succeeded, tables->all, tables->minutes)); });
    peers[2].Time(one.causes, [&] { return Adtributor(Additive(tables->failed)); });
  }
  if (cases == 0) return;
  PrintLanes("RS", cases, ours, peers);
  PrintLanes("RS", cases, first, {});
}

size_t Number(const char* name, size_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : static_cast<size_t>(std::atoll(text));
}

int Main() {
  fmt::print("{:<4} {:>6} {:<22} {:>7} {:>6} {:>6} {:>7} {:>9}\n", "set", "cases", "method", "F1",
             "right", "wrong", "missed", "ms/case");
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  const auto rs = std::filesystem::path(shared == nullptr ? "" : shared) / "anomaly/rootcause_rs";
  if (shared != nullptr && std::filesystem::exists(rs)) {
    RunRs(rs);
  } else {
    fmt::print(stderr, "skipped: RS is not at hand (FLYBALL_SHARED_DATA)\n");
  }
  const size_t cases = Number("FLYBALL_BENCH_CASES", 100);
  RunGenerated(watch::generate::SetS(), cases);
  RunGenerated(watch::generate::SetL(), cases);
  // The published H has 24 million leaves a case; this is a tenth of each of its two long
  // dimensions.
  watch::generate::Spec h = watch::generate::SetH();
  h.name = "H/10";
  h.sizes = {10, 5, 50, 10, 8, 6};
  RunGenerated(h, std::max<size_t>(1, cases / 20));
  return 0;
}

}  // namespace
}  // namespace flyball::bench

int main() { return flyball::bench::Main(); }
