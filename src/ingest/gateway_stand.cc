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

}  // namespace

Status NoteStand(os::Files& files, const std::string& charges_folder, const std::string& sha256,
                 const GatewayStand& stand) {
  Json list = Json::array();
  for (const Json& each : ReadList(files, charges_folder)) {
    if (IsStand(each) && each["bill"] != sha256) list.push_back(each);
  }
  list.push_back({{"bill", sha256}, {"closed", stand.closed.us}, {"log_bytes", stand.log_bytes}});
  while (list.size() > kStandsMax) list.erase(list.begin());
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
