// The desk of the watch: what the API and the command line ask, in JSON both ways.
//
//   GET  /anomalies?state=active&kind=burn&incident=ID&offset=0&limit=100     newest first
//   GET  /anomalies/ID
//   POST /anomalies/ID    {"feedback": "expected" | "not_expected"}
//   GET  /incidents?state=open,acknowledged&offset=0&limit=100                newest first
//   GET  /incidents/ID
//   POST /incidents/ID    {"state": ..., "owner": ..., "note": ...}
//   GET  /watch           what is watched, and how much of it
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "watch/watcher.h"

namespace flyball::watch {

inline constexpr size_t kListMax = 1000;
inline constexpr size_t kListDefault = 100;

struct Request {
  std::string method, path;
  std::map<std::string, std::string> query;
  std::string body;
  std::string author;  // the name of a token
};

// INVALID_ARGUMENT, NOT_FOUND. What it changed is among the next effects.
Result<std::string> Administer(Watcher* watcher, const Request& request, Instant now);

}  // namespace flyball::watch
