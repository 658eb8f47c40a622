#include "forecast/question.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "forecast/hierarchy.h"

namespace flyball::forecast {
namespace {

constexpr int kHoursOfDay = 24, kDaysOfWeek = 7;

struct UnitName {
  std::string_view name;
  Horizon::Unit unit;
  int most;
};
constexpr UnitName kUnits[] = {
    {"mo", Horizon::Unit::kMonth, kHorizonDaysMax / 31},
    {"w", Horizon::Unit::kWeek, kHorizonDaysMax / kDaysOfWeek},
    {"d", Horizon::Unit::kDay, kHorizonDaysMax},
    {"h", Horizon::Unit::kHour, kHorizonHoursMax},
};

Status CheckHours(const Question& question) {
  const Horizon& horizon = question.horizon;
  if (question.grain != ledger::Grain::kHour) {
    if (horizon.unit != Horizon::Unit::kHour) return {};
    return Fail(Code::kInvalidArgument, "a horizon in hours is of hours",
                "say the grain hour, or a horizon in days (d), weeks (w) or months (mo)");
  }
  const int hours = horizon.unit == Horizon::Unit::kHour  ? horizon.count
                    : horizon.unit == Horizon::Unit::kDay ? horizon.count * kHoursOfDay
                    : horizon.unit == Horizon::Unit::kWeek
                        ? horizon.count * kDaysOfWeek * kHoursOfDay
                        : horizon.count * kHorizonHoursMax;
  if (hours <= kHorizonHoursMax) return {};
  return Fail(Code::kInvalidArgument,
              fmt::format("hours are forecast for a month at most, and the horizon is {}",
                          HorizonText(horizon)));
}

std::string TextOf(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view word : SplitText(text, ',')) {
    if (!Trim(word).empty()) words.emplace_back(Trim(word));
  }
  return words;
}

Result<Horizon> ParseHorizon(std::string_view text) {
  for (const UnitName& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const std::string_view digits = text.substr(0, text.size() - unit.name.size());
    int count = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || count < 1) break;
    if (count > unit.most) {
      return Fail(Code::kInvalidArgument, fmt::format("the horizon '{}' is too far", text),
                  fmt::format("at most {}{}", unit.most, unit.name));
    }
    return Horizon{unit.unit, count};
  }
  return Fail(Code::kInvalidArgument, fmt::format("'{}' is no horizon", text),
              "such as 3mo, 12w, 28d or 48h");
}

std::string HorizonText(const Horizon& horizon) {
  for (const UnitName& unit : kUnits) {
    if (unit.unit == horizon.unit) return fmt::format("{}{}", horizon.count, unit.name);
  }
  return "";
}

Instant EndOf(const Horizon& horizon, Instant from) {
  switch (horizon.unit) {
    case Horizon::Unit::kHour:
      return {from.us + horizon.count * kMicrosPerHour};
    case Horizon::Unit::kDay:
      return {from.us + horizon.count * kMicrosPerDay};
    case Horizon::Unit::kWeek:
      return {from.us + horizon.count * kDaysOfWeek * kMicrosPerDay};
    case Horizon::Unit::kMonth:
      return AddMonths(FloorMonth(from), horizon.count);
  }
  return from;
}

Result<std::vector<double>> ParseLevels(std::string_view text) {
  std::vector<double> levels;
  for (const std::string_view word : SplitText(text, ',')) {
    const std::string_view trimmed = Trim(word);
    double level = 0;
    const auto [end, failed] =
        std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), level);
    if (failed != std::errc() || end != trimmed.data() + trimmed.size() || !(level > 0) ||
        !(level < 100) || levels.size() == kLevelsMax) {
      return Fail(
          Code::kInvalidArgument, fmt::format("the levels '{}' are none", text),
          fmt::format("one to {} percentages between 0 and 100, such as 50,80,95", kLevelsMax));
    }
    levels.push_back(level);
  }
  std::ranges::sort(levels);
  levels.erase(std::ranges::unique(levels).begin(), levels.end());
  return levels;
}

const std::vector<std::string>& QuestionFields() {
  static const std::vector<std::string> fields{"by",    "measure", "where",    "horizon", "levels",
                                               "grain", "as_of",   "currency", "fast"};
  return fields;
}

Result<Question> ParseQuestion(const Fields& fields) {
  Question question;
  const auto text = [&](const char* name, std::string_view otherwise) {
    const auto found = fields.find(name);
    return found == fields.end() || found->second.empty() ? std::string(otherwise) : found->second;
  };
  question.by = WordsOf(text("by", ""));
  question.measure = text("measure", question.measure);
  question.where = FB_TRY(ledger::ParseWhere(text("where", "")));
  question.horizon = FB_TRY(ParseHorizon(text("horizon", "3mo")));
  question.levels = FB_TRY(ParseLevels(text("levels", "50,80,95")));
  const std::string otherwise = question.horizon.unit == Horizon::Unit::kHour ? "hour" : "day";
  question.grain = FB_TRY(ledger::ParseGrain(text("grain", otherwise)));
  if (question.grain == ledger::Grain::kNone || question.grain == ledger::Grain::kWeek) {
    return Fail(Code::kInvalidArgument, "the grain of a forecast is hour, day or month");
  }
  question.as_of = text("as_of", "");
  question.currency = text("currency", "");
  const std::string fast = text("fast", "false");
  if (fast != "0" && fast != "1" && fast != "false" && fast != "true") {
    return Fail(Code::kInvalidArgument, fmt::format("fast: '{}' is neither true nor false", fast));
  }
  question.fast = fast == "1" || fast == "true";
  if (question.by.size() > kHierarchyDimensionsMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("by: {} dimensions are more than the {} that can be forecast at once",
                            question.by.size(), kHierarchyDimensionsMax));
  }
  FB_CHECK(CheckHours(question));
  // What is wrong with the rest is the query's to say.
  ledger::CostQuery query;
  query.measures = {question.measure};
  query.by = question.by;
  query.where = question.where;
  query.currency = question.currency;
  FB_CHECK(ledger::Validate(query));
  return question;
}

Result<Fields> FieldsOfJson(std::string_view json, const std::vector<std::string>& known) {
  const nlohmann::json document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return Fail(Code::kInvalidArgument, "a JSON object is expected in the body");
  }
  Fields fields;
  for (const auto& [name, value] : document.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      return Fail(Code::kInvalidArgument, "a field of the question is not known",
                  fmt::format("known fields: {}", fmt::join(known, " ")));
    }
    if (value.is_object() || value.is_null()) {
      return Fail(Code::kInvalidArgument, fmt::format("{}: a text or a list is expected", name));
    }
    std::string text;
    if (value.is_array()) {
      for (const nlohmann::json& item : value) {
        text += (text.empty() ? "" : ",") + TextOf(item);
      }
    } else {
      text = TextOf(value);
    }
    fields[name] = text;
  }
  return fields;
}

}  // namespace flyball::forecast
