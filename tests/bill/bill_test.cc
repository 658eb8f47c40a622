// A gateway, a vendor with faults, and the vendor's invoice: what `flyball reconcile` says of them,
// and that it brings the ledger to the invoice to the last digit.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "net/http.h"
#include "os/files.h"
#include "os/journal.h"
#include "support/home_test.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::ordered_json;

// The vendor says nothing of usage, breaks off in mid-stream, works and then answers 500; the rest
// goes well.
constexpr char kScript[] = R"({"seed": 3, "models": ["gpt-4o"],
  "default": {"frames": 12, "cached_percent": 25},
  "rules": [{"match": {"model": "gpt-4o"}, "times": 2, "no_usage": true},
            {"match": {"model": "gpt-4o"}, "times": 2, "reset_after_frames": 5},
            {"match": {"model": "gpt-4o"}, "times": 2, "status": 500, "bill_errors": true},
            {"match": {"model": "gpt-4o"}, "times": 1, "status": 500},
            {"match": {"model": "gpt-4o"}, "times": 1, "status": 400}]})";
// Bills are for days that are over, and this one has just begun.
constexpr int64_t kAgeUs = 2 * kMicrosPerDay;

std::string CallBody(const std::string& model, bool stream) {
  return Json{{"model", model},
              {"stream", stream},
              {"max_tokens", 50},
              {"messages", {{{"role", "user"}, {"content", "How fast does the engine run?"}}}}}
      .dump();
}

std::string Text(const Json& json) {
  return json.is_string() ? json.get<std::string>() : json.dump();
}

class Billed : public HomeTest {
 protected:
  Json RunJson(std::vector<std::string> words, int exit_code = 0) {
    words.insert(words.end(), {"--format", "json"});
    const Ended ended = Run(words);
    EXPECT_EQ(ended.exit_code, exit_code) << ended.out << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  static net::ClientResponse Post(int port, const std::string& key, const std::string& body) {
    net::Request request;
    request.method = "POST";
    request.path = "/v1/chat/completions";
    request.headers = {{"content-type", "application/json"}, {"authorization", "Bearer " + key}};
    request.body = body;
    Result<net::ClientResponse> response = net::Fetch("127.0.0.1", port, request, 10'000);
    return response ? *response : net::ClientResponse();
  }
  static std::string Get(int port, const std::string& path) {
    net::Request request;
    request.method = "GET";
    request.path = path;
    return net::Fetch("127.0.0.1", port, request, 10'000).value().body;
  }

  void WriteEstate(int vendor_port) {
    std::filesystem::create_directories(home());
    Put("home/estate.yaml",
        "gateway:\n  upstreams:\n    - { name: mock, dialect: openai, provider: openai, base_url: "
        "\"http://127.0.0.1:" +
            std::to_string(vendor_port) +
            "\", key_env: PATH, models: [\"gpt-*\"] }\n"
            "budgets:\n  - { name: all, scope: organisation, amount: 100, window: rolling 30 days "
            "}\n");
  }

  // Twenty calls through the gateway, one beside it; then both are gone. The invoice.
  std::string Play() {
    Running vendor({"mock-vendor", "--listen", "127.0.0.1:0", "--script", Put("script", kScript)});
    const int vendor_port = vendor.Port();
    WriteEstate(vendor_port);
    const Json key = RunJson({"keys", "create", "--team", "search"});
    Running gateway({"gateway", "--listen", "127.0.0.1:0", "--home", home()});
    const int port = gateway.Port();
    EXPECT_GT(port, 0);
    for (int i = 0; i < 20; ++i) {
      Post(port, key.value("key", ""), CallBody(i % 5 == 4 ? "gpt-4o-mini" : "gpt-4o", i % 2 == 0));
    }
    Post(vendor_port, "none", CallBody("gpt-4o", false));
    EXPECT_EQ(gateway.Stop(), 0);
    const std::string invoice = Get(vendor_port, "/mock/invoice");
    EXPECT_EQ(vendor.Stop(), 0);
    AgeCalls();
    return Put("invoice.json", Aged(invoice));
  }

  static std::string Aged(const std::string& invoice) {
    Json json = Json::parse(invoice);
    for (Json& request : json["requests"]) {
      const Instant at = ParseUserInstant(request["at"].get<std::string>()).value();
      request["at"] = FormatInstant(Instant{at.us - kAgeUs});
    }
    // The call beside the gateway came at another time than those that failed.
    const Instant last = ParseUserInstant(Text(json["requests"].back()["at"])).value();
    const bool late = last.us - FloorDay(last).us > kMicrosPerDay / 2;
    json["requests"].back()["at"] =
        FormatInstant(Instant{last.us + (late ? -2 : 2) * kMicrosPerHour});
    return json.dump();
  }
  void AgeCalls() {
    const auto files = os::MakeRealFiles();
    const std::string calls = home() + "/gateway/calls";
    std::vector<metered::Record> records;
    const std::vector<std::string> names = files->List(calls).value();
    for (const std::string& name : names) {
      // Beside the log lies how far it was read at the last start, which the aged log starts anew.
      if (name.ends_with(".journal")) {
        ASSERT_TRUE(os::Journal::Read(*files, os::JoinPath(calls, name),
                                      [&](uint64_t, std::string_view payload) -> Status {
                                        records.push_back(FB_TRY(metered::Decode(payload)));
                                        return {};
                                      }));
      }
      std::filesystem::remove(os::JoinPath(calls, name));
    }
    std::map<uint64_t, std::string> months;
    for (metered::Record& record : records) {
      metered::Dispatch& dispatch = record.dispatch;
      dispatch.at.us -= kAgeUs;
      record.end.at.us -= kAgeUs;
      if (!record.is_end) months[dispatch.id] = FormatDate(dispatch.at).substr(0, 7);
      const std::string& month = months[record.is_end ? record.end.id : dispatch.id];
      os::Journal journal =
          os::Journal::Open(*files, os::JoinPath(calls, "calls-" + month + ".journal"),
                            [](uint64_t, std::string_view) { return Status(); })
              .value();
      ASSERT_TRUE(journal.Append(
          record.is_end ? metered::Encode(record.end) : metered::Encode(dispatch), false));
    }
  }

  // What the invoice comes to, by another way: the price list on its sums.
  std::string InvoiceTotal(const std::string& path) {
    const Json json = Json::parse(ReadFile(path));
    Money total;
    for (const auto& [model, sum] : json["models"].items()) {
      const Json rated = RunJson({"rate", "--model", model, "--usage", sum["usage"].dump()});
      total = total.Plus(Money::Parse(rated["total"].get<std::string>()).value()).value();
    }
    return total.ToString();
  }
  Json Ledger(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"query", "--measures", "billed_cost", "--where",
                                   "provider=OpenAI"};
    words.insert(words.end(), more.begin(), more.end());
    return RunJson(words);
  }
  std::string LedgerTotal(const std::vector<std::string>& more = {}) {
    return Ledger(more)["totals"].value("billed_cost", "");
  }

  std::string last_ = "0";
};

TEST_F(Billed, AfterApplyingTheInvoiceTheLedgerIsTheInvoice) {
  const std::string invoice = Play();
  const std::string total = InvoiceTotal(invoice);
  RunJson({"publish"});
  const Json before = Ledger();
  EXPECT_NE(Text(before["totals"]["billed_cost"]), total);

  const std::vector<std::string> ask{"reconcile", "--bill", invoice, "--vendor", "openai"};
  std::vector<std::string> with_rows = ask;
  with_rows.emplace_back("--rows");
  const Json found = RunJson(with_rows, 1);
  EXPECT_EQ(Text(found["totals"]["USD"]["theirs"]), total);
  EXPECT_EQ(Text(found["totals"]["USD"]["ours"]), Text(before["totals"]["billed_cost"]));
  std::map<std::string, int> counts;
  for (const Json& day : found["days"]) {
    for (const Json& part : day["reasons"])
      counts[Text(part["reason"])] += part["count"].get<int>();
    Money ours, theirs;
    for (const Json& row : day["rows"]) {
      ours = ours.Plus(Money::Parse(row["ours"].get<std::string>()).value()).value();
      theirs = theirs.Plus(Money::Parse(row["theirs"].get<std::string>()).value()).value();
    }
    EXPECT_EQ(ours.ToString(), Text(day["ours"]));
    EXPECT_EQ(theirs.ToString(), Text(day["theirs"]));
  }
  // Two without usage, two broken off, two billed errors; one error that is not billed; the call
  // beside the gateway.
  EXPECT_EQ(counts, (std::map<std::string, int>{{"bound", 6}, {"not billed", 1}, {"unseen", 1}}))
      << found.dump(1);

  Running gateway({"gateway", "--listen", "127.0.0.1:0", "--home", home()});
  ASSERT_GT(gateway.Port(), 0);
  std::vector<std::string> apply = ask;
  apply.emplace_back("--apply");
  const Json applied = RunJson(apply);
  EXPECT_EQ(applied["totals"]["USD"]["left"], "0");
  EXPECT_EQ(LedgerTotal(), total);
  EXPECT_EQ(LedgerTotal({"--as-of", Text(before["commit"])}),
            Text(before["totals"]["billed_cost"]));
  EXPECT_EQ(Ledger({"--by", "confidence"})["rows"].size(), 1u);

  // The calls as the bill has them, and the one that only it has: the budgets of the gateway that
  // runs count it all, and once.
  {
    Running server({"serve", "--listen", "127.0.0.1:0", "--home", home()});
    EXPECT_GT(server.Port(), 0);
    const auto clock = MakeSystemClock();
    const int64_t begin_us = clock->MonotonicUs();
    Json budget;
    do {
      const Json budgets = RunJson({"budgets"});
      budget = budgets.at(0);
    } while (Text(budget["settled"]) != total &&
             clock->MonotonicUs() - begin_us < 20 * kMicrosPerSecond);
    EXPECT_EQ(Text(budget["settled"]), total) << budget.dump(1);
    EXPECT_NE(Text(budget["unseen"]), "0");
    EXPECT_EQ(gateway.Stop(), 0);
    EXPECT_EQ(server.Stop(), 0);
  }

  // Again, and by the publication that comes every few minutes: nothing changes.
  const std::string head = Text(Ledger()["commit"]);
  EXPECT_EQ(RunJson(apply)["applied"], 0);
  RunJson({"publish"});
  EXPECT_EQ(RunJson(ask)["equal"], true);
  EXPECT_EQ(Text(Ledger()["commit"]), head);
}

TEST_F(Billed, ABillInTheLedgerTakesThePlaceOfTheEstimates) {
  const std::string invoice = Play();
  RunJson({"publish"});
  const Json ours = RunJson({"reconcile"}, 1);
  const std::string day = Text(ours["days"][0]["day"]);
  EXPECT_EQ(ours["days"][0]["reasons"][0]["reason"], "no bill");
  const std::string csv =
      "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,"
      "ServiceProviderName,ServiceName,x_Model,ConsumedQuantity,ConsumedUnit\n" +
      ("1.5,USD," + day + "T00:00:00Z," + day + "T23:59:59Z,Usage,OpenAI,API,gpt-4o,100,Tokens\n") +
      ("0.25,USD," + day + "T00:00:00Z," + day +
       "T23:59:59Z,Usage,OpenAI,API,gpt-4o-mini,100,Tokens\n");
  RunJson({"import", "--source", "openai", Put("openai.csv", csv)});
  EXPECT_EQ(RunJson({"reconcile"}, 1)["totals"]["USD"]["theirs"], "1.75");
  EXPECT_NE(LedgerTotal(), "1.75");  // counted twice
  EXPECT_EQ(RunJson({"reconcile", "--apply"})["equal"], true);
  EXPECT_EQ(LedgerTotal(), "1.75");
  EXPECT_EQ(RunJson({"reconcile", "--apply"})["applied"], 0);
}

// Two days of calls at the built-in price of gpt-4o, and a bill at another one: what mends the book
// is what the report says.
TEST_F(Billed, APriceThatTheBillHasOtherwiseIsReportedAndMended) {
  const auto files = os::MakeRealFiles();
  const Json rated =
      RunJson({"rate", "--model", "gpt-4o", "--usage", R"({"input":100000,"output":2000})"});
  const std::string folder_of_calls = home() + "/gateway/calls";
  ASSERT_TRUE(files->MakeDirs(folder_of_calls));
  std::string csv =
      "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,"
      "ServiceProviderName,ServiceName,x_Model,SkuMeter,ConsumedQuantity,ConsumedUnit\n";
  for (uint64_t id = 1; id <= 2; ++id) {
    const std::string day = "2026-11-0" + std::to_string(id);
    metered::Dispatch dispatch;
    dispatch.id = id;
    dispatch.at = ParseUserInstant(day).value();
    dispatch.provider = "OpenAI";
    dispatch.model = "gpt-4o";
    dispatch.currency = "USD";
    metered::End end;
    end.id = id;
    end.at = dispatch.at;
    end.model = "gpt-4o";
    end.cost = Money::Parse(Text(rated["total"])).value();
    for (const Json& line : rated["lines"]) {
      end.lines.push_back({BucketByName(Text(line["meter"])).value(),
                           line["quantity"].get<int64_t>(),
                           Money::Parse(Text(line["unit_price"])).value(),
                           Money::Parse(Text(line["cost"])).value()});
    }
    os::Journal journal =
        os::Journal::Open(*files, os::JoinPath(folder_of_calls, "calls-2026-11.journal"),
                          [](uint64_t, std::string_view) { return Status(); })
            .value();
    ASSERT_TRUE(journal.Append(metered::Encode(dispatch), false));
    ASSERT_TRUE(journal.Append(metered::Encode(end), false));
    const std::string days = "," + std::string("USD,") + day + "T00:00:00Z," + day + "T23:59:59Z,";
    csv += "0.275" + days + "Usage,OpenAI,API,gpt-4o,input,100000,Tokens\n";
    csv += "0.02" + days + "Usage,OpenAI,API,gpt-4o,output,2000,Tokens\n";
  }
  const std::string bill = Put("openai.csv", csv);
  const Json report = RunJson({"reconcile", "--bill", bill}, 1);
  ASSERT_EQ(report["faults"].size(), 1u) << report.dump(1);
  const Json& fault = report["faults"][0];
  EXPECT_EQ(fault["fault"], "price");
  EXPECT_EQ(fault["meter"], "input");
  EXPECT_EQ(fault["price_book"], "0.0000025");
  EXPECT_EQ(fault["price_bill"], "0.00000275");
  EXPECT_EQ(fault["days"], 2);
  EXPECT_EQ(fault["difference"], "0.05");
  EXPECT_FALSE(Text(fault["place"]["checked"]).empty());
  EXPECT_NE(Run({"reconcile", "--bill", bill}).out.find("price fault: openai gpt-4o input"),
            std::string::npos);
  RunJson({"prices", "import", Put("mended.json", report["price_file"].dump())});
  EXPECT_EQ(RunJson({"rate", "--model", "gpt-4o", "--usage",
                     R"({"input":100000,"output":2000})"})["total"],
            "0.295");
  EXPECT_FALSE(RunJson({"reconcile", "--bill", bill}, 1).contains("price_file"));
}

// The gateway and the server are two processes; nothing but the log of calls is between them.
TEST_F(Billed, ASettledCallIsInAnswersWithinTwoSeconds) {
  Running vendor({"mock-vendor", "--listen", "127.0.0.1:0"});
  const int vendor_port = vendor.Port();
  WriteEstate(vendor_port);
  const std::string key = Text(RunJson({"keys", "create", "--team", "search"})["key"]);
  Running gateway({"gateway", "--listen", "127.0.0.1:0", "--home", home()});
  const int port = gateway.Port();
  Running server({"serve", "--listen", "127.0.0.1:0", "--home", home()});
  const int server_port = server.Port();
  const auto ask = [&] {
    net::Request request;
    request.method = "POST";
    request.path = "/api/v1/query";
    request.headers = {{"content-type", "application/json"}};
    request.body = R"({"measures":["charges","billed_cost"],"by":["team"]})";
    return Json::parse(net::Fetch("127.0.0.1", server_port, request, 10'000).value().body);
  };
  const auto clock = MakeSystemClock();
  for (size_t calls = 1; calls <= 3; ++calls) {
    EXPECT_EQ(Post(port, key, CallBody(calls == 2 ? "gpt-4o-mini" : "gpt-4o", true)).status, 200);
    const int64_t end_us = clock->MonotonicUs();
    const std::string before = ask()["totals"].value("billed_cost", "0");
    Json answer;
    for (bool late = false, seen = false; !seen;) {
      ASSERT_FALSE(late) << answer.dump();
      late = clock->MonotonicUs() - end_us > 2 * kMicrosPerSecond;
      answer = ask();
      seen = answer["totals"].value("billed_cost", "0") != before || before != last_;
    }
    last_ = Text(answer["totals"]["billed_cost"]);
    EXPECT_EQ(answer["rows"][0]["team"], "search");
    EXPECT_TRUE(answer.contains("live_through"));
  }
}

TEST_F(Billed, WhatIsNoBillIsSaidSo) {
  const std::string invoice = Put("invoice.json", R"({"requests":[{"id":"a","model":"gpt-4o"}]})");
  EXPECT_EQ(Run({"reconcile", "--bill", invoice}).exit_code, 2);
  EXPECT_EQ(Run({"reconcile", "--bill", invoice, "--vendor", "openai"}).exit_code, 2);
  EXPECT_EQ(Run({"reconcile", "--from", "2026-11-02", "--to", "2026-11-01"}).exit_code, 2);
  EXPECT_EQ(Run({"reconcile", "--bill", home() + "/absent"}).exit_code, 2);
}

}  // namespace
}  // namespace flyball::tests
