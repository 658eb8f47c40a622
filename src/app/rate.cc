// flyball rate: what a call costs, line by line. Needs no home.
#include "rates/rate.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/price_sources.h"
#include "app/table.h"
#include "rates/usage_dialect.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

struct Answer {
  rates::Rated rated;                                        // of the model that was called
  std::vector<std::pair<std::string, rates::Rated>> others;  // of those that it fell back from
  Money total;
};

// One more byte than allowed is enough to be refused.
std::string ReadStandardInput() {
  std::string text(rates::kUsageJsonBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stdin));
  return text;
}

Result<rates::Rated> RateOne(const rates::PriceBook& book, const rates::PriceQuery& query,
                             const Usage& usage, const rates::RateOptions& options) {
  Result<rates::Rated> rated = rates::Rate(book, query, usage, options);
  if (rated || rated.error().code != Code::kNotFound) return rated;
  if (!book.All(query.provider, query.model).empty()) return rated;
  std::string others;
  for (const auto& [layer, model] : book.All("", query.model)) {
    if (others.find(model->provider) == std::string::npos) {
      others += (others.empty() ? "" : ", ") + model->provider;
    }
  }
  const std::string_view nearest = book.Nearest(query.model);
  if (!others.empty()) {
    rated.error().hint = "it is known of " + others;
  } else if (!nearest.empty() && nearest != query.model) {
    rated.error().hint = fmt::format("did you mean '{}'?", nearest);
  }
  return rated;
}

// What the options and the usage say, together.
struct Call {
  rates::MeteredUsage used;
  rates::RateOptions options;
  Instant at;
  std::string region;
};

Result<Call> ReadCall(const Environment& environment, const RateArgs& args) {
  Call call;
  const rates::Dialect dialect = FB_TRY(rates::ParseDialect(args.dialect));
  const std::string json = args.usage == "-" ? ReadStandardInput() : args.usage;
  call.used = FB_TRY(rates::ReadUsage(dialect, json, args.model));
  call.options.tier = args.tier.empty() ? call.used.tier.value_or(rates::ServiceTier::kStandard)
                                        : FB_TRY(rates::ParseTier(args.tier));
  call.options.missing = FB_TRY(rates::ParseMissingPrice(args.missing));
  call.at = args.at.empty() ? environment.clock.Now() : FB_TRY(ParseUserInstant(args.at));
  call.region = args.region.empty() ? call.used.region : args.region;
  return call;
}

Result<Answer> RateCall(const rates::PriceBook& book, const RateArgs& args, const Call& call) {
  Answer answer;
  const auto rate = [&](std::string_view model, const Usage& usage) {
    return RateOne(book, {args.provider, model, call.at, call.region}, usage, call.options);
  };
  answer.rated = FB_TRY(rate(args.model, call.used.usage));
  answer.total = answer.rated.total;
  for (const rates::ModelUsage& other : call.used.others) {
    rates::Rated rated = FB_TRY(rate(other.model, other.usage));
    if (rated.currency != answer.rated.currency) {
      return Fail(Code::kFailedPrecondition,
                  fmt::format("'{}' is priced in {} and '{}' in {}", args.model,
                              answer.rated.currency, other.model, rated.currency));
    }
    answer.total = FB_TRY(answer.total.Plus(rated.total));
    answer.others.emplace_back(other.model, std::move(rated));
  }
  return answer;
}

// Why a line has a price that is not its own, in words; empty when it is its own.
std::string LineNote(const rates::RateLine& line) {
  std::string note(rates::PriceReasonText(line.unit_price.reason));
  if (line.unit_price.priced_as == line.meter) return note;
  return fmt::format("{}{}priced as {}", note, note.empty() ? "" : ": ",
                     Info(line.unit_price.priced_as).name);
}

Json LineJson(const rates::RateLine& line) {
  const BucketInfo& info = Info(line.meter);
  Json json{{"meter", info.name},
            {"quantity", line.quantity},
            {"unit_price", line.unit_price.price.ToString()},
            {"cost", line.cost.ToString()}};
  if (info.per != 1) json["per"] = info.per;
  if (line.unit_price.priced_as != line.meter) {
    json["priced_as"] = Info(line.unit_price.priced_as).name;
  }
  const std::string_view reason = rates::PriceReasonText(line.unit_price.reason);
  if (!reason.empty()) json["note"] = reason;
  return json;
}

Json SourceJson(const rates::Rated& rated) {
  if (rated.hit.layer == nullptr) return nullptr;
  const rates::PriceSource& source = rated.hit.source();
  Json json{{"provider", rated.hit.model->provider},
            {"model", rated.hit.model->model},
            {"list", rated.hit.layer->name},
            {"source", source.url}};
  if (source.checked != rates::kAlways) json["checked"] = FormatDate(source.checked);
  if (rated.hit.contract != nullptr) json["contract"] = rated.hit.contract->contract;
  return json;
}

Json AnswerJson(const Answer& answer) {
  Json lines = Json::array();
  for (const rates::RateLine& line : answer.rated.lines) lines.push_back(LineJson(line));
  for (const auto& [model, rated] : answer.others) {
    for (const rates::RateLine& line : rated.lines) {
      lines.push_back(LineJson(line));
      lines.back()["model"] = model;
    }
  }
  return Json{{"total", answer.total.ToString()},
              {"currency", answer.rated.currency},
              {"lines", lines},
              {"price", SourceJson(answer.rated)}};
}

void AddRows(const rates::Rated& rated, std::string_view model, Table& table) {
  for (const rates::RateLine& line : rated.lines) {
    const BucketInfo& info = Info(line.meter);
    table.rows.push_back({std::string(model), std::string(info.name), std::to_string(line.quantity),
                          line.unit_price.price.ToString(), std::string(info.price_unit),
                          line.cost.ToString(), LineNote(line)});
  }
}

Table AnswerTable(const RateArgs& args, const Answer& answer) {
  Table table{{"model", "meter", "quantity", "unit_price", "per", "cost", "note"}, {}};
  AddRows(answer.rated, args.model, table);
  for (const auto& [model, rated] : answer.others) AddRows(rated, model, table);
  table.rows.push_back(
      {"total", "", "", "", "", answer.total.ToString() + " " + answer.rated.currency, ""});
  return DropEmptyColumns(table);
}

}  // namespace

int RunRate(const Environment& environment, const RateArgs& args) {
  const Result<Call> call = ReadCall(environment, args);
  if (!call) return Report(environment, call.error());
  const Result<rates::PriceBook> book = OpenPrices(environment, args.prices);
  if (!book) return Report(environment, book.error());
  const Result<Answer> answer = RateCall(*book, args, *call);
  if (!answer) return Report(environment, answer.error());
  if (environment.json()) {
    Print(AnswerJson(*answer).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (environment.format == "csv") {
    Print(CsvText(AnswerTable(args, *answer)));
  } else {
    Print(TableText(AnswerTable(args, *answer)));
  }
  return kExitDone;
}

}  // namespace flyball::app
