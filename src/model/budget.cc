#include "model/budget.h"

#include <array>

#include "base/text.h"

namespace flyball::budget {
namespace {

constexpr std::array<std::string_view, kScopeKindCount> kKindNames = {
    "organisation", "team",     "project",      "use_case", "key",
    "model",        "provider", "end_customer", "tag"};
constexpr std::array<std::string_view, 7> kUnitNames = {"minute", "hour",    "day", "week",
                                                        "month",  "quarter", "year"};

std::unexpected<Error> FailScope(std::string_view text) {
  return Fail(Code::kInvalidArgument,
              "'" + std::string(text.substr(0, 64)) + "' is no scope of a budget",
              "write organisation, team=NAME, project=, use_case=, key=, model=, provider=, "
              "end_customer= or tag:NAME=VALUE; =* gives each value a budget of its own");
}

std::unexpected<Error> FailWindow(std::string_view text) {
  return Fail(Code::kInvalidArgument,
              "'" + std::string(text.substr(0, 64)) + "' is no window of a budget",
              "write minute, hour, day, week, month, quarter or year, or 'rolling 24 hours'");
}

bool ParseUnit(std::string_view text, Unit* out) {
  for (size_t i = 0; i < kUnitNames.size(); ++i) {
    if (text == kUnitNames[i] ||
        (text.ends_with('s') && text.substr(0, text.size() - 1) == kUnitNames[i])) {
      *out = static_cast<Unit>(i);
      return true;
    }
  }
  return false;
}

bool IsScopeValue(std::string_view value) {
  if (value.empty() || value.size() > kScopeValueMaxBytes ||
      ValidUtf8Prefix(value) != value.size()) {
    return false;
  }
  for (char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace

Result<Scope> ParseScope(std::string_view text) {
  if (text == kKindNames[0]) return Scope{};
  if (text.starts_with("tag:")) {
    std::string_view value = text.substr(4);
    size_t equals = value.find('=');
    if (equals == 0 || equals == std::string_view::npos || !IsScopeValue(value)) {
      return FailScope(text);
    }
    return Scope{ScopeKind::kTag, std::string(value)};
  }
  size_t equals = text.find('=');
  if (equals == std::string_view::npos) return FailScope(text);
  for (size_t i = 1; i + 1 < kScopeKindCount; ++i) {
    if (text.substr(0, equals) != kKindNames[i]) continue;
    std::string_view value = text.substr(equals + 1);
    if (!IsScopeValue(value)) return FailScope(text);
    return Scope{static_cast<ScopeKind>(i), std::string(value)};
  }
  return FailScope(text);
}

std::optional<std::string> LedgerDimension(const Scope& scope) {
  switch (scope.kind) {
    case ScopeKind::kOrganisation:
      return "";
    case ScopeKind::kTeam:
      return "team";
    case ScopeKind::kProject:
      return "project";
    case ScopeKind::kUseCase:
      return "use_case";
    case ScopeKind::kModel:
      return "model";
    case ScopeKind::kProvider:
      return "provider";
    case ScopeKind::kTag:
      return "tag:" + scope.value.substr(0, scope.value.find('='));
    case ScopeKind::kKey:
    case ScopeKind::kEndCustomer:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string FormatScope(const Scope& scope) {
  std::string text(kKindNames[static_cast<size_t>(scope.kind)]);
  if (scope.kind == ScopeKind::kOrganisation) return text;
  text += scope.kind == ScopeKind::kTag ? ':' : '=';
  return text + scope.value;
}

Result<Window> ParseWindow(std::string_view text, std::string_view zone) {
  Window window;
  window.zone = zone;
  if (text.starts_with("rolling ")) {
    std::string_view rest = text.substr(8);
    window.rolling = true;
    size_t digits = 0;
    int count = 0;
    for (; digits < rest.size() && digits < 4 && rest[digits] >= '0' && rest[digits] <= '9';
         ++digits) {
      count = count * 10 + (rest[digits] - '0');
    }
    if (digits > 0) {
      window.count = count;
      rest = rest.substr(digits);
      if (!rest.starts_with(' ')) return FailWindow(text);
      rest = rest.substr(1);
    }
    if (window.count < 1 || window.count > kRollingCountMax || !ParseUnit(rest, &window.unit)) {
      return FailWindow(text);
    }
    return window;
  }
  if (!ParseUnit(text, &window.unit)) return FailWindow(text);
  return window;
}

std::string FormatWindow(const Window& window) {
  std::string unit(kUnitNames[static_cast<size_t>(window.unit)]);
  if (!window.rolling) return unit;
  if (window.count == 1) return "rolling " + unit;
  return "rolling " + std::to_string(window.count) + " " + unit + "s";
}

std::string DefaultName(const Budget& budget) {
  std::string name = FormatScope(budget.scope) + " per " + FormatWindow(budget.window);
  if (budget.measure == Measure::kTokens) name += ", tokens";
  return name;
}

Status Validate(const Budget& budget) {
  auto fail = [&budget](std::string what) {
    return Fail(Code::kInvalidArgument,
                "the budget '" + budget.name.substr(0, 64) + "' " + std::move(what));
  };
  if (!IsScopeValue(budget.name) || budget.name.size() > kNameMaxBytes) {
    return fail("has no usable name");
  }
  FB_CHECK(ParseScope(FormatScope(budget.scope)));
  bool money = budget.measure == Measure::kMoney;
  if (budget.limit < 0) return fail("has a negative limit");
  if (budget.limit > (money ? kLimitMax : kTokenLimitMax)) return fail("has an absurd limit");
  if (money && budget.currency.size() != 3) return fail("names no currency");
  if (budget.window.count < 1 || budget.window.count > kRollingCountMax ||
      (!budget.window.rolling && budget.window.count != 1)) {
    return fail("has no usable window");
  }
  if (budget.warn_percent.size() > kWarnLevelsMax) return fail("has too many warn levels");
  int before = 0;
  for (int percent : budget.warn_percent) {
    if (percent <= before || percent > 1000) {
      return fail("has warn levels that do not ascend from 1 to 1000 percent");
    }
    before = percent;
  }
  if (budget.quantile_overrun_percent < 0 || budget.quantile_overrun_percent > 100) {
    return fail("allows an overrun that is not between 0 and 100 percent");
  }
  return {};
}

std::string_view MeasureName(Measure measure) {
  return measure == Measure::kMoney ? "money" : "tokens";
}

std::string_view ModeName(Mode mode) { return mode == Mode::kStrict ? "strict" : "quantile"; }

std::string FormatAmount(Measure measure, Amount amount) {
  return FormatDecimal(amount, measure == Measure::kMoney ? Money::scale() : 0);
}

}  // namespace flyball::budget
