// A call of the gateway: attempts, each held on every budget and settled.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"
#include "gateway/answer_meter.h"
#include "gateway/body_edit.h"
#include "gateway/bound.h"
#include "gateway/governor.h"
#include "gateway/router.h"
#include "gateway/settlement.h"
#include "gateway/stream_hold.h"

namespace flyball::gateway {
namespace {

using budget::ScopeKind;

constexpr std::string_view kTeamHeader = "x-flyball-team";
constexpr std::string_view kProjectHeader = "x-flyball-project";
constexpr std::string_view kUseCaseHeader = "x-flyball-use-case";
constexpr std::string_view kEndCustomerHeader = "x-flyball-end-customer";
constexpr std::string_view kTagsHeader = "x-flyball-tags";

// Whether the answer is compressed, although that was not asked for.
bool IsEncoded(std::span<const HeaderView> headers) {
  return std::ranges::any_of(headers, [](const HeaderView& header) {
    return EqualsIgnoreCase(header.name, "content-encoding") &&
           !EqualsIgnoreCase(Trim(header.value), "identity");
  });
}

// A value of a header that becomes the value of a budget's scope.
bool IsScopeText(std::string_view text) {
  if (text.size() > budget::kScopeValueMaxBytes || ValidUtf8Prefix(text) != text.size())
    return false;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// "a=b,c=d"
Result<std::vector<std::pair<std::string, std::string>>> ReadTags(std::string_view header) {
  std::vector<std::pair<std::string, std::string>> tags;
  if (header.empty()) return tags;
  for (std::string_view part : SplitText(header, ',')) {
    const size_t equals = part.find('=');
    const std::string_view name = Trim(part.substr(0, equals));
    if (equals == std::string_view::npos || name.empty() || tags.size() == kTagsMax) {
      return Fail(
          Code::kInvalidArgument,
          fmt::format("the header {} is no list of at most {} NAME=VALUE", kTagsHeader, kTagsMax));
    }
    tags.emplace_back(name, Trim(part.substr(equals + 1)));
  }
  std::ranges::sort(tags);
  return tags;
}

std::string_view EndName(End how) {
  switch (how) {
    case End::kComplete:
      return "complete";
    case End::kCut:
      return "cut";
    case End::kBroken:
      return "broken";
    case End::kClientGone:
      return "client gone";
    case End::kDrained:
      return "drained";
    case End::kRefused:
      return "refused";
    case End::kNeverSent:
      return "never sent";
  }
  return {};
}

}  // namespace

// One call, from its first attempt to its end.
class GovernedGateway::Governed final : public Call {
 public:
  Governed(GovernedGateway& gateway, Dialect dialect, const RequestView& request, CallFacts facts,
           std::shared_ptr<const VirtualKey> key)
      : g_(gateway),
        book_(gateway.book_),
        dialect_(dialect),
        facts_(std::move(facts)),
        key_(std::move(key)),
        target_(request.target),
        peer_(request.peer),
        began_us_(gateway.access_ ? gateway.clock_.MonotonicUs() : 0),
        body_(request.body) {}

  // Who pays: the key's own attributes, and of headers what the key leaves open.
  Status ReadAttributes(std::span<const HeaderView> headers) {
    const auto pick = [&](const std::string& own, std::string_view header) {
      return own.empty() ? std::string(HeaderOf(headers, header)) : own;
    };
    dispatch_.team = pick(key_->team, kTeamHeader);
    dispatch_.project = pick(key_->project, kProjectHeader);
    dispatch_.use_case = pick(key_->use_case, kUseCaseHeader);
    dispatch_.end_customer = pick("", kEndCustomerHeader);
    dispatch_.tags = FB_TRY(ReadTags(HeaderOf(headers, kTagsHeader)));
    dispatch_.key = key_->id;
    dispatch_.model = facts_.model;
    model_scope_ = rates::CanonicalModel(facts_.model);
    const std::string_view undated = rates::UndatedModel(model_scope_);
    if (undated != model_scope_) undated_scope_ = undated;
    dispatch_.dialect = Info(dialect_).name;
    dispatch_.stream = facts_.stream;
    for (const auto& [name, value] : dispatch_.tags) tag_scopes_.push_back(name + "=" + value);
    for (const std::string* text : {&dispatch_.team, &dispatch_.project, &dispatch_.use_case,
                                    &dispatch_.end_customer, &dispatch_.model}) {
      if (!IsScopeText(*text)) {
        return Fail(Code::kInvalidArgument, "an attribute of the call is no plain text");
      }
    }
    for (const std::string& tag : tag_scopes_) {
      if (!IsScopeText(tag))
        return Fail(Code::kInvalidArgument, "a tag of the call is no plain text");
    }
    return {};
  }

  bool FindCandidates() {
    candidates_ = CandidatesFor(g_.settings_.upstreams, dialect_, facts_.model, g_.random_);
    return !candidates_.empty();
  }

  std::variant<Attempt, Reply> Next(Outcome before) override {
    std::variant<Attempt, Reply> next = NextAttempt(before);
    if (const Reply* reply = std::get_if<Reply>(&next)) refused_ = reply->status;
    return next;
  }

  std::variant<Attempt, Reply> NextAttempt(Outcome before) {
    ConcludeAttempt(before);
    if (before == Outcome::kNotRecorded) {
      return Refusal(RefusalKind::kUnavailable, "the call can't be recorded, so it may not leave");
    }
    if (attempts_ >= kAttemptsMax) return GiveUp(before);
    dispatch_.at = g_.clock_.Now();  // one instant for the prices of the hold and of the charge
    Result<CallBound> bound = NextBound();
    if (!bound) return attempts_ == 0 ? WithoutBound(bound.error()) : GiveUp(before);
    const size_t index = Current();
    ++attempts_;
    const estate::Upstream& upstream = g_.settings_.upstreams[index];
    if (std::optional<Reply> refusal = Admit(upstream, *bound)) return *std::move(refusal);
    Attempt attempt;
    attempt.upstream = index;
    attempt.target = TargetAt(upstream, dialect_, target_, facts_.model);
    attempt.headers = UpstreamHeaders(upstream, g_.settings_.upstream_keys[index]);
    attempt.timeout_us = g_.settings_.attempt_timeout_us;
    Result<std::string_view> body = BodyFor(upstream);
    if (!body) {
      ReleaseHold();
      return Refusal(RefusalKind::kInvalid, body.error().message);
    }
    attempt.body = *body;
    meter_.emplace(AnswerOptions{dialect_, facts_.stream, strips_usage()});
    stream_hold_.reset();
    if (facts_.stream) stream_hold_.emplace(g_.wal_, id_, bound_, covered_);
    return attempt;
  }

  bool Dispatched() override {
    if (!g_.wal_.guard().Dispatched(id_, g_.Now())) return false;  // it is past its deadline
    g_.log_.Add(dispatch_);
    sent_ = true;
    ++g_.counts_.attempts;
    return true;
  }

  HeadVerdict Head(int status, std::span<const HeaderView> headers) override {
    status_ = status;
    if (IsEncoded(headers)) meter_->Ignore();
    const bool may_retry = status == 429 || status >= 500;
    return may_retry && attempts_ < kAttemptsMax && HasNext() ? HeadVerdict::kRetry
                                                              : HeadVerdict::kPass;
  }

  bool KeepsLength() override { return !strips_usage() || meter_->ignores(); }

  BodyVerdict Body(std::string_view piece, std::string* out) override {
    if (status_ / 100 != 2) return BodyVerdict::kPass;
    const BodyVerdict verdict = meter_->Put(piece, out);
    if (!stream_hold_ || meter_->is_final()) return verdict;
    const auto refusal = stream_hold_->Cover(meter_->output_tokens_estimate(), g_.Now());
    if (!refusal) return verdict;
    const std::string why = g_.wal_.guard().Describe(*refusal);
    return meter_->EndStream(piece, verdict, "ended early: " + why, out) ? BodyVerdict::kCut
                                                                         : verdict;
  }

  // Says at the beginning of a stream that it may be ended before its limit.
  std::vector<std::pair<std::string, std::string>> ExtraHeaders() override {
    if (!stream_hold_ || covered_ >= bound_.tokens_output) return {};
    return {{"x-flyball-held-tokens", std::to_string(covered_)}};
  }

  std::string Tail() override { return status_ / 100 == 2 ? meter_->Finish() : std::string(); }

  void Ended(End how) override {
    Conclude(how);
    if (g_.access_ != nullptr) LogAccess(how);
  }

  void Conclude(End how) {
    switch (how) {
      case End::kRefused:
        return;  // Next has seen to it
      case End::kNeverSent:
        ReleaseHold();
        return;
      case End::kComplete:
      case End::kDrained:
        if (how == End::kDrained) (void)Tail();
        SettleAnswer();
        return;
      case End::kCut:
        ++g_.counts_.cut;
        SettleAnswer();
        return;
      case End::kBroken:
      case End::kClientGone:
        SettleAnswer();
        return;
    }
  }

 private:
  void LogAccess(End how) const {
    AccessLine line;
    line.at = g_.clock_.Now();
    line.peer = peer_;
    line.path = target_;
    line.key = key_->id;
    line.dialect = Info(dialect_).name;
    line.model = facts_.model;
    line.stream = facts_.stream;
    line.upstream = dispatch_.upstream;
    line.attempts = attempts_;
    line.call = dispatch_.id;
    line.status = how == End::kRefused ? refused_ : status_;
    line.ended = EndName(how);
    line.us = g_.clock_.MonotonicUs() - began_us_;
    g_.access_->Add(line);
  }

  bool strips_usage() const {
    return dialect_ == Dialect::kOpenAiChat && facts_.stream && !facts_.asks_usage;
  }

  Reply Refusal(RefusalKind kind, std::string_view why, int status = 0) const {
    return ErrorReply(Info(dialect_).is_anthropic, kind, why, status);
  }

  Reply GiveUp(Outcome before) const {
    if (before == Outcome::kTimedOut) {
      return Refusal(RefusalKind::kTimedOut, "no upstream answered within the time");
    }
    return Refusal(RefusalKind::kUpstreamFailed, "no upstream could be reached");
  }

  Result<CallBound> BoundAt(const estate::Upstream& upstream) const {
    if (is_free()) return CallBound{{}, "USD"};
    const int64_t output = Info(dialect_).output_limit.empty()
                               ? 0
                               : facts_.output_max.value_or(g_.settings_.output_limit);
    return BoundOf(dialect_, facts_, output, upstream, *book_, dispatch_.at, missing_);
  }

  static bool LacksPrice(const Error& error) {
    return error.code == Code::kNotFound || error.code == Code::kFailedPrecondition;
  }

  // Goes to the next candidate whose price is known; another one may know what the first does not.
  // Where none knows any, the policy holds for all of them.
  Result<CallBound> NextBound() {
    Result<CallBound> bound = NextPriced();
    const bool declares = g_.settings_.missing_price != rates::MissingPrice::kDeny;
    if (bound || attempts_ > 0 || !declares || bound.error().code != Code::kNotFound) return bound;
    missing_ = g_.settings_.missing_price;
    next_candidate_ = 0;
    return NextPriced();
  }

  Result<CallBound> NextPriced() {
    Result<CallBound> bound = Fail(Code::kNotFound, "no upstream is left");
    std::optional<Error> first;
    while (next_candidate_ < candidates_.size()) {
      bound = BoundAt(g_.settings_.upstreams[candidates_[next_candidate_++]]);
      if (bound || !LacksPrice(bound.error())) return bound;
      if (!first) first = bound.error();
    }
    if (first) return Fail(*std::move(first));
    return bound;
  }

  bool HasNext() const {
    return std::any_of(
        candidates_.begin() + static_cast<ptrdiff_t>(next_candidate_), candidates_.end(),
        [this](size_t index) { return BoundAt(g_.settings_.upstreams[index]).has_value(); });
  }

  Reply WithoutBound(const Error& error) const {
    ++g_.counts_.refused_other;
    if (!LacksPrice(error)) return Refusal(RefusalKind::kInvalid, error.ToString());
    Reply reply = Refusal(
        RefusalKind::kUnavailable,
        fmt::format("no upstream that serves '{0}' has a price for it, so it can't be held against "
                    "budgets: {1}. `flyball prices show {0}` says what is known, `flyball prices "
                    "import FILE` brings prices",
                    facts_.model, error.message));
    // Vendors' libraries try a 503 again by themselves, and this one will not go away by that.
    reply.headers.emplace_back("x-should-retry", "false");
    return reply;
  }

  // Takes the hold of an attempt; what the client gets when there is none to be had.
  std::optional<Reply> Admit(const estate::Upstream& upstream, const CallBound& bound) {
    const guard::Moment now = g_.Now();
    id_ = g_.wal_.NextCallId();
    dispatch_.id = id_.value();
    dispatch_.attempt = attempts_;
    dispatch_.upstream = upstream.name;
    dispatch_.provider = upstream.provider.empty() ? upstream.name : upstream.provider;
    provider_scope_ = rates::CanonicalProvider(dispatch_.provider);
    dispatch_.region = upstream.region;
    dispatch_.currency = bound.currency;
    dispatch_.tiers = rates::TierNames(bound.tiers);
    dispatch_.anywhere = bound.anywhere;
    dispatch_.bound = Money::FromUnits(bound.hold.fixed.units() + bound.hold.output.units());
    std::vector<hold::Attribute> attributes = AttributesOf();
    guard::Call call;
    call.id = id_;
    call.attributes = attributes;
    call.bound = bound.hold;
    call.currency = dispatch_.currency;
    call.deadline_us = now.mono_us + g_.settings_.call_max_us;
    const guard::Admission admission = g_.wal_.Admit(call, now);
    if (admission.verdict == guard::Verdict::kAdmitted) {
      bound_ = bound.hold;
      covered_ = admission.output_covered;
      held_ = true;
      sent_ = false;
      status_ = 0;
      return std::nullopt;
    }
    return OverBudget(admission);
  }

  std::vector<hold::Attribute> AttributesOf() const {
    std::vector<hold::Attribute> attributes;
    const auto add = [&](ScopeKind kind, const std::string& value) {
      if (!value.empty()) attributes.push_back({kind, value});
    };
    add(ScopeKind::kKey, dispatch_.key);
    add(ScopeKind::kTeam, dispatch_.team);
    add(ScopeKind::kProject, dispatch_.project);
    add(ScopeKind::kUseCase, dispatch_.use_case);
    // A snapshot is its model too; else a budget of the model would have a way around it.
    add(ScopeKind::kModel, model_scope_);
    add(ScopeKind::kModel, undated_scope_);
    add(ScopeKind::kProvider, provider_scope_);
    add(ScopeKind::kEndCustomer, dispatch_.end_customer);
    for (const std::string& tag : tag_scopes_) add(ScopeKind::kTag, tag);
    return attributes;
  }

  Reply OverBudget(const guard::Admission& admission) {
    if (admission.reason != guard::Reason::kOverLimit &&
        admission.reason != guard::Reason::kFrozen) {
      ++g_.counts_.refused_other;
      if (admission.reason == guard::Reason::kTooMany && admission.account != guard::kNoIndex) {
        g_.TellFull(admission);
      }
      const bool invalid = admission.reason == guard::Reason::kInvalid;
      return Refusal(
          invalid ? RefusalKind::kInvalid : RefusalKind::kUnavailable,
          fmt::format("the call can't be held: {}", g_.wal_.guard().Describe(admission)));
    }
    ++g_.counts_.refused_budget;
    Reply reply = Refusal(RefusalKind::kOverBudget, g_.wal_.guard().Describe(admission));
    if (admission.reason == guard::Reason::kOverLimit) {
      reply.headers.emplace_back("x-flyball-resets-at", FormatInstant(admission.resets_at));
      const int64_t wait_us = admission.resets_at.us - g_.clock_.Now().us;
      if (wait_us > 0) {
        reply.headers.emplace_back("retry-after", std::to_string(wait_us / kMicrosPerSecond + 1));
      }
    }
    return reply;
  }

  static std::vector<std::pair<std::string, std::string>> UpstreamHeaders(
      const estate::Upstream& upstream, const std::string& secret) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!secret.empty()) {
      switch (upstream.api) {
        case estate::UpstreamApi::kAnthropic:
          headers.emplace_back("x-api-key", secret);
          break;
        case estate::UpstreamApi::kAzureOpenAi:
          headers.emplace_back("api-key", secret);
          break;
        default:
          headers.emplace_back("Authorization", "Bearer " + secret);
          break;
      }
    }
    // Instead of what the client would take: the usage has to be read on the way.
    headers.emplace_back("Accept-Encoding", "identity");
    return headers;
  }

  // The client's body, with a limit of the output where it states none that the upstream knows, and
  // asking for the usage of a stream.
  Result<std::string_view> BodyFor(const estate::Upstream& upstream) {
    // Own servers may know the limit of chat by its older name alone.
    const bool older =
        upstream.api == estate::UpstreamApi::kOpenAiCompatible && dialect_ == Dialect::kOpenAiChat;
    const std::string_view limit_name = older ? "max_tokens" : Info(dialect_).output_limit;
    const bool limited = older ? facts_.states_max_tokens : facts_.output_max.has_value();
    const bool limits = !limit_name.empty() && !limited;
    if (!limits && !strips_usage()) return body_;
    std::string edited(body_);
    if (limits) {
      const int64_t limit = facts_.output_max.value_or(g_.settings_.output_limit);
      edited = FB_TRY(WithMember(edited, limit_name, std::to_string(limit)));
    }
    if (strips_usage()) edited = FB_TRY(WithIncludeUsage(edited));
    edited_ = std::move(edited);
    return std::string_view(edited_);
  }

  bool is_free() const { return dialect_ == Dialect::kAnthropicCountTokens; }

  void ConcludeAttempt(Outcome before) {
    if (!held_) return;
    switch (before) {
      case Outcome::kNone:
        return;
      case Outcome::kNotConnected:
      case Outcome::kNotRecorded:
        return ReleaseHold();
      case Outcome::kBroken:
      case Outcome::kTimedOut:
      case Outcome::kRetryableHead:
        return SettleAnswer();
    }
  }

  void ReleaseHold() {
    if (!std::exchange(held_, false)) return;
    ++g_.counts_.not_sent;
    if (std::exchange(sent_, false)) {
      --g_.counts_.attempts;
      g_.log_.Withdraw(id_.value());
    }
    (void)g_.wal_.guard().Release(id_, g_.Now());
  }

  void SettleAnswer() {
    if (!sent_) return ReleaseHold();
    if (!std::exchange(held_, false)) return;
    metered::End end;
    end.id = id_.value();
    end.at = g_.clock_.Now();
    end.status = status_;
    end.basis = metered::Basis::kBound;
    end.cost = dispatch_.bound;
    hold::Cost cost;
    int64_t tokens_output = -1;
    if (status_ / 100 == 2 && meter_) {  // what a vendor's bill will name it by, however it ends
      end.answer_id = meter_->answer_id();
      end.model = meter_->model();
    }
    if (is_free() || status_ / 100 == 4) {
      end.basis = metered::Basis::kRefused;
      end.cost = {};
    } else if (status_ / 100 == 2 && meter_ && meter_->is_final()) {
      Result<Settlement> settled =
          SettlementOf(dialect_, *meter_, facts_, g_.settings_.upstreams[Current()], *book_,
                       dispatch_.at, missing_);
      if (settled && settled->currency == dispatch_.currency) {
        end.basis = settled->declared ? metered::Basis::kDeclared : metered::Basis::kExact;
        end.cost = settled->cost;
        end.tier = settled->tier;
        end.region = settled->region;
        end.lines = std::move(settled->lines);
        cost = {settled->cost, settled->tokens};
        tokens_output = settled->tokens_output;
      } else {
        log::Warn("a usage can't be priced; the call counts at its bound",
                  {{"model", facts_.model},
                   {"why", settled ? "another currency" : settled.error().ToString()}});
      }
    }
    if (end.basis == metered::Basis::kBound && status_ / 100 == 2 && meter_) {
      ServedAt at = ServedAtOf(dialect_, *meter_);
      end.tier = std::move(at.tier);
      end.region = std::move(at.region);
    }
    Write(end, cost, tokens_output);
  }

  void Write(const metered::End& end, const hold::Cost& cost, int64_t tokens_output) {
    g_.log_.Add(end, dispatch_.at);
    guard::Guard& guard = g_.wal_.guard();
    if (end.basis == metered::Basis::kBound) {
      ++g_.counts_.at_bound;
      (void)guard.SettleUnknown(id_, g_.Now());
    } else {
      ++(metered::IsSettled(end.basis) ? g_.counts_.exact : g_.counts_.vendor_refused);
      const Result<bool> fault = guard.Settle(id_, cost, tokens_output, g_.Now());
      if (fault && *fault) {
        ++g_.counts_.faults;
        log::Warn("a vendor has charged more than a call's bound",
                  {{"model", facts_.model}, {"upstream", dispatch_.upstream}});
      }
    }
  }

  size_t Current() const { return candidates_[next_candidate_ - 1]; }

  GovernedGateway& g_;
  std::shared_ptr<const rates::PriceBook> book_;
  Dialect dialect_;
  CallFacts facts_;
  std::shared_ptr<const VirtualKey> key_;
  std::string_view target_, peer_;
  int64_t began_us_;
  std::string_view body_;
  int refused_ = 0;  // the status of our own answer
  std::string edited_;
  std::vector<std::string> tag_scopes_;
  std::string model_scope_, undated_scope_;
  std::string provider_scope_;  // in the spelling of budgets, which the ledger's charges share
  rates::MissingPrice missing_ = rates::MissingPrice::kDeny;
  std::vector<size_t> candidates_;
  size_t next_candidate_ = 0;
  int attempts_ = 0;
  hold::CallId id_;
  metered::Dispatch dispatch_;
  std::optional<AnswerMeter> meter_;
  hold::Bound bound_;
  int64_t covered_ = 0;
  std::optional<StreamHold> stream_hold_;
  bool held_ = false;
  bool sent_ = false;
  int status_ = 0;
};

Result<std::unique_ptr<Call>> GovernedGateway::MakeCall(Dialect dialect, const RequestView& request,
                                                        CallFacts facts,
                                                        std::shared_ptr<const VirtualKey> key) {
  auto call = std::make_unique<Governed>(*this, dialect, request, std::move(facts), std::move(key));
  FB_CHECK(call->ReadAttributes(request.headers));
  if (!call->FindCandidates()) return Fail(Code::kNotFound, "no upstream serves this model");
  return call;
}

}  // namespace flyball::gateway
