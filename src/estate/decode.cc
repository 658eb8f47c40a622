#include "estate/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "base/text.h"
#include "estate/decode_forecast.h"
#include "estate/decode_gateway.h"
#include "estate/decode_mappings.h"
#include "estate/decode_notify.h"
#include "estate/decode_rules.h"
#include "estate/decode_sources.h"
#include "estate/decode_util.h"
#include "estate/decode_watch.h"
#include "os/files.h"

namespace flyball::estate {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view kProvider = "provider";
constexpr std::array<std::string_view, 4> kStatuses = {"proposed", "running", "paused", "stopped"};

const std::vector<std::string_view> kEstateKeys = {
    "name",           "currency",     "fiscal_year_start",
    "include",        "environments", "teams",
    "projects",       "use_cases",    "models",
    "sources",        "providers",    "rules",
    "tags",           "gateway",      "budgets",
    "exchange_rates", "mappings",     "forecast",
    "watch",          "notify"};
const std::vector<std::string_view> kPackKeys = {"providers", "rules", "tags"};

// Decodes the files of one snapshot into one document, in their order.
class Decoder {
 public:
  Result<Document> Run(const std::vector<SnapshotPart>& parts) {
    for (const SnapshotPart& part : parts) FB_CHECK(File(part));
    FB_CHECK(CheckReferences());
    for (auto& [pack, rules] : tag_rules_) {
      std::vector<RuleSpec>& all = pack ? document_.pack_rules : document_.estate_rules;
      std::move(rules.begin(), rules.end(), std::back_inserter(all));
    }
    size_t rules = document_.estate_rules.size() + document_.pack_rules.size();
    if (rules > static_cast<size_t>(kEstateMaxRules)) {
      return Fail(
          Code::kInvalidArgument,
          fmt::format("the estate has {} rules, more than the limit of {}", rules, kEstateMaxRules),
          "let one rule list several values, or take the value from a tag with `from`");
    }
    return std::move(document_);
  }

 private:
  // Where an id was declared or used, for the checks at the end.
  struct Use {
    std::string what;  // "team"
    std::string id;
    Place place;
  };

  Status File(const SnapshotPart& part) {
    YamlBudget of_its_own;
    YamlBudget& budget = part.pack ? of_its_own : budget_;
    YamlNode root = FB_TRY(ParseYaml(part.text, part.name, budget));
    if (root.kind == YamlNode::Kind::kNull) return {};
    At at{root, part.name};
    FB_CHECK(CheckKeys(at, "an estate", part.pack ? kPackKeys : kEstateKeys));
    if (!part.pack) {
      FB_CHECK(Settings(at));
      FB_CHECK(Register(at));
    }
    if (const YamlNode* node = root.Find("providers")) {
      FB_CHECK(NamedList<Named>(At{*node, part.name}, kProvider, {}, &document_.providers));
    }
    RuleDecoder rules(part);
    if (const YamlNode* node = root.Find("rules")) {
      std::vector<RuleSpec>& all = part.pack ? document_.pack_rules : document_.estate_rules;
      FB_CHECK(rules.Rules(At{*node, part.name}, &all));
    }
    if (const YamlNode* node = root.Find("tags")) {
      FB_CHECK(rules.Tags(At{*node, part.name}, &tag_rules_[part.pack]));
    }
    return {};
  }

  // A setting of the whole estate stands once over all its files.
  Result<const YamlNode*> Once(At map, std::string_view key) {
    const YamlNode* node = map.node.Find(key);
    if (node == nullptr) return node;
    At at{*node, map.file};
    auto [first, fresh] = settings_.try_emplace(std::string(key), at.place());
    if (fresh) return node;
    return Fail(
        Error{Code::kInvalidArgument, fmt::format("'{}' is stated a second time", key),
              fmt::format("the first stands at {}:{}", first->second.file, first->second.line),
              at.place()});
  }

  Status Settings(At map) {
    if (const YamlNode* node = FB_TRY(Once(map, "name"))) {
      document_.estate.name = FB_TRY(ReadText(At{*node, map.file}, "the name of the estate"));
    }
    if (const YamlNode* node = FB_TRY(Once(map, "currency"))) {
      At at{*node, map.file};
      std::string text = FB_TRY(ReadText(at, "a currency"));
      bool iso = text.size() == 3 &&
                 std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
      if (!iso) return Unexpected(at, "a currency of ISO 4217", "write USD, EUR, CNY, ...");
      document_.estate.currency = text;
    }
    if (const YamlNode* node = FB_TRY(Once(map, "fiscal_year_start"))) {
      document_.estate.fiscal_year_start_month = FB_TRY(Month(At{*node, map.file}));
    }
    return {};
  }

  static Result<int> Month(At at) {
    std::string text = FB_TRY(ReadText(at, "a month"));
    int number = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size() && number >= 1 &&
        number <= 12) {
      return number;
    }
    for (size_t i = 0; i < kMonths.size(); ++i) {
      bool whole = EqualsIgnoreCase(text, kMonths[i]);
      if (whole || EqualsIgnoreCase(text, kMonths[i].substr(0, 3))) return static_cast<int>(i) + 1;
    }
    return Unexpected(at, "a month", "write April, or 4");
  }

  Status Register(At map) {
    Estate& estate = document_.estate;
    if (const YamlNode* node = map.node.Find("environments")) {
      FB_CHECK(NamedList<Named>(At{*node, map.file}, "environment", {}, &estate.environments));
    }
    if (const YamlNode* node = map.node.Find("teams")) {
      FB_CHECK(NamedList<Named>(At{*node, map.file}, "team", {}, &estate.teams));
    }
    if (const YamlNode* node = map.node.Find("projects")) {
      FB_CHECK(NamedList<Project>(At{*node, map.file}, "project", {"team"}, &estate.projects));
    }
    if (const YamlNode* node = map.node.Find("use_cases")) {
      FB_CHECK(NamedList<UseCase>(At{*node, map.file}, "use case",
                                  {"team", "project", "objective", "stage", "status", "reason",
                                   "target_cost", "target_unit_cost", "unit", "expected_value"},
                                  &estate.use_cases));
    }
    if (const YamlNode* node = map.node.Find("models")) {
      FB_CHECK(NamedList<Named>(At{*node, map.file}, "model", {}, &estate.models));
    }
    if (const YamlNode* node = map.node.Find("sources")) FB_CHECK(Sources(At{*node, map.file}));
    if (const YamlNode* node = FB_TRY(Once(map, "gateway"))) {
      estate.gateway = FB_TRY(DecodeGateway(At{*node, map.file}));
    }
    if (const YamlNode* node = FB_TRY(Once(map, "budgets"))) {
      estate.budgets = FB_TRY(DecodeBudgets(At{*node, map.file}, estate.currency));
    }
    if (const YamlNode* node = FB_TRY(Once(map, "exchange_rates"))) {
      estate.exchange_rates = FB_TRY(DecodeExchangeRates(At{*node, map.file}));
    }
    if (const YamlNode* node = FB_TRY(Once(map, "mappings"))) {
      estate.mappings = FB_TRY(DecodeMappings(At{*node, map.file}));
    }
    if (const YamlNode* node = FB_TRY(Once(map, "forecast"))) {
      estate.forecast_events = FB_TRY(DecodeForecast(At{*node, map.file}, estate.currency));
    }
    if (const YamlNode* node = FB_TRY(Once(map, "watch"))) {
      estate.watch = FB_TRY(DecodeWatch(At{*node, map.file}));
    }
    if (const YamlNode* node = FB_TRY(Once(map, "notify"))) {
      estate.notices = FB_TRY(DecodeNotify(At{*node, map.file}));
    }
    return {};
  }

  template <typename T>
  Status NamedList(At list, std::string_view kind, std::vector<std::string_view> more,
                   std::vector<T>* out) {
    std::string what(kind);
    FB_CHECK(ExpectList(list, fmt::format("a list of {}s", what)));
    std::vector<std::string_view> keys = {"id", "name", "owner", "aliases"};
    keys.insert(keys.end(), more.begin(), more.end());
    for (const YamlNode& node : list.node.items) {
      At at{node, list.file};
      T item;
      if (node.kind == YamlNode::Kind::kMap) {
        FB_CHECK(CheckKeys(at, Article(what), keys));
        FB_CHECK(NamedFields(at, what, &item));
        FB_CHECK(MoreFields(at, &item));
      } else {
        item.id =
            FB_TRY(ReadText(at, fmt::format("{} (its id, or a map with an id)", Article(what))));
        item.name = item.id;
      }
      if (kind != kProvider) {  // a provider may be named again, to add spellings
        FB_CHECK(Claim(at, what, item.id, item.id));
        for (const std::string& alias : item.aliases) FB_CHECK(Claim(at, what, alias, item.id));
      }
      out->push_back(std::move(item));
    }
    return {};
  }

  static std::string Article(const std::string& what) {
    bool vowel = what.starts_with("e");
    return (vowel ? "an " : "a ") + what;
  }

  static Status NamedFields(At at, const std::string& what, Named* item) {
    const YamlNode* id = at.node.Find("id");
    if (id == nullptr) {
      return Unexpected(at, fmt::format("{} with an `id`", Article(what)),
                        "give it a short, stable id; bills and tags are matched to it");
    }
    item->id = FB_TRY(ReadText(At{*id, at.file}, "an id"));
    item->name = FB_TRY(ReadTextAt(at, "name", "a name"));
    if (item->name.empty()) item->name = item->id;
    item->owner = FB_TRY(ReadTextAt(at, "owner", "an owner"));
    if (const YamlNode* aliases = at.node.Find("aliases")) {
      item->aliases = FB_TRY(ReadTexts(At{*aliases, at.file}, "an alias"));
    }
    return {};
  }

  static Status MoreFields(At, Named*) { return {}; }

  Status MoreFields(At at, Project* item) {
    item->team = FB_TRY(Reference(at, "team"));
    return {};
  }

  Status MoreFields(At at, UseCase* item) {
    item->team = FB_TRY(Reference(at, "team"));
    item->project = FB_TRY(Reference(at, "project"));
    item->objective = FB_TRY(ReadTextAt(at, "objective", "an objective"));
    if (const YamlNode* stage = at.node.Find("stage")) {
      item->stage =
          FB_TRY(ReadClosed(At{*stage, at.file}, "lifecycle stage", dimension::LifecycleStages()));
    }
    item->status = "running";
    if (const YamlNode* status = at.node.Find("status")) {
      item->status = FB_TRY(ReadClosed(At{*status, at.file}, "status of a use case", kStatuses));
    }
    item->status_reason = FB_TRY(ReadTextAt(at, "reason", "a reason"));
    if (item->status_reason.empty() && (item->status == "paused" || item->status == "stopped")) {
      return Fail(
          Error{Code::kInvalidArgument,
                fmt::format("the use case '{}' is {} without a reason", item->id, item->status),
                "say why, under `reason`", at.place()});
    }
    item->target_cost = FB_TRY(ReadMoneyAt(at, "target_cost", "a cost a month"));
    item->target_unit_cost = FB_TRY(ReadMoneyAt(at, "target_unit_cost", "a cost per unit"));
    item->unit = FB_TRY(ReadTextAt(at, "unit", "a unit such as '1000 answers'"));
    if (item->target_unit_cost.has_value() && item->unit.empty()) {
      return Fail(
          Error{Code::kInvalidArgument,
                fmt::format("the use case '{}' has a target_unit_cost without a unit", item->id),
                "say what is counted, such as `unit: 1000 answers`", at.place()});
    }
    item->expected_value = FB_TRY(ReadMoneyAt(at, "expected_value", "a value a year"));
    return {};
  }

  Status Sources(At list) {
    FB_CHECK(ExpectList(list, "a list of sources"));
    for (const YamlNode& node : list.node.items) {
      At at{node, list.file};
      Source source = FB_TRY(DecodeSource(at));
      FB_CHECK(Claim(at, "source", source.name, source.name));
      document_.estate.sources.push_back(std::move(source));
    }
    return {};
  }

  // Ids and aliases of one kind are distinct, blind to case.
  Status Claim(At at, const std::string& what, const std::string& spelling, const std::string& id) {
    auto [taken, fresh] = names_[what].try_emplace(ToLower(spelling), id);
    if (fresh || (taken->second == id && spelling != id)) return {};
    return Fail(
        Error{Code::kInvalidArgument,
              fmt::format("'{}' names two {}s: '{}' and '{}'", spelling, what, taken->second, id),
              "ids and aliases are compared without regard to case", at.place()});
  }

  Result<std::string> Reference(At map, const std::string& what) {
    std::string id = FB_TRY(ReadTextAt(map, what, fmt::format("the id of a {}", what)));
    if (!id.empty()) {
      uses_.push_back({what, id, At{*map.node.Find(what), map.file}.place()});
    }
    return id;
  }

  Status CheckReferences() {
    for (const RuleSpec& rule : document_.estate_rules) {
      for (const SetSpec& set : rule.set) {
        if (set.literal.empty() || set.dimension < dimension::kTeam) continue;
        std::string what(dimension::RuleDimensions()[static_cast<size_t>(set.dimension)].name);
        if (what == "use_case") what = "use case";
        uses_.push_back({what, set.literal, set.place});
      }
    }
    for (const Use& use : uses_) {
      auto declared = names_.find(use.what);
      if (declared == names_.end() || declared->second.contains(ToLower(use.id))) continue;
      std::vector<std::string_view> known;
      for (const auto& [spelling, id] : declared->second) known.push_back(spelling);
      YamlNode node;
      node.line = static_cast<int>(use.place.line);
      node.column = static_cast<int>(use.place.column);
      return UnknownName(At{node, use.place.file}, fmt::format("{} of this estate", use.what),
                         use.id, known);
    }
    return {};
  }

  Document document_;
  YamlBudget budget_;  // of the estate; each file of the pack has one of its own
  std::map<bool, std::vector<RuleSpec>> tag_rules_;  // by pack; they come after all other rules
  std::map<std::string, Place> settings_;
  std::map<std::string, std::map<std::string, std::string>> names_;  // kind -> spelling -> id
  std::vector<Use> uses_;
};

}  // namespace

Result<Document> Decode(const std::vector<SnapshotPart>& parts) { return Decoder().Run(parts); }

Result<std::vector<Include>> DecodeIncludes(const SnapshotPart& part) {
  YamlBudget budget;
  YamlNode root = FB_TRY(ParseYaml(part.text, part.name, budget));
  std::vector<Include> includes;
  const YamlNode* include = root.Find("include");
  if (include == nullptr) return includes;
  std::span<const YamlNode> nodes(include, 1);
  if (include->kind == YamlNode::Kind::kList) nodes = include->items;
  for (const YamlNode& node : nodes) {
    At at{node, part.name};
    std::string name = FB_TRY(ReadText(at, "the name of a file"));
    for (std::string_view step : SplitText(name, '/')) {
      if (os::IsPlainName(step)) continue;
      return Unexpected(at, "a file inside the folder of the estate",
                        "write teams.yaml or rules/aws.yaml: no leading '/', no '..'");
    }
    includes.push_back({std::move(name), at.place()});
  }
  return includes;
}

}  // namespace flyball::estate
