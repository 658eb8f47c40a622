// What the users of libcurl in this folder share (web.cc, mail.cc). Not for other folders.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/web.h"

namespace flyball::net {

struct CurlList {
  curl_slist* list = nullptr;
  CurlList() = default;
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;
  ~CurlList() { curl_slist_free_all(list); }
  void Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

CURL* MakeCurl();  // nullptr when there is none
Code CodeOfCurl(CURLcode code);
std::string HostOfUrl(std::string_view url);
// Time limits, authorities, and the question whether to stop. `options` must outlive the request.
void ApplyWebOptions(CURL* curl, const WebOptions& options);

}  // namespace flyball::net
