// Match: a vendor's bill beside the gateway's calls, by vendor, UTC day, model and currency. Pure:
// facts in, a report out.
//
// Each difference is explained from evidence, in parts that add up to it exactly:
//
// - a bill that names answers (by the vendor's id) is matched call by call; what has no id is
//   paired by time with calls that failed before an id was known;
// - a bill that only has sums is compared meter by meter; calls at their bound take what it has
//   beyond the exact ones, since nothing else of ours can be wrong by so much.
//
// Where a day is over and covered by the bill, the report carries the evidence that brings our
// charges to the bill's to the last digit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "reconcile/evidence.h"

namespace flyball::reconcile {

struct CallFact {
  metered::Dispatch dispatch;
  metered::End end;
  bool ended = true;
};

struct BillLine {
  std::string place;  // where it stands: "request 3 of invoice.json", "charge 12"
  std::string vendor, model, currency;
  Instant at;
  std::string answer_id;             // the vendor's, where the bill tells calls apart
  std::string meter;                 // a bucket's name; "": the bill does not tell
  std::optional<Quantity> quantity;  // of the meter, or of all tokens
  Money cost;
  std::vector<metered::Line> lines;  // of one call: all of its usage
  bool assumed = false;              // the service tier of its price, which nobody told
  // Then, what the same usage costs at the dearer tiers and places that have prices, cheapest
  // first.
  struct Rating {
    Money cost;
    std::vector<metered::Line> lines;
    // Where it was served, as far as nobody has told: "" and nothing where it was told.
    std::string tier;
    std::optional<std::string> region;
  };
  std::vector<Rating> dearer;
};

// Where a line of a bill belongs, as KeyOf says it of a call.
inline Key KeyOf(const BillLine& line) {
  return {line.vendor, FloorDay(line.at), line.model, line.currency};
}

struct Bill {
  std::string name;
  std::string sha256;
  bool in_ledger = false;  // its charges count in the ledger by themselves
  // The days that it covers, of each vendor whose bill it is.
  std::map<std::string, std::vector<Period>> days;
  std::vector<BillLine> lines;
  bool by_book = false;  // it states no costs: they are the price book's

  bool Covers(const std::string& vendor, Instant day) const {
    const auto found = days.find(vendor);
    return found != days.end() && std::ranges::any_of(found->second, [day](const Period& period) {
             return period.Contains(day);
           });
  }
};

enum class Reason : uint8_t {
  kEqual,
  kBound,          // we counted calls at their bound, and the bill says what they cost
  kNotBilled,      // calls of ours that the bill does not have
  kUnseen,         // calls of the bill that we never saw
  kRefusedBilled,  // calls that failed or were refused, and are billed all the same
  kUsage,          // the same call with other quantities
  kPrice,          // the same quantities at another price
  kRounding,       // within half a digit of what the bill states
  kMidnight,       // the vendor counts it in the neighbouring day
  kOtherModel,     // the vendor bills it under another model
  kOtherCurrency,  // billed in another currency
  kNoBill,         // the bill does not cover it
};
std::string_view ReasonName(Reason reason);

struct Part {
  Reason reason{};
  Money amount;       // what it adds to ours
  int64_t count = 0;  // calls or charges
};

// One call, one charge, or both where they belong together.
struct Trace {
  std::optional<uint64_t> call;
  std::string charge;
  Money ours, theirs;
  Reason reason{};
};

struct Group {
  Key key;
  int64_t calls = 0;    // dispatched attempts
  int64_t open = 0;     // of these, not yet ended
  int64_t charges = 0;  // lines of the bill
  Money ours;           // as the gateway settled it
  Money theirs;
  Money applied;            // what evidence that was applied adds to ours in the ledger
  std::vector<Part> parts;  // they sum to theirs - ours; empty: equal
  bool covered = false;     // by the bill
  bool over = false;        // the day has ended, and all calls of it, of whatever model
  std::vector<Trace> traces;
  // What applying the bill writes down.
  std::optional<Evidence> evidence;
  // theirs - (ours + applied)
  Money left() const { return Money::FromUnits(theirs.units() - ours.units() - applied.units()); }
};

// Groups by key. OUT_OF_RANGE: a sum leaves 38 digits.
Result<std::vector<Group>> Match(std::span<const CallFact> calls, const Bill& bill,
                                 const EvidenceByKey& known, Instant now);

}  // namespace flyball::reconcile
