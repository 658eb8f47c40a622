// The service over a real ledger: a bill goes in through the API, and every figure comes out again.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ingest/import.h"
#include "rates/exchange_store.h"
#include "reconcile/statement.h"
#include "serve/test_home.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kHeader =
    "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,"
    "BillingPeriodStart,"
    "ChargeCategory,ChargeClass,ChargeDescription,ChargePeriodEnd,ChargePeriodStart,ContractedCost,"
    "EffectiveCost,InvoiceIssuerName,ListCost,PricingQuantity,PricingUnit,ProviderName,"
    "PublisherName,"
    "ServiceCategory,ServiceName,SubAccountId\n";

std::string Line(std::string_view cost, std::string_view service, std::string_view start) {
  return fmt::format(
      "{0},1,Main,USD,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z,Usage,,text,2026-01-09T00:00:00Z,{"
      "2},{0},"
      "{0},Vendor,{0},1,Hours,Vendor,Vendor,Compute,{1},42\n",
      cost, service, start);
}

struct OverLedger : ::testing::Test {
  void SetUp() override {
    ledger::LedgerOptions options;
    options.home = home.path();
    options.memory_bytes = 256u << 20;
    auto opened = ledger::Ledger::Open(options, *files, *clock);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    ledger = *std::move(opened);
    ASSERT_TRUE(EnsureAdminToken(home.path(), *clock));
    Settings settings;
    settings.home = home.path();
    Hooks hooks;
    hooks.run_import = [this](const ImportJob& job, const ImportProgress& progress,
                              const std::stop_token&) { return Import(job, progress); };
    service.emplace(settings, *ledger, *clock, std::move(hooks));
    auto listening = service->Listen({});
    ASSERT_TRUE(listening.has_value()) << listening.error().message;
    server = *std::move(listening);
  }
  Result<std::string> Import(const ImportJob& job, const ImportProgress& progress) {
    ingest::ImportOptions options;
    options.files = job.files;
    options.source = job.source;
    options.home = home.path();
    options.memory_bytes = 256u << 20;
    options.author = job.author;
    options.progress = progress;
    ingest::Staged staged = FB_TRY(ingest::StageImport(options, *files));
    const ledger::Commit commit = FB_TRY(ledger->Publish(staged.import));
    return ingest::ImportReportJson(commit.id, staged, false);
  }
  net::ClientResponse Send(net::Request request) {
    request.headers["authorization"] = "Bearer " + home.Token();
    auto response = net::Fetch("127.0.0.1", server->port(), request, 60'000);
    EXPECT_TRUE(response.has_value()) << response.error().message;
    return response ? *response : net::ClientResponse{};
  }
  Json Upload(const std::string& content) {
    net::Request request = Ask("POST", "/api/v1/imports", content);
    request.headers["content-type"] = "text/csv";
    request.query = {{"filename", "bill.csv"}, {"source", "vendor"}};
    const net::ClientResponse response = Send(request);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body, nullptr, false);
  }
  Json Query(const std::string& question) {
    const net::ClientResponse response = Send(Ask("POST", "/api/v1/query", question));
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body, nullptr, false);
  }

  TestHome home;
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
  std::unique_ptr<Clock> clock = MakeSystemClock();
  std::unique_ptr<ledger::Ledger> ledger;
  std::optional<Service> service;
  std::unique_ptr<net::Server> server;
};

TEST_F(OverLedger, AnswersOnAnEmptyHome) {
  EXPECT_EQ(Json::parse(Send(Ask("GET", "/api/v1/health")).body)["commit"], "");
  EXPECT_EQ(Json::parse(Send(Ask("GET", "/api/v1/commits")).body)["total"], 0);
  EXPECT_EQ(Send(Ask("GET", "/api/v1/estate")).status, 200);
  EXPECT_TRUE(Query(R"({"measures":["billed_cost"]})")["rows"].empty());
}

TEST_F(OverLedger, ForecastsByEitherMethodAndSaysWhatIsWrong) {
  std::string bill(kHeader);
  for (int day = 1; day <= 28; ++day) {
    bill +=
        Line(std::to_string(10 + day % 7), "Search", fmt::format("2026-01-{:02}T00:00:00Z", day));
  }
  Upload(bill);
  net::Request get = Ask("GET", "/api/v1/forecast");
  get.query = {{"by", "service"}, {"horizon", "7d"}};
  const net::ClientResponse got = Send(get);
  ASSERT_EQ(got.status, 200) << got.body;
  const Json forecast = Json::parse(got.body);
  EXPECT_EQ(forecast["estimate"], true);
  EXPECT_EQ(forecast["known_to"], "2026-01-29T00:00:00Z");
  EXPECT_EQ(forecast["answers"][0]["series"].size(), 2u);
  const net::ClientResponse posted =
      Send(Ask("POST", "/api/v1/forecast", R"({"by":["service"],"horizon":"7d"})"));
  EXPECT_EQ(Json::parse(posted.body), forecast);
  const Json accuracy = Json::parse(Send(Ask("GET", "/api/v1/forecast/accuracy")).body);
  EXPECT_EQ(accuracy["vintages"].size(), 1u);
  EXPECT_EQ(Send(Ask("GET", "/api/v1/forecast/backtest")).status, 200);
  // This server has no desk, so no budgets.
  EXPECT_EQ(Send(Ask("GET", "/api/v1/forecast/outlook")).status, 501);
  get.query = {{"bye", "service"}};
  EXPECT_EQ(Send(get).status, 400);
  EXPECT_EQ(Send(Ask("POST", "/api/v1/forecast", "{")).status, 400);
  EXPECT_EQ(Send(Ask("POST", "/api/v1/forecast", R"({"horizon":"never"})")).status, 400);
  EXPECT_EQ(Send(Ask("POST", "/api/v1/forecast", R"({"where":"service=none"})")).status, 404);
  service->Stop();
  get.query = {};
  EXPECT_EQ(Send(get).status, 503);
}

// In memory, too, an answer is that of the rates that are there now.
TEST_F(OverLedger, AnswersInAReportingCurrencyAtTheRatesThatWereImported) {
  Upload(std::string(kHeader) + Line("10", "Search", "2026-01-08T00:00:00Z"));
  const std::string question = R"({"measures":["billed_cost"],"currency":"EUR"})";
  const net::ClientResponse refused = Send(Ask("POST", "/api/v1/query", question));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "FAILED_PRECONDITION") << refused.body;
  EXPECT_TRUE(Json::parse(Send(Ask("GET", "/api/v1/exchange")).body)["currencies"].empty());

  rates::ExchangeStore store(*files, home.path());
  ASSERT_TRUE(store.Add("Date,USD,\n2026-01-07,1.25,\n", clock->Now()));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Query(question)["totals"]["billed_cost"], "8");
  ASSERT_TRUE(store.Add("Date,USD,\n2026-01-08,1.6,\n", clock->Now()));
  const Json answer = Query(question);
  EXPECT_EQ(answer["totals"]["billed_cost"], "6.25");
  EXPECT_EQ(answer["conversion"]["billed"]["USD"]["billed_cost"], "10");
  EXPECT_EQ(answer["conversion"]["rates"][0]["rates_to"], "2026-01-08");
  const Json batch = Query(R"({"queries":[)" + question + R"(,{"measures":["billed_cost"]}]})");
  EXPECT_EQ(batch["answers"][0]["currency"], "EUR");
  EXPECT_EQ(batch["answers"][1]["totals"]["billed_cost"], "10");

  net::Request at = Ask("GET", "/api/v1/exchange");
  at.query = {{"at", "2026-01-07"}};
  EXPECT_EQ(Json::parse(Send(at).body)["currencies"][0]["per_euro"], "1.25");
  at.query = {{"at", "yesterday"}};
  EXPECT_EQ(Send(at).status, 400);
  // Charges stand as they were billed.
  const Json rows =
      Json::parse(Send(Ask("POST", "/api/v1/rows", R"({"query":)" + question + "}")).body);
  EXPECT_EQ(rows["total"], 1) << rows.dump().substr(0, 500);
}

TEST_F(OverLedger, ABillGoesInAndEveryFigureComesOut) {
  const Json report = Upload(std::string(kHeader) + Line("1.25", "Search", "2026-01-08T00:00:00Z") +
                             Line("0.000000000001", "Chat", "2026-01-08T01:00:00Z") +
                             Line("broken", "Chat", "2026-01-08T02:00:00Z"));
  EXPECT_EQ(report["rows_in"], 3);
  EXPECT_EQ(report["rows_kept"], 2);
  const std::string first = report["commit"];
  const Json answer = Query(R"({"measures":["billed_cost","charges"],"by":["service"]})");
  EXPECT_EQ(answer["totals"]["billed_cost"], "1.250000000001");
  EXPECT_EQ(answer["commit"], first);
  EXPECT_EQ(answer["currency"], "USD");

  const Json rows = Json::parse(
      Send(Ask("POST", "/api/v1/rows",
               R"({"query":{"measures":["billed_cost"],"where":"service=Chat"},"limit":10})"))
          .body);
  EXPECT_EQ(rows["total"], 1) << rows.dump().substr(0, 500);

  const Json quarantine = Json::parse(Send(Ask("GET", "/api/v1/quarantine/" + first)).body);
  ASSERT_EQ(quarantine["rows"].size(), 1u) << quarantine.dump();
  EXPECT_EQ(quarantine["total"], 1);
  EXPECT_EQ(quarantine["rows"][0]["line"], 4);

  // A newer version of the same month replaces it; the old one stays readable, also from memory.
  Upload(std::string(kHeader) + Line("7", "Search", "2026-01-08T00:00:00Z"));
  EXPECT_EQ(Query(R"({"measures":["billed_cost"]})")["totals"]["billed_cost"], "7");
  const std::string then = R"({"measures":["billed_cost"],"as_of":")" + first + "\"}";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Query(then)["totals"]["billed_cost"], "1.250000000001");
  }
  // The list is brief, one commit is whole.
  const Json whole = Json::parse(Send(Ask("GET", "/api/v1/commits/" + first)).body);
  EXPECT_EQ(whole["id"], first);
  EXPECT_TRUE(whole["import"].contains("lineage"));
  const Json list = Json::parse(Send(Ask("GET", "/api/v1/commits")).body);
  EXPECT_EQ(list["commits"][1]["id"], first);
  EXPECT_EQ(list["commits"][1]["import"]["rows_kept"], 2);
  EXPECT_FALSE(list["commits"][1]["import"].contains("lineage"));
}

TEST_F(OverLedger, WhatIsKnownOfEachSourceIsTold) {
  const Json none = Json::parse(Send(Ask("GET", "/api/v1/health/sources")).body);
  EXPECT_TRUE(none["sources"].empty() && none["months"].empty()) << none.dump();
  home.Write("estate.yaml",
             "sources:\n  - { name: vendor, title: The Vendor }\n"
             "  - { name: bucket, kind: s3, bucket: bills }\n");
  std::string bill(kHeader);
  for (int day = 1; day <= 20; ++day) {
    if (day == 7) continue;
    for (int i = 0; i < 10; ++i) {
      bill += Line("1.5", "Search", fmt::format("2026-01-{:02}T{:02}:00:00Z", day, i));
    }
  }
  const std::string commit = Upload(bill + Line("broken", "Chat", "2026-01-08T02:00:00Z") +
                                    Line("", "Chat", "2026-01-08T02:00:00Z"))["commit"];

  const net::ClientResponse response = Send(Ask("GET", "/api/v1/health/sources"));
  ASSERT_EQ(response.status, 200) << response.body;
  const Json health = Json::parse(response.body);
  EXPECT_EQ(health["commit"], commit);
  ASSERT_EQ(health["sources"].size(), 2u) << "the bucket is known, and was never synced";
  const Json& bucket = health["sources"][0];
  EXPECT_EQ(bucket["kind"], "s3");
  EXPECT_EQ(bucket["sync"]["state"], "never");
  EXPECT_TRUE(bucket["last_import"].is_null() && bucket["reaches"].is_null());
  EXPECT_EQ(bucket["conformance"]["state"], "no bill");
  const Json& vendor = health["sources"][1];
  EXPECT_EQ(vendor["title"], "The Vendor");
  EXPECT_TRUE(vendor["sync"].is_null());
  EXPECT_EQ(vendor["last_import"]["commit"], commit);
  EXPECT_EQ(vendor["reaches"], "2026-01-20");
  EXPECT_EQ(vendor["charges"], 190);
  EXPECT_EQ(vendor["billed"]["USD"], "285");
  EXPECT_EQ(vendor["conformance"]["state"], "not checked");
  EXPECT_EQ(vendor["quarantine"]["rows"], 2);
  EXPECT_EQ(vendor["quarantine"]["reasons"], Json({{"bad_number", 1}, {"no_billed_cost", 1}}));
  EXPECT_EQ(vendor["periods"][0]["closed"], false);
  std::map<std::string, std::string> days;
  for (const Json& day : vendor["days"]) days[day["day"]] = day["state"];
  EXPECT_EQ(days.size(), 62u);
  EXPECT_EQ(days["2025-12-31"], "before");
  EXPECT_EQ(days["2026-01-06"], "full");
  EXPECT_EQ(days["2026-01-07"], "gap");
  EXPECT_EQ(days["2026-01-21"], "after");

  // What lies in quarantine can be taken away whole.
  net::Request download = Ask(
      "GET", "/api/v1/quarantine/" + vendor["quarantine"]["imports"][0]["id"].get<std::string>());
  download.query = {{"format", "jsonl"}};
  const net::ClientResponse lines = Send(download);
  EXPECT_EQ(lines.status, 200);
  EXPECT_EQ(std::ranges::count(lines.body, '\n'), 2) << lines.body;
  download.query = {{"format", "xml"}};
  EXPECT_EQ(Send(download).status, 400);
}

TEST_F(OverLedger, AMonthIsHeldBesideItsInvoices) {
  Upload(std::string(kHeader) + Line("7", "Search", "2026-01-08T00:00:00Z"));
  Json month = Json::parse(Send(Ask("GET", "/api/v1/health/months/2026-01")).body);
  EXPECT_TRUE(month["equal"].is_null()) << month.dump();
  EXPECT_EQ(month["without_invoice"][0]["issuer"], "Vendor");
  EXPECT_EQ(month["over"], true);
  EXPECT_TRUE(month["close"].is_null());

  std::filesystem::create_directories(home.path() + "/invoices");
  reconcile::Statement statement;
  statement.lines = {{"as typed", "Vendor", "", "USD", "", "", "", "", Money::Parse("9").value()}};
  ASSERT_TRUE(reconcile::WriteStatement(*files, home.path(), "2026-01", statement));
  const net::ClientResponse closed =
      Send(Ask("POST", "/api/v1/periods", R"({"period":"2026-01","closed":true})"));
  ASSERT_EQ(closed.status, 200) << closed.body;
  month = Json::parse(Send(Ask("GET", "/api/v1/health/months/2026-01")).body);
  EXPECT_EQ(month["equal"], false);
  EXPECT_EQ(month["invoices"][0]["difference"], "-2");
  EXPECT_EQ(month["invoices"][0]["steps"][0]["amount"], "-2");
  EXPECT_TRUE(month["invoices"][0]["steps"][0]["since"].is_null()) << "no report has noted it";
  EXPECT_EQ(month["close"]["commit"], Json::parse(closed.body)["commit"]["id"]);
  for (const char* name : {"2026-13", "2026", "2026-01-01", "now"}) {
    EXPECT_EQ(Send(Ask("GET", std::string("/api/v1/health/months/") + name)).status, 400) << name;
  }
}

TEST_F(OverLedger, ChangedRulesAreACommit) {
  Upload(std::string(kHeader) + Line("2", "Search", "2026-01-08T00:00:00Z"));
  home.Write(
      "estate.yaml",
      "teams:\n  - id: web\nrules:\n  - match: {ServiceName: Search}\n    set: {team: web}\n");
  EXPECT_EQ(Json::parse(Send(Ask("GET", "/api/v1/health")).body)["rules_stale"], true);
  const Json made = Json::parse(Send(Ask("POST", "/api/v1/classify", "{}")).body);
  EXPECT_EQ(made["commit"]["kind"], "classify");
  EXPECT_EQ(Query(R"({"measures":["billed_cost"],"by":["team"]})")["rows"][0]["team"], "web");
  EXPECT_TRUE(Json::parse(Send(Ask("POST", "/api/v1/classify", "{}")).body)["commit"].is_null());
  home.Write("estate.yaml", "teams: 3\n");
  const net::ClientResponse broken = Send(Ask("POST", "/api/v1/classify", "{}"));
  EXPECT_EQ(broken.status, 400) << broken.body;
  EXPECT_EQ(Json::parse(broken.body)["error"]["place"]["line"], 1) << broken.body;
}

}  // namespace
}  // namespace flyball::serve
