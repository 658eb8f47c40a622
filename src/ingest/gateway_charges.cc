#include "ingest/gateway_charges.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "ledger/history.h"
#include "model/metered_call.h"
#include "os/journal.h"

namespace flyball::ingest {
namespace {

constexpr std::string_view kPrefix = "calls-";
constexpr std::string_view kSuffix = ".journal";

constexpr int64_t kLongestMonthUs = 31 * kMicrosPerDay;

constexpr std::string_view kHeader =
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
    "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeFrequency,"
    "ChargeDescription,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,ListUnitPrice,"
    "ContractedUnitPrice,PricingCategory,ServiceProviderName,HostProviderName,InvoiceIssuerName,"
    "ServiceName,ServiceCategory,ServiceSubcategory,SkuId,SkuMeter,SkuPriceId,SkuPriceDetails,"
    "RegionId,BillingAccountId,BillingAccountName,CredentialId,Tags,x_Team,x_Project,x_UseCase,"
    "x_Model,x_CostDriver,x_AiClass,x_Confidence,x_Basis,x_ServiceTier\n";

// What one row is about; rows that are about the same are added up.
struct Group {
  Instant hour;
  std::string upstream, provider, region, model, tier, meter, currency;
  std::string key, team, project, use_case, tags;
  metered::Basis basis{};
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

Status AddCall(const metered::Dispatch& dispatch, const metered::End& end,
               std::map<Group, Sums>* groups) {
  Group group;
  group.hour = FloorHour(dispatch.at);
  group.upstream = dispatch.upstream;
  group.provider = dispatch.provider;
  group.region = dispatch.region;
  group.model = end.model.empty() ? dispatch.model : end.model;
  group.tier = end.tier;
  group.currency = dispatch.currency;
  group.key = dispatch.key;
  group.team = dispatch.team;
  group.project = dispatch.project;
  group.use_case = dispatch.use_case;
  group.tags = metered::TagsJson(dispatch);
  group.basis = end.basis;
  switch (end.basis) {
    case metered::Basis::kRefused:
    case metered::Basis::kNotSent:
      return {};
    case metered::Basis::kBound:
      return Add(groups, group, 1, end.cost);
    case metered::Basis::kReported:
    case metered::Basis::kExact:
      break;
  }
  for (const metered::Line& line : end.lines) {
    group.meter = Info(line.meter).name;
    group.unit_price = line.unit_price;
    FB_CHECK(Add(groups, group, line.quantity, line.cost));
  }
  return {};
}

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

class Row {
 public:
  Row& operator<<(std::string_view cell) {
    if (!first_) out_ += ',';
    first_ = false;
    if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
      out_ += cell;
      return *this;
    }
    out_ += '"';
    for (char c : cell) {
      if (c == '"') out_ += '"';
      out_ += c;
    }
    out_ += '"';
    return *this;
  }
  std::string Done() && { return std::move(out_) + "\n"; }

 private:
  std::string out_;
  bool first_ = true;
};

std::string RowText(const Group& group, const Sums& sums, const Period& month) {
  const std::optional<Bucket> bucket = BucketByName(group.meter);
  const BucketInfo* meter = bucket ? &Info(*bucket) : nullptr;
  const std::string cost = sums.cost.ToString();
  const std::string quantity = std::to_string(sums.quantity);
  const std::string title = ProviderTitle(group.provider);
  const std::string sku = group.provider + "/" + group.model + "/" +
                          (group.tier.empty() ? "" : group.tier + "/") +
                          (meter != nullptr ? group.meter : std::string("bound"));
  const std::string unit = meter == nullptr ? "Calls"
                           : meter->token   ? "Tokens"
                                            : std::string(meter->unit);
  // A price for several units (an hour of seconds) has no price of one unit that is exact.
  const bool priced = meter != nullptr && meter->per == 1;
  const std::string price = priced ? group.unit_price.ToString() : "";
  const std::string description =
      meter != nullptr ? fmt::format("{} {}", group.model, group.meter)
                       : fmt::format("{}: usage unknown, charged at its bound", group.model);
  Row row;
  row << cost << cost << cost << cost << group.currency << FormatInstant(month.start)
      << FormatInstant(month.end) << FormatInstant(group.hour)
      << FormatInstant(Instant{group.hour.us + kMicrosPerHour}) << "Usage" << "Usage-Based"
      << description << quantity << unit << quantity << unit << price << price << "Standard"
      << title << title << title << title + " API" << "AI and Machine Learning" << "Generative AI"
      << sku << (meter != nullptr ? std::string_view(group.meter) : "bound") << sku + "@" + price
      << DetailsJson(group, meter) << group.region << group.upstream << group.upstream << group.key
      << group.tags << group.team << group.project << group.use_case << group.model
      << "model inference" << "generative AI" << "estimate" << metered::BasisName(group.basis)
      << group.tier;
  return std::move(row).Done();
}

}  // namespace

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
  return AddCall(dispatch, end, &rows_->groups);
}

int64_t ChargeRows::size() const { return static_cast<int64_t>(rows_->groups.size()); }

std::string ChargeRows::Csv(const Period& month) const {
  std::string csv(kHeader);
  for (const auto& [group, sums] : rows_->groups) csv += RowText(group, sums, month);
  return csv;
}

Result<std::vector<std::string>> GatewayMonths(os::Files& files, const std::string& calls_folder) {
  std::vector<std::string> months;
  if (!files.Exists(calls_folder)) return months;
  const std::vector<std::string> names = FB_TRY(files.List(calls_folder));
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const std::string month =
        name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    if (ledger::IsPeriod(month)) months.push_back(month);
  }
  std::ranges::sort(months);
  return months;
}

Result<GatewayBill> MakeGatewayBill(os::Files& files, const std::string& calls_folder,
                                    const std::string& month, Instant until) {
  GatewayBill bill;
  bill.month = month;
  const Instant start = FB_TRY(ParseUserInstant(month));
  const Period period{start, FloorMonth(Instant{start.us + kLongestMonthUs + kMicrosPerDay})};
  const Instant closed = FloorHour(until);
  std::unordered_map<uint64_t, metered::Dispatch> open;
  std::map<Group, Sums> groups;
  FB_CHECK(os::Journal::Read(
      files, os::JoinPath(calls_folder, std::string(kPrefix) + month + std::string(kSuffix)),
      [&](uint64_t, std::string_view payload) -> Status {
        metered::Record record = FB_TRY(metered::Decode(payload));
        if (!record.is_end) {
          const uint64_t id = record.dispatch.id;
          open.insert_or_assign(id, std::move(record.dispatch));
          return {};
        }
        const auto found = open.find(record.end.id);
        if (found == open.end()) return {};  // ended before: the first word counts
        if (found->second.at < closed) {
          FB_CHECK(AddCall(found->second, record.end, &groups));
          ++bill.calls;
        }
        open.erase(found);
        return {};
      }));
  for (const auto& [id, dispatch] : open) bill.open += dispatch.at < closed ? 1 : 0;
  bill.csv = kHeader;
  for (const auto& [group, sums] : groups) bill.csv += RowText(group, sums, period);
  bill.rows = static_cast<int64_t>(groups.size());
  return bill;
}

}  // namespace flyball::ingest
