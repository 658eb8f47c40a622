// Which seasons a file of series has, when neither its user nor its timestamps say.
#pragma once

#include <string>
#include <vector>

#include "forecast/member.h"

namespace flyball::forecast {

// Among 4, 7, 12, 24, 52 and 168 (with 24) the shortest whose autocorrelation stands out from its
// neighbours' in nearly as many series as that of any other, and in three of ten at least; empty
// when there is none. Looks at the last values of `kDetectSeriesMax` series spread over the file.
std::vector<size_t> DetectSeasons(const std::vector<Values>& series);

inline constexpr size_t kDetectSeriesMax = 64;

}  // namespace flyball::forecast
