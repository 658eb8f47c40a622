// flyball watch replay: anomaly scores of a series, in one pass. Needs no home.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/csv_rows.h"
#include "app/table.h"
#include "base/text.h"
#include "watch/detector.h"
#include "watch/points.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kOutputBytes = 1u << 16;
// Anomalies listed as a table or JSON; more are counted.
constexpr size_t kAnomaliesMax = 10'000;

struct Anomaly {
  std::string at, value;
  watch::Verdict verdict;
};

struct Replay {
  std::vector<Anomaly> anomalies;
  int64_t opened = 0;
  watch::PointNotes notes;
};

// Each point to `scored` as it comes, before the next is read.
template <typename Scored>
Result<watch::PointNotes> ScoreSeries(const std::string& path, const Scored& scored) {
  const watch::Detector detector;
  watch::SeriesState state;
  watch::PointReader reader;
  FB_CHECK(ReadCsvRows(path, [&](std::span<const std::string_view> fields) -> Status {
    const std::optional<watch::Point> point = FB_TRY(reader.Read(fields));
    if (!point) return {};
    watch::Verdict verdict;
    if (point->value) verdict = detector.Step(&state, {point->at, *point->value});
    scored(*point, verdict);
    return {};
  }));
  if (reader.notes().points == 0) {
    return Fail(Code::kInvalidArgument, "there is no point in '" + path + "'",
                "write `timestamp,value` and a line for each point");
  }
  return reader.notes();
}

// On standard error: what a reader of the scores has to know.
void SayNotes(const watch::PointNotes& notes) {
  const auto say = [](int64_t count, std::string_view what) {
    if (count > 0) Say(fmt::format("flyball: {} {}", count, what));
  };
  say(notes.missing, "values are missing; they are scored 0 and change nothing");
  say(notes.repeated, "timestamps repeat the one before; each value counts");
  say(notes.backwards, "timestamps go back in time; values are scored in the order of the file");
  say(notes.gaps, "gaps between timestamps; the values around them are scored as neighbours");
  if (notes.constant && notes.points > notes.missing) {
    Say("flyball: all values are equal; there is nothing to tell apart");
  }
}

int ReplayAsCsv(const Environment& environment, const std::string& path) {
  std::string out = "timestamp,value,score\n";
  const Result<watch::PointNotes> notes =
      ScoreSeries(path, [&](const watch::Point& point, const watch::Verdict& verdict) {
        AppendCsvCell(point.at_text, &out);
        out += ',';
        AppendCsvCell(point.value_text, &out);
        fmt::format_to(std::back_inserter(out), ",{:.6f}\n", verdict.score);
        if (out.size() < kOutputBytes) return;
        Print(out);
        out.clear();
      });
  if (!notes) return Report(environment, notes.error());
  if (!out.empty()) Print(out);
  SayNotes(*notes);
  return kExitDone;
}

Result<Replay> FindAnomalies(const std::string& path) {
  Replay replay;
  replay.notes =
      FB_TRY(ScoreSeries(path, [&](const watch::Point& point, const watch::Verdict& verdict) {
        if (!verdict.opens) return;
        ++replay.opened;
        if (replay.anomalies.size() == kAnomaliesMax) return;
        replay.anomalies.push_back(
            {std::string(point.at_text), std::string(point.value_text), verdict});
      }));
  return replay;
}

std::string ReplayJson(const Replay& replay) {
  Json anomalies = Json::array();
  for (const Anomaly& anomaly : replay.anomalies) {
    anomalies.push_back({{"timestamp", anomaly.at},
                         {"value", anomaly.value},
                         {"score", anomaly.verdict.score},
                         {"expected", anomaly.verdict.expected},
                         {"feature", watch::FeatureName(anomaly.verdict.strongest)}});
  }
  const watch::PointNotes& notes = replay.notes;
  const Json json{{"points", notes.points},     {"missing", notes.missing},
                  {"repeated", notes.repeated}, {"backwards", notes.backwards},
                  {"gaps", notes.gaps},         {"constant", notes.constant},
                  {"opened", replay.opened},    {"anomalies", anomalies}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ReplayTable(const Replay& replay) {
  Table table{{"timestamp", "value", "expected", "score", "feature"}, {}};
  for (const Anomaly& anomaly : replay.anomalies) {
    table.rows.push_back({anomaly.at, anomaly.value,
                          fmt::format("{:.6g}", anomaly.verdict.expected),
                          fmt::format("{:.3f}", anomaly.verdict.score),
                          std::string(watch::FeatureName(anomaly.verdict.strongest))});
  }
  return TableText(table);
}

}  // namespace

int RunWatchReplay(const Environment& environment, const WatchArgs& args) {
  if (environment.format == "csv") return ReplayAsCsv(environment, args.file);
  const Result<Replay> replay = FindAnomalies(args.file);
  if (!replay) return Report(environment, replay.error());
  Print(environment.json() ? ReplayJson(*replay) : ReplayTable(*replay));
  SayNotes(replay->notes);
  return kExitDone;
}

}  // namespace flyball::app
