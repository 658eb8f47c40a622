#include "gateway/body_edit.h"

#include <gtest/gtest.h>

#include "gateway/call_facts.h"

namespace flyball::gateway {
namespace {

TEST(BodyEdit, ChangesNothingElse) {
  EXPECT_EQ(WithMember(" { }", "a", "1").value(), R"( {"a":1 })");
  EXPECT_EQ(WithMember(R"({"b":2})", "a", "1").value(), R"({"a":1,"b":2})");
  EXPECT_EQ(WithIncludeUsage(R"({"model":"m"})").value(),
            R"({"stream_options":{"include_usage":true},"model":"m"})");
  EXPECT_EQ(WithIncludeUsage(R"({"model":"m", "stream_options" : null ,"x":"é"})").value(),
            R"({"model":"m", "stream_options" : {"include_usage":true} ,"x":"é"})");
  const std::string kept =
      WithIncludeUsage(
          R"({"stream_options": {"include_usage":false,"include_obfuscation":true} ,"model":"m"})")
          .value();
  EXPECT_EQ(
      kept,
      R"({"stream_options": {"include_usage":true,"include_obfuscation":true} ,"model":"m"})");
  EXPECT_TRUE(ReadCall(Dialect::kOpenAiChat, kept)->asks_usage);
}

TEST(BodyEdit, ANullIsReplacedWhereItStands) {
  EXPECT_EQ(WithMember(R"({"x":{"a":null},"a" : null })", "a", "1").value(),
            R"({"x":{"a":null},"a" : 1 })");
  EXPECT_EQ(WithMember(R"({"\u0061":null,"b":"é"})", "a", "1").value(), R"({"\u0061":1,"b":"é"})");
}

}  // namespace
}  // namespace flyball::gateway
