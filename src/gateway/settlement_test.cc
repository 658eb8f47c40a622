#include "gateway/settlement.h"

#include <gtest/gtest.h>

#include <string>

namespace flyball::gateway {
namespace {

constexpr std::string_view kStart =
    R"(event: message_start
data: {"type":"message_start","message":{"id":"a","model":"m","usage":{"input_tokens":1,)"
    R"("output_tokens":1,"service_tier":"priority","inference_geo":"us"}}}

)";

ServedAt ServedAtOfStream(const std::string& stream) {
  AnswerMeter meter({Dialect::kAnthropicMessages, true, false});
  std::string out;
  (void)meter.Put(stream, &out);
  EXPECT_FALSE(meter.is_final());
  return ServedAtOf(Dialect::kAnthropicMessages, meter);
}
std::string Delta(const std::string& usage) {
  return "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":" + usage +
         "}\n\n";
}

TEST(ServedAt, IsWhatTheBeginningOfAStreamSaysUnlessItsEndSaysOtherwise) {
  const std::string start(kStart);
  for (const std::string& stream :
       {start, start + Delta(R"({"output_tokens":3})"),
        start + Delta(R"({"output_tokens":3,"service_tier":null})"),
        start + Delta(R"({"output_tokens":"what no one can count"})")}) {
    const ServedAt at = ServedAtOfStream(stream);
    EXPECT_EQ(at.tier, "priority") << stream;
    EXPECT_EQ(at.region, "us") << stream;
  }
  const ServedAt at = ServedAtOfStream(
      start + Delta(R"({"output_tokens":3,"service_tier":"standard","inference_geo":"eu"})"));
  EXPECT_EQ(at.tier, "standard");
  EXPECT_EQ(at.region, "eu");
}

TEST(ServedAt, IsNothingWhereNothingWasSaid) {
  for (const std::string& stream : {std::string(), Delta(R"({"output_tokens":3})")}) {
    const ServedAt at = ServedAtOfStream(stream);
    EXPECT_EQ(at.tier, "");
    EXPECT_EQ(at.region, "");
  }
}

}  // namespace
}  // namespace flyball::gateway
