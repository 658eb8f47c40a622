#include "estate/estate.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <filesystem>

#include "base/hash.h"
#include "base/text.h"
#include "estate/compile.h"
#include "estate/decode.h"
#include "estate/snapshot.h"

namespace flyball::estate {
namespace {

using dimension::Assigned;
using dimension::kRuleDimensionCount;
using Why = std::array<std::string, kRuleDimensionCount>;

constexpr uint32_t kAllDimensions = (1u << kRuleDimensionCount) - 1;

// How values of a closed list and ids are compared: blind to case and to '_', '-' and blanks.
std::string ClosedKey(std::string_view text) {
  std::string key = ToLower(Trim(text));
  for (char& c : key) {
    if (c == '_' || c == '-') c = ' ';
  }
  return key;
}

// Lower case, every run of other characters than letters, digits and dots one '-'; none of them at
// the end.
std::string Slug(std::string_view text) {
  std::string slug;
  for (char c : text) {
    bool upper = c >= 'A' && c <= 'Z';
    bool plain = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
    if (plain) {
      slug.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (!slug.empty() && slug.back() != '-') {
      slug.push_back('-');
    }
  }
  while (!slug.empty() && (slug.back() == '-' || slug.back() == '.')) slug.pop_back();
  return slug;
}

// The spellings of one dimension and what they stand for.
struct Spellings {
  bool closed = false;  // nothing but the values of the list
  std::unordered_map<std::string, std::string> known;

  std::optional<std::string> Resolve(std::string_view text) const {
    text = Trim(text);
    if (text.empty()) return std::nullopt;
    auto found = known.find(closed ? ClosedKey(text) : ToLower(text));
    if (found != known.end()) return found->second;
    if (closed) return std::nullopt;
    return std::string(text);
  }
};

class CompiledRuleSet : public RuleSet {
 public:
  static Result<std::shared_ptr<const RuleSet>> Make(const std::vector<SnapshotPart>& parts,
                                                     std::string hash) {
    Document document = FB_TRY(Decode(parts));
    auto set = std::make_shared<CompiledRuleSet>();
    set->hash_ = std::move(hash);
    for (const Named& provider : document.providers) {
      set->providers_.Add(provider.id, provider.id);
      for (const std::string& alias : provider.aliases) set->providers_.Add(alias, provider.id);
    }
    for (const RuleSpec& rule : document.estate_rules) {
      FB_CHECK(set->estate_rules_.Add(rule, &set->atoms_));
    }
    for (const RuleSpec& rule : document.pack_rules) {
      FB_CHECK(set->pack_rules_.Add(rule, &set->atoms_));
    }
    set->atoms_.Finish();
    set->estate_rules_.Index(set->atoms_);
    set->pack_rules_.Index(set->atoms_);
    set->estate_ = std::move(document.estate);
    set->LearnSpellings();
    return std::shared_ptr<const RuleSet>(std::move(set));
  }

  Assigned Assign(const signature::Values& values) const override { return Run(values, nullptr); }
  Why Explain(const signature::Values& values) const override {
    Why why;
    Run(values, &why);
    return why;
  }
  const std::string& hash() const override { return hash_; }
  const Estate& estate() const override { return estate_; }

 private:
  Assigned Run(const signature::Values& values, Why* why) const {
    Assigned assigned;
    Row row(values, providers_);
    Evaluation evaluation(atoms_, row);
    uint32_t open = kAllDimensions;
    auto apply = [&](const Rule& rule) {
      if ((rule.dimensions & open) != 0 && rule.match.Holds(evaluation)) {
        Give(rule, row, &assigned, &open, why);
      }
      return open != 0;
    };
    estate_rules_.ForCandidates(row, apply);
    TakeStated(row, &assigned, &open, why);
    if (open != 0) pack_rules_.ForCandidates(row, apply);
    return assigned;
  }

  void Give(const Rule& rule, Row& row, Assigned* assigned, uint32_t* open, Why* why) const {
    for (const Gift& gift : rule.gifts) {
      size_t d = static_cast<size_t>(gift.dimension);
      if ((*open & (1u << d)) == 0) continue;
      std::optional<std::string> value = Value(gift, row);
      if (!value.has_value()) continue;
      (*assigned)[d] = std::move(value);
      *open &= ~(1u << d);
      if (why != nullptr) (*why)[d] = rule.origin;
    }
  }

  std::optional<std::string> Value(const Gift& gift, Row& row) const {
    const Spellings& spellings = spellings_[static_cast<size_t>(gift.dimension)];
    if (gift.from.empty()) return spellings.Resolve(gift.literal);
    for (const Field& field : gift.from) {
      std::optional<std::string_view> text = row.Get(field);
      if (!text.has_value()) continue;
      re2::StringPiece group(text->data(), text->size());
      if (gift.regex != nullptr) {
        re2::StringPiece groups[2];
        int count = gift.regex->NumberOfCapturingGroups() > 0 ? 2 : 1;
        if (!gift.regex->Match(group, 0, group.size(), re2::RE2::UNANCHORED, groups, count)) {
          continue;
        }
        group = groups[count - 1];
      }
      std::string_view taken(group.data(), group.size());
      std::optional<std::string> value =
          gift.slug ? spellings.Resolve(Slug(taken)) : spellings.Resolve(taken);
      if (value.has_value()) return value;
    }
    return std::nullopt;
  }

  // What the source itself stated, in the x_ columns.
  void TakeStated(Row& row, Assigned* assigned, uint32_t* open, Why* why) const {
    std::span<const dimension::RuleDimensionInfo> infos = dimension::RuleDimensions();
    for (size_t d = 0; d < stated_.size(); ++d) {
      if ((*open & (1u << d)) == 0 || stated_[d].column < 0) continue;
      std::optional<std::string_view> text = row.Get(stated_[d]);
      if (!text.has_value()) continue;
      std::optional<std::string> value = spellings_[d].Resolve(*text);
      if (!value.has_value()) continue;
      (*assigned)[d] = std::move(value);
      *open &= ~(1u << d);
      if (why != nullptr) (*why)[d] = std::string(infos[d].column);
    }
  }

  void LearnSpellings() {
    std::span<const dimension::RuleDimensionInfo> infos = dimension::RuleDimensions();
    for (size_t d = 0; d < stated_.size(); ++d) {
      stated_[d].column = signature::IndexOf(infos[d].column);
    }
    LearnClosed(dimension::kDriver, dimension::CostDrivers());
    LearnClosed(dimension::kStage, dimension::LifecycleStages());
    LearnClosed(dimension::kAiClass, dimension::AiClasses());
    LearnNamed(dimension::kTeam, estate_.teams);
    LearnNamed(dimension::kProject, estate_.projects);
    LearnNamed(dimension::kUseCase, estate_.use_cases);
    LearnNamed(dimension::kModel, estate_.models);
    LearnNamed(dimension::kEnvironment, estate_.environments);
  }
  void LearnClosed(dimension::RuleDimension d, std::span<const std::string_view> values) {
    Spellings& spellings = spellings_[static_cast<size_t>(d)];
    spellings.closed = true;
    for (std::string_view value : values) spellings.known[ClosedKey(value)] = std::string(value);
  }
  template <typename T>
  void LearnNamed(dimension::RuleDimension d, const std::vector<T>& list) {
    Spellings& spellings = spellings_[static_cast<size_t>(d)];
    for (const Named& named : list) {
      spellings.known[ToLower(named.id)] = named.id;
      for (const std::string& alias : named.aliases) spellings.known[ToLower(alias)] = named.id;
    }
  }

  std::string hash_;
  Estate estate_;
  ProviderNames providers_;
  Atoms atoms_{providers_};
  RuleList estate_rules_;
  RuleList pack_rules_;
  std::array<Spellings, kRuleDimensionCount> spellings_;
  std::array<Field, kRuleDimensionCount> stated_;
};

// The estate's folder holds every file that it includes, also behind symbolic links.
Status CheckInside(const std::string& folder, const std::string& path, const Place& place) {
  std::error_code ec;
  std::filesystem::path real = std::filesystem::canonical(path, ec);
  if (ec) return {};  // not on this machine's disk: the read says why
  std::filesystem::path home = std::filesystem::canonical(folder.empty() ? "." : folder, ec);
  if (ec) return {};
  auto [end, rest] = std::mismatch(home.begin(), home.end(), real.begin(), real.end());
  if (end == home.end()) return {};
  return Fail(Error{Code::kPermissionDenied,
                    fmt::format("'{}' is a link that leads out of the folder of the estate", path),
                    "put the file itself into the folder", place});
}

struct Loader {
  os::Files& files;
  std::string folder;
  std::vector<std::string> names;  // in the order in which they are included
  std::vector<std::string> texts;
  uint64_t bytes = 0;

  Status Read(const std::string& name, const Place& place) {
    std::string path = folder.empty() ? name : os::JoinPath(folder, name);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return Fail(Error{Code::kInvalidArgument, fmt::format("'{}' is included twice", name),
                        "include every file once", place});
    }
    if (names.size() > static_cast<size_t>(kEstateMaxIncludes)) {
      return Fail(Error{Code::kInvalidArgument,
                        fmt::format("the estate includes more than {} files", kEstateMaxIncludes),
                        "join some of them", place});
    }
    if (!names.empty()) FB_CHECK(CheckInside(folder, path, place));
    uint64_t size = FB_TRY(Sized(path, place));
    if (size > kEstateMaxBytes - bytes) {
      return Fail(Error{Code::kInvalidArgument,
                        fmt::format("with '{}' the estate has more than the limit of {}", name,
                                    FormatBytes(kEstateMaxBytes)),
                        "take values from tags with `from` instead of listing them",
                        Place{name, 0, 0, 0}});
    }
    std::string text = FB_TRY(files.ReadAll(path));
    bytes += text.size();
    names.push_back(name);
    texts.push_back(std::move(text));
    const std::vector<Include> includes = FB_TRY(DecodeIncludes({false, name, texts.back()}));
    for (const Include& include : includes) {
      FB_CHECK(Read(include.name, include.place));
    }
    return {};
  }

  Result<uint64_t> Sized(const std::string& path, const Place& place) {
    Result<uint64_t> size = files.Size(path);
    if (size || place.file.empty()) return size;
    return Fail(Error{size.error().code, fmt::format("'{}' cannot be read", path),
                      "an included file stands in the folder of the estate", place});
  }
};

}  // namespace

Result<std::shared_ptr<const RuleSet>> RuleSet::Compile(std::string_view snapshot) {
  std::vector<SnapshotPart> parts = FB_TRY(ReadSnapshot(snapshot));
  return CompiledRuleSet::Make(parts, Sha256Hex(snapshot));
}

Result<std::string> LoadEstate(os::Files& files, const std::string& estate_path) {
  size_t slash = estate_path.rfind('/');
  Loader loader{files, slash == estate_path.npos ? "" : estate_path.substr(0, slash), {}, {}, 0};
  if (slash == 0) loader.folder = "/";
  std::string name = slash == estate_path.npos ? estate_path : estate_path.substr(slash + 1);
  if (files.Exists(estate_path)) FB_CHECK(loader.Read(name, Place{}));
  std::vector<SnapshotPart> parts;
  for (size_t i = 0; i < loader.names.size(); ++i) {
    parts.push_back({false, loader.names[i], loader.texts[i]});
  }
  // The pack is known to be good: only what the user wrote is validated here.
  FB_TRY(CompiledRuleSet::Make(parts, ""));
  parts.insert(parts.end(), PackParts().begin(), PackParts().end());
  return WriteSnapshot(parts);
}

std::string_view ShippedPack() {
  static const std::string pack = WriteSnapshot(PackParts());
  return pack;
}

}  // namespace flyball::estate
