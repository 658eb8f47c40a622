// A mock vendor: speaks the dialects of the gateway's upstreams over HTTP/1.1, behaves by a script,
// and keeps the exact invoice of what it generated, so that tests can compare to the last token
// what was billed with what the gateway settled. One thread, over streams that it is given.
//
// - mock_request.h: what it understands of a request
// - mock_script.h: how it behaves
// - mock_answer.h: what it says
//
// GET /mock/invoice tells what was billed; with ?requests=0 only the sums, with ?provider=openai or
// anthropic only what that vendor's API was asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "gateway/mock_answer.h"
#include "gateway/mock_script.h"
#include "net/stream.h"
#include "net/timers.h"

namespace flyball::gateway {

struct MockBill {
  std::string id;
  std::string client_id;  // the request's x-client-request-id
  std::string model;
  MockDialect dialect = MockDialect::kChat;
  bool stream = false;
  bool complete = false;  // false: the client left, or the connection was reset
  Instant at;             // when it was asked
  MockUsage usage;
  bool tells_tier = true;
};

class MockInvoice {
 public:
  void Add(MockBill bill);
  // Of one provider ("openai", "anthropic"), or of all ("").
  std::string ToJson(bool with_requests, std::string_view provider = "") const;
  uint64_t requests() const { return requests_; }
  const std::vector<MockBill>& bills() const { return bills_; }

 private:
  std::vector<MockBill> bills_;  // the first kMockBillsMax
  struct Sum {
    uint64_t requests = 0;
    MockUsage usage;
  };
  std::map<std::pair<std::string, std::string_view>, Sum> sums_;  // by model and provider
  uint64_t requests_ = 0;
};
inline constexpr size_t kMockBillsMax = 1'000'000;
inline constexpr size_t kMockRequestMaxBytes = 64u << 20;

class MockVendor {
 public:
  MockVendor(MockScript script, net::TimerWheel& timers, Clock& clock);
  ~MockVendor();
  MockVendor(const MockVendor&) = delete;
  MockVendor& operator=(const MockVendor&) = delete;
  void Accept(std::unique_ptr<net::Stream> stream);
  const MockInvoice& invoice() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flyball::gateway
