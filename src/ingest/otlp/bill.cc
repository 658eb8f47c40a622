#include "ingest/otlp/bill.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "base/hash.h"
#include "base/text.h"
#include "ingest/gateway_charges.h"
#include "ingest/otlp/span_log.h"
#include "model/metered_call.h"
#include "os/journal.h"
#include "rates/rate.h"

namespace flyball::otlp {
namespace {

// Ids of answers that the gateway has metered. A month may have millions: 16 bytes of their hash
// each.
class GatewayAnswers {
 public:
  Status Load(os::Files& files, const std::string& path) {
    if (!files.Exists(path)) return {};
    const auto take = [this](uint64_t, std::string_view payload) -> Status {
      const Result<metered::Record> record = metered::Decode(payload);  // damage is told elsewhere
      if (record && record->is_end && record->end.answer_id.size() >= kAnswerIdBytesMin) {
        ids_.push_back(IdOf(record->end.answer_id));
      }
      return {};
    };
    os::JournalReading how;
    how.on_damage = [](uint64_t, uint64_t) { return Status(); };  // told by the gateway's own bill
    FB_CHECK(os::Journal::Read(files, path, take, how));
    return {};
  }
  void Sort() { std::ranges::sort(ids_); }
  bool Has(std::string_view answer_id) const {
    return answer_id.size() >= kAnswerIdBytesMin &&
           std::ranges::binary_search(ids_, IdOf(answer_id));
  }

 private:
  using Id = std::array<uint64_t, 2>;
  static Id IdOf(std::string_view answer_id) {
    const Digest digest = Sha256Of(answer_id);
    Id id;
    std::memcpy(id.data(), digest.data(), sizeof id);
    return id;
  }
  std::vector<Id> ids_;
};

// A vendor's library and an instrumentation around it may each begin a trace of their own; an id
// that names one answer for good tells that it is one call.
using AnswerKey = std::pair<std::array<uint64_t, 2>, std::string>;
AnswerKey KeyOf(const Call& call) {
  const bool is_unique = call.answer_id.size() >= kAnswerIdBytesMin;
  return {is_unique ? std::array<uint64_t, 2>{} : call.id.trace, call.answer_id};
}

// How many hours a span may end before or after one that it is inside of, and still be known to
// tell of the same call; and how many spans may lie between.
constexpr int64_t kRelatedHours = 6;
constexpr int kDepthMax = 16;

// What an hour has that tells that a span is about the call of another. By kinds of calls: a chat
// that looks something up by an embedding is no embedding.
struct Seen {
  Instant hour;
  std::unordered_map<SpanId, unsigned> parents;  // of the calls
  std::unordered_map<SpanId, unsigned> told;     // that are charged, or have such a call above them
  std::set<AnswerKey> answers;                   // that are charged
};

// Whose prices hold. "": whoever has the model.
std::string PriceProvider(const Call& call) {
  if (EqualsIgnoreCase(call.provider, "langchain")) return {};  // a library, and nobody's model
  std::string provider = rates::CanonicalProvider(call.provider);
  // "openai.responses", as the AI SDK says whose API it calls.
  if (EqualsIgnoreCase(provider, call.provider)) {
    provider = rates::CanonicalProvider(provider.substr(0, provider.find('.')));
  }
  return provider;
}

unsigned KindOf(const Call& call) { return call.usage.OutputTokens() > 0 ? 1 : 2; }

// The hours that a month's bill looks at, of what is closed.
Period HoursOf(Instant month, Instant until) {
  return {Instant{month.us - kRelatedHours * kMicrosPerHour},
          std::min(AddMonths(month, 1), FloorHour(until))};
}

// A call lies in the log of the month that it was dispatched in, and its span ends later.
std::vector<std::string> GatewayLogs(const BillOptions& options, Instant month) {
  if (options.gateway_calls_folder.empty()) return {};
  return {ingest::GatewayLogPath(options.gateway_calls_folder, AddMonths(month, -1)),
          ingest::GatewayLogPath(options.gateway_calls_folder, month)};
}

class Maker {
 public:
  Maker(os::Files& files, const BillOptions& options, const rates::PriceBook& book)
      : files_(files), options_(options), book_(book) {}
  Result<Bill> Make(const std::string& month);

 private:
  Status LoadGateway(Instant month);
  Status AddHour(Instant hour, bool counts);
  Status AddCall(const Call& call, bool counts);
  bool IsGateways(const Call& call) const;
  bool IsDouble(const Call& call) const;
  bool IsBelowTold(const Call& call) const;
  Result<rates::Rated> Rate(const Call& call, std::string* model, std::string* tier) const;
  Status AddNothing(Instant month);
  void CountUnpriced(const Call& call, const Error& why);

  os::Files& files_;
  const BillOptions& options_;
  const rates::PriceBook& book_;
  GatewayAnswers gateway_;
  std::deque<Seen> seen_;  // the hour at hand last
  // Of its calls that have one: the parent, and the kind.
  std::unordered_map<SpanId, std::pair<uint64_t, unsigned>> above_;
  ingest::ChargeRows rows_;
  std::map<std::string, int64_t> unpriced_;
  Bill bill_;
};

Status Maker::LoadGateway(Instant month) {
  for (const std::string& path : GatewayLogs(options_, month)) {
    FB_CHECK(gateway_.Load(files_, path));
  }
  gateway_.Sort();
  return {};
}

bool Maker::IsGateways(const Call& call) const {
  const auto& addresses = options_.gateway_addresses;
  return std::ranges::find(addresses, call.server) != addresses.end() ||
         gateway_.Has(call.answer_id);
}

bool Maker::IsDouble(const Call& call) const {
  for (const Seen& seen : seen_) {
    const auto found = seen.parents.find(call.id);
    if (found != seen.parents.end() && (found->second & KindOf(call)) != 0) return true;
  }
  if (IsBelowTold(call)) return true;
  return !call.answer_id.empty() && std::ranges::any_of(seen_, [&](const Seen& seen) {
    return seen.answers.contains(KeyOf(call));
  });
}

// Of spans within one hour the inner one is charged. One that ended in an earlier hour was charged
// before its children were known: then it stays, and they are left out.
bool Maker::IsBelowTold(const Call& call) const {
  SpanId above{call.id.trace, call.parent};
  for (int depth = 0; above.span != 0 && depth < kDepthMax; ++depth) {
    for (const Seen& seen : seen_) {
      if (seen.hour == seen_.back().hour) break;
      const auto told = seen.told.find(above);
      if (told != seen.told.end() && told->second == KindOf(call)) return true;
    }
    const auto here = above_.find(above);
    if (here == above_.end() || here->second.second != KindOf(call)) return false;
    above.span = here->second.first;
  }
  return false;
}

// By the model that answered, or the one that was asked for where the book knows only that.
Result<rates::Rated> Maker::Rate(const Call& call, std::string* model, std::string* tier) const {
  rates::RateOptions options;
  if (!call.tier.empty()) options.tier = FB_TRY(rates::ParseTier(call.tier));
  *tier = rates::TierName(options.tier);
  const std::string provider = PriceProvider(call);
  rates::PriceQuery query{provider, call.answered, call.end, {}};
  if (call.answered.empty() || (!call.model.empty() && !book_.Find(query))) {
    query.model = call.model;
  }
  *model = query.model;
  return rates::Rate(book_, query, call.usage, options);
}

void Maker::CountUnpriced(const Call& call, const Error& why) {
  ++bill_.unpriced;
  const std::string& model = call.answered.empty() ? call.model : call.answered;
  ++unpriced_[fmt::format("{}/{}: {}", call.provider, model, why.message)];
}

// A call that does not count is only looked at for what it tells of those after it.
Status Maker::AddCall(const Call& call, bool counts) {
  if (IsGateways(call)) {
    bill_.gateway += counts ? 1 : 0;
    return {};
  }
  if (IsDouble(call)) {
    if (IsBelowTold(call)) seen_.back().told[call.id] = KindOf(call);
    bill_.doubles += counts ? 1 : 0;
    return {};
  }
  metered::Dispatch dispatch;
  metered::End end;
  const Result<rates::Rated> rated = Rate(call, &end.model, &end.tier);
  if (!rated) {
    if (counts) CountUnpriced(call, rated.error());
    return {};
  }
  seen_.back().told[call.id] = KindOf(call);
  if (!call.answer_id.empty()) seen_.back().answers.insert(KeyOf(call));
  if (!counts) return {};
  dispatch.at = call.end;
  dispatch.upstream = kSource;
  dispatch.provider = PriceProvider(call);
  if (dispatch.provider.empty()) {
    dispatch.provider = rates::CanonicalProvider(rated->hit.model->provider);
  }
  dispatch.team = call.team;
  dispatch.project = call.project;
  dispatch.use_case = call.use_case;
  dispatch.tags = call.tags;
  dispatch.currency = rated->currency;
  end.basis = metered::Basis::kReported;
  for (const rates::RateLine& line : rated->lines) {
    if (line.meter == Bucket::kRequests && line.cost.is_zero()) continue;  // free as everywhere
    end.lines.push_back({line.meter, line.quantity, line.unit_price.price, line.cost});
  }
  ++bill_.calls;
  return rows_.Add(dispatch, end);
}

Status Maker::AddHour(Instant hour, bool counts) {
  const std::vector<Call> calls =
      FB_TRY(ReadSpanLog(files_, SpanLogPath(options_.spans_folder, hour)));
  std::erase_if(seen_, [hour](const Seen& seen) {
    return seen.hour.us < hour.us - kRelatedHours * kMicrosPerHour;
  });
  // Answers have many bytes, and two that tell of one end at nearly the same time.
  if (seen_.size() > 1) seen_[seen_.size() - 2].answers.clear();
  Seen& now = seen_.emplace_back(Seen{.hour = hour, .parents = {}, .told = {}, .answers = {}});
  above_.clear();
  for (const Call& call : calls) {
    if (call.parent == 0) continue;
    now.parents[{call.id.trace, call.parent}] |= KindOf(call);
    above_[call.id] = {call.parent, KindOf(call)};
  }
  for (const Call& call : calls) FB_CHECK(AddCall(call, counts));
  return {};
}

Status Maker::AddNothing(Instant month) {
  metered::Dispatch dispatch;
  dispatch.at = month;
  dispatch.upstream = dispatch.provider = dispatch.model = kSource;
  dispatch.currency = "USD";
  metered::End end;
  end.basis = metered::Basis::kReported;
  end.lines.push_back({Bucket::kRequests, 0, {}, {}});
  return rows_.Add(dispatch, end);
}

Result<Bill> Maker::Make(const std::string& month) {
  bill_.month = month;
  const Instant start = FB_TRY(ParseUserInstant(month));
  const Period period{start, AddMonths(start, 1)};
  FB_CHECK(LoadGateway(start));
  const std::vector<Instant> hours =
      FB_TRY(SpanLogHours(files_, options_.spans_folder, HoursOf(start, options_.until)));
  for (const Instant hour : hours) FB_CHECK(AddHour(hour, hour >= start));
  bill_.rows = rows_.size();
  if (bill_.rows == 0) FB_CHECK(AddNothing(start));
  bill_.csv = rows_.Csv(period);
  bill_.unpriced_models.assign(unpriced_.begin(), unpriced_.end());
  std::ranges::sort(bill_.unpriced_models, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (bill_.unpriced_models.size() > kUnpricedShownMax) {
    bill_.unpriced_models.resize(kUnpricedShownMax);
  }
  return std::move(bill_);
}

}  // namespace

Result<std::string> BillInputs(os::Files& files, const BillOptions& options,
                               const std::string& month) {
  const Instant start = FB_TRY(ParseUserInstant(month));
  std::vector<std::string> paths = GatewayLogs(options, start);
  const std::vector<Instant> hours =
      FB_TRY(SpanLogHours(files, options.spans_folder, HoursOf(start, options.until)));
  for (const Instant hour : hours) paths.push_back(SpanLogPath(options.spans_folder, hour));
  // They only grow.
  std::string text = fmt::format("format {}\n", ingest::kChargesFormat);
  for (const std::string& path : paths) {
    if (!files.Exists(path)) continue;
    text += fmt::format("{} {}\n", path, FB_TRY(files.Size(path)));
  }
  for (const std::string& address : options.gateway_addresses) text += address + "\n";
  return Sha256Hex(text);
}

Result<Bill> MakeBill(os::Files& files, const BillOptions& options, const rates::PriceBook& book,
                      const std::string& month) {
  return Maker(files, options, book).Make(month);
}

}  // namespace flyball::otlp
