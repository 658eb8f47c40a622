#include "gateway/external.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/money.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> Wrong() {
  return Fail(Code::kInvalidArgument, "this is no word of the ledger on a budget",
              R"(such as {"budget","commit","values":[{"value","sums":[[at,amount,currency]]}]})");
}

bool HasTexts(const Json& json, size_t count) {
  if (!json.is_array() || json.size() != count) return false;
  return std::all_of(json.begin(), json.end(), [](const Json& part) { return part.is_string(); });
}

Result<External::Sum> ReadSum(const Json& json) {
  if (!HasTexts(json, 3)) return Wrong();
  External::Sum sum;
  sum.at = FB_TRY(ParseUserInstant(json[0].get<std::string>()));
  const ParsedDecimal amount = FB_TRY(ParseDecimal(json[1].get<std::string>(), 0));
  if (!amount.exact) return Wrong();
  sum.amount = amount.units;
  sum.currency = json[2].get<std::string>();
  return sum;
}

// Accounts of a "*" budget in which the ledger had something, and has no more.
std::vector<std::string> Gone(const External& external, const guard::Guard& guard) {
  std::set<std::string_view> said;
  for (const External::Value& value : external.values) said.insert(value.value);
  std::vector<std::string> gone;
  const guard::Books& books = guard.books();
  for (uint32_t id = 0; id < books.size(); ++id) {
    if (!books.Has(id) || books.at(id).template_of == guard::kNoIndex) continue;
    const guard::Account& account = books.at(id);
    if (account.now.external == 0 || said.contains(account.spec.scope.value)) continue;
    if (books.at(account.template_of).spec.name == external.budget) {
      gone.push_back(account.spec.scope.value);
    }
  }
  return gone;
}

}  // namespace

std::string ExternalJson(const External& external) {
  Json values = Json::array();
  for (const External::Value& value : external.values) {
    Json sums = Json::array();
    for (const External::Sum& sum : value.sums) {
      sums.push_back({FormatInstant(sum.at),
                      budget::FormatAmount(budget::Measure::kTokens, sum.amount), sum.currency});
    }
    values.push_back({{"value", value.value}, {"sums", std::move(sums)}});
  }
  return Json{{"budget", external.budget}, {"commit", external.commit}, {"values", values}}.dump();
}

Result<External> ReadExternal(std::string_view text) {
  if (text.size() > kExternalMaxBytes) {
    return Fail(Code::kInvalidArgument, "the request is longer than 8 MiB");
  }
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("budget") || !json["budget"].is_string()) return Wrong();
  if (!json.contains("commit") || !json["commit"].is_number_unsigned()) return Wrong();
  if (!json.contains("values") || !json["values"].is_array()) return Wrong();
  External external;
  external.budget = json["budget"].get<std::string>();
  external.commit = json["commit"].get<uint64_t>();
  for (const Json& part : json["values"]) {
    if (!part.is_object() || !part.contains("value") || !part["value"].is_string()) return Wrong();
    if (!part.contains("sums") || !part["sums"].is_array()) return Wrong();
    External::Value value{part["value"].get<std::string>(), {}};
    for (const Json& sum : part["sums"]) value.sums.push_back(FB_TRY(ReadSum(sum)));
    external.values.push_back(std::move(value));
  }
  return external;
}

Status CountExternal(const External& external, guard::Wal& wal, guard::Moment now) {
  (void)wal.guard().Statuses(now);  // every account counts in the window of now
  std::vector<External::Value> left = external.values;
  for (std::string& value : Gone(external, wal.guard())) left.push_back({std::move(value), {}});
  Status first;
  // Values that are new get their accounts in the first round, all with one word to the disk.
  for (int round = 0; round < 2 && !left.empty(); ++round) {
    std::vector<External::Value> later;
    for (External::Value& value : left) {
      std::vector<guard::ExternalSum> sums;
      for (const External::Sum& sum : value.sums)
        sums.push_back({sum.at, sum.amount, sum.currency});
      const Result<bool> counted =
          wal.guard().SetExternal(external.budget, value.value, sums, external.commit, now);
      if (!counted && first) first = std::unexpected(counted.error());
      if (counted && !*counted) later.push_back(std::move(value));
    }
    left = std::move(later);
    FB_CHECK(wal.Commit());
  }
  return first;
}

}  // namespace flyball::gateway
