#include "estate/decode_sources.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "estate/vendor_reports.h"
#include "os/files.h"

namespace flyball::estate {
namespace {

// In the order of their enumerations, without kNamed.
constexpr std::array<std::string_view, 7> kKinds = {"folder", "s3",        "azure",     "gcs",
                                                    "openai", "anthropic", "openrouter"};
constexpr std::array<std::string_view, 5> kManifests = {"auto", "none", "aws-cur",
                                                        "aws-data-exports", "azure-export"};
constexpr std::array<std::string_view, 2> kSets = {"file", "folder"};
// Behind it comes the name of a file or folder, and a source of the ledger has at most 100 bytes.
constexpr size_t kNameMaxBytes = 60;

// A key of a source, and the kinds that have it.
struct Key {
  std::string_view name;
  std::string_view what;
  std::string Source::* member;
  std::vector<SourceKind> kinds;
  bool required = false;
};

const std::vector<Key>& Keys() {
  using enum SourceKind;
  static const std::vector<Key> kTable = {
      {"path", "an absolute path", &Source::path, {kFolder}, true},
      {"bucket", "the name of a bucket", &Source::bucket, {kS3, kGcs}, true},
      {"account", "the name of a storage account", &Source::account, {kAzure}, true},
      {"container", "the name of a container", &Source::bucket, {kAzure}, true},
      {"prefix", "the beginning of keys", &Source::prefix, {kS3, kAzure, kGcs}},
      {"endpoint",
       "an address",
       &Source::endpoint,
       {kS3, kAzure, kGcs, kOpenAi, kAnthropic, kOpenRouter}},
      {"region", "a region", &Source::region, {kS3}},
      {"key_id_env", "the name of a variable", &Source::key_id_env, {kS3}},
      {"secret_env", "the name of a variable", &Source::secret_env, {kS3}},
      {"session_env", "the name of a variable", &Source::session_env, {kS3}},
      {"key_env",
       "the name of a variable",
       &Source::key_env,
       {kAzure, kOpenAi, kAnthropic, kOpenRouter}},
      {"sas_env", "the name of a variable", &Source::sas_env, {kAzure}},
      {"token_env", "the name of a variable", &Source::token_env, {kGcs}},
      {"key_file", "an absolute path", &Source::key_file, {kGcs}},
      {"ca_file",
       "an absolute path",
       &Source::ca_file,
       {kS3, kAzure, kGcs, kOpenAi, kAnthropic, kOpenRouter}},
      {"format", "a format of bills", &Source::format, {kFolder, kS3, kAzure, kGcs}},
  };
  return kTable;
}

bool Has(const Key& key, SourceKind kind) {
  return std::find(key.kinds.begin(), key.kinds.end(), kind) != key.kinds.end();
}

// The node of a key that is known to be there.
At Of(At map, std::string_view key) { return At{*map.node.Find(key), map.file}; }

// Part of a host or of a path: what buckets, accounts, containers and regions are made of.
bool IsLabel(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

Status CheckText(At at, const Key& key, const std::string& text) {
  if (key.name == "endpoint") return CheckAddress(at, text);
  if (key.name.ends_with("_env")) return CheckVariable(at, key.name, text);
  if ((key.name == "path" || key.name.ends_with("_file")) && !text.starts_with('/')) {
    return Unexpected(at, key.what, "write it from the root on: /var/bills");
  }
  const bool label = key.name == "bucket" || key.name == "account" || key.name == "container" ||
                     key.name == "region";
  if (label && !IsLabel(text)) {
    return Unexpected(at, key.what, "letters, digits, '-', '.' and '_'");
  }
  return {};
}

std::vector<std::string_view> CommonKeys(const Source& source) {
  std::vector<std::string_view> known = {"name", "title", "kind", "beside"};
  if (source.is_api()) {
    known.insert(known.end(), {"from", "again_days", "max_rate"});
    if (ReportNames(source.kind).size() > 1) known.push_back("report");
    return known;
  }
  known.insert(known.end(), {"files", "set"});
  // What a manifest names are keys of a bucket.
  if (source.kind != SourceKind::kFolder) known.insert(known.end(), {"manifest", "max_rate"});
  return known;
}

Status ReadKeys(At map, Source* source) {
  std::vector<std::string_view> known = CommonKeys(*source);
  for (const Key& key : Keys()) {
    if (Has(key, source->kind)) known.push_back(key.name);
  }
  const std::string_view kind = SourceKindName(source->kind);
  FB_CHECK(CheckKeys(map, fmt::format("a source of kind {}", kind), known));
  for (const Key& key : Keys()) {
    if (!Has(key, source->kind)) continue;
    if (map.node.Find(key.name) == nullptr) {
      if (!key.required) continue;
      return Unexpected(map, fmt::format("a source of kind {} with `{}`", kind, key.name));
    }
    source->*key.member = FB_TRY(ReadTextAt(map, key.name, key.what));
    FB_CHECK(CheckText(Of(map, key.name), key, source->*key.member));
  }
  while (source->endpoint.ends_with('/')) source->endpoint.pop_back();
  return {};
}

Status ReadFiles(At map, Source* source) {
  if (map.node.Find("files") != nullptr) {
    source->files = FB_TRY(ReadTexts(Of(map, "files"), "a glob of files"));
  }
  if (map.node.Find("set") != nullptr) {
    source->folder_is_set = FB_TRY(ReadClosed(Of(map, "set"), "set of files", kSets)) == "folder";
  }
  if (map.node.Find("manifest") != nullptr) {
    const std::string word =
        FB_TRY(ReadClosed(Of(map, "manifest"), "kind of manifest", kManifests));
    source->manifest = static_cast<ManifestKind>(
        std::find(kManifests.begin(), kManifests.end(), word) - kManifests.begin());
  }
  return {};
}

Status ReadRate(At map, Source* source) {
  if (map.node.Find("max_rate") == nullptr) return {};
  const At at = Of(map, "max_rate");
  const int64_t rate = ParseBytes(FB_TRY(ReadText(at, "a rate a second")));
  if (rate < static_cast<int64_t>(kMaxRateLeast)) {
    return Unexpected(at, "a rate a second of at least 1KiB", "such as 20MiB");
  }
  source->max_rate = static_cast<uint64_t>(rate);
  return {};
}

Status ReadApi(At map, Source* source) {
  if (!source->is_api()) return {};
  if (map.node.Find("from") == nullptr) {
    return Unexpected(map, "a source with `from`, the first month or day that it is asked for",
                      "such as 2026-09");
  }
  const At from = Of(map, "from");
  const std::string text = FB_TRY(ReadText(from, "a month or day"));
  const Result<Instant> day = ParseUserInstant(text);
  if (!day || (text.size() != 7 && text.size() != 10) || *day != FloorDay(*day)) {
    return Unexpected(from, "a month or day", "such as 2026-09 or 2026-09-15");
  }
  source->from = *day;
  if (map.node.Find("report") != nullptr) {
    source->report = FB_TRY(ReadClosed(Of(map, "report"), "report", ReportNames(source->kind)));
  }
  if (map.node.Find("again_days") != nullptr) {
    const At at = Of(map, "again_days");
    const std::string days = FB_TRY(ReadText(at, "a number of days"));
    const auto read = std::from_chars(days.data(), days.data() + days.size(), source->again_days);
    if (read.ec != std::errc() || read.ptr != days.data() + days.size() || source->again_days < 0 ||
        source->again_days > kAgainDaysMax) {
      return Unexpected(at, fmt::format("a number of days, at most {}", kAgainDaysMax));
    }
  }
  return {};
}

Status CheckSecrets(At map, const Source& source) {
  const auto one_of = [&](const std::string& a, const std::string& b,
                          std::string_view names) -> Status {
    if (a.empty() != b.empty()) return {};
    return Unexpected(map, fmt::format("a source with either {}", names));
  };
  if (source.kind == SourceKind::kAzure) {
    return one_of(source.key_env, source.sas_env, "`sas_env` or `key_env`");
  }
  if (source.kind == SourceKind::kGcs) {
    return one_of(source.key_file, source.token_env, "`key_file` or `token_env`");
  }
  return {};
}

}  // namespace

std::string_view SourceKindName(SourceKind kind) {
  return kind == SourceKind::kNamed ? "" : kKinds[static_cast<size_t>(kind) - 1];
}

Result<Source> DecodeSource(At at) {
  Source source;
  source.place = at.place();
  if (at.node.kind != YamlNode::Kind::kMap) {
    source.name = FB_TRY(ReadText(at, "a source"));
    return source;
  }
  const YamlNode* kind = at.node.Find("kind");
  if (kind == nullptr) {
    // Keys of a place without a kind are a kind forgotten.
    if (at.node.Find("path") != nullptr || at.node.Find("bucket") != nullptr ||
        at.node.Find("account") != nullptr) {
      return Unexpected(at, "a source with a `kind`",
                        fmt::format("one of {}", fmt::join(kKinds, ", ")));
    }
    FB_CHECK(CheckKeys(at, "a source", {"name", "title", "kind"}));
  } else {
    const std::string word = FB_TRY(ReadClosed(At{*kind, at.file}, "kind of source", kKinds));
    source.kind = static_cast<SourceKind>(
        1 + (std::find(kKinds.begin(), kKinds.end(), word) - kKinds.begin()));
    FB_CHECK(ReadKeys(at, &source));
    if (at.node.Find("beside") != nullptr) {
      source.beside = FB_TRY(ReadBool(Of(at, "beside"), "`beside`"));
    }
    FB_CHECK(ReadFiles(at, &source));
    FB_CHECK(ReadRate(at, &source));
    FB_CHECK(ReadApi(at, &source));
    FB_CHECK(CheckSecrets(at, source));
  }
  source.name = FB_TRY(ReadTextAt(at, "name", "the name of a source"));
  source.title = FB_TRY(ReadTextAt(at, "title", "a title"));
  if (source.name.empty()) return Unexpected(at, "a source with a `name`");
  if (kind != nullptr && (!os::IsPlainName(source.name) || source.name.starts_with('.') ||
                          source.name.size() > kNameMaxBytes)) {
    return Unexpected(Of(at, "name"),
                      fmt::format("a plain name of at most {} bytes", kNameMaxBytes),
                      "use letters, digits, '.', '-' and '_'");
  }
  return source;
}

}  // namespace flyball::estate
