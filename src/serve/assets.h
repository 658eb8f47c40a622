// Assets: the page. Its built files are embedded in the program, already compressed
// (cmake/web.cmake makes the table from web/dist); without them the program still builds, and says
// so when asked for the page.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "net/http.h"

namespace flyball::serve {

struct Asset {
  std::string_view path;  // "/index.html"
  std::string_view type;
  std::string_view etag;  // of the content, without quotes
  std::string_view identity;
  std::string_view gzip;    // "" when compressing does not help
  std::string_view brotli;  // idem
};
// Sorted by path; empty when the page was not built.
std::span<const Asset> EmbeddedAssets();

// The answer to GET or HEAD of a path that is no API route; `web_dir` replaces the embedded files
// when not empty.
net::Response ServeAsset(const net::Request& request, const std::string& web_dir);
// The same from any table, for tests.
net::Response ServeAssetFrom(std::span<const Asset> assets, const net::Request& request);

}  // namespace flyball::serve
