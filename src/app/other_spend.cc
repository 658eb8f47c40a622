#include "app/other_spend.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/gateway_desk.h"
#include "base/log.h"
#include "base/money.h"
#include "estate/estate.h"
#include "gateway/desk.h"
#include "guard/window.h"
#include "ingest/gateway_charges.h"
#include "ingest/otlp/bill.h"
#include "model/dimension.h"
#include "os/zones.h"
#include "rates/price_book.h"

namespace flyball::app {
namespace {

using Json = nlohmann::json;
using budget::Amount;
using budget::ScopeKind;

constexpr int kLookEveryMs = 2000;
constexpr int64_t kTellEveryUs = 60 * kMicrosPerSecond;  // windows begin while nothing changes
// Opening the guard of a gateway that does not run writes: not each minute.
constexpr int64_t kTellIdleUs = 15 * 60 * kMicrosPerSecond;
constexpr size_t kValuesTold = 1000;  // of a "*" budget: the dearest
// Up to so long a rolling window is counted by hours, else by days.
constexpr int64_t kByHoursUs = 100 * kMicrosPerDay;
constexpr char kTokenUnit[] = "Tokens";

struct Question {
  ledger::CostQuery query;
  bool by_value = false;  // the first column is what the charge has in the scope's dimension
};

Result<Question> Ask(const budget::Budget& budget, const Period& window) {
  Question question;
  ledger::CostQuery& query = question.query;
  const bool tokens = budget.measure == budget::Measure::kTokens;
  query.measures = {tokens ? "usage" : "effective_cost"};
  query.from = window.start;
  query.to = window.end;
  query.where.push_back({"source", true, {ingest::kGatewaySource}});  // first: AskAll
  if (tokens) query.where.push_back({"unit", false, {kTokenUnit}});
  const std::string dimension = budget::LedgerDimension(budget.scope).value_or("");
  const bool provider = budget.scope.kind == ScopeKind::kProvider;
  // A model's spellings are told apart in the answer.
  question.by_value =
      !provider && (budget.scope.is_each() || budget.scope.kind == ScopeKind::kModel);
  if (question.by_value) {
    query.by.push_back(dimension);
  } else if (!dimension.empty() && !provider) {
    const size_t at = budget.scope.kind == ScopeKind::kTag ? budget.scope.value.find('=') + 1 : 0;
    query.where.push_back({dimension, false, {budget.scope.value.substr(at)}});
  }
  query.by.insert(query.by.end(), {"provider", "source"});
  if (budget.window.rolling) {
    const bool hours = window.end.us - window.start.us <= kByHoursUs;
    query.grain = hours ? ledger::Grain::kHour : ledger::Grain::kDay;
  }
  return question;
}

// Beside what the query asks for, of the gateway's own charges those that vendors' bills have
// added: the guard has no call of them.
Result<ledger::QueryAnswer> AskAll(ledger::Ledger& ledger, ledger::CostQuery query) {
  ledger::QueryAnswer answer = FB_TRY(ledger.Query(query));
  query.where.front() = {"source", false, {ingest::kGatewaySource}};
  query.where.push_back({"sku_meter", false, ingest::MetersBesideCalls()});
  query.as_of = answer.commit;
  ledger::QueryAnswer added = FB_TRY(ledger.Query(query));
  std::ranges::move(added.rows, std::back_inserter(answer.rows));
  return answer;
}

// From where to where charges count at `now`.
Period Counted(const budget::Window& window, const Zone& zone, Instant now) {
  const Period current = guard::WindowAt(window, zone, now);
  if (!window.rolling) return current;
  const int64_t reach = guard::CountedUntil(window, current).us - current.start.us;
  return {Instant{current.start.us - reach}, current.end};
}

// Of what an answer calls an hour or a day, the last moment: it must not be forgotten early.
Result<Instant> LastOf(std::string_view label, ledger::Grain grain, Instant now) {
  const Instant start = FB_TRY(ParseUserInstant(label));
  const int64_t length = grain == ledger::Grain::kHour ? kMicrosPerHour : kMicrosPerDay;
  return std::min(Instant{start.us + length - 1}, now);
}

Amount ToAmount(const budget::Budget& budget, int128 measured) {
  if (budget.measure == budget::Measure::kMoney) return measured;
  constexpr int128 kUsageOne = 1'000'000'000'000'000;
  return measured > 0 ? (measured + kUsageOne - 1) / kUsageOne : measured / kUsageOne;
}

// What is counted of one value: by moment and currency.
struct Gathered {
  std::map<std::pair<Instant, std::string>, Amount> sums;
  // Of vendors that the gateway stands in front of: what their own bills say, and what bills that
  // were applied to the gateway's calls have added to these, which is in the sums. By currency and
  // provider.
  std::map<std::string, std::map<std::string, Amount>> billed, applied;
};

// Of vendors whose calls the gateway counts by itself: beyond these, and in one window, their bills
// are news.
void AddBeyond(const CountedBudget& counted, Instant now, Gathered* of) {
  for (const auto& [currency, billed] : of->billed) {
    const bool same = currency == counted.budget.currency || currency.empty();
    Amount beyond = -counted.own;
    for (const auto& [provider, amount] : billed) {
      // What was applied of another vendor is in no bill here.
      beyond += amount - of->applied[currency][provider];
    }
    if (same && beyond > 0) of->sums[{now, currency}] += beyond;
  }
}

Amount TotalOf(const gateway::External::Value& value) {
  Amount total = 0;
  for (const gateway::External::Sum& sum : value.sums) total += sum.amount;
  return total;
}

bool IsNobody(std::string_view value) {
  return value.empty() || value == dimension::kUnallocated || value == dimension::kNone ||
         value.size() > budget::kScopeValueMaxBytes || value == "*";
}

// The values of the scope that a charge counts for, "" of a scope that is no "*"; none when it
// counts for none. `text` is what the charge has in the scope's dimension. A snapshot counts for
// its model too, as a call of it does.
std::vector<std::string> ValuesOf(const budget::Scope& scope, const std::string& text) {
  const bool model = scope.kind == ScopeKind::kModel;
  if (model || scope.kind == ScopeKind::kProvider) {
    const auto spell = model ? rates::CanonicalModel : rates::CanonicalProvider;
    const std::vector<std::string> words =
        model ? rates::ModelNames(text) : std::vector<std::string>{spell(text)};
    if (scope.is_each()) return IsNobody(words[0]) ? std::vector<std::string>() : words;
    if (std::ranges::find(words, spell(scope.value)) == words.end()) return {};
    return {""};
  }
  if (!scope.is_each()) return {""};
  if (IsNobody(text)) return {};
  if (scope.kind != ScopeKind::kTag) return {text};
  return {scope.value.substr(0, scope.value.find('=')) + "=" + text};
}

}  // namespace

Result<gateway::External> ReadOtherSpend(ledger::Ledger& ledger, const CountedBudget& counted,
                                         const std::set<std::string>& fronted, Instant now) {
  const budget::Budget& budget = counted.budget;
  gateway::External external{budget.name, 0, {}};
  const bool plain = !budget.scope.is_each();
  if (plain) external.values.push_back({});
  const bool known = budget::LedgerDimension(budget.scope).has_value();
  if (!known || !budget.counts_ledger || ledger.Head().empty()) return external;
  const Zone zone = FB_TRY(os::LoadZone(budget.window.zone));
  const Question question = FB_TRY(Ask(budget, Counted(budget.window, zone, now)));
  const ledger::QueryAnswer answer = FB_TRY(AskAll(ledger, question.query));
  const auto column = [&](std::string_view name) {
    return static_cast<size_t>(std::ranges::find(answer.columns, name) - answer.columns.begin());
  };
  const size_t provider_at = column("provider");
  const size_t source_at = column("source");
  const size_t value_at = question.by_value ? column(question.query.by.front()) : provider_at;
  std::map<std::string, Gathered> gathered;
  for (const ledger::AnswerRow& row : answer.rows) {
    const std::string provider = rates::CanonicalProvider(row.dimensions[provider_at]);
    const Amount amount = ToAmount(budget, row.measures.front());
    const std::string currency = budget.measure == budget::Measure::kMoney ? row.currency : "";
    const std::string& source = row.dimensions[source_at];
    const bool gateway = source == ingest::kGatewaySource;
    const bool billed = fronted.contains(provider) && !gateway && source != otlp::kSource;
    const Instant at = question.query.grain == ledger::Grain::kNone
                           ? now
                           : FB_TRY(LastOf(row.dimensions.front(), question.query.grain, now));
    for (const std::string& value : ValuesOf(budget.scope, row.dimensions[value_at])) {
      Gathered& of = gathered[value];
      if (billed) {
        of.billed[currency][provider] += amount;
        continue;
      }
      of.sums[{at, currency}] += amount;
      if (gateway && fronted.contains(provider)) of.applied[currency][provider] += amount;
    }
  }
  external.values.clear();
  if (plain) (void)gathered[""];  // of which nothing is found, nothing is said
  for (auto& [value, of] : gathered) {
    gateway::External::Value told{value, {}};
    if (plain && !budget.window.rolling) AddBeyond(counted, now, &of);
    for (const auto& [where, amount] : of.sums) {
      if (amount != 0) told.sums.push_back({where.first, amount, where.second});
    }
    if (plain || !told.sums.empty()) external.values.push_back(std::move(told));
  }
  if (external.values.size() > kValuesTold) {
    const auto most = [](const gateway::External::Value& a, const gateway::External::Value& b) {
      return std::pair(-TotalOf(a), a.value) < std::pair(-TotalOf(b), b.value);
    };
    std::sort(external.values.begin(), external.values.end(), most);
    external.values.resize(kValuesTold);
  }
  external.commit = static_cast<uint64_t>(FB_TRY(ledger.FindCommit(answer.commit)).sequence);
  return external;
}

namespace {

// Of the desk's rows, the budgets that were set: not the accounts of single values.
Result<std::vector<CountedBudget>> ReadBudgets(std::string_view text) {
  const Json rows = Json::parse(text, nullptr, false);
  if (!rows.is_array()) return Fail(Code::kInternal, "the desk's answer is no list of budgets");
  std::vector<CountedBudget> budgets;
  std::set<std::string> each;
  for (const Json& row : rows) {
    CountedBudget counted;
    budget::Budget& budget = counted.budget;
    budget.name = row.value("name", "");
    budget.scope = FB_TRY(budget::ParseScope(row.value("scope", "")));
    budget.window = FB_TRY(budget::ParseWindow(row.value("window", ""), row.value("zone", "UTC")));
    budget.currency = row.value("currency", "");
    budget.counts_ledger = row.value("counts", "") != "gateway";
    if (row.value("measure", "") == "tokens") budget.measure = budget::Measure::kTokens;
    const int scale = budget.measure == budget::Measure::kMoney ? Money::scale() : 0;
    const ParsedDecimal settled = FB_TRY(ParseDecimal(row.value("settled", "0"), scale));
    const ParsedDecimal unseen = FB_TRY(ParseDecimal(row.value("unseen", "0"), scale));
    counted.own = settled.units - unseen.units;
    if (budget.scope.is_each()) each.insert(budget.name);
    budgets.push_back(std::move(counted));
  }
  std::erase_if(budgets, [&](const CountedBudget& counted) {
    return each.contains(counted.budget.name) && !counted.budget.scope.is_each();
  });
  return budgets;
}

std::set<std::string> FrontedBy(const estate::Estate& estate) {
  std::set<std::string> fronted;
  for (const estate::Upstream& upstream : estate.gateway.upstreams) {
    fronted.insert(
        rates::CanonicalProvider(upstream.provider.empty() ? upstream.name : upstream.provider));
    if (upstream.api == estate::UpstreamApi::kOpenAi) fronted.insert("openai");
    if (upstream.api == estate::UpstreamApi::kAnthropic) fronted.insert("anthropic");
  }
  return fronted;
}

bool GatewayRuns(const Environment& environment) {
  const Result<os::LockHolder> holder =
      os::HomeLock::ReadHolder(gateway::GatewayLock(environment.home));
  return holder && !holder->note.empty();
}

}  // namespace

OtherSpend::OtherSpend(const Environment& environment, ledger::Ledger& ledger)
    : environment_(environment),
      ledger_(ledger),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

OtherSpend::~OtherSpend() {
  thread_.request_stop();
  wake_.notify_all();
}

Status OtherSpend::Tell(const std::stop_token& stop) {
  const std::string path(gateway::kDeskPath);
  const std::vector<CountedBudget> budgets =
      FB_TRY(ReadBudgets(FB_TRY(AskDesk(environment_, "GET", path, ""))));
  const std::shared_ptr<const estate::RuleSet> rules =
      ledger_.Rules();  // others may come meanwhile
  const std::set<std::string> fronted = FrontedBy(rules->estate());
  Status first;
  for (const CountedBudget& counted : budgets) {
    if (stop.stop_requested()) return {};
    const Result<gateway::External> read =
        ReadOtherSpend(ledger_, counted, fronted, environment_.clock.Now());
    Status told = read ? Status() : Status(std::unexpected(read.error()));
    if (read) {
      const Result<std::string> answer =
          AskDesk(environment_, "POST", std::string(gateway::kDeskLedgerPath), ExternalJson(*read));
      if (!answer) told = std::unexpected(answer.error());
    }
    if (first && !told) {
      Error error = std::move(told).error();
      error.message = "budget '" + counted.budget.name + "': " + error.message;
      first = std::unexpected(std::move(error));
    }
  }
  return first;
}

void OtherSpend::Run(const std::stop_token& stop) {
  std::string head = "never";
  int64_t told_us = 0;
  const std::string snapshot =
      os::JoinPath(gateway::GuardFolder(environment_.home), std::string(guard::kSnapshotName));
  while (!stop.stop_requested()) {
    const std::string now_head = ledger_.Head();
    const int64_t age_us = environment_.clock.MonotonicUs() - told_us;
    const bool runs = GatewayRuns(environment_);
    const bool due = now_head != head || age_us >= (runs ? kTellEveryUs : kTellIdleUs);
    if (due && environment_.files.Exists(snapshot)) {
      if (fault_.IsNews(Tell(stop))) {
        log::Warn("a budget does not count what the ledger has beside the gateway's calls",
                  {{"why", fault_.why()}});
      }
      head = now_head;
      told_us = environment_.clock.MonotonicUs();
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, std::chrono::milliseconds(kLookEveryMs), [] { return false; });
  }
}

}  // namespace flyball::app
