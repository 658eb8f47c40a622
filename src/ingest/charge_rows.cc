#include "ingest/charge_rows.h"

#include <fmt/format.h>

#include "base/text.h"

namespace flyball::ingest {
namespace {

constexpr std::string_view kHeader =
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
    "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeFrequency,"
    "ChargeDescription,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,ListUnitPrice,"
    "ContractedUnitPrice,PricingCategory,ServiceProviderName,HostProviderName,InvoiceIssuerName,"
    "ServiceName,ServiceCategory,ServiceSubcategory,SkuId,SkuMeter,SkuPriceId,SkuPriceDetails,"
    "RegionId,BillingAccountId,BillingAccountName,CredentialId,Tags,x_Team,x_Project,x_UseCase,"
    "x_Model,x_CostDriver,x_AiClass,x_Confidence,x_Basis,x_ServiceTier\n";

std::string ProviderTitle(const std::string& provider) {
  const std::string lower = ToLower(provider);
  if (lower == "openai") return "OpenAI";
  if (lower == "anthropic") return "Anthropic";
  return provider;
}

// What the 1.5 draft says of a token meter.
std::string DetailsJson(const ChargeRows::Group& group, const BucketInfo* meter) {
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

std::string RowText(const ChargeRows::Group& group, const ChargeRows::Sums& sums,
                    const Period& month) {
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

Status ChargeRows::Add(const Group& group, int64_t quantity, Money cost) {
  Sums& sums = groups_[group];
  if (__builtin_add_overflow(sums.quantity, quantity, &sums.quantity)) {
    return Fail(Code::kOutOfRange, "the quantities of an hour are more than 64 bits hold");
  }
  sums.cost = FB_TRY(sums.cost.Plus(cost));
  return {};
}

Status ChargeRows::Add(const metered::Dispatch& dispatch, const metered::End& end) {
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
      return Add(group, 1, end.cost);
    case metered::Basis::kExact:
    case metered::Basis::kReported:
      break;
  }
  for (const metered::Line& line : end.lines) {
    group.meter = Info(line.meter).name;
    group.unit_price = line.unit_price;
    FB_CHECK(Add(group, line.quantity, line.cost));
  }
  return {};
}

std::string ChargeRows::Csv(const Period& month) const {
  std::string csv(kHeader);
  for (const auto& [group, sums] : groups_) csv += RowText(group, sums, month);
  return csv;
}

}  // namespace flyball::ingest
