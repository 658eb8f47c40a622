#include "estate/decode_gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace flyball::estate {
namespace {

constexpr std::array<std::string_view, 4> kApis = {"openai", "azure-openai", "anthropic",
                                                   "openai-compatible"};
constexpr std::array<std::string_view, 2> kModes = {"strict", "quantile"};
constexpr std::array<std::string_view, 3> kMissingPrices = {"deny", "ceiling", "free"};
constexpr std::array<std::string_view, 2> kCounts = {"gateway", "ledger"};
constexpr int64_t kWeightMax = 1'000'000;
constexpr int64_t kPriorityMax = 1000;
constexpr int64_t kOutputLimitMax = 100'000'000;
constexpr Money kExchangeRateMax = Money::FromUnits(int128{1'000'000} * 1'000'000'000'000);

Result<int64_t> ReadNumberAt(At map, std::string_view key, std::string_view what, int64_t otherwise,
                             int64_t least, int64_t most) {
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return otherwise;
  return ReadNumber(At{*node, map.file}, what, least, most);
}

// "https://host[:port][/path]"; nothing of it may be a secret, as the estate is kept in commits.
Status CheckBaseUrl(At map, const std::string& url) {
  std::string_view rest = url;
  const bool http = rest.starts_with("http://");
  if (!http && !rest.starts_with("https://")) {
    return Unexpected(At{*map.node.Find("base_url"), map.file}, "an http:// or https:// address");
  }
  rest.remove_prefix(http ? 7 : 8);
  if (rest.empty() || rest.front() == '/' || rest.find_first_of(" ?#\\") != std::string::npos) {
    return Unexpected(At{*map.node.Find("base_url"), map.file},
                      "an address without a query, such as https://api.openai.com");
  }
  if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) {
    return Unexpected(At{*map.node.Find("base_url"), map.file}, "an address without a password",
                      "name the variable of the environment that holds the key in `key_env`");
  }
  return {};
}

Result<std::string> Required(At map, std::string_view key, std::string_view what) {
  std::string text = FB_TRY(ReadTextAt(map, key, what));
  if (text.empty()) return Unexpected(map, fmt::format("{} with `{}`", "an upstream", key));
  return text;
}

Result<Upstream> DecodeUpstream(At map) {
  FB_CHECK(CheckKeys(map, "an upstream",
                     {"name", "dialect", "base_url", "key_env", "models", "weight", "priority",
                      "provider", "region", "ca_file", "api_version"}));
  Upstream upstream;
  upstream.place = map.place();
  upstream.name = FB_TRY(Required(map, "name", "the name of an upstream"));
  if (map.node.Find("dialect") == nullptr) {
    return Unexpected(map, "an upstream with `dialect`",
                      fmt::format("one of {}", fmt::join(kApis, ", ")));
  }
  const std::string api =
      FB_TRY(ReadClosed(At{*map.node.Find("dialect"), map.file}, "dialect of an upstream", kApis));
  upstream.api =
      static_cast<UpstreamApi>(std::find(kApis.begin(), kApis.end(), api) - kApis.begin());
  upstream.base_url = FB_TRY(Required(map, "base_url", "an address"));
  FB_CHECK(CheckBaseUrl(map, upstream.base_url));
  while (upstream.base_url.ends_with('/')) upstream.base_url.pop_back();
  upstream.key_env = FB_TRY(ReadTextAt(map, "key_env", "the name of a variable"));
  upstream.provider = FB_TRY(ReadTextAt(map, "provider", "the provider of the prices"));
  upstream.region = FB_TRY(ReadTextAt(map, "region", "a region of the prices"));
  upstream.ca_file = FB_TRY(ReadTextAt(map, "ca_file", "a file of certificates"));
  upstream.api_version = FB_TRY(ReadTextAt(map, "api_version", "a version of the API"));
  if (const YamlNode* models = map.node.Find("models")) {
    upstream.models = FB_TRY(ReadTexts(At{*models, map.file}, "a model"));
  } else {
    upstream.models = {"*"};
  }
  upstream.weight =
      static_cast<int>(FB_TRY(ReadNumberAt(map, "weight", "a weight", 1, 1, kWeightMax)));
  upstream.priority =
      static_cast<int>(FB_TRY(ReadNumberAt(map, "priority", "a priority", 1, 0, kPriorityMax)));
  return upstream;
}

Result<budget::Amount> ReadTokens(At at) {
  return FB_TRY(
      ReadNumber(at, "a number of tokens", 0, static_cast<int64_t>(budget::kTokenLimitMax)));
}

Status ReadLimit(At map, const std::string& currency, budget::Budget* budget) {
  const bool tokens = map.node.Find("tokens") != nullptr;
  if (tokens == (map.node.Find("amount") != nullptr)) {
    return Unexpected(map, "a budget with either `amount` or `tokens`");
  }
  if (tokens) {
    budget->measure = budget::Measure::kTokens;
    budget->limit = FB_TRY(ReadTokens(At{*map.node.Find("tokens"), map.file}));
    return {};
  }
  budget->limit = FB_TRY(ReadMoneyAt(map, "amount", "an amount"))->units();
  budget->currency = FB_TRY(ReadTextAt(map, "currency", "a currency"));
  if (budget->currency.empty()) budget->currency = currency;
  return {};
}

// An error of a reader that knows no places.
template <typename T>
Result<T> Here(At at, Result<T> result) {
  if (!result) return Fail(std::move(result).error().At(at.place()));
  return result;
}

Result<budget::Budget> DecodeBudget(At map, const std::string& currency) {
  FB_CHECK(CheckKeys(map, "a budget",
                     {"name", "scope", "amount", "tokens", "currency", "window", "zone", "hard",
                      "warn", "mode", "overrun_percent", "counts"}));
  budget::Budget budget;
  const YamlNode* scope = map.node.Find("scope");
  if (scope == nullptr) return Unexpected(map, "a budget with `scope`", "such as team=search");
  const At scope_at{*scope, map.file};
  budget.scope = FB_TRY(Here(scope_at, budget::ParseScope(FB_TRY(ReadText(scope_at, "a scope")))));
  FB_CHECK(ReadLimit(map, currency, &budget));
  std::string zone = FB_TRY(ReadTextAt(map, "zone", "a time zone"));
  if (zone.empty()) zone = "UTC";
  const YamlNode* window = map.node.Find("window");
  const At window_at{window != nullptr ? *window : map.node, map.file};
  const std::string text =
      window != nullptr ? FB_TRY(ReadText(window_at, "a window of time")) : "month";
  budget.window = FB_TRY(Here(window_at, budget::ParseWindow(text, zone)));
  if (const YamlNode* hard = map.node.Find("hard")) {
    budget.hard = FB_TRY(ReadBool(At{*hard, map.file}, "hard"));
  }
  if (const YamlNode* mode = map.node.Find("mode")) {
    const std::string word = FB_TRY(ReadClosed(At{*mode, map.file}, "mode of a budget", kModes));
    budget.mode = word == "quantile" ? budget::Mode::kQuantile : budget::Mode::kStrict;
  }
  budget.quantile_overrun_percent =
      static_cast<int>(FB_TRY(ReadNumberAt(map, "overrun_percent", "a percentage", 5, 0, 100)));
  if (const YamlNode* warn = map.node.Find("warn")) {
    FB_CHECK(ExpectList(At{*warn, map.file}, "a list of percentages"));
    for (const YamlNode& level : warn->items) {
      budget.warn_percent.push_back(
          static_cast<int>(FB_TRY(ReadNumber(At{level, map.file}, "a percentage", 1, 1000))));
    }
  }
  if (const YamlNode* counts = map.node.Find("counts")) {
    budget.counts_ledger =
        FB_TRY(ReadClosed(At{*counts, map.file}, "charges that count", kCounts)) == "ledger";
  }
  budget.name = FB_TRY(ReadTextAt(map, "name", "the name of a budget"));
  if (budget.name.empty()) {
    budget.name = budget::DefaultName(budget);
  }
  if (Status valid = budget::Validate(budget); !valid) {
    return Fail(std::move(valid).error().At(map.place()));
  }
  return budget;
}

Result<std::string> ReadCurrency(At map, std::string_view key) {
  const YamlNode* node = map.node.Find(key);
  if (node == nullptr) return Unexpected(map, "an exchange rate with `from`, `to` and `rate`");
  const At at{*node, map.file};
  std::string text = FB_TRY(ReadText(at, "a currency"));
  const bool iso = text.size() == 3 && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!iso) return Unexpected(at, "a currency of ISO 4217", "write USD, EUR, CNY, ...");
  return text;
}

Result<ExchangeRate> DecodeExchangeRate(At map) {
  FB_CHECK(CheckKeys(map, "an exchange rate", {"from", "to", "rate"}));
  ExchangeRate rate;
  rate.from = FB_TRY(ReadCurrency(map, "from"));
  rate.to = FB_TRY(ReadCurrency(map, "to"));
  if (rate.from == rate.to) return Unexpected(map, "a rate between two currencies");
  const std::optional<Money> worth = FB_TRY(ReadMoneyAt(map, "rate", "units of `to` for one"));
  if (!worth) return Unexpected(map, "an exchange rate with `from`, `to` and `rate`");
  if (worth->units() <= 0 || *worth > kExchangeRateMax) {
    return Unexpected(At{*map.node.Find("rate"), map.file},
                      fmt::format("a rate above 0 and at most {}", kExchangeRateMax.ToString()));
  }
  rate.rate = *worth;
  return rate;
}

}  // namespace

Result<Gateway> DecodeGateway(At map) {
  FB_CHECK(CheckKeys(map, "the gateway",
                     {"listen", "access_log", "output_limit", "missing_price", "upstreams"}));
  Gateway gateway;
  gateway.listen = FB_TRY(ReadTextAt(map, "listen", "ADDRESS:PORT"));
  gateway.access_log = FB_TRY(ReadTextAt(map, "access_log", "a file, or - for standard output"));
  gateway.output_limit =
      FB_TRY(ReadNumberAt(map, "output_limit", "a number of tokens", 0, 1, kOutputLimitMax));
  if (const YamlNode* missing = map.node.Find("missing_price")) {
    gateway.missing_price =
        FB_TRY(ReadClosed(At{*missing, map.file}, "policy of missing prices", kMissingPrices));
  }
  const YamlNode* upstreams = map.node.Find("upstreams");
  if (upstreams == nullptr) return gateway;
  FB_CHECK(ExpectList(At{*upstreams, map.file}, "a list of upstreams"));
  for (const YamlNode& node : upstreams->items) {
    const At at{node, map.file};
    Upstream upstream = FB_TRY(DecodeUpstream(at));
    for (const Upstream& other : gateway.upstreams) {
      if (!EqualsIgnoreCase(other.name, upstream.name)) continue;
      return Fail(Error{Code::kInvalidArgument,
                        fmt::format("'{}' names two upstreams", upstream.name),
                        "give each a name of its own", at.place()});
    }
    gateway.upstreams.push_back(std::move(upstream));
  }
  return gateway;
}

Result<std::vector<budget::Budget>> DecodeBudgets(At list, const std::string& currency) {
  FB_CHECK(ExpectList(list, "a list of budgets"));
  std::vector<budget::Budget> budgets;
  for (const YamlNode& node : list.node.items) {
    const At at{node, list.file};
    budget::Budget budget = FB_TRY(DecodeBudget(at, currency));
    for (const budget::Budget& other : budgets) {
      if (other.name != budget.name) continue;
      return Fail(Error{Code::kInvalidArgument, fmt::format("'{}' names two budgets", budget.name),
                        "give each a `name` of its own", at.place()});
    }
    budgets.push_back(std::move(budget));
  }
  return budgets;
}

Result<std::vector<ExchangeRate>> DecodeExchangeRates(At list) {
  FB_CHECK(ExpectList(list, "a list of exchange rates"));
  std::vector<ExchangeRate> rates;
  for (const YamlNode& node : list.node.items) {
    const At at{node, list.file};
    ExchangeRate rate = FB_TRY(DecodeExchangeRate(at));
    for (const ExchangeRate& other : rates) {
      if (other.from != rate.from || other.to != rate.to) continue;
      return Fail(
          Error{Code::kInvalidArgument,
                fmt::format("the rate from {} to {} is stated a second time", rate.from, rate.to),
                "keep one of them", at.place()});
    }
    rates.push_back(std::move(rate));
  }
  return rates;
}

}  // namespace flyball::estate
