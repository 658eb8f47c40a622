// The guard of the home, through the gateway that runs on it or opened in this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/command.h"
#include "base/result.h"
#include "os/secret.h"

namespace flyball::app {

// A request of the desk (gateway/desk.h), answered by whoever has the guard.
Result<std::string> AskDesk(const Environment& environment, std::string_view method,
                            const std::string& path, const std::string& body);

// The desk as the server's routes ask it: "/budgets" and what stands below it, and "/keys"
// (gateway/desk.h). One thread.
class ServedDesk {
 public:
  explicit ServedDesk(const Environment& environment) : environment_(environment) {}
  Result<std::string> Ask(std::string_view method, std::string_view path, const std::string& body);

 private:
  Result<std::string> AskBudgets(std::string_view method, const std::string& path,
                                 const std::string& body);

  Result<std::string> LookAtBudgets();

  const Environment& environment_;
  // Each page asks each second: all of them together cost a gateway that runs one answer a second.
  // While none runs, opening the guard each time would write each time; nobody has opened it since
  // as long as its snapshot is the same file.
  std::string kept_;
  bool of_gateway_ = false;
  os::FileStamp kept_stamp_;
  int64_t kept_us_ = 0;
};

}  // namespace flyball::app
