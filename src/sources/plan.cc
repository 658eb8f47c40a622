#include "sources/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace flyball::sources {
namespace {

constexpr std::array<std::string_view, 6> kBillEndings = {".csv",    ".tsv",  ".jsonl",
                                                          ".ndjson", ".json", ".parquet"};
// With the estate's name and a dot, below the ledger's 100 bytes.
constexpr size_t kLedgerNameMaxBytes = 39;

std::string_view LastStep(std::string_view key) { return key.substr(key.rfind('/') + 1); }

// The key behind the prefix, which may end in the middle of a name.
std::string_view BehindPrefix(const estate::Source& source, std::string_view key) {
  if (key.starts_with(source.prefix)) key.remove_prefix(source.prefix.size());
  while (key.starts_with('/')) key.remove_prefix(1);
  return key;
}

std::string FingerprintOf(const std::string& execution, std::vector<Object> files) {
  std::ranges::sort(files, {}, &Object::key);
  std::string text = execution + "\n";
  for (const Object& file : files) {
    text += fmt::format("{}\n{}\n{}\n", file.key, file.bytes, file.version);
  }
  return Sha256Hex(text);
}

Change ChangeOf(const FileSet& set, const Memory& memory) {
  const auto before = memory.find(set.id);
  if (before == memory.end()) return Change::kNew;
  return before->second.fingerprint == set.fingerprint ? Change::kUnchanged : Change::kChanged;
}

}  // namespace

uint64_t FileSet::bytes() const {
  uint64_t sum = 0;
  for (const Object& file : files) sum += file.bytes;
  return sum;
}

std::string_view ChangeName(Change change) {
  switch (change) {
    case Change::kNew:
      return "new";
    case Change::kChanged:
      return "changed";
    default:
      return "unchanged";
  }
}

bool IsUsableKey(std::string_view key) {
  return key.size() <= kKeyMaxBytes && ValidUtf8Prefix(key) == key.size() &&
         std::none_of(key.begin(), key.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < ' ') || c == '\x7f'; });
}

bool IsWanted(const estate::Source& source, const std::string& key) {
  const std::string_view name = LastStep(key);
  if (!IsUsableKey(key)) return false;
  if (name.empty() || name.starts_with('.') || name.starts_with('_')) return false;
  if (!source.files.empty()) {
    const std::string_view behind = BehindPrefix(source, key);
    return std::any_of(source.files.begin(), source.files.end(),
                       [&](const std::string& glob) { return GlobMatch(glob, behind); });
  }
  std::string lower = ToLower(name);
  if (lower.ends_with("manifest.json")) return false;
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (lower.ends_with(packed)) lower.resize(lower.size() - packed.size());
  }
  return std::any_of(kBillEndings.begin(), kBillEndings.end(),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

std::string PlainName(std::string_view text, size_t bytes_max) {
  std::string plain;
  for (const char c : text) {
    const bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_';
    plain += keep ? c : '-';
  }
  if (plain == text && plain.size() <= bytes_max && !plain.starts_with('.') && !plain.empty()) {
    return plain;
  }
  // The end of a key tells more than its beginning.
  constexpr size_t kHashBytes = 8;
  const size_t room = bytes_max - kHashBytes - 1;
  if (plain.size() > room) plain.erase(0, plain.size() - room);
  while (plain.starts_with('.') || plain.starts_with('-')) plain.erase(0, 1);
  return fmt::format("{}-{}", Sha256Hex(text).substr(0, kHashBytes), plain);
}

std::vector<FileSet> PlanFiles(const estate::Source& source, const std::vector<Object>& objects,
                               const Memory& memory) {
  std::map<std::string, FileSet> sets;
  for (const Object& object : objects) {
    if (!IsWanted(source, object.key) || object.bytes == 0) continue;
    std::string id(BehindPrefix(source, object.key));
    if (source.folder_is_set) id.resize(id.find('/') == std::string::npos ? 0 : id.rfind('/'));
    sets[id].files.push_back(object);
  }
  std::vector<FileSet> plan;
  for (auto& [id, set] : sets) {
    set.id = id;
    set.ledger_source = id.empty()
                            ? source.name
                            : fmt::format("{}.{}", source.name, PlainName(id, kLedgerNameMaxBytes));
    set.fingerprint = FingerprintOf("", set.files);
    set.change = ChangeOf(set, memory);
    plan.push_back(std::move(set));
  }
  return plan;
}

FileSet PlanDelivery(const estate::Source& source, const Delivery& delivery,
                     std::vector<Object> objects, const Memory& memory) {
  FileSet set;
  set.id = delivery.period.empty() ? "all periods" : delivery.period;
  set.ledger_source = source.name;
  set.files = std::move(objects);
  set.rows = delivery.rows;
  set.manifest = delivery.manifest;
  set.fingerprint = FingerprintOf(delivery.execution, set.files);
  set.change = ChangeOf(set, memory);
  return set;
}

std::vector<std::string> Gone(const std::vector<FileSet>& sets, const Memory& memory) {
  std::set<std::string_view> there;
  for (const FileSet& set : sets) there.insert(set.id);
  std::vector<std::string> gone;
  for (const auto& [id, remembered] : memory) {
    if (!there.contains(id)) gone.push_back(id);
  }
  return gone;
}

}  // namespace flyball::sources
