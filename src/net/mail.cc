#include "net/mail.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/freer.h"
#include "net/curl.h"

namespace flyball::net {
namespace {

struct Unsent {
  std::string_view text;
};

size_t OnRead(char* out, size_t size, size_t count, void* context) {
  auto* unsent = static_cast<Unsent*>(context);
  const size_t bytes = std::min(size * count, unsent->text.size());
  std::memcpy(out, unsent->text.data(), bytes);
  unsent->text.remove_prefix(bytes);
  return bytes;
}

}  // namespace

Status SendMail(const MailRequest& request, const WebOptions& options) {
  const std::unique_ptr<CURL, Freer<curl_easy_cleanup>> handle(MakeCurl());
  CURL* curl = handle.get();
  if (curl == nullptr) return Fail(Code::kInternal, "libcurl gives no handle");
  CurlList to;
  for (const std::string& address : request.to) to.Add("<" + address + ">");
  Unsent unsent{request.text};
  curl_easy_setopt(curl, CURLOPT_URL, request.server.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  const bool here = IsLoopbackUrl(request.server);
  curl_easy_setopt(curl, CURLOPT_USE_SSL,
                   static_cast<long>(here ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  if (!request.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
  }
  const std::string from = "<" + request.from + ">";
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.list);
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnRead);
  curl_easy_setopt(curl, CURLOPT_READDATA, &unsent);
  ApplyWebOptions(curl, options);
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_OK) return {};
  long answer = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
  Code why = CodeOfCurl(code);
  if (answer >= 500 && answer < 600) why = Code::kPermissionDenied;
  if (code == CURLE_LOGIN_DENIED) why = Code::kFailedPrecondition;
  return Fail(why,
              fmt::format("{} did not take the mail: {}{}", HostOfUrl(request.server),
                          curl_easy_strerror(code),
                          answer > 0 ? fmt::format(" (its answer: {})", answer) : std::string()));
}

}  // namespace flyball::net
