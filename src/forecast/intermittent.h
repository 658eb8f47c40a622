// Members for demand that is mostly zero: jobs that run now and then.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// Croston's method with the correction of Syntetos and Boylan (2005): size over interval, smoothed
// by 0.1, times 1 - 0.1 / 2.
Path Sba(Values past, size_t horizon);
// Teunter, Syntetos and Babai (2011): probability and size smoothed apart, so that a series that
// stopped fades out. Both by 0.1 and 0.2.
Path Tsb(Values past, size_t horizon);
// Petropoulos and Kourentzes (2015): the mean of simple exponential smoothing at the aggregation
// levels 1 to the mean interval, each divided by its level.
Path Imapa(Values past, size_t horizon);

}  // namespace flyball::forecast
