#include "gateway/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/url.h"

namespace flyball::gateway {
namespace {

// Of Azure's API. The dated ones are compared as texts.
constexpr std::string_view kAzureVersion = "2024-10-21";
constexpr std::string_view kAzureResponsesSince = "2025-03-01";

bool Serves(const estate::Upstream& upstream, std::string_view model) {
  return std::any_of(upstream.models.begin(), upstream.models.end(),
                     [&](const std::string& glob) { return GlobMatch(glob, model); });
}

// Puts those of one priority into a random order, the heavier the sooner.
void DrawByWeight(const std::vector<estate::Upstream>& upstreams, std::span<size_t> equals,
                  Random& random) {
  for (size_t i = 0; i + 1 < equals.size(); ++i) {
    uint64_t total = 0;
    for (size_t j = i; j < equals.size(); ++j) {
      total += static_cast<uint64_t>(upstreams[equals[j]].weight);
    }
    uint64_t drawn = random.Below(total);
    size_t j = i;
    while (drawn >= static_cast<uint64_t>(upstreams[equals[j]].weight)) {
      drawn -= static_cast<uint64_t>(upstreams[equals[j++]].weight);
    }
    std::swap(equals[i], equals[j]);
  }
}

std::string_view PathOfBase(std::string_view base_url) {
  const size_t host = base_url.find("://") + 3;
  const size_t slash = base_url.find('/', host);
  return slash == std::string_view::npos ? std::string_view() : base_url.substr(slash);
}

// Azure's API has two forms. The dated one has the deployment in the path, but for responses, whose
// deployment is the body's model as with OpenAI. The other (`v1`) is OpenAI's own below /openai,
// with `preview` as its only version.
std::string AzurePath(std::string_view version, Dialect dialect, std::string_view model) {
  const std::string_view path = Info(dialect).path;
  const bool responses = dialect == Dialect::kOpenAiResponses;
  if (version == "preview") return fmt::format("/openai{}?api-version=preview", path);
  if (version == "v1" || (responses && version < kAzureResponsesSince)) {
    return fmt::format("/openai{}", path);
  }
  const std::string_view name = path.substr(std::string_view("/v1").size());
  const std::string_view dated = version.empty() ? kAzureVersion : version;
  if (responses) return fmt::format("/openai{}?api-version={}", name, dated);
  return fmt::format("/openai/deployments/{}{}?api-version={}", net::PercentEncode(model, false),
                     name, dated);
}

}  // namespace

bool Speaks(const estate::Upstream& upstream, Dialect dialect) {
  const bool anthropic = upstream.api == estate::UpstreamApi::kAnthropic;
  return anthropic == Info(dialect).is_anthropic;
}

std::vector<size_t> CandidatesFor(const std::vector<estate::Upstream>& upstreams, Dialect dialect,
                                  std::string_view model, Random& random) {
  std::vector<size_t> found;
  for (size_t i = 0; i < upstreams.size(); ++i) {
    if (Speaks(upstreams[i], dialect) && Serves(upstreams[i], model)) found.push_back(i);
  }
  const auto priority = [&](size_t i) { return upstreams[i].priority; };
  std::ranges::sort(found, {}, [&](size_t i) { return std::pair(priority(i), i); });
  for (size_t begin = 0; begin < found.size();) {
    size_t end = begin + 1;
    while (end < found.size() && priority(found[end]) == priority(found[begin])) ++end;
    if (end - begin > 1)
      DrawByWeight(upstreams, std::span(found).subspan(begin, end - begin), random);
    begin = end;
  }
  return found;
}

std::string TargetAt(const estate::Upstream& upstream, Dialect dialect, std::string_view target,
                     std::string_view model) {
  const size_t question = target.find('?');
  const std::string_view query =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  std::string_view path = Info(dialect).path;
  std::string at(PathOfBase(upstream.base_url));
  if (upstream.api == estate::UpstreamApi::kAzureOpenAi) {
    at += AzurePath(upstream.api_version, dialect, model);
    if (!query.empty()) at.append(at.find('?') == std::string::npos ? "?" : "&").append(query);
    return at;
  }
  if (at.ends_with("/v1")) path.remove_prefix(std::string_view("/v1").size());
  at += path;
  if (!query.empty()) at.append("?").append(query);
  return at;
}

}  // namespace flyball::gateway
