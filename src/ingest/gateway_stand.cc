#include "ingest/gateway_stand.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace flyball::ingest {
namespace {

using Json = nlohmann::ordered_json;

std::string PathOf(const std::string& charges_folder) {
  return os::JoinPath(charges_folder, "stands.json");
}

// Oldest first.
Json ReadList(os::Files& files, const std::string& charges_folder) {
  const Result<std::string> text = files.ReadAll(PathOf(charges_folder));
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  return json.is_array() ? json : Json::array();
}

bool IsStand(const Json& json) {
  return json.is_object() && json.contains("bill") && json["bill"].is_string() &&
         json.contains("closed") && json["closed"].is_number_integer() &&
         json.contains("log_bytes") && json["log_bytes"].is_number_unsigned();
}

// A month that is over is closed at its end.
Instant MonthOf(const Json& stand) {
  return FloorMonth(Instant{stand["closed"].get<int64_t>() - 1});
}

}  // namespace

Status NoteStand(os::Files& files, const std::string& charges_folder, const std::string& sha256,
                 const GatewayStand& stand) {
  Json list = Json::array();
  for (const Json& each : ReadList(files, charges_folder)) {
    if (IsStand(each) && each["bill"] != sha256) list.push_back(each);
  }
  list.push_back({{"bill", sha256}, {"closed", stand.closed.us}, {"log_bytes", stand.log_bytes}});
  Json kept = Json::array();
  for (size_t i = 0; i < list.size(); ++i) {
    const bool is_last =
        std::none_of(list.begin() + static_cast<ptrdiff_t>(i) + 1, list.end(),
                     [&](const Json& l) { return MonthOf(l) == MonthOf(list[i]); });
    if (is_last || i + kStandsMax >= list.size()) kept.push_back(list[i]);
  }
  list = std::move(kept);
  return os::AtomicWrite(files, PathOf(charges_folder), list.dump() + "\n");
}

std::map<std::string, GatewayStand> ReadStands(os::Files& files,
                                               const std::string& charges_folder) {
  std::map<std::string, GatewayStand> stands;
  for (const Json& each : ReadList(files, charges_folder)) {
    if (!IsStand(each)) continue;
    stands[each["bill"].get<std::string>()] = {Instant{each["closed"].get<int64_t>()},
                                               each["log_bytes"].get<uint64_t>()};
  }
  return stands;
}

}  // namespace flyball::ingest
