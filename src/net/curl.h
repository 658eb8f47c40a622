// What the users of libcurl in this folder share (web.cc, mail.cc). Not for other folders. A handle
// is a CURL*, and a code a CURLcode.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/web.h"

struct curl_slist;

namespace flyball::net {

struct CurlList {
  curl_slist* list = nullptr;
  CurlList() = default;
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;
  ~CurlList();
  void Add(const std::string& line);
};

void* MakeCurl();  // nullptr when there is none
Code CodeOfCurl(int code);
std::string HostOfUrl(std::string_view url);
// Time limits, authorities, and the question whether to stop. `options` must outlive the request.
void ApplyWebOptions(void* curl, const WebOptions& options);

}  // namespace flyball::net
