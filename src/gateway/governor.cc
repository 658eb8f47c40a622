#include "gateway/governor.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "gateway/desk.h"
#include "gateway/model_list.h"
#include "gateway/own_headers.h"

namespace flyball::gateway {
namespace {

constexpr int64_t kKeysRefreshUs = 500'000;
constexpr int64_t kLogSyncUs = 1'000'000;
constexpr int64_t kServedUs = 60'000'000;

// An answer that is known before anything is dispatched.
class Answered final : public Call {
 public:
  explicit Answered(Reply reply) : reply_(std::move(reply)) {}
  std::variant<Attempt, Reply> Next(Outcome) override { return std::move(reply_); }
  bool Dispatched() override { return false; }
  HeadVerdict Head(int, std::span<const HeaderView>) override { return HeadVerdict::kPass; }
  BodyVerdict Body(std::string_view, std::string*) override { return BodyVerdict::kPass; }
  void Ended(End) override {}

 private:
  Reply reply_;
};

std::unique_ptr<Call> Answer(Reply reply) { return std::make_unique<Answered>(std::move(reply)); }

}  // namespace

std::string_view HeaderOf(std::span<const HeaderView> headers, std::string_view name) {
  for (const HeaderView& header : headers) {
    if (EqualsIgnoreCase(header.name, name)) return Trim(header.value);
  }
  return {};
}

std::string_view SecretOf(std::span<const HeaderView> headers) {
  std::string_view bearer = HeaderOf(headers, "authorization");
  constexpr std::string_view kBearer = "bearer ";
  if (bearer.size() > kBearer.size() &&
      EqualsIgnoreCase(bearer.substr(0, kBearer.size()), kBearer)) {
    return Trim(bearer.substr(kBearer.size()));
  }
  for (std::string_view name : {"x-api-key", "api-key", "x-goog-api-key"}) {
    if (std::string_view value = HeaderOf(headers, name); !value.empty()) return value;
  }
  return {};
}

GovernedGateway::GovernedGateway(GatewaySettings settings,
                                 std::shared_ptr<const rates::PriceBook> book, guard::Wal& wal,
                                 CallLog& log, KeyStore& keys, Clock& clock, Random& random)
    : settings_(std::move(settings)),
      book_(std::move(book)),
      wal_(wal),
      log_(log),
      keys_(keys),
      clock_(clock),
      random_(random) {
  settings_.upstream_keys.resize(settings_.upstreams.size());
  wal_.CallBeforeWriting([this] { WriteEnds(); });
}

void GovernedGateway::TellFault(std::string_view journal, const Status& failed) {
  if (!write_fault_.IsNews(failed)) return;
  log::Error("a record could not be written; nothing more is admitted until it can be",
             {{"journal", journal}, {"why", write_fault_.why()}});
}

// Until Tick finds that the log can be written again.
void GovernedGateway::LogFailed(const Status& failed) {
  wal_.SetBlocked(true);
  TellFault("log", failed);
}

void GovernedGateway::WriteEnds() {
  if (const Status written = log_.WriteEnds(); !written) LogFailed(written);
}

bool GovernedGateway::Commit() {
  WriteEnds();
  if (const Status written = wal_.Commit(); !written) {
    TellFault("guard", written);
    log_.GiveUpDispatches();
    return false;
  }
  const Status written = log_.WriteDispatches();
  if (!written) LogFailed(written);
  if (written && !log_.is_behind()) write_fault_.End();
  return written.has_value();
}

const std::vector<std::string>& GovernedGateway::Served() {
  const guard::Moment now = Now();
  if (now.mono_us >= served_until_us_) {
    served_ = ServedModels(settings_.upstreams, *book_, now.wall);
    served_until_us_ = now.mono_us + kServedUs;
  }
  return served_;
}

std::string GovernedGateway::ModelsJson(const VirtualKey& key) {
  std::string json = R"({"object":"list","data":[)";
  bool first = true;
  for (const std::string& model : ListModels(Served(), key)) {
    json += first ? "" : ",";
    first = false;
    json += R"({"id":)";
    AppendJsonString(model, &json);
    json += R"(,"object":"model","created":0,"owned_by":"flyball"})";
  }
  return json + "]}";
}

std::optional<Reply> GovernedGateway::OwnPage(const RequestView& request) {
  if (request.target.starts_with("/flyball/")) return AtDesk(request);
  if (request.method != "GET") return std::nullopt;
  if (request.target == "/healthz") {
    const bool stopped = wal_.guard().stopped();
    return Reply{stopped ? 503 : 200,
                 {{"Content-Type", "application/json"}},
                 stopped ? R"({"status":"stopped"})" : R"({"status":"ok"})"};
  }
  if (request.target == "/metrics") {
    return Reply{200, {{"Content-Type", "text/plain; version=0.0.4"}}, MetricsText()};
  }
  return std::nullopt;
}

Reply GovernedGateway::AtDesk(const RequestView& request) {
  Result<std::string> answer =
      Fail(Code::kUnauthenticated, "the desk needs the administrator's token",
           "it stands in the file 'token' of the home");
  if (keys_.IsAdmin(SecretOf(request.headers))) {
    const std::string_view path = request.target.substr(0, request.target.find('?'));
    answer = Administer(wal_, request.method, path, request.body, Now(),
                        currencies_ ? &*currencies_ : nullptr);
  }
  Reply reply{200, {{"Content-Type", "application/json"}}, {}};
  if (answer) {
    reply.body = *std::move(answer);
    return reply;
  }
  reply.status = HttpStatus(answer.error().code);
  reply.body = R"({"error":{"code":)";
  AppendJsonString(CodeName(answer.error().code), &reply.body);
  reply.body += R"(,"message":)";
  AppendJsonString(answer.error().message, &reply.body);
  reply.body += R"(,"hint":)";
  AppendJsonString(answer.error().hint, &reply.body);
  reply.body += "}}";
  return reply;
}

std::string GovernedGateway::MetricsText() const {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                       uint64_t value) {
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
  };
  const auto counter = [&](std::string_view name, std::string_view help, uint64_t value) {
    add(name, "counter", help, value);
  };
  counter("flyball_gateway_calls_total", "Requests of clients.", counts_.calls);
  counter("flyball_gateway_attempts_total", "Attempts dispatched to upstreams.", counts_.attempts);
  counter("flyball_gateway_refused_budget_total", "Calls refused by a budget.",
          counts_.refused_budget);
  counter("flyball_gateway_refused_other_total", "Requests refused for another reason.",
          counts_.refused_other);
  counter("flyball_gateway_settled_exact_total", "Attempts settled by the vendor's usage.",
          counts_.exact);
  counter("flyball_gateway_settled_bound_total", "Attempts charged at their bound.",
          counts_.at_bound);
  counter("flyball_gateway_vendor_refused_total", "Attempts that the vendor refused.",
          counts_.vendor_refused);
  counter("flyball_gateway_not_sent_total", "Attempts that never left.", counts_.not_sent);
  counter("flyball_gateway_cut_total", "Streams ended because their hold could not grow.",
          counts_.cut);
  counter("flyball_gateway_faults_total", "Calls whose vendor charged more than their bound.",
          counts_.faults);
  counter("flyball_budget_warnings_total", "Warn levels of budgets that were reached.",
          counts_.budget_warnings);
  add("flyball_gateway_open_calls", "gauge", "Calls that hold budget now.",
      wal_.guard().open_calls());
  add("flyball_gateway_stopped", "gauge", "1 while nothing is admitted.",
      wal_.guard().stopped() ? 1 : 0);
  return text;
}

Reply GovernedGateway::RefuseCall(const RequestView& request, RefusalKind kind,
                                  std::string_view why, const VirtualKey* key) {
  ++counts_.refused_other;
  Reply reply = ErrorReply(SpeaksAnthropic(request.target), kind, why);
  LogRequest(request, key, reply.status, "refused");
  return reply;
}

void GovernedGateway::LogRequest(const RequestView& request, const VirtualKey* key, int status,
                                 std::string_view ended) {
  if (access_ == nullptr) return;
  AccessLine line;
  line.at = clock_.Now();
  line.status = status;
  line.ended = ended;
  line.peer = request.peer;
  line.path = request.target;
  if (key != nullptr) line.key = key->id;
  access_->Add(line);
}

std::variant<GovernedGateway::Caller, Reply> GovernedGateway::CallerOf(const RequestView& head) {
  const std::string_view secret = SecretOf(head.headers);
  std::shared_ptr<const VirtualKey> key = keys_.Find(secret);
  if (key == nullptr || !key->IsGood(clock_.Now())) {
    return RefuseCall(
        head, RefusalKind::kUnauthenticated,
        secret.empty() ? "the request has no key" : "the key is unknown, expired or revoked");
  }
  const std::optional<Dialect> dialect = DialectOf(head.method, head.target);
  if (!dialect) {
    return RefuseCall(head, RefusalKind::kUnknownRoute,
                      "this route is not metered, so it is not open to keys with budgets",
                      key.get());
  }
  if (const Status own = CheckOwnHeaders(head.headers); !own) {
    return RefuseCall(head, RefusalKind::kInvalid, own.error().ToString(), key.get());
  }
  if (const std::string_view coding = HeaderOf(head.headers, "content-encoding");
      !coding.empty() && !EqualsIgnoreCase(coding, "identity")) {
    return RefuseCall(head, RefusalKind::kEncoded,
                      fmt::format("the body is encoded as '{}', so that its cost can't be read; "
                                  "send it as it is, without Content-Encoding",
                                  coding.substr(0, 100)),
                      key.get());
  }
  return Caller{std::move(key), *dialect};
}

Judgement GovernedGateway::Judge(const RequestView& head) {
  if (head.target.starts_with("/flyball/") && keys_.IsAdmin(SecretOf(head.headers))) return {};
  if (std::optional<Reply> own = OwnPage(head)) return {std::move(own), {}};  // it needs no body
  std::variant<Caller, Reply> caller = CallerOf(head);
  if (Reply* reply = std::get_if<Reply>(&caller)) {
    ++counts_.calls;
    return {std::move(*reply), {}};
  }
  return {std::nullopt, std::get<Caller>(caller).key->id};
}

std::unique_ptr<Call> GovernedGateway::Begin(const RequestView& request) {
  if (std::optional<Reply> own = OwnPage(request)) return Answer(*std::move(own));
  ++counts_.calls;
  std::variant<Caller, Reply> caller = CallerOf(request);
  if (Reply* reply = std::get_if<Reply>(&caller)) return Answer(std::move(*reply));
  const auto& [key, dialect] = std::get<Caller>(caller);
  if (dialect == Dialect::kOpenAiModels) {
    LogRequest(request, key.get(), 200, "complete");
    return Answer(Reply{200, {{"Content-Type", "application/json"}}, ModelsJson(*key)});
  }
  const auto refuse = [&](RefusalKind kind, std::string_view why) {
    return Answer(RefuseCall(request, kind, why, key.get()));
  };
  Result<CallFacts> facts = ReadCall(dialect, request.body);
  if (!facts) return refuse(RefusalKind::kInvalid, facts.error().ToString());
  if (!key->MayUse(facts->model)) {
    return refuse(RefusalKind::kForbidden,
                  fmt::format("the key may not use the model '{}'", facts->model));
  }
  Result<std::unique_ptr<Call>> call = MakeCall(dialect, request, *std::move(facts), key);
  if (call) return *std::move(call);
  const bool unserved = call.error().code == Code::kNotFound;
  return refuse(unserved ? RefusalKind::kUnknownRoute : RefusalKind::kInvalid,
                call.error().message);
}

Reply GovernedGateway::Refuse(std::string_view path, int status, std::string_view why) {
  ++counts_.refused_other;
  RefusalKind kind = RefusalKind::kOther;
  if (status == 413) kind = RefusalKind::kTooLarge;
  if (status == 404) kind = RefusalKind::kUnknownRoute;
  Reply reply = ErrorReply(SpeaksAnthropic(path), kind, why, status);
  LogRequest(RequestView{{}, path, {}, {}, {}}, nullptr, reply.status, "refused");
  return reply;
}

// What a power cut takes of the log is not in the ledger: about a second of it.
void GovernedGateway::SyncLog(int64_t now_us) {
  if (syncing_log_ || now_us - log_synced_us_ < kLogSyncUs) return;
  log_synced_us_ = now_us;
  std::function<Status()> sync = log_.StartSync();
  if (!sync) return;
  syncing_log_ = true;
  const auto done = [this](const Status& synced) {
    syncing_log_ = false;
    log_.FinishSync(synced);
    if (synced) return;
    wal_.SetBlocked(true);
    log::Error("the log of calls can't be synced; nothing more is admitted until the next start",
               {{"why", synced.error().ToString()}});
  };
  if (settings_.beside) {
    settings_.beside(std::move(sync), done);
  } else {
    done(sync());
  }
}

void GovernedGateway::TellNotices() {
  const guard::Books& books = wal_.guard().books();
  for (const guard::Notice& notice : wal_.guard().TakeNotices()) {
    if (!books.Has(notice.account)) continue;
    const budget::Budget& budget = books.at(notice.account).spec;
    const std::string scope = budget::FormatScope(budget.scope);
    if (notice.percent == 0) {
      log::Warn("a vendor has charged more than a call's bound; a hard budget is frozen by it",
                {{"budget", budget.name}, {"scope", scope}});
      continue;
    }
    ++counts_.budget_warnings;
    log::Warn(
        "a budget has reached a level that warns",
        {{"budget", budget.name}, {"scope", scope}, {"percent", std::to_string(notice.percent)}});
  }
}

// A client that invents values is refused with each: that is told once, until there is room again.
void GovernedGateway::TellFull(const guard::Admission& refusal) {
  const Status full = Fail(Code::kResourceExhausted, wal_.guard().Describe(refusal));
  if (!full_[refusal.account].IsNews(full)) return;
  log::Error("a budget of each value keeps count of as many as it can; calls of others are refused",
             {{"why", full.error().message}});
}

void GovernedGateway::Tick() {
  const guard::Moment now = Now();
  if (log_.is_behind()) (void)log_.WriteEnds();  // its failure was told
  wal_.SetBlocked(log_.is_behind());
  SyncLog(now.mono_us);
  if (tick_fault_.IsNews(wal_.Tick(now))) {
    log::Error("the guard's journal can't be written; nothing more is admitted",
               {{"why", tick_fault_.why()}});
  }
  TellNotices();
  std::erase_if(full_, [this](const auto& each) { return !wal_.guard().IsFull(each.first); });
  if (access_ != nullptr) access_->Flush();
  if (now.mono_us - keys_looked_at_us_ >= kKeysRefreshUs) {
    keys_looked_at_us_ = now.mono_us;
    keys_.Refresh();
  }
}

}  // namespace flyball::gateway
