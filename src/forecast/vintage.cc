#include "forecast/vintage.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

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
using Kept = float;

// What makes two forecasts answers to one question.
std::string KeyOf(const Question& question) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", fmt::join(question.by, ","),
                     question.measure, ledger::FormatWhere(question.where),
                     HorizonText(question.horizon), fmt::join(question.levels, ","),
                     ledger::GrainName(question.step()), question.currency, question.as_of);
}

Json Numbers(const std::vector<double>& values) {
  Json numbers = Json::array();
  for (const double value : values) numbers.push_back(static_cast<Kept>(value));
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
    for (const Json& node : one.at("nodes")) answer.nodes.push_back(ReadNode(node));
  }
  return vintage;
}

std::string FolderOf(const std::string& home) { return os::JoinPath(home, std::string(kFolder)); }

// Names sort by the day that they begin with.
Status MakeRoom(os::Files& files, const std::string& folder) {
  std::vector<std::string> names = FB_TRY(files.List(folder));
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(kEnding); });
  std::ranges::sort(names, std::greater<>());
  uint64_t bytes = 0;
  size_t kept = 0;
  for (const std::string& name : names) {
    const std::string path = os::JoinPath(folder, name);
    const Result<uint64_t> size = files.Size(path);
    bytes += size ? *size : 0;
    if (++kept <= kVintagesMax && bytes <= kVintagesBytesMax) continue;
    FB_CHECK(files.Remove(path));
  }
  return {};
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
  const auto lost = [&] {
    return Fail(Code::kDataLoss, fmt::format("the stored forecast '{}' cannot be read", id),
                "remove it; it is only compared with what came");
  };
  if (!json.is_object() || json.value("version", 0) != kVersion) return lost();
  try {
    return ReadMembers(id, json);
  } catch (const Json::exception&) {
    return lost();
  }
}

Result<bool> KeepVintage(os::Files& files, const std::string& home, const Vintage& vintage) {
  const std::string text = VintageJson(vintage);
  if (text.size() > kVintageBytesMax) return false;
  const std::string folder = FolderOf(home);
  FB_CHECK(files.MakeDirs(folder));
  FB_CHECK(os::AtomicWrite(files, os::JoinPath(folder, vintage.id + std::string(kEnding)), text));
  FB_CHECK(MakeRoom(files, folder));
  return true;
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
