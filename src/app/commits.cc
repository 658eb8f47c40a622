#include "app/commits.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/open_ledger.h"
#include "app/remote.h"
#include "ledger/ledger.h"
#include "serve/service.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

// Page by page. A commit that comes in meanwhile moves what follows down a place: what was read
// already is left out.
Result<std::string> FetchCommits(const Remote& remote) {
  constexpr int kPage = serve::kCommitsPageMax;
  Json commits = Json::array();
  for (int64_t offset = 0;; offset += kPage) {
    const Json page = Json::parse(
        FB_TRY(remote.Get(fmt::format("/api/v1/commits?offset={}&limit={}", offset, kPage))),
        nullptr, false);
    if (!page.is_object() || !page.contains("commits")) {
      return Fail(Code::kInternal, "the server's list of commits cannot be read");
    }
    for (const Json& commit : page["commits"]) {
      const int64_t sequence = commit.value("sequence", int64_t{0});
      if (commits.empty() || sequence < commits.back().value("sequence", int64_t{0})) {
        commits.push_back(commit);
      }
    }
    if (page["commits"].size() < static_cast<size_t>(kPage)) return commits.dump();
  }
}

}  // namespace

Result<std::string> ListCommits(const Environment& environment) {
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (remote) return FetchCommits(*remote);
  const auto ledger = FB_TRY(OpenLedger(environment));
  Json commits = Json::array();
  std::vector<ledger::Commit> all = ledger->Commits();
  std::reverse(all.begin(), all.end());
  for (const ledger::Commit& commit : all) {
    commits.push_back(
        Json::parse(ledger::CommitJson(commit, ledger::CommitDetail::kBrief), nullptr, false));
  }
  return commits.dump();
}

}  // namespace flyball::app
