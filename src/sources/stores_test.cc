// Requests of stores, and how their answers are read.
#include <gtest/gtest.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/crypto.h"
#include "base/hash.h"
#include "sources/answers.h"
#include "sources/azure.h"
#include "sources/gcs.h"
#include "sources/s3.h"

namespace flyball::sources {
namespace {

Instant At(const char* text) {
  ParsedInstant parsed;
  EXPECT_TRUE(ParseInstant(text, &parsed)) << text;
  return parsed.instant;
}

std::string Header(const net::WebRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

// The published examples of "Authenticating Requests: Using the Authorization Header" (Amazon S3
// API Reference), whose key is AWS's own example.
class SigV4 : public testing::Test {
 protected:
  std::string Signature(const std::string& path, std::map<std::string, std::string> query,
                        std::map<std::string, std::string> headers) {
    const AwsKey key{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
    const net::WebRequest request = SignGet(
        {"https://examplebucket.s3.amazonaws.com", path, std::move(query), std::move(headers)}, key,
        "us-east-1", At("2013-05-24T00:00:00Z"));
    const std::string authorization = Header(request, "authorization");
    EXPECT_TRUE(authorization.starts_with(
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="))
        << authorization;
    return authorization.substr(authorization.find("Signature=") + 10);
  }
};

TEST_F(SigV4, GetObject) {
  EXPECT_EQ(Signature("/test.txt", {}, {{"range", "bytes=0-9"}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(SigV4, GetBucketLifecycle) {
  EXPECT_EQ(Signature("/", {{"lifecycle", ""}}, {}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(SigV4, ListObjects) {
  EXPECT_EQ(Signature("/", {{"max-keys", "2"}, {"prefix", "J"}}, {}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(S3, RequestsNameBucketVersionAndRange) {
  estate::Source source;
  source.bucket = "bills";
  source.prefix = "cur/";
  source.region = "eu-west-1";
  const auto now = [] { return At("2026-10-01T00:00:00Z"); };
  const Store aws = MakeS3(source, {"id", "secret", "token"}, now);
  const net::WebRequest list = aws.list("a b+").value();
  EXPECT_EQ(list.url,
            "https://bills.s3.eu-west-1.amazonaws.com/"
            "?continuation-token=a%20b%2B&encoding-type=url&list-type=2&prefix=cur%2F");
  EXPECT_EQ(Header(list, "x-amz-security-token"), "token");

  Object object;
  object.key = "cur/BILLING_PERIOD=2026-10/a b+é.csv";
  object.version = "\"abc\"";
  source.endpoint = "http://127.0.0.1:9000";
  const Store own = MakeS3(source, {"id", "secret", ""}, now);
  const net::WebRequest get = own.get(object, 7).value();
  EXPECT_EQ(get.url, "http://127.0.0.1:9000/bills/cur/BILLING_PERIOD%3D2026-10/a%20b%2B%C3%A9.csv");
  EXPECT_EQ(Header(get, "if-match"), "\"abc\"");
  EXPECT_EQ(Header(get, "range"), "bytes=7-");
  EXPECT_EQ(Header(own.get(object, 0).value(), "range"), "");

  // A bucket with dots does not fit the certificate as part of the host.
  source.endpoint.clear();
  source.bucket = "acme.bills";
  EXPECT_TRUE(MakeS3(source, {}, now)
                  .list("")
                  .value()
                  .url.starts_with("https://s3.eu-west-1.amazonaws.com/acme.bills/?"));
}

TEST(S3, PageIsRead) {
  const Result<Page> page = ReadS3Page(R"(<?xml version="1.0"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
 <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
 <NextContinuationToken>1ueG</NextContinuationToken>
 <Contents><Key>cur/a+b%2B%C3%A9.csv</Key><LastModified>2026-10-02T03:04:05.000Z</LastModified>
  <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>12</Size></Contents>
 <Contents><Key>cur/parts.csv</Key><LastModified>2026-10-02T03:04:05.000Z</LastModified>
  <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e-3&quot;</ETag><Size>0</Size></Contents>
</ListBucketResult>)");
  ASSERT_TRUE(page) << page.error().ToString();
  EXPECT_EQ(page->next, "1ueG");
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(page->objects[0].key, "cur/a b+é.csv");
  EXPECT_EQ(page->objects[0].bytes, 12u);
  EXPECT_EQ(HexOf(page->objects[0].md5), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(page->objects[0].modified, At("2026-10-02T03:04:05Z"));
  EXPECT_EQ(page->objects[1].md5, "");  // of an object in parts it is no MD5
}

TEST(S3, WhatIsNoListIsRefused) {
  for (const char* body :
       {"", "<html>login</html>", "{}", "<ListBucketResult><Contents></Contents>",
        "<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"}) {
    const Result<Page> page = ReadS3Page(body);
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().code, Code::kInvalidArgument);
  }
}

// The example of "Authorize with Shared Key": what is signed, line by line.
TEST(Azure, StringToSign) {
  EXPECT_EQ(AzureStringToSign("acme", "/costs", {{"comp", "list"}, {"restype", "container"}},
                              {{"range", "bytes=5-"},
                               {"if-match", "\"0x8\""},
                               {"x-ms-date", "Fri, 26 Jun 2026 23:39:12 GMT"},
                               {"x-ms-version", "2021-12-02"}}),
            "GET\n\n\n\n\n\n\n\n\"0x8\"\n\n\nbytes=5-\n"
            "x-ms-date:Fri, 26 Jun 2026 23:39:12 GMT\nx-ms-version:2021-12-02\n"
            "/acme/costs\ncomp:list\nrestype:container");
}

TEST(Azure, PageIsReadAndSasStaysInTheQuery) {
  const Result<Page> page = ReadAzurePage(
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults>"
      "<Blobs><Blob><Name>exports/a.csv</Name><Properties>"
      "<Last-Modified>Thu, 01 Oct 2026 02:03:04 GMT</Last-Modified><Etag>0x8DD</Etag>"
      "<Content-Length>5</Content-Length><Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5>"
      "</Properties></Blob></Blobs><NextMarker>2!92</NextMarker></EnumerationResults>");
  ASSERT_TRUE(page) << page.error().ToString();
  EXPECT_EQ(page->next, "2!92");
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].version, "\"0x8DD\"");
  EXPECT_EQ(page->objects[0].modified, At("2026-10-01T02:03:04Z"));
  EXPECT_EQ(HexOf(page->objects[0].md5), "d41d8cd98f00b204e9800998ecf8427e");

  estate::Source source;
  source.account = "acme";
  source.bucket = "costs";
  const Store store =
      MakeAzure(source, {"?sv=2022&sig=abc%3D", ""}, [] { return Instant{}; }).value();
  EXPECT_EQ(store.list("").value().url,
            "https://acme.blob.core.windows.net/costs?comp=list&restype=container&sv=2022&sig="
            "abc%3D");
  EXPECT_EQ(store.get(page->objects[0], 0).value().url,
            "https://acme.blob.core.windows.net/costs/exports/a.csv?sv=2022&sig=abc%3D");
  EXPECT_FALSE(MakeAzure(source, {"", "no base64"}, [] { return Instant{}; }));
}

TEST(Gcs, PageIsRead) {
  const Result<Page> page = ReadGcsPage(R"({"nextPageToken":"n","items":[
    {"name":"a/b.csv","size":"3","generation":"17","updated":"2026-10-01T00:00:00.123Z",
     "md5Hash":"1B2M2Y8AsgTpgAmY7PhCfg==","crc32c":"4waSgw=="}]})");
  ASSERT_TRUE(page) << page.error().ToString();
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].crc32c, Crc32c("123456789"));  // 0xE3069283, as its authors publish
  estate::Source source;
  source.bucket = "bills";
  const Store store = MakeGcs(source, []() -> Result<std::string> { return "t0ken"; });
  const net::WebRequest get = store.get(page->objects[0], 2).value();
  EXPECT_EQ(
      get.url,
      "https://storage.googleapis.com/storage/v1/b/bills/o/a%2Fb.csv?alt=media&generation=17");
  EXPECT_EQ(Header(get, "authorization"), "Bearer t0ken");
  EXPECT_EQ(Header(get, "range"), "bytes=2-");
  EXPECT_FALSE(ReadGcsPage("[]"));
  EXPECT_FALSE(ReadGcsPage(R"({"items":[{"name":"a"}]})"));
  EXPECT_TRUE(ReadGcsPage("{}").value().objects.empty());
}

std::string NewRsaKey(EVP_PKEY** key) {
  *key = EVP_RSA_gen(2048);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, *key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

TEST(Gcs, AnAssertionIsSignedWithTheKeyOfTheAccount) {
  EVP_PKEY* key = nullptr;
  const ServiceAccount account{"me@acme.iam", NewRsaKey(&key), "k1",
                               "https://oauth2.googleapis.com/token"};
  const net::WebRequest request = TokenRequest(account, At("2026-10-01T00:00:00Z")).value();
  EXPECT_EQ(request.method, "POST");
  const std::string assertion = request.body.substr(request.body.rfind('=') + 1);
  const size_t dot = assertion.rfind('.');
  std::string signature = assertion.substr(dot + 1);
  for (char& c : signature) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (signature.size() % 4 != 0) signature += '=';
  const std::string raw = FromBase64(signature);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
  EXPECT_EQ(
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(raw.data()), raw.size(),
                       reinterpret_cast<const unsigned char*>(assertion.data()), dot),
      1);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  EXPECT_FALSE(TokenRequest({"me", "no key", "", "https://x"}, Instant{}));
}

TEST(Gcs, ATokenIsGivenUpAMinuteEarly) {
  net::WebResponse response;
  response.status = 200;
  response.body = R"({"access_token":"ya29","expires_in":3599})";
  const Token token = ReadToken(response, Instant{0}).value();
  EXPECT_EQ(token.text, "ya29");
  EXPECT_EQ(token.until.us, 3539 * kMicrosPerSecond);
  response.body = "{}";
  EXPECT_FALSE(ReadToken(response, Instant{0}));
  response.status = 400;
  response.body = R"({"error":"invalid_grant"})";
  EXPECT_NE(ReadToken(response, Instant{0}).error().message.find("invalid_grant"),
            std::string::npos);
}

TEST(Gcs, AKeyFileThatIsNoneIsNotSaidAgain) {
  const Result<ServiceAccount> account = ReadServiceAccount(R"({"private_key":"-----BEGIN)");
  ASSERT_FALSE(account);
  EXPECT_EQ(account.error().ToString().find("BEGIN"), std::string::npos);
  EXPECT_FALSE(ReadServiceAccount(
      R"({"type":"service_account","client_email":"a","private_key":"b","token_uri":"http://x/"})"));
}

// S3 repeats the key's id and what was signed: none of it belongs into an error.
TEST(Refusals, SayTheCodeAndNothingElseOfTheAnswer) {
  net::WebResponse response;
  response.status = 403;
  response.body =
      "<Error><Code>SignatureDoesNotMatch</Code><Message>wrong AKIASECRET</Message>"
      "<AWSAccessKeyId>AKIASECRET</AWSAccessKeyId></Error>";
  const Error error = Refusal(response, "s3://bills/a");
  EXPECT_EQ(error.code, Code::kPermissionDenied);
  EXPECT_EQ(error.message, "s3://bills/a was answered with 403 SignatureDoesNotMatch");
  EXPECT_NE(error.hint, "");
  response.body = "<Error><Code>Here is your secret: AKIA</Code></Error>";
  EXPECT_EQ(Refusal(response, "x").message, "x was answered with 403");
  response.status = 301;
  EXPECT_EQ(Refusal(response, "x").code, Code::kFailedPrecondition);
}

TEST(Crypto, Texts) {
  EXPECT_EQ(Base64("\xfb\xff"), "+/8=");
  EXPECT_EQ(Base64Url("\xfb\xff"), "-_8");
  EXPECT_EQ(FromBase64("+/8="), "\xfb\xff");
  EXPECT_EQ(FromBase64("+/8"), "");
  EXPECT_EQ(FromHex("00ff"), std::string("\0\xff", 2));
  EXPECT_EQ(FromHex("0g"), "");
  // RFC 4231, test case 2.
  EXPECT_EQ(HexOf(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  Md5 md5;  // RFC 1321
  md5.Update("a");
  md5.Update("bc");
  EXPECT_EQ(HexOf(md5.Finish()), "900150983cd24fb0d6963f7d28e17f72");
}

}  // namespace
}  // namespace flyball::sources
