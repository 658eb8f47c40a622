// flyball forecast series: the next values of every series of a file. Needs no home.
#include "forecast/forecast.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/command.h"
#include "app/table.h"
#include "base/text.h"
#include "forecast/backtest.h"
#include "forecast/question.h"
#include "forecast/read_series.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSeasonsMax = 4;
constexpr size_t kPrintBytes = 1u << 20;
// Of refused series so many are named on standard error.
constexpr size_t kNamedMax = 5;

Result<std::vector<size_t>> ParseSeasons(std::string_view text) {
  std::vector<size_t> seasons;
  if (text == "none") return seasons;
  for (const std::string_view word : SplitText(text, ',')) {
    const std::string_view trimmed = Trim(word);
    size_t season = 0;
    const auto [end, failed] =
        std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), season);
    if (failed != std::errc() || end != trimmed.data() + trimmed.size() || season < 2 ||
        season > forecast::kPeriodMax || seasons.size() == kSeasonsMax) {
      return Fail(Code::kInvalidArgument, fmt::format("--season '{}' is no list of seasons", text),
                  fmt::format("one to {} counts of steps from 2 to {}, such as 24,168; or none",
                              kSeasonsMax, forecast::kPeriodMax));
    }
    seasons.push_back(season);
  }
  std::ranges::sort(seasons);
  seasons.erase(std::ranges::unique(seasons).begin(), seasons.end());
  return seasons;
}

Result<std::vector<forecast::Member>> ParseMembers(std::string_view text) {
  std::vector<forecast::Member> members;
  if (text.empty()) return members;
  for (const std::string_view word : SplitText(text, ',')) {
    forecast::Member member{};
    if (!forecast::ParseMember(Trim(word), &member)) {
      return Fail(Code::kInvalidArgument, fmt::format("there is no member '{}'", Trim(word)),
                  "one of " + forecast::MemberNames());
    }
    if (std::ranges::find(members, member) == members.end()) members.push_back(member);
  }
  return members;
}

// What comes from a pipe is kept in memory: it is unpacked like a file.
Result<std::shared_ptr<ingest::InputFile>> OpenStandardInput() {
  const int file = memfd_create("standard input", MFD_CLOEXEC);
  if (file < 0) {
    return Fail(Code::kUnavailable,
                fmt::format("no memory file for standard input: {}", std::strerror(errno)));
  }
  std::string buffer(kPrintBytes, '\0');
  Status kept;
  for (size_t got = 0; kept && (got = std::fread(buffer.data(), 1, buffer.size(), stdin)) > 0;) {
    for (size_t at = 0; at < got;) {
      const ssize_t wrote = write(file, buffer.data() + at, got - at);
      if (wrote < 0) {
        kept = Fail(Code::kResourceExhausted,
                    fmt::format("standard input cannot be kept: {}", std::strerror(errno)));
        break;
      }
      at += static_cast<size_t>(wrote);
    }
  }
  Result<std::shared_ptr<ingest::InputFile>> opened =
      ingest::InputFile::Open(fmt::format("/proc/self/fd/{}", file));
  close(file);
  FB_CHECK(kept);
  if (!opened) return Fail(Code::kInvalidArgument, "standard input is empty");
  return opened;
}

Result<forecast::SeriesFile> ReadFile(const ForecastSeriesArgs& args) {
  forecast::ReadOptions options;
  options.has_periods = !args.season.empty();
  if (options.has_periods) options.periods = FB_TRY(ParseSeasons(args.season));
  options.horizon = static_cast<size_t>(args.horizon);
  const bool standard = args.file == "-";
  const std::shared_ptr<ingest::InputFile> file =
      standard ? FB_TRY(OpenStandardInput()) : FB_TRY(ingest::InputFile::Open(args.file));
  if (file->is_parquet()) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is Parquet", args.file),
                "series are read from CSV");
  }
  return forecast::ReadSeries(FB_TRY(ingest::OpenContent(file)),
                              standard ? "standard input" : args.file, options);
}

unsigned ThreadsOf(const ForecastSeriesArgs& args) {
  return args.threads > 0 ? static_cast<unsigned>(args.threads)
                          : std::max(1u, std::thread::hardware_concurrency());
}

struct Answer {
  forecast::SeriesFile file;
  std::vector<double> levels;
  std::vector<forecast::Forecast> forecasts;  // one a series, also of those refused
};

Result<Answer> Make(const Environment& environment, const ForecastSeriesArgs& args) {
  Answer answer;
  answer.levels = FB_TRY(forecast::ParseLevels(args.levels));
  forecast::Options options;
  options.levels = answer.levels;
  options.members = FB_TRY(ParseMembers(args.members));
  options.fast = args.fast;
  answer.file = FB_TRY(ReadFile(args));
  options.threads = ThreadsOf(args);
  options.progress = [&environment](size_t done, size_t whole) {
    return ShowProgress(environment, "forecasting", done, whole);
  };
  Result<std::vector<forecast::Forecast>> forecasts =
      forecast::ForecastAll(answer.file.series, options);
  EndProgress(environment);
  if (!forecasts) return Fail(std::move(forecasts).error());
  answer.forecasts = std::move(*forecasts);
  for (size_t i = 0; i < answer.forecasts.size(); ++i) {
    if (!answer.file.refusals[i].empty()) answer.forecasts[i].refusal = answer.file.refusals[i];
  }
  return answer;
}

std::string Number(double value) { return fmt::format("{:.10g}", value); }

// Line by line, so that a hundred thousand series need no second copy of themselves.
void PrintCsv(const Answer& answer) {
  std::string text = "id,step,mean";
  for (const double level : answer.levels) text += fmt::format(",lower_{0},upper_{0}", level);
  for (size_t s = 0; s < answer.forecasts.size(); ++s) {
    const forecast::Forecast& one = answer.forecasts[s];
    std::string id;
    AppendCsvCell(answer.file.series[s].id, &id);
    for (size_t step = 0; step < one.mean.size(); ++step) {
      if (text.size() > kPrintBytes) {
        Print(text);
        text.clear();
      } else {
        text += '\n';
      }
      text += fmt::format("{},{},{}", id, step + 1, Number(one.mean[step]));
      for (const forecast::Range& range : one.ranges) {
        text += fmt::format(",{},{}", Number(range.lower[step]), Number(range.upper[step]));
      }
    }
  }
  Print(text);
}

Json SeriesJson(const std::string& id, const forecast::Forecast& one,
                const std::vector<double>& levels) {
  Json json{{"id", id}, {"regime", forecast::RegimeName(one.regime)}, {"trials", one.trials}};
  double whole = 0;
  for (const forecast::Weighted& member : one.members) whole += member.weight;
  Json members = Json::array();
  for (const forecast::Weighted& member : one.members) {
    members.push_back({{"name", forecast::MemberName(member.member)},
                       {"weight", whole > 0 ? member.weight / whole : 0.0}});
  }
  json["members"] = std::move(members);
  if (!one.note.empty()) json["note"] = one.note;
  json["mean"] = one.mean;
  Json ranges = Json::array();
  for (size_t l = 0; l < levels.size(); ++l) {
    ranges.push_back(
        {{"level", levels[l]}, {"lower", one.ranges[l].lower}, {"upper", one.ranges[l].upper}});
  }
  json["ranges"] = std::move(ranges);
  return json;
}

Json AnswerJson(const Answer& answer) {
  Json series = Json::array(), refused = Json::array();
  for (size_t s = 0; s < answer.forecasts.size(); ++s) {
    const std::string& id = answer.file.series[s].id;
    const forecast::Forecast& one = answer.forecasts[s];
    if (one.refusal.empty()) {
      series.push_back(SeriesJson(id, one, answer.levels));
    } else {
      refused.push_back({{"id", id}, {"reason", one.refusal}});
    }
  }
  return Json{
      {"series", std::move(series)}, {"refused", std::move(refused)}, {"notes", answer.file.notes}};
}

Table AnswerTable(const Answer& answer) {
  Table table{{"id", "step", "mean"}, {}};
  for (const double level : answer.levels) {
    table.header.push_back(fmt::format("lower_{}", level));
    table.header.push_back(fmt::format("upper_{}", level));
  }
  table.header.push_back("note");
  for (size_t s = 0; s < answer.forecasts.size(); ++s) {
    const forecast::Forecast& one = answer.forecasts[s];
    for (size_t step = 0; step < one.mean.size(); ++step) {
      std::vector<std::string>& row = table.rows.emplace_back();
      row = {answer.file.series[s].id, std::to_string(step + 1), Number(one.mean[step])};
      for (const forecast::Range& range : one.ranges) {
        row.push_back(Number(range.lower[step]));
        row.push_back(Number(range.upper[step]));
      }
      row.push_back(step == 0 ? one.note : "");
    }
  }
  return DropEmptyColumns(table);
}

// What a reader of the numbers should know, on standard error. How many series were refused.
size_t SayNotes(const Answer& answer) {
  for (const std::string& note : answer.file.notes) Say("flyball: " + note);
  size_t refused = 0, noted = 0;
  for (size_t s = 0; s < answer.forecasts.size(); ++s) {
    const forecast::Forecast& one = answer.forecasts[s];
    noted += one.note.empty() ? 0 : 1;
    if (one.refusal.empty()) continue;
    if (++refused <= kNamedMax) {
      Say(Printable(fmt::format("flyball: series '{}' is not forecast: {}",
                                answer.file.series[s].id, one.refusal)));
    }
  }
  if (refused > kNamedMax) {
    Say(fmt::format("flyball: {} series are not forecast; --format json names them all", refused));
  }
  if (noted > 0) {
    Say(
        fmt::format("flyball: {} of {} series have a note (constant, short, gaps filled); --format "
                    "json shows it",
                    noted, answer.forecasts.size()));
  }
  return refused;
}

}  // namespace

Result<std::string> BacktestFile(const Environment& environment, const ForecastSeriesArgs& args,
                                 size_t origins) {
  forecast::Options options;
  options.levels = FB_TRY(forecast::ParseLevels(args.levels));
  options.members = FB_TRY(ParseMembers(args.members));
  options.fast = args.fast;
  options.threads = ThreadsOf(args);
  options.progress = [&environment](size_t done, size_t whole) {
    return ShowProgress(environment, "forecasting", done, whole);
  };
  forecast::SeriesFile file = FB_TRY(ReadFile(args));
  for (const std::string& note : file.notes) Say("flyball: " + note);
  std::vector<forecast::Series> usable;
  for (size_t i = 0; i < file.series.size(); ++i) {
    if (file.refusals[i].empty()) usable.push_back(std::move(file.series[i]));
  }
  Result<forecast::BacktestReport> report = forecast::Backtest(usable, options, origins);
  EndProgress(environment);
  if (!report) return Fail(std::move(report).error());
  return forecast::BacktestJson({&*report, 1});
}

int RunForecastSeries(const Environment& environment, const ForecastSeriesArgs& args) {
  const Result<Answer> answer = Make(environment, args);
  if (!answer) return Report(environment, answer.error());
  const size_t refused = SayNotes(*answer);
  if (environment.json()) {
    Print(AnswerJson(*answer).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (environment.format == "csv") {
    PrintCsv(*answer);
  } else {
    Print(TableText(AnswerTable(*answer)));
  }
  return refused > 0 ? kExitFound : kExitDone;
}

}  // namespace flyball::app
