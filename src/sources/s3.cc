#include "sources/s3.h"

#include <fmt/format.h>

#include "base/crypto.h"
#include "net/url.h"
#include "sources/answers.h"

namespace flyball::sources {
namespace {

constexpr char kDefaultRegion[] = "us-east-1";

struct Where {
  std::string scheme_and_host;
  std::string path;  // encoded; keys follow
};

// At AWS the bucket is part of the host, unless its dots would not fit the certificate.
Where PlaceOf(const estate::Source& source, const std::string& region) {
  const std::string bucket = "/" + net::PercentEncode(source.bucket, false) + "/";
  if (!source.endpoint.empty()) {
    const size_t slash = source.endpoint.find('/', source.endpoint.find("://") + 3);
    const std::string base = slash == std::string::npos ? "" : source.endpoint.substr(slash);
    return {source.endpoint.substr(0, slash), base + bucket};
  }
  const std::string host =
      fmt::format("s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
  if (source.bucket.find('.') != std::string::npos) return {"https://" + host, bucket};
  return {fmt::format("https://{}.{}", source.bucket, host), "/"};
}

}  // namespace

std::string Md5OfEtag(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag.size() == 32 ? FromHex(etag) : "";
}

Result<Page> ReadS3Page(std::string_view xml) {
  const Xml document = FB_TRY(Xml::Parse(xml, "ListBucketResult"));
  const bool encoded = document.Text("EncodingType") == "url";
  Page page;
  for (const Xml::Item& item : document.Items("Contents")) {
    Object object;
    object.key = item.Text("Key");
    if (encoded) {
      // What can't be decoded has control characters or no UTF-8 in its name: no bill has.
      Result<std::string> key = net::PercentDecode(object.key, true);
      if (!key) continue;
      object.key = *std::move(key);
    }
    object.bytes = FB_TRY(item.Number("Size"));
    object.version = item.Text("ETag");
    object.md5 = Md5OfEtag(object.version);
    object.modified = FB_TRY(item.Time("LastModified"));
    page.objects.push_back(std::move(object));
  }
  if (document.Text("IsTruncated") == "true") {
    page.next = document.Text("NextContinuationToken");
    if (page.next.empty()) {
      return Fail(Code::kInvalidArgument, "the list goes on, but does not say where");
    }
  }
  return page;
}

Store MakeS3(const estate::Source& source, AwsKey key, std::function<Instant()> now) {
  const std::string region = source.region.empty() ? kDefaultRegion : source.region;
  const Where where = PlaceOf(source, region);
  Store store;
  store.name = "s3://" + source.bucket;
  store.list = [=, prefix = source.prefix](const std::string& next) -> Result<net::WebRequest> {
    UnsignedGet get{where.scheme_and_host, where.path, {}, {}};
    get.query = {{"list-type", "2"}, {"encoding-type", "url"}};
    if (!prefix.empty()) get.query["prefix"] = prefix;
    if (!next.empty()) get.query["continuation-token"] = next;
    return SignGet(get, key, region, now());
  };
  store.read_page = ReadS3Page;
  store.get = [=](const Object& object, uint64_t from) -> Result<net::WebRequest> {
    UnsignedGet get{
        where.scheme_and_host, where.path + net::PercentEncode(object.key, true), {}, {}};
    if (!object.version.empty()) get.headers["if-match"] = object.version;
    if (from > 0) get.headers["range"] = fmt::format("bytes={}-", from);
    return SignGet(get, key, region, now());
  };
  return store;
}

}  // namespace flyball::sources
