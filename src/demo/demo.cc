#include "demo/demo.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "demo/bill.h"
#include "demo/catalog.h"
#include "demo/estate_text.h"
#include "demo/meter.h"

namespace flyball::demo {
namespace {

// Months whose first bill was wrong and came again: (source, month 0..12).
constexpr std::pair<std::string_view, int> kRestated[] = {{"aws", 5}, {"azure", 8}};
constexpr int kUntaggedOneIn = 4;      // of the smaller half of a stream's resources
constexpr int kUntaggedResources = 4;  // streams with fewer are tagged whole
constexpr int kAliasOneIn = 9;
constexpr int kTagVariants = 3;        // by id, by the team's other spelling, untagged
constexpr int kResourceTurnDays = 14;  // resources come and go
constexpr int kResourceTurns = 20;
constexpr std::string_view kCommitmentType = "Reserved capacity";

std::string TagsJson(const Stream& stream, bool alias) {
  const UseCaseRow* use_case = FindUseCase(stream.use_case);
  if (use_case == nullptr) return "{\"environment\":\"" + std::string(stream.environment) + "\"}";
  std::string_view team = use_case->team;
  for (const Team& row : Teams()) {
    if (alias && row.id == use_case->team) team = row.alias;
  }
  return fmt::format(
      R"({{"environment":"{}","project":"{}","stage":"{}","team":"{}","use_case":"{}"}})",
      stream.environment, use_case->project, use_case->stage, team, use_case->id);
}

// Everything of one stream that a month's file needs.
class StreamWriter {
 public:
  StreamWriter(const Stream& stream, const Layout& layout, uint64_t seed, int resources)
      : stream_(stream), meter_(stream, seed), seed_(seed), resources_(resources) {
    for (int variant = 0; variant < kTagVariants; ++variant) {
      templates_.push_back(MakeTemplate(layout, variant));
    }
    for (int i = 0; i < resources_; ++i) {
      weights_.push_back(1000 / (i + 2) + 100);
      weight_sum_ += weights_.back();
    }
  }

  Status WriteSlot(const Slot& slot, int quantity_percent, BillWriter* out) {
    const int64_t total = std::max<int64_t>(1, meter_.Quantity(slot) * quantity_percent / 100);
    const int64_t committed = meter_.Committed(slot);
    int64_t committed_left = committed;
    int64_t given = 0;
    for (int i = 0; i < resources_; ++i) {
      const bool last = i + 1 == resources_;
      const auto share = static_cast<int64_t>(static_cast<int128>(total) *
                                              weights_[static_cast<size_t>(i)] / weight_sum_);
      const int64_t quantity = last ? total - given : share;
      given += quantity;
      const int64_t covered = std::min(quantity, committed_left);
      committed_left -= covered;
      if (covered > 0) FB_CHECK(WriteUse(slot, i, covered, true, out));
      if (quantity > covered) FB_CHECK(WriteUse(slot, i, quantity - covered, false, out));
    }
    if (committed > 0) FB_CHECK(WriteCommitment(slot, committed, committed_left, out));
    return {};
  }

 private:
  Row MakeTemplate(const Layout& layout, int variant) const {
    const SourceRow& source = FindSource(stream_.source);
    Row row(layout);
    row.Set(Field::kBillingAccountId, source.account);
    row.Set(Field::kBillingAccountName, source.account_name);
    row.Set(Field::kBillingCurrency, "USD");
    row.Set(Field::kChargeCategory, "Usage");
    row.Set(Field::kChargeFrequency, "Usage-Based");
    row.Set(Field::kChargeDescription, fmt::format("{} {}", stream_.service, stream_.meter));
    row.Set(Field::kConsumedUnit, stream_.unit);
    row.Set(Field::kHostProviderName, source.provider);
    row.Set(Field::kInvoiceIssuerName, source.issuer);
    row.Set(Field::kPricingCategory, "Standard");
    row.Set(Field::kPricingUnit, PricingUnit());
    row.Set(Field::kProviderName, source.provider);
    row.Set(Field::kPublisherName, source.issuer);
    row.Set(Field::kRegionId, stream_.region);
    row.Set(Field::kRegionName, stream_.region);
    row.Set(Field::kResourceType, stream_.resource_type);
    row.Set(Field::kServiceCategory, stream_.category);
    row.Set(Field::kServiceName, stream_.service);
    row.Set(Field::kServiceProviderName, source.provider);
    row.Set(Field::kServiceSubcategory, stream_.subcategory);
    row.Set(Field::kSkuId, stream_.sku);
    row.Set(Field::kSkuMeter, stream_.meter);
    row.Set(Field::kSkuPriceDetails, PriceDetails());
    SetAccount(&row);
    if (variant != 2) row.Set(Field::kTags, TagsJson(stream_, variant == 1));
    return row;
  }

  std::string PricingUnit() const {
    if (stream_.pricing_block == 1) return std::string(stream_.unit);
    return fmt::format("{} {}", stream_.pricing_block, stream_.unit);
  }

  std::string PriceDetails() const {
    if (stream_.model.empty()) return {};
    std::string details = fmt::format(R"({{"ModelId":"{}")", stream_.model);
    const std::string_view meter = stream_.meter;
    if (stream_.unit == "Tokens") {
      const bool output = meter.find("utput") != std::string_view::npos;
      details += fmt::format(R"(,"TokenDirection":"{}")", output ? "Output" : "Input");
      if (meter.starts_with("Cached")) details += R"(,"TokenCacheAction":"Read")";
    }
    return details + "}";
  }

  void SetAccount(Row* row) const {
    const UseCaseRow* use_case = FindUseCase(stream_.use_case);
    const std::string_view team = use_case == nullptr ? "shared" : use_case->team;
    std::string id;
    if (stream_.source == "openai" || stream_.source == "anthropic") {
      id = fmt::format("proj-{}", use_case == nullptr ? "shared" : use_case->id);
    } else if (stream_.source == "kubernetes") {
      id = fmt::format("ns-{}", use_case == nullptr ? "kube-system" : use_case->id);
    } else {
      id = fmt::format("{}-{}-{}", stream_.source, team, stream_.environment);
    }
    row->Set(Field::kSubAccountId, id);
    row->Set(Field::kSubAccountName, id);
  }

  // The template of a resource: most are tagged, some by another spelling, some not at all.
  Row& TemplateOf(uint64_t resource, int index) {
    const bool small = resources_ >= kUntaggedResources && index * 2 >= resources_;
    if (small && resource % kUntaggedOneIn == 0) return templates_[2];
    return templates_[resource % kAliasOneIn == 0 ? 1 : 0];
  }

  Status WriteUse(const Slot& slot, int index, int64_t quantity, bool committed, BillWriter* out) {
    const uint64_t turn = static_cast<uint64_t>(slot.day / kResourceTurnDays) % kResourceTurns;
    const uint64_t resource =
        Hash64(fmt::format("{}/{}/{}/{}", seed_, stream_.sku, stream_.use_case,
                           static_cast<uint64_t>(index) + turn * 1000));
    Row& row = TemplateOf(resource, index);
    SetTimes(slot, &row);
    if (!stream_.resource_type.empty()) {
      const std::string name = fmt::format(
          "{}-{:08x}", stream_.use_case.empty() ? std::string_view("shared") : stream_.use_case,
          static_cast<uint32_t>(resource));
      row.Set(Field::kResourceName, name);
      row.Set(Field::kResourceId, fmt::format("{}/{}", stream_.source, name));
    }
    const int64_t list = meter_.ListPrice(slot);
    const int64_t contracted = meter_.ContractedPrice(slot);
    const int64_t effective = committed ? meter_.CommittedPrice() : contracted;
    SetPrices(slot, quantity, list, contracted, &row);
    const int128 cost = static_cast<int128>(effective) * quantity;
    row.SetMoney(Field::kEffectiveCost, cost);
    row.SetMoney(Field::kBilledCost, committed ? 0 : cost);
    SetCommitment(committed ? "Used" : "", committed ? quantity : 0, &row);
    SetMeters(slot, quantity, &row);
    return out->Write(row);
  }

  // What the commitment costs in this slot (a purchase), and what of it nothing used.
  Status WriteCommitment(const Slot& slot, int64_t committed, int64_t unused, BillWriter* out) {
    const int64_t price = meter_.CommittedPrice();
    Row row = templates_[0];
    SetTimes(slot, &row);
    SetPrices(slot, committed, price, price, &row);
    row.Set(Field::kSkuPriceId, fmt::format("{}.commitment", stream_.sku));
    row.Set(Field::kChargeCategory, "Purchase");
    row.Set(Field::kChargeFrequency, "Recurring");
    row.SetMoney(Field::kBilledCost, static_cast<int128>(price) * committed);
    row.SetMoney(Field::kEffectiveCost, 0);
    SetCommitment("", committed, &row);
    row.Set(Field::kPricingCategory, "Standard");
    row.Set(Field::kChargeDescription, fmt::format("Commitment for {}", stream_.meter));
    for (Field field : {Field::kTags, Field::kConsumedQuantity, Field::kConsumedUnit}) {
      row.Set(field, "");
    }
    // What was bought, and what nothing used of it, is the commitment itself.
    row.Set(Field::kResourceId, CommitmentId());
    row.Set(Field::kResourceName, CommitmentName());
    row.Set(Field::kResourceType, kCommitmentType);
    FB_CHECK(out->Write(row));
    if (unused == 0) return {};
    row.Set(Field::kChargeCategory, "Usage");
    row.Set(Field::kChargeFrequency, "Usage-Based");
    row.Set(Field::kChargeDescription, fmt::format("Unused commitment for {}", stream_.meter));
    SetPrices(slot, unused, price, price, &row);
    row.Set(Field::kSkuPriceId, fmt::format("{}.commitment", stream_.sku));
    row.SetMoney(Field::kBilledCost, 0);
    row.SetMoney(Field::kEffectiveCost, static_cast<int128>(price) * unused);
    SetCommitment("Unused", unused, &row);
    row.Set(Field::kConsumedQuantity, "");
    return out->Write(row);
  }

  std::string CommitmentId() const {
    return fmt::format("commitment-{}-{}", stream_.source, stream_.sku);
  }
  std::string CommitmentName() const { return fmt::format("{} one year", stream_.sku); }

  // `quantity` of the commitment that the row buys, uses or leaves unused; 0: none.
  void SetCommitment(std::string_view status, int64_t quantity, Row* row) const {
    const bool on = quantity > 0;
    row->Set(Field::kCommitmentDiscountStatus, status);
    row->Set(Field::kCommitmentDiscountCategory, on ? "Usage" : "");
    row->Set(Field::kCommitmentDiscountId, on ? CommitmentId() : "");
    row->Set(Field::kCommitmentDiscountName, on ? CommitmentName() : "");
    row->Set(Field::kCommitmentDiscountType, on ? kCommitmentType : "");
    row->Set(Field::kCommitmentDiscountQuantity, on ? FormatDecimal(quantity, 4) : "");
    row->Set(Field::kCommitmentDiscountUnit, on ? PricingUnit() : "");
    row->Set(Field::kPricingCategory, on ? "Committed" : "Standard");
  }

  void SetTimes(const Slot& slot, Row* row) const {
    const Instant month = FloorMonth(slot.start);
    row->SetTime(Field::kChargePeriodStart, slot.start);
    row->SetTime(Field::kChargePeriodEnd, slot.end);
    row->SetTime(Field::kBillingPeriodStart, month);
    row->SetTime(Field::kBillingPeriodEnd, AddMonths(month, 1));
    row->Set(Field::kInvoiceId,
             fmt::format("{}-{}", stream_.source, FormatDate(month).substr(0, 7)));
    row->Set(Field::kConfidence, slot.day + 3 >= kDays ? "estimate" : "final");
  }

  // A list price that changes gets an id of its own.
  void SetPrices(const Slot& slot, int64_t quantity, int64_t list, int64_t contracted,
                 Row* row) const {
    const bool changed = meter_.PriceChanged(slot);
    row->Set(Field::kSkuPriceId, fmt::format("{}.ondemand{}", stream_.sku, changed ? ".2" : ""));
    row->Set(Field::kListUnitPrice, FormatDecimal(list, 8));
    row->Set(Field::kContractedUnitPrice, FormatDecimal(contracted, 8));
    row->Set(Field::kPricingQuantity, FormatDecimal(quantity, 4));
    row->SetMoney(Field::kListCost, static_cast<int128>(list) * quantity);
    row->SetMoney(Field::kContractedCost, static_cast<int128>(contracted) * quantity);
    row->Set(Field::kConsumedQuantity,
             FormatDecimal(static_cast<int128>(quantity) * stream_.pricing_block, 4));
  }

  // Physical meters beside the money; the share of GPU time that was busy falls when a pool idles.
  void SetMeters(const Slot& slot, int64_t quantity, Row* row) const {
    const bool idle = stream_.event == "idle-gpu-pool" && meter_.InEvent(slot);
    const int64_t busy_percent = idle ? 1 : 71;
    int64_t gpus = 0;
    if (stream_.unit == "GPU-Hours") gpus = 1;
    if (stream_.sku == "EC2-P5" || stream_.sku == "GCE-A3" || stream_.sku == "AML-ND-H100")
      gpus = 8;
    if (gpus > 0) {
      row->Set(Field::kGpuSeconds,
               FormatDecimal(static_cast<int128>(quantity) * gpus * 36 * busy_percent, 4));
    }
    if (stream_.unit == "kWh") {
      row->Set(Field::kEnergyWh, FormatDecimal(static_cast<int128>(quantity) * 1000, 4));
    }
    if (stream_.unit == "MSU-Hours") row->Set(Field::kMsu, FormatDecimal(quantity, 4));
  }

  const Stream& stream_;
  Meter meter_;
  uint64_t seed_;
  int resources_;
  std::vector<Row> templates_;
  std::vector<int64_t> weights_;
  int64_t weight_sum_ = 0;
};

// How fine the charges are: slots a stream, and how many resources share one.
struct Resolution {
  int days_a_slot = 1;  // 0: hours
  int64_t slots = kDays;
  int64_t resources_total = 0;  // over all streams, in one slot
};

Resolution Resolve(int64_t rows) {
  const auto streams = static_cast<int64_t>(Streams().size());
  Resolution chosen;
  for (int days : {15, 10, 5, 3, 2, 1, 0}) {
    int64_t slots = 0;
    for (int month = 0; month < kMonths; ++month) {
      slots += static_cast<int64_t>(SlotsOfMonth(month, days).size());
    }
    const int64_t wanted = days == 0 ? 2 : 1;  // hours only when each stream gets two resources
    if (days != 15 && rows < streams * slots * wanted) break;
    chosen = {days, slots, 0};
  }
  // One row in ten or so is a commitment's: purchases and split coverage.
  chosen.resources_total = rows / chosen.slots;
  return chosen;
}

// Resources of every stream, in the order of Streams(): by weight, and together what the resolution
// wants.
std::vector<int> ResourcesOfStreams(const Resolution& resolution) {
  int64_t weights = 0;
  for (const Stream& stream : Streams()) weights += stream.weight;
  std::vector<int> resources;
  int64_t weight_before = 0;
  for (const Stream& stream : Streams()) {
    const int64_t weight_after = weight_before + stream.weight;
    int64_t own = resolution.resources_total * weight_after / weights -
                  resolution.resources_total * weight_before / weights;
    if (stream.committed_share_bp > 0) own -= 2;  // the purchase, and use that is half covered
    resources.push_back(static_cast<int>(std::max<int64_t>(own, 1)));
    weight_before = weight_after;
  }
  return resources;
}

// Tax and credits of the public clouds: charges without a meter.
Status WriteExtras(const SourceRow& source, int month, const Layout& layout, BillWriter* out) {
  if (source.id != "aws" && source.id != "azure" && source.id != "gcp") return {};
  const Slot slot = SlotsOfMonth(month, 31).front();
  struct Extra {
    std::string_view category, description;
    int usd;
  };
  const Extra extras[] = {{"Tax", "VAT on support and marketplace", 2100 + 40 * month},
                          {"Credit", "Migration programme credit", -1500}};
  for (const Extra& extra : extras) {
    Row row(layout);
    row.Set(Field::kBillingAccountId, source.account);
    row.Set(Field::kBillingAccountName, source.account_name);
    row.Set(Field::kBillingCurrency, "USD");
    row.Set(Field::kChargeCategory, extra.category);
    row.Set(Field::kChargeFrequency, "One-Time");
    row.Set(Field::kChargeDescription, extra.description);
    row.Set(Field::kHostProviderName, source.provider);
    row.Set(Field::kInvoiceIssuerName, source.issuer);
    row.Set(Field::kProviderName, source.provider);
    row.Set(Field::kPublisherName, source.issuer);
    row.Set(Field::kServiceProviderName, source.provider);
    row.Set(Field::kServiceCategory, "Other");
    row.Set(Field::kServiceSubcategory, "Other (Other)");
    row.Set(Field::kServiceName, extra.category);
    row.Set(Field::kInvoiceId,
            fmt::format("{}-{}", source.id, FormatDate(slot.start).substr(0, 7)));
    row.SetTime(Field::kBillingPeriodStart, slot.start);
    row.SetTime(Field::kBillingPeriodEnd, AddMonths(slot.start, 1));
    row.SetTime(Field::kChargePeriodStart, slot.start);
    row.SetTime(Field::kChargePeriodEnd, AddMonths(slot.start, 1));
    row.Set(Field::kConfidence, "final");
    const int128 cost = static_cast<int128>(extra.usd) * 1'000'000'000'000;
    for (Field field :
         {Field::kBilledCost, Field::kEffectiveCost, Field::kListCost, Field::kContractedCost}) {
      row.SetMoney(field, cost);
    }
    FB_CHECK(out->Write(row));
  }
  return {};
}

class Maker {
 public:
  Maker(const Options& options, os::Files& files)
      : options_(options),
        files_(files),
        resolution_(Resolve(options.rows)),
        resources_(ResourcesOfStreams(resolution_)) {}

  Result<Made> Run() {
    FB_CHECK(files_.MakeDirs(options_.dir));
    FB_CHECK(options_.one_file ? MakeOneFile() : MakeFiles());
    made_.estate_path = os::JoinPath(options_.dir, "estate.yaml");
    made_.events_path = os::JoinPath(options_.dir, "events.json");
    FB_CHECK(os::AtomicWrite(files_, made_.estate_path, EstateText()));
    FB_CHECK(os::AtomicWrite(files_, made_.events_path, EventsJson()));
    return std::move(made_);
  }

 private:
  // The writers of one source, in the layout of its bills.
  std::vector<StreamWriter>& WritersOf(std::string_view source, const Layout& layout) {
    auto [found, fresh] = writers_.try_emplace(std::string(source));
    if (!fresh) return found->second;
    for (size_t i = 0; i < Streams().size(); ++i) {
      const Stream& stream = Streams()[i];
      if (stream.source != source) continue;
      const uint64_t seed = Hash64(
          fmt::format("{}/{}/{}/{}", options_.seed, stream.source, stream.sku, stream.use_case));
      found->second.emplace_back(stream, layout, seed, resources_[i]);
    }
    return found->second;
  }

  // A draft is the wrong first bill of a restated month: 3 % low, and without its last two days.
  Status WriteMonth(const SourceRow& source, int month, bool draft, const Layout& layout,
                    BillWriter* out) {
    const int64_t before = out->rows();
    const std::vector<Slot> slots = SlotsOfMonth(month, resolution_.days_a_slot);
    const Instant month_end = slots.back().end;
    for (StreamWriter& writer : WritersOf(source.id, layout)) {
      for (const Slot& slot : slots) {
        if (draft && slot.end.us > month_end.us - 2 * kMicrosPerDay) continue;
        FB_CHECK(writer.WriteSlot(slot, draft ? 97 : 100, out));
      }
    }
    FB_CHECK(WriteExtras(source, month, layout, out));
    rows_done_ += out->rows() - before;
    if (options_.progress && !options_.progress(rows_done_, options_.rows)) {
      return Fail(Code::kCancelled, "stopped while the demonstration estate was written");
    }
    return {};
  }

  // Of each source the drafts of its restated months, then one bill with all months.
  Status MakeFiles() {
    for (const SourceRow& source : Sources()) {
      const Layout layout(source.focus);
      for (const auto& [restated, month] : kRestated) {
        if (restated != source.id) continue;
        const std::string period = FormatDate(SlotsOfMonth(month, 31).front().start).substr(0, 7);
        FB_CHECK(WriteBill(source, fmt::format("{}-{}-draft", source.id, period), month, month + 1,
                           true, layout));
      }
      FB_CHECK(WriteBill(source, std::string(source.id), 0, kMonths, false, layout));
    }
    return {};
  }

  Status WriteBill(const SourceRow& source, const std::string& name, int first_month,
                   int last_month, bool draft, const Layout& layout) {
    const std::string path = os::JoinPath(options_.dir, name + ".csv");
    BillWriter out = FB_TRY(BillWriter::Create(files_, path, layout));
    for (int month = first_month; month < last_month; ++month) {
      FB_CHECK(WriteMonth(source, month, draft, layout, &out));
    }
    FB_CHECK(out.Close());
    made_.bills.push_back({path, std::string(source.id), out.rows()});
    return {};
  }

  Status MakeOneFile() {
    const Layout layout("1.4");
    const std::string path = os::JoinPath(options_.dir, "estate.csv");
    BillWriter out = FB_TRY(BillWriter::Create(files_, path, layout));
    for (int month = 0; month < kMonths; ++month) {
      for (const SourceRow& source : Sources()) {
        FB_CHECK(WriteMonth(source, month, false, layout, &out));
      }
    }
    FB_CHECK(out.Close());
    made_.bills.push_back({path, "estate", out.rows()});
    return {};
  }

  const Options& options_;
  os::Files& files_;
  Resolution resolution_;
  std::vector<int> resources_;
  std::map<std::string, std::vector<StreamWriter>> writers_;
  Made made_;
  int64_t rows_done_ = 0;
};

}  // namespace

Result<Made> Make(const Options& options, os::Files& files) {
  if (options.rows < kRowsMin || options.rows > kRowsMax) {
    return Fail(Code::kInvalidArgument, fmt::format("--rows is {}, but must be from {} to {}",
                                                    options.rows, kRowsMin, kRowsMax));
  }
  return Maker(options, files).Run();
}

}  // namespace flyball::demo
