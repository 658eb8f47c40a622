#include "health/month.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "ledger/ledger.h"
#include "model/dimension.h"

namespace flyball::health {
namespace {

using Json = nlohmann::ordered_json;
using reconcile::Ladder;
using reconcile::LedgerSum;

std::string NameOf(Instant month) { return FormatDate(month).substr(0, 7); }

Result<Json> AskRows(const Ask& ask, const ledger::CostQuery& query) {
  Json answer = Json::parse(FB_TRY(ask(query)), nullptr, false);
  if (!answer.is_object() || !answer.contains("rows")) {
    return Fail(Code::kInternal, "the answer of the ledger cannot be read");
  }
  return answer;
}

// What is said of nothing is told from a value by the label alone.
std::string Said(const Json& row, const char* name) {
  const std::string text = row.contains(name) && row[name].is_string() ? row.value(name, "") : "";
  return text == dimension::kNone ? "" : text;
}

// The sources of corrections (ledger/correction.h), by the closed month that they are of.
using Corrections = std::map<std::string, std::vector<std::string>>;

// Of slices of these billing periods that are live. `commits`: newest first.
Corrections CorrectionsIn(const Json& commits, const std::vector<std::string>& periods) {
  std::set<std::string> sources, closed;
  for (const Json& commit : commits) {
    for (const Json& slice : commit.value("opens", Json::array())) {
      if (closed.contains(slice.value("id", ""))) continue;
      if (std::ranges::find(periods, slice.value("period", "")) == periods.end()) continue;
      sources.insert(slice.value("source", ""));
    }
    for (const Json& id : commit.value("closes", Json::array())) {
      if (id.is_string()) closed.insert(id.get<std::string>());
    }
  }
  Corrections corrections;
  for (const std::string& source : sources) {
    const auto month = ledger::TakeApart(source).corrects;
    if (month) corrections[std::string(*month)].push_back(source);
  }
  return corrections;
}

// What the question is about, but for corrections.
void LeaveOut(const Corrections& corrections, ledger::CostQuery* query) {
  ledger::Filter filter{"source", true, {}};
  for (const auto& [month, sources] : corrections) {
    filter.values.insert(filter.values.end(), sources.begin(), sources.end());
  }
  if (!filter.values.empty()) query->where.push_back(std::move(filter));
}

Result<std::vector<LedgerSum>> SumsOf(const Ask& ask, ledger::CostQuery query,
                                      const std::string& also_by) {
  query.measures = {"billed_cost", "charges"};
  query.by = {"invoice_issuer", "invoice",    "billing_account", "charge_category",
              "service",        "confidence", "currency",        also_by};
  query.basis = "billed";
  const Json answer = FB_TRY(AskRows(ask, query));
  std::map<std::vector<std::string>, LedgerSum> sums;
  for (const Json& row : answer["rows"]) {
    LedgerSum sum;
    sum.issuer = Said(row, "invoice_issuer");
    sum.invoice = Said(row, "invoice");
    sum.account = Said(row, "billing_account");
    sum.category = Said(row, "charge_category");
    sum.service = Said(row, "service");
    sum.currency = Said(row, "currency");
    sum.provider = Said(row, "provider");
    sum.period = Said(row, "billing_period");
    const Money billed = FB_TRY(Money::Parse(row.value("billed_cost", "")));
    LedgerSum& all = sums.try_emplace({sum.issuer, sum.invoice, sum.account, sum.category,
                                       sum.service, sum.currency, sum.provider, sum.period},
                                      sum)
                         .first->second;
    all.billed = FB_TRY(all.billed.Plus(billed));
    if (Said(row, "confidence") == "estimate") all.estimate = FB_TRY(all.estimate.Plus(billed));
    all.charges += std::stoll(row.value("charges", "0"));
  }
  std::vector<LedgerSum> all;
  for (auto& [key, sum] : sums) all.push_back(std::move(sum));
  return all;
}

// Sums of charges of these billing periods, and of corrections in them.
Result<std::vector<LedgerSum>> SumsOf(const Ask& ask, ledger::CostQuery query,
                                      const std::vector<std::string>& months,
                                      const std::string& also_by, const Json& commits) {
  const Corrections corrections = CorrectionsIn(commits, months);
  query.where = {{"billing_period", false, months}};
  ledger::CostQuery first = query;
  LeaveOut(corrections, &first);
  std::vector<LedgerSum> all = FB_TRY(SumsOf(ask, first, also_by));
  for (const auto& [month, sources] : corrections) {
    ledger::CostQuery of_month = query;
    of_month.where.push_back({"source", false, sources});
    for (LedgerSum& sum : FB_TRY(SumsOf(ask, of_month, also_by))) {
      sum.correction = month;
      all.push_back(std::move(sum));
    }
  }
  return all;
}

// BilledCost in quarantine, of the live imports that are about this month alone: of others it is
// not known which month it is of. `commits`: newest first.
Result<std::vector<std::pair<std::string, Money>>> QuarantinedIn(const Json& commits,
                                                                 const std::string& month) {
  std::set<std::string> closed;
  std::map<std::string, Money> amounts;
  for (const Json& commit : commits) {
    bool live = false, other = false;
    for (const Json& slice : commit.value("opens", Json::array())) {
      if (closed.contains(slice.value("id", ""))) continue;
      (slice.value("period", "") == month ? live : other) = true;
    }
    for (const Json& id : commit.value("closes", Json::array())) {
      if (id.is_string()) closed.insert(id.get<std::string>());
    }
    if (!live || other || !commit.contains("import")) continue;
    for (const auto& [currency, sums] :
         commit["import"].value("billed_cost_by_currency", Json::object()).items()) {
      const Result<Money> amount = Money::Parse(sums.value("quarantined", "0"));
      if (amount) amounts[currency] = FB_TRY(amounts[currency].Plus(*amount));
    }
  }
  return std::vector<std::pair<std::string, Money>>(amounts.begin(), amounts.end());
}

// Days of the month, until now, on which an issuer that charges on most days charged nothing. What
// is booked in it as corrections is of other months' days.
Result<std::map<std::string, std::vector<std::string>>> DaysWithout(
    const Ask& ask, ledger::CostQuery query, const Month& month, const Json& commits, Instant now) {
  query.measures = {"charges"};
  query.by = {"invoice_issuer"};
  query.grain = ledger::Grain::kDay;
  query.from = month.start;
  query.to = month.end;
  query.where = {{"billing_period", false, {month.name}}};
  LeaveOut(CorrectionsIn(commits, {month.name}), &query);
  const Json answer = FB_TRY(AskRows(ask, query));
  std::map<std::string, std::set<std::string>> days;
  for (const Json& row : answer["rows"]) {
    days[Said(row, "invoice_issuer")].insert(row.value("period", ""));
  }
  std::map<std::string, std::vector<std::string>> without;
  const Instant end = std::min(month.end, FloorDay(now));
  const int64_t all = (end.us - month.start.us) / kMicrosPerDay;
  for (const auto& [issuer, there] : days) {
    if (static_cast<int64_t>(there.size()) * 2 < all) continue;  // it bills by the month or so
    for (Instant day = month.start; day < end; day.us += kMicrosPerDay) {
      if (!there.contains(FormatDate(day))) without[issuer].push_back(FormatDate(day));
    }
  }
  return without;
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json LadderJson(const MonthLook& look, const Ladder& ladder, Instant now) {
  Json json{{"issuer", ladder.issuer},
            {"invoice", TextOrNull(ladder.invoice)},
            {"currency", ladder.currency},
            {"invoiced", ladder.invoiced.ToString()},
            {"ledger", ladder.ledger.ToString()},
            {"difference", ladder.difference().ToString()},
            {"estimate", ladder.estimate.ToString()},
            {"corrections", ladder.corrections.ToString()}};
  json["billing_period_status"] = TextOrNull(StatusOf(look, ladder.issuer));
  Json& steps = json["steps"] = Json::array();
  for (const reconcile::Step& step : ladder.steps) {
    const auto seen = look.statement.seen.find(StepKey(ladder, step));
    steps.push_back(
        {{"reason", StepReasonName(step.reason)},
         {"amount", step.amount.ToString()},
         {"invoiced", step.invoiced.ToString()},
         {"ledger", step.ledger.ToString()},
         {"estimate", step.estimate.ToString()},
         {"line", TextOrNull(step.line)},
         {"other_period", TextOrNull(step.other_period)},
         {"account", step.account},
         {"category", step.category},
         {"service", step.service},
         {"text", step.text},
         {"age_days", AgeDays(look, ladder, step, now)},
         {"since",
          seen == look.statement.seen.end() ? Json() : Json(FormatInstant(seen->second))}});
  }
  return json;
}

}  // namespace

Result<Month> ParseMonth(const std::string& text) {
  const Result<Instant> start = ParseUserInstant(text);
  if (text.size() != 7 || !start || FloorMonth(*start) != *start) {
    return Fail(Code::kInvalidArgument, "'" + text + "' is no month",
                "a month is written as 2026-10");
  }
  return Month{text, *start, AddMonths(*start, 1)};
}

Result<MonthLook> LookAtMonth(const Month& month, reconcile::Statement statement,
                              const std::string& commits_json, const Ask& ask, Instant now) {
  MonthLook look;
  look.month = month;
  look.statement = std::move(statement);
  // All questions are about one state of the ledger.
  const Json commits = Json::parse(commits_json, nullptr, false);
  if (!commits.is_array() || commits.empty()) {
    return Fail(Code::kFailedPrecondition, "the ledger is empty", "import a bill first");
  }
  look.commit = commits.front().value("id", "");
  ledger::CostQuery at;
  at.as_of = look.commit;
  const std::vector<LedgerSum> sums = FB_TRY(SumsOf(ask, at, {month.name}, "provider", commits));
  ledger::CostQuery of_this_month = at;
  of_this_month.from = month.start;
  of_this_month.to = month.end;
  const std::vector<LedgerSum> around =
      FB_TRY(SumsOf(ask, of_this_month, {NameOf(AddMonths(month.start, -1)), NameOf(month.end)},
                    "billing_period", commits));
  look.ladders = FB_TRY(reconcile::MakeLadders({month.name, look.statement.lines, sums, around,
                                                FB_TRY(QuarantinedIn(commits, month.name))}));
  look.days_without = FB_TRY(DaysWithout(ask, at, month, commits, now));
  if (!look.ladders.invoices.empty()) {
    look.equal = std::ranges::all_of(look.ladders.invoices,
                                     [](const Ladder& ladder) { return ladder.steps.empty(); });
  }
  return look;
}

std::string StatusOf(const MonthLook& look, const std::string& issuer) {
  for (const auto& [name, status] : look.statement.status) {
    if (ToLower(name) == ToLower(issuer)) return status;
  }
  return {};
}

int64_t AgeDays(const MonthLook& look, const Ladder& ladder, const reconcile::Step& step,
                Instant now) {
  const auto seen = look.statement.seen.find(StepKey(ladder, step));
  if (seen == look.statement.seen.end()) return 0;
  return (now.us - seen->second.us) / kMicrosPerDay;
}

std::string MonthJson(const MonthLook& look, Instant now) {
  Json json{{"period", look.month.name},
            {"commit", look.commit},
            {"equal", look.equal ? Json(*look.equal) : Json()}};
  json["invoices"] = Json::array();
  for (const Ladder& ladder : look.ladders.invoices) {
    json["invoices"].push_back(LadderJson(look, ladder, now));
  }
  json["without_invoice"] = Json::array();
  for (const Ladder& ladder : look.ladders.without_invoice) {
    json["without_invoice"].push_back({{"issuer", ladder.issuer},
                                       {"invoices", ladder.invoice},
                                       {"currency", ladder.currency},
                                       {"ledger", ladder.ledger.ToString()},
                                       {"estimate", ladder.estimate.ToString()},
                                       {"corrections", ladder.corrections.ToString()}});
  }
  json["days_without_charges"] = Json::object();
  for (const auto& [issuer, days] : look.days_without) json["days_without_charges"][issuer] = days;
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::health
