#include "reconcile/bill.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "rates/rate.h"

namespace flyball::reconcile {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kNoModel = "(none)";

std::unexpected<Error> BadRequest(const std::string& place, std::string_view what) {
  return Fail(Code::kInvalidArgument, fmt::format("{} {}", place, what),
              "each request has 'id', 'model', 'at' and 'usage' with counts by bucket");
}

std::string TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string FirstOf(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return {};
}

Result<Usage> UsageOf(const Json& request, const std::string& place) {
  const auto found = request.find("usage");
  if (found == request.end() || !found->is_object()) return BadRequest(place, "has no usage");
  Usage usage;
  for (const auto& [name, count] : found->items()) {
    const std::optional<Bucket> bucket = BucketByName(name);
    if (!bucket || !count.is_number_integer()) {
      return BadRequest(place, "has a usage of '" + name + "', which is no bucket or no count");
    }
    FB_CHECK(usage.Add(*bucket, count.get<int64_t>()));
  }
  FB_CHECK(usage.Add(Bucket::kRequests, 1));
  return usage;
}

// Where our calls of a vendor were served.
class Served {
 public:
  Served(std::span<const CallFact> calls, const std::string& vendor) {
    std::set<std::string> regions;
    for (const CallFact& call : calls) {
      if (rates::CanonicalProvider(call.dispatch.provider) != vendor) continue;
      dispatched_.insert(call.dispatch.region);
      regions.insert(metered::RegionOf(call.dispatch, call.end));
      if (!call.end.answer_id.empty()) by_answer_.try_emplace(call.end.answer_id, &call);
    }
    if (regions.size() == 1) region_ = *regions.begin();
  }
  // Null: the answer is none that we know.
  const CallFact* Find(std::string_view answer_id) const {
    const auto found = by_answer_.find(answer_id);
    return found == by_answer_.end() ? nullptr : found->second;
  }
  const std::string& region() const { return region_; }
  // Where their upstreams are.
  const std::set<std::string>& dispatched() const { return dispatched_; }

 private:
  std::unordered_map<std::string_view, const CallFact*> by_answer_;
  std::string region_;  // that all have
  std::set<std::string> dispatched_;
};

BillLine::Rating RatingOf(const rates::Rated& rated) {
  BillLine::Rating rating{rated.total, {}, {}, {}};
  for (const rates::RateLine& each : rated.lines) {
    if (each.meter == Bucket::kRequests && each.cost.is_zero()) continue;  // free as everywhere
    rating.lines.push_back({each.meter, each.quantity, each.unit_price.price, each.cost});
  }
  return rating;
}

// What nobody has told of where a request was served.
struct Untold {
  bool tier = false, region = false;
};

// At every tier, and in every region, that may have been the one, where that is dearer.
std::vector<BillLine::Rating> DearerThan(const rates::Rated& assumed, const rates::PriceBook& book,
                                         const rates::PriceQuery& query, const Usage& usage,
                                         Untold untold, rates::ServiceTier told,
                                         const Served& served) {
  using rates::ServiceTier;
  std::set<std::string_view> regions = {query.region};
  if (untold.region) {
    regions.insert(served.dispatched().begin(), served.dispatched().end());
    for (const rates::RegionPrices& prices : assumed.hit.model->regions) {
      regions.insert(prices.region);
    }
  }
  std::vector<ServiceTier> tiers = {told};
  if (untold.tier) tiers = {ServiceTier::kStandard, ServiceTier::kPriority, ServiceTier::kFast};
  std::vector<BillLine::Rating> dearer;
  for (const std::string_view region : regions) {
    rates::PriceQuery there = query;
    there.region = region;
    for (const ServiceTier tier : tiers) {
      const Result<rates::Rated> rated = rates::Rate(book, there, usage, {.tier = tier});
      if (!rated || rated->currency != assumed.currency || rated->total <= assumed.total) continue;
      BillLine::Rating& rating = dearer.emplace_back(RatingOf(*rated));
      if (untold.tier) rating.tier = rates::TierName(tier);
      if (untold.region) rating.region = region;
    }
  }
  std::ranges::sort(dearer, {}, &BillLine::Rating::cost);
  return dearer;
}

Result<BillLine> RequestLine(const Json& request, const std::string& place,
                             const std::string& vendor, const rates::PriceBook& book,
                             const Served& served) {
  if (!request.is_object()) return BadRequest(place, "is no object");
  BillLine line;
  line.place = place;
  line.vendor = vendor;
  line.model = TextOf(request, "model");
  line.answer_id = TextOf(request, "id");
  if (line.model.empty() || line.answer_id.empty()) return BadRequest(place, "has no id or model");
  ParsedInstant at;
  if (!ParseInstant(TextOf(request, "at"), &at)) return BadRequest(place, "has no time 'at'");
  line.at = at.instant;
  const Usage usage = FB_TRY(UsageOf(request, place));
  const CallFact* call = served.Find(line.answer_id);
  const std::string tier = FirstOf({TextOf(request, "tier"), call ? call->end.tier : ""});
  rates::RateOptions options;
  line.assumed = tier.empty();
  if (!line.assumed) options.tier = FB_TRY(rates::ParseTier(tier));
  const std::string stated =
      FirstOf({TextOf(request, "region"), call ? call->end.region : std::string()});
  const std::string region = FirstOf({stated, call ? call->dispatch.region : served.region()});
  const rates::PriceQuery query{vendor, line.model, line.at, region};
  const rates::Rated rated = FB_TRY(rates::Rate(book, query, usage, options));
  line.currency = rated.currency;
  BillLine::Rating rating = RatingOf(rated);
  line.cost = rating.cost;
  line.lines = std::move(rating.lines);
  // A settled call was priced where its answer, or else its upstream, said.
  const bool exact = call != nullptr && metered::IsSettled(call->end.basis);
  const Untold untold{line.assumed, stated.empty() && !exact};
  if (untold.tier || untold.region) {
    line.dearer = DearerThan(rated, book, query, usage, untold, options.tier, served);
  }
  return line;
}

// One row of charges, by the names of columns.
class ChargeRow {
 public:
  ChargeRow(std::span<const std::string> columns, const Cells& cells)
      : columns_(columns), cells_(cells) {}
  std::string Text(std::string_view column) const {
    const auto found = std::ranges::find(columns_, column);
    if (found == columns_.end()) return {};
    return cells_[static_cast<size_t>(found - columns_.begin())].value_or("");
  }

 private:
  std::span<const std::string> columns_;
  const Cells& cells_;
};

// The bucket that a charge is about: by its meter, or by what the 1.5 draft says of tokens.
std::string MeterOf(const ChargeRow& row, const Json& details) {
  std::string meter = ToLower(row.Text("SkuMeter"));
  if (BucketByName(meter)) return meter;
  const std::string direction = TextOf(details, "TokenDirection");
  const std::string action = TextOf(details, "TokenCacheAction");
  if (direction == "Output") return std::string(Info(Bucket::kOutput).name);
  if (direction != "Input") return {};
  return std::string(Info(action == "Read" ? Bucket::kCacheRead : Bucket::kInput).name);
}

Result<BillLine> ChargeLine(const ChargeRow& row, const std::string& place) {
  BillLine line;
  line.place = place;
  line.vendor = rates::CanonicalProvider(
      FirstOf({row.Text("ServiceProviderName"), row.Text("ProviderName")}));
  const Json details = Json::parse(row.Text("SkuPriceDetails"), nullptr, false);
  const Json known = details.is_object() ? details : Json::object();
  line.model = FirstOf(
      {row.Text("x_Model"), TextOf(known, "ModelId"), row.Text("model"), std::string(kNoModel)});
  line.currency = row.Text("BillingCurrency");
  ParsedInstant at;
  if (!ParseInstant(row.Text("ChargePeriodStart"), &at)) {
    return Fail(Code::kInvalidArgument, place + " has no ChargePeriodStart");
  }
  line.at = at.instant;
  line.answer_id = row.Text("x_RequestId");
  line.meter = MeterOf(row, known);
  if (const std::string quantity = row.Text("ConsumedQuantity"); !quantity.empty()) {
    line.quantity = FB_TRY(Quantity::Parse(quantity));
  }
  line.cost = FB_TRY(Money::Parse(row.Text("BilledCost")));
  return line;
}

}  // namespace

void CoverDaysOfLines(Bill* bill) {
  bill->days.clear();
  std::map<std::string, std::set<Instant>> days;
  for (const BillLine& line : bill->lines) days[line.vendor].insert(FloorDay(line.at));
  for (const auto& [vendor, starts] : days) {
    std::vector<Period>& stretches = bill->days[vendor];
    for (const Instant start : starts) {
      const Period day{start, Instant{start.us + kMicrosPerDay}};
      const bool goes_on =
          !stretches.empty() &&
          FloorMonth(start) <= AddMonths(FloorMonth(Instant{stretches.back().end.us - 1}), 1);
      if (!goes_on) stretches.push_back(day);
      stretches.back().end = day.end;
    }
  }
}

bool IsInvoice(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return false;
  const Json json = Json::parse(text, nullptr, false);
  return json.is_object() && json.contains("requests") && json["requests"].is_array();
}

Result<std::vector<BillLine>> ReadInvoice(std::string_view text, const std::string& name,
                                          const std::string& vendor, const rates::PriceBook& book,
                                          std::span<const CallFact> calls) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("requests") || !json["requests"].is_array()) {
    return Fail(Code::kInvalidArgument, "'" + name + "' is no invoice with 'requests'");
  }
  if (const auto left = json.find("requests_left_off"); left != json.end() && *left != 0) {
    return Fail(Code::kInvalidArgument,
                "'" + name + "' leaves requests off, so that it can't be compared");
  }
  const Served served(calls, vendor);
  std::vector<BillLine> lines;
  for (const Json& request : json["requests"]) {
    lines.push_back(FB_TRY(RequestLine(
        request, fmt::format("request {} of {}", lines.size() + 1, name), vendor, book, served)));
  }
  return lines;
}

Result<std::vector<BillLine>> ReadCharges(std::span<const std::string> columns,
                                          std::span<const Cells> rows, const std::string& name,
                                          int64_t first_number) {
  std::vector<BillLine> lines;
  for (const Cells& cells : rows) {
    const ChargeRow row(columns, cells);
    const std::string place = fmt::format("charge {} of {}", first_number++, name);
    if (row.Text("x_Confidence") == "estimate") continue;
    lines.push_back(FB_TRY(ChargeLine(row, place)));
  }
  return lines;
}

}  // namespace flyball::reconcile
