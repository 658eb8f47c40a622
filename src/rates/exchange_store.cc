#include "rates/exchange_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/hash.h"
#include "rates/stored_name.h"

namespace flyball::rates {
namespace {

constexpr std::string_view kFolder = "exchange";
constexpr std::string_view kEnding = ".csv";
constexpr std::string_view kCovered = "covered";
constexpr std::string_view kOwn = "own";  // in the place of a format's name

std::string VersionOf(const std::vector<StoredExchange>& stored) {
  std::string names;
  for (const StoredExchange& each : stored) names += each.name + "\n";
  return names.empty() ? names : Sha256Hex(names);
}

}  // namespace

ExchangeStore::ExchangeStore(os::Files& files, const std::string& home)
    : files_(files), folder_(os::JoinPath(home, std::string(kFolder))) {}

Result<std::vector<StoredExchange>> ExchangeStore::List() const {
  std::vector<StoredExchange> found;
  if (!files_.Exists(folder_)) return found;
  for (const std::string& file : FB_TRY(files_.List(folder_))) {
    const std::optional<StoredName> name = ParseStoredName(file, kEnding);
    if (!name) continue;
    const bool own = name->format == kOwn;
    if (!own && name->format != FormatName(ExchangeFormat::kEcb) &&
        name->format != FormatName(ExchangeFormat::kEcbData)) {
      continue;
    }
    found.push_back({file, name->id(), name->sha256, own, name->imported});
  }
  std::ranges::sort(found, {},
                    [](const StoredExchange& each) { return std::tie(each.own, each.name); });
  return found;
}

// What a crash leaves is put away by the next import.
Status ExchangeStore::PutCoveredAway() {
  const std::vector<StoredExchange> stored = FB_TRY(List());
  const std::shared_ptr<const ExchangeTable> table = FB_TRY(Table());
  for (uint32_t i = 0; i < stored.size(); ++i) {
    if (table->Uses(i)) continue;
    const std::string covered = os::JoinPath(folder_, std::string(kCovered));
    FB_CHECK(files_.MakeDirs(covered));
    FB_CHECK(files_.Rename(os::JoinPath(folder_, stored[i].name),
                           os::JoinPath(covered, stored[i].name)));
  }
  return {};
}

Result<ExchangeStore::Added> ExchangeStore::Add(std::string_view bytes, Instant now, bool own) {
  Added added;
  added.file = FB_TRY(ReadExchangeFile(bytes));
  const std::vector<StoredExchange> have = FB_TRY(List());
  StoredName name{Instant{now.us - now.us % kMicrosPerSecond},
                  std::string(own ? kOwn : FormatName(added.file.format)), Sha256Hex(bytes)};
  for (const StoredExchange& each : have) {
    // The order of the names is that of the imports, whatever the clock says.
    name.imported = std::max(name.imported, Instant{each.imported.us + kMicrosPerSecond});
  }
  const auto last = std::ranges::find(have.rbegin(), have.rend(), own, &StoredExchange::own);
  if (last != have.rend() && last->sha256 == name.sha256) {
    added.stored = *last;
    added.unchanged = true;
    return added;
  }
  if (have.size() >= kExchangeImportsMax) {
    return Fail(
        Code::kResourceExhausted,
        fmt::format("there are {} files of exchange rates in '{}' already", have.size(), folder_),
        "eurofxref-hist.csv states all days: import it, and remove the others");
  }
  const std::shared_ptr<const ExchangeTable> before = FB_TRY(Table());
  added.stored = {FormatStoredName(name, kEnding), name.id(), name.sha256, own, name.imported};
  FB_CHECK(files_.MakeDirs(folder_));
  FB_CHECK(os::AtomicWrite(files_, os::JoinPath(folder_, added.stored.name), bytes));
  added.restated = FB_TRY(Table())->CountOtherThan(*before);
  FB_CHECK(PutCoveredAway());
  return added;
}

Result<ExchangeFile> ExchangeStore::Load(const StoredExchange& stored) const {
  const std::string path = os::JoinPath(folder_, stored.name);
  const std::string bytes = FB_TRY(files_.ReadAll(path));
  if (Sha256Hex(bytes) != stored.sha256) {
    return Fail(Code::kDataLoss,
                fmt::format("the file of exchange rates '{}' is not what was imported", path),
                "remove it and import the rates again");
  }
  Result<ExchangeFile> file = ReadExchangeFile(bytes);
  if (!file) file.error().place.file = path;
  return file;
}

Result<std::string> ExchangeStore::Version() const { return VersionOf(FB_TRY(List())); }

Result<std::shared_ptr<const ExchangeTable>> ExchangeStore::Table() {
  const std::vector<StoredExchange> stored = FB_TRY(List());
  const std::string version = VersionOf(stored);
  std::lock_guard lock(mutex_);
  if (table_ == nullptr || version != version_) {
    auto table = std::make_shared<ExchangeTable>();
    for (const StoredExchange& each : stored) {
      table->Add(fmt::format("{}/{}", kFolder, each.name), FB_TRY(Load(each)));
    }
    table_ = std::move(table);
    version_ = version;
  }
  return table_;
}

}  // namespace flyball::rates
