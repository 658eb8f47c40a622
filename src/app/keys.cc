// flyball keys: the virtual keys with which applications call the gateway.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/table.h"
#include "base/text.h"
#include "gateway/keys.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

std::string Joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

int CreateOne(const Environment& environment, const KeysArgs& args) {
  gateway::VirtualKey wanted;
  wanted.name = args.name;
  wanted.team = args.team;
  wanted.project = args.project;
  wanted.use_case = args.use_case;
  for (std::string_view model : SplitText(args.models.value_or(""), ',')) {
    if (!Trim(model).empty()) wanted.models.emplace_back(Trim(model));
  }
  if (args.models && wanted.models.empty()) {
    return Report(environment, Error{Code::kInvalidArgument,
                                     "--models names no model",
                                     "leave it out for a key that may use all of them",
                                     {}});
  }
  if (!args.expires.empty()) {
    const Result<Instant> expires = ParseUserInstant(args.expires);
    if (!expires) return Report(environment, expires.error());
    wanted.expires = *expires;
  }
  const Result<gateway::CreatedKey> made =
      gateway::CreateKey(environment.files, environment.home, std::move(wanted), environment.clock);
  if (!made) return Report(environment, made.error());
  if (environment.json()) {
    Print(gateway::CreatedKeyJson(*made));
  } else {
    Print(made->secret);
  }
  Say(fmt::format("flyball: this is {}; the key itself is not shown again", made->key.id));
  return kExitDone;
}

int ListAll(const Environment& environment) {
  const auto keys = gateway::ListKeys(environment.files, environment.home);
  if (!keys) return Report(environment, keys.error());
  if (environment.json()) {
    Json json{{"keys", Json::array()}};
    for (const gateway::VirtualKey& key : *keys) {
      json["keys"].push_back(Json::parse(gateway::KeyJson(key)));
    }
    Print(json.dump());
    return kExitDone;
  }
  Table table{{"id", "name", "team", "project", "use case", "models", "created", "expires", ""},
              {}};
  for (const gateway::VirtualKey& key : *keys) {
    table.rows.push_back(
        {key.id, key.name, key.team, key.project, key.use_case,
         key.models.empty() ? "all" : Joined(key.models), FormatInstant(key.created),
         key.expires ? FormatInstant(*key.expires) : "never", key.revoked ? "revoked" : ""});
  }
  Print(environment, table);
  return kExitDone;
}

}  // namespace

int RunKeys(const Environment& environment, const KeysArgs& args) {
  if (args.action == "create") return CreateOne(environment, args);
  if (args.action == "list") return ListAll(environment);
  const auto revoked = gateway::RevokeKey(environment.files, environment.home, args.which);
  if (!revoked) return Report(environment, revoked.error());
  Print(environment.json() ? gateway::KeyJson(*revoked)
                           : fmt::format("{} is revoked", revoked->id));
  return kExitDone;
}

}  // namespace flyball::app
