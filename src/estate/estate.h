// Estate: the one rulebook, `estate.yaml`, read whole and validated with errors that name file,
// line and column.
//
// In: YAML text (the estate, the files that it includes, the rule pack that ships in the binary).
// Out: plain values and RuleSet, which maps a signature to dimensions. The file is the desired
// state and is never rewritten by the program.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/budget.h"
#include "model/dimension.h"
#include "model/notice.h"
#include "model/signature.h"
#include "os/files.h"

namespace flyball::estate {

struct Named {
  std::string id;
  std::string name;
  std::string owner;
  std::vector<std::string> aliases;  // other spellings that bills and tags use; mapped to id
};
struct Project : Named {
  std::string team;
};
// The register of AI initiatives.
struct UseCase : Named {
  std::string team;
  std::string project;
  std::string objective;                  // business objective
  std::string stage;                      // one of dimension::LifecycleStages()
  std::string status;                     // proposed, running, paused, stopped
  std::string status_reason;              // required when paused or stopped
  std::optional<Money> target_cost;       // a month, in the estate's currency
  std::optional<Money> target_unit_cost;  // per unit
  std::string unit;                       // "1000 answers"
  std::optional<Money> expected_value;    // a year
};
// Where bills come from by themselves (docs/SYNC.md); kNamed: nowhere, the name is only known.
enum class SourceKind : uint8_t {
  kNamed,
  kFolder,
  kS3,
  kAzure,
  kGcs,
  kOpenAi,  // this and those below it are vendors' APIs
  kAnthropic,
  kOpenRouter
};
// As an estate writes it; "" of kNamed.
std::string_view SourceKindName(SourceKind kind);
// Who says which files belong together: a manifest of the vendor's, or kNone, their places alone.
enum class ManifestKind : uint8_t { kAuto, kNone, kAwsCur, kAwsDataExports, kAzureExport };
inline constexpr uint64_t kMaxRateLeast = 1024;  // of a source
inline constexpr int64_t kAgainDays = 10;        // of a vendor's API, where the estate says nothing
inline constexpr int64_t kAgainDaysMax = 400;
struct Source {
  std::string name;
  std::string title;
  SourceKind kind = SourceKind::kNamed;
  std::string path;    // of a folder; absolute
  std::string bucket;  // of S3 and GCS; the container of Azure
  std::string account;
  std::string prefix;
  std::string endpoint;  // empty: the vendor's own; without a slash at its end
  std::string region;
  std::vector<std::string> files;  // globs of keys behind the prefix; empty: whatever may be a bill
  std::string format;              // of the bills, as `flyball import` names it; empty: detect
  bool folder_is_set = false;      // without a manifest: the files of one folder are one import
  ManifestKind manifest = ManifestKind::kAuto;
  bool beside = false;  // its bills count beside those of other sources that have the same charges
  // Names of variables of the environment: S3's key id, secret and session token; Azure's account
  // key or SAS; Google's bearer token. key_file: the path of a service account's JSON key.
  std::string key_id_env, secret_env, session_env, key_env, sas_env, token_env, key_file;
  std::string ca_file;    // certificates that vouch for it, instead of the system's
  uint64_t max_rate = 0;  // bytes a second; 0: no limit
  // Of a vendor's API: which of its reports (empty: costs), the first UTC day that is asked for,
  // and for how many days after its end a day is asked for again, as vendors revise what they said.
  std::string report;
  Instant from;
  int64_t again_days = kAgainDays;
  bool is_api() const { return kind >= SourceKind::kOpenAi; }
  Place place;
};
// How a bill's dates are written: 2026-12-31, 31.12.2026 or 12/31/2026.
enum class DateOrder : uint8_t { kIso, kDayFirst, kMonthFirst };
struct MappedColumn {
  std::string column;             // of FOCUS
  std::vector<std::string> from;  // of the bill, the first that says something counts; else
  std::string value;              // what every charge gets
};
// A bill's own format, said in FOCUS (docs/NATIVE.md).
struct Mapping {
  std::string name;  // as --format and a source's `format` name it
  std::string title;
  DateOrder dates = DateOrder::kIso;
  std::vector<MappedColumn> columns;
  std::vector<std::pair<std::string, std::string>> tags;  // key, column of the bill
  Place place;
};
// What the API of an upstream is like; the two OpenAI-like others differ in addresses and keys.
enum class UpstreamApi : uint8_t { kOpenAi, kAzureOpenAi, kAnthropic, kOpenAiCompatible };
// Where the gateway sends calls.
struct Upstream {
  std::string name;
  UpstreamApi api = UpstreamApi::kOpenAi;
  std::string base_url;             // without a slash at its end
  std::string key_env;              // the variable of the environment that holds the vendor's key
  std::vector<std::string> models;  // globs
  int weight = 1;                   // among upstreams of one priority
  int priority = 1;                 // the lowest number goes first
  std::string provider;             // whose prices hold; empty: whoever has the model
  std::string region;               // of the prices
  std::string ca_file;              // certificates that vouch for it, beside the system's
  std::string api_version;          // of Azure's API
  Place place;
};
// What one unit of a currency is worth in another, so that budgets of one count calls of the other.
struct ExchangeRate {
  std::string from, to;
  Money rate;  // units of `to` for one of `from`
};
// What is known to come, for forecasts (docs/FORECAST.md).
enum class EventKind : uint8_t {
  kPrice,   // from then on, what is in scope costs `factor` times as much
  kEnd,     // it ends, or `amount` a day of it
  kLaunch,  // `amount` a day comes new
};
struct EventScope {
  std::string dimension;
  std::vector<std::string> values;  // any of them
};
struct ForecastEvent {
  Instant at;  // the start of a UTC day
  EventKind kind = EventKind::kPrice;
  Money factor;                 // of a price
  std::optional<Money> amount;  // a day, in `currency`
  std::string currency;         // the estate's, where the event names none
  std::vector<EventScope> where;
  std::string note;
  Place place;
};
inline constexpr size_t kForecastEventsMax = 1000;

struct Gateway {
  std::string listen;        // empty: the default
  std::string access_log;    // a file, "-" for standard output; empty: none
  int64_t output_limit = 0;  // tokens, of calls that state no limit; 0: the gateway's default
  std::string
      missing_price;  // what a model without a price is: "deny" (also ""), "ceiling", "free"
  std::vector<Upstream> upstreams;
};
// What the live watch looks for (docs/WATCH.md). Factors are decimals.
struct WatchedBurn {
  int64_t short_s = 0, long_s = 0;
  Money factor;
};
struct ExpectedDays {
  Period period;  // whole UTC days
  std::string note;
  Money raise;  // of the factors and the least amount, in that time
};
struct Watch {
  bool enabled = true;
  std::optional<Money> min_amount;
  std::vector<std::string> off;   // kinds of anomalies that are not looked for
  std::vector<WatchedBurn> burn;  // empty: the shipped rules
  std::vector<ExpectedDays> expected;
};
struct Estate {
  std::string name = "Flyball";
  std::string currency = "USD";
  int fiscal_year_start_month = 1;
  std::vector<Named> environments;
  std::vector<Named> teams;
  std::vector<Project> projects;
  std::vector<UseCase> use_cases;
  std::vector<Named> models;
  std::vector<Source> sources;
  Gateway gateway;
  std::vector<budget::Budget> budgets;
  std::vector<ExchangeRate> exchange_rates;
  std::vector<Mapping> mappings;
  std::vector<ForecastEvent> forecast_events;
  Watch watch;
  notice::Rules notices;
};

// Ordered rules, compiled: equality, list, prefix, glob or RE2 on any signature column or tag; each
// rule sets dimensions. The first rule that matches and sets a dimension wins for that dimension.
// Order of precedence for a dimension: rules of the estate, then the x_ column that the source
// itself stated, then the shipped pack, then nothing (unallocated). Immutable after Compile; may be
// used from many threads.
class RuleSet {
 public:
  // `snapshot` is the canonical text that LoadEstate returns; the same text always gives the same
  // answers.
  static Result<std::shared_ptr<const RuleSet>> Compile(std::string_view snapshot);
  virtual ~RuleSet() = default;
  virtual dimension::Assigned Assign(const signature::Values& values) const = 0;
  // Which rule set each dimension ("estate.yaml:41" or "pack:aws.bedrock" or "x_Team"), for the
  // page's "why".
  virtual std::array<std::string, dimension::kRuleDimensionCount> Explain(
      const signature::Values& values) const = 0;
  // SHA-256 of the snapshot: its identity in commits.
  virtual const std::string& hash() const = 0;
  virtual const Estate& estate() const = 0;
};

// What stands in `estate.yaml` (and its includes, inside the same folder only) with the shipped
// pack: the resolved snapshot that a commit stores. An absent file is an empty estate. Errors carry
// file, line, column and what was expected.
Result<std::string> LoadEstate(os::Files& files, const std::string& estate_path);

// The text of the shipped rule pack.
std::string_view ShippedPack();

// Limits (a YAML bomb ends at one of them with an error).
inline constexpr uint64_t kEstateMaxBytes = 4u << 20;
inline constexpr int kEstateMaxNodes = 200'000;
inline constexpr int kEstateMaxDepth = 32;
inline constexpr int kEstateMaxIncludes = 100;
inline constexpr int kEstateMaxRules = 20'000;

}  // namespace flyball::estate
