#include "sources/memory.h"

#include <nlohmann/json.hpp>

namespace flyball::sources {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kVersion = 1;

}  // namespace

Result<Memory> ReadMemory(os::Files& files, const std::string& path) {
  if (!files.Exists(path)) return Memory();
  const Json json = Json::parse(FB_TRY(files.ReadAll(path)), nullptr, false);
  const auto damaged = [&] {
    return Fail(Code::kDataLoss, "'" + path + "' is damaged",
                "delete it: the next sync fetches again, and finds by its content what is in the "
                "ledger");
  };
  if (!json.is_object() || json.value("version", 0) != kVersion || !json.contains("sets")) {
    return damaged();
  }
  Memory memory;
  try {
    for (const auto& [id, set] : json["sets"].items()) {
      Remembered remembered{
          set.at("fingerprint").get<std::string>(), set.at("commit").get<std::string>(), {}, 0};
      ParsedInstant time;
      if (ParseInstant(set.at("time").get<std::string>(), &time)) remembered.time = time.instant;
      remembered.days = set.value("days", 0u);
      memory[id] = std::move(remembered);
    }
  } catch (const Json::exception&) {
    return damaged();
  }
  return memory;
}

Status WriteMemory(os::Files& files, const std::string& path, const Memory& memory) {
  Json sets = Json::object();
  for (const auto& [id, set] : memory) {
    sets[id] = {{"fingerprint", set.fingerprint},
                {"commit", set.commit},
                {"time", FormatInstant(set.time)}};
    if (set.days != 0) sets[id]["days"] = set.days;
  }
  const Json json{{"version", kVersion}, {"sets", std::move(sets)}};
  return os::AtomicWrite(files, path,
                         json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace flyball::sources
