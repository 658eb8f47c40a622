#include "rates/price_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "rates/stored_name.h"

namespace flyball::rates {
namespace {

constexpr std::string_view kEnding = ".json";

bool ParseFormat(std::string_view name, PriceFormat* format) {
  for (const PriceFormat known :
       {PriceFormat::kLiteLlm, PriceFormat::kGenaiPrices, PriceFormat::kFlyball}) {
    if (FormatName(known) != name) continue;
    *format = known;
    return true;
  }
  return false;
}

std::string NameOf(const StoredPrices& prices) {
  return FormatStoredName({prices.imported, std::string(FormatName(prices.format)), prices.sha256},
                          kEnding);
}

bool ParseName(std::string_view text, StoredPrices* out) {
  const std::optional<StoredName> name = ParseStoredName(text, kEnding);
  if (!name) return false;
  out->name = text;
  out->sha256 = name->sha256;
  out->id = name->id();
  out->imported = name->imported;
  return ParseFormat(name->format, &out->format);
}

// What a map says, only from the day of its check on, or only before it.
Layer Cut(Layer layer, bool since) {
  for (ModelPrices& model : layer.models) {
    for (RegionPrices& prices : model.regions) {
      for (PricePeriod& period : prices.periods) {
        (since ? period.from : period.to) = FloorDay(layer.sources[period.source].checked);
      }
    }
  }
  layer.name += fmt::format(" {}", FormatDate(layer.sources.front().checked));
  return layer;
}

Instant CheckedOf(const Layer& layer) {
  return layer.sources.empty() ? kAlways : layer.sources.front().checked;
}

std::string ContractOf(const Layer& layer) {
  for (const ModelPrices& model : layer.models) {
    for (const RegionPrices& prices : model.regions) {
      if (!prices.periods.empty()) return prices.periods.front().contract;
    }
  }
  return "";
}

}  // namespace

PriceStore::PriceStore(os::Files& files, const std::string& home)
    : files_(files), folder_(os::JoinPath(home, "prices")) {}

Result<std::vector<StoredPrices>> PriceStore::List() const {
  std::vector<StoredPrices> found;
  if (!files_.Exists(folder_)) return found;
  for (const std::string& name : FB_TRY(files_.List(folder_))) {
    StoredPrices prices;
    if (ParseName(name, &prices)) found.push_back(std::move(prices));
  }
  return found;
}

Result<PriceStore::Added> PriceStore::Add(std::string_view bytes, Instant now) {
  Added added;
  added.file = FB_TRY(ReadPriceFile(bytes, {now}));
  added.prices.format = added.file.report.format;
  added.prices.imported = Instant{now.us - now.us % kMicrosPerSecond};
  added.prices.sha256 = Sha256Hex(bytes);
  added.prices.id = added.prices.sha256.substr(0, kStoredIdBytes);
  added.prices.name = NameOf(added.prices);
  const std::vector<StoredPrices> have = FB_TRY(List());
  for (auto newest = have.rbegin(); newest != have.rend(); ++newest) {
    if (newest->format != added.prices.format) continue;
    added.unchanged = newest->sha256 == added.prices.sha256;
    if (added.unchanged) added.prices = *newest;
    // Several contracts stand beside each other; of a public list only the newest counts here.
    if (added.unchanged || added.prices.format != PriceFormat::kFlyball) break;
  }
  if (added.unchanged) return added;
  if (have.size() >= kPriceImportsMax) {
    return Fail(Code::kResourceExhausted,
                fmt::format("there are {} price files in '{}' already", have.size(), folder_),
                "remove those that no call of any open period needs");
  }
  FB_CHECK(files_.MakeDirs(folder_));
  FB_CHECK(os::AtomicWrite(files_, os::JoinPath(folder_, added.prices.name), bytes));
  return added;
}

Result<PriceFile> PriceStore::Load(const StoredPrices& prices) const {
  const std::string path = os::JoinPath(folder_, prices.name);
  const std::string bytes = FB_TRY(files_.ReadAll(path));
  if (Sha256Hex(bytes) != prices.sha256) {
    return Fail(Code::kDataLoss, fmt::format("the price file '{}' is not what was imported", path),
                "remove it and import the prices again");
  }
  Result<PriceFile> file = ReadPriceFile(bytes, {prices.imported});
  if (!file) {
    file.error().place.file = path;
    return file;
  }
  for (PriceSource& source : file->layer.sources) {
    if (source.url.empty()) source.url = "prices/" + prices.name;  // there it can be read
  }
  return file;
}

Result<StoredPrices> PriceStore::Find(std::string_view id) const {
  std::vector<StoredPrices> found;
  for (StoredPrices& prices : FB_TRY(List())) {
    if (prices.name == id || (!id.empty() && prices.sha256.starts_with(id))) {
      found.push_back(std::move(prices));
    }
  }
  if (found.empty()) {
    return Fail(Code::kNotFound, fmt::format("no import of prices begins with '{}'", id));
  }
  if (std::any_of(found.begin(), found.end(), [&found](const StoredPrices& prices) {
        return prices.sha256 != found.front().sha256;
      })) {
    return Fail(Code::kInvalidArgument,
                fmt::format("{} imports of prices begin with '{}'", found.size(), id));
  }
  return found.back();
}

Result<std::vector<Layer>> PriceStore::Layers() const {
  std::vector<StoredPrices> stored = FB_TRY(List());
  std::vector<Layer> layers;
  std::set<std::string> seen;                  // contracts
  std::vector<Layer> oldest_map;               // none or one
  std::reverse(stored.begin(), stored.end());  // the newest import first
  for (const StoredPrices& prices : stored) {
    Layer layer = FB_TRY(Load(prices)).layer;
    if (layer.contract && !seen.insert(ContractOf(layer)).second) continue;
    if (prices.format == PriceFormat::kLiteLlm) {
      oldest_map.assign(1, layer);
      layer = Cut(std::move(layer), true);
    }
    // Stable by hand: before the first that was checked earlier.
    const auto at = std::find_if(layers.begin(), layers.end(), [&layer](const Layer& other) {
      return CheckedOf(other) < CheckedOf(layer);
    });
    layers.insert(at, std::move(layer));
  }
  layers.push_back(BuiltinPrices().layer);
  if (!oldest_map.empty()) layers.push_back(Cut(std::move(oldest_map.front()), false));
  return layers;
}

}  // namespace flyball::rates
