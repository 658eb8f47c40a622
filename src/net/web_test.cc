#include "net/web.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "net/http.h"

namespace flyball::net {
namespace {

// What is asked in clear text is on this machine; a proxy would have been told the key.
TEST(Web, ClearTextGoesToNoProxy) {
  const auto answering = [](std::string_view who) {
    return Server::Start({},
                         [who](const Request& request) {
                           Response response;
                           response.body =
                               std::string(who) + " " + request.headers.at("authorization");
                           return response;
                         },
                         {}, {});
  };
  const auto meant = answering("meant");
  const auto proxy = answering("proxy");
  ASSERT_TRUE(meant && proxy);
  const std::string variable = "http://127.0.0.1:" + std::to_string((*proxy)->port());
  setenv("http_proxy", variable.c_str(), 1);
  WebClient client({});
  const auto answer =
      client.Fetch({.method = "GET",
                    .url = "http://127.0.0.1:" + std::to_string((*meant)->port()) + "/",
                    .headers = {{"Authorization", "secret"}},
                    .body = {}},
                   {});
  unsetenv("http_proxy");
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->body, "meant secret");
}

}  // namespace
}  // namespace flyball::net
