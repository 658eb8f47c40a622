// The setting of the detector, found once (docs/WATCH.md, "How the setting was found").
#include "watch/detector.h"

namespace flyball::watch {

DetectorSettings StandardSettings() {
  DetectorSettings settings;
  settings.tail = {.share = 0.021, .threshold_rate = 0.007, .excess_rate = 0.0026};
  settings.expected = 0.126;
  settings.fast = 0.136;
  settings.slow = 0.0029;
  settings.variance_fast = 0.073;
  settings.variance_slow = 0.002;
  settings.profile = 0.02;
  settings.drift = 0.069;
  settings.weights = {0.13, 0.76, 0.67, 0.79, 0.95, 0.68, 0.82};
  settings.range_weight = 0.58;
  settings.alarm = 6.77;
  settings.refractory = 51;
  settings.refractory_growth = 0.022;
  return settings;
}

}  // namespace flyball::watch
