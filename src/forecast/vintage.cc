#include "forecast/vintage.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFolder = "forecasts";
constexpr std::string_view kEnding = ".json";
constexpr int kVersion = 1;
constexpr size_t kHashDigits = 12;
// Numbers of a vintage are kept as floats: seven digits are enough to tell how well it did.
using Digits = float;
constexpr size_t kDayLetters = 10;  // of "2026-10-31" in a name

// What makes two forecasts answers to one question.
std::string KeyOf(const Question& question) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", fmt::join(question.by, ","),
                     question.measure, ledger::FormatWhere(question.where),
                     HorizonText(question.horizon), fmt::join(question.levels, ","),
                     ledger::GrainName(question.step()), question.currency, question.as_of);
}

Json Numbers(const std::vector<double>& values) {
  Json numbers = Json::array();
  for (const double value : values) numbers.push_back(static_cast<Digits>(value));
  return numbers;
}

Json RangesJson(const std::vector<Range>& ranges) {
  Json json = Json::array();
  for (const Range& range : ranges) {
    json.push_back({{"lower", Numbers(range.lower)}, {"upper", Numbers(range.upper)}});
  }
  return json;
}

std::vector<double> ReadNumbers(const Json& json) {
  std::vector<double> numbers;
  for (const Json& number : json) {
    numbers.push_back(number.is_number() ? number.get<double>()
                                         : std::numeric_limits<double>::quiet_NaN());
  }
  return numbers;
}

std::vector<Range> ReadRanges(const Json& json) {
  std::vector<Range> ranges;
  for (const Json& range : json) {
    ranges.push_back({ReadNumbers(range.at("lower")), ReadNumbers(range.at("upper"))});
  }
  return ranges;
}

Json NodeJson(const VintageNode& node) {
  return {{"values", node.values},
          {"dimensions", node.dimensions},
          {"mean", Numbers(node.mean)},
          {"ranges", RangesJson(node.ranges)},
          {"month_mean", Numbers(node.month_mean)},
          {"month_ranges", RangesJson(node.month_ranges)}};
}

VintageNode ReadNode(const Json& json) {
  return {json.at("values").get<std::vector<std::string>>(),
          json.at("dimensions").get<uint32_t>(),
          ReadNumbers(json.at("mean")),
          ReadRanges(json.at("ranges")),
          ReadNumbers(json.at("month_mean")),
          ReadRanges(json.at("month_ranges"))};
}

std::unexpected<Error> Lost(const std::string& id) {
  return Fail(Code::kDataLoss, fmt::format("the stored forecast '{}' cannot be read", id),
              "remove it; it is only compared with what came");
}

bool AreOf(const std::vector<Range>& ranges, size_t levels, size_t values) {
  return ranges.size() == levels && std::ranges::all_of(ranges, [&](const Range& range) {
           return range.lower.size() == values && range.upper.size() == values;
         });
}

// Whether its lists are as long as the question has dimensions and levels.
bool IsWhole(const VintageNode& node, const Question& question) {
  const size_t levels = question.levels.size();
  return node.values.size() == question.by.size() && node.dimensions >> question.by.size() == 0 &&
         AreOf(node.ranges, levels, node.mean.size()) &&
         AreOf(node.month_ranges, levels, node.month_mean.size());
}

// Throws what nlohmann throws for a member that is absent or of another type.
Result<Vintage> ReadMembers(const std::string& id, const Json& json) {
  Vintage vintage;
  vintage.id = id;
  Fields fields;
  for (const auto& [name, value] : json.at("question").items()) fields[name] = value;
  vintage.question = FB_TRY(ParseQuestion(fields));
  vintage.made = FB_TRY(ParseUserInstant(json.at("made").get<std::string>()));
  vintage.to = FB_TRY(ParseUserInstant(json.at("known_to").get<std::string>()));
  vintage.end = FB_TRY(ParseUserInstant(json.at("end").get<std::string>()));
  vintage.commit = json.at("commit");
  vintage.query_hash = json.at("query_hash");
  for (const Json& one : json.at("answers")) {
    VintageAnswer& answer = vintage.answers.emplace_back();
    answer.currency = one.at("currency");
    answer.unit = one.at("unit");
    for (const Json& node : one.at("nodes")) {
      answer.nodes.push_back(ReadNode(node));
      if (!IsWhole(answer.nodes.back(), vintage.question)) return Lost(id);
    }
  }
  return vintage;
}

std::string FolderOf(const std::string& home) { return os::JoinPath(home, std::string(kFolder)); }

// A file of the folder: its day and the question, of which it is named.
struct Kept {
  std::string name, day, question;
  uint64_t bytes = 0;
};

// By their days, oldest first.
Result<std::vector<Kept>> KeptIn(os::Files& files, const std::string& folder) {
  std::vector<Kept> all;
  for (const std::string& name : FB_TRY(files.List(folder))) {
    if (!name.ends_with(kEnding) || name.size() <= kDayLetters) continue;
    const Result<uint64_t> size = files.Size(os::JoinPath(folder, name));
    all.push_back({name, name.substr(0, kDayLetters), name.substr(kDayLetters), size ? *size : 0});
  }
  std::ranges::sort(all, {}, &Kept::name);
  return all;
}

// The period of which one vintage of a question is enough, by how long it was before the newest.
std::string PeriodOf(const std::string& day, const std::string& newest) {
  const Result<Instant> at = ParseUserInstant(day), last = ParseUserInstant(newest);
  if (!at || !last) return day;
  const int64_t days = (last->us - at->us) / kMicrosPerDay;
  if (days <= kDailyDays) return day;
  return days <= kWeeklyDays ? "week of " + FormatDate(FloorWeek(*at))
                             : "month of " + FormatDate(FloorMonth(*at));
}

// The names that may go, those first that are missed least: more than one of a week or month of a
// question, oldest first; questions that were asked on one day alone; then the oldest of all.
std::vector<size_t> Dispensable(const std::vector<Kept>& all, std::vector<bool>* surplus) {
  std::map<std::string, std::vector<size_t>> by_question;
  for (size_t i = 0; i < all.size(); ++i) by_question[all[i].question].push_back(i);
  std::vector<size_t> once, rest;
  surplus->assign(all.size(), false);
  for (size_t i = 0; i < all.size(); ++i) {
    const std::vector<size_t>& asked = by_question[all[i].question];
    (asked.size() == 1 ? once : rest).push_back(i);
  }
  for (const auto& [question, asked] : by_question) {
    std::set<std::string> periods;
    for (const size_t i : asked) {
      if (!periods.insert(PeriodOf(all[i].day, all[asked.back()].day)).second) (*surplus)[i] = true;
    }
  }
  once.insert(once.end(), rest.begin(), rest.end());
  return once;
}

// All but `kept`.
Status MakeRoom(os::Files& files, const std::string& folder, const std::string& kept) {
  const std::vector<Kept> all = FB_TRY(KeptIn(files, folder));
  std::vector<bool> surplus;
  const std::vector<size_t> order = Dispensable(all, &surplus);
  size_t count = all.size();
  uint64_t bytes = 0;
  for (const Kept& one : all) bytes += one.bytes;
  const auto remove = [&](size_t i) -> Status {
    FB_CHECK(files.Remove(os::JoinPath(folder, all[i].name)));
    --count;
    bytes -= all[i].bytes;
    return {};
  };
  for (size_t i = 0; i < all.size(); ++i) {
    if (surplus[i] && all[i].name != kept) FB_CHECK(remove(i));
  }
  for (const size_t i : order) {
    if (count <= kVintagesMax && bytes <= kVintagesBytesMax) break;
    if (!surplus[i] && all[i].name != kept) FB_CHECK(remove(i));
  }
  return {};
}

// Two characters a number are the least that it takes.
bool IsTooLarge(const Vintage& vintage) {
  size_t numbers = 0;
  for (const VintageAnswer& answer : vintage.answers) {
    for (const VintageNode& node : answer.nodes) {
      numbers += (node.mean.size() + node.month_mean.size()) * (1 + 2 * node.ranges.size());
    }
  }
  return 2 * numbers > kVintageBytesMax;
}

}  // namespace

Vintage VintageOf(const LedgerAnswer& answer, Instant now) {
  Vintage vintage;
  vintage.id = fmt::format("{}-{}", FormatDate(answer.to),
                           Sha256Hex(KeyOf(answer.question)).substr(0, kHashDigits));
  vintage.question = answer.question;
  vintage.made = now;
  vintage.to = answer.to;
  vintage.end = answer.end;
  vintage.commit = answer.commit;
  vintage.query_hash = answer.query_hash;
  for (const LedgerForecast& forecast : answer.forecasts) {
    VintageAnswer& one = vintage.answers.emplace_back();
    one.currency = forecast.currency;
    one.unit = forecast.unit;
    for (const NodeForecast& node : forecast.nodes) {
      VintageNode& kept = one.nodes.emplace_back();
      kept.values = node.values;
      kept.dimensions = node.dimensions;
      kept.mean = node.mean;
      kept.ranges = node.ranges;
      kept.month_ranges.resize(answer.question.levels.size());
      for (const MonthTotal& month : node.months) {
        kept.month_mean.push_back(month.mean);
        for (size_t l = 0; l < kept.month_ranges.size(); ++l) {
          kept.month_ranges[l].lower.push_back(month.lower[l]);
          kept.month_ranges[l].upper.push_back(month.upper[l]);
        }
      }
    }
  }
  return vintage;
}

std::string VintageJson(const Vintage& vintage) {
  const Question& question = vintage.question;
  Json json{{"version", kVersion},
            {"made", FormatInstant(vintage.made)},
            {"known_to", FormatInstant(vintage.to)},
            {"end", FormatInstant(vintage.end)},
            {"commit", vintage.commit},
            {"query_hash", vintage.query_hash},
            {"question",
             {{"by", fmt::format("{}", fmt::join(question.by, ","))},
              {"measure", question.measure},
              {"where", ledger::FormatWhere(question.where)},
              {"horizon", HorizonText(question.horizon)},
              {"levels", fmt::format("{}", fmt::join(question.levels, ","))},
              {"grain", ledger::GrainName(question.step())},
              {"as_of", question.as_of},
              {"currency", question.currency}}}};
  Json answers = Json::array();
  for (const VintageAnswer& answer : vintage.answers) {
    Json nodes = Json::array();
    for (const VintageNode& node : answer.nodes) nodes.push_back(NodeJson(node));
    answers.push_back(
        {{"currency", answer.currency}, {"unit", answer.unit}, {"nodes", std::move(nodes)}});
  }
  json["answers"] = std::move(answers);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Vintage> ReadVintage(const std::string& id, std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  try {
    if (!json.is_object() || json.at("version").get<int>() != kVersion) return Lost(id);
    return ReadMembers(id, json);
  } catch (const Json::exception&) {
    return Lost(id);
  }
}

Result<std::string> KeepVintage(os::Files& files, const std::string& home, const Vintage& vintage) {
  const std::string text = IsTooLarge(vintage) ? "" : VintageJson(vintage);
  if (text.empty() || text.size() > kVintageBytesMax) return "it is too large";
  const std::string folder = FolderOf(home);
  FB_CHECK(files.MakeDirs(folder));
  const std::string name = vintage.id + std::string(kEnding);
  const std::vector<Kept> all = FB_TRY(KeptIn(files, folder));
  const bool known = std::ranges::find(all, name.substr(kDayLetters), &Kept::question) != all.end();
  const auto same_day =
      static_cast<size_t>(std::ranges::count(all, name.substr(0, kDayLetters), &Kept::day));
  if (!known && same_day >= kVintagesDayMax) {
    return fmt::format("{} forecasts of the same last day are kept", same_day);
  }
  FB_CHECK(os::AtomicWrite(files, os::JoinPath(folder, name), text));
  FB_CHECK(MakeRoom(files, folder, name));
  return "";
}

Result<std::vector<Vintage>> ReadVintages(os::Files& files, const std::string& home) {
  std::vector<Vintage> vintages;
  const std::string folder = FolderOf(home);
  if (!files.Exists(folder)) return vintages;
  for (const std::string& name : FB_TRY(files.List(folder))) {
    if (!name.ends_with(kEnding)) continue;
    const std::string path = os::JoinPath(folder, name);
    const Result<uint64_t> size = files.Size(path);
    if (!size || *size > kVintageBytesMax) continue;
    const Result<std::string> text = files.ReadAll(path);
    if (!text) continue;
    Result<Vintage> vintage = ReadVintage(name.substr(0, name.size() - kEnding.size()), *text);
    if (vintage) vintages.push_back(*std::move(vintage));
  }
  return vintages;
}

}  // namespace flyball::forecast
