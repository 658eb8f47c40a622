#include "net/url.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "net/http.h"

namespace flyball::net {
namespace {

TEST(PercentDecode, RefusesWhatIsAmbiguous) {
  EXPECT_EQ(*PercentDecode("a%2Fb%20c+d", false), "a/b c+d");
  EXPECT_EQ(*PercentDecode("a+b", true), "a b");
  for (const char* bad : {"%", "%4", "%zz", "%00", "a%0D", "%ff", "%1f", "\x01"}) {
    EXPECT_FALSE(PercentDecode(bad, false).has_value()) << bad;
  }
}

TEST(PercentDecode, UndoesPercentEncode) {
  rc::check("decode(encode(x)) == x", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7f));
    RC_ASSERT(*PercentDecode(PercentEncode(text, false), true) == text);
    RC_ASSERT(*PercentDecode(PercentEncode(text, true), false) == text);
  });
}

TEST(ParseTarget, ReadsPathAndParameters) {
  auto target = ParseTarget("/api/v1/x%20y?a=1&b=%26&c");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->path, "/api/v1/x y");
  EXPECT_EQ(target->query["a"], "1");
  EXPECT_EQ(target->query["b"], "&");
  EXPECT_EQ(target->query.count("c"), 1u);
  EXPECT_EQ(ParseTarget("http://host:1/p?q=1")->path, "/p");
  EXPECT_EQ(ParseTarget("http://host")->path, "/");
  EXPECT_EQ(ParseTarget("*")->path, "*");
}

TEST(ParseTarget, RefusesTraversalAndDoubles) {
  for (const char* bad : {"", "x", "/..", "/a/../b", "/a/%2e%2e/b", "/./a", "/a%00", "/a?x=1&x=2",
                          "/a?=1", "/a#b", "/%c0%ae"}) {
    EXPECT_FALSE(ParseTarget(bad).has_value()) << bad;
  }
}

TEST(Hosts, AreTakenApartAndJudged) {
  EXPECT_EQ(HostOf("localhost:8080"), "localhost");
  EXPECT_EQ(HostOf("[::1]:8080"), "::1");
  EXPECT_EQ(HostOf("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(HostOf("localhost:80@evil"), "");
  EXPECT_EQ(HostOf("::1"), "");
  EXPECT_EQ(HostOf("[::1"), "");
  for (const char* good : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(IsLoopback(good)) << good;
  }
  for (const char* bad : {"", "localhost.evil.com", "evil.com", "127.0.0.1.evil.com", "0.0.0.0",
                          "10.0.0.1", "::", "localhost@evil"}) {
    EXPECT_FALSE(IsLoopback(bad)) << bad;
  }
}

TEST(Origins, OfOthersAreSeen) {
  using Headers = std::map<std::string, std::string>;
  EXPECT_TRUE(IsSameOrigin(Headers{{"host", "localhost:8080"}}));
  EXPECT_TRUE(
      IsSameOrigin(Headers{{"host", "localhost:8080"}, {"origin", "http://localhost:8080"}}));
  EXPECT_TRUE(IsSameOrigin(Headers{{"host", "h"}, {"sec-fetch-site", "same-origin"}}));
  EXPECT_FALSE(
      IsSameOrigin(Headers{{"host", "localhost:8080"}, {"origin", "http://localhost:9090"}}));
  EXPECT_FALSE(IsSameOrigin(Headers{{"host", "localhost:8080"}, {"origin", "https://evil.com"}}));
  EXPECT_FALSE(IsSameOrigin(Headers{{"host", "localhost:8080"}, {"origin", "null"}}));
  EXPECT_FALSE(IsSameOrigin(Headers{{"host", "h"}, {"sec-fetch-site", "cross-site"}}));
  EXPECT_FALSE(IsSameOrigin(Headers{{"host", "h"}, {"sec-fetch-site", "same-site"}}));
}

}  // namespace
}  // namespace flyball::net
