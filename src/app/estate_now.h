// EstateNow: the estate of a home as it stands, for all that runs beside the server and asks for it
// again and again. It is compiled once a change. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "app/command.h"
#include "base/result.h"
#include "estate/estate.h"

namespace flyball::app {

std::string EstatePath(const Environment& environment);

class EstateNow {
 public:
  explicit EstateNow(const Environment& environment) : environment_(environment) {}
  // The same object while the text is the same. Why it can't be read, as long as it can't.
  Result<std::shared_ptr<const estate::RuleSet>> Get();

 private:
  const Environment& environment_;
  std::mutex mutex_;
  std::string text_;
  Result<std::shared_ptr<const estate::RuleSet>> rules_ = nullptr;  // of the text
};

}  // namespace flyball::app
