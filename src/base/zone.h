// Zone: a time zone as a plain value: which offset from UTC is in force from which instant on.
//
// It knows nothing of files: os/zones.h reads the system's time zones into it, tests write their
// own. Instants stay UTC everywhere; a zone only says where a day, a month or a year begins for the
// people who live there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace flyball {

class Zone {
 public:
  struct Change {
    Instant from;           // in force from here until the next change
    int64_t offset_us = 0;  // local time = UTC + offset
  };
  Zone() = default;  // UTC
  // `changes` ascend; before the first of them its offset is in force as well.
  Zone(std::string name, std::vector<Change> changes);

  const std::string& name() const { return name_; }
  int64_t OffsetAt(Instant instant) const;
  // How long the offset of an instant is in force: [start, end), with far ends where it never
  // changes.
  Period OffsetPeriod(Instant instant) const;
  // The first instant at which local clocks show `local_us` (microseconds since 1970-01-01T00:00
  // local) or later. A local time that is skipped gives the moment of the skip; one that comes
  // twice, the first.
  Instant FromLocal(int64_t local_us) const;

 private:
  size_t IndexAt(Instant instant) const;
  Instant EndOf(size_t index) const;

  std::string name_ = "UTC";
  std::vector<Change> changes_ = {Change{}};
};

}  // namespace flyball
