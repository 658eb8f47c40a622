#include "ingest/gateway_charges.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "base/hash.h"
#include "base/text.h"
#include "ingest/gateway_stand.h"
#include "ledger/history.h"
#include "model/metered_call.h"
#include "os/journal.h"
#include "reconcile/evidence.h"

namespace flyball::ingest {
namespace {

constexpr std::string_view kPrefix = "calls-";
constexpr std::string_view kSuffix = ".journal";
constexpr std::string_view kEvidencePrefix = "evidence-";
constexpr std::string_view kEndCustomerTag = "end_customer";

constexpr int64_t kLongestMonthUs = 31 * kMicrosPerDay;

constexpr std::string_view kHeader =
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
    "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeFrequency,"
    "ChargeDescription,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,ListUnitPrice,"
    "ContractedUnitPrice,PricingCategory,ServiceProviderName,HostProviderName,InvoiceIssuerName,"
    "ServiceName,ServiceCategory,ServiceSubcategory,SkuId,SkuMeter,SkuPriceId,SkuPriceDetails,"
    "RegionId,BillingAccountId,BillingAccountName,CredentialId,Tags,x_Team,x_Project,x_UseCase,"
    "x_Model,x_CostDriver,x_AiClass,x_Confidence,x_Basis,x_ServiceTier,ChargeClass\n";

// What is beside the calls, as the gateway settled them: what a bill adds to one of them, what it
// has that the gateway never saw, and the charge of nothing of a bill that counts by itself.
constexpr std::string_view kAdjustment = "adjustment";
constexpr std::string_view kUnseen = "unseen";
constexpr std::string_view kSuperseded = "superseded";
// In the place of a meter, of a call without usage.
constexpr std::string_view kBound = "bound";
constexpr std::string_view kByBill = "bill";  // in the place of a basis

// What one row is about; rows that are about the same are added up.
struct Group {
  Instant hour;
  std::string upstream, provider, region, model, tier, meter, currency;
  std::string key, team, project, use_case, tags;
  std::string_view beside;
  std::string_view basis;
  bool final = false;  // a vendor's bill covers it
  Money unit_price;
  auto operator<=>(const Group&) const = default;
};
struct Sums {
  int64_t quantity = 0;
  int64_t calls = 0;
  Money cost;
};

Status Add(std::map<Group, Sums>* groups, const Group& group, int64_t quantity, Money cost) {
  Sums& sums = (*groups)[group];
  if (__builtin_add_overflow(sums.quantity, quantity, &sums.quantity)) {
    return Fail(Code::kOutOfRange, "the quantities of an hour are more than 64 bits hold");
  }
  sums.cost = FB_TRY(sums.cost.Plus(cost));
  ++sums.calls;
  return {};
}

Status AddLines(const std::vector<metered::Line>& lines, Group group,
                std::map<Group, Sums>* groups) {
  for (const metered::Line& line : lines) {
    group.meter = Info(line.meter).name;
    group.unit_price = line.unit_price;
    FB_CHECK(Add(groups, group, line.quantity, line.cost));
  }
  return {};
}

// The end customer has no column of its own: it is a tag, instead of one that calls itself so.
std::string TagsOf(const metered::Dispatch& dispatch) {
  if (dispatch.end_customer.empty()) return metered::TagsJson(dispatch);
  metered::Dispatch tagged;
  tagged.tags = dispatch.tags;
  std::erase_if(tagged.tags, [](const auto& tag) { return tag.first == kEndCustomerTag; });
  tagged.tags.emplace_back(kEndCustomerTag, dispatch.end_customer);
  std::ranges::sort(tagged.tags);
  return metered::TagsJson(tagged);
}

// What a bill has of an exact call beyond what it was settled to.
Status AddDifference(const metered::End& end, const reconcile::Correction& correction, Group group,
                     std::map<Group, Sums>* groups) {
  if (correction.lines.empty()) {
    const Money cost = FB_TRY(correction.cost.Minus(end.cost));
    return cost.is_zero() ? Status() : Add(groups, group, 0, cost);
  }
  std::map<Bucket, std::pair<int64_t, Money>> beyond;
  for (const metered::Line& line : correction.lines) {
    auto& [quantity, cost] = beyond[line.meter];
    quantity += line.quantity;
    cost = FB_TRY(cost.Plus(line.cost));
  }
  for (const metered::Line& line : end.lines) {
    auto& [quantity, cost] = beyond[line.meter];
    quantity -= line.quantity;
    cost = FB_TRY(cost.Minus(line.cost));
  }
  for (const auto& [meter, sum] : beyond) {
    if (sum.first == 0 && sum.second.is_zero()) continue;
    group.meter = Info(meter).name;
    FB_CHECK(Add(groups, group, sum.first, sum.second));
  }
  return {};
}

// What a later bill has of a call at its bound beyond the first: budgets were settled by the first.
// It goes from the call's own rows into one beside them.
Status AddLater(const reconcile::Correction& correction, Group group,
                std::map<Group, Sums>* groups) {
  const Money more = FB_TRY(correction.cost.Minus(correction.first.value_or(correction.cost)));
  if (more <= Money()) return {};
  FB_CHECK(Add(groups, group, 0, FB_TRY(Money().Minus(more))));
  group.beside = kAdjustment;
  return Add(groups, group, 0, more);
}

// A vendor's bill has the last word on what a call cost. What the gateway settled stays a charge of
// its own, so that it is known what budgets have counted already.
Status AddCorrected(const metered::End& end, const reconcile::Correction& correction, Group group,
                    std::map<Group, Sums>* groups) {
  const bool exact = metered::IsSettled(end.basis);
  if (exact) FB_CHECK(AddLines(end.lines, group, groups));
  group.basis = kByBill;
  // Calls at their bound are settled to the bill in budgets too; the others are not.
  const bool bound = end.basis == metered::Basis::kBound;
  if (!bound) group.beside = kAdjustment;
  if (exact) return AddDifference(end, correction, std::move(group), groups);
  if (bound) FB_CHECK(AddLater(correction, group, groups));
  if (!correction.lines.empty()) return AddLines(correction.lines, std::move(group), groups);
  return Add(groups, group, bound ? 1 : 0, correction.cost);
}

Status AddCall(const metered::Dispatch& dispatch, const metered::End& end,
               const reconcile::Evidence* evidence, const reconcile::Correction* correction,
               std::map<Group, Sums>* groups) {
  if (evidence != nullptr && evidence->superseded) return {};
  Group group;
  group.hour = FloorHour(dispatch.at);
  group.upstream = dispatch.upstream;
  group.provider = dispatch.provider;
  group.region = metered::RegionOf(dispatch, end);
  // A call at its bound may be of a model that only the bill names.
  group.model = evidence != nullptr ? evidence->key.model
                : end.model.empty() ? dispatch.model
                                    : end.model;
  group.tier = end.tier;
  group.currency = dispatch.currency;
  group.key = dispatch.key;
  group.team = dispatch.team;
  group.project = dispatch.project;
  group.use_case = dispatch.use_case;
  group.tags = TagsOf(dispatch);
  group.basis = metered::BasisName(end.basis);
  group.final = evidence != nullptr;
  if (correction != nullptr) return AddCorrected(end, *correction, std::move(group), groups);
  switch (end.basis) {
    case metered::Basis::kRefused:
    case metered::Basis::kNotSent:
      return {};
    case metered::Basis::kBound:
      return Add(groups, group, 1, end.cost);
    case metered::Basis::kReported:
    case metered::Basis::kExact:
    case metered::Basis::kDeclared:
      break;
  }
  return AddLines(end.lines, std::move(group), groups);
}

// What a bill has and the gateway has not seen: nobody's.
Status AddUnseen(const reconcile::Evidence& evidence, const reconcile::Correction& correction,
                 std::map<Group, Sums>* groups) {
  Group group;
  group.hour = FloorHour(correction.at);
  group.upstream = group.provider = evidence.key.vendor;
  group.model = evidence.key.model;
  group.currency = evidence.key.currency;
  group.beside = kUnseen;
  group.basis = kByBill;
  group.final = true;
  if (!correction.lines.empty()) return AddLines(correction.lines, std::move(group), groups);
  return Add(groups, group, 0, correction.cost);
}

// A bill whose own charges are in the ledger leaves a charge of nothing: a month that lost all of
// its charges could not be published.
Status AddSuperseded(const reconcile::Evidence& evidence, std::map<Group, Sums>* groups) {
  Group group;
  group.hour = evidence.key.day;
  group.upstream = group.provider = evidence.key.vendor;
  group.model = evidence.key.model;
  group.currency = evidence.key.currency;
  group.basis = kByBill;
  group.final = true;
  group.beside = kSuperseded;
  return Add(groups, group, 0, {});
}

// An amount for all exact calls of a day and model, shared out as their costs are to each other.
Status AddSpread(const reconcile::Evidence& evidence, std::map<Group, Sums>* groups) {
  if (evidence.spread.is_zero()) return {};
  std::vector<Group> of_key;
  std::vector<uint64_t> weights;
  for (const auto& [group, sums] : *groups) {
    const reconcile::Key key =
        reconcile::KeyOf(group.provider, group.hour, group.model, group.currency);
    const bool exact = group.basis == metered::BasisName(metered::Basis::kExact) ||
                       group.basis == metered::BasisName(metered::Basis::kDeclared);
    if (!exact || key != evidence.key || sums.cost.units() <= 0) continue;
    of_key.push_back(group);
    constexpr auto kMost = static_cast<int128>(std::numeric_limits<uint64_t>::max());
    weights.push_back(static_cast<uint64_t>(std::min(sums.cost.units(), kMost)));
  }
  const std::vector<Money> shares = FB_TRY(Split(evidence.spread, weights));
  for (size_t i = 0; i < of_key.size(); ++i) {
    Group& group = of_key[i];
    group.beside = kAdjustment;
    group.meter.clear();
    group.unit_price = {};
    group.basis = kByBill;
    if (!shares[i].is_zero()) FB_CHECK(Add(groups, group, 0, shares[i]));
  }
  return {};
}

// Evidence of a month, and which call each correction is about.
struct MonthEvidence {
  struct OfCall {
    const reconcile::Evidence* evidence = nullptr;
    const reconcile::Correction* correction = nullptr;
  };
  reconcile::EvidenceByKey by_key;
  std::unordered_map<uint64_t, OfCall> by_call;
  static Result<MonthEvidence> Read(os::Files& files, const std::string& calls_folder,
                                    const std::string& month) {
    MonthEvidence all{FB_TRY(reconcile::ReadEvidence(files, calls_folder, month)), {}};
    for (const auto& [key, evidence] : all.by_key) {
      for (const reconcile::Correction& each : evidence.corrections) {
        if (each.call != 0) all.by_call.insert_or_assign(each.call, OfCall{&evidence, &each});
      }
    }
    return all;
  }
  OfCall Of(const metered::Dispatch& dispatch, const metered::End& end) const {
    if (const auto found = by_call.find(dispatch.id); found != by_call.end()) return found->second;
    const auto found = by_key.find(reconcile::KeyOf(dispatch, end.model));
    return {found == by_key.end() ? nullptr : &found->second, nullptr};
  }
  // What lies in no call of ours.
  Status AddRest(std::map<Group, Sums>* groups) const {
    for (const auto& [key, evidence] : by_key) {
      for (const reconcile::Correction& each : evidence.corrections) {
        if (each.call == 0) FB_CHECK(AddUnseen(evidence, each, groups));
      }
      if (evidence.superseded) FB_CHECK(AddSuperseded(evidence, groups));
      FB_CHECK(AddSpread(evidence, groups));
    }
    return {};
  }
};

std::string ProviderTitle(const std::string& provider) {
  const std::string lower = ToLower(provider);
  if (lower == "openai") return "OpenAI";
  if (lower == "anthropic") return "Anthropic";
  return provider;
}

// What the 1.5 draft says of a token meter.
std::string DetailsJson(const Group& group, const BucketInfo* meter) {
  std::string json = R"({"ModelId":)";
  AppendJsonString(group.model, &json);
  if (meter != nullptr && meter->token) {
    const std::string_view name = meter->name;
    const bool input = meter->side == UsageSide::kInput;
    json += fmt::format(R"(,"TokenDirection":"{}")", input ? "Input" : "Output");
    const std::string_view action = name.starts_with("cache_read")    ? "Read"
                                    : name.starts_with("cache_write") ? "Write"
                                                                      : "Uncached";
    if (input) json += fmt::format(R"(,"TokenCacheAction":"{}")", action);
  }
  return json + "}";
}

// "input", "unseen", "unseen:input", "bound".
std::string MeterWord(std::string_view beside, std::string_view meter) {
  if (beside.empty()) return std::string(meter.empty() ? kBound : meter);
  return meter.empty() ? std::string(beside) : fmt::format("{}:{}", beside, meter);
}

using Cells = std::vector<std::string>;

std::string CsvLine(const Cells& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    AppendCsvCell(cell, &line);
  }
  return line + "\n";
}

Cells CellsOf(const Group& group, const Sums& sums, const Period& month) {
  const std::optional<Bucket> bucket = BucketByName(group.meter);
  const BucketInfo* meter = bucket ? &Info(*bucket) : nullptr;
  const std::string cost = sums.cost.ToString();
  const std::string quantity = std::to_string(sums.quantity);
  const std::string title = ProviderTitle(group.provider);
  const std::string meter_word = MeterWord(group.beside, group.meter);
  const std::string sku = group.provider + "/" + group.model + "/" +
                          (group.tier.empty() ? "" : group.tier + "/") + meter_word;
  const std::string unit = meter == nullptr ? "Calls"
                           : meter->token   ? "Tokens"
                                            : std::string(meter->unit);
  // A price for several units (an hour of seconds) has no price of one unit that is exact.
  const bool priced = meter != nullptr && meter->per == 1 && group.beside != kAdjustment;
  const std::string price = priced ? group.unit_price.ToString() : "";
  const std::string description =
      group.beside == kUnseen ? group.model + ": billed by the vendor, not seen by the gateway"
      : group.beside == kSuperseded ? group.model + ": charged by the vendor itself"
      : group.beside == kAdjustment ? group.model + ": brought to the vendor's bill"
      : meter != nullptr            ? fmt::format("{} {}", group.model, group.meter)
      : group.basis == kByBill      ? group.model + ": usage unknown, cost by the vendor's bill"
                                    : group.model + ": usage unknown, charged at its bound";
  return {cost,
          cost,
          cost,
          cost,
          group.currency,
          FormatInstant(month.start),
          FormatInstant(month.end),
          FormatInstant(group.hour),
          FormatInstant(Instant{group.hour.us + kMicrosPerHour}),
          "Usage",
          "Usage-Based",
          description,
          quantity,
          unit,
          quantity,
          unit,
          price,
          price,
          "Standard",
          title,
          title,
          title,
          title + " API",
          "AI and Machine Learning",
          "Generative AI",
          sku,
          meter_word,
          sku + "@" + price,
          DetailsJson(group, meter),
          group.region,
          group.upstream,
          group.upstream,
          group.key,
          group.tags,
          group.team,
          group.project,
          group.use_case,
          group.model,
          "model inference",
          "generative AI",
          group.final ? "final" : "estimate",
          std::string(group.basis),
          group.tier,
          sums.cost.units() < 0 ? "Correction" : ""};
}

std::string LogPath(const std::string& calls_folder, const std::string& month) {
  return os::JoinPath(calls_folder, std::string(kPrefix) + month + std::string(kSuffix));
}

Result<Period> MonthOf(const std::string& month) {
  const Instant start = FB_TRY(ParseUserInstant(month));
  return Period{start, FloorMonth(Instant{start.us + kLongestMonthUs + kMicrosPerDay})};
}

// What a bill was made from, when all of its calls had ended and all of the log could be read.
struct Stand {
  uint64_t log_bytes = 0;
  uint64_t evidence_bytes = 0;
  int64_t closed_us = 0;  // at most the end of the month
  int64_t calls = 0;
  int64_t rows = 0;
};

std::optional<Stand> ReadStand(os::Files& files, const std::string& path) {
  const Result<std::string> text = files.ReadAll(path);
  if (!text) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto number = [&](const char* name) -> int64_t {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    return there ? json[name].get<int64_t>() : -1;
  };
  if (number("format") != kChargesFormat) return std::nullopt;
  for (const char* name : {"log_bytes", "evidence_bytes", "calls", "rows"}) {
    if (number(name) < 0) return std::nullopt;
  }
  return Stand{static_cast<uint64_t>(number("log_bytes")),
               static_cast<uint64_t>(number("evidence_bytes")), number("closed_us"),
               number("calls"), number("rows")};
}

Status WriteStand(os::Files& files, const std::string& path, const Stand& stand) {
  const nlohmann::json json{{"format", kChargesFormat},
                            {"log_bytes", stand.log_bytes},
                            {"evidence_bytes", stand.evidence_bytes},
                            {"closed_us", stand.closed_us},
                            {"calls", stand.calls},
                            {"rows", stand.rows}};
  return os::AtomicWrite(files, path, json.dump() + "\n");
}

// 0 where it is not there.
Result<uint64_t> SizeOf(os::Files& files, const std::string& path) {
  if (!files.Exists(path)) return 0;
  return files.Size(path);
}

}  // namespace

Result<std::vector<std::string>> GatewayMonths(os::Files& files, const std::string& calls_folder) {
  std::vector<std::string> months;
  if (!files.Exists(calls_folder)) return months;
  const std::vector<std::string> names = FB_TRY(files.List(calls_folder));
  for (const std::string& name : names) {
    for (const std::string_view prefix : {kPrefix, kEvidencePrefix}) {
      if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) continue;
      const std::string month =
          name.substr(prefix.size(), name.size() - prefix.size() - kSuffix.size());
      if (ledger::IsPeriod(month)) months.push_back(month);
    }
  }
  std::ranges::sort(months);
  const auto again = std::ranges::unique(months);
  months.erase(again.begin(), again.end());
  return months;
}

std::vector<std::string> MetersBesideCalls() {
  std::vector<std::string> words;
  for (const std::string_view beside : {kUnseen, kAdjustment}) {
    words.push_back(MeterWord(beside, {}));
    for (size_t i = 0; i < kBucketCount; ++i) {
      words.push_back(MeterWord(beside, Info(static_cast<Bucket>(i)).name));
    }
  }
  return words;
}

std::string GatewayBillName(const std::string& month) { return "gateway-" + month + ".csv"; }

Result<GatewayBill> MakeGatewayBill(os::Files& files, const std::string& calls_folder,
                                    const std::string& month, Instant until) {
  GatewayBill bill;
  bill.month = month;
  const Period period = FB_TRY(MonthOf(month));
  const Instant closed = FloorHour(until);
  bill.closed = closed;
  std::unordered_map<uint64_t, metered::Dispatch> open;
  std::map<Group, Sums> groups;
  const MonthEvidence evidence = FB_TRY(MonthEvidence::Read(files, calls_folder, month));
  const auto add = [&](const metered::Dispatch& dispatch, const metered::End& end) -> Status {
    ++bill.calls;
    const MonthEvidence::OfCall said = evidence.Of(dispatch, end);
    return AddCall(dispatch, end, said.evidence, said.correction, &groups);
  };
  const auto visit = [&](uint64_t offset, std::string_view payload) -> Status {
    bill.log_bytes = offset + 1;
    Result<metered::Record> record = metered::Decode(payload);
    if (!record) {  // of no meaning to this program: as good as damaged
      bill.damaged.emplace_back(offset, offset + os::kJournalHeadBytes + payload.size());
      return {};
    }
    if (!record->is_end) {
      const uint64_t id = record->dispatch.id;
      open.insert_or_assign(id, std::move(record->dispatch));
      return {};
    }
    const auto found = open.find(record->end.id);
    if (found == open.end()) {  // ended before: the first word counts
      bill.unplaced += !bill.damaged.empty() && !record->end.cost.is_zero() ? 1 : 0;
      return {};
    }
    if (found->second.at < closed) FB_CHECK(add(found->second, record->end));
    open.erase(found);
    return {};
  };
  const std::string path = LogPath(calls_folder, month);
  if (files.Exists(path)) {  // a bill may know of a month in which the gateway made no call
    os::JournalReading how;
    how.on_damage = [&](uint64_t from, uint64_t to) {
      bill.damaged.emplace_back(from, to);
      return Status();
    };
    FB_CHECK(os::Journal::Read(files, path, visit, how));
    FB_CHECK(files.SyncFile(path));
  }
  for (const auto& [id, dispatch] : open) {
    if (dispatch.at >= closed) continue;
    // No call takes so long: its process died and has not come back, or its end can't be read.
    if (dispatch.at.us < closed.us - kMicrosPerDay) {
      metered::End end;
      end.id = id;
      end.basis = metered::Basis::kBound;
      end.cost = dispatch.bound;
      FB_CHECK(add(dispatch, end));
    } else {
      ++bill.open;
    }
  }
  FB_CHECK(evidence.AddRest(&groups));
  bill.csv = kHeader;
  for (const auto& [group, sums] : groups) bill.csv += CsvLine(CellsOf(group, sums, period));
  bill.rows = static_cast<int64_t>(groups.size());
  return bill;
}

std::string GatewayLogPath(const std::string& calls_folder, Instant month) {
  return os::JoinPath(calls_folder,
                      std::string(kPrefix) + FormatDate(month).substr(0, 7) + std::string(kSuffix));
}

struct ChargeRows::Rows {
  std::map<Group, Sums> groups;
};

ChargeRows::ChargeRows() : rows_(std::make_unique<Rows>()) {}
ChargeRows::~ChargeRows() = default;

Status ChargeRows::Add(const metered::Dispatch& dispatch, const metered::End& end) {
  return AddCall(dispatch, end, nullptr, nullptr, &rows_->groups);
}

int64_t ChargeRows::size() const { return static_cast<int64_t>(rows_->groups.size()); }

std::string ChargeRows::Csv(const Period& month) const {
  std::string csv(kHeader);
  for (const auto& [group, sums] : rows_->groups) csv += CsvLine(CellsOf(group, sums, month));
  return csv;
}

Result<GatewayBill> WriteGatewayBill(os::Files& files, const std::string& calls_folder,
                                     const std::string& charges_folder, const std::string& month,
                                     Instant until) {
  FB_CHECK(files.MakeDirs(charges_folder));
  const std::string path = os::JoinPath(charges_folder, GatewayBillName(month));
  const std::string stand_path = path + ".made";
  const Period period = FB_TRY(MonthOf(month));
  Stand now;
  now.log_bytes = FB_TRY(SizeOf(files, LogPath(calls_folder, month)));
  now.evidence_bytes = FB_TRY(SizeOf(files, reconcile::EvidencePath(calls_folder, month)));
  now.closed_us = std::min(FloorHour(until), period.end).us;
  // Calls of an hour that runs change no bill, and a month that is over gets no new ones.
  const std::optional<Stand> then = ReadStand(files, stand_path);
  if (then && then->closed_us == now.closed_us && then->evidence_bytes == now.evidence_bytes &&
      (now.closed_us < period.end.us || then->log_bytes == now.log_bytes) &&
      (then->rows == 0 || files.Exists(path))) {
    GatewayBill bill;
    bill.month = month;
    bill.calls = then->calls;
    bill.rows = then->rows;
    return bill;
  }
  FB_CHECK(files.Remove(stand_path));
  GatewayBill bill = FB_TRY(MakeGatewayBill(files, calls_folder, month, until));
  if (bill.rows > 0) {
    FB_CHECK(os::AtomicWrite(files, path, bill.csv));
    FB_CHECK(NoteStand(files, charges_folder, Sha256Hex(bill.csv), {bill.closed, bill.log_bytes}));
  }
  if (bill.open == 0 && bill.damaged.empty()) {
    now.calls = bill.calls;
    now.rows = bill.rows;
    FB_CHECK(WriteStand(files, stand_path, now));
  }
  return bill;
}

std::vector<std::string> GatewayColumns() {
  std::vector<std::string> names;
  for (std::string_view name : SplitText(Trim(kHeader), ',')) names.emplace_back(name);
  return names;
}

Result<std::vector<std::vector<std::string>>> GatewayRows(std::span<const SettledCall> calls,
                                                          const std::string& month) {
  const Instant start = FB_TRY(ParseUserInstant(month));
  std::map<Group, Sums> groups;
  for (const SettledCall& call : calls) {
    FB_CHECK(AddCall(call.dispatch, call.end, nullptr, nullptr, &groups));
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [group, sums] : groups) {
    rows.push_back(CellsOf(group, sums, {start, AddMonths(start, 1)}));
  }
  return rows;
}

}  // namespace flyball::ingest
