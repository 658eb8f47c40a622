#include "sources/sigv4.h"

#include <fmt/format.h>

#include "base/crypto.h"
#include "base/hash.h"
#include "base/text.h"
#include "net/url.h"

namespace flyball::sources {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kService = "s3";

std::string CanonicalQuery(const std::map<std::string, std::string>& query) {
  // Sorted by encoded name; the names that S3 knows sort the same with and without encoding.
  std::string text;
  for (const auto& [name, value] : query) {
    if (!text.empty()) text += '&';
    text += net::PercentEncode(name, false) + "=" + net::PercentEncode(value, false);
  }
  return text;
}

std::string Signature(const AwsKey& key, std::string_view day, std::string_view region,
                      const std::string& to_sign) {
  const std::string of_day = HmacSha256("AWS4" + key.secret, day);
  const std::string of_service = HmacSha256(HmacSha256(of_day, region), kService);
  return HexOf(HmacSha256(HmacSha256(of_service, "aws4_request"), to_sign));
}

}  // namespace

std::string AwsTime(Instant instant) {
  // Of "2013-05-24T00:00:00Z" without its separators.
  std::string text;
  for (const char c : FormatInstant(Instant{instant.us - instant.us % kMicrosPerSecond})) {
    if (c != '-' && c != ':') text += c;
  }
  return text;
}

net::WebRequest SignGet(const UnsignedGet& get, const AwsKey& key, std::string_view region,
                        Instant now) {
  const std::string time = AwsTime(now);
  const std::string_view day = std::string_view(time).substr(0, 8);
  const std::string payload = Sha256Hex("");
  std::map<std::string, std::string> headers = get.headers;
  headers["host"] = get.scheme_and_host.substr(get.scheme_and_host.find("://") + 3);
  headers["x-amz-content-sha256"] = payload;
  headers["x-amz-date"] = time;
  if (!key.session_token.empty()) headers["x-amz-security-token"] = key.session_token;
  std::string canonical_headers;
  std::string names;
  for (const auto& [name, value] : headers) {
    canonical_headers += name + ":" + std::string(Trim(value)) + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string query = CanonicalQuery(get.query);
  const std::string canonical =
      fmt::format("GET\n{}\n{}\n{}\n{}\n{}", get.path, query, canonical_headers, names, payload);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, kService);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, Sha256Hex(canonical));
  net::WebRequest request;
  request.url = get.scheme_and_host + get.path + (query.empty() ? "" : "?" + query);
  request.headers.assign(headers.begin(), headers.end());
  request.headers.emplace_back(
      "authorization", fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                                   key.id, scope, names, Signature(key, day, region, to_sign)));
  return request;
}

}  // namespace flyball::sources
