#include "health/sources.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "health/conformance.h"
#include "ledger/days.h"
#include "sources/last_sync.h"

namespace flyball::health {
namespace {

using Json = nlohmann::ordered_json;
using Billed = std::map<std::string, Money>;  // by currency

constexpr int64_t kMicrosPerHour = kMicrosPerDay / 24;
// Of sources without a charge in the days shown: whose last day is looked for.
constexpr int kOldSourcesMax = 50;

struct Period {
  int64_t charges = 0;
  Billed billed;
};

struct Entry {
  const estate::Source* declared = nullptr;  // in the estate
  std::set<std::string> parts;               // sources of the ledger
  std::map<std::string, Period> periods;
  const ledger::Commit* last_import = nullptr;     // that is live, corrections left out
  std::vector<const ledger::Commit*> quarantines;  // live imports with rows there, newest first
  std::map<Instant, ledger::DayFacts> days;
  bool began_before = false;  // it has charges before the days shown
  std::optional<Instant> last_day;
};
using Entries = std::map<std::string, Entry>;

Status Add(const Billed& more, Billed* sums) {
  for (const auto& [currency, sum] : more) (*sums)[currency] = FB_TRY((*sums)[currency].Plus(sum));
  return {};
}

Json BilledJson(const Billed& billed) {
  Json json = Json::object();
  for (const auto& [currency, sum] : billed) json[currency] = sum.ToString();
  return json;
}

std::string_view KindOf(const std::string& name, const Entry& entry) {
  const auto kind = entry.declared == nullptr ? estate::SourceKind::kNamed : entry.declared->kind;
  if (kind != estate::SourceKind::kNamed) return estate::SourceKindName(kind);
  // Their bills are made here, of logs.
  if (name == "gateway") return "gateway";
  if (name == "otlp") return "spans";
  return "import";
}

bool IsSynced(const Entry& entry) {
  return entry.declared != nullptr && entry.declared->kind != estate::SourceKind::kNamed;
}

Result<Entries> Gather(const SourcesInput& input) {
  Entries entries;
  for (const estate::Source& source : input.estate.sources) entries[source.name].declared = &source;
  std::set<std::string_view> live;
  for (const ledger::Slice& slice : input.live) {
    live.insert(slice.id);
    Entry& entry = entries[OwnerOf(slice.source, input.estate.sources)];
    entry.parts.insert(slice.source);
    Period& period = entry.periods[slice.period];
    period.charges += slice.rows;
    FB_CHECK(Add(slice.billed_by_currency, &period.billed));
  }
  std::set<std::string_view> seen;  // sources of the ledger with a newer import
  for (auto commit = input.commits.rbegin(); commit != input.commits.rend(); ++commit) {
    if (commit->kind != ledger::CommitKind::kImport) continue;
    const bool newest = seen.insert(commit->source).second;
    const bool counts =
        commit->opens.empty() ? newest : std::ranges::any_of(commit->opens, [&](const auto& slice) {
          return live.contains(slice.id);
        });
    if (!counts) continue;
    Entry& entry = entries[OwnerOf(commit->source, input.estate.sources)];
    if (entry.last_import == nullptr && !ledger::TakeApart(commit->source).corrects) {
      entry.last_import = &*commit;
    }
    if (commit->facts.rows_quarantined > 0) entry.quarantines.push_back(&*commit);
  }
  return entries;
}

// ---- days

struct Window {
  Instant from, to;
};

Window WindowOf(const SourcesInput& input) {
  const Instant tomorrow{FloorDay(input.now).us + kMicrosPerDay};
  const std::string this_month = FormatDate(input.now).substr(0, 7);
  std::string newest;
  for (const ledger::Slice& slice : input.live) {
    if (slice.period <= this_month) newest = std::max(newest, slice.period);
  }
  Instant to = tomorrow;
  if (const Result<Instant> month = ParseUserInstant(newest.empty() ? this_month : newest)) {
    to = std::min(to, AddMonths(*month, 1));
  }
  return {Instant{to.us - kDaysShown * kMicrosPerDay}, to};
}

// `window`: whose days are shown; without one only the last day is taken.
Status TakeDays(const SourcesInput& input, const ledger::CostQuery& query, Entries* entries,
                const Window* window) {
  const Json answer = Json::parse(FB_TRY(input.ask(query)), nullptr, false);
  if (!answer.is_object() || !answer.contains("rows")) {
    return Fail(Code::kInternal, "the answer of the ledger cannot be read");
  }
  const std::string one_currency = answer.contains("currency") && answer["currency"].is_string()
                                       ? answer.value("currency", "")
                                       : "";
  for (const Json& row : answer["rows"]) {
    const auto entry = entries->find(OwnerOf(row.value("source", ""), input.estate.sources));
    if (entry == entries->end()) continue;  // it came in after the slices were listed
    const Instant day = FB_TRY(ParseUserInstant(row.value("period", "")));
    entry->second.last_day = std::max(entry->second.last_day.value_or(day), day);
    if (window == nullptr) continue;
    if (day < window->from) {
      entry->second.began_before = true;
      continue;
    }
    ledger::DayFacts& facts = entry->second.days[day];
    facts.charges += std::stoll(row.value("charges", "0"));
    const Money billed = FB_TRY(Money::Parse(row.value("billed_cost", "")));
    FB_CHECK(Add({{row.value("currency", one_currency), billed}}, &facts.billed));
  }
  return {};
}

ledger::CostQuery DaysQuery(const SourcesInput& input) {
  ledger::CostQuery query;
  query.measures = {"charges", "billed_cost"};
  query.by = {"source"};
  query.grain = ledger::Grain::kDay;
  query.basis = "billed";
  if (!input.commits.empty()) query.as_of = input.commits.back().id;
  return query;
}

Status AskDays(const SourcesInput& input, const Window& window, Entries* entries) {
  if (input.live.empty()) return {};
  ledger::CostQuery query = DaysQuery(input);
  // From the beginning of that month on: what is missing on the first days shown is told from what
  // had not begun. Of the months before, the slices tell it.
  query.from = FloorMonth(window.from);
  query.to = window.to;
  FB_CHECK(TakeDays(input, query, entries, &window));
  const std::string first_month = FormatDate(window.from).substr(0, 7);
  for (auto& [name, entry] : *entries) {
    if (!entry.periods.empty() && entry.periods.begin()->first < first_month) {
      entry.began_before = true;
    }
  }
  int looked = 0;
  for (auto& [name, entry] : *entries) {
    if (entry.last_day || entry.periods.empty() || ++looked > kOldSourcesMax) continue;
    const Instant month = FB_TRY(ParseUserInstant(entry.periods.rbegin()->first));
    query.from = AddMonths(month, -1);
    query.to = std::min(AddMonths(month, 2), window.to);
    std::vector<std::string> parts(entry.parts.begin(), entry.parts.end());
    parts.resize(std::min<size_t>(parts.size(), ledger::kQueryMaxValues));
    query.where = {{"source", false, std::move(parts)}};
    FB_CHECK(TakeDays(input, query, entries, nullptr));
  }
  return {};
}

// ---- the document

Json DaysJson(const SourcesInput& input, const Window& window, const Entry& entry) {
  Json json = Json::array();
  const std::vector<ledger::Day> days =
      ledger::JudgeDays(entry.days, window.from, window.to, entry.began_before, input.now);
  for (const ledger::Day& day : days) {
    json.push_back({{"day", FormatDate(day.day)},
                    {"state", ledger::DayStateName(day.state)},
                    {"charges", day.facts.charges},
                    {"billed", BilledJson(day.facts.billed)}});
  }
  return json;
}

Json PeriodsJson(const SourcesInput& input, const Entry& entry) {
  Json json = Json::array();
  for (auto period = entry.periods.rbegin(); period != entry.periods.rend(); ++period) {
    const auto& [name, sums] = *period;
    const bool closed = std::ranges::find(input.closed_periods, name) != input.closed_periods.end();
    json.push_back({{"period", name},
                    {"charges", sums.charges},
                    {"billed", BilledJson(sums.billed)},
                    {"closed", closed}});
  }
  return json;
}

Result<Json> QuarantineJson(const SourcesInput& input, const Entry& entry, size_t* left_bytes) {
  int64_t rows = 0;
  Billed cost;
  std::map<std::string, int64_t> reasons;
  bool whole = true;
  Json imports = Json::array();
  for (const ledger::Commit* commit : entry.quarantines) {
    rows += commit->facts.rows_quarantined;
    for (const auto& [currency, sums] : commit->facts.billed_cost_by_currency) {
      // A sum with more digits than money has is shown by the import alone.
      const Result<Money> sum = Money::Parse(sums.quarantined);
      if (sum && !sum->is_zero()) FB_CHECK(Add({{currency, *sum}}, &cost));
    }
    if (imports.size() >= kQuarantinesMax) {
      whole = false;
      continue;
    }
    const std::string& id = ledger::QuarantineId(*commit);
    const QuarantineReasons::Counts counts = input.reasons.Of(
        input.files, os::JoinPath(os::JoinPath(input.home, "quarantine"), id + ".jsonl"),
        left_bytes);
    for (const auto& [code, count] : counts.rows) reasons[code] += count;
    whole = whole && counts.whole;
    Json files = Json::array();
    for (const auto& [file, hash] : commit->facts.files) files.push_back(file);
    imports.push_back({{"id", id},
                       {"commit", commit->id},
                       {"time", FormatInstant(commit->time)},
                       {"rows", commit->facts.rows_quarantined},
                       {"files", std::move(files)}});
  }
  return Json{{"rows", rows},
              {"cost", BilledJson(cost)},
              {"reasons", reasons},
              {"reasons_of_all", whole},
              {"imports", std::move(imports)}};
}

Json ImportJson(const ledger::Commit* commit) {
  if (commit == nullptr) return {};
  Json files = Json::array();
  for (const auto& [file, hash] : commit->facts.files) files.push_back(file);
  return {{"commit", commit->id},
          {"time", FormatInstant(commit->time)},
          {"author", commit->author},
          {"rows_in", commit->facts.rows_in},
          {"rows_kept", commit->facts.rows_kept},
          {"files", std::move(files)}};
}

Json SyncJson(const SourcesInput& input, const std::string& name, const Entry& entry) {
  if (!IsSynced(entry)) return {};
  const std::optional<sources::LastSync> last =
      sources::ReadLastSync(input.files, input.home, name);
  if (!last) return Json::object({{"state", "never"}});
  Json json{{"state", last->errors.empty() ? "ok" : "failed"},
            {"time", FormatInstant(last->time)},
            {"succeeded", last->succeeded ? Json(FormatInstant(*last->succeeded)) : Json()},
            {"sets", last->sets},
            {"imported", last->imported},
            {"errors", Json::array()},
            {"errors_more", last->errors_more}};
  for (const Error& error : last->errors) {
    json["errors"].push_back({{"message", error.message}, {"hint", error.hint}});
  }
  return json;
}

Json CheckJson(const SourcesInput& input, std::string_view kind, const Entry& entry) {
  if (kind == "gateway" || kind == "spans") return Json::object({{"state", "made here"}});
  if (entry.last_import == nullptr) return Json::object({{"state", "no bill"}});
  const std::optional<std::string> text =
      ReadCheck(input.files, input.home, entry.last_import->content_hash);
  if (!text) return Json::object({{"state", "not checked"}});
  Json json = Json::parse(*text, nullptr, false);
  Json out = Json::object({{"state", json.contains("reason") ? "not checkable" : "checked"}});
  out.update(json);
  return out;
}

Result<Json> EntryJson(const SourcesInput& input, const Window& window, const std::string& name,
                       const Entry& entry, size_t* left_bytes) {
  const std::string_view kind = KindOf(name, entry);
  int64_t charges = 0;
  Billed billed;
  for (const auto& [period, sums] : entry.periods) {
    charges += sums.charges;
    FB_CHECK(Add(sums.billed, &billed));
  }
  Json reaches, hours_behind;
  if (entry.last_day) {
    reaches = FormatDate(*entry.last_day);
    const int64_t behind_us = input.now.us - entry.last_day->us - kMicrosPerDay;
    hours_behind = std::max<int64_t>(behind_us, 0) / kMicrosPerHour;
  }
  const bool titled = entry.declared != nullptr && !entry.declared->title.empty();
  return Json{{"name", name},
              {"title", titled ? entry.declared->title : name},
              {"kind", kind},
              {"parts", entry.parts},
              {"last_import", ImportJson(entry.last_import)},
              {"sync", SyncJson(input, name, entry)},
              {"reaches", std::move(reaches)},
              {"hours_behind", std::move(hours_behind)},
              {"charges", charges},
              {"billed", BilledJson(billed)},
              {"days", DaysJson(input, window, entry)},
              {"periods", PeriodsJson(input, entry)},
              {"quarantine", FB_TRY(QuarantineJson(input, entry, left_bytes))},
              {"conformance", CheckJson(input, kind, entry)}};
}

// Newest first, with the commit that closed them.
Result<Json> MonthsJson(const SourcesInput& input) {
  std::map<std::string, Period> months;
  for (const ledger::Slice& slice : input.live) {
    months[slice.period].charges += slice.rows;
    FB_CHECK(Add(slice.billed_by_currency, &months[slice.period].billed));
  }
  Json json = Json::array();
  for (auto month = months.rbegin(); month != months.rend(); ++month) {
    const auto& [name, sums] = *month;
    const std::string close = CloseOf(input.commits, input.closed_periods, name);
    json.push_back({{"period", name},
                    {"charges", sums.charges},
                    {"billed", BilledJson(sums.billed)},
                    {"close", close.empty() ? Json() : Json::parse(close, nullptr, false)}});
  }
  return json;
}

}  // namespace

std::string CloseOf(std::span<const ledger::Commit> commits,
                    std::span<const std::string> closed_periods, const std::string& period) {
  if (std::ranges::find(closed_periods, period) == closed_periods.end()) return {};
  for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) {
    if (commit->kind != ledger::CommitKind::kClose || commit->period != period) continue;
    const Json json{{"commit", commit->id},
                    {"time", FormatInstant(commit->time)},
                    {"author", commit->author},
                    {"report_hash", commit->content_hash}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return {};
}

QuarantineReasons::Counts QuarantineReasons::Of(os::Files& files, const std::string& path,
                                                size_t* left_bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(path); known != known_.end()) return known->second;
  }
  if (*left_bytes == 0) return {{}, false};
  Counts counts;
  const Result<std::string> text = files.ReadPart(path, 0, kReasonsBytesMax);
  if (!text) return {{}, false};
  *left_bytes -= std::min(*left_bytes, text->size());
  counts.whole = text->size() < kReasonsBytesMax;
  for (std::string_view line : SplitText(*text, '\n')) {
    const Json row = Json::parse(line, nullptr, false);
    if (row.is_object() && row.contains("code") && row["code"].is_string()) {
      ++counts.rows[row["code"].get<std::string>()];
    }
  }
  const std::lock_guard lock(mutex_);
  known_[path] = counts;
  return counts;
}

std::string OwnerOf(const std::string& ledger_source, std::span<const estate::Source> known) {
  const std::string_view name = ledger::TakeApart(ledger_source).source;
  const estate::Source* owner = nullptr;
  for (const estate::Source& source : known) {
    const bool part = name == source.name || (source.kind != estate::SourceKind::kNamed &&
                                              name.starts_with(source.name + "."));
    // A name may begin with another one: the longest is meant.
    if (part && (owner == nullptr || owner->name.size() < source.name.size())) owner = &source;
  }
  return owner == nullptr ? std::string(name) : owner->name;
}

Result<std::string> SourcesJson(const SourcesInput& input) {
  Entries entries = FB_TRY(Gather(input));
  const Window window = WindowOf(input);
  FB_CHECK(AskDays(input, window, &entries));
  Json json{{"now", FormatInstant(input.now)},
            {"commit", input.commits.empty() ? "" : input.commits.back().id},
            {"from", FormatDate(window.from)},
            {"to", FormatDate(window.to)},
            {"sources", Json::array()}};
  size_t left_bytes = kReasonsBytesOfAnswer;
  for (const auto& [name, entry] : entries) {
    if (json["sources"].size() >= kSourcesMax) break;
    json["sources"].push_back(FB_TRY(EntryJson(input, window, name, entry, &left_bytes)));
  }
  json["sources_left_off"] = entries.size() - json["sources"].size();
  json["months"] = FB_TRY(MonthsJson(input));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::health
