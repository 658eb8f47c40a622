#include "app/children.h"

#include <future>

#include "app/test_home.h"

namespace flyball::app {
namespace {

using ChildTest = HomeTest;

// A gateway whose upstreams came into estate.yaml after `flyball up` was never started.
TEST_F(ChildTest, AChildStartsOnceItIsWanted) {
  environment_.program = "/bin/sh";
  const std::string started = os::JoinPath(home_, "started");
  std::promise<void> ran;
  int asked = 0;
  {
    const Child child(environment_, {.name = "late",
                                     .arguments = {"-c", "echo yes >> " + started},
                                     .pause_us = 1000,
                                     .wanted = [&] {
                                       EXPECT_EQ(files_->Exists(started), ++asked > 3);
                                       if (asked == 4) ran.set_value();
                                       return asked == 3;
                                     }});
    ran.get_future().wait();
  }
  EXPECT_EQ(files_->ReadAll(started).value(), "yes\n");
}

}  // namespace
}  // namespace flyball::app
