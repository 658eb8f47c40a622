#include "net/curl.h"

#include <curl/curl.h>

#include "net/http.h"

namespace flyball::net {
namespace {

int OnProgress(void* options, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& stopped = static_cast<const WebOptions*>(options)->stopped;
  return stopped && stopped() ? 1 : 0;
}

}  // namespace

CurlList::~CurlList() { curl_slist_free_all(list); }
void CurlList::Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }

void* MakeCurl() {
  static const CURLcode kGlobal = curl_global_init(CURL_GLOBAL_DEFAULT);
  return kGlobal == CURLE_OK ? curl_easy_init() : nullptr;
}

Code CodeOfCurl(int code) {
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return Code::kCancelled;
    case CURLE_OPERATION_TIMEDOUT:
      return Code::kDeadlineExceeded;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
      return Code::kFailedPrecondition;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Code::kInvalidArgument;
    default:
      return Code::kUnavailable;
  }
}

std::string HostOfUrl(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  return std::string(url.substr(0, url.find_first_of("/?#")));
}

bool IsLoopbackUrl(std::string_view url) {
  std::string host = HostOfUrl(url);
  if (host.find('@') != std::string::npos) return false;  // a user, and the host is another
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && !host.ends_with(']')) host.resize(colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host == "localhost" || IsLoopback(host);
}

void ApplyWebOptions(void* curl, const WebOptions& options) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.quiet_timeout_s));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(options.whole_timeout_s));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &options);
}

}  // namespace flyball::net
