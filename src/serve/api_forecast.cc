// Forecasts of the ledger, their accuracy, the outlook of budgets: one at a time on a thread of
// their own, because each may take seconds.
#include <algorithm>
#include <array>
#include <future>

#include "forecast/answers.h"
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

constexpr std::string_view kForecastPath = "/api/v1/forecast";
constexpr unsigned kForecastThreads = 2;

struct Kind {
  std::string_view path;  // behind kForecastPath
  const std::vector<std::string>& (*fields)();
  Result<std::string> (*answer)(const forecast::Fields&, const forecast::Desk&);
};
constexpr std::array<Kind, 4> kKinds{{
    {"", forecast::QuestionFields, forecast::AnswerForecast},
    {"/accuracy", forecast::AccuracyFields, forecast::AnswerAccuracy},
    {"/outlook", forecast::OutlookFields, forecast::AnswerOutlook},
    {"/backtest", forecast::BacktestFields, forecast::AnswerBacktest},
}};

Result<forecast::Fields> FieldsOf(const net::Request& request, const Kind& kind) {
  if (request.method == "POST") {
    if (request.body.size() > kForecastBodyMaxBytes) {
      return Fail(Code::kInvalidArgument, "the question is longer than 64 KiB");
    }
    FB_CHECK(CheckJsonDepth(request.body));
    return forecast::FieldsOfJson(request.body, kind.fields());
  }
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(kind.fields(), name) == kind.fields().end()) {
      return Fail(Code::kInvalidArgument, "a parameter of the question is not known",
                  fmt::format("known: {}", fmt::join(kind.fields(), " ")));
    }
  }
  return request.query;
}

}  // namespace

// The hook is called from the desk's thread alone.
Result<std::string> Api::BudgetsNow() {
  if (!hooks.ask_desk) return Fail(Code::kUnimplemented, "this server keeps no budgets");
  const auto told = std::make_shared<std::promise<Result<std::string>>>();
  desk.Submit([this] { return hooks.ask_desk("GET", "/budgets", ""); },
              [told](Result<std::string> budgets) { told->set_value(std::move(budgets)); });
  return told->get_future().get();
}

Result<std::string> Api::Forecast(const std::string& path, const forecast::Fields& fields) {
  const auto* const kind =
      std::ranges::find(kKinds, path.substr(kForecastPath.size()), &Kind::path);
  const auto rules = FB_TRY(EstateNow());
  const forecast::Desk asked{{AskLedger(), rules->estate().forecast_events, clock.Now(),
                              kForecastThreads, [this] { return stopping.load(); }},
                             *files_,
                             settings.home,
                             [this] { return BudgetsNow(); }};
  return kind->answer(fields, asked);
}

net::Response Api::AskForecast(const Call& call) {
  const std::string& path = call.request.path;
  const auto* const kind =
      std::ranges::find(kKinds, path.substr(kForecastPath.size()), &Kind::path);
  Result<forecast::Fields> fields = FieldsOf(call.request, *kind);
  if (!fields) return ErrorReply(fields.error());
  net::Response response;
  response.later = [this, path,
                    asked = *std::move(fields)](std::function<void(net::Response)> answer) {
    forecasts.Submit([this, path, asked] { return Forecast(path, asked); },
                     [answer](Result<std::string> told) {
                       answer(told ? JsonReply(*std::move(told)) : ErrorReply(told.error()));
                     });
  };
  return response;
}

}  // namespace flyball::serve
