// What one attempt of an LLM call was and cost: the records of the gateway's call log, from which
// the ledger's charges are made.
//
// An attempt has a *dispatch* record, written before its first byte leaves, and an *end* record.
// One without an end (the process died) counts at its bound until the vendor's bill says better.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/usage.h"

namespace flyball::metered {

struct Dispatch {
  uint64_t id = 0;  // hold::CallId of the attempt
  Instant at;
  int attempt = 1;  // of its call: 1, 2, ...
  std::string upstream, provider, region, dialect;
  std::string model;  // as asked for
  std::string key, team, project, use_case, end_customer;
  std::vector<std::pair<std::string, std::string>> tags;
  bool stream = false;
  Money bound;  // the most that it can cost
  std::string currency;
  // What the bound has counted: the service tiers ("standard,priority"), and whether every place
  // that has prices of its own, or the region alone. "": nobody has said, in older records.
  std::string tiers;
  bool anywhere = false;
  bool operator==(const Dispatch&) const = default;
};

enum class Basis : uint8_t {
  kExact,     // the vendor's usage at the book's prices
  kBound,     // the usage is not known: charged at the bound
  kRefused,   // the vendor refused it before any work: nothing
  kNotSent,   // it never left
  kReported,  // the usage that the application's own telemetry states, at the book's prices
  kDeclared,  // the vendor's usage, at what `missing_price` declares of a model without a price
};
std::string_view BasisName(Basis basis);
// Whether it was settled by the vendor's usage, line by line.
inline bool IsSettled(Basis basis) { return basis == Basis::kExact || basis == Basis::kDeclared; }

struct Line {
  Bucket meter{};
  int64_t quantity = 0;
  Money unit_price;  // for Info(meter).per
  Money cost;
  bool operator==(const Line&) const = default;
};

struct End {
  uint64_t id = 0;
  Instant at;
  Basis basis = Basis::kExact;
  int status = 0;         // of the vendor's answer; 0: none came
  std::string answer_id;  // the vendor's
  std::string model;      // that answered, as the vendor names it
  std::string tier;       // that it was served at
  std::string region;     // that the answer names itself; "": the dispatch's
  Money cost;             // the sum of the lines, or the bound
  std::vector<Line> lines;
  bool operator==(const End&) const = default;
};

// Where a call was served, for its prices.
inline const std::string& RegionOf(const Dispatch& dispatch, const End& end) {
  return end.region.empty() ? dispatch.region : end.region;
}

// Tags as a JSON object; "" when there are none.
std::string TagsJson(const Dispatch& dispatch);

// One JSON object a record. DecodeX: DATA_LOSS names what is wrong with it.
std::string Encode(const Dispatch& dispatch);
std::string Encode(const End& end);
struct Record {
  bool is_end = false;
  Dispatch dispatch;
  End end;
};
Result<Record> Decode(std::string_view json);

}  // namespace flyball::metered
