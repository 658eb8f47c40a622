// CallTail: what the gateway writes to its log of calls, as it is written, for whoever follows it
// from another process (gateway/call_log.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "os/files.h"

namespace flyball::app {

class CallTail {
 public:
  // Of each month's file, where the last record ends that was read.
  using Ends = std::map<std::string, uint64_t>;
  CallTail(os::Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  // To read on where an earlier tail stood.
  void set_ends(Ends ends) { ends_ = std::move(ends); }
  const Ends& ends() const { return ends_; }

  // Whole records behind what was read before, of this month and the last, in their order. Damage
  // is passed over: the gateway and `publish` tell it. After an error of `visit` the file is read
  // again from where it was. A file that has become shorter is another one, and read from its
  // beginning.
  Status ReadOn(Instant now, const std::function<Status(const metered::Record&)>& visit);

 private:
  os::Files& files_;
  std::string folder_;
  Ends ends_;
};

}  // namespace flyball::app
