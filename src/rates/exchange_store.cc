#include "rates/exchange_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "rates/stored_name.h"

namespace flyball::rates {
namespace {

constexpr std::string_view kFolder = "exchange";
constexpr std::string_view kEnding = ".csv";

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
    for (const ExchangeFormat format : {ExchangeFormat::kEcb, ExchangeFormat::kEcbData}) {
      if (FormatName(format) != name->format) continue;
      found.push_back({file, name->id(), name->sha256, format, name->imported});
    }
  }
  std::ranges::sort(found, {}, &StoredExchange::name);
  return found;
}

Result<ExchangeStore::Added> ExchangeStore::Add(std::string_view bytes, Instant now) {
  Added added;
  added.file = FB_TRY(ReadExchangeFile(bytes));
  const std::vector<StoredExchange> have = FB_TRY(List());
  StoredName name{Instant{now.us - now.us % kMicrosPerSecond},
                  std::string(FormatName(added.file.format)), Sha256Hex(bytes)};
  if (!have.empty()) {
    if (have.back().sha256 == name.sha256) {
      added.stored = have.back();
      added.unchanged = true;
      return added;
    }
    // The order of the names is that of the imports, whatever the clock says.
    name.imported = std::max(name.imported, Instant{have.back().imported.us + kMicrosPerSecond});
  }
  if (have.size() >= kExchangeImportsMax) {
    return Fail(
        Code::kResourceExhausted,
        fmt::format("there are {} files of exchange rates in '{}' already", have.size(), folder_),
        "eurofxref-hist.csv states all days: import it, and remove the others");
  }
  ExchangeTable before = *FB_TRY(Table());
  added.restated = before.Add("", added.file);
  added.stored = {FormatStoredName(name, kEnding), name.id(), name.sha256, added.file.format,
                  name.imported};
  FB_CHECK(files_.MakeDirs(folder_));
  FB_CHECK(os::AtomicWrite(files_, os::JoinPath(folder_, added.stored.name), bytes));
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
