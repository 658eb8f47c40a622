#include "sources/azure.h"

#include <fmt/format.h>

#include <ctime>

#include "base/crypto.h"
#include "base/text.h"
#include "net/url.h"
#include "sources/answers.h"

namespace flyball::sources {
namespace {

constexpr char kVersion[] = "2021-12-02";

struct Where {
  std::string scheme_and_host;
  std::string path;  // of the container, encoded
};

Where PlaceOf(const estate::Source& source) {
  const std::string container = "/" + net::PercentEncode(source.bucket, false);
  if (source.endpoint.empty()) {
    return {fmt::format("https://{}.blob.core.windows.net", source.account), container};
  }
  const size_t slash = source.endpoint.find('/', source.endpoint.find("://") + 3);
  const std::string base = slash == std::string::npos ? "" : source.endpoint.substr(slash);
  return {source.endpoint.substr(0, slash), base + container};
}

std::string Rfc1123(Instant instant) {
  const std::time_t seconds = instant.us / kMicrosPerSecond;
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &fields);
  return {text, size};
}

std::string Header(const std::map<std::string, std::string>& headers, const char* name) {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

class Signer {
 public:
  Signer(std::string account, std::string account_key, std::string sas,
         std::function<Instant()> now)
      : account_(std::move(account)),
        account_key_(std::move(account_key)),
        sas_(std::move(sas)),
        now_(std::move(now)) {}

  net::WebRequest Get(const Where& where, const std::string& path,
                      const std::map<std::string, std::string>& query,
                      std::map<std::string, std::string> headers) const {
    headers["x-ms-version"] = kVersion;
    net::WebRequest request;
    request.url = where.scheme_and_host + path;
    char separator = '?';
    for (const auto& [name, value] : query) {
      request.url +=
          separator + net::PercentEncode(name, false) + "=" + net::PercentEncode(value, false);
      separator = '&';
    }
    if (!sas_.empty()) {
      request.url += separator + sas_;
    } else {
      headers["x-ms-date"] = Rfc1123(now_());
      const std::string text = AzureStringToSign(account_, path, query, headers);
      headers["authorization"] =
          fmt::format("SharedKey {}:{}", account_, Base64(HmacSha256(account_key_, text)));
    }
    request.headers.assign(headers.begin(), headers.end());
    return request;
  }

 private:
  std::string account_, account_key_, sas_;
  std::function<Instant()> now_;
};

// A list writes ETags without their quotes.
std::string Quoted(std::string etag) { return etag.starts_with('"') ? etag : '"' + etag + '"'; }

}  // namespace

std::string AzureStringToSign(const std::string& account, const std::string& path,
                              const std::map<std::string, std::string>& query,
                              const std::map<std::string, std::string>& headers) {
  // Content-Encoding, -Language, -Length, -MD5, -Type, Date and If-Modified-Since are not sent.
  std::string text = "GET\n\n\n\n\n\n\n\n";
  text += Header(headers, "if-match") + "\n\n\n" + Header(headers, "range") + "\n";
  for (const auto& [name, value] : headers) {
    if (name.starts_with("x-ms-")) text += name + ":" + value + "\n";
  }
  text += "/" + account + path;
  for (const auto& [name, value] : query) text += "\n" + name + ":" + value;
  return text;
}

Result<Page> ReadAzurePage(std::string_view xml) {
  // A byte order mark may stand before the declaration.
  xml = SkipByteOrderMark(xml);
  const Xml document = FB_TRY(Xml::Parse(xml, "EnumerationResults"));
  Page page;
  for (const Xml::Item& item : document.Items("Blobs/Blob")) {
    if (item.Text("Properties/ResourceType") == "directory") continue;
    Object object;
    object.key = item.Text("Name");
    object.bytes = FB_TRY(item.Number("Properties/Content-Length"));
    object.version = Quoted(item.Text("Properties/Etag"));
    object.md5 = FromBase64(item.Text("Properties/Content-MD5"));
    object.modified = FB_TRY(item.Time("Properties/Last-Modified"));
    page.objects.push_back(std::move(object));
  }
  page.next = document.Text("NextMarker");
  return page;
}

Result<Store> MakeAzure(const estate::Source& source, AzureKey key, std::function<Instant()> now) {
  std::string account_key;
  if (key.sas.empty()) {
    account_key = FromBase64(key.account_key);
    if (account_key.empty()) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("the key in {} is no key of a storage account", source.key_env));
    }
  } else if (key.sas.starts_with('?')) {
    key.sas.erase(0, 1);
  }
  const Signer signer(source.account, account_key, key.sas, std::move(now));
  const Where where = PlaceOf(source);
  Store store;
  store.name = fmt::format("azure://{}/{}", source.account, source.bucket);
  store.list = [=, prefix = source.prefix](const std::string& next) -> Result<net::WebRequest> {
    std::map<std::string, std::string> query{{"restype", "container"}, {"comp", "list"}};
    if (!prefix.empty()) query["prefix"] = prefix;
    if (!next.empty()) query["marker"] = next;
    return signer.Get(where, where.path, query, {});
  };
  store.read_page = ReadAzurePage;
  store.get = [=](const Object& object, uint64_t from) -> Result<net::WebRequest> {
    std::map<std::string, std::string> headers{{"if-match", object.version}};
    if (from > 0) headers["range"] = fmt::format("bytes={}-", from);
    return signer.Get(where, where.path + "/" + net::PercentEncode(object.key, true), {}, headers);
  };
  return store;
}

}  // namespace flyball::sources
