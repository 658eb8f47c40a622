#include "net/web.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/text.h"
#include "net/curl.h"

namespace flyball::net {
namespace {

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

}  // namespace

struct WebClient::Impl {
  WebOptions options;
  CURL* curl = nullptr;
};

WebClient::WebClient(WebOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->curl = MakeCurl();
}

WebClient::~WebClient() { curl_easy_cleanup(impl_->curl); }

Result<WebResponse> WebClient::Fetch(const WebRequest& request, const Sink& sink) {
  CURL* curl = impl_->curl;
  const WebOptions& options = impl_->options;
  if (curl == nullptr) return Fail(Code::kInternal, "libcurl gives no handle");
  curl_easy_reset(curl);  // keeps connections
  Exchange exchange{curl, options, sink, {}, {}};
  CurlList headers;
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
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  ApplyWebOptions(curl, options);
  const CURLcode code = curl_easy_perform(curl);
  if (!exchange.fault) return Fail(exchange.fault.error());
  if (code != CURLE_OK) {
    return Fail(CodeOfCurl(code), fmt::format("no answer from {}: {}", HostOfUrl(request.url),
                                              curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace flyball::net
