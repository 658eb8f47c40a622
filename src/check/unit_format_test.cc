// Units as FOCUS writes them, and what is wrong with others.
#include <gtest/gtest.h>

#include "check/facts.h"

namespace flyball::check {
namespace {

using namespace fact;

struct Unit {
  const char* text;
  Facts wrong;
};

TEST(UnitFormat, EveryForm) {
  const Unit units[] = {
      {"Hours", 0},
      {"GB-Hours", 0},
      {"1000000 Tokens", 0},
      {"Requests/3 Months", 0},
      {"Images", 0},     // a count of the provider's own
      {"PTU-Hours", 0},  // and one in time
      {"kWh", 0},        // a dimension that is not listed, by its symbol
      {"images", kUnitUnknown},
      {"kilowatt-Hours", kUnitUnknown},
      {"hours", kUnitCase},
      {"Hour", kUnitForm},
      {"1.5 Hours", kUnitNumber | kUnitForm},
      {"GB/Flight", kUnitForm},
  };
  for (const Unit& unit : units) EXPECT_EQ(ReadUnit(unit.text), unit.wrong) << unit.text;
}

}  // namespace
}  // namespace flyball::check
