#include "watch/service_rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/text.h"

namespace flyball::watch {
namespace {

template <typename Reader>
auto ReadText(std::string_view text, Reader reader = {}) -> decltype(reader.Finish()) {
  for (const std::string_view line : SplitText(text, '\n')) {
    if (line.empty()) continue;
    FB_CHECK(reader.Read(SplitText(line, ',')));
  }
  return reader.Finish();
}
Result<ServiceRows> Metrics(std::string_view text) { return ReadText<ServiceMetricsReader>(text); }
Result<CallGraph> Graph(std::string_view text) { return ReadText<CallGraphReader>(text); }

TEST(ServiceRows, LongFormInAnyOrder) {
  const auto rows = Metrics(
      "metric,value,timestamp,node\n"
      "latency,0.5,120,cart\n"
      "requests,7,60,cart\n"
      "cpu,12,60,cart\n"
      "LATENCY,0.25,60,cart\n"
      "availability,,60,page\n");
  ASSERT_TRUE(rows.has_value()) << rows.error().message;
  EXPECT_EQ(rows->table.rows, 2u);
  EXPECT_EQ(rows->times, (std::vector<Instant>{{60'000'000}, {120'000'000}}));
  const NodeMetrics& cart = rows->table.nodes.at("cart");
  EXPECT_EQ(cart.latency, (std::vector<double>{0.25, 0.5}));
  EXPECT_EQ(cart.requests[0], 7);
  EXPECT_TRUE(std::isnan(cart.requests[1]));
  EXPECT_TRUE(std::isnan(rows->table.nodes.at("page").availability[0]));
  EXPECT_EQ(rows->ignored, std::set<std::string>{"cpu"});
}

TEST(ServiceRows, WideFormTakesOneStatisticOfEach) {
  const auto rows = Metrics(
      "service,cart,cart,page,page,cart,page\n"
      "metric,latency,latency,latency,latency,requests,requests\n"
      "statistic,p99,Average,p99,Average,Sum,Sum\n"
      "unix_timestamp,,,,,,\n"
      "360.0,9,0.2,9,0.4,5,6\n"
      "60.0,9,0.1,9,,5,6\n");
  ASSERT_TRUE(rows.has_value()) << rows.error().message;
  EXPECT_EQ(rows->table.nodes.at("cart").latency, (std::vector<double>{0.1, 0.2}));
  EXPECT_TRUE(std::isnan(rows->table.nodes.at("page").latency[0]));
  EXPECT_EQ(rows->statistics[0], "average");
  EXPECT_EQ(rows->statistics[2], "sum");
}

TEST(ServiceRows, WideFormWithoutStatistics) {
  const auto rows = Metrics("node,cart,page\nmetric,latency,disk\n60,0.1,3\n");
  ASSERT_TRUE(rows.has_value()) << rows.error().message;
  EXPECT_EQ(rows->table.nodes.size(), 1u);
  EXPECT_EQ(rows->ignored, std::set<std::string>{"disk"});
}

TEST(ServiceRows, SplitsAtATime) {
  auto rows =
      Metrics("timestamp,node,metric,value\n60,a,latency,1\n120,a,latency,2\n180,a,latency,3\n");
  ASSERT_TRUE(rows.has_value());
  const ServiceRows later = SplitRows(&*rows, Instant{120'000'000});
  EXPECT_EQ(rows->table.rows, 1u);
  EXPECT_EQ(later.table.rows, 2u);
  EXPECT_EQ(later.table.nodes.at("a").latency, (std::vector<double>{2, 3}));
  EXPECT_EQ(rows->table.nodes.at("a").latency, (std::vector<double>{1}));
}

TEST(ServiceRows, RefusesWhatCannotBeMeant) {
  constexpr std::string_view kLong = "timestamp,node,metric,value\n";
  for (const std::string_view bad :
       {"60,a,latency,fast", "soon,a,latency,1", "60,a,latency,-1", "60,a,availability,100.5",
        "60,,latency,1", "60,a,latency,inf", "60,a,latency", "60,a,latency,1\n60,a,latency,2",
        "60,a,availability,0.99",  // a share of 1
        "60,a,cpu,1",              // nothing that is looked at
        ""}) {
    EXPECT_FALSE(Metrics(std::string(kLong) + std::string(bad)).has_value()) << bad;
  }
  for (const std::string_view bad :
       {"a,b\nc,d\n", "s,a,a\nmetric,latency,latency\n60,1,2\n", "s,a\nmetric,cpu\n60,1\n",
        "s,a\nmetric,latency\n60,1\n60,2\n", "s,a\nmetric,latency\nlater,1\n",
        "s,a\nmetric,latency\n", ""}) {
    EXPECT_FALSE(Metrics(bad).has_value()) << bad;
  }
}

TEST(ServiceRows, GraphsOfBothForms) {
  const CallGraph expected = {{"cart", {"stock"}}, {"page", {"cart", "stock"}}, {"stock", {}}};
  EXPECT_EQ(*Graph("callee,caller\ncart,page\nstock,page\nstock,cart\nstock,cart\n"), expected);
  EXPECT_EQ(*Graph(",page,cart,stock\npage,0.0,1.0,1.0\ncart,0,0,2\nstock,0,,0\n"), expected);
  for (const std::string_view bad : {"", "from,to\na,b\n", ",a,a\na,1,0\n", ",a,b\na,0,1\na,0,1\n",
                                     ",a\na,yes\n", "caller,callee\na\n", "caller,callee\na,\n"}) {
    EXPECT_FALSE(Graph(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace flyball::watch
