#include "forecast/accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

namespace flyball::forecast {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<int, 5> kAges = {0, 7, 28, 91, kHorizonDaysMax + 31};

// The past of one question as it is known today.
struct Came {
  Past past;
  const History* HistoryOf(const VintageAnswer& answer) const {
    for (const History& history : past.histories) {
      if (history.currency == answer.currency && history.unit == answer.unit) return &history;
    }
    return nullptr;
  }
};

bool IsPartOf(const VintageNode& node, const std::vector<std::string>& leaf) {
  for (size_t d = 0; d < node.values.size(); ++d) {
    if ((node.dimensions >> d & 1) != 0 && node.values[d] != leaf[d]) return false;
  }
  return true;
}

// A step each of the history.
struct Actuals {
  std::vector<double> values;
  std::vector<bool> missing;  // they are estimates
};

Actuals ActualsOf(const VintageNode& node, const History& history) {
  const size_t steps = history.values.empty() ? 0 : history.values[0].size();
  Actuals actuals{std::vector<double>(steps, 0.0), std::vector<bool>(steps, false)};
  for (size_t leaf = 0; leaf < history.leaves.size(); ++leaf) {
    if (!IsPartOf(node, history.leaves[leaf])) continue;
    for (size_t i = 0; i < steps; ++i) {
      actuals.values[i] += history.values[leaf][i];
      if (history.Missing(leaf, i)) actuals.missing[i] = true;
    }
  }
  return actuals;
}

double AtLevel(const std::vector<double>& values, size_t step) {
  return step < values.size() ? values[step] : std::numeric_limits<double>::quiet_NaN();
}

class Comparer {
 public:
  Comparer(const Vintage& vintage, const VintageAnswer& answer, const Came& came)
      : vintage_(vintage),
        answer_(answer),
        history_(came.HistoryOf(answer)),
        known_from_(came.past.from),
        known_to_(came.past.to) {}

  VintageScore Run(std::span<AgeScore> ages) {
    const std::vector<double>& levels = vintage_.question.levels;
    VintageScore score{&vintage_, answer_.currency, answer_.unit, Score(levels), Score(levels), {}};
    uint32_t most = 0;
    for (const VintageNode& node : answer_.nodes) most = std::max(most, node.dimensions);
    for (const VintageNode& node : answer_.nodes) {
      const bool whole = node.dimensions == 0;
      if (!whole && node.dimensions != most) continue;
      // A currency that has no charges any more has had none.
      const Actuals actual = history_ == nullptr ? Actuals() : ActualsOf(node, *history_);
      AddSteps(node, actual, whole, most, &score, ages);
      if (whole) score.months = MonthsOver(node, actual);
    }
    return score;
  }

 private:
  // NaN before what is read of the past, and where it is an estimate that is not asked for.
  double ActualAt(const Actuals& actual, Instant at, bool estimates) const {
    if (at < known_from_) return std::numeric_limits<double>::quiet_NaN();
    const std::optional<size_t> i = PlaceOf(actual, at);
    if (!i) return 0;
    if (actual.missing[*i] && !estimates) return std::numeric_limits<double>::quiet_NaN();
    return actual.values[*i];
  }

  std::optional<size_t> PlaceOf(const Actuals& actual, Instant at) const {
    if (history_ == nullptr || at < history_->from) return std::nullopt;
    const auto i = static_cast<size_t>((at.us - history_->from.us) / vintage_.question.step_us());
    return i < actual.values.size() ? std::optional(i) : std::nullopt;
  }

  void AddSteps(const VintageNode& node, const Actuals& actual, bool whole, uint32_t most,
                VintageScore* score, std::span<AgeScore> ages) const {
    const size_t levels = vintage_.question.levels.size();
    std::vector<double> lower(levels), upper(levels);
    for (size_t step = 0; step < node.mean.size(); ++step) {
      const Instant at{vintage_.to.us + static_cast<int64_t>(step) * vintage_.question.step_us()};
      if (at >= known_to_ || at >= vintage_.end) break;
      const double came = ActualAt(actual, at, false);
      if (std::isnan(came)) continue;
      for (size_t l = 0; l < levels; ++l) {
        lower[l] = AtLevel(node.ranges[l].lower, step);
        upper[l] = AtLevel(node.ranges[l].upper, step);
      }
      const auto days = static_cast<int>((at.us - vintage_.to.us) / kMicrosPerDay);
      for (AgeScore& age : ages) {
        if (days < age.from_day || days >= age.to_day) continue;
        if (whole) age.whole.Add(came, node.mean[step], lower, upper);
        if (node.dimensions == most) age.series.Add(came, node.mean[step], lower, upper);
      }
      if (whole) score->whole.Add(came, node.mean[step], lower, upper);
      if (node.dimensions == most) score->series.Add(came, node.mean[step], lower, upper);
    }
  }

  // Months of which the last day is known, and is within the forecast.
  std::vector<VintageMonth> MonthsOver(const VintageNode& node, const Actuals& actual) const {
    std::vector<VintageMonth> months;
    const std::vector<Instant> starts = MonthsOf(vintage_.to, vintage_.end);
    for (size_t m = 0; m < starts.size() && m < node.month_mean.size(); ++m) {
      const Instant end = AddMonths(starts[m], 1);
      if (end > known_to_ || end > vintage_.end) break;
      if (starts[m] < known_from_) continue;
      VintageMonth& month = months.emplace_back();
      month.month = starts[m];
      month.mean = node.month_mean[m];
      for (Instant at = starts[m]; at < end; at.us += vintage_.question.step_us()) {
        month.actual += ActualAt(actual, at, true);
        const std::optional<size_t> i = PlaceOf(actual, at);
        month.estimated += i && actual.missing[*i] ? 1 : 0;
      }
      for (const Range& range : node.month_ranges) {
        month.inside.push_back(AtLevel(range.lower, m) <= month.actual &&
                               month.actual <= AtLevel(range.upper, m));
      }
    }
    return months;
  }

  const Vintage& vintage_;
  const VintageAnswer& answer_;
  const History* history_;
  Instant known_from_, known_to_;
};

// The ages of one measure, currency or unit, and grain; empty ones where there are none yet.
std::span<AgeScore> AgesOf(const Question& question, const VintageAnswer& answer,
                           const std::vector<double>& levels, std::vector<AgeScore>* all) {
  constexpr size_t kCount = kAges.size() - 1;
  for (size_t begin = 0; begin < all->size(); begin += kCount) {
    const AgeScore& age = (*all)[begin];
    if (age.measure == question.measure && age.currency == answer.currency &&
        age.unit == answer.unit && age.grain == question.step()) {
      return std::span(*all).subspan(begin, kCount);
    }
  }
  for (size_t i = 0; i < kCount; ++i) {
    all->push_back({question.measure, answer.currency, answer.unit, question.step(), kAges[i],
                    kAges[i + 1], Score(levels), Score(levels)});
  }
  return std::span(*all).last(kCount);
}

Json Rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * 1e4) / 1e4;
}

Json ScoreJson(const Score& score) {
  Json coverage = Json::array();
  for (size_t l = 0; l < score.levels().size(); ++l) {
    coverage.push_back({{"level", score.levels()[l]}, {"share", Rounded(score.coverage(l))}});
  }
  return {{"steps", score.count()},
          {"wmape", Rounded(score.wmape())},
          {"bias", Rounded(score.bias())},
          {"coverage", std::move(coverage)}};
}

}  // namespace

void Score::Add(double actual, double mean, const std::vector<double>& lower,
                const std::vector<double>& upper) {
  ++count_;
  error_ += std::abs(mean - actual);
  signed_error_ += mean - actual;
  size_ += std::abs(actual);
  for (size_t l = 0; l < levels_.size(); ++l) {
    inside_[l] += lower[l] <= actual && actual <= upper[l] ? 1 : 0;
  }
}

void Score::Add(const Score& other) {
  count_ += other.count_;
  error_ += other.error_;
  signed_error_ += other.signed_error_;
  size_ += other.size_;
  for (size_t l = 0; l < levels_.size(); ++l) inside_[l] += other.inside_[l];
}

double Score::wmape() const {
  return size_ > 0 ? error_ / size_ : std::numeric_limits<double>::quiet_NaN();
}
double Score::bias() const {
  return size_ > 0 ? signed_error_ / size_ : std::numeric_limits<double>::quiet_NaN();
}
double Score::coverage(size_t level) const {
  return count_ > 0 ? static_cast<double>(inside_[level]) / static_cast<double>(count_)
                    : std::numeric_limits<double>::quiet_NaN();
}

Result<Accuracy> CompareVintages(const std::vector<Vintage>& vintages, const Ask& ask, Instant now,
                                 const std::function<bool()>& stopped) {
  Accuracy accuracy;
  if (vintages.empty()) return accuracy;
  const std::vector<double> levels = vintages.back().question.levels;
  std::map<std::string, Came> known;
  for (const Vintage& vintage : vintages) {
    if (stopped && stopped()) return Fail(Code::kCancelled, "the comparison was stopped");
    Question question = vintage.question;
    question.as_of.clear();  // what came is what is known now
    const std::string key = fmt::format("{}|{}|{}|{}|{}", fmt::join(question.by, ","),
                                        question.measure, ledger::FormatWhere(question.where),
                                        question.currency, ledger::GrainName(question.step()));
    if (!known.contains(key)) {
      Result<Past> past = ReadPast(ask, question, question.by, now);
      if (!past) {
        accuracy.notes.push_back(vintage.id + ": " + past.error().message);
        continue;
      }
      known[key].past = *std::move(past);
    }
    const Came& came = known[key];
    if (vintage.to < came.past.from) {
      accuracy.notes.push_back(
          fmt::format("{}: steps before {} are not compared, as the past is "
                      "read from there on",
                      vintage.id, FormatDate(came.past.from)));
    }
    const bool same_levels = question.levels == levels;
    if (!same_levels) {
      accuracy.notes.push_back(vintage.id + " has other levels: it is left out of the ages");
    }
    for (const VintageAnswer& answer : vintage.answers) {
      Comparer comparer(vintage, answer, came);
      accuracy.vintages.push_back(comparer.Run(
          same_levels ? AgesOf(question, answer, levels, &accuracy.ages) : std::span<AgeScore>()));
    }
  }
  return accuracy;
}

std::string AccuracyJson(const Accuracy& accuracy) {
  Json vintages = Json::array();
  for (const VintageScore& score : accuracy.vintages) {
    const Vintage& vintage = *score.vintage;
    Json json{{"id", vintage.id},
              {"made", FormatInstant(vintage.made)},
              {"known_to", FormatInstant(vintage.to)},
              {"end", FormatInstant(vintage.end)},
              {"commit", vintage.commit},
              {"measure", vintage.question.measure},
              {"by", vintage.question.by},
              {"where", ledger::FormatWhere(vintage.question.where)},
              {"currency", score.currency.empty() ? Json() : Json(score.currency)},
              {"unit", score.unit.empty() ? Json() : Json(score.unit)},
              {"whole", ScoreJson(score.whole)},
              {"series", ScoreJson(score.series)}};
    Json months = Json::array();
    for (const VintageMonth& month : score.months) {
      Json inside = Json::array();
      for (size_t l = 0; l < month.inside.size(); ++l) {
        inside.push_back(
            {{"level", vintage.question.levels[l]}, {"inside", bool(month.inside[l])}});
      }
      months.push_back({{"month", ledger::PeriodLabel(ledger::Grain::kMonth, month.month)},
                        {"actual", month.actual},
                        {"estimated_steps", month.estimated},
                        {"mean", month.mean},
                        {"error", Rounded(month.mean / month.actual - 1)},
                        {"ranges", std::move(inside)}});
    }
    json["months"] = std::move(months);
    vintages.push_back(std::move(json));
  }
  Json ages = Json::array();
  for (const AgeScore& age : accuracy.ages) {
    ages.push_back({{"measure", age.measure},
                    {"currency", age.currency.empty() ? Json() : Json(age.currency)},
                    {"unit", age.unit.empty() ? Json() : Json(age.unit)},
                    {"grain", ledger::GrainName(age.grain)},
                    {"from_day", age.from_day},
                    {"to_day", age.to_day},
                    {"whole", ScoreJson(age.whole)},
                    {"series", ScoreJson(age.series)}});
  }
  return Json{
      {"vintages", std::move(vintages)}, {"by_age", std::move(ages)}, {"notes", accuracy.notes}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::forecast
