#include "reconcile/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace flyball::reconcile {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kFormat = 1;

std::string PathOf(const std::string& home, const std::string& month) {
  return os::JoinPath(StatementFolder(home), month + ".json");
}

struct Member {
  const char* name;
  std::string InvoiceLine::* text;
};
constexpr Member kMembers[] = {
    {"place", &InvoiceLine::place},     {"issuer", &InvoiceLine::issuer},
    {"invoice", &InvoiceLine::invoice}, {"currency", &InvoiceLine::currency},
    {"account", &InvoiceLine::account}, {"category", &InvoiceLine::category},
    {"service", &InvoiceLine::service}, {"description", &InvoiceLine::description},
};

Json LineJson(const InvoiceLine& line) {
  Json json;
  for (const Member& member : kMembers) {
    if (!(line.*member.text).empty()) json[member.name] = line.*member.text;
  }
  json["amount"] = line.amount.ToString();
  return json;
}

Result<InvoiceLine> LineOf(const Json& json) {
  InvoiceLine line;
  for (const Member& member : kMembers) line.*member.text = json.value(member.name, "");
  line.amount = FB_TRY(Money::Parse(json.value("amount", "")));
  return line;
}

std::unexpected<Error> Damaged(const std::string& path) {
  return Fail(Code::kDataLoss, "'" + path + "' cannot be read",
              "move it away, and give the month's invoices again");
}

// Throws what the library throws, which the caller makes an error of.
Result<Statement> Decode(const Json& json) {
  Statement statement;
  for (const Json& line : json.at("lines")) statement.lines.push_back(FB_TRY(LineOf(line)));
  for (const auto& [issuer, status] : json.at("status").items()) {
    statement.status[issuer] = status.get<std::string>();
  }
  for (const auto& [key, since] : json.at("seen").items()) {
    statement.seen[key] = FB_TRY(ParseUserInstant(since.get<std::string>()));
  }
  return statement;
}

bool SameInvoice(const InvoiceLine& a, const InvoiceLine& b) {
  return ToLower(a.issuer) == ToLower(b.issuer) && a.currency == b.currency &&
         (a.invoice == b.invoice || a.invoice.empty() || b.invoice.empty());
}

}  // namespace

std::string StatementFolder(const std::string& home) { return os::JoinPath(home, "invoices"); }

std::string StatementLock(const std::string& home) {
  return os::JoinPath(StatementFolder(home), "LOCK");
}

Result<Statement> ReadStatement(os::Files& files, const std::string& home,
                                const std::string& month) {
  const std::string path = PathOf(home, month);
  if (!files.Exists(path)) return Statement{};
  const std::string text = FB_TRY(files.ReadAll(path));
  try {
    const Json json = Json::parse(text);
    if (json.at("format").get<int>() != kFormat) {
      return Fail(Code::kFailedPrecondition, "'" + path + "' was written by another version",
                  "use the version of Flyball that wrote it");
    }
    Result<Statement> statement = Decode(json);
    if (!statement) return Damaged(path);
    return statement;
  } catch (const nlohmann::json::exception&) {
    return Damaged(path);
  }
}

Status WriteStatement(os::Files& files, const std::string& home, const std::string& month,
                      const Statement& statement) {
  Json json{{"format", kFormat},
            {"lines", Json::array()},
            {"status", Json::object()},
            {"seen", Json::object()}};
  for (const InvoiceLine& line : statement.lines) json["lines"].push_back(LineJson(line));
  for (const auto& [issuer, status] : statement.status) json["status"][issuer] = status;
  for (const auto& [key, since] : statement.seen) json["seen"][key] = FormatInstant(since);
  const std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  return os::AtomicWrite(files, PathOf(home, month), text);
}

void TakeLines(std::vector<InvoiceLine> lines, Statement* statement) {
  std::erase_if(statement->lines, [&](const InvoiceLine& old) {
    return std::ranges::any_of(lines,
                               [&](const InvoiceLine& line) { return SameInvoice(old, line); });
  });
  std::ranges::move(lines, std::back_inserter(statement->lines));
}

size_t ForgetLines(const std::string& issuer, Statement* statement) {
  return std::erase_if(statement->lines, [&](const InvoiceLine& line) {
    return ToLower(line.issuer) == ToLower(issuer);
  });
}

Status TakeBillingPeriods(std::span<const std::string> columns, std::span<const Cells> rows,
                          const std::string& name, Instant period, Statement* statement) {
  const auto column = [&](std::string_view wanted) {
    return std::ranges::find(columns, wanted) - columns.begin();
  };
  const auto start = column("BillingPeriodStart"), status = column("BillingPeriodStatus"),
             issuer = column("InvoiceIssuerName");
  const auto count = static_cast<std::ptrdiff_t>(columns.size());
  if (start == count || status == count || issuer == count) {
    return Fail(Code::kInvalidArgument,
                "'" + name + "' lacks BillingPeriodStart, BillingPeriodStatus or InvoiceIssuerName",
                "give a FOCUS BillingPeriod file");
  }
  bool any = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto text = [&](std::ptrdiff_t at) {
      return rows[i][static_cast<size_t>(at)].value_or("");
    };
    ParsedInstant at;
    if (!ParseInstant(text(start), &at)) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("row {} of {}: BillingPeriodStart '{}' is no date", i + 1, name,
                              text(start)));
    }
    if (FloorMonth(at.instant) != period) continue;
    statement->status[text(issuer)] = text(status);
    any = true;
  }
  if (any) return {};
  return Fail(Code::kInvalidArgument,
              fmt::format("'{}' has no row of {}", name, FormatDate(period).substr(0, 7)));
}

std::string StepKey(const Ladder& ladder, const Step& step) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}", ToLower(ladder.issuer), ladder.invoice,
                     ladder.currency, step.account, step.category, step.service,
                     step.amount.ToString());
}

void NoteSteps(const Ladders& ladders, Instant now, Statement* statement) {
  std::map<std::string, Instant> seen;
  for (const Ladder& ladder : ladders.invoices) {
    for (const Step& step : ladder.steps) {
      const std::string key = StepKey(ladder, step);
      const auto known = statement->seen.find(key);
      seen.emplace(key, known == statement->seen.end() ? now : known->second);
    }
  }
  statement->seen = std::move(seen);
}

}  // namespace flyball::reconcile
