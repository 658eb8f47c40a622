#include "serve/assets.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/hash.h"
#include "base/text.h"
#include "os/files.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

constexpr uintmax_t kDevelopmentFileMaxBytes = 64u << 20;

// The page runs its own script and style only, talks to its own server only and can't be framed.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

std::string_view TypeOf(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".json", "application/json"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".txt", "text/plain; charset=utf-8"},
      {".webmanifest", "application/manifest+json"},
      {".woff2", "font/woff2"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) {
      return type;
    }
  }
  return "application/octet-stream";
}

// Names that carry a hash of their content never change: "app-B3x_9aQ2.js".
bool IsHashedName(std::string_view path) {
  const size_t dash = path.rfind('-');
  const size_t dot = path.find('.', dash == std::string_view::npos ? 0 : dash);
  if (dash == std::string_view::npos || dot == std::string_view::npos || dot - dash < 9) {
    return false;
  }
  return std::ranges::any_of(path.substr(dash + 1, dot - dash - 1),
                             [](char c) { return c >= '0' && c <= '9'; });
}

bool Accepts(std::string_view accept_encoding, std::string_view coding) {
  for (std::string_view item : SplitText(accept_encoding, ',')) {
    const size_t semicolon = item.find(';');
    if (!EqualsIgnoreCase(Trim(item.substr(0, semicolon)), coding)) {
      continue;
    }
    const std::string_view q =
        semicolon == std::string_view::npos ? "" : Trim(item.substr(semicolon + 1));
    return q.find_first_of("123456789") != std::string_view::npos || q.empty();
  }
  return false;
}

bool Matches(std::string_view if_none_match, std::string_view quoted_etag) {
  for (std::string_view item : SplitText(if_none_match, ',')) {
    std::string_view tag = Trim(item);
    if (tag.starts_with("W/")) {
      tag.remove_prefix(2);
    }
    if (tag == "*" || tag == quoted_etag) {
      return true;
    }
  }
  return false;
}

std::string AssetPath(const net::Request& request) {
  return request.path == "/" ? "/index.html" : request.path;
}

net::Response PageReply(std::string_view type, std::string_view path) {
  net::Response response = Reply(200, type, {});
  response.headers[1].second =
      IsHashedName(path) ? "public, max-age=31536000, immutable" : "no-cache";
  response.headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.emplace_back("X-Frame-Options", "DENY");
  return response;
}

net::Response NotFoundReply(const std::string& path) {
  return ErrorReply(Error{Code::kNotFound,
                          "there is nothing at '" + path + "'",
                          "see /api/v1/openapi.json for what there is",
                          {}});
}

net::Response ServeFromDisk(const std::string& path, const std::string& web_dir) {
  const std::string file = web_dir + path;
  std::error_code fault;
  if (!std::filesystem::is_regular_file(file, fault) ||
      std::filesystem::file_size(file, fault) > kDevelopmentFileMaxBytes) {
    return NotFoundReply(path);
  }
  std::ifstream in(file, std::ios::binary);
  net::Response response = PageReply(TypeOf(path), "");
  response.body.assign(std::istreambuf_iterator<char>(in), {});
  return response;
}

}  // namespace

net::Response ServeAssetFrom(std::span<const Asset> assets, const net::Request& request) {
  const std::string path = AssetPath(request);
  auto found = std::ranges::find(assets, path, &Asset::path);
  if (found == assets.end()) {
    if (assets.empty() && path == "/index.html") {
      return Reply(200, "text/plain; charset=utf-8",
                   "Flyball serves its API here, but this program was built without the page: "
                   "build web/ and then the program, see CONTRIBUTING.md.\n");
    }
    return NotFoundReply(path);
  }
  net::Response response = PageReply(found->type, path);
  std::string_view coding;
  std::string_view body = found->identity;
  const std::string_view accepts = request.Header("accept-encoding");
  if (!found->brotli.empty() && Accepts(accepts, "br")) {
    coding = "br";
    body = found->brotli;
  } else if (!found->gzip.empty() && Accepts(accepts, "gzip")) {
    coding = "gzip";
    body = found->gzip;
  }
  const std::string etag =
      fmt::format("\"{}{}{}\"", found->etag, coding.empty() ? "" : "-", coding);
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (Matches(request.Header("if-none-match"), etag)) {
    response.status = 304;
    return response;
  }
  if (!coding.empty()) {
    response.headers.emplace_back("Content-Encoding", coding);
  }
  response.static_body = body;
  return response;
}

net::Response ServeAsset(const net::Request& request, const std::string& web_dir) {
  return web_dir.empty() ? ServeAssetFrom(EmbeddedAssets(), request)
                         : ServeFromDisk(AssetPath(request), web_dir);
}

}  // namespace flyball::serve
