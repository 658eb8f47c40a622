#include "ingest/live_charges.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "ledger/merge.h"
#include "model/charge.h"
#include "model/signature.h"
#include "os/journal.h"

namespace flyball::ingest {
namespace {

// Commits that come in while a question is asked again.
constexpr int kAsksMax = 8;

bool Covers(const GatewayStand& stand, uint64_t offset, const metered::Dispatch& dispatch) {
  // Without an end after a day it is in the bill at its bound, wherever its end comes to stand.
  const bool is_old = dispatch.at.us < stand.closed.us - kMicrosPerDay;
  return dispatch.at < stand.closed && (is_old || offset < stand.log_bytes);
}

Result<ledger::NaiveCharge> ChargeOf(const std::vector<std::string>& columns,
                                     const std::vector<std::string>& cells,
                                     const estate::RuleSet& rules) {
  ledger::NaiveCharge charge;
  charge.source = kGatewaySource;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!cells[i].empty()) charge.columns[columns[i]] = cells[i];
  }
  for (const charge::MeasureColumn& measure : charge::Measures()) {
    const auto found = charge.columns.find(std::string(measure.column));
    if (found == charge.columns.end()) continue;
    const int scale = measure.type == ColumnType::kMoney ? Money::scale() : Quantity::scale();
    charge.measures[std::string(measure.measure)] =
        FB_TRY(ParseDecimal(*found->second, scale)).units;
  }
  charge.start = FB_TRY(ParseUserInstant(*charge.columns["ChargePeriodStart"]));
  if (const auto tags = charge.columns.find("Tags"); tags != charge.columns.end()) {
    const auto json = nlohmann::json::parse(*tags->second, nullptr, false);
    for (const auto& [name, value] : json.items()) charge.tags[name] = value.get<std::string>();
  }
  signature::Values values;
  for (std::string_view column : signature::Columns()) {
    const auto found = charge.columns.find(std::string(column));
    values.push_back(found == charge.columns.end()
                         ? std::nullopt
                         : std::optional<std::string_view>(*found->second));
  }
  charge.assigned = rules.Assign(values);
  return charge;
}

}  // namespace

LiveCharges::LiveCharges(os::Files& files, const std::string& home, Clock& clock, size_t calls_max)
    : files_(files),
      calls_(os::JoinPath(home, "gateway/calls")),
      bills_(os::JoinPath(home, "gateway/charges")),
      clock_(clock),
      calls_max_(calls_max) {}

size_t LiveCharges::Kept() const {
  size_t kept = 0;
  for (const auto& [month, tail] : tails_) kept += tail.ended.size();
  return kept;
}

// Called with the mutex held.
void LiveCharges::LookAgain(const ledger::Ledger& ledger) {
  const int64_t now_us = clock_.MonotonicUs();
  if (looked_us_ && now_us - *looked_us_ < kLookAgainUs) return;
  looked_us_ = now_us;
  const Instant now = clock_.Now();
  const Result<std::vector<std::string>> months = GatewayMonths(files_, calls_);
  if (!months || months->empty()) return;
  // The month before has calls that are not published in the first minutes of a month.
  const std::string oldest = FormatDate(AddMonths(FloorMonth(now), -1)).substr(0, 7);
  faulty_ = false;
  std::optional<Instant> stopped;
  for (const std::string& month : *months) {
    if (month < oldest) continue;
    const auto [tail, is_new] = tails_.try_emplace(month);
    // What is published is not kept from the first reading on: a month's log may be long.
    if (is_new) {
      tail->second.dropped = StandsAt(ledger, ledger.Head())[month];
      tail->second.settled_to = ParseUserInstant(month).value_or(now);
    }
    if (const Status read = ReadOn(month, &tail->second); !read) {
      if (!faulty_) log::Warn("live charges can't be read", {{"why", read.error().ToString()}});
      faulty_ = true;
      ++version_;
    } else if (!tail->second.is_whole) {
      // Calls are settled in the order of the log: what was not read was settled later.
      stopped = std::min(stopped.value_or(now), tail->second.settled_to);
    }
  }
  if (stopped && !full_) {
    log::Warn("more calls wait to be published than are shown live; live answers stand still",
              {{"calls", std::to_string(Kept())}, {"live_through", FormatInstant(*stopped)}});
  }
  full_ = stopped.has_value();
  if (version_ == 0) version_ = 1;
  through_ = stopped.value_or(now);
}

Status LiveCharges::ReadOn(const std::string& month, Tail* tail) {
  const std::string path = os::JoinPath(calls_, "calls-" + month + ".journal");
  if (!files_.Exists(path)) {
    tail->is_whole = true;
    return {};
  }
  const uint64_t bytes = FB_TRY(files_.Size(path));
  if (bytes == tail->bytes && tail->is_whole) return {};
  if (bytes < tail->bytes) {  // another file stands there now
    Tail anew;
    anew.settled_to = FB_TRY(ParseUserInstant(month));
    anew.dropped = tail->dropped;
    *tail = std::move(anew);
  }
  size_t room = calls_max_ - std::min(calls_max_, Kept());
  tail->is_whole = false;
  if (room == 0) return {};
  ++version_;
  os::JournalReading how;
  how.from = tail->whole_to;
  how.on_damage = [](uint64_t, uint64_t) { return Status(); };  // told by the gateway and publish
  std::optional<uint64_t> stopped_at;
  const Result<uint64_t> read = os::Journal::Read(
      files_, path,
      [&](uint64_t offset, std::string_view payload) -> Status {
        if (offset < tail->read_to) return {};
        if (room == 0) {
          stopped_at = offset;
          return Fail(Code::kResourceExhausted, "no more calls are kept");  // ends the reading
        }
        Result<metered::Record> record = metered::Decode(payload);
        tail->read_to = offset + 1;
        if (!record) return {};  // told as damage is
        if (!record->is_end) {
          const uint64_t id = record->dispatch.id;
          tail->open.insert_or_assign(id, std::move(record->dispatch));
          return {};
        }
        const auto found = tail->open.find(record->end.id);
        if (found == tail->open.end()) return {};  // the first word counts
        tail->settled_to = std::max(tail->settled_to, record->end.at);
        if (!Covers(tail->dropped, offset, found->second)) {
          --room;
          tail->ended.push_back({offset, {std::move(found->second), std::move(record->end)}});
        }
        tail->open.erase(found);
        return {};
      },
      how);
  tail->whole_to = stopped_at ? *stopped_at : FB_TRY(read);
  tail->is_whole = !stopped_at;
  tail->bytes = bytes;
  return {};
}

LiveCharges::Stands LiveCharges::StandsAt(const ledger::Ledger& ledger, const std::string& commit) {
  if (stands_ && stands_commit_ == commit) return *stands_;
  const std::map<std::string, GatewayStand> by_bill = ReadStands(files_, bills_);
  Stands stands;
  for (const ledger::Commit& each : ledger.Commits()) {
    if (each.kind == ledger::CommitKind::kImport && each.source == kGatewaySource) {
      // A bill of before stands were noted: all of its closed hours.
      GatewayStand stand{FloorHour(each.time), std::numeric_limits<uint64_t>::max()};
      if (each.facts.files.size() == 1) {
        const auto found = by_bill.find(each.facts.files.front().second);
        if (found != by_bill.end()) stand = found->second;
      }
      for (const ledger::Slice& slice : each.opens) stands[slice.period] = stand;
    }
    if (each.id == commit) break;
  }
  stands_commit_ = commit;
  stands_ = stands;
  return stands;
}

Result<std::shared_ptr<const LiveCharges::Charges>> LiveCharges::After(
    const Stands& stands, const estate::RuleSet& rules) {
  if (charges_ != nullptr && charges_version_ == version_ && charges_after_ == stands &&
      charges_rules_ == rules.hash()) {
    return charges_;
  }
  Charges charges;
  const std::vector<std::string> columns = GatewayColumns();
  for (auto& [month, tail] : tails_) {
    const auto found = stands.find(month);
    const GatewayStand stand = found == stands.end() ? GatewayStand{} : found->second;
    if (tail.dropped.log_bytes > stand.log_bytes || tail.dropped.closed > stand.closed) {
      return std::shared_ptr<const Charges>();
    }
    tail.dropped = stand;
    std::erase_if(tail.ended, [&stand](const Tail::Ended& each) {
      return Covers(stand, each.offset, each.call.dispatch);
    });
    std::vector<SettledCall> calls;
    for (const Tail::Ended& each : tail.ended) calls.push_back(each.call);
    const auto rows = FB_TRY(GatewayRows(calls, month));
    for (const std::vector<std::string>& cells : rows) {
      charges.push_back(FB_TRY(ChargeOf(columns, cells, rules)));
    }
  }
  charges_ = std::make_shared<const Charges>(std::move(charges));
  charges_after_ = stands;
  charges_version_ = version_;
  charges_rules_ = rules.hash();
  return charges_;
}

uint64_t LiveCharges::Version(const ledger::Ledger& ledger) {
  std::lock_guard lock(mutex_);
  LookAgain(ledger);
  return version_;
}

Result<LiveCharges::Answer> LiveCharges::Query(ledger::Ledger& ledger,
                                               const ledger::CostQuery& query) {
  if (!query.as_of.empty() || Version(ledger) == 0) return Answer{FB_TRY(ledger.Query(query)), {}};
  const ledger::CostQuery inner = ledger::MergeableQuery(query);
  for (int ask = 0; ask < kAsksMax; ++ask) {
    // The ledger first: what is published meanwhile is in the log all the same.
    ledger::QueryAnswer published = FB_TRY(ledger.Query(query));
    std::shared_ptr<const Charges> charges;
    std::optional<Instant> through;
    {
      std::lock_guard lock(mutex_);
      LookAgain(ledger);
      if (faulty_) break;
      Result<std::shared_ptr<const Charges>> after =
          After(StandsAt(ledger, published.commit), *ledger.Rules());
      if (!after) {
        log::Warn("an answer is without live charges", {{"why", after.error().ToString()}});
        break;
      }
      charges = *std::move(after);
      through = through_;
    }
    if (charges == nullptr) continue;
    if (charges->empty()) return Answer{std::move(published), through};
    if (inner != query) {
      Result<ledger::QueryAnswer> whole = ledger.Query(inner);
      if (!whole && whole.error().code == Code::kOutOfRange) break;  // too many groups to merge
      FB_CHECK(whole);
      if (whole->commit != published.commit) continue;
      published = *std::move(whole);
    }
    const ledger::QueryAnswer live = FB_TRY(ledger::AnswerNaively(inner, *charges));
    return Answer{FB_TRY(ledger::MergeAnswers(query, published, live)), through};
  }
  return Answer{FB_TRY(ledger.Query(query)), {}};
}

std::string LiveAnswerText(const LiveCharges::Answer& answer, ledger::AnswerFormat format) {
  std::string text = ledger::AnswerText(answer.answer, format);
  if (!answer.through || format == ledger::AnswerFormat::kCsv) return text;
  const std::string instant = FormatInstant(*answer.through);
  if (format == ledger::AnswerFormat::kTable) {
    if (!text.ends_with('\n')) text += '\n';
    return text + "with the gateway's calls up to " + instant + "\n";
  }
  const size_t end = text.rfind('}');
  return text.insert(end, R"(,"live_through":")" + instant + "\"");
}

}  // namespace flyball::ingest
