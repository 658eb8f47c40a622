// The live watch on invented traffic with planted anomalies: how many are found, how soon, with
// whose name, and how much is told of ordinary days.
//
//   bench_live_watch [FIRST_SEED] [SEEDS]
//
// Each seed is eleven days of five applications: two web applications by the hour of the day and
// the day of the week, with costs of a long tail; developers' sessions of twenty to a hundred
// calls; a batch each hour and one each night. From the eighth day on something is planted every
// eight hours. The traffic and what is planted are drawn from the seed; nothing of the watch was
// fitted to seeds from 100 on.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "watch/watcher.h"

namespace flyball {
namespace {

using watch::Kind;

constexpr Instant kStart{1'795'392'000'000'000};  // 2026-11-23T00:00:00Z, a Monday
constexpr int64_t kDayS = 86'400;
constexpr int64_t kDays = 11, kQuietDays = 7;
constexpr int64_t kApartS = 8 * 3600;

enum class Plant : uint8_t { kRunaway, kKnownRunaway, kSpike, kRamp, kStuck, kSilence, kPrice };
constexpr const char* kPlantNames[] = {
    "runaway, new key", "runaway, known key", "spike", "ramp", "stuck meter",
    "silence",          "price jump"};
constexpr size_t kPlants = 7;

struct Planted {
  Plant plant = Plant::kRunaway;
  int64_t from_s = 0, to_s = 0;
  std::string suspect;
};

struct Found {
  int64_t planted = 0, found = 0, named = 0;
  std::vector<double> delays_s;
};

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {}

  void Run() {
    for (second_ = 0; second_ < kDays * kDayS; ++second_) {
      PlantSome();
      Traffic();
      watcher_.Tick(Now());
      watcher_.TakeEffects();
    }
  }
  // Adds what was found of each kind, and what was told beside it after the first day.
  void Count(std::map<Plant, Found>* found, int64_t* first_day, int64_t* false_incidents) const {
    std::map<std::string, bool> explained;
    for (const Planted& each : planted_) {
      Found& of = (*found)[each.plant];
      ++of.planted;
      const watch::Anomaly* first = nullptr;
      bool named = false;
      for (const auto& [number, anomaly] : watcher_.book().anomalies()) {
        const int64_t at_s = (anomaly.opened.us - kStart.us) / kMicrosPerSecond;
        if (at_s < each.from_s || at_s > each.to_s + 1200) continue;
        explained[anomaly.incident] = true;
        if (first == nullptr) first = &anomaly;
        named |= anomaly.suspect.value == each.suspect;
      }
      if (first == nullptr) continue;
      ++of.found;
      of.named += named ? 1 : 0;
      of.delays_s.push_back(static_cast<double>(first->opened.us - kStart.us) / kMicrosPerSecond -
                            static_cast<double>(each.from_s));
    }
    for (const auto& [number, incident] : watcher_.book().incidents()) {
      if (explained[incident.id]) continue;
      const bool is_first = incident.opened.us - kStart.us < kMicrosPerDay;
      ++*(is_first ? first_day : false_incidents);
    }
  }
  size_t series() const { return watcher_.counts().series; }

 private:
  Instant Now() const { return {kStart.us + second_ * kMicrosPerSecond}; }
  double Uniform() { return static_cast<double>(random_.Next() >> 11) * 0x1p-53; }
  double LogNormal(double mean, double sigma) {
    const double normal =
        std::sqrt(-2 * std::log(Uniform() + 1e-300)) * std::cos(6.283185307 * Uniform());
    return mean * std::exp(sigma * normal - sigma * sigma / 2);
  }
  int Poisson(double mean) {
    const double least = std::exp(-mean);
    int count = 0;
    for (double left = Uniform(); left > least; left *= Uniform()) ++count;
    return count;
  }
  void Call(const char* key, const char* team, const char* model, double cost) {
    metered::Record begin;
    begin.dispatch.id = ++calls_;
    begin.dispatch.at = Now();
    begin.dispatch.key = key;
    begin.dispatch.team = team;
    begin.dispatch.model = model;
    begin.dispatch.upstream = begin.dispatch.provider = "vendor";
    begin.dispatch.currency = "USD";
    watcher_.Take(begin, Now());
    metered::Record end;
    end.is_end = true;
    end.end.id = calls_;
    end.end.at = Now();
    end.end.cost = Money::FromUnits(static_cast<int128>(cost * 1e12));
    const double price = Is(Plant::kPrice) ? 1.25e-6 : 1e-6;
    end.end.lines = {{Bucket::kInput,
                      static_cast<int64_t>(cost / price),
                      Money::FromUnits(static_cast<int128>(price * 1e12)),
                      {}}};
    watcher_.Take(end, Now());
  }
  bool Is(Plant plant) const {
    return !planted_.empty() && planted_.back().plant == plant && second_ < planted_.back().to_s;
  }
  void PlantSome() {
    if (second_ < kQuietDays * kDayS || second_ % kApartS != kApartS / 2) return;
    // By day, when the application that it happens to is at work; prices once, for they stay.
    constexpr const char* kWhose[] = {"key-agent", "key-chat", "key-chat",  "key-web",
                                      "key-chat",  "key-chat", "gpt-5-mini"};
    constexpr int64_t kLasts[] = {300, 300, 60, 5400, 2400, 1800, 600};
    const size_t which = (planted_.size() + first_plant_) % kPlants;
    planted_.push_back(
        {static_cast<Plant>(which), second_, second_ + kLasts[which], kWhose[which]});
  }
  void Traffic() {
    const double hour = std::fmod(static_cast<double>(second_) / 3600.0, 24);
    const double weekend = second_ / kDayS % 7 >= 5 ? 0.3 : 1;
    const double busy = weekend * (0.1 + 0.9 * std::exp(-std::pow((hour - 14) / 4, 2)));
    double web = 20 * busy / 60;
    if (Is(Plant::kRamp)) {
      web += 0.5 * static_cast<double>(second_ - planted_.back().from_s) / 900;
    }
    for (int left = Poisson(web); left > 0; --left) {
      Call("key-web", "web", "gpt-5", LogNormal(0.004, 1));
    }
    if (Is(Plant::kStuck)) {
      if (second_ % 2 == 0) Call("key-chat", "support", "gpt-5-mini", 0.0012);
    } else if (!Is(Plant::kSilence)) {
      for (int left = Poisson((20 + 60 * busy) / 60); left > 0; --left) {
        Call("key-chat", "support", "gpt-5-mini", LogNormal(0.0012, 0.7));
      }
    }
    if (Is(Plant::kKnownRunaway)) {
      for (int left = Poisson(10); left > 0; --left) {
        Call("key-chat", "support", "gpt-5-mini", LogNormal(0.01, 0.7));
      }
    }
    if (Is(Plant::kSpike) && second_ == planted_.back().from_s + 20) {
      for (int left = 5; left > 0; --left) Call("key-chat", "support", "gpt-5-mini", 2);
    }
    if (Is(Plant::kRunaway)) {
      for (int left = Poisson(10); left > 0; --left) {
        Call("key-agent", "labs", "claude-5", LogNormal(0.05, 1));
      }
    }
    Sessions(busy);
  }
  void Sessions(double busy) {
    if (Uniform() < busy * 4 / 3600) session_ += 20 + Uniform() * 80;
    if (session_ > 0) {
      for (int left = Poisson(0.6); left > 0; --left, --session_) {
        Call("key-dev", "dev", "claude-5", LogNormal(0.03, 1));
      }
    }
    if (second_ % 3600 == 420) batch_ += 400 + Uniform() * 200;
    if (second_ % kDayS == 7200) batch_ += 1500;
    if (batch_ > 0) {
      for (int left = Poisson(2.5); left > 0; --left, --batch_) {
        Call("key-batch", "data", "gpt-5-mini", LogNormal(0.0004, 0.3));
      }
    }
  }

  Random random_;
  watch::Watcher watcher_;
  int64_t second_ = 0;
  uint64_t calls_ = 0;
  double session_ = 0, batch_ = 0;
  std::vector<Planted> planted_;
  size_t first_plant_ = random_.Below(kPlants);
};

int Main(int argc, char** argv) {
  const int first = argc > 1 ? std::atoi(argv[1]) : 100;
  const int seeds = argc > 2 ? std::atoi(argv[2]) : 3;
  std::map<Plant, Found> found;
  int64_t first_day = 0, false_incidents = 0;
  double series_weeks = 0;
  for (int seed = first; seed < first + seeds; ++seed) {
    World world(static_cast<uint64_t>(seed));
    world.Run();
    world.Count(&found, &first_day, &false_incidents);
    series_weeks += static_cast<double>(world.series()) * (kDays - 1) / 7;
  }
  fmt::print("{:<20} {:>7} {:>6} {:>6} {:>15}\n", "planted", "planted", "found", "named",
             "median delay, s");
  for (auto& [plant, of] : found) {
    std::ranges::sort(of.delays_s);
    const double median = of.delays_s.empty() ? NAN : of.delays_s[of.delays_s.size() / 2];
    fmt::print("{:<20} {:>7} {:>6} {:>6} {:>15.0f}\n", kPlantNames[static_cast<size_t>(plant)],
               of.planted, of.found, of.named, median);
  }
  fmt::print("other incidents: {} on first days, {} after them in {:.0f} series-weeks\n", first_day,
             false_incidents, series_weeks);
  return 0;
}

}  // namespace
}  // namespace flyball

int main(int argc, char** argv) { return flyball::Main(argc, argv); }
