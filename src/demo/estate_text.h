// The invented enterprise's rulebook and the labels of what was planted in its bills.
#pragma once

#include <string>

namespace flyball::demo {

std::string EstateText();  // estate.yaml (docs/ESTATE.md)
std::string EventsJson();  // [{"id","kind","description","start","end","where"}]

}  // namespace flyball::demo
