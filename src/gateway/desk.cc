#include "gateway/desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/hash.h"
#include "base/text.h"
#include "gateway/external.h"
#include "gateway/keys.h"
#include "os/zones.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kRequestMaxBytes = 64u << 10;
constexpr char kBootIdFile[] = "/proc/sys/kernel/random/boot_id";

std::string AppliedPath(const std::string& home) {
  return os::JoinPath(GatewayFolder(home), "applied.json");
}

// Zones live as long as the process: guards keep pointers to them.
const Zone* FindZone(std::string_view name) {
  static std::map<std::string, std::unique_ptr<Zone>, std::less<>> zones;
  const auto found = zones.find(name);
  if (found != zones.end()) return found->second.get();
  Result<Zone> zone = os::LoadZone(name);
  if (!zone) return nullptr;
  return zones.emplace(name, std::make_unique<Zone>(*std::move(zone))).first->second.get();
}

std::string_view CountsName(bool counts_ledger) { return counts_ledger ? "ledger" : "gateway"; }

// What the estate says of a budget, hashed. What was put in force before a member was kept stays as
// it is: at its default it is not there.
std::string WordOf(const budget::Budget& budget) {
  Json json{{"scope", budget::FormatScope(budget.scope)},
            {"measure", budget::MeasureName(budget.measure)},
            {"currency", budget.currency},
            {"limit", budget::FormatAmount(budget.measure, budget.limit)},
            {"window", budget::FormatWindow(budget.window)},
            {"zone", budget.window.zone},
            {"hard", budget.hard},
            {"mode", budget::ModeName(budget.mode)},
            {"overrun", budget.quantile_overrun_percent},
            {"warn", budget.warn_percent}};
  if (!budget.counts_ledger) json["counts"] = CountsName(false);
  return Sha256Hex(json.dump());
}

// Whether `word` is that of the budget, whose scope is `written` in the estate: older versions
// hashed it as it is written.
bool IsWordOf(std::string_view word, const budget::Budget& budget, const budget::Scope& written) {
  budget::Budget as_written = budget;
  as_written.scope = written;
  return word == WordOf(budget) || word == WordOf(as_written);
}

// A budget as the estate says it, which is not what it said before. When only what it counts is
// another word (or a new one, to what was put in force before that was kept), all else stays as it
// was set at run time.
budget::Budget AsSaid(const budget::Budget& said, const budget::Scope& written,
                      std::string_view before, const guard::Guard& guard) {
  budget::Budget otherwise = said;
  otherwise.counts_ledger = !said.counts_ledger;
  std::optional<budget::Budget> now = guard.BudgetOf(said.name);
  if (!now || !IsWordOf(before, otherwise, written)) return said;
  now->counts_ledger = said.counts_ledger;
  return *now;
}

std::map<std::string, std::string> ReadApplied(os::Files& files, const std::string& home) {
  std::map<std::string, std::string> applied;
  const Result<std::string> text = files.ReadAll(AppliedPath(home));
  if (!text) return applied;
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) return applied;
  for (const auto& [name, hash] : json.items()) {
    if (hash.is_string()) applied[name] = hash.get<std::string>();
  }
  return applied;
}

bool CountsTheSame(const budget::Budget& a, const budget::Budget& b) {
  return a.scope == b.scope && a.measure == b.measure &&
         (a.measure == budget::Measure::kTokens || a.currency == b.currency);
}

// How far a window reaches, in minutes.
int64_t ReachOf(const budget::Window& window) {
  constexpr std::array<int64_t, 7> kMinutes = {1, 60, 1440, 10'080, 44'640, 132'480, 527'040};
  return kMinutes[static_cast<size_t>(window.unit)] * window.count;
}

// The name that this budget of the estate had before: of a budget of the same scope and measure
// that the estate has no more, of the same window or else of the longest, which has forgotten
// least. "" when there is none.
std::string NameBefore(const budget::Budget& budget, bool same_window,
                       const std::set<std::string>& gone, const guard::Guard& guard) {
  std::string before;
  int64_t reach = -1;
  for (const std::string& name : gone) {
    const std::optional<budget::Budget> known = guard.BudgetOf(name);
    if (!known || !CountsTheSame(*known, budget)) continue;
    if (same_window && known->window != budget.window) continue;
    if (ReachOf(known->window) <= reach) continue;
    reach = ReachOf(known->window);
    before = name;
  }
  return before;
}

// A budget of the estate under a new name (which has its window in it when nobody gave one) is the
// one that it was before. `before` are the estate's words of before, by name; they are renamed too.
Status Rename(const std::vector<budget::Budget>& budgets, guard::Guard& guard, guard::Moment now,
              std::map<std::string, std::string>* before) {
  std::set<std::string> gone;
  for (const auto& [name, hash] : *before) gone.insert(name);
  for (const budget::Budget& budget : budgets) gone.erase(budget.name);
  for (const bool same_window : {true, false}) {
    for (const budget::Budget& budget : budgets) {
      if (before->contains(budget.name)) continue;
      const std::string name = NameBefore(budget, same_window, gone, guard);
      if (name.empty()) continue;
      const Status renamed = guard.RenameBudget(name, budget.name, now);
      if (!renamed && renamed.error().code == Code::kAlreadyExists) continue;  // has its own count
      FB_CHECK(renamed);
      gone.erase(name);
      auto word = before->extract(name);
      word.key() = budget.name;
      before->insert(std::move(word));
    }
  }
  return {};
}

// Calls and charges of the ledger spell a provider, or a model, in many ways; budgets know it by
// one.
void SpellScope(budget::Scope* scope) {
  if (scope->is_each()) return;
  if (scope->kind == budget::ScopeKind::kProvider) {
    scope->value = rates::CanonicalProvider(scope->value);
  } else if (scope->kind == budget::ScopeKind::kModel) {
    scope->value = rates::CanonicalModel(scope->value);
  }
}

std::unexpected<Error> WrongMember(std::string_view member, std::string_view expected) {
  return Fail(Code::kInvalidArgument, fmt::format("'{}' {}", member, expected));
}

Result<Json> ReadRequest(std::string_view body) {
  if (body.size() > kRequestMaxBytes) {
    return Fail(Code::kInvalidArgument, "the request is longer than 64 KiB");
  }
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return Fail(Code::kInvalidArgument, "the body is no JSON object");
  return json;
}

// A misspelt word would make something else than was meant, which may do more.
Status CheckMembers(const Json& json, std::span<const std::string_view> known,
                    std::string_view whole) {
  for (const auto& [name, value] : json.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return WrongMember(name, fmt::format("is no part of {}", whole));
    }
  }
  return {};
}

// A member that is text; one that is missing or null is `otherwise`.
Result<std::string> TextMember(const Json& json, const char* name,
                               std::string_view otherwise = {}) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::string(otherwise);
  if (!found->is_string()) return WrongMember(name, "is a text");
  return found->get<std::string>();
}

// The same; a number is as good, by its own digits.
Result<std::string> TextOf(const Json& json, const char* name, std::string_view otherwise = {}) {
  const auto found = json.find(name);
  if (found != json.end() && found->is_number_integer()) return found->dump();
  return TextMember(json, name, otherwise);
}

Result<bool> FlagOf(const Json& json, const char* name, bool otherwise) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return otherwise;
  if (!found->is_boolean()) return WrongMember(name, "is true or false");
  return found->get<bool>();
}

// The limit of an edit may stay as it is.
Status ReadLimit(const Json& json, bool edits, budget::Budget* budget) {
  const std::string amount = FB_TRY(TextOf(json, "amount"));
  const std::string tokens = FB_TRY(TextOf(json, "tokens"));
  const std::string currency = FB_TRY(TextOf(json, "currency"));
  if (!currency.empty()) budget->currency = currency;
  if (edits && amount.empty() && tokens.empty()) return {};
  if (amount.empty() == tokens.empty()) {
    return Fail(Code::kInvalidArgument, "a budget has either an 'amount' or 'tokens'");
  }
  if (!tokens.empty()) {
    budget->measure = budget::Measure::kTokens;
    const ParsedDecimal parsed = FB_TRY(ParseDecimal(tokens, 0));
    if (!parsed.exact) return WrongMember("tokens", "is a whole number");
    budget->limit = parsed.units;
    return {};
  }
  budget->measure = budget::Measure::kMoney;
  budget->limit = FB_TRY(Money::Parse(amount)).units();
  return {};
}

// The budget that a request means, by its name or else by what it would be called: as it is, when
// there is one, so that what the request does not say stays. `edits` says whether there is.
Result<budget::Budget> Meant(const Json& json, const guard::Guard& guard, bool* edits) {
  budget::Budget budget;
  budget.name = FB_TRY(TextOf(json, "name"));
  const std::string scope = FB_TRY(TextOf(json, "scope"));
  if (!scope.empty()) {
    budget.scope = FB_TRY(budget::ParseScope(scope));
  } else if (budget.name.empty()) {
    return WrongMember("scope", "is missing");
  }
  if (budget.name.empty()) {
    const std::string window = FB_TRY(TextOf(json, "window", "month"));
    budget.window = FB_TRY(budget::ParseWindow(window));
    const bool tokens = !FB_TRY(TextOf(json, "tokens")).empty();
    budget.measure = tokens ? budget::Measure::kTokens : budget::Measure::kMoney;
    budget.name = budget::DefaultName(budget);
  }
  std::optional<budget::Budget> known = guard.BudgetOf(budget.name);
  *edits = known.has_value();
  SpellScope(&budget.scope);
  if (known) {
    if (!scope.empty()) known->scope = budget.scope;
    return *std::move(known);
  }
  if (!scope.empty()) return budget;
  return Fail(Code::kNotFound, "there is no budget '" + budget.name + "'",
              "a new one says its 'scope'; `flyball budgets` shows them");
}

Result<budget::Budget> ReadBudget(const Json& json, const guard::Guard& guard) {
  static constexpr std::array<std::string_view, 11> kKnown = {
      "name", "scope", "amount", "tokens", "currency", "window",
      "zone", "hard",  "mode",   "warn",   "counts"};
  FB_CHECK(CheckMembers(json, kKnown, "a budget"));
  bool edits = false;
  budget::Budget budget = FB_TRY(Meant(json, guard, &edits));
  FB_CHECK(ReadLimit(json, edits, &budget));
  budget.window = FB_TRY(
      budget::ParseWindow(FB_TRY(TextOf(json, "window", budget::FormatWindow(budget.window))),
                          FB_TRY(TextOf(json, "zone", budget.window.zone))));
  budget.hard = FB_TRY(FlagOf(json, "hard", budget.hard));
  const std::string mode = FB_TRY(TextOf(json, "mode", budget::ModeName(budget.mode)));
  if (mode != "strict" && mode != "quantile") return WrongMember("mode", "is strict or quantile");
  budget.mode = mode == "strict" ? budget::Mode::kStrict : budget::Mode::kQuantile;
  const std::string counts = FB_TRY(TextOf(json, "counts", CountsName(budget.counts_ledger)));
  if (counts != CountsName(true) && counts != CountsName(false)) {
    return WrongMember("counts", "is ledger or gateway");
  }
  budget.counts_ledger = counts == CountsName(true);
  if (json.contains("warn")) {
    if (!json["warn"].is_array()) return WrongMember("warn", "is a list of percentages");
    budget.warn_percent.clear();
    for (const Json& level : json["warn"]) {
      if (!level.is_number_integer()) return WrongMember("warn", "is a list of percentages");
      budget.warn_percent.push_back(
          static_cast<int>(std::clamp<int64_t>(level.get<int64_t>(), -1, 10'000)));
    }
  }
  FB_CHECK(budget::Validate(budget));
  return budget;
}

Json RowJson(const guard::StatusRow& row) {
  const auto amount = [&](budget::Amount value) {
    return budget::FormatAmount(row.measure, value);
  };
  const budget::Amount own = row.settled - row.totals.external;
  Json json{{"name", row.name},
            {"scope", row.scope},
            {"window", row.window},
            {"zone", row.zone},
            {"measure", budget::MeasureName(row.measure)},
            {"currency", row.currency},
            {"limit", amount(row.limit)},
            {"settled", amount(row.settled)},
            {"held", amount(row.held)},
            {"remaining", amount(row.remaining)},
            {"blocked", amount(row.hard ? own : 0)},
            {"alerted", amount(row.hard ? 0 : own)},
            {"unseen", amount(row.totals.external)},
            {"resets_at", FormatInstant(row.resets_at)},
            {"max_overspend", amount(row.max_overspend.amount)},
            {"max_overspend_bounded", row.max_overspend.bounded},
            {"hard", row.hard},
            {"mode", budget::ModeName(row.mode)},
            {"counts", CountsName(row.counts_ledger)},
            {"warn", row.warn_percent},
            {"warned", row.warned_percent},
            {"frozen", row.frozen},
            {"refused", row.refused},
            {"faults", row.faults}};
  if (row.began_at) json["began_at"] = FormatInstant(*row.began_at);
  if (row.scope.ends_with("=*")) json["values"] = row.values;
  if (!row.max_overspend.why.empty()) json["max_overspend_why"] = row.max_overspend.why;
  return json;
}

Result<std::string> Confirm(guard::Wal& wal, const std::string& name, guard::Moment now) {
  FB_CHECK(wal.Commit());
  const std::optional<guard::StatusRow> row = wal.guard().StatusOf(name, now);
  return row ? RowJson(*row).dump() : Json{{"name", name}}.dump();
}

Result<VirtualKey> ReadKey(const Json& json) {
  static constexpr std::array<std::string_view, 6> kKnown = {"name",     "team",   "project",
                                                             "use_case", "models", "expires"};
  FB_CHECK(CheckMembers(json, kKnown, "the request"));
  VirtualKey key;
  key.name = FB_TRY(TextMember(json, "name"));
  key.team = FB_TRY(TextMember(json, "team"));
  key.project = FB_TRY(TextMember(json, "project"));
  key.use_case = FB_TRY(TextMember(json, "use_case"));
  if (json.contains("models")) {
    const Json& models = json["models"];
    if (!models.is_array()) return WrongMember("models", "is a list of texts");
    for (const Json& model : models) {
      if (!model.is_string()) return WrongMember("models", "is a list of texts");
      key.models.push_back(model.get<std::string>());
    }
    if (key.models.empty()) {
      return WrongMember("models", "names at least one model; left out it is all of them");
    }
  }
  const std::string expires = FB_TRY(TextMember(json, "expires"));
  if (!expires.empty()) key.expires = FB_TRY(ParseUserInstant(expires));
  return key;
}

std::string ListJson(const std::vector<VirtualKey>& keys) {
  std::string out = R"({"keys":[)";
  for (const VirtualKey& key : keys) {
    if (&key != keys.data()) out += ",";
    out += KeyJson(key);
  }
  return out + "]}";
}

}  // namespace

std::string GatewayFolder(const std::string& home) { return os::JoinPath(home, "gateway"); }
std::string GuardFolder(const std::string& home) {
  return os::JoinPath(GatewayFolder(home), "guard");
}
std::string GatewayLock(const std::string& home) {
  return os::JoinPath(GatewayFolder(home), "LOCK");
}

Result<Desk> OpenDesk(os::Files& files, const std::string& home) {
  FB_CHECK(files.MakeDirs(GatewayFolder(home)));
  os::HomeLock lock = FB_TRY(os::HomeLock::Acquire(GatewayLock(home)));
  const Result<std::string> boot_id = files.ReadAll(kBootIdFile);
  guard::Options options;
  options.find_zone = FindZone;
  options.spell = SpellScope;
  std::unique_ptr<guard::Wal> wal = FB_TRY(guard::Wal::Open(
      files, GuardFolder(home), boot_id ? Trim(*boot_id) : std::string_view(), options));
  return Desk{std::move(lock), std::move(wal)};
}

Result<Desk> WaitForDesk(os::Files& files, const std::string& home, int patience_ms) {
  for (;;) {
    Result<Desk> desk = OpenDesk(files, home);
    if (desk || desk.error().code != Code::kAlreadyExists || patience_ms <= 0) return desk;
    const Result<os::LockHolder> holder = os::HomeLock::ReadHolder(GatewayLock(home));
    if (holder && !holder->note.empty()) return desk;
    std::this_thread::sleep_for(std::chrono::milliseconds(kDeskAgainMs));
    patience_ms -= kDeskAgainMs;
  }
}

Status ApplyEstate(os::Files& files, const std::string& home,
                   const std::vector<budget::Budget>& said, const Currencies& currencies,
                   guard::Wal& wal, guard::Moment now) {
  std::vector<budget::Budget> budgets = said;
  for (budget::Budget& budget : budgets) SpellScope(&budget.scope);
  for (const budget::Budget& budget : budgets) {
    FB_CHECK(wal.guard().CheckBudget(budget));
    FB_CHECK(CheckCurrency(budget, currencies));
  }
  FB_CHECK(ApplyRates(currencies.rates, wal.guard()));
  std::map<std::string, std::string> before = ReadApplied(files, home);
  FB_CHECK(Rename(budgets, wal.guard(), now, &before));
  Json applied = Json::object();
  for (size_t i = 0; i < budgets.size(); ++i) {
    const budget::Budget& budget = budgets[i];
    const auto known = before.find(budget.name);
    const std::string word = known == before.end() ? std::string() : known->second;
    if (!IsWordOf(word, budget, said[i].scope)) {
      FB_CHECK(wal.guard().SetBudget(AsSaid(budget, said[i].scope, word, wal.guard()), now));
    }
    applied[budget.name] = WordOf(budget);
    before.erase(budget.name);
  }
  for (const auto& [name, hash] : before) {
    const Status removed = wal.guard().RemoveBudget(name, now);
    if (!removed && removed.error().code != Code::kNotFound) return removed;
  }
  FB_CHECK(wal.Commit());
  return os::AtomicWrite(files, AppliedPath(home), applied.dump(2) + "\n");
}

Result<std::string> Administer(guard::Wal& wal, std::string_view method, std::string_view path,
                               std::string_view body, guard::Moment now,
                               const Currencies* currencies) {
  if (method == "GET" && path == kDeskPath) return StatusesJson(wal.guard().Statuses(now));
  if (method != "POST") return Fail(Code::kUnimplemented, "the desk takes GET and POST");
  if (path == kDeskLedgerPath) {
    FB_CHECK(CountExternal(FB_TRY(ReadExternal(body)), wal, now));
    return std::string("{}");
  }
  const Json json = FB_TRY(ReadRequest(body));
  if (path == kDeskPath) {
    const budget::Budget budget = FB_TRY(ReadBudget(json, wal.guard()));
    if (currencies != nullptr) FB_CHECK(CheckCurrency(budget, *currencies));
    FB_CHECK(wal.guard().SetBudget(budget, now));
    return Confirm(wal, budget.name, now);
  }
  const std::string name = FB_TRY(TextOf(json, "name"));
  if (path == std::string(kDeskPath) + "/freeze") {
    FB_CHECK(wal.guard().SetFrozen(name, FB_TRY(FlagOf(json, "frozen", true)), now));
    return Confirm(wal, name, now);
  }
  if (path == std::string(kDeskPath) + "/remove") {
    FB_CHECK(wal.guard().RemoveBudget(name, now));
    return Confirm(wal, name, now);
  }
  return Fail(Code::kNotFound, "the desk has no such page");
}

Result<std::string> AdministerKeys(os::Files& files, const std::string& home, Clock& clock,
                                   std::string_view method, std::string_view path,
                                   std::string_view body) {
  if (method == "GET" && path == "/keys") return ListJson(FB_TRY(ListKeys(files, home)));
  if (method != "POST") return Fail(Code::kUnimplemented, "the desk takes GET and POST");
  const Json json = FB_TRY(ReadRequest(body));
  if (path == "/keys") {
    return CreatedKeyJson(FB_TRY(CreateKey(files, home, FB_TRY(ReadKey(json)), clock)));
  }
  if (path == "/keys/revoke") {
    FB_CHECK(CheckMembers(json, std::array<std::string_view, 1>{"key"}, "the request"));
    return KeyJson(FB_TRY(RevokeKey(files, home, FB_TRY(TextMember(json, "key")))));
  }
  return Fail(Code::kNotFound, "the desk has no such page");
}

std::string StatusesJson(const std::vector<guard::StatusRow>& rows) {
  Json json = Json::array();
  for (const guard::StatusRow& row : rows) json.push_back(RowJson(row));
  return json.dump();
}

}  // namespace flyball::gateway
