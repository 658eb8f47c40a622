// AWS Signature Version 4 of requests without a body (docs.aws.amazon.com, "Signature Calculations
// for the Authorization Header").
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "net/web.h"

namespace flyball::sources {

struct AwsKey {
  std::string id, secret;
  std::string session_token;  // of temporary credentials; else empty
};

struct UnsignedGet {
  std::string scheme_and_host;                 // "https://bucket.s3.eu-west-1.amazonaws.com"
  std::string path;                            // encoded, begins with '/'
  std::map<std::string, std::string> query;    // not encoded
  std::map<std::string, std::string> headers;  // names in lower case, beside those of the signature
};

// "20130524T000000Z"
std::string AwsTime(Instant instant);
net::WebRequest SignGet(const UnsignedGet& get, const AwsKey& key, std::string_view region,
                        Instant now);

}  // namespace flyball::sources
