// Request targets, hosts and origins: decoding that refuses what is ambiguous, and the two checks
// against hostile pages.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::net {

inline constexpr size_t kQueryParametersMax = 256;

// INVALID_ARGUMENT for a bad escape, a control character (NUL included) or text that is not UTF-8.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_blank);
// Everything but letters, digits and "-._~" is escaped; '/' stays when `keep_slashes`.
std::string PercentEncode(std::string_view text, bool keep_slashes);

struct Target {
  std::string path;  // decoded, begins with '/' (or is "*")
  std::map<std::string, std::string> query;
};
// Origin form, absolute form or "*". "." and ".." segments, empty parameter names and parameters
// given twice are refused.
Result<Target> ParseTarget(std::string_view target);

// The host of a Host header or of an authority, without its port and without brackets; "" when
// malformed.
std::string_view HostOf(std::string_view authority);
// False when a page of another origin makes a browser send this: its Origin header names another
// host or port than Host does, or the browser itself says that the request crosses sites.
bool IsSameOrigin(const std::map<std::string, std::string>& headers);

}  // namespace flyball::net
