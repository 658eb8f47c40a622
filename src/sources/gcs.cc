#include "sources/gcs.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "net/url.h"
#include "sources/answers.h"

namespace flyball::sources {
namespace {

using Json = nlohmann::json;

constexpr char kHost[] = "https://storage.googleapis.com";
constexpr char kScope[] = "https://www.googleapis.com/auth/devstorage.read_only";
constexpr char kTokenHost[] = "https://oauth2.googleapis.com/";
constexpr int64_t kAssertionS = 3600;
// A token is given up a minute early, so that no request dies of it.
constexpr int64_t kTokenMarginS = 60;

std::string TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool ToNumber(const std::string& text, uint64_t* out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), *out);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

net::WebRequest Get(std::string url, const std::string& token) {
  net::WebRequest request;
  request.url = std::move(url);
  request.headers.emplace_back("authorization", "Bearer " + token);
  return request;
}

}  // namespace

Result<ServiceAccount> ReadServiceAccount(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  ServiceAccount account;
  if (document.is_object() && TextOf(document, "type") == "service_account") {
    account = {TextOf(document, "client_email"), TextOf(document, "private_key"),
               TextOf(document, "private_key_id"), TextOf(document, "token_uri")};
  }
  if (account.email.empty() || account.private_key.empty()) {
    return Fail(Code::kInvalidArgument, "the key file is no JSON key of a service account",
                "make one under IAM, Service Accounts, Keys");
  }
  if (account.token_uri.empty()) account.token_uri = std::string(kTokenHost) + "token";
  // The signed assertion goes there, and who has it has the account for an hour.
  const bool here = account.token_uri.starts_with("http://127.0.0.1:") ||
                    account.token_uri.starts_with("http://localhost:");
  if (!here && !account.token_uri.starts_with("https://")) {
    return Fail(Code::kInvalidArgument, "the token_uri of the key file is no https:// address");
  }
  return account;
}

Result<net::WebRequest> TokenRequest(const ServiceAccount& account, Instant now) {
  const int64_t issued = now.us / kMicrosPerSecond;
  Json header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (!account.key_id.empty()) header["kid"] = account.key_id;
  const Json claims{{"iss", account.email},
                    {"scope", kScope},
                    {"aud", account.token_uri},
                    {"iat", issued},
                    {"exp", issued + kAssertionS}};
  const std::string text = Base64Url(header.dump()) + "." + Base64Url(claims.dump());
  const std::string signature = FB_TRY(SignRs256(account.private_key, text));
  net::WebRequest request;
  request.method = "POST";
  request.url = account.token_uri;
  request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  request.body =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + text + "." +
      Base64Url(signature);
  return request;
}

Result<Token> ReadToken(const net::WebResponse& response, Instant asked_at) {
  if (response.status != 200) return Fail(Refusal(response, "the request for a token"));
  const Json json = Json::parse(response.body, nullptr, false);
  const std::string token = json.is_object() ? TextOf(json, "access_token") : "";
  if (token.empty()) {
    return Fail(Code::kUnauthenticated, "the answer to the request for a token has none");
  }
  const auto lasts = json.find("expires_in");
  const int64_t seconds =
      lasts != json.end() && lasts->is_number_integer() ? lasts->get<int64_t>() : 0;
  return Token{token, Instant{asked_at.us + (seconds - kTokenMarginS) * kMicrosPerSecond}};
}

Result<Page> ReadGcsPage(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  if (!document.is_object()) return Fail(Code::kInvalidArgument, "the list is no JSON object");
  Page page;
  page.next = TextOf(document, "nextPageToken");
  const auto items = document.find("items");
  if (items == document.end()) return page;
  for (const Json& item : *items) {
    Object object;
    object.key = TextOf(item, "name");
    object.version = TextOf(item, "generation");
    ParsedInstant updated;
    if (object.key.empty() || object.version.empty() ||
        !ToNumber(TextOf(item, "size"), &object.bytes) ||
        !ParseInstant(TextOf(item, "updated"), &updated)) {
      return Fail(Code::kInvalidArgument,
                  "the list has an object without name, generation, size or time");
    }
    object.modified = updated.instant;
    object.md5 = FromBase64(TextOf(item, "md5Hash"));
    const std::string crc = FromBase64(TextOf(item, "crc32c"));  // big-endian
    if (crc.size() == 4) {
      uint32_t value = 0;
      for (const char byte : crc) value = (value << 8) | static_cast<uint8_t>(byte);
      object.crc32c = value;
    }
    page.objects.push_back(std::move(object));
  }
  return page;
}

Store MakeGcs(const estate::Source& source, std::function<Result<std::string>()> token) {
  const std::string host = source.endpoint.empty() ? kHost : source.endpoint;
  const std::string objects =
      fmt::format("{}/storage/v1/b/{}/o", host, net::PercentEncode(source.bucket, false));
  Store store;
  store.name = "gs://" + source.bucket;
  store.list = [=, prefix = source.prefix](const std::string& next) -> Result<net::WebRequest> {
    std::string url = objects +
                      "?fields=nextPageToken,items(name,size,updated,generation,md5Hash,crc32c)"
                      "&maxResults=1000";
    if (!prefix.empty()) url += "&prefix=" + net::PercentEncode(prefix, false);
    if (!next.empty()) url += "&pageToken=" + net::PercentEncode(next, false);
    return Get(std::move(url), FB_TRY(token()));
  };
  store.read_page = ReadGcsPage;
  store.get = [=](const Object& object, uint64_t from) -> Result<net::WebRequest> {
    net::WebRequest request = Get(
        fmt::format("{}/{}?alt=media&generation={}", objects, net::PercentEncode(object.key, false),
                    net::PercentEncode(object.version, false)),
        FB_TRY(token()));
    // As it is stored: what was packed by gzip would else be unpacked on the way, without ranges.
    request.headers.emplace_back("accept-encoding", "gzip");
    if (from > 0) request.headers.emplace_back("range", fmt::format("bytes={}-", from));
    return request;
  };
  return store;
}

}  // namespace flyball::sources
