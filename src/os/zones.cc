#include "os/zones.h"

#include <date/tz.h>

#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace flyball::os {
namespace {

constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2037;
constexpr size_t kNameMaxBytes = 64;

int64_t Micros(auto duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

std::vector<Zone::Change> ChangesOf(const date::time_zone& zone) {
  std::vector<Zone::Change> changes;
  date::sys_seconds at = date::sys_days(date::year(kFirstYear) / 1 / 1);
  const date::sys_seconds end = date::sys_days(date::year(kLastYear + 1) / 1 / 1);
  while (at < end) {
    date::sys_info info = zone.get_info(at);
    int64_t offset_us = Micros(info.offset);
    if (changes.empty() || changes.back().offset_us != offset_us) {
      changes.push_back({Instant{Micros(at.time_since_epoch())}, offset_us});
    }
    if (info.end <= at) break;
    at = info.end;
  }
  return changes;
}

}  // namespace

Result<Zone> LoadZone(std::string_view name) {
  if (name == "UTC") return Zone();
  if (!name.empty() && name.size() <= kNameMaxBytes) {
    try {
      return Zone(std::string(name), ChangesOf(*date::locate_zone(std::string(name))));
    } catch (const std::exception&) {  // the library says no more than that there is none
    }
  }
  return Fail(Code::kInvalidArgument,
              "'" + std::string(name.substr(0, kNameMaxBytes)) + "' is no time zone of this system",
              "name it as in Europe/Zurich or UTC; the zones come with the package tzdata");
}

}  // namespace flyball::os
