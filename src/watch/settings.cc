// The setting of the detector, found once (docs/WATCH.md, "How the setting was found").
#include "watch/detector.h"

namespace flyball::watch {

DetectorSettings StandardSettings() {
  DetectorSettings settings;
  settings.tail = {.share = 0.02, .threshold_rate = 0.0053, .excess_rate = 0.0026};
  settings.expected = 0.12;
  settings.fast = 0.13;
  settings.slow = 0.0038;
  settings.variance_fast = 0.073;
  settings.variance_slow = 0.0021;
  settings.profile = 0.017;
  settings.drift = 0.06;
  settings.weights = {0.16, 0.66, 0.78, 0.73, 1.09, 0.76, 0.79};
  settings.range_weight = 0.6;
  settings.alarm = 6.76;
  settings.refractory = 46;
  settings.refractory_growth = 0.021;
  return settings;
}

}  // namespace flyball::watch
