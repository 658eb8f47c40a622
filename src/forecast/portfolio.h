// Portfolio: which members forecast a series, and how their paths become one.
//
// No member is safe alone: one that is best on hourly load is worst on weekly stocks. So members
// are tried on rolling origins inside the past, those that fail there are out, and of the others
// the weighted median is taken, so that one exploding path moves nothing.
#pragma once

#include <string>
#include <string_view>

#include "forecast/member.h"

namespace flyball::forecast {

// What a series is, by features that cost one pass.
enum class Regime : unsigned char {
  kConstant,      // one value, repeated
  kShort,         // too few values to try anything: the last value
  kIntermittent,  // mostly zeros (interval of demand and its variation, Syntetos and Boylan)
  kPlain,         // no season
  kSeasonal,      // one season of up to 60 steps
  kManySeasons,   // several, or one that is long: hours of day and week
};
std::string_view RegimeName(Regime regime);
// The values are finite, the periods ascend.
Regime RegimeOf(Values past, std::span<const size_t> periods);

// Periods of which the past has two cycles and a value; the others tell nothing yet.
std::vector<size_t> UsablePeriods(size_t length, std::span<const size_t> periods);

enum class Member : unsigned char {
  kNaive,
  kSeasonalNaive,
  kLongNaive,
  kDrift,
  kEts,
  kTheta,
  kDynamicTheta,
  kCes,
  kMstl,
  kFold,
  kSba,
  kTsb,
  kImapa,
  kMembers,
};
std::string_view MemberName(Member member);
// False: there is no member of the name.
bool ParseMember(std::string_view name, Member* member);
std::string MemberNames();  // "naive, snaive, ..."

Path RunMember(Member member, Values past, std::span<const size_t> periods, size_t horizon,
               Fit& fit);

// A forecast from an origin in the past, beside what came.
struct Trial {
  size_t origin = 0;  // how many values were known
  Path actual;        // at most `horizon`
  Path combined;      // by weights of the other trials
};

struct Weighted {
  Member member;
  double weight = 0;  // 0: out
  double error = 0;   // mean absolute error over the trials; 0 when there were none
};

struct Combination {
  Regime regime = Regime::kShort;
  Path path;
  std::vector<Weighted> members;
  std::vector<Trial> trials;  // oldest first
};

struct PortfolioOptions {
  std::vector<Member> members;  // none: those of the regime
  size_t trials_max = 4;
  bool fast = false;         // without the members whose parameters are searched in many dimensions
  size_t trial_horizon = 0;  // steps of a trial; 0: as many as are forecast
};

// The past is finite and scaled to a magnitude around 1 (prepare.h). Deterministic.
Combination Combine(Values past, std::span<const size_t> periods, size_t horizon,
                    const PortfolioOptions& options);

// The value at which half of the weight lies below, interpolated between the two values around it;
// a value with more than half of the weight is it.
double WeightedMedian(std::vector<std::pair<double, double>> values_and_weights);

}  // namespace flyball::forecast
