// Data health: what is known of each source of bills, and a month beside its invoices.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "health/month.h"
#include "reconcile/statement.h"
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

// Of estate.yaml as it stands, because sources are synced from that; of the rules in force while it
// is broken.
Result<std::shared_ptr<const estate::RuleSet>> Api::EstateNow() {
  const Result<std::string> text =
      estate::LoadEstate(*files_, os::JoinPath(settings.home, "estate.yaml"));
  if (!text) return ledger.Rules();
  const std::lock_guard lock(estate_mutex_);
  if (estate_now_ == nullptr || *text != estate_text_) {
    const auto rules = estate::RuleSet::Compile(*text);
    if (!rules) return ledger.Rules();
    estate_now_ = *rules;
    estate_text_ = *text;
  }
  return estate_now_;
}

health::Ask Api::AskLedger() {
  return [this](const ledger::CostQuery& query) -> Result<std::string> {
    return *FB_TRY(Answer(query, ledger::AnswerFormat::kJson));
  };
}

Result<std::string> Api::DataHealthJson() {
  const auto rules = FB_TRY(EstateNow());
  const std::vector<ledger::Commit> commits = ledger.Commits();
  const std::vector<ledger::Slice> live = ledger.LiveSlices();
  const std::vector<std::string> closed = ledger.ClosedPeriods();
  return health::SourcesJson({rules->estate(), commits, live, closed, AskLedger(), *files_,
                              settings.home, clock.Now(), quarantine_reasons_});
}

Result<std::string> Api::MonthHealthJson(const std::string& name) {
  const health::Month month = FB_TRY(health::ParseMonth(name));
  reconcile::Statement statement =
      FB_TRY(reconcile::ReadStatement(*files_, settings.home, month.name));
  const std::vector<ledger::Commit> commits = ledger.Commits();
  std::string list = "[";
  for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) {
    list += list.size() > 1 ? "," : "";
    list += ledger::CommitJson(*commit, ledger::CommitDetail::kBrief);
  }
  const health::MonthLook look = FB_TRY(
      health::LookAtMonth(month, std::move(statement), list + "]", AskLedger(), clock.Now()));
  Json json = Json::parse(health::MonthJson(look, clock.Now()), nullptr, false);
  const std::string close = health::CloseOf(commits, ledger.ClosedPeriods(), month.name);
  json["close"] = close.empty() ? Json() : Json::parse(close, nullptr, false);
  json["over"] = clock.Now() >= month.end;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

net::Response Api::GetDataHealth(const Call&) {
  auto health = DataHealthJson();
  return health ? JsonReply(*std::move(health)) : ErrorReply(health.error());
}

net::Response Api::GetMonthHealth(const Call& call) {
  auto health = MonthHealthJson(call.path_values[0]);
  return health ? JsonReply(*std::move(health)) : ErrorReply(health.error());
}

}  // namespace flyball::serve
