#include "net/web.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/text.h"

namespace flyball::net {
namespace {

std::string HostOfUrl(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  return std::string(url.substr(0, url.find_first_of("/?#")));
}

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

// One request on its way.
struct Exchange {
  CURL* curl;
  const WebOptions& options;
  const WebClient::Sink& sink;
  WebResponse response;
  Status fault;

  void TakeHeader(std::string_view line) {
    line = Trim(line);
    if (line.starts_with("HTTP/")) {  // the head of the answer, behind those of proxies
      response.headers.clear();
      return;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    response.headers[ToLower(line.substr(0, colon))] = std::string(Trim(line.substr(colon + 1)));
  }

  Status TakeBody(std::string_view bytes) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
    if (sink && (status == 200 || status == 206)) return sink(response, bytes);
    if (response.body.size() + bytes.size() > options.body_max_bytes) {
      return Fail(Code::kResourceExhausted,
                  "the answer is larger than " + FormatBytes(options.body_max_bytes));
    }
    response.body += bytes;
    return {};
  }
};

size_t OnHeader(char* data, size_t size, size_t count, void* exchange) {
  static_cast<Exchange*>(exchange)->TakeHeader(std::string_view(data, size * count));
  return size * count;
}

size_t OnBody(char* data, size_t size, size_t count, void* context) {
  auto* exchange = static_cast<Exchange*>(context);
  exchange->fault = exchange->TakeBody(std::string_view(data, size * count));
  return exchange->fault ? size * count : CURL_WRITEFUNC_ERROR;
}

int OnProgress(void* options, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& stopped = static_cast<const WebOptions*>(options)->stopped;
  return stopped && stopped() ? 1 : 0;
}

Code CodeOf(CURLcode code) {
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

}  // namespace

struct WebClient::Impl {
  WebOptions options;
  CURL* curl = nullptr;
};

WebClient::WebClient(WebOptions options) : impl_(std::make_unique<Impl>()) {
  static const CURLcode kGlobal = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)kGlobal;
  impl_->options = std::move(options);
  impl_->curl = curl_easy_init();
}

WebClient::~WebClient() { curl_easy_cleanup(impl_->curl); }

Result<WebResponse> WebClient::Fetch(const WebRequest& request, const Sink& sink) {
  CURL* curl = impl_->curl;
  const WebOptions& options = impl_->options;
  if (curl == nullptr) return Fail(Code::kInternal, "libcurl gives no handle");
  curl_easy_reset(curl);  // keeps connections
  Exchange exchange{curl, options, sink, {}, {}};
  HeaderList headers;
  for (const auto& [name, value] : request.headers) headers.Add(name + ": " + value);
  headers.Add("Expect:");
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // What is asked in clear text is on this machine, and may hold a key.
  if (request.url.starts_with("http://")) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.quiet_timeout_s));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &options);
  const CURLcode code = curl_easy_perform(curl);
  if (!exchange.fault) return Fail(exchange.fault.error());
  if (code != CURLE_OK) {
    return Fail(CodeOf(code), fmt::format("no answer from {}: {}", HostOfUrl(request.url),
                                          curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace flyball::net
