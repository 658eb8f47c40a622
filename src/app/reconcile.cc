// flyball reconcile: the gateway's calls beside vendors' bills.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/bill_file.h"
#include "app/command.h"
#include "app/invoices.h"
#include "app/price_sources.h"
#include "app/table.h"
#include "base/text.h"
#include "gateway/desk.h"
#include "rates/price_book.h"
#include "reconcile/calls.h"
#include "reconcile/match.h"
#include "reconcile/remedy.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;
using reconcile::Group;

struct Compared {
  reconcile::Bill bill;
  std::vector<reconcile::CallFact> calls;
  std::vector<Group> groups;
  std::vector<reconcile::Fault> faults;
  rates::PriceBook book;  // where there are faults
  int64_t written = 0;    // days and models whose evidence is new
  bool differs = false;
};

std::string CallsFolder(const Environment& environment) {
  return os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
}

Result<Period> PeriodOf(const ReconcileArgs& args) {
  Period period{Instant{0}, ToInstant({9999, 1, 1})};
  if (!args.from.empty()) period.start = FB_TRY(ParseUserInstant(args.from));
  if (!args.to.empty()) period.end = FB_TRY(ParseUserInstant(args.to));
  if (FloorDay(period.start) != period.start || FloorDay(period.end) != period.end ||
      period.end <= period.start) {
    return Fail(Code::kInvalidArgument, "--from and --to are days in UTC, --from before --to");
  }
  return period;
}

// A bill of days of which some have no charge is told by both ends. It stays the bill of the
// vendors that it has a charge of: what it says nothing of, it doesn't cover.
void Limit(const ReconcileArgs& args, Period period, reconcile::Bill* bill) {
  std::erase_if(bill->lines,
                [&](const reconcile::BillLine& line) { return !period.Contains(line.at); });
  reconcile::CoverDaysOfLines(bill);
  if (args.from.empty() || args.to.empty() || bill->in_ledger) return;
  for (auto& [vendor, days] : bill->days) days = {period};
}

Result<reconcile::EvidenceByKey> ReadAllEvidence(const Environment& environment,
                                                 const Compared& compared) {
  std::set<std::string> months;
  for (const reconcile::CallFact& call : compared.calls) {
    months.insert(FormatDate(call.dispatch.at).substr(0, 7));
  }
  for (const reconcile::BillLine& line : compared.bill.lines) {
    months.insert(FormatDate(line.at).substr(0, 7));
  }
  reconcile::EvidenceByKey all;
  for (const std::string& month : months) {
    all.merge(FB_TRY(reconcile::ReadEvidence(environment.files, CallsFolder(environment), month)));
  }
  return all;
}

// Every value of `vendors` is somebody's whom the gateway calls.
Result<reconcile::Bill> ReadBill(const Environment& environment, const ReconcileArgs& args,
                                 const std::string& vendor, const std::vector<std::string>& vendors,
                                 std::span<const reconcile::CallFact> calls) {
  if (args.bill.empty()) return ReadBillOfLedger(environment, vendors, args.from, args.to);
  const bool one = vendor.empty() && vendors.size() == 1;
  return ReadBillFile(environment, args.bill, one ? vendors.front() : vendor, calls);
}

Status Look(const Environment& environment, Compared* compared) {
  const reconcile::EvidenceByKey known = FB_TRY(ReadAllEvidence(environment, *compared));
  compared->groups =
      FB_TRY(reconcile::Match(compared->calls, compared->bill, known, environment.clock.Now()));
  compared->differs = std::ranges::any_of(
      compared->groups, [](const Group& group) { return !group.left().is_zero(); });
  return {};
}

// Evidence first, then the charges that are made from it: whatever stops this in between, the next
// publication brings the rest.
Status Apply(const Environment& environment, Compared* compared) {
  const std::string folder = CallsFolder(environment);
  FB_CHECK(environment.files.MakeDirs(folder));
  {
    const os::HomeLock lock = FB_TRY(os::HomeLock::Acquire(reconcile::EvidenceLock(folder)));
    const reconcile::EvidenceByKey known = FB_TRY(ReadAllEvidence(environment, *compared));
    std::vector<reconcile::Evidence> fresh;
    for (const Group& group : compared->groups) {
      if (!group.evidence) continue;
      const auto found = known.find(group.key);
      if (found == known.end() || found->second != *group.evidence) {
        fresh.push_back(*group.evidence);
      }
    }
    FB_CHECK(reconcile::WriteEvidence(environment.files, folder, fresh));
    compared->written = static_cast<int64_t>(fresh.size());
  }
  FB_CHECK(PublishCalls(environment));
  return Look(environment, compared);
}

Result<Compared> Compare(const Environment& environment, const ReconcileArgs& args) {
  const Period period = FB_TRY(PeriodOf(args));
  const std::string vendor =
      args.vendor.empty() ? std::string() : rates::CanonicalProvider(args.vendor);
  Compared compared;
  compared.calls =
      FB_TRY(reconcile::ReadCalls(environment.files, CallsFolder(environment), vendor, period));
  reconcile::EndOldCalls(environment.clock.Now(), &compared.calls);
  std::set<std::string> vendors;
  for (const reconcile::CallFact& call : compared.calls) {
    vendors.insert(rates::CanonicalProvider(call.dispatch.provider));
  }
  if (!vendor.empty()) vendors.insert(vendor);
  compared.bill =
      FB_TRY(ReadBill(environment, args, vendor, {vendors.begin(), vendors.end()}, compared.calls));
  std::erase_if(compared.bill.lines,
                [&](const reconcile::BillLine& line) { return !vendors.contains(line.vendor); });
  Limit(args, period, &compared.bill);
  FB_CHECK(Look(environment, &compared));
  if (args.apply && compared.bill.lines.empty()) {
    return Fail(Code::kInvalidArgument,
                "the bill has no charge of these days from a vendor that the gateway calls",
                "look at its vendor and days without --apply");
  }
  if (args.apply) FB_CHECK(Apply(environment, &compared));
  compared.faults = reconcile::FindFaults(compared.calls, compared.bill, compared.groups);
  if (!compared.faults.empty()) compared.book = FB_TRY(OpenPrices(environment, ""));
  return compared;
}

// ---- the report

int64_t Assumed(const Compared& compared) {
  return std::ranges::count(compared.bill.lines, true, &reconcile::BillLine::assumed);
}

std::string ReasonText(const Group& group) {
  std::string text;
  for (const reconcile::Part& part : group.parts) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {} ({})", ReasonName(part.reason), part.amount.ToString(), part.count);
  }
  if (text.empty()) text = "equal";
  if (!group.over) text += "; the day is not over";
  return text;
}

struct Totals {
  Money ours, theirs, applied, left;
};
Result<std::map<std::string, Totals>> TotalsOf(const std::vector<Group>& groups) {
  std::map<std::string, Totals> totals;
  for (const Group& group : groups) {
    Totals& sum = totals[group.key.currency];
    sum.ours = FB_TRY(sum.ours.Plus(group.ours));
    sum.theirs = FB_TRY(sum.theirs.Plus(group.theirs));
    sum.applied = FB_TRY(sum.applied.Plus(group.applied));
    sum.left = FB_TRY(sum.left.Plus(group.left()));
  }
  return totals;
}

Json TraceJson(const reconcile::Trace& trace) {
  Json json;
  json["call"] = trace.call ? Json(fmt::format("{:016x}", *trace.call)) : Json();
  json["charge"] = trace.charge.empty() ? Json() : Json(trace.charge);
  json["ours"] = trace.ours.ToString();
  json["theirs"] = trace.theirs.ToString();
  json["reason"] = ReasonName(trace.reason);
  return json;
}

Json GroupJson(const Group& group, bool rows) {
  Json json{{"vendor", group.key.vendor},
            {"day", FormatDate(group.key.day)},
            {"model", group.key.model},
            {"currency", group.key.currency},
            {"calls", group.calls},
            {"calls_open", group.open},
            {"charges", group.charges},
            {"ours", group.ours.ToString()},
            {"theirs", group.theirs.ToString()},
            {"difference", Money::FromUnits(group.theirs.units() - group.ours.units()).ToString()},
            {"applied", group.applied.ToString()},
            {"left", group.left().ToString()},
            {"covered", group.covered},
            {"day_over", group.over}};
  Json& reasons = json["reasons"] = Json::array();
  for (const reconcile::Part& part : group.parts) {
    reasons.push_back({{"reason", ReasonName(part.reason)},
                       {"amount", part.amount.ToString()},
                       {"count", part.count}});
  }
  if (!rows) return json;
  Json& traces = json["rows"] = Json::array();
  for (const reconcile::Trace& trace : group.traces) traces.push_back(TraceJson(trace));
  return json;
}

Json DateOrNull(Instant at) { return at == rates::kAlways ? Json() : Json(FormatDate(at)); }

Json PlaceJson(const reconcile::PricePlace& place) {
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  return {{"list", text(place.list)},         {"source", text(place.source)},
          {"url", text(place.url)},           {"checked", DateOrNull(place.checked)},
          {"contract", text(place.contract)}, {"tier", place.tier},
          {"region", text(place.region)},     {"price_now", place.now.ToString()}};
}

Json FaultJson(const reconcile::Fault& fault, const rates::PriceBook& book) {
  using enum reconcile::FaultKind;
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  Json json{{"fault", FaultName(fault.kind)},
            {"vendor", fault.vendor},
            {"model", text(fault.model)},
            {"meter", text(fault.meter)},
            {"currency", fault.currency},
            {"first_day", FormatDate(fault.first)},
            {"last_day", FormatDate(fault.last)},
            {"days", fault.days},
            {"ours", fault.ours.ToString()},
            {"theirs", fault.theirs.ToString()},
            {"difference", fault.difference().ToString()},
            {"quantities_stated", fault.stated}};
  if (fault.kind == kPrice) {
    json["price_unit"] = Info(fault.book.meter).price_unit;
    json["price_book"] = fault.book.price.ToString();
    json["price_bill"] = fault.price.ToString();
    const std::optional<reconcile::PricePlace> place = PlaceOf(fault, book);
    json["place"] = place ? PlaceJson(*place) : Json();
  }
  if (fault.kind == kQuantity) {
    json["count_ours"] = FormatDecimal(fault.our_count, 0);
    json["count_theirs"] = FormatDecimal(fault.their_count, 0);
  }
  if (!fault.factor.is_zero()) json["factor"] = fault.factor.ToString();
  const reconcile::FaultWords words = WordsOf(fault, book);
  json["text"] = words.text;
  json["remedy"] = words.remedy;
  return json;
}

Result<std::string> ReportJson(const Compared& compared, const ReconcileArgs& args, Instant now) {
  Json json{{"bill", compared.bill.name}, {"in_ledger", compared.bill.in_ledger}};
  json["equal"] = !compared.differs;
  if (const int64_t assumed = Assumed(compared); assumed > 0) json["assumed_tiers"] = assumed;
  if (args.apply) json["applied"] = compared.written;
  Json& rows = json["days"] = Json::array();
  for (const Group& group : compared.groups) rows.push_back(GroupJson(group, args.rows));
  Json& totals = json["totals"] = Json::object();
  for (const auto& [currency, sum] : FB_TRY(TotalsOf(compared.groups))) {
    totals[currency] = {{"ours", sum.ours.ToString()},
                        {"theirs", sum.theirs.ToString()},
                        {"difference", FB_TRY(sum.theirs.Minus(sum.ours)).ToString()},
                        {"applied", sum.applied.ToString()},
                        {"left", sum.left.ToString()}};
  }
  Json& faults = json["faults"] = Json::array();
  for (const reconcile::Fault& fault : compared.faults) {
    faults.push_back(FaultJson(fault, compared.book));
  }
  const std::string prices = PriceFileOf(compared.faults, compared.book, now);
  if (!prices.empty()) json["price_file"] = Json::parse(prices);
  return json.dump();
}

Result<Table> DaysTable(const Compared& compared, bool with_totals) {
  Table table;
  table.header = {"vendor", "day",        "model",   "currency", "calls", "ours",
                  "theirs", "difference", "applied", "left",     "reason"};
  for (const Group& group : compared.groups) {
    table.rows.push_back({group.key.vendor, FormatDate(group.key.day), group.key.model,
                          group.key.currency, std::to_string(group.calls), group.ours.ToString(),
                          group.theirs.ToString(),
                          Money::FromUnits(group.theirs.units() - group.ours.units()).ToString(),
                          group.applied.ToString(), group.left().ToString(), ReasonText(group)});
  }
  if (!with_totals) return table;
  for (const auto& [currency, sum] : FB_TRY(TotalsOf(compared.groups))) {
    table.rows.push_back({"total", "", "", currency, "", sum.ours.ToString(), sum.theirs.ToString(),
                          FB_TRY(sum.theirs.Minus(sum.ours)).ToString(), sum.applied.ToString(),
                          sum.left.ToString(), ""});
  }
  return table;
}

Table RowsTable(const Compared& compared) {
  Table table;
  table.header = {"vendor", "day",  "model",  "currency", "call",
                  "charge", "ours", "theirs", "reason"};
  for (const Group& group : compared.groups) {
    for (const reconcile::Trace& trace : group.traces) {
      table.rows.push_back(
          {group.key.vendor, FormatDate(group.key.day), group.key.model, group.key.currency,
           trace.call ? fmt::format("{:016x}", *trace.call) : "", trace.charge,
           trace.ours.ToString(), trace.theirs.ToString(), std::string(ReasonName(trace.reason))});
    }
  }
  return table;
}

void PrintFaults(const Environment& environment, const Compared& compared) {
  for (const reconcile::Fault& fault : compared.faults) {
    const reconcile::FaultWords words = WordsOf(fault, compared.book);
    Print(fmt::format("\n{} fault: {}\n  remedy: {}\n", FaultName(fault.kind), words.text,
                      words.remedy));
  }
  const std::string prices = PriceFileOf(compared.faults, compared.book, environment.clock.Now());
  if (!prices.empty()) Print("\nprice_file: " + prices + "\n");
}

Status PrintReport(const Environment& environment, const ReconcileArgs& args,
                   const Compared& compared) {
  if (environment.json()) {
    Print(FB_TRY(ReportJson(compared, args, environment.clock.Now())));
    return {};
  }
  const bool csv = environment.format == "csv";
  if (csv && args.rows) {
    Print(CsvText(RowsTable(compared)));
    return {};
  }
  const Table days = FB_TRY(DaysTable(compared, !csv));
  Print(csv ? CsvText(days) : TableText(days));
  if (args.rows) Print("\n" + TableText(RowsTable(compared)));
  if (!csv) PrintFaults(environment, compared);
  if (const int64_t assumed = Assumed(compared); assumed > 0) {
    Say(
        fmt::format("flyball: {} requests of the invoice are priced at the standard tier (of calls "
                    "at their bound at the dearest that fits), because nobody tells at which they "
                    "were served",
                    assumed));
  }
  if (args.apply) {
    Say(fmt::format("flyball: {} days and models brought to the bill", compared.written));
  } else if (compared.differs) {
    Say(compared.bill.in_ledger
            ? "flyball: until `flyball reconcile --apply`, the ledger counts both the gateway's "
              "estimates and the vendor's charges"
            : "flyball: `flyball reconcile --apply` brings the ledger to the bill");
  }
  return {};
}

}  // namespace

int RunReconcile(const Environment& environment, const ReconcileArgs& args) {
  if (!args.period.empty()) return RunInvoices(environment, args);
  const Result<Compared> compared = Compare(environment, args);
  if (!compared) return Report(environment, compared.error());
  if (const Status told = PrintReport(environment, args, *compared); !told) {
    return Report(environment, told.error());
  }
  return compared->differs ? kExitFound : kExitDone;
}

}  // namespace flyball::app
