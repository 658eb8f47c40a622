#include "forecast/ledger_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace flyball::forecast {
namespace {

using Json = nlohmann::ordered_json;

// Estimates are told to so many digits.
constexpr double kDigits = 1e9;

double Shown(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double size = std::pow(10, std::floor(std::log10(std::abs(value))));
  return std::round(value / size * kDigits) / kDigits * size;
}

Json Numbers(const std::vector<double>& values) {
  Json numbers = Json::array();
  for (const double value : values) {
    numbers.push_back(std::isnan(value) ? Json() : Json(Shown(value)));
  }
  return numbers;
}

Json Periods(ledger::Grain grain, Instant from, Instant to, int64_t step_us) {
  Json periods = Json::array();
  for (Instant at = from; at < to; at.us += step_us) {
    periods.push_back(ledger::PeriodLabel(grain, at));
  }
  return periods;
}

Json RangesJson(const std::vector<double>& levels, const std::vector<Range>& ranges) {
  Json json = Json::array();
  for (size_t l = 0; l < levels.size(); ++l) {
    json.push_back({{"level", levels[l]},
                    {"lower", Numbers(ranges[l].lower)},
                    {"upper", Numbers(ranges[l].upper)}});
  }
  return json;
}

Json MonthsJson(const std::vector<double>& levels, const std::vector<MonthTotal>& months) {
  std::vector<double> actual, mean;
  std::vector<Range> ranges(levels.size());
  for (const MonthTotal& month : months) {
    actual.push_back(month.actual);
    mean.push_back(month.mean);
    for (size_t l = 0; l < levels.size(); ++l) {
      ranges[l].lower.push_back(month.lower[l]);
      ranges[l].upper.push_back(month.upper[l]);
    }
  }
  return {
      {"actual", Numbers(actual)}, {"mean", Numbers(mean)}, {"ranges", RangesJson(levels, ranges)}};
}

Json NodeJson(const Question& question, const NodeForecast& node) {
  Json json;
  Json dimensions = Json::object();
  for (size_t d = 0; d < question.by.size(); ++d) {
    if ((node.dimensions >> d & 1) != 0) dimensions[question.by[d]] = node.values[d];
  }
  json["dimensions"] = std::move(dimensions);
  json["regime"] = RegimeName(node.regime);
  Json members = Json::object();
  double whole = 0;
  for (const Weighted& member : node.members) whole += member.weight;
  for (const Weighted& member : node.members) {
    if (member.weight > 0) {
      members[std::string(MemberName(member.member))] = Shown(member.weight / whole);
    }
  }
  json["members"] = std::move(members);
  if (!node.notes.empty()) json["notes"] = node.notes;
  if (question.grain != ledger::Grain::kMonth) {
    json["history"] = Numbers(node.history);
    json["mean"] = Numbers(node.mean);
    json["ranges"] = RangesJson(question.levels, node.ranges);
  }
  json["months"] = MonthsJson(question.levels, node.months);
  return json;
}

Json ForecastJson(const LedgerAnswer& answer, const LedgerForecast& forecast) {
  const Question& question = answer.question;
  Json json;
  json["currency"] = forecast.currency.empty() ? Json() : Json(forecast.currency);
  if (question.measure == "usage") json["unit"] = forecast.unit;
  if (question.grain != ledger::Grain::kMonth) {
    json["history_periods"] =
        Periods(question.step(), forecast.from, answer.to, question.step_us());
    json["periods"] = Periods(question.step(), answer.to, answer.end, question.step_us());
  }
  Json months = Json::array();
  for (const Instant month : MonthsOf(answer.to, answer.end)) {
    months.push_back(ledger::PeriodLabel(ledger::Grain::kMonth, month));
  }
  json["months"] = std::move(months);
  json["reconciled"] = forecast.method;
  json["paths"] = forecast.paths;
  json["fast"] = forecast.fast;
  json["notes"] = forecast.notes;
  Json series = Json::array();
  for (const NodeForecast& node : forecast.nodes) series.push_back(NodeJson(question, node));
  json["series"] = std::move(series);
  return json;
}

}  // namespace

std::string LedgerAnswerJson(const LedgerAnswer& answer) {
  const Question& question = answer.question;
  Json json;
  json["estimate"] = true;
  json["measure"] = question.measure;
  json["by"] = question.by;
  json["where"] = ledger::FormatWhere(question.where);
  json["grain"] = ledger::GrainName(question.grain);
  json["horizon"] = HorizonText(question.horizon);
  json["levels"] = question.levels;
  json["reporting_currency"] = question.currency.empty() ? Json() : Json(question.currency);
  json["commit"] = answer.commit;
  json["query_hash"] = answer.query_hash;
  json["known_to"] = FormatInstant(answer.to);
  json["end"] = FormatInstant(answer.end);
  json["vintage"] = answer.vintage.empty() ? Json() : Json(answer.vintage);
  json["left_off"] = answer.left_off;
  Json answers = Json::array();
  for (const LedgerForecast& forecast : answer.forecasts) {
    answers.push_back(ForecastJson(answer, forecast));
  }
  json["answers"] = std::move(answers);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::forecast
