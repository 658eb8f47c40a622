#include "reconcile/invoice.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace flyball::reconcile {
namespace {

using Json = nlohmann::json;

std::string Text(std::span<const std::string> columns, const Cells& cells, std::string_view name) {
  const auto found = std::ranges::find(columns, name);
  if (found == columns.end()) return {};
  const std::string text = cells[static_cast<size_t>(found - columns.begin())].value_or("");
  return text == "NULL" ? "" : text;
}

std::string Member(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
  return object[key].get<std::string>();
}

bool IsCurrency(std::string_view text) {
  return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

Result<std::vector<InvoiceLine>> ReadInvoiceDetail(std::span<const std::string> columns,
                                                   std::span<const Cells> rows,
                                                   const std::string& name, Instant period) {
  for (std::string_view needed :
       {"BilledCost", "BillingCurrency", "InvoiceId", "InvoiceIssuerName"}) {
    if (std::ranges::find(columns, needed) != columns.end()) continue;
    return Fail(Code::kInvalidArgument, fmt::format("'{}' has no column {}", name, needed),
                "give a FOCUS InvoiceDetail file, or the total: --invoice 'AWS=1234.56 USD'");
  }
  if (std::ranges::find(columns, "ChargePeriodStart") != columns.end()) {
    return Fail(Code::kInvalidArgument, "'" + name + "' is a Cost and Usage file, not an invoice",
                "import it; give the InvoiceDetail file of the same issuer");
  }
  std::vector<InvoiceLine> lines;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto text = [&](std::string_view column) { return Text(columns, rows[i], column); };
    InvoiceLine line;
    line.place = fmt::format("row {} of {}", i + 1, name);
    if (const std::string start = text("BillingPeriodStart"); !start.empty()) {
      ParsedInstant at;
      if (!ParseInstant(start, &at)) {
        return Fail(Code::kInvalidArgument,
                    fmt::format("{}: BillingPeriodStart '{}' is no date", line.place, start));
      }
      if (FloorMonth(at.instant) != period) continue;
    }
    const std::string issued = ToLower(text("InvoiceIssueStatus"));
    if (issued.starts_with("void") || issued.starts_with("cancel")) continue;
    line.issuer = text("InvoiceIssuerName");
    line.invoice = text("InvoiceId");
    line.currency = text("BillingCurrency");
    line.account = text("BillingAccountId");
    line.category = text("ChargeCategory");
    line.description = text("InvoiceDetailDescription");
    const Json grain = Json::parse(text("InvoiceDetailGrain"), nullptr, false);
    line.service = Member(grain, "ServiceName");
    if (line.issuer.empty() || line.invoice.empty()) {
      return Fail(Code::kInvalidArgument, line.place + " has no InvoiceIssuerName or no InvoiceId",
                  "FOCUS wants both in every line; export the invoice again");
    }
    Result<Money> amount = Money::Parse(text("BilledCost"));
    if (!amount || !IsCurrency(line.currency)) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("{}: BilledCost '{}' {} is no amount", line.place, text("BilledCost"),
                              line.currency),
                  "write a plain decimal and a currency of three letters");
    }
    line.amount = *amount;
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<InvoiceLine> ParseInvoiceTotal(std::string_view text) {
  const size_t equals = text.rfind('=');
  const std::string_view whose = Trim(text.substr(0, equals));
  const std::string_view what =
      equals == std::string_view::npos ? std::string_view() : Trim(text.substr(equals + 1));
  const size_t blank = what.rfind(' ');
  InvoiceLine line;
  line.place = "as typed";
  const size_t slash = whose.find('/');
  line.issuer = Trim(whose.substr(0, slash));
  if (slash != std::string_view::npos) line.invoice = Trim(whose.substr(slash + 1));
  Result<Money> amount = Money::Parse(Trim(what.substr(0, blank)));
  if (blank != std::string_view::npos) line.currency = Trim(what.substr(blank + 1));
  if (line.issuer.empty() || !amount || !IsCurrency(line.currency)) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is neither a file nor an invoice's total", text),
                "such as --invoice 'AWS=1234.56 USD' or 'AWS/INV-1=1234.56 USD'");
  }
  line.amount = *amount;
  return line;
}

std::optional<std::string> ParseForgotten(std::string_view text) {
  constexpr std::string_view kNone = "=none";
  if (!text.ends_with(kNone)) return std::nullopt;
  return std::string(Trim(text.substr(0, text.size() - kNone.size())));
}

}  // namespace flyball::reconcile
